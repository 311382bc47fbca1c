//! Delivery: each receiver is told what it was not told yet, by a task of its own.

mod alertmanager;
mod courier;
mod exchange;
mod notice;
mod pagerduty;
mod slack;
mod webhook;

pub use courier::{Courier, Ledger, Wanted};
pub use exchange::DeliveryError;
pub use notice::{Notice, page};
