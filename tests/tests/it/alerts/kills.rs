//! A kill that names no call becomes evidence of the device's last push: once, over restarts, and of nobody else's.

use std::fs;

use ringtrace_kit::clock;
use ringtrace_tests::stack::{Case, Given, data, topic_of, wait_for};
use serde_json::{Value, json};

use super::paging::{alerter, evaluations};

const NEVER_POSTED: &str =
    "Killing app because it never posted an incoming call to the system after receiving a PushKit VoIP push.";

/// The same for every event of a device of a tenant, at a time in the past: what came with it is there already.
fn record(event_id: &str, kind: &str, (tenant, device): (&str, &str), at: i64, more: &Value) -> Given {
    let mut value = json!({ "event_id": event_id, "kind": kind, "occurred_at": at, "tenant_id": tenant, "app_id": "com.example.talk",
        "device_id": device, "platform": "ios", "os_version": "18.1" });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let key = value["call_uuid"].as_str().unwrap_or(device).as_bytes().to_vec();
    Given {
        topic: topic_of(kind).to_owned(),
        key: Some(key),
        value: Some(value.to_string().into_bytes()),
        log_at: at + 400,
        ..Given::default()
    }
}

fn call(nth: u32) -> String {
    format!("00000000-0000-4000-8000-{nth:012}")
}

/// A push that APNs has accepted and of which the device says nothing.
fn pushed(nth: u32, owner: (&str, &str), at: i64) -> [Given; 2] {
    let of = |name: &str, kind: &str, at: i64, more: Value| {
        let mut all = json!({ "call_uuid": call(nth), "push_id": format!("push-{nth}") });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record(&format!("{name}-{nth}"), kind, owner, at, &all)
    };
    [
        of("sent", "push.sent", at, json!({ "channel": "apns_voip" })),
        of("accepted", "push.accepted", at + 90, json!({ "channel": "apns_voip", "status": 200 })),
    ]
}

fn killed(event_id: &str, owner: (&str, &str), at: i64, how: &Value) -> Given {
    record(event_id, "app.terminated", owner, at, how)
}

/// Verdicts and evidence of all legs, by call.
fn verdicts(case: &Case) -> Vec<(String, Value, Value)> {
    let rows = case
        .rows("SELECT toString(call_uuid) AS call, tenant_id, verdict, evidence FROM legs ORDER BY call, tenant_id");
    let of = |row: Value| (row["call"].as_str().unwrap().to_owned(), row["verdict"].clone(), row["evidence"].clone());
    rows.into_iter().map(of).collect()
}

/// How many records have gone through the internal topic.
fn inferred(case: &Case) -> i64 {
    let internal = case.topic("ringtrace.internal");
    case.committed().iter().filter(|((topic, _), next)| *topic == internal && **next > 0).map(|(_, next)| *next).sum()
}

#[test]
fn a_kill_that_names_no_call_is_evidence_of_the_last_push_once() {
    let case = Case::new("kills", 2);
    let rules = data("kills-rules.toml");
    fs::write(&rules, "").unwrap();
    let _linker = case.start_as("link", "linker", &[]);
    let (first, listen) = alerter(&case, "first", &rules);
    wait_for("the first alerter to lead", || evaluations(&listen) > 0.0);

    let at = clock::wall_ms() - 120_000;
    let (ann, bob, other) = (("acme", "ann"), ("acme", "bob"), ("other", "ann"));
    let watchdog = json!({ "termination_namespace": "FRONTBOARD", "termination_code": 3_131_951_633_u32 });
    let mut records = Vec::new();
    // Two pushes, and a kill after the second.
    records.extend(pushed(1, ann, at));
    records.extend(pushed(2, ann, at + 20_000));
    records.push(killed("kill-ann", ann, at + 27_500, &watchdog));
    // The same device of another tenant: its kill has nothing to do with these pushes, and its pushes nothing with this kill.
    records.extend(pushed(3, other, at + 21_000));
    records.push(killed("kill-other", other, at - 30_000, &watchdog));
    // A crash for another reason.
    records.extend(pushed(4, bob, at));
    records.push(killed(
        "crash-bob",
        bob,
        at + 2_000,
        &json!({ "termination_namespace": "SIGNAL", "termination_code": 11 }),
    ));
    case.write(&records);

    let no_receipt = |nth| (call(nth), json!("no_receipt"), Value::Null);
    let violation = |nth| (call(nth), json!("unreported"), json!("probable"));
    let expected = [no_receipt(1), violation(2), no_receipt(3), no_receipt(4)];
    wait_for("the violation", || verdicts(&case) == expected);
    let evidence = case.rows("SELECT event_id, source, JSONExtractBool(attributes, 'inferred') AS inferred FROM events WHERE kind = 'app.terminated'");
    assert_eq!(evidence.len(), 1, "{evidence:?}");
    assert_eq!(evidence[0]["inferred"], 1);
    let kill = case.rows("SELECT source FROM device_events WHERE event_id = 'kill-ann'");
    assert_eq!(evidence[0]["source"], kill[0]["source"], "it says where it comes from");

    // Another alerter goes on: it finds what is new, also of long ago, and does not repeat what is done.
    first.signal("KILL");
    let long_ago = at - 86_400_000;
    let mut records = Vec::from(pushed(5, bob, long_ago));
    records.push(killed("kill-bob", bob, long_ago + 900, &json!({ "exception_reason": NEVER_POSTED })));
    case.write(&records);
    wait_for("the linker", || case.number("SELECT count() FROM device_events WHERE event_id = 'kill-bob'") == 1);
    wait_for("the judgement", || verdicts(&case).contains(&no_receipt(5)));
    let (second, listen) = alerter(&case, "second", &rules);
    let expected = [no_receipt(1), violation(2), no_receipt(3), no_receipt(4), violation(5)];
    wait_for("the second violation", || verdicts(&case) == expected);
    wait_for("more looks", || evaluations(&listen) > 30.0);
    assert_eq!(case.number("SELECT count() FROM events WHERE kind = 'app.terminated'"), 2);
    assert_eq!(inferred(&case), 2, "nothing was sent twice");
    assert_eq!(verdicts(&case), expected);
    second.signal("TERM");
    let exit = second.wait();
    assert!(exit.status.success(), "{}", exit.output);
}
