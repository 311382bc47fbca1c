//! `/calls`: calls, the newest first; a call matches when one of its legs does.

use std::sync::Arc;

use ringtrace_model::Uuid;
use serde_json::{Value, json};

use super::App;
use super::list::{Item, List, Of, item, shown};
use crate::ask::{Ask, Cursor, Filter, Range};
use crate::data::CALL_COLUMNS;
use crate::problem::Problem;
use crate::store::{Query, Scope, Value as Given};

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, filter, range) = (ask.scope()?, ask.filter(), ask.range()?);
    // A UUID is mostly a call's, of whatever time.
    if let Some(uuid) = ask.get("q").and_then(|q| Uuid::try_parse(q).ok()) {
        let found = named(&app, &scope, uuid).await?;
        if !found.is_empty() {
            return Ok(json!({"items": found, "next_cursor": null}));
        }
    }
    let list = list(&app, &ask, &scope, &filter, range);
    let limit = usize::try_from(ask.int("limit", 50)).unwrap_or(50);
    let page = list.page(ask.get("cursor").and_then(Cursor::read), limit).await?;
    Ok(json!({"items": page.items, "next_cursor": page.next.map(|cursor| cursor.text())}))
}

/// Calls with a UUID, one of each tenant.
pub(super) async fn named(app: &App, scope: &Scope, uuid: Uuid) -> Result<Vec<Item>, Problem> {
    // Events are kept by call: from them it is known where its row is.
    let text = format!(
        "SELECT {} FROM @calls_now AND call_uuid = {{uuid:UUID}} AND (tenant_id, first_seen) IN \
         (SELECT tenant_id, first_seen FROM @events_stored AND call_uuid = {{uuid:UUID}} )",
        shown(&CALL_COLUMNS)
    );
    let query = Query::new(scope, &text)?.with("uuid", Given::Text(uuid.hyphenated().to_string()));
    let rows: Vec<Vec<Value>> = app.store.rows(query).await?;
    Ok(rows.into_iter().map(|row| item(&CALL_COLUMNS, row)).collect())
}

/// The list that is asked for.
pub(super) fn list<'a>(app: &'a App, ask: &Ask, scope: &'a Scope, filter: &'a Filter, range: Range) -> List<'a> {
    let mut conditions = String::new();
    let mut values = Vec::new();
    if let Some(q) = ask.get("q") {
        conditions += " AND (device_id = {q:String} OR app_id = {q:String})";
        values.push(("q".to_owned(), Given::Text(q.to_owned())));
    }
    let mut leading = String::new();
    if let Some(outcome) = ask.get("call_outcome") {
        leading += " AND call_outcome = {call_outcome:String}";
        values.push(("call_outcome".to_owned(), Given::Text(outcome.to_owned())));
    }
    List { store: &app.store, scope, filter, range, conditions, leading, values, of: Of::Calls }
}
