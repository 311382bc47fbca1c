//! How a request's blocking thread waits for the network: until it is woken up, or the engine is interrupted.

use tokio::runtime::Handle;
use tokio::sync::watch;

/// Waits on behalf of a blocking thread.
#[derive(Clone)]
pub(crate) struct Waiter {
    runtime: Handle,
    interrupted: watch::Receiver<bool>,
}

impl Waiter {
    pub(crate) fn new(runtime: Handle, interrupted: watch::Receiver<bool>) -> Self {
        Self { runtime, interrupted }
    }

    /// The future's output; `None` when the engine is interrupted first. Blocks, so it may not be called on a thread of
    /// the runtime.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut interrupted = self.interrupted.clone();
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                output = future => Some(output),
                _ = interrupted.wait_for(|interrupted| *interrupted) => None,
            }
        })
    }
}
