//! Random records: events as JSON texts, valid ones and all kinds of broken ones.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::oracle::{Type, rules_of};

pub mod fields_of {
    //! Texts of JSON values.

    /// Numbers at the edges of what parsers agree about.
    pub const NUMBERS: &[&str] = &[
        "0",
        "-0",
        "1",
        "-1",
        "12",
        "13",
        "1.0",
        "-1.5",
        "-0.0",
        "0e5",
        "-0e5",
        "1e3",
        "1E+3",
        "1e-3",
        "1e400",
        "-1e400",
        "1e-400",
        "0e400",
        "0.0e9999999999",
        "1e99999999999",
        "01",
        "+1",
        ".5",
        "5.",
        "1e",
        "1e+",
        "-",
        "0x1",
        "Infinity",
        "NaN",
        "-Infinity",
        "1_000",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999",
        "1790000000000",
        "1790086400000",
        "1790086400001",
        "4102444800000",
        "3131951633",
        "0.1",
        "0.30000000000000004",
        "123456789012345678.9",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.2250738585072011e-308",
        "9007199254740993.0",
        "1.00000000000000011102230246251565404",
        "12345678.12345678123456789",
        "1.2345678901234567890123456789",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880.0",
    ];

    /// Other values, good and bad.
    pub const VALUES: &[&str] = &[
        "null",
        "true",
        "false",
        "nul",
        "True",
        "\"\"",
        "\"x\"",
        "\"ios\"",
        "\"IOS\"",
        "\"apns_voip\"",
        "\"cancel\"",
        "\"high\"",
        "\"normal\"",
        "\"17.2\"",
        "[]",
        "{}",
        "[1,2]",
        "{\"a\":{\"b\":null}}",
        "{\"a\":1,\"a\":2}",
        "[1,]",
        "{\"a\":1,}",
        "{\"b\":1,\"a\":-0.0}",
        "{\"$serde_json::private::Number\":\"1\"}",
        "{\"$serde_json::private::RawValue\":\"1\"}",
        "\"\\u0000\"",
        "\"\\u00e9\\n\\t\\\"\\\\\\/\\b\\f\\r\"",
        "\"\u{7f}\u{85}\u{2028}\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\n\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\ude00\\ud83d\"",
        "\"\\ud83d\\u0041\"",
        "\"\\udbff\\udfff\"",
        "\"\\uffff\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud83d\\u12g4\"",
        "\"\\x\"",
        "\"\\\"",
        "\"a\tb\"",
        "\"a\nb\"",
        "\"a\0b\"",
        "\"a\u{1f}b\"",
        "'x'",
        "x",
        "\"2026-09-21T14:13:20.123Z\"",
        "\"2026-09-21T16:13:20+02:00\"",
        "\"2026-09-21 14:13:20Z\"",
        "\"1969-12-31T23:59:59Z\"",
        "\"9999-12-31T23:59:59Z\"",
        "\"7B001EEF-5C1E-4B7A-9D3F-001F00C27719\"",
        "\"00000000-0000-0000-0000-000000000000\"",
        "\"ffffffff-ffff-ffff-ffff-ffffffffffff\"",
        "\"7b001eef5c1e4b7a9d3f001f00c27719\"",
        "\"{7b001eef-5c1e-4b7a-9d3f-001f00c27719}\"",
        "\"7b001eef-5c1e-4b7a-9d3f-001f00c2771g\"",
        "\"urn:uuid:7b001eef-5c1e-4b7a-9d3f-001f00c27719\"",
        "\"7b001eef-5c1e4-b7a-9d3f-001f00c27719\"",
        "\"7b001eef_5c1e_4b7a_9d3f_001f00c27719\"",
    ];
}

const KINDS: &[&str] = &[
    "push.sent",
    "push.accepted",
    "push.rejected",
    "push.failed",
    "push.suppressed",
    "push.received",
    "push.handler_returned",
    "call.initiated",
    "call.reported",
    "call.report_failed",
    "call.answered",
    "call.declined",
    "call.audio_activated",
    "call.connected",
    "call.cancelled",
    "call.busy",
    "call.ended",
    "call.action_timed_out",
    "call.transaction_failed",
    "call.outgoing_started",
    "call.outgoing_connecting",
    "call.outgoing_connected",
    "call.held",
    "call.muted",
    "call.grouped",
    "call.dtmf",
    "call.updated",
    "call.observed",
    "call.audio_deactivated",
    "call.ringing",
    "app.terminated",
    "app.launched",
    "token.updated",
    "call_directory.status",
    "sdk.heartbeat",
    "push.new",
    "call.new",
    "push.",
    "call.outgoing_ended",
    "push",
    "new",
];

type Fields = Vec<(String, String)>;

/// An event: its fields as texts, its own text, its log time. Mostly valid.
pub fn record() -> impl Strategy<Value = (Fields, String, i64)> {
    (select(KINDS), any::<u64>(), vec(edit(), 0..4), vec(select(&["", "", "", " ", "\n\t", "\r"][..]), 1..9), log_at())
        .prop_map(|(kind, bits, edits, spaces, log_at)| {
            let mut fields = valid(kind, bits);
            edits.into_iter().for_each(|edit| edit.apply(&mut fields));
            let text = write(&fields, &spaces);
            (fields, text, log_at)
        })
}

/// A record with damaged bytes.
pub fn mutated() -> impl Strategy<Value = (Vec<u8>, i64)> {
    let damage = (any::<Index>(), 0..3_u8, prop_oneof![any::<u8>(), select(&b"\"\\{}[],:0e-. u\xed\xa0\x80\xff"[..])]);
    (record(), vec(damage, 1..4)).prop_map(|((_, text, log_at), damages)| {
        let mut bytes = text.into_bytes();
        for (at, how, byte) in damages {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.push(byte),
                _ => bytes.truncate(at),
            }
        }
        (bytes, log_at)
    })
}

fn log_at() -> impl Strategy<Value = i64> {
    prop_oneof![
        16 => Just(1_790_000_000_000),
        1 => select(&[i64::MIN, -1, 0, 1_789_913_600_000, 1_789_913_599_999, 4_102_444_800_000, 4_102_444_800_001, i64::MAX][..]),
    ]
}

#[derive(Clone, Debug)]
enum Edit {
    Replace(Index, String),
    Repeat(Index, String),
    Remove(Index),
    Escape(Index),
    Extra(String, String),
}

impl Edit {
    fn apply(self, fields: &mut Fields) {
        match self {
            Edit::Replace(at, value) => at.get_mut(fields).1 = value,
            Edit::Repeat(at, value) => {
                let key = at.get(fields).0.clone();
                fields.push((key, value));
            }
            Edit::Remove(at) if fields.len() > 1 => drop(fields.remove(at.index(fields.len()))),
            Edit::Remove(_) => {}
            Edit::Escape(at) => {
                let key = &mut at.get_mut(fields).0;
                *key = key.replacen('e', "\\u0065", 1);
            }
            Edit::Extra(key, value) => fields.push((key, value)),
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let keys = &["x", "caller_name", "status", "log_at", "channel", "end_reason", "é", "a\\\"b", "", "\\u0000"][..];
    prop_oneof![
        (any::<Index>(), json_value()).prop_map(|(at, value)| Edit::Replace(at, value)),
        (any::<Index>(), json_value()).prop_map(|(at, value)| Edit::Repeat(at, value)),
        any::<Index>().prop_map(Edit::Remove),
        any::<Index>().prop_map(Edit::Escape),
        (select(keys), json_value()).prop_map(|(key, value)| Edit::Extra(key.into(), value)),
    ]
}

fn json_value() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => select(fields_of::NUMBERS).prop_map(str::to_owned),
        3 => select(fields_of::VALUES).prop_map(str::to_owned),
        1 => any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| format!("{f:?}")),
        1 => "-?[0-9]{1,22}(\\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?",
        1 => any::<i64>().prop_map(|i| i.to_string()),
        1 => any::<u64>().prop_map(|i| i.to_string()),
        1 => any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        1 => "\"(\\\\u[dD][89a-fA-F][0-9a-f]{2}|\\\\u00[0-9a-f]{2}|\\\\[nrtbf\"/]|[a-zé😀]){0,6}\"",
        1 => (1..300_usize).prop_map(|length| format!("\"{}\"", "x".repeat(length))),
        1 => (1..140_usize).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
    ]
}

/// A valid event of a kind, with some of its optional fields, as `bits` say.
fn valid(kind: &str, bits: u64) -> Fields {
    let mut bits = bits;
    let mut next = move |of: u64| {
        let some = bits % of;
        bits /= of;
        some as usize
    };
    let mut fields: Fields = Vec::new();
    let mut put = |key: &str, value: &str| fields.push((key.into(), value.into()));
    put("event_id", "\"e1\"");
    put("kind", &format!("\"{kind}\""));
    put("occurred_at", ["1790000000000", "\"2026-09-21T14:13:20.123Z\"", "1790086400000", "0"][next(4)]);
    put("app_id", "\"com.acme.talk\"");
    put("call_uuid", ["\"7b001eef-5c1e-4b7a-9d3f-001f00c27719\"", "\"7B001EEF-5C1E-4B7A-9D3F-001F00C27719\""][next(2)]);
    put("device_id", "\"d1\"");
    for (key, value) in [
        ("platform", "\"ios\""),
        ("tenant_id", "\"acme\""),
        ("os_version", "\"17.2\""),
        ("carrier", "\"\""),
        ("clock_offset_ms", "-120"),
        ("mono_ms", "77"),
        ("boot_id", "\"b\""),
        ("x", "{\"y\":[null,1.5]}"),
    ] {
        if next(3) == 0 {
            put(key, value);
        }
    }
    for (name, of, required) in rules_of(kind) {
        if required || next(2) == 0 {
            put(name, good(of, next(4)));
        }
    }
    fields
}

fn good(of: Type, pick: usize) -> &'static str {
    match of {
        Type::Text => ["\"\"", "\"x\"", "\"Unregistered\"", "\"never posted an incoming call to the system\""][pick],
        Type::Integer => ["0", "-1", "403", "3131951633"][pick],
        Type::Boolean => ["true", "false"][pick % 2],
        Type::Priority => ["\"high\"", "\"normal\"", "10", "null"][pick],
        Type::Uuid => "\"7b001eef-5c1e-4b7a-9d3f-001f00c27718\"",
        Type::Word(words) if words.contains(&"apns_voip") => "\"apns_voip\"",
        Type::Word(words) if words.contains(&"cancel") => "\"cancel\"",
        Type::Word(words) if words.contains(&"sandbox") => "\"sandbox\"",
        Type::Word(words) if words.contains(&"foreground") => "\"foreground\"",
        Type::Word(_) => "\"telecom\"",
        Type::EndReason => ["1", "5", "\"local\"", "\"unanswered\""][pick],
        Type::Cause => ["0", "12", "6", "2"][pick],
    }
}

fn write(fields: &Fields, spaces: &[&str]) -> String {
    let mut spaces = spaces.iter().cycle();
    let mut text = String::new();
    let mut put = |parts: &[&str]| {
        for part in parts {
            text.push_str(spaces.next().unwrap_or(&""));
            text.push_str(part);
        }
    };
    put(&["{"]);
    for (i, (key, value)) in fields.iter().enumerate() {
        let quoted = format!("\"{key}\"");
        let comma = if i > 0 { "," } else { "" };
        put(&[comma, &quoted, ":", value]);
    }
    put(&["}", ""]);
    text
}
