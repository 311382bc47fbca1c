//! `/alerts/history`: each time that an alert fired, and when it was resolved; what fired last comes first.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Stored, conditions, query, told};
use crate::answer::App;
use crate::ask::{Ask, Cursor};
use crate::problem::Problem;
use crate::store::Value as Given;

/// Answers with the episodes that a range has a part of.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, range, limit) = (ask.scope()?, ask.range()?, ask.int("limit", 50));
    let after = ask.get("cursor").and_then(Cursor::read);
    let behind = match &after {
        Some(_) => " AND (fired, fingerprint) < ({after_at:Int64}, {after_fingerprint:String})",
        None => "",
    };
    let state = match ask.get("state") {
        Some("firing") => " AND next IS NULL",
        Some(_) => " AND next IS NOT NULL",
        None => "",
    };
    let text = format!(
        "SELECT fingerprint, rule, severity, labels, if(next IS NULL, 'firing', 'resolved'), fired, fired, next, summary, \
         found_late_ms, examples \
         FROM (SELECT fingerprint, rule, severity, labels, state, summary, found_late_ms, examples, \
         toUnixTimestamp64Milli(at) AS fired, leadInFrame(toNullable(toUnixTimestamp64Milli(at))) OVER later AS next \
         FROM @alert_history {} WINDOW later AS (PARTITION BY fingerprint ORDER BY at, state \
         ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) ) \
         WHERE state = 'firing' AND fired < {{to:Int64}} AND (next IS NULL OR next >= {{from:Int64}}) {state} {behind} \
         ORDER BY fired DESC, fingerprint DESC LIMIT {{most:UInt64}}",
        conditions(&ask)
    );
    let asked = query(&ask, &scope, &text)?;
    let asked = asked.with_ints([("from", range.from), ("to", range.to), ("most", limit + 1)]);
    let asked = match &after {
        Some(after) => {
            asked.with_ints([("after_at", after.first)]).with("after_fingerprint", Given::Text(after.call.clone()))
        }
        None => asked,
    };
    let mut episodes: Vec<Stored> = app.store.rows(asked).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = episodes.len() > limit;
    episodes.truncate(limit);
    let next = episodes.last().filter(|_| more).map(|episode| Cursor {
        first: episode.since,
        second: 0,
        tenant: String::new(),
        call: episode.fingerprint.clone(),
        device: String::new(),
    });
    let told = told::read(&app, &scope, &episodes).await?;
    let shown = |episode: &Stored| Value::Object(episode.shown(&app.alert_rules, &told.of(episode)));
    let items: Vec<Value> = episodes.iter().map(shown).collect();
    Ok(json!({"items": items, "next_cursor": next.map(|cursor| cursor.text())}))
}
