//! The Lambda function `callback`.

use hongyan_functions::{
    actions::tell_business_server::{World, tell_business_server},
    runtime::serve_stream,
    trigger::stream::Turns,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve_stream("callback", Turns::InOrder, World::new, tell_business_server).await
}
