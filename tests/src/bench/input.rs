//! The input: hours of a simulated world.

use std::collections::HashSet;

use ringtrace_model::{DAY_MS, Event, Scope, Uuid};
use ringtrace_simulator::{Plan, Simulator, World};

use crate::simulated::given;
use crate::stack::{Case, Given, topic_of};

/// What is asked of the world.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Records.
    pub events: usize,
    /// As in [`Plan::calls_per_second`]: how many calls are open at a time.
    pub calls_per_second: f64,
    /// How many apps of the same kind there are for each one of the default world.
    pub apps: u64,
    /// Log time of the first record, in milliseconds since the Unix epoch.
    pub start: i64,
    /// As in [`Plan::seed`]: another one is other calls.
    pub seed: u64,
}

impl Shape {
    /// The default world, so long ago that nothing lies in the future.
    pub fn of(events: usize) -> Self {
        let Plan { calls_per_second, seed, .. } = Plan::default();
        Shape { events, calls_per_second, apps: 1, start: Plan::START - 365 * DAY_MS, seed }
    }
}

/// Records that are held in memory at a time.
const CHUNK: usize = 50_000;

/// What was written, and what has to come of it.
#[derive(Debug, Default)]
pub struct Input {
    /// Records.
    pub events: u64,
    /// Those of them that are not of the device topic.
    pub call_records: u64,
    /// Bytes of their values.
    pub value_bytes: u64,
    /// Bytes of their keys.
    pub key_bytes: u64,
    /// Log time from the first to the last, in milliseconds.
    pub span_ms: i64,
    /// Contents of the distinct events of calls.
    pub of_calls: HashSet<u64>,
    /// Contents of the distinct events of the device topic.
    pub of_devices: HashSet<u64>,
    /// Legs: call and device.
    pub legs: HashSet<(Uuid, String)>,
}

/// Fills the case's topics with the first records of a world.
///
/// # Panics
/// When they can't be written.
pub fn fill(case: &Case, shape: Shape) -> Input {
    let Shape { events, calls_per_second, start, seed, .. } = shape;
    let plan = Plan { seed, start, calls_per_second, length_ms: None, ..Plan::default() };
    let world = World::with("").expect("the default world is accepted");
    let mut simulator = Simulator::new(world, plan).expect("a plan without incidents is accepted");
    let mut input = Input::default();
    let mut records = Vec::with_capacity(CHUNK);
    while (input.events as usize) < events {
        let left = events - input.events as usize;
        while records.len() < left.min(CHUNK) {
            let Some(second) = simulator.next_second() else { break };
            records.extend(second.records().map(|record| shape.of_one_app(given(&record))));
        }
        let chunk: Vec<Given> = records.drain(..records.len().min(left)).collect();
        chunk.iter().for_each(|record| input.note(record, start));
        case.write(&chunk);
    }
    input
}

impl Shape {
    /// The record as of one of the many apps of its kind: the same for all records of a key.
    fn of_one_app(&self, mut record: Given) -> Given {
        if self.apps > 1
            && let Some(value) = &record.value
        {
            let key = record.key.iter().flatten();
            let nth = key.fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))) % self.apps;
            let value = String::from_utf8_lossy(value).replace(r#""app_id":""#, &format!(r#""app_id":"n{nth}."#));
            record.value = Some(value.into_bytes());
        }
        record
    }
}

impl Input {
    fn note(&mut self, record: &Given, start: i64) {
        let value = record.value.as_deref().unwrap_or_default();
        self.events += 1;
        self.value_bytes += value.len() as u64;
        self.key_bytes += record.key.as_ref().map_or(0, Vec::len) as u64;
        let event = Event::parse(value, record.log_at).expect("simulated events are valid");
        self.span_ms = record.log_at - start;
        let is_of_device = record.topic == topic_of("app.launched");
        if is_of_device {
            self.of_devices.insert(event.contents);
        }
        self.call_records += u64::from(!is_of_device);
        if !is_of_device || event.is_forwarded() {
            self.of_calls.insert(event.contents);
            if let (Scope::Leg, Some(call), Some(device)) = (event.scope(), event.call_uuid, &event.device_id) {
                self.legs.insert((call, device.to_string()));
            }
        }
    }
}
