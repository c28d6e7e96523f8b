//! The Lambda function `default`.

use hongyan_functions::{routes::default::handle, runtime::serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(handle).await
}
