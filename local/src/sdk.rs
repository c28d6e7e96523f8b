use aws_sdk_dynamodb::config::{Credentials, HttpClient, SharedHttpClient};
use aws_types::SdkConfig;
use hongyan_functions::aws::sdk_settings;
use hongyan_shared::media::Signer;

use crate::{dynamodb::Api, engine_client::EngineClient};

/// The key and the region of a laptop. But for the forms, nobody checks them here.
const LOCAL: &str = "local";

/// The SDK's settings for the tables of a twin in the same process.
pub struct InProcess(pub SdkConfig);

/// The SDK's settings for an endpoint on this machine, with the functions' own timeouts.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    settings(endpoint, http())
}

/// The same for the tables at that endpoint, without a socket between.
pub(crate) fn in_process(api: Api, endpoint: &str) -> InProcess {
    InProcess(settings(endpoint, EngineClient::new(api, endpoint, http())))
}

fn settings(endpoint: &str, http: impl HttpClient + 'static) -> SdkConfig {
    let credentials = Credentials::new(LOCAL, LOCAL, None, None, "twin");
    sdk_settings(credentials, LOCAL.to_owned(), http).endpoint_url(endpoint).build()
}

/// Who signs forms with those settings.
pub(crate) fn signer() -> Signer {
    let local = || LOCAL.to_owned();
    Signer { access_key_id: local(), secret_access_key: local(), session_token: None, region: local() }
}

/// Without TLS, so that no stack for it has to be loaded.
fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_dynamodb::{Client, types::AttributeValue};

    use super::*;
    use crate::{Data, clock::Clock, database::Database, template::Template};

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
        let template = Template::read(false).unwrap();
        let database = Database::open(&Data::Memory, 0, &Clock::System, &template, None).await.unwrap();
        let in_process = in_process(database.api.clone(), &database.url).0;
        let direct = Client::new(&in_process);
        let over_http = Client::new(&sdk_config(&database.url));

        let expected = answers(&over_http, "alice").await;
        assert!(expected.contains("ConditionalCheckFailed") && expected.contains("名字"), "{expected}");
        assert_eq!(answers(&direct, "bob").await, expected);

        // Requests that are not for the tables go where they are sent.
        let elsewhere = in_process.into_builder().endpoint_url("http://127.0.0.1:9").build();
        let refused = Client::new(&elsewhere).list_tables().send().await.unwrap_err();
        assert!(refused.as_service_error().is_none(), "{refused:?}");
        database.close().await;
    }
}
