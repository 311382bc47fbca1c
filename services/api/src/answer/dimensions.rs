//! `/dimensions/{name}`: values of a dimension, for choosing filters.

use std::sync::Arc;

use serde_json::{Value, json};

use super::App;
use super::statement::facts_in;
use crate::ask::Ask;
use crate::data::{DIMENSIONS, Dimension};
use crate::problem::Problem;
use crate::store::{Query, Value as Given};

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let dimension = Dimension::named(&ask.segment).ok_or_else(|| {
        let names: Vec<&str> = DIMENSIONS.iter().map(|dimension| dimension.name).collect();
        Problem::not_found(format!("there is no such dimension; there are {}", names.join(", ")))
    })?;
    let (scope, range, filter) = (ask.scope()?, ask.range()?, ask.filter());
    let limit = ask.int("limit", 50);
    let prefix = ask.get("q").unwrap_or_default();
    let having = if prefix.is_empty() { "" } else { "HAVING startsWith(lowerUTF8(v), lowerUTF8({q:String}))" };
    let text = format!(
        "SELECT {} AS v, count() AS n FROM @facts {} {} {} GROUP BY v {having} ORDER BY n DESC, v LIMIT {{most:UInt64}}",
        dimension.text(),
        facts_in(1),
        filter.of_role(),
        filter.conditions()
    );
    let query = Query::new(&scope, &text)?.with_all(&filter.values()).with("q", Given::Text(prefix.to_owned()));
    let query = query.with_ints([("from0", range.from), ("to0", range.to), ("most", limit + 1)]);
    let rows: Vec<(String, u64)> = app.store.rows(query).await?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let value = |text: &String| if text.is_empty() { Value::Null } else { text.as_str().into() };
    let values: Vec<Value> =
        rows.iter().take(limit).map(|(text, legs)| json!({"value": value(text), "legs": legs})).collect();
    Ok(json!({"values": values, "truncated": rows.len() > limit}))
}
