//! The embedded ClickHouse through its HTTP interface: raw requests, and the `clickhouse` crate unchanged.

mod client;
mod compression;
mod errors;
mod insert;
mod restart;
mod select;
mod server;
