//! The Lambda function `manage-user`.

use hongyan_functions::{
    routes::ws::manage_user::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
