//! How what was linked compares with the truth: a confusion matrix of verdicts by evidence.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{self, Write};

use ringtrace_model::{Call, CallKey, Event, Rules, Scope, Uuid};
use ringtrace_simulator::{LegTruth, Record, Truth};

/// A verdict with its evidence.
type Judgement = (&'static str, Option<&'static str>);

/// Folds what is sent, as the linker would, and keeps what is true; about 5 KB for each call.
#[derive(Default)]
pub struct Report {
    calls: HashMap<CallKey, Call, foldhash::fast::RandomState>,
    truths: Vec<True>,
    until: i64,
}

/// What a report needs to know of a leg.
struct True {
    key: CallKey,
    device_id: String,
    verdict: &'static str,
    complete_at: Option<i64>,
    beyond_limits: bool,
}

impl Report {
    /// Folds an event in.
    ///
    /// # Errors
    /// When it is not valid, which no simulated event is.
    pub fn take(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        self.until = self.until.max(record.log_at);
        let event = Event::parse(record.value, record.log_at).map_err(|reject| anyhow::anyhow!("{reject}"))?;
        let Some(call_uuid) = event.call_uuid.filter(|_| event.scope() != Scope::History) else { return Ok(()) };
        let key = CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid };
        self.calls.entry(key).or_default().apply(&event, record.log_at);
        Ok(())
    }

    /// Keeps a truth.
    pub fn learn(&mut self, truth: &Truth) {
        if let Truth::Leg(leg) = truth {
            self.truths.extend(of_callee(leg));
        }
    }

    /// Compares for good: whatever waits for more has waited long enough.
    pub fn compare(&self) -> Comparison {
        let mut comparison = Comparison::default();
        let rules = Rules::default();
        for truth in &self.truths {
            let evaluation = self.calls.get(&truth.key).and_then(|call| call.evaluate(&truth.key, &rules, i64::MAX));
            let legs = evaluation.iter().flat_map(|evaluation| &evaluation.legs);
            let mut of_device = legs.filter(|leg| leg.device_id == truth.device_id);
            let linked: Judgement = match of_device.next() {
                Some(leg) => (leg.verdict.as_str(), leg.evidence.map(|evidence| evidence.as_str())),
                None => ("(no leg)", None),
            };
            *comparison.counts.entry((truth.verdict, linked)).or_default() += 1;
            comparison.legs += 1;
            if truth.complete_at.is_some_and(|at| at <= self.until) && !truth.beyond_limits {
                comparison.complete += 1;
                comparison.complete_and_equal += u64::from(truth.verdict == linked.0);
            }
        }
        comparison
    }
}

fn of_callee(leg: &LegTruth) -> Option<True> {
    (leg.role == "callee").then(|| True {
        key: CallKey { tenant_id: leg.tenant_id.as_str().into(), call_uuid: Uuid::from_u128(leg.call_uuid) },
        device_id: leg.device_id.clone(),
        verdict: leg.verdict,
        complete_at: leg.complete_at,
        beyond_limits: leg.beyond_limits,
    })
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Comparison {
    counts: BTreeMap<(&'static str, Judgement), u64>,
    legs: u64,
    complete: u64,
    complete_and_equal: u64,
}

impl Comparison {
    /// Legs held for violating at this level of evidence that did not violate.
    fn false_alarms(&self, evidence: &str) -> u64 {
        let wrong = self.counts.iter().filter(|((truth, linked), _)| {
            *truth != "unreported" && linked.0 == "unreported" && linked.1 == Some(evidence)
        });
        wrong.map(|(_, count)| count).sum()
    }

    fn missed(&self) -> u64 {
        let missed = self.counts.iter().filter(|((truth, linked), _)| *truth == "unreported" && linked.0 != *truth);
        missed.map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: BTreeSet<Judgement> = self.counts.keys().map(|(_, linked)| *linked).collect();
        let rows: BTreeSet<&str> = self.counts.keys().map(|(truth, _)| *truth).collect();
        writeln!(out, "legs by verdict: the truth in rows, what was linked at the end of the log in columns\n")?;
        let mut heads = format!("{:<16}", "");
        let mut second = heads.clone();
        for (verdict, evidence) in &columns {
            write!(heads, "{verdict:>16}")?;
            write!(second, "{:>16}", evidence.unwrap_or_default())?;
        }
        writeln!(out, "{heads}\n{}", second.trim_end())?;
        for row in rows {
            write!(out, "{row:<16}")?;
            for column in &columns {
                write!(out, "{:>16}", self.counts.get(&(row, *column)).copied().unwrap_or_default())?;
            }
            writeln!(out)?;
        }
        writeln!(out, "\nfalse confirmed: {}", self.false_alarms("confirmed"))?;
        writeln!(out, "false probable: {}", self.false_alarms("probable"))?;
        writeln!(out, "unreported, and not linked so: {}", self.missed())?;
        writeln!(
            out,
            "with complete telemetry: {} of {} legs, {} of them linked as they were",
            self.complete, self.legs, self.complete_and_equal
        )
    }
}
