//! The Lambda function `get-message-list`.

use hongyan_functions::{routes::get_message_list::handle, runtime::serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(handle).await
}
