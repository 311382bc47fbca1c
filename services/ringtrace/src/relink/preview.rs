//! What would change: calls are folded here from the history, judged with the settings at hand, and held against what is stored.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use clickhouse::{Client, Row};
use ringtrace_kit::config::Config;
use ringtrace_kit::kafka::check_topics;
use ringtrace_kit::{clickhouse as kit, clock};
use ringtrace_linker::folded;
use ringtrace_model::{CallKey, Rules};
use serde::Deserialize;

use super::compare::{Changes, Judged};
use super::select::{Pages, Selection};
use super::slot_of;

/// Calls that are folded at once.
const PAGE: usize = 1_000;

const STORED_LEGS: &str = "
    SELECT tenant_id, toString(call_uuid) AS uuid, device_id AS device, verdict, evidence, outcome, diagnoses
    FROM legs_rows FINAL WHERE (tenant_id, first_seen, call_uuid) GLOBAL IN (
        SELECT tenant_id, arrayJoin([events.first_seen, toStartOfTenMinutes(toDateTime(log_at))]), call_uuid
        FROM events_rows AS events WHERE (tenant_id, call_uuid) IN ?)
    SETTINGS do_not_merge_across_partitions_select_final = 1";

const STORED_CALLS: &str = "
    SELECT tenant_id, toString(call_uuid) AS uuid, '' AS device, '' AS verdict, CAST(NULL, 'Nullable(String)') AS evidence,
        outcome, diagnoses
    FROM calls_rows FINAL WHERE (tenant_id, first_seen, call_uuid) GLOBAL IN (
        SELECT tenant_id, arrayJoin([events.first_seen, toStartOfTenMinutes(toDateTime(log_at))]), call_uuid
        FROM events_rows AS events WHERE (tenant_id, call_uuid) IN ?)
    SETTINGS do_not_merge_across_partitions_select_final = 1";

#[derive(Row, Deserialize)]
struct StoredRow {
    tenant_id: String,
    uuid: String,
    device: String,
    verdict: String,
    evidence: Option<String>,
    outcome: String,
    diagnoses: Vec<String>,
}

#[derive(Row, Deserialize)]
struct ClockRow {
    slot: u32,
    log_clock: i64,
}

/// See the module's text.
pub struct Preview {
    rules: Rules,
    calls: u64,
    legs: Changes,
    outcomes: Changes,
}

impl Preview {
    /// Folds and judges every call of a selection.
    ///
    /// # Errors
    /// Kafka or ClickHouse does not answer.
    pub async fn of(config: &Config, selection: &Selection) -> anyhow::Result<Self> {
        let client = kit::client(&config.clickhouse);
        let clocks = Clocks::read(&client, check_topics(&config.kafka)?).await?;
        let mut preview =
            Preview { rules: config.rules, calls: 0, legs: Changes::default(), outcomes: Changes::default() };
        let mut pages = Pages::of(&client, selection, PAGE);
        while let Some(keys) = pages.next().await? {
            preview.take(&client, &keys, &clocks).await?;
        }
        Ok(preview)
    }

    async fn take(&mut self, client: &Client, keys: &[CallKey], clocks: &Clocks) -> anyhow::Result<()> {
        let list: Vec<(&str, String)> =
            keys.iter().map(|key| (key.tenant_id.as_str(), key.call_uuid.hyphenated().to_string())).collect();
        let mut legs = stored(client, STORED_LEGS, &list).await?;
        let mut calls = stored(client, STORED_CALLS, &list).await?;
        for (key, call) in folded(client, keys).await? {
            let Some(evaluation) = call.evaluate(&key, &self.rules, clocks.of(&key)) else { continue };
            self.calls += 1;
            let place = |device: &str| (key.tenant_id.to_string(), key.call_uuid.to_string(), device.to_owned());
            for leg in &evaluation.legs {
                self.legs.note(legs.remove(&place(leg.device_id)).as_ref(), Some(&Judged::of_leg(leg)));
            }
            self.outcomes.note(calls.remove(&place("")).as_ref(), Some(&Judged::of_call(&evaluation.call)));
        }
        // What the fold does not have is written as deleted.
        legs.values().for_each(|leg| self.legs.note(Some(leg), None));
        Ok(())
    }
}

type Place = (String, String, String);

async fn stored(
    client: &Client,
    query: &str,
    keys: &[(&str, String)],
) -> Result<BTreeMap<Place, Judged>, clickhouse::error::Error> {
    let rows = client.query(query).bind(keys).fetch_all::<StoredRow>().await?;
    let judged = |row: StoredRow| {
        let evidence = row.evidence.as_deref();
        let judged = Judged::of_row(&row.verdict, evidence, row.outcome, row.diagnoses);
        ((row.tenant_id, row.uuid, row.device), judged)
    };
    Ok(rows.into_iter().map(judged).collect())
}

/// The log clocks of the slots, as ClickHouse knows them.
struct Clocks {
    slots: i32,
    clocks: BTreeMap<i32, i64>,
    wall_ms: i64,
}

impl Clocks {
    async fn read(client: &Client, slots: i32) -> Result<Self, clickhouse::error::Error> {
        let query = "SELECT slot, toUnixTimestamp64Milli(log_clock) AS log_clock FROM slots";
        let rows = client.query(query).fetch_all::<ClockRow>().await?;
        let clock = |row: ClockRow| Some((i32::try_from(row.slot).ok()?, row.log_clock));
        Ok(Clocks { slots, clocks: rows.into_iter().filter_map(clock).collect(), wall_ms: clock::wall_ms() })
    }

    /// The wall clock for a slot that has written nothing yet.
    fn of(&self, key: &CallKey) -> i64 {
        self.clocks.get(&slot_of(key.call_uuid, self.slots)).copied().unwrap_or(self.wall_ms)
    }
}

impl Display for Preview {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.rules.settings().map(|(name, value)| format!("{name} {value}"));
        writeln!(out, "calls folded again: {}, by {}", self.calls, settings.join(", "))?;
        self.legs.write_verdicts(out)?;
        self.legs.write_outcomes(out, "legs")?;
        self.outcomes.write_outcomes(out, "calls")?;
        writeln!(out, "rows that would change: {} of legs, {} of calls", self.legs.rows, self.outcomes.rows)?;
        writeln!(out, "nothing was changed")
    }
}
