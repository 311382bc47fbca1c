//! The verdict table (contract section 4.1), line by line, and the purposes and channels that it looks at (section 3).

use serde_json::{Value, json};

use crate::events::{android, event, ios};
use crate::table::{EVER, check_leg};

/// Checks the verdict, and the evidence, of `d1` at log time `now` milliseconds after `T0`.
#[track_caller]
fn check(case: &str, events: &[Value], now: i64, verdict: &str, evidence: Option<&str>) {
    check_leg(case, events, now, &json!({"verdict": verdict, "evidence": evidence}));
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

fn failed(at: i64, domain: &str, code: i64) -> Value {
    ios("call.report_failed", at, json!({"error_domain": domain, "error_code": code}))
}

fn returned(at: i64, reported: bool) -> Value {
    ios("push.handler_returned", at, json!({"reported": reported}))
}

const NEVER_POSTED: &str =
    "Killing app because it never posted an incoming call to the system after receiving a PushKit VoIP push.";

#[test]
fn line_1_a_kill_is_confirmed_unless_inferred() {
    let killed = |at, more: Value| ios("app.terminated", at, more);
    let by_reason = |inferred: Value| killed(9, json!({"exception_reason": NEVER_POSTED, "inferred": inferred}));
    let by_code = |inferred: Value| killed(8, json!({"termination_code": 3_131_951_633_u32, "inferred": inferred}));
    let sure = Some("confirmed");
    check("by reason", &[sent(0), by_reason(json!(null))], 0, "unreported", sure);
    check("by code", &[sent(0), by_code(json!(false))], 0, "unreported", sure);
    check("inferred", &[sent(0), by_code(json!(true))], 0, "unreported", Some("probable"));
    let both = [sent(0), by_code(json!(true)), by_reason(json!(true))];
    check("all inferred", &both, 0, "unreported", Some("probable"));
    let one = [sent(0), by_code(json!(true)), by_reason(json!(false))];
    check("one known", &one, 0, "unreported", sure);
    check("even when reported", &[sent(0), received(1), reported(2), by_code(json!(null))], EVER, "unreported", sure);
    let cancel = ios("push.received", 1, json!({"purpose": "cancel", "channel": "apns_voip"}));
    check("a push of any purpose", &[cancel.clone(), by_code(json!(null))], 0, "unreported", sure);
    check("nearest: cancel alone", &[cancel], 0, "not_applicable", None);
    check("nearest: no push", &[by_code(json!(null))], EVER, "not_applicable", None);
    let alert = ios("push.sent", 0, json!({"channel": "apns_alert"}));
    check("nearest: alert push", &[alert, by_code(json!(null))], EVER, "not_applicable", None);
    let other =
        killed(9, json!({"exception_reason": "never posted an incoming call", "termination_code": 3_131_951_634_u32}));
    check("nearest: other reason and code", &[sent(0), other], EVER, "no_receipt", None);
    let inferred_other = killed(7, json!({"inferred": false, "exception_reason": "jetsam"}));
    let probable = [sent(0), inferred_other, by_code(json!(true))];
    check("a known kill of another kind is no evidence", &probable, EVER, "unreported", Some("probable"));
}

#[test]
fn line_2_without_a_voip_push_nothing_applies() {
    for channel in ["apns_alert", "fcm", "socket"] {
        let sent = ios("push.sent", 0, json!({"channel": channel}));
        check(channel, &[sent, received(1)], EVER, "not_applicable", None);
    }
    let data = ios("push.sent", 0, json!({"purpose": "data"}));
    check("another purpose", &[data.clone(), received(1)], EVER, "not_applicable", None);
    let call = ios("push.received", 1, json!({"purpose": "incoming_call"}));
    check("what a push says itself comes first", &[data, call], EVER, "unreported", Some("probable"));
    check("no push", &[reported(1)], EVER, "not_applicable", None);
    check("only suppressed", &[ios("push.suppressed", 0, json!({}))], EVER, "not_applicable", None);
}

#[test]
fn line_3_needs_a_refusal_and_no_acceptance() {
    let rejected = || ios("push.rejected", 1, json!({}));
    let transport = || ios("push.failed", 1, json!({}));
    let accepted = || ios("push.accepted", 2, json!({"push_id": "p2"}));
    check("rejected", &[sent(0), rejected()], 0, "rejected", None);
    check("failed", &[sent(0), transport()], EVER, "rejected", None);
    check("alone", &[rejected()], EVER, "rejected", None);
    let retried = [sent(0), rejected(), ios("push.sent", 2, json!({"push_id": "p2"})), accepted()];
    check("another accepted", &retried, EVER, "no_receipt", None);
    let open = [sent(0), rejected(), ios("push.sent", 2, json!({"push_id": "p2"}))];
    check("another unanswered", &open, EVER, "rejected", None);
    check("received", &[sent(0), rejected(), received(2)], EVER, "unreported", Some("probable"));
    check("handler", &[sent(0), rejected(), returned(2, false)], EVER, "unreported", Some("confirmed"));
    check("reported", &[sent(0), rejected(), reported(2)], EVER, "reported", None);
    check("report failed", &[sent(0), rejected(), failed(2, "incoming_call", 1)], EVER, "report_error", None);
    for kind in SIGNS {
        check(kind, &[sent(0), rejected(), ios(kind, 2, json!({}))], EVER, "reported", None);
    }
    let alert_accepted = ios("push.accepted", 2, json!({"push_id": "a", "channel": "apns_alert"}));
    check("an alert push changes nothing", &[sent(0), rejected(), alert_accepted], EVER, "rejected", None);
}

const SIGNS: [&str; 5] =
    ["call.answered", "call.declined", "call.audio_activated", "call.action_timed_out", "call.ended"];

#[test]
fn lines_4_and_5_wait_for_a_receipt() {
    check("before", &[sent(0)], 59_999, "pending", None);
    check("at", &[sent(0)], 60_000, "no_receipt", None);
    let accepted = || ios("push.accepted", 500, json!({}));
    check("latest is the acceptance", &[sent(0), accepted()], 60_499, "pending", None);
    check("latest is the acceptance", &[sent(0), accepted()], 60_500, "no_receipt", None);
    let again = || ios("push.sent", 700, json!({"push_id": "p2"}));
    check("latest is the second push", &[sent(0), accepted(), again()], 60_699, "pending", None);
    check("latest is the second push", &[sent(0), accepted(), again()], 60_700, "no_receipt", None);
    let same = || ios("push.sent", 900, json!({}));
    check("latest of one push_id", &[sent(0), same()], 60_899, "pending", None);
    let corrected = || ios("push.accepted", 10, json!({"clock_offset_ms": 5_000}));
    check("corrected time", &[sent(0), corrected()], 65_009, "pending", None);
    check("corrected time", &[sent(0), corrected()], 65_010, "no_receipt", None);
    let alert = || ios("push.sent", 5_000, json!({"push_id": "a", "channel": "apns_alert"}));
    check("an alert push changes nothing", &[sent(0), alert()], 60_000, "no_receipt", None);
    let cancel = || ios("push.sent", 5_000, json!({"push_id": "c", "purpose": "cancel"}));
    check("nor does another purpose", &[sent(0), cancel()], 60_000, "no_receipt", None);
    let alert_received = ios("push.received", 1, json!({"channel": "apns_alert"}));
    check("receipt of an alert push is none", &[sent(0), alert_received], EVER, "no_receipt", None);
    let launched = ios("app.terminated", 2, json!({}));
    check("an end of the app is no sign of a call", &[sent(0), launched], EVER, "no_receipt", None);
    let transaction = ios("call.transaction_failed", 2, json!({}));
    check("nor is a failed transaction", &[sent(0), transaction], EVER, "no_receipt", None);
    let server_end = event("e", "call.ended", 5, json!({"device_id": null}));
    check("nor is the server's end", &[sent(0), server_end], EVER, "no_receipt", None);
}

#[test]
fn line_6_a_report_is_not_always_required() {
    let at_receipt = |more: Value| [sent(0), ios("push.received", 1, more)];
    let exempt = |case: &str, more: Value| check(case, &at_receipt(more), EVER, "exempt", None);
    let required = |case: &str, more: Value| check(case, &at_receipt(more), EVER, "unreported", Some("probable"));
    exempt("foreground", json!({"app_state": "foreground"}));
    exempt("on a call", json!({"active_calls": 1}));
    exempt("must_report", json!({"must_report": false}));
    exempt("must_report over background", json!({"must_report": false, "app_state": "background"}));
    required("must_report over foreground", json!({"must_report": true, "app_state": "foreground"}));
    required("must_report over calls", json!({"must_report": true, "active_calls": 3}));
    required("background", json!({"app_state": "background", "active_calls": 0}));
    required("not running", json!({"app_state": "not_running"}));
    required("fewer than no calls", json!({"active_calls": -1}));
    exempt("iOS 12", json!({"os_version": "12.5.7"}));
    required("iOS 13", json!({"os_version": "13"}));
    required("iOS unknown", json!({"os_version": "beta"}));
    required("iOS empty", json!({"os_version": ""}));
    for platform in ["android", "web", "desktop", "other"] {
        let events = [
            ios("push.sent", 0, json!({"platform": platform})),
            android("push.received", 1, json!({"platform": platform})),
        ];
        check(platform, &events, EVER, "exempt", None);
    }
    let unknown = [ios("push.sent", 0, json!({"platform": null})), ios("push.received", 1, json!({"platform": null}))];
    check("an unknown platform counts as iOS", &unknown, EVER, "unreported", Some("probable"));
    check_leg("but stays null", &unknown, EVER, &json!({"platform": null, "os_major": 0}));
}

#[test]
fn line_6_stands_between_receipt_and_report() {
    let foreground = || ios("push.received", 1, json!({"app_state": "foreground"}));
    check("a report changes nothing", &[sent(0), foreground(), reported(60_000)], EVER, "exempt", None);
    check("nor does a silent handler", &[sent(0), foreground(), returned(2, false)], EVER, "exempt", None);
    let android_voip = [android("push.sent", 0, json!({"channel": "apns_voip"}))];
    check("no receipt comes first", &android_voip, EVER, "no_receipt", None);
    let old = [ios("push.sent", 0, json!({"os_version": "9.3"})), reported(3)];
    check("without a receipt", &old, EVER, "exempt", None);
    let first = [sent(0), foreground(), ios("push.received", 2, json!({"push_id": "p2", "app_state": "background"}))];
    check("the earliest receipt counts", &first, EVER, "exempt", None);
    let second = [sent(0), received(0), foreground()];
    check("the earliest receipt counts", &second, EVER, "unreported", Some("probable"));
    let alert = ios("push.received", 0, json!({"push_id": "a", "channel": "apns_alert", "app_state": "foreground"}));
    check("an alert push changes nothing", &[sent(0), received(1), alert], EVER, "unreported", Some("probable"));
}

#[test]
fn lines_7_and_8_measure_the_report() {
    check("in time", &[received(0), reported(7_000)], EVER, "reported", None);
    check("late", &[received(0), reported(7_001)], EVER, "reported_late", None);
    check("nothing to measure from", &[sent(0), reported(90_000)], EVER, "reported", None);
    check("negative counts as 0", &[received(9_000), reported(0)], EVER, "reported", None);
    check("exists already", &[received(0), failed(7_000, "incoming_call", 2)], EVER, "reported", None);
    check("exists already, late", &[received(0), failed(7_001, "incoming_call", 2)], EVER, "reported_late", None);
    check("another domain's 2", &[received(0), failed(1, "telecom", 2)], EVER, "report_error", None);
    check("handler", &[received(0), returned(7_000, true)], EVER, "reported", None);
    check("handler, late", &[received(0), returned(7_001, true)], EVER, "reported_late", None);
    check("handler alone", &[returned(0, true)], EVER, "reported", None);
    check("the first attempt", &[received(0), reported(9_000), returned(3, true)], EVER, "reported", None);
    let retried = [received(0), failed(5_000, "incoming_call", 0), reported(9_000)];
    check("the first attempt, failed", &retried, EVER, "reported", None);
    check("over a silent handler", &[received(0), returned(5, false), reported(6)], EVER, "reported", None);
    check("over a filter", &[received(0), failed(5, "incoming_call", 3), reported(6)], EVER, "reported", None);
    let offset = ios("call.reported", 7_000, json!({"clock_offset_ms": 60_000}));
    check("not by corrected times", &[received(0), offset], EVER, "reported", None);
    let alert = ios("push.received", 0, json!({"push_id": "a", "channel": "apns_alert"}));
    let beside = [sent(0), alert, received(4_000), reported(11_000)];
    check("not from an alert push", &beside, EVER, "reported", None);
    let other = ios("push.handler_returned", 1, json!({"push_id": "a", "channel": "apns_alert"}));
    check("nor a handler of one", &[received(0), other.clone()], EVER, "unreported", Some("probable"));
    check("even alone", &[sent(0), other], EVER, "no_receipt", None);
}

#[test]
fn lines_7_and_8_prefer_the_monotonic_clock() {
    let received = |more: Value| ios("push.received", 0, more);
    let reported = |at, more: Value| ios("call.reported", at, more);
    let boot = |ms: i64, boot: &str| json!({"mono_ms": ms, "boot_id": boot});
    let set_back = [received(boot(1_000, "b")), reported(60_000, boot(8_000, "b"))];
    check("same boot", &set_back, EVER, "reported", None);
    let set_forward = [received(boot(1_000, "b")), reported(10, boot(8_001, "b"))];
    check("same boot, late", &set_forward, EVER, "reported_late", None);
    check("other boot", &[received(boot(1_000, "b")), reported(60_000, boot(8_000, "c"))], EVER, "reported_late", None);
    let no_boot = [received(json!({"mono_ms": 0})), reported(60_000, json!({"mono_ms": 1}))];
    check("no boot", &no_boot, EVER, "reported_late", None);
    let one = [received(boot(1_000, "b")), reported(7_001, json!({}))];
    check("one of them", &one, EVER, "reported_late", None);
    let backwards = [received(boot(9_000, "b")), reported(60_000, boot(0, "b"))];
    check("negative counts as 0", &backwards, EVER, "reported", None);
    let extreme = [received(boot(i64::MIN, "b")), reported(1, boot(i64::MAX, "b"))];
    check("differences saturate", &extreme, EVER, "reported_late", None);
}

#[test]
fn lines_9_and_10_are_for_failures_alone() {
    for code in [3, 4, 5, 7] {
        check("filtered", &[received(0), failed(1, "incoming_call", code)], 2, "filtered", None);
    }
    for (domain, code) in [
        ("incoming_call", 0),
        ("incoming_call", 1),
        ("incoming_call", 6),
        ("incoming_call", 8),
        ("telecom", 3),
        ("foreground_service", 1),
        ("x", 4),
    ] {
        check("error", &[received(0), failed(1, domain, code)], 2, "report_error", None);
    }
    let mixed = [received(0), failed(1, "incoming_call", 0), failed(2, "incoming_call", 5)];
    check("one of them is enough", &mixed, 3, "filtered", None);
    check("however late", &[received(0), failed(90_000, "incoming_call", 3)], EVER, "filtered", None);
    let answered = [received(0), failed(1, "incoming_call", 0), ios("call.answered", 5, json!({}))];
    check("over a sign of a call", &answered, EVER, "report_error", None);
    let silent = [received(0), failed(1, "incoming_call", 0), returned(2, false)];
    check("over a silent handler", &silent, EVER, "report_error", None);
    check("without a receipt", &[sent(0), failed(1, "incoming_call", 4)], EVER, "filtered", None);
}

#[test]
fn line_11_a_sign_of_a_call_is_a_report() {
    for kind in SIGNS {
        let events = [received(0), ios(kind, 90_000, json!({}))];
        check_leg(kind, &events, EVER, &json!({"verdict": "reported", "reported_at": null}));
        check(
            "over a silent handler",
            &[received(0), returned(1, false), ios(kind, 2, json!({}))],
            EVER,
            "reported",
            None,
        );
    }
    for kind in ["call.transaction_failed", "app.terminated"] {
        check(kind, &[received(0), ios(kind, 2, json!({}))], EVER, "unreported", Some("probable"));
    }
}

#[test]
fn lines_12_to_14_judge_silence() {
    check("handler", &[received(0), returned(1, false)], 2, "unreported", Some("confirmed"));
    check("handler alone", &[returned(1, false)], 2, "unreported", Some("confirmed"));
    check("pending", &[received(0)], 29_999, "pending", None);
    check("silent", &[received(0)], 30_000, "unreported", Some("probable"));
    let logged = |id: &str, at: i64| ios("push.received", 0, json!({"push_id": id, "log_at": crate::events::T0 + at}));
    check("by log time", &[logged("p1", 500_000)], 529_999, "pending", None);
    check("by log time", &[logged("p1", 500_000)], 530_000, "unreported", Some("probable"));
    let two = [logged("p1", 500_000), logged("p2", 400_000)];
    check("the smallest log time", &two, 429_999, "pending", None);
    check("the smallest log time", &two, 430_000, "unreported", Some("probable"));
    let later = [
        ios("push.received", 0, json!({"log_at": crate::events::T0 + 90_000})),
        ios("push.received", 50, json!({"log_at": crate::events::T0 + 80_000})),
    ];
    check("of any record of the kind", &later, 109_999, "pending", None);
    check("of any record of the kind", &later, 110_000, "unreported", Some("probable"));
    let alert = ios("push.received", 0, json!({"push_id": "a", "channel": "apns_alert"}));
    check("an alert push changes nothing", &[alert, logged("p1", 10_000)], 30_000, "pending", None);
}

#[test]
fn missing_purposes_and_channels_are_filled_in() {
    let push = |kind: &str, at: i64, more: Value| ios(kind, at, more);
    let named = |id: &str, channel: &str| json!({"push_id": id, "channel": channel});
    let mixed = |id: Value| {
        [
            push("push.sent", 0, named("a", "apns_alert")),
            push("push.sent", 1, named("v", "apns_voip")),
            push("push.received", 2, json!({"push_id": id})),
        ]
    };
    check("by push_id: alert", &mixed(json!("a")), EVER, "no_receipt", None);
    check("by push_id: voip", &mixed(json!("v")), EVER, "unreported", Some("probable"));
    check("earliest: an id that was not sent", &mixed(json!("x")), EVER, "no_receipt", None);
    check("earliest: no id", &mixed(json!(null)), EVER, "no_receipt", None);
    let twice = [
        push("push.sent", 5, json!({"channel": "apns_alert"})),
        push("push.sent", 4, json!({"channel": "apns_voip"})),
        push("push.received", 6, json!({})),
    ];
    check("the earliest of one push_id", &twice, EVER, "unreported", Some("probable"));
    let unnamed = [
        push("push.sent", 0, json!({"push_id": null, "channel": "apns_alert", "event_id": "p1"})),
        push("push.sent", 1, named("v", "apns_voip")),
        push("push.received", 2, json!({"push_id": "p1", "channel": null})),
    ];
    check("a push.sent without push_id answers to none", &unnamed, EVER, "no_receipt", None);
    check("platform: iOS", &[received(0)], EVER, "unreported", Some("probable"));
    check("platform: Android", &[android("push.received", 0, json!({}))], EVER, "not_applicable", None);
    for platform in [json!(null), json!("web"), json!("desktop"), json!("other")] {
        check(
            "platform: none",
            &[ios("push.received", 0, json!({"platform": platform}))],
            EVER,
            "not_applicable",
            None,
        );
    }
    let said = ios("push.received", 0, json!({"platform": null, "channel": "apns_voip"}));
    check("said by the push", &[said], EVER, "unreported", Some("probable"));
    let elsewhere = [ios("push.received", 0, json!({"platform": null})), ios("call.dtmf", 1, json!({}))];
    check("a timeline event gives no platform", &elsewhere, EVER, "not_applicable", None);
    let later = [ios("push.received", 0, json!({"platform": null})), ios("app.terminated", 1, json!({}))];
    check("any event of the leg does", &later, EVER, "unreported", Some("probable"));
}

#[test]
fn missing_purposes_are_those_of_the_push() {
    let push =
        |kind: &str, at: i64, id: &str, purpose: Value| ios(kind, at, json!({"push_id": id, "purpose": purpose}));
    let none = json!(null);
    let cancel = json!("cancel");
    let by_id = [
        push("push.sent", 0, "p", none.clone()),
        push("push.sent", 1, "c", cancel.clone()),
        push("push.received", 2, "c", none.clone()),
    ];
    check("by push_id", &by_id, EVER, "no_receipt", None);
    let earliest = [
        push("push.sent", 1, "p", none.clone()),
        push("push.sent", 0, "c", cancel),
        push("push.received", 2, "x", none.clone()),
    ];
    check("earliest, of any purpose", &earliest, EVER, "no_receipt", None);
    let default = [push("push.received", 2, "x", none)];
    check("default", &default, EVER, "unreported", Some("probable"));
    for kind in ["push.accepted", "push.rejected", "push.failed", "push.received"] {
        let data = [ios("push.sent", 0, json!({"purpose": "data"})), ios(kind, 1, json!({}))];
        check(kind, &data, EVER, "not_applicable", None);
        let alone = [ios(kind, 1, json!({}))];
        let verdict = match kind {
            "push.accepted" => "no_receipt",
            "push.received" => "unreported",
            _ => "rejected",
        };
        check_leg(kind, &alone, EVER, &json!({"verdict": verdict}));
    }
}
