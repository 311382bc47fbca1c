//! A model of the world in which VoIP pushes are sent: apps and their versions, people and their devices, push services,
//! PushKit and CallKit, Telecom, signalling, and the ways of telemetry. It writes events as producers write them, and
//! beside them the truth that they are about.
//!
//! Pure: no I/O, no clock, no threads, no arithmetic that differs between platforms. A seed, a [`World`] and a [`Plan`]
//! give the same bytes everywhere, and a longer plan goes on where a shorter one ends. The truth is written down where
//! things happen and never read off events; this crate does not know the crate that judges them.

mod calendar;
mod call;
mod draw;
mod event;
mod fleet;
mod incident;
mod incidents;
mod life;
mod log;
mod plan;
mod rng;
mod simulator;
mod truth;
mod world;

pub use calendar::{parse_length, parse_utc};
pub use incident::{At, IncidentError, IncidentKind, IncidentSpec};
pub use log::Record;
pub use plan::Plan;
pub use simulator::{Second, Simulator};
pub use truth::{CallTruth, DeviceTruth, IncidentTruth, Killed, LegTruth, Truth};
pub use world::{WORLD, World, WorldError};
