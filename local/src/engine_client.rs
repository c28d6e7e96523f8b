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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_dynamodb::{Client, types::AttributeValue};

    use crate::{Data, clock::Clock, database::Database, sdk_config, template::Template};

    /// What becomes of a write that is made twice, a read, and a table that is not there, as text.
    async fn answers(client: &Client, user: &str) -> String {
        let put = || {
            let put = client.put_item().table_name("Users").condition_expression("attribute_not_exists(u)");
            let item = [("u", user), ("s", "P"), ("n", "名字 \"\u{1}\"")];
            item.into_iter()
                .fold(put, |put, (name, value)| put.item(name, AttributeValue::S(value.to_owned())))
                .send()
        };
        let (first, second) = (put().await.unwrap(), put().await.unwrap_err());
        let read = client.query().table_name("Users").key_condition_expression("u = :u");
        let read = read.expression_attribute_values(":u", AttributeValue::S(user.to_owned())).send().await;
        let missing = client.scan().table_name("Nothing").send().await.unwrap_err();
        let items = read.unwrap().items.unwrap();
        // But for the user, and in an order: a map has none.
        let mut items: Vec<_> = items.into_iter().flatten().filter(|(name, _)| name != "u").collect();
        items.sort_by_key(|(name, _)| name.clone());
        format!(
            "{:?} {:?} {items:?} {:?}",
            first.attributes,
            second.into_service_error(),
            missing.into_service_error()
        )
    }

    #[tokio::test]
    async fn the_tables_answer_the_same_with_a_socket_between_and_without() {
        let template = Template::read().unwrap();
        let database = Database::open(&Data::Memory, 0, &Clock::System, &template, None).await.unwrap();
        let direct = Client::new(&database.sdk_config);
        let over_http = Client::new(&sdk_config(&database.url));

        let expected = answers(&over_http, "alice").await;
        assert!(expected.contains("ConditionalCheckFailed") && expected.contains("名字"), "{expected}");
        assert_eq!(answers(&direct, "bob").await, expected);

        // Requests that are not for the tables go where they are sent.
        let elsewhere = database.sdk_config.to_builder().endpoint_url("http://127.0.0.1:9").build();
        let refused = Client::new(&elsewhere).list_tables().send().await.unwrap_err();
        assert!(refused.as_service_error().is_none(), "{refused:?}");
        database.close().await;
    }
}
