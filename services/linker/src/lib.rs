//! Kafka -> model -> ClickHouse.
