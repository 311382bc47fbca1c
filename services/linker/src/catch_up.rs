//! `--until-caught-up`: when everything that was there at the start, and everything it led to, has been read.

use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;

use crate::probe::End;
use crate::run::LinkError;
use crate::topics::{ByPlace, Input, Place, Positions};
use crate::world::Log;

/// How long partitions of others may still come, because those others are gone without a word: longer than a broker waits
/// for a member (45 s by default).
const OTHERS: Duration = Duration::from_secs(60);

/// How often others are looked after.
const PERIOD: Duration = Duration::from_secs(1);

/// How far to read.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    /// Of every partition, whoever reads it; empty before the first is loaded.
    targets: ByPlace<i64>,
    /// What others have committed, as of a moment ago.
    others: ByPlace<i64>,
    asked_at: Option<Instant>,
    /// When partitions were given or taken last.
    changed_at: Option<Instant>,
    /// Something was rerouted since the targets of the internal topic were set.
    pub(crate) has_rerouted: bool,
}

impl CatchUp {
    /// Notes, once, where all partitions end now, with what open transactions still hide.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub(crate) fn aim(&mut self, log: &impl Log, now: Instant) -> Result<(), LinkError> {
        self.changed_at = Some(now);
        if self.targets.is_empty() {
            self.aim_at(log, log.places()?)?;
        }
        Ok(())
    }

    fn aim_at(&mut self, log: &impl Log, places: Vec<Place>) -> Result<(), KafkaError> {
        for place in places {
            self.targets.insert(place, log.bounds(place)?.1);
        }
        Ok(())
    }

    /// Partitions were taken away.
    pub(crate) fn note_loss(&mut self, now: Instant) {
        self.changed_at = Some(now);
    }

    /// Aims again at the ends of the internal topic, which now hold what was rerouted.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub(crate) fn follow_reroutes(&mut self, log: &impl Log) -> Result<(), KafkaError> {
        self.has_rerouted = false;
        let internal = self.targets.keys().copied().filter(|place| place.0 == Input::Internal).collect();
        self.aim_at(log, internal)
    }

    /// How far others have read what is not read here. Asks for it now and then.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub(crate) fn look_after_others(
        &mut self,
        log: &impl Log,
        positions: &Positions,
        now: Instant,
    ) -> Result<&ByPlace<i64>, KafkaError> {
        let others: Vec<Place> = self.targets.keys().copied().filter(|place| !positions.contains_key(place)).collect();
        self.others.retain(|place, _| !positions.contains_key(place));
        if !others.is_empty() && self.asked_at.is_none_or(|at| now - at >= PERIOD) {
            let committed = log.committed(&others)?;
            self.others = others.into_iter().zip(committed.into_iter().map(|offset| offset.unwrap_or(0))).collect();
            self.asked_at = Some(now);
        }
        Ok(&self.others)
    }

    /// Whether every partition was read to its target. Markers of transactions, which can't be read, need the probe's word.
    pub(crate) fn is_reached(&self, positions: &Positions, ends: &ByPlace<End>, now: Instant) -> bool {
        let is_read = |(place, target): (&Place, &i64)| {
            let own = positions.get(place).map(|position| position.next);
            let Some(next) = own.or_else(|| self.others.get(place).copied()) else { return false };
            let is_drained = || ends.get(place).is_some_and(|end| end.end >= *target && next >= end.drained_from);
            next >= *target || is_drained()
        };
        let may_come = || self.changed_at.is_none_or(|at| now - at < OTHERS);
        let has_all = self.targets.len() == positions.len();
        !positions.is_empty() && (has_all || !may_come()) && self.targets.iter().all(is_read)
    }
}
