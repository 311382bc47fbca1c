//! `/risk/devices`: devices that have strikes, the worst first; and the risk of one device.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{alerter, only, rank};
use crate::answer::App;
use crate::ask::{Ask, Cursor};
use crate::problem::Problem;
use crate::store::{Query, Scope, Value as Given};

/// The level of an app on a device.
#[derive(Deserialize)]
struct Row {
    rank: i64,
    tenant_id: String,
    app_id: String,
    device_id: String,
    level: String,
    since: i64,
    strikes: u32,
    last_strike_at: Option<i64>,
    silent: u32,
    silent_since: Option<i64>,
    suspected_at: Option<i64>,
    call_uuid: String,
    reason: String,
    log_clock: i64,
}

/// Columns of a [`Row`].
fn columns() -> String {
    let time = |name: &str| format!("toUnixTimestamp64Milli({name})");
    format!(
        "toInt64({}) AS r, tenant_id, app_id, device_id, level, {} AS s, strikes, {}, silent, {}, {}, call_uuid, reason, {}",
        rank(),
        time("since"),
        time("last_strike_at"),
        time("silent_since"),
        time("suspected_at"),
        time("log_clock")
    )
}

/// Answers with the list: the worst level first, in it what was entered last.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, limit) = (ask.scope()?, ask.int("limit", 50));
    let after = ask.get("cursor").and_then(Cursor::read);
    let begins = if ask.get("q").is_some() { " AND startsWith(device_id, {q:String})" } else { "" };
    let of = only("app_id", "app", &ask.all("app")) + begins;
    let levels = match ask.all("level") {
        none if none.is_empty() => " AND level != 'ok'".to_owned(),
        wanted => only("level", "level", &wanted),
    };
    let behind = match &after {
        Some(_) => {
            " AND (-r, -s, toString(tenant_id), toString(app_id), device_id) > (-{after_rank:Int64}, -{after_since:Int64}, \
             {after_tenant:String}, {after_app:String}, {after_device:String})"
        }
        None => "",
    };
    let page = format!(
        "SELECT {} FROM @device_risk {of} {levels} {behind} \
         ORDER BY -r, -s, toString(tenant_id), toString(app_id), device_id LIMIT {{most:UInt64}}",
        columns()
    );
    let counted = format!("SELECT level, count() FROM @device_risk {of} GROUP BY level");
    let query = |text: &str| -> Result<Query, Problem> {
        let query = Query::new(&scope, text)?.with_ints([("most", limit + 1)]);
        let query = ["app", "level"].iter().fold(query, |query, name| query.with(name, Given::Texts(ask.all(name))));
        let query = query.with("q", Given::Text(ask.get("q").unwrap_or_default().to_owned()));
        Ok(match &after {
            Some(after) => query
                .with_ints([("after_rank", after.first), ("after_since", after.second)])
                .with("after_tenant", Given::Text(after.tenant.clone()))
                .with("after_app", Given::Text(after.call.clone()))
                .with("after_device", Given::Text(after.device.clone())),
            None => query,
        })
    };
    let (mut rows, counted, looked) = tokio::try_join!(
        app.store.rows::<Row>(query(&page)?),
        app.store.rows::<(String, u64)>(query(&counted)?),
        alerter(&app, &scope)
    )?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(place);
    let count = |level: &str| counted.iter().find(|(of, _)| of == level).map_or(0, |(_, count)| *count);
    let levels = super::device_levels().into_iter().map(|level| json!({"level": level, "devices": count(level)}));
    Ok(json!({
        "levels": levels.collect::<Vec<_>>(),
        "items": rows.iter().map(shown).collect::<Vec<_>>(),
        "next_cursor": next.map(|cursor| cursor.text()),
        "alerter": looked,
    }))
}

fn place(row: &Row) -> Cursor {
    Cursor {
        first: row.rank,
        second: row.since,
        tenant: row.tenant_id.clone(),
        call: row.app_id.clone(),
        device: row.device_id.clone(),
    }
}

/// The stored risk of each app on a device, the worst first; empty where it never had a strike.
///
/// # Errors
/// As [`crate::store::Store::rows`].
pub(crate) async fn of_device(app: &App, scope: &Scope, device: &str) -> Result<Vec<Value>, Problem> {
    let text = format!(
        "SELECT {} FROM @device_risk_stored AND device_id = {{device:String}} \
         ORDER BY version DESC LIMIT 1 BY tenant_id, app_id",
        columns()
    );
    let query = Query::new(scope, &text)?.with("device", Given::Text(device.to_owned()));
    let mut rows: Vec<Row> = app.store.rows(query).await?;
    rows.sort_by_key(|row| std::cmp::Reverse((row.rank, row.since)));
    Ok(rows.iter().map(shown).collect())
}

fn shown(row: &Row) -> Value {
    json!({
        "tenant_id": row.tenant_id,
        "app_id": row.app_id,
        "device_id": row.device_id,
        "level": row.level,
        "since": row.since,
        "strikes": row.strikes,
        "last_strike_at": row.last_strike_at,
        "silent": row.silent,
        "silent_since": row.silent_since,
        "suspected_at": row.suspected_at,
        "call_uuid": if row.call_uuid.is_empty() { Value::Null } else { row.call_uuid.as_str().into() },
        "reason": row.reason,
        "log_clock": row.log_clock,
    })
}
