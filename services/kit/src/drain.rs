//! Stopping in order: one request to stop, seen by threads and by tasks.

use tokio::sync::watch;

/// Asks for a stop, and can be asked whether one was asked for. Clones share the request.
#[derive(Clone, Debug)]
pub struct Drain {
    request: watch::Sender<bool>,
}

impl Default for Drain {
    fn default() -> Self {
        Drain { request: watch::Sender::new(false) }
    }
}

impl Drain {
    /// Asks everything to finish what it has begun, and to stop.
    pub fn start(&self) {
        self.request.send_replace(true);
    }

    /// Whether a stop was asked for.
    pub fn is_started(&self) -> bool {
        *self.request.borrow()
    }

    /// Waits until a stop is asked for.
    pub async fn started(&self) {
        // The sender lives as long as `self`: waiting can't fail.
        let _ = self.request.subscribe().wait_for(|started| *started).await;
    }

    /// Starts to drain at SIGTERM or SIGINT; a second one of either ends the process at once, with status 130.
    ///
    /// # Errors
    /// When the handlers can't be installed.
    pub fn on_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let drain = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if drain.is_started() {
                    std::process::exit(130);
                }
                tracing::info!("signal received, draining");
                drain.start();
            }
        });
        Ok(())
    }
}
