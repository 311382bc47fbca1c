//! The statements of a batch: slices that are rolled up together.

use std::fmt::Write;

const IMAGES: &str = include_str!("sql/images.sql");
const FACTS: &str = include_str!("sql/facts.sql");
const STATS: &str = include_str!("sql/stats.sql");
const LATENCIES: &str = include_str!("sql/latencies.sql");
const SAMPLE: &str = include_str!("sql/sample.sql");
const VIOLATIONS: &str = include_str!("sql/violations.sql");

/// What was read of a slice: how many rows of `legs` and of `calls`, and the sum of their versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Images {
    pub(crate) images: u64,
    pub(crate) versions: u64,
}

/// Slices that are rolled up together, in seconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Random: with the slice it makes the version of the rows, so two rollers never write under the same.
    pub pass: u64,
    /// Server's time before anything of the slices was read, in milliseconds since the Unix epoch.
    pub taken_at: i64,
    /// The slices.
    pub slices: Vec<u32>,
    pub(crate) images: Vec<Images>,
}

impl Batch {
    /// Slices to be rolled up under versions of their own.
    pub fn new(pass: u64, taken_at: i64, slices: Vec<u32>) -> Self {
        let images = vec![Images::default(); slices.len()];
        Batch { pass, taken_at, slices, images }
    }

    /// Inserts the rows of `leg_facts`.
    pub fn facts(&self) -> String {
        self.fill(FACTS)
    }

    /// Inserts the rows of `leg_stats`, from those of `leg_facts`: the two can't differ.
    pub fn stats(&self) -> String {
        self.fill(STATS)
    }

    /// Inserts the rows of `leg_latencies`, from those of `leg_facts`.
    pub fn latencies(&self) -> String {
        self.fill(LATENCIES)
    }

    /// Inserts the rows of `leg_sample`, from those of `leg_facts`.
    pub fn sample(&self) -> String {
        self.fill(SAMPLE)
    }

    /// Inserts the rows of `leg_violations`, from those of `leg_facts`.
    pub fn violations(&self) -> String {
        self.fill(VIOLATIONS)
    }

    /// Inserts the pointers; the rows count from then on.
    pub fn pointers(&self) -> String {
        let mut slices = String::new();
        for (slice, images) in self.slices.iter().zip(&self.images) {
            let comma = if slices.is_empty() { "" } else { ", " };
            // Writing into a string can't fail.
            let _ = write!(slices, "{comma}({slice}, toUInt64({}), toUInt64({}))", images.images, images.versions);
        }
        format!(
            "INSERT INTO rolled_slices_rows (first_seen, version, taken_at, images, versions)
            SELECT toDateTime(slice.1, 'UTC') AS first_seen, cityHash64(toUInt64({}), first_seen),
                fromUnixTimestamp64Milli(toInt64({}), 'UTC'), slice.2, slice.3
            FROM (SELECT arrayJoin([{slices}]) AS slice)",
            self.pass, self.taken_at
        )
    }

    fn fill(&self, sql: &str) -> String {
        sql.replace("{{slices}}", &list(&self.slices)).replace("{{pass}}", &self.pass.to_string())
    }
}

/// Counts the rows of slices.
pub(crate) fn images(slices: &[u32]) -> String {
    IMAGES.replace("{{slices}}", &list(slices))
}

/// Numbers as a list of SQL.
pub(crate) fn list<T: ToString>(numbers: &[T]) -> String {
    numbers.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
