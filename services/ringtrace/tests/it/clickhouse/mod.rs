//! `ringtrace clickhouse` as a process: what it refuses, what clients see, what a kill leaves.

mod clients;
mod disk;
mod garbage;
mod kill;
mod load;
mod refusals;
mod safety;
mod server;
mod user;
