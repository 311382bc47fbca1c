//! The fold is a pure function of the set of events: over few devices, pushes, times and clocks, so that they meet.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use ringtrace_model::{Call, CallKey, Event, Rules, Scope};
use serde_json::{Map, Value, json};

use crate::events::{CALL, T0, random};
use crate::table::check_next_change;

/// A record: an event's text, and its log time.
pub type Record = (String, i64);

const KINDS: &[&str] = &[
    "push.sent",
    "push.accepted",
    "push.rejected",
    "push.failed",
    "push.suppressed",
    "push.received",
    "push.handler_returned",
    "call.initiated",
    "call.reported",
    "call.report_failed",
    "call.answered",
    "call.declined",
    "call.audio_activated",
    "call.connected",
    "call.cancelled",
    "call.busy",
    "call.ended",
    "call.action_timed_out",
    "call.transaction_failed",
    "call.outgoing_started",
    "app.terminated",
    "call.held",
    "call.new",
    "push.new",
];

/// Values that some events carry; a field that the kind does not name is kept as an attribute.
const FIELDS: &[(&str, &[&str])] = &[
    ("platform", &["ios", "ios", "android", "other"]),
    ("os_version", &["9.3", "12.1", "13", "17.2"]),
    ("country", &["CN", "CHN", "DE"]),
    ("app_version", &["1", "2"]),
    ("push_id", &["p1", "p2", "e1"]),
    ("channel", &["apns_voip", "apns_voip", "apns_alert", "fcm", "socket"]),
    ("purpose", &["incoming_call", "cancel", "data"]),
    ("environment", &["production", "sandbox"]),
    ("reason", &["Unregistered", "BadDeviceToken", "BadTopic", "THIRD_PARTY_AUTH_ERROR", "other"]),
    ("app_state", &["foreground", "background"]),
    ("priority", &["high", "normal"]),
    ("original_priority", &["high", "normal"]),
    ("call_ui", &["callkit", "custom"]),
    ("reported_uuid", &[CALL, "00000000-0000-0000-0000-000000000000"]),
    (
        "end_reason",
        &["failed", "remote_ended", "unanswered", "answered_elsewhere", "declined_elsewhere", "local", "timeout"],
    ),
    ("boot_id", &["b1", "b2"]),
    ("exception_reason", &["it never posted an incoming call to the system.", "jetsam"]),
];

const NUMBERS: &[(&str, &[i64])] = &[
    ("mono_ms", &[0, 1_000, 8_000, 9_000]),
    ("clock_offset_ms", &[-5_000, 5, 10_000]),
    ("status", &[403, 410, 429]),
    ("expires_at", &[0, T0 + 3_000, T0 + 12_000]),
    ("active_calls", &[0, 1]),
    ("disconnect_cause", &[0, 2, 3, 5, 6, 7, 11]),
    ("termination_code", &[1, 3_131_951_633]),
];

prop_compose! {
    /// An event of one of `devices` or of the server.
    fn event(devices: &'static [&'static str])(
        kind in select(KINDS),
        device in prop_oneof![4 => select(devices).prop_map(Some), 1 => Just(None)],
        id in select(&["e1", "e2", "e3", "e4"][..]),
        at in select(&[0_i64, 1, 2_000, 7_000, 7_001, 7_002, 10_001, 30_000, 60_000, 121_000][..]),
        texts in subsequence(FIELDS, 0..=FIELDS.len() / 2),
        numbers in subsequence(NUMBERS, 0..=NUMBERS.len() / 2),
        flags in subsequence(&["must_report", "inferred", "reported"][..], 0..=3),
        picks in vec(any::<Index>(), 26),
        log_delay in select(&[0_i64, 1, 5_000, 400_000][..]),
    ) -> Record {
        let mut fields = Map::new();
        let mut picks = picks.into_iter();
        for (name, values) in texts {
            fields.insert(name.into(), (*picks.next().unwrap().get(values)).into());
        }
        for (name, values) in numbers {
            fields.insert(name.into(), (*picks.next().unwrap().get(values)).into());
        }
        for name in flags {
            fields.insert(name.into(), (picks.next().unwrap().index(2) == 0).into());
        }
        fields.extend(required(kind, device, &mut picks));
        let same = json!({"event_id": id, "kind": kind, "occurred_at": T0 + at, "app_id": "a", "call_uuid": CALL});
        fields.extend(same.as_object().unwrap().clone());
        (Value::Object(fields).to_string(), T0 + at + log_delay)
    }
}

fn required(kind: &str, device: Option<&str>, picks: &mut impl Iterator<Item = Index>) -> Map<String, Value> {
    let mut pick = |of| picks.next().unwrap().index(of);
    let mut fields = Map::new();
    match kind {
        "push.sent" => {
            let channels = ["apns_voip", "apns_voip", "apns_alert", "fcm"];
            fields.insert("channel".into(), channels[pick(channels.len())].into());
        }
        "push.handler_returned" => {
            fields.insert("reported".into(), (pick(2) == 0).into());
        }
        "call.report_failed" => {
            fields.insert(
                "error_domain".into(),
                ["incoming_call", "incoming_call", "foreground_service"][pick(3)].into(),
            );
            fields.insert("error_code".into(), (pick(8)).into());
        }
        _ => {}
    }
    let of_server = [
        "call.initiated",
        "call.connected",
        "call.cancelled",
        "call.busy",
        "call.ended",
        "call.held",
        "call.new",
        "app.terminated",
    ];
    let device = device.or((!of_server.contains(&kind)).then_some("d1"));
    fields.extend(device.map(|device| ("device_id".to_owned(), device.into())));
    fields
}

/// Events of one call.
pub fn events(max: usize) -> impl Strategy<Value = Vec<Record>> {
    prop_oneof![vec(event(&["d1"]), 1..max), vec(event(&["d1", "d2", "d3"]), 1..max)]
}

pub fn key() -> CallKey {
    CallKey { tenant_id: "default".into(), call_uuid: CALL.parse().unwrap() }
}

pub fn read((text, log_at): &Record) -> Event<'_> {
    Event::parse(text.as_bytes(), *log_at).unwrap_or_else(|e| panic!("{e}: {text}"))
}

pub fn fold<'a>(call: Call, records: impl IntoIterator<Item = &'a Record>) -> Call {
    records.into_iter().fold(call, |mut call, record| {
        call.apply(&read(record), record.1);
        call
    })
}

/// The rows at some log times, as text.
fn rows(call: &Call) -> Vec<String> {
    let times = [T0 - 1, T0 + 7_000, T0 + 30_000, T0 + 60_000, T0 + 150_000, i64::MAX];
    let at =
        |now| call.evaluate(&key(), &Rules::default(), now).map(|e| serde_json::to_string(&(e.call, e.legs)).unwrap());
    times.into_iter().map(|now| at(now).unwrap_or_default()).collect()
}

proptest! {
    #![proptest_config(random(3_000))]

    #[test]
    fn order_and_duplicates_do_not_matter(
        (first, second) in events(24).prop_flat_map(|events| {
            let twice = [events.clone(), events.clone()].concat();
            (Just(events), Just(twice).prop_shuffle())
        }),
    ) {
        let (one, other) = (fold(Call::default(), &first), fold(Call::default(), &second));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one.encode(Vec::new()), other.encode(Vec::new()));
        prop_assert_eq!(rows(&one), rows(&other));
    }

    #[test]
    fn a_state_survives_its_encoding_at_any_point(events in events(24), cut in any::<Index>()) {
        let cut = cut.index(events.len() + 1);
        let half = fold(Call::default(), &events[..cut]);
        let prefix = vec![7, 7];
        let encoded = half.encode(prefix);
        prop_assert_eq!(&encoded[..2], &[7, 7]);
        let decoded = Call::decode(&encoded[2..]).unwrap();
        prop_assert_eq!(&decoded, &half);
        prop_assert_eq!(fold(decoded, &events[cut..]), fold(half, &events[cut..]));
    }

    #[test]
    fn apply_says_whether_anything_changed(events in events(24)) {
        let mut call = Call::default();
        for record in &events {
            let before = call.clone();
            let changed = call.apply(&read(record), record.1);
            prop_assert_eq!(changed, call != before, "{}", record.0);
            prop_assert!(!call.apply(&read(record), record.1), "again: {}", record.0);
            prop_assert!(!call.apply(&read(record), record.1 + 1), "later: {}", record.0);
            prop_assert_eq!(changed && read(record).scope() == Scope::History, false, "{}", record.0);
        }
    }

    #[test]
    fn next_change_is_exact(events in events(16), now in select(&[-1_i64, 0, 6_999, 29_999, 30_000, 59_999, 120_000, 180_000][..])) {
        let call = fold(Call::default(), &events);
        check_next_change("random", &key(), &call, T0 + now);
    }

    #[test]
    fn damage_to_a_state_is_an_error_or_another_state(events in events(8), at in any::<Index>(), byte in any::<u8>()) {
        let mut encoded = fold(Call::default(), &events).encode(Vec::new());
        let at = at.index(encoded.len());
        prop_assert!(Call::decode(&encoded[..at]).is_err());
        encoded[at] = byte;
        drop(Call::decode(&encoded));
    }
}

/// Folds the texts of events and gives the size of the encoded state.
fn encoded_size(texts: impl Iterator<Item = String>) -> usize {
    let mut call = Call::default();
    for (i, text) in texts.enumerate() {
        call.apply(&read(&(text, T0 + i as i64 % 1_000)), T0 + i as i64 % 1_000);
    }
    let size = call.encode(Vec::new()).len();
    println!("{size} bytes");
    size
}

fn text(i: usize, kind: &str, more: &Value) -> String {
    let i = (i * 7_919) % 100_003;
    crate::events::event(&format!("e{i}"), kind, i as i64 % 5_000, more.clone()).to_string()
}

#[test]
fn no_number_of_events_grows_a_leg_without_bound() {
    let all = (0..100_000).map(|i| {
        let kind = KINDS[i % KINDS.len()];
        let more = json!({"push_id": "p", "channel": "apns_voip", "reported": i % 2 == 0, "error_domain": "incoming_call",
            "error_code": i, "reason": format!("reason {i}"), "os_version": format!("17.{i}"), "carrier": format!("carrier {i}")});
        text(i, kind, &more)
    });
    assert!(encoded_size(all) < 2_000);
}

#[test]
fn no_number_of_pushes_grows_a_leg_without_bound() {
    let kinds = ["push.sent", "push.accepted", "push.rejected", "push.received"];
    let pushes =
        (0..100_000).map(|i| text(i, kinds[i % 4], &json!({"push_id": format!("p{}", i / 4), "channel": "fcm"})));
    assert!(encoded_size(pushes) < 256 * 300);
    let unnamed = (0..100_000).map(|i| text(i, "push.sent", &json!({"channel": "fcm"})));
    assert!(encoded_size(unnamed) < 256 * 150);
}

#[test]
fn no_number_of_devices_grows_a_call_without_bound() {
    let devices = (0..100_000).map(|i| text(i, "push.sent", &json!({"device_id": format!("d{i}"), "channel": "fcm"})));
    assert!(encoded_size(devices) < 10_000 * 150);
}
