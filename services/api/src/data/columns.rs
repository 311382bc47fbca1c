//! The columns of `legs` and `calls` (contract section 5), and how each is shown: times in milliseconds.

/// What a value of a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    TextOrNull,
    Uuid,
    Int,
    IntOrNull,
    /// A time, shown in milliseconds since the Unix epoch.
    Time,
    TimeOrNull,
    Texts,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

impl Column {
    /// Its value in a statement.
    pub(crate) fn shown(&self) -> String {
        match self.shape {
            Shape::Time | Shape::TimeOrNull => format!("toUnixTimestamp64Milli({})", self.name),
            _ => self.name.to_owned(),
        }
    }
}

const fn of(name: &'static str, shape: Shape) -> Column {
    Column { name, shape }
}

/// Columns of `legs`.
pub(crate) static LEG_COLUMNS: [Column; 44] = [
    of("tenant_id", Shape::Text),
    of("app_id", Shape::Text),
    of("call_uuid", Shape::Uuid),
    of("device_id", Shape::Text),
    of("role", Shape::Text),
    of("platform", Shape::TextOrNull),
    of("os_version", Shape::TextOrNull),
    of("os_major", Shape::Int),
    of("app_version", Shape::TextOrNull),
    of("sdk_version", Shape::TextOrNull),
    of("device_model", Shape::TextOrNull),
    of("country", Shape::TextOrNull),
    of("carrier", Shape::TextOrNull),
    of("network", Shape::TextOrNull),
    of("build_channel", Shape::TextOrNull),
    of("channel", Shape::TextOrNull),
    of("environment", Shape::TextOrNull),
    of("call_ui", Shape::TextOrNull),
    of("verdict", Shape::Text),
    of("evidence", Shape::TextOrNull),
    of("outcome", Shape::Text),
    of("end_reason", Shape::TextOrNull),
    of("diagnoses", Shape::Texts),
    of("push_attempts", Shape::Int),
    of("push_reject_reason", Shape::TextOrNull),
    of("app_state", Shape::TextOrNull),
    of("sent_at", Shape::TimeOrNull),
    of("accepted_at", Shape::TimeOrNull),
    of("received_at", Shape::TimeOrNull),
    of("reported_at", Shape::TimeOrNull),
    of("answered_at", Shape::TimeOrNull),
    of("audio_at", Shape::TimeOrNull),
    of("declined_at", Shape::TimeOrNull),
    of("ended_at", Shape::TimeOrNull),
    of("sent_to_accepted_ms", Shape::IntOrNull),
    of("accepted_to_received_ms", Shape::IntOrNull),
    of("sent_to_received_ms", Shape::IntOrNull),
    of("received_to_reported_ms", Shape::IntOrNull),
    of("reported_to_answered_ms", Shape::IntOrNull),
    of("answered_to_audio_ms", Shape::IntOrNull),
    of("initiated_to_reported_ms", Shape::IntOrNull),
    of("talk_ms", Shape::IntOrNull),
    of("started_at", Shape::Time),
    of("updated_at", Shape::Time),
];

/// Columns of `calls`.
pub(crate) static CALL_COLUMNS: [Column; 15] = [
    of("tenant_id", Shape::Text),
    of("app_id", Shape::Text),
    of("call_uuid", Shape::Uuid),
    of("started_at", Shape::Time),
    of("initiated_at", Shape::TimeOrNull),
    of("answered_at", Shape::TimeOrNull),
    of("connected_at", Shape::TimeOrNull),
    of("cancelled_at", Shape::TimeOrNull),
    of("ended_at", Shape::TimeOrNull),
    of("outcome", Shape::Text),
    of("end_reason", Shape::TextOrNull),
    of("legs", Shape::Int),
    of("legs_violating", Shape::Int),
    of("diagnoses", Shape::Texts),
    of("updated_at", Shape::Time),
];
