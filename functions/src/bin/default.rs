//! The Lambda function `default`.

use hongyan_functions::{
    routes::ws::default::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
