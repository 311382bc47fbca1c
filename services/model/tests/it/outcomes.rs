//! What became of a leg and of a call (contract section 4.2), line by line.

use serde_json::{Value, json};

use crate::events::{android, event, ios, server};
use crate::table::{EVER, check_call, check_leg};

#[track_caller]
fn leg(case: &str, events: &[Value], now: i64, outcome: &str) {
    check_leg(case, events, now, &json!({"outcome": outcome}));
}

#[track_caller]
fn call(case: &str, events: &[Value], now: i64, outcome: &str) {
    check_call(case, events, now, &json!({"outcome": outcome}));
}

/// The same event, on another device.
fn on(device: &str, mut event: Value) -> Value {
    event["device_id"] = device.into();
    event
}

fn ended(at: i64, reason: impl Into<Value>) -> Value {
    ios("call.ended", at, json!({"end_reason": reason.into()}))
}

fn ended_by_server(at: i64, reason: &str) -> Value {
    event("s", "call.ended", at, json!({"device_id": null, "end_reason": reason}))
}

/// A push that makes no voip push of the leg.
fn socket(at: i64, push_id: &str) -> Value {
    ios("push.sent", at, json!({"push_id": push_id, "channel": "socket"}))
}

fn about(kind: &str, at: i64, push_id: Option<&str>) -> Value {
    ios(kind, at, json!({"push_id": push_id}))
}

fn filtered() -> [Value; 2] {
    [ios("push.received", 1, json!({"channel": "apns_voip"})), ios("call.report_failed", 2, json!({"error_code": 3}))]
}

#[test]
fn of_a_leg_each_line_stands_over_those_after_it() {
    let mut events = vec![socket(0, "s")];
    leg("in_progress", &events, 120_000, "in_progress");
    leg("unknown", &events, 120_001, "unknown");
    let steps = [
        ("unreachable", vec![about("push.rejected", 1, Some("s"))]),
        ("unanswered", vec![ended_by_server(50, "timeout")]),
        ("filtered", filtered().to_vec()),
        ("cancelled", vec![server("c", "call.cancelled", 40)]),
        ("busy", vec![server("b", "call.busy", 40)]),
        ("declined_elsewhere", vec![on("d2", ios("call.declined", 30, json!({})))]),
        ("answered_elsewhere", vec![on("d3", ios("call.answered", 30, json!({})))]),
        ("failed", vec![ended(60, "failed")]),
        ("declined", vec![ios("call.declined", 70, json!({}))]),
        ("answered", vec![ios("call.answered", 80, json!({}))]),
    ];
    for (outcome, more) in steps {
        events.extend(more);
        leg(outcome, &events, 0, outcome);
        leg(outcome, &events, EVER, outcome);
    }
}

#[test]
fn the_device_says_why_its_call_ended() {
    let outcomes = ["failed", "cancelled", "unanswered", "answered_elsewhere", "declined_elsewhere"];
    let words = ["failed", "remote_ended", "unanswered", "answered_elsewhere", "declined_elsewhere"];
    for (raw, (word, outcome)) in words.into_iter().zip(outcomes).enumerate() {
        leg(word, &[ended(0, word)], 0, outcome);
        leg(word, &[ended(0, raw + 1)], 0, outcome);
        leg("the earliest", &[ended(1, "local"), ended(0, word)], EVER, outcome);
    }
    leg("local maps to nothing", &[ended(0, "local")], EVER, "unknown");
    leg("nor does no reason", &[ended(0, Value::Null)], EVER, "unknown");
    leg("a device's timeout is the call's end", &[ended(0, "timeout")], EVER, "unanswered");
    leg("unless the server says", &[ended(0, "timeout"), ended_by_server(9, "local")], EVER, "unknown");
    leg("the server's reason is not the device's", &[socket(0, "s"), ended_by_server(9, "failed")], EVER, "unknown");
}

#[test]
fn on_android_a_disconnect_cause_stands_in_for_a_missing_reason() {
    let outcomes = [
        "unknown",
        "unknown",
        "declined",
        "cancelled",
        "cancelled",
        "unanswered",
        "declined",
        "busy",
        "unknown",
        "unknown",
        "unknown",
        "answered_elsewhere",
        "unknown",
    ];
    for (cause, outcome) in outcomes.into_iter().enumerate() {
        let case = format!("cause {cause}");
        let fields = json!({"disconnect_cause": cause});
        leg(&case, &[android("call.ended", 0, fields.clone())], EVER, outcome);
        for platform in [json!("ios"), json!("other"), json!(null)] {
            let elsewhere = ios("call.ended", 0, json!({"disconnect_cause": cause, "platform": platform}));
            leg(&case, &[elsewhere], EVER, "unknown");
        }
        let with_reason = android("call.ended", 0, json!({"disconnect_cause": cause, "end_reason": "local"}));
        leg(&case, &[with_reason], EVER, "unknown");
        let other_leg = [android("call.ended", 0, fields), on("d2", socket(0, "s"))];
        let elsewhere = if outcome == "declined" { "declined_elsewhere" } else { "unknown" };
        check_leg(&case, &other_leg, EVER, &json!({"device_id": "d2", "outcome": elsewhere}));
    }
}

#[test]
fn elsewhere_is_by_another_legs_own_events() {
    let rings = || socket(0, "s");
    let answers = |device| on(device, ios("call.answered", 5, json!({})));
    let declines = |device| on(device, ios("call.declined", 5, json!({})));
    leg("answered", &[rings(), answers("d2")], EVER, "answered_elsewhere");
    leg("declined", &[rings(), declines("d2")], EVER, "declined_elsewhere");
    leg("answered and declined", &[rings(), declines("d2"), answers("d3")], EVER, "answered_elsewhere");
    let hearsay = [rings(), on("d2", ended(5, "answered_elsewhere"))];
    leg("a leg that heard of an answer did not answer", &hearsay, EVER, "unknown");
    let hearsay = [rings(), on("d2", ended(5, "declined_elsewhere"))];
    leg("nor did one that heard of a decline decline", &hearsay, EVER, "unknown");
    let caller = |event| [rings(), on("d2", ios("call.outgoing_started", 0, json!({}))), event];
    leg("a caller's answer is none", &caller(answers("d2")), EVER, "unknown");
    leg("a caller's decline is none", &caller(declines("d2")), EVER, "unknown");
    leg("connected says of no leg", &[rings(), server("c", "call.connected", 5)], EVER, "unknown");
}

#[test]
fn unreachable_by_verdict_or_by_every_push() {
    let sent = || ios("push.sent", 0, json!({}));
    leg("rejected", &[sent(), about("push.rejected", 1, Some("p1"))], 2, "unreachable");
    leg("no_receipt", &[sent()], 60_000, "unreachable");
    leg("pending", &[sent()], 59_999, "in_progress");
    leg("unreported", &[sent(), ios("push.received", 1, json!({}))], 30_001, "unreachable");
    leg("exempt", &[ios("push.received", 1, json!({"app_state": "foreground"}))], EVER, "unknown");
    leg("reported", &[ios("push.received", 1, json!({})), ios("call.reported", 2, json!({}))], EVER, "unknown");
    leg("no push", &[ios("call.reported", 2, json!({}))], EVER, "unknown");
    leg("suppressed", &[ios("push.suppressed", 2, json!({}))], EVER, "unknown");
    let refused = |id| about("push.rejected", 9, id);
    let failed = |id| about("push.failed", 9, id);
    leg("every one", &[socket(0, "a"), socket(1, "b"), refused(Some("a")), failed(Some("b"))], 10, "unreachable");
    leg("all but one", &[socket(0, "a"), socket(1, "b"), refused(Some("a"))], EVER, "unknown");
    leg("an answer without an id is the earliest's", &[socket(0, "z"), refused(None)], 10, "unreachable");
    let second = [socket(0, "z"), socket(1, "a"), refused(None), refused(Some("a"))];
    leg("an answer without an id is the earliest's", &second, 10, "unreachable");
    let twice = [socket(0, "z"), socket(1, "a"), refused(None), refused(Some("z"))];
    leg("an answer without an id is the earliest's", &twice, EVER, "unknown");
    let unnamed = [ios("push.sent", 0, json!({"push_id": null, "channel": "fcm"})), failed(None)];
    leg("a push without an id", &unnamed, 10, "unreachable");
    leg("received", &[socket(0, "a"), refused(Some("a")), about("push.received", 3, Some("a"))], EVER, "unknown");
    let cancel = ios("push.sent", 0, json!({"push_id": "c", "channel": "socket", "purpose": "cancel"}));
    leg("other purposes are no push", &[cancel.clone(), refused(Some("c"))], EVER, "unknown");
    leg("and save none", &[cancel, socket(1, "a"), refused(Some("a"))], 10, "unreachable");
}

#[test]
fn of_a_call_each_line_stands_over_those_after_it() {
    let mut events = vec![on("d1", socket(0, "s"))];
    call("in_progress", &events, 120_000, "in_progress");
    call("unknown", &events, 120_001, "unknown");
    let rejected = about("push.rejected", 0, Some("s"));
    let steps = [
        ("unreachable", 0, vec![rejected]),
        ("in_progress", 120_000, vec![on("d2", socket(0, "s"))]),
        ("unknown", EVER, vec![]),
        ("unanswered", EVER, vec![on("d2", ended(9, 3))]),
        ("failed", EVER, vec![on("d3", ended(9, 1))]),
        ("filtered", EVER, filtered().map(|event| on("d4", event)).to_vec()),
        ("cancelled", EVER, vec![on("d5", ended(9, 2))]),
        ("busy", EVER, vec![on("d6", android("call.ended", 9, json!({"disconnect_cause": 7})))]),
        ("declined", EVER, vec![on("d7", ios("call.declined", 9, json!({})))]),
        ("answered", EVER, vec![on("d8", ios("call.answered", 9, json!({})))]),
    ];
    for (outcome, now, more) in steps {
        events.extend(more);
        call(outcome, &events, now, outcome);
    }
}

#[test]
fn a_calls_own_events_say_what_its_legs_do_not() {
    let rings = || socket(0, "s");
    call("connected", &[rings(), server("c", "call.connected", 5)], EVER, "answered");
    call("busy", &[rings(), server("b", "call.busy", 5)], EVER, "busy");
    call("cancelled", &[rings(), server("c", "call.cancelled", 5)], EVER, "cancelled");
    for (reason, outcome) in [("failed", "failed"), ("unanswered", "unanswered"), ("timeout", "unanswered")] {
        call(reason, &[rings(), ended_by_server(5, reason)], EVER, outcome);
        call("without legs", &[ended_by_server(5, reason)], EVER, outcome);
    }
    for reason in ["local", "remote_ended", "answered_elsewhere", "declined_elsewhere"] {
        call(reason, &[rings(), ended_by_server(5, reason)], EVER, "unknown");
    }
    call("a leg heard of an answer", &[ended(5, 4)], EVER, "answered");
    call("a leg heard of a decline", &[ended(5, 5)], EVER, "declined");
    let caller = |event| [on("c1", ios("call.outgoing_started", 0, json!({}))), on("c1", event)];
    for event in [ios("call.answered", 5, json!({})), ended(5, "failed"), ios("call.declined", 5, json!({}))] {
        call("a caller's leg says nothing", &caller(event), EVER, "unknown");
    }
}

#[test]
fn without_legs_a_call_goes_on_until_the_ring_timeout() {
    let initiated = || server("i", "call.initiated", 0);
    call("at first", &[initiated()], 120_000, "in_progress");
    call("then", &[initiated()], 120_001, "unknown");
    let caller = || on("c1", ios("call.outgoing_started", 500, json!({"clock_offset_ms": 1_000})));
    call("callers' events count", &[initiated(), caller()], 121_500, "in_progress");
    call("callers' events count", &[initiated(), caller()], 121_501, "unknown");
    check_leg("its outcome", &[initiated(), caller()], 0, &json!({"device_id": "c1", "outcome": "in_progress"}));
    let legs = [socket(0, "s"), server("i", "call.initiated", 90_000)];
    call("a leg's own events alone keep it", &legs, 120_000, "in_progress");
    call("a leg's own events alone keep it", &legs, 120_001, "unknown");
    call("no leg, no reach", &[initiated()], EVER, "unknown");
}

#[test]
fn a_callers_leg_has_the_calls_outcome() {
    let caller = |more: Vec<Value>| {
        let events = [on("c1", ios("call.outgoing_connecting", 0, json!({}))), on("c1", ended(9, "failed"))];
        [events.to_vec(), more].concat()
    };
    for (outcome, more) in [
        ("answered", ios("call.answered", 5, json!({}))),
        ("declined", ios("call.declined", 5, json!({}))),
        ("cancelled", server("c", "call.cancelled", 5)),
        ("unreachable", about("push.rejected", 5, Some("p1"))),
        ("unknown", socket(0, "s")),
    ] {
        let expect = json!({"device_id": "c1", "role": "caller", "outcome": outcome});
        check_leg(outcome, &caller(vec![more]), EVER, &expect);
    }
}
