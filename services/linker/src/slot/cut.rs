//! Cutting a flush: everything that a slot has to write of what it has read so far.

use std::cmp::Reverse;

use compact_str::CompactString;
use ringtrace_model::{Evaluation, Evidence, LegRow, Rules, Uuid, Verdict};
use serde::Serialize;

use super::Slot;
use super::entry::{Entry, Open, Past, State};
use crate::native::Block;
use crate::records::Records;
use crate::state::{Header, Published, encode_key, write_key};
use crate::tables::{CALLS, EVENTS, Image, LEGS, put_call, put_leg};

/// What a slot writes in one flush.
pub(crate) struct SlotFlush {
    pub(crate) partition: i32,
    pub(crate) header: Header,
    pub(crate) open_calls: usize,
    /// Rows of `events`, to be acknowledged before the transaction begins.
    pub(crate) events: Block,
    /// Changelog records by key, in order.
    pub(crate) states: Records,
    /// Keys of records in partitions of other slots, which this flush supersedes.
    pub(crate) left_behind: Vec<(i32, Vec<u8>)>,
    /// Messages for the verdicts topic, by key.
    pub(crate) verdicts: Records,
    /// Rows of `legs` and `calls`, to be written after the commit.
    pub(crate) legs: Block,
    pub(crate) calls: Block,
    /// New verdicts, for the metrics.
    pub(crate) verdict_changes: Vec<Verdict>,
    /// Cross-clock latencies that came out negative.
    pub(crate) negative_latencies: u32,
    /// Holds one encoded call after the other.
    encoded: Vec<u8>,
}

/// The message that says that a leg's verdict changed (contract section 4.1).
#[derive(Serialize)]
struct VerdictChange<'a> {
    tenant_id: &'a str,
    call_uuid: &'a str,
    device_id: &'a str,
    version: u64,
    log_clock: i64,
    previous: Option<Verdict>,
    verdict: Verdict,
    evidence: Option<Evidence>,
    leg: UpdatedLeg<'a>,
}

#[derive(Serialize)]
struct UpdatedLeg<'a> {
    #[serde(flatten)]
    row: &'a LegRow<'a>,
    updated_at: i64,
}

/// What the next flush is to fill. Small flushes fill the memory of the last one again.
pub(super) struct Spare {
    events: Block,
    legs: Block,
    calls: Block,
    states: Records,
    verdicts: Records,
    encoded: Vec<u8>,
}

impl Default for Spare {
    fn default() -> Self {
        Spare {
            events: Block::new(&EVENTS),
            legs: Block::new(&LEGS),
            calls: Block::new(&CALLS),
            states: Records::default(),
            verdicts: Records::default(),
            encoded: Vec::new(),
        }
    }
}

impl Slot {
    /// Takes back the memory of a flush that is written.
    pub(crate) fn reuse(&mut self, written: SlotFlush) {
        let SlotFlush { mut events, mut legs, mut calls, mut states, mut verdicts, encoded, .. } = written;
        [&mut events, &mut legs, &mut calls].into_iter().for_each(Block::clear);
        [&mut states, &mut verdicts].into_iter().for_each(Records::clear);
        self.spare = Spare { events, legs, calls, states, verdicts, encoded };
    }

    /// Cuts a flush at the slot's log clock. Every call of [`Slot::take_wanted`] must have been paged in.
    pub(crate) fn cut(&mut self) -> SlotFlush {
        debug_assert!(
            self.calls.iter().all(|(_, entry)| entry.is_parked() || entry.past != Past::Wanted),
            "histories are folded in before a cut"
        );
        self.header.sequence += 1;
        self.has_request = false;
        self.told = self.header.log_clock;
        let Spare { events, legs, calls, states, verdicts, encoded } = std::mem::take(&mut self.spare);
        let mut flush = SlotFlush {
            partition: self.partition,
            header: self.header,
            open_calls: self.calls.in_memory(),
            events: std::mem::replace(&mut self.events, events),
            states,
            left_behind: self.left_behind.drain(..).map(|(from, key)| (from, encode_key(&key))).collect(),
            verdicts,
            legs,
            calls,
            verdict_changes: Vec::new(),
            negative_latencies: 0,
            encoded,
        };
        // Tombstones first: a call that left and came back has its record after its tombstone.
        self.bury_gone(&mut flush.states);
        for seat in std::mem::take(&mut self.dirty) {
            self.unpack(seat);
            let Some(entry) = self.calls.get_mut(seat) else { continue };
            if entry.past == Past::Wanted {
                // It could not be read: it is written when it was looked up.
                self.dirty.push(seat);
                continue;
            }
            entry.dirty = false;
            let timer = entry.next_change_at;
            if !flush.write_call(entry, &self.rules) {
                // Its history is gone, or there was none.
                self.dismiss(seat);
                continue;
            }
            if let Some(at) = entry.next_change_at.filter(|at| timer != Some(*at)) {
                self.timers.push(Reverse((at, seat)));
            }
            let Header { sequence, log_clock, .. } = self.header;
            if entry.is_settled() {
                self.settled.push(seat);
            }
            if entry.visits { self.visitors.push((seat, sequence)) } else { self.idle.push(seat, sequence, log_clock) }
        }
        if planted!(LeavesUnacknowledged) {
            self.acknowledge(self.header.sequence);
            self.bury_gone(&mut flush.states);
        }
        flush
    }

    /// Changelog records of the calls that have left for good.
    fn bury_gone(&mut self, states: &mut Records) {
        self.gone.drain(..).for_each(|key| states.push_tombstone(|out| write_key(&key, out)));
    }
}

impl SlotFlush {
    /// Judges a call and writes it; false for one without events.
    fn write_call(&mut self, entry: &mut Entry, rules: &Rules) -> bool {
        let Entry { key, state, next_change_at, past, visits, .. } = entry;
        let State::Open(open) = state else { return true };
        if open.call.is_empty() {
            return false;
        }
        let call = std::mem::take(&mut open.call);
        // A call that was taken for new is not judged before that is checked: should it be known after all, it has a verdict
        // already, and events that count.
        let is_judged = *past == Past::Known;
        if let Some(evaluation) = call.evaluate(key, rules, self.header.log_clock).filter(|_| is_judged) {
            self.publish(&evaluation, open);
            if !(planted!(RequestWithoutRows) && *visits) {
                self.write_rows(&evaluation, open);
            }
            *next_change_at = evaluation.next_change_at;
            self.negative_latencies += evaluation.negative_latencies;
        }
        open.call = call;
        self.record(entry);
        if let Some(open) = entry.open() {
            open.removed = Vec::new();
            open.rows = Vec::new();
        }
        true
    }

    /// Puts a call into the changelog. Of one that is settled, the record says only that its rows may be missing: whoever
    /// takes it over before they are acknowledged looks its events up.
    fn record(&mut self, entry: &mut Entry) {
        let is_settled = entry.is_settled();
        let State::Open(open) = &entry.state else { return };
        self.encoded.clear();
        if !is_settled {
            self.encoded = open.call.encode(std::mem::take(&mut self.encoded));
        }
        let call = (!is_settled).then_some(self.encoded.as_slice());
        let record = open.record(self.header.sequence, entry.next_change_at, entry.past, call);
        self.states.push(|out| write_key(&entry.key, out), |out| record.write(out));
        entry.written_in = self.header.sequence;
        entry.recorded = true;
    }

    /// Says which verdicts changed, and notes them as published.
    fn publish(&mut self, evaluation: &Evaluation<'_>, open: &mut Open) {
        let before = std::mem::replace(&mut open.published, Vec::with_capacity(evaluation.legs.len()));
        for leg in &evaluation.legs {
            let held = before.binary_search_by(|published| published.device_id.as_str().cmp(leg.device_id));
            let held = held.ok().and_then(|place| before.get(place));
            if held.is_none_or(|held| (held.verdict, held.evidence) != (leg.verdict, leg.evidence)) {
                self.say(leg, held.map(|held| held.verdict), open.updated_at);
                self.verdict_changes.push(leg.verdict);
            }
            open.published.push(Published {
                device_id: leg.device_id.into(),
                verdict: leg.verdict,
                evidence: leg.evidence,
            });
        }
        let here =
            |device: &CompactString| evaluation.legs.binary_search_by(|leg| leg.device_id.cmp(device.as_str())).is_ok();
        open.removed.extend(before.into_iter().map(|published| published.device_id).filter(|device| !here(device)));
    }

    fn say(&mut self, leg: &LegRow<'_>, previous: Option<Verdict>, updated_at: i64) {
        let mut text = Uuid::encode_buffer();
        let call_uuid: &str = leg.call_uuid.hyphenated().encode_lower(&mut text);
        let change = VerdictChange {
            tenant_id: leg.tenant_id,
            call_uuid,
            device_id: leg.device_id,
            version: self.header.sequence,
            log_clock: self.header.log_clock,
            previous,
            verdict: leg.verdict,
            evidence: leg.evidence,
            leg: UpdatedLeg { row: leg, updated_at },
        };
        self.verdicts.push(
            |out| out.extend_from_slice(call_uuid.as_bytes()),
            |out| {
                // Writing plain data into a vector can't fail.
                let _ = sonic_rs::to_writer(out, &change);
            },
        );
    }

    fn write_rows(&mut self, evaluation: &Evaluation<'_>, open: &Open) {
        let version = planted!(VersionCountsWrites: crate::sim::planted::count_write(), self.header.sequence);
        let image = Image { updated_at: open.updated_at, first_seen: open.first_seen, version };
        put_call(&mut self.calls, &evaluation.call, image, false);
        evaluation.legs.iter().for_each(|leg| put_leg(&mut self.legs, leg, image, false));
        if let Some(template) = evaluation.legs.first() {
            for device in &open.removed {
                put_leg(&mut self.legs, &LegRow { device_id: device, ..template.clone() }, image, true);
            }
        }
    }
}
