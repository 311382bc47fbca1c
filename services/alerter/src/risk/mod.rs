//! App risk: how close iOS is to waking a version of an app no more, and why, in one sentence.

mod hysteresis;
mod level;
mod settings;

pub use hysteresis::{Held, hold};
pub(crate) use level::percent;
pub use level::{AppCounts, Level, Windows, judge};
pub use settings::RiskSettings;
