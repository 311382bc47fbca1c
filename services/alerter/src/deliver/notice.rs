//! An alert in the words and links that receivers are sent.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use form_urlencoded::Serializer;

use crate::fact::Dim;
use crate::judge::{Alert, State};
use crate::query::Measure;
use crate::rules::{Condition, Rule, Rules, Severity, show_length};

/// What a receiver is sent about an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Names the alert for ever.
    pub fingerprint: String,
    /// How urgent it is.
    pub severity: Severity,
    /// Firing or resolved.
    pub state: State,
    /// `alertname`, `severity`, and the rule's dimensions.
    pub labels: BTreeMap<String, String>,
    /// `summary`, `runbook`, `dashboard`, `example_1` to `example_3`, `found_late`; those that there are.
    pub annotations: BTreeMap<String, String>,
    /// When it began to fire, in milliseconds since the Unix epoch.
    pub fired_at: i64,
    /// When it was resolved.
    pub resolved_at: Option<i64>,
    /// The dashboard's page; empty without a dashboard.
    pub link: String,
}

/// How much of the dashboard is shown before an alert began, in milliseconds.
const BEFORE_MS: i64 = 3_600_000;

impl Notice {
    /// Of an alert that fires or is resolved; `None` of one that is pending or kept quiet.
    pub fn of(alert: &Alert, rules: &Rules, wall: i64) -> Option<Notice> {
        let fired_at = alert.fired_at?;
        if alert.state == State::Pending || rules.mutes.iter().any(|mute| mute.holds(|name| alert.label(name), wall)) {
            return None;
        }
        let rule = rules.rules.iter().find(|rule| rule.name == alert.rule);
        let link = link(alert, rule, &rules.dashboard);
        let mut annotations = BTreeMap::from([("summary".to_owned(), alert.summary.clone())]);
        let mut annotate = |name: &str, text: String| {
            if !text.is_empty() {
                annotations.insert(name.to_owned(), text);
            }
        };
        annotate("runbook", rule.map(|rule| rule.runbook.clone()).unwrap_or_default());
        annotate("dashboard", link.clone());
        if alert.found_late_ms > 0 {
            let late = show_length(alert.found_late_ms / 60_000 * 60_000);
            annotate("found_late", format!("Found {late} late: the pipeline was behind when this happened."));
        }
        let tenant = alert.label(Dim::Tenant.name()).unwrap_or_default();
        for (number, example) in (1..).zip(&alert.examples) {
            annotate(&format!("example_{number}"), call_link(&rules.dashboard, &example.call_uuid, tenant));
        }
        let mut labels: BTreeMap<String, String> =
            alert.group.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
        labels.insert("alertname".to_owned(), alert.rule.clone());
        labels.insert("severity".to_owned(), alert.severity.as_str().to_owned());
        Some(Notice {
            fingerprint: alert.fingerprint.clone(),
            severity: alert.severity,
            state: alert.state,
            labels,
            annotations,
            fired_at,
            resolved_at: alert.resolved_at,
            link,
        })
    }

    /// The title for people: the rule and what it is about.
    pub fn title(&self) -> String {
        let about: Vec<&str> = self
            .labels
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity" | "tenant_id"))
            .map(|(_, value)| value.as_str())
            .collect();
        let name = self.labels.get("alertname").map_or("", String::as_str);
        if about.is_empty() { name.to_owned() } else { format!("{name}: {}", about.join(", ")) }
    }

    /// An annotation; empty where there is none.
    pub fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }

    /// Links to the calls that show it, or their UUIDs where there is no dashboard.
    pub fn examples(&self) -> impl Iterator<Item = &str> {
        self.annotations.iter().filter(|(name, _)| name.starts_with("example_")).map(|(_, text)| text.as_str())
    }
}

/// A time as receivers read it: RFC 3339, UTC.
pub(super) fn rfc3339(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The path of the dashboard's page for a rule.
fn path(rule: Option<&Rule>) -> &'static str {
    match rule.map(|rule| &rule.condition) {
        Some(Condition::Ratio(ratio)) => match ratio.measure {
            Measure::SlowDelivery(_)
            | Measure::Missing
            | Measure::CredentialErrors
            | Measure::TokenErrors
            | Measure::GhostCalls
            | Measure::PriorityLowered => "/delivery",
            Measure::Unanswered => "/answers",
            Measure::Untold | Measure::Late(_) | Measure::Early(_) => "/pipeline",
            _ => "/violations",
        },
        Some(Condition::NewVersion { .. }) => "/violations",
        Some(Condition::WakeBans { .. }) => "/risk",
        Some(Condition::Behind { .. } | Condition::DeadLetters { .. }) => "/pipeline",
        Some(Condition::Carriers(_) | Condition::Expiry { .. }) => "/delivery",
        None => "/",
    }
}

/// The dashboard's page about an alert that began at `began_at`, with range and filters set: path and query.
pub fn page<'g>(
    rule: Option<&Rule>,
    group: impl IntoIterator<Item = (&'g String, &'g String)>,
    began_at: i64,
    resolved_at: Option<i64>,
) -> String {
    let mut query = Serializer::new(String::new());
    let window_ms = rule.map_or(0, |rule| rule.window_ms);
    query.append_pair("from", &(began_at - window_ms.max(BEFORE_MS)).to_string());
    let to = resolved_at.map_or_else(|| "now".to_owned(), |at| at.to_string());
    query.append_pair("to", &to);
    for (name, value) in group {
        if let Some(dim) = Dim::parse(name) {
            query.append_pair(dim.filter(), value);
        }
    }
    format!("{}?{}", path(rule), query.finish())
}

/// The dashboard's page about an alert; empty without a dashboard.
fn link(alert: &Alert, rule: Option<&Rule>, dashboard: &str) -> String {
    if dashboard.is_empty() {
        return String::new();
    }
    let group = alert.group.iter().map(|(name, value)| (name, value));
    format!("{dashboard}{}", page(rule, group, alert.fired_at.unwrap_or(alert.since), alert.resolved_at))
}

fn call_link(dashboard: &str, call_uuid: &str, tenant: &str) -> String {
    if dashboard.is_empty() {
        return call_uuid.to_owned();
    }
    let query = Serializer::new(String::new()).append_pair("tenant", tenant).finish();
    format!("{dashboard}/calls/{call_uuid}?{query}")
}
