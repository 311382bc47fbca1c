//! `/legs`: legs, the newest first.

use std::sync::Arc;

use serde_json::{Value, json};

use super::App;
use super::list::{List, Of};
use crate::ask::{Ask, Cursor, Filter, Range, stage_ms, time_ms};
use crate::problem::Problem;
use crate::store::{Scope, Value as Given};

/// How far a leg may have come, and the condition on facts for it.
const STEPS: [(&str, &str); 5] = [
    ("sent", "sent_at IS NOT NULL"),
    ("accepted", "accepted_at IS NOT NULL"),
    ("received", "received_at IS NOT NULL"),
    ("reported", "(reported_at IS NOT NULL OR verdict IN ('reported', 'reported_late'))"),
    ("answered", "answered_at IS NOT NULL"),
];

/// The names of the steps.
pub(super) fn steps() -> Vec<&'static str> {
    STEPS.map(|(name, _)| name).to_vec()
}

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, filter, range) = (ask.scope()?, ask.filter(), ask.range()?);
    let list = list(&app, &ask, &scope, &filter, range);
    let limit = usize::try_from(ask.int("limit", 50)).unwrap_or(50);
    let page = list.page(ask.get("cursor").and_then(Cursor::read), limit).await?;
    Ok(json!({"items": page.items, "next_cursor": page.next.map(|cursor| cursor.text())}))
}

/// The list that is asked for.
pub(super) fn list<'a>(app: &'a App, ask: &Ask, scope: &'a Scope, filter: &'a Filter, range: Range) -> List<'a> {
    let mut conditions = String::new();
    let mut values = Vec::new();
    let mut add = |name: &str, condition: &str, value: Option<Given>| {
        if let Some(value) = value {
            conditions += " AND ";
            conditions += condition;
            values.push((name.to_owned(), value));
        }
    };
    let text = |name: &str| ask.get(name).map(|text| Given::Text(text.to_owned()));
    add("device", "device_id = {device:String}", text("device"));
    add("call_uuid", "call_uuid = {call_uuid:UUID}", text("call_uuid"));
    add("rejected_with", "push_reject_reason = {rejected_with:String}", text("rejected_with"));
    add("end_reason", "end_reason = {end_reason:String}", text("end_reason"));
    for (name, comparison) in [("slower_than", ">"), ("faster_than", "<=")] {
        if let Some((stage, ms)) = ask.get(name).and_then(stage_ms) {
            let condition = format!("{} {comparison} {{{name}:Int64}}", stage.column);
            add(name, &condition, Some(Given::Int(ms)));
        }
    }
    let since = ask.get("changed_since").and_then(|text| time_ms(text, ask.now)).map(Given::Int);
    add("changed_since", "updated_at >= fromUnixTimestamp64Milli({changed_since:Int64})", since);
    let step = |name: &str| STEPS.iter().find(|(step, _)| Some(*step) == ask.get(name)).map(|(_, condition)| condition);
    if let Some(condition) = step("stage_reached") {
        conditions += &format!(" AND {condition}");
    }
    if let Some(condition) = step("stage_missing") {
        conditions += &format!(" AND NOT ({condition})");
    }
    List { store: &app.store, scope, filter, range, conditions, leading: String::new(), values, of: Of::Legs }
}
