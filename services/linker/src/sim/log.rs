//! The simulated Kafka log: partitions, transactions with their markers, compaction.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rdkafka::message::{BorrowedHeaders, OwnedHeaders};

use crate::record::HasHeaders;
use crate::state::HEADER_KEY;
use crate::topics::{Input, Place};

/// A topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Input(Input),
    Calls,
    Verdicts,
    DeadLetters,
}

/// A partition of a topic.
pub(super) type Part = (Topic, i32);

/// A record, or the marker that ends a transaction.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) offset: i64,
    /// Milliseconds since the Unix epoch.
    pub(super) at: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: OwnedHeaders,
    pub(super) transaction: Option<usize>,
    is_marker: bool,
}

impl HasHeaders for Entry {
    fn get(&self) -> Option<&BorrowedHeaders> {
        Some(self.headers.as_borrowed())
    }
}

#[derive(Debug, Default)]
struct Partition {
    entries: Vec<Rc<Entry>>,
    first: i64,
    next: i64,
}

/// A transaction.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// Committed or aborted; `None` while it is open.
    pub(super) decision: Option<bool>,
    /// First offset in each partition in which no marker has ended it yet.
    open_in: BTreeMap<Part, i64>,
    /// Offsets to be committed with it, until the group's marker.
    pub(super) offsets: Option<BTreeMap<Place, i64>>,
    /// Partitions of the call topics in the generation that has sent the offsets.
    pub(super) partitions: i32,
    /// Everything written, for the checks.
    pub(super) written: Vec<(Part, Rc<Entry>)>,
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Log {
    partitions: BTreeMap<Part, Partition>,
    pub(super) transactions: Vec<Transaction>,
    /// Transactions that are open, or decided and not yet ended everywhere.
    pub(super) unended: BTreeSet<usize>,
}

/// What a record is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) at: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: OwnedHeaders,
}

impl Log {
    /// Appends a record; its offset.
    pub(super) fn append(&mut self, part: Part, written: Written, transaction: Option<usize>) -> i64 {
        let Written { at, key, value, headers } = written;
        let partition = self.partitions.entry(part).or_default();
        let offset = partition.next;
        let entry = Rc::new(Entry { offset, at, key, value, headers, transaction, is_marker: false });
        partition.entries.push(Rc::clone(&entry));
        partition.next += 1;
        if let Some(id) = transaction {
            self.transactions[id].open_in.entry(part).or_insert(offset);
            self.transactions[id].written.push((part, entry));
        }
        offset
    }

    /// Opens a transaction.
    pub(super) fn begin(&mut self) -> usize {
        self.transactions.push(Transaction::default());
        self.unended.insert(self.transactions.len() - 1);
        self.transactions.len() - 1
    }

    /// Writes one marker of a decided transaction; the group's offsets when it was theirs. None when it has ended.
    pub(super) fn end_somewhere(&mut self, id: usize, choose: usize) -> Option<Option<BTreeMap<Place, i64>>> {
        let transaction = &mut self.transactions[id];
        transaction.decision?;
        let count = transaction.open_in.len() + usize::from(transaction.offsets.is_some());
        if count == 0 {
            self.unended.remove(&id);
            return None;
        }
        let is_commit = transaction.decision == Some(true);
        let part = transaction.open_in.keys().nth(choose % count).copied();
        let offsets = if part.is_none() { transaction.offsets.take() } else { None };
        if count == 1 {
            self.unended.remove(&id);
        }
        let Some(part) = part else { return Some(offsets.filter(|_| is_commit)) };
        transaction.open_in.remove(&part);
        let partition = self.partitions.entry(part).or_default();
        let offset = partition.next;
        partition.next += 1;
        partition.entries.push(Rc::new(Entry {
            offset,
            at: 0,
            key: None,
            value: None,
            headers: OwnedHeaders::new(),
            transaction: Some(id),
            is_marker: true,
        }));
        Some(None)
    }

    /// First offset, and the end of all records.
    pub(super) fn bounds(&self, part: Part) -> (i64, i64) {
        self.partitions.get(&part).map_or((0, 0), |partition| (partition.first, partition.next))
    }

    /// Where the records end that a reader of committed ones may see.
    pub(super) fn stable_end(&self, part: Part) -> i64 {
        let open = self.unended.iter().filter_map(|id| self.transactions[*id].open_in.get(&part)).min();
        open.copied().unwrap_or_else(|| self.bounds(part).1)
    }

    /// Transactions that have not ended in a partition.
    pub(super) fn open_in(&self, part: Part) -> Option<usize> {
        self.unended.iter().copied().find(|id| self.transactions[*id].open_in.contains_key(&part))
    }

    /// The first record at or after an offset that a reader of committed ones sees.
    pub(super) fn read(&self, part: Part, from: i64) -> Option<Rc<Entry>> {
        let end = self.stable_end(part);
        self.from(part, from).take_while(|entry| entry.offset < end).find(|entry| self.is_committed(entry)).cloned()
    }

    /// All records at or after an offset that are or may yet be committed.
    pub(super) fn unread(&self, part: Part, from: i64) -> impl Iterator<Item = &Rc<Entry>> {
        let aborted = |entry: &Entry| entry.transaction.is_some_and(|id| self.transactions[id].decision == Some(false));
        self.from(part, from).filter(move |entry| !entry.is_marker && !aborted(entry))
    }

    fn from(&self, part: Part, from: i64) -> impl Iterator<Item = &Rc<Entry>> {
        let entries = self.partitions.get(&part).map_or(&[][..], |partition| &partition.entries);
        let place = entries.partition_point(|entry| entry.offset < from);
        entries[place..].iter()
    }

    fn is_committed(&self, entry: &Entry) -> bool {
        let is_kept = |id: usize| self.transactions[id].decision == Some(true);
        !entry.is_marker && entry.transaction.is_none_or(is_kept)
    }

    /// Deletes records before an offset.
    pub(super) fn delete_before(&mut self, part: Part, offset: i64) {
        if let Some(partition) = self.partitions.get_mut(&part) {
            partition.first = partition.first.max(offset.min(partition.next));
            partition.entries.retain(|entry| entry.offset >= partition.first);
        }
    }

    /// Compacts a partition of the changelog: of each key the last committed record stays, of what is stable.
    pub(super) fn compact(&mut self, partition: i32, drops_tombstones: bool) {
        let part = (Topic::Calls, partition);
        let end = self.stable_end(part);
        let mut last = BTreeMap::new();
        for entry in self.from(part, 0).filter(|entry| entry.offset < end && self.is_committed(entry)) {
            last.insert(entry.key.clone(), entry.offset);
        }
        let stays = |entry: &Entry| {
            let is_last = self.is_committed(entry) && last.get(&entry.key) == Some(&entry.offset);
            let is_spent = drops_tombstones && entry.value.is_none() && entry.key.as_deref() != Some(HEADER_KEY);
            entry.offset >= end || (is_last && !is_spent)
        };
        let Some(held) = self.partitions.get(&part) else { return };
        let kept = held.entries.iter().filter(|entry| stays(entry)).cloned().collect();
        if let Some(held) = self.partitions.get_mut(&part) {
            held.entries = kept;
        }
    }
}
