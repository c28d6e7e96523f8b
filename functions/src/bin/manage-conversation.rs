//! The Lambda function `manage-conversation`.

use hongyan_functions::{routes::manage_conversation::handle, runtime::serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(handle).await
}
