//! The simulated world against the contract's own judgement of it (`ringtrace-model`, which the simulator does not know).

// `clippy.toml` lets tests unwrap and panic, but takes only functions marked `#[test]` for tests, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod confusion;
mod equality;
mod folding;
mod sameness;
mod sights;
