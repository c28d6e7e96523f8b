//! The Lambda function `set-message-read`.

use hongyan_functions::{routes::set_message_read::handle, runtime::serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(handle).await
}
