//! Asking ClickHouse about calls, beside the loop.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use hashbrown::HashMap;
use ringtrace_kit::backoff::Backoff;
use ringtrace_model::CallKey;
use tokio::runtime::Handle;

use crate::flusher::Sink;
use crate::history::{fetch, known_before};
use crate::slot::History;

/// What ClickHouse knows of the calls that were asked about; those it does not know are left out.
pub(crate) type Histories = HashMap<CallKey, History>;

/// Starts to ask for the histories of calls; asks again until ClickHouse answers or the receiver is dropped.
pub(crate) fn histories(runtime: &Handle, sink: &Sink, keys: Vec<CallKey>) -> Receiver<Histories> {
    let (answer, receiver) = sync_channel(1);
    let Sink::ClickHouse(client) = sink.clone() else {
        let _ = answer.send(Histories::new());
        return receiver;
    };
    let handle = runtime.clone();
    runtime.spawn_blocking(move || {
        let found = handle.block_on(until_answered(async || fetch(&client, &keys).await));
        // A receiver that is gone no longer wants to know.
        let _ = answer.send(found);
    });
    receiver
}

/// Starts to check calls that were taken for new: gives all of their keys, and the histories of those that are not.
pub(crate) fn check(runtime: &Handle, sink: &Sink, calls: Vec<(CallKey, i64)>) -> Receiver<(Vec<CallKey>, Histories)> {
    let (answer, receiver) = sync_channel(1);
    let keys = |calls: Vec<(CallKey, i64)>| calls.into_iter().map(|(key, _)| key).collect();
    let Sink::ClickHouse(client) = sink.clone() else {
        let _ = answer.send((keys(calls), Histories::new()));
        return receiver;
    };
    let handle = runtime.clone();
    runtime.spawn_blocking(move || {
        let known = handle.block_on(until_answered(async || known_before(&client, &calls).await));
        let found = handle.block_on(until_answered(async || fetch(&client, &known).await));
        let _ = answer.send((keys(calls), found));
    });
    receiver
}

async fn until_answered<T>(ask: impl AsyncFn() -> Result<T, clickhouse::error::Error>) -> T {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "look-up of calls will be tried again");
                tokio::time::sleep(backoff.next_wait()).await;
            }
        }
    }
}
