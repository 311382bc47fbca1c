//! Thresholds of app risk, `[risk]` of the rules file.

use crate::rules::Section;

/// See the module's text. Burn rates are multiples of the share of missing reports that the objective allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskSettings {
    /// Least number of required reports in the longer window of a burn rate.
    pub minimum: u64,
    /// Least number of violations in it.
    pub minimum_bad: u64,
    /// Burn rate of `critical`, over 1 h and 5 min.
    pub critical_burn: f64,
    /// Burn rate of `at_risk`, over 6 h and 1 h.
    pub at_risk_burn: f64,
    /// Burn rate of `watch`, over 3 d and 6 h.
    pub watch_burn: f64,
    /// A report slower than this is a near miss, in milliseconds.
    pub near_ms: i64,
    /// Share of near misses, over 6 h, from which on an app is on `watch`: 0.01 is the 99th percentile.
    pub near_share: f64,
    /// How long a version is new, in days.
    pub new_days: i64,
    /// How long a lower level must hold before it is shown, in milliseconds of log time.
    pub calm_ms: i64,
}

impl RiskSettings {
    pub(crate) fn read(mut section: Section<'_, '_, '_>) -> Self {
        let settings = RiskSettings {
            minimum: section.int("minimum", 30, (1, 1_000_000_000)) as u64,
            minimum_bad: section.int("minimum_bad", 3, (1, 1_000_000_000)) as u64,
            critical_burn: section.number("critical_burn", 14.4, 100_000.0),
            at_risk_burn: section.number("at_risk_burn", 6.0, 100_000.0),
            watch_burn: section.number("watch_burn", 1.0, 100_000.0),
            near_ms: section.length("near", 3_000),
            near_share: section.number("near_share", 0.01, 1.0),
            new_days: section.int("new_days", 7, (1, 90)),
            calm_ms: section.length("calm", 1_800_000),
        };
        section.finish();
        settings
    }
}
