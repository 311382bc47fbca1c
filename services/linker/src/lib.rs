//! Kafka -> model -> ClickHouse: the linker.
//!
//! Data flows one way: [`consumer`] -> [`record`] -> [`batch`] -> [`slot`] -> [`flusher`]; [`run`] wires them together.

/// Whether a bug is planted here that the simulation must find, or what it does in the place of what is right: in tests
/// only, nothing is left of it in a binary.
macro_rules! planted {
    ($bug:ident) => {{
        #[cfg(test)]
        let is_planted = $crate::sim::planted::is($crate::sim::planted::Bug::$bug);
        #[cfg(not(test))]
        let is_planted = false;
        is_planted
    }};
    ($bug:ident: $wrong:expr, $right:expr) => {{
        #[cfg(test)]
        let chosen = if planted!($bug) { $wrong } else { $right };
        #[cfg(not(test))]
        let chosen = $right;
        chosen
    }};
}

mod batch;
mod catch_up;
mod changelog;
mod chunks;
mod consumer;
mod cutting;
mod ending;
mod filter;
mod flusher;
mod history;
pub mod letters;
mod live;
mod load;
mod lookup;
mod metrics;
mod native;
mod ownership;
mod pace;
mod placement;
mod privacy;
mod probe;
mod reading;
mod record;
mod records;
mod request;
mod run;
mod session;
#[cfg(test)]
mod sim;
mod slot;
mod state;
mod tables;
mod topics;
mod transaction;
mod trim;
mod watchdog;
mod world;
mod writer;

pub use changelog::ChangelogError;
pub use consumer::CONSUMER_SETTINGS;
pub use history::{events_of, folded};
pub use live::PRODUCER_SETTINGS;
pub use record::{
    DEAD_AT_HEADER, DETAIL_HEADER, REASON_HEADER, REPLAYED_HEADER, REQUEST_HEADER, SHA256_HEADER, SIZE_HEADER,
    SOURCE_HEADER,
};
pub use request::{MOST_CALLS, RELINK, Request, Requested};
pub use run::{FlushError, LinkError, Linker, LoadError, Sink};
pub use slot::PastEvent;
pub use state::StateError;
