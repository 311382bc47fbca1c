//! Counts of legs: by how far they came, by verdict, by outcome.

use ringtrace_model::{Outcome, Verdict};

use super::{Good, How, Measure, OUTCOMES, VERDICTS, count, hidden};

/// Legs are rows of this.
const IS_LEG: &str = "role != 'none'";

/// Pushes that a push service accepts: one over a socket has nobody to accept it.
const BY_SERVICE: &str = "channel != 'socket'";

/// A count of legs: name, label, which legs, what is good, the condition on facts, the sum of the roll-up.
type Counted = (&'static str, &'static str, &'static str, Good, &'static str, Option<&'static str>);

/// Legs by how far they came.
const STEPS: [Counted; 6] = [
    ("legs_sent", "Legs sent to", "a push sent", Good::None, "sent_at IS NOT NULL", Some("sum(legs_sent)")),
    (
        "legs_accepted",
        "Legs accepted",
        "a push that the push service accepted",
        Good::Up,
        "accepted_at IS NOT NULL",
        Some("sum(legs_accepted)"),
    ),
    (
        "legs_received",
        "Legs received",
        "a push that the device received",
        Good::Up,
        "received_at IS NOT NULL",
        Some("sum(legs_received)"),
    ),
    (
        "legs_reported",
        "Legs reported",
        "a call.reported, or the verdict reported or reported_late",
        Good::Up,
        "(reported_at IS NOT NULL OR verdict IN ('reported', 'reported_late'))",
        Some("sum(legs_reported_any)"),
    ),
    (
        "legs_answered",
        "Legs answered",
        "an answer on the device",
        Good::Up,
        "outcome = 'answered'",
        Some("sum(legs_answered)"),
    ),
    (
        "legs_ended_answered",
        "Answered legs with an end",
        "an answer and an end",
        Good::None,
        "talk_ms IS NOT NULL",
        Some("sum(legs_talked)"),
    ),
];

/// Counts by how far legs came, pushes, and what rates are made of.
pub(super) fn counts() -> Vec<Measure> {
    let sum = |name, label, formula, good, sum: &str| count(name, label, formula, good, sum, Some(sum));
    let all = format!("countIf({IS_LEG})");
    let pushes = [
        count("legs", "Legs", "calls on single devices", Good::None, &all, Some("sumIf(legs, role != 'none')")),
        sum("push_attempts", "Pushes sent", "distinct push ids sent", Good::None, "sum(push_attempts)"),
        sum(
            "pushes_accepted",
            "Pushes accepted",
            "distinct push ids that the push service accepted",
            Good::Up,
            "sum(pushes_accepted)",
        ),
    ];
    let step = |(name, label, what, good, condition, stats): Counted| {
        let facts = format!("countIf({IS_LEG} AND {condition})");
        count(name, label, &format!("legs with {what}"), good, &facts, stats)
    };
    pushes.into_iter().chain(STEPS.map(step)).chain(ingredients()).collect()
}

fn ingredients() -> Vec<Measure> {
    let within = |seconds: u32| {
        let ms = seconds * 1_000;
        let facts = format!("countIf({IS_LEG} AND accepted_at IS NOT NULL AND sent_to_received_ms <= {ms})");
        hidden(&format!("received_in_{seconds}s"), facts, Some(format!("sum(accepted_in_{seconds}s)")))
    };
    let by_service = |name: &str, column: &str| {
        let sum = format!("sumIf({column}, {BY_SERVICE})");
        hidden(name, sum.clone(), Some(sum))
    };
    let both = format!("countIf({IS_LEG} AND accepted_at IS NOT NULL AND received_at IS NOT NULL)");
    // Of no answered leg the sum is null.
    let talk = "ifNull(sum(talk_ms), 0)".to_owned();
    let others = [
        hidden("talk_sum", talk.clone(), Some(talk)),
        hidden("accepted_received", both, Some("sum(accepted_received)".to_owned())),
        by_service("service_attempts", "push_attempts"),
        by_service("service_accepted", "pushes_accepted"),
    ];
    [2, 5, 10, 30].map(within).into_iter().chain(others).collect()
}

/// Counts by verdict.
pub(super) fn verdicts() -> Vec<Measure> {
    let of = |verdict: &Verdict| {
        let name = verdict.as_str();
        let facts = format!("countIf(verdict = '{name}')");
        let measure = count(
            &format!("verdict_{name}"),
            &format!("Legs {}", name.replace('_', " ")),
            &format!("legs with the verdict {name}"),
            Good::None,
            &facts,
            Some(&format!("sum(legs_{name})")),
        );
        Measure { source: VERDICTS, ..measure }
    };
    let required = vec![
        "verdict_reported",
        "verdict_reported_late",
        "verdict_filtered",
        "verdict_report_error",
        "verdict_unreported",
    ];
    let total = |name: &str, label: &str, formula: &str, good, parts| {
        let measure = count(name, label, formula, good, "", None);
        Measure { source: VERDICTS, how: How::Total(parts), ..measure }
    };
    let confirmed = count(
        "violations_confirmed",
        "Confirmed violations",
        "legs unreported with evidence confirmed",
        Good::Down,
        "countIf(verdict = 'unreported' AND evidence = 'confirmed')",
        Some("sum(legs_confirmed)"),
    );
    let extra = [
        total(
            "required_reports",
            "Reports required",
            "legs reported, reported late, filtered, report error or unreported",
            Good::None,
            required,
        ),
        total("violations", "Violations", "legs unreported", Good::Down, vec!["verdict_unreported"]),
        Measure { source: VERDICTS, ..confirmed },
    ];
    Verdict::ALL.iter().map(of).chain(extra).collect()
}

/// Counts by outcome.
pub(super) fn outcomes() -> Vec<Measure> {
    let of = |outcome: &Outcome| {
        let name = outcome.as_str();
        let facts = format!("countIf(outcome = '{name}')");
        let label = format!("Legs {}", name.replace('_', " "));
        let formula = format!("legs with the outcome {name}");
        let stats = if *outcome == Outcome::Answered {
            "sum(legs_answered)".to_owned()
        } else {
            format!("sum(outcome_{name})")
        };
        let measure = count(&format!("outcome_{name}"), &label, &formula, Good::None, &facts, Some(&stats));
        Measure { source: OUTCOMES, ..measure }
    };
    Outcome::ALL.iter().map(of).collect()
}
