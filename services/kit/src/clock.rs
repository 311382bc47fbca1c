//! The only place that asks the operating system for the time (design: invariant 8).

use std::time::{SystemTime, UNIX_EPOCH};

/// Wall time in milliseconds since the Unix epoch; 0 on a machine whose clock stands before it.
#[allow(clippy::disallowed_methods, reason = "the one place that may")]
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
