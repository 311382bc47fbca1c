//! `check(input, expect)` for the tables of the contract: events in, some columns out.

use ringtrace_model::{Call, CallKey, Evaluation, Event, Rules};
use serde_json::Value;

use crate::events::{Calls, T0};

/// No log time is later: nothing is pending or in progress.
pub const EVER: i64 = i64::MAX - T0;

/// Checks columns of one leg, `d1` unless `expect` says otherwise, at log time `now` milliseconds after [`T0`].
#[track_caller]
pub fn check_leg(case: &str, events: &[Value], now: i64, expect: &Value) {
    let now = T0.saturating_add(now);
    check_laws(case, events, now);
    let device = expect.get("device_id").and_then(Value::as_str).unwrap_or("d1");
    let legs = Calls::of(events).legs(now);
    let leg = legs.iter().find(|leg| leg["device_id"] == device);
    check_columns(case, leg.unwrap_or_else(|| panic!("{case}: no leg of {device}")), expect);
}

/// Checks columns of the only call, at log time `now` milliseconds after [`T0`].
#[track_caller]
pub fn check_call(case: &str, events: &[Value], now: i64, expect: &Value) {
    let now = T0.saturating_add(now);
    check_laws(case, events, now);
    let calls = Calls::of(events).calls(now);
    assert_eq!(calls.len(), 1, "{case}: calls");
    check_columns(case, &calls[0], expect);
}

#[track_caller]
fn check_columns(case: &str, row: &Value, expect: &Value) {
    for (column, value) in expect.as_object().unwrap() {
        assert_eq!(row.get(column), Some(value), "{case}: {column} of {row:#}");
    }
}

/// What holds of every set of events: neither order nor duplicates matter, a state survives its encoding, and
/// `next_change_at` is exact.
#[track_caller]
fn check_laws(case: &str, events: &[Value], now: i64) {
    let calls = Calls::of(events);
    let twice_reversed: Vec<Value> = events.iter().chain(events).rev().cloned().collect();
    assert_eq!(Calls::of(&twice_reversed).0, calls.0, "{case}: order or duplicates matter");
    for (key, call) in &calls.0 {
        assert_eq!(Call::decode(&call.encode(Vec::new())).unwrap(), *call, "{case}: encoding");
        check_next_change(case, key, call, now);
    }
}

/// Until `next_change_at` nothing differs, and there something does.
#[track_caller]
pub fn check_next_change(case: &str, key: &CallKey, call: &Call, now: i64) {
    let rules = Rules::default();
    let at = |now| call.evaluate(key, &rules, now);
    let Some(evaluation) = at(now) else { return };
    let rows = |e: Evaluation<'_>| serde_json::to_value((e.call, e.legs)).unwrap();
    let (next, before) = (evaluation.next_change_at, rows(evaluation));
    let last = next.map_or(i64::MAX, |next| next - 1);
    assert!(last >= now, "{case}: next change is past");
    let half = now + (last - now) / 2;
    for same in [now.saturating_add(1).min(last), half, last] {
        let then = at(same).unwrap();
        assert_eq!(then.next_change_at, next, "{case}: next change forgotten");
        assert_eq!(rows(then), before, "{case}: changed before {next:?}");
    }
    if let Some(next) = next {
        assert_ne!(rows(at(next).unwrap()), before, "{case}: nothing changed at {next}");
    }
}

/// Reads an event as [`Event::parse`] does a record's value; the reason and detail of its dead letter, or nothing.
pub fn refusal(value: &[u8], log_at: i64) -> Option<(String, String)> {
    Event::parse(value, log_at).err().map(|reject| (reject.reason.to_string(), reject.detail.into_owned()))
}
