//! Looking up what ClickHouse knows of calls that are not in memory.

use std::collections::BTreeSet;

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use compact_str::CompactString;
use hashbrown::{HashMap, HashSet};
use ringtrace_model::{Call, CallKey, Dimension, Evidence, StoredEvent, Uuid, Verdict};
use serde::Deserialize;

use crate::slot::{History, PastEvent, slice_of};
use crate::state::Published;

/// How many calls one query asks for: with 37 bytes for each it stays well under ClickHouse's `max_query_size` of 256 KiB.
const CALLS_PER_QUERY: usize = 5_000;

/// How many places of rows one query asks for, with tenant and time.
const PLACES_PER_QUERY: usize = 1_500;

// Many UUIDs are one text, which ClickHouse splits: as a list of tuples with the tenant they cost it five times as much to parse and
// to look up (1,500 calls: 94 ms of CPU, and 20 ms so). Calls of the same UUID and another tenant that is asked for come along, and
// are left out here.
// An alias in these queries must not be the name of a column: it would stand in its place in WHERE, and no index would serve.

const EVENTS_OF_CALLS: &str = "
    SELECT tenant_id, toString(call_uuid) AS uuid, event_id, contents, kind,
        toUnixTimestamp64Milli(occurred_at) AS occurred_at, app_id, device_id, platform, os_version, app_version,
        sdk_version, device_model, country, carrier, network, build_channel, clock_offset_ms, mono_ms, boot_id, attributes,
        toUnixTimestamp64Milli(log_at) AS logged, toUnixTimestamp(first_seen) AS seen
    FROM events_rows WHERE tenant_id IN ? AND call_uuid IN (SELECT toUUID(arrayJoin(splitByChar(',', ?))))";

const VERDICTS_OF_CALLS: &str = "
    SELECT tenant_id, toString(call_uuid) AS uuid, device_id, verdict, evidence
    FROM legs_rows FINAL WHERE (tenant_id, first_seen, call_uuid) IN ?
    SETTINGS do_not_merge_across_partitions_select_final = 1";

const PLACES_OF_CALLS: &str = "
    SELECT tenant_id, toString(call_uuid) AS uuid, toUnixTimestamp(first_seen) AS seen
    FROM calls_rows FINAL WHERE (tenant_id, first_seen, call_uuid) IN ?
    SETTINGS do_not_merge_across_partitions_select_final = 1";

const PLACES_SINCE: &str = "
    SELECT tenant_id, toString(call_uuid) AS uuid, toUnixTimestamp(first_seen) AS seen
    FROM calls_rows FINAL WHERE first_seen >= toDateTime(?) AND tenant_id IN ?
        AND call_uuid IN (SELECT toUUID(arrayJoin(splitByChar(',', ?))))
    SETTINGS do_not_merge_across_partitions_select_final = 1";

const FIRST_LOGGED: &str = "
    SELECT tenant_id, toString(call_uuid) AS uuid, toUnixTimestamp64Milli(min(log_at)) AS first_logged
    FROM events_rows WHERE tenant_id IN ? AND call_uuid IN (SELECT toUUID(arrayJoin(splitByChar(',', ?))))
        AND toDate(log_at) IN ? AND first_seen != toDateTime(0)
    GROUP BY tenant_id, call_uuid";

/// To look for a UUID in `events` is to read a block of every part of every day that is kept, so it is looked for here first.
const CALL_INDEX: &str = "
    SELECT call_high, toUnixTimestamp(min(first_logged)) AS since, toUnixTimestamp(max(last_logged)) AS until
    FROM call_index_rows WHERE call_high IN (SELECT toUInt64(arrayJoin(splitByChar(',', ?)))) GROUP BY call_high";

#[derive(Row, Deserialize)]
struct EventRow {
    tenant_id: String,
    uuid: String,
    event_id: String,
    contents: u64,
    kind: String,
    occurred_at: i64,
    app_id: String,
    device_id: Option<String>,
    platform: Option<String>,
    os_version: Option<String>,
    app_version: Option<String>,
    sdk_version: Option<String>,
    device_model: Option<String>,
    country: Option<String>,
    carrier: Option<String>,
    network: Option<String>,
    build_channel: Option<String>,
    clock_offset_ms: i64,
    mono_ms: Option<i64>,
    boot_id: Option<String>,
    attributes: String,
    logged: i64,
    seen: u32,
}

#[derive(Row, Deserialize)]
struct VerdictRow {
    tenant_id: String,
    uuid: String,
    device_id: String,
    verdict: String,
    evidence: Option<String>,
}

#[derive(Row, Deserialize)]
struct PlaceRow {
    tenant_id: String,
    uuid: String,
    seen: u32,
}

#[derive(Row, Deserialize)]
struct FirstRow {
    tenant_id: String,
    uuid: String,
    first_logged: i64,
}

/// When the first and the last event of the calls were logged whose UUIDs begin so, in seconds since the Unix epoch.
#[derive(Row, Deserialize)]
struct IndexRow {
    call_high: u64,
    since: u32,
    until: u32,
}

impl IndexRow {
    /// The days of `events` that have them, counted from the Unix epoch.
    fn days(&self) -> impl Iterator<Item = u32> + use<> {
        self.since / DAY_SECONDS..=self.until / DAY_SECONDS
    }
}

const DAY_SECONDS: u32 = 86_400;

impl EventRow {
    fn into_past(self) -> (CallKey, PastEvent) {
        let dimensions: [Option<String>; Dimension::TEXTS] = [
            self.os_version,
            self.app_version,
            self.sdk_version,
            self.device_model,
            self.country,
            self.carrier,
            self.network,
            self.build_channel,
        ];
        let key = key_of(&self.tenant_id, &self.uuid);
        let event = StoredEvent {
            event_id: self.event_id,
            kind: self.kind,
            occurred_at: self.occurred_at,
            app_id: self.app_id,
            call_uuid: key.call_uuid,
            device_id: self.device_id,
            tenant_id: self.tenant_id,
            platform: self.platform,
            dimensions,
            clock_offset_ms: self.clock_offset_ms,
            mono_ms: self.mono_ms,
            boot_id: self.boot_id,
            attributes: self.attributes,
            contents: self.contents,
        };
        (key, PastEvent { event, log_at: self.logged, first_seen: self.seen })
    }
}

fn key_of(tenant_id: &str, call_uuid: &str) -> CallKey {
    // ClickHouse prints a UUID that it holds.
    CallKey { tenant_id: tenant_id.into(), call_uuid: Uuid::try_parse(call_uuid).unwrap_or_default() }
}

/// Calls as their history folds; those of which no events are stored are left out.
///
/// # Errors
/// As the ClickHouse client's.
pub async fn folded(client: &Client, keys: &[CallKey]) -> Result<Vec<(CallKey, Call)>, clickhouse::error::Error> {
    let mut calls = HashMap::<CallKey, Call>::new();
    for keys in keys.chunks(CALLS_PER_QUERY) {
        let asked_for: HashSet<&CallKey> = keys.iter().collect();
        let mut events = ask_of(client.query(EVENTS_OF_CALLS), keys).fetch::<EventRow>()?;
        while let Some(row) = events.next().await? {
            let (key, past) = row.into_past();
            if !asked_for.contains(&key) {
                continue;
            }
            // A row that is no valid event is left out, as the linker does it.
            if let Ok(event) = past.event.event() {
                calls.entry(key).or_default().apply(&event, past.log_at);
            }
        }
    }
    Ok(calls.into_iter().filter(|(_, call)| !call.is_empty()).collect())
}

/// The stored events of a call, each once: of repeated ones the one that was logged first.
///
/// # Errors
/// As the ClickHouse client's.
pub async fn events_of(client: &Client, key: &CallKey) -> Result<Vec<PastEvent>, clickhouse::error::Error> {
    let mut events = ask_of(client.query(EVENTS_OF_CALLS), std::slice::from_ref(key)).fetch::<EventRow>()?;
    let mut first: HashMap<(String, u64), PastEvent> = HashMap::new();
    while let Some(row) = events.next().await? {
        let (_, past) = row.into_past();
        let held = first.entry((past.event.event_id.clone(), past.event.contents)).or_insert_with(|| past.clone());
        if past.log_at < held.log_at {
            *held = past;
        }
    }
    Ok(first.into_values().collect())
}

/// What ClickHouse knows of calls: events, the verdicts that were published, where their rows are. Others are left out.
///
/// # Errors
/// As the ClickHouse client's; nothing is known then.
pub(crate) async fn fetch(
    client: &Client,
    keys: &[CallKey],
) -> Result<HashMap<CallKey, History>, clickhouse::error::Error> {
    let mut histories: HashMap<CallKey, History> = HashMap::new();
    let of_days = format!("{EVENTS_OF_CALLS} AND toDate(log_at) IN ?");
    for keys in keys.chunks(CALLS_PER_QUERY) {
        let (keys, days) = indexed(client, keys.iter().map(|key| (key, i64::MAX))).await?;
        if keys.is_empty() {
            continue;
        }
        let mut found: HashMap<CallKey, History> = HashMap::new();
        let mut events = ask_of(client.query(&of_days), &keys).bind(&days).fetch::<EventRow>()?;
        while let Some(row) = events.next().await? {
            let (key, past) = row.into_past();
            found.entry(key).or_default().events.push(past);
        }
        let asked_for: HashSet<&CallKey> = keys.iter().collect();
        found.retain(|key, _| asked_for.contains(key));
        find_rows(client, &keys, &mut found).await?;
        let places: Vec<(&str, u32, String)> = keys.iter().filter_map(|key| place_of(key, &found)).collect();
        // An empty list is no set of tuples to ClickHouse: no places, no query.
        for places in places.chunks(PLACES_PER_QUERY) {
            let mut verdicts = client.query(VERDICTS_OF_CALLS).bind(places).fetch::<VerdictRow>()?;
            while let Some(row) = verdicts.next().await? {
                let Some(verdict) = Verdict::parse(&row.verdict) else { continue };
                let evidence = row.evidence.as_deref().and_then(Evidence::parse);
                let published = Published { device_id: CompactString::from(row.device_id), verdict, evidence };
                found.entry(key_of(&row.tenant_id, &row.uuid)).or_default().published.push(published);
            }
        }
        histories.extend(found);
    }
    Ok(histories)
}

/// Finds out under which slice the rows of calls are. The rows are ordered by slice, so it is guessed: what its events say,
/// or one in which an event was logged. Only what is not found so is searched for by UUID, from its first event on.
async fn find_rows(
    client: &Client,
    keys: &[CallKey],
    histories: &mut HashMap<CallKey, History>,
) -> Result<(), clickhouse::error::Error> {
    let mut guesses = Vec::new();
    for key in keys {
        let slices = histories.get(key).map(guesses_of).unwrap_or_default();
        guesses.extend(slices.into_iter().map(|slice| place(key, slice)));
    }
    for guesses in guesses.chunks(PLACES_PER_QUERY) {
        note_places(client.query(PLACES_OF_CALLS).bind(guesses), histories).await?;
    }
    let is_lost = |history: &History| history.first_seen.is_none() && !guesses_of(history).is_empty();
    let lost: Vec<CallKey> = keys.iter().filter(|key| histories.get(*key).is_some_and(is_lost)).cloned().collect();
    let first_slices = lost.iter().filter_map(|key| guesses_of(histories.get(key)?).first().copied());
    if let Some(since) = first_slices.min() {
        note_places(ask_of(client.query(PLACES_SINCE).bind(since), &lost), histories).await?;
    }
    Ok(())
}

async fn note_places(query: Query, histories: &mut HashMap<CallKey, History>) -> Result<(), clickhouse::error::Error> {
    let mut rows = query.fetch::<PlaceRow>()?;
    while let Some(row) = rows.next().await? {
        let history = histories.entry(key_of(&row.tenant_id, &row.uuid)).or_default();
        history.first_seen = Some(history.first_seen.map_or(row.seen, |seen| seen.min(row.seen)));
    }
    Ok(())
}

/// Slices under which the rows of a call may be, in order; none for a call without events that count.
fn guesses_of(history: &History) -> BTreeSet<u32> {
    let counting = history.events.iter().filter(|past| past.first_seen != 0);
    counting.flat_map(|past| [past.first_seen, slice_of(past.log_at)]).collect()
}

fn place(key: &CallKey, slice: u32) -> (&str, u32, String) {
    (key.tenant_id.as_str(), slice, key.call_uuid.hyphenated().to_string())
}

fn place_of<'k>(key: &'k CallKey, histories: &HashMap<CallKey, History>) -> Option<(&'k str, u32, String)> {
    Some(place(key, histories.get(key)?.first_seen?))
}

/// Of calls that were taken for new since some log time, those of which ClickHouse has earlier events.
///
/// # Errors
/// As the ClickHouse client's.
pub(crate) async fn known_before(
    client: &Client,
    calls: &[(CallKey, i64)],
) -> Result<Vec<CallKey>, clickhouse::error::Error> {
    let mut known = Vec::new();
    for calls in calls.chunks(CALLS_PER_QUERY) {
        let begun: HashMap<&CallKey, i64> = calls.iter().map(|(key, at)| (key, *at)).collect();
        let (keys, days) = indexed(client, calls.iter().map(|(key, at)| (key, *at))).await?;
        if keys.is_empty() {
            continue;
        }
        let mut rows = ask_of(client.query(FIRST_LOGGED), &keys).bind(&days).fetch::<FirstRow>()?;
        while let Some(row) = rows.next().await? {
            let key = key_of(&row.tenant_id, &row.uuid);
            if begun.get(&key).is_some_and(|at| row.first_logged < *at) {
                known.push(key);
            }
        }
    }
    Ok(known)
}

/// Those of some calls that may have events which count and were logged before a log time, in milliseconds since the Unix epoch;
/// and the days of all such events.
async fn indexed<'k>(
    client: &Client,
    calls: impl Iterator<Item = (&'k CallKey, i64)>,
) -> Result<(Vec<CallKey>, Vec<u32>), clickhouse::error::Error> {
    let high = |key: &CallKey| key.call_uuid.as_u64_pair().0;
    let calls: Vec<(&CallKey, i64)> = calls.collect();
    let highs: Vec<String> = calls.iter().map(|(key, _)| high(key).to_string()).collect();
    let mut rows = client.query(CALL_INDEX).bind(highs.join(",")).fetch::<IndexRow>()?;
    let mut logged: HashMap<u64, IndexRow> = HashMap::new();
    while let Some(row) = rows.next().await? {
        logged.insert(row.call_high, row);
    }
    let row_of =
        |(key, before): &(&CallKey, i64)| logged.get(&high(key)).filter(|row| i64::from(row.since) * 1_000 < *before);
    let days: BTreeSet<u32> = calls.iter().filter_map(row_of).flat_map(IndexRow::days).collect();
    let keys = calls.iter().filter(|call| row_of(call).is_some()).map(|(key, _)| (*key).clone());
    Ok((keys.collect(), days.into_iter().collect()))
}

/// Binds tenants and UUIDs, in this order.
fn ask_of(query: Query, keys: &[CallKey]) -> Query {
    let tenants: BTreeSet<&str> = keys.iter().map(|key| key.tenant_id.as_str()).collect();
    let mut uuids = String::with_capacity(keys.len() * 37);
    for key in keys {
        if !uuids.is_empty() {
            uuids.push(',');
        }
        uuids.push_str(key.call_uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }
    query.bind(tenants.into_iter().collect::<Vec<_>>()).bind(uuids)
}
