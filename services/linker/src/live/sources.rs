//! What was fetched of each assigned partition, in a queue of its own, so that one can wait while others are read. A pause
//! would drop what was fetched already.

use std::cell::Cell;
use std::sync::Arc;
use std::thread;

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;

use super::fetched::{Fetch, Fetched};
use crate::consumer::Context;
use crate::topics::{Input, Inputs, Place};

/// Records that are taken of a partition before another has its turn.
const TURN: u32 = 64;

/// See the module's text.
#[derive(Default)]
pub(super) struct Sources {
    sources: Vec<Source>,
    /// Whose turn it is, and how many records are left of it.
    turn: Cell<(usize, u32)>,
}

struct Source {
    place: Place,
    fetched: Fetched,
    /// Wakes the reader, and keeps the consumer.
    _queue: PartitionQueue<Context>,
    is_held: bool,
}

impl Sources {
    /// Takes partitions in that were assigned, and from which nothing was fetched yet. What is fetched wakes this thread.
    pub(super) fn add(&mut self, consumer: &Arc<BaseConsumer<Context>>, inputs: &Inputs, places: &[Place]) {
        self.remove(places);
        let reader = thread::current();
        let source = |place: &Place| {
            // What has no queue of its own comes by the consumer's.
            let fetched = Fetched::of(consumer.client(), inputs.name(place.0), place.1)?;
            let mut queue = consumer.split_partition_queue(inputs.name(place.0), place.1)?;
            let reader = reader.clone();
            queue.set_nonempty_callback(move || reader.unpark());
            Some(Source { place: *place, fetched, _queue: queue, is_held: false })
        };
        self.sources.extend(places.iter().filter_map(source));
    }

    /// Leaves out partitions that are another's from now on.
    pub(super) fn remove(&mut self, places: &[Place]) {
        self.sources.retain(|source| !places.contains(&source.place));
        self.turn.set((0, 0));
    }

    /// Forgets what was taken of partitions, which are read no longer, or go on elsewhere.
    pub(super) fn forget(&self, places: &[Place]) {
        let of_these = self.sources.iter().filter(|source| places.contains(&source.place));
        of_these.for_each(|source| source.fetched.forget());
    }

    /// Partitions of which nothing came since fetching failed, and the offset at which it did.
    pub(super) fn failed(&self) -> impl Iterator<Item = (Place, i64)> {
        self.sources.iter().filter_map(|source| Some((source.place, source.fetched.failed_at()?)))
    }

    /// Lets these partitions wait, and no others.
    pub(super) fn hold(&mut self, places: &[Place]) {
        self.sources.iter_mut().for_each(|source| source.is_held = places.contains(&source.place));
    }

    /// The next record that was fetched, of a partition that does not wait.
    pub(super) fn next(&self) -> Option<(Input, KafkaResult<Fetch<'_>>)> {
        let (mut turn, mut left) = self.turn.get();
        for _ in 0..=self.sources.len() {
            if left == 0 {
                (turn, left) = ((turn + 1) % self.sources.len().max(1), TURN);
            }
            let source = self.sources.get(turn)?;
            let taken = if source.is_held { None } else { source.fetched.next() };
            if let Some(taken) = taken {
                self.turn.set((turn, left - 1));
                return Some((source.place.0, taken));
            }
            left = 0;
        }
        None
    }
}
