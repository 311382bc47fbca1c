//! Changes of examples, every single one and random several: the schema accepts exactly what the model accepts, for the rules that a schema can express.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed};
use ringtrace_model::{Event, Known, Reject};
use serde_json::{Map, Value, json};

use crate::examples::valid;
use crate::schemas::SCHEMAS;

/// Late enough for every time in the examples: 2026-11-02T08:00:00Z.
const LOG_AT: i64 = 1_793_606_400_000;

/// Values at the edges of rules. Left out is what a schema can't tell: 1.0, and long texts beyond ASCII.
static VALUES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let long = |n: usize| json!("x".repeat(n));
    let mut values = vec![
        json!(null),
        json!(true),
        json!(false),
        json!(1.5),
        json!([]),
        json!({}),
        json!(["ios"]),
        json!({"a": null}),
    ];
    values.extend([64, 65, 128, 129, 255, 256].map(long));
    values.extend([i64::MIN, -1, 0, 1, 5, 6, 12, 13, 200, 1_793_520_000_000, i64::MAX].map(|n| json!(n)));
    values.extend([json!(i64::MAX as u64 + 1), json!(u64::MAX), json!(-1e19)]);
    let texts = [
        "",
        " ",
        "é",
        "x",
        "1",
        "ios",
        "IOS",
        "android",
        "web",
        "desktop",
        "other",
        "apns_voip",
        "apns_alert",
        "fcm",
        "socket",
        "incoming_call",
        "cancel",
        "data",
        "production",
        "sandbox",
        "foreground",
        "background",
        "not_running",
        "callkit",
        "live_communication_kit",
        "telecom",
        "custom",
        "failed",
        "remote_ended",
        "unanswered",
        "answered_elsewhere",
        "declined_elsewhere",
        "local",
        "timeout",
        "high",
        "push.",
        "call.",
        "push.new",
        "call.new",
        "push",
        "app.launched",
        "3f2b8c1e-9d54-4a7e-8f10-6b2c4d5e6f70",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "3f2b8c1e9d544a7e8f106b2c4d5e6f70",
        "3f2b8c1e-9d54-4a7e-8f10-6b2c4d5e6f7",
        "3f2b8c1e-9d54-4a7e-8f10-6b2c4d5e6f70\n",
        "{3f2b8c1e-9d54-4a7e-8f10-6b2c4d5e6f7}",
        "2026-11-01T08:00:00Z",
        "2026-11-01t08:00:60.1234567890123456789z",
        "2026-11-01T08:00:00+23:59",
        "2026-02-28T08:00:00-00:00",
        "2024-02-29T08:00:00Z",
        "2000-02-29T08:00:00Z",
        "2026-02-29T08:00:00Z",
        "2026-11-01 08:00:00Z",
        "2026-11-01T08:00:00",
        "2026-04-31T08:00:00Z",
        "2026-11-00T08:00:00Z",
        "2026-00-01T08:00:00Z",
        "2026-11-01T08:00:00+24:00",
        "2026-11-01T8:00:00Z",
        "1968-02-29T08:00:00Z",
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:00:00-01:00",
        "2026-11-01T08:00:00.Z",
        "02026-11-01T08:00:00Z",
    ];
    values.extend(texts.map(|text| json!(text)));
    values
});

/// Names of fields: those of the contract, and one that it doesn't name.
static FIELDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = valid().flat_map(|(_, event)| event.as_object().unwrap().keys().cloned().collect::<Vec<_>>());
    let mut names: Vec<String> = names.chain(["new_field".to_owned()]).collect();
    names.sort_unstable();
    names.dedup();
    names
});

#[derive(Clone, Debug)]
enum Change {
    Remove(Index),
    Replace(Index, Value),
    Set(String, Value),
}

impl Change {
    fn apply(self, fields: &mut Map<String, Value>) {
        let nth = |fields: &Map<String, Value>, at: Index| fields.keys().nth(at.index(fields.len().max(1))).cloned();
        match self {
            Change::Remove(at) => drop(nth(fields, at).and_then(|key| fields.remove(&key))),
            Change::Replace(at, value) => drop(nth(fields, at).and_then(|key| fields.insert(key, value))),
            Change::Set(key, value) => drop(fields.insert(key, value)),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let kinds = || Known::ALL.iter().map(|kind| json!(kind.as_str())).collect::<Vec<_>>();
    prop_oneof![
        1 => any::<Index>().prop_map(Change::Remove),
        3 => (any::<Index>(), select(&VALUES[..])).prop_map(|(at, value)| Change::Replace(at, value)),
        2 => (select(&FIELDS[..]), select(&VALUES[..])).prop_map(|(key, value)| Change::Set(key, value)),
        1 => select(kinds()).prop_map(|kind| Change::Set("kind".to_owned(), kind)),
    ]
}

/// Whether a record was refused for how it compares with its log time, which no schema knows.
fn is_about_log_time(reject: &Reject) -> bool {
    reject.detail.contains("the record's log time")
}

/// Settings: the seed is `RINGTRACE_SEED`, or a new one, and is printed when the test fails. `RINGTRACE_LONG` asks for a
/// hundred times as many cases.
fn random(cases: u32) -> Config {
    let given = std::env::var("RINGTRACE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    eprintln!("RINGTRACE_SEED={seed}");
    let factor = if std::env::var_os("RINGTRACE_LONG").is_some() { 100 } else { 1 };
    let rng_seed = RngSeed::Fixed(seed);
    Config { cases: cases * factor, rng_seed, failure_persistence: None, ..Config::default() }
}

/// Where schema and model differ about an event, both their reasons.
fn difference(event: &Value) -> Option<String> {
    let text = event.to_string();
    let model = Event::parse(text.as_bytes(), LOG_AT).err().filter(|reject| !is_about_log_time(reject));
    let schema = SCHEMAS.refusal("events/event.json", event);
    (model.is_some() != schema.is_some()).then(|| format!("model {model:?}, schema {schema:?}: {text}"))
}

#[test]
fn schema_and_model_accept_the_same_after_any_single_change() {
    let mut kinds_seen = Vec::new();
    for (kind, event) in valid() {
        if kind != "unknown" && kinds_seen.contains(&kind) {
            continue;
        }
        for field in FIELDS.iter() {
            let mut without = event.clone();
            without.as_object_mut().unwrap().remove(field);
            assert_eq!(difference(&without), None);
            for value in VALUES.iter() {
                let mut changed = event.clone();
                changed[field] = value.clone();
                assert_eq!(difference(&changed), None);
            }
        }
        kinds_seen.push(kind);
    }
}

proptest! {
    #![proptest_config(random(10_000))]

    #[test]
    fn schema_and_model_accept_the_same_after_several_changes(
        (_, mut event) in select(valid().collect::<Vec<_>>()),
        changes in vec(change(), 0..5),
    ) {
        let fields = event.as_object_mut().unwrap();
        changes.into_iter().for_each(|change| change.apply(fields));
        prop_assert_eq!(difference(&event), None);
    }
}
