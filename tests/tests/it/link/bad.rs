//! Input that no producer should send: each record ends as the contract says, and the stream goes on.

use ringtrace_tests::stack::{Case, Given};
use serde_json::{Value, json};

use super::SLOTS;
use super::compare::compare;
use super::expect::Expected;
use super::input::scenarios;

/// A log time for records that need none of their own.
const LOG_AT: i64 = 1_793_606_400_000;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Most memory that the linker may take for the largest calls, in KiB.
const MOST_MEMORY_KIB: u64 = 1 << 20;

fn event(fields: &Value) -> Value {
    let mut event = json!({
        "event_id": "bad-1", "kind": "push.sent", "occurred_at": LOG_AT, "app_id": "com.example.bad", "channel": "apns_voip",
        "call_uuid": "B0000000-0000-4000-8000-000000000001", "device_id": "d1", "platform": "ios",
    });
    for (key, value) in fields.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn record(value: impl Into<Vec<u8>>) -> Given {
    let key = Some(b"b0000000-0000-4000-8000-000000000001".to_vec());
    Given { topic: "push-events".to_owned(), key, value: Some(value.into()), log_at: LOG_AT, ..Given::default() }
}

fn of(fields: &Value) -> Given {
    record(event(fields).to_string())
}

fn cases() -> Vec<Given> {
    let far = [i64::MIN, i64::MAX, 4_000_000_000_000, -4_000_000_000_000];
    let mut cases = vec![
        record("{\"event_id\": \"broken"),
        record("[]"),
        record("\"text\""),
        record(""),
        record(vec![0xff, 0xfe, 0x00, 0x01]),
        record(event(&json!({})).to_string().replace("bad-1", "bad-\u{0}")),
        record([&b"{\"event_id\":\"\xff\xfe\""[..], b"}"].concat()),
        Given { value: None, ..of(&json!({})) },
        Given { value: Some(vec![b' '; 10 << 20]), ..of(&json!({})) },
        of(&json!({ "padding": "x".repeat(10 << 20) })),
        of(&json!({ "event_id": "unknown-kind", "kind": "push.levitated" })),
        of(&json!({ "event_id": "unknown-kind-2", "kind": "weather.changed", "call_uuid": null })),
        of(&json!({ "event_id": "from-1970", "occurred_at": 0 })),
        of(&json!({ "event_id": "next-week", "occurred_at": LOG_AT + 7 * DAY_MS })),
        of(&json!({ "event_id": "tomorrow", "occurred_at": LOG_AT + DAY_MS })),
        Given { log_at: LOG_AT - 3_000 * DAY_MS, ..of(&json!({ "event_id": "logged-in-2018", "occurred_at": 0 })) },
        Given { log_at: LOG_AT + 7 * DAY_MS, ..of(&json!({ "event_id": "logged-next-week" })) },
        Given { log_at: 5_000_000_000_000, ..of(&json!({ "event_id": "logged-in-2128" })) },
        Given { headers: vec![("x".to_owned(), vec![0xff; 64])], ..record("{") },
        Given { key: Some(vec![0xff; 512]), ..of(&json!({ "event_id": "odd-key" })) },
    ];
    for (index, offset) in far.into_iter().enumerate() {
        cases.push(of(&json!({ "event_id": format!("offset-{index}"), "clock_offset_ms": offset })));
    }
    for field in ["event_id", "kind", "occurred_at", "app_id", "call_uuid", "device_id", "channel"] {
        cases.push(of(&json!({ field: null })));
        cases.push(of(&json!({ field: { "not": "this" } })));
        cases.push(of(&json!({ field: 1.5 })));
    }
    let uuids = [
        "b0000000-0000-4000-8000-00000000000a",
        "B0000000-0000-4000-8000-00000000000A",
        "b0000000-0000-4000-8000-00000000000A",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "b000000000004000800000000000000a",
        "{b0000000-0000-4000-8000-00000000000a}",
        "b0000000-0000-4000-8000-00000000000",
    ];
    for (index, uuid) in uuids.into_iter().enumerate() {
        let fields =
            json!({ "event_id": format!("uuid-{index}"), "call_uuid": uuid, "device_id": format!("d{index}") });
        cases.push(Given { key: Some(uuid.into()), ..of(&fields) });
    }
    cases
}

#[test]
fn bad_input_ends_as_the_contract_says_and_the_stream_goes_on() {
    let case = Case::new("bad", SLOTS);
    let mut records = cases();
    // Good records behind the bad ones, in every partition.
    records.extend(scenarios());
    let sources = case.write(&records);
    case.catch_up();
    let expected = Expected::of(&case, &records, &sources);
    assert!(expected.dead_letters.len() > 30, "most of the cases are refused");
    compare(&case, &expected);
}

#[test]
fn events_that_clickhouse_refuses_become_dead_letters() {
    let case = Case::new("poison", SLOTS);
    for table in ["events_rows", "device_events_rows"] {
        case.rows(&format!("ALTER TABLE {table} ADD CONSTRAINT no_poison CHECK event_id NOT LIKE 'poison%'"));
    }
    let mut records = scenarios();
    for (index, record) in records.iter_mut().enumerate().filter(|(index, _)| index % 9 == 0) {
        let mut value: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        value["event_id"] = json!(format!("poison-{index}"));
        record.value = Some(value.to_string().into_bytes());
    }
    let sources = case.write(&records);
    case.catch_up();
    let mut expected = Expected::default();
    for (record, source) in records.iter().zip(&sources) {
        if String::from_utf8_lossy(record.value.as_deref().unwrap()).contains("poison-") {
            expected.refuse(&case, record, source);
        }
    }
    assert!(expected.dead_letters.len() > 5);
    let kept = records.iter().zip(&sources).filter(|(_, source)| !expected.dead_letters.contains_key(*source));
    let (kept, sources): (Vec<Given>, Vec<String>) =
        kept.map(|(record, source)| (record.clone(), source.clone())).unzip();
    let mut rest = Expected::of(&case, &kept, &sources);
    rest.dead_letters.append(&mut expected.dead_letters);
    compare(&case, &rest);
}

#[test]
fn no_call_grows_without_bound() {
    let case = Case::new("large", SLOTS);
    let mut records = Vec::new();
    for index in 0..100_000 {
        let (id, push_id) = (format!("many-{index}"), format!("push-{:05}", index * 7919 % 100_000));
        let fields = json!({ "event_id": id, "push_id": push_id, "occurred_at": LOG_AT + index });
        records.push(Given { log_at: LOG_AT + index, ..of(&fields) });
    }
    let uuid = "b0000000-0000-4000-8000-00000000000f";
    for index in 0..10_500 {
        let device = format!("device-{:05}", index * 7919 % 10_500);
        let fields = json!({ "event_id": format!("wide-{index}"), "call_uuid": uuid, "device_id": device });
        records.push(Given { key: Some(uuid.into()), log_at: LOG_AT + index, ..of(&fields) });
    }
    let sources = case.write(&records);
    let linker = case.start(&["link", "--until-caught-up"]);
    let exit = linker.wait();
    assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
    assert!(exit.peak_memory_kib < MOST_MEMORY_KIB, "the linker took {} KiB", exit.peak_memory_kib);
    let expected = Expected::of(&case, &records, &sources);
    assert_eq!(expected.legs.len(), 10_001);
    compare(&case, &expected);
}
