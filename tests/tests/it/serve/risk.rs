//! Risk and alerts: what the alerter has left, as people ask for it.

use std::collections::BTreeSet;

use ringtrace_tests::stack::Case;
use serde_json::{Value, json};

use super::{RANGE, Served};

/// Levels and alerts of two tenants, and one about the pipeline.
pub fn store(case: &Case) {
    let text: Vec<&str> = include_str!("risk.sql").lines().filter(|line| !line.starts_with("-- ")).collect();
    text.join("\n").split("\n--\n").for_each(|statement| case.execute(statement));
}

/// A time of the day on which everything happens, in milliseconds.
fn at(hour: i64, minute: i64) -> i64 {
    1_793_491_200_000 + (hour * 60 + minute) * 60_000
}

fn items(answer: &Value) -> &[Value] {
    answer["items"].as_array().unwrap()
}

fn column<'a>(answer: &'a Value, name: &str) -> Vec<&'a str> {
    items(answer).iter().filter_map(|item| item[name].as_str()).collect()
}

#[test]
fn risk_and_alerts_are_shown_as_the_alerter_left_them() {
    let served = Served::with("served-risk", &[]);
    for path in ["/risk/apps?", "/risk/devices?", "/alerts?", "/alerts/history?"] {
        assert_eq!(items(&served.json(path)), [Value::Null; 0], "{path}");
    }
    assert_eq!(served.json("/alerts")["alerter"], Value::Null, "no alerter has run");
    store(&served.case);
    apps(&served);
    devices(&served);
    current(&served);
    history(&served);
}

fn apps(served: &Served) {
    let apps = served.json(&format!("/risk/apps?{RANGE}"));
    assert_eq!(column(&apps, "level"), ["critical", "at_risk", "watch", "ok"], "the worst first");
    assert_eq!(apps["alerter"], json!({"log_clock": at(9, 30), "written_at": 1_793_525_401_000_i64}));
    let worst = &items(&apps)[0];
    assert_eq!((&worst["app_version"], &worst["since"]), (&json!("3.1.0"), &json!(at(8, 30))));
    assert_eq!((&worst["reason"], &worst["violations"]), (&json!("far too much: 44 of 420"), &json!(44)));
    let trend: Vec<(&Value, &Value)> =
        worst["trend"].as_array().unwrap().iter().map(|step| (&step["level"], &step["at"])).collect();
    let expected = [(&json!("watch"), &json!(at(6, 50))), (&json!("critical"), &json!(at(8, 30)))];
    assert_eq!(trend, expected, "what held at the start of the range, and what came in it");
    let of = |query: &str| column(&served.json(&format!("/risk/apps?{query}")), "app_version").join(" ");
    assert_eq!(of("tenant=globex"), "1.0.0");
    assert_eq!(of("level=watch&level=ok"), "3.0.0 3.0.0");
    assert_eq!(of("app=com.acme.talk&os_major=18"), "3.0.0");
    let counted = served.json("/risk/apps?level=ok&limit=1");
    let watch = json!({"level": "watch", "apps": 1});
    assert!(counted["levels"].as_array().unwrap().contains(&watch), "{counted}");
    assert_eq!(served.json("/risk/apps?limit=1")["truncated"], true);
    assert_eq!(served.get("/risk/apps?level=bad").status, 400);
}

fn devices(served: &Served) {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = served.json(&format!("/risk/devices?limit=7{cursor}"));
        let names = column(&page, "device_id").into_iter().zip(column(&page, "level"));
        found.extend(names.map(|(device, level)| (device.to_owned(), level.to_owned())));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 79, "each once, without those that are ok");
    assert_eq!(found.len(), 79);
    let levels: Vec<&str> = found.iter().map(|(_, level)| level.as_str()).collect();
    let blocks: Vec<&str> = levels.chunk_by(|a, b| a == b).map(|block| block[0]).collect();
    assert_eq!(blocks, ["suspected", "critical", "at_risk", "watch"]);
    let one = served.json("/risk/devices?q=risky-4&level=suspected&tenant=globex");
    assert_eq!(column(&one, "device_id"), ["risky-44", "risky-4"], "what was entered last comes first");
    assert_eq!(one["levels"][4], json!({"level": "suspected", "devices": 2}));
    let well = served.json("/risk/devices?level=ok&q=risky-1&limit=500");
    assert!(column(&well, "reason").contains(&"installed anew"), "{well}");

    // A device that has legs shows it too.
    let query =
        "SELECT device_id AS device FROM legs WHERE tenant_id = 'default' AND role = 'callee' ORDER BY device LIMIT 1";
    let device = served.case.rows(query)[0]["device"].as_str().unwrap().to_owned();
    let path = format!("/devices/{device}");
    assert_eq!(served.json(&path)["risk"], json!([]));
    served.case.execute(&format!(
        "INSERT INTO device_risk_rows (tenant_id, app_id, device_id, level, since, strikes, reason, log_clock, version) VALUES \
         ('default', 'com.acme.talk', '{device}', 'watch', '2026-11-01 08:00:00', 1, 'one', '2026-11-01 09:30:00', 1793525400004), \
         ('default', 'com.acme.talk', '{device}', 'at_risk', '2026-11-01 08:30:00', 2, 'two', '2026-11-01 09:30:00', 1793525400005), \
         ('globex', 'com.globex.care', '{device}', 'critical', '2026-11-01 08:30:00', 3, 'three', '2026-11-01 09:30:00', 1793525400005)"
    ));
    let risk = served.json(&path)["risk"].clone();
    assert_eq!((risk.as_array().unwrap().len(), &risk[0]["reason"]), (1, &json!("two")), "{risk}");
}

fn current(served: &Served) {
    let alerts = served.json("/alerts");
    let rules = ["pipeline-behind", "telemetry-coverage", "credential-errors", "ghost-calls", "delivery-missing"];
    assert_eq!(column(&alerts, "rule"), rules, "firing before pending, pages before tickets, the newest first");
    assert_eq!(alerts["firing"], 4);
    let of = |rule: &str| items(&alerts).iter().find(|alert| alert["rule"] == rule).unwrap();
    let credential = of("credential-errors");
    assert!(credential["runbook"].as_str().unwrap().len() > 20, "{credential}");
    assert_eq!(
        credential["page"],
        format!("/delivery?from={}&to=now&app=com.acme.talk&channel=apns_voip&tenant=default", at(7, 20))
    );
    assert_eq!(credential["examples"][0]["call_uuid"], "00000000-0000-4000-8000-000000000001");
    // What lies when telemetry is missing stays as it is, and all but the clock while the pipeline is behind.
    assert_eq!(of("delivery-missing")["held_back_by"], json!(["pipeline-behind", "telemetry-coverage"]));
    assert_eq!(of("ghost-calls")["held_back_by"], json!(["pipeline-behind"]));
    assert_eq!(of("pipeline-behind")["held_back_by"], json!([]));
    let holds = of("telemetry-coverage")["holds_back"].as_array().unwrap();
    assert!(holds.contains(&json!("delivery-missing")) && !holds.contains(&json!("credential-errors")), "{holds:?}");
    let held = served.json("/alerts?tenant=default&rule=delivery-missing");
    assert_eq!(column(&held, "state"), ["pending"]);
    let holders = json!(["pipeline-behind", "telemetry-coverage"]);
    assert_eq!(items(&held)[0]["held_back_by"], holders, "though they are not in the list");
    assert_eq!(column(&served.json("/alerts?app=com.globex.care"), "rule"), ["ghost-calls"]);
}

fn history(served: &Served) {
    let path = format!("/alerts/history?{RANGE}");
    let all = served.json(&format!("{path}&limit=500"));
    let fired: Vec<i64> = items(&all).iter().map(|item| item["fired_at"].as_i64().unwrap()).collect();
    // 05:50, 06:10 and 06:30 were resolved before the range began, 06:50 at its start.
    let expected = [(9, 10), (9, 0), (8, 40), (8, 10), (7, 50), (7, 30), (7, 10), (6, 50)];
    assert_eq!(fired, expected.map(|(hour, minute)| at(hour, minute)));
    assert_eq!(column(&all, "state")[..4], ["firing", "firing", "firing", "resolved"]);
    let resolved = &items(&all)[3];
    assert_eq!(resolved["resolved_at"], at(8, 20));
    assert!(resolved["page"].as_str().unwrap().contains(&format!("from={}&to={}", at(7, 10), at(8, 20))), "{resolved}");
    assert_eq!(items(&all)[1]["found_late_ms"], 600_000);
    assert_eq!(items(&all)[1]["deliveries"], json!([]), "those of another episode are not this one's");
    let told = items(&all)[2]["deliveries"].as_array().unwrap();
    assert_eq!(told[0], json!({"receiver": "chat", "state": "owed", "at": 1_793_522_400_000_i64}));
    assert_eq!((&told[1]["receiver"], &told[1]["state"]), (&json!("on-call"), &json!("firing")));
    let mut paged: Vec<i64> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = served.json(&format!("{path}&limit=3{cursor}"));
        paged.extend(items(&page).iter().map(|item| item["fired_at"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, fired);
    assert_eq!(items(&served.json(&format!("{path}&state=firing"))).len(), 3);
    assert_eq!(items(&served.json(&format!("{path}&fingerprint=aa01&severity=page"))).len(), 6);
    assert_eq!(items(&served.json(&format!("{path}&severity=ticket"))).len(), 1);
    let early = served.json("/alerts/history?from=2026-11-01T05:00:00Z&to=2026-11-01T06:00:00Z");
    assert_eq!(items(&early).len(), 1);
}
