use aws_sdk_dynamodb::config::Credentials;
use aws_types::SdkConfig;
use hongyan_functions::aws::sdk_settings;

/// The SDK's settings for an endpoint on this machine, with the functions' own patience.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    // Nobody checks them here.
    let credentials = Credentials::new("local", "local", None, None, "twin");
    // Without TLS, so that no stack for it has to be loaded.
    let http = aws_smithy_http_client::Builder::new().build_http();
    sdk_settings(credentials, "local".to_owned(), http).endpoint_url(endpoint).build()
}
