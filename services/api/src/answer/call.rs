//! `/calls/{call_uuid}`: one call with its whole history, folded from its events by the model, as `ringtrace explain` does it.

mod event;

use std::collections::HashMap;
use std::sync::Arc;

use ringtrace_kit::clock::wall_ms;
use ringtrace_kit::kafka::partition_of;
use ringtrace_linker::PastEvent;
use ringtrace_model::{Call, CallKey, Diagnosis, Evaluation, LegRow, Uuid};
use serde_json::{Map, Value, json};

use super::App;
use super::definitions::advice;
use crate::ask::Ask;
use crate::data::{CALL_COLUMNS, Column, LEG_COLUMNS};
use crate::problem::Problem;
use crate::store::{Query, Scope, Value as Given};
pub(super) use event::{Stored, raw};

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let uuid = Uuid::try_parse(&ask.segment).map_err(|_| Problem::not_found("a call is named by its UUID"))?;
    let scope = ask.scope()?;
    let mut tenants = tenants(&app, &scope, uuid).await?.into_iter();
    let tenant = tenants.next().ok_or_else(|| Problem::not_found(format!("no events of call {uuid} are stored")))?;
    let key = CallKey { tenant_id: tenant.as_str().into(), call_uuid: uuid };
    // The tenant was found within the scope; from here on only it is asked for.
    let scope = Scope::of(scope.tenants(), std::slice::from_ref(&tenant))?;
    let (events, stored, slots, changed) = tokio::try_join!(
        app.store.events(&scope, &key),
        stored_events(&app, &scope, uuid),
        clocks(&app, &scope),
        changes(&app, &scope, uuid)
    )?;
    let mut call = Call::default();
    for past in &events {
        // A row that is no valid event is left out, as the linker does it.
        if let Ok(event) = past.event.event() {
            call.apply(&event, past.log_at);
        }
    }
    let slot = partition_of(uuid.hyphenated().to_string().as_bytes(), i32::try_from(slots.len()).unwrap_or(1));
    let now = usize::try_from(slot).ok().and_then(|slot| slots.get(slot).copied()).unwrap_or_else(wall_ms);
    let evaluation = call.evaluate(&key, &app.rules, now);
    let Some(evaluation) = evaluation else {
        return Err(Problem::not_found(format!("call {uuid} has only events that make no call and no leg")));
    };
    let legs: Vec<Value> = evaluation.legs.iter().map(|leg| leg_detail(leg, &events, &changed)).collect();
    let other: Vec<String> = tenants.collect();
    Ok(json!({
        "call": row(&CALL_COLUMNS, &evaluation.call, changed.get("").copied()),
        "legs": legs,
        "events": raw_events(stored, &evaluation),
        "judged_at": now,
        "next_change_at": evaluation.next_change_at,
        "own_events_are_folded": true,
        "other_tenants": other,
    }))
}

/// Tenants of the scope that have events of a call, in order.
async fn tenants(app: &App, scope: &Scope, uuid: Uuid) -> Result<Vec<String>, Problem> {
    let text =
        "SELECT DISTINCT toString(tenant_id) AS t FROM @events_stored AND call_uuid = {uuid:UUID} ORDER BY t LIMIT 100";
    let query = Query::new(scope, text)?.with("uuid", Given::Text(uuid.hyphenated().to_string()));
    Ok(app.store.rows::<(String,)>(query).await?.into_iter().map(|row| row.0).collect())
}

/// The events of a call as they are shown; repeated ones once.
async fn stored_events(app: &App, scope: &Scope, uuid: Uuid) -> Result<Vec<Stored>, Problem> {
    let text = format!(
        "SELECT {} FROM @events_stored AND call_uuid = {{uuid:UUID}} ORDER BY log_at LIMIT 1 BY event_id, contents LIMIT 20000",
        event::COLUMNS
    );
    app.store.rows(Query::new(scope, &text)?.with("uuid", Given::Text(uuid.hyphenated().to_string()))).await
}

/// The log clocks of the slots, by slot.
async fn clocks(app: &App, scope: &Scope) -> Result<Vec<i64>, Problem> {
    let text = "SELECT toUnixTimestamp64Milli(log_clock) FROM @slots ORDER BY slot";
    Ok(app.store.rows::<(i64,)>(Query::new(scope, text)?).await?.into_iter().map(|row| row.0).collect())
}

/// When the rows of a call changed, by device; the call's own under the empty one.
async fn changes(app: &App, scope: &Scope, uuid: Uuid) -> Result<HashMap<String, i64>, Problem> {
    let place = "AND call_uuid = {uuid:UUID} AND first_seen IN \
                 (SELECT first_seen FROM @events_stored AND call_uuid = {uuid:UUID} )";
    let text = format!(
        "SELECT device_id, toUnixTimestamp64Milli(updated_at) FROM @legs_now {place} UNION ALL \
         SELECT '', toUnixTimestamp64Milli(updated_at) FROM @calls_now {place}"
    );
    let query = Query::new(scope, &text)?.with("uuid", Given::Text(uuid.hyphenated().to_string()));
    Ok(app.store.rows::<(String, i64)>(query).await?.into_iter().collect())
}

/// A row of the fold with the columns of its table.
fn row(columns: &[Column], folded: &impl serde::Serialize, updated_at: Option<i64>) -> Map<String, Value> {
    let folded = serde_json::to_value(folded).unwrap_or_default();
    let value = |column: &Column| match column.name {
        "updated_at" => json!(updated_at),
        name => folded.get(name).cloned().unwrap_or_default(),
    };
    columns.iter().map(|column| (column.name.to_owned(), value(column))).collect()
}

fn leg_detail(leg: &LegRow<'_>, events: &[PastEvent], changed: &HashMap<String, i64>) -> Value {
    let mut detail = row(&LEG_COLUMNS, leg, changed.get(leg.device_id).copied());
    let decision = &leg.decision;
    let own = events.iter().filter(|past| past.event.device_id.as_deref() == Some(leg.device_id));
    let offsets = || own.clone().filter(|past| !is_server(&past.event.kind));
    let latest = offsets().max_by_key(|past| past.event.occurred_at).map(|past| past.event.clock_offset_ms);
    let all = || offsets().map(|past| past.event.clock_offset_ms);
    let spread = all().max().zip(all().min()).map(|(most, least)| most - least);
    let advice: Vec<Value> = leg.diagnoses.iter().map(|diagnosis: Diagnosis| advice(diagnosis)).collect();
    detail.insert(
        "decision".to_owned(),
        json!({"line": decision.line, "reason": decision.reason(), "until": decision.until}),
    );
    detail.insert("advice".to_owned(), advice.into());
    detail.insert("clock".to_owned(), json!({"offset_ms": latest, "spread_ms": spread}));
    detail.into()
}

/// Kinds of the push gateway and the signalling server, whatever device they are about (contract section 3).
fn is_server(kind: &str) -> bool {
    matches!(
        kind,
        "push.sent"
            | "push.accepted"
            | "push.rejected"
            | "push.failed"
            | "push.suppressed"
            | "call.initiated"
            | "call.connected"
            | "call.cancelled"
            | "call.busy"
    )
}

/// Events in order of corrected time; each milestone is marked on the first event that it was taken from.
fn raw_events(stored: Vec<Stored>, evaluation: &Evaluation<'_>) -> Vec<Value> {
    let mut events: Vec<Stored> = stored;
    events.sort_by(|a, b| (a.corrected_at(), &a.event_id).cmp(&(b.corrected_at(), &b.event_id)));
    let mut taken = std::collections::HashSet::new();
    let mut shown = Vec::with_capacity(events.len());
    for event in &events {
        let milestone =
            event::milestone(event, evaluation).filter(|name| taken.insert((*name, event.device_id.clone())));
        shown.push(raw(event, milestone));
    }
    shown
}
