//! The ClickHouse engine (libchdb) behind ClickHouse's own HTTP interface.
