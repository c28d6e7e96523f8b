//! The Lambda function `manage-group`.

use hongyan_functions::{
    routes::ws::manage_group::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
