//! Reads a `[[rule]]`: its kind, and the keys that the kind has.

use super::reader::Section;
use super::rule::{Against, Condition, Ratio, Rule, SEVERITIES, Severity};
use crate::fact::Dim;
use crate::query::Measure;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Every kind of rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    NewVersionViolations,
    ViolationBurn,
    SlowReports,
    SlowDelivery,
    MissingReceipts,
    MissingByCarrier,
    UnansweredCalls,
    CredentialErrors,
    CredentialExpiry,
    TokenErrors,
    VoipPushMisuse,
    GhostCalls,
    SuspectedWakeBans,
    PriorityLowered,
    TelemetryCoverage,
    LateEvents,
    EarlyEvents,
    PipelineBehind,
    DeadLetters,
}

pub(super) const KINDS: [(&str, Kind); 19] = [
    ("new_version_violations", Kind::NewVersionViolations),
    ("violation_burn", Kind::ViolationBurn),
    ("slow_reports", Kind::SlowReports),
    ("slow_delivery", Kind::SlowDelivery),
    ("missing_receipts", Kind::MissingReceipts),
    ("missing_by_carrier", Kind::MissingByCarrier),
    ("unanswered_calls", Kind::UnansweredCalls),
    ("credential_errors", Kind::CredentialErrors),
    ("credential_expiry", Kind::CredentialExpiry),
    ("token_errors", Kind::TokenErrors),
    ("voip_push_misuse", Kind::VoipPushMisuse),
    ("ghost_calls", Kind::GhostCalls),
    ("suspected_wake_bans", Kind::SuspectedWakeBans),
    ("priority_lowered", Kind::PriorityLowered),
    ("telemetry_coverage", Kind::TelemetryCoverage),
    ("late_events", Kind::LateEvents),
    ("early_events", Kind::EarlyEvents),
    ("pipeline_behind", Kind::PipelineBehind),
    ("dead_letters", Kind::DeadLetters),
];

const EVIDENCE: [(&str, Measure); 2] = [("confirmed", Measure::Confirmed), ("any", Measure::Violations)];

const AGAINST: [(&str, Option<Against>); 3] =
    [("nothing", None), ("day", Some(Against::Day)), ("week", Some(Against::Week))];

/// Reads a rule; `None` where it has no valid name or kind, or is turned off.
pub(super) fn read(mut section: Section<'_, '_, '_>, objective: f64) -> Option<Rule> {
    let name = section.name("name");
    let kind = section.word("kind", &KINDS);
    if kind.is_none() && !section.has_own("kind") {
        section.refuse(section.at, "kind", "is missing: a rule that is not shipped needs one");
    }
    let enabled = section.flag("enabled", true);
    let (Some(name), Some(kind)) = (name, kind) else { return None };
    let window_ms = section.length("window", 60 * MINUTE_MS);
    if window_ms == 0 {
        section.refuse(section.at, "window", "is 0: expected a length above it");
    }
    let condition = condition(kind, &mut section, objective);
    let rule = Rule {
        name,
        condition,
        severity: section.word("severity", &SEVERITIES).unwrap_or(Severity::Ticket),
        group_by: group_by(kind, &mut section),
        window_ms,
        minimum: section.int("minimum", 1, (1, 1_000_000_000)) as u64,
        minimum_bad: section.int("minimum_bad", 1, (1, 1_000_000_000)) as u64,
        for_ms: section.length("for", 0),
        keep_ms: section.length("keep", 10 * MINUTE_MS),
        runbook: section.text("runbook"),
    };
    section.finish();
    enabled.then_some(rule)
}

fn condition(kind: Kind, section: &mut Section<'_, '_, '_>, objective: f64) -> Condition {
    let measure = match kind {
        Kind::NewVersionViolations => {
            let above = (1.0 - objective) * section.number("burn_rate", 1.0, 100_000.0);
            return Condition::NewVersion { new_ms: section.int("new_days", 7, (1, 90)) * DAY_MS, above };
        }
        Kind::SuspectedWakeBans => {
            return Condition::WakeBans { at_least: section.int("devices", 3, (1, 1_000_000)) as u64 };
        }
        Kind::CredentialExpiry => return Condition::Expiry { within_days: section.int("days", 14, (1, 365)) },
        Kind::PipelineBehind => return Condition::Behind { ms: section.length("longer_than", 2 * MINUTE_MS) },
        Kind::DeadLetters => return Condition::DeadLetters { above: section.number("share", 0.01, 1.0) },
        Kind::ViolationBurn => section.word("evidence", &EVIDENCE).unwrap_or(Measure::Confirmed),
        Kind::SlowReports => Measure::SlowReports(section.length("slower_than", 3_500)),
        Kind::SlowDelivery => Measure::SlowDelivery(section.length("slower_than", 10_000)),
        Kind::MissingReceipts | Kind::MissingByCarrier => Measure::Missing,
        Kind::UnansweredCalls => Measure::Unanswered,
        Kind::CredentialErrors => Measure::CredentialErrors,
        Kind::TokenErrors => Measure::TokenErrors,
        Kind::VoipPushMisuse => Measure::Misuse,
        Kind::GhostCalls => Measure::GhostCalls,
        Kind::PriorityLowered => Measure::PriorityLowered,
        Kind::TelemetryCoverage => Measure::Untold,
        Kind::LateEvents => Measure::Late(section.length("slower_than", 300_000)),
        Kind::EarlyEvents => Measure::Early(section.length("ahead_by", 30_000)),
    };
    let above = match kind {
        Kind::ViolationBurn => (1.0 - objective) * section.number("burn_rate", 14.4, 100_000.0),
        // Any at all, once there are `minimum_bad`.
        Kind::VoipPushMisuse => section.number("share", 1e-9, 1.0),
        _ => section.number("share", 0.1, 1.0),
    };
    let short_ms = Some(section.length("short_window", 0)).filter(|ms| *ms > 0);
    let against = section.word("compare", &AGAINST).flatten();
    let ratio = Ratio { measure, above, short_ms, against, factor: section.number("factor", 1.0, 1_000.0) };
    if kind == Kind::MissingByCarrier { Condition::Carriers(ratio) } else { Condition::Ratio(ratio) }
}

fn group_by(kind: Kind, section: &mut Section<'_, '_, '_>) -> Vec<Dim> {
    if kind == Kind::PipelineBehind {
        return Vec::new();
    }
    let only_calls = matches!(
        kind,
        Kind::TelemetryCoverage
            | Kind::LateEvents
            | Kind::EarlyEvents
            | Kind::CredentialExpiry
            | Kind::SuspectedWakeBans
            | Kind::DeadLetters
    );
    let mut dims = vec![Dim::Tenant];
    let usual = || vec![(0, Dim::App.name().to_owned())];
    for (at, name) in section.list("group_by").unwrap_or_else(usual) {
        match Dim::parse(&name).filter(|dim| !only_calls || dim.is_of_calls()) {
            Some(dim) if dims.contains(&dim) => {}
            Some(dim) => dims.push(dim),
            None => {
                let known = Dim::ALL.into_iter().filter(|dim| !only_calls || dim.is_of_calls()).map(Dim::name);
                let known = known.collect::<Vec<_>>().join(", ");
                section.refuse(at, "group_by", format!("\"{name}\" is not accepted: expected any of {known}"));
            }
        }
    }
    match kind {
        Kind::NewVersionViolations => vec![Dim::Tenant, Dim::App, Dim::AppVersion],
        Kind::MissingByCarrier => vec![Dim::Tenant, Dim::App, Dim::Carrier],
        _ => dims,
    }
}
