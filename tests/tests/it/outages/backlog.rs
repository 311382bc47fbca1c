//! A linker that has an hour to catch up accuses nobody, and what comes a day late still counts.

use ringtrace_model::Rules;
use ringtrace_simulator::Plan;
use ringtrace_tests::simulated::{self, EVENTFUL};
use ringtrace_tests::stack::{Case, Given, wait_for};
use serde_json::json;

use super::{SLOTS, end, event, verdicts, wait_for_commits};
use crate::chaos::verdicts as published;
use crate::link::compare::compare;
use crate::link::expect::Expected;

/// When the simulated hour starts.
const START: i64 = Plan::START;

/// An hour of a world, and in one topic much more to read beside it: that topic is read an hour later than the other.
fn lopsided_hour() -> Vec<Given> {
    let plan = Plan { length_ms: Some(3_600_000), calls_per_second: 1.0, devices: Some(3_000), ..Plan::default() };
    let mut records = Vec::new();
    for record in simulated::records(EVENTFUL, plan) {
        let bulk = (record.topic == "call-events").then(|| [1, 2, 3].map(|nth| timeline(&record, nth)));
        records.push(record);
        records.extend(bulk.into_iter().flatten());
    }
    records
}

/// An event that changes no leg, of the same call, as large as a payload may make it.
fn timeline(record: &Given, nth: usize) -> Given {
    let mut event: serde_json::Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
    event["event_id"] = json!(format!("{}-{nth}", event["event_id"].as_str().unwrap()));
    event["kind"] = json!("call.updated");
    event["padding"] = json!("x".repeat(1_000));
    Given { value: Some(event.to_string().into_bytes()), ..record.clone() }
}

#[test]
fn an_hour_of_backlog_accuses_nobody() {
    let mut case = Case::new("backlog", SLOTS);
    case.set("RINGTRACE_LINK_FLUSH_INTERVAL_MS", "50");
    case.set("RINGTRACE_LINK_FLUSH_BYTES", "1048576");
    let records = lopsided_hour();
    let sources = case.write(&records);
    let linker = case.start(&["link"]);
    let some = records.len() as i64 / 5;
    wait_for("a part to be linked", || case.number("SELECT count() FROM events") > some);
    // Stopped in the middle of the hour, and started again.
    linker.signal("TERM");
    assert!(linker.wait().status.success());
    let linker = case.start(&["link"]);
    wait_for_commits(&case, &sources);
    end(&case, linker, &records, &sources);
    let placed: Vec<Given> = records.iter().zip(&sources).map(|(record, source)| placed(record, source)).collect();
    let (verdicts, unjudged) = published::check(&case, SLOTS, &placed, &Rules::default());
    println!("{} records, {verdicts} verdicts, {unjudged} not judged", records.len());
    assert!(verdicts > 1_000 && unjudged == 0);
    check_clock_is_behind(&case);
}

/// A record with the partition that it went to.
fn placed(record: &Given, source: &str) -> Given {
    let partition = source.split('/').nth(1).map(|partition| partition.parse().unwrap());
    Given { partition, ..record.clone() }
}

/// The verdicts were given at log clocks all through the hour, not at its end.
fn check_clock_is_behind(case: &Case) {
    let clocks = case.read("ringtrace.verdicts").into_iter().map(|message| {
        let change: serde_json::Value = serde_json::from_slice(message.value.as_deref().unwrap()).unwrap();
        change["log_clock"].as_i64().unwrap()
    });
    let early = clocks.filter(|clock| *clock < START + 1_800_000).count();
    assert!(early > 100, "{early} verdicts in the first half of the hour");
}

#[test]
fn what_comes_a_day_late_changes_rows_and_verdict() {
    let mut case = Case::new("late", SLOTS);
    // Nothing stays in memory: the late events find their call in ClickHouse.
    case.set("RINGTRACE_LINK_SETTLED_MS", "0");
    case.set("RINGTRACE_LINK_CALLS_IN_MEMORY", "1");
    let linker = case.start(&["link"]);
    let mut records = vec![
        event("push.sent", START, &json!({ "channel": "apns_voip" })),
        event("push.received", START + 800, &json!({ "channel": "apns_voip", "app_state": "background" })),
    ];
    let mut sources = case.write(&records);
    wait_for_commits(&case, &sources);
    wait_for("a violation", || case.number("SELECT count() FROM legs WHERE verdict = 'unreported'") == 1);
    let day_later = START + 86_400_000;
    let late = [
        ("call.reported", 1_500, json!({})),
        ("call.answered", 4_000, json!({})),
        ("call.audio_activated", 4_300, json!({})),
        ("call.ended", 64_000, json!({ "end_reason": "remote_ended" })),
    ];
    for (nth, (kind, at, fields)) in late.into_iter().enumerate() {
        let mut fields = fields;
        fields["occurred_at"] = json!(START + at);
        records.push(event(kind, day_later + nth as i64, &fields));
        sources.extend(case.write(&records[records.len() - 1..]));
        wait_for_commits(&case, &sources);
    }
    let is_mended = "SELECT count() FROM legs WHERE verdict = 'reported' AND outcome = 'answered' AND talk_ms = 60000";
    wait_for("the late events to count", || case.number(is_mended) == 1);
    let published = verdicts(&case);
    assert_eq!(&published[published.len() - 2..], ["unreported", "reported"], "{published:?}");
    end(&case, linker, &records, &sources);
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}
