//! The embedded ClickHouse through its HTTP interface: raw requests, and the `clickhouse` crate unchanged.

// `clippy.toml` lets tests unwrap and panic, but takes only functions marked `#[test]` for tests, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod compression;
mod errors;
mod insert;
mod restart;
mod select;
mod server;
mod sessions;
