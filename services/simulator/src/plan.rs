//! What to simulate: seed, span, rate and incidents.

use crate::calendar::HOUR_MS;
use crate::incident::IncidentSpec;

/// Devices for each call a second, unless the plan says: about seven calls a person and day.
const DEVICES_PER_RATE: f64 = 20_000.0;

/// Fewest and most devices that follow from the rate.
const DEVICES: (f64, f64) = (400.0, 200_000.0);

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The same seed, world and plan give the same bytes.
    pub seed: u64,
    /// When the simulation starts, in milliseconds since the Unix epoch.
    pub start: i64,
    /// How long it lasts, in milliseconds; for ever without. What has a later log time is not written.
    pub length_ms: Option<i64>,
    /// Calls that start in a second, on average over a day.
    pub calls_per_second: f64,
    /// Devices; chosen by the rate without.
    pub devices: Option<usize>,
    /// Incidents.
    pub incidents: Vec<IncidentSpec>,
}

impl Plan {
    /// When a simulation starts that is not told: 2026-11-01T08:00:00Z.
    pub const START: i64 = 1_793_520_000_000;

    /// Calls a second where nobody says otherwise.
    pub const CALLS_PER_SECOND: f64 = 2.0;

    /// How many devices there are.
    pub fn device_count(&self) -> usize {
        let (fewest, most) = DEVICES;
        self.devices.unwrap_or((self.calls_per_second * DEVICES_PER_RATE).clamp(fewest, most) as usize)
    }

    /// When it ends, in milliseconds since the Unix epoch.
    pub fn end(&self) -> i64 {
        self.length_ms.map_or(i64::MAX, |length| self.start.saturating_add(length))
    }
}

impl Default for Plan {
    /// An hour from [`Plan::START`].
    fn default() -> Self {
        Plan {
            seed: 1,
            start: Self::START,
            length_ms: Some(HOUR_MS),
            calls_per_second: Self::CALLS_PER_SECOND,
            devices: None,
            incidents: Vec::new(),
        }
    }
}
