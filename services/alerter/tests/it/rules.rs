//! The rules file: what is shipped, what overrides it, and what is said of mistakes.

use ringtrace_alerter::fact::Dim;
use ringtrace_alerter::rules::{Condition, ReceiverKind, Rules, SHIPPED, Severity};

#[test]
fn the_shipped_rules_are_accepted_as_a_file_and_change_nothing() {
    let shipped = Rules::parse("").unwrap();
    assert!(shipped.rules.len() > 15);
    assert_eq!(Rules::parse(SHIPPED).unwrap(), shipped);
    for rule in &shipped.rules {
        assert!(!rule.runbook.is_empty(), "{} says what to do", rule.name);
    }
}

#[test]
fn a_file_says_only_what_differs() {
    let text = r#"
        dashboard = "https://ringtrace.example.com/"
        [risk]
        calm = "1h"
        [[rule]]
        name = "ghost-calls"
        severity = "page"
        [[rule]]
        name = "answer-rate-drop"
        enabled = false
        [[rule]]
        name = "missing-by-os"
        kind = "missing_receipts"
        group_by = ["app_id", "os_major"]
        window = "2h"
    "#;
    let (shipped, own) = (Rules::parse("").unwrap(), Rules::parse(text).unwrap());
    let find = |rules: &Rules, name: &str| rules.rules.iter().find(|rule| rule.name == name).cloned();
    assert_eq!(own.dashboard, "https://ringtrace.example.com");
    assert_eq!((own.risk.calm_ms, own.risk.minimum), (3_600_000, shipped.risk.minimum));
    let (before, after) = (find(&shipped, "ghost-calls").unwrap(), find(&own, "ghost-calls").unwrap());
    assert_eq!((before.severity, after.severity), (Severity::Ticket, Severity::Page));
    assert_eq!((before.condition, &before.runbook), (after.condition, &after.runbook));
    assert_eq!(find(&own, "answer-rate-drop"), None);
    let new = find(&own, "missing-by-os").unwrap();
    assert_eq!(new.group_by, [Dim::Tenant, Dim::App, Dim::OsMajor]);
    assert_eq!(new.window_ms, 7_200_000);
    assert_eq!(own.rules.len(), shipped.rules.len());
    let alone = Rules::parse("shipped_rules = false\n[[rule]]\nname = \"a\"\nkind = \"pipeline_behind\"\n").unwrap();
    assert!(matches!(alone.rules.as_slice(), [rule] if rule.condition == Condition::Behind { ms: 120_000 }));
}

#[test]
fn receivers_and_mutes_are_read() {
    let text = r#"
        [[receiver]]
        name = "am"
        kind = "alertmanager"
        url = "http://localhost:9093"
        [[receiver]]
        name = "night"
        kind = "pagerduty"
        secret_file = "/run/secrets/pagerduty"
        severities = ["page"]
        [[mute]]
        labels = { alertname = "ghost-calls", app_id = "a" }
        until = "2026-12-01T00:00:00Z"
        reason = "known"
    "#;
    let rules = Rules::parse(text).unwrap();
    let kinds: Vec<ReceiverKind> = rules.receivers.iter().map(|receiver| receiver.kind).collect();
    assert_eq!(kinds, [ReceiverKind::Alertmanager, ReceiverKind::PagerDuty]);
    assert_eq!(rules.receivers[1].url.read().unwrap(), "https://events.pagerduty.com/v2/enqueue");
    let mute = &rules.mutes[0];
    let label = |name: &str| [("alertname", "ghost-calls"), ("app_id", "a")].iter().find(|l| l.0 == name).map(|l| l.1);
    assert!(mute.holds(label, 1_795_000_000_000) && !mute.holds(label, 1_797_000_000_000));
    assert!(!mute.holds(|name| label(name).filter(|_| name != "app_id"), 1_795_000_000_000));
}

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    let error = Rules::parse(text).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{error}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line:?} does not begin with {expected:?}");
    }
}

#[test]
fn every_mistake_is_named_with_line_and_key() {
    refused("objective = ", &["line 1: is not TOML"]);
    refused("objektive = 1", &["line 1: objektive: is no key here; there are dashboard"]);
    refused(
        "objective = 0.9\n\n[[rule]]\nname = \"ghost-calls\"\nshare = \"much\"\nwindow = \"5 m\"\nfor = 7\n",
        &[
            "line 5: rule.ghost-calls.share: \"much\" is not accepted: expected a number above 0, up to 1",
            "line 6: rule.ghost-calls.window: \"5 m\" is not accepted: expected a length such as",
            "line 7: rule.ghost-calls.for: 7 is not accepted",
        ],
    );
    refused("[[rule]]\nkind = \"ghost_calls\"\n", &["line 1: rule..name: is missing"]);
    refused("[[rule]]\nname = \"new\"\n", &["line 1: rule.new.kind: is missing"]);
    refused(
        "[[rule]]\nname = \"new\"\nkind = \"ghosts\"\n",
        &["line 3: rule.new.kind: \"ghosts\" is not accepted: expected one of"],
    );
    refused(
        "[[rule]]\nname = \"late-events\"\ngroup_by = [\"app_id\",\n  \"carrier\"]\n",
        &["line 4: rule.late-events.group_by: \"carrier\" is not accepted: expected any of tenant_id, app_id"],
    );
    refused(
        "[[rule]]\nname=\"a\"\nkind=\"dead_letters\"\n[[rule]]\nname=\"a\"\nkind=\"dead_letters\"\n",
        &["line 4: rule.a: is a name"],
    );
    refused(
        "[[rule]]\nname = \"ghost-calls\"\nburn_rate = 2.0\n",
        &["line 3: rule.ghost-calls.burn_rate: is no key here"],
    );
    refused("[[receiver]]\nname = \"a\"\nkind = \"slack\"\n", &["line 1: receiver.a.url: is missing"]);
    refused("[[receiver]]\nname = \"a\"\nkind = \"pagerduty\"\n", &["line 1: receiver.a.secret: is missing"]);
    refused("[[mute]]\nlabels = {}\n", &["line 2: mute.labels: is missing or empty"].map(|_| "line 1: mute.labels"));
    refused("[device]\nwatch = 5\n", &["line 1: device.watch: must not be above at_risk"]);
}
