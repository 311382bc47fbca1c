//! The event that a matched kill becomes.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::matching::{Crash, Push};

/// What a kill says of itself; nothing else of it is taken along.
const SAID: [&str; 3] = ["exception_reason", "termination_namespace", "termination_code"];

/// How much of a hash names an event, in bytes: as much as a UUID has.
const NAME_BYTES: usize = 16;

/// An `app.terminated` of a call, inferred from one that names none.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// The call, in lower case: the key of its record.
    pub call_uuid: String,
    /// The value of its record. The same crash and call give the same bytes.
    pub value: String,
    /// `topic/partition/offset` of the crash.
    pub source: String,
}

/// The `event_id` of what is inferred: a function of the crash and the call.
pub fn event_id(crash: &Crash, call_uuid: &str) -> String {
    let mut hash = Sha256::new();
    for part in [&crash.tenant_id, &crash.device_id, &crash.event_id, call_uuid] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.update(crash.contents.to_le_bytes());
    let hash = hash.finalize();
    format!("inferred-{}", HEXLOWER.encode(hash.get(..NAME_BYTES).unwrap_or_default()))
}

impl Inferred {
    /// Of a crash and the push that is to blame.
    pub fn of(crash: &Crash, push: &Push) -> Inferred {
        let mut event = Map::new();
        let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
        put("event_id", json!(event_id(crash, &push.call_uuid)));
        put("kind", json!("app.terminated"));
        put("occurred_at", json!(crash.occurred_at));
        put("clock_offset_ms", json!(crash.clock_offset_ms));
        put("tenant_id", json!(crash.tenant_id));
        put("app_id", json!(crash.app_id));
        put("call_uuid", json!(push.call_uuid));
        put("device_id", json!(crash.device_id));
        put("inferred", json!(true));
        for (name, value) in &crash.dimensions {
            put(name, json!(value));
        }
        let mut attributes: Map<String, Value> = serde_json::from_str(&crash.attributes).unwrap_or_default();
        for name in SAID {
            if let Some(value) = attributes.remove(name) {
                put(name, value);
            }
        }
        let value = Value::Object(event).to_string();
        Inferred { call_uuid: push.call_uuid.clone(), value, source: crash.source.clone() }
    }
}
