//! What is no valid event, and why (contract section 2): the reason, and the field that the detail names.

use ringtrace_model::{Event, Reject};
use serde_json::{Value, json};

use crate::events::{T0, event, ios};
use crate::table::refusal;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[track_caller]
fn refused(value: &[u8], log_at: i64, reason: &str, field: &str) {
    let case = String::from_utf8_lossy(value.get(..200).unwrap_or(value)).into_owned();
    let (found, detail) = refusal(value, log_at).unwrap_or_else(|| panic!("is valid: {case}"));
    assert_eq!((found.as_str(), detail.split(':').next()), (reason, Some(field)), "{detail}: {case}");
}

#[track_caller]
fn accepted(value: &Value, log_at: i64) {
    let value = value.to_string();
    assert_eq!(refusal(value.as_bytes(), log_at), None, "{value}");
}

/// A valid event of a kind, changed: refused, because of the field.
#[track_caller]
fn bad(kind: &str, change: Value, reason: &str, field: &str) {
    refused(ios(kind, 0, change).to_string().as_bytes(), T0, reason, field);
}

#[track_caller]
fn invalid(kind: &str, field: &str, values: &[Value]) {
    for value in values {
        bad(kind, json!({field: value}), "invalid_field", field);
    }
}

#[track_caller]
fn valid(kind: &str, field: &str, values: &[Value]) {
    for value in values {
        accepted(&ios(kind, 0, json!({field: value})), T0);
    }
}

const KIND: &str = "push.accepted";

#[test]
fn a_record_is_one_json_object_of_64_kib() {
    for value in ["", " ", "null", "[]", "1", "\"x\"", "{}{}", "{", "{\"a\":1,}", "\u{feff}{}"] {
        refused(value.as_bytes(), T0, "not_json", "value");
    }
    refused(b"{\"x\":\"\xff\"}", T0, "not_json", "value");
    let whole = |size: usize| {
        let empty = ios(KIND, 0, json!({"x": ""})).to_string().len();
        ios(KIND, 0, json!({"x": "x".repeat(size - empty)}))
    };
    accepted(&whole(65_536), T0);
    refused(whole(65_537).to_string().as_bytes(), T0, "too_large", "value");
    refused(&[b'x'; 65_537], T0, "too_large", "value");
    refused(b"{}", T0, "missing_field", "event_id");
    assert_eq!(Reject::TOMBSTONE.to_string(), "tombstone: value: is null");
}

#[test]
fn required_fields_are_there_and_null_is_absent() {
    for field in ["event_id", "kind", "occurred_at", "app_id"] {
        bad(KIND, json!({field: null}), "missing_field", field);
    }
    for kind in ["push.sent", "push.new", "call.initiated", "call.held", "call.new"] {
        bad(kind, json!({"call_uuid": null}), "missing_field", "call_uuid");
    }
    for kind in ["app.terminated", "app.launched", "sdk.heartbeat", "new", "push", "call"] {
        valid(kind, "call_uuid", &[json!(null)]);
        valid(kind, "device_id", &[json!(null)]);
    }
    let device_only = [
        "push.received",
        "push.handler_returned",
        "call.reported",
        "call.report_failed",
        "call.answered",
        "call.declined",
        "call.audio_activated",
        "call.action_timed_out",
        "call.transaction_failed",
        "call.outgoing_started",
        "call.outgoing_connecting",
        "call.outgoing_connected",
    ];
    let pushes = ["push.sent", "push.accepted", "push.rejected", "push.failed", "push.suppressed", "push.new"];
    for kind in device_only.into_iter().chain(pushes) {
        bad(kind, json!({"device_id": null}), "missing_field", "device_id");
    }
    for kind in
        ["call.initiated", "call.connected", "call.cancelled", "call.busy", "call.ended", "call.held", "call.new"]
    {
        valid(kind, "device_id", &[json!(null), json!("d1")]);
    }
    bad("push.sent", json!({"channel": null}), "missing_field", "channel");
    bad("push.handler_returned", json!({"reported": null}), "missing_field", "reported");
    bad("call.report_failed", json!({"error_domain": null}), "missing_field", "error_domain");
    bad("call.report_failed", json!({"error_code": null}), "missing_field", "error_code");
}

#[test]
fn texts_have_sizes_in_bytes() {
    for (field, max) in [("event_id", 64), ("app_id", 255), ("device_id", 128), ("tenant_id", 64)] {
        valid(KIND, field, &[json!("x"), json!("x".repeat(max)), json!("é".repeat(max / 2))]);
        let long = [json!(""), json!("x".repeat(max + 1)), json!("é".repeat(max / 2 + 1))];
        invalid(KIND, field, &long);
        invalid(KIND, field, &[json!(1), json!(true), json!([]), json!({})]);
    }
    invalid(KIND, "kind", &[json!(""), json!(1)]);
    for field in
        ["os_version", "app_version", "sdk_version", "device_model", "country", "carrier", "network", "build_channel"]
    {
        valid(KIND, field, &[json!(""), json!(null), json!("x".repeat(1_000))]);
        invalid(KIND, field, &[json!(17), json!(17.2), json!(["x"])]);
    }
    let empty = ios(KIND, 0, json!({"carrier": ""})).to_string();
    assert!(Event::parse(empty.as_bytes(), T0).unwrap().dimensions.iter().all(Option::is_none));
    valid(KIND, "boot_id", &[json!(""), json!("b")]);
    invalid(KIND, "boot_id", &[json!(1)]);
    valid("push.rejected", "reason", &[json!(""), json!("AnythingNew")]);
    invalid("push.rejected", "reason", &[json!(1)]);
}

#[test]
fn uuids_are_hyphenated() {
    let uuids = [json!("7B001EEF-5C1E-4B7A-9D3F-001F00C27719"), json!("00000000-0000-0000-0000-000000000000")];
    let others = [
        json!(""),
        json!(1),
        json!("7b001eef5c1e4b7a9d3f001f00c27719"),
        json!("7b001eef-5c1e-4b7a-9d3f-001f00c2771"),
        json!("{7b001eef-5c1e-4b7a-9d3f-001f00c27719}"),
        json!("urn:uuid:7b001eef-5c1e-4b7a-9d3f-001f00c27719"),
        json!("7b001eef-5c1e-4b7a-9d3f-001f00c2771g"),
    ];
    for (kind, field) in
        [(KIND, "call_uuid"), ("call.reported", "reported_uuid"), ("sdk.heartbeat", "call_uuid"), ("new", "call_uuid")]
    {
        valid(kind, field, &uuids);
        invalid(kind, field, &others);
    }
}

#[test]
fn enumerations_are_closed() {
    for (kind, field, words) in [
        (KIND, "platform", &["ios", "android", "web", "desktop", "other"][..]),
        ("push.sent", "channel", &["apns_voip", "apns_alert", "fcm", "socket"]),
        ("push.received", "channel", &["apns_voip", "apns_alert", "fcm", "socket"]),
        ("push.failed", "purpose", &["incoming_call", "cancel", "data"]),
        ("push.sent", "environment", &["production", "sandbox"]),
        ("push.received", "app_state", &["foreground", "background", "not_running"]),
        ("call.reported", "call_ui", &["callkit", "live_communication_kit", "telecom", "custom"]),
    ] {
        valid(kind, field, &words.iter().map(|word| json!(word)).collect::<Vec<_>>());
        invalid(kind, field, &[json!("new"), json!(""), json!(1), json!(words[0].to_uppercase())]);
    }
    let reasons =
        ["failed", "remote_ended", "unanswered", "answered_elsewhere", "declined_elsewhere", "local", "timeout"];
    for reason in reasons.map(Value::from).into_iter().chain((1..=5).map(Value::from)) {
        valid("call.ended", "end_reason", std::slice::from_ref(&reason));
        accepted(&event("s", "call.ended", 0, json!({"device_id": null, "end_reason": reason})), T0);
    }
    invalid("call.ended", "end_reason", &[json!(0), json!(6), json!("1"), json!(""), json!("busy"), json!(1.0)]);
    valid("call.ended", "disconnect_cause", &(0..=12).map(Value::from).collect::<Vec<_>>());
    invalid("call.ended", "disconnect_cause", &[json!(-1), json!(13), json!(268), json!("2"), json!(2.0)]);
}

#[test]
fn integers_are_json_integers_within_64_bits() {
    let bad_integers = [json!(1.0), json!(true), json!("1"), json!(u64::MAX), json!([1])];
    let fields = [
        (KIND, "mono_ms"),
        (KIND, "status"),
        ("push.sent", "expires_at"),
        ("push.received", "active_calls"),
        ("call.report_failed", "error_code"),
        ("call.transaction_failed", "error_code"),
        ("app.terminated", "termination_code"),
    ];
    for (kind, field) in fields {
        valid(kind, field, &[json!(0), json!(-1), json!(i64::MAX), json!(i64::MIN)]);
        invalid(kind, field, &bad_integers);
    }
    invalid(KIND, "clock_offset_ms", &bad_integers);
    for (kind, field) in
        [("push.received", "must_report"), ("push.handler_returned", "reported"), ("app.terminated", "inferred")]
    {
        valid(kind, field, &[json!(true), json!(false)]);
        invalid(kind, field, &[json!(0), json!("true"), json!({})]);
    }
    for (kind, field) in
        [("push.sent", "priority"), ("push.received", "priority"), ("push.received", "original_priority")]
    {
        valid(kind, field, &[json!(10), json!("high"), json!("")]);
        invalid(kind, field, &[json!(1.5), json!(true), json!([])]);
    }
}

#[test]
fn times_are_near_the_log_time_or_before_it() {
    valid(KIND, "occurred_at", &[json!(0), json!(T0 + DAY_MS), json!("2026-09-21T14:13:60.123456z")]);
    valid(KIND, "occurred_at", &[json!("1970-01-01T00:00:00Z"), json!("2026-09-22T14:13:20.000Z")]);
    invalid(
        KIND,
        "occurred_at",
        &[json!(-1), json!(1.5), json!(""), json!("now"), json!(true), json!(T0 + DAY_MS + 1)],
    );
    invalid(
        KIND,
        "occurred_at",
        &[json!("2026-09-21T14:13:20"), json!("2026-09-21 14:13:20Z"), json!("1969-12-31T23:59:59Z")],
    );
    valid(KIND, "clock_offset_ms", &[json!(-T0), json!(DAY_MS), json!(null)]);
    invalid(KIND, "clock_offset_ms", &[json!(-T0 - 1), json!(DAY_MS + 1), json!(i64::MIN), json!(i64::MAX)]);
    let old = ios(KIND, 0, json!({"occurred_at": 0}));
    accepted(&old, 0);
    accepted(&old, 4_102_444_800_000);
    for log_at in [-1, 4_102_444_800_001, i64::MIN, i64::MAX] {
        refused(old.to_string().as_bytes(), log_at, "not_storable", "record timestamp");
    }
}

#[test]
fn fields_of_other_kinds_are_unknown_fields() {
    for kind in ["push.accepted", "call.initiated", "call.held", "app.launched", "new.kind"] {
        valid(kind, "app_state", &[json!("asleep"), json!(1)]);
        valid(kind, "end_reason", &[json!(99), json!({"a": [null]})]);
        valid(kind, "something_new", &[json!(1.5), json!("x"), json!([{}])]);
    }
    valid("push.suppressed", "channel", &[json!("carrier pigeon")]);
}

#[test]
fn a_line_may_carry_its_log_time() {
    let line = |log_at: Value| ios(KIND, 0, json!({"log_at": log_at})).to_string();
    let parse = |line: &str| Event::parse_line(line.as_bytes()).map(|(event, at)| (event.attributes, at));
    assert_eq!(parse(&line(json!(T0 + 5))).unwrap(), (r#"{"push_id":"p1"}"#.to_owned(), T0 + 5));
    assert_eq!(parse(&line(json!(null))).unwrap().1, T0);
    for bad in [json!("x"), json!(1.0), json!(true), json!([])] {
        let reject = parse(&line(bad)).unwrap_err();
        assert_eq!((reject.reason.as_str(), reject.detail.split(':').next()), ("invalid_field", Some("log_at")));
    }
    let reject = parse(&line(json!(T0 - DAY_MS - 1))).unwrap_err();
    assert_eq!(reject.detail.split(':').next(), Some("occurred_at"));
}
