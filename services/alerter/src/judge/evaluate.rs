//! One evaluation of all rules at a log time, with what freezes them and what holds them back.

use std::collections::BTreeSet;

use super::board::{Board, Change, State, Verdict};
use super::finding;
use super::source::Source;
use crate::rules::{Condition, Rule, Rules, show_length};

/// From how late on a finding says so, in milliseconds.
const LATE_MS: i64 = 300_000;

/// When an evaluation takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The log time at which rules look: the smallest log clock of all slots, or an earlier one while catching up.
    pub now: i64,
    /// Wall time. Both in milliseconds since the Unix epoch.
    pub wall: i64,
    /// How far the smallest log clock is behind the wall clock, in milliseconds; `None` before there is any.
    pub behind_ms: Option<i64>,
    /// Whether a later log time will be evaluated at once.
    pub catching_up: bool,
}

/// Evaluates the rules that `is_due`, and gives what changed.
///
/// Rules about the pipeline go by the wall clock. While it is behind, all others stay as they are; while an app's telemetry
/// or records are missing, or its clocks run ahead, so do the rules that would lie of that app.
///
/// # Errors
/// As the source; rules that were evaluated before stay so, and evaluating again does no harm.
pub async fn evaluate<S: Source>(
    source: &S,
    rules: &Rules,
    board: &mut Board,
    moment: &Moment,
    is_due: impl Fn(&Rule) -> bool,
) -> Result<Vec<Change>, S::Error> {
    let mut changes = Vec::new();
    let mut is_frozen = false;
    for rule in rules.rules.iter().filter(|rule| !moment.catching_up && is_about_clock(rule)) {
        let verdict = clock_verdict(rule, moment);
        is_frozen |= verdict.is_some();
        changes.extend(board.step(rule, verdict.into_iter().collect(), |_| false, moment.wall, (0, false)));
    }
    if is_frozen {
        return Ok(changes);
    }
    let late_ms = Some(moment.wall - moment.now).filter(|ms| *ms > LATE_MS).unwrap_or(0);
    let lateness = (late_ms, moment.catching_up);
    let mut holds = Holds::default();
    let first = rules.rules.iter().filter(|rule| is_holding(rule));
    for rule in first {
        if is_due(rule) {
            let verdicts = finding::find(source, rules, rule, moment.now).await?;
            holds.add(rule, verdicts.iter().map(|verdict| verdict.group.as_slice()));
            changes.extend(board.step(rule, verdicts, |_| false, moment.now, lateness));
        }
        let active = board.alerts.values().filter(|alert| alert.rule == rule.name && alert.state != State::Resolved);
        holds.add(rule, active.map(|alert| alert.group.as_slice()));
    }
    for rule in rules.rules.iter().filter(|rule| !is_about_clock(rule) && !is_holding(rule) && is_due(rule)) {
        let verdicts = finding::find(source, rules, rule, moment.now).await?;
        let is_held = |group: &[(String, String)]| holds.hold(rule, group);
        changes.extend(board.step(rule, verdicts, is_held, moment.now, lateness));
    }
    Ok(changes)
}

/// Whether an alert of the rule `holder`, which is pending or fires, keeps another rule's group as it is.
pub fn holds_back((holder, of): (&Rule, &[(String, String)]), (rule, group): (&Rule, &[(String, String)])) -> bool {
    if is_about_clock(rule) {
        return false;
    }
    if is_about_clock(holder) {
        return true;
    }
    if !is_holding(holder) || is_holding(rule) {
        return false;
    }
    let mut holds = Holds::default();
    holds.add(holder, std::iter::once(of));
    holds.hold(rule, group)
}

fn is_about_clock(rule: &Rule) -> bool {
    matches!(rule.condition, Condition::Behind { .. })
}

fn is_holding(rule: &Rule) -> bool {
    rule.watches_coverage() || rule.watches_clocks() || matches!(rule.condition, Condition::DeadLetters { .. })
}

fn clock_verdict(rule: &Rule, moment: &Moment) -> Option<Verdict> {
    let Condition::Behind { ms } = rule.condition else { return None };
    let behind_ms = moment.behind_ms.filter(|behind| *behind > ms)?;
    let (behind, limit) = (show_length(behind_ms / 1_000 * 1_000), show_length(ms));
    let summary =
        format!("The pipeline is {behind} behind the wall clock (more than {limit}): other rules are frozen.");
    Some(Verdict { group: Vec::new(), summary, examples: Vec::new() })
}

/// Apps whose telemetry or records are missing, or whose clocks run ahead: tenant and app.
#[derive(Default)]
struct Holds {
    telemetry: BTreeSet<(String, String)>,
    clocks: BTreeSet<(String, String)>,
    records: BTreeSet<(String, String)>,
}

impl Holds {
    fn add<'g>(&mut self, rule: &Rule, groups: impl Iterator<Item = &'g [(String, String)]>) {
        let into = match rule {
            rule if rule.watches_coverage() => &mut self.telemetry,
            rule if rule.watches_clocks() => &mut self.clocks,
            _ => &mut self.records,
        };
        into.extend(groups.map(app_of));
    }

    fn hold(&self, rule: &Rule, group: &[(String, String)]) -> bool {
        let app = app_of(group);
        let holds = |apps: &BTreeSet<(String, String)>| {
            // A rule that does not group by app holds all apps of its tenant, and is held by any of them.
            apps.iter().any(|held| held.0 == app.0 && (held.1 == app.1 || held.1.is_empty() || app.1.is_empty()))
        };
        holds(&self.records)
            || (rule.needs_telemetry() && holds(&self.telemetry))
            || (rule.compares_clocks() && holds(&self.clocks))
    }
}

fn app_of(group: &[(String, String)]) -> (String, String) {
    let value = |name: &str| group.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value).to_owned();
    (value("tenant_id"), value("app_id"))
}
