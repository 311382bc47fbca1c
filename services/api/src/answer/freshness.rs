//! How far the results are behind the clock.

use serde_json::{Value, json};

use super::App;
use crate::problem::Problem;
use crate::store::{Query, Scope};

/// Results that are further behind are late, in milliseconds.
const LATE_MS: i64 = 60_000;

/// Reads it. Slots are no one's rows: every reader may know how far they are.
///
/// # Errors
/// As [`crate::store::Store::rows`].
pub(crate) async fn read(app: &App, scope: &Scope) -> Result<Value, Problem> {
    // A slot that is new says 0 until the broker has said where its partitions end.
    let clock =
        "SELECT minOrNullIf(toUnixTimestamp64Milli(log_clock), log_clock > fromUnixTimestamp64Milli(0)) FROM @slots";
    let rolled = "SELECT toUnixTimestamp64Milli(maxOrNull(rolled_at)) FROM @rolled";
    let (clock, rolled) = tokio::try_join!(
        app.store.row::<(Option<i64>,)>(Query::new(scope, clock)?),
        app.store.row::<(Option<i64>,)>(Query::new(scope, rolled)?)
    )?;
    Ok(of(clock.and_then(|row| row.0), rolled.and_then(|row| row.0), ringtrace_kit::clock::wall_ms()))
}

fn of(log_clock: Option<i64>, rolled_at: Option<i64>, now: i64) -> Value {
    let behind_ms = log_clock.map(|clock| (now - clock).max(0));
    let state = match behind_ms {
        None => "unknown",
        Some(behind) if behind > LATE_MS => "late",
        Some(_) => "fresh",
    };
    json!({"log_clock": log_clock, "behind_ms": behind_ms, "state": state, "rolled_at": rolled_at})
}
