//! The ClickHouse engine (libchdb) behind ClickHouse's own HTTP interface.
//!
//! [`find_library`] finds `libchdb.so`, [`Engine::open`] starts the engine on a data directory, [`serve`] answers HTTP
//! until it is told to stop. Clients of a ClickHouse server work with it unchanged.
//!
//! What it can't do: cancel a statement before its first rows (the library has no call for it), stream results in
//! formats with a frame (JSON, Parquet, Arrow, …: the engine makes the whole result first), keep sessions
//! (`session_id`), external tables, users, URLs longer than 64 KiB.

mod body;
mod engine;
mod error;
mod exception;
mod execute;
mod ffi;
mod format;
mod http;
mod library;
mod sql;

pub use engine::{Engine, MAX_REQUESTS, MAX_RUNNING, MAX_WAIT};
pub use error::Error;
pub use exception::Exception;
pub use http::{DRAIN, serve};
pub use library::{LIBRARY_VARIABLE, find_library};
