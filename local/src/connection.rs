//! One connection's life, and the registry of all that live.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use hongyan_shared::gateway::{IDLE_S, LIFETIME_S, MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, watch},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as SocketError, Message,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{clock::Clock, event::ConnectionContext, shutdown::shutdown_requested};

const IDLE: Duration = Duration::from_secs(IDLE_S);
const LIFETIME: Duration = Duration::from_secs(LIFETIME_S);

/// How long a client may take to make room for a frame.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long a client may take to hear that it is over.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What is read at once. It is there as long as the connection, and most connections are silent.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// What may wait for a client to read it: a message, and the answers to its pings.
const WRITE_BUFFER_BYTES: usize = 2 * MAX_PAYLOAD_BYTES;

/// What is to happen on a connection.
pub(crate) enum Command {
    Send(String),
    Close,
}

/// A connection as others see it.
pub(crate) struct Connection {
    pub context: ConnectionContext,
    pub last_active: AtomicU64,
    commands: mpsc::UnboundedSender<Command>,
}

impl Connection {
    pub fn new(context: ConnectionContext, now_ms: u64) -> (Arc<Self>, mpsc::UnboundedReceiver<Command>) {
        let (commands, inbox) = mpsc::unbounded_channel();
        (Arc::new(Self { context, last_active: AtomicU64::new(now_ms), commands }), inbox)
    }

    /// Says whether the connection is still there to take the command.
    pub fn send(&self, command: Command) -> bool {
        self.commands.send(command).is_ok()
    }
}

/// All connections that are open at this moment.
#[derive(Default)]
pub(crate) struct ConnectionRegistry(Mutex<HashMap<String, Arc<Connection>>>);

impl ConnectionRegistry {
    pub fn get(&self, id: &str) -> Option<Arc<Connection>> {
        self.lock().get(id).cloned()
    }

    pub fn add(&self, connection: &Arc<Connection>) {
        self.lock().insert(connection.context.connection_id.clone(), Arc::clone(connection));
    }

    pub fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    // A panic while it was held leaves a map that is still a map.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a connection was closed, in the words of `$disconnect`.
pub(crate) struct CloseReason {
    pub code: u16,
    pub reason: String,
}

impl CloseReason {
    fn new(code: u16, reason: &str) -> Self {
        Self { code, reason: reason.to_owned() }
    }

    /// The client is gone without a word.
    pub fn lost() -> Self {
        Self::new(1006, "")
    }
}

/// A frame from the client.
pub(crate) enum Frame {
    Text(String),
    Binary(Vec<u8>),
}

/// Wraps an upgraded stream.
pub(crate) async fn accept<S>(upgraded: S) -> WebSocketStream<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .max_frame_size(Some(MAX_FRAME_BYTES))
        .max_message_size(Some(MAX_PAYLOAD_BYTES))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES);
    WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await
}

/// Runs the connection to its end. Each frame is handed to `receive` at once; those of one
/// connection overtake one another, as they do in Lambda.
pub(crate) async fn run<S>(
    mut socket: WebSocketStream<S>,
    connection: Arc<Connection>,
    mut inbox: mpsc::UnboundedReceiver<Command>,
    clock: &Clock,
    mut stopped: watch::Receiver<bool>,
    receive: impl Fn(Frame),
) -> CloseReason
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let end_of_life = connection.context.connected_at.saturating_add(millis(LIFETIME));
    loop {
        let idle = connection.last_active.load(Ordering::Relaxed).saturating_add(millis(IDLE));
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    connection.last_active.store(clock.now(), Ordering::Relaxed);
                    receive(Frame::Text(text.to_string()));
                }
                Some(Ok(Message::Binary(bytes))) => {
                    connection.last_active.store(clock.now(), Ordering::Relaxed);
                    receive(Frame::Binary(bytes.to_vec()));
                }
                Some(Ok(Message::Close(frame))) => {
                    // The answer is waiting to be written.
                    finish(&mut socket, None).await;
                    return frame.map_or_else(
                        || CloseReason::new(1005, "Client-side close frame status not set"),
                        |frame| CloseReason::new(frame.code.into(), &frame.reason),
                    );
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return match fault(&error) {
                    Some((code, reason)) => close(socket, code, reason).await,
                    None => CloseReason::lost(),
                },
                None => return CloseReason::lost(),
            },
            command = inbox.recv() => match command {
                Some(Command::Send(text)) => {
                    connection.last_active.store(clock.now(), Ordering::Relaxed);
                    // A client that does not read must not keep its connection from ending.
                    match tokio::time::timeout(TIMEOUT, socket.send(Message::text(text))).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) | Err(_) => return CloseReason::lost(),
                    }
                }
                Some(Command::Close) | None => {
                    return close(socket, CloseCode::Normal, "Connection Closed Normally").await;
                }
            },
            () = clock.wait_until(idle.min(end_of_life)) => {
                // A frame may have come in while the clock was being looked at.
                let idle = connection.last_active.load(Ordering::Relaxed).saturating_add(millis(IDLE));
                if clock.now() >= idle.min(end_of_life) {
                    return close(socket, CloseCode::Away, "Going away").await;
                }
            },
            () = shutdown_requested(&mut stopped) => return close(socket, CloseCode::Away, "Going away").await,
        }
    }
}

/// How a client is told what it did wrong. Nobody is there to be told when the stream itself has ended.
fn fault(error: &SocketError) -> Option<(CloseCode, &'static str)> {
    match error {
        SocketError::Capacity(_) => Some((CloseCode::Size, "Message too big")),
        SocketError::Utf8(_) => Some((CloseCode::Invalid, "Invalid frame payload data")),
        SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        SocketError::Protocol(_) => Some((CloseCode::Protocol, "Protocol error")),
        _ => None,
    }
}

async fn close<S>(mut socket: WebSocketStream<S>, code: CloseCode, reason: &'static str) -> CloseReason
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    finish(&mut socket, Some(CloseFrame { code, reason: reason.into() })).await;
    CloseReason::new(code.into(), reason)
}

/// Sends the close frame, and that nothing follows, so that the client closes at once. Then reads what is still on
/// its way: a stream that is dropped with unread bytes is reset, and the client would never see the close
/// frame. A client that does not close, or does not even read, is left behind.
async fn finish<S>(socket: &mut WebSocketStream<S>, frame: Option<CloseFrame>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let closing = async {
        let sent = match frame {
            Some(_) => socket.close(frame).await,
            None => socket.flush().await,
        };
        if sent.is_ok() && socket.get_mut().shutdown().await.is_ok() {
            let mut rest = [0; 4096];
            while matches!(socket.get_mut().read(&mut rest).await, Ok(read) if read > 0) {}
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use serde_json::Value;
    use tokio::io::DuplexStream;

    use super::*;

    /// What the network holds in either direction.
    const PIPE_BYTES: usize = 1024;

    struct Peer {
        stream: DuplexStream,
        connection: Arc<Connection>,
        closed: tokio::task::JoinHandle<CloseReason>,
        _stop: watch::Sender<bool>,
    }

    /// A connection whose other end is in the hands of the test. Time passes when everybody waits.
    fn connect() -> Peer {
        let context = ConnectionContext {
            connection_id: "1=".to_owned(),
            connected_at: 0,
            stage: String::new(),
            domain: String::new(),
            source_ip: String::new(),
            user_agent: String::new(),
            authorizer: Value::Null,
        };
        let (stream, theirs) = tokio::io::duplex(PIPE_BYTES);
        let (connection, inbox) = Connection::new(context, 0);
        let (stop, stopped) = watch::channel(false);
        let closed = tokio::spawn({
            let connection = Arc::clone(&connection);
            async move { run(accept(theirs).await, connection, inbox, &Clock::manual(0), stopped, |_| {}).await }
        });
        Peer { stream, connection, closed, _stop: stop }
    }

    /// A short frame as clients send it: with a mask, which changes nothing here.
    fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
        let length = 0x80 | u8::try_from(payload.len()).unwrap();
        [&[head, length, 0, 0, 0, 0], payload].concat()
    }

    fn ping() -> Vec<u8> {
        frame(0x89, &[b'x'; 125])
    }

    fn close() -> Vec<u8> {
        frame(0x88, b"")
    }

    /// The code of a close frame without a mask that ends these bytes, as short ones are encoded.
    fn close_code(bytes: &[u8]) -> Option<u16> {
        let start = bytes.iter().position(|byte| *byte == 0x88)?;
        Some(u16::from_be_bytes([*bytes.get(start + 2)?, *bytes.get(start + 3)?]))
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_behind_pings_that_nobody_reads_the_answers_of_ends_the_connection() {
        let mut peer = connect();
        for _ in 0..100 {
            peer.stream.write_all(&ping()).await.unwrap();
        }
        peer.stream.write_all(&close()).await.unwrap();
        let closed = tokio::time::timeout(Duration::from_secs(60), peer.closed).await;
        assert_eq!(closed.expect("an end").unwrap().code, 1005);
    }

    #[tokio::test(start_paused = true)]
    async fn the_answers_to_pings_that_nobody_reads_do_not_pile_up() {
        let mut peer = connect();
        for _ in 0..10_000 {
            peer.stream.write_all(&ping()).await.unwrap();
        }
        peer.stream.write_all(&close()).await.unwrap();
        let mut answers = Vec::new();
        peer.stream.read_to_end(&mut answers).await.unwrap();
        assert!(answers.len() < 2 * WRITE_BUFFER_BYTES, "{} bytes", answers.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_by_the_server_takes_no_time_when_the_client_answers_it() {
        let mut peer = connect();
        let started = tokio::time::Instant::now();
        peer.connection.send(Command::Close);
        let mut received = [0; 128];
        let read = peer.stream.read(&mut received).await.unwrap();
        assert_eq!(close_code(&received[..read]), Some(1000));
        // As a client does: it answers, and waits until the server ends the stream.
        peer.stream.write_all(&close()).await.unwrap();
        assert_eq!(peer.stream.read(&mut received).await.unwrap(), 0);
        drop(peer.stream);
        assert_eq!(peer.closed.await.unwrap().code, 1000);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_breaks_the_protocol_is_told_how() {
        let two_beginnings = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
        let too_large = [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0].to_vec();
        for (what, said, code) in [
            ("a text that is none", frame(0x81, &[0xC3, 0x28]), 1007),
            ("a reason that is no text", frame(0x88, &[3, 232, 0xFF]), 1007),
            ("a close with half a code", frame(0x88, &[3]), 1002),
            ("a reserved bit", frame(0xC1, b"x"), 1002),
            ("an unknown kind", frame(0x83, b"x"), 1002),
            ("a continuation of nothing", frame(0x80, b"x"), 1002),
            ("a ping in parts", frame(0x09, b"x"), 1002),
            ("a second beginning", two_beginnings, 1002),
            ("a frame without a mask", vec![0x81, 1, b'x'], 1002),
            ("a frame that is too large", too_large, 1009),
        ] {
            let mut peer = connect();
            peer.stream.write_all(&said).await.unwrap();
            let mut received = [0; 128];
            let read = peer.stream.read(&mut received).await.unwrap();
            assert_eq!(close_code(&received[..read]), Some(code), "{what}");
            drop(peer.stream);
            assert_eq!(peer.closed.await.unwrap().code, code, "{what}");
        }
    }
}
