//! The Lambda function `connect`.

use hongyan_functions::{
    routes::ws::connect::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
