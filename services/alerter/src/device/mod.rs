//! Device risk: strikes of a device and app, and whether iOS has probably stopped waking it.
//!
//! Apple documents no number of failures after which iOS stops waking an app, and no way to ask. So the thresholds are
//! settings, and the most that is ever said is *suspected*.

mod fold;
mod settings;

pub use fold::{DeviceFact, DeviceHistory, DeviceLevel, DeviceRisk, Sight, fold};
pub use settings::DeviceSettings;
