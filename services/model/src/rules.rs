//! The settings that verdicts and outcomes depend on.

use serde::{Deserialize, Serialize};

/// Durations of contract sections 4.1 and 4.2, all in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rules {
    /// How soon after `push.received` a report is in time. iOS kills after about 7 s (Apple developer forums, thread 817976).
    pub report_deadline_ms: i64,
    /// How long after the deadline telemetry may arrive before silence counts.
    pub telemetry_grace_ms: i64,
    /// How long after the last push was sent or accepted a receipt may arrive.
    pub receipt_timeout_ms: i64,
    /// How long after a leg's last event it may still be going on.
    pub ring_timeout_ms: i64,
}

impl Rules {
    /// Every setting by its name in section `[rules]` of the configuration, in milliseconds.
    pub fn settings(&self) -> [(&'static str, i64); 4] {
        // A setting that is added has to be named here.
        let Rules { report_deadline_ms, telemetry_grace_ms, receipt_timeout_ms, ring_timeout_ms } = *self;
        [
            ("report_deadline_ms", report_deadline_ms),
            ("telemetry_grace_ms", telemetry_grace_ms),
            ("receipt_timeout_ms", receipt_timeout_ms),
            ("ring_timeout_ms", ring_timeout_ms),
        ]
    }
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            report_deadline_ms: 7_000,
            telemetry_grace_ms: 23_000,
            receipt_timeout_ms: 60_000,
            ring_timeout_ms: 120_000,
        }
    }
}

/// How late audio may start after an answer, in milliseconds (contract section 4.4).
pub(crate) const AUDIO_DEADLINE_MS: i64 = 10_000;

/// How long a push may take before it is late, in milliseconds (contract section 4.4).
pub(crate) const LATE_PUSH_MS: i64 = 10_000;
