//! The linker in a simulated world: the same code as in the real one, in one thread, with everything that can go wrong
//! with Kafka, ClickHouse, clocks and processes, in an order that a seed decides.
//!
//! A schedule ends with quiet, and then everything stored must equal a plain fold over the input; what must hold at every
//! step is checked at every step (`audit`).

mod audit;
mod client;
mod cluster;
mod group;
mod input;
mod log;
mod plan;
pub(crate) mod planted;
mod random;
mod rows;
mod schedule;
mod store;
mod writing;

use schedule::run;

/// Schedules of an ordinary run; `RINGTRACE_LONG` asks for a hundred times as many.
const SCHEDULES: u64 = 10_000;

/// Runs schedules, and shows the first one that fails with the command that repeats it.
fn run_all(first: u64, count: u64) {
    let started = std::time::Instant::now();
    let mut all = (0, 0, 0);
    for seed in first..first + count {
        match run(seed) {
            Ok(figures) => {
                all = (all.0 + figures.records, all.1 + figures.transactions, all.2 + figures.actions);
            }
            Err(failure) => panic!(
                "schedule {seed}: {}\n{}\nto repeat it: RINGTRACE_SEED={seed} cargo test --release -p ringtrace-linker sim",
                failure.check, failure.saw
            ),
        }
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    println!("{count} schedules, {rate:.0} a second: {} records, {} transactions, {} actions", all.0, all.1, all.2);
}

#[test]
fn the_linker_loses_nothing_and_never_lies() {
    if let Some(seed) = std::env::var("RINGTRACE_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return run_all(seed, 1);
    }
    let factor = if std::env::var_os("RINGTRACE_LONG").is_some() { 100 } else { 1 };
    run_all(0, SCHEDULES * factor);
}

#[test]
fn a_seed_repeats_its_schedule() {
    for seed in 0..200 {
        let figures = || run(seed).map_err(|failure| failure.check);
        assert_eq!(figures(), figures(), "schedule {seed}");
    }
}

#[test]
fn tally() {
    let Some(count) = std::env::var("TALLY").ok().and_then(|seed| seed.parse::<u64>().ok()) else { return };
    let first: u64 = std::env::var("FIRST").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let started = std::time::Instant::now();
    let mut tally = std::collections::BTreeMap::<String, Vec<u64>>::new();
    for seed in first..first + count {
        let result = match planted_named() {
            Some(bug) => planted::run_with(bug, seed),
            None => run(seed).map(|_| ()),
        };
        if let Err(failure) = result {
            let grown = schedule::plan_of(seed).grown.is_some();
            let name = if planted_named().is_some() {
                failure.check.to_owned()
            } else {
                format!("{} grown={grown} pieces={}", failure.check, schedule::plan_of(seed).in_pieces)
            };
            tally.entry(name).or_default().push(seed);
        }
    }
    println!("{:?}", started.elapsed());
    for (check, seeds) in tally {
        println!("{check}: {} {:?}", seeds.len(), &seeds[..seeds.len().min(6)]);
    }
}

fn planted_named() -> Option<planted::Bug> {
    use planted::Bug::*;
    let name = std::env::var("PLANT").ok()?;
    [
        TransactionFirst,
        OffsetsOutside,
        RowsFirst,
        VersionCountsWrites,
        WallClock,
        LookUpSkipped,
        LeavesUnacknowledged,
        RowsNotRepeated,
        FullTablePauses,
        ReroutedAgain,
        DayNotKept,
        ChangelogUnread,
        OnlyMovedOffsets,
    ]
    .into_iter()
    .find(|bug| format!("{bug:?}") == name)
}
