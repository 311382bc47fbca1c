//! Devices with strikes, and which of them iOS has probably stopped waking: not those whose carrier or version of iOS loses
//! pushes of devices without strikes as well.

use std::collections::BTreeMap;

use super::source::{Loss, Source};
use crate::device::{DeviceHistory, DeviceLevel, DeviceRisk, DeviceSettings, fold};
use crate::query::Span;
use crate::stats::Count;

/// How far back devices without strikes are asked what they miss, in milliseconds.
const LOSS_MS: i64 = 6 * 3_600_000;

/// Every device with strikes in the time that they are remembered, with its risk at log time `now`.
///
/// # Errors
/// As the source.
pub async fn devices<S: Source>(
    source: &S,
    settings: &DeviceSettings,
    now: i64,
) -> Result<Vec<(DeviceHistory, DeviceRisk)>, S::Error> {
    let devices = source.devices(Span::before(now, settings.remember_ms)).await?;
    let mut judged: Vec<_> = devices
        .into_iter()
        .map(|device| {
            let risk = fold(&device.facts, settings, now);
            (device, risk)
        })
        .collect();
    let is_new = |risk: &DeviceRisk| risk.suspected_at.is_some_and(|at| at > now - LOSS_MS);
    if !judged.iter().any(|(_, risk)| is_new(risk)) {
        return Ok(judged);
    }
    let span = Span::before(now, LOSS_MS);
    let wide = WideLosses::of(&source.losses(span, now).await?, &judged, span);
    for (device, risk) in &mut judged {
        // What was suspected before the loss stays so.
        if risk.level == DeviceLevel::Suspected && is_new(risk) && wide.hit(device, settings) {
            *risk = std::mem::take(risk).without_suspicion(settings);
        }
    }
    Ok(judged)
}

/// What devices without strikes miss, by tenant, app and carrier, and by tenant, app and version of iOS.
struct WideLosses {
    by_carrier: BTreeMap<(String, String, String), Count>,
    by_os: BTreeMap<(String, String, String), Count>,
}

impl WideLosses {
    /// All that is missed, less what the devices with strikes miss.
    fn of(losses: &[Loss], struck: &[(DeviceHistory, DeviceRisk)], span: Span) -> WideLosses {
        let mut wide = WideLosses { by_carrier: BTreeMap::new(), by_os: BTreeMap::new() };
        for Loss { tenant_id, app_id, carrier, os_major, count } in losses {
            let key = |value: &String| (tenant_id.clone(), app_id.clone(), value.clone());
            for (held, value) in [(&mut wide.by_carrier, carrier), (&mut wide.by_os, os_major)] {
                let sum = held.entry(key(value)).or_default();
                *sum = sum.and(*count);
            }
        }
        for (device, _) in struck {
            let own = device.pushes_in(span);
            for (held, value) in [(&mut wide.by_carrier, &device.carrier), (&mut wide.by_os, &device.os_major)] {
                let key = (device.tenant_id.clone(), device.app_id.clone(), value.clone());
                if let Some(sum) = held.get_mut(&key) {
                    let bad = sum.bad.saturating_sub(own.bad);
                    *sum = Count { bad, total: sum.total.saturating_sub(own.total).max(bad) };
                }
            }
        }
        wide
    }

    /// Whether a device's carrier, or its version of iOS, loses pushes of devices without strikes as well.
    fn hit(&self, device: &DeviceHistory, settings: &DeviceSettings) -> bool {
        let key = |value: &String| (device.tenant_id.clone(), device.app_id.clone(), value.clone());
        let counts = [self.by_carrier.get(&key(&device.carrier)), self.by_os.get(&key(&device.os_major))];
        counts.into_iter().flatten().any(|count| settings.is_wide_loss(*count))
    }
}
