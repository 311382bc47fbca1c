//! A call in a slot's memory.

use compact_str::CompactString;
use ringtrace_model::{Call, StoredEvent};

use crate::state::Published;

/// What is known of a call's events before it was in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// All of them are folded in.
    Known,
    /// Taken for none, which is yet to be checked in the background: neither rows nor verdicts before.
    Unchecked,
    /// To be folded in before the next flush.
    Wanted,
}

/// A call in memory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) call: Call,
    /// Log time at which the call was first seen, cut to ten minutes, in seconds since the Unix epoch.
    pub(crate) first_seen: u32,
    /// Log time before which ClickHouse should know nothing of an unchecked call.
    pub(crate) unknown_since: i64,
    /// Log time of the last change.
    pub(crate) updated_at: i64,
    /// Log time at which the call changes by itself; `None` once settled.
    pub(crate) next_change_at: Option<i64>,
    pub(crate) published: Vec<Published>,
    /// Legs to be written as deleted.
    pub(crate) removed: Vec<CompactString>,
    pub(crate) past: Past,
    /// The slot has seen the call before it came into memory.
    pub(crate) seen_before: bool,
    /// It is here only because a request has named it.
    pub(crate) visits: bool,
    /// The changelog has a record of the call.
    pub(crate) recorded: bool,
    pub(crate) dirty: bool,
    /// Sequence of the last flush that wrote the call.
    pub(crate) written_in: u64,
    /// Rows in the slot's events block whose `first_seen` is not certain.
    pub(crate) rows: Vec<usize>,
}

impl Entry {
    pub(crate) fn begun_at(first_seen: u32, log_at: i64) -> Self {
        Entry {
            call: Call::default(),
            first_seen,
            unknown_since: log_at,
            updated_at: log_at,
            next_change_at: None,
            published: Vec::new(),
            removed: Vec::new(),
            past: Past::Wanted,
            seen_before: false,
            visits: false,
            recorded: false,
            dirty: false,
            written_in: 0,
            rows: Vec::new(),
        }
    }
}

/// An event of the history.
#[derive(Clone, Debug)]
pub(crate) struct PastEvent {
    pub(crate) event: StoredEvent,
    /// Milliseconds since the Unix epoch.
    pub(crate) log_at: i64,
    /// When its call was first seen, as its row says; 0 for events that are history only.
    pub(crate) first_seen: u32,
}

/// What ClickHouse knows of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) events: Vec<PastEvent>,
    pub(crate) published: Vec<Published>,
    /// `first_seen` under which its rows are, in seconds since the Unix epoch.
    pub(crate) first_seen: Option<u32>,
}
