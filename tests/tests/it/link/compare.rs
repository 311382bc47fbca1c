//! Holding what is in ClickHouse and Kafka against what is expected, row by row.

use std::collections::BTreeMap;

use ringtrace_model::MAX_LEGS_PER_CALL;
use ringtrace_tests::stack::Case;
use serde_json::{Map, Value, json};

use super::expect::{EventRow, Expected};

/// Fields that simulated events have and that may be stored only as hashes.
const PERSONAL: [&str; 6] = ["token", "voip_token", "handle", "phone", "caller", "payload"];

/// Compares `legs`, `calls`, `events`, `device_events`, dead letters and verdicts.
pub fn compare(case: &Case, expected: &Expected) {
    compare_rows(case, "legs", &expected.legs);
    compare_rows(case, "calls", &expected.calls);
    compare_events(case, "events", &expected.events);
    compare_events(case, "device_events", &expected.device_events);
    compare_dead_letters(case, expected);
    compare_verdicts(case, expected);
}

/// A query for all columns that `like` has, times as milliseconds.
fn query(table: &str, like: &Map<String, Value>) -> String {
    let column = |name: &String| match name.ends_with("_at") {
        true => format!("toUnixTimestamp64Milli({name}) AS {name}"),
        false => name.clone(),
    };
    format!("SELECT {} FROM {table}", like.keys().map(column).collect::<Vec<_>>().join(", "))
}

fn compare_rows(case: &Case, table: &str, expected: &[Value]) {
    let like = expected.first().and_then(Value::as_object).unwrap();
    compare_sets(table, case.rows(&query(table, like)), expected.to_vec());
}

/// Compares as multisets, and shows the first differences.
fn compare_sets(table: &str, found: Vec<Value>, expected: Vec<Value>) {
    let count = |rows: Vec<Value>| {
        let mut counts = BTreeMap::<String, i64>::new();
        rows.into_iter().for_each(|row| *counts.entry(row.to_string()).or_default() += 1);
        counts
    };
    let (sizes, found, expected) = ((found.len(), expected.len()), count(found), count(expected));
    let differs = |one: &BTreeMap<String, i64>, other: &BTreeMap<String, i64>| {
        let missing = one.iter().filter(|(row, count)| other.get(*row) != Some(count));
        missing.map(|(row, count)| format!("{count} x {row}")).take(3).collect::<Vec<_>>().join("\n")
    };
    assert!(
        found == expected,
        "{table}: {} rows found, {} expected\nonly found:\n{}\nonly expected:\n{}",
        sizes.0,
        sizes.1,
        differs(&found, &expected),
        differs(&expected, &found)
    );
}

fn compare_events(case: &Case, table: &str, expected: &BTreeMap<String, EventRow>) {
    let Some(like) = expected.values().next().map(|event| event.row.clone()) else {
        assert_eq!(case.number(&format!("SELECT count() FROM {table}")), 0, "{table}");
        return;
    };
    let select =
        query(table, &like).replacen("SELECT ", "SELECT toUnixTimestamp64Milli(log_at) AS log_at, source, ", 1);
    // By text: the events that have it, and how often it was found. Long tests have a million of them.
    let mut wanted = BTreeMap::<String, (Vec<&EventRow>, usize)>::new();
    for event in expected.values() {
        let mut row = event.row.clone();
        row.insert("attributes".to_owned(), protected(&event.row["attributes"]));
        row.insert("log_at".to_owned(), json!(event.log_at));
        wanted.entry(Value::Object(row).to_string()).or_default().0.push(event);
    }
    let (mut found, mut unknown) = (0, Vec::new());
    case.each_row(&select, |mut row| {
        found += 1;
        let source = row.as_object_mut().and_then(|row| row.remove("source")).unwrap();
        row["attributes"] = protected(&row["attributes"]);
        let Some((events, times)) = wanted.get_mut(&row.to_string()) else { return unknown.push(row.to_string()) };
        let is_allowed =
            |event: &&EventRow| event.sources.is_empty() || event.sources.contains(source.as_str().unwrap());
        assert!(events.iter().any(is_allowed), "{table}: {row} has source {source}");
        *times += 1;
    });
    let others = wanted.iter().filter(|(_, (events, times))| *times != events.len());
    let others: Vec<_> = others.map(|(row, (_, times))| format!("{times} x {row}")).take(3).collect();
    unknown.truncate(3);
    assert!(
        unknown.is_empty() && others.is_empty(),
        "{table}: {found} rows found, {} expected\nnot expected:\n{}\nexpected, but not so often:\n{}",
        expected.len(),
        unknown.join("\n"),
        others.join("\n")
    );
}

/// Attributes with the values of personal fields left out; a value in the clear is an error in rows, and replaced here.
fn protected(attributes: &Value) -> Value {
    let mut object: Map<String, Value> = serde_json::from_str(attributes.as_str().unwrap()).unwrap();
    for name in PERSONAL {
        if let Some(value) = object.get_mut(name) {
            *value = json!("(personal)");
        }
    }
    Value::Object(object)
}

fn compare_dead_letters(case: &Case, expected: &Expected) {
    let found = case.read("ringtrace.dead-letters");
    assert_eq!(found.len(), expected.dead_letters.len(), "each dead letter once");
    for letter in found {
        let source = &letter.headers["ringtrace.source"];
        let wanted = expected.dead_letters.get(source).unwrap_or_else(|| panic!("{source} is no bad record"));
        assert_eq!(letter.headers["ringtrace.reason"], wanted.reject.reason.as_str(), "{source}");
        assert_eq!(letter.headers["ringtrace.detail"], wanted.reject.detail, "{source}");
        assert_eq!((&letter.key, &letter.value), (&wanted.given.key, &wanted.given.value), "{source}");
        assert_eq!(letter.timestamp, wanted.given.log_at, "{source}");
        for (name, value) in &wanted.given.headers {
            assert_eq!(letter.headers[name], String::from_utf8_lossy(value), "{source}");
        }
    }
}

/// Each leg's changes form one chain without gaps or repeats, which ends in the verdict of its row.
fn compare_verdicts(case: &Case, expected: &Expected) {
    let mut chains = BTreeMap::<String, Vec<Value>>::new();
    for message in case.read("ringtrace.verdicts") {
        let change: Value = serde_json::from_slice(message.value.as_deref().unwrap()).unwrap();
        assert_eq!(message.key.as_deref(), change["call_uuid"].as_str().map(str::as_bytes));
        chains.entry(leg_key(&change)).or_default().push(change);
    }
    for leg in &expected.legs {
        let mut chain = chains.remove(&leg_key(leg)).unwrap_or_else(|| panic!("no verdict of {leg} was published"));
        chain.sort_by_key(|change| change["version"].as_u64());
        let mut previous = (Value::Null, Value::Null);
        for change in &chain {
            assert_eq!(change["previous"], previous.0, "{chain:?}");
            assert_ne!((&change["verdict"], &change["evidence"]), (&previous.0, &previous.1), "{chain:?}");
            previous = (change["verdict"].clone(), change["evidence"].clone());
        }
        assert_eq!(previous, (leg["verdict"].clone(), leg["evidence"].clone()), "{leg}");
    }
    chains.retain(|_, chain| !lost_its_place(expected, &chain[0]));
    assert!(chains.is_empty(), "verdicts of legs that are not there: {:?}", chains.keys());
}

/// Whether a flush in the middle may have published a leg whose place went to devices with smaller ids that came later.
fn lost_its_place(expected: &Expected, change: &Value) -> bool {
    let same_call = |leg: &&Value| leg["tenant_id"] == change["tenant_id"] && leg["call_uuid"] == change["call_uuid"];
    let devices = expected.legs.iter().filter(same_call).map(|leg| leg["device_id"].as_str());
    let smaller = devices.filter(|device| *device < change["device_id"].as_str()).count();
    smaller >= MAX_LEGS_PER_CALL
}

fn leg_key(row: &Value) -> String {
    format!("{} {} {}", row["tenant_id"], row["call_uuid"], row["device_id"])
}
