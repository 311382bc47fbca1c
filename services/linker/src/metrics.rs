//! The linker's metrics. Counters are added up per batch, labels are bounded.

use std::sync::Once;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use ringtrace_model::{Reason, Verdict};

use crate::placement::Placement;
use crate::topics::{Input, Inputs};

/// What a batch counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) records: u64,
    pub(crate) reroutes: u64,
    pub(crate) requested_calls: u64,
    pub(crate) unknown_kinds: u64,
    pub(crate) placement: Placement,
    dead_letters: Vec<(Reason, u64)>,
}

impl Counts {
    pub(crate) fn dead_letter(&mut self, reason: Reason) {
        match self.dead_letters.iter_mut().find(|(held, _)| *held == reason) {
            Some((_, count)) => *count += 1,
            None => self.dead_letters.push((reason, 1)),
        }
    }

    /// Adds the batch, which is committed, to the metrics.
    pub(crate) fn publish(&self, inputs: &Inputs) {
        counter!("ringtrace_records_total").increment(self.records);
        counter!("ringtrace_reroutes_total").increment(self.reroutes);
        counter!("ringtrace_requested_calls_total").increment(self.requested_calls);
        counter!("ringtrace_unknown_kinds_total").increment(self.unknown_kinds);
        for (topic, count) in self.placement.misplaced(inputs) {
            counter!("ringtrace_misplaced_records_total", "topic" => topic.to_owned()).increment(count);
        }
        for (reason, count) in &self.dead_letters {
            counter!("ringtrace_dead_letters_total", "reason" => reason.as_str()).increment(*count);
        }
    }
}

/// Verdicts that were published, each a change.
pub(crate) fn verdicts(changes: &[Verdict]) {
    for verdict in changes {
        counter!("ringtrace_verdicts_total", "verdict" => verdict.as_str()).increment(1);
    }
}

pub(crate) fn negative_latencies(count: u32) {
    counter!("ringtrace_negative_latencies_total").increment(u64::from(count));
}

/// How long a step of a flush took.
pub(crate) fn flush_step(step: &'static str, took: Duration) {
    histogram!("ringtrace_flush_step_seconds", "step" => step).record(took.as_secs_f64());
}

pub(crate) fn clickhouse_retry() {
    counter!("ringtrace_clickhouse_retries_total").increment(1);
}

/// A partition has records, and none of them come.
pub(crate) fn stuck(topic: &str) {
    counter!("ringtrace_stuck_partitions_total", "topic" => topic.to_owned()).increment(1);
}

pub(crate) fn restart() {
    counter!("ringtrace_link_restarts_total").increment(1);
}

/// State of the slots of this instance.
pub(crate) fn slots(slots: usize, open_calls: usize, clock_lag_ms: i64, lag_records: i64) {
    gauge!("ringtrace_slots").set(slots as f64);
    gauge!("ringtrace_open_calls").set(open_calls as f64);
    gauge!("ringtrace_log_clock_lag_seconds").set(clock_lag_ms as f64 / 1000.0);
    gauge!("ringtrace_consumer_lag_records").set(lag_records as f64);
}

/// Shows the counters of what is rare from the start: to Prometheus, a counter that begins at 1 has never increased.
pub(crate) fn begin_at_zero(inputs: &Inputs) {
    counter!("ringtrace_clickhouse_retries_total").increment(0);
    counter!("ringtrace_link_restarts_total").increment(0);
    for input in Input::ALL {
        counter!("ringtrace_stuck_partitions_total", "topic" => inputs.name(input).to_string()).increment(0);
    }
    for reason in Reason::ALL {
        counter!("ringtrace_dead_letters_total", "reason" => reason.as_str()).increment(0);
    }
    for verdict in Verdict::ALL {
        counter!("ringtrace_verdicts_total", "verdict" => verdict.as_str()).increment(0);
    }
}

/// Says once what each metric means.
pub(crate) fn describe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        describe_counter!("ringtrace_records_total", Unit::Count, "Records read and committed");
        describe_counter!("ringtrace_reroutes_total", Unit::Count, "Records sent to the partition of their call");
        describe_counter!(
            "ringtrace_requested_calls_total",
            Unit::Count,
            "Calls that were folded and judged again because `ringtrace relink` has asked for it"
        );
        describe_counter!(
            "ringtrace_misplaced_records_total",
            Unit::Count,
            "Records in another partition than that of their call_uuid, by topic: their producer uses another key or partitioner"
        );
        describe_counter!(
            "ringtrace_unknown_kinds_total",
            Unit::Count,
            "Events of a kind that the contract does not name"
        );
        describe_counter!("ringtrace_dead_letters_total", Unit::Count, "Records that are no valid events, by reason");
        describe_counter!("ringtrace_verdicts_total", Unit::Count, "Changes of verdicts, by the new verdict");
        describe_counter!(
            "ringtrace_negative_latencies_total",
            Unit::Count,
            "Cross-clock latencies that came out negative"
        );
        describe_histogram!("ringtrace_flush_step_seconds", Unit::Seconds, "Duration of each step of a flush");
        describe_counter!(
            "ringtrace_clickhouse_retries_total",
            Unit::Count,
            "Writes to ClickHouse that were tried again"
        );
        describe_counter!(
            "ringtrace_link_restarts_total",
            Unit::Count,
            "Times that the linker dropped its state and read it again"
        );
        describe_counter!(
            "ringtrace_stuck_partitions_total",
            Unit::Count,
            "Times that a partition had records and gave none, and was fetched anew"
        );
        describe_gauge!("ringtrace_slots", Unit::Count, "Slots that this instance owns");
        describe_gauge!("ringtrace_open_calls", Unit::Count, "Calls in memory");
        describe_gauge!(
            "ringtrace_log_clock_lag_seconds",
            Unit::Seconds,
            "Wall clock minus the oldest log clock of the slots"
        );
        describe_gauge!(
            "ringtrace_consumer_lag_records",
            Unit::Count,
            "Records that are not yet read, over all partitions"
        );
    });
}
