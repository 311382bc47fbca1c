//! The latencies of a leg (contract section 4.3).

use serde_json::{Value, json};

use crate::events::{Calls, ios, server};
use crate::table::{EVER, check_leg};

#[track_caller]
fn check(events: &[Value], latency: &str, expect: Option<i64>) {
    check_leg(latency, events, EVER, &json!({latency: expect}));
}

fn boot(ms: i64) -> Value {
    json!({"mono_ms": ms, "boot_id": "b"})
}

#[test]
fn cross_clock_ones_use_corrected_times_and_are_null_where_negative() {
    for (from, to, latency) in [
        ("push.sent", "push.accepted", "sent_to_accepted_ms"),
        ("push.accepted", "push.received", "accepted_to_received_ms"),
        ("push.sent", "push.received", "sent_to_received_ms"),
        ("call.initiated", "call.reported", "initiated_to_reported_ms"),
    ] {
        let pair = |a: (i64, i64), b: (i64, i64)| {
            let clock = |ms: i64| json!({"clock_offset_ms": ms, "mono_ms": 5, "boot_id": "b"});
            [ios(from, a.0, clock(a.1)), ios(to, b.0, clock(b.1)), ios("push.suppressed", 0, json!({}))]
        };
        let negatives = |events: &[Value]| {
            let calls = Calls::of(events);
            let (key, call) = calls.0.first_key_value().unwrap();
            call.evaluate(key, &Default::default(), 0).unwrap().negative_latencies
        };
        check(&pair((100, 0), (350, 0)), latency, Some(250));
        check(&pair((100, 30), (350, -20)), latency, Some(200));
        check(&pair((100, 0), (100, 0)), latency, Some(0));
        check(&pair((100, 0), (99, 0)), latency, None);
        assert_eq!(negatives(&pair((100, 0), (100, 0))), 0, "{latency}");
        assert_eq!(negatives(&pair((100, 0), (99, 0))), 1, "{latency}");
        check(&[ios(to, 5, json!({}))], latency, None);
        check(&[ios(from, 5, json!({})), ios("push.suppressed", 0, json!({}))], latency, None);
        let corrected = ios(from, 10, json!({"clock_offset_ms": 90}));
        let earlier = [corrected, ios(from, 50, json!({})), ios(to, 300, json!({}))];
        check(&earlier, latency, Some(200));
    }
}

#[test]
fn device_ones_use_the_monotonic_clock_and_are_0_where_negative() {
    for (from, to, latency) in [
        ("push.received", "call.reported", "received_to_reported_ms"),
        ("call.reported", "call.answered", "reported_to_answered_ms"),
        ("call.answered", "call.audio_activated", "answered_to_audio_ms"),
        ("call.answered", "call.ended", "talk_ms"),
    ] {
        let pair = |a: (i64, Value), b: (i64, Value)| [ios(from, a.0, a.1), ios(to, b.0, b.1)];
        let none = || json!({});
        check(&pair((100, none()), (350, none())), latency, Some(250));
        check(&pair((100, json!({"clock_offset_ms": 7})), (350, none())), latency, Some(250));
        check(&pair((100, none()), (99, none())), latency, Some(0));
        check(&pair((100, boot(1)), (99, boot(41))), latency, Some(40));
        check(&pair((100, boot(41)), (350, boot(1))), latency, Some(0));
        check(&pair((100, boot(1)), (350, json!({"mono_ms": 41, "boot_id": "c"}))), latency, Some(250));
        check(&pair((100, boot(1)), (350, json!({"mono_ms": 41}))), latency, Some(250));
        check(&[ios(to, 5, none())], latency, None);
        check(&[ios(from, 5, none())], latency, None);
        let first = [ios(from, 0, none()), ios(from, 50, none()), ios(to, 80, none()), ios(to, 90, none())];
        check(&first, latency, Some(80));
    }
}

#[test]
fn a_report_is_measured_to_the_first_call_reported() {
    let events = [
        ios("push.received", 0, json!({})),
        ios("call.report_failed", 5, json!({})),
        ios("push.handler_returned", 6, json!({})),
        ios("call.reported", 40, json!({})),
    ];
    check(&events, "received_to_reported_ms", Some(40));
}

#[test]
fn other_purposes_are_not_measured() {
    let events = [
        ios("push.sent", 0, json!({"push_id": "c", "purpose": "cancel"})),
        ios("push.received", 1, json!({"push_id": "c"})),
        ios("push.sent", 10, json!({})),
        ios("push.received", 30, json!({})),
    ];
    check(&events, "sent_to_received_ms", Some(20));
}

#[test]
fn talk_ends_with_the_device_not_the_server() {
    let events = [ios("call.answered", 0, json!({})), server("s", "call.ended", 50)];
    check(&events, "talk_ms", None);
}
