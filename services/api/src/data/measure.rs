//! The measures of contract section 7 and what they are made of: name, label, formula, and how each is counted. The only
//! place that says what a rate is.

use std::sync::LazyLock;

use ringtrace_model::{Outcome, Verdict};

/// What a value of a measure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Ratio,
    Ms,
    Seconds,
}

impl Unit {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Unit::Count => "count",
            Unit::Ratio => "ratio",
            Unit::Ms => "ms",
            Unit::Seconds => "s",
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Good {
    Up,
    Down,
    None,
}

impl Good {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Good::Up => "up",
            Good::Down => "down",
            Good::None => "none",
        }
    }
}

/// How a measure is made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum How {
    /// A sum over rows of `leg_facts`, and over rows of `leg_stats` where that has it.
    Sum { facts: String, stats: Option<String> },
    /// Several sums together.
    Total(Vec<&'static str>),
    /// One sum by another, times a factor.
    Ratio { over: Vec<&'static str>, under: &'static str, factor: f64 },
    /// A percentile of a stage, of the bins of `leg_facts`.
    Percentile(&'static Stage, f64),
    /// How many legs have the stage.
    Samples(&'static Stage),
    /// Telemetry coverage, which needs a question of its own.
    Coverage,
}

/// A measure.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) unit: Unit,
    pub(crate) formula: String,
    pub(crate) source: &'static str,
    pub(crate) good: Good,
    /// Whether it only is an ingredient, and not shown.
    pub(crate) is_hidden: bool,
    pub(crate) how: How,
}

/// A stretch of a call whose latency is measured (contract section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// Column of the latency in milliseconds.
    pub(crate) column: &'static str,
    /// Column of its bin in `leg_facts`.
    pub(crate) bin: &'static str,
}

const fn stage(name: &'static str, label: &'static str, column: &'static str, bin: &'static str) -> Stage {
    Stage { name, label, column, bin }
}

/// The stages of contract section 4.3.
pub(crate) static STAGES: [Stage; 8] = [
    stage("sent_to_accepted", "Push sent to accepted", "sent_to_accepted_ms", "sent_to_accepted_bin"),
    stage("accepted_to_received", "Push accepted to received", "accepted_to_received_ms", "accepted_to_received_bin"),
    stage("sent_to_received", "Push sent to received", "sent_to_received_ms", "sent_to_received_bin"),
    stage(
        "received_to_reported",
        "Push received to call reported",
        "received_to_reported_ms",
        "received_to_reported_bin",
    ),
    stage("initiated_to_reported", "Post-dial delay", "initiated_to_reported_ms", "initiated_to_reported_bin"),
    stage("reported_to_answered", "Ring time", "reported_to_answered_ms", "reported_to_answered_bin"),
    stage("answered_to_audio", "Answer to audio", "answered_to_audio_ms", "answered_to_audio_bin"),
    stage("talk", "Talk time", "talk_ms", "talk_bin"),
];

const CONTRACT: &str = "Ringtrace contract, section 7";
const VERDICTS: &str = "Ringtrace contract, section 4.1";
const OUTCOMES: &str = "Ringtrace contract, section 4.2";
const LATENCIES: &str = "Ringtrace contract, section 4.3";
const E411: &str = "ITU-T E.411 (user outcome); Ringtrace contract, section 7";

/// Legs are rows of this.
const IS_LEG: &str = "role != 'none'";

/// Pushes that a push service accepts.
const BY_SERVICE: &str = "channel != 'socket'";

/// All measures.
pub(crate) static MEASURES: LazyLock<Vec<Measure>> =
    LazyLock::new(|| [legs(), verdicts(), outcomes(), calls(), rates(), percentiles()].into_iter().flatten().collect());

/// The measure of a name.
pub(crate) fn measure(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.name == name)
}

fn count(name: &str, label: &str, formula: &str, good: Good, facts: &str, stats: Option<&str>) -> Measure {
    Measure {
        name: name.to_owned(),
        label: label.to_owned(),
        unit: Unit::Count,
        formula: formula.to_owned(),
        source: CONTRACT,
        good,
        is_hidden: false,
        how: How::Sum { facts: facts.to_owned(), stats: stats.map(str::to_owned) },
    }
}

fn legs_with(name: &str, label: &str, what: &str, good: Good, condition: &str, stats: Option<&str>) -> Measure {
    let facts = format!("countIf({IS_LEG} AND {condition})");
    count(name, label, &format!("legs with {what}"), good, &facts, stats)
}

/// What rates are made of, and is not shown.
fn hidden(name: &str, facts: String, stats: Option<String>) -> Measure {
    let measure = count(name, name, &facts, Good::None, "", None);
    Measure { is_hidden: true, how: How::Sum { facts, stats }, ..measure }
}

fn legs() -> Vec<Measure> {
    let within = |seconds: u32| {
        let name = format!("received_in_{seconds}s");
        let condition = format!("accepted_at IS NOT NULL AND sent_to_received_ms <= {}", u64::from(seconds) * 1_000);
        hidden(&name, format!("countIf({IS_LEG} AND {condition})"), None)
    };
    let both = "accepted_at IS NOT NULL AND received_at IS NOT NULL";
    let talk = "sum(talk_ms)";
    let talk = count("talk_sum", "Talk time", "sum of talk_ms", Good::None, talk, Some("sum(talk_ms)"));
    vec![
        count(
            "legs",
            "Legs",
            "calls on single devices",
            Good::None,
            &format!("countIf({IS_LEG})"),
            Some("sumIf(legs, role != 'none')"),
        ),
        count(
            "push_attempts",
            "Pushes sent",
            "distinct push ids sent",
            Good::None,
            "sum(push_attempts)",
            Some("sum(push_attempts)"),
        ),
        count(
            "pushes_accepted",
            "Pushes accepted",
            "distinct push ids that the push service accepted",
            Good::Up,
            "sum(pushes_accepted)",
            Some("sum(pushes_accepted)"),
        ),
        legs_with("legs_sent", "Legs sent to", "a push sent", Good::None, "sent_at IS NOT NULL", None),
        legs_with(
            "legs_accepted",
            "Legs accepted",
            "a push that the push service accepted",
            Good::Up,
            "accepted_at IS NOT NULL",
            Some("sum(legs_accepted)"),
        ),
        legs_with(
            "legs_received",
            "Legs received",
            "a push that the device received",
            Good::Up,
            "received_at IS NOT NULL",
            Some("sum(legs_received)"),
        ),
        legs_with(
            "legs_reported",
            "Legs reported",
            "a call.reported, or the verdict reported or reported_late",
            Good::Up,
            "(reported_at IS NOT NULL OR verdict IN ('reported', 'reported_late'))",
            None,
        ),
        legs_with(
            "legs_answered",
            "Legs answered",
            "an answer on the device",
            Good::Up,
            "outcome = 'answered'",
            Some("sum(legs_answered)"),
        ),
        legs_with(
            "legs_ended_answered",
            "Answered legs with an end",
            "an answer and an end",
            Good::None,
            "talk_ms IS NOT NULL",
            Some("sum(legs_talked)"),
        ),
        Measure { is_hidden: true, ..talk },
        within(2),
        within(5),
        within(10),
        within(30),
        hidden("accepted_received", format!("countIf({IS_LEG} AND {both})"), None),
        // A push over a socket has nobody to accept it.
        hidden(
            "service_attempts",
            format!("sumIf(push_attempts, {BY_SERVICE})"),
            Some(format!("sumIf(push_attempts, {BY_SERVICE})")),
        ),
        hidden(
            "service_accepted",
            format!("sumIf(pushes_accepted, {BY_SERVICE})"),
            Some(format!("sumIf(pushes_accepted, {BY_SERVICE})")),
        ),
    ]
}

fn verdicts() -> Vec<Measure> {
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

fn outcomes() -> Vec<Measure> {
    let of = |outcome: &Outcome| {
        let name = outcome.as_str();
        let facts = format!("countIf(outcome = '{name}')");
        let label = format!("Legs {}", name.replace('_', " "));
        let formula = format!("legs with the outcome {name}");
        let measure = count(&format!("outcome_{name}"), &label, &formula, Good::None, &facts, None);
        Measure { source: OUTCOMES, ..measure }
    };
    Outcome::ALL.iter().map(of).collect()
}

/// What calls may come to: what legs may, but for what became of them elsewhere.
pub(crate) fn call_outcomes() -> impl Iterator<Item = &'static Outcome> {
    Outcome::ALL.iter().filter(|outcome| !matches!(outcome, Outcome::AnsweredElsewhere | Outcome::DeclinedElsewhere))
}

fn calls() -> Vec<Measure> {
    let of = |outcome: &Outcome| {
        let name = outcome.as_str();
        let facts = format!("countIf(call_outcome = '{name}')");
        let label = format!("Calls {}", name.replace('_', " "));
        let formula = format!("calls with the outcome {name}");
        let stats = format!("sum(calls_{name})");
        let measure = count(&format!("call_outcome_{name}"), &label, &formula, Good::None, &facts, Some(&stats));
        Measure { source: OUTCOMES, ..measure }
    };
    let calls = [
        count("calls", "Calls", "calls, each once", Good::None, "sum(leads_call)", Some("sum(calls)")),
        count(
            "calls_initiated",
            "Calls initiated",
            "calls with a call.initiated",
            Good::None,
            "sum(call_initiated)",
            Some("sum(calls_initiated)"),
        ),
        count(
            "calls_reached",
            "Calls reached",
            "calls with at least one push accepted or received, or a live socket",
            Good::Up,
            "sum(call_reached)",
            Some("sum(calls_reached)"),
        ),
        count(
            "calls_rung",
            "Calls rung",
            "calls with at least one leg that was reported",
            Good::Up,
            "sum(call_rung)",
            Some("sum(calls_rung)"),
        ),
    ];
    let answered = count("calls_answered", "Calls answered", "calls answered", Good::Up, "", None);
    let answered = Measure { how: How::Total(vec!["call_outcome_answered"]), ..answered };
    let among = |name: &str, condition: &str| {
        hidden(name, format!("countIf({condition} AND call_outcome = 'answered')"), Some(format!("sum({name})")))
    };
    let effective =
        "countIf(call_reached AND call_outcome IN ('answered', 'declined', 'unanswered', 'busy', 'filtered'))";
    let parts = [
        among("answered_initiated", "call_initiated"),
        among("answered_reached", "call_reached"),
        among("answered_rung", "call_rung"),
        hidden("effective_reached", effective.to_owned(), Some("sum(effective_reached)".to_owned())),
    ];
    calls.into_iter().chain([answered]).chain(call_outcomes().map(of)).chain(parts).collect()
}

fn ratio(name: &str, label: &str, formula: &str, good: Good, over: &[&'static str], under: &'static str) -> Measure {
    let measure = count(name, label, formula, good, "", None);
    Measure { unit: Unit::Ratio, how: How::Ratio { over: over.to_vec(), under, factor: 1.0 }, ..measure }
}

fn rates() -> Vec<Measure> {
    let within = |seconds: u32, over: &'static str| {
        let name = format!("received_within_{seconds}s");
        let label = format!("Received within {seconds} s");
        let formula = format!("legs accepted and received within {seconds} s of being sent ÷ legs accepted");
        ratio(&name, &label, &formula, Good::Up, &[over], "legs_accepted")
    };
    let network_formula = "calls reached and answered, declined, unanswered, busy or filtered ÷ calls reached";
    let network = ratio(
        "network_effectiveness_ratio",
        "Network effectiveness",
        network_formula,
        Good::Up,
        &["effective_reached"],
        "calls_reached",
    );
    let duration = Measure {
        unit: Unit::Seconds,
        how: How::Ratio { over: vec!["talk_sum"], under: "legs_ended_answered", factor: 0.001 },
        ..ratio(
            "average_call_duration_s",
            "Average call duration",
            "sum of talk time ÷ answered legs with an end",
            Good::None,
            &[],
            "",
        )
    };
    let coverage_formula = "devices with any device event within 24 h after an accepted push ÷ devices pushed to";
    let coverage = Measure {
        how: How::Coverage,
        ..ratio("telemetry_coverage", "Telemetry coverage", coverage_formula, Good::Up, &[], "")
    };
    vec![
        ratio(
            "answer_bid_ratio",
            "Answer-bid ratio",
            "calls answered among those initiated ÷ calls initiated",
            Good::Up,
            &["answered_initiated"],
            "calls_initiated",
        ),
        ratio(
            "answer_seizure_ratio",
            "Answer-seizure ratio",
            "calls answered among those reached ÷ calls reached",
            Good::Up,
            &["answered_reached"],
            "calls_reached",
        ),
        ratio(
            "answer_ratio_once_rung",
            "Answer ratio once rung",
            "calls answered among those rung ÷ calls rung",
            Good::Up,
            &["answered_rung"],
            "calls_rung",
        ),
        Measure { source: E411, ..network },
        ratio(
            "acceptance_rate",
            "Acceptance rate",
            "pushes accepted ÷ pushes sent, but for those over a socket",
            Good::Up,
            &["service_accepted"],
            "service_attempts",
        ),
        ratio(
            "receipt_rate",
            "Receipt rate",
            "legs received among those accepted ÷ legs accepted",
            Good::Up,
            &["accepted_received"],
            "legs_accepted",
        ),
        within(2, "received_in_2s"),
        within(5, "received_in_5s"),
        within(10, "received_in_10s"),
        within(30, "received_in_30s"),
        ratio(
            "report_rate",
            "Report rate",
            "legs reported ÷ legs where a report was required",
            Good::Up,
            &["verdict_reported"],
            "required_reports",
        ),
        ratio(
            "violation_rate",
            "Violation rate",
            "legs unreported ÷ legs where a report was required",
            Good::Down,
            &["verdict_unreported"],
            "required_reports",
        ),
        coverage,
        duration,
    ]
}

fn percentiles() -> Vec<Measure> {
    let of = |stage: &'static Stage| {
        let good = if stage.name == "talk" { Good::None } else { Good::Down };
        let percentile = move |percent: u32| Measure {
            name: format!("{}_p{percent}", stage.name),
            label: format!("{}, p{percent}", stage.label),
            unit: Unit::Ms,
            formula: format!("{percent} % of legs that have {} took at most this, to within 1 %", stage.column),
            source: LATENCIES,
            good,
            is_hidden: false,
            how: How::Percentile(stage, f64::from(percent) / 100.0),
        };
        let label = format!("{}, legs", stage.label);
        let formula = format!("legs that have {}", stage.column);
        let samples = count(&format!("{}_count", stage.name), &label, &formula, Good::None, "", None);
        let samples = Measure { source: LATENCIES, how: How::Samples(stage), ..samples };
        [50, 90, 95, 99].map(percentile).into_iter().chain([samples])
    };
    STAGES.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_ingredients_exist() {
        let mut names: Vec<&str> = MEASURES.iter().map(|measure| measure.name.as_str()).collect();
        for made in MEASURES.iter() {
            let parts = match &made.how {
                How::Total(parts) => parts.clone(),
                How::Ratio { over, under, .. } => [over.clone(), vec![*under]].concat(),
                _ => Vec::new(),
            };
            for part in parts {
                assert!(measure(part).is_some(), "{}: {part}", made.name);
            }
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MEASURES.len());
    }
}
