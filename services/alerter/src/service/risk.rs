//! App risk at a log time: counts of every version, and the levels that they speak for.

use std::collections::BTreeMap;

use clickhouse::error::Error;

use super::term::Term;
use crate::fact::Dim;
use crate::judge::Source;
use crate::query::{Measure, Query, Span};
use crate::risk::{AppCounts, Level, Windows, hold, judge};
use crate::rules::Rules;
use crate::stats::Count;
use crate::store::{Risk, RiskKey};

const DIMS: [Dim; 4] = [Dim::Tenant, Dim::App, Dim::AppVersion, Dim::OsMajor];

/// How often a level that stays is written again, in milliseconds: rows that nobody writes end with their retention.
const AGAIN_MS: i64 = 3_600_000;

fn key_of(values: &[String]) -> Option<RiskKey> {
    let [tenant, app, version, os_major] = values else { return None };
    Some((tenant.clone(), app.clone(), version.clone(), os_major.clone()))
}

/// The counts of every version of an app on every major version of iOS that had required reports or fast ones in 3 days.
///
/// # Errors
/// As the source.
pub async fn assess<S: Source>(source: &S, rules: &Rules, now: i64) -> Result<BTreeMap<RiskKey, AppCounts>, S::Error> {
    let [.., h6, d3] = Windows::LENGTHS_MS.map(|ms| Span::before(now, ms));
    let all = Windows::LENGTHS_MS.map(|ms| Span::before(now, ms)).to_vec();
    let ask = |measure, spans| Query { measure, group_by: DIMS.to_vec(), spans, now };
    let mut apps: BTreeMap<RiskKey, AppCounts> = BTreeMap::new();
    for group in source.counts(&ask(Measure::Violations, all)).await? {
        if let Some(key) = key_of(&group.values) {
            apps.entry(key).or_default().violations = Windows::of(&group.counts);
        }
    }
    for group in source.counts(&ask(Measure::ConfirmedInStore, vec![d3])).await? {
        if let Some(app) = key_of(&group.values).and_then(|key| apps.get_mut(&key)) {
            app.confirmed_in_store = group.counts.first().map_or(0, |count| count.bad);
        }
    }
    for group in source.counts(&ask(Measure::SlowReports(rules.risk.near_ms), vec![h6])).await? {
        if let Some(app) = key_of(&group.values).and_then(|key| apps.get_mut(&key)) {
            app.near = group.counts.first().copied().unwrap_or_default();
        }
    }
    let versions = source.versions(now).await?;
    let three_days: BTreeMap<RiskKey, Count> = apps.iter().map(|(key, app)| (key.clone(), app.violations.d3)).collect();
    for ((tenant, app_id, version, os_major), app) in &mut apps {
        app.age_ms = versions.new_since(tenant, app_id, version).map_or(i64::MAX, |at| now - at);
        if let Some(before) = versions.before(tenant, app_id, version) {
            let key = (tenant.clone(), app_id.clone(), before.to_owned(), os_major.clone());
            app.before = three_days.get(&key).copied().unwrap_or_default();
        }
    }
    Ok(apps)
}

/// Judges every version again, and writes the levels that have changed. Apps whose telemetry is missing stay as they are.
pub(super) async fn renew(term: &mut Term<'_>, now: i64, wall: i64) -> Result<(), Error> {
    let mut apps = assess(term.store, term.rules, now).await?;
    // A version that nobody uses any more calms down as well.
    for key in term.remembered.risk.keys() {
        apps.entry(key.clone()).or_insert(AppCounts { age_ms: i64::MAX, ..AppCounts::default() });
    }
    let is_written_again = wall / AGAIN_MS != term.risk_at / AGAIN_MS;
    let mut written = Vec::new();
    for (key, counts) in apps {
        if term.lacks_telemetry(&key.0, &key.1) {
            continue;
        }
        let windows = counts.violations;
        let before = term.remembered.risk.get(&key);
        let held = before.map(|risk| risk.held.clone()).unwrap_or_default();
        let held = hold(&held, judge(&counts, &term.rules.risk, term.rules.objective), now, term.rules.risk.calm_ms);
        let counts = (windows.d3.total, windows.d3.bad, counts.confirmed_in_store);
        let mut risk = Risk { held, counts };
        if before.is_none() && risk.held.level == Level::Ok {
            risk.held.since = now;
        }
        let changes = before.is_none_or(|before| {
            before.held.level != risk.held.level || before.held.calm_since != risk.held.calm_since
        });
        let is_fresh = risk.held.level > Level::Ok && before != Some(&risk);
        if changes || is_fresh || is_written_again {
            written.push((key.clone(), risk.clone()));
        }
        term.remembered.risk.insert(key, risk);
    }
    term.store.write_risk(&written, now, wall).await
}

impl Term<'_> {
    pub(super) fn lacks_telemetry(&self, tenant: &str, app: &str) -> bool {
        let watching = self.rules.rules.iter().filter(|rule| rule.watches_coverage());
        let names: Vec<&str> = watching.map(|rule| rule.name.as_str()).collect();
        self.remembered.board.alerts.values().any(|alert| {
            names.contains(&alert.rule.as_str())
                && alert.is_firing()
                && alert.label(Dim::Tenant.name()) == Some(tenant)
                && alert.label(Dim::App.name()).is_none_or(|held| held == app)
        })
    }
}
