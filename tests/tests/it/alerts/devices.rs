//! The table of devices at risk: as the fold over the same events says, each change once, over a restart.

use std::collections::BTreeMap;

use ringtrace_alerter::device::{DeviceLevel, DeviceRisk, DeviceSettings};
use ringtrace_alerter::judge::devices;
use ringtrace_alerter::memory::Memory;
use ringtrace_alerter::rules::Rules;
use ringtrace_alerter::service::renew_devices;
use ringtrace_alerter::store::HeldDevices;
use ringtrace_simulator::Plan;
use ringtrace_tests::simulated::of_line;
use ringtrace_tests::stack::{Case, Given};
use serde_json::json;

use super::facts::{linked, store};
use crate::files::project;

const MINUTE_MS: i64 = 60_000;

/// Six devices that iOS wakes no more, six that are off for a while; one of the first is installed anew in the end.
fn records() -> Vec<Given> {
    let text = std::fs::read_to_string(project("tests/alerts/wake_bans.jsonl")).unwrap();
    let at = Plan::START + 45 * MINUTE_MS;
    let install = json!({ "event_id": "new", "kind": "app.launched", "occurred_at": at, "log_at": at + 500,
        "app_id": "com.example.talk", "device_id": "banned-0", "platform": "ios", "reason": "install" });
    text.lines().chain([install.to_string().as_str()]).map(of_line).collect()
}

/// Devices above `ok`, as the fold over what is in memory says.
async fn folded(memory: &Memory, settings: &DeviceSettings, now: i64) -> BTreeMap<String, DeviceRisk> {
    let all = devices(memory, settings, now).await.unwrap().into_iter();
    let all = all.map(|(device, risk)| (device.device_id, risk));
    all.filter(|(_, risk)| risk.level != DeviceLevel::Ok).collect()
}

fn by_device(held: &HeldDevices) -> BTreeMap<String, DeviceRisk> {
    held.iter().map(|((_, _, device), held)| (device.clone(), held.risk.clone())).collect()
}

#[test]
fn the_table_of_devices_is_what_the_fold_says_and_each_change_is_written_once() {
    let case = Case::new("alert-devices", 2);
    let (_, memory, wall) = linked(&case, &records());
    let settings = Rules::parse("").unwrap().device;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let newest = || case.number("SELECT toInt64(max(version)) FROM device_risk_rows");
    let mut held = HeldDevices::new();
    let mut levels = BTreeMap::new();
    let minutes = (0..=50).chain([8 * 24 * 60]);
    for (version, minute) in (wall..).zip(minutes) {
        let now = Plan::START + minute * MINUTE_MS;
        // An answer of the minute before may still be good where asking takes long.
        let store = store(&case);
        // An app whose telemetry is missing stays as it is.
        let held_back = |_: &str, _: &str| minute == 5;
        runtime.block_on(renew_devices(&store, &settings, &mut held, held_back, (now, version))).unwrap();
        if minute == 5 {
            continue;
        }
        assert_eq!(by_device(&held), runtime.block_on(folded(&memory, &settings, now)), "in memory, minute {minute}");
        for risk in held.values() {
            *levels.entry(risk.risk.level).or_insert(0) += 1;
        }
        let before = held.clone();
        held = runtime.block_on(store.remember()).unwrap().devices;
        assert_eq!(held, before, "a restart goes on with what is stored, minute {minute}");
        let later = version + 1_000_000;
        runtime.block_on(renew_devices(&store, &settings, &mut held, held_back, (now, later))).unwrap();
        assert!(newest() <= version, "nothing is written twice, minute {minute}");
    }
    let seen: Vec<DeviceLevel> = levels.keys().copied().collect();
    assert_eq!(seen, [DeviceLevel::Watch, DeviceLevel::Suspected]);
    let levels_of = |device: &str| {
        let rows =
            case.rows(&format!("SELECT level FROM device_risk_history WHERE device_id = '{device}' ORDER BY since"));
        rows.iter().map(|row| row["level"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(levels_of("banned-0"), ["watch", "suspected", "ok"], "until it is installed anew");
    assert_eq!(levels_of("off-0"), ["watch", "ok"], "until it is woken");
    assert_eq!(levels_of("well-0"), [""; 0], "a device without strikes has no row");
    let present = case.rows("SELECT level, toInt64(count()) AS devices FROM device_risk GROUP BY level");
    assert_eq!(present, [json!({ "level": "ok", "devices": 12 })], "strikes that have expired leave all of them ok");
}
