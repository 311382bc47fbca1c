//! `/reasons`: why pushes were refused, what is wrong with legs, and how calls ended.

use std::sync::Arc;

use serde_json::{Value, json};

use super::App;
use super::statement::facts_in;
use crate::ask::Ask;
use crate::problem::Problem;
use crate::store::Query;

/// Most reasons of one kind: they are an open list.
const MOST: usize = 100;

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, range, filter) = (ask.scope()?, ask.range()?, ask.filter());
    let within = format!("FROM @facts {} {} {}", facts_in(1), filter.of_role(), filter.conditions());
    let counted = |value: &str, condition: &str| -> Result<Query, Problem> {
        let text = format!(
            "SELECT {value} AS v, count() AS n {within} {condition} GROUP BY v ORDER BY n DESC, v LIMIT {MOST}"
        );
        let query = Query::new(&scope, &text)?.with_all(&filter.values());
        Ok(query.with_ints([("from0", range.from), ("to0", range.to)]))
    };
    let total = Query::new(&scope, &format!("SELECT count() {within}"))?.with_all(&filter.values());
    let total = total.with_ints([("from0", range.from), ("to0", range.to)]);
    let (total, rejections, diagnoses, ends) = tokio::try_join!(
        app.store.row::<(u64,)>(total),
        app.store.rows::<(String, u64)>(counted("toString(push_reject_reason)", "AND push_reject_reason != ''")?),
        app.store.rows::<(String, u64)>(counted("toString(arrayJoin(diagnoses))", "AND notEmpty(diagnoses)")?),
        app.store.rows::<(String, u64)>(counted("toString(end_reason)", "AND end_reason != ''")?)
    )?;
    let total = total.map_or(0, |row| row.0);
    let share = |legs: u64| if total == 0 { 0.0 } else { legs as f64 / total as f64 };
    let shown = |name: &'static str, rows: Vec<(String, u64)>| {
        let one = |(value, legs): &(String, u64)| json!({name: value, "legs": legs, "share": share(*legs)});
        rows.iter().map(one).collect::<Vec<_>>()
    };
    Ok(json!({
        "legs": total,
        "rejections": shown("reason", rejections),
        "diagnoses": shown("code", diagnoses),
        "end_reasons": shown("reason", ends),
    }))
}
