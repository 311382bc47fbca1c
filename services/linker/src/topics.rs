//! The four topics that the linker reads, and where it is in their partitions.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use ringtrace_kit::config::Kafka;

/// Which of the input topics a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Input {
    Push,
    Call,
    Internal,
    Device,
}

impl Input {
    /// Those of slots first.
    pub(crate) const ALL: [Input; 4] = [Input::Push, Input::Call, Input::Internal, Input::Device];

    /// The topics whose partitions of one index make a slot.
    pub(crate) const OF_SLOT: [Input; 3] = [Input::Push, Input::Call, Input::Internal];
}

/// A partition of an input topic.
pub(crate) type Place = (Input, i32);

/// Names of the input topics.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    push: Arc<str>,
    call: Arc<str>,
    internal: Arc<str>,
    device: Arc<str>,
}

impl Inputs {
    pub(crate) fn new(push: &str, call: &str, internal: &str, device: &str) -> Self {
        Inputs { push: push.into(), call: call.into(), internal: internal.into(), device: device.into() }
    }

    /// As they are configured.
    pub(crate) fn of(kafka: &Kafka) -> Self {
        Self::new(&kafka.push_topic, &kafka.call_topic, &kafka.internal_topic, &kafka.device_topic)
    }

    pub(crate) fn name(&self, input: Input) -> &Arc<str> {
        match input {
            Input::Push => &self.push,
            Input::Call => &self.call,
            Input::Internal => &self.internal,
            Input::Device => &self.device,
        }
    }

    pub(crate) fn find(&self, topic: &str) -> Option<Input> {
        Input::ALL.into_iter().find(|input| **self.name(*input) == *topic)
    }

    /// Whether a source, `topic/partition/offset`, is a record of the topic.
    pub(crate) fn is_source(&self, input: Input, source: &str) -> bool {
        source.rsplitn(3, '/').nth(2) == Some(self.name(input))
    }

    pub(crate) fn all(&self) -> [&str; 4] {
        [&self.push, &self.call, &self.internal, &self.device]
    }
}

/// How far a partition was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Offset of the next record.
    pub(crate) next: i64,
    /// The partition's part in the log clock, in milliseconds since the Unix epoch; 0 before anything is known.
    pub(crate) clock: i64,
}

/// Something for each of some partitions. The order in which it is gone through is the same in every process.
pub(crate) type ByPlace<T> = HashMap<Place, T, FixedState>;

/// Positions of all partitions that this instance reads.
pub(crate) type Positions = ByPlace<Position>;
