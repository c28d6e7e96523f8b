//! The Lambda function `rest`.

use hongyan_functions::runtime::serve_rest;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve_rest().await
}
