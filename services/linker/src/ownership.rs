//! What a rebalance gives and takes: slots are loaded before they are read, and dropped when they are gone.

use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use ringtrace_kit::clickhouse::code;

use crate::consumer::{Change, partition_list, places_of};
use crate::load::{Before, LoadError};
use crate::run::{KAFKA, LinkError};
use crate::session::Session;
use crate::topics::{Input, Place};
use crate::writer::Sink;

/// ClickHouse's code for a table that does not exist.
const UNKNOWN_TABLE: u32 = 60;

/// The newest log time is read off the parts' metadata.
const BEFORE: &str = "
    SELECT greatest(ifNull((SELECT max(sequence) FROM slots_rows), toUInt64(0)),
            ifNull((SELECT max(version) FROM legs_rows), toUInt64(0)), ifNull((SELECT max(version) FROM calls_rows), toUInt64(0))),
        count(), toUnixTimestamp64Milli(max(log_at)) FROM events_rows";

/// How long ClickHouse may take to say so.
const ANSWER: Duration = Duration::from_secs(30);

/// How often a seek is tried.
const SEEKS: u32 = 100;

impl Session<'_> {
    /// Follows the rebalances since the last call.
    pub(crate) fn follow_changes(&mut self) -> Result<(), LinkError> {
        for change in self.consumer.context().take_changes() {
            match change {
                Change::Revoked(places) => self.revoke(&places),
                Change::Assigned(places) => self.assign(places)?,
            }
        }
        Ok(())
    }

    /// Forgets what is not committed: the next owner reads it again. With the classic protocol everything is taken at once.
    fn revoke(&mut self, places: &[Place]) {
        tracing::info!(partitions = places.len(), "partitions were taken away");
        places.iter().for_each(|place| {
            self.owned.remove(place);
        });
        self.reading.forget();
        self.forget_check();
        if let Some(catch_up) = &mut self.catch_up {
            catch_up.forget();
        }
        self.is_stale = true;
    }

    fn assign(&mut self, places: Vec<Place>) -> Result<(), LinkError> {
        tracing::info!(partitions = places.len(), "partitions were assigned");
        self.owned.extend(places);
        // A flush of slots that were just revoked ends first, so that its outcome can be read.
        self.settle()?;
        self.is_stale = false;
        if self.consumer.context().has_changes() {
            // Taken away again meanwhile; the next round says what is owned.
            return Ok(());
        }
        let slots = self.reading.slots.len() as i32;
        if self.owned.iter().any(|place| place.0 != Input::Device && place.1 >= slots) {
            return Err(LinkError::Repartitioned);
        }
        let mut ready: Vec<Place> = self.owned.iter().copied().filter(|place| place.0 == Input::Device).collect();
        let whole = (0..slots).filter(|partition| places_of(*partition).all(|place| self.owned.contains(&place)));
        let whole: Vec<i32> = whole.collect();
        ready.extend(whole.iter().flat_map(|partition| places_of(*partition)));
        self.load(&whole, &ready)?;
        self.linker.health.ready(KAFKA);
        Ok(())
    }

    fn load(&mut self, slots: &[i32], places: &[Place]) -> Result<(), LinkError> {
        if places.is_empty() {
            return Ok(());
        }
        // Stable offsets first: no transaction of an old owner can end after them and change what the changelog says.
        let positions = self.loader.positions(&self.consumer, places)?;
        let before = self.before()?;
        let mut moved = None;
        for partition in slots {
            let (mut slot, is_new) = self.loader.slot(*partition, self.linker.config.rules, self.limits, before)?;
            if is_new {
                // Read once, and only then: the number of partitions has changed, or nothing was there before.
                let moved = match &mut moved {
                    Some(moved) => moved,
                    none => none.insert(self.loader.moved(before.partitions)?),
                };
                moved.remove(partition).into_iter().flatten().for_each(|key| slot.adopt(&key));
            }
            tracing::info!(
                slot = partition,
                open_calls = slot.open_calls(),
                log_clock = slot.log_clock(),
                "slot loaded"
            );
            if let Some(place) = self.reading.slots.get_mut(*partition as usize) {
                *place = Some(slot);
            }
        }
        for (place, next) in positions {
            self.reading.begin(place, next);
            let topic = self.reading.routing.inputs.name(place.0);
            self.seek(topic, place.1, next)?;
        }
        if let Some(catch_up) = &mut self.catch_up {
            catch_up.aim(&self.loader, places.iter().copied())?;
        }
        self.consumer.resume(&partition_list(&self.reading.routing.inputs, places.iter().copied()))?;
        Ok(())
    }

    /// Starts a paused partition at an offset. Refused while librdkafka is still asking for the partition's own.
    fn seek(&self, topic: &str, partition: i32, next: i64) -> Result<(), LinkError> {
        let mut tries = SEEKS;
        loop {
            match self.consumer.seek(topic, partition, Offset::Offset(next), Duration::from_secs(10)) {
                Err(KafkaError::Seek(_)) if tries > 0 => {
                    tries -= 1;
                    std::thread::park_timeout(Duration::from_millis(100));
                }
                sought => return Ok(sought?),
            }
        }
    }

    /// What ClickHouse holds already.
    fn before(&self) -> Result<Before, LinkError> {
        let partitions = self.reading.routing.partitions;
        let Sink::ClickHouse(client) = &self.linker.sink else {
            return Ok(Before { sequence: 0, newest_log_at: i64::MIN, partitions });
        };
        let query = client.query(BEFORE).fetch_one::<(u64, u64, i64)>();
        let answer = self.runtime.block_on(async { tokio::time::timeout(ANSWER, query).await });
        let answer = answer.unwrap_or(Err(clickhouse::error::Error::TimedOut));
        let (sequence, events, newest_log_at) = answer.map_err(|error| {
            if code(&error) == Some(UNKNOWN_TABLE) {
                tracing::error!("tables are missing: `ringtrace migrate` creates them");
            }
            LinkError::from(LoadError::ClickHouse(error))
        })?;
        Ok(Before { sequence, newest_log_at: if events == 0 { i64::MIN } else { newest_log_at }, partitions })
    }
}
