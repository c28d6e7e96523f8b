//! The SDK's way to the embedded engine: the same requests and answers as over HTTP, without a socket between.

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;

use crate::dynamodb::{Api, CONTENT_TYPE, TARGET};

/// Requests to the tables go to the engine, all others on the way that they would have taken.
#[derive(Clone)]
pub(crate) struct EngineClient<Other> {
    api: Api,
    /// The tables' endpoint.
    url: String,
    other: Other,
}

impl<Other> EngineClient<Other> {
    pub fn new(api: Api, url: &str, other: Other) -> Self {
        Self { api, url: format!("{url}/"), other }
    }
}

impl<Other> std::fmt::Debug for EngineClient<Other> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineClient").field("url", &self.url).finish_non_exhaustive()
    }
}

impl<Other: HttpClient> HttpClient for EngineClient<Other> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let other = self.other.http_connector(settings, components);
        SharedHttpConnector::new(EngineClient { api: self.api.clone(), url: self.url.clone(), other })
    }
}

impl HttpConnector for EngineClient<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // A request with a stream for a body is none of DynamoDB's.
        let Some(body) = request.body().bytes().filter(|_| request.uri() == self.url) else {
            return self.other.call(request);
        };
        let target = request.headers().get(TARGET).unwrap_or_default();
        let (status, text) = self.api.answer(target, body);
        let status = StatusCode::try_from(status.as_u16());
        HttpConnectorFuture::ready(match status {
            Ok(status) => {
                let mut response = HttpResponse::new(status, SdkBody::from(text));
                response.headers_mut().insert("content-type", CONTENT_TYPE);
                Ok(response)
            }
            Err(error) => Err(ConnectorError::other(error.into(), None)),
        })
    }
}
