//! The calls of a slot, found by their keys or by their seats.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::Equivalent;
use hashbrown::hash_table::{Entry as Found, HashTable};
use ringtrace_model::{CallKey, Uuid};
use slab::Slab;

use super::entry::{Entry, Open, State};

/// Where a call is. When it leaves, another call may take its seat.
pub(super) type Seat = u32;

/// A call's key as an event has it.
#[derive(Clone, Copy, Hash)]
pub(super) struct KeyRef<'a> {
    pub(super) tenant_id: &'a str,
    pub(super) call_uuid: Uuid,
}

impl<'a> From<&'a CallKey> for KeyRef<'a> {
    fn from(key: &'a CallKey) -> Self {
        KeyRef { tenant_id: &key.tenant_id, call_uuid: key.call_uuid }
    }
}

impl Equivalent<CallKey> for KeyRef<'_> {
    fn equivalent(&self, key: &CallKey) -> bool {
        self.call_uuid == key.call_uuid && self.tenant_id == key.tenant_id
    }
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Calls {
    seats: Slab<Entry>,
    by_key: HashTable<Seat>,
    /// How many have left memory before their last change.
    parked: usize,
    hasher: FixedState,
}

impl Calls {
    /// The hash of a key, the same in every process.
    pub(super) fn hash(&self, key: KeyRef<'_>) -> u64 {
        self.hasher.hash_one(key)
    }

    /// How many calls are in memory.
    pub(super) fn in_memory(&self) -> usize {
        self.seats.len() - self.parked
    }

    pub(super) fn get(&self, seat: Seat) -> Option<&Entry> {
        self.seats.get(seat as usize)
    }

    pub(super) fn get_mut(&mut self, seat: Seat) -> Option<&mut Entry> {
        self.seats.get_mut(seat as usize)
    }

    pub(super) fn find(&self, key: KeyRef<'_>) -> Option<Seat> {
        self.find_hashed(key, self.hash(key))
    }

    /// As [`Calls::find`], where the key's hash is known.
    pub(super) fn find_hashed(&self, key: KeyRef<'_>, hash: u64) -> Option<Seat> {
        let is_it = |seat: &Seat| self.get(*seat).is_some_and(|entry| key.equivalent(&entry.key));
        self.by_key.find(hash, is_it).copied()
    }

    /// Gives a call a seat, in place of what there was under its key.
    pub(super) fn insert(&mut self, entry: Entry) -> Seat {
        let hash = self.hash((&entry.key).into());
        let Self { seats, by_key, hasher, .. } = self;
        let key_of = |seat: &Seat| seats.get(*seat as usize).map(|entry| &entry.key);
        let rehash = |seat: &Seat| key_of(seat).map_or(0, |key| hasher.hash_one(KeyRef::from(key)));
        let found = by_key.entry(hash, |seat| key_of(seat) == Some(&entry.key), rehash);
        match found {
            Found::Occupied(held) => {
                let seat = *held.get();
                if let Some(held) = seats.get_mut(seat as usize) {
                    self.parked -= usize::from(held.is_parked());
                    *held = entry;
                }
                seat
            }
            Found::Vacant(place) => {
                let seat = seats.vacant_key() as Seat;
                place.insert(seat);
                seats.insert(entry);
                seat
            }
        }
    }

    /// The call leaves for good.
    pub(super) fn remove(&mut self, seat: Seat) -> Option<Entry> {
        let entry = self.seats.try_remove(seat as usize)?;
        self.parked -= usize::from(entry.is_parked());
        let hash = self.hash((&entry.key).into());
        if let Ok(held) = self.by_key.find_entry(hash, |held| *held == seat) {
            held.remove();
        }
        Some(entry)
    }

    /// The call leaves memory; that it is open, and when it changes, stays.
    pub(super) fn park(&mut self, seat: Seat) {
        if let Some(entry) = self.seats.get_mut(seat as usize) {
            self.parked += usize::from(!entry.is_parked());
            entry.state = State::Parked;
        }
    }

    /// A call that left memory is back in it.
    pub(super) fn wake(&mut self, seat: Seat, open: Open) {
        if let Some(entry) = self.seats.get_mut(seat as usize) {
            self.parked -= usize::from(entry.is_parked());
            entry.state = State::Open(Box::new(open));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Seat, &Entry)> {
        self.seats.iter().map(|(seat, entry)| (seat as Seat, entry))
    }
}
