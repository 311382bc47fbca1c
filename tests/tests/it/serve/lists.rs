//! Lists: pages without gaps or repeats while rows arrive, filters, exports.

use std::collections::BTreeSet;

use ringtrace_tests::stack::wait_for;
use serde_json::Value;

use super::{RANGE, Served};

fn key(item: &Value) -> String {
    format!("{} {} {}", item["tenant_id"], item["call_uuid"], item["device_id"])
}

/// All items of a list, page by page.
fn all(served: &Served, path: &str, mut between: impl FnMut()) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = served.json(&format!("{path}{cursor}"));
        items.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
        between();
    }
}

#[test]
fn pages_have_no_gaps_and_no_repeats_while_rows_arrive() {
    let served = Served::simulated("served-lists");
    let legs = served.case.number("SELECT count() FROM legs WHERE role = 'callee'");
    let mut is_first = true;
    let items = all(&served, &format!("/legs?{RANGE}&limit=200"), || {
        if std::mem::take(&mut is_first) {
            let later = [
                "simulate",
                "--speed",
                "0",
                "--start",
                "2026-11-01T08:10:00Z",
                "--for",
                "1m",
                "--devices",
                "3000",
                "--seed",
                "9",
            ];
            assert!(served.case.run(&later).status.success());
            served.case.catch_up();
            wait_for("the roll-up of more", || {
                served.case.number("SELECT count() FROM leg_facts WHERE role = 'callee'") > legs
            });
        }
    });
    let keys: BTreeSet<String> = items.iter().map(key).collect();
    assert_eq!(keys.len(), items.len(), "a leg came twice");
    // What was there at the first page has to be there, but for what has changed its place since.
    assert!(items.len() as i64 >= legs, "{} of {legs}", items.len());
    let times: Vec<i64> = items.iter().map(|item| item["started_at"].as_i64().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "the newest first");
    served.wait();
    filters(&served);
    exports(&served);
    calls(&served);
    devices(&served);
}

fn filters(served: &Served) {
    for (filter, condition) in [
        ("verdict=unreported", "verdict = 'unreported'"),
        ("verdict=unreported&verdict=reported_late", "verdict IN ('unreported', 'reported_late')"),
        ("diagnosis=late_push", "has(diagnoses, 'late_push')"),
        ("slower_than=sent_to_received:2000", "sent_to_received_ms > 2000"),
        ("faster_than=sent_to_received:300", "sent_to_received_ms <= 300"),
        ("stage_reached=accepted&stage_missing=received", "accepted_at IS NOT NULL AND received_at IS NULL"),
        ("carrier=", "carrier IS NULL"),
        ("os_major=26&platform=ios", "os_major = 26 AND platform = 'ios'"),
        ("tenant=globex", "tenant_id = 'globex'"),
    ] {
        let found = all(served, &format!("/legs?{RANGE}&limit=500&{filter}"), || {}).len();
        let by_hand = served.case.number(&format!("SELECT count() FROM legs WHERE role = 'callee' AND {condition}"));
        assert_eq!(found as i64, by_hand, "{filter}");
    }
    // Text that would be SQL is a value like any other.
    let quoted = served.json(&format!("/legs?{RANGE}&device=x%27%20OR%201%3D1%20--%20"));
    assert_eq!(quoted["items"], serde_json::json!([]));
}

fn exports(served: &Served) {
    let listed = all(served, &format!("/legs?{RANGE}&limit=500"), || {});
    let exported = served.get(&format!("/legs/export?{RANGE}&format=ndjson"));
    let lines: Vec<Value> = exported.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(exported.head.to_lowercase().contains("attachment; filename=\"legs.ndjson\""), "{}", exported.head);
    assert_eq!(lines, listed, "an export is the list");
    let csv = served.get(&format!("/legs/export?{RANGE}")).body;
    assert!(csv.starts_with("tenant_id,app_id,call_uuid,device_id,role,"), "{}", &csv[..200]);
    assert_eq!(csv.lines().count(), listed.len() + 1);
    let first =
        format!("{},{},{},", listed[0]["tenant_id"], listed[0]["app_id"], listed[0]["call_uuid"]).replace('"', "");
    assert!(csv.lines().nth(1).unwrap().starts_with(&first));
}

fn calls(served: &Served) {
    let listed = all(served, &format!("/calls?{RANGE}&limit=500"), || {});
    assert_eq!(listed.len() as i64, served.case.number("SELECT count() FROM calls"));
    assert_eq!(listed.iter().map(key).collect::<BTreeSet<_>>().len(), listed.len());
    let violating = all(served, &format!("/calls?{RANGE}&verdict=unreported"), || {});
    assert_eq!(violating.len() as i64, served.case.number("SELECT countIf(legs_violating > 0) FROM calls"));
    let answered = all(served, &format!("/calls?{RANGE}&call_outcome=answered&limit=500"), || {});
    assert_eq!(answered.len() as i64, served.case.number("SELECT countIf(outcome = 'answered') FROM calls"));
    // By UUID, of whatever range; by device; by app.
    let one = &listed[3];
    let uuid = one["call_uuid"].as_str().unwrap();
    assert_eq!(served.json(&format!("/calls?q={}", uuid.to_uppercase()))["items"], serde_json::json!([one]));
    let device = served.json(&format!("/legs?{RANGE}&call_uuid={}", violating[0]["call_uuid"].as_str().unwrap()));
    let device = device["items"][0]["device_id"].as_str().unwrap().to_owned();
    let of_device = all(served, &format!("/calls?{RANGE}&q={device}"), || {}).len();
    let query = format!("SELECT uniqExact(call_uuid) FROM legs WHERE role = 'callee' AND device_id = '{device}'");
    assert_eq!(of_device as i64, served.case.number(&query));
    let exported = served.get(&format!("/calls/export?{RANGE}&format=ndjson")).body;
    assert_eq!(exported.lines().count(), listed.len());
}

fn devices(served: &Served) {
    let devices = all(served, &format!("/devices?{RANGE}&limit=500"), || {});
    let by_hand = served.case.number("SELECT uniqExact(tenant_id, device_id) FROM legs WHERE role = 'callee'");
    assert_eq!(devices.len() as i64, by_hand);
    assert_eq!(devices.iter().map(key).collect::<BTreeSet<_>>().len(), devices.len());
    let violations: Vec<i64> = devices.iter().map(|device| device["violations"].as_i64().unwrap()).collect();
    assert!(violations[0] > 0 && violations.windows(2).all(|pair| pair[0] >= pair[1]), "most violations first");
    let paged = all(served, &format!("/devices?{RANGE}&limit=3&verdict=unreported"), || {});
    let by_hand = "SELECT uniqExact(tenant_id, device_id) FROM legs WHERE role = 'callee' AND verdict = 'unreported'";
    assert_eq!(paged.len() as i64, served.case.number(by_hand));
}

#[test]
fn an_export_that_is_too_long_says_so_in_its_last_line() {
    let served = Served::with("served-export", &[("RINGTRACE_SERVE_ROWS_PER_EXPORT", "100")]);
    let body = served.get(&format!("/legs/export?{RANGE}&format=ndjson")).body;
    let last: Value = serde_json::from_str(body.lines().last().unwrap()).unwrap();
    assert_eq!((body.lines().count(), &last["truncated"], &last["limit"]), (101, &true.into(), &100.into()));
    let csv = served.get(&format!("/calls/export?{RANGE}")).body;
    assert!(csv.lines().last().unwrap().contains("truncated") && csv.lines().count() == 102, "{csv}");
}
