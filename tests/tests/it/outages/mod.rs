//! A linker whose ClickHouse or Kafka is away, refuses, is slow, or that has fallen behind: it waits, says so, and goes on by
//! itself; nothing is lost, and nothing false is published.

mod backlog;
mod clickhouse;
mod kafka;
mod overload;

use ringtrace_tests::stack::{Case, Given, Running, get, wait_for};
use serde_json::{Value, json};

use crate::link::compare::compare;
use crate::link::expect::Expected;

/// Slots of every case.
const SLOTS: i32 = 3;

/// Waits until `/readyz` answers with a status and says all words, in whichever case.
fn wait_for_ready(case: &Case, status: u16, words: &[&str]) {
    let mut answer = String::new();
    wait_for(&format!("/readyz: {status}, {words:?}"), || {
        answer = get(&case.http(), "/readyz");
        let (said, words) = (answer.to_lowercase(), words.iter().map(|word| word.to_lowercase()));
        answer.starts_with(&format!("HTTP/1.1 {status}")) && words.into_iter().all(|word| said.contains(&word))
    });
    println!("{answer}");
}

/// Stops a linker, links what is left, and holds all of it against the model.
fn end(case: &Case, linker: Running, records: &[Given], sources: &[String]) {
    linker.signal("TERM");
    let exit = linker.wait();
    assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
    case.catch_up();
    compare(case, &Expected::of(case, records, sources));
}

/// Waits until every record so far is committed.
fn wait_for_commits(case: &Case, sources: &[String]) {
    let places = sources.iter().map(|source| source.rsplitn(3, '/').collect::<Vec<_>>());
    let mut ends = std::collections::BTreeMap::<(String, i32), i64>::new();
    for place in places {
        let [offset, partition, topic] = place.as_slice() else { panic!("{place:?} is no source") };
        let end = ends.entry(((*topic).to_owned(), partition.parse().unwrap())).or_default();
        *end = (*end).max(offset.parse::<i64>().unwrap() + 1);
    }
    wait_for("everything to be committed", || {
        let committed = case.committed();
        ends.iter().all(|(place, end)| committed.get(place) >= Some(end))
    });
}

/// One event of one leg, logged at `log_at` and as old as that.
fn event(kind: &str, log_at: i64, fields: &Value) -> Given {
    let uuid = "0a7a6e00-0000-4000-8000-000000000001";
    let mut event = json!({
        "event_id": format!("{kind}-{log_at}"), "kind": kind, "occurred_at": log_at, "app_id": "com.example.outage",
        "call_uuid": uuid, "device_id": "d1", "platform": "ios", "os_version": "18.1", "push_id": "p1",
    });
    for (key, value) in fields.as_object().unwrap() {
        event[key] = value.clone();
    }
    let topic = ringtrace_tests::stack::topic_of(kind).to_owned();
    Given { topic, key: Some(uuid.into()), value: Some(event.to_string().into_bytes()), log_at, ..Given::default() }
}

/// The verdicts that were published, in order.
fn verdicts(case: &Case) -> Vec<String> {
    let mut changes: Vec<Value> = case
        .read("ringtrace.verdicts")
        .iter()
        .map(|message| serde_json::from_slice(message.value.as_deref().unwrap()).unwrap())
        .collect();
    changes.sort_by_key(|change| change["version"].as_u64());
    changes.iter().map(|change| change["verdict"].as_str().unwrap().to_owned()).collect()
}

/// Milliseconds since the Unix epoch.
fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}
