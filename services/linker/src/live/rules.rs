//! The rules by which this process judges: agreed upon at its start, and watched from then on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use clickhouse::Client;
use ringtrace_kit::rules::{agreed, stored};
use tokio::runtime::Handle;

use crate::load::LoadError;
use crate::run::Linker;
use crate::world::RulesNumbers;
use crate::writer::Sink;

/// How often ClickHouse is asked for newer rules.
const PERIOD: Duration = Duration::from_secs(5);

/// How long it may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// See the module's text.
pub(crate) struct Watch {
    own: u64,
    newest: Arc<AtomicU64>,
}

impl Watch {
    /// Asks which rules are stored; without ClickHouse there are none to agree upon.
    ///
    /// # Errors
    /// They are not those of the configuration, there are none, or ClickHouse does not answer.
    pub(crate) fn start(linker: &Linker, runtime: &Handle) -> Result<Self, LoadError> {
        let Sink::ClickHouse(client) = &linker.sink else { return Ok(Watch { own: 0, newest: Arc::default() }) };
        let asked = async { tokio::time::timeout(ANSWER, agreed(client, &linker.config.rules)).await };
        let answered = runtime.block_on(asked);
        let own = answered.unwrap_or(Err(clickhouse::error::Error::TimedOut.into()))?;
        let newest = Arc::new(AtomicU64::new(own));
        runtime.spawn(watch((**client).clone(), Arc::downgrade(&newest)));
        Ok(Watch { own, newest })
    }

    pub(crate) fn numbers(&self) -> RulesNumbers {
        RulesNumbers { own: self.own, newest: self.newest.load(Ordering::Relaxed) }
    }
}

/// Asks until nobody wants to know it any more.
async fn watch(client: Client, newest: Weak<AtomicU64>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let answer = tokio::time::timeout(ANSWER, stored(&client)).await;
        let Some(newest) = newest.upgrade() else { return };
        // Without an answer the writes have enough to say of ClickHouse.
        if let Ok(Ok(Some(stored))) = answer {
            newest.fetch_max(stored.number, Ordering::Relaxed);
        }
    }
}
