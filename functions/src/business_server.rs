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
    failure::{Failure, FailureKind},
    record::{Metric, count},
    secret::Secret,
};

/// How long a call may take in all. Tencent's time, which business servers are made for.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How large an answer may be, in bytes: a message may be rewritten, and has a fifth of it.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why there is no answer of success.
struct Unanswered {
    why: String,
    /// Whether there may be one yet.
    kind: FailureKind,
}

impl From<String> for Unanswered {
    fn from(why: String) -> Self {
        Self { why, kind: FailureKind::Transient }
    }
}

/// Whether a status is about the call, and not about the moment: 408, 425 and 429 ask for it again.
fn refuses(status: u16) -> bool {
    (400..500).contains(&status) && ![408, 425, 429].contains(&status)
}

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

    /// Tells it something. Whatever it answers with a status of success is all right.
    ///
    /// # Errors
    /// [`Error::BusinessServer`], with [`FailureKind::Refused`] if it has looked at the call and does not want it.
    pub async fn tell(&self, call: &Call) -> std::result::Result<(), Failure> {
        self.call(call).await.map(drop)
    }

    /// Asks it something, and returns what its answer means.
    ///
    /// # Errors
    /// [`Error::BusinessServer`], also when nothing can be made of the answer.
    pub async fn ask<Meant>(
        &self,
        call: &Call,
        meaning: impl Fn(&[u8]) -> std::result::Result<Meant, String>,
    ) -> Result<Meant> {
        let answer = self.call(call).await.map_err(|failure| failure.error)?;
        meaning(&answer).map_err(|why| {
            count(Metric::FailedCallbacks);
            Error::BusinessServer(format!("{}: {why}", call.command.name()))
        })
    }

    /// As [`BusinessServer::ask`], for what can do without: nothing, and at once, for ten seconds after five failures in a row.
    /// Then one call finds out how it is.
    ///
    /// # Errors
    /// As [`BusinessServer::ask`].
    pub async fn ask_unless_dead<Meant>(
        &self,
        call: &Call,
        meaning: impl Fn(&[u8]) -> std::result::Result<Meant, String>,
    ) -> Result<Option<Meant>> {
        if !self.breaker.lets_through(self.clock.now()) {
            count(Metric::SkippedCallbacks);
            return Ok(None);
        }
        let meant = self.ask(call, meaning).await;
        self.breaker.note(meant.is_ok(), self.clock.now());
        meant.map(Some)
    }

    async fn call(&self, call: &Call) -> std::result::Result<Vec<u8>, Failure> {
        let answer = match timeout(TIMEOUT, self.call_in_time(call)).await {
            Ok(answer) => answer,
            Err(_) => Err("it has not answered in two seconds".to_owned().into()),
        };
        count(if answer.is_ok() { Metric::Callbacks } else { Metric::FailedCallbacks });
        answer.map_err(|Unanswered { why, kind }| {
            let error = Error::BusinessServer(format!("{}: {why}", call.command.name()));
            Failure { error, kind }
        })
    }

    async fn call_in_time(&self, call: &Call) -> std::result::Result<Vec<u8>, Unanswered> {
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
            let kind = if refuses(status) { FailureKind::Refused } else { FailureKind::Transient };
            return Err(Unanswered { why: format!("it has answered with status {status}"), kind });
        }
        Ok(read(answer).await?)
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
