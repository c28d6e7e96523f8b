//! An HTTP server that a silent client neither keeps from ending nor fills.
//!
//! A request reaches the router when all of it is there. What has not got so far is nobody's loss: it may
//! take half a minute, and is dropped when the twin stops. A form with a file is handed on as it comes, because it may be
//! large: each part of it may take as long, and it breaks off when the twin stops.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::TaskTracker;
use tower_service::Service;
use tracing::{debug, info, warn};

use crate::{error::StartError, shutdown::shutdown_requested};

/// How long a client may take for a head, and again for a body.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest request of DynamoDB.
pub(crate) const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The largest form: a file of 100 MB and its fields. What the file may have is said by its policy.
const MAX_FORM_BYTES: usize = 101 * 1024 * 1024;

/// Listens on an address of this machine, and says which it is: port 0 takes any free one.
pub(crate) async fn listen(ip: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let address = SocketAddr::new(ip, port);
    let taken = |source| StartError::PortTaken { address, source };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    Ok((listener, address))
}

/// Serves until it is told to stop, then until every request that has arrived is answered.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown_requested(&mut stopped) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(converse(stream, peer, router.clone(), stopped.clone()));
            }
            Err(error) => {
                warn!(%error, "a connection was not accepted");
                // Without a file descriptor to spare, the next attempt fails as well.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// All requests of one connection.
async fn converse(stream: TcpStream, peer: SocketAddr, router: Router, mut stopped: watch::Receiver<bool>) {
    let (under_way, stopping) = (TaskTracker::new(), stopped.clone());
    let service = service_fn(|request: Request<Incoming>| {
        let (under_way, mut router, stopped) = (under_way.clone(), router.clone(), stopping.clone());
        async move {
            let mut request = match receive(request, stopped).await {
                Ok(request) => request,
                Err(status) => return Ok(status.into_response()),
            };
            request.extensions_mut().insert(ConnectInfo(peer));
            let _token = under_way.token();
            router.call(request).await
        }
    });
    // A client that waits for the acknowledgement of one segment before it reads the next is not slowed down.
    let _ = stream.set_nodelay(true);
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut conversation = std::pin::pin!(conversation);
    tokio::select! {
        ended = conversation.as_mut() => {
            if let Err(error) = ended {
                debug!(%error, "a connection has ended early");
            }
            return;
        }
        () = shutdown_requested(&mut stopped) => {}
    }
    conversation.as_mut().graceful_shutdown();
    under_way.close();
    tokio::select! {
        biased;
        _ = conversation => {}
        () = under_way.wait() => {}
    }
}

/// Says what was asked, without the query, which may hold a signature.
pub(crate) async fn log(request: Request<Body>, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    let (status, ms) = (response.status().as_u16(), started.elapsed().as_millis());
    info!(%method, path, status, ms);
    response
}

/// Waits for the whole of a request, unless it is a form.
async fn receive(
    request: Request<Incoming>,
    stopped: watch::Receiver<bool>,
) -> Result<Request<Body>, StatusCode> {
    let (head, body) = request.into_parts();
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        return Ok(Request::from_parts(head, in_parts(body, stopped)));
    }
    let body = axum::body::to_bytes(Body::new(body), MAX_BODY_BYTES);
    match tokio::time::timeout(TIMEOUT, body).await {
        Ok(Ok(body)) => Ok(Request::from_parts(head, Body::from(body))),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// A body of which nobody waits for a part for too long, nor when the twin stops.
fn in_parts(body: Incoming, stopped: watch::Receiver<bool>) -> Body {
    let parts = Body::new(body).into_data_stream();
    Body::from_stream(stream::try_unfold((parts, stopped, MAX_FORM_BYTES), |state| async move {
        let (mut parts, mut stopped, room) = state;
        let part = tokio::select! {
            part = tokio::time::timeout(TIMEOUT, parts.next()) => part.map_err(std::io::Error::from)?,
            () = shutdown_requested(&mut stopped) => return Err(std::io::Error::other("the twin stops")),
        };
        let Some(part) = part.transpose().map_err(std::io::Error::other)? else { return Ok(None) };
        let room = room.checked_sub(part.len()).ok_or_else(|| std::io::Error::other("it is too large"))?;
        Ok(Some((part, (parts, stopped, room))))
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::routing::post;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::{Duration, Router, SocketAddr, TIMEOUT, TcpListener, TcpStream, serve, watch};

    const HALVES: [&str; 4] = [
        "",
        "POST / HTTP/1.1\r\nHost: local",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9\r\n\r\n--x",
    ];

    async fn server() -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = Router::new().route("/", post(|body: String| async { body }));
        (address, stop, tokio::spawn(serve(listener, router, stopped)))
    }

    async fn say(address: SocketAddr, half: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        stream
    }

    /// Time passes when everybody waits.
    #[tokio::test(start_paused = true)]
    async fn nothing_or_half_a_request_is_waited_for_half_a_minute() {
        let (address, _stop, _server) = server().await;
        for half in HALVES {
            let (mut stream, started) = (say(address, half).await, Instant::now());
            stream.read_to_end(&mut Vec::new()).await.unwrap();
            assert_eq!(started.elapsed().as_secs(), TIMEOUT.as_secs(), "{half}");
        }
    }

    #[tokio::test]
    async fn nothing_or_half_a_request_does_not_keep_a_server_from_ending() {
        let (address, stop, server) = server().await;
        let mut silent = Vec::new();
        for half in HALVES {
            silent.push(say(address, half).await);
        }
        // They are all accepted when a later one is answered.
        let whole =
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd";
        let mut answer = String::new();
        say(address, whole).await.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("abcd"), "{answer}");
        stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(10), server).await.unwrap().unwrap();
    }
}
