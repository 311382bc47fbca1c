//! A stored event as the API shows it.

use ringtrace_model::{Evaluation, LegRow};
use serde::Deserialize;
use serde_json::{Value, json};

use super::is_server;

/// What is read of `events` and of `device_events`, in the order of [`Stored`].
pub(crate) const COLUMNS: &str = "event_id, kind, device_id, toUnixTimestamp64Milli(occurred_at), clock_offset_ms, \
    toUnixTimestamp64Milli(log_at), source, attributes";

/// An event.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stored {
    pub(crate) event_id: String,
    pub(crate) kind: String,
    pub(crate) device_id: Option<String>,
    pub(crate) occurred_at: i64,
    pub(crate) clock_offset_ms: i64,
    pub(crate) log_at: i64,
    pub(crate) source: String,
    pub(crate) attributes: String,
}

impl Stored {
    /// `occurred_at` on the server's clock.
    pub(crate) fn corrected_at(&self) -> i64 {
        self.occurred_at.saturating_add(self.clock_offset_ms)
    }

    /// The kind's own and unknown fields.
    pub(crate) fn attributes(&self) -> Value {
        serde_json::from_str(&self.attributes).unwrap_or_else(|_| json!({}))
    }
}

/// An event as JSON.
pub(crate) fn raw(event: &Stored, milestone: Option<&str>) -> Value {
    let is_server = is_server(&event.kind) || event.device_id.is_none();
    json!({
        "event_id": event.event_id,
        "kind": event.kind,
        "device_id": event.device_id,
        "producer": if is_server { "server" } else { "device" },
        "occurred_at": event.occurred_at,
        "corrected_at": event.corrected_at(),
        "clock_offset_ms": event.clock_offset_ms,
        "log_at": event.log_at,
        "source": event.source,
        "attributes": event.attributes(),
        "folded": is_folded(event),
        "milestone": milestone,
    })
}

/// Whether the fold takes it: timeline and unknown kinds are history only (contract section 3).
fn is_folded(event: &Stored) -> bool {
    use ringtrace_model::{Kind, Known, Scope};
    let kind = Known::parse(&event.kind).map(Kind::Known);
    // It is stored with a call.
    kind.is_some_and(|kind| kind.scope(true, event.device_id.is_some()) != Scope::History)
}

/// The column that shows the time of an event, of its leg or of the call.
pub(crate) fn milestone(event: &Stored, evaluation: &Evaluation<'_>) -> Option<&'static str> {
    let at = Some(event.corrected_at());
    let call = &evaluation.call;
    let of_call = match event.kind.as_str() {
        "call.initiated" => Some(("initiated_at", call.initiated_at)),
        "call.connected" => Some(("connected_at", call.connected_at)),
        "call.cancelled" => Some(("cancelled_at", call.cancelled_at)),
        "call.ended" if event.device_id.is_none() => Some(("ended_at", call.ended_at)),
        _ => None,
    };
    let leg = evaluation.legs.iter().find(|leg| Some(leg.device_id) == event.device_id.as_deref());
    let found = of_call.or_else(|| leg.and_then(|leg| of_leg(&event.kind, leg)));
    found.filter(|(_, time)| *time == at).map(|(name, _)| name)
}

fn of_leg(kind: &str, leg: &LegRow<'_>) -> Option<(&'static str, Option<i64>)> {
    Some(match kind {
        "push.sent" => ("sent_at", leg.sent_at),
        "push.accepted" => ("accepted_at", leg.accepted_at),
        "push.received" => ("received_at", leg.received_at),
        "call.reported" => ("reported_at", leg.reported_at),
        "call.answered" => ("answered_at", leg.answered_at),
        "call.audio_activated" => ("audio_at", leg.audio_at),
        "call.declined" => ("declined_at", leg.declined_at),
        "call.ended" => ("ended_at", leg.ended_at),
        _ => return None,
    })
}
