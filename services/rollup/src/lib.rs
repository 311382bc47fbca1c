//! The roller: keeps `leg_facts`, and what is counted of it, equal to `legs` and `calls`, slice by slice.
//!
//! A slice is all calls that were first seen in the same ten minutes. Inserts mark slices (materialized views of
//! `schemas/clickhouse/0006_facts.sql`); a pass takes marked slices and writes them anew under versions of their own, then
//! pointers to these. Nothing is added to what is there, so a crash, a repeated pass or two rollers at once change nothing but
//! the work done. Rows that no pointer names are swept away later.

mod metrics;
mod roller;
mod statements;
mod sweep;
mod verify;

pub use metrics::describe;
pub use roller::{Roller, RollupError, run};
pub use statements::Batch;
