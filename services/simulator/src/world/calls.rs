//! What people do with calls, and the servers between them.

use serde::Deserialize;

use super::devices::{Hours, hours};
use super::{by_hour, not_negative};
use crate::draw::{Delay, Share};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    #[serde(deserialize_with = "hours")]
    pub(crate) calls_by_hour: Hours,
    #[serde(deserialize_with = "by_hour")]
    pub(crate) do_not_disturb_by_hour: [Share; 24],
    pub(crate) answers: Share,
    pub(crate) declines: Share,
    pub(crate) reaction: Delay,
    pub(crate) patience: Delay,
    pub(crate) talk: Delay,
    pub(crate) mentions: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signalling {
    pub(crate) delay: Delay,
    pub(crate) to_device: Delay,
    pub(crate) lost_to_device: Share,
    pub(crate) fails: Share,
    pub(crate) vanishes: Share,
    pub(crate) audio: Delay,
    pub(crate) loses_connection: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gateway {
    pub(crate) delay: Delay,
    pub(crate) unanswered: Share,
    pub(crate) transport_errors: Share,
    pub(crate) retry_after_ms: i64,
    pub(crate) attempts: u32,
    pub(crate) twice: Share,
    pub(crate) data_pushes: Share,
    pub(crate) cancels_by_voip_push: Share,
    pub(crate) storms: Share,
}

/// Size and length of an incident that doesn't say its own.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Usual {
    pub(crate) size: Share,
    #[serde(deserialize_with = "not_negative")]
    pub(crate) hours: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentDefaults {
    pub(crate) broken_release: Usual,
    pub(crate) expired_certificate: Usual,
    pub(crate) apns_slow: Usual,
    pub(crate) carrier_outage: Usual,
    pub(crate) telemetry_outage: Usual,
    pub(crate) clock_bug: Usual,
    pub(crate) token_mix_up: Usual,
    pub(crate) cancel_by_voip_push: Usual,
    pub(crate) lost_wake_ups: Usual,
    pub(crate) clock_bug_by_ms: i64,
    pub(crate) slow_by: Delay,
    pub(crate) rollout_steps: Vec<Share>,
}
