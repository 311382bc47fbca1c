//! `/risk/apps` and `/risk/devices`: how close iOS is to waking an app, or one device, no more; as the alerter judged it.

mod apps;
mod devices;

pub(crate) use apps::answer as apps;
pub(crate) use devices::answer as devices;
pub(super) use devices::of_device;

use ringtrace_alerter::risk::Level;
use serde_json::{Value, json};

use super::App;
use crate::problem::Problem;
use crate::store::{Query, Scope};

/// The level of a device beyond those of apps.
const SUSPECTED: &str = "suspected";

/// The levels of apps, from good to bad.
pub(crate) fn app_levels() -> Vec<&'static str> {
    Level::ALL.iter().map(|level| level.as_str()).collect()
}

/// The levels of devices, from good to bad.
pub(crate) fn device_levels() -> Vec<&'static str> {
    app_levels().into_iter().chain([SUSPECTED]).collect()
}

/// How bad the level of a row is, in a statement.
fn rank() -> String {
    format!("indexOf({:?}, toString(level))", device_levels()).replace('"', "'")
}

/// The condition that takes wanted values of a parameter, where there are any.
fn only(column: &str, name: &str, wanted: &[String]) -> String {
    if wanted.is_empty() { String::new() } else { format!(" AND {column} IN {{{name}:Array(String)}}") }
}

/// Up to which log time rules have looked, and when; null where no alerter has ever run.
///
/// # Errors
/// As [`crate::store::Store::rows`].
pub(super) async fn alerter(app: &App, scope: &Scope) -> Result<Value, Problem> {
    let clock = "SELECT toUnixTimestamp64Milli(log_clock), toUnixTimestamp64Milli(written_at) FROM @alert_clock";
    let row = app.store.row::<(i64, i64)>(Query::new(scope, clock)?).await?;
    Ok(row.map_or(Value::Null, |(log_clock, written_at)| json!({"log_clock": log_clock, "written_at": written_at})))
}
