//! The Lambda function `set-message-read`.

use hongyan_functions::{
    routes::ws::set_message_read::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
