//! The verbs of the command line, each in its own file.

pub mod explain;
pub mod clickhouse;
pub mod link;
pub mod migrate;
pub mod service;
pub mod replay;
