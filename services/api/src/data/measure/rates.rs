//! Rates and percentiles: made of counts, at the end.

use super::{CONTRACT, E411, Good, How, LATENCIES, Measure, STAGES, Stage, Unit, count};

/// A rate: name, label, formula, what is good, numerator, denominator. The numerator counts only what the denominator has.
type Rate = (&'static str, &'static str, &'static str, Good, &'static str, &'static str);

/// The rates of contract section 7 that are shares.
const RATES: [Rate; 12] = [
    (
        "answer_bid_ratio",
        "Answer-bid ratio",
        "calls answered among those initiated ÷ calls initiated",
        Good::Up,
        "answered_initiated",
        "calls_initiated",
    ),
    (
        "answer_seizure_ratio",
        "Answer-seizure ratio",
        "calls answered among those reached ÷ calls reached",
        Good::Up,
        "answered_reached",
        "calls_reached",
    ),
    (
        "answer_ratio_once_rung",
        "Answer ratio once rung",
        "calls answered among those rung ÷ calls rung",
        Good::Up,
        "answered_rung",
        "calls_rung",
    ),
    (
        "network_effectiveness_ratio",
        "Network effectiveness",
        "calls reached and answered, declined, unanswered, busy or filtered ÷ calls reached",
        Good::Up,
        "effective_reached",
        "calls_reached",
    ),
    (
        "acceptance_rate",
        "Acceptance rate",
        "pushes accepted ÷ pushes sent, but for those over a socket",
        Good::Up,
        "service_accepted",
        "service_attempts",
    ),
    (
        "receipt_rate",
        "Receipt rate",
        "legs received among those accepted ÷ legs accepted",
        Good::Up,
        "accepted_received",
        "legs_accepted",
    ),
    within(
        "received_within_2s",
        "Received within 2 s",
        "legs accepted and received within 2 s of being sent ÷ legs accepted",
        "received_in_2s",
    ),
    within(
        "received_within_5s",
        "Received within 5 s",
        "legs accepted and received within 5 s of being sent ÷ legs accepted",
        "received_in_5s",
    ),
    within(
        "received_within_10s",
        "Received within 10 s",
        "legs accepted and received within 10 s of being sent ÷ legs accepted",
        "received_in_10s",
    ),
    within(
        "received_within_30s",
        "Received within 30 s",
        "legs accepted and received within 30 s of being sent ÷ legs accepted",
        "received_in_30s",
    ),
    (
        "report_rate",
        "Report rate",
        "legs reported ÷ legs where a report was required",
        Good::Up,
        "verdict_reported",
        "required_reports",
    ),
    (
        "violation_rate",
        "Violation rate",
        "legs unreported ÷ legs where a report was required",
        Good::Down,
        "verdict_unreported",
        "required_reports",
    ),
];

const fn within(name: &'static str, label: &'static str, formula: &'static str, over: &'static str) -> Rate {
    (name, label, formula, Good::Up, over, "legs_accepted")
}

/// All rates.
pub(super) fn rates() -> Vec<Measure> {
    let rate = |(name, label, formula, good, over, under): Rate| {
        let source = if name == "network_effectiveness_ratio" { E411 } else { CONTRACT };
        let how = How::Ratio { over: vec![over], under, factor: 1.0 };
        Measure { unit: Unit::Ratio, source, how, ..count(name, label, formula, good, "", None) }
    };
    let coverage = count(
        "telemetry_coverage",
        "Telemetry coverage",
        "devices with any device event within 24 h after an accepted push ÷ devices pushed to; of one device in 64 where these \
         are 4,000 or more",
        Good::Up,
        "",
        None,
    );
    let duration = count(
        "average_call_duration_s",
        "Average call duration",
        "sum of talk time ÷ answered legs with an end",
        Good::None,
        "",
        None,
    );
    let seconds = How::Ratio { over: vec!["talk_sum"], under: "legs_ended_answered", factor: 0.001 };
    let others = [
        Measure { unit: Unit::Ratio, how: How::Coverage, ..coverage },
        Measure { unit: Unit::Seconds, how: seconds, ..duration },
    ];
    RATES.map(rate).into_iter().chain(others).collect()
}

/// Percentiles of each stage, and how many legs have it.
pub(super) fn percentiles() -> Vec<Measure> {
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
