//! A slot: one partition index over the call topics and the internal topic, as a single-threaded state machine.
//!
//! It folds events, keeps open calls and their timers, and cuts flushes. It does no I/O: what it wants to know (histories)
//! and what it wants done (flushes) passes through its methods.

#[cfg(test)]
mod audit;
mod calls;
mod cut;
mod entry;
mod memory;
mod queue;
mod rest;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use calls::{Calls, KeyRef, Seat};
pub(crate) use cut::SlotFlush;
pub(crate) use entry::History;
pub use entry::PastEvent;
use entry::{Entry, Open, Past, State};
use queue::Queue;
use rest::Dictionary;
use ringtrace_model::{CallKey, Event, Kind, Known, Rules, Scope};

use crate::filter::RecentCalls;
use crate::native::Block;
use crate::state::Header;
use crate::tables::{EVENTS, EventMeta, put_event};

/// Length of the slices of log time by which the rows of calls are laid out, in milliseconds.
const SLICE_MS: i64 = 600_000;

/// How far the log clock may go on before a slot without work says so, in milliseconds: others can't tell it from a late one.
const SILENCE_MS: i64 = 2_000;

/// Limits of a slot's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Calls in memory before those whose rows are acknowledged leave.
    pub(crate) calls: usize,
    /// How long a settled call stays, in milliseconds of log time, so that its late events need no look-up.
    pub(crate) settled_ms: i64,
}

/// One partition index. See the module's text.
pub(crate) struct Slot {
    partition: i32,
    rules: Rules,
    limits: Limits,
    header: Header,
    /// Calls that come from the changelog are judged with the next flush, though nothing has happened to them.
    pub(crate) judges_again: bool,
    calls: Calls,
    /// Log times at which calls change by themselves; an entry counts only while the call in its seat says the same.
    timers: BinaryHeap<Reverse<(i64, Seat)>>,
    /// Calls in the order of their flushes.
    idle: Queue,
    dictionary: Dictionary,
    /// Calls that are in memory only because a request has named them, with the flush that wrote them.
    visitors: Vec<(Seat, u64)>,
    /// Calls that the last flush has written as settled: their records have done their work when their rows are acknowledged.
    settled: Vec<Seat>,
    /// A request came since the last flush: the next one says how far the slot has come, even without anything else in it.
    has_request: bool,
    /// The log clock of the last flush.
    told: i64,
    dirty: Vec<Seat>,
    /// Calls whose history has to be folded in before the next flush.
    wanted: Vec<Seat>,
    /// Calls that were taken for new without a look-up, since which log time.
    unchecked: Vec<(CallKey, i64)>,
    /// Calls that left for good since the last flush.
    gone: Vec<CallKey>,
    /// Records of calls that other slots have left behind, by the partition of the changelog.
    left_behind: Vec<(i32, CallKey)>,
    recent: RecentCalls,
    events: Block,
    spare: cut::Spare,
}

impl Slot {
    /// A slot without calls, which goes on from `header`.
    pub(crate) fn new(partition: i32, rules: Rules, limits: Limits, header: Header) -> Self {
        Slot {
            partition,
            rules,
            limits,
            header,
            judges_again: false,
            calls: Calls::default(),
            timers: BinaryHeap::new(),
            idle: Queue::default(),
            dictionary: Dictionary::default(),
            visitors: Vec::new(),
            settled: Vec::new(),
            has_request: false,
            told: header.log_clock,
            dirty: Vec::new(),
            wanted: Vec::new(),
            unchecked: Vec::new(),
            gone: Vec::new(),
            left_behind: Vec::new(),
            recent: RecentCalls::since(header.newest_log_at),
            events: Block::new(&EVENTS),
            spare: cut::Spare::default(),
        }
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    /// Milliseconds since the Unix epoch; 0 before anything is known.
    pub(crate) fn log_clock(&self) -> i64 {
        self.header.log_clock
    }

    /// Calls in memory.
    pub(crate) fn open_calls(&self) -> usize {
        self.calls.in_memory()
    }

    /// Whether there is anything to write.
    pub(crate) fn has_work(&self) -> bool {
        let is_tidy = self.gone.is_empty() && self.left_behind.is_empty() && !self.has_request;
        self.events.rows() > 0 || !self.dirty.is_empty() || !is_tidy
    }

    /// Whether a flush should say how far the log clock has come, even without anything else in it.
    pub(crate) fn is_silent(&self) -> bool {
        self.header.log_clock - self.told >= SILENCE_MS
    }

    /// Takes in an event of a call of this slot: its row, and its effect on the call. True when it changed the call.
    pub(crate) fn fold(&mut self, event: &Event<'_>, meta: EventMeta<'_>) -> bool {
        if event.scope() == Scope::History {
            put_event(&mut self.events, event, meta, 0);
            return false;
        }
        self.header.newest_log_at = self.header.newest_log_at.max(meta.log_at);
        let key = KeyRef { tenant_id: &event.tenant_id, call_uuid: event.call_uuid.unwrap_or_default() };
        let hash = self.calls.hash(key);
        let (seat, begins) = match self.calls.find_hashed(key, hash) {
            Some(seat) if self.unpack(seat) => (seat, false),
            held => (self.begin(key, hash, meta.log_at, held.is_some()), true),
        };
        let is_new = self.is_provably_new(event, meta.log_at);
        let Some(entry) = self.calls.get_mut(seat) else { return false };
        let State::Open(open) = &mut entry.state else { return false };
        if is_new && entry.past == Past::Wanted && !entry.seen_before {
            entry.past = Past::Unchecked;
            // Not the log time of its first event: where producers' clocks differ, older events may be logged later.
            open.unknown_since = self.recent.span_begins();
            self.unchecked.push((entry.key.clone(), open.unknown_since));
        } else if begins {
            self.wanted.push(seat);
        }
        if entry.past == Past::Wanted {
            open.rows.push(self.events.rows());
        }
        put_event(&mut self.events, event, meta, open.first_seen);
        let changed = open.call.apply(event, meta.log_at);
        if changed {
            open.updated_at = open.updated_at.max(meta.log_at);
            open.before = None;
            entry.visits = false;
            self.mark_dirty(seat);
        } else if let Some(before) = open.before.take() {
            entry.state = before;
        }
        changed
    }

    /// A call comes into memory, which nothing was known of, or which `was_parked`. Its history is wanted, or taken for none.
    fn begin(&mut self, key: KeyRef<'_>, hash: u64, log_at: i64, was_parked: bool) -> Seat {
        let owned = CallKey { tenant_id: key.tenant_id.into(), call_uuid: key.call_uuid };
        let mut entry = Entry::new(owned, State::Open(Box::new(Open::begun_at(slice_of(log_at), log_at))));
        entry.seen_before = self.recent.note(hash, self.header.newest_log_at) || was_parked;
        entry.recorded = was_parked;
        self.calls.insert(entry)
    }

    /// Opens a call that is packed; false for one that is not in memory. What its record does not hold is looked up.
    fn unpack(&mut self, seat: Seat) -> bool {
        let Some(entry) = self.calls.get_mut(seat) else { return false };
        let (mut open, read) = match &entry.state {
            State::Open(_) => return true,
            State::Parked => return false,
            State::Packed(record) => Open::unpack(record),
            State::Squeezed(record) => Open::unpack(&self.dictionary.unsqueeze(record).unwrap_or_default()),
        };
        let before = std::mem::replace(&mut entry.state, State::Parked);
        let is_whole = read.unwrap_or_else(|error| {
            tracing::warn!(call_uuid = %entry.key.call_uuid, error = &error as &dyn std::error::Error, "open call is looked up");
            false
        });
        if is_whole {
            open.before = Some(before);
        } else {
            entry.past = Past::Wanted;
            entry.seen_before = true;
            self.wanted.push(seat);
        }
        entry.state = State::Open(Box::new(open));
        true
    }

    /// Whether an event can only be the first of its call: the server's, inside the span over which every call is known.
    fn is_provably_new(&self, event: &Event<'_>, log_at: i64) -> bool {
        let first = matches!(event.kind, Kind::Known(Known::CallInitiated | Known::PushSent | Known::PushSuppressed));
        first && self.recent.covers(event.corrected_at()) && self.recent.covers(log_at)
    }

    fn mark_dirty(&mut self, seat: Seat) {
        if let Some(entry) = self.calls.get_mut(seat)
            && !entry.dirty
        {
            entry.dirty = true;
            self.dirty.push(seat);
        }
    }
}

/// A log time cut to ten minutes, in seconds since the Unix epoch, as ClickHouse's `DateTime` holds them.
pub(crate) fn slice_of(log_at: i64) -> u32 {
    u32::try_from(log_at.div_euclid(SLICE_MS) * (SLICE_MS / 1_000)).unwrap_or_default()
}
