//! What a rule is: what it looks at, when it fires, and whom it concerns.

use crate::fact::Dim;
use crate::query::Measure;

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Someone should look at it in working hours.
    Ticket,
    /// Someone should get up for it.
    Page,
}

impl Severity {
    /// Its word in rules and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Ticket => "ticket",
            Severity::Page => "page",
        }
    }
}

/// The words of severities.
pub(super) const SEVERITIES: [(&str, Severity); 2] = [("ticket", Severity::Ticket), ("page", Severity::Page)];

/// With what a share is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The 24 hours before the window.
    Day,
    /// The same window a week before: the same hour of the week.
    Week,
}

impl Against {
    /// How people say it.
    pub fn words(self) -> &'static str {
        match self {
            Against::Day => "in the 24 h before",
            Against::Week => "at the same hour a week before",
        }
    }
}

/// A share of a measure that is too large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// What is counted.
    pub measure: Measure,
    /// The share that the lower bound must pass.
    pub above: f64,
    /// A second, shorter window in which it must hold as well, in milliseconds: what is over does not page.
    pub short_ms: Option<i64>,
    /// The lower bound must also pass the upper bound of an earlier time, times `factor`.
    pub against: Option<Against>,
    /// See `against`.
    pub factor: f64,
}

/// When a rule fires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// A share is too large.
    Ratio(Ratio),
    /// The share of pushes that devices of one carrier miss, by the carrier that their other legs name, is too large.
    Carriers(Ratio),
    /// Confirmed violations of a version in the App Store that was first seen at most so long ago: one will do, of few reports.
    NewVersion {
        /// How long a version is new, in milliseconds.
        new_ms: i64,
        /// The share of required reports that is certainly missing.
        above: f64,
    },
    /// Devices that came under suspicion within the window.
    WakeBans {
        /// How many.
        at_least: u64,
    },
    /// A credential that will expire.
    Expiry {
        /// How soon, in days.
        within_days: i64,
    },
    /// The smallest log clock of all slots is behind the wall clock.
    Behind {
        /// By how much, in milliseconds.
        ms: i64,
    },
    /// Dead letters among the records of an app.
    DeadLetters {
        /// Their share.
        above: f64,
    },
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, unique in the file; the label `alertname`.
    pub name: String,
    /// When it fires.
    pub condition: Condition,
    /// How urgent it is.
    pub severity: Severity,
    /// One alert for each group; begins with the tenant, empty for rules about the whole pipeline.
    pub group_by: Vec<Dim>,
    /// How much log time it looks at, in milliseconds.
    pub window_ms: i64,
    /// The least sample; with a smaller one it does not fire.
    pub minimum: u64,
    /// The least number of bad ones.
    pub minimum_bad: u64,
    /// How long it must hold before it fires, in milliseconds of log time.
    pub for_ms: i64,
    /// How long it must have stopped to hold before it is resolved, in milliseconds of log time.
    pub keep_ms: i64,
    /// What to do, for whoever is paged.
    pub runbook: String,
}

impl Rule {
    /// Whether the rule judges telemetry, so that missing telemetry would make it lie.
    pub fn needs_telemetry(&self) -> bool {
        match self.condition {
            Condition::Ratio(ratio) => matches!(
                ratio.measure,
                Measure::Violations
                    | Measure::Missing
                    | Measure::Unanswered
                    | Measure::SlowDelivery(_)
                    | Measure::GhostCalls
            ),
            Condition::Carriers(_) | Condition::WakeBans { .. } => true,
            _ => false,
        }
    }

    /// Whether the rule compares a device's clock with a server's, so that a clock that runs ahead would make it lie.
    pub fn compares_clocks(&self) -> bool {
        let Condition::Ratio(ratio) = self.condition else { return false };
        matches!(ratio.measure, Measure::SlowDelivery(_) | Measure::GhostCalls)
    }

    /// Whether the rule watches clocks that run ahead, and holds back those that compare clocks.
    pub fn watches_clocks(&self) -> bool {
        matches!(self.condition, Condition::Ratio(Ratio { measure: Measure::Early(_), .. }))
    }

    /// Whether the rule watches telemetry coverage, and holds back those that need it.
    pub fn watches_coverage(&self) -> bool {
        matches!(self.condition, Condition::Ratio(Ratio { measure: Measure::Untold, .. }))
    }
}
