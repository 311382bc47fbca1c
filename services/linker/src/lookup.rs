//! Asking ClickHouse about calls, beside the loop.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use clickhouse::error::Error;
use hashbrown::HashMap;
use ringtrace_kit::backoff::Backoff;
use ringtrace_model::CallKey;
use tokio::runtime::Handle;

use crate::history::{fetch, known_before};
use crate::slot::History;
use crate::writer::Sink;

/// How long one question may take before it is asked again.
const PATIENCE: Duration = Duration::from_secs(120);

/// What ClickHouse knows of the calls that were asked about; those it does not know are left out.
pub(crate) type Histories = HashMap<CallKey, History>;

/// An answer on its way. Dropped, it is no longer asked for.
pub(crate) struct Answer<T> {
    receiver: Receiver<T>,
    _wanted: Arc<()>,
}

impl<T> Answer<T> {
    /// Where the answer comes.
    pub(crate) fn receiver(&self) -> &Receiver<T> {
        &self.receiver
    }

    pub(crate) fn try_take(&self) -> Result<T, TryRecvError> {
        self.receiver.try_recv()
    }
}

/// The other end of an [`Answer`].
pub(crate) struct Asked<T> {
    sender: SyncSender<T>,
    wanted: Weak<()>,
}

impl<T> Asked<T> {
    pub(crate) fn new() -> (Self, Answer<T>) {
        let (sender, receiver) = sync_channel(1);
        let wanted = Arc::new(());
        (Asked { sender, wanted: Arc::downgrade(&wanted) }, Answer { receiver, _wanted: wanted })
    }

    pub(crate) fn answer(&self, answer: T) {
        // Nobody may want it any more.
        let _ = self.sender.send(answer);
    }

    /// Asks until there is an answer, or nobody wants it any more.
    async fn ask<U>(&self, question: impl AsyncFn() -> Result<U, Error>) -> Option<U> {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        while self.wanted.strong_count() > 0 {
            match tokio::time::timeout(PATIENCE, question()).await.unwrap_or(Err(Error::TimedOut)) {
                Ok(answer) => return Some(answer),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "look-up of calls will be tried again");
                    tokio::time::sleep(backoff.next_wait()).await;
                }
            }
        }
        None
    }
}

/// Starts to ask for the histories of calls.
pub(crate) fn histories(runtime: &Handle, sink: &Sink, keys: Vec<CallKey>) -> Answer<Histories> {
    let (asked, answer) = Asked::new();
    let Sink::ClickHouse(client) = sink.clone() else {
        asked.answer(Histories::new());
        return answer;
    };
    let handle = runtime.clone();
    runtime.spawn_blocking(move || {
        if let Some(found) = handle.block_on(asked.ask(async || fetch(&client, &keys).await)) {
            asked.answer(found);
        }
    });
    answer
}

/// Starts to check calls that were taken for new: gives all of their keys, and the histories of those that are not.
pub(crate) fn check(runtime: &Handle, sink: &Sink, calls: Vec<(CallKey, i64)>) -> Answer<(Vec<CallKey>, Histories)> {
    let (asked, answer) = Asked::new();
    let keys = |calls: Vec<(CallKey, i64)>| calls.into_iter().map(|(key, _)| key).collect();
    let Sink::ClickHouse(client) = sink.clone() else {
        asked.answer((keys(calls), Histories::new()));
        return answer;
    };
    let handle = runtime.clone();
    runtime.spawn_blocking(move || {
        let known = handle.block_on(asked.ask(async || known_before(&client, &calls).await));
        let Some(known) = known else { return };
        if let Some(found) = handle.block_on(asked.ask(async || fetch(&client, &known).await)) {
            asked.answer((keys(calls), found));
        }
    });
    answer
}
