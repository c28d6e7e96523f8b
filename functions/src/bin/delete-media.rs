//! The Lambda function `delete-media`.

use hongyan_functions::{
    actions::delete_media::{World, delete_media},
    runtime::serve_stream,
    trigger::stream::Turns,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve_stream("deleteMedia", Turns::AllAtOnce, World::new, delete_media).await
}
