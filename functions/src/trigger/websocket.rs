//! A function behind routes of the WebSocket API: from API Gateway's event to a route and back.

use std::future::Future;

use hongyan_shared::{
    Error, Result,
    protocol::{Action, Request},
};
use lambda_http::{Body, RequestExt, Response, http::StatusCode, request::RequestContext};

use crate::{
    caller::Caller,
    clock::Clock,
    config::{Config, Configured},
    connections_api::{ConnectionsApi, Delivery},
    limits::FrameLimit,
    record::{InvocationRecord, MetricCounts, Refused, Report},
    routes::ws::{Event, Reply},
    store::allowance::one_frame,
};

/// A function in its sandbox.
pub struct Function<World> {
    world: World,
    limit: FrameLimit,
    api: ConnectionsApi,
    clock: Clock,
    report: Report,
}

impl<World> Function<World> {
    /// A function with a world of its own.
    pub fn new(config: &Config, world: impl FnOnce(&Config) -> Configured<World>) -> Configured<Self> {
        Ok(Self {
            world: world(config)?,
            limit: FrameLimit::new(config)?,
            api: ConnectionsApi::new(config)?,
            clock: config.clock.clone(),
            report: config.report.clone(),
        })
    }

    /// One event through a route.
    ///
    /// A handshake is answered with a status, a message always with 200 and an envelope, which API
    /// Gateway hands to the client as it is.
    pub async fn respond<'a, Route, Answer>(
        &'a self,
        request: lambda_http::Request,
        route: Route,
    ) -> Response<Body>
    where
        Route: Fn(&'a World, Event) -> Answer,
        Answer: Future<Output = Result<Reply>>,
    {
        let started = self.clock.now();
        let request_id = request_id(&request);
        let event = match parse(&request) {
            Ok(event) => event,
            Err(refused) => return self.refuse(&request, &request_id, refused),
        };
        let (key, caller) = (event.route.clone(), event.caller.clone());
        let (user, connection) = (&caller.user, caller.connection_id.as_str());
        let envelope = event.request.envelope.clone();
        let is_handshake = matches!(key.as_str(), "$connect" | "$disconnect");
        let signature = if is_handshake { Ok(()) } else { caller.check(started) };

        let (outcome, metrics) = MetricCounts::of(async {
            // Boxed, because it is large, and handed on several times.
            let work = || one_frame(Box::pin(route(&self.world, event)));
            match signature {
                // The end of a connection is no choice of its user's, and has to be noted.
                Ok(()) if key == "$disconnect" => work().await,
                Ok(()) => self.limit.limit(user, connection, work()).await,
                Err(refused) => Err(refused),
            }
        })
        .await;
        (self.report)(&InvocationRecord {
            route: &key,
            request_id: &request_id,
            user: user.as_str(),
            connection,
            ms: self.clock.now().saturating_sub(started),
            refused: outcome.as_ref().err().map(Refused::from),
            metrics,
        });

        match outcome {
            Err(refused) if is_handshake => status(&refused),
            _ if is_handshake => empty(StatusCode::OK),
            Ok(Reply::Silence) => empty(StatusCode::OK),
            Ok(Reply::Data(data)) => self.reply(&key, connection, envelope.reply(Ok(data))).await,
            Ok(Reply::Last(data)) => self.reply_and_close(connection, envelope.reply(Ok(data))).await,
            Err(refused) if ends_connection(&refused) => {
                self.reply_and_close(connection, envelope.reply(Err(refused))).await
            }
            Err(refused) => self.reply(&key, connection, envelope.reply(Err(refused))).await,
        }
    }

    /// An event without an identity.
    fn refuse(&self, request: &lambda_http::Request, request_id: &str, refused: Error) -> Response<Body> {
        (self.report)(&InvocationRecord {
            route: "unknown",
            request_id,
            user: "",
            connection: "",
            ms: 0,
            refused: Some(Refused::from(&refused)),
            metrics: MetricCounts::default(),
        });
        match request.body() {
            Body::Empty => status(&refused),
            body => text(Request::parse(body).envelope.reply(Err(refused))),
        }
    }

    /// Hands a reply to the client: as the route's response, or through `@connections` where there is
    /// none. A reply that does not get through is still what the function returns.
    async fn reply(&self, route_key: &str, connection_id: &str, reply: String) -> Response<Body> {
        let is_one_way = Action::parse(route_key).is_some_and(Action::is_one_way);
        if is_one_way && self.api.send(connection_id, &reply).await == Delivery::Delivered {
            return empty(StatusCode::OK);
        }
        text(reply)
    }

    /// The reply goes through @connections, because API Gateway sends a route's response only after the
    /// function has ended, too late for a closed connection.
    async fn reply_and_close(&self, connection_id: &str, reply: String) -> Response<Body> {
        match self.api.send(connection_id, &reply).await {
            Delivery::Delivered => {
                self.api.close(connection_id).await;
                empty(StatusCode::OK)
            }
            Delivery::Gone => empty(StatusCode::OK),
            Delivery::Failed => text(reply),
        }
    }
}

/// Reads an event of the WebSocket API. A binary frame is read as text.
fn parse(request: &lambda_http::Request) -> Result<Event> {
    let Some(RequestContext::WebSocket(context)) = request.request_context_ref() else {
        return Err(Error::NoIdentity);
    };
    let connection_id = context.connection_id.clone().ok_or(Error::NoIdentity)?;
    let connected_at = u64::try_from(context.connected_at).unwrap_or_default();
    Ok(Event {
        route: context.route_key.clone().unwrap_or_default(),
        caller: Caller::parse(connection_id, connected_at, &context.authorizer.fields)?,
        request: Request::parse(request.body()),
    })
}

/// What Lambda calls the invocation.
fn request_id(request: &lambda_http::Request) -> String {
    request.lambda_context_ref().map(|lambda| lambda.request_id.clone()).unwrap_or_default()
}

fn ends_connection(refused: &Error) -> bool {
    matches!(refused, Error::UserSig(_) | Error::Replaced | Error::Outdated | Error::Suspended { .. })
}

fn status(refused: &Error) -> Response<Body> {
    empty(match refused {
        Error::NoIdentity => StatusCode::UNAUTHORIZED,
        Error::Throttled | Error::TooManyFrames { .. } | Error::Suspended { .. } => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::FORBIDDEN,
    })
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}

fn text(frame: String) -> Response<Body> {
    Response::new(Body::Text(frame))
}
