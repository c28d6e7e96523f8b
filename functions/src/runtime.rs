//! From Lambda's invocation to a route and back.

use std::future::Future;

use hongyan_shared::{Error, Result, protocol::to_raw};
use lambda_http::{Body, Response, http::StatusCode, service_fn};
use serde_json::value::RawValue;
use tracing::error;

use crate::{
    app::{App, Misconfigured},
    authorizer::Authorizer,
    event::{Event, request_id},
    push::Delivery,
    routes::is_one_way,
    store::allowance::one_frame,
    telemetry::{self, Line, Tally},
};

/// What a route answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// The data of the reply.
    Data(Box<RawValue>),
    /// The data of a reply behind which the connection ends.
    Last(Box<RawValue>),
    /// Nothing: the caller did not ask for an answer, and a frame costs money. On a route that is not
    /// one-way, API Gateway would make an empty frame of it.
    Silence,
}

impl Reply {
    /// Replies with a type of the protocol.
    pub fn data<T: serde::Serialize>(data: &T) -> Self {
        Self::Data(to_raw(data))
    }

    /// As [`Reply::data`], and ends the connection.
    pub fn last<T: serde::Serialize>(data: &T) -> Self {
        Self::Last(to_raw(data))
    }
}

/// Serves one route until the sandbox ends: the whole of a `main`.
///
/// # Errors
/// When the environment is incomplete or Lambda's runtime API fails.
pub async fn serve<Route, Answer>(route: Route) -> std::result::Result<(), lambda_http::Error>
where
    Route: Fn(&'static App, Event) -> Answer + Copy + Send + Sync + 'static,
    Answer: Future<Output = Result<Reply>> + Send + 'static,
{
    telemetry::init_log();
    // It lives as long as the sandbox.
    let app: &'static App = Box::leak(Box::new(App::from_env().inspect_err(cannot_start)?));
    lambda_http::run(service_fn(move |request| async move {
        Ok::<_, std::convert::Infallible>(respond(app, request, route).await)
    }))
    .await
}

/// Serves the authorizer.
///
/// # Errors
/// As [`serve`].
pub async fn serve_authorizer() -> std::result::Result<(), lambda_http::Error> {
    use lambda_http::lambda_runtime::{Diagnostic, LambdaEvent, run};

    telemetry::init_log();
    let authorizer: &'static Authorizer =
        Box::leak(Box::new(Authorizer::from_env().inspect_err(cannot_start)?));
    run(service_fn(move |event: LambdaEvent<_>| async move {
        authorizer
            .handle(event.payload, &event.context.request_id)
            .await
            .map_err(|error| Diagnostic { error_type: "NoKeys".to_owned(), error_message: error.to_string() })
    }))
    .await
}

/// Lambda says that a function has ended, and not why.
fn cannot_start(why: &Misconfigured) {
    error!(%why, "the function cannot start");
}

/// One event through one route. The laptop twin calls this as well.
///
/// A handshake is answered with a status, a message always with 200 and an envelope, which API
/// Gateway hands to the client as it is.
pub async fn respond<'a, Route, Answer>(
    app: &'a App,
    request: lambda_http::Request,
    route: Route,
) -> Response<Body>
where
    Route: Fn(&'a App, Event) -> Answer,
    Answer: Future<Output = Result<Reply>>,
{
    let started = app.now();
    let request_id = request_id(&request);
    let event = match Event::parse(&request) {
        Ok(event) => event,
        Err(refused) => {
            (app.report)(&Line {
                route: "unknown",
                request_id: &request_id,
                user: "",
                connection: "",
                ms: 0,
                refused: Some(&refused),
                tally: Tally::default(),
            });
            return match request.body() {
                Body::Empty => status(&refused),
                body => text(Event::frame(body).envelope.reply(Err(refused))),
            };
        }
    };
    let (key, user, connection) =
        (event.route.clone(), event.caller.user.clone(), event.connection_id.clone());
    let envelope = event.request.envelope.clone();
    let is_handshake = matches!(key.as_str(), "$connect" | "$disconnect");
    let standing = if is_handshake { Ok(()) } else { event.caller.check(started) };

    let (outcome, tally) = Tally::of(async {
        match standing {
            // The end of a connection is no choice of its user's, and has to be noted.
            Ok(()) if key == "$disconnect" => one_frame(route(app, event)).await,
            Ok(()) => app.limit(&user, &connection, one_frame(route(app, event))).await,
            Err(refused) => Err(refused),
        }
    })
    .await;
    (app.report)(&Line {
        route: &key,
        request_id: &request_id,
        user: user.as_str(),
        connection: &connection,
        ms: app.now().saturating_sub(started),
        refused: outcome.as_ref().err(),
        tally,
    });

    match outcome {
        Err(refused) if is_handshake => status(&refused),
        _ if is_handshake => empty(StatusCode::OK),
        Ok(Reply::Silence) => empty(StatusCode::OK),
        Ok(Reply::Data(data)) => answer(app, &key, &connection, envelope.reply(Ok(data))).await,
        Ok(Reply::Last(data)) => say_goodbye(app, &connection, envelope.reply(Ok(data))).await,
        Err(refused) if ends_connection(&refused) => {
            say_goodbye(app, &connection, envelope.reply(Err(refused))).await
        }
        Err(refused) => answer(app, &key, &connection, envelope.reply(Err(refused))).await,
    }
}

/// Hands a reply to the client: as the route's response, or through `@connections` where there is
/// none. A reply that does not get through is still what the function returns.
async fn answer(app: &App, route_key: &str, connection_id: &str, reply: String) -> Response<Body> {
    if is_one_way(route_key) && app.push.send(connection_id, &reply).await == Delivery::Delivered {
        return empty(StatusCode::OK);
    }
    text(reply)
}

fn ends_connection(refused: &Error) -> bool {
    matches!(refused, Error::UserSig(_) | Error::Replaced | Error::PutOut { .. })
}

/// Answers, then closes. The reply goes through @connections, because API Gateway
/// sends a route's response only after the function has ended, too late for a closed connection.
async fn say_goodbye(app: &App, connection_id: &str, reply: String) -> Response<Body> {
    match app.push.send(connection_id, &reply).await {
        Delivery::Delivered => {
            app.push.close(connection_id).await;
            empty(StatusCode::OK)
        }
        Delivery::Gone => empty(StatusCode::OK),
        Delivery::Failed => text(reply),
    }
}

fn status(refused: &Error) -> Response<Body> {
    empty(match refused {
        Error::NoIdentity => StatusCode::UNAUTHORIZED,
        Error::Throttled | Error::TooManyFrames { .. } | Error::PutOut { .. } => {
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
