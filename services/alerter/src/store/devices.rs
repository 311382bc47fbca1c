//! The risk of devices, as it is stored.

use std::collections::BTreeMap;

use clickhouse::Row;
use clickhouse::error::Error;
use serde::{Deserialize, Serialize};

use super::Store;
use crate::device::{DeviceLevel, DeviceRisk};

/// The name of an installation: tenant, app, device.
pub type DeviceKey = (String, String, String);

/// Devices above `ok`.
pub type HeldDevices = BTreeMap<DeviceKey, HeldDevice>;

/// The risk of a device as it was last judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDevice {
    /// The judgement.
    pub risk: DeviceRisk,
    /// When its level was entered, in milliseconds of log time.
    pub since: i64,
}

#[derive(Row, Serialize, Deserialize)]
struct DeviceRow {
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
    version: u64,
}

impl Store {
    /// Devices above `ok`, as they were written last.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn held_devices(&self) -> Result<HeldDevices, Error> {
        let newest = "SELECT ?fields FROM (SELECT * FROM device_risk_rows FINAL ORDER BY version DESC \
                      LIMIT 1 BY tenant_id, app_id, device_id) WHERE level != 'ok'";
        let rows: Vec<DeviceRow> = self.client.query(newest).fetch_all().await?;
        let held = rows.into_iter().map(|row| {
            let risk = DeviceRisk {
                level: DeviceLevel::parse(&row.level),
                strikes: row.strikes.into(),
                last_strike_at: row.last_strike_at,
                silent: row.silent.into(),
                silent_since: row.silent_since,
                suspected_at: row.suspected_at,
                call_uuid: row.call_uuid,
            };
            ((row.tenant_id, row.app_id, row.device_id), HeldDevice { risk, since: row.since })
        });
        Ok(held.collect())
    }

    /// Writes devices as they are, each with the sentence that says why.
    ///
    /// # Errors
    /// As ClickHouse says; writing again does no harm.
    pub async fn write_devices(
        &self,
        devices: &[(DeviceKey, HeldDevice, String)],
        log_clock: i64,
        version: i64,
    ) -> Result<(), Error> {
        if devices.is_empty() {
            return Ok(());
        }
        let mut insert = self.insert::<DeviceRow>("device_risk_rows").await?;
        for ((tenant_id, app_id, device_id), HeldDevice { risk, since }, reason) in devices {
            let row = DeviceRow {
                tenant_id: tenant_id.clone(),
                app_id: app_id.clone(),
                device_id: device_id.clone(),
                level: risk.level.as_str().to_owned(),
                since: *since,
                strikes: risk.strikes.try_into().unwrap_or(u32::MAX),
                last_strike_at: risk.last_strike_at,
                silent: risk.silent.try_into().unwrap_or(u32::MAX),
                silent_since: risk.silent_since,
                suspected_at: risk.suspected_at,
                call_uuid: risk.call_uuid.clone(),
                reason: reason.clone(),
                log_clock,
                version: version as u64,
            };
            insert.write(&row).await?;
        }
        insert.end().await
    }
}
