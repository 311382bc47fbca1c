//! Tests of the judgement and of delivery, against their documented behaviour.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this whole binary is tests, and Clippy only sees so in test functions"
)]

mod courier;
mod crash;
mod device;
mod life;
mod risk;
mod rules;
mod server;
