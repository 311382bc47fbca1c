//! `/devices` and `/devices/{device_id}`.

mod suspicion;

use std::sync::Arc;

use ringtrace_model::DAY_MS;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::call::{Stored, raw};
use super::list::{List, Of};
use super::risk::of_device;
use super::statement::facts_in;
use crate::ask::{Ask, Cursor, Filter, Range};
use crate::problem::Problem;
use crate::store::{Query, Scope, Value as Given};

/// How long a strike counts, in milliseconds.
const STRIKES_MS: i64 = 7 * DAY_MS;

/// Device events that are shown.
const MOST_EVENTS: usize = 100;

/// Legs that are shown.
const MOST_LEGS: usize = 50;

/// A row of the list.
#[derive(Deserialize)]
struct Row {
    tenant_id: String,
    device_id: String,
    app_id: String,
    app_version: String,
    os_version: String,
    device_model: String,
    legs: i64,
    violations: i64,
    last_leg_at: i64,
    last_received_at: Option<i64>,
    silent: u8,
}

/// A device's place in the list: violations, the time of the newest one (of the newest leg, where there is none), tenant, device.
type Place = (i64, i64, String, String);

/// Width of the first window in which devices without violations are looked for, in milliseconds; each next one is several
/// times as wide.
const FIRST_WINDOW_MS: i64 = 30 * 60 * 1000;
const WINDOW_GROWTH: i64 = 8;

/// Answers with the list: devices with violations first, the others by their newest leg.
pub(crate) async fn list(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let range = ask.range()?;
    let after = ask.get("cursor").and_then(Cursor::read);
    let limit = usize::try_from(ask.int("limit", 50)).unwrap_or(50);
    let mut places: Vec<Place> = Vec::new();
    if after.as_ref().is_none_or(|cursor| cursor.first > 0) {
        places = app.store.rows(violating(&ask, range, after.as_ref(), limit + 1)?).await?;
    }
    if places.len() <= limit {
        let after = after.filter(|cursor| cursor.first == 0);
        let missing = limit + 1 - places.len();
        places.extend(others(&app, &ask, range, after.as_ref(), missing).await?);
    }
    let next = places.len() > limit;
    places.truncate(limit);
    let cursor = places.last().filter(|_| next).map(|(violations, at, tenant, device)| Cursor {
        first: *violations,
        second: *at,
        tenant: tenant.clone(),
        call: String::new(),
        device: device.clone(),
    });
    let items = items(&app, &ask, range, &places).await?;
    Ok(json!({"items": items, "next_cursor": cursor.map(|cursor| cursor.text())}))
}

/// What the legs of a list's devices have in common.
fn within(ask: &Ask) -> String {
    let filter = ask.filter();
    let begins = if ask.get("q").is_some() { "AND startsWith(device_id, {q:String})" } else { "" };
    format!("{} {} {} {begins} AND device_id != ''", facts_in(1), filter.of_role(), filter.conditions())
}

fn query(ask: &Ask, text: &str, range: Range, after: Option<&Cursor>, most: usize) -> Result<Query, Problem> {
    let query = Query::new(&ask.scope()?, text)?.with_all(&ask.filter().values());
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let query = query.with_ints([("from0", range.from), ("to0", range.to), ("most", most)]);
    let query = query.with("q", Given::Text(ask.get("q").unwrap_or_default().to_owned()));
    let Some(after) = after else { return Ok(query) };
    let query = query.with_ints([("after_first", after.first), ("after_second", after.second)]);
    let query = query.with("after_tenant", Given::Text(after.tenant.clone()));
    Ok(query.with("after_device", Given::Text(after.device.clone())))
}

/// Devices with violations behind a cursor, the most first.
fn violating(ask: &Ask, range: Range, after: Option<&Cursor>, most: usize) -> Result<Query, Problem> {
    let behind = match after {
        Some(_) => {
            "HAVING (-n, -at, t, d) > (-{after_first:Int64}, -{after_second:Int64}, {after_tenant:String}, {after_device:String})"
        }
        None => "",
    };
    let text = format!(
        "SELECT toInt64(count()) AS n, toUnixTimestamp64Milli(max(started_at)) AS at, toString(tenant_id) AS t, device_id AS d \
         FROM @violations {} GROUP BY t, d {behind} ORDER BY -n, -at, t, d LIMIT {{most:UInt64}}",
        within(ask)
    );
    query(ask, &text, range, after, most)
}

/// Devices without violations behind a cursor, those with the newest legs first. They are looked for in the newest legs of the
/// range, then in more of them.
async fn others(
    app: &App,
    ask: &Ask,
    range: Range,
    after: Option<&Cursor>,
    most: usize,
) -> Result<Vec<Place>, Problem> {
    let behind = match after {
        Some(_) => "HAVING (-at, t, d) > (-{after_second:Int64}, {after_tenant:String}, {after_device:String})",
        None => "",
    };
    let within = within(ask);
    let newest = after.map_or(range.to, |cursor| (cursor.second + 1).min(range.to));
    let mut width = FIRST_WINDOW_MS;
    loop {
        let from = (newest - width).max(range.from);
        // Whoever has violations in the range is above, with those of older legs as well.
        let text = format!(
            "SELECT toInt64(0), toUnixTimestamp64Milli(max(started_at)) AS at, toString(tenant_id) AS t, device_id AS d \
             FROM @facts {within} AND started_at >= fromUnixTimestamp64Milli({{newer:Int64}}) \
             AND bucket >= toDateTime(intDiv({{newer:Int64}}, 600000) * 600) \
             AND (tenant_id, device_id) NOT IN (SELECT tenant_id, device_id FROM @violations {within} ) \
             GROUP BY t, d {behind} ORDER BY -at, t, d LIMIT {{most:UInt64}}"
        );
        let asked = query(ask, &text, range, after, most)?.with_ints([("newer", from)]);
        let found: Vec<Place> = app.store.rows(asked).await?;
        if found.len() >= most || from == range.from {
            return Ok(found);
        }
        width = width.saturating_mul(WINDOW_GROWTH);
    }
}

/// What is known of devices, in their order.
async fn items(app: &App, ask: &Ask, range: Range, places: &[Place]) -> Result<Vec<Value>, Problem> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let latest = |column: &str| format!("argMaxIf(toString({column}), started_at, {column} != '')");
    let text = format!(
        "SELECT toString(tenant_id) AS t, device_id AS d, {}, {}, {}, {}, toInt64(count()) AS legs, \
         toInt64(countIf(verdict = 'unreported')) AS violations, toUnixTimestamp64Milli(max(started_at)), \
         toUnixTimestamp64Milli(max(received_at)), \
         violations > 0 AND countIf(verdict = 'no_receipt') >= 2 \
         AND maxIf(started_at, verdict = 'no_receipt') > ifNull(max(received_at), toDateTime64(0, 3)) \
         FROM @facts {} AND device_id IN {{devices:Array(String)}} \
         AND (toString(tenant_id), device_id) IN {{places:Array(Tuple(String, String))}} GROUP BY t, d",
        latest("app_id"),
        latest("app_version"),
        latest("os_version"),
        latest("device_model"),
        within(ask),
    );
    let pairs = places.iter().map(|(_, _, tenant, device)| (tenant.clone(), device.clone())).collect();
    let asked = query(ask, &text, range, None, places.len())?.with("places", Given::Pairs(pairs));
    // The index of devices knows the single column.
    let devices = places.iter().map(|(_, _, _, device)| device.clone()).collect();
    let rows: Vec<Row> = app.store.rows(asked.with("devices", Given::Texts(devices))).await?;
    let of = |(_, _, tenant, device): &Place| {
        rows.iter().find(|row| row.tenant_id == *tenant && row.device_id == *device).map(shown)
    };
    Ok(places.iter().filter_map(of).collect())
}

fn shown(row: &Row) -> Value {
    let text = |text: &String| if text.is_empty() { Value::Null } else { text.as_str().into() };
    json!({
        "tenant_id": row.tenant_id,
        "device_id": row.device_id,
        "app_id": row.app_id,
        "app_version": text(&row.app_version),
        "os_version": text(&row.os_version),
        "device_model": text(&row.device_model),
        "legs": row.legs,
        "violations": row.violations,
        "last_leg_at": row.last_leg_at,
        "last_received_at": row.last_received_at,
        "suspected": if row.silent == 1 { "silent" } else { "none" },
    })
}

/// Answers with one device.
pub(crate) async fn one(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, filter, device) = (ask.scope()?, ask.filter(), ask.segment.as_str());
    let tenant = tenant(&app, &scope, device, ask.now).await?;
    let tenant = tenant.ok_or_else(|| Problem::not_found(format!("nothing of device {device:?} is stored")))?;
    let scope = Scope::of(scope.tenants(), std::slice::from_ref(&tenant))?;
    // Clocks of devices may be ahead a little.
    let range = Range { from: ask.now - 31 * DAY_MS, to: ask.now + 3_600_000 };
    let (legs, events, strikes, risk) = tokio::try_join!(
        legs(&app, &scope, &filter, device, range),
        events(&app, &scope, device),
        suspicion::strikes(&app.store, &scope, device, ask.now - STRIKES_MS),
        of_device(&app, &scope, device)
    )?;
    let of_kind = |kind: &str| events.iter().find(|event| event.kind == kind).map(brief);
    let tokens = events.iter().filter_map(|event| {
        let kind = event.kind.strip_prefix("token.")?;
        Some(json!({"kind": kind, "at": event.corrected_at(), "attributes": event.attributes()}))
    });
    let dims = ["app_id", "app_version", "platform", "os_version", "device_model", "country", "carrier"];
    let mut apps: Vec<Value> = Vec::new();
    for leg in &legs {
        if !apps.iter().any(|app| app.get("app_id") == leg.get("app_id")) {
            apps.push(
                dims.iter().map(|name| ((*name).to_owned(), leg.get(*name).cloned().unwrap_or_default())).collect(),
            );
        }
    }
    Ok(json!({
        "tenant_id": tenant,
        "device_id": device,
        "apps": apps,
        "tokens": tokens.collect::<Vec<_>>(),
        "call_directory": of_kind("call_directory.status"),
        "permissions": of_kind("permission.snapshot"),
        "strikes": strikes.iter().map(suspicion::Strike::json).collect::<Vec<_>>(),
        "suspicion": suspicion::judge(&strikes, &legs),
        "risk": risk,
        "events": events.iter().map(|event| raw(event, None)).collect::<Vec<_>>(),
        "legs": legs,
    }))
}

fn brief(event: &Stored) -> Value {
    json!({"at": event.corrected_at(), "attributes": event.attributes()})
}

/// The first tenant of the scope that knows a device.
async fn tenant(app: &App, scope: &Scope, device: &str, now: i64) -> Result<Option<String>, Problem> {
    let of_events =
        "SELECT toString(min(tenant_id)) FROM @device_events_stored AND device = {device:String} HAVING count() > 0";
    let query = Query::new(scope, of_events)?.with("device", Given::Text(device.to_owned()));
    if let Some((tenant,)) = app.store.row::<(String,)>(query).await? {
        return Ok(Some(tenant));
    }
    let of_legs = format!(
        "SELECT toString(min(tenant_id)) FROM @facts {} AND device_id = {{device:String}} HAVING count() > 0",
        facts_in(1)
    );
    let query = Query::new(scope, &of_legs)?.with("device", Given::Text(device.to_owned()));
    let query = query.with_ints([("from0", now - 31 * DAY_MS), ("to0", now + DAY_MS)]);
    Ok(app.store.row::<(String,)>(query).await?.map(|row| row.0))
}

async fn legs(
    app: &App,
    scope: &Scope,
    filter: &Filter,
    device: &str,
    range: Range,
) -> Result<Vec<super::list::Item>, Problem> {
    let list = List {
        store: &app.store,
        scope,
        filter,
        range,
        conditions: " AND device_id = {device:String}".to_owned(),
        leading: String::new(),
        values: vec![("device".to_owned(), Given::Text(device.to_owned()))],
        of: Of::Legs,
    };
    Ok(list.page(None, MOST_LEGS).await?.items)
}

/// The newest events of a device, the newest first.
async fn events(app: &App, scope: &Scope, device: &str) -> Result<Vec<Stored>, Problem> {
    let text = format!(
        "SELECT event_id, kind, nullIf(device, ''), toUnixTimestamp64Milli(occurred_at), clock_offset_ms, \
         toUnixTimestamp64Milli(log_at), source, attributes FROM @device_events_stored AND device = {{device:String}} \
         ORDER BY occurred_at DESC LIMIT 1 BY event_id, contents LIMIT {MOST_EVENTS}"
    );
    app.store.rows(Query::new(scope, &text)?.with("device", Given::Text(device.to_owned()))).await
}
