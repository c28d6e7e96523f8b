//! The Lambda function `authorizer`.

use hongyan_functions::runtime::serve_authorizer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve_authorizer().await
}
