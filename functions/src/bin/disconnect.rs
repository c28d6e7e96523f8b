//! The Lambda function `disconnect`.

use hongyan_functions::{routes::disconnect::handle, runtime::serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(handle).await
}
