use tokio::sync::watch;

/// Waits for a stop. Without a sender the whole twin is gone, which is one as well.
pub(crate) async fn shutdown_requested(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
