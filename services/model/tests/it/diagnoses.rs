//! Every row of the table of diagnoses (contract section 4.4): a case that has it, and the nearest that has not.

use serde_json::{Value, json};

use crate::events::{android, event, ios, server};
use crate::table::{EVER, check_leg};

/// Checks all diagnoses of `d1` at log time `now` milliseconds after `T0`.
#[track_caller]
fn at(now: i64, events: &[Value], codes: &[&str]) {
    check_leg(&codes.join(" "), events, now, &json!({"diagnoses": codes}));
}

/// As [`at`], when nothing is pending any more.
#[track_caller]
fn finally(events: &[Value], codes: &[&str]) {
    at(EVER, events, codes);
}

fn sent(at: i64) -> Value {
    ios("push.sent", at, json!({}))
}

fn received(at: i64) -> Value {
    ios("push.received", at, json!({}))
}

fn reported(at: i64) -> Value {
    ios("call.reported", at, json!({}))
}

fn rejected(more: Value) -> Value {
    ios("push.rejected", 5, more)
}

fn failed(domain: &str, code: i64) -> Value {
    ios("call.report_failed", 2, json!({"error_domain": domain, "error_code": code}))
}

/// A voip push that was received and reported, and more events.
fn good(more: &[Value]) -> Vec<Value> {
    [&[sent(0), received(1), reported(2)], more].concat()
}

#[test]
fn a_good_call_has_none() {
    finally(&good(&[]), &[]);
    finally(&good(&[server("i", "call.initiated", 0), server("e", "call.ended", 9)]), &[]);
}

#[test]
fn those_of_the_verdict() {
    finally(&[sent(0), received(1)], &["push_unreported"]);
    at(1_000, &[sent(0), received(1)], &[]);
    finally(&[received(0), reported(7_001)], &["report_late"]);
    finally(&[received(0), reported(7_000)], &[]);
    finally(&[received(0), failed("incoming_call", 0)], &["report_error"]);
    finally(&[received(0), failed("incoming_call", 0), reported(3)], &[]);
    finally(&[sent(0), ios("push.accepted", 1, json!({}))], &["accepted_not_received"]);
    finally(&[sent(0)], &[]);
    at(60_000, &[sent(0), ios("push.accepted", 1, json!({}))], &[]);
    finally(&[received(0), ios("call.declined", 1, json!({}))], &["report_event_missing"]);
    finally(&[received(0), reported(1), ios("call.declined", 2, json!({}))], &[]);
    let exempt = ios("push.received", 0, json!({"app_state": "foreground"}));
    finally(&[exempt, ios("call.declined", 1, json!({}))], &[]);
}

#[test]
fn filters_of_the_system() {
    for (code, diagnosis) in [
        (3, "filtered_do_not_disturb"),
        (4, "filtered_block_list"),
        (5, "filtered_restricted_sharing"),
        (7, "filtered_sensitive_participants"),
    ] {
        finally(&[received(0), failed("incoming_call", code)], &[diagnosis]);
        finally(&[received(0), failed("incoming_call", code), reported(9)], &[diagnosis]);
        finally(&[received(0), failed("telecom", code)], &["report_error"]);
    }
    for code in [0, 1, 6, 8] {
        finally(&[received(0), failed("incoming_call", code)], &["report_error"]);
    }
    finally(&[received(0), failed("incoming_call", 2)], &[]);
    finally(&[received(0), failed("foreground_service", 1)], &["foreground_service_blocked", "report_error"]);
    finally(&[received(0), failed("foreground", 1)], &["report_error"]);
}

#[test]
fn voip_pushes_are_for_incoming_calls() {
    let push = |kind: &str, channel: &str, purpose: &str| {
        ios(kind, 9, json!({"push_id": "c", "channel": channel, "purpose": purpose}))
    };
    for kind in ["push.sent", "push.received"] {
        for purpose in ["cancel", "data"] {
            finally(&good(&[push(kind, "apns_voip", purpose)]), &["voip_push_misused"]);
            finally(&[push(kind, "apns_voip", purpose)], &["voip_push_misused"]);
            finally(&good(&[push(kind, "apns_alert", purpose)]), &[]);
        }
    }
    finally(&good(&[push("push.accepted", "apns_voip", "cancel")]), &[]);
    finally(&good(&[push("push.sent", "apns_voip", "incoming_call")]), &[]);
    let by_sent = [push("push.sent", "fcm", "cancel"), ios("push.received", 10, json!({"push_id": "c"}))];
    finally(&good(&by_sent), &[]);
}

#[test]
fn one_push_a_leg() {
    let push = |id: &str, more: Value| {
        let mut push = ios("push.received", 9, more);
        push["push_id"] = id.into();
        push
    };
    finally(&good(&[push("p2", json!({}))]), &["duplicate_push"]);
    finally(&good(&[push("p1", json!({}))]), &[]);
    finally(&good(&[ios("push.sent", 9, json!({"push_id": "p2"}))]), &[]);
    finally(&good(&[push("p2", json!({"channel": "apns_alert", "purpose": "cancel"}))]), &[]);
    finally(&good(&[ios("push.received", 9, json!({"push_id": null}))]), &[]);
    finally(&good(&[push("p2", json!({"channel": "apns_alert"}))]), &["duplicate_push"]);
}

#[test]
fn reports_name_the_calls_uuid_and_have_a_push() {
    let other = "00000000-0000-0000-0000-000000000000";
    let report = |at, uuid: &str| ios("call.reported", at, json!({"reported_uuid": uuid}));
    finally(&good(&[report(9, other)]), &["uuid_mismatch"]);
    finally(&[sent(0), received(1), report(2, &crate::events::CALL.to_uppercase())], &[]);
    finally(&[sent(0), received(1), report(3, other), reported(2)], &["uuid_mismatch"]);
    for event in
        [reported(2), failed("incoming_call", 0), ios("call.declined", 2, json!({})), ios("call.ended", 2, json!({}))]
    {
        let code = ["orphan_report"];
        finally(std::slice::from_ref(&event), &code);
        finally(&[event.clone(), server("i", "call.initiated", 0)], &[]);
        finally(&[event.clone(), ios("push.suppressed", 0, json!({}))], &[]);
        let cancel = ios("push.sent", 0, json!({"channel": "fcm", "purpose": "cancel"}));
        finally(&[event.clone(), cancel], &[]);
        finally(&[event.clone(), ios("call.outgoing_started", 0, json!({}))], &[]);
        finally(&[event, event_of_d2()], &code);
    }
    finally(&[ios("call.transaction_failed", 2, json!({}))], &[]);
    finally(&[ios("app.terminated", 2, json!({}))], &[]);
}

fn event_of_d2() -> Value {
    event("other", "push.sent", 0, json!({"device_id": "d2", "channel": "fcm"}))
}

#[test]
fn calls_that_are_over() {
    for kind in ["call.cancelled", "call.ended"] {
        let over = |at| server("o", kind, at);
        finally(&good(&[over(0)]), &["ghost_call"]);
        finally(&good(&[over(1)]), &[]);
        let ahead = ios("push.received", 1, json!({"clock_offset_ms": 10}));
        finally(&[sent(0), ahead, reported(2), over(10)], &["ghost_call"]);
    }
    finally(&good(&[ios("call.ended", 0, json!({"end_reason": 2}))]), &[]);
    let answered = |ms| ios("call.answered", 20, json!({"clock_offset_ms": ms}));
    let audio = || ios("call.audio_activated", 20, json!({}));
    let cancelled = || server("c", "call.cancelled", 19);
    finally(&good(&[answered(0), audio(), cancelled()]), &["answered_after_cancel"]);
    finally(&good(&[answered(-1), audio(), cancelled()]), &[]);
    finally(&good(&[answered(0), audio(), server("e", "call.ended", 19)]), &[]);
}

#[test]
fn pushes_that_come_late() {
    let late = |ms| [sent(0), received(ms), reported(ms)];
    finally(&late(10_001), &["late_push"]);
    finally(&late(10_000), &[]);
    let expiring = |at: i64| ios("push.sent", 0, json!({"expires_at": crate::events::T0 + at}));
    finally(&[expiring(4), received(5), reported(6)], &["expired_push"]);
    finally(&[expiring(5), received(5), reported(6)], &[]);
    let corrected = ios("push.received", 5, json!({"clock_offset_ms": 1}));
    finally(&[expiring(5), corrected, reported(6)], &["expired_push"]);
    let never = ios("push.sent", 0, json!({"expires_at": 0}));
    finally(&[never, received(5), reported(6)], &[]);
    let other = ios("push.sent", 1, json!({"push_id": "p2", "expires_at": crate::events::T0 + 900}));
    let of_p2 = ios("push.received", 5, json!({"push_id": "p2"}));
    finally(&[expiring(4), other.clone(), of_p2, reported(6)], &[]);
    let unnamed = ios("push.received", 5, json!({"push_id": "p3"}));
    finally(&[expiring(4), other, unnamed, reported(6)], &["expired_push"]);
}

#[test]
fn rejections_of_the_push_service() {
    for (code, reasons) in [
        ("bad_device_token", &["BadDeviceToken", "DeviceTokenNotForTopic"][..]),
        ("dead_token", &["Unregistered", "ExpiredToken", "UNREGISTERED"]),
        ("credential_error", &["THIRD_PARTY_AUTH_ERROR", "SENDER_ID_MISMATCH"]),
        ("topic_error", &["BadTopic", "MissingTopic", "TopicDisallowed"]),
    ] {
        for reason in reasons {
            finally(&[sent(0), rejected(json!({"reason": reason}))], &[code]);
            finally(&[sent(0), rejected(json!({"reason": reason, "purpose": "cancel"}))], &[code]);
            finally(&[sent(0), rejected(json!({"reason": reason.to_lowercase() + "."}))], &[]);
            finally(&[sent(0), ios("push.failed", 5, json!({"reason": reason}))], &[]);
            finally(&[sent(0), ios("push.suppressed", 5, json!({"reason": reason}))], &[]);
        }
    }
    finally(&[sent(0), rejected(json!({"status": 403}))], &["credential_error"]);
    finally(&[sent(0), rejected(json!({"status": 429}))], &["throttled"]);
    finally(&[sent(0), rejected(json!({"status": 400, "reason": "TooManyRequests"}))], &[]);
    finally(&[sent(0), rejected(json!({"status": 403, "reason": "BadTopic"}))], &["credential_error", "topic_error"]);
    let accepted = ios("push.accepted", 5, json!({"status": 403}));
    finally(&[sent(0), accepted], &["accepted_not_received"]);
}

#[test]
fn android_priority() {
    let push = |priority: &str, original: &str, more: Value| {
        let mut push = android("push.received", 5, more);
        push["priority"] = priority.into();
        push["original_priority"] = original.into();
        push
    };
    finally(&[push("normal", "high", json!({}))], &["priority_lowered"]);
    finally(&[push("normal", "high", json!({"purpose": "data"}))], &["priority_lowered"]);
    finally(&[push("high", "high", json!({}))], &[]);
    finally(&[push("normal", "normal", json!({}))], &[]);
    finally(&[push("normal", "high", json!({"platform": "other"}))], &[]);
    finally(&[push("normal", "high", json!({"platform": null}))], &[]);
}

#[test]
fn answers_without_audio() {
    let answered = |more: Value| ios("call.answered", 10, more);
    let audio = |at| ios("call.audio_activated", at, json!({}));
    let code = &["answered_without_audio"];
    at(33_009, &good(&[answered(json!({}))]), &[]);
    at(33_010, &good(&[answered(json!({}))]), code);
    at(0, &good(&[answered(json!({})), audio(10_010)]), &[]);
    finally(&good(&[answered(json!({})), audio(10_010)]), &[]);
    finally(&good(&[answered(json!({})), audio(10_011)]), code);
    finally(&good(&[answered(json!({})), audio(0)]), &[]);
    finally(&good(&[answered(json!({})), audio(20_000), audio(9)]), &[]);
    let logged = answered(json!({"log_at": crate::events::T0 + 500_000}));
    at(532_999, &good(std::slice::from_ref(&logged)), &[]);
    at(533_000, &good(&[logged]), code);
    let elsewhere = [android("push.sent", 0, json!({})), android("call.answered", 5, json!({}))];
    finally(&elsewhere, &[]);
    let unknown = json!({"platform": null});
    finally(&[ios("push.sent", 0, json!({"platform": null, "channel": "fcm"})), answered(unknown.clone())], &[]);
    let voip = [ios("push.sent", 0, unknown.clone()), ios("call.reported", 3, unknown.clone()), answered(unknown)];
    finally(&voip, code);
}

#[test]
fn where_callkit_must_not_or_cannot_be() {
    let report = |country: &str, more: Value| {
        let mut report = ios("call.reported", 2, more);
        report["country"] = country.into();
        [sent(0), received(1), report]
    };
    let code = &["callkit_forbidden_storefront"];
    finally(&report("CN", json!({})), code);
    finally(&report("CHN", json!({"call_ui": "callkit"})), code);
    finally(&report("CN", json!({"call_ui": "live_communication_kit"})), &[]);
    finally(&report("cn", json!({})), &[]);
    finally(&report("TW", json!({})), &[]);
    let without = [sent(0), ios("push.received", 1, json!({"country": "CN"})), failed("incoming_call", 3)];
    finally(&without, &["filtered_do_not_disturb"]);
    let old = |version: &str| [ios("push.sent", 0, json!({"os_version": version}))];
    finally(&old("9.3.5"), &["callkit_unavailable"]);
    finally(&old("10.0"), &[]);
    finally(&old("beta"), &[]);
    finally(&[ios("push.sent", 0, json!({"os_version": "9.3", "channel": "apns_alert"}))], &[]);
    finally(&[android("push.sent", 0, json!({"os_version": "9", "channel": "apns_voip"}))], &[]);
    finally(&[ios("push.sent", 0, json!({"os_version": "9.3", "platform": null}))], &["callkit_unavailable"]);
}

#[test]
fn actions_and_limits() {
    let timed_out = || ios("call.action_timed_out", 9, json!({"action": "answer"}));
    finally(&good(&[timed_out()]), &["action_timed_out"]);
    finally(&good(&[ios("call.transaction_failed", 9, json!({"error_code": 4}))]), &[]);
    let pushes =
        |count: i64| (0..count).map(|i| ios("push.accepted", i, json!({"push_id": format!("p{i}"), "channel": "fcm"})));
    let other = || event("o", "push.suppressed", 0, json!({"device_id": "d2"}));
    finally(&pushes(256).chain([other()]).collect::<Vec<_>>(), &[]);
    let beyond: Vec<Value> = pushes(257).chain([other()]).collect();
    finally(&beyond, &["limit_exceeded"]);
    check_leg("every leg", &beyond, EVER, &json!({"device_id": "d2", "diagnoses": ["limit_exceeded"]}));
    let unnamed = (0..257).map(|i| ios("push.sent", i, json!({"push_id": null, "channel": "fcm"})));
    finally(&unnamed.collect::<Vec<_>>(), &["limit_exceeded"]);
}
