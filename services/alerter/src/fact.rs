//! What rules look at: legs, calls and events with the few fields that matter to them.

use ringtrace_model::{AppState, CallRow, Diagnoses, Evidence, LegRow, Outcome, Role, Verdict};

/// A dimension by which rules may group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dim {
    /// `tenant_id`; every group has it.
    Tenant,
    /// `app_id`
    App,
    /// `app_version`
    AppVersion,
    /// `platform`
    Platform,
    /// `os_major`; empty where unknown.
    OsMajor,
    /// `channel`
    Channel,
    /// `build_channel`
    BuildChannel,
    /// `country`
    Country,
    /// `carrier`
    Carrier,
}

impl Dim {
    /// Every dimension.
    pub const ALL: [Dim; 9] = [
        Dim::Tenant,
        Dim::App,
        Dim::AppVersion,
        Dim::Platform,
        Dim::OsMajor,
        Dim::Channel,
        Dim::BuildChannel,
        Dim::Country,
        Dim::Carrier,
    ];

    /// Its name in rules, in labels of alerts, and as a column.
    pub fn name(self) -> &'static str {
        match self {
            Dim::Tenant => "tenant_id",
            Dim::App => "app_id",
            Dim::AppVersion => "app_version",
            Dim::Platform => "platform",
            Dim::OsMajor => "os_major",
            Dim::Channel => "channel",
            Dim::BuildChannel => "build_channel",
            Dim::Country => "country",
            Dim::Carrier => "carrier",
        }
    }

    /// Its name as a filter of the dashboard.
    pub fn filter(self) -> &'static str {
        match self {
            Dim::Tenant => "tenant",
            Dim::App => "app",
            other => other.name(),
        }
    }

    /// Whether calls and events have it, not only legs.
    pub fn is_of_calls(self) -> bool {
        matches!(self, Dim::Tenant | Dim::App)
    }

    /// The dimension of a name.
    pub fn parse(name: &str) -> Option<Dim> {
        Dim::ALL.into_iter().find(|dim| dim.name() == name)
    }
}

/// A callee's leg. Times are milliseconds since the Unix epoch, corrected.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "as the columns of `legs`")]
pub struct Leg {
    pub dims: [String; Dim::ALL.len()],
    pub call_uuid: String,
    pub device_id: String,
    pub verdict: Verdict,
    pub evidence: Option<Evidence>,
    pub outcome: Outcome,
    pub diagnoses: Diagnoses,
    pub app_state: Option<AppState>,
    pub push_attempts: u32,
    pub started_at: i64,
    pub accepted_at: Option<i64>,
    pub received_at: Option<i64>,
    pub reported_at: Option<i64>,
    pub answered_at: Option<i64>,
    pub sent_to_received_ms: Option<i64>,
    pub received_to_reported_ms: Option<i64>,
}

impl Leg {
    /// Of a row; `None` for a caller's.
    pub fn of(row: &LegRow<'_>) -> Option<Leg> {
        if row.role == Role::Caller {
            return None;
        }
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let os_major = if row.os_major == 0 { String::new() } else { row.os_major.to_string() };
        let dims = [
            row.tenant_id.to_owned(),
            row.app_id.to_owned(),
            text(row.app_version),
            text(row.platform.map(ringtrace_model::Platform::as_str)),
            os_major,
            text(row.channel.map(ringtrace_model::Channel::as_str)),
            text(row.build_channel),
            text(row.country),
            text(row.carrier),
        ];
        Some(Leg {
            dims,
            call_uuid: row.call_uuid.hyphenated().to_string(),
            device_id: row.device_id.to_owned(),
            verdict: row.verdict,
            evidence: row.evidence,
            outcome: row.outcome,
            diagnoses: row.diagnoses,
            app_state: row.app_state,
            push_attempts: row.push_attempts,
            started_at: row.started_at,
            accepted_at: row.accepted_at,
            received_at: row.received_at,
            reported_at: row.reported_at,
            answered_at: row.answered_at,
            sent_to_received_ms: row.latencies.sent_to_received_ms,
            received_to_reported_ms: row.latencies.received_to_reported_ms,
        })
    }

    /// The value of a dimension; empty where unknown.
    pub fn dim(&self, dim: Dim) -> &str {
        self.dims.get(dim as usize).map_or("", String::as_str)
    }
}

/// A call. Times are milliseconds since the Unix epoch, corrected.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "as the columns of `calls`")]
pub struct Call {
    pub tenant_id: String,
    pub app_id: String,
    pub call_uuid: String,
    pub started_at: i64,
    pub connected_at: Option<i64>,
    pub answered_at: Option<i64>,
    pub legs: u32,
}

impl Call {
    /// Of a row.
    pub fn of(row: &CallRow<'_>) -> Call {
        Call {
            tenant_id: row.tenant_id.to_owned(),
            app_id: row.app_id.to_owned(),
            call_uuid: row.call_uuid.hyphenated().to_string(),
            started_at: row.started_at,
            connected_at: row.connected_at,
            answered_at: row.answered_at,
            legs: row.legs,
        }
    }
}

/// When an event came to the log, and how much later than it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Log time, in milliseconds since the Unix epoch.
    pub log_at: i64,
    /// Log time minus corrected time, in milliseconds.
    pub late_ms: i64,
}
