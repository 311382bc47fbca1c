//! The columns of `legs` and `calls` (contract section 5).

use ringtrace_model::{Call, Diagnosis, MAX_LEGS_PER_CALL, Rules};
use serde_json::{Value, json};

use crate::events::{T0, android, event, ios, server};
use crate::fold::{key, read};
use crate::table::{EVER, check_call, check_leg};

#[track_caller]
fn leg(case: &str, events: &[Value], expect: Value) {
    check_leg(case, events, EVER, &expect);
}

#[track_caller]
fn call(case: &str, events: &[Value], expect: Value) {
    check_call(case, events, EVER, &expect);
}

fn on(device: &str, mut event: Value) -> Value {
    event["device_id"] = device.into();
    event
}

fn ended_by_server(at: i64, reason: Value) -> Value {
    event("s", "call.ended", at, json!({"device_id": null, "end_reason": reason}))
}

#[test]
fn attempts_are_distinct_pushes_sent() {
    let sent = |at, id: Value| ios("push.sent", at, json!({"push_id": id}));
    let unnamed = |id: &str| ios("push.sent", 5, json!({"push_id": null, "event_id": id}));
    let attempts = |count: i64| json!({"push_attempts": count});
    leg("none", &[ios("push.received", 0, json!({}))], attempts(0));
    leg("one, sent twice", &[sent(0, json!("a")), sent(1, json!("a"))], attempts(1));
    leg("two", &[sent(0, json!("a")), sent(1, json!("b"))], attempts(2));
    leg("without an id", &[sent(0, json!("a")), unnamed("e1"), unnamed("e2"), unnamed("e2")], attempts(3));
    let cancel = ios("push.sent", 5, json!({"push_id": "c", "purpose": "cancel"}));
    leg("other purposes", &[sent(0, json!("a")), cancel], attempts(1));
}

#[test]
fn accepted_pushes_are_counted_by_id_and_those_without_once() {
    #[track_caller]
    fn check(events: &[Value], expected: u32) {
        let calls = Calls::of(events);
        let (key, call) = calls.0.first_key_value().unwrap();
        let evaluation = call.evaluate(key, &Rules::default(), EVER).unwrap();
        assert_eq!(evaluation.legs[0].pushes_accepted, expected);
    }
    let accepted = |id: Value, purpose: &str| ios("push.accepted", 5, json!({"push_id": id, "event_id": format!("{id}"), "purpose": purpose}));
    let of_call = |id: Value| accepted(id, "incoming_call");
    check(&[ios("push.sent", 0, json!({"push_id": "a"}))], 0);
    check(&[of_call(json!("a")), of_call(json!("a")), of_call(json!("b"))], 2);
    check(&[of_call(json!(null)), of_call(json!(null)), of_call(json!("a"))], 2);
    check(&[of_call(json!("a")), accepted(json!("c"), "cancel")], 1);
}

#[test]
fn the_reason_of_the_earliest_rejection() {
    let refused = |kind: &str, at, reason: Value| ios(kind, at, json!({"reason": reason}));
    let reason = |reason: Value| json!({"push_reject_reason": reason});
    let rejected = [refused("push.rejected", 5, json!("b")), refused("push.rejected", 4, json!("a"))];
    leg("earliest", &rejected, reason(json!("a")));
    let both = [refused("push.rejected", 5, json!("r")), refused("push.failed", 1, json!("f"))];
    leg("a rejection over a failure", &both, reason(json!("r")));
    leg("a failure", &both[1..], reason(json!("f")));
    let silent = [refused("push.rejected", 5, json!(null)), refused("push.failed", 1, json!("f"))];
    leg("a rejection without a reason", &silent, reason(json!(null)));
    leg("none", &[ios("push.suppressed", 1, json!({"reason": "no_voip_token"}))], reason(json!(null)));
    let cancel = ios("push.rejected", 1, json!({"reason": "x", "purpose": "cancel"}));
    leg("other purposes", &[cancel], reason(json!(null)));
}

#[test]
fn channel_and_environment_of_the_earliest_push() {
    let sent = |at, more: Value| ios("push.sent", at, more);
    let is = |channel: Value, environment: Value| json!({"channel": channel, "environment": environment});
    leg("default", &[sent(0, json!({}))], is(json!("apns_voip"), json!("production")));
    let sandbox = || sent(5, json!({"push_id": "s", "channel": "apns_alert", "environment": "sandbox"}));
    leg("said", &[sandbox()], is(json!("apns_alert"), json!("sandbox")));
    leg("earliest", &[sandbox(), sent(4, json!({}))], is(json!("apns_voip"), json!("production")));
    let received = |more: Value| ios("push.received", 1, more);
    leg("of the receipt", &[received(json!({"channel": "socket"}))], is(json!("socket"), json!(null)));
    leg("of the platform", &[received(json!({}))], is(json!("apns_voip"), json!(null)));
    leg("of the platform", &[android("push.received", 1, json!({}))], is(json!("fcm"), json!(null)));
    leg(
        "sent comes first",
        &[received(json!({"channel": "socket"})), sandbox()],
        is(json!("apns_alert"), json!("sandbox")),
    );
    leg("none", &[received(json!({"platform": "web"}))], is(json!(null), json!(null)));
    leg("other steps", &[ios("push.accepted", 1, json!({}))], is(json!(null), json!(null)));
}

#[test]
fn call_ui_is_of_the_first_report() {
    let ui = |ui: Value| json!({"call_ui": ui});
    let reported = |at, more: Value| ios("call.reported", at, more);
    leg("default on iOS", &[reported(0, json!({}))], ui(json!("callkit")));
    let two = [reported(1, json!({"call_ui": "telecom"})), reported(0, json!({"call_ui": "custom"}))];
    leg("said", &two, ui(json!("custom")));
    leg("no default elsewhere", &[android("call.reported", 0, json!({}))], ui(json!(null)));
    leg("unknown platform", &[reported(0, json!({"platform": null}))], ui(json!(null)));
    let voip = ios("push.sent", 0, json!({"platform": null}));
    leg("unknown platform, voip push", &[reported(0, json!({"platform": null})), voip], ui(json!("callkit")));
    leg("no report", &[ios("call.report_failed", 0, json!({}))], ui(json!(null)));
}

#[test]
fn end_reasons_are_words() {
    let reason = |word: Value| json!({"end_reason": word});
    for (raw, word) in
        [(1, "failed"), (2, "remote_ended"), (3, "unanswered"), (4, "answered_elsewhere"), (5, "declined_elsewhere")]
    {
        leg(word, &[ios("call.ended", 0, json!({"end_reason": raw}))], reason(json!(word)));
    }
    let two = [ios("call.ended", 1, json!({"end_reason": 1})), ios("call.ended", 0, json!({}))];
    leg("of the earliest", &two, json!({"end_reason": null, "ended_at": T0}));
    leg("not the server's", &[two[0].clone(), ended_by_server(0, json!(3))], reason(json!("failed")));
    let cause = android("call.ended", 0, json!({"disconnect_cause": 5}));
    leg("no cause", &[cause], json!({"end_reason": null, "outcome": "unanswered"}));
}

#[test]
fn dimensions_come_from_the_earliest_event_that_has_them() {
    let with = |at, more: Value| ios("call.answered", at, more);
    let late = with(9, json!({"os_version": "18.1", "country": "DE", "app_id": "late"}));
    let early = with(3, json!({"os_version": "17", "carrier": "", "network": "wifi", "platform": null}));
    let expect = json!({"os_version": "17", "os_major": 17, "country": "DE", "carrier": null, "network": "wifi",
        "app_id": "com.acme.talk", "platform": "ios", "started_at": T0 + 3});
    leg("each by itself", &[late.clone(), early.clone()], expect);
    let corrected = with(9, json!({"os_version": "16.7", "app_id": "corrected", "clock_offset_ms": -9}));
    let expect = json!({"os_version": "16.7", "app_id": "corrected", "started_at": T0});
    leg("by corrected time", &[late.clone(), early, corrected], expect);
    let tie = |id: &str| event(id, "call.answered", 9, json!({"country": id}));
    leg("ties by event_id", &[tie("b"), tie("a")], json!({"country": "a"}));
    let misuse = ios("push.sent", 0, json!({"purpose": "cancel", "country": "FR"}));
    leg("any purpose", &[late.clone(), misuse], json!({"country": "FR", "started_at": T0}));
    let timeline = ["call.held", "call.ringing", "call.new"].map(|kind| ios(kind, 0, json!({"country": "FR"})));
    leg(
        "no timeline or unknown kind",
        &[[late.clone()].as_slice(), &timeline].concat(),
        json!({"country": "DE", "started_at": T0 + 9}),
    );
    let of_call = event("i", "call.initiated", 0, json!({"country": "FR", "app_id": "server"}));
    leg(
        "nor an event of the call",
        &[late.clone(), of_call.clone()],
        json!({"country": "DE", "app_id": "late", "started_at": T0 + 9}),
    );
    call("a call's are over all", &[late, of_call], json!({"app_id": "server", "started_at": T0, "legs": 1}));
    for (version, major) in [("17.6.1", 17), ("9", 9), ("beta 17", 0), ("99999999", 65_535), ("013", 13)] {
        leg(version, &[with(0, json!({"os_version": version}))], json!({"os_version": version, "os_major": major}));
    }
}

#[test]
fn times_are_corrected_and_of_the_earliest_event() {
    for (kind, column) in [
        ("push.sent", "sent_at"),
        ("push.accepted", "accepted_at"),
        ("push.received", "received_at"),
        ("call.reported", "reported_at"),
        ("call.answered", "answered_at"),
        ("call.audio_activated", "audio_at"),
        ("call.declined", "declined_at"),
        ("call.ended", "ended_at"),
    ] {
        let first = ios(kind, 10, json!({"clock_offset_ms": 500}));
        let second = ios(kind, 11, json!({"clock_offset_ms": -500}));
        leg(kind, &[second, first, ios("app.terminated", 0, json!({}))], json!({column: T0 + 510}));
        leg(kind, &[ios("app.terminated", 0, json!({}))], json!({column: null}));
    }
    let state = |at, state: &str| ios("push.received", at, json!({"app_state": state}));
    leg("app_state", &[state(5, "foreground"), state(4, "not_running")], json!({"app_state": "not_running"}));
}

#[test]
fn a_call_adds_up_its_callee_legs() {
    let unreported = |device: &str| on(device, ios("push.received", 0, json!({})));
    let rejected = on("d3", ios("push.rejected", 0, json!({"status": 429})));
    let caller = [
        on("c1", ios("call.outgoing_started", 0, json!({}))),
        on("c1", ios("push.rejected", 1, json!({"status": 403}))),
    ];
    let events = [[unreported("d1"), unreported("d2"), rejected].as_slice(), &caller].concat();
    let expect = json!({"legs": 3, "legs_violating": 2, "diagnoses": ["push_unreported", "throttled"]});
    call("legs", &events, expect);
    leg("caller", &events, json!({"device_id": "c1", "role": "caller", "diagnoses": ["credential_error"]}));
    leg("callee", &events, json!({"role": "callee"}));
    let violating_caller = [caller[0].clone(), unreported("c1")];
    call("a caller's leg", &violating_caller, json!({"legs": 0, "legs_violating": 0, "diagnoses": []}));
    leg("a caller's leg", &violating_caller, json!({"device_id": "c1", "verdict": "unreported"}));
}

#[test]
fn times_and_end_of_a_call() {
    let events = [
        event("i", "call.initiated", 1, json!({"clock_offset_ms": 1})),
        server("c", "call.connected", 30),
        server("x", "call.cancelled", 40),
        on("d1", ios("call.answered", 25, json!({"clock_offset_ms": 10}))),
        on("d2", ios("call.answered", 28, json!({}))),
        on("c1", ios("call.answered", 5, json!({}))),
        on("c1", ios("call.outgoing_connected", 5, json!({}))),
    ];
    let expect = json!({"initiated_at": T0 + 2, "connected_at": T0 + 30, "cancelled_at": T0 + 40, "answered_at": T0 + 28,
        "ended_at": null, "end_reason": null, "started_at": T0 + 2});
    call("times", &events, expect);
    let leg_end = |device: &str, at, reason: i64| on(device, ios("call.ended", at, json!({"end_reason": reason})));
    let legs = || [leg_end("d1", 60, 1), leg_end("d2", 50, 4)];
    call("of the legs", &legs(), json!({"end_reason": "answered_elsewhere", "ended_at": T0 + 50}));
    let servers = [ended_by_server(90, json!("failed")), ended_by_server(80, json!(3))];
    let all = [legs().as_slice(), &servers].concat();
    call("of the server", &all, json!({"end_reason": "unanswered", "ended_at": T0 + 80}));
    let silent = [legs().as_slice(), &[ended_by_server(90, json!(null))]].concat();
    call("of the server, without a reason", &silent, json!({"end_reason": null, "ended_at": T0 + 90}));
    let caller = [on("c1", ios("call.outgoing_started", 0, json!({}))), leg_end("c1", 5, 1)];
    call("not a caller's", &caller, json!({"end_reason": null, "ended_at": null}));
    let with_device =
        ["call.initiated", "call.connected", "call.cancelled", "call.busy"].map(|kind| ios(kind, 0, json!({})));
    call(
        "events of the call may name a device",
        &with_device,
        json!({"legs": 0, "initiated_at": T0, "outcome": "answered"}),
    );
}

#[test]
fn a_call_keeps_the_legs_of_the_smallest_devices() {
    let mut call = Call::default();
    let key = key();
    let add = |call: &mut Call, device: usize| {
        let text = ios("push.suppressed", 0, json!({"device_id": format!("d{device:05}")})).to_string();
        call.apply(&read(&(text, T0)), T0)
    };
    let seen = |call: &Call| {
        let rows = call.evaluate(&key, &Rules::default(), i64::MAX).unwrap();
        let limited = rows.legs.iter().filter(|leg| leg.diagnoses.contains(Diagnosis::LimitExceeded)).count();
        let ends = [rows.legs.first(), rows.legs.last()].map(|leg| leg.unwrap().device_id.to_owned());
        (ends, rows.call.legs as usize, limited)
    };
    let expect = |first: &str, last: &str, limited| ([first.to_owned(), last.to_owned()], MAX_LEGS_PER_CALL, limited);
    for device in 1..=MAX_LEGS_PER_CALL {
        assert!(add(&mut call, device));
    }
    assert_eq!(seen(&call), expect("d00001", "d10000", 0));
    assert!(add(&mut call, MAX_LEGS_PER_CALL + 1), "now the limit is exceeded");
    assert!(!add(&mut call, MAX_LEGS_PER_CALL + 2));
    assert_eq!(seen(&call), expect("d00001", "d10000", MAX_LEGS_PER_CALL));
    assert!(add(&mut call, 0));
    assert_eq!(seen(&call), expect("d00000", "d09999", MAX_LEGS_PER_CALL));
}
