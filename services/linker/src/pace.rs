//! Keeps the two busy partitions of a slot in step by log time, as far as there is something to read in each.
//!
//! A fetch brings as many bytes of a busy topic as of a quiet one, so the quiet one would be read hours ahead in a backlog:
//! its calls would be judged, written and kept in memory in halves. At the ends of the partitions nothing waits.

use std::time::{Duration, Instant};

use crate::probe::End;
use crate::topics::{ByPlace, Input, Place, Positions};

/// How far a partition may be read ahead of the others of its slot, in milliseconds of log time.
const LEAD_MS: i64 = 1_000;

/// What is kept in step. The internal topic has few records, with the times of their originals, and waits for nobody.
const IN_STEP: [Input; 2] = [Input::Push, Input::Call];

/// How long others wait for a partition of which nothing comes, though there is something.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    held: Vec<Place>,
    /// Where a partition with unread records was, and since when.
    still: ByPlace<(i64, Instant)>,
}

impl Pace {
    /// Finds out which partitions have to wait for others of their slots.
    pub(crate) fn look(&mut self, positions: &Positions, ends: &ByPlace<End>, now: Instant) {
        self.held.clear();
        self.still.retain(|place, _| positions.contains_key(place));
        for (_, slot) in positions.keys().filter(|place| place.0 == Input::Push) {
            let places = IN_STEP.map(|input| (input, *slot));
            let read_to = |place: Place| positions.get(&place).map(|position| position.clock);
            let behind = places.into_iter().filter(|place| self.has_more(*place, positions, ends, now));
            let Some(slowest) = behind.filter_map(read_to).min() else { continue };
            let is_ahead = |place: &Place| read_to(*place).is_some_and(|clock| clock > slowest + LEAD_MS);
            self.held.extend(places.into_iter().filter(is_ahead));
        }
    }

    /// Whether a partition has records that are not read, and gives them.
    fn has_more(&mut self, place: Place, positions: &Positions, ends: &ByPlace<End>, now: Instant) -> bool {
        let (Some(position), Some(end)) = (positions.get(&place), ends.get(&place)) else { return false };
        if end.drained_from <= position.next {
            return false;
        }
        let (next, since) = self.still.entry(place).or_insert((position.next, now));
        if *next != position.next {
            (*next, *since) = (position.next, now);
        }
        now - *since < PATIENCE
    }

    /// What waits since the last look.
    pub(crate) fn held(&self) -> &[Place] {
        &self.held
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::topics::Position;

    const PUSH: Place = (Input::Push, 0);
    const CALL: Place = (Input::Call, 0);

    /// A slot whose topics are read to some offsets and log times, and hold 100 records each.
    struct Slot {
        pace: Pace,
        positions: Positions,
        ends: ByPlace<End>,
        now: Instant,
    }

    impl Slot {
        fn read_to(push: (i64, i64), call: (i64, i64)) -> Self {
            let position = |(next, clock)| Position { next, clock };
            let end =
                |drained_from| End { asked_at: 0, drained_from, end: drained_from, position: 0, is_hiding: false };
            Slot {
                pace: Pace::default(),
                positions: [(PUSH, position(push)), (CALL, position(call))].into_iter().collect(),
                ends: [(PUSH, end(100)), (CALL, end(100))].into_iter().collect(),
                now: Instant::now(),
            }
        }

        fn held(&mut self, seconds_later: u64) -> &[Place] {
            self.now += Duration::from_secs(seconds_later);
            self.pace.look(&self.positions, &self.ends, self.now);
            self.pace.held()
        }
    }

    #[test]
    fn a_partition_waits_for_one_that_is_read_to_an_earlier_time() {
        assert_eq!(Slot::read_to((10, 60_000), (10, 50_000)).held(0), [PUSH]);
        assert_eq!(Slot::read_to((10, 50_000), (10, 60_000)).held(0), [CALL]);
        assert!(Slot::read_to((10, 50_000), (10, 50_900)).held(0).is_empty());
    }

    #[test]
    fn nothing_waits_for_a_partition_that_is_read_to_its_end() {
        assert!(Slot::read_to((10, 60_000), (100, 50_000)).held(0).is_empty());
        let mut unknown = Slot::read_to((10, 60_000), (10, 50_000));
        unknown.ends.remove(&CALL);
        assert!(unknown.held(0).is_empty());
    }

    #[test]
    fn nothing_waits_long_for_a_partition_of_which_nothing_comes() {
        let mut slot = Slot::read_to((10, 60_000), (10, 50_000));
        assert_eq!(slot.held(0), [PUSH]);
        assert_eq!(slot.held(4), [PUSH]);
        assert!(slot.held(1).is_empty());
        slot.positions.insert(CALL, Position { next: 11, clock: 50_001 });
        assert_eq!(slot.held(1), [PUSH]);
    }
}
