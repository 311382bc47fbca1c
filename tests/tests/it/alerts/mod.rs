//! The alerter on real Kafka, ClickHouse and Alertmanager.

mod devices;
mod facts;
mod incidents;
mod kills;
mod paging;
