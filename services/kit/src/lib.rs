//! What every service needs once: configuration, telemetry, Kafka and ClickHouse clients, health, drain.

pub mod backoff;
pub mod clickhouse;
pub mod clock;
pub mod config;
pub mod drain;
pub mod health;
pub mod http;
pub mod kafka;
pub mod migrate;
pub mod rules;
pub mod telemetry;
pub mod topics;

/// Of every program that uses this crate: a quarter of what an event costs the linker was glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
