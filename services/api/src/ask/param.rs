//! Parameters of endpoints, as data: what they accept, and what the OpenAPI document says of them.

use ringtrace_model::{Channel, Diagnosis, EndReason, Outcome, Platform, Role, Verdict};
use serde_json::{Value, json};

use super::Cursor;
use super::range::{BUCKETS, bucket_of, duration_ms, time_ms};
use crate::data::{DIMENSIONS, MEASURES, STAGES};

/// Longest free text, in bytes: an `app_id` has 255.
const MOST_TEXT: usize = 256;

/// A parameter of the query string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) repeats: bool,
    pub(crate) about: &'static str,
}

/// What a parameter accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// RFC 3339, milliseconds, `now`, `now-24h`.
    Time,
    /// A duration such as `7d`, or `none`.
    Compare,
    /// `auto`, or one of [`BUCKETS`].
    Bucket,
    /// Free text.
    Text,
    /// Where a list goes on.
    Cursor,
    /// A UUID.
    Uuid,
    /// A whole number between two others.
    Int(i64, i64),
    /// One of some words.
    Words(fn() -> Vec<&'static str>),
    /// One of some words, or nothing for unknown.
    WordsOrNothing(fn() -> Vec<&'static str>),
    /// Up to two dimensions.
    Dimensions,
    /// Names of measures.
    Measures,
    /// `stage:ms`.
    StageMs,
}

/// A parameter that may be given once.
pub(crate) const fn param(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param { name, kind, repeats: false, about }
}

/// A parameter of which any of several values is wanted.
pub(crate) const fn filter(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param { name, kind, repeats: true, about }
}

/// Range and filters, which every aggregate and list has.
pub(crate) const COMMON: &[Param] = &[
    param("from", Kind::Time, "Start of the range of `started_at`, included; default now-24h."),
    param("to", Kind::Time, "End of the range, not included; default now."),
    filter("tenant", Kind::Text, "Only this tenant."),
    filter("app", Kind::Text, "Only this app (iOS bundle id or Android package name)."),
    filter("app_version", Kind::Text, "Only this version of the app; empty for unknown, as below."),
    filter("platform", Kind::WordsOrNothing(|| words(Platform::ALL, Platform::as_str)), "Only this platform."),
    filter("os_major", Kind::Text, "Only this major version of the operating system."),
    filter("os_version", Kind::Text, "Only this version of the operating system."),
    filter("device_model", Kind::Text, "Only this device model."),
    filter("country", Kind::Text, "Only this App Store storefront or country."),
    filter("carrier", Kind::Text, "Only this carrier."),
    filter("network", Kind::Text, "Only this network."),
    filter("channel", Kind::WordsOrNothing(|| words(Channel::ALL, Channel::as_str)), "Only this way of the push."),
    filter("build_channel", Kind::Text, "Only this build channel."),
    filter("verdict", Kind::Words(|| words(Verdict::ALL, Verdict::as_str)), "Only legs with this verdict."),
    filter("outcome", Kind::Words(|| words(Outcome::ALL, Outcome::as_str)), "Only legs with this outcome."),
    filter(
        "diagnosis",
        Kind::WordsOrNothing(|| words(Diagnosis::ALL, Diagnosis::as_str)),
        "Only legs with this diagnosis; empty for legs without any.",
    ),
    param("role", Kind::Words(|| words(Role::ALL, Role::as_str)), "Whose legs; default callee."),
];

/// A range and tenants, where nothing else can be filtered by.
pub(crate) const SPAN: &[Param] = &[
    param("from", Kind::Time, "Start of the range of log time, included; default now-24h."),
    param("to", Kind::Time, "End of the range, not included; default now."),
    filter("tenant", Kind::Text, "Only this tenant."),
];

/// Words of a vocabulary of the model.
pub(crate) fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

/// Words of why a call ended.
pub(crate) fn end_reasons() -> Vec<&'static str> {
    words(EndReason::ALL, EndReason::as_str)
}

impl Kind {
    /// Whether a value is accepted, or what would be.
    pub(super) fn check(self, value: &str, now: i64) -> Result<(), String> {
        let is_accepted = match self {
            Kind::Time => time_ms(value, now).is_some(),
            Kind::Compare => value == "none" || duration_ms(value).is_some(),
            Kind::Bucket => value == "auto" || bucket_of(value).is_some(),
            Kind::Text => value.len() <= MOST_TEXT && !value.contains('\0'),
            Kind::Cursor => Cursor::read(value).is_some(),
            Kind::Uuid => ringtrace_model::Uuid::try_parse(value).is_ok(),
            Kind::Int(least, most) => value.parse().is_ok_and(|int: i64| (least..=most).contains(&int)),
            Kind::Words(all) => all().contains(&value),
            Kind::WordsOrNothing(all) => value.is_empty() || all().contains(&value),
            Kind::Dimensions => {
                let names: Vec<&str> = value.split(',').collect();
                names.len() <= 2
                    && names.iter().all(|name| DIMENSIONS.iter().any(|known| known.name == *name))
                    && names.first() != names.get(1)
            }
            Kind::Measures => value.split(',').all(|name| MEASURES.iter().any(|known| known.name == name)),
            Kind::StageMs => stage_ms(value).is_some(),
        };
        if is_accepted { Ok(()) } else { Err(self.expected()) }
    }

    fn expected(self) -> String {
        match self {
            Kind::Time => "RFC 3339, milliseconds since 1970, now, or now-24h (s, m, h, d)".to_owned(),
            Kind::Compare => "none, or a duration such as 1d or 7d".to_owned(),
            Kind::Bucket => format!("auto, {}", BUCKETS.map(|(name, _)| name).join(", ")),
            Kind::Text => format!("text of at most {MOST_TEXT} bytes"),
            Kind::Cursor => "next_cursor of another page of the same list".to_owned(),
            Kind::Uuid => "a UUID".to_owned(),
            Kind::Int(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Words(all) => format!("one of {}", all().join(", ")),
            Kind::WordsOrNothing(all) => format!("one of {}, or nothing", all().join(", ")),
            Kind::Dimensions => {
                let names: Vec<&str> = DIMENSIONS.iter().map(|dimension| dimension.name).collect();
                format!("one or two different of {}, separated by a comma", names.join(", "))
            }
            Kind::Measures => "names of measures separated by commas, as /definitions lists them".to_owned(),
            Kind::StageMs => {
                format!("stage:milliseconds, where stage is one of {}", STAGES.map(|stage| stage.name).join(", "))
            }
        }
    }

    /// JSON Schema of one value.
    pub(crate) fn schema(self) -> Value {
        match self {
            Kind::Int(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
            Kind::Words(all) => json!({"type": "string", "enum": all()}),
            Kind::WordsOrNothing(all) => {
                let words = [all(), vec![""]].concat();
                json!({"type": "string", "enum": words})
            }
            Kind::Uuid => json!({"type": "string", "format": "uuid"}),
            Kind::Text => json!({"type": "string", "maxLength": MOST_TEXT}),
            Kind::Bucket => {
                let names: Vec<&str> = ["auto"].into_iter().chain(BUCKETS.map(|(name, _)| name)).collect();
                json!({"type": "string", "enum": names})
            }
            Kind::Cursor | Kind::Time | Kind::Compare | Kind::Dimensions | Kind::Measures | Kind::StageMs => {
                json!({"type": "string", "description": format!("Accepts {}.", self.expected())})
            }
        }
    }
}

/// A stage and a number of milliseconds.
pub(crate) fn stage_ms(text: &str) -> Option<(&'static crate::data::Stage, i64)> {
    let (name, ms) = text.split_once(':')?;
    let stage = STAGES.iter().find(|stage| stage.name == name)?;
    Some((stage, ms.parse().ok().filter(|ms| *ms >= 0)?))
}
