//! One JSON object into a table of fields, without allocating for what the contract names.
//!
//! Two parsers drive the same visitor: `sonic-rs` for speed, `serde_json` for the last word. The fast one defers
//! what the two might read differently (nested values, floats, anything it refuses), so only one has the last word.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::reject::{Reason, Reject};
use crate::words::words;

/// Largest value of a record, in bytes (contract section 1).
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

words! {
    /// The fields that the contract names: of every event first, then of single kinds.
    pub(crate) Field {
        EventId = "event_id",
        Kind = "kind",
        OccurredAt = "occurred_at",
        AppId = "app_id",
        CallUuid = "call_uuid",
        DeviceId = "device_id",
        TenantId = "tenant_id",
        Platform = "platform",
        OsVersion = "os_version",
        AppVersion = "app_version",
        SdkVersion = "sdk_version",
        DeviceModel = "device_model",
        Country = "country",
        Carrier = "carrier",
        Network = "network",
        BuildChannel = "build_channel",
        ClockOffsetMs = "clock_offset_ms",
        MonoMs = "mono_ms",
        BootId = "boot_id",
        PushId = "push_id",
        Channel = "channel",
        Purpose = "purpose",
        Environment = "environment",
        Priority = "priority",
        OriginalPriority = "original_priority",
        ExpiresAt = "expires_at",
        Status = "status",
        Reason = "reason",
        AppState = "app_state",
        ActiveCalls = "active_calls",
        MustReport = "must_report",
        Reported = "reported",
        ReportedUuid = "reported_uuid",
        CallUi = "call_ui",
        ErrorDomain = "error_domain",
        ErrorCode = "error_code",
        EndReason = "end_reason",
        DisconnectCause = "disconnect_cause",
        Action = "action",
        ExceptionReason = "exception_reason",
        TerminationNamespace = "termination_namespace",
        TerminationCode = "termination_code",
        Inferred = "inferred",
    }
}

/// The fields of single kinds: all but those of every event, in alphabetical order.
pub(crate) const ATTRIBUTES: [Field; Field::ALL.len() - Field::BootId as usize - 1] = [
    Field::Action,
    Field::ActiveCalls,
    Field::AppState,
    Field::CallUi,
    Field::Channel,
    Field::DisconnectCause,
    Field::EndReason,
    Field::Environment,
    Field::ErrorCode,
    Field::ErrorDomain,
    Field::ExceptionReason,
    Field::ExpiresAt,
    Field::Inferred,
    Field::MustReport,
    Field::OriginalPriority,
    Field::Priority,
    Field::Purpose,
    Field::PushId,
    Field::Reason,
    Field::Reported,
    Field::ReportedUuid,
    Field::Status,
    Field::TerminationCode,
    Field::TerminationNamespace,
];

/// Names of the attributes that the contract gives to single kinds, in alphabetical order.
pub fn attribute_names() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.into_iter().map(Field::as_str)
}

/// A JSON value as far as validation looks at it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// The field is missing or null, which is the same.
    #[default]
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// An integer within 64 bits, signed.
    Int(i64),
    /// A larger integer, up to 2^64 - 1: kept, valid for no named field.
    Large(u64),
    /// Any other number, as the nearest double.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array or an object: few events have any, so it does not make all others larger.
    Nested(Box<serde_json::Value>),
}

/// Fields that most events have at most; more need another allocation.
const USUAL_FIELDS: usize = 24;

/// Room for the attributes of most events, in bytes.
const USUAL_ATTRIBUTES: usize = 256;

/// The fields of one event, not yet validated: only those that came, since a table of all that may come costs more to fill, to
/// move and to drop than the parsing.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    /// Of each field, one more than its place in `values`; 0 where it did not come.
    places: [u8; Field::ALL.len()],
    values: Vec<Scalar<'a>>,
    other: Vec<(Cow<'a, str>, Scalar<'a>)>,
}

impl<'a> Fields<'a> {
    fn new() -> Self {
        Fields { places: [0; Field::ALL.len()], values: Vec::with_capacity(USUAL_FIELDS), other: Vec::new() }
    }

    /// Reads one JSON object.
    ///
    /// # Errors
    /// `too_large` above [`MAX_VALUE_BYTES`]; `not_json` for whatever `serde_json` does not take as an object.
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, Reject> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(Reject::of(Reason::TooLarge, "value: expected at most 65536 bytes"));
        }
        let mut fast = sonic_rs::Deserializer::from_slice(value);
        if let Ok(fields) = (FieldsSeed { defer_unsure: true }).deserialize(&mut fast)
            && fast.end().is_ok()
        {
            return Ok(fields);
        }
        Self::parse_exact(value)
    }

    fn parse_exact(value: &'a [u8]) -> Result<Self, Reject> {
        let not_json = |_| Reject::of(Reason::NotJson, "value: expected one JSON object in UTF-8");
        // Borrowed keys and strings need valid UTF-8 throughout; `serde_json` checks only those it looks at.
        let text = std::str::from_utf8(value).map_err(|e| not_json(serde_json::Error::custom(e)))?;
        let mut exact = serde_json::Deserializer::from_str(text);
        let fields = (FieldsSeed { defer_unsure: false }).deserialize(&mut exact).map_err(not_json)?;
        exact.end().map_err(not_json)?;
        Ok(fields)
    }

    /// Adds the attributes of a stored event, which are a JSON object.
    pub(crate) fn merge_attributes(&mut self, attributes: &'a str) -> Result<(), Reject> {
        let mut parsed = Self::parse_exact(attributes.as_bytes())?;
        for field in Field::ALL {
            match parsed.take(*field) {
                Scalar::Absent => {}
                value => self.set(*field, value),
            }
        }
        self.other = parsed.other;
        Ok(())
    }

    /// A table without any field, for events that are put together from columns.
    pub(crate) fn empty() -> Self {
        Self::new()
    }

    pub(crate) fn set(&mut self, field: Field, value: Scalar<'a>) {
        match self.values.get_mut(usize::from(self.places[field as usize]).wrapping_sub(1)) {
            Some(held) => *held = value,
            None => {
                self.values.push(value);
                self.places[field as usize] = self.values.len() as u8;
            }
        }
    }

    pub(crate) fn take(&mut self, field: Field) -> Scalar<'a> {
        let place = usize::from(self.places[field as usize]).wrapping_sub(1);
        self.values.get_mut(place).map(std::mem::take).unwrap_or_default()
    }

    /// Takes out a field that the contract does not name; of one given twice the last.
    pub(crate) fn take_other(&mut self, key: &str) -> Scalar<'a> {
        let mut taken = Scalar::Absent;
        self.other.retain_mut(|(other, value)| {
            let is_it = other == key;
            if is_it {
                taken = std::mem::take(value);
            }
            !is_it
        });
        taken
    }

    /// What is not in the envelope, as a JSON object with sorted keys, nulls left out. Takes out what the contract does not name.
    pub(crate) fn take_attributes(&mut self) -> Attributes<'a> {
        // Stable, so that of a key given twice the last value comes last, and wins as it does in `serde_json`.
        self.other.sort_by(|(one, _), (another, _)| one.cmp(another));
        self.other.dedup_by(|later, kept| {
            let is_repeated = later.0 == kept.0;
            if is_repeated {
                std::mem::swap(later, kept);
            }
            is_repeated
        });
        let mut other = std::mem::take(&mut self.other).into_iter().peekable();
        let mut object = Object::begin();
        for field in ATTRIBUTES {
            let place = usize::from(self.places[field as usize]).wrapping_sub(1);
            let Some(value) = self.values.get(place) else { continue };
            while let Some((key, value)) = other.next_if(|(key, _)| key.as_ref() < field.as_str()) {
                object.put_free(key, &value);
            }
            match value {
                Scalar::Nested(_) => object.put_free(Cow::Borrowed(field.as_str()), value),
                _ => {
                    object.put(field.as_str(), value);
                }
            }
        }
        other.for_each(|(key, value)| object.put_free(key, &value));
        object.end()
    }
}

/// What is not in the envelope of an event.
pub(crate) struct Attributes<'a> {
    /// A JSON object.
    pub(crate) json: String,
    /// Of each field that the contract does not name, or that holds an array or an object: where its value lies in `json`.
    pub(crate) free: Vec<(Cow<'a, str>, Range<usize>)>,
}

/// Attributes that are being written.
struct Object<'a> {
    out: Vec<u8>,
    free: Vec<(Cow<'a, str>, Range<usize>)>,
}

impl<'a> Object<'a> {
    fn begin() -> Self {
        let mut out = Vec::with_capacity(USUAL_ATTRIBUTES);
        out.push(b'{');
        Object { out, free: Vec::new() }
    }

    /// Adds a field and says where its value lies; one that is null is left out.
    fn put(&mut self, key: &str, value: &Scalar<'_>) -> Option<Range<usize>> {
        if *value == Scalar::Absent {
            return None;
        }
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        write_text(key, &mut self.out);
        self.out.push(b':');
        let start = self.out.len();
        value.write(&mut self.out);
        Some(start..self.out.len())
    }

    /// As [`Object::put`], of a field that may say anything.
    fn put_free(&mut self, key: Cow<'a, str>, value: &Scalar<'_>) {
        if let Some(place) = self.put(&key, value) {
            self.free.push((key, place));
        }
    }

    fn end(mut self) -> Attributes<'a> {
        self.out.push(b'}');
        Attributes { json: String::from_utf8(self.out).unwrap_or_default(), free: self.free }
    }
}

impl Scalar<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Scalar::Absent => out.extend_from_slice(b"null"),
            Scalar::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Scalar::Int(value) => write_display(value, out),
            Scalar::Large(value) => write_display(value, out),
            Scalar::Float(value) => write_json(value, out),
            Scalar::Text(value) => write_text(value, out),
            Scalar::Nested(value) => write_json(value, out),
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        write_json(&text, out);
    }
}

fn write_display(value: &impl fmt::Display, out: &mut Vec<u8>) {
    use std::io::Write;
    // Writing into a vector can't fail.
    let _ = write!(out, "{value}");
}

fn write_json(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Writing plain data into a vector can't fail.
    let _ = serde_json::to_writer(out, value);
}

fn nested<'a>(value: serde_json::Value) -> Scalar<'a> {
    Scalar::Nested(Box::new(value))
}

#[derive(Clone, Copy)]
struct FieldsSeed {
    defer_unsure: bool,
}

impl<'de> DeserializeSeed<'de> for FieldsSeed {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::new();
        while let Some(Text(key)) = map.next_key()? {
            let value = map.next_value_seed(ScalarSeed { defer_unsure: self.defer_unsure })?;
            match Field::parse(&key) {
                Some(field) => fields.set(field, value),
                None => fields.other.push((key, value)),
            }
        }
        Ok(fields)
    }
}

/// A string, borrowed from the input where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match (ScalarSeed { defer_unsure: true }).deserialize_as_text(deserializer)? {
            Scalar::Text(text) => Ok(Text(text)),
            _ => Err(D::Error::custom("expected a string")),
        }
    }
}

#[derive(Clone, Copy)]
struct ScalarSeed {
    defer_unsure: bool,
}

impl ScalarSeed {
    fn deserialize_as_text<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }

    /// A value that the exact parser alone reads: `sonic-rs` allows deeper nesting, and drops the sign of a negative zero.
    fn exact<'de, E: Error>(self, value: impl FnOnce() -> Result<Scalar<'de>, E>) -> Result<Scalar<'de>, E> {
        if self.defer_unsure { Err(E::custom("left to the exact parser")) } else { value() }
    }
}

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Scalar::Large(value), Scalar::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.exact(|| Ok(Scalar::Float(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        self.exact(|| serde_json::Value::deserialize(SeqAccessDeserializer::new(seq)).map(nested))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.exact(|| serde_json::Value::deserialize(MapAccessDeserializer::new(map)).map(nested))
    }
}

#[cfg(test)]
mod tests {
    use super::{ATTRIBUTES, Field};

    #[test]
    fn every_field_of_single_kinds_is_an_attribute_in_alphabetical_order() {
        let mut expected: Vec<&str> =
            Field::ALL[Field::BootId as usize + 1..].iter().map(|field| field.as_str()).collect();
        expected.sort_unstable();
        assert_eq!(ATTRIBUTES.map(Field::as_str).as_slice(), expected);
    }
}
