//! Lists of legs and calls: keys from the facts, newest first and a window of time after the other, then the rows themselves.
//!
//! The facts are some seconds behind the rows, so that a page is a consistent cut of the past: a row that arrives later is in
//! no page twice, and a cursor goes on exactly behind the last one.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::statement::facts_in;
use crate::ask::{Cursor, Filter, Range};
use crate::data::Column;
use crate::problem::Problem;
use crate::store::{Query, Scope, Store, Value as Given};

/// Width of the first window, in milliseconds; each next one is several times as wide.
const FIRST_WINDOW_MS: i64 = 30 * 60 * 1000;
const WINDOW_GROWTH: i64 = 6;

/// A row's place and key: time, tenant, call, device, and the slice that the call was first seen in.
type Place = (i64, String, String, String, String);

/// A row by the names of its columns.
pub(crate) type Item = Map<String, Value>;

/// What is listed.
pub(crate) struct List<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a Scope,
    pub(crate) filter: &'a Filter,
    pub(crate) range: Range,
    /// More conditions on facts, each with a leading `AND`.
    pub(crate) conditions: String,
    /// More conditions on the leading row of a call, each with a leading `AND`.
    pub(crate) leading: String,
    /// Their values.
    pub(crate) values: Vec<(String, Given)>,
    pub(crate) of: Of,
}

/// Of what the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Legs,
    Calls,
}

/// A page, and where the next one begins.
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    pub(crate) next: Option<Cursor>,
}

impl List<'_> {
    /// The page behind a cursor.
    ///
    /// # Errors
    /// As [`Store::rows`].
    pub(crate) async fn page(&self, after: Option<Cursor>, limit: usize) -> Result<Page, Problem> {
        let mut places: Vec<Place> = Vec::new();
        let mut after = after;
        let mut to = after.as_ref().map_or(self.range.to, |cursor| (cursor.first + 1).min(self.range.to));
        let mut width = FIRST_WINDOW_MS;
        while places.len() <= limit && to > self.range.from {
            let window = Range { from: (to - width).max(self.range.from), to };
            let missing = limit + 1 - places.len();
            let found: Vec<Place> = self.store.rows(self.keys(window, after.as_ref(), missing)?).await?;
            // The cursor's own moment is in the first window alone.
            after = None;
            places.extend(found);
            to = window.from;
            width = width.saturating_mul(WINDOW_GROWTH);
        }
        let more = places.len() > limit;
        places.truncate(limit);
        let next = places.last().filter(|_| more).map(|(time, tenant, call, device, _)| Cursor {
            first: *time,
            second: 0,
            tenant: tenant.clone(),
            call: call.clone(),
            device: device.clone(),
        });
        Ok(Page { items: self.items(&places).await?, next })
    }

    fn keys(&self, window: Range, after: Option<&Cursor>, limit: usize) -> Result<Query, Problem> {
        let behind = match after {
            Some(_) => {
                "AND (toUnixTimestamp64Milli(started_at), toString(tenant_id), call_uuid, device_id) \
                 < ({after_time:Int64}, {after_tenant:String}, {after_call:UUID}, {after_device:String})"
            }
            None => "",
        };
        let text = format!(
            "SELECT toUnixTimestamp64Milli(started_at), tenant_id, toString(call_uuid), device_id, toString(first_seen) \
             FROM @facts {} {behind} {} ORDER BY started_at DESC, toString(tenant_id) DESC, call_uuid DESC, device_id DESC \
             LIMIT {{most:UInt64}}",
            facts_in(1),
            self.wanted(),
        );
        let query = Query::new(self.scope, &text)?.with_all(&self.filter.values()).with_all(&self.values);
        let query = query.with_ints([
            ("from0", window.from),
            ("to0", window.to),
            ("near_from", window.from - NEAR_MS),
            ("near_to", window.to + NEAR_MS),
            ("most", i64::try_from(limit).unwrap_or(i64::MAX)),
        ]);
        let Some(after) = after else { return Ok(query) };
        let query = query.with_ints([("after_time", after.first)]);
        let query = query.with("after_tenant", Given::Text(after.tenant.clone()));
        let query = query.with("after_call", Given::Text(after.call.clone()));
        Ok(query.with("after_device", Given::Text(after.device.clone())))
    }

    /// Which facts are wanted: legs that match, or leading rows of calls of which a leg does.
    fn wanted(&self) -> String {
        let (role, filter) = (self.filter.of_role(), self.filter.conditions());
        let (more, leading) = (&self.conditions, &self.leading);
        match self.of {
            Of::Legs => format!("{role} {filter} {more}"),
            Of::Calls if self.filter.is_empty() && more.is_empty() && role.contains("callee") => {
                format!("AND leads_call = 1 {leading}")
            }
            Of::Calls => format!(
                "AND leads_call = 1 {leading} AND (tenant_id, call_uuid) IN (SELECT tenant_id, call_uuid FROM @facts {NEAR} {role} {filter} {more} )"
            ),
        }
    }

    /// The rows at places, in the same order; those that are gone are left out.
    async fn items(&self, places: &[Place]) -> Result<Vec<Item>, Problem> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = rows(self.store, self.scope, self.of, places).await?;
        let key = |(_, tenant, call, device, _): &Place| match self.of {
            Of::Legs => (tenant.clone(), call.clone(), device.clone()),
            Of::Calls => (tenant.clone(), call.clone(), String::new()),
        };
        Ok(places.iter().filter_map(|place| found.remove(&key(place))).collect())
    }
}

/// Legs of a call start near each other, within so many milliseconds.
const NEAR_MS: i64 = 6 * 3_600_000;

/// Facts near a window.
const NEAR: &str =
    "AND bucket >= toDateTime(intDiv({near_from:Int64}, 1000)) AND bucket < toDateTime(intDiv({near_to:Int64}, 1000))";

type Key = (String, String, String);

async fn rows(store: &Store, scope: &Scope, of: Of, places: &[Place]) -> Result<HashMap<Key, Item>, Problem> {
    let columns: &'static [Column] = of.columns();
    let (table, condition, keys) = match of {
        Of::Legs => {
            let key =
                |(_, tenant, call, device, seen): &Place| (tenant.clone(), seen.clone(), call.clone(), device.clone());
            let keys = Given::Keys(places.iter().map(key).collect());
            let kind = "{places:Array(Tuple(String, DateTime('UTC'), UUID, String))}";
            ("@legs_now", format!("(tenant_id, first_seen, call_uuid, device_id) IN {kind}"), keys)
        }
        Of::Calls => {
            let key = |(_, tenant, call, _, seen): &Place| (tenant.clone(), seen.clone(), call.clone());
            let keys = Given::CallKeys(places.iter().map(key).collect());
            let kind = "{places:Array(Tuple(String, DateTime('UTC'), UUID))}";
            ("@calls_now", format!("(tenant_id, first_seen, call_uuid) IN {kind}"), keys)
        }
    };
    let text = format!("SELECT {} FROM {table} AND {condition}", shown(columns));
    let rows: Vec<Vec<Value>> = store.rows(Query::new(scope, &text)?.with("places", keys)).await?;
    let keyed = rows.into_iter().map(|row| item(columns, row)).map(|item| (key_of(&item), item));
    Ok(keyed.collect())
}

/// The columns of rows, as a statement selects them.
pub(crate) fn shown(columns: &[Column]) -> String {
    columns.iter().map(Column::shown).collect::<Vec<_>>().join(", ")
}

/// A row by the names of its columns.
pub(crate) fn item(columns: &'static [Column], row: Vec<Value>) -> Item {
    columns.iter().map(|column| column.name.to_owned()).zip(row).collect()
}

fn key_of(item: &Item) -> Key {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("tenant_id"), text("call_uuid"), text("device_id"))
}

impl Of {
    /// The columns of the rows.
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Of::Legs => &crate::data::LEG_COLUMNS,
            Of::Calls => &crate::data::CALL_COLUMNS,
        }
    }
}
