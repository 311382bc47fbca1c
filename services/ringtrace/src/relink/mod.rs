//! Linking calls again: which, asking the owners of their slots, and what would come of it.
//!
//! Nothing is written here: a request goes to the slot of its calls through `ringtrace.internal`, and the slot's owner folds
//! them from the history, judges them, and writes their rows with its next flush.

mod compare;
mod follow;
mod preview;
mod requests;
mod select;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::ensure;
use ringtrace_kit::clickhouse;
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::kafka::{check_topics, partition_of};
use ringtrace_linker::{MOST_CALLS, Request, Requested};
use ringtrace_model::{CallKey, Uuid};

use follow::Follower;
pub use preview::Preview;
use requests::Requests;
use select::Pages;
pub use select::Selection;

/// How often progress is said.
const PROGRESS: Duration = Duration::from_secs(2);

/// How much is asked of the linkers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls of each slot that are asked for at once.
    pub calls_at_once: usize,
    /// How long to wait for linkers that do not go on, in milliseconds.
    pub wait_ms: u64,
}

/// Asks for all calls of a selection, some at a time, and waits until the rows of each are acknowledged. Gives their number.
///
/// # Errors
/// Kafka or ClickHouse does not answer, no linker serves the requests, or a stop was asked for. What was sent is served all
/// the same.
pub async fn relink(
    config: &Config,
    selection: &Selection,
    rules: u64,
    limits: Limits,
    drain: &Drain,
) -> anyhow::Result<u64> {
    let slots = check_topics(&config.kafka)?;
    let client = clickhouse::client(&config.clickhouse);
    let requests = Requests::new(&config.kafka)?;
    let follower = Follower { client: &client, requests: &requests, rules, limits, drain };
    // Whoever judges by older rules stops at these, so that nothing is judged by them once the calls are chosen.
    let barrier = (0..slots).map(|slot| (slot, Request { rules, calls: Vec::new() }));
    follower.ask(barrier).await?;
    let mut progress = Progress::of(selection.count(&client).await?);
    let mut pages = Pages::of(&client, selection, limits.calls_at_once * slots.unsigned_abs() as usize);
    while let Some(calls) = pages.next().await? {
        let asked = calls.len() as u64;
        follower.ask(in_requests(calls, slots, rules)).await?;
        progress.add(asked)?;
    }
    progress.end()?;
    ensure!(
        check_topics(&config.kafka)? == slots,
        "the number of partitions has changed meanwhile: once the linkers have noticed it, run it again"
    );
    Ok(progress.done)
}

/// The slot of a call.
fn slot_of(call_uuid: Uuid, slots: i32) -> i32 {
    partition_of(call_uuid.hyphenated().to_string().as_bytes(), slots)
}

fn in_requests(calls: Vec<CallKey>, slots: i32, rules: u64) -> Vec<(i32, Request)> {
    let mut by_slot = BTreeMap::<i32, Vec<Requested>>::new();
    for CallKey { tenant_id, call_uuid } in calls {
        let call = Requested { tenant_id: tenant_id.into(), call_uuid };
        by_slot.entry(slot_of(call_uuid, slots)).or_default().push(call);
    }
    let of_slot = |(slot, calls): (i32, Vec<Requested>)| {
        let requests = calls.chunks(MOST_CALLS).map(move |calls| (slot, Request { rules, calls: calls.to_vec() }));
        requests.collect::<Vec<_>>()
    };
    by_slot.into_iter().flat_map(of_slot).collect()
}

/// Says how far it is, on standard error.
struct Progress {
    done: u64,
    about: u64,
    said: Instant,
}

impl Progress {
    fn of(about: u64) -> Self {
        Progress { done: 0, about, said: Instant::now() }
    }

    fn add(&mut self, calls: u64) -> std::io::Result<()> {
        self.done += calls;
        if self.said.elapsed() < PROGRESS {
            return Ok(());
        }
        self.said = Instant::now();
        let mut out = std::io::stderr();
        let (begin, end) = if out.is_terminal() { ("\r", "") } else { ("", "\n") };
        write!(out, "{begin}linked again: {} of about {} calls{end}", self.done, self.about.max(self.done))?;
        out.flush()
    }

    fn end(&self) -> std::io::Result<()> {
        if std::io::stderr().is_terminal() { writeln!(std::io::stderr()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_asked_for_at_their_slots_and_not_too_many_at_once() {
        let key = |number: u32| CallKey { tenant_id: "t".into(), call_uuid: Uuid::from_u128(number.into()) };
        let requests = in_requests((0..5_000).map(key).collect(), 2, 7);
        assert_eq!(requests.iter().map(|(_, request)| request.calls.len()).sum::<usize>(), 5_000);
        for (slot, request) in &requests {
            assert!((1..=MOST_CALLS).contains(&request.calls.len()) && request.rules == 7);
            assert!(request.calls.iter().all(|call| slot_of(call.call_uuid, 2) == *slot));
        }
    }
}
