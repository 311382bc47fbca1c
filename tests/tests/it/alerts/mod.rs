//! The alerter on real Kafka, ClickHouse and Alertmanager.

mod facts;
mod hook;
mod paging;
