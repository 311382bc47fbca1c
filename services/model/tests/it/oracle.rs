//! `Event::parse` against a slow reading of the contract's section 2 over `serde_json::Value`: both accept the same
//! values, read the same fields, and refuse for the same reason. It shares no code with the crate.

use proptest::prelude::*;
use ringtrace_model::Event;
use serde_json::{Map, Value, json};

use crate::events::random;
use crate::records::{fields_of, mutated, record};

/// The kinds' own fields: name, type, whether required.
type Rule = (&'static str, Type, bool);

/// What a field may hold, null apart.
#[derive(Clone, Copy)]
pub enum Type {
    Text,
    Integer,
    Boolean,
    Priority,
    Uuid,
    Word(&'static [&'static str]),
    EndReason,
    Cause,
}

const CHANNEL: Rule = ("channel", Type::Word(&["apns_voip", "apns_alert", "fcm", "socket"]), false);
const PURPOSE: Rule = ("purpose", Type::Word(&["incoming_call", "cancel", "data"]), false);
const PUSH_ID: Rule = ("push_id", Type::Text, false);
const STATUS: Rule = ("status", Type::Integer, false);
const REASON: Rule = ("reason", Type::Text, false);
const PRIORITY: Rule = ("priority", Type::Priority, false);

/// The fields of contract section 3 that are validated, by kind.
pub fn rules_of(kind: &str) -> Vec<Rule> {
    match kind {
        "push.sent" => vec![
            PUSH_ID,
            ("channel", CHANNEL.1, true),
            PURPOSE,
            ("environment", Type::Word(&["production", "sandbox"]), false),
            PRIORITY,
            ("expires_at", Type::Integer, false),
        ],
        "push.accepted" => vec![PUSH_ID, CHANNEL, PURPOSE, STATUS],
        "push.rejected" => vec![PUSH_ID, CHANNEL, PURPOSE, STATUS, REASON],
        "push.failed" => vec![PUSH_ID, CHANNEL, PURPOSE, REASON],
        "push.suppressed" => vec![REASON],
        "push.received" => vec![
            PUSH_ID,
            CHANNEL,
            PURPOSE,
            ("app_state", Type::Word(&["foreground", "background", "not_running"]), false),
            ("active_calls", Type::Integer, false),
            ("must_report", Type::Boolean, false),
            PRIORITY,
            ("original_priority", Type::Priority, false),
        ],
        "push.handler_returned" => vec![PUSH_ID, CHANNEL, PURPOSE, ("reported", Type::Boolean, true)],
        "call.reported" => vec![
            PUSH_ID,
            ("reported_uuid", Type::Uuid, false),
            ("call_ui", Type::Word(&["callkit", "live_communication_kit", "telecom", "custom"]), false),
        ],
        "call.report_failed" => vec![("error_domain", Type::Text, true), ("error_code", Type::Integer, true)],
        "call.ended" => vec![("end_reason", Type::EndReason, false), ("disconnect_cause", Type::Cause, false)],
        "call.action_timed_out" => vec![("action", Type::Text, false)],
        "call.transaction_failed" => vec![("error_code", Type::Integer, false)],
        "app.terminated" => vec![
            ("exception_reason", Type::Text, false),
            ("termination_namespace", Type::Text, false),
            ("termination_code", Type::Integer, false),
            ("inferred", Type::Boolean, false),
        ],
        _ => vec![],
    }
}

const DIMENSIONS: [&str; 8] =
    ["os_version", "app_version", "sdk_version", "device_model", "country", "carrier", "network", "build_channel"];

const ENVELOPE: [&str; 19] = [
    "event_id",
    "kind",
    "occurred_at",
    "app_id",
    "call_uuid",
    "device_id",
    "tenant_id",
    "platform",
    "os_version",
    "app_version",
    "sdk_version",
    "device_model",
    "country",
    "carrier",
    "network",
    "build_channel",
    "clock_offset_ms",
    "mono_ms",
    "boot_id",
];

const DEVICE_ONLY: [&str; 9] = [
    "push.received",
    "push.handler_returned",
    "call.reported",
    "call.report_failed",
    "call.answered",
    "call.declined",
    "call.audio_activated",
    "call.action_timed_out",
    "call.transaction_failed",
];

/// A fault: reason and field.
type Fault = (&'static str, String);

/// Everything that is wrong with a record, or its fields with nulls left out.
fn judge(value: &[u8], log_at: i64) -> Result<Map<String, Value>, Vec<Fault>> {
    if value.len() > 65_536 {
        return Err(vec![("too_large", "value".into())]);
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(value) else {
        return Err(vec![("not_json", "value".into())]);
    };
    fields.retain(|_, value| !value.is_null());
    let mut faults = Vec::new();
    let mut fault = |reason, field: &str| faults.push((reason, field.to_owned()));
    check_envelope(&fields, &mut fault);
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    for (name, of, required) in rules_of(kind) {
        match fields.get(name) {
            None if required => fault("missing_field", name),
            Some(value) if !holds(value, of) => fault("invalid_field", name),
            _ => {}
        }
    }
    // Times are looked at last: a record with another fault may be refused for that one alone.
    if faults.is_empty() {
        check_times(&fields, log_at, &mut |reason, field| faults.push((reason, field.to_owned())));
    }
    if faults.is_empty() { Ok(fields) } else { Err(faults) }
}

fn check_envelope(fields: &Map<String, Value>, fault: &mut impl FnMut(&'static str, &str)) {
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    let is_push = kind.starts_with("push.");
    let needs_call = is_push || kind.starts_with("call.");
    let outgoing = matches!(kind, "call.outgoing_started" | "call.outgoing_connecting" | "call.outgoing_connected");
    let needs_device = is_push || outgoing || DEVICE_ONLY.contains(&kind);
    for (name, max, required) in [
        ("event_id", 64, true),
        ("kind", usize::MAX, true),
        ("app_id", 255, true),
        ("device_id", 128, needs_device),
        ("tenant_id", 64, false),
    ] {
        match fields.get(name) {
            None if required => fault("missing_field", name),
            None => {}
            Some(Value::String(text)) if (1..=max).contains(&text.len()) => {}
            Some(_) => fault("invalid_field", name),
        }
    }
    match fields.get("call_uuid") {
        None if needs_call => fault("missing_field", "call_uuid"),
        Some(value) if !holds(value, Type::Uuid) => fault("invalid_field", "call_uuid"),
        _ => {}
    }
    match fields.get("occurred_at") {
        None => fault("missing_field", "occurred_at"),
        Some(value) if millis(value).is_none_or(|at| at < 0) => fault("invalid_field", "occurred_at"),
        _ => {}
    }
    let platforms = Type::Word(&["ios", "android", "web", "desktop", "other"]);
    let typed = [
        ("platform", platforms),
        ("clock_offset_ms", Type::Integer),
        ("mono_ms", Type::Integer),
        ("boot_id", Type::Text),
    ];
    for (name, of) in typed.into_iter().chain(DIMENSIONS.map(|name| (name, Type::Text))) {
        if fields.get(name).is_some_and(|value| !holds(value, of)) {
            fault("invalid_field", name);
        }
    }
}

fn check_times(fields: &Map<String, Value>, log_at: i64, fault: &mut impl FnMut(&'static str, &str)) {
    if !(0..=4_102_444_800_000).contains(&log_at) {
        return fault("not_storable", "record timestamp");
    }
    let latest = i128::from(log_at) + 86_400_000;
    let at = i128::from(fields.get("occurred_at").and_then(millis).unwrap());
    let offset = i128::from(fields.get("clock_offset_ms").and_then(Value::as_i64).unwrap_or(0));
    if at > latest {
        fault("invalid_field", "occurred_at");
    } else if !(0..=latest).contains(&(at + offset)) {
        fault("invalid_field", "clock_offset_ms");
    }
}

fn holds(value: &Value, of: Type) -> bool {
    match of {
        Type::Text => value.is_string(),
        Type::Integer => value.is_i64(),
        Type::Boolean => value.is_boolean(),
        Type::Priority => value.is_string() || value.is_i64(),
        Type::Uuid => value.as_str().is_some_and(|text| uuid(text).is_some()),
        Type::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Type::EndReason => end_reason(value).is_some(),
        Type::Cause => value.as_i64().is_some_and(|cause| (0..=12).contains(&cause)),
    }
}

fn end_reason(value: &Value) -> Option<&str> {
    const WORDS: [&str; 5] = ["failed", "remote_ended", "unanswered", "answered_elsewhere", "declined_elsewhere"];
    if let Some(raw) = value.as_i64() {
        return WORDS.get(usize::try_from(raw.checked_sub(1)?).ok()?).copied();
    }
    value.as_str().filter(|word| WORDS.contains(word) || matches!(*word, "local" | "timeout"))
}

/// The lower-case form of a UUID in hyphenated form.
fn uuid(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split('-').collect();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let is_uuid = sizes == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    is_uuid.then(|| text.to_ascii_lowercase())
}

fn millis(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| rfc3339(value.as_str()?))
}

/// RFC 3339 section 5.6, in milliseconds since the Unix epoch.
fn rfc3339(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    let number = |from: usize, to: usize| {
        let digits = b.get(from..to).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse::<i64>().ok()
    };
    let is = |at: usize, any: &[u8]| b.get(at).is_some_and(|b| any.contains(b));
    let shape = is(4, b"-") && is(7, b"-") && is(10, b"Tt") && is(13, b":") && is(16, b":");
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let months = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days_in_month = *months.get(usize::try_from(month - 1).ok()?)?;
    if !shape || !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = 19;
    let mut fraction = 0;
    if is(rest, b".") {
        let digits = b[rest + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        let cut: String = text.get(rest + 1..rest + 1 + digits)?.chars().chain("000".chars()).take(3).collect();
        fraction = if digits > 0 { cut.parse().ok()? } else { return None };
        rest += 1 + digits;
    }
    let zone = if is(rest, b"Zz") && b.len() == rest + 1 {
        0
    } else if is(rest, b"+-") && is(rest + 3, b":") && b.len() == rest + 6 {
        let (hours, minutes) = (number(rest + 1, rest + 3)?, number(rest + 4, rest + 6)?);
        let sign = if b[rest] == b'-' { -1 } else { 1 };
        if hours > 23 || minutes > 59 { return None } else { sign * (hours * 60 + minutes) }
    } else {
        return None;
    };
    let years: i64 = (0..year).map(|y| if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) { 366 } else { 365 }).sum();
    let days = years + months.iter().take(month as usize - 1).sum::<i64>() + day - 1 - 719_528;
    Some((((days * 24 + hour) * 60 + minute - zone) * 60 + second) * 1000 + fraction)
}

/// Every field of an event that anything depends on, as the oracle reads it.
fn expected(fields: &Map<String, Value>) -> Value {
    let get = |name: &str| fields.get(name).cloned().unwrap_or(Value::Null);
    let kind = fields["kind"].as_str().unwrap();
    let own = rules_of(kind);
    let detail = |name: &str| if own.iter().any(|(rule, ..)| *rule == name) { get(name) } else { Value::Null };
    let lower = |value: Value| value.as_str().and_then(uuid).map_or(Value::Null, Value::String);
    let dimensions: Vec<Value> =
        DIMENSIONS.iter().map(|name| Some(get(name)).filter(|v| v != "").unwrap_or_default()).collect();
    let attributes: Map<String, Value> = fields
        .iter()
        .filter(|(name, _)| !ENVELOPE.contains(&name.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let lowered = kind == "push.received" && get("original_priority") == "high" && get("priority") == "normal";
    let killed = kind == "app.terminated"
        && (get("exception_reason")
            .as_str()
            .is_some_and(|r| r.contains("never posted an incoming call to the system"))
            || get("termination_code") == 3_131_951_633_i64);
    let push_id = if kind == "call.reported" { Value::Null } else { detail("push_id") };
    let error =
        if kind == "call.report_failed" { json!([get("error_domain"), get("error_code")]) } else { Value::Null };
    json!({
        "event_id": get("event_id"), "kind": kind, "occurred_at": millis(&get("occurred_at")), "app_id": get("app_id"),
        "call_uuid": lower(get("call_uuid")), "device_id": get("device_id"),
        "tenant_id": fields.get("tenant_id").cloned().unwrap_or("default".into()),
        "platform": get("platform"), "dimensions": dimensions,
        "clock_offset_ms": fields.get("clock_offset_ms").cloned().unwrap_or(0.into()),
        "mono_ms": get("mono_ms"), "boot_id": get("boot_id"), "attributes": attributes,
        "push_id": push_id, "channel": detail("channel"), "purpose": detail("purpose"),
        "environment": detail("environment"), "expires_at": detail("expires_at"), "status": detail("status"),
        "reason": detail("reason"), "priority_lowered": lowered, "app_state": detail("app_state"),
        "active_calls": detail("active_calls"), "must_report": detail("must_report"), "reported": detail("reported"),
        "reported_uuid": lower(detail("reported_uuid")), "call_ui": detail("call_ui"), "error": error,
        "end_reason": end_reason(&detail("end_reason")), "disconnect_cause": detail("disconnect_cause"),
        "killed_for_silence": killed, "inferred": detail("inferred") == true,
    })
}

/// The same fields, as the crate read them.
pub fn actual(event: &Event<'_>) -> Value {
    let d = &event.detail;
    let attributes: Value = serde_json::from_str(&event.attributes).unwrap();
    json!({
        "event_id": event.event_id, "kind": event.kind.as_str(), "occurred_at": event.occurred_at, "app_id": event.app_id,
        "call_uuid": event.call_uuid.map(|uuid| uuid.to_string()), "device_id": event.device_id,
        "tenant_id": event.tenant_id, "platform": event.platform, "dimensions": event.dimensions,
        "clock_offset_ms": event.clock_offset_ms, "mono_ms": event.mono_ms, "boot_id": event.boot_id,
        "attributes": attributes,
        "push_id": d.push_id, "channel": d.channel, "purpose": d.purpose, "environment": d.environment,
        "expires_at": d.expires_at, "status": d.status, "reason": d.reason, "priority_lowered": d.priority_lowered,
        "app_state": d.app_state, "active_calls": d.active_calls, "must_report": d.must_report, "reported": d.reported,
        "reported_uuid": d.reported_uuid.map(|uuid| uuid.to_string()), "call_ui": d.call_ui, "error": d.error,
        "end_reason": d.end_reason, "disconnect_cause": d.disconnect_cause,
        "killed_for_silence": d.killed_for_silence, "inferred": d.inferred,
    })
}

fn agree(value: &[u8], log_at: i64) -> Result<(), String> {
    match (judge(value, log_at), Event::parse(value, log_at)) {
        (Ok(fields), Ok(event)) => {
            let (expected, actual) = (expected(&fields), actual(&event));
            // Texts too: -0.0 equals 0.0, yet it is another value.
            let [expected_text, actual_text] = [&expected, &actual].map(Value::to_string);
            if expected != actual || expected_text != actual_text {
                return Err(format!("expected {expected}\n  actual {actual}"));
            }
            Ok(())
        }
        (Err(faults), Err(reject)) => {
            let field = reject.detail.split(':').next().unwrap_or_default();
            let found = faults.iter().any(|(reason, name)| *reason == reject.reason.as_str() && name == field);
            if found { Ok(()) } else { Err(format!("refused for {reject}, expected one of {faults:?}")) }
        }
        (expected, actual) => Err(format!("expected {expected:?}\n  actual {actual:?}")),
    }
}

#[track_caller]
fn check(value: &[u8], log_at: i64) {
    agree(value, log_at).unwrap_or_else(|e| panic!("{}\n  {e}", String::from_utf8_lossy(value)));
}

proptest! {
    #![proptest_config(random(20_000))]

    #[test]
    fn records_are_read_as_the_contract_says((fields, text, log_at) in record()) {
        prop_assert_eq!(agree(text.as_bytes(), log_at), Ok(()), "{} {:?}", text, fields);
    }

    #[test]
    fn damaged_records_are_refused_alike((value, log_at) in mutated()) {
        prop_assert_eq!(agree(&value, log_at), Ok(()), "{} {:?}", String::from_utf8_lossy(&value), value);
    }

    #[test]
    fn times_are_read_as_rfc_3339_says(text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?([Zz]|[+-][0-2][0-9]:?[0-6][0-9])") {
        prop_assert_eq!(ringtrace_model::parse_rfc3339(&text), rfc3339(&text), "{}", text);
    }

    #[test]
    fn damaged_times_are_refused_alike(text in "2[0-9]{3}-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,4})?(Z|[+-]0[0-9]:[0-5][0-9])", at in 0..30_usize, with in "[0-9TtZz:. +,_UC-]{0,3}", cut in 0..2_usize) {
        let mut text = text;
        let at = at.min(text.len());
        text.replace_range(at..(at + cut).min(text.len()), &with);
        prop_assert_eq!(ringtrace_model::parse_rfc3339(&text), rfc3339(&text), "{}", text);
    }
}

#[test]
fn values_that_parsers_disagree_about() {
    let log_at = 1_790_000_000_000;
    let mut numbers: Vec<String> = fields_of::NUMBERS.iter().map(|number| (*number).to_owned()).collect();
    numbers.extend([1, 15, 16, 17, 18, 19, 20, 21, 40, 400].map(|digits| "9".repeat(digits)));
    numbers.extend([1, 17, 19, 300, 400, 1_000].map(|digits| format!("0.{}1", "0".repeat(digits))));
    let values = numbers.iter().map(String::as_str).chain(fields_of::VALUES.iter().copied());
    for value in values {
        for field in ["x", "mono_ms", "os_version", "occurred_at", "device_id", "status", "tenant_id", "call_uuid"] {
            for nested in [value.to_owned(), format!("[{value}]"), format!("{{\"a\":{value}}}")] {
                check(template(&format!("\"{field}\":{nested}")).as_bytes(), log_at);
            }
            check(template(&format!("\"{field}\":{value},\"nested\":[{value}]")).as_bytes(), log_at);
            check(template(&format!("\"{field}\":{value},\"{field}\":null")).as_bytes(), log_at);
            check(template(&format!("\"{field}\":null,\"{field}\":{value}")).as_bytes(), log_at);
        }
    }
}

/// A valid event of a device, with more fields.
fn template(more: &str) -> String {
    let call = "7b001eef-5c1e-4b7a-9d3f-001f00c27719";
    format!(
        r#"{{"event_id":"e","kind":"push.accepted","occurred_at":1790000000000,"app_id":"a","call_uuid":"{call}","device_id":"d",{more}}}"#
    )
}

#[test]
fn bytes_around_and_inside_a_record() {
    let whole = template(r#""x":"é\u00e9\ud83d\ude00","y":[1,{"z":1.5}]"#);
    for edit in [
        "\u{feff}", " ", "\t\r\n ", "\0", "x", "{", "}", "null", ",", "\u{a0}", "\u{c}", "/**/", "\"", "\u{7f}", "\x1f",
    ] {
        for at in (0..=whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            check(format!("{}{edit}{}", &whole[..at], &whole[at..]).as_bytes(), 1_790_000_000_000);
        }
    }
    for at in 0..whole.len() {
        check(&whole.as_bytes()[..at], 1_790_000_000_000);
        for byte in [0, 0x1f, b'\\', b'"', 0x80, 0xc0, 0xc3, 0xed, 0xf8, 0xff] {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] = byte;
            check(&bytes, 1_790_000_000_000);
            bytes.insert(at, byte);
            check(&bytes, 1_790_000_000_000);
        }
    }
    for value in
        ["", " ", "null", "[]", "1", "\"\"", "true", "{}", "{}{}", "[{}]", "{\"a\"}", "{1:2}", "{\"a\":1,}", "{,}"]
    {
        check(value.as_bytes(), 1_790_000_000_000);
    }
}

#[test]
fn nesting_and_size_have_limits() {
    for depth in [1, 2, 125, 126, 127, 128, 129, 254, 255, 256, 20_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            check(template(&format!("\"x\":{value}")).as_bytes(), 1_790_000_000_000);
            check(template(&format!("\"os_version\":{value}")).as_bytes(), 1_790_000_000_000);
        }
    }
    let empty = template("\"x\":\"\"").len();
    for size in [65_535, 65_536, 65_537] {
        let value = template(&format!("\"x\":\"{}\"", "x".repeat(size - empty)));
        assert_eq!(value.len(), size);
        check(value.as_bytes(), 1_790_000_000_000);
    }
}
