//! The Lambda function `send-message`.

use hongyan_functions::{routes::send_message::handle, runtime::serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(handle).await
}
