//! The Lambda function `manage-user`.

use hongyan_functions::{routes::manage_user::handle, runtime::serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    serve(handle).await
}
