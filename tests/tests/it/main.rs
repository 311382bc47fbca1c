//! The contract as data: schemas, their examples, the topics document and simulated events, each against the model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this whole binary is tests, and Clippy only sees so in test functions"
)]

mod asyncapi;
mod boards;
mod chaos;
mod examples;
mod files;
mod folding;
mod link;
mod mutations;
mod outages;
mod outputs;
mod rollup;
mod schemas;
mod simulated;
