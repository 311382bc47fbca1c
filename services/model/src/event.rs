//! A valid event: the fields of contract section 2, and those of its kind that the fold looks at.

use std::borrow::Cow;
use std::ops::Range;

use uuid::Uuid;

use crate::dims::Dimension;
use crate::kind::{Kind, Scope};
use crate::words::{AppState, CallUi, Channel, EndReason, Environment, Platform, Purpose};

/// The tenant of an event that names none.
pub const DEFAULT_TENANT: &str = "default";

/// A valid event, borrowed from its record where that is possible.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// Unique per event, 1 to 64 bytes.
    pub event_id: Cow<'a, str>,
    /// What happened.
    pub kind: Kind<'a>,
    /// When, on the producer's clock: milliseconds since the Unix epoch, not negative.
    pub occurred_at: i64,
    /// iOS bundle id or Android package name, 1 to 255 bytes.
    pub app_id: Cow<'a, str>,
    /// The call.
    pub call_uuid: Option<Uuid>,
    /// Installation id, 1 to 128 bytes; absent for the signalling server.
    pub device_id: Option<Cow<'a, str>>,
    /// 1 to 64 bytes.
    pub tenant_id: Cow<'a, str>,
    /// Operating system family.
    pub platform: Option<Platform>,
    /// The text dimensions, by [`Dimension`]; never empty strings.
    pub dimensions: [Option<Cow<'a, str>>; Dimension::TEXTS],
    /// Server clock minus device clock, in milliseconds; 0 where unknown.
    pub clock_offset_ms: i64,
    /// Device monotonic clock, in milliseconds since `boot_id`'s boot.
    pub mono_ms: Option<i64>,
    /// The boot that `mono_ms` counts from.
    pub boot_id: Option<Cow<'a, str>>,
    /// The kind's own fields.
    pub detail: Detail<'a>,
    /// The kind's own and all unknown fields: a JSON object with sorted keys, nulls left out.
    pub attributes: String,
    /// Of each field of `attributes` that the contract does not name, or that holds an array or an object: its name, and the bytes
    /// of `attributes` that are its value.
    pub free: Vec<(Cow<'a, str>, Range<usize>)>,
    /// A hash of all that the event says: two events of one `event_id` with the same contents are one event.
    pub contents: u64,
}

/// The fields of single kinds that the fold looks at. A field of another kind is an unknown field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail<'a> {
    /// `apns-id` or FCM message id, of `push.*`.
    pub push_id: Option<Cow<'a, str>>,
    /// Of `push.*`.
    pub channel: Option<Channel>,
    /// Of `push.*`.
    pub purpose: Option<Purpose>,
    /// Of `push.sent`.
    pub environment: Option<Environment>,
    /// Of `push.sent`: milliseconds since the Unix epoch, 0 for none.
    pub expires_at: Option<i64>,
    /// Of `push.accepted` and `push.rejected`: HTTP status.
    pub status: Option<i64>,
    /// Of `push.rejected`, `push.failed`, `push.suppressed`: APNs reason, FCM error or transport error.
    pub reason: Option<Cow<'a, str>>,
    /// Of `push.received`: `original_priority` was `high` and `priority` is `normal`.
    pub priority_lowered: bool,
    /// Of `push.received`.
    pub app_state: Option<AppState>,
    /// Of `push.received`: how many calls CallKit had.
    pub active_calls: Option<i64>,
    /// Of `push.received`: `PKVoIPPushMetadata.mustReport` (Apple, PushKit, iOS 26.4).
    pub must_report: Option<bool>,
    /// Of `push.handler_returned`: was a report made before the PushKit delegate returned.
    pub reported: Option<bool>,
    /// Of `call.reported`: the UUID given to CallKit, where it is not `call_uuid`.
    pub reported_uuid: Option<Uuid>,
    /// Of `call.reported`.
    pub call_ui: Option<CallUi>,
    /// Of `call.report_failed`: domain and code, as in `CXErrorDomainIncomingCall` (Apple, CallKit).
    pub error: Option<(Cow<'a, str>, i64)>,
    /// Of `call.ended`.
    pub end_reason: Option<EndReason>,
    /// Of `call.ended`: `android.telecom.DisconnectCause` code, 0 to 12.
    pub disconnect_cause: Option<u8>,
    /// Of `app.terminated`: iOS killed the app for a VoIP push without a call.
    pub killed_for_silence: bool,
    /// Of `app.terminated`: the link to the call was inferred.
    pub inferred: bool,
}

impl Event<'_> {
    /// `occurred_at` on the server's clock, in milliseconds since the Unix epoch.
    pub fn corrected_at(&self) -> i64 {
        self.occurred_at.saturating_add(self.clock_offset_ms)
    }

    /// What the event folds into.
    pub fn scope(&self) -> Scope {
        self.kind.scope(self.call_uuid.is_some(), self.device_id.is_some())
    }

    /// Whether the event is stored in `events` when it was read from a call topic.
    pub fn is_call_event(&self) -> bool {
        self.kind.is_call_event(self.call_uuid.is_some(), self.device_id.is_some())
    }

    /// Whether the event is forwarded to its call when it was read from the device topic.
    pub fn is_forwarded(&self) -> bool {
        self.kind.is_forwarded(self.call_uuid.is_some(), self.device_id.is_some())
    }
}
