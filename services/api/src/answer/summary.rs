//! `/summary`: measures of a range, by groups, beside an earlier one.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::counts::{Cell, Counting, shown};
use super::groups::{Groups, compare, count, dimensions, key_json};
use super::{App, coverage, freshness};
use crate::ask::Ask;
use crate::data::{How, Measure, Unit, measure};
use crate::problem::Problem;

/// The measures that are asked for; all by default, but coverage, which is costly.
pub(super) fn measures(ask: &Ask) -> Vec<&'static Measure> {
    match ask.get("measures") {
        Some(names) => names.split(',').filter_map(measure).collect(),
        None => shown().filter(|measure| measure.how != How::Coverage).collect(),
    }
}

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, range, filter) = (ask.scope()?, ask.range()?, ask.filter());
    let (dimensions, compare, measures) = (dimensions(&ask), compare(&ask), measures(&ask));
    let limit = usize::try_from(ask.int("limit", 50)).unwrap_or(50);
    let counting = Counting {
        store: &app.store,
        scope: &scope,
        filter: &filter,
        dimensions: &dimensions,
        bucket: None,
        keys: None,
    };
    let has_coverage = dimensions.is_empty() && measures.iter().any(|measure| measure.how == How::Coverage);
    let covered = async |range| match has_coverage {
        true => coverage::share(&app.store, &scope, &filter, range).await,
        false => Ok(None),
    };
    let (groups, fresh, now, then) = tokio::try_join!(
        count(counting, range, compare, &measures, limit),
        freshness::read(&app, &scope),
        covered(range),
        async {
            match compare {
                Some(ms) => covered(range.earlier(ms)).await,
                None => Ok(None),
            }
        }
    )?;
    let Groups { keys, truncated, counted } = groups;
    let nothing = Cell::default();
    let group = |key: &Vec<String>| {
        let place = (key.clone(), 0);
        let current = values(&measures, counted.current.get(&place).unwrap_or(&nothing), now);
        let previous = compare.map(|_| values(&measures, counted.previous.get(&place).unwrap_or(&nothing), then));
        json!({"key": key_json(&dimensions, key), "current": current, "previous": previous})
    };
    Ok(json!({
        "from": range.from,
        "to": range.to,
        "compare": compare.map(|ms| json!({"from": range.earlier(ms).from, "to": range.earlier(ms).to})),
        "groups": keys.iter().map(group).collect::<Vec<_>>(),
        "truncated": truncated,
        "freshness": fresh,
    }))
}

fn values(measures: &[&'static Measure], cell: &Cell, covered: Option<f64>) -> Map<String, Value> {
    let value = |measure: &Measure| if measure.how == How::Coverage { covered } else { cell.value(measure) };
    measures.iter().map(|measure| (measure.name.clone(), number(measure, value(measure)))).collect()
}

/// A value as JSON: counts and milliseconds are whole.
pub(super) fn number(measure: &Measure, value: Option<f64>) -> Value {
    match (measure.unit, value) {
        (_, None) => Value::Null,
        (Unit::Count | Unit::Ms, Some(value)) => json!(value.round() as i64),
        (_, Some(value)) => json!(value),
    }
}
