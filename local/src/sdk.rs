use aws_sdk_dynamodb::config::{Credentials, HttpClient, SharedHttpClient};
use aws_types::SdkConfig;
use hongyan_functions::aws::sdk_settings;
use hongyan_shared::media::Signer;

/// The key and the region of a laptop. But for the forms, nobody checks them here.
const LOCAL: &str = "local";

/// The SDK's settings for an endpoint on this machine, with the functions' own patience.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    settings(endpoint, http())
}

/// The same by another way than a socket.
pub(crate) fn settings(endpoint: &str, http: impl HttpClient + 'static) -> SdkConfig {
    let credentials = Credentials::new(LOCAL, LOCAL, None, None, "twin");
    sdk_settings(credentials, LOCAL.to_owned(), http).endpoint_url(endpoint).build()
}

/// Who signs forms with those settings.
pub(crate) fn signer() -> Signer {
    let local = || LOCAL.to_owned();
    Signer { access_key_id: local(), secret_access_key: local(), session_token: None, region: local() }
}

/// Without TLS, so that no stack for it has to be loaded.
pub(crate) fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}
