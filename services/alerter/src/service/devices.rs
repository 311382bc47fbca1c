//! Device risk at a log time: what is other than it was is written down.

use std::collections::BTreeMap;

use clickhouse::error::Error;

use crate::device::{DeviceLevel, DeviceRisk, DeviceSettings};
use crate::judge::devices;
use crate::rules::show_length;
use crate::store::{DeviceKey, HeldDevice, HeldDevices, Store};

/// Most devices above `ok` that are held; where there are more, others don't come in before some have left.
const MOST_HELD: usize = 50_000;

/// Judges every device that has strikes, or had them, and writes what has changed. Devices of apps that are `held_back` stay as
/// they are.
///
/// # Errors
/// As ClickHouse says; the next time does it again.
pub async fn renew_devices(
    store: &Store,
    settings: &DeviceSettings,
    held: &mut HeldDevices,
    held_back: impl Fn(&str, &str) -> bool,
    (now, wall): (i64, i64),
) -> Result<(), Error> {
    let judged = devices(store, settings, now).await?.into_iter();
    let judged = judged.map(|(device, risk)| ((device.tenant_id, device.app_id, device.device_id), risk));
    let mut risks: BTreeMap<DeviceKey, DeviceRisk> = judged.collect();
    for key in held.keys() {
        // Nothing speaks against it any more.
        risks.entry(key.clone()).or_default();
    }
    let mut places = MOST_HELD.saturating_sub(held.len());
    let mut changed = Vec::new();
    for (key, risk) in risks.into_iter().filter(|(key, _)| !held_back(&key.0, &key.1)) {
        let before = held.get(&key);
        let is_same = before.map_or(risk.level == DeviceLevel::Ok, |before| before.risk == risk);
        if is_same || (before.is_none() && places == 0) {
            continue;
        }
        places -= usize::from(before.is_none());
        let since = before.filter(|before| before.risk.level == risk.level).map_or(now, |before| before.since);
        let reason = reason(&risk, settings);
        changed.push((key, HeldDevice { risk, since }, reason));
    }
    if places == 0 {
        tracing::warn!(most = MOST_HELD, "too many devices have strikes: some are not in device_risk");
    }
    store.write_devices(&changed, now, wall).await?;
    for (key, device, _) in changed {
        match device.risk.level {
            DeviceLevel::Ok => drop(held.remove(&key)),
            _ => drop(held.insert(key, device)),
        }
    }
    Ok(())
}

/// The sentence that says why, with its numbers.
fn reason(risk: &DeviceRisk, settings: &DeviceSettings) -> String {
    let remembered = show_length(settings.remember_ms);
    let strikes = format!("{} strike{}", risk.strikes, if risk.strikes == 1 { "" } else { "s" });
    match risk.level {
        DeviceLevel::Ok => format!(
            "No strike counts: none in {remembered}, or a receipt in the background or a new installation came after it."
        ),
        DeviceLevel::Suspected => format!(
            "{strikes} in {remembered}, then {} accepted pushes of which nothing is seen, though the device lives: iOS has \
             probably stopped waking the app.",
            risk.silent
        ),
        _ => format!("{strikes} in {remembered}: violations, or the end of the app just after a receipt."),
    }
}
