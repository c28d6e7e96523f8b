//! The network between devices and server: it cuts connections, and it lets them hang.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// How it is with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    /// What the device says does not arrive.
    Deaf,
    /// What the server says does not arrive.
    Mute,
    /// Nothing arrives, and nobody learns of it.
    Hangs,
    Cut,
}

#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    connections: Arc<Mutex<BTreeMap<u64, watch::Sender<State>>>>,
}

impl Proxy {
    /// In front of a port of this machine.
    pub async fn before(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, connections: Arc::default() };
        let connections = proxy.clone();
        tokio::spawn(async move {
            let next = AtomicU64::new(0);
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, id) = (connections.clone(), next.fetch_add(1, Ordering::Relaxed));
                tokio::spawn(async move {
                    // Nobody listens while the server is dead.
                    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
                    let (state, seen) = watch::channel(State::Open);
                    proxy.lock().insert(id, state);
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    let to_server = pump(from_client, to_server, seen.clone(), State::Deaf);
                    let to_client = pump(from_server, to_client, seen.clone(), State::Mute);
                    tokio::select! {
                        _ = async { tokio::try_join!(to_server, to_client) } => {}
                        () = cut(seen) => {}
                    }
                    proxy.lock().remove(&id);
                });
            }
        });
        proxy
    }

    /// The connections that there are.
    pub fn connections(&self) -> Vec<u64> {
        self.lock().keys().copied().collect()
    }

    pub fn set(&self, id: u64, state: State) {
        if let Some(connection) = self.lock().get(&id) {
            connection.send_replace(state);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, watch::Sender<State>>> {
        self.connections.lock().unwrap()
    }
}

async fn cut(mut state: watch::Receiver<State>) {
    let _ = state.wait_for(|state| *state == State::Cut).await;
}

/// Until the stream ends, in one direction, when it does not stand still.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    still: State,
) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let read = from.read(&mut bytes).await?;
        let flows = state.wait_for(|state| *state != still && *state != State::Hangs).await;
        flows.map_err(io::Error::other)?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&bytes[..read]).await?;
    }
}
