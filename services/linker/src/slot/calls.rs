//! The calls of a slot, found by their keys or by their seats.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::Equivalent;
use hashbrown::hash_table::{Entry as Found, HashTable};
use ringtrace_model::{CallKey, Uuid};

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
    seats: Seats,
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
        self.by_key.len() - self.parked
    }

    pub(super) fn get(&self, seat: Seat) -> Option<&Entry> {
        self.seats.get(seat)
    }

    pub(super) fn get_mut(&mut self, seat: Seat) -> Option<&mut Entry> {
        self.seats.at(seat)?.as_mut()
    }

    pub(super) fn find(&self, key: KeyRef<'_>) -> Option<Seat> {
        self.find_hashed(key, self.hash(key))
    }

    /// As [`Calls::find`], where the key's hash is known.
    pub(super) fn find_hashed(&self, key: KeyRef<'_>, hash: u64) -> Option<Seat> {
        let is_it = |seat: &Seat| self.get(*seat).is_some_and(|entry| key.equivalent(&entry.key));
        self.by_key.find(hash, is_it).copied()
    }

    /// Gives a call a seat, that of the call which has its key if there is one.
    pub(super) fn insert(&mut self, entry: Entry) -> Seat {
        let hash = self.hash((&entry.key).into());
        let Self { seats, by_key, parked, hasher } = self;
        let is_it = |seat: &Seat| seats.get(*seat).is_some_and(|held| held.key == entry.key);
        let rehash = |seat: &Seat| seats.get(*seat).map_or(0, |held| hasher.hash_one(KeyRef::from(&held.key)));
        match by_key.entry(hash, is_it, rehash) {
            Found::Occupied(held) => {
                let seat = *held.get();
                *parked -= usize::from(seats.get(seat).is_some_and(Entry::is_parked));
                seats.put(seat, entry);
                seat
            }
            Found::Vacant(place) => {
                let seat = seats.take_free();
                seats.put(seat, entry);
                place.insert(seat);
                seat
            }
        }
    }

    /// The call leaves for good.
    pub(super) fn remove(&mut self, seat: Seat) -> Option<Entry> {
        let entry = self.seats.clear(seat)?;
        self.parked -= usize::from(entry.is_parked());
        let hash = self.hash((&entry.key).into());
        if let Ok(held) = self.by_key.find_entry(hash, |held| *held == seat) {
            held.remove();
        }
        Some(entry)
    }

    /// The call leaves memory; that it is open, and when it changes, stays.
    pub(super) fn park(&mut self, seat: Seat) {
        if let Some(entry) = self.get_mut(seat) {
            let was = std::mem::replace(&mut entry.state, State::Parked);
            self.parked += usize::from(!matches!(was, State::Parked));
        }
    }

    /// A call that left memory is back in it.
    pub(super) fn wake(&mut self, seat: Seat, open: Open) {
        if let Some(entry) = self.get_mut(seat) {
            let was = std::mem::replace(&mut entry.state, State::Open(Box::new(open)));
            self.parked -= usize::from(matches!(was, State::Parked));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Seat, &Entry)> {
        let seats = self.seats.chunks.iter().flatten().enumerate();
        seats.filter_map(|(seat, entry)| Some((seat as Seat, entry.as_ref()?)))
    }
}

/// Seats in chunks, so that they grow without being copied, and without room for as many again.
#[derive(Default)]
struct Seats {
    chunks: Vec<Vec<Option<Entry>>>,
    free: Vec<Seat>,
}

impl Seats {
    const CHUNK: usize = 1 << 10;

    fn get(&self, seat: Seat) -> Option<&Entry> {
        self.chunks.get(seat as usize / Self::CHUNK)?.get(seat as usize % Self::CHUNK)?.as_ref()
    }

    fn at(&mut self, seat: Seat) -> Option<&mut Option<Entry>> {
        self.chunks.get_mut(seat as usize / Self::CHUNK)?.get_mut(seat as usize % Self::CHUNK)
    }

    /// A seat that nobody has, to be filled at once.
    fn take_free(&mut self) -> Seat {
        if let Some(seat) = self.free.pop() {
            return seat;
        }
        if self.chunks.last().is_none_or(|last| last.len() == Self::CHUNK) {
            self.chunks.push(Vec::with_capacity(Self::CHUNK));
        }
        let before = (self.chunks.len() - 1) * Self::CHUNK;
        let last = self.chunks.last_mut().map_or(0, |last| {
            last.push(None);
            last.len() - 1
        });
        (before + last) as Seat
    }

    fn put(&mut self, seat: Seat, entry: Entry) {
        if let Some(place) = self.at(seat) {
            *place = Some(entry);
        }
    }

    fn clear(&mut self, seat: Seat) -> Option<Entry> {
        let entry = self.at(seat)?.take()?;
        self.free.push(seat);
        Some(entry)
    }
}
