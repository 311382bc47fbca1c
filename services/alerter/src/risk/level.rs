//! From counts to a level: burn rates over two windows each, near misses, and the version before.

use std::fmt;

use super::settings::RiskSettings;
use crate::rules::show_length;
use crate::stats::Count;

/// After how long iOS kills an app that has not reported, in milliseconds (Apple developer forums, thread 817976).
const WATCHDOG_MS: i64 = 7_000;

/// How close iOS is to waking an app no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing speaks against it.
    #[default]
    Ok,
    /// Something that someone should look at.
    Watch,
    /// Reports are missing faster than the objective allows.
    AtRisk,
    /// Reports are missing so fast that devices are about to be lost.
    Critical,
}

impl Level {
    /// All of them, from good to bad.
    pub const ALL: [Level; 4] = [Level::Ok, Level::Watch, Level::AtRisk, Level::Critical];

    /// Its word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Watch => "watch",
            Level::AtRisk => "at_risk",
            Level::Critical => "critical",
        }
    }

    /// The level of a word; `ok` for any other.
    pub fn parse(word: &str) -> Level {
        Level::ALL.into_iter().find(|level| level.as_str() == word).unwrap_or_default()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// Required reports, and those that were not made, over windows that end now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// The last 5 minutes.
    pub m5: Count,
    /// The last hour.
    pub h1: Count,
    /// The last 6 hours.
    pub h6: Count,
    /// The last 3 days.
    pub d3: Count,
}

impl Windows {
    /// Lengths of the windows in milliseconds, in order.
    pub const LENGTHS_MS: [i64; 4] = [300_000, 3_600_000, 21_600_000, 259_200_000];

    /// From counts in the same order; missing ones are empty.
    pub fn of(counts: &[Count]) -> Windows {
        let at = |place: usize| counts.get(place).copied().unwrap_or_default();
        Windows { m5: at(0), h1: at(1), h6: at(2), d3: at(3) }
    }
}

/// What is known of a version of an app on a major version of iOS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppCounts {
    /// Violations of required reports.
    pub violations: Windows,
    /// Confirmed violations in builds of the App Store, over 3 days.
    pub confirmed_in_store: u64,
    /// Reports slower than [`RiskSettings::near_ms`], over 6 hours.
    pub near: Count,
    /// Violations of the version before, over 3 days; empty where there is none.
    pub before: Count,
    /// How long ago the version was first seen, in milliseconds.
    pub age_ms: i64,
}

/// The level that counts speak for, and why.
///
/// The first that holds: a fast burn is `critical`, a slow one `at_risk`, so is being worse than the version before beyond
/// doubt; a confirmed violation of a new version in the App Store, a very slow burn and near misses are `watch`.
pub fn judge(counts: &AppCounts, settings: &RiskSettings, objective: f64) -> (Level, String) {
    let budget = 1.0 - objective;
    let windows = &counts.violations;
    let burns = |long: Count, short: Count, rate: f64| {
        long.total >= settings.minimum
            && long.bad >= settings.minimum_bad
            && long.lower() > rate * budget
            && short.bad > 0
            && short.rate().is_some_and(|share| share > rate * budget)
    };
    if burns(windows.h1, windows.m5, settings.critical_burn) {
        return (Level::Critical, burn_text(windows.h1, "1 h", windows.m5, "5 min", budget));
    }
    if burns(windows.h6, windows.h1, settings.at_risk_burn) {
        return (Level::AtRisk, burn_text(windows.h6, "6 h", windows.h1, "1 h", budget));
    }
    let is_enough = windows.d3.total >= settings.minimum && windows.d3.bad >= settings.minimum_bad;
    if is_enough && counts.before.total >= settings.minimum && windows.d3.lower() > counts.before.upper().max(budget) {
        return (Level::AtRisk, before_text(windows.d3, counts.before));
    }
    if counts.confirmed_in_store > 0 && counts.age_ms <= settings.new_days * 86_400_000 {
        let text = format!(
            "{} confirmed violation{} in the App Store by a version first seen {} ago, of {} required reports in 3 d.",
            counts.confirmed_in_store,
            plural(counts.confirmed_in_store),
            age(counts.age_ms),
            windows.d3.total,
        );
        return (Level::Watch, text);
    }
    if burns(windows.d3, windows.h6, settings.watch_burn) {
        return (Level::Watch, burn_text(windows.d3, "3 d", windows.h6, "6 h", budget));
    }
    if counts.near.total >= settings.minimum && counts.near.lower() > settings.near_share {
        return (Level::Watch, near_text(counts.near, settings));
    }
    (Level::Ok, format!("{} of {} required reports in 3 d were not made.", windows.d3.bad, windows.d3.total))
}

fn burn_text(long: Count, long_name: &str, short: Count, short_name: &str, budget: f64) -> String {
    format!(
        "{} of {} required reports in {long_name} were not made ({}, at least {} with 99 % confidence), and {} of {} in \
         {short_name}: {:.1} times what the objective allows ({}).",
        long.bad,
        long.total,
        percent(long.rate().unwrap_or_default()),
        percent(long.lower()),
        short.bad,
        short.total,
        long.rate().unwrap_or_default() / budget,
        percent(budget),
    )
}

fn before_text(now: Count, before: Count) -> String {
    format!(
        "{} of {} required reports in 3 d were not made ({}), against {} of {} ({}) of the version before: worse beyond chance.",
        now.bad,
        now.total,
        percent(now.rate().unwrap_or_default()),
        before.bad,
        before.total,
        percent(before.rate().unwrap_or_default()),
    )
}

fn near_text(near: Count, settings: &RiskSettings) -> String {
    format!(
        "{} of {} reports in 6 h took longer than {} ({}): the 99th percentile is near the {} after which iOS kills.",
        near.bad,
        near.total,
        show_length(settings.near_ms),
        percent(near.rate().unwrap_or_default()),
        show_length(WATCHDOG_MS),
    )
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn age(ms: i64) -> String {
    match ms.max(0) {
        ms if ms < 3_600_000 => format!("{} min", ms / 60_000),
        ms if ms < 2 * 86_400_000 => format!("{} h", ms / 3_600_000),
        ms => format!("{} d", ms / 86_400_000),
    }
}

/// A share in per cent, with the digits that it needs.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        percent if percent == 0.0 || percent >= 10.0 => format!("{percent:.0} %"),
        percent if percent >= 1.0 => format!("{percent:.1} %"),
        percent if percent >= 0.1 => format!("{percent:.2} %"),
        percent => format!("{percent:.3} %"),
    }
}
