//! `/alerts` and `/alerts/history`: what fires now, and what fired and was resolved.

mod current;
mod history;
mod told;

pub(crate) use current::answer as current;
pub(crate) use history::answer as history;

use std::collections::BTreeMap;

use ringtrace_alerter::deliver::page;
use ringtrace_alerter::rules::{Rule, Rules, Severity};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ask::Ask;
use crate::problem::Problem;
use crate::store::{Query, Scope, Value as Given};

/// An alert, or an episode of one.
#[derive(Deserialize)]
struct Stored {
    fingerprint: String,
    rule: String,
    severity: String,
    labels: BTreeMap<String, String>,
    state: String,
    /// Since when it holds, or when it began to fire.
    since: i64,
    fired_at: Option<i64>,
    resolved_at: Option<i64>,
    summary: String,
    found_late_ms: i64,
    /// As the alerter writes them: JSON.
    examples: String,
}

/// A call that shows it, as the alerter writes it.
#[derive(Deserialize)]
struct Example {
    call_uuid: String,
    device_id: String,
    at: i64,
}

/// The words of severities.
pub(crate) fn severities() -> Vec<&'static str> {
    [Severity::Page, Severity::Ticket].iter().map(|severity| severity.as_str()).collect()
}

/// Conditions on alerts that are asked for, each with a leading `AND`.
fn conditions(ask: &Ask) -> String {
    let of = [("app", "labels['app_id']"), ("rule", "rule"), ("severity", "severity"), ("fingerprint", "fingerprint")];
    let wanted = of.iter().filter(|(name, _)| ask.get(name).is_some());
    wanted.map(|(name, column)| format!(" AND {column} IN {{{name}:Array(String)}}")).collect()
}

/// A statement with the values of [`conditions`].
fn query(ask: &Ask, scope: &Scope, text: &str) -> Result<Query, Problem> {
    let names = ["app", "rule", "severity", "fingerprint"];
    Ok(names.iter().fold(Query::new(scope, text)?, |query, name| query.with(name, Given::Texts(ask.all(name)))))
}

impl Stored {
    fn rule<'a>(&self, rules: &'a Rules) -> Option<&'a Rule> {
        rules.rules.iter().find(|rule| rule.name == self.rule)
    }

    /// What a list shows of it, with the runbook and the page of the dashboard.
    fn shown(&self, rules: &Rules, deliveries: &Value) -> Map<String, Value> {
        let rule = self.rule(rules);
        let runbook = rule.map(|rule| rule.runbook.as_str()).filter(|text| !text.is_empty());
        let began_at = self.fired_at.unwrap_or(self.since);
        let examples: Vec<Example> = serde_json::from_str(&self.examples).unwrap_or_default();
        let example = |Example { call_uuid, device_id, at }: &Example| {
            let device = if device_id.is_empty() { Value::Null } else { device_id.as_str().into() };
            json!({"call_uuid": call_uuid, "device_id": device, "at": at})
        };
        let shown = json!({
            "fingerprint": self.fingerprint,
            "rule": self.rule,
            "severity": self.severity,
            "labels": self.labels,
            "state": self.state,
            "fired_at": self.fired_at,
            "resolved_at": self.resolved_at,
            "summary": self.summary,
            "found_late_ms": self.found_late_ms,
            "examples": examples.iter().map(example).collect::<Vec<_>>(),
            "runbook": runbook,
            "page": page(rule, &self.labels, began_at, self.resolved_at),
            "deliveries": deliveries,
        });
        match shown {
            Value::Object(shown) => shown,
            _ => Map::new(),
        }
    }
}
