//! The measures of contract section 7 and what they are made of: name, label, formula, and how each is counted. The only
//! place that says what a rate is.

mod calls;
mod legs;
mod rates;

use std::sync::LazyLock;

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
    /// A percentile of a stage, of its bins in `leg_facts` and `leg_latencies`.
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
    /// Also its name in `leg_latencies`.
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

/// All measures.
pub(crate) static MEASURES: LazyLock<Vec<Measure>> = LazyLock::new(|| {
    [legs::counts(), legs::verdicts(), legs::outcomes(), calls::counts(), rates::rates(), rates::percentiles()]
        .into_iter()
        .flatten()
        .collect()
});

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

/// What rates are made of, and is not shown.
fn hidden(name: &str, facts: String, stats: Option<String>) -> Measure {
    let measure = count(name, name, &facts, Good::None, "", None);
    Measure { is_hidden: true, how: How::Sum { facts, stats }, ..measure }
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
