//! The example traffic: what is committed is what the generator gives, and it shows everything that the contract names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use ringtrace_model::{Diagnosis, Event, Evidence, Outcome, Reject, Rules, Verdict};
use ringtrace_tests::traffic::{CALLS, SEED, Topic, Traffic, generate};
use serde_json::Value;

use crate::files::{Invalid, lines, project};
use crate::folding::Calls;
use crate::outputs::check_rows;
use crate::schemas::SCHEMAS;

static TRAFFIC: LazyLock<Traffic> = LazyLock::new(|| generate(SEED));

/// All that the traffic adds up to.
static FOLDED: LazyLock<Calls> = LazyLock::new(|| {
    let mut calls = Calls::default();
    each_event(|event, log_at| drop(calls.apply(event, log_at)));
    calls
});

/// Gives every event in order of log time.
fn each_event(mut take: impl FnMut(&Event<'_>, i64)) {
    for record in &TRAFFIC.records {
        let value = record.value();
        let event = Event::parse(value.as_bytes(), record.log_at).unwrap_or_else(|e| panic!("{e}: {value}"));
        take(&event, record.log_at);
    }
}

/// What calls and legs show while the log runs: the lines of the verdict table, and outcomes, each with its legs.
struct Provisional {
    lines: BTreeMap<u8, BTreeSet<String>>,
    outcomes: BTreeMap<Outcome, BTreeSet<String>>,
    /// Legs that were once held for violating, by silence.
    suspected: BTreeSet<String>,
}

/// Judges each call just before and just after each of its events.
fn provisional() -> Provisional {
    let mut calls = Calls::default();
    let mut seen = Provisional { lines: BTreeMap::new(), outcomes: BTreeMap::new(), suspected: BTreeSet::new() };
    each_event(|event, log_at| {
        let rules = Rules::default();
        for _ in 0..2 {
            let judged = event.call_uuid.and_then(|uuid| calls.0.iter().find(|(key, _)| key.call_uuid == uuid));
            let evaluation = judged.and_then(|(key, call)| call.evaluate(key, &rules, log_at));
            for leg in evaluation.iter().flat_map(|evaluation| &evaluation.legs) {
                let name = format!("{}/{}", leg.call_uuid, leg.device_id);
                seen.lines.entry(leg.decision.line).or_default().insert(name.clone());
                seen.outcomes.entry(leg.outcome).or_default().insert(name.clone());
                if leg.evidence == Some(Evidence::Probable) {
                    seen.suspected.insert(name);
                }
            }
            calls.apply(event, log_at);
        }
    });
    seen
}

/// Counts final legs by something of theirs.
fn count_legs<K: Ord>(of: impl Fn(&ringtrace_model::LegRow<'_>) -> Vec<K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for (key, call) in &FOLDED.0 {
        for leg in call.evaluate(key, &Rules::default(), i64::MAX).iter().flat_map(|evaluation| &evaluation.legs) {
            of(leg).into_iter().for_each(|what| *counts.entry(what).or_default() += 1);
        }
    }
    counts
}

#[test]
fn committed_files_are_what_the_generator_gives() {
    let hint = "differs: run `cargo run --release -p ringtrace-tests --bin traffic`";
    let mut bytes = 0;
    for topic in Topic::ALL {
        let path = project(&format!("tests/traffic/{}.jsonl.gz", topic.name()));
        bytes += fs::metadata(&path).unwrap().len();
        let mut text = String::new();
        GzDecoder::new(File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
        assert!(text == TRAFFIC.lines(topic), "{} {hint}", path.display());
    }
    let bad = fs::read_to_string(project("tests/traffic/bad.jsonl")).unwrap();
    assert!(bad == TRAFFIC.bad_lines(), "bad.jsonl {hint}");
    assert!(bytes + (bad.len() as u64) < 1_500_000, "{bytes} bytes");
}

#[test]
fn it_is_of_the_promised_size_and_in_order_of_log_time() {
    let records = &TRAFFIC.records;
    assert!((20_000..32_000).contains(&records.len()), "{}", records.len());
    assert_eq!(FOLDED.0.len() as u64, CALLS);
    assert!(records.is_sorted_by_key(|record| record.log_at));
    let occurred: Vec<i64> = records.iter().filter_map(|record| record.fields["occurred_at"].as_i64()).collect();
    assert!(!occurred.is_sorted(), "nothing is out of order");
    let mut values: Vec<String> = records.iter().map(|record| record.value()).collect();
    values.sort_unstable();
    values.dedup();
    assert!((100..1_000).contains(&(records.len() - values.len())), "{} repeated", records.len() - values.len());
}

#[test]
fn every_record_is_valid_by_its_schema() {
    for record in &TRAFFIC.records {
        let event: Value = serde_json::from_str(&record.value()).unwrap();
        assert_eq!(SCHEMAS.refusal("events/event.json", &event), None, "{event}");
    }
}

#[test]
fn its_rows_are_valid_by_their_schemas() {
    check_rows("traffic", &FOLDED, i64::MAX);
}

#[test]
fn every_verdict_outcome_and_diagnosis_occurs_at_least_three_times() {
    let at_least_three = |what: &str, count: Option<&usize>| {
        let count = count.copied().unwrap_or_default();
        assert!(count >= 3, "{what}: {count}");
    };
    let verdicts = count_legs(|leg| vec![leg.verdict]);
    for verdict in Verdict::ALL.iter().filter(|verdict| **verdict != Verdict::Pending) {
        at_least_three(verdict.as_str(), verdicts.get(verdict));
    }
    let outcomes = count_legs(|leg| vec![leg.outcome]);
    for outcome in Outcome::ALL.iter().filter(|outcome| **outcome != Outcome::InProgress) {
        at_least_three(outcome.as_str(), outcomes.get(outcome));
    }
    let diagnoses = count_legs(|leg| leg.diagnoses.iter().collect());
    Diagnosis::ALL.iter().for_each(|diagnosis| at_least_three(diagnosis.as_str(), diagnoses.get(diagnosis)));
    let lines = count_legs(|leg| vec![leg.decision.line]);
    (1..=13).filter(|line| *line != 4).for_each(|line| at_least_three(&format!("line {line}"), lines.get(&line)));
    let evidence = count_legs(|leg| vec![(leg.decision.line, leg.evidence)]);
    at_least_three("line 1, probable", evidence.get(&(1, Some(Evidence::Probable))));
}

#[test]
fn every_outcome_of_a_call_occurs_at_least_three_times() {
    let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
    for (key, call) in &FOLDED.0 {
        let evaluation = call.evaluate(key, &Rules::default(), i64::MAX);
        *outcomes.entry(evaluation.unwrap().call.outcome).or_default() += 1;
    }
    let never = [Outcome::AnsweredElsewhere, Outcome::DeclinedElsewhere, Outcome::InProgress];
    for outcome in Outcome::ALL.iter().filter(|outcome| !never.contains(outcome)) {
        assert!(outcomes.get(outcome).is_some_and(|count| *count >= 3), "{outcome}: {outcomes:?}");
    }
}

#[test]
fn while_the_log_runs_calls_are_pending_and_suspicions_are_withdrawn() {
    let seen = provisional();
    for line in [4, 14] {
        assert!(seen.lines[&line].len() >= 3, "line {line}");
    }
    assert!(seen.outcomes[&Outcome::InProgress].len() >= 3);
    let reported = count_legs(|leg| {
        let is_reported = leg.verdict == Verdict::Reported;
        is_reported.then(|| format!("{}/{}", leg.call_uuid, leg.device_id)).into_iter().collect()
    });
    let withdrawn = seen.suspected.iter().filter(|leg| reported.contains_key(*leg)).count();
    assert!(withdrawn >= 3, "{withdrawn} withdrawn");
}

#[test]
fn some_clocks_are_wrong() {
    let rules = Rules::default();
    let evaluations = FOLDED.0.iter().filter_map(|(key, call)| call.evaluate(key, &rules, i64::MAX));
    let negative: u32 = evaluations.map(|evaluation| evaluation.negative_latencies).sum();
    assert!((3..500).contains(&negative), "{negative} negative latencies");
}

#[test]
fn groups_stand_out() {
    let share = |of: &dyn Fn(&ringtrace_model::LegRow<'_>) -> Option<bool>| {
        let counts = count_legs(|leg| of(leg).into_iter().collect());
        counts.get(&true).copied().unwrap_or_default() as f64 / counts.values().sum::<usize>() as f64
    };
    let violating = |version: &'static str| {
        share(&move |leg| {
            let is_version = leg.app_id == "com.acme.talk" && leg.app_version == Some(version);
            let was_required = !matches!(leg.verdict, Verdict::NotApplicable | Verdict::Exempt);
            (is_version && was_required).then_some(leg.verdict == Verdict::Unreported)
        })
    };
    let filtered =
        |app: &'static str| share(&move |leg| (leg.app_id == app).then_some(leg.verdict == Verdict::Filtered));
    let lowered = |model: &'static str| {
        share(&move |leg| {
            (leg.device_model == Some(model)).then_some(leg.diagnoses.contains(Diagnosis::PriorityLowered))
        })
    };
    assert!(violating("5.3.0") > 0.05 && violating("5.3.1") < 0.02, "{} {}", violating("5.3.0"), violating("5.3.1"));
    assert!(filtered("com.globex.care") > 0.1 && filtered("com.acme.talk") < 0.03);
    assert!(lowered("Redmi Note 13") > 0.1 && lowered("Pixel 9") < 0.1);
    let caller_legs = count_legs(|leg| vec![leg.role.as_str()]);
    assert!(caller_legs["caller"] > 100);
}

#[test]
fn bad_records_are_refused_for_the_stated_reason() {
    let mut reasons = BTreeSet::new();
    for line in lines(&TRAFFIC.bad_lines()) {
        let Invalid { why, text, log_at, reason, field, .. } = Invalid::of(line);
        let reject = match &text {
            Some(text) => Event::parse(text.as_bytes(), log_at).err(),
            None => Some(Reject::TOMBSTONE),
        };
        let reject = reject.unwrap_or_else(|| panic!("{why}: is valid"));
        assert_eq!((reject.reason.as_str(), reject.detail.split(": ").next()), (&*reason, Some(&*field)), "{why}");
        reasons.insert(reason);
    }
    assert_eq!(reasons.len(), 5, "{reasons:?}");
}
