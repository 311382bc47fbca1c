//! Bodies on their way in and out: decoding, encoding, ClickHouse's own compressed blocks.
//!
//! All of it runs on the request's blocking thread. Plain bodies are passed on without a copy.

mod blocks;
mod decode;
mod encode;
mod incoming;

pub(crate) use decode::{Body, Encoding};
pub(crate) use encode::{Compression, Encoder};
pub(crate) use incoming::{Incoming, Part};
