//! The linker as a whole: sessions with Kafka, one after the other, until it is drained or caught up.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use hashbrown::HashSet;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use ringtrace_kit::backoff::Backoff;
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::kafka::{TopicError, check_topics};
use ringtrace_kit::memory::give_back;
use tokio::runtime::Handle;

use crate::changelog::ChangelogError;
use crate::consumer::{Protocol, protocol_asked_for};
use crate::live::Live;
pub use crate::load::LoadError;
use crate::metrics;
use crate::session::{Session, instance_name};
use crate::topics::Inputs;
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
    /// The number of partitions has changed, or a topic was made again.
    #[error("the number of partitions has changed, or a topic was made again")]
    Repartitioned,
    /// Kafka neither commits nor aborts a transaction.
    #[error("a transaction does not end: another producer goes on in its place")]
    OpenTransaction,
    /// A partition ends before what was read of it.
    #[error("a partition ends before what was read of it: its topic was made again, or a broker has lost records")]
    Shrunk,
    /// What was read of partitions that are taken away was not committed in time.
    #[error("a flush takes longer than partitions can wait for their next owner")]
    Late,
    /// There are records, and none of them come.
    #[error("{topic}/{partition} has records to read, and none of them come")]
    Stuck {
        /// Where.
        topic: String,
        /// Where.
        partition: i32,
    },
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
            | LinkError::Repartitioned
            | LinkError::OpenTransaction
            | LinkError::Shrunk
            | LinkError::Late
            | LinkError::Stuck { .. } => true,
            // Whether newer rules are those of this process is asked at once.
            LinkError::Load(LoadError::Rules(error)) => !error.is_setting(),
            LinkError::Load(LoadError::Changelog(error)) => !matches!(error, ChangelogError::Record { .. }),
            LinkError::Flush(error) => !matches!(error, FlushError::Refused { .. } | FlushError::NotStorable { .. }),
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
    /// again from Kafka; where a stop was asked for, whoever is next reads it again.
    ///
    /// # Errors
    /// A fault that someone has to act on. What was not committed will be read again.
    pub fn run(&self, runtime: &Handle) -> Result<(), LinkError> {
        metrics::describe();
        metrics::begin_at_zero(&Inputs::of(&self.config.kafka));
        let trimmer = Trimmer::new(&self.config, runtime);
        let _trimmer_lives = beside("trimmer", move |stop| trimmer.run(&stop))?;
        let _memory_lives = beside("memory", |stop| give_back(&stop))?;
        let mut sessions = Sessions::new(self);
        loop {
            self.health.not_ready(KAFKA, "no partitions are assigned yet");
            let error = match self.session(runtime, &mut sessions) {
                Err(error) if sessions.falls_back(&error) => {
                    tracing::info!("the brokers don't have the consumer protocol: the classic one is used");
                    continue;
                }
                Err(LinkError::Flush(FlushError::NotStorable { sources })) => {
                    tracing::error!(?sources, "events that ClickHouse refuses become dead letters");
                    self.health.not_ready(STORAGE, format!("ClickHouse refuses events, last {sources:?}"));
                    sessions.refused.extend(sources);
                    continue;
                }
                Err(error) if error.is_transient() && self.drain.is_started() => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "stopped, and what was not committed is read again by whoever is next");
                    return Ok(());
                }
                Err(error) if sessions.may_help(&error) && !self.drain.is_started() => error,
                result => return result,
            };
            metrics::restart();
            let wait = sessions.backoff.next_wait();
            tracing::warn!(error = &error as &dyn std::error::Error, ?wait, "state is dropped and read again");
            self.health.not_ready(KAFKA, with_causes(&error));
            let drain = self.drain.clone();
            if runtime.block_on(async { tokio::time::timeout(wait, drain.started()).await }).is_ok() {
                return Ok(());
            }
        }
    }

    fn session(&self, runtime: &Handle, sessions: &mut Sessions) -> Result<(), LinkError> {
        let partitions = check_topics(&self.config.kafka)?;
        sessions.has_run = true;
        let live = Live::start(self, runtime, &sessions.instance, sessions.protocol, partitions)?;
        Session::start(self, live, partitions, sessions.refused.clone())?.run(&mut sessions.backoff)
    }
}

/// Starts what goes on until the other end of its channel is dropped.
fn beside(name: &'static str, run: impl FnOnce(Receiver<()>) + Send + 'static) -> Result<SyncSender<()>, LinkError> {
    let (lives, stop) = sync_channel(0);
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(|| run(stop)).map_err(|_| LinkError::Thread(name))?;
    Ok(lives)
}

/// What one session leaves to the next.
struct Sessions {
    instance: String,
    protocol: Protocol,
    /// The protocol was chosen here, and not by `kafka.properties`.
    is_chosen: bool,
    /// Sources of events that ClickHouse refuses.
    refused: HashSet<String>,
    backoff: Backoff,
    /// The topics did fit together once.
    has_run: bool,
    /// It is not to end by itself.
    runs_on: bool,
}

impl Sessions {
    fn new(linker: &Linker) -> Self {
        let asked_for = protocol_asked_for(&linker.config.kafka);
        Sessions {
            instance: instance_name(&linker.config.link.instance),
            protocol: asked_for.unwrap_or(Protocol::Consumer),
            is_chosen: asked_for.is_none(),
            refused: HashSet::new(),
            backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(15)),
            has_run: false,
            runs_on: !linker.until_caught_up,
        }
    }

    /// Whether the brokers know only the classic protocol: from now on it is used.
    fn falls_back(&mut self, error: &LinkError) -> bool {
        let is_unknown = matches!(
            error,
            LinkError::Kafka(KafkaError::MessageConsumptionFatal(
                RDKafkaErrorCode::UnsupportedVersion | RDKafkaErrorCode::UnsupportedFeature
            ))
        );
        let falls = is_unknown && self.is_chosen && self.protocol == Protocol::Consumer;
        if falls {
            self.protocol = Protocol::Classic;
        }
        falls
    }

    /// Whether starting again may help. Topics that did fit together are on their way to do so again. More events than can be
    /// dead letters are a table that does not fit: a linker that runs on waits until somebody has mended it.
    fn may_help(&self, error: &LinkError) -> bool {
        error.is_transient()
            || (self.has_run && matches!(error, LinkError::Topics(_)))
            || (self.runs_on && matches!(error, LinkError::Flush(FlushError::Refused { .. })))
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
