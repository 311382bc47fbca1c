//! Dead letters: reading them from their topic.

#[allow(clippy::module_inception, reason = "a file for what a letter is")]
mod letter;
mod reader;

use rdkafka::error::KafkaError;

pub use letter::{Letter, Position};
pub use reader::{find, read, read_newest};

/// Why letters can't be read.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The brokers don't answer.
    #[error("Kafka at {brokers} does not answer: is kafka.brokers right?")]
    Unreachable {
        /// `kafka.brokers`.
        brokers: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// The topic is not there.
    #[error("topic {topic} does not exist: `ringtrace migrate` creates it")]
    Missing {
        /// The topic.
        topic: String,
    },
    /// Nothing came for long.
    #[error("topic {topic} was silent for {seconds} s")]
    Silent {
        /// The topic.
        topic: String,
        /// How long.
        seconds: u64,
    },
    /// There is no letter at a position.
    #[error("there is no dead letter at {position}")]
    None {
        /// The position.
        position: Position,
    },
    /// Kafka refuses.
    #[error("dead letters can't be read")]
    Kafka(#[from] KafkaError),
}
