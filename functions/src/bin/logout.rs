//! The Lambda function `logout`.

use hongyan_functions::{
    routes::ws::logout::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
