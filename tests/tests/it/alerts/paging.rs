//! From events in Kafka to a page, over a kill of the alerter, with two of them, and with the real Alertmanager.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use ringtrace_kit::clock;
use ringtrace_tests::stack::{Case, Given, Hook, Running, data, free_port, get, topic_of, wait_for};
use serde_json::{Value, json};

/// Rules that fire and resolve within seconds, and their receivers: one that works, one that is down, and Alertmanager.
fn rules(name: &str, window: &str, hook: &Hook, alertmanager: &str) -> PathBuf {
    let path = data(&format!("{name}-rules.toml"));
    let down = free_port();
    let text = format!(
        r#"
        dashboard = "https://ringtrace.example.com"
        [[rule]]
        name = "credential-errors"
        window = "{window}"
        keep = "0s"
        [[receiver]]
        name = "down"
        kind = "webhook"
        url = "http://127.0.0.1:{down}"
        [[receiver]]
        name = "hook"
        kind = "webhook"
        url = "{}"
        [[receiver]]
        name = "alertmanager"
        kind = "alertmanager"
        url = "http://{alertmanager}"
        "#,
        hook.url
    );
    fs::write(&path, text).unwrap();
    path
}

/// Pushes of an app that APNs refuses for the credential.
fn refused(case: &Case, calls: u32) {
    let now = clock::wall_ms();
    let record = |call: &str, nth: u32, kind: &str, more: Value| {
        let mut value = json!({ "event_id": format!("{kind}-{nth}"), "kind": kind, "occurred_at": now, "app_id": "com.example.talk",
            "call_uuid": call, "device_id": format!("iphone-{nth}"), "platform": "ios", "push_id": format!("p{nth}") });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Given {
            topic: topic_of(kind).to_owned(),
            key: Some(call.as_bytes().to_vec()),
            value: Some(value.to_string().into_bytes()),
            log_at: now,
            ..Given::default()
        }
    };
    let records: Vec<Given> = (0..calls)
        .flat_map(|nth| {
            let call = format!("00000000-0000-4000-8000-{nth:012}");
            [
                record(&call, nth, "push.sent", json!({ "channel": "apns_voip" })),
                record(&call, nth, "push.rejected", json!({ "status": 403, "reason": "ExpiredProviderToken" })),
            ]
        })
        .collect();
    case.write(&records);
}

pub(super) fn alerter(case: &Case, name: &str, rules: &Path) -> (Running, String) {
    alerter_with(case, name, rules, &[])
}

fn alerter_with(case: &Case, name: &str, rules: &Path, more: &[(&str, String)]) -> (Running, String) {
    let listen = format!("127.0.0.1:{}", free_port());
    let settings = [
        ("RINGTRACE_ALERT_RULES", rules.display().to_string()),
        ("RINGTRACE_ALERT_GROUP", format!("{}-alerter", case.group())),
        ("RINGTRACE_ALERT_INTERVAL_MS", "500".to_owned()),
        ("RINGTRACE_HTTP_LISTEN", listen.clone()),
    ];
    let settings: Vec<_> =
        settings.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    (case.start_as("alert", name, &settings), listen)
}

/// How many evaluations an alerter has made: only the one that leads makes any.
pub(super) fn evaluations(listen: &str) -> f64 {
    let metrics = get(listen, "/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix("ringtrace_alert_evaluations_total "));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
}

fn start_alertmanager(name: &str) -> (Running, String) {
    let config = data(&format!("{name}-alertmanager.yml"));
    fs::write(&config, "route: { receiver: none }\nreceivers: [{ name: none }]\n").unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let storage = data(&format!("{name}-alertmanager"));
    let arguments = [
        "prometheus-alertmanager".to_owned(),
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", storage.display()),
        format!("--web.listen-address={listen}"),
        "--cluster.listen-address=".to_owned(),
    ];
    let command: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let running = Running::start(&format!("{name}-alertmanager-log"), &command, &[]);
    wait_for("Alertmanager", || get(&listen, "/-/ready").contains("200 OK"));
    (running, listen)
}

fn in_alertmanager(listen: &str) -> Vec<Value> {
    let answer = get(listen, "/api/v2/alerts");
    let start = answer.find('[').unwrap_or(answer.len());
    let end = answer.rfind(']').map_or(start, |end| end + 1);
    serde_json::from_str(answer.get(start..end).unwrap_or_default()).unwrap_or_default()
}

#[test]
fn a_page_is_told_once_over_a_kill_and_with_two_alerters_and_is_resolved() {
    let hook = Hook::start();
    let (_alertmanager, at) = start_alertmanager("paging");
    let case = Case::new("paging", 2);
    let rules = rules("paging", "40s", &hook, &at);
    // A slot that is new does not know its clock yet: that is not fifty years behind.
    case.execute("INSERT INTO slots_rows (slot, sequence, log_clock) VALUES (9, 1, 0)");
    let _linker = case.start_as("link", "linker", &[]);
    let (first, first_listen) = alerter(&case, "first", &rules);
    wait_for("the first alerter to lead", || evaluations(&first_listen) > 0.0);
    let (second, second_listen) = alerter(&case, "second", &rules);
    refused(&case, 5);
    let firing = ("firing".to_owned(), "credential-errors".to_owned());
    wait_for("the page", || hook.told().contains(&firing));
    let page = &hook.received()[0];
    assert_eq!(page["commonLabels"]["app_id"], "com.example.talk");
    assert_eq!(page["commonLabels"]["severity"], "page");
    let link = page["commonAnnotations"]["dashboard"].as_str().unwrap();
    assert!(link.starts_with("https://ringtrace.example.com/delivery?from="), "{link}");
    assert!(link.ends_with("&to=now&tenant=default&app=com.example.talk&channel=apns_voip"), "{link}");
    let example = page["commonAnnotations"]["example_3"].as_str().unwrap();
    assert!(example.starts_with("https://ringtrace.example.com/calls/00000000-0000-4000-8000-"), "{example}");
    wait_for("Alertmanager to have it", || !in_alertmanager(&at).is_empty());
    let held = in_alertmanager(&at);
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["labels"]["alertname"], "credential-errors");
    assert_eq!(held[0]["status"]["state"], "active");

    // Whichever leads is killed; the other goes on with what is stored. What is sent and not yet written down is sent again.
    wait_for("what was told to be written down", || {
        case.number("SELECT count() FROM alert_deliveries WHERE receiver = 'hook' AND state = 'firing'") == 1
    });
    let leads = |listen: &str| evaluations(listen) > 0.0;
    let (leader, heir, heir_listen) = match leads(&second_listen) {
        true => (second, first, first_listen),
        false => (first, second, second_listen),
    };
    leader.signal("KILL");
    let before = evaluations(&heir_listen);
    wait_for("the other to lead", || evaluations(&heir_listen) > before + 1.0);
    let resolved = ("resolved".to_owned(), "credential-errors".to_owned());
    wait_for("the resolution", || hook.told().contains(&resolved));
    assert_eq!(hook.told(), [firing, resolved]);
    wait_for("Alertmanager to forget it", || in_alertmanager(&at).is_empty());
    let history = case.rows("SELECT state, rule FROM alert_history ORDER BY at");
    assert_eq!(
        history,
        [
            json!({"state": "firing", "rule": "credential-errors"}),
            json!({"state": "resolved", "rule": "credential-errors"})
        ]
    );
    let owed = case.number("SELECT count() FROM alert_deliveries WHERE receiver = 'down' AND state = 'owed'");
    assert_eq!(owed, 1, "what the receiver that is down was not told is not forgotten");
    heir.signal("TERM");
    let exit = heir.wait();
    assert!(exit.status.success(), "{}", exit.output);
}

#[test]
fn a_page_goes_over_tls_to_whom_the_systems_roots_vouch_for_and_to_nobody_else() {
    let (trusted, unknown) = (data("paging-trusted.pem"), data("paging-unknown.pem"));
    let (hook, stranger) = (Hook::secure(&trusted), Hook::secure(&unknown));
    let case = Case::new("paging-tls", 2);
    let rules = rules("paging-tls", "5m", &hook, "127.0.0.1:1");
    let text = fs::read_to_string(&rules).unwrap();
    let another = format!("\n[[receiver]]\nname = \"stranger\"\nkind = \"webhook\"\nurl = \"{}\"\n", stranger.url);
    fs::write(&rules, text + &another).unwrap();
    let _linker = case.start_as("link", "linker", &[]);
    let (_alerter, listen) =
        alerter_with(&case, "alerter", &rules, &[("SSL_CERT_FILE", trusted.display().to_string())]);
    wait_for("the alerter to lead", || evaluations(&listen) > 0.0);
    refused(&case, 5);
    let failed = r#"ringtrace_alert_deliveries_total{receiver="stranger",outcome="unreachable"}"#;
    wait_for("the page", || !hook.told().is_empty());
    wait_for("the attempt at the other", || get(&listen, "/metrics").contains(failed));
    assert_eq!(hook.told(), [("firing".to_owned(), "credential-errors".to_owned())]);
    assert_eq!(stranger.told(), []);
}

#[test]
fn a_pipeline_without_a_linker_pages_about_itself_and_nothing_else() {
    let hook = Hook::start();
    let case = Case::new("paging-late", 2);
    let rules = rules("paging-late", "5m", &hook, "127.0.0.1:1");
    let text = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, text + "\n[[rule]]\nname = \"pipeline-behind\"\nlonger_than = \"20s\"\n").unwrap();
    let linker = case.start_as("link", "linker", &[]);
    let (_alerter, listen) = alerter(&case, "alerter", &rules);
    wait_for("the alerter to lead", || evaluations(&listen) > 0.0);
    wait_for("the slots' clocks", || case.number("SELECT count() FROM slots") == 2);
    linker.signal("KILL");
    refused(&case, 5);
    let behind = ("firing".to_owned(), "pipeline-behind".to_owned());
    wait_for("the page", || hook.told().contains(&behind));
    assert_eq!(hook.told(), [behind]);
    let _linker = case.start_as("link", "linker-again", &[]);
    let late = ("firing".to_owned(), "credential-errors".to_owned());
    wait_for("what catching up finds", || hook.told().contains(&late));
    wait_for("the resolution", || hook.told().contains(&("resolved".to_owned(), "pipeline-behind".to_owned())));
}
