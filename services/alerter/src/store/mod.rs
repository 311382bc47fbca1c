//! ClickHouse: the facts that rules look at, and what the alerter itself has to remember.

mod crashes;
mod devices;
mod facts;
mod kept;
mod sql;
mod state;

use clickhouse::Client;

pub use devices::{DeviceKey, HeldDevice, HeldDevices};
use kept::Kept;
pub use state::{Remembered, Risk, RiskKey, Told};

/// See the module's text.
#[derive(Clone)]
pub struct Store {
    client: Client,
    dead_letters: crate::dead_letters::Tail,
    kept: Kept,
}

impl Store {
    /// Over a client of Ringtrace's database.
    pub fn new(client: Client, dead_letters: crate::dead_letters::Tail) -> Store {
        Store { client, dead_letters, kept: Kept::default() }
    }
}
