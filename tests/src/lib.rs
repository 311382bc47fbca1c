//! End-to-end tests and benchmarks on real Kafka and ClickHouse, and the harness that starts both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness for tests: what fails here fails the test"
)]

pub mod bench;
pub mod boards;
pub mod incidents;
pub mod simulated;
pub mod stack;
