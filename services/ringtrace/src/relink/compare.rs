//! Before and after, counted.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};

use ringtrace_model::{CallRow, LegRow};

/// What rules decide of a row: nothing else in it depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// With its evidence; empty for a call.
    verdict: String,
    outcome: String,
    diagnoses: Vec<String>,
}

impl Judged {
    /// A leg, as it is judged now.
    pub fn of_leg(leg: &LegRow<'_>) -> Self {
        let evidence = leg.evidence.map(|evidence| evidence.as_str());
        let diagnoses = leg.diagnoses.iter().map(|diagnosis| diagnosis.as_str().to_owned()).collect();
        Self::of_row(leg.verdict.as_str(), evidence, leg.outcome.as_str().to_owned(), diagnoses)
    }

    /// A call, as it is judged now.
    pub fn of_call(call: &CallRow<'_>) -> Self {
        let diagnoses = call.diagnoses.iter().map(|diagnosis| diagnosis.as_str().to_owned()).collect();
        Self::of_row("", None, call.outcome.as_str().to_owned(), diagnoses)
    }

    /// As it is stored.
    pub fn of_row(verdict: &str, evidence: Option<&str>, outcome: String, diagnoses: Vec<String>) -> Self {
        let verdict = evidence.map_or_else(|| verdict.to_owned(), |evidence| format!("{verdict} ({evidence})"));
        Judged { verdict, outcome, diagnoses }
    }
}

/// How often each change of a word there is.
type Counts = BTreeMap<(String, String), u64>;

/// Changes of the rows of one table.
#[derive(Debug, Default)]
pub struct Changes {
    /// Rows that differ in anything that rules decide.
    pub rows: u64,
    verdicts: Counts,
    outcomes: Counts,
}

/// Stands for a row that is not there.
const NO_ROW: &str = "(no row)";

impl Changes {
    /// Compares a row with what becomes of it.
    pub fn note(&mut self, before: Option<&Judged>, after: Option<&Judged>) {
        if before == after {
            return;
        }
        self.rows += 1;
        let word = |judged: Option<&Judged>, word: fn(&Judged) -> &String| {
            judged.map_or_else(|| NO_ROW.to_owned(), |judged| word(judged).clone())
        };
        let mut count = |counts: fn(&mut Self) -> &mut Counts, of: fn(&Judged) -> &String| {
            let change = (word(before, of), word(after, of));
            if change.0 != change.1 {
                *counts(self).entry(change).or_default() += 1;
            }
        };
        count(|changes| &mut changes.verdicts, |judged| &judged.verdict);
        count(|changes| &mut changes.outcomes, |judged| &judged.outcome);
    }

    /// The table of verdicts.
    pub fn write_verdicts(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write(out, "verdicts of legs", &self.verdicts)
    }

    /// The table of outcomes.
    pub fn write_outcomes(&self, out: &mut Formatter<'_>, what: &str) -> fmt::Result {
        write(out, &format!("outcomes of {what}"), &self.outcomes)
    }
}

fn write(out: &mut Formatter<'_>, title: &str, counts: &Counts) -> fmt::Result {
    if counts.is_empty() {
        return writeln!(out, "{title}: no change");
    }
    writeln!(out, "{title}")?;
    let width = |word: fn(&(String, String)) -> &String| counts.keys().map(|key| word(key).len()).max().unwrap_or(0);
    let (before, after) = (width(|key| &key.0), width(|key| &key.1));
    for ((from, to), count) in counts {
        writeln!(out, "  {from:<before$} -> {to:<after$} {count:>9}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_by_what_becomes_of_what() {
        let leg = |verdict, evidence, outcome: &str, diagnoses: &[&str]| {
            let diagnoses = diagnoses.iter().map(|text| (*text).to_owned()).collect();
            Judged::of_row(verdict, evidence, outcome.to_owned(), diagnoses)
        };
        let reported = leg("reported", None, "answered", &[]);
        let late = leg("reported_late", None, "answered", &["report_late"]);
        let killed = leg("unreported", Some("probable"), "unreachable", &[]);
        let mut changes = Changes::default();
        changes.note(Some(&reported), Some(&reported));
        changes.note(Some(&reported), Some(&late));
        changes.note(Some(&reported), Some(&late));
        changes.note(Some(&killed), None);
        changes.note(Some(&leg("reported", None, "answered", &["late_push"])), Some(&reported));
        struct Shown(Changes);
        impl fmt::Display for Shown {
            fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
                self.0.write_verdicts(out)?;
                self.0.write_outcomes(out, "legs")
            }
        }
        assert_eq!(changes.rows, 4);
        assert_eq!(
            Shown(changes).to_string(),
            "verdicts of legs\n  \
               reported              -> reported_late         2\n  \
               unreported (probable) -> (no row)              1\n\
             outcomes of legs\n  \
               unreachable -> (no row)         1\n"
        );
    }
}
