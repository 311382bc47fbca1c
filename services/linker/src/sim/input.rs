//! Short lives of a handful of calls on a handful of devices, and what goes wrong with their records on the way.

use ringtrace_model::{DAY_MS, Uuid};
use serde_json::{Map, Value, json};

use super::plan::{Plan, Stamps};
use super::random::Random;
use crate::topics::Input;

/// A record that a producer will write.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// When it is written: the brokers' wall time in milliseconds since the Unix epoch.
    pub(super) at: i64,
    /// Its own timestamp, under `CreateTime`.
    pub(super) stamp: i64,
    pub(super) input: Input,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    /// Sits in this partition whatever its key says, modulo their number.
    pub(super) partition: Option<usize>,
}

/// How often each thing happens in the life of a call: kind, whose it is, when at the earliest and latest after the
/// call's beginning, and in how many of ten calls.
const LIFE: [(&str, Whose, i64, i64, usize); 22] = [
    ("call.initiated", Whose::Server, 0, 0, 8),
    ("push.sent", Whose::Leg, 0, 300, 9),
    ("push.accepted", Whose::Leg, 50, 600, 7),
    ("push.rejected", Whose::Leg, 50, 600, 1),
    ("push.suppressed", Whose::Leg, 0, 300, 1),
    ("push.received", Whose::Leg, 200, 9_000, 7),
    ("push.handler_returned", Whose::Leg, 300, 9_000, 3),
    ("call.reported", Whose::Leg, 300, 20_000, 5),
    ("call.report_failed", Whose::Leg, 300, 9_000, 1),
    ("call.answered", Whose::Leg, 2_000, 30_000, 4),
    ("call.audio_activated", Whose::Leg, 2_500, 31_000, 2),
    ("call.declined", Whose::Leg, 2_000, 30_000, 1),
    ("call.connected", Whose::Server, 2_000, 30_000, 3),
    ("call.cancelled", Whose::Server, 5_000, 60_000, 2),
    ("call.busy", Whose::Server, 500, 5_000, 1),
    ("call.ended", Whose::Leg, 10_000, 200_000, 4),
    ("call.ended", Whose::Server, 10_000, 200_000, 3),
    ("call.outgoing_started", Whose::Leg, 0, 500, 1),
    ("call.muted", Whose::Leg, 3_000, 50_000, 1),
    ("app.terminated", Whose::Leg, 5_000, 90_000, 2),
    ("sdk.heartbeat", Whose::Device, 0, 60_000, 1),
    ("push.levitated", Whose::Leg, 0, 1_000, 1),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Server,
    Leg,
    Device,
}

/// The records of a schedule, in the order in which they are written.
pub(super) fn generate(plan: &Plan, random: &mut Random) -> Vec<Given> {
    let uuids: Vec<Uuid> = (0..random.between(2, 5)).map(|_| Uuid::from_u128(random.below(1 << 40) as u128)).collect();
    let mut producer = Producer { plan, random, begins: plan.started_at, next_id: 0, given: Vec::new() };
    while producer.given.len() < plan.records {
        let uuid = producer.random.pick(&uuids);
        producer.live(uuid);
        producer.begins += match producer.random.below(12) {
            0 => DAY_MS + producer.random.between(0, 2 * DAY_MS),
            1 | 2 => producer.random.between(60_000, 3_600_000),
            _ => producer.random.between(0, 20_000),
        };
    }
    let mut given = producer.given;
    given.truncate(plan.records);
    given.sort_by_key(|record| record.at);
    given
}

struct Producer<'a> {
    plan: &'a Plan,
    random: &'a mut Random,
    begins: i64,
    next_id: usize,
    given: Vec<Given>,
}

impl Producer<'_> {
    /// One life of a call: its events, late, twice or never.
    fn live(&mut self, uuid: Uuid) {
        let devices = self.random.between(1, 2);
        let platform = self.random.pick(&["ios", "ios", "ios", "android"]);
        // So that calls of one schedule are not all alike.
        let often = self.random.between(4, 10) as usize;
        for (kind, whose, earliest, latest, in_ten) in LIFE {
            for device in 0..devices {
                if whose == Whose::Server && device > 0 || self.random.below(100) >= in_ten * often {
                    continue;
                }
                let occurred_at = self.begins + self.random.between(earliest, latest);
                let device = (whose != Whose::Server).then(|| format!("d{device}"));
                let event = self.event(kind, uuid, device.as_deref(), platform, occurred_at);
                self.give(kind, whose, uuid, device.as_deref(), &event, occurred_at);
            }
        }
    }

    fn event(&mut self, kind: &str, uuid: Uuid, device: Option<&str>, platform: &str, occurred_at: i64) -> Value {
        self.next_id += 1;
        let prefix = if self.plan.faults.poison && self.random.one_in(15) { "poison" } else { "e" };
        let mut event = Map::new();
        let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
        put("event_id", json!(format!("{prefix}{}", self.next_id)));
        put("kind", json!(kind));
        put("occurred_at", json!(occurred_at));
        put("app_id", json!("com.example.talk"));
        put("call_uuid", json!(uuid.hyphenated().to_string()));
        if let Some(device) = device {
            put("device_id", json!(device));
            put("platform", json!(platform));
        }
        if kind.starts_with("push.") {
            put("push_id", json!(format!("p{}", self.random.below(3))));
            put("channel", json!(if platform == "ios" { "apns_voip" } else { "fcm" }));
        }
        match kind {
            "push.handler_returned" => put("reported", json!(self.random.one_in(2))),
            "call.report_failed" => {
                put("error_domain", json!("incoming_call"));
                put("error_code", json!(self.random.between(0, 7)))
            }
            "call.ended" if device.is_none() => put("end_reason", json!("timeout")),
            "call.ended" => put("end_reason", json!(self.random.between(1, 5))),
            "app.terminated" => put("termination_code", json!(3_131_951_633_i64)),
            "push.received" if self.random.one_in(4) => put("app_state", json!("foreground")),
            _ => None,
        };
        Value::Object(event)
    }

    fn give(&mut self, kind: &str, whose: Whose, uuid: Uuid, device: Option<&str>, event: &Value, occurred_at: i64) {
        let random = &mut *self.random;
        let input = match (whose, kind) {
            (Whose::Device, _) | (_, "app.terminated") => Input::Device,
            (_, kind) if kind.starts_with("push.") => Input::Push,
            _ => Input::Call,
        };
        let key = match input {
            Input::Device => device.map(|device| device.as_bytes().to_vec()),
            _ => Some(uuid.hyphenated().to_string().into_bytes()),
        };
        let mut value = Some(event.to_string().into_bytes());
        if random.one_in(60) {
            value = random.pick(&[None, Some(b"{".as_slice()), Some(b"[]")]).map(<[u8]>::to_vec);
        }
        let mut given = Given { at: occurred_at, stamp: occurred_at, input, key, value, partition: None };
        let copies = if random.one_in(12) { 2 } else { 1 };
        for _ in 0..copies {
            given.at = occurred_at + delay(self.plan.faults.late, random);
            given.stamp = stamp(self.plan.stamps, &given, random);
            let mut record = given.clone();
            if self.plan.faults.misplaced {
                mislay(&mut record, random);
            }
            self.given.push(record);
        }
    }
}

/// How long a record is on its way.
fn delay(is_late: bool, random: &mut Random) -> i64 {
    match random.below(if is_late { 20 } else { 400 }) {
        0 => random.between(DAY_MS / 2, 2 * DAY_MS),
        1 => random.between(60_000, 3_600_000),
        2 | 3 => random.between(10_000, 60_000),
        _ => random.between(0, 2_000),
    }
}

fn stamp(stamps: Stamps, given: &Given, random: &mut Random) -> i64 {
    match stamps {
        Stamps::Append => given.at,
        Stamps::Create => match random.below(10) {
            0 => given.at - random.between(0, DAY_MS),
            1 => given.at + random.between(0, 120_000),
            _ => given.at - random.between(0, 3_000),
        },
    }
}

fn mislay(given: &mut Given, random: &mut Random) {
    match random.below(14) {
        0 => given.partition = Some(random.below(8)),
        1 => given.key = given.key.take().map(|key| key.to_ascii_uppercase()),
        2 => given.key = None,
        3 => given.input = Input::Device,
        4 => given.input = random.pick(&[Input::Call, Input::Push]),
        _ => {}
    }
}
