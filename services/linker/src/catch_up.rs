//! `--until-caught-up`: when everything that was there at the start, and everything it led to, has been read.

use rdkafka::error::KafkaError;

use crate::probe::End;
use crate::topics::{ByPlace, Input, Place, Positions};
use crate::world::Log;

/// How far to read.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    targets: ByPlace<i64>,
    /// Something was rerouted since the targets of the internal topic were set.
    pub(crate) has_rerouted: bool,
}

impl CatchUp {
    /// Notes where partitions that were just loaded end now, with what open transactions still hide.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub(crate) fn aim(&mut self, log: &impl Log, places: impl Iterator<Item = Place>) -> Result<(), KafkaError> {
        for place in places {
            self.targets.insert(place, log.bounds(place)?.1);
        }
        Ok(())
    }

    /// What was taken away is the next owner's to read.
    pub(crate) fn forget(&mut self, place: Place) {
        self.targets.remove(&place);
    }

    /// Aims again at the ends of the internal topic, which now hold what was rerouted.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub(crate) fn follow_reroutes(&mut self, log: &impl Log) -> Result<(), KafkaError> {
        self.has_rerouted = false;
        let internal: Vec<Place> = self.targets.keys().copied().filter(|place| place.0 == Input::Internal).collect();
        self.aim(log, internal.into_iter())
    }

    /// Whether every partition was read to its target. Markers of transactions, which can't be read, need the probe's word.
    pub(crate) fn is_reached(&self, positions: &Positions, ends: &ByPlace<End>) -> bool {
        let is_read = |(place, target): (&Place, &i64)| {
            let Some(position) = positions.get(place) else { return false };
            let is_drained =
                || ends.get(place).is_some_and(|end| end.end >= *target && position.next >= end.drained_from);
            position.next >= *target || is_drained()
        };
        !positions.is_empty() && self.targets.len() == positions.len() && self.targets.iter().all(is_read)
    }
}
