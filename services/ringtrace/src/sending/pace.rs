//! How fast events are sent.

use std::time::{Duration, Instant};

/// Seconds of log time per second of sending; infinite for all at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(pub f64);

/// A pace that has started.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    pace: Pace,
    first_log_at: i64,
    started: Instant,
}

impl Pace {
    /// As fast as Kafka takes it.
    pub const AT_ONCE: Pace = Pace(f64::INFINITY);

    /// The pace of a speed; 0 is all at once.
    pub fn of_speed(speed: f64) -> Self {
        if speed == 0.0 { Self::AT_ONCE } else { Pace(speed) }
    }

    /// Starts with the event of `first_log_at`, in milliseconds since the Unix epoch.
    pub fn started(self, first_log_at: i64) -> Started {
        Started { pace: self, first_log_at, started: Instant::now() }
    }
}

impl Started {
    /// How long to wait until an event is due.
    pub fn due_in(&self, log_at: i64) -> Duration {
        let recorded_ms = log_at.saturating_sub(self.first_log_at).max(0) as f64;
        let due = Duration::try_from_secs_f64(recorded_ms / 1000.0 / self.pace.0).unwrap_or_default();
        due.saturating_sub(self.started.elapsed())
    }
}
