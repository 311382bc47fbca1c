//! The ClickHouse engine (libchdb) behind ClickHouse's own HTTP interface.
//!
//! [`find_library`] finds `libchdb.so`, [`Engine::open`] starts the engine on a data directory, [`serve`] answers HTTP
//! until it is told to stop. Clients of a ClickHouse server work with it unchanged.
//!
//! `README.md` says which clients are tested, what can't be done and why, and what happens in every kind of trouble.
//!
//! A process can hold one data directory, and a data directory one process.
//!
//! Unless it is allowed outside, the process is confined to the data directory: by the engine's own rights, by refusing
//! statements that name files or the network, and by Landlock where the kernel has it. An acknowledgement is no fsync: a
//! power loss may cost rows that the kernel had not yet written, a kill costs none.

mod access;
mod body;
mod confine;
mod direct;
mod directory;
mod engine;
mod error;
mod exception;
mod execute;
mod exit;
mod ffi;
mod format;
mod http;
mod imports;
mod library;
mod native;
mod sessions;
mod setup;
mod space;
mod sql;
mod user;
mod wait;
mod watch;
mod writes;

pub use access::Access;
pub use confine::{Confined, confine};
pub use direct::Direct;
pub use engine::{Engine, MAX_REQUESTS, MAX_RUNNING, MAX_WAIT};
pub use error::Error;
pub use exception::Exception;
pub use http::{DRAIN, Password, serve};
pub use library::{LIBRARY_VARIABLE, find_library};
pub use user::become_user;
