//! Facts out of ClickHouse, as the judgement asks for them.

use std::collections::BTreeMap;

use clickhouse::Row;
use clickhouse::error::Error;
use ringtrace_model::{AppState, Diagnoses, Outcome, Verdict};
use serde::Deserialize;

use super::Store;
use super::sql::{self, partitions, time};
use crate::device::{DeviceFact, DeviceHistory, Sight};
use crate::fact::{Dim, Leg};
use crate::judge::{Credential, DeadLetters, Loss, Source, Versions};
use crate::query::{Example, Group, Query, Span};
use crate::stats::Count;

#[derive(Row, Deserialize)]
struct CountsRow {
    values: Vec<String>,
    totals: Vec<u64>,
    bads: Vec<u64>,
}

#[derive(Row, Deserialize)]
struct ExampleRow {
    call: String,
    device: String,
    began: i64,
}

#[derive(Row, Deserialize)]
struct VersionRow {
    tenant: String,
    app: String,
    version: String,
    at: i64,
}

#[derive(Row, Deserialize)]
struct LegRow {
    tenant: String,
    app: String,
    device: String,
    carrier_of: String,
    os_of: String,
    call: String,
    verdict_of: String,
    state_of: String,
    started: i64,
    accepted: Option<i64>,
    received: Option<i64>,
}

#[derive(Row, Deserialize)]
struct SaidRow {
    tenant: String,
    app: String,
    device: String,
    call: String,
    kind_of: String,
    reason: String,
    at: i64,
}

#[derive(Row, Deserialize)]
struct LossRow {
    tenant: String,
    app: String,
    carrier: String,
    os_major: String,
    total: u64,
    bad: u64,
}

#[derive(Row, Deserialize)]
struct CredentialRow {
    tenant: String,
    app: String,
    name: String,
    days: i64,
}

#[derive(Row, Deserialize)]
struct EventsRow {
    tenant: String,
    app: String,
    events: u64,
}

impl Source for Store {
    type Error = Error;

    async fn counts(&self, query: &Query) -> Result<Vec<Group>, Error> {
        let rows: Vec<CountsRow> = self.client.query_raw(&sql::counts(query)).fetch_all().await?;
        let groups = rows.into_iter().map(|row| {
            let counts = row.totals.iter().zip(&row.bads).map(|(total, bad)| Count { bad: *bad, total: *total });
            Group { counts: counts.collect(), values: row.values }
        });
        Ok(groups.collect())
    }

    async fn examples(&self, query: &Query, values: &[String]) -> Result<Vec<Example>, Error> {
        match sql::examples(query) {
            Some(text) => self.examples_of(&text, values).await,
            None => Ok(Vec::new()),
        }
    }

    async fn versions(&self, _now: i64) -> Result<Versions, Error> {
        // Superseded images do no harm to a minimum.
        let text = "SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, toString(ifNull(app_version, '')) AS version, \
                    toUnixTimestamp64Milli(min(started_at)) AS at FROM legs_rows WHERE role = 'callee' \
                    GROUP BY tenant, app, version";
        let rows: Vec<VersionRow> = self.client.query_raw(text).fetch_all().await?;
        let mut versions = Versions::default();
        for row in rows {
            versions.add(row.tenant, row.app, row.version, row.at);
        }
        Ok(versions)
    }

    async fn devices(&self, span: Span) -> Result<Vec<DeviceHistory>, Error> {
        if let Some(devices) = self.kept.get(span) {
            return Ok(devices);
        }
        let asked = tokio::time::Instant::now();
        let legs: Vec<LegRow> = self.client.query_raw(&sql::legs_of_devices(span)).fetch_all().await?;
        let said: Vec<SaidRow> = self.client.query_raw(&sql::said_by_devices(span)).fetch_all().await?;
        let devices = histories(&legs, &said, span);
        self.kept.put(span, asked.elapsed(), &devices);
        Ok(devices)
    }

    async fn losses(&self, span: Span, now: i64) -> Result<Vec<Loss>, Error> {
        let rows: Vec<LossRow> = self.client.query_raw(&sql::losses(span, now)).fetch_all().await?;
        let losses = rows.into_iter().map(|row| Loss {
            tenant_id: row.tenant,
            app_id: row.app,
            carrier: row.carrier,
            os_major: row.os_major,
            count: Count { bad: row.bad, total: row.total },
        });
        Ok(losses.collect())
    }

    async fn missed(&self, span: Span, now: i64, carrier: &[String; 3]) -> Result<Vec<Example>, Error> {
        self.examples_of(&sql::missed(span, now), carrier).await
    }

    async fn credentials(&self, span: Span) -> Result<Vec<Credential>, Error> {
        let text = format!(
            "SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, JSONExtractString(attributes, 'credential') AS name, \
             argMax(JSONExtractInt(attributes, 'expires_in_days'), log_at) AS days FROM device_events_rows \
             WHERE {} AND kind = 'credential.status' AND log_at >= {} AND log_at < {} \
             AND JSONHas(attributes, 'expires_in_days') GROUP BY tenant, app, name",
            partitions(span),
            time(span.from),
            time(span.to),
        );
        let rows: Vec<CredentialRow> = self.client.query_raw(&text).fetch_all().await?;
        let credentials = rows.into_iter().map(|row| Credential {
            tenant_id: row.tenant,
            app_id: row.app,
            credential: row.name,
            expires_in_days: row.days,
        });
        Ok(credentials.collect())
    }

    async fn dead_letters(&self, span: Span) -> Result<Vec<DeadLetters>, Error> {
        let dead = self.dead_letters.count(span);
        if dead.is_empty() {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, count() AS events FROM events_rows \
             WHERE {} AND log_at >= {} AND log_at < {} GROUP BY tenant, app",
            partitions(span),
            time(span.from),
            time(span.to),
        );
        let rows: Vec<EventsRow> = self.client.query_raw(&text).fetch_all().await?;
        let good = |tenant: &str, app: &str| {
            rows.iter().find(|row| row.tenant == tenant && row.app == app).map_or(0, |row| row.events)
        };
        let letters = dead.into_iter().map(|((tenant_id, app_id), bad)| {
            let count = Count { bad, total: bad + good(&tenant_id, &app_id) };
            DeadLetters { tenant_id, app_id, count }
        });
        Ok(letters.collect())
    }
}

impl Store {
    /// Examples by a statement with a `?` for each value.
    async fn examples_of(&self, text: &str, values: &[String]) -> Result<Vec<Example>, Error> {
        let bound = values.iter().fold(self.client.query(text), |query, value| query.bind(value));
        let rows: Vec<ExampleRow> = bound.fetch_all().await?;
        let examples = rows.into_iter();
        Ok(examples.map(|row| Example { call_uuid: row.call, device_id: row.device, at: row.began }).collect())
    }
}

/// Devices with what was seen of each.
fn histories(legs: &[LegRow], said: &[SaidRow], span: Span) -> Vec<DeviceHistory> {
    let terminated = said.iter().filter(|row| row.kind_of == "app.terminated" && !row.call.is_empty());
    let terminated: BTreeMap<(&str, &str), i64> =
        terminated.map(|row| ((row.call.as_str(), row.device.as_str()), row.at)).collect();
    let mut devices: BTreeMap<(&str, &str, &str), DeviceHistory> = BTreeMap::new();
    for row in legs {
        let leg = leg_of(row);
        let terminated_at = terminated.get(&(row.call.as_str(), row.device.as_str())).copied();
        let Some(fact) = DeviceFact::of_leg(&leg, terminated_at) else { continue };
        let device = devices.entry((&row.tenant, &row.app, &row.device)).or_insert_with(|| DeviceHistory::of(&leg));
        device.learn(&leg);
        device.facts.push(fact);
    }
    for row in said.iter().filter(|row| row.kind_of != "app.terminated" && span.holds(row.at)) {
        if let Some(device) = devices.get_mut(&(row.tenant.as_str(), row.app.as_str(), row.device.as_str())) {
            let is_install = row.kind_of == "app.launched" && row.reason == "install";
            let sight = if is_install { Sight::Reinstalled } else { Sight::Alive };
            device.facts.push(DeviceFact { at: row.at, sight, call_uuid: String::new() });
        }
    }
    devices.into_values().filter(DeviceHistory::has_strike).collect()
}

fn leg_of(row: &LegRow) -> Leg {
    let mut dims: [String; Dim::ALL.len()] = Default::default();
    let known =
        [(Dim::Tenant, &row.tenant), (Dim::App, &row.app), (Dim::Carrier, &row.carrier_of), (Dim::OsMajor, &row.os_of)];
    for (dim, value) in known {
        if let Some(place) = dims.get_mut(dim as usize) {
            place.clone_from(value);
        }
    }
    Leg {
        dims,
        call_uuid: row.call.clone(),
        device_id: row.device.clone(),
        verdict: word(Verdict::ALL, Verdict::as_str, &row.verdict_of).unwrap_or(Verdict::Pending),
        evidence: None,
        outcome: Outcome::Unknown,
        diagnoses: Diagnoses::default(),
        app_state: word(AppState::ALL, AppState::as_str, &row.state_of),
        push_attempts: 0,
        started_at: row.started,
        accepted_at: row.accepted,
        received_at: row.received,
        reported_at: None,
        answered_at: None,
        sent_to_received_ms: None,
        received_to_reported_ms: None,
    }
}

/// The value that a word of a table stands for.
pub(super) fn word<T: Copy>(all: &[T], name: fn(T) -> &'static str, word: &str) -> Option<T> {
    all.iter().copied().find(|one| name(*one) == word)
}
