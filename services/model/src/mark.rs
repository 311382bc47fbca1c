//! When something happened first: the order of events that makes the fold independent of the order of arrival.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::event::Event;
use crate::event_id::EventId;

/// A total order of events: by time, then `event_id`, then contents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// Milliseconds since the Unix epoch; whether corrected or not is the owner's choice.
    pub(crate) at: i64,
    event_id: EventId,
    contents: u64,
}

impl Moment {
    pub(crate) fn corrected(event: &Event<'_>) -> Self {
        Self::at(event, event.corrected_at())
    }

    fn at(event: &Event<'_>, at: i64) -> Self {
        Moment { at, event_id: EventId::of(&event.event_id), contents: event.contents }
    }

    /// Whether it comes after that of an event which counts for `at`.
    pub(crate) fn is_after(&self, event: &Event<'_>, at: i64) -> bool {
        let order = self.at.cmp(&at);
        order
            .then_with(|| (&self.event_id, self.contents).cmp(&(&EventId::of(&event.event_id), event.contents)))
            .is_gt()
    }
}

/// The clocks of one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// By `occurred_at`, as contract section 3 orders the events of a kind.
    pub(crate) first: Moment,
    clock_offset_ms: i64,
    /// Monotonic time and a hash of the boot that it counts from.
    mono: Option<(i64, u64)>,
}

impl Mark {
    fn of(event: &Event<'_>) -> Self {
        let boot = event.boot_id.as_deref().map(|boot| xxh3_64(boot.as_bytes()));
        Mark {
            first: Moment::at(event, event.occurred_at),
            clock_offset_ms: event.clock_offset_ms,
            mono: event.mono_ms.zip(boot),
        }
    }

    /// Milliseconds since the Unix epoch on the server's clock.
    pub(crate) fn corrected(&self) -> i64 {
        self.first.at.saturating_add(self.clock_offset_ms)
    }

    /// Milliseconds from this event to a later one of the same device: by the monotonic clock where both count from
    /// the same boot, else by the device's own clock; 0 where it comes out negative.
    pub(crate) fn device_ms_until(&self, later: &Mark) -> i64 {
        let ms = match (self.mono, later.mono) {
            (Some((from, boot)), Some((to, same))) if boot == same => to.saturating_sub(from),
            _ => later.first.at.saturating_sub(self.first.at),
        };
        ms.max(0)
    }

    /// Milliseconds from this event to a later one of any device, by corrected times; may be negative.
    pub(crate) fn corrected_ms_until(&self, later: &Mark) -> i64 {
        later.corrected().saturating_sub(self.corrected())
    }
}

/// The first event of one kind: its clocks, what it says, and the smallest log time of any record of the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct First<T> {
    pub(crate) mark: Mark,
    pub(crate) log_at: i64,
    pub(crate) detail: T,
}

/// Whether something happened, and when first. Most of it never happens to most calls, so it is a pointer.
pub(crate) type Happened<T> = Option<Box<First<T>>>;

impl<T> First<T> {
    pub(crate) fn of(event: &Event<'_>, log_at: i64, detail: T) -> Self {
        First { mark: Mark::of(event), log_at, detail }
    }

    /// Takes another event of the kind in; true when it changed anything.
    pub(crate) fn offer(&mut self, event: &Event<'_>, log_at: i64, detail: impl FnOnce() -> T) -> bool {
        let sooner = log_at < self.log_at;
        self.log_at = self.log_at.min(log_at);
        let earlier = self.mark.first.is_after(event, event.occurred_at);
        if earlier {
            self.mark = Mark::of(event);
            self.detail = detail();
        }
        earlier || sooner
    }

    /// As [`First::offer`], where there may be none yet.
    pub(crate) fn offer_to(slot: &mut Happened<T>, event: &Event<'_>, log_at: i64, detail: impl FnOnce() -> T) -> bool {
        match slot {
            Some(held) => held.offer(event, log_at, detail),
            None => {
                *slot = Some(Box::new(First::of(event, log_at, detail())));
                true
            }
        }
    }
}
