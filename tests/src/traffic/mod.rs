//! Example traffic: twenty simulated minutes of a fictional fleet's calls, with every failure mode of the contract.
//!
//! A pure function of a seed: no clock, no thread, no arithmetic that differs between platforms. What is committed under
//! `tests/traffic` is [`generate`] of [`SEED`]; `cargo run --release -p ringtrace-tests --bin traffic` writes it anew.

mod background;
mod bad;
mod delivery;
mod endings;
mod fleet;
mod models;
mod oddities;
mod push;
mod reach;
mod record;
mod rng;
mod scene;
mod stories;

use serde_json::Value;

pub use record::{Record, Topic};

use background::play_background;
use bad::bad_records;
use delivery::deliver;
use fleet::Fleet;
use rng::Rng;
use scene::Scene;

/// Seed of the committed traffic.
pub const SEED: u64 = 20_261_101;

/// When the first call starts: 2026-11-01T08:00:00Z, in milliseconds since the Unix epoch.
pub const START: i64 = 1_793_520_000_000;

/// How long calls keep starting, in milliseconds.
pub const SPAN_MS: i64 = 20 * 60 * 1000;

/// How many calls start.
pub const CALLS: u64 = 3_000;

/// Generated traffic.
pub struct Traffic {
    /// Valid records, in order of log time.
    pub records: Vec<Record>,
    /// Records that are not valid, each as a line that says why.
    pub bad: Vec<Value>,
}

impl Traffic {
    /// The records of a topic as lines: each an event with its `log_at`.
    pub fn lines(&self, topic: Topic) -> String {
        let records = self.records.iter().filter(|record| record.topic == topic);
        records.map(|record| record.line() + "\n").collect()
    }

    /// The records that are not valid, as lines.
    pub fn bad_lines(&self) -> String {
        self.bad.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// Generates the traffic of a seed.
pub fn generate(seed: u64) -> Traffic {
    let mut rng = Rng::of(seed, 0);
    let fleet = Fleet::new(&mut rng);
    let mut records = Vec::new();
    for call in 0..CALLS {
        let mut rng = Rng::of(seed, call + 1);
        let slot = SPAN_MS / CALLS as i64;
        let start = START + call as i64 * slot + rng.between(0, slot * 3);
        records.extend(stories::play(call, &fleet, Scene::new(rng, start)));
    }
    play_background(&fleet, &mut rng, &mut records);
    deliver(&mut rng, &mut records);
    let bad = bad_records(&records, &mut rng);
    Traffic { records, bad }
}
