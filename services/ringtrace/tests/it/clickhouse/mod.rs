//! `ringtrace clickhouse` as a process: what it refuses, what clients see, what a kill leaves.

mod clients;
mod kill;
mod load;
mod refusals;
mod safety;
mod server;
