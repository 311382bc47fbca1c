//! The binary as its users run it, as one test binary.

// `clippy.toml` lets tests unwrap and panic, but takes only functions marked `#[test]` for tests, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alert;
mod clickhouse;
mod explain;
mod input;
mod run;
mod simulate;
mod timeline;
