//! What the alerter remembers: alerts, their history, who was told, risk, and how far it has looked.

use std::collections::BTreeMap;

use clickhouse::Row;
use clickhouse::error::Error;
use serde::{Deserialize, Serialize};

use super::{HeldDevices, Store};
use crate::judge::{Alert, Board, Change, State};
use crate::query::Example;
use crate::risk::{Held, Level};
use crate::rules::Severity;

/// What a receiver was last told of an alert: when that began to fire, and in which state.
pub type Told = BTreeMap<String, (i64, Option<State>)>;

/// The name of an app's version on a major version of iOS: tenant, app, version, major version.
pub type RiskKey = (String, String, String, String);

/// A level with the counts that stand beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The level.
    pub held: Held,
    /// Required reports, violations, and confirmed ones of builds in the App Store, over three days.
    pub counts: (u64, u64, u64),
}

/// Everything that a new leader starts with.
#[derive(Debug, Default)]
pub struct Remembered {
    /// Alerts.
    pub board: Board,
    /// What each receiver was told.
    pub told: BTreeMap<String, Told>,
    /// Levels.
    pub risk: BTreeMap<RiskKey, Risk>,
    /// Devices above `ok`.
    pub devices: HeldDevices,
    /// Up to which log time rules have looked, in milliseconds since the Unix epoch; `None` at the first start.
    pub looked_until: Option<i64>,
}

#[derive(Row, Serialize, Deserialize)]
struct AlertRow {
    fingerprint: String,
    rule: String,
    severity: String,
    labels: Vec<(String, String)>,
    state: String,
    since: i64,
    fired_at: Option<i64>,
    quiet_since: Option<i64>,
    resolved_at: Option<i64>,
    summary: String,
    found_late_ms: i64,
    examples: String,
    version: u64,
    deleted: u8,
}

#[derive(Row, Serialize)]
struct ChangeRow {
    fingerprint: String,
    rule: String,
    severity: String,
    labels: Vec<(String, String)>,
    state: String,
    at: i64,
    summary: String,
    found_late_ms: i64,
    examples: String,
    written_at: i64,
}

#[derive(Row, Serialize, Deserialize)]
struct ToldRow {
    receiver: String,
    fingerprint: String,
    fired_at: i64,
    state: String,
    version: u64,
}

#[derive(Row, Serialize, Deserialize)]
struct RiskRow {
    tenant_id: String,
    app_id: String,
    app_version: String,
    os_major: String,
    level: String,
    since: i64,
    reason: String,
    required: u64,
    violations: u64,
    confirmed: u64,
    calm_since: Option<i64>,
    calm_level: String,
    calm_reason: String,
    log_clock: i64,
    version: u64,
}

#[derive(Row, Serialize)]
struct ClockRow {
    one: u8,
    log_clock: i64,
    instance: String,
    version: u64,
}

/// The word of a receiver that was not told yet.
const OWED: &str = "owed";

impl Store {
    /// Everything that a leader before has left.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn remember(&self) -> Result<Remembered, Error> {
        let mut remembered = Remembered::default();
        let alerts: Vec<AlertRow> =
            self.client.query("SELECT ?fields FROM alert_states_rows FINAL").fetch_all().await?;
        for row in alerts.into_iter().filter(|row| row.deleted == 0) {
            if let Some(alert) = alert_of(row) {
                remembered.board.alerts.insert(alert.fingerprint.clone(), alert);
            }
        }
        let told: Vec<ToldRow> =
            self.client.query("SELECT ?fields FROM alert_deliveries_rows FINAL").fetch_all().await?;
        for row in told {
            let state = State::parse(&row.state);
            remembered.told.entry(row.receiver).or_default().insert(row.fingerprint, (row.fired_at, state));
        }
        let newest = "SELECT ?fields FROM app_risk_rows FINAL ORDER BY version DESC \
                      LIMIT 1 BY tenant_id, app_id, app_version, os_major";
        let risks: Vec<RiskRow> = self.client.query(newest).fetch_all().await?;
        for row in risks {
            let (key, risk) = risk_of(row);
            remembered.risk.insert(key, risk);
        }
        remembered.devices = self.held_devices().await?;
        let clock = "SELECT toUnixTimestamp64Milli(log_clock) FROM alert_clock_rows FINAL";
        remembered.looked_until = self.client.query(clock).fetch_optional::<i64>().await?;
        Ok(remembered)
    }

    /// The smallest log clock of all slots, in milliseconds since the Unix epoch; `None` before any is known. A slot that is new
    /// says 0 until the broker has said where its partitions end.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn log_clock(&self) -> Result<Option<i64>, Error> {
        let text = "SELECT toUnixTimestamp64Milli(min(log_clock)) FROM slots_rows FINAL \
                    WHERE toUnixTimestamp64Milli(log_clock) > 0 HAVING count() > 0";
        self.client.query(text).fetch_optional::<i64>().await
    }

    /// Writes alerts as they are, and what changed; `version` is wall time in milliseconds.
    ///
    /// # Errors
    /// As ClickHouse says; writing again does no harm.
    pub async fn write_alerts(
        &self,
        written: &[Alert],
        gone: &[Alert],
        changes: &[Change],
        version: i64,
    ) -> Result<(), Error> {
        if !written.is_empty() || !gone.is_empty() {
            let mut insert = self.insert::<AlertRow>("alert_states_rows").await?;
            for (alert, deleted) in written.iter().map(|alert| (alert, 0)).chain(gone.iter().map(|alert| (alert, 1))) {
                insert.write(&alert_row(alert, version, deleted)).await?;
            }
            insert.end().await?;
        }
        if !changes.is_empty() {
            let mut insert = self.insert::<ChangeRow>("alert_changes_rows").await?;
            for change in changes {
                insert.write(&change_row(change, version)).await?;
            }
            insert.end().await?;
        }
        Ok(())
    }

    /// Writes what a receiver was told of alerts; `None` is owed.
    ///
    /// # Errors
    /// As ClickHouse says; writing again does no harm.
    pub async fn write_told(&self, told: &[(&str, &str, i64, Option<State>)], version: i64) -> Result<(), Error> {
        if told.is_empty() {
            return Ok(());
        }
        let mut insert = self.insert::<ToldRow>("alert_deliveries_rows").await?;
        for (receiver, fingerprint, fired_at, state) in told {
            let row = ToldRow {
                receiver: (*receiver).to_owned(),
                fingerprint: (*fingerprint).to_owned(),
                fired_at: *fired_at,
                state: state.map_or(OWED, State::as_str).to_owned(),
                version: version as u64,
            };
            insert.write(&row).await?;
        }
        insert.end().await
    }

    /// Writes levels as they are.
    ///
    /// # Errors
    /// As ClickHouse says; writing again does no harm.
    pub async fn write_risk(&self, risks: &[(RiskKey, Risk)], now: i64, version: i64) -> Result<(), Error> {
        if risks.is_empty() {
            return Ok(());
        }
        let mut insert = self.insert::<RiskRow>("app_risk_rows").await?;
        for (key, risk) in risks {
            insert.write(&risk_row(key, risk, now, version)).await?;
        }
        insert.end().await
    }

    /// Writes up to which log time rules have looked.
    ///
    /// # Errors
    /// As ClickHouse says; writing again does no harm.
    pub async fn write_clock(&self, log_clock: i64, instance: &str, version: i64) -> Result<(), Error> {
        let mut insert = self.insert::<ClockRow>("alert_clock_rows").await?;
        insert.write(&ClockRow { one: 1, log_clock, instance: instance.to_owned(), version: version as u64 }).await?;
        insert.end().await
    }

    pub(super) async fn insert<T: clickhouse::RowOwned>(
        &self,
        table: &str,
    ) -> Result<clickhouse::insert::Insert<T>, Error> {
        let insert = self.client.insert(table).await?;
        Ok(insert.with_setting("async_insert", "0").with_setting("insert_deduplicate", "0"))
    }
}

fn examples_text(examples: &[Example]) -> String {
    serde_json::to_string(examples).unwrap_or_default()
}

fn alert_row(alert: &Alert, version: i64, deleted: u8) -> AlertRow {
    AlertRow {
        fingerprint: alert.fingerprint.clone(),
        rule: alert.rule.clone(),
        severity: alert.severity.as_str().to_owned(),
        labels: alert.group.clone(),
        state: alert.state.as_str().to_owned(),
        since: alert.since,
        fired_at: alert.fired_at,
        quiet_since: alert.quiet_since,
        resolved_at: alert.resolved_at,
        summary: alert.summary.clone(),
        found_late_ms: alert.found_late_ms,
        examples: examples_text(&alert.examples),
        version: version as u64,
        deleted,
    }
}

fn change_row(change: &Change, version: i64) -> ChangeRow {
    let alert = &change.alert;
    ChangeRow {
        fingerprint: alert.fingerprint.clone(),
        rule: alert.rule.clone(),
        severity: alert.severity.as_str().to_owned(),
        labels: alert.group.clone(),
        state: alert.state.as_str().to_owned(),
        at: change.at,
        summary: alert.summary.clone(),
        found_late_ms: alert.found_late_ms,
        examples: examples_text(&alert.examples),
        written_at: version,
    }
}

fn alert_of(row: AlertRow) -> Option<Alert> {
    Some(Alert {
        state: State::parse(&row.state)?,
        severity: if row.severity == Severity::Page.as_str() { Severity::Page } else { Severity::Ticket },
        examples: serde_json::from_str(&row.examples).unwrap_or_default(),
        fingerprint: row.fingerprint,
        rule: row.rule,
        group: row.labels,
        since: row.since,
        fired_at: row.fired_at,
        quiet_since: row.quiet_since,
        resolved_at: row.resolved_at,
        summary: row.summary,
        found_late_ms: row.found_late_ms,
    })
}

fn risk_row((tenant, app, version_name, os_major): &RiskKey, risk: &Risk, now: i64, version: i64) -> RiskRow {
    let held = &risk.held;
    let (required, violations, confirmed) = risk.counts;
    RiskRow {
        tenant_id: tenant.clone(),
        app_id: app.clone(),
        app_version: version_name.clone(),
        os_major: os_major.clone(),
        level: held.level.as_str().to_owned(),
        since: held.since,
        reason: held.reason.clone(),
        required,
        violations,
        confirmed,
        calm_since: held.calm_since,
        calm_level: held.calm_level.as_str().to_owned(),
        calm_reason: held.calm_reason.clone(),
        log_clock: now,
        version: version as u64,
    }
}

fn risk_of(row: RiskRow) -> (RiskKey, Risk) {
    let held = Held {
        level: Level::parse(&row.level),
        since: row.since,
        reason: row.reason,
        calm_since: row.calm_since,
        calm_level: Level::parse(&row.calm_level),
        calm_reason: row.calm_reason,
    };
    let key = (row.tenant_id, row.app_id, row.app_version, row.os_major);
    (key, Risk { held, counts: (row.required, row.violations, row.confirmed) })
}
