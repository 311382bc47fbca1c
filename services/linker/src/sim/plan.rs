//! What a schedule is like: drawn from its seed, so that schedules differ in kind and not only in order.

use ringtrace_model::DAY_MS;

use super::random::Random;
use crate::consumer::Protocol;

/// How records get their log time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamps {
    /// The broker's wall clock, which only goes on.
    Append,
    /// Producers' clocks, which differ and jump; the linkers' wall clock jumps as well.
    Create,
}

/// See the module's text.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) instances: usize,
    pub(super) partitions: i32,
    /// To how many partitions the topics grow on the way.
    pub(super) grown: Option<i32>,
    pub(super) device_partitions: i32,
    pub(super) stamps: Stamps,
    /// Other rules are stored on the way.
    pub(super) raises: bool,
    /// At the end one process is started with `--until-caught-up`; else all of them run on.
    pub(super) catches_up: bool,
    pub(super) protocol: Protocol,
    /// Partitions are given and taken topic by topic.
    pub(super) in_pieces: bool,
    pub(super) flush_bytes: usize,
    pub(super) flush_interval_ms: u64,
    pub(super) calls_in_memory: usize,
    pub(super) settled_ms: i64,
    pub(super) records: usize,
    pub(super) started_at: i64,
    pub(super) faults: Faults,
}

/// Which faults there are at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Faults {
    pub(super) crashes: bool,
    pub(super) evictions: bool,
    pub(super) naps: bool,
    pub(super) commits: bool,
    pub(super) writes: bool,
    pub(super) stalls: bool,
    pub(super) jumps: bool,
    pub(super) compaction: bool,
    pub(super) trims: bool,
    pub(super) foreign: bool,
    pub(super) poison: bool,
    pub(super) misplaced: bool,
    pub(super) late: bool,
    pub(super) wedges: bool,
    /// No fault: now and then someone asks for calls to be linked again.
    pub(super) relinks: bool,
}

/// 2026-11-23, a minute before midnight.
const STARTED_AT: i64 = 1_795_478_340_000;

impl Plan {
    pub(super) fn draw(random: &mut Random) -> Self {
        let partitions = random.pick(&[1, 1, 2, 2, 3]);
        Plan {
            instances: random.pick(&[1, 2, 2, 3]),
            partitions,
            grown: random.one_in(5).then(|| partitions + random.between(1, 2) as i32),
            device_partitions: random.pick(&[1, 1, 2]),
            stamps: random.pick(&[Stamps::Append, Stamps::Append, Stamps::Create]),
            raises: random.one_in(3),
            catches_up: random.one_in(4),
            protocol: random.pick(&[Protocol::Consumer, Protocol::Consumer, Protocol::Classic]),
            in_pieces: random.one_in(4),
            flush_bytes: random.pick(&[600, 4_000, 1 << 20, 1 << 20]),
            flush_interval_ms: random.pick(&[50, 200, 1_000, 1_000, 5_000]),
            calls_in_memory: random.pick(&[1, 2, 3, 1_000, 1_000]),
            settled_ms: random.pick(&[0, 0, 1_000, 60_000, 300_000]),
            records: random.between(30, 120) as usize,
            started_at: STARTED_AT + random.pick(&[0, 0, DAY_MS / 3]) + random.between(0, 60_000),
            faults: Faults::draw(random),
        }
    }
}

impl Faults {
    pub(super) const NONE: Faults = Faults {
        crashes: false,
        evictions: false,
        naps: false,
        commits: false,
        writes: false,
        stalls: false,
        jumps: false,
        compaction: false,
        trims: false,
        foreign: false,
        poison: false,
        misplaced: false,
        late: false,
        wedges: false,
        relinks: false,
    };

    fn draw(random: &mut Random) -> Self {
        let mut flip = || random.one_in(2);
        Faults {
            crashes: flip(),
            evictions: flip(),
            naps: flip(),
            commits: flip(),
            writes: flip(),
            stalls: flip(),
            jumps: flip(),
            compaction: flip(),
            trims: flip(),
            foreign: flip(),
            misplaced: flip(),
            late: flip(),
            wedges: flip(),
            relinks: flip(),
            poison: random.one_in(6),
        }
    }
}
