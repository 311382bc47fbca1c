//! A statement whose client leaves is cancelled, also while the engine has not yet given a first row.
//!
//! The library has no call that cancels such a statement, and gives it a query id of its own. So each request marks its
//! session with a random number, in a setting that means nothing here, by which `KILL QUERY` finds its statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::Engine;

/// The setting that marks the session of a request. Replicated tables alone read it, and those need Keeper.
pub(crate) const REQUEST: &str = "insert_keeper_fault_injection_seed";

/// The longest wait between two tries to cancel a statement.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// What the request's thread and the network side know of each other.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    inner: Arc<Flags>,
}

#[derive(Default)]
struct Flags {
    ended: AtomicBool,
    left: AtomicBool,
}

impl Progress {
    /// The statement has ended.
    pub(crate) fn end(&self) {
        self.inner.ended.store(true, Ordering::Release);
    }

    /// Whether the client has left.
    pub(crate) fn has_left(&self) -> bool {
        self.inner.left.load(Ordering::Acquire)
    }
}

/// Lives as long as the client waits for the answer or reads it; its end cancels a statement that still runs.
pub(crate) struct Watch {
    pub(crate) engine: Engine,
    /// The mark of the request.
    pub(crate) request: u64,
    pub(crate) progress: Progress,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let flags = Arc::clone(&self.progress.inner);
        flags.left.store(true, Ordering::Release);
        if flags.ended.load(Ordering::Acquire) {
            return;
        }
        let (engine, request) = (self.engine.clone(), self.request);
        let Ok(runtime) = Handle::try_current() else { return };
        // The statement may be about to start, so that one try is not enough.
        runtime.spawn(async move {
            let mut wait = Duration::from_millis(20);
            while !flags.ended.load(Ordering::Acquire) {
                let engine = engine.clone();
                if tokio::task::spawn_blocking(move || engine.cancel(request)).await.is_err() {
                    return;
                }
                tokio::time::sleep(wait).await;
                wait = MAX_WAIT.min(wait * 2);
            }
        });
    }
}
