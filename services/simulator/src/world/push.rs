//! Push services, what devices do with pushes, and how telemetry comes back.

use serde::Deserialize;

use super::not_negative;
use crate::draw::{Delay, Share};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Apns {
    pub(crate) answer: Delay,
    pub(crate) wifi: Delay,
    pub(crate) cellular: Delay,
    pub(crate) slow: Share,
    pub(crate) slow_by: Delay,
    pub(crate) lost: Share,
    pub(crate) late_although_expired: Share,
    pub(crate) throttled: Share,
    pub(crate) unavailable: Share,
    pub(crate) wrong_topic: Share,
    pub(crate) wrong_token: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fcm {
    pub(crate) answer: Delay,
    pub(crate) delivery: Delay,
    pub(crate) doze_by: Delay,
    pub(crate) dozing: Share,
    pub(crate) lost: Share,
    pub(crate) time_to_live_s: i64,
    pub(crate) unavailable: Share,
    pub(crate) quota: Share,
    pub(crate) wrong_sender: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Socket {
    pub(crate) delivery: Delay,
    pub(crate) not_connected: Share,
    pub(crate) report: Delay,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushKit {
    pub(crate) cold_start: Delay,
    pub(crate) warm_start: Delay,
    pub(crate) report: Delay,
    pub(crate) slow_report: Delay,
    pub(crate) return_after: Delay,
    pub(crate) early_return: Delay,
    pub(crate) assert_after_ms: i64,
    pub(crate) watchdog_ms: i64,
    pub(crate) watchdog_slack: Delay,
    pub(crate) strikes_until_not_woken: u32,
    pub(crate) too_old_ms: i64,
    pub(crate) reports_in_foreground: Share,
    pub(crate) second_call_exists: Share,
    pub(crate) second_call_ignored: Share,
    pub(crate) block_list: Share,
    pub(crate) restricted_sharing: Share,
    pub(crate) sensitive_participants: Share,
    pub(crate) call_protected: Share,
    pub(crate) unknown_error: Share,
    pub(crate) uuid_exists: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Telecom {
    pub(crate) report: Delay,
    pub(crate) service_blocked: Share,
    pub(crate) refused: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Telemetry {
    pub(crate) opted_out: Share,
    pub(crate) delay: Delay,
    pub(crate) exempt_returns: Share,
    pub(crate) receipt_first: Share,
    pub(crate) lost: Share,
    pub(crate) late: Share,
    pub(crate) late_by: Delay,
    pub(crate) twice: Share,
    pub(crate) twice_after: Delay,
    pub(crate) unsent_at_kill: Share,
    pub(crate) crash_reporter: Share,
    pub(crate) crash_reporter_infers: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    #[serde(deserialize_with = "not_negative")]
    pub(crate) status_every_h: f64,
    pub(crate) expire_in_days: i64,
}
