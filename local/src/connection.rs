//! One connection's life, and the register of all that live.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncReadExt,
    sync::{mpsc, watch},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as SocketError, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{clock::Clock, event::Origin, told_to_stop};

/// API Gateway's limits.
pub(crate) const MAX_FRAME_BYTES: usize = 32 * 1024;
pub(crate) const MAX_MESSAGE_BYTES: usize = 128 * 1024;
const IDLE: Duration = Duration::from_secs(10 * 60);
const LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

/// How long a client may take to make room for a frame.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a client that was told to go may take to close.
const FAREWELL: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What is to happen on a connection.
pub(crate) enum Order {
    Say(String),
    Close,
}

/// A connection as others see it.
pub(crate) struct Connection {
    pub origin: Origin,
    pub last_active: AtomicU64,
    orders: mpsc::UnboundedSender<Order>,
}

impl Connection {
    pub fn new(origin: Origin, now_ms: u64) -> (Arc<Self>, mpsc::UnboundedReceiver<Order>) {
        let (orders, inbox) = mpsc::unbounded_channel();
        (Arc::new(Self { origin, last_active: AtomicU64::new(now_ms), orders }), inbox)
    }

    /// Says whether the connection is still there to take the order.
    pub fn order(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }
}

/// All connections that are open at this moment.
#[derive(Default)]
pub(crate) struct Register(Mutex<HashMap<String, Arc<Connection>>>);

impl Register {
    pub fn get(&self, id: &str) -> Option<Arc<Connection>> {
        self.lock().get(id).cloned()
    }

    pub fn add(&self, connection: &Arc<Connection>) {
        self.lock().insert(connection.origin.connection_id.clone(), Arc::clone(connection));
    }

    pub fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    // A panic while it was held leaves a map that is still a map.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a connection has ended, in the words of `$disconnect`.
pub(crate) struct Ended {
    pub code: u16,
    pub reason: String,
}

impl Ended {
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
pub(crate) async fn accept(upgraded: Upgraded) -> Socket {
    let config = WebSocketConfig::default()
        .max_frame_size(Some(MAX_FRAME_BYTES))
        .max_message_size(Some(MAX_MESSAGE_BYTES));
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await
}

/// Runs the connection to its end. Each frame is handed to `receive` at once; those of one
/// connection overtake one another, as they do in Lambda.
pub(crate) async fn run(
    mut socket: Socket,
    connection: Arc<Connection>,
    mut inbox: mpsc::UnboundedReceiver<Order>,
    clock: &Clock,
    mut stopped: watch::Receiver<bool>,
    receive: impl Fn(Frame),
) -> Ended {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let end_of_life = connection.origin.connected_at.saturating_add(millis(LIFETIME));
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
                    // The answer to a close is sent while the stream is read to its end.
                    while let Some(Ok(_)) = socket.next().await {}
                    return frame.map_or_else(
                        || Ended::new(1005, "Client-side close frame status not set"),
                        |frame| Ended::new(frame.code.into(), &frame.reason),
                    );
                }
                Some(Ok(_)) => {}
                Some(Err(SocketError::Capacity(_))) => return close(socket, CloseCode::Size, "Message too big").await,
                Some(Err(_)) | None => return Ended::lost(),
            },
            order = inbox.recv() => match order {
                Some(Order::Say(text)) => {
                    connection.last_active.store(clock.now(), Ordering::Relaxed);
                    // A client that does not read must not keep its connection from ending.
                    match tokio::time::timeout(PATIENCE, socket.send(Message::text(text))).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) | Err(_) => return Ended::lost(),
                    }
                }
                Some(Order::Close) | None => {
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
            () = told_to_stop(&mut stopped) => return close(socket, CloseCode::Away, "Going away").await,
        }
    }
}

/// Says goodbye, and reads what is still on its way: a stream that is dropped with unread bytes is
/// reset, and the client would never see the close frame.
async fn close(mut socket: Socket, code: CloseCode, reason: &'static str) -> Ended {
    let ended = Ended::new(code.into(), reason);
    let farewell = async {
        if socket.close(Some(CloseFrame { code, reason: reason.into() })).await.is_ok() {
            let mut rest = [0; 4096];
            while matches!(socket.get_mut().read(&mut rest).await, Ok(read) if read > 0) {}
        }
    };
    // A client that does not close is left behind.
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    ended
}
