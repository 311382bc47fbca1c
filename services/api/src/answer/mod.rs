//! The endpoints: a table of them, and a file for each.

mod alerts;
mod call;
mod calls;
mod counts;
mod coverage;
mod definitions;
mod devices;
mod dimensions;
mod distribution;
mod endpoints;
mod export;
mod freshness;
mod groups;
mod legs;
mod letters;
mod list;
mod live;
mod openapi;
mod pieces;
mod pipeline;
mod reasons;
mod risk;
mod schemas;
mod series;
mod statement;
mod status;
mod summary;

use ringtrace_alerter::rules::Rules;
use ringtrace_kit::config::{Config, Kafka, Serve};
use ringtrace_kit::drain::Drain;

pub(crate) use endpoints::{BASE, ENDPOINTS, Endpoint};
pub use openapi::document;

use crate::access::{Pace, Tokens};
use crate::store::Store;
use letters::Letters;
use live::Live;

/// What every request may use.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) pace: Pace,
    pub(crate) limits: Serve,
    pub(crate) has_tls: bool,
    pub(crate) drain: Drain,
    rules: ringtrace_model::Rules,
    alert_rules: Rules,
    kafka: Kafka,
    live: Live,
    letters: Letters,
}

impl App {
    /// What a configuration asks for.
    pub(crate) fn new(config: &Config, tokens: Tokens, alert_rules: Rules, has_tls: bool, drain: Drain) -> Self {
        App {
            store: Store::new(config),
            tokens,
            pace: Pace::new(config.serve.requests_per_minute),
            limits: config.serve.clone(),
            has_tls,
            drain,
            rules: config.rules,
            alert_rules,
            kafka: config.kafka.clone(),
            live: Live::new(config.serve.live_clients),
            letters: Letters::default(),
        }
    }
}
