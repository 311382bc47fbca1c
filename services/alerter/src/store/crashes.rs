//! Kills that name no call, and the legs that they may belong to.

use std::collections::BTreeSet;

use clickhouse::Row;
use clickhouse::error::Error;
use ringtrace_model::{Evidence, NEVER_POSTED, Verdict, WATCHDOG_CODE};
use serde::Deserialize;

use super::Store;
use super::facts::word;
use super::sql::{partitions, time};
use crate::crash::{Crash, Push};
use crate::query::Span;

/// A leg's pushes come soon after its first event: how long before a kill it may have begun, and the grid on which that is
/// asked, in milliseconds.
const LEG_MS: i64 = 600_000;

/// How long after a kill a leg may seem to begin, in milliseconds.
const AFTER_MS: i64 = 1_000;

/// How many events one query asks for: they stay under ClickHouse's `max_query_size` of 256 KiB.
const EVENTS_PER_QUERY: usize = 1_000;

/// The dimensions that a crash may tell its leg.
const DIMENSIONS: [&str; 9] = [
    "platform",
    "os_version",
    "app_version",
    "sdk_version",
    "device_model",
    "country",
    "carrier",
    "network",
    "build_channel",
];

#[derive(Row, Deserialize)]
struct CrashRow {
    tenant: String,
    app: String,
    device: String,
    event_id: String,
    contents: u64,
    occurred: i64,
    ahead: i64,
    values: Vec<String>,
    attributes: String,
    source: String,
    logged: i64,
}

#[derive(Row, Deserialize)]
struct PushRow {
    tenant: String,
    app: String,
    device: String,
    call: String,
    verdict_is: String,
    evidence_is: String,
    received: Option<i64>,
    accepted: Option<i64>,
}

impl Store {
    /// Kills without a call that were logged after `from` and up to `to`, in milliseconds since the Unix epoch, in this order:
    /// about the first `most`, and all with the log time of the last.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn crashes(&self, from: i64, to: i64, most: usize) -> Result<Vec<Crash>, Error> {
        let values = DIMENSIONS.map(|name| format!("toString(ifNull({name}, ''))")).join(", ");
        let text = format!(
            "SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, device, event_id, contents, \
             toUnixTimestamp64Milli(occurred_at) AS occurred, clock_offset_ms AS ahead, [{values}] AS values, attributes, \
             source, toUnixTimestamp64Milli(log_at) AS logged FROM device_events_rows \
             WHERE log_at > {} AND log_at <= {} AND kind = 'app.terminated' AND call_uuid IS NULL AND device != '' \
             AND (JSONExtractInt(attributes, 'termination_code') = {WATCHDOG_CODE} \
             OR position(JSONExtractString(attributes, 'exception_reason'), ?) > 0) \
             ORDER BY log_at LIMIT {most} WITH TIES",
            time(from),
            time(to),
        );
        let rows: Vec<CrashRow> = self.client.query(&text).bind(NEVER_POSTED).fetch_all().await?;
        Ok(rows.into_iter().map(crash_of).collect())
    }

    /// Legs on iOS 13 or later, of the devices and apps of kills, that began in the minutes before one of them.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn pushes_before(&self, crashes: &[&Crash]) -> Result<Vec<Push>, Error> {
        let Some(first) = crashes.iter().map(|crash| crash.at()).min() else { return Ok(Vec::new()) };
        let slices = |crash: &Crash| {
            (crash.at() - LEG_MS).div_euclid(LEG_MS)..=crash.at().saturating_add(AFTER_MS).div_euclid(LEG_MS)
        };
        let places: BTreeSet<(&str, &str, &str, i64)> = crashes
            .iter()
            .flat_map(|crash| {
                slices(crash)
                    .map(|slice| (crash.tenant_id.as_str(), crash.app_id.as_str(), crash.device_id.as_str(), slice))
            })
            .collect();
        let devices: BTreeSet<&str> = crashes.iter().map(|crash| crash.device_id.as_str()).collect();
        let text = format!(
            "SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, device_id AS device, toString(call_uuid) AS call, \
             toString(verdict) AS verdict_is, toString(ifNull(evidence, '')) AS evidence_is, \
             toUnixTimestamp64Milli(received_at) AS received, toUnixTimestamp64Milli(accepted_at) AS accepted \
             FROM legs_rows FINAL WHERE {} AND role = 'callee' AND device_id IN ? AND \
             (tenant_id, app_id, device_id, intDiv(toUnixTimestamp64Milli(started_at), {LEG_MS})) IN ? \
             AND ifNull(platform, 'ios') = 'ios' AND os_major NOT BETWEEN 1 AND 12",
            partitions(Span { from: first - LEG_MS, to: first }),
        );
        let query = self.client.query(&text).bind(Vec::from_iter(devices)).bind(Vec::from_iter(places));
        let rows: Vec<PushRow> = query.fetch_all().await?;
        Ok(rows.into_iter().filter_map(push_of).collect())
    }

    /// Which of these events (tenant, call, event id) are in the history, by id.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn events_there(&self, events: &[(String, String, String)]) -> Result<BTreeSet<String>, Error> {
        let mut there = BTreeSet::new();
        for some in events.chunks(EVENTS_PER_QUERY) {
            let text = "SELECT event_id FROM events_rows WHERE (tenant_id, call_uuid, event_id) IN ?";
            there.extend(self.client.query(text).bind(some).fetch_all::<String>().await?);
        }
        Ok(there)
    }
}

fn crash_of(row: CrashRow) -> Crash {
    let values = DIMENSIONS.iter().zip(row.values).filter(|(_, value)| !value.is_empty());
    Crash {
        tenant_id: row.tenant,
        app_id: row.app,
        device_id: row.device,
        event_id: row.event_id,
        contents: row.contents,
        occurred_at: row.occurred,
        clock_offset_ms: row.ahead,
        dimensions: values.map(|(name, value)| ((*name).to_owned(), value)).collect(),
        attributes: row.attributes,
        source: row.source,
        log_at: row.logged,
    }
}

fn push_of(row: PushRow) -> Option<Push> {
    Some(Push {
        tenant_id: row.tenant,
        app_id: row.app,
        device_id: row.device,
        call_uuid: row.call,
        // A verdict that this version does not know blames nobody.
        verdict: word(Verdict::ALL, Verdict::as_str, &row.verdict_is)?,
        is_confirmed: row.evidence_is == Evidence::Confirmed.as_str(),
        received_at: row.received,
        accepted_at: row.accepted,
    })
}
