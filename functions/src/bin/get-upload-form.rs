//! The Lambda function `get-upload-form`.

use hongyan_functions::{
    routes::ws::get_upload_form::{World, handle},
    runtime::serve,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(World::new, handle).await
}
