//! What was read since the last flush, beside what the slots hold of it: device events, reroutes, dead letters.

use hashbrown::{HashMap, HashSet};
use ringtrace_kit::kafka::partition_of;
use ringtrace_model::{Event, Kind, Reason, Reject, Uuid};

use crate::metrics::Counts;
use crate::native::Block;
use crate::privacy::Privacy;
use crate::record::{Outgoing, Record};
use crate::request::{Request, Requested};
use crate::slot::Slot;
use crate::tables::{DEVICE_EVENTS, EventMeta, put_device_event};
use crate::topics::{Input, Inputs};

/// Records on their way to one place each (design: invariant 3).
pub(crate) struct Batch {
    pub(crate) device_events: Block,
    pub(crate) reroutes: Vec<Outgoing>,
    pub(crate) dead_letters: Vec<Outgoing>,
    pub(crate) counts: Counts,
    /// Bytes read since the batch was begun.
    pub(crate) bytes: usize,
    /// The highest number of the rules that requests ask for.
    pub(crate) rules: u64,
    source: String,
}

/// What a call that a request names counts for, in bytes: its history comes into memory, and its state and rows are written.
const REQUESTED_CALL_BYTES: usize = 16 << 10;

/// What routing needs to know.
pub(crate) struct Routing {
    pub(crate) inputs: Inputs,
    pub(crate) privacy: Privacy,
    /// Partitions of the call topics and of the internal one.
    pub(crate) partitions: i32,
    /// Sources of records that are valid, but that ClickHouse has refused.
    pub(crate) refused: HashSet<String>,
}

impl Default for Batch {
    fn default() -> Self {
        Batch {
            device_events: Block::new(&DEVICE_EVENTS),
            reroutes: Vec::new(),
            dead_letters: Vec::new(),
            counts: Counts::default(),
            bytes: 0,
            rules: 0,
            source: String::new(),
        }
    }
}

impl Batch {
    /// Whether nothing was read since it was begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Takes a record to its one place. `slot` is that of its partition; `None` for the device topic.
    pub(crate) fn take(&mut self, record: &Record<'_>, slot: Option<&mut Slot>, routing: &Routing, wall_ms: i64) {
        self.bytes += record.size();
        self.counts.records += 1;
        record.write_source(&routing.inputs, &mut self.source);
        if let Some(kind) = record.request() {
            return match Request::decode(kind, record.value) {
                Ok(request) => self.serve(record, request, slot, routing),
                Err(detail) => {
                    let reject = Reject { reason: Reason::InvalidField, detail: detail.into() };
                    self.bury(record, &reject, wall_ms);
                }
            };
        }
        let parsed = match record.value {
            Some(value) => Event::parse(value, record.log_at),
            None => Err(Reject::TOMBSTONE),
        };
        match &parsed {
            Ok(_) if routing.refused.contains(&self.source) => {
                let detail = "value: is refused by ClickHouse".into();
                self.bury(record, &Reject { reason: Reason::NotStorable, detail }, wall_ms);
            }
            Ok(event) => self.take_event(record, event, slot, routing),
            Err(reject) => self.bury(record, reject, wall_ms),
        }
    }

    fn take_event(&mut self, record: &Record<'_>, event: &Event<'_>, slot: Option<&mut Slot>, routing: &Routing) {
        if matches!(event.kind, Kind::Unknown(_)) {
            self.counts.unknown_kinds += 1;
        }
        let is_of_devices = record.input == Input::Device || self.is_replayed_from_devices(record, routing);
        let attributes = routing.privacy.protect(event);
        let meta = EventMeta { log_at: record.log_at, source: &self.source, attributes: &attributes };
        if is_of_devices || !event.is_call_event() {
            put_device_event(&mut self.device_events, event, meta);
        }
        let is_linked = if is_of_devices { event.is_forwarded() } else { event.is_call_event() };
        if !is_linked {
            return;
        }
        let partition = call_partition(event.call_uuid.unwrap_or_default(), routing.partitions);
        self.counts.placement.note(record.input, partition != record.partition);
        match slot {
            Some(slot) if partition == record.partition && !is_rerouted_again(record.input) => {
                slot.fold(event, meta);
            }
            _ => self.reroute(record, partition),
        }
    }

    /// Hands the calls that a request names to the slot, and those that have moved since to where they are now.
    fn serve(&mut self, record: &Record<'_>, request: Request, slot: Option<&mut Slot>, routing: &Routing) {
        self.rules = self.rules.max(request.rules);
        self.counts.requested_calls += request.calls.len() as u64;
        self.bytes += request.calls.len() * REQUESTED_CALL_BYTES;
        if planted!(RequestIgnored) {
            return;
        }
        let mut elsewhere = HashMap::<i32, Vec<Requested>>::new();
        let mut here = Vec::with_capacity(request.calls.len());
        for call in request.calls {
            match call_partition(call.call_uuid, routing.partitions) {
                partition if partition == record.partition => here.push(call.key()),
                partition => elsewhere.entry(partition).or_default().push(call),
            }
        }
        if let Some(slot) = slot {
            slot.relink(&here);
        }
        for (partition, calls) in elsewhere {
            let forwarded = Request { rules: request.rules, calls };
            self.reroutes.push(forwarded.outgoing(partition, record.log_at));
        }
    }

    /// Whether it is a dead letter of the device topic that was sent back: both its places are still without it.
    fn is_replayed_from_devices(&self, record: &Record<'_>, routing: &Routing) -> bool {
        record.input == Input::Internal && routing.inputs.is_source(Input::Device, &self.source) && record.is_replayed()
    }

    fn reroute(&mut self, record: &Record<'_>, partition: i32) {
        self.counts.reroutes += 1;
        let outgoing = Outgoing::reroute(record, &self.source, partition);
        self.bytes += outgoing.size();
        self.reroutes.push(outgoing);
    }

    fn bury(&mut self, record: &Record<'_>, reject: &Reject, wall_ms: i64) {
        self.counts.dead_letter(reject.reason);
        let outgoing = Outgoing::dead_letter(record, &self.source, reject, wall_ms);
        self.bytes += outgoing.size();
        self.dead_letters.push(outgoing);
    }
}

/// Never: a record that was rerouted is where it belongs, unless the number of partitions has changed.
fn is_rerouted_again(from: Input) -> bool {
    planted!(ReroutedAgain) && from == Input::Internal
}

/// The partition to which a `call_uuid`, lower case and hyphenated, hashes.
pub(crate) fn call_partition(call_uuid: Uuid, partitions: i32) -> i32 {
    let mut text = [0; UUID_BYTES];
    let text = call_uuid.hyphenated().encode_lower(&mut text);
    partition_of(text.as_bytes(), partitions)
}

/// Length of a hyphenated UUID.
const UUID_BYTES: usize = 36;
