//! The schemas of `schemas/events` and `schemas/outputs`: there is one for every kind, and they are well-formed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::{Registry, Validator};
use ringtrace_model::Known;
use serde_json::{Value, json};

use crate::files::texts;

/// Where the schemas say they live. No host serves it.
pub const BASE: &str = "https://ringtrace.example/schemas/";

/// Every schema, ready to use, by its path below [`BASE`].
pub struct Schemas(BTreeMap<String, Validator>);

/// The schemas of the project.
pub static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::read(&documents()));

impl Schemas {
    fn read(documents: &BTreeMap<String, Value>) -> Self {
        let mut registry = Registry::new();
        for (path, document) in documents {
            registry = registry.add(format!("{BASE}{path}"), document).unwrap_or_else(|e| panic!("{path}: {e}"));
        }
        let registry = registry.prepare().unwrap();
        let options = jsonschema::options().offline().with_registry(&registry);
        let ready = |path: &String| {
            let validator = options.build(&json!({"$ref": format!("{BASE}{path}")}));
            (path.clone(), validator.unwrap_or_else(|e| panic!("{path}: {e}")))
        };
        Schemas(documents.keys().map(ready).collect())
    }

    /// Why a document is not valid; nothing for a valid one.
    pub fn refusal(&self, path: &str, document: &Value) -> Option<String> {
        let validator = self.0.get(path).unwrap_or_else(|| panic!("no schema {path}"));
        validator.validate(document).err().map(|e| format!("{}: {e}", e.instance_path()))
    }

    /// Whether a document is valid.
    pub fn accepts(&self, path: &str, document: &Value) -> bool {
        self.refusal(path, document).is_none()
    }
}

/// Every schema document, by its path below [`BASE`].
fn documents() -> BTreeMap<String, Value> {
    let of = |folder: &'static str| {
        let texts = texts(&format!("schemas/{folder}"), ".json").into_iter();
        texts.map(move |(name, text)| (format!("{folder}/{name}.json"), serde_json::from_str(&text).unwrap()))
    };
    of("events").chain(of("outputs")).collect()
}

#[test]
fn every_schema_is_valid_and_knows_its_own_address() {
    for (path, document) in documents() {
        jsonschema::meta::validate(&document).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema", "{path}");
        assert_eq!(document["$id"], format!("{BASE}{path}"), "{path}");
        assert!(document["title"].is_string() && document["description"].is_string(), "{path}: no description");
    }
    assert!(SCHEMAS.0.len() > 40);
}

#[test]
fn every_kind_has_a_schema_and_every_schema_a_kind() {
    let mut schemas: Vec<String> = texts("schemas/events", ".json").into_iter().map(|(name, _)| name).collect();
    schemas.retain(|name| !["common", "event", "unknown"].contains(&name.as_str()));
    let mut kinds: Vec<&str> = Known::ALL.iter().map(|kind| kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(schemas, kinds);
    for kind in kinds {
        let document = &documents()[&format!("events/{kind}.json")];
        assert_eq!(document["properties"]["kind"]["const"], kind);
    }
}

#[test]
fn the_schema_of_any_event_knows_every_kind() {
    let documents = documents();
    let kinds: Vec<&str> = Known::ALL.iter().map(|kind| kind.as_str()).collect();
    let cases = documents["events/event.json"]["allOf"].as_array().unwrap();
    let named: Vec<&Value> = cases.iter().map(|case| &case["if"]["properties"]["kind"]["const"]).collect();
    assert_eq!(named[..kinds.len()], kinds[..]);
    assert_eq!(documents["events/unknown.json"]["properties"]["kind"]["not"]["enum"], json!(kinds));
}
