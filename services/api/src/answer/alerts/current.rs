//! `/alerts`: what fires, or will when it goes on, and what keeps it as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringtrace_alerter::judge::holds_back;
use ringtrace_alerter::rules::Rules;
use serde_json::{Value, json};

use super::{Stored, conditions, query, told};
use crate::answer::App;
use crate::answer::risk::alerter;
use crate::ask::Ask;
use crate::problem::Problem;
use crate::store::Scope;

/// Most alerts that are shown: those that fire come first.
const MOST: usize = 1_000;

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let scope = ask.scope()?;
    let of = |conditions: &str| {
        format!(
            "SELECT fingerprint, rule, severity, labels, state, toUnixTimestamp64Milli(since), toUnixTimestamp64Milli(fired_at), \
             toUnixTimestamp64Milli(resolved_at), summary, found_late_ms, examples FROM @alerts \
             AND state IN ('firing', 'pending') {conditions} \
             ORDER BY state, severity, since DESC, fingerprint LIMIT {}",
            MOST + 1
        )
    };
    // What holds others back is looked for among all that the reader sees, whatever is asked for.
    let seen = Scope::of(ask.reader.tenants(), &[])?;
    let (mut alerts, all, looked) = tokio::try_join!(
        app.store.rows::<Stored>(query(&ask, &scope, &of(&conditions(&ask)))?),
        app.store.rows::<Stored>(query(&ask, &seen, &of(""))?),
        alerter(&app, &scope)
    )?;
    let truncated = alerts.len() > MOST;
    alerts.truncate(MOST);
    let told = told::read(&app, &scope, &alerts).await?;
    let rules = &app.alert_rules;
    let wall = ask.now;
    let shown = alerts.iter().map(|alert| {
        let mut shown = alert.shown(rules, &told.of(alert));
        let is_muted = rules.mutes.iter().any(|mute| mute.holds(|name| alert.label(name), wall));
        shown.insert("since".to_owned(), alert.since.into());
        shown.insert("muted".to_owned(), is_muted.into());
        shown.insert("held_back_by".to_owned(), alert.held_back_by(&all, rules).into());
        shown.insert("holds_back".to_owned(), alert.holds_back(rules).into());
        Value::Object(shown)
    });
    let items: Vec<Value> = shown.collect();
    let firing = alerts.iter().filter(|alert| alert.state == "firing").count();
    Ok(json!({"firing": firing, "items": items, "truncated": truncated, "alerter": looked}))
}

impl Stored {
    fn label(&self, name: &str) -> Option<&str> {
        match name {
            "alertname" => Some(&self.rule),
            "severity" => Some(&self.severity),
            name => self.labels.get(name).map(String::as_str),
        }
    }

    fn group(&self) -> Vec<(String, String)> {
        self.labels.clone().into_iter().collect()
    }

    /// Rules whose alerts stay as they are while this one is there: what they would say is not to be trusted.
    fn holds_back<'a>(&self, rules: &'a Rules) -> Vec<&'a str> {
        let Some(own) = self.rule(rules) else { return Vec::new() };
        let group = self.group();
        let held = rules.rules.iter().filter(|rule| holds_back((own, &group), (rule, &group)));
        held.map(|rule| rule.name.as_str()).collect()
    }

    /// Rules of alerts that keep this one as it is.
    fn held_back_by<'a>(&self, all: &[Stored], rules: &'a Rules) -> Vec<&'a str> {
        let Some(own) = self.rule(rules) else { return Vec::new() };
        let group = self.group();
        let others = all.iter().filter_map(|other| Some((other.rule(rules)?, other.group())));
        let holders = others.filter(|(rule, of)| holds_back((rule, of), (own, &group)));
        let names: BTreeSet<&str> = holders.map(|(rule, _)| rule.name.as_str()).collect();
        names.into_iter().collect()
    }
}
