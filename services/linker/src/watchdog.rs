//! Notices partitions that hold records, and from which none come: librdkafka was seen to leave a partition paused, or not
//! fetched, for ever.

use std::time::Duration;

use crate::probe::End;
use crate::topics::{ByPlace, Place, Positions};

/// How often the watchdog looks.
pub(crate) const PERIOD: Duration = Duration::from_secs(1);

/// Looks at which a partition has not moved, though the consumer had time for it.
const IDLE_LOOKS: u32 = 30;

/// Looks at which it has not moved, though the consumer was busy with others.
const BUSY_LOOKS: u32 = 300;

/// What to do about a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Fetch it anew.
    Seek(i64),
    /// Begin again, with another consumer: fetching it anew did not help.
    BeginAgain,
}

/// How long a partition has not moved.
#[derive(Clone, Copy, Debug)]
struct Still {
    next: i64,
    idle: u32,
    looks: u32,
    was_sought: bool,
}

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    still: ByPlace<Still>,
    /// Since the last look the consumer had nothing to give.
    pub(crate) was_idle: bool,
}

impl Watchdog {
    /// Looks at how far everything was read, and where it ends. Not called while reading has to wait; `held` waits for others.
    pub(crate) fn look(&mut self, positions: &Positions, ends: &ByPlace<End>, held: &[Place]) -> Vec<(Place, Remedy)> {
        let was_idle = std::mem::take(&mut self.was_idle);
        self.still.retain(|place, _| positions.contains_key(place));
        let mut stuck = Vec::new();
        for (place, position) in positions {
            let has_lag = ends.get(place).is_some_and(|end| end.drained_from > position.next);
            let new = Still { next: position.next, idle: 0, looks: 0, was_sought: false };
            let still = self.still.entry(*place).or_insert(new);
            if !has_lag || still.next != position.next || held.contains(place) {
                *still = new;
                continue;
            }
            still.looks += 1;
            still.idle += u32::from(was_idle);
            if still.idle >= IDLE_LOOKS || still.looks >= BUSY_LOOKS {
                let remedy = if still.was_sought { Remedy::BeginAgain } else { Remedy::Seek(position.next) };
                stuck.push((*place, remedy));
                *still = Still { was_sought: true, ..new };
            }
        }
        stuck
    }
}
