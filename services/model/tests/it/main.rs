//! Behaviour of the model that a user could notice, as one test binary.

// `clippy.toml` lets tests unwrap and panic, but takes only functions marked `#[test]` for tests, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// `json!({..})` is easier to read as an argument than a reference to it.
#![allow(clippy::needless_pass_by_value)]

mod diagnoses;
mod events;
mod fold;
mod latencies;
mod oracle;
mod outcomes;
mod records;
mod rows;
mod scenarios;
mod stored;
mod table;
mod validation;
mod verdicts;
