//! Metrics: alerts by rule and state, apps by level, with bounded labels.

use std::collections::BTreeMap;

use metrics::{Gauge, gauge};

use super::term::Term;
use crate::judge::State;
use crate::risk::Level;
use crate::rules::Rule;

/// Sets every gauge to what is now. Labels are names of rules and words: never an app, a device or a call.
pub(super) fn show(term: &Term<'_>, behind_ms: Option<i64>) {
    let held = &term.remembered.board.alerts;
    for rule in &term.rules.rules {
        for state in [State::Pending, State::Firing] {
            let count = held.values().filter(|alert| alert.rule == rule.name && alert.state == state).count();
            alerts(rule, state).set(count as f64);
        }
    }
    let mut levels: BTreeMap<Level, usize> = BTreeMap::new();
    for risk in term.remembered.risk.values() {
        *levels.entry(risk.held.level).or_default() += 1;
    }
    for level in Level::ALL {
        gauge!("ringtrace_app_versions", "level" => level.as_str())
            .set(levels.get(&level).copied().unwrap_or_default() as f64);
    }
    if let Some(behind_ms) = behind_ms {
        gauge!("ringtrace_log_clock_behind_seconds").set(behind_ms.max(0) as f64 / 1_000.0);
    }
}

/// Sets every gauge to nothing: another leads, and says what is.
pub(super) fn hide(rules: &[Rule]) {
    for rule in rules {
        for state in [State::Pending, State::Firing] {
            alerts(rule, state).set(0.0);
        }
    }
    for level in Level::ALL {
        gauge!("ringtrace_app_versions", "level" => level.as_str()).set(0.0);
    }
    gauge!("ringtrace_log_clock_behind_seconds").set(0.0);
}

fn alerts(rule: &Rule, state: State) -> Gauge {
    gauge!("ringtrace_alerts", "rule" => rule.name.clone(), "severity" => rule.severity.as_str(), "state" => state.as_str())
}
