//! DynamoDB's API in front of the embedded engine, as the SDKs and the AWS CLI speak it.
//!
//! The engine brings a server of its own. It answers any page in any browser, and waits for clients that
//! say nothing, so it is left out.

use std::time::Instant;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::post,
};
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tracing::debug;

use crate::{guard, stream::Streams};

pub(crate) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
pub(crate) const TARGET: &str = "x-amz-target";
const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// The engine as the SDKs know it.
#[derive(Clone)]
pub(crate) struct Api {
    pub engine: Database,
    /// What hears of its writes.
    pub streams: Streams,
}

impl Api {
    pub fn router(self) -> Router {
        Router::new()
            .route("/", post(serve))
            // A request is complete when it gets here, and has been measured.
            .layer(axum::extract::DefaultBodyLimit::disable())
            .layer(middleware::from_fn(guard::programs))
            .with_state(self)
    }

    /// The status and the body that answer the operation of a target.
    pub fn answer(&self, target: &str, body: &[u8]) -> (StatusCode, String) {
        let operation = target.strip_prefix(TARGET_PREFIX).unwrap_or_default();
        let started = Instant::now();
        let (status, text) = match self.run(operation, body) {
            None => {
                let kind = "com.amazon.coral.service#UnknownOperationException";
                (StatusCode::BAD_REQUEST, json!({ "__type": kind }).to_string())
            }
            Some(Ok(text)) => (StatusCode::OK, text),
            Some(Err(error)) => {
                let status = StatusCode::from_u16(error.status_code());
                (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error.to_json())
            }
        };
        debug!(operation, status = status.as_u16(), ms = started.elapsed().as_millis());
        (status, text)
    }
}

async fn serve(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    let (status, text) = api.answer(target, &body);
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

macro_rules! operations {
    ($($name:literal => $method:ident;)+) => {
        impl Api {
            /// Runs an operation, if there is one of this name.
            fn run(&self, operation: &str, body: &[u8]) -> Option<Result<String, DynoxideError>> {
                Some(match operation {
                    $($name => {
                        let run = |request| self.streams.record(body, || self.engine.$method(request));
                        read(body).and_then(run).and_then(|reply| write(&reply))
                    })+
                    _ => return None,
                })
            }
        }
    };
}

operations! {
    "BatchExecuteStatement" => batch_execute_statement;
    "BatchGetItem" => batch_get_item;
    "BatchWriteItem" => batch_write_item;
    "CreateTable" => create_table;
    "DeleteItem" => delete_item;
    "DeleteTable" => delete_table;
    "DescribeTable" => describe_table;
    "DescribeTimeToLive" => describe_time_to_live;
    "ExecuteStatement" => execute_statement;
    "ExecuteTransaction" => execute_transaction;
    "GetItem" => get_item;
    "ListTables" => list_tables;
    "PutItem" => put_item;
    "Query" => query;
    "Scan" => scan;
    "TransactGetItems" => transact_get_items;
    "TransactWriteItems" => transact_write_items;
    "UpdateItem" => update_item;
    "UpdateTable" => update_table;
    "UpdateTimeToLive" => update_time_to_live;
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| DynoxideError::SerializationException(error.to_string()))
}

fn write<T: Serialize>(reply: &T) -> Result<String, DynoxideError> {
    serde_json::to_string(reply).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
