//! The rows of `legs` and `calls` (contract section 5), as `explain` prints them: times in milliseconds since the Unix epoch.

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::diagnosis::Diagnoses;
use crate::latency::Latencies;
use crate::verdict::Decision;
use crate::words::{AppState, CallUi, Channel, EndReason, Environment, Evidence, Outcome, Platform, Role, Verdict};

/// A row of `legs`, without `updated_at`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LegRow<'a> {
    /// The tenant.
    pub tenant_id: &'a str,
    /// iOS bundle id or Android package name.
    pub app_id: &'a str,
    /// The call.
    #[serde(serialize_with = "hyphenated")]
    pub call_uuid: Uuid,
    /// The device.
    pub device_id: &'a str,
    /// Whose device it is.
    pub role: Role,
    /// Null where unknown.
    pub platform: Option<Platform>,
    /// As the device gave it.
    pub os_version: Option<&'a str>,
    /// 0 where unknown.
    pub os_major: u16,
    /// As the device gave it.
    pub app_version: Option<&'a str>,
    /// As the device gave it.
    pub sdk_version: Option<&'a str>,
    /// As the device gave it.
    pub device_model: Option<&'a str>,
    /// App Store storefront, ISO 3166-1 alpha-2 or alpha-3.
    pub country: Option<&'a str>,
    /// As the device gave it.
    pub carrier: Option<&'a str>,
    /// `wifi`, `cellular` or other.
    pub network: Option<&'a str>,
    /// `dev`, `testflight`, `app_store`, `enterprise` or other.
    pub build_channel: Option<&'a str>,
    /// Of the earliest `push.sent`, else of `push.received`.
    pub channel: Option<Channel>,
    /// Of the earliest `push.sent`.
    pub environment: Option<Environment>,
    /// Of the first `call.reported`.
    pub call_ui: Option<CallUi>,
    /// Section 4.1.
    pub verdict: Verdict,
    /// Of an `unreported` verdict.
    pub evidence: Option<Evidence>,
    /// Section 4.2.
    pub outcome: Outcome,
    /// Of the earliest `call.ended`.
    pub end_reason: Option<EndReason>,
    /// Section 4.4.
    pub diagnoses: Diagnoses,
    /// Distinct `push_id`s of `push.sent`; one without counts by its `event_id`.
    pub push_attempts: u32,
    /// Distinct `push_id`s of `push.accepted`, those without one counting once. No column of the contract: for rates of pushes.
    #[serde(skip)]
    pub pushes_accepted: u32,
    /// Of the earliest `push.rejected`, else of the earliest `push.failed`.
    pub push_reject_reason: Option<&'a str>,
    /// Of the first `push.received`.
    pub app_state: Option<AppState>,
    /// First `push.sent`, corrected.
    pub sent_at: Option<i64>,
    /// First `push.accepted`, corrected.
    pub accepted_at: Option<i64>,
    /// First `push.received`, corrected.
    pub received_at: Option<i64>,
    /// First `call.reported`, corrected.
    pub reported_at: Option<i64>,
    /// First `call.answered`, corrected.
    pub answered_at: Option<i64>,
    /// First `call.audio_activated`, corrected.
    pub audio_at: Option<i64>,
    /// First `call.declined`, corrected.
    pub declined_at: Option<i64>,
    /// First `call.ended`, corrected.
    pub ended_at: Option<i64>,
    /// Section 4.3.
    #[serde(flatten)]
    pub latencies: Latencies,
    /// Corrected time of the earliest event.
    pub started_at: i64,
    /// Which line of the verdict table decided.
    #[serde(skip)]
    pub decision: Decision,
}

/// A row of `calls`, without `updated_at`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallRow<'a> {
    /// The tenant.
    pub tenant_id: &'a str,
    /// iOS bundle id or Android package name.
    pub app_id: &'a str,
    /// The call.
    #[serde(serialize_with = "hyphenated")]
    pub call_uuid: Uuid,
    /// Corrected time of the earliest event.
    pub started_at: i64,
    /// First `call.initiated`, corrected.
    pub initiated_at: Option<i64>,
    /// First `call.answered`, corrected.
    pub answered_at: Option<i64>,
    /// First `call.connected`, corrected.
    pub connected_at: Option<i64>,
    /// First `call.cancelled`, corrected.
    pub cancelled_at: Option<i64>,
    /// First `call.ended`, corrected.
    pub ended_at: Option<i64>,
    /// Section 4.2.
    pub outcome: Outcome,
    /// Of the earliest `call.ended`.
    pub end_reason: Option<EndReason>,
    /// Callee legs.
    pub legs: u32,
    /// Callee legs with the verdict `unreported`.
    pub legs_violating: u32,
    /// Section 4.4.
    pub diagnoses: Diagnoses,
}

fn hyphenated<S: Serializer>(uuid: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&uuid.hyphenated())
}
