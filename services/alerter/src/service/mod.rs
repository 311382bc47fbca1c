//! The running alerter: leads or waits, evaluates, writes down, and has couriers deliver.

mod devices;
mod look;
mod measures;
mod risk;
mod term;

use std::time::Duration;

use rdkafka::error::KafkaError;
use ringtrace_kit::clock;
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;

use crate::crash::Sender;
use crate::dead_letters::Tail;
use crate::leader::Leadership;
use crate::rules::Rules;
use crate::store::Store;

pub use devices::renew_devices;
pub use risk::assess;

/// How often it is looked whether this instance leads.
const WAITING: Duration = Duration::from_millis(200);

/// See the module's text.
pub struct Alerter {
    /// The configuration.
    pub config: Config,
    /// The rules file.
    pub rules: Rules,
    /// Says whether this instance works.
    pub health: Health,
    /// Ends it.
    pub drain: Drain,
}

impl Alerter {
    /// Runs until the drain starts.
    ///
    /// # Errors
    /// The configuration of Kafka is not accepted.
    pub async fn run(self) -> Result<(), KafkaError> {
        let sender = Sender::new(&self.config.kafka)?;
        let (leadership, tail) = (Leadership::default(), Tail::default());
        let group = self.take_part(&leadership);
        let letters = self.follow(&tail);
        let store = Store::new(ringtrace_kit::clickhouse::client(&self.config.clickhouse), tail);
        while !self.drain.is_started() {
            match leadership.term() {
                Some(number) => self.lead(&store, &sender, &leadership, number).await,
                None => tokio::time::sleep(WAITING).await,
            }
            self.health.ready("evaluation");
        }
        // They look at the drain themselves; a panic of theirs has been printed.
        let _ = (group.await, letters.await);
        Ok(())
    }

    fn take_part(&self, leadership: &Leadership) -> tokio::task::JoinHandle<()> {
        let (leadership, drain) = (leadership.clone(), self.drain.clone());
        let (kafka, group) = (self.config.kafka.clone(), self.config.alert.group.clone());
        tokio::task::spawn_blocking(move || leadership.take_part(&kafka, &group, &drain))
    }

    fn follow(&self, tail: &Tail) -> tokio::task::JoinHandle<()> {
        let (tail, drain, kafka) = (tail.clone(), self.drain.clone(), self.config.kafka.clone());
        tokio::task::spawn_blocking(move || tail.follow(&kafka, clock::wall_ms(), &drain))
    }

    /// One term: from taking over to losing the lead.
    async fn lead(&self, store: &Store, sender: &Sender, leadership: &Leadership, number: u64) {
        let mut term = match term::Term::begin(self, store, sender).await {
            Ok(term) => term,
            Err(error) => {
                self.complain(&error);
                tokio::time::sleep(Duration::from_secs(1)).await;
                return;
            }
        };
        let period = Duration::from_millis(self.config.alert.interval_ms);
        while leadership.term() == Some(number) && !self.drain.is_started() {
            let next = tokio::time::Instant::now() + period;
            match term.look(|| leadership.term() == Some(number)).await {
                Ok(()) => self.health.ready("evaluation"),
                Err(error) => self.complain(&error),
            }
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.drain.started() => {}
            }
        }
        term.end().await;
    }

    fn complain(&self, error: &clickhouse::error::Error) {
        tracing::warn!(%error, "rules can't be evaluated, trying again");
        self.health.not_ready("evaluation", format!("ClickHouse: {error}"));
    }
}
