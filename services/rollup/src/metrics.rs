//! The roller's metrics.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Says what each metric means.
pub fn describe() {
    describe_counter!("ringtrace_rollup_slices_total", "Slices of ten minutes that were rolled up");
    describe_counter!("ringtrace_rollup_unmarked_total", "Slices found changed though no mark said so; expected never");
    describe_counter!("ringtrace_rollup_errors_total", "Passes that ClickHouse did not let end");
    describe_gauge!("ringtrace_rollup_lag_seconds", Unit::Seconds, "Age of the oldest change that is not rolled up");
    describe_histogram!("ringtrace_rollup_pass_seconds", Unit::Seconds, "How long a pass took");
}

pub(crate) fn pass(slices: usize, took: Duration) {
    counter!("ringtrace_rollup_slices_total").increment(slices as u64);
    histogram!("ringtrace_rollup_pass_seconds").record(took.as_secs_f64());
}

pub(crate) fn lag(ms: u64) {
    gauge!("ringtrace_rollup_lag_seconds").set(ms as f64 / 1_000.0);
}

pub(crate) fn unmarked(slices: usize) {
    counter!("ringtrace_rollup_unmarked_total").increment(slices as u64);
}

pub(crate) fn error() {
    counter!("ringtrace_rollup_errors_total").increment(1);
}
