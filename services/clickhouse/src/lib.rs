//! The ClickHouse engine (libchdb) behind ClickHouse's own HTTP interface.
//!
//! [`find_library`] finds `libchdb.so`, [`Engine::open`] starts the engine on a data directory, [`serve`] answers HTTP
//! until it is told to stop. Clients of a ClickHouse server work with it unchanged.
//!
//! What it can't do: cancel a statement before its first rows (the library has no call for it); stream results in
//! formats with a frame (JSON, Parquet, Arrow, …: the engine makes the whole result in memory first); `INSERT … SELECT …
//! FROM input(…)`; external tables; sessions (`session_id`), which are accepted and ignored; users beside `default`; give the engine
//! the request's `query_id`; bodies in `br`, `zstd`, `xz`, `bz2` or `snappy`; URLs longer than 64 KiB.
//!
//! A process can hold one data directory, and a data directory one process.
//!
//! Unless it is allowed outside, the process is confined to the data directory: by the engine's own rights, by refusing
//! statements that name files or the network, and by Landlock where the kernel has it. An acknowledgement is no fsync: a
//! power loss may cost rows that the kernel had not yet written, a kill costs none.

mod access;
mod body;
mod confine;
mod directory;
mod engine;
mod error;
mod exception;
mod execute;
mod ffi;
mod format;
mod http;
mod library;
mod native;
mod sessions;
mod setup;
mod sql;
mod wait;
mod watch;

pub use access::Access;
pub use confine::{Confined, confine};
pub use engine::{Engine, MAX_REQUESTS, MAX_RUNNING, MAX_WAIT};
pub use error::Error;
pub use exception::Exception;
pub use http::{DRAIN, Password, serve};
pub use library::{LIBRARY_VARIABLE, find_library};
