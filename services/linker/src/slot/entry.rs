//! A call of a slot.

use std::borrow::Cow;

use compact_str::CompactString;
use ringtrace_model::{Call, CallKey, StoredEvent};

use crate::state::{CallRecord, MAX_STATE_BYTES, Published, StateError};

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

/// A call, and what a slot knows of it without looking inside.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: CallKey,
    pub(crate) state: State,
    /// Log time at which the call changes by itself; `None` once settled.
    pub(crate) next_change_at: Option<i64>,
    /// Sequence of the last flush that wrote the call; of one that was loaded, the last that was acknowledged then.
    pub(crate) written_in: u64,
    pub(crate) past: Past,
    /// The slot has seen the call before it came into memory.
    pub(crate) seen_before: bool,
    /// It is here only because a request has named it.
    pub(crate) visits: bool,
    /// The changelog has a record of the call.
    pub(crate) recorded: bool,
    pub(crate) dirty: bool,
}

/// How a call is held.
#[derive(Debug)]
pub(crate) enum State {
    /// Open to events, and some time after the last.
    Open(Box<Open>),
    /// As its record in the changelog.
    Packed(Box<[u8]>),
    /// As its record, squeezed by the slot's dictionary, which takes a tenth of the memory of an open call.
    Squeezed(Box<[u8]>),
    /// Not in memory: looked up when an event or its time comes.
    Parked,
}

/// What an open call is made of.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) call: Call,
    /// Log time at which the call was first seen, cut to ten minutes, in seconds since the Unix epoch.
    pub(crate) first_seen: u32,
    /// The call was judged under that slice: its rows are there, or will be.
    pub(crate) keeps_slice: bool,
    /// Log time before which ClickHouse should know nothing of an unchecked call.
    pub(crate) unknown_since: i64,
    /// Log time of the last change.
    pub(crate) updated_at: i64,
    pub(crate) published: Vec<Published>,
    /// Legs to be written as deleted.
    pub(crate) removed: Vec<CompactString>,
    /// Rows in the slot's events block whose `first_seen` is not certain.
    pub(crate) rows: Vec<usize>,
    /// How it was held when an event came, until something changes.
    pub(crate) before: Option<State>,
}

impl Entry {
    /// A call of which nothing is known but its key.
    pub(crate) fn new(key: CallKey, state: State) -> Self {
        Entry {
            key,
            state,
            next_change_at: None,
            written_in: 0,
            past: Past::Wanted,
            seen_before: false,
            visits: false,
            recorded: false,
            dirty: false,
        }
    }

    /// An open call, to change it.
    pub(crate) fn open(&mut self) -> Option<&mut Open> {
        match &mut self.state {
            State::Open(open) => {
                open.before = None;
                Some(open)
            }
            State::Packed(_) | State::Squeezed(_) | State::Parked => None,
        }
    }

    /// Whether nothing happens to the call by itself any more.
    pub(crate) fn is_settled(&self) -> bool {
        self.past == Past::Known && self.next_change_at.is_none()
    }

    pub(crate) fn is_parked(&self) -> bool {
        matches!(self.state, State::Parked)
    }
}

impl Open {
    /// A call without events yet.
    pub(crate) fn begun_at(first_seen: u32, log_at: i64) -> Self {
        Open {
            call: Call::default(),
            first_seen,
            keeps_slice: false,
            unknown_since: log_at,
            updated_at: log_at,
            published: Vec::new(),
            removed: Vec::new(),
            rows: Vec::new(),
            before: None,
        }
    }

    /// The record of the flush `sequence`; `call` is the encoded call, where the record is to hold it.
    pub(crate) fn record<'a>(
        &'a self,
        sequence: u64,
        next_change_at: Option<i64>,
        past: Past,
        call: Option<&'a [u8]>,
    ) -> CallRecord<'a> {
        CallRecord {
            sequence,
            first_seen: self.first_seen,
            updated_at: self.updated_at,
            next_change_at,
            published: Cow::Borrowed(&self.published),
            unchecked_since: (past == Past::Unchecked).then_some(self.unknown_since),
            removed: Cow::Borrowed(&self.removed),
            call: call.filter(|call| call.len() <= MAX_STATE_BYTES),
        }
    }

    /// What a record of the changelog holds, and whether that is all of the call, or why not. Its deleted legs are written
    /// already.
    pub(crate) fn unpack(record: &[u8]) -> (Self, Result<bool, StateError>) {
        let record = match CallRecord::decode(record) {
            Ok(record) => record,
            Err(error) => return (Self::begun_at(0, 0), Err(error)),
        };
        let (call, read) = match record.call.map(Call::decode) {
            Some(Ok(call)) => (call, Ok(true)),
            Some(Err(error)) => (Call::default(), Err(error.into())),
            None => (Call::default(), Ok(false)),
        };
        let open = Open {
            call,
            first_seen: record.first_seen,
            keeps_slice: record.unchecked_since.is_none(),
            unknown_since: record.unchecked_since.unwrap_or(record.updated_at),
            updated_at: record.updated_at,
            published: record.published.into_owned(),
            removed: Vec::new(),
            rows: Vec::new(),
            before: None,
        };
        (open, read)
    }
}

/// An event of the history.
#[derive(Clone, Debug)]
pub struct PastEvent {
    /// As it is stored.
    pub event: StoredEvent,
    /// Its log time, in milliseconds since the Unix epoch.
    pub log_at: i64,
    /// When its call was first seen, as its row says, in seconds since the Unix epoch; 0 for events that are history only.
    pub first_seen: u32,
}

/// What ClickHouse knows of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) events: Vec<PastEvent>,
    pub(crate) published: Vec<Published>,
    /// `first_seen` under which its rows are, in seconds since the Unix epoch.
    pub(crate) first_seen: Option<u32>,
}
