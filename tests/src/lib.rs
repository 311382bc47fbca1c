//! End-to-end tests and benchmarks on real Kafka and ClickHouse, and the harness that starts both.
