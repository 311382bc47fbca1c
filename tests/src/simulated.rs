//! Simulated events, and lines of files, as records.

use ringtrace_model::Event;
use ringtrace_simulator::{Plan, Record, Simulator, World};
use serde_json::{Map, Value};

use crate::stack::{Given, topic_of};

/// A world in which rare things are less rare, so that a short simulation shows them.
pub const EVENTFUL: &str = include_str!("eventful.toml");

/// Fifteen minutes, with rare things made to happen.
///
/// # Panics
/// Never: the incidents are right.
pub fn quarter_of_an_hour() -> Plan {
    let incidents = ["cancel-by-voip-push@0s,size=0.2", "expired-certificate@8m,for=1m", "broken-release@0s,for=15m"];
    let incidents = incidents.map(|text| ringtrace_simulator::IncidentSpec::parse(text).expect("an incident"));
    Plan { length_ms: Some(15 * 60_000), devices: Some(6_000), incidents: incidents.into(), ..Plan::default() }
}

/// All records of a plan in a world (TOML over the default one).
///
/// # Panics
/// When the world or the plan is not accepted.
pub fn records(world: &str, plan: Plan) -> Vec<Given> {
    let mut simulator = Simulator::new(World::with(world).expect("a world"), plan).expect("a plan");
    let mut records = Vec::new();
    while let Some(second) = simulator.next_second() {
        records.extend(second.records().map(|record| given(&record)));
    }
    records
}

/// A record as tests write it.
pub fn given(record: &Record<'_>) -> Given {
    Given {
        topic: topic_of(record.kind).to_owned(),
        key: Some(record.key.as_bytes().to_vec()).filter(|key| !key.is_empty()),
        value: Some(record.value.to_vec()),
        log_at: record.log_at,
        ..Given::default()
    }
}

/// The line of a file of events as tests write it.
///
/// # Panics
/// When it is no valid event.
pub fn of_line(line: &str) -> Given {
    let (event, log_at) = Event::parse_line(line.as_bytes()).unwrap_or_else(|e| panic!("{e}: {line}"));
    let mut fields: Map<String, Value> = serde_json::from_str(line).expect("a valid event is JSON");
    fields.remove("log_at");
    let topic = topic_of(event.kind.as_str());
    let key = match topic {
        "device-events" => event.device_id.map(std::borrow::Cow::into_owned),
        _ => event.call_uuid.map(|uuid| uuid.hyphenated().to_string()),
    };
    let value = serde_json::to_vec(&fields).expect("JSON can be written");
    Given { topic: topic.to_owned(), key: key.map(String::into_bytes), value: Some(value), log_at, ..Given::default() }
}
