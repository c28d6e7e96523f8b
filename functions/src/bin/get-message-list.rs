//! The Lambda function `get-message-list`.

use hongyan_functions::{
    routes::ws::get_message_list::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
