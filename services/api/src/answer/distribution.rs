//! `/distribution`: how a latency is distributed, in all and over time.

use std::sync::Arc;

use serde_json::{Value, json};

use super::App;
use super::counts::{Cell, Counting, Ingredients, middle_of};
use crate::ask::{Ask, Range};
use crate::data::{How, Measure, STAGES, Stage, measure};
use crate::problem::Problem;

/// Bounds are this many to a factor of ten.
const PER_DECADE: i32 = 8;

/// Decades of bounds: from a millisecond to over a day.
const DECADES: i32 = 8;

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, range, filter) = (ask.scope()?, ask.range()?, ask.filter());
    let name = ask.get("stage").unwrap_or("sent_to_received");
    let stage = STAGES.iter().find(|stage| stage.name == name).ok_or_else(Problem::internal)?;
    let bucket = range.bucket(ask.get("bucket"))?;
    let samples: Option<&Measure> = measure(&format!("{name}_count"));
    let measures: Vec<&Measure> = samples.into_iter().filter(|samples| samples.how == How::Samples(stage)).collect();
    let counting = Counting {
        store: &app.store,
        scope: &scope,
        filter: &filter,
        dimensions: &[],
        bucket: Some(bucket),
        keys: None,
    };
    let stages = Ingredients::of(&measures).stages();
    let (counted, censored) = tokio::try_join!(counting.count(range, None, &stages), censored(counting, range, stage))?;
    let times = range.times(bucket);
    let nothing = Cell::default();
    let of_time = |time: &i64| {
        let cell = counted.current.get(&(vec![String::new()], time.div_euclid(bucket))).unwrap_or(&nothing);
        by_bound(cell, stage)
    };
    let rows: Vec<Vec<u64>> = times.iter().map(of_time).collect();
    let counts: Vec<u64> =
        (0..=bounds().len()).map(|bound| rows.iter().filter_map(|row| row.get(bound)).sum()).collect();
    // Empty bounds at both ends say nothing.
    let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
    let last = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
    let cut = |row: &Vec<u64>| row.get(first..=last).unwrap_or_default().to_vec();
    let shown: Vec<Value> =
        (first..=last).map(|bound| bounds().get(bound).map_or(Value::Null, |ms| json!(ms))).collect();
    Ok(json!({
        "stage": stage.name,
        "from": range.from,
        "to": range.to,
        "bounds": shown,
        "counts": cut(&counts),
        "total": counts.iter().sum::<u64>(),
        "censored": censored,
        "heatmap": {"bucket_ms": bucket, "times": times, "counts": rows.iter().map(cut).collect::<Vec<_>>()},
    }))
}

/// Upper bounds in milliseconds; what is above the last has none.
fn bounds() -> Vec<i64> {
    let bound = |index: i32| 10_f64.powf(f64::from(index) / f64::from(PER_DECADE)).round() as i64;
    let mut bounds: Vec<i64> = (0..=PER_DECADE * DECADES).map(bound).collect();
    bounds.dedup();
    bounds
}

fn by_bound(cell: &Cell, stage: &Stage) -> Vec<u64> {
    let bounds = bounds();
    let mut counts = vec![0; bounds.len() + 1];
    for (bin, legs) in cell.bins(stage) {
        let place = bounds.partition_point(|bound| (*bound as f64) < middle_of(bin).round());
        if let Some(count) = counts.get_mut(place) {
            *count += legs;
        }
    }
    counts
}

/// Accepted legs whose push never arrived, as far as is known: a percentile does not see them.
async fn censored(counting: Counting<'_>, range: Range, stage: &Stage) -> Result<Option<i64>, Problem> {
    if !matches!(stage.name, "sent_to_received" | "accepted_to_received") {
        return Ok(None);
    }
    let measures: Vec<&Measure> = ["legs_accepted", "accepted_received"].into_iter().filter_map(measure).collect();
    let counted = Counting { bucket: None, ..counting }.count(range, None, &Ingredients::of(&measures)).await?;
    let all = |name| counted.current.values().map(|cell| cell.sum(name)).sum::<i64>();
    Ok(Some(all("legs_accepted") - all("accepted_received")))
}
