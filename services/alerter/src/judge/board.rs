//! Alerts and their life: pending, firing, resolved; by log time.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::query::Example;
use crate::rules::{Rule, Severity};

/// How much of a hash names an alert, in bytes.
const FINGERPRINT_BYTES: usize = 8;

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It holds, but not for long enough.
    Pending,
    /// It fires.
    Firing,
    /// It has fired, and is over.
    Resolved,
}

impl State {
    /// Its word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Firing => "firing",
            State::Resolved => "resolved",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<State> {
        [State::Pending, State::Firing, State::Resolved].into_iter().find(|state| state.as_str() == word)
    }
}

/// An alert. Times are milliseconds since the Unix epoch: log time, or wall time for rules about the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Names it for ever: a hash of its labels.
    pub fingerprint: String,
    /// The rule.
    pub rule: String,
    /// How urgent it is.
    pub severity: Severity,
    /// The rule's dimensions with their values; empty values are unknown ones.
    pub group: Vec<(String, String)>,
    /// Where it stands.
    pub state: State,
    /// Since when it holds.
    pub since: i64,
    /// When it began to fire.
    pub fired_at: Option<i64>,
    /// Since when it holds no more; `None` while it does.
    pub quiet_since: Option<i64>,
    /// When it was resolved.
    pub resolved_at: Option<i64>,
    /// What is wrong, in one sentence with its numbers.
    pub summary: String,
    /// How late it was found, in milliseconds: the pipeline was behind when it became true. 0 where it was found in time.
    pub found_late_ms: i64,
    /// Calls that show it.
    pub examples: Vec<Example>,
}

impl Alert {
    /// Whether it fires.
    pub fn is_firing(&self) -> bool {
        self.state == State::Firing
    }

    /// The value of a label as receivers see it.
    pub fn label(&self, name: &str) -> Option<&str> {
        match name {
            "alertname" => Some(&self.rule),
            "severity" => Some(self.severity.as_str()),
            name => self.group.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str()),
        }
    }
}

/// A change of an alert that people are told, and that history keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The alert as it is now.
    pub alert: Alert,
    /// When, as the alert's own times.
    pub at: i64,
}

/// All alerts that are pending or fire, and those that were resolved.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// By fingerprint.
    pub alerts: BTreeMap<String, Alert>,
}

/// What a rule says of one group.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) group: Vec<(String, String)>,
    pub(super) summary: String,
    pub(super) examples: Vec<Example>,
}

/// What names an alert: a hash of its rule and group.
pub fn fingerprint(rule: &str, group: &[(String, String)]) -> String {
    let mut hash = Sha256::new();
    let pairs = group.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    for part in std::iter::once(rule).chain(pairs) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    HEXLOWER.encode(hash.finalize().get(..FINGERPRINT_BYTES).unwrap_or_default())
}

impl Board {
    /// What holds of a rule now; an alert of the rule that is not among it has stopped to hold, unless it `is_held` back.
    ///
    /// `late_ms` is how late this is known. While `catching_up` nothing is resolved: what catching up finds stays until the
    /// clock has arrived.
    pub(super) fn step(
        &mut self,
        rule: &Rule,
        holding: Vec<Verdict>,
        is_held: impl Fn(&[(String, String)]) -> bool,
        at: i64,
        (late_ms, catching_up): (i64, bool),
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut seen = Vec::with_capacity(holding.len());
        for verdict in holding {
            let fingerprint = fingerprint(&rule.name, &verdict.group);
            seen.push(fingerprint.clone());
            if is_held(&verdict.group) {
                continue;
            }
            let alert = self.hold(fingerprint, rule, verdict, at, late_ms);
            if alert.state == State::Pending && at - alert.since >= rule.for_ms {
                alert.state = State::Firing;
                alert.fired_at = Some(at);
                changes.push(Change { alert: alert.clone(), at });
            }
        }
        let of_rule = self.alerts.values_mut().filter(|alert| alert.rule == rule.name);
        for alert in of_rule.filter(|alert| !seen.contains(&alert.fingerprint) && !is_held(&alert.group)) {
            if let Some(change) = alert.rest(rule.keep_ms, at, catching_up) {
                changes.push(change);
            }
        }
        self.alerts.retain(|_, alert| alert.state != State::Pending || alert.quiet_since.is_none());
        changes
    }

    fn hold(&mut self, fingerprint: String, rule: &Rule, verdict: Verdict, at: i64, late_ms: i64) -> &mut Alert {
        let new = Alert {
            fingerprint: fingerprint.clone(),
            rule: rule.name.clone(),
            severity: rule.severity,
            group: verdict.group,
            state: State::Pending,
            since: at,
            fired_at: None,
            quiet_since: None,
            resolved_at: None,
            summary: verdict.summary,
            found_late_ms: late_ms,
            examples: verdict.examples,
        };
        let alert = self.alerts.entry(fingerprint).or_insert_with(|| new.clone());
        if alert.state == State::Resolved {
            *alert = new;
        } else {
            *alert = Alert {
                state: alert.state,
                since: alert.since,
                fired_at: alert.fired_at,
                found_late_ms: alert.found_late_ms,
                examples: if new.examples.is_empty() { std::mem::take(&mut alert.examples) } else { new.examples },
                ..new
            };
        }
        alert
    }

    /// Resolves what fires of rules that are there no more.
    pub fn retire(&mut self, rules: &[Rule], at: i64) -> Vec<Change> {
        let is_gone = |alert: &Alert| !rules.iter().any(|rule| rule.name == alert.rule);
        let gone = self.alerts.values_mut().filter(|alert| is_gone(alert));
        gone.filter_map(|alert| alert.rest(0, at, false)).collect()
    }

    /// Those that are in a state.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &Alert> {
        self.alerts.values().filter(move |alert| alert.state == state)
    }
}

impl Alert {
    /// It holds no more.
    fn rest(&mut self, keep_ms: i64, at: i64, catching_up: bool) -> Option<Change> {
        match self.state {
            State::Resolved => None,
            State::Pending => {
                self.quiet_since = Some(at);
                None
            }
            State::Firing if catching_up => None,
            State::Firing => {
                let since = *self.quiet_since.get_or_insert(at);
                if at - since < keep_ms {
                    return None;
                }
                self.state = State::Resolved;
                self.resolved_at = Some(at);
                Some(Change { alert: self.clone(), at })
            }
        }
    }
}
