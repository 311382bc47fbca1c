//! The linker as a whole: sessions with Kafka, one after the other, until it is drained or caught up.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use hashbrown::HashSet;
use rdkafka::error::KafkaError;
use ringtrace_kit::backoff::Backoff;
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::kafka::{TopicError, check_topics};
use tokio::runtime::Handle;

use crate::changelog::ChangelogError;
use crate::live::Live;
pub use crate::load::LoadError;
use crate::metrics;
use crate::session::{Session, instance_name};
use crate::trim::Trimmer;
pub use crate::writer::{FlushError, Sink};

/// Part of the service's health that Kafka decides.
pub(crate) const KAFKA: &str = "kafka";

/// Part of the service's health that bad events decide: someone has to look why they can't be stored.
const STORAGE: &str = "storage";

/// Why the linker stopped, or a session of it.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The topics are not as they must be.
    #[error(transparent)]
    Topics(#[from] TopicError),
    /// Kafka failed.
    #[error("Kafka failed")]
    Kafka(#[from] KafkaError),
    /// A slot can't be taken over.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A flush failed.
    #[error(transparent)]
    Flush(#[from] FlushError),
    /// The number of partitions has changed.
    #[error("the number of partitions has changed")]
    Repartitioned,
    /// ClickHouse did not answer until the stop.
    #[error("ClickHouse does not answer: {0}; nothing is lost, what was read is read again")]
    LookUp(String),
    /// A thread of the linker ended by itself.
    #[error("the {0} thread ended by itself, which is a defect of Ringtrace")]
    Thread(&'static str),
}

impl LinkError {
    /// Whether starting again may help.
    pub(crate) fn is_transient(&self) -> bool {
        let is_setting =
            |error: &KafkaError| matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_));
        match self {
            LinkError::Topics(TopicError::Unreachable { source, .. }) => !is_setting(source),
            LinkError::Kafka(error) => !is_setting(error),
            LinkError::Load(LoadError::Kafka(_) | LoadError::ClickHouse(_) | LoadError::Outrun)
            | LinkError::Repartitioned => true,
            LinkError::Load(LoadError::Changelog(error)) => !matches!(error, ChangelogError::Record { .. }),
            LinkError::Flush(error) => matches!(error, FlushError::Transaction(_)),
            _ => false,
        }
    }
}

/// Reads, folds, writes and commits.
pub struct Linker {
    /// The configuration.
    pub config: Config,
    /// Where rows go.
    pub sink: Sink,
    /// Read to the ends as they are at start, let log time go on to the wall clock, and stop.
    pub until_caught_up: bool,
    /// Where it says whether it is ready.
    pub health: Health,
    /// What stops it.
    pub drain: Drain,
}

impl Linker {
    /// Links until the drain starts, or everything is caught up. Blocks: run it on a thread of its own.
    ///
    /// A fault that may pass (brokers away, a transaction that was not committed) drops what is in memory and reads it
    /// again from Kafka.
    ///
    /// # Errors
    /// A fault that someone has to act on. What was not committed will be read again.
    pub fn run(&self, runtime: &Handle) -> Result<(), LinkError> {
        metrics::describe();
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(15));
        let (_trimmer_lives, stop) = sync_channel(0);
        let trimmer = Trimmer::new(&self.config, runtime);
        let thread = std::thread::Builder::new().name("trimmer".to_owned());
        thread.spawn(move || trimmer.run(&stop)).map_err(|_| LinkError::Thread("trimmer"))?;
        let instance = instance_name(&self.config.link.instance);
        let mut refused = HashSet::new();
        loop {
            self.health.not_ready(KAFKA, "no partitions are assigned yet");
            let error = match self.session(runtime, &instance, &refused, &mut backoff) {
                Err(LinkError::Flush(FlushError::NotStorable { sources })) => {
                    tracing::error!(?sources, "events that ClickHouse refuses become dead letters");
                    self.health.not_ready(STORAGE, format!("ClickHouse refuses events, last {sources:?}"));
                    refused.extend(sources);
                    continue;
                }
                Err(error) if self.may_go_on_after(&error) => error,
                result => return result,
            };
            metrics::restart();
            let wait = backoff.next_wait();
            tracing::warn!(error = &error as &dyn std::error::Error, ?wait, "state is dropped and read again");
            self.health.not_ready(KAFKA, with_causes(&error));
            let drain = self.drain.clone();
            let _ = runtime.block_on(async { tokio::time::timeout(wait, drain.started()).await });
        }
    }

    /// Whether the same state, read again, may do. More events than can be dead letters are a table that does not fit: a linker
    /// that runs on waits until somebody has mended it.
    fn may_go_on_after(&self, error: &LinkError) -> bool {
        let waits = matches!(error, LinkError::Flush(FlushError::Refused { .. })) && !self.until_caught_up;
        (error.is_transient() || waits) && !self.drain.is_started()
    }

    fn session(
        &self,
        runtime: &Handle,
        instance: &str,
        refused: &HashSet<String>,
        backoff: &mut Backoff,
    ) -> Result<(), LinkError> {
        let partitions = check_topics(&self.config.kafka)?;
        let live = Live::start(self, runtime, instance)?;
        Session::start(self, live, partitions, refused.clone())?.run(backoff)
    }
}

/// An error and what caused it, in one line.
fn with_causes(error: &LinkError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
