//! From the fields of a JSON object to a valid event (contract section 2, "Validation").

use std::borrow::Cow;

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::dims::Dimension;
use crate::event::{DEFAULT_TENANT, Detail, Event};
use crate::json::{Field, Fields, Scalar};
use crate::kind::{Kind, Known};
use crate::reject::{Reason, Reject};
use crate::time::{DAY_MS, parse_rfc3339};
use crate::words::{CallUi, Channel, EndReason, Environment, Platform, Purpose};

/// Latest log time that ClickHouse's day-partitioned tables can hold: 2100-01-01, in milliseconds since the Unix epoch.
const MAX_LOG_AT: i64 = 4_102_444_800_000;

/// `termination_code` of a kill by the CallKit watchdog: 0xBAADCA11 (Apple developer forums, thread 817976).
pub const WATCHDOG_CODE: i64 = 0xBAAD_CA11;

/// What the reason of a kill by PushKit's own check contains (Apple developer forums, thread 817976).
pub const NEVER_POSTED: &str = "never posted an incoming call to the system";

impl<'a> Event<'a> {
    /// Reads a record's value as an event; `log_at` is the record's log time in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Why the value is no valid event: the `ringtrace.reason` and `ringtrace.detail` of its dead letter.
    pub fn parse(value: &'a [u8], log_at: i64) -> Result<Self, Reject> {
        Self::checked(Fields::parse(value)?, Some(log_at))
    }

    /// Reads a line of a file of events, as `explain` and `replay` take them: the extra field `log_at`, in milliseconds
    /// since the Unix epoch, is its log time, else `occurred_at`.
    ///
    /// # Errors
    /// As [`Event::parse`]; a `log_at` that is no integer is an `invalid_field`.
    pub fn parse_line(line: &'a [u8]) -> Result<(Self, i64), Reject> {
        let mut fields = Fields::parse(line)?;
        let log_at = match fields.take_other("log_at") {
            Scalar::Absent => None,
            Scalar::Int(at) => Some(at),
            _ => return Err(Reject::invalid("log_at", "milliseconds since 1970")),
        };
        let event = Self::checked(fields, log_at)?;
        let log_at = log_at.unwrap_or(event.occurred_at);
        Ok((event, log_at))
    }

    /// An event whose times are right for its log time, or for themselves. It is made in its place: it is too large to be moved about.
    fn checked(fields: Fields<'a>, log_at: Option<i64>) -> Result<Self, Reject> {
        let mut parsed = Self::from_fields(fields);
        if let Ok(event) = &mut parsed {
            event.contents = event.hash_contents();
            if let Err(reject) = event.check_times(log_at.unwrap_or(event.occurred_at)) {
                parsed = Err(reject);
            }
        }
        parsed
    }

    /// An event without the hash of its contents.
    pub(crate) fn from_fields(mut fields: Fields<'a>) -> Result<Self, Reject> {
        let f = &mut fields;
        let event_id = required_text(f, Field::EventId, 64)?;
        let kind = Kind::from(required_text(f, Field::Kind, usize::MAX)?);
        let occurred_at = occurred_at(f)?;
        let app_id = required_text(f, Field::AppId, 255)?;
        let call_uuid = uuid(f, Field::CallUuid)?;
        let device_id = sized_text(f, Field::DeviceId, 128)?;
        if call_uuid.is_none() && kind.needs_call() {
            return Err(Reject::missing(Field::CallUuid.as_str()));
        }
        if device_id.is_none() && kind.needs_device() {
            return Err(Reject::missing(Field::DeviceId.as_str()));
        }
        let tenant_id = sized_text(f, Field::TenantId, 64)?.unwrap_or(Cow::Borrowed(DEFAULT_TENANT));
        let platform = word(f, Field::Platform, Platform::parse, "ios, android, web, desktop or other")?;
        let mut dimensions = [const { None }; Dimension::TEXTS];
        for (slot, field) in dimensions.iter_mut().zip(Dimension::TEXT_FIELDS) {
            *slot = text(f, field)?.filter(|text| !text.is_empty());
        }
        let clock_offset_ms = integer(f, Field::ClockOffsetMs)?.unwrap_or(0);
        let mono_ms = integer(f, Field::MonoMs)?;
        let boot_id = text(f, Field::BootId)?;
        let attributes = f.take_attributes();
        let mut detail = Detail::default();
        read_detail(f, &kind, &mut detail)?;
        Ok(Event {
            event_id,
            kind,
            occurred_at,
            app_id,
            call_uuid,
            device_id,
            tenant_id,
            platform,
            dimensions,
            clock_offset_ms,
            mono_ms,
            boot_id,
            detail,
            attributes: attributes.json,
            free: attributes.free,
            contents: 0,
        })
    }

    fn check_times(&self, log_at: i64) -> Result<(), Reject> {
        if !(0..=MAX_LOG_AT).contains(&log_at) {
            return Err(Reject::of(Reason::NotStorable, "record timestamp: expected 1970 to 2099"));
        }
        let latest = log_at.saturating_add(DAY_MS);
        if self.occurred_at > latest {
            return Err(Reject::invalid("occurred_at", "at most 24 hours after the record's log time"));
        }
        if !(0..=latest).contains(&self.corrected_at()) {
            let expected = "occurred_at + clock_offset_ms from 1970 to 24 hours after the record's log time";
            return Err(Reject::invalid("clock_offset_ms", expected));
        }
        Ok(())
    }

    fn hash_contents(&self) -> u64 {
        let mut bytes = Vec::with_capacity(512);
        let mut put = |text: Option<&str>| {
            bytes.extend_from_slice(&text.map_or(u32::MAX, |t| t.len() as u32).to_le_bytes());
            bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
        };
        for text in [&*self.event_id, self.kind.as_str(), &*self.app_id, &*self.tenant_id, &*self.attributes] {
            put(Some(text));
        }
        put(self.device_id.as_deref());
        put(self.platform.map(Platform::as_str));
        put(self.boot_id.as_deref());
        self.dimensions.iter().for_each(|dimension| put(dimension.as_deref()));
        bytes.extend_from_slice(&self.occurred_at.to_le_bytes());
        bytes.extend_from_slice(&self.clock_offset_ms.to_le_bytes());
        bytes.extend_from_slice(&self.mono_ms.unwrap_or(i64::MIN).to_le_bytes());
        bytes.extend_from_slice(self.call_uuid.unwrap_or_default().as_bytes());
        xxh3_64(&bytes)
    }
}

fn read_detail<'a>(f: &mut Fields<'a>, kind: &Kind<'_>, d: &mut Detail<'a>) -> Result<(), Reject> {
    let Kind::Known(known) = kind else { return Ok(()) };
    match known {
        Known::PushSent => {
            push(f, d)?;
            if d.channel.is_none() {
                return Err(Reject::missing("channel"));
            }
            d.environment = word(f, Field::Environment, Environment::parse, "production or sandbox")?;
            d.expires_at = integer(f, Field::ExpiresAt)?;
            priority(f, Field::Priority)?;
        }
        Known::PushAccepted => {
            push(f, d)?;
            d.status = integer(f, Field::Status)?;
        }
        Known::PushRejected => {
            push(f, d)?;
            d.status = integer(f, Field::Status)?;
            d.reason = text(f, Field::Reason)?;
        }
        Known::PushFailed => {
            push(f, d)?;
            d.reason = text(f, Field::Reason)?;
        }
        Known::PushSuppressed => d.reason = text(f, Field::Reason)?,
        Known::PushReceived => {
            push(f, d)?;
            d.app_state = word(f, Field::AppState, app_state, "foreground, background or not_running")?;
            d.active_calls = integer(f, Field::ActiveCalls)?;
            d.must_report = boolean(f, Field::MustReport)?;
            let now = priority(f, Field::Priority)?;
            let original = priority(f, Field::OriginalPriority)?;
            d.priority_lowered = original == Scalar::Text("high".into()) && now == Scalar::Text("normal".into());
        }
        Known::PushHandlerReturned => {
            push(f, d)?;
            d.reported = boolean(f, Field::Reported)?;
            if d.reported.is_none() {
                return Err(Reject::missing("reported"));
            }
        }
        _ => call_detail(f, *known, d)?,
    }
    Ok(())
}

fn call_detail<'a>(f: &mut Fields<'a>, known: Known, d: &mut Detail<'a>) -> Result<(), Reject> {
    match known {
        Known::CallReported => {
            text(f, Field::PushId)?;
            d.reported_uuid = uuid(f, Field::ReportedUuid)?;
            let expected = "callkit, live_communication_kit, telecom or custom";
            d.call_ui = word(f, Field::CallUi, CallUi::parse, expected)?;
        }
        Known::CallReportFailed => {
            let domain = text(f, Field::ErrorDomain)?.ok_or_else(|| Reject::missing("error_domain"))?;
            let code = integer(f, Field::ErrorCode)?.ok_or_else(|| Reject::missing("error_code"))?;
            d.error = Some((domain, code));
        }
        Known::CallEnded => {
            d.end_reason = end_reason(f)?;
            d.disconnect_cause = disconnect_cause(f)?;
        }
        Known::CallActionTimedOut => {
            text(f, Field::Action)?;
        }
        Known::CallTransactionFailed => {
            integer(f, Field::ErrorCode)?;
        }
        Known::AppTerminated => {
            let reason = text(f, Field::ExceptionReason)?;
            text(f, Field::TerminationNamespace)?;
            let code = integer(f, Field::TerminationCode)?;
            d.inferred = boolean(f, Field::Inferred)?.unwrap_or(false);
            d.killed_for_silence =
                reason.is_some_and(|reason| reason.contains(NEVER_POSTED)) || code == Some(WATCHDOG_CODE);
        }
        _ => {}
    }
    Ok(())
}

fn push<'a>(f: &mut Fields<'a>, d: &mut Detail<'a>) -> Result<(), Reject> {
    d.push_id = text(f, Field::PushId)?;
    d.channel = word(f, Field::Channel, Channel::parse, "apns_voip, apns_alert, fcm or socket")?;
    d.purpose = word(f, Field::Purpose, Purpose::parse, "incoming_call, cancel or data")?;
    Ok(())
}

fn app_state(word: &str) -> Option<crate::words::AppState> {
    crate::words::AppState::parse(word)
}

fn occurred_at(f: &mut Fields<'_>) -> Result<i64, Reject> {
    let at = match f.take(Field::OccurredAt) {
        Scalar::Absent => return Err(Reject::missing("occurred_at")),
        Scalar::Int(at) => Some(at),
        Scalar::Text(text) => parse_rfc3339(&text),
        _ => None,
    };
    at.filter(|at| *at >= 0)
        .ok_or_else(|| Reject::invalid("occurred_at", "milliseconds since 1970, or an RFC 3339 time with a zone"))
}

fn end_reason(f: &mut Fields<'_>) -> Result<Option<EndReason>, Reject> {
    let reason = match f.take(Field::EndReason) {
        Scalar::Absent => return Ok(None),
        Scalar::Int(raw) => EndReason::from_callkit(raw),
        Scalar::Text(word) => EndReason::parse(&word),
        _ => None,
    };
    let expected = "1 to 5, failed, remote_ended, unanswered, answered_elsewhere, declined_elsewhere, local or timeout";
    reason.map(Some).ok_or_else(|| Reject::invalid("end_reason", expected))
}

fn disconnect_cause(f: &mut Fields<'_>) -> Result<Option<u8>, Reject> {
    match integer(f, Field::DisconnectCause)? {
        None => Ok(None),
        Some(code @ 0..=12) => Ok(Some(code as u8)),
        Some(_) => Err(Reject::invalid("disconnect_cause", "0 to 12")),
    }
}

fn priority<'a>(f: &mut Fields<'a>, field: Field) -> Result<Scalar<'a>, Reject> {
    match f.take(field) {
        value @ (Scalar::Absent | Scalar::Text(_) | Scalar::Int(_)) => Ok(value),
        _ => Err(Reject::invalid(field.as_str(), "a string or an integer")),
    }
}

fn text<'a>(f: &mut Fields<'a>, field: Field) -> Result<Option<Cow<'a, str>>, Reject> {
    match f.take(field) {
        Scalar::Absent => Ok(None),
        Scalar::Text(text) => Ok(Some(text)),
        _ => Err(Reject::invalid(field.as_str(), "a string")),
    }
}

fn sized_text<'a>(f: &mut Fields<'a>, field: Field, max_bytes: usize) -> Result<Option<Cow<'a, str>>, Reject> {
    match text(f, field)? {
        Some(text) if text.is_empty() => Err(Reject::invalid(field.as_str(), "a string that is not empty")),
        Some(text) if text.len() > max_bytes => {
            Err(Reject::invalid(field.as_str(), &format!("a string of at most {max_bytes} bytes")))
        }
        text => Ok(text),
    }
}

fn required_text<'a>(f: &mut Fields<'a>, field: Field, max_bytes: usize) -> Result<Cow<'a, str>, Reject> {
    sized_text(f, field, max_bytes)?.ok_or_else(|| Reject::missing(field.as_str()))
}

fn integer(f: &mut Fields<'_>, field: Field) -> Result<Option<i64>, Reject> {
    match f.take(field) {
        Scalar::Absent => Ok(None),
        Scalar::Int(value) => Ok(Some(value)),
        _ => Err(Reject::invalid(field.as_str(), "an integer within 64 bits")),
    }
}

fn boolean(f: &mut Fields<'_>, field: Field) -> Result<Option<bool>, Reject> {
    match f.take(field) {
        Scalar::Absent => Ok(None),
        Scalar::Bool(value) => Ok(Some(value)),
        _ => Err(Reject::invalid(field.as_str(), "true or false")),
    }
}

fn word<T>(
    f: &mut Fields<'_>,
    field: Field,
    parse: impl Fn(&str) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, Reject> {
    match f.take(field) {
        Scalar::Absent => Ok(None),
        Scalar::Text(text) => parse(&text).map(Some).ok_or_else(|| Reject::invalid(field.as_str(), expected)),
        _ => Err(Reject::invalid(field.as_str(), expected)),
    }
}

fn uuid(f: &mut Fields<'_>, field: Field) -> Result<Option<Uuid>, Reject> {
    let Some(text) = text(f, field).map_err(|_| invalid_uuid(field))? else { return Ok(None) };
    // Only the hyphenated form is 36 bytes long among those that the parser takes.
    let parsed = if text.len() == 36 { Uuid::try_parse(&text).ok() } else { None };
    parsed.map(Some).ok_or_else(|| invalid_uuid(field))
}

fn invalid_uuid(field: Field) -> Reject {
    Reject::invalid(field.as_str(), "a UUID of the form 8-4-4-4-12")
}
