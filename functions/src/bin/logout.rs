//! The Lambda function `logout`.

use hongyan_functions::{routes::logout::handle, runtime::serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(handle).await
}
