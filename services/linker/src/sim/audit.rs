//! What must hold at every step: checked when a transaction is decided, and when rows arrive.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use compact_str::CompactString;
use rdkafka::message::{Headers, OwnedHeaders};
use ringtrace_model::{Call, CallKey, Event, Reject, Scope};
use serde_json::Value;

use super::log::{Entry, Log, Part, Topic, Transaction};
use super::plan::Stamps;
use super::relink::{SECOND, rules_of};
use super::rows::Row;
use super::store::{EventKey, ImageKey, Store, Table, image_key, log_at_of, version_of};
use crate::batch::call_partition;
use crate::record::{REASON_HEADER, REQUEST_HEADER, SOURCE_HEADER};
use crate::request::Request;
use crate::slot::PastEvent;
use crate::state::{CallRecord, HEADER_KEY, Header, decode_key, encode_key};
use crate::topics::{Input, Place};

/// A check that failed: its name, and what it saw.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) check: &'static str,
    pub(super) saw: String,
}

pub(super) fn ensure(holds: bool, check: &'static str, saw: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure { check, saw: saw() }) }
}

/// Where a valid or invalid record ends.
#[derive(Debug)]
pub(super) enum Fate {
    DeadLetter(&'static str),
    /// A request to the slot's owner: it ends nowhere, and its calls are written with its offset.
    Request(Request),
    /// Row of `device_events`; forwarded to a call, or not.
    Device(EventKey, Option<CallKey>),
    /// Row of `events`, and what becomes of it in the slot of its call.
    Call(EventKey, CallKey, AtHome),
}

/// What becomes of an event of a call where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtHome {
    Folded,
    HistoryOnly,
    NotStorable,
}

/// A record of an input topic.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) entry: Rc<Entry>,
    pub(super) source: String,
    pub(super) fate: Fate,
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Audit {
    pub(super) known: BTreeMap<(Place, i64), Known>,
    /// Offsets as of the last decided transaction.
    pub(super) offsets: BTreeMap<Place, i64>,
    headers: BTreeMap<i32, Header>,
    /// The changelog's records of settled calls, by its partition: the flush that wrote each.
    settled: BTreeMap<i32, BTreeMap<CallKey, u64>>,
    /// Calls by flush that committed transactions have written.
    flushed: BTreeSet<(CallKey, u64)>,
    images: HashMap<(bool, ImageKey, i64, u64), Row>,
    /// Values and log times of the events that committed transactions have folded.
    folded: HashMap<CallKey, Vec<(Rc<Entry>, i64)>>,
    /// The last published verdict of each leg: version, verdict, evidence.
    pub(super) verdicts: BTreeMap<(CallKey, CompactString), (u64, Value, Value)>,
    /// Dead letters of committed transactions: reason by source.
    pub(super) dead_letters: Vec<(String, String)>,
    pub(super) transactions: usize,
    /// Calls that were linked again by the second rules, as they were asked for.
    pub(super) relinked: BTreeSet<CallKey>,
}

/// What an audit looks at beside its own notes.
pub(super) struct Around<'a> {
    pub(super) log: &'a Log,
    pub(super) store: &'a Store,
    pub(super) stamps: Stamps,
    pub(super) wall_ms: i64,
}

/// The reason of dead letters that ClickHouse will never take.
pub(super) const NOT_STORABLE: &str = "not_storable";

/// What ClickHouse will never take.
pub(super) fn is_poison(event_id: &str) -> bool {
    event_id.starts_with("poison")
}

fn key_of(event: &Event<'_>) -> CallKey {
    CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid: event.call_uuid.unwrap_or_default() }
}

fn fate_of(input: Input, entry: &Entry) -> Fate {
    if let Some(kind) = header_of(&entry.headers, REQUEST_HEADER) {
        return Fate::Request(Request::decode(kind.as_bytes(), entry.value.as_deref()).unwrap());
    }
    let parsed = entry.value.as_deref().map_or(Err(Reject::TOMBSTONE), |value| Event::parse(value, entry.at));
    let event = match parsed {
        Err(reject) => return Fate::DeadLetter(reject.reason.as_str()),
        Ok(event) => event,
    };
    let is_poison = is_poison(&event.event_id);
    let (tenant, id) = (CompactString::from(&*event.tenant_id), CompactString::from(&*event.event_id));
    if input == Input::Device || !event.is_call_event() {
        if is_poison {
            return Fate::DeadLetter(NOT_STORABLE);
        }
        let device = event.device_id.as_deref().unwrap_or_default().into();
        let is_forwarded = input == Input::Device && event.is_forwarded();
        let key = (tenant, ringtrace_model::Uuid::nil(), device, id, event.contents);
        return Fate::Device(key, is_forwarded.then(|| key_of(&event)));
    }
    let key = (tenant, event.call_uuid.unwrap_or_default(), CompactString::default(), id, event.contents);
    let at_home = match event.scope() {
        _ if is_poison => AtHome::NotStorable,
        Scope::History => AtHome::HistoryOnly,
        _ => AtHome::Folded,
    };
    Fate::Call(key, key_of(&event), at_home)
}

pub(super) fn header_of<'h>(headers: &'h OwnedHeaders, name: &str) -> Option<&'h str> {
    let value = headers.iter().filter(|header| header.key == name).last()?.value?;
    std::str::from_utf8(value).ok()
}

impl Audit {
    /// Takes note of a record of an input topic.
    pub(super) fn note(&mut self, place: Place, topic: &str, entry: Rc<Entry>) {
        let own = || format!("{topic}/{}/{}", place.1, entry.offset);
        let source = match place.0 {
            Input::Internal => header_of(&entry.headers, SOURCE_HEADER).map_or_else(own, str::to_owned),
            _ => own(),
        };
        let fate = fate_of(place.0, &entry);
        self.known.insert((place, entry.offset), Known { source, fate, entry });
    }

    /// Checks a transaction that is now committed.
    pub(super) fn commit(
        &mut self,
        id: usize,
        offsets: &BTreeMap<Place, i64>,
        around: &Around<'_>,
    ) -> Result<(), Failure> {
        self.transactions += 1;
        let written = &around.log.transactions[id].written;
        self.advance(offsets, id, around)?;
        let mut slots = BTreeMap::<i32, Vec<&Entry>>::new();
        for ((topic, partition), entry) in written {
            if *topic == Topic::Calls {
                slots.entry(*partition).or_default().push(entry);
            }
        }
        for (slot, entries) in slots {
            self.check_slot(slot, &entries, around)?;
        }
        for (_, entry) in written.iter().filter(|((topic, _), _)| *topic == Topic::Verdicts) {
            self.check_verdict(entry, around.log.transactions[id].partitions, around)?;
        }
        Ok(())
    }

    /// Every record between the old offsets and the new ones ended in its one place.
    fn advance(&mut self, offsets: &BTreeMap<Place, i64>, id: usize, around: &Around<'_>) -> Result<(), Failure> {
        let Transaction { written, partitions, .. } = &around.log.transactions[id];
        let (mut reroutes, mut dead_letters) = (Vec::new(), Vec::new());
        let is_buried = |source: &str| {
            let is_of = |entry: &Entry| header_of(&entry.headers, SOURCE_HEADER) == Some(source);
            written.iter().any(|((topic, _), entry)| *topic == Topic::DeadLetters && is_of(entry))
        };
        for (place, next) in offsets {
            let before = self.offsets.insert(*place, *next).unwrap_or(0);
            ensure(*next >= before, "offsets never go back", || format!("{place:?}: {before}, then {next}"))?;
            for entry in around.log.unread((Topic::Input(place.0), place.1), before) {
                if entry.offset >= *next {
                    break;
                }
                let decided = entry.transaction.is_none_or(|id| around.log.transactions[id].decision.is_some());
                ensure(decided, "only committed records are read", || format!("{place:?} {}", entry.offset))?;
                let known = &self.known[&(*place, entry.offset)];
                let home = |key: &CallKey| call_partition(key.call_uuid, *partitions);
                match &known.fate {
                    Fate::Request(request) => {
                        let relinked = check_request(place.1, request, written, home)?;
                        reroutes.extend(relinked.elsewhere.into_iter().map(|home| (String::new(), home)));
                        if request.rules == SECOND {
                            self.relinked.extend(relinked.here);
                        }
                    }
                    Fate::DeadLetter(reason) => dead_letters.push((known.source.clone(), (*reason).to_owned())),
                    Fate::Device(row, call) => {
                        check_stored(Table::DeviceEvents, row, entry.at, around)?;
                        reroutes.extend(call.as_ref().map(|key| (known.source.clone(), home(key))));
                    }
                    Fate::Call(_, key, AtHome::NotStorable) if home(key) == place.1 => {
                        dead_letters.push((known.source.clone(), NOT_STORABLE.to_owned()));
                    }
                    Fate::Call(row, key, at_home) if home(key) == place.1 => {
                        check_stored(Table::Events, row, entry.at, around)?;
                        if *at_home == AtHome::Folded {
                            self.folded.entry(key.clone()).or_default().push((Rc::clone(entry), entry.at));
                        }
                    }
                    // One that this process has seen refused, when it was at home here, need not go there again.
                    Fate::Call(_, _, AtHome::NotStorable) if is_buried(&known.source) => {
                        dead_letters.push((known.source.clone(), NOT_STORABLE.to_owned()));
                    }
                    Fate::Call(_, key, _) => reroutes.push((known.source.clone(), home(key))),
                }
            }
        }
        let of = |topic: Topic| written.iter().filter(move |((at, _), _)| *at == topic);
        let header = |entry: &Entry, name| header_of(&entry.headers, name).unwrap_or_default().to_owned();
        let internal = of(Topic::Input(Input::Internal));
        let found = internal.map(|((_, partition), entry)| (header(entry, SOURCE_HEADER), *partition)).collect();
        same(found, reroutes, "each record is in exactly one place: reroutes")?;
        let buried = of(Topic::DeadLetters);
        let found: Vec<_> =
            buried.map(|(_, entry)| (header(entry, SOURCE_HEADER), header(entry, REASON_HEADER))).collect();
        self.dead_letters.extend(found.iter().cloned());
        same(found, dead_letters, "each record is in exactly one place: dead letters")
    }

    /// A slot's sequence and clock only go on, and its clock waits for what is not read.
    fn check_slot(&mut self, slot: i32, entries: &[&Entry], around: &Around<'_>) -> Result<(), Failure> {
        let mut header = None;
        let settled = self.settled.entry(slot).or_default();
        for entry in entries {
            let key = entry.key.as_deref().unwrap_or_default();
            match entry.value.as_deref() {
                Some(value) if key == HEADER_KEY => header = Some(Header::decode(value).unwrap()),
                Some(value) => {
                    let (key, record) = (decode_key(key).unwrap(), CallRecord::decode(value).unwrap());
                    self.flushed.insert((key.clone(), record.sequence));
                    match (record.next_change_at, record.unchecked_since) {
                        (None, None) => settled.insert(key, record.sequence),
                        _ => settled.remove(&key),
                    };
                }
                None => {
                    settled.remove(&decode_key(key).unwrap());
                }
            }
        }
        // Tombstones of calls that have moved away may stand alone.
        let Some(header) = header else { return Ok(()) };
        let before = self.headers.insert(slot, header).unwrap_or_default();
        ensure(header.sequence > before.sequence, "sequences only go on", || format!("{before:?}, then {header:?}"))?;
        ensure(header.log_clock >= before.log_clock, "the log clock never goes back", || {
            format!("slot {slot}: {before:?}, then {header:?}")
        })?;
        ensure(header.rules >= before.rules, "rules never go back", || format!("{before:?}, then {header:?}"))?;
        let is_own = |key: &CallKey| call_partition(key.call_uuid, header.partitions) == slot;
        let kept = settled.iter().find(|(key, written_in)| **written_in <= header.acknowledged && is_own(key));
        ensure(kept.is_none(), "the changelog forgets settled calls", || format!("{kept:?}, {header:?}"))?;
        if around.stamps == Stamps::Create {
            return Ok(());
        }
        let clock = header.log_clock;
        ensure(clock <= around.wall_ms, "the log clock never passes the wall clock", || {
            format!("slot {slot}: {clock}")
        })?;
        for input in [Input::Push, Input::Call] {
            let next = self.offsets.get(&(input, slot)).copied().unwrap_or(0);
            let early = around.log.unread((Topic::Input(input), slot), next).find(|entry| entry.at < clock);
            ensure(early.is_none(), "the log clock is never ahead of unread records", || {
                format!("slot {slot}: clock {clock}, position {next} of {input:?}, {early:?}")
            })?;
        }
        Ok(())
    }

    /// A change follows the one before it, and is true of what was read at its log clock.
    fn check_verdict(&mut self, entry: &Entry, partitions: i32, around: &Around<'_>) -> Result<(), Failure> {
        let change: Value = serde_json::from_slice(entry.value.as_deref().unwrap()).unwrap();
        let text = |name: &str| change[name].as_str().unwrap_or_default();
        let key = CallKey { tenant_id: text("tenant_id").into(), call_uuid: text("call_uuid").parse().unwrap() };
        let leg = (key.clone(), CompactString::from(text("device_id")));
        let version = change["version"].as_u64().unwrap();
        let (verdict, evidence) = (change["verdict"].clone(), change["evidence"].clone());
        let before = self.verdicts.insert(leg, (version, verdict.clone(), evidence.clone()));
        let (last, held, held_evidence) = before.unwrap_or_default();
        let follows = change["previous"] == held && (&verdict, &evidence) != (&held, &held_evidence) && version > last;
        ensure(follows, "verdicts form a chain", || format!("{held} {held_evidence} in {last}, then {change}"))?;
        self.check_truth(&key, &change, partitions, around)
    }

    fn check_truth(&self, key: &CallKey, change: &Value, partitions: i32, around: &Around<'_>) -> Result<(), Failure> {
        let clock = change["log_clock"].as_i64().unwrap();
        let slot = call_partition(key.call_uuid, partitions);
        let rules = rules_of(self.headers.get(&slot).map_or(0, |header| header.rules));
        let mut call = Call::default();
        let none = Vec::new();
        let folded = self.folded.get(key).unwrap_or(&none);
        for (entry, log_at) in folded {
            call.apply(&Event::parse(entry.value.as_deref().unwrap(), entry.at).unwrap(), *log_at);
        }
        let fits = |call: &Call| says(call, key, clock, change, rules);
        if fits(&call) {
            return Ok(());
        }
        // Rows of `events` whose records are not committed are of a longer prefix, as far as they were there at a look-up.
        let more = self.uncommitted(key, around);
        let is_true = more.iter().any(|past| {
            call.apply(&past.event.event().unwrap(), past.log_at);
            fits(&call)
        });
        ensure(is_true, "every verdict is true of a prefix at its log clock", || {
            let row = call.evaluate(key, rules, clock);
            let row = row.map(|row| serde_json::to_value(&row.legs).unwrap_or_default());
            format!("{change}\nbut the fold says {row:?}; {} events are not committed", more.len())
        })
    }

    /// In the order in which they came.
    fn uncommitted(&self, key: &CallKey, around: &Around<'_>) -> Vec<PastEvent> {
        let history = around.store.histories(std::slice::from_ref(key)).remove(key).unwrap_or_default();
        let folded = self.folded.get(key).map_or(&[][..], Vec::as_slice);
        let is_folded = |past: &PastEvent| {
            folded.iter().any(|(entry, log_at)| {
                let event = Event::parse(entry.value.as_deref().unwrap(), entry.at).unwrap();
                (*log_at, event.contents, &*event.event_id)
                    == (past.log_at, past.event.contents, past.event.event_id.as_str())
            })
        };
        let mut more: Vec<PastEvent> = history.events.into_iter().filter(|past| !is_folded(past)).collect();
        let event_key = |past: &PastEvent| {
            let id = past.event.event_id.as_str().into();
            (key.tenant_id.clone(), key.call_uuid, CompactString::default(), id, past.event.contents)
        };
        more.sort_by_key(|past| around.store.order.get(&(event_key(past), past.log_at)));
        more
    }

    /// Checks rows of `legs` or `calls` on their way into ClickHouse.
    pub(super) fn check_images(&mut self, table: Table, rows: &[Row]) -> Result<(), Failure> {
        for row in rows {
            let (key, version) = (image_key(table, row), version_of(row));
            let is_flushed = self.flushed.contains(&(key.0.clone(), version));
            ensure(is_flushed, "no row without a commit", || format!("{key:?} version {version}"))?;
            let slice = row[row.len() - 3].number();
            let held = self.images.entry((table == Table::Legs, key, slice, version)).or_insert_with(|| Rc::clone(row));
            ensure(held == row, "a version never carries two images", || format!("{held:?}\n{row:?}"))?;
        }
        Ok(())
    }
}

/// What a request has done.
struct Relinked {
    here: Vec<CallKey>,
    /// Slots to which some of its calls have moved.
    elsewhere: BTreeSet<i32>,
}

/// A request and its work are in one transaction, by the rules that it asks for.
fn check_request(
    slot: i32,
    request: &Request,
    written: &[(Part, Rc<Entry>)],
    home: impl Fn(&CallKey) -> i32,
) -> Result<Relinked, Failure> {
    let of_slot = |key: &[u8]| {
        let is_it = |entry: &Entry| entry.key.as_deref() == Some(key);
        written.iter().rev().find(|(part, entry)| *part == (Topic::Calls, slot) && is_it(entry))?.1.value.clone()
    };
    let header = of_slot(HEADER_KEY).map(|header| Header::decode(&header).unwrap()).unwrap_or_default();
    ensure(header.rules >= request.rules, "requests are served by the rules that they ask for", || {
        format!("slot {slot}: {header:?}, {request:?}")
    })?;
    let keys = request.calls.iter().map(crate::request::Requested::key);
    let (here, elsewhere): (Vec<CallKey>, Vec<CallKey>) = keys.partition(|key| home(key) == slot);
    for key in &here {
        ensure(of_slot(&encode_key(key)).is_some(), "requests have done their work in their transaction", || {
            format!("slot {slot}: nothing of {key:?}")
        })?;
    }
    Ok(Relinked { here, elsewhere: elsewhere.iter().map(home).collect() })
}

/// Whether a leg of the call looks at the clock as the change says.
fn says(call: &Call, key: &CallKey, clock: i64, change: &Value, rules: &ringtrace_model::Rules) -> bool {
    let Some(evaluation) = call.evaluate(key, rules, clock) else { return false };
    let Some(leg) = evaluation.legs.iter().find(|leg| change["device_id"] == leg.device_id) else { return false };
    let mut said = change["leg"].clone();
    if let Some(fields) = said.as_object_mut() {
        fields.remove("updated_at");
    }
    let row = serde_json::to_value(leg).unwrap();
    row == said && row["verdict"] == change["verdict"] && row["evidence"] == change["evidence"]
}

fn check_stored(table: Table, key: &EventKey, log_at: i64, around: &Around<'_>) -> Result<(), Failure> {
    let rows = if table == Table::Events { &around.store.events } else { &around.store.device_events };
    let is_stored = rows.get(key).is_some_and(|rows| rows.iter().any(|row| log_at_of(table, row) <= log_at));
    ensure(is_stored, "events are acknowledged before their transaction", || format!("{table:?} {key:?}"))
}

/// Whether two lists hold the same, in any order.
pub(super) fn same<T: Ord + std::fmt::Debug>(
    mut found: Vec<T>,
    mut expected: Vec<T>,
    check: &'static str,
) -> Result<(), Failure> {
    found.sort();
    expected.sort();
    ensure(found == expected, check, || {
        let only = |one: &[T], other: &[T]| {
            let missing = one.iter().filter(|item| !other.contains(item)).take(4);
            missing.map(|item| format!("  {item:?}")).collect::<Vec<_>>().join("\n")
        };
        format!("only found:\n{}\nonly expected:\n{}", only(&found, &expected), only(&expected, &found))
    })
}
