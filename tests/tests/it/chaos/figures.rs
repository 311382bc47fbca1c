//! What a run of chaos comes to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::plan::Round;

/// How the rounds went.
#[derive(Default)]
pub struct Figures {
    kinds: BTreeMap<&'static str, Lines>,
    rounds: usize,
    longest_gap: Duration,
}

#[derive(Default)]
struct Lines {
    faults: usize,
    recoveries: Vec<Duration>,
    longest_gap: Duration,
}

impl Figures {
    /// `recovery`: from the end of the last fault until all that had been written by then was committed. `gap`: the longest
    /// time in the round that a partition's committed offset stood still.
    pub fn note(&mut self, round: &Round, recovery: Duration, gap: Duration) {
        self.rounds += 1;
        self.longest_gap = self.longest_gap.max(gap);
        let kinds: Vec<&'static str> = round.faults.iter().map(|fault| fault.kind.name()).collect();
        for kind in &kinds {
            self.kinds.entry(kind).or_default().faults += 1;
        }
        // What two at once cost is neither's alone.
        let of = if let [kind] = kinds.as_slice() { kind } else { "(two at once)" };
        let line = self.kinds.entry(of).or_default();
        line.recoveries.push(recovery);
        line.longest_gap = line.longest_gap.max(gap);
        let names = kinds.join(" + ");
        println!(
            "round {}: {names}: recovered in {:.1} s, gap {:.1} s",
            self.rounds,
            recovery.as_secs_f64(),
            gap.as_secs_f64()
        );
    }

    pub fn rounds(&self) -> usize {
        self.rounds
    }

    pub fn print(&mut self) {
        println!("{:<30} {:>6} {:>12} {:>12} {:>12}", "fault", "faults", "median s", "longest s", "gap s");
        for (kind, line) in &mut self.kinds {
            line.recoveries.sort();
            let faults = if line.faults == 0 { line.recoveries.len() } else { line.faults };
            let seconds =
                |duration: Option<&Duration>| duration.map_or("-".to_owned(), |d| format!("{:.1}", d.as_secs_f64()));
            let median = seconds(line.recoveries.get(line.recoveries.len() / 2));
            let longest = seconds(line.recoveries.last());
            let gap = seconds(Some(&line.longest_gap).filter(|_| !line.recoveries.is_empty()));
            println!("{kind:<30} {faults:>6} {median:>12} {longest:>12} {gap:>12}");
        }
        println!(
            "median, longest: from the end of a fault until all that had been written by then was committed. gap: the\n\
             longest time, fault included, that a partition under load had nothing committed; of all {:.1} s.",
            self.longest_gap.as_secs_f64()
        );
    }
}
