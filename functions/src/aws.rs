//! How the AWS SDK is set up, and what it says when a call fails.

use std::{error::Error as StdError, iter::successors, time::Duration};

use aws_sdk_dynamodb::{
    config::{
        BehaviorVersion, Credentials, HttpClient, ProvideCredentials, Region, SharedCredentialsProvider,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};
use aws_types::{SdkConfig, sdk_config::Builder};
use hongyan_shared::{Error, Result, media::Signer};

use crate::environment::{Configured, Misconfigured, variable};

/// The SDK's settings that are the same in an account and on a laptop: the functions' time-outs and retries.
pub fn sdk_settings(credentials: Credentials, region: String, http: impl HttpClient + 'static) -> Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new(region))
        .http_client(http)
        .retry_config(retries())
        .timeout_config(timeouts())
}

/// The SDK's settings in Lambda, which puts credentials and region into the environment. That is why
/// there is no aws-config here: looking for them elsewhere costs size and time (docs/cold-start.md).
pub(crate) fn sdk_config() -> Configured<SdkConfig> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let tls = Provider::Rustls(CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
    let mut config = sdk_settings(credentials, variable("AWS_REGION")?, http);
    // An emulator's, or a twin's, under the name that all SDKs give it.
    let endpoint = variable("AWS_ENDPOINT_URL").ok();
    if endpoint.is_none() && is_sam_local() {
        return Err(Misconfigured::WouldUseAnAccount);
    }
    config.set_endpoint_url(endpoint);
    Ok(config.build())
}

/// What makes requests to others than AWS: the SDK's own, which follows no redirect and keeps its connections.
pub fn connector(connect_timeout: Duration) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(connect_timeout).build();
    let tls = Provider::Rustls(CryptoMode::Ring);
    SharedHttpConnector::new(Connector::builder().connector_settings(settings).tls_provider(tls).build())
}

/// Whether `sam local invoke` runs the function.
pub(crate) fn is_sam_local() -> bool {
    variable("AWS_SAM_LOCAL").is_ok()
}

/// A call is given up early and made again: a write that is repeated finds that it has been made.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1_000))
        .operation_attempt_timeout(Duration::from_millis(1_500))
        .operation_timeout(Duration::from_millis(6_000))
        .build()
}

/// See [`timeouts`].
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(50))
}

/// Who signs forms. In Lambda the key is that of the sandbox, good for some hours.
pub(crate) struct FormSigner {
    credentials: SharedCredentialsProvider,
    region: String,
}

impl FormSigner {
    /// The same that makes calls with these settings.
    pub fn new(sdk: &SdkConfig) -> Configured<Self> {
        Ok(Self {
            credentials: sdk.credentials_provider().ok_or(Misconfigured::Missing("AWS_ACCESS_KEY_ID"))?,
            region: sdk.region().ok_or(Misconfigured::Missing("AWS_REGION"))?.to_string(),
        })
    }

    /// Who they are at this moment.
    pub async fn signer(&self) -> Result<Signer> {
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| Error::Internal(format!("no credentials: {error}")))?;
        Ok(Signer {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().map(str::to_owned),
            region: self.region.clone(),
        })
    }
}

/// Why a call to AWS failed, without the raw response: it may hold a key, or what somebody wrote.
pub(crate) fn reason<E>(error: &SdkError<E>) -> String
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    match error.code() {
        Some(code) => format!("{code}: {}", error.message().unwrap_or_default()),
        None => with_causes(error),
    }
}

/// An error and what has caused it, as one line.
pub fn with_causes(error: &dyn StdError) -> String {
    let causes = successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
