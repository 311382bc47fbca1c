//! JSON Schemas of the answers. Every property is there, and no other; what is not known is null.

mod risk;

use ringtrace_model::{Diagnosis, Outcome, Verdict};
use serde_json::{Map, Value, json};

use super::counts::shown;
use crate::data::{CALL_COLUMNS, Column, LEG_COLUMNS, Shape};

/// All schemas, by name.
pub(super) fn schemas() -> Map<String, Value> {
    let all = [aggregates(), rows(), details(), risk::schemas(), pipeline(), server(), dictionary()];
    all.into_iter().flatten().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

type Schemas = Vec<(&'static str, Value)>;

/// An object with exactly these properties.
fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    exactly(&properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect())
}

fn exactly(properties: &Map<String, Value>) -> Value {
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn or_null(schema: &Value) -> Value {
    json!({"oneOf": [schema, {"type": "null"}]})
}

fn of(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn int() -> Value {
    json!({"type": "integer"})
}

fn number() -> Value {
    json!({"type": "number"})
}

fn flag() -> Value {
    json!({"type": "boolean"})
}

fn time() -> Value {
    json!({"type": "integer", "description": "Milliseconds since 1970 (UTC)."})
}

fn words<T: serde::Serialize>(words: &[T]) -> Value {
    json!({"type": "string", "enum": words})
}

fn columns(columns: &[Column]) -> Map<String, Value> {
    let schema = |column: &Column| match (column.name, column.shape) {
        ("verdict", _) => words(Verdict::ALL),
        ("outcome", _) => words(Outcome::ALL),
        ("diagnoses", _) => list(&words(Diagnosis::ALL)),
        // Of a call that is folded anew it is null where its rows are not there yet.
        ("updated_at", _) => or_null(&time()),
        (_, Shape::Text) => text(),
        (_, Shape::TextOrNull) => or_null(&text()),
        (_, Shape::Uuid) => json!({"type": "string", "format": "uuid"}),
        (_, Shape::Int) => int(),
        (_, Shape::IntOrNull) => or_null(&int()),
        (_, Shape::Time) => time(),
        (_, Shape::TimeOrNull) => or_null(&time()),
        (_, Shape::Texts) => list(&text()),
    };
    columns.iter().map(|column| (column.name.to_owned(), schema(column))).collect()
}

fn aggregates() -> Schemas {
    let measures: Map<String, Value> = shown()
        .map(|measure| (measure.name.clone(), json!({"type": ["number", "null"], "description": measure.formula})))
        .collect();
    let key = json!({"type": "object", "additionalProperties": {"type": ["string", "null"]}});
    let lines =
        json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": ["number", "null"]}}});
    let span = object([("from", time()), ("to", time())]);
    let group =
        |value: &Value| object([("key", key.clone()), ("current", value.clone()), ("previous", or_null(value))]);
    let share = |name: &str| list(&object([(name, text()), ("legs", int()), ("share", number())]));
    vec![
        ("Measures", json!({"type": "object", "properties": measures, "additionalProperties": false})),
        (
            "Summary",
            object([
                ("from", time()),
                ("to", time()),
                ("compare", or_null(&span)),
                ("groups", list(&group(&of("Measures")))),
                ("truncated", flag()),
                ("freshness", of("Freshness")),
            ]),
        ),
        (
            "Series",
            object([
                ("from", time()),
                ("to", time()),
                ("bucket_ms", int()),
                ("times", list(&time())),
                ("groups", list(&group(&lines))),
                ("truncated", flag()),
            ]),
        ),
        (
            "Distribution",
            object([
                ("stage", text()),
                ("from", time()),
                ("to", time()),
                ("bounds", list(&or_null(&int()))),
                ("counts", list(&int())),
                ("total", int()),
                ("censored", or_null(&int())),
                ("heatmap", object([("bucket_ms", int()), ("times", list(&time())), ("counts", list(&list(&int())))])),
            ]),
        ),
        (
            "Reasons",
            object([
                ("legs", int()),
                ("rejections", share("reason")),
                ("diagnoses", share("code")),
                ("end_reasons", share("reason")),
            ]),
        ),
        (
            "DimensionValues",
            object([("values", list(&object([("value", or_null(&text())), ("legs", int())]))), ("truncated", flag())]),
        ),
    ]
}

fn rows() -> Schemas {
    let page = |name: &str| object([("items", list(&of(name))), ("next_cursor", or_null(&text()))]);
    let device = object([
        ("tenant_id", text()),
        ("device_id", text()),
        ("app_id", text()),
        ("app_version", or_null(&text())),
        ("os_version", or_null(&text())),
        ("device_model", or_null(&text())),
        ("legs", int()),
        ("violations", int()),
        ("last_leg_at", time()),
        ("last_received_at", or_null(&time())),
        ("suspected", words(&["none", "silent"])),
    ]);
    let values = list(&object([("value", or_null(&text())), ("legs", int())]));
    vec![
        ("DimensionValues", object([("values", values), ("truncated", flag())])),
        ("Leg", exactly(&columns(&LEG_COLUMNS))),
        ("Legs", page("Leg")),
        ("Call", exactly(&columns(&CALL_COLUMNS))),
        ("Calls", page("Call")),
        ("Devices", object([("items", list(&device)), ("next_cursor", or_null(&text()))])),
    ]
}

fn details() -> Schemas {
    let mut leg = columns(&LEG_COLUMNS);
    let decision = object([("line", int()), ("reason", text()), ("until", or_null(&time()))]);
    leg.insert("decision".to_owned(), decision);
    leg.insert("advice".to_owned(), list(&of("Advice")));
    let clock = object([("offset_ms", or_null(&int())), ("spread_ms", or_null(&int()))]);
    leg.insert("clock".to_owned(), clock);
    let moment = object([("at", time()), ("attributes", json!({"type": "object"}))]);
    let strike =
        object([("at", time()), ("call_uuid", text()), ("app_id", text()), ("verdict", text()), ("evidence", text())]);
    vec![
        (
            "Advice",
            object([
                ("diagnosis", words(Diagnosis::ALL)),
                ("cause", text()),
                ("remedy", text()),
                ("document", document()),
            ]),
        ),
        (
            "RawEvent",
            object([
                ("event_id", text()),
                ("kind", text()),
                ("device_id", or_null(&text())),
                ("producer", words(&["device", "server"])),
                ("occurred_at", time()),
                ("corrected_at", time()),
                ("clock_offset_ms", int()),
                ("log_at", time()),
                ("source", text()),
                ("attributes", json!({"type": "object"})),
                ("folded", flag()),
                ("milestone", or_null(&text())),
            ]),
        ),
        ("LegDetail", exactly(&leg)),
        (
            "CallHistory",
            object([
                ("call", of("Call")),
                ("legs", list(&of("LegDetail"))),
                ("events", list(&of("RawEvent"))),
                ("judged_at", time()),
                ("next_change_at", or_null(&time())),
                ("own_events_are_folded", flag()),
                ("other_tenants", list(&text())),
            ]),
        ),
        (
            "Device",
            object([
                ("tenant_id", text()),
                ("device_id", text()),
                ("apps", list(&json!({"type": "object"}))),
                (
                    "tokens",
                    list(&object([("kind", text()), ("at", time()), ("attributes", json!({"type": "object"}))])),
                ),
                ("call_directory", or_null(&moment)),
                ("permissions", or_null(&moment)),
                ("strikes", list(&strike)),
                ("suspicion", object([("level", words(&["none", "watch", "suspected"])), ("why", text())])),
                ("risk", list(&of("DeviceRisk"))),
                ("events", list(&of("RawEvent"))),
                ("legs", list(&of("Leg"))),
            ]),
        ),
    ]
}

fn document() -> Value {
    or_null(&object([("title", text()), ("url", text())]))
}

fn pipeline() -> Schemas {
    let slot = object([
        ("slot", int()),
        ("instance", text()),
        ("log_clock", time()),
        ("lag", or_null(&int())),
        ("open_calls", int()),
        ("sequence", int()),
        ("written_at", time()),
    ]);
    let throughput = object([("bucket_ms", int()), ("times", list(&time())), ("events", list(&int()))]);
    let late = object([
        ("threshold_ms", int()),
        ("share", or_null(&number())),
        ("times", list(&time())),
        ("shares", list(&or_null(&number()))),
    ]);
    let letter =
        object([("position", text()), ("at", time()), ("reason", text()), ("detail", text()), ("source", text())]);
    let table = object([("table", text()), ("rows", int()), ("bytes", int()), ("parts", int())]);
    vec![
        (
            "Pipeline",
            object([
                ("freshness", of("Freshness")),
                ("slots", list(&slot)),
                ("throughput", throughput),
                ("late", late),
                ("dead_letters", or_null(&of("DeadLetters"))),
                ("rows", list(&table)),
            ]),
        ),
        (
            "DeadLetters",
            object([
                ("total_by_reason", list(&object([("reason", text()), ("count", int())]))),
                ("items", list(&letter)),
                ("truncated", flag()),
            ]),
        ),
    ]
}

fn server() -> Schemas {
    vec![
        (
            "Freshness",
            object([
                ("log_clock", or_null(&time())),
                ("behind_ms", or_null(&int())),
                ("state", words(&["fresh", "late", "unknown"])),
                ("rolled_at", or_null(&time())),
            ]),
        ),
        (
            "Status",
            object([
                ("version", text()),
                ("freshness", of("Freshness")),
                ("tenants", list(&text())),
                ("roles", list(&words(&["read", "ingest", "admin"]))),
                ("auth", words(&["none", "token"])),
                ("limits", json!({"type": "object", "additionalProperties": {"type": "integer"}})),
            ]),
        ),
        ("OpenApi", json!({"type": "object"})),
        (
            "Problem",
            json!({
                "type": "object",
                "description": "A problem document (RFC 9457).",
                "required": ["type", "title", "status", "detail", "instance"],
                "properties": {
                    "type": text(),
                    "title": text(),
                    "status": int(),
                    "detail": text(),
                    "instance": text(),
                    "parameter": text(),
                    "limit": int(),
                    "retry_after_s": int(),
                },
            }),
        ),
    ]
}

fn dictionary() -> Schemas {
    let measure = object([
        ("name", text()),
        ("label", text()),
        ("unit", words(&["count", "ratio", "ms", "s"])),
        ("formula", text()),
        ("source", text()),
        ("good", words(&["up", "down", "none"])),
    ]);
    let labelled = list(&object([("name", text()), ("label", text())]));
    let meant = list(&object([("name", text()), ("meaning", text())]));
    let diagnosis = object([("code", text()), ("cause", text()), ("remedy", text()), ("document", document())]);
    vec![(
        "Definitions",
        object([
            ("measures", list(&measure)),
            ("dimensions", labelled.clone()),
            ("stages", labelled),
            ("diagnoses", list(&diagnosis)),
            ("verdicts", meant.clone()),
            ("outcomes", meant),
            ("verdict_lines", list(&object([("line", int()), ("reason", text())]))),
        ]),
    )]
}
