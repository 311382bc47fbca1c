//! What every service needs once: configuration, telemetry, Kafka and ClickHouse clients, health, drain.
