//! What the parts of an event's way through the linker cost, each by itself: parse, fold, judge, encode the state.

use std::collections::BTreeMap;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use ringtrace_model::{Call, CallKey, Event, Rules, Scope};
use ringtrace_simulator::Plan;
use ringtrace_tests::simulated::records;

fn main() {
    divan::main();
}

/// Values and log times of ten simulated minutes.
fn values() -> Vec<(Vec<u8>, i64)> {
    let plan = Plan { length_ms: Some(10 * 60_000), devices: Some(2_000), ..Plan::default() };
    records("", plan).into_iter().filter_map(|given| Some((given.value?, given.log_at))).collect()
}

fn events(values: &[(Vec<u8>, i64)]) -> Vec<(Event<'_>, i64)> {
    let parsed = values.iter().filter_map(|(value, log_at)| Some((Event::parse(value, *log_at).ok()?, *log_at)));
    parsed.filter(|(event, _)| event.is_call_event() && event.scope() != Scope::History).collect()
}

fn calls(events: &[(Event<'_>, i64)]) -> BTreeMap<CallKey, Call> {
    let mut calls = BTreeMap::<CallKey, Call>::new();
    for (event, log_at) in events {
        let key = CallKey { tenant_id: (&*event.tenant_id).into(), call_uuid: event.call_uuid.unwrap_or_default() };
        calls.entry(key).or_default().apply(event, *log_at);
    }
    calls
}

/// Events from JSON.
#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let values = values();
    bencher.counter(ItemsCount::new(values.len())).bench_local(|| {
        for (value, log_at) in &values {
            let _ = black_box(Event::parse(value, *log_at));
        }
    });
}

/// Events into the states of their calls, the map included.
#[divan::bench]
fn fold(bencher: Bencher<'_, '_>) {
    let values = values();
    let events = events(&values);
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| calls(black_box(&events)));
}

/// Calls to their rows.
#[divan::bench]
fn judge(bencher: Bencher<'_, '_>) {
    let values = values();
    let calls = calls(&events(&values));
    let rules = Rules::default();
    bencher.counter(ItemsCount::new(calls.len())).bench_local(|| {
        for (key, call) in &calls {
            black_box(call.evaluate(key, &rules, i64::MAX));
        }
    });
}

/// Calls to what the changelog holds of them.
#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let values = values();
    let calls = calls(&events(&values));
    bencher.counter(ItemsCount::new(calls.len())).bench_local(|| {
        calls.values().fold(Vec::new(), |mut out: Vec<u8>, call| {
            out.clear();
            call.encode(out)
        })
    });
}
