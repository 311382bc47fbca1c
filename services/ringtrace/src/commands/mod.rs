//! The verbs of the command line, each in its own file.

pub mod alert;
pub mod clickhouse;
pub mod dead_letters;
pub mod explain;
pub mod link;
pub mod migrate;
pub mod relink;
pub mod replay;
pub mod serve;
pub mod service;
pub mod simulate;
pub mod up;
