//! The Lambda function `send-message`.

use hongyan_functions::{
    routes::ws::send_message::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
