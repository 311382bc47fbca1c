//! What every service needs once: configuration, telemetry, Kafka and ClickHouse clients, health, drain.

pub mod backoff;
pub mod clickhouse;
pub mod clock;
pub mod config;
pub mod drain;
pub mod health;
pub mod http;
pub mod kafka;
pub mod memory;
pub mod migrate;
pub mod rules;
pub mod telemetry;
pub mod topics;
