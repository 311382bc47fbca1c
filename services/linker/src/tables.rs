//! The tables that the linker writes, and their rows (contract section 5, `schemas/clickhouse`).

use ringtrace_model::{CallRow, Event, LegRow};

use crate::native::{Block, ColumnType as T, Table};

/// What an event's row carries beside the event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventMeta<'a> {
    /// Milliseconds since the Unix epoch.
    pub(crate) log_at: i64,
    /// `topic/partition/offset`.
    pub(crate) source: &'a str,
    /// The attributes, personal data hashed.
    pub(crate) attributes: &'a str,
}

/// What all rows of a call share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image {
    /// Log time of the last change, in milliseconds since the Unix epoch.
    pub(crate) updated_at: i64,
    /// Log time at which the call was first seen, cut to ten minutes, in seconds since the Unix epoch.
    pub(crate) first_seen: u32,
    /// The slot's flush sequence.
    pub(crate) version: u64,
}

/// `events`.
pub(crate) static EVENTS: Table = Table {
    name: "events_rows",
    columns: &[
        ("tenant_id", T::Text),
        ("call_uuid", T::Uuid),
        ("event_id", T::Text),
        ("contents", T::U64),
        ("kind", T::Text),
        ("occurred_at", T::Time),
        ("app_id", T::Text),
        ("device_id", T::OptionalText),
        ("platform", T::OptionalText),
        ("os_version", T::OptionalText),
        ("app_version", T::OptionalText),
        ("sdk_version", T::OptionalText),
        ("device_model", T::OptionalText),
        ("country", T::OptionalText),
        ("carrier", T::OptionalText),
        ("network", T::OptionalText),
        ("build_channel", T::OptionalText),
        ("clock_offset_ms", T::Int),
        ("mono_ms", T::OptionalInt),
        ("boot_id", T::OptionalText),
        ("attributes", T::Text),
        ("log_at", T::Time),
        ("source", T::Text),
        ("first_seen", T::Seconds),
    ],
};

/// Place of `first_seen` in [`EVENTS`].
pub(crate) const EVENTS_FIRST_SEEN: usize = 23;

/// `device_events`.
pub(crate) static DEVICE_EVENTS: Table = Table {
    name: "device_events_rows",
    columns: &[
        ("tenant_id", T::Text),
        ("device", T::Text),
        ("event_id", T::Text),
        ("contents", T::U64),
        ("call_uuid", T::OptionalUuid),
        ("kind", T::Text),
        ("occurred_at", T::Time),
        ("app_id", T::Text),
        ("platform", T::OptionalText),
        ("os_version", T::OptionalText),
        ("app_version", T::OptionalText),
        ("sdk_version", T::OptionalText),
        ("device_model", T::OptionalText),
        ("country", T::OptionalText),
        ("carrier", T::OptionalText),
        ("network", T::OptionalText),
        ("build_channel", T::OptionalText),
        ("clock_offset_ms", T::Int),
        ("mono_ms", T::OptionalInt),
        ("boot_id", T::OptionalText),
        ("attributes", T::Text),
        ("log_at", T::Time),
        ("source", T::Text),
    ],
};

/// `legs`.
pub(crate) static LEGS: Table = Table {
    name: "legs_rows",
    columns: &[
        ("tenant_id", T::Text),
        ("call_uuid", T::Uuid),
        ("device_id", T::Text),
        ("app_id", T::Text),
        ("role", T::Text),
        ("platform", T::OptionalText),
        ("os_version", T::OptionalText),
        ("os_major", T::U16),
        ("app_version", T::OptionalText),
        ("sdk_version", T::OptionalText),
        ("device_model", T::OptionalText),
        ("country", T::OptionalText),
        ("carrier", T::OptionalText),
        ("network", T::OptionalText),
        ("build_channel", T::OptionalText),
        ("channel", T::OptionalText),
        ("environment", T::OptionalText),
        ("call_ui", T::OptionalText),
        ("verdict", T::Text),
        ("evidence", T::OptionalText),
        ("outcome", T::Text),
        ("end_reason", T::OptionalText),
        ("diagnoses", T::Texts),
        ("push_attempts", T::U32),
        ("pushes_accepted", T::U32),
        ("push_reject_reason", T::OptionalText),
        ("app_state", T::OptionalText),
        ("sent_at", T::OptionalTime),
        ("accepted_at", T::OptionalTime),
        ("received_at", T::OptionalTime),
        ("reported_at", T::OptionalTime),
        ("answered_at", T::OptionalTime),
        ("audio_at", T::OptionalTime),
        ("declined_at", T::OptionalTime),
        ("ended_at", T::OptionalTime),
        ("sent_to_accepted_ms", T::OptionalInt),
        ("accepted_to_received_ms", T::OptionalInt),
        ("sent_to_received_ms", T::OptionalInt),
        ("received_to_reported_ms", T::OptionalInt),
        ("reported_to_answered_ms", T::OptionalInt),
        ("answered_to_audio_ms", T::OptionalInt),
        ("initiated_to_reported_ms", T::OptionalInt),
        ("talk_ms", T::OptionalInt),
        ("started_at", T::Time),
        ("updated_at", T::Time),
        ("first_seen", T::Seconds),
        ("version", T::U64),
        ("deleted", T::U8),
    ],
};

/// `calls`.
pub(crate) static CALLS: Table = Table {
    name: "calls_rows",
    columns: &[
        ("tenant_id", T::Text),
        ("call_uuid", T::Uuid),
        ("app_id", T::Text),
        ("started_at", T::Time),
        ("initiated_at", T::OptionalTime),
        ("answered_at", T::OptionalTime),
        ("connected_at", T::OptionalTime),
        ("cancelled_at", T::OptionalTime),
        ("ended_at", T::OptionalTime),
        ("outcome", T::Text),
        ("end_reason", T::OptionalText),
        ("legs", T::U32),
        ("legs_violating", T::U32),
        ("diagnoses", T::Texts),
        ("updated_at", T::Time),
        ("first_seen", T::Seconds),
        ("version", T::U64),
        ("deleted", T::U8),
    ],
};

/// Adds an event of a call to `events`; `first_seen` is the call's, 0 where the event is history only.
pub(crate) fn put_event(block: &mut Block, event: &Event<'_>, meta: EventMeta<'_>, first_seen: u32) {
    let mut row = block.row();
    row.text(&event.tenant_id).uuid(event.call_uuid.unwrap_or_default()).text(&event.event_id).u64(event.contents);
    row.text(event.kind.as_str()).time(event.occurred_at).text(&event.app_id).optional_text(event.device_id.as_deref());
    put_common(&mut row, event, meta);
    row.seconds(first_seen).end();
}

/// Adds an event to `device_events`.
pub(crate) fn put_device_event(block: &mut Block, event: &Event<'_>, meta: EventMeta<'_>) {
    let mut row = block.row();
    row.text(&event.tenant_id).text(event.device_id.as_deref().unwrap_or_default()).text(&event.event_id);
    row.u64(event.contents).optional_uuid(event.call_uuid).text(event.kind.as_str()).time(event.occurred_at);
    row.text(&event.app_id);
    put_common(&mut row, event, meta);
    row.end();
}

fn put_common(row: &mut crate::native::Row<'_>, event: &Event<'_>, meta: EventMeta<'_>) {
    row.optional_text(event.platform.map(|platform| platform.as_str()));
    for dimension in &event.dimensions {
        row.optional_text(dimension.as_deref());
    }
    row.int(event.clock_offset_ms).optional_int(event.mono_ms).optional_text(event.boot_id.as_deref());
    row.text(meta.attributes).time(meta.log_at).text(meta.source);
}

/// Adds the image of a leg; a deleted one hides the key.
pub(crate) fn put_leg(block: &mut Block, leg: &LegRow<'_>, image: Image, deleted: bool) {
    let mut row = block.row();
    row.text(leg.tenant_id).uuid(leg.call_uuid).text(leg.device_id).text(leg.app_id).text(leg.role.as_str());
    row.optional_text(leg.platform.map(|p| p.as_str())).optional_text(leg.os_version).u16(leg.os_major);
    row.optional_text(leg.app_version).optional_text(leg.sdk_version).optional_text(leg.device_model);
    row.optional_text(leg.country)
        .optional_text(leg.carrier)
        .optional_text(leg.network)
        .optional_text(leg.build_channel);
    row.optional_text(leg.channel.map(|c| c.as_str())).optional_text(leg.environment.map(|e| e.as_str()));
    row.optional_text(leg.call_ui.map(|ui| ui.as_str())).text(leg.verdict.as_str());
    row.optional_text(leg.evidence.map(|e| e.as_str())).text(leg.outcome.as_str());
    row.optional_text(leg.end_reason.map(|r| r.as_str())).texts(leg.diagnoses.iter().map(|d| d.as_str()));
    row.u32(leg.push_attempts).u32(leg.pushes_accepted).optional_text(leg.push_reject_reason).optional_text(leg.app_state.map(|s| s.as_str()));
    row.optional_time(leg.sent_at).optional_time(leg.accepted_at).optional_time(leg.received_at);
    row.optional_time(leg.reported_at).optional_time(leg.answered_at).optional_time(leg.audio_at);
    row.optional_time(leg.declined_at).optional_time(leg.ended_at);
    let l = &leg.latencies;
    row.optional_int(l.sent_to_accepted_ms).optional_int(l.accepted_to_received_ms).optional_int(l.sent_to_received_ms);
    row.optional_int(l.received_to_reported_ms).optional_int(l.reported_to_answered_ms);
    row.optional_int(l.answered_to_audio_ms).optional_int(l.initiated_to_reported_ms).optional_int(l.talk_ms);
    row.time(leg.started_at).time(image.updated_at).seconds(image.first_seen).u64(image.version).u8(u8::from(deleted)).end();
}

/// Adds the image of a call; a deleted one hides the key.
pub(crate) fn put_call(block: &mut Block, call: &CallRow<'_>, image: Image, deleted: bool) {
    let mut row = block.row();
    row.text(call.tenant_id).uuid(call.call_uuid).text(call.app_id).time(call.started_at);
    row.optional_time(call.initiated_at).optional_time(call.answered_at).optional_time(call.connected_at);
    row.optional_time(call.cancelled_at).optional_time(call.ended_at).text(call.outcome.as_str());
    row.optional_text(call.end_reason.map(|r| r.as_str())).u32(call.legs).u32(call.legs_violating);
    row.texts(call.diagnoses.iter().map(|d| d.as_str()));
    row.time(image.updated_at).seconds(image.first_seen).u64(image.version).u8(u8::from(deleted)).end();
}
