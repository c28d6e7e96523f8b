//! The Lambda function `disconnect`.

use hongyan_functions::{
    routes::ws::disconnect::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
