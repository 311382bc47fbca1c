//! Risk levels, alert rules and their delivery.
//!
//! The judgement is pure: [`judge`] asks a [`Source`] for counts at a log time and says which alerts fire and resolve;
//! `risk` and `device` say how close iOS is to waking an app or a device no more. It is the same judgement over ClickHouse
//! (the service) and over a file of events in memory (`ringtrace alert test`).

pub mod crash;
pub mod dead_letters;
pub mod deliver;
pub mod device;
pub mod fact;
pub mod judge;
pub mod leader;
pub mod memory;
pub mod query;
pub mod replay;
pub mod risk;
pub mod rules;
pub mod service;
pub mod stats;
pub mod store;
