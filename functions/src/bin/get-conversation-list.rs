//! The Lambda function `get-conversation-list`.

use hongyan_functions::{
    routes::ws::get_conversation_list::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
