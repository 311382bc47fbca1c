//! The linker in a simulated world: the same code as in the real one, in one thread, with everything that can go wrong
//! with Kafka, ClickHouse, clocks and processes, in an order that a seed decides.
//!
//! A schedule ends with quiet, and then everything stored must equal a plain fold over the input; what must hold at every
//! step is checked at every step (`audit`).

mod audit;
mod client;
mod cluster;
mod following;
mod group;
mod happening;
mod input;
mod log;
mod plan;
pub(crate) mod planted;
mod random;
mod relink;
mod rows;
mod schedule;
mod state;
mod store;
mod writing;

use std::collections::BTreeMap;
use std::time::Instant;

use schedule::{Figures, run};

/// Schedules of an ordinary run.
const SCHEDULES: u64 = 10_000;

/// More failures than these say nothing new.
const MOST_FAILURES: usize = 20;

/// `RINGTRACE_LONG` asks for a hundred times as many schedules, and for what becomes of every planted bug in all of them.
fn is_long() -> bool {
    std::env::var_os("RINGTRACE_LONG").is_some()
}

/// Runs schedules, and shows those that fail with the command that repeats the first.
fn run_all(seeds: std::ops::Range<u64>) {
    let (started, count) = (Instant::now(), seeds.end - seeds.start);
    let mut all = Figures::default();
    let mut failures = Vec::new();
    for seed in seeds {
        match run(seed) {
            Ok(figures) => all.add(&figures),
            Err(failure) => failures.push((seed, failure)),
        }
        if failures.len() == MOST_FAILURES {
            break;
        }
    }
    if let Some((seed, failure)) = failures.first() {
        let mut checks = BTreeMap::<&str, Vec<u64>>::new();
        failures.iter().for_each(|(seed, failure)| checks.entry(failure.check).or_default().push(*seed));
        panic!(
            "schedule {seed}: {}\n{}\nfailed schedules by check: {checks:?}\nto repeat the first: RINGTRACE_SEED={seed} \
             cargo test --release --workspace --lib sim::the_linker -- --nocapture",
            failure.check, failure.saw
        );
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    println!("{count} schedules, {rate:.0} a second: {all:?}");
}

#[test]
fn the_linker_loses_nothing_and_never_lies() {
    let given = std::env::var("RINGTRACE_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    match given {
        Some(seed) => run_all(seed..seed + 1),
        None => run_all(0..SCHEDULES * if is_long() { 100 } else { 1 }),
    }
}

#[test]
fn a_seed_repeats_its_schedule() {
    for seed in 0..200 {
        let figures = || run(seed).map_err(|failure| failure.check);
        assert_eq!(figures(), figures(), "schedule {seed}");
    }
}
