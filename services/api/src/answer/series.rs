//! `/series`: measures over time, by groups, beside an earlier range.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::App;
use super::counts::{Cell, Cells, Counting, Key};
use super::groups::{Groups, compare, count, dimensions, key_json};
use super::summary::number;
use crate::ask::{Ask, Range};
use crate::data::{How, Measure, measure};
use crate::problem::Problem;

/// Most measures of one series.
const MOST_MEASURES: usize = 40;

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, range, filter) = (ask.scope()?, ask.range()?, ask.filter());
    let (dimensions, compare) = (dimensions(&ask), compare(&ask));
    let names = ask.get("measures").ok_or_else(|| Problem::parameter("measures", "it is needed here"))?;
    let measures: Vec<&Measure> = names.split(',').filter_map(measure).collect();
    if measures.len() > MOST_MEASURES {
        return Err(Problem::too_large("too many measures", MOST_MEASURES as u64));
    }
    if measures.iter().any(|measure| measure.how == How::Coverage) {
        return Err(Problem::parameter("measures", "telemetry_coverage is in /summary without group_by only"));
    }
    let bucket = range.bucket(ask.get("bucket"))?;
    let counting = Counting {
        store: &app.store,
        scope: &scope,
        filter: &filter,
        dimensions: &dimensions,
        bucket: Some(bucket),
        keys: None,
    };
    let limit = usize::try_from(ask.int("limit", 12)).unwrap_or(12).min(100);
    let Groups { keys, truncated, counted } = count(counting, range, compare, &measures, limit).await?;
    let group = |key: &Key| {
        let current = lines(&measures, &counted.current, key, range, bucket, 0);
        let previous = compare.map(|earlier| lines(&measures, &counted.previous, key, range, bucket, earlier));
        json!({"key": key_json(&dimensions, key), "current": current, "previous": previous})
    };
    Ok(json!({
        "from": range.from,
        "to": range.to,
        "bucket_ms": bucket,
        "times": range.times(bucket),
        "groups": keys.iter().map(group).collect::<Vec<_>>(),
        "truncated": truncated,
    }))
}

/// The values of each measure, one for each bucket of the range; of cells so much earlier.
fn lines(
    measures: &[&'static Measure],
    cells: &Cells,
    key: &Key,
    range: Range,
    bucket: i64,
    earlier: i64,
) -> Map<String, Value> {
    let nothing = Cell::default();
    // A range that is not a whole number of buckets earlier has its own buckets: the one that holds the same moment.
    let index = |time: i64| (time - earlier).div_euclid(bucket);
    let of_times: Vec<&Cell> = range
        .times(bucket)
        .into_iter()
        .map(|time| cells.get(&(key.clone(), index(time))).unwrap_or(&nothing))
        .collect();
    let line = |measure: &&'static Measure| {
        let values: Vec<Value> = of_times.iter().map(|cell| number(measure, cell.value(measure))).collect();
        (measure.name.clone(), Value::from(values))
    };
    measures.iter().map(line).collect()
}
