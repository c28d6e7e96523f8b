//! Calls to the business server: the only part that knows where it is.
//!
//! It may be slow, dead or wrong. Nothing that it does takes longer than its time, is larger than its room, or leads
//! anywhere else.

use std::{sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use hongyan_shared::{
    Error, Result,
    callback::{Call, Token},
};
use tokio::time::timeout;

use crate::{
    aws,
    breaker::Breaker,
    clock::Clock,
    config::{CallbackFailure, CallbackPlace, CallbackToken, Config, Configured},
    record::{Metric, count},
    secret::Secret,
};

/// How long a call may take in all. Tencent's time, which business servers are made for.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How large an answer may be, in bytes: a message may be rewritten, and has a fifth of it.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The business server of a deployment.
pub struct BusinessServer {
    place: CallbackPlace,
    token: Option<Secret<Token>>,
    connector: SharedHttpConnector,
    breaker: Arc<Breaker>,
    clock: Clock,
}

impl BusinessServer {
    /// The one of this deployment, if it has one.
    pub fn new(config: &Config) -> Configured<Option<Self>> {
        let Some(place) = config.callback()? else { return Ok(None) };
        let token = match &place.token {
            CallbackToken::None => None,
            CallbackToken::Given(token) => Some(Secret::from(token.clone())),
            CallbackToken::Parameter(name) => {
                let parse = |text: &str| match text.trim() {
                    "" => Err("it is empty".to_owned()),
                    text => Ok(Token::new(text)),
                };
                Some(Secret::in_parameter(config.sdk(), name.clone(), parse))
            }
        };
        let connector = aws::connector(CONNECT_TIMEOUT);
        Ok(Some(Self {
            place,
            token,
            connector,
            breaker: Arc::clone(&config.breaker),
            clock: config.clock.clone(),
        }))
    }

    /// Whether what cannot be asked about is sent all the same.
    pub fn failure(&self) -> CallbackFailure {
        self.place.failure
    }

    /// Calls it, and returns what it has answered with a status of success.
    ///
    /// # Errors
    /// [`Error::BusinessServer`].
    pub async fn call(&self, call: &Call) -> Result<Vec<u8>> {
        let answer = match timeout(TIMEOUT, self.call_in_time(call)).await {
            Ok(answer) => answer,
            Err(_) => Err("it has not answered in two seconds".to_owned()),
        };
        count(if answer.is_ok() { Metric::Callbacks } else { Metric::FailedCallbacks });
        let command = call.command.name();
        answer.map_err(|why| Error::BusinessServer(format!("{command}: {why}")))
    }

    /// As [`BusinessServer::call`], for what can do without: nothing, and at once, for ten seconds after five failures in a row.
    /// Then one call finds out how it is.
    ///
    /// # Errors
    /// As [`BusinessServer::call`].
    pub async fn call_unless_dead(&self, call: &Call) -> Result<Option<Vec<u8>>> {
        if !self.breaker.lets_through(self.clock.now()) {
            count(Metric::SkippedCallbacks);
            return Ok(None);
        }
        let answer = self.call(call).await;
        self.breaker.note(answer.is_ok(), self.clock.now());
        answer.map(Some)
    }

    async fn call_in_time(&self, call: &Call) -> std::result::Result<Vec<u8>, String> {
        let now_ms = self.clock.now();
        let token = match &self.token {
            None => None,
            Some(token) => Some(token.read(now_ms).await?),
        };
        let url = self.place.url.of(call, self.place.sdk_app_id, token.as_ref(), self.clock.now() / 1000);
        let answer = match self.post(&url, &call.body).await {
            // A connection that was kept may have been closed at the other end, which is found out by using it.
            Err(error) if !error.is_timeout() => self.post(&url, &call.body).await,
            answer => answer,
        };
        // No part of a request is in such an error.
        let answer = answer.map_err(|error| aws::with_causes(&error))?;
        let status = answer.status().as_u16();
        if !answer.status().is_success() {
            return Err(format!("it has answered with status {status}"));
        }
        read(answer).await
    }

    async fn post(&self, url: &str, body: &str) -> std::result::Result<HttpResponse, ConnectorError> {
        let mut request = HttpRequest::new(SdkBody::from(body));
        let user = |error| ConnectorError::user(Box::new(error));
        request.set_method("POST").map_err(user)?;
        request.set_uri(url).map_err(user)?;
        request.headers_mut().insert("content-type", "application/json");
        request.headers_mut().insert("user-agent", "hongyan");
        self.connector.call(request).await
    }
}

async fn read(answer: HttpResponse) -> std::result::Result<Vec<u8>, String> {
    let (mut body, mut bytes) = (ByteStream::new(answer.into_body()), Vec::new());
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| format!("its answer breaks off: {error}"))?;
        if bytes.len().saturating_add(part.len()) > MAX_ANSWER_BYTES {
            return Err(format!("its answer has more than {MAX_ANSWER_BYTES} bytes"));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
