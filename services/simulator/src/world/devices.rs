//! People, apps and devices, and what happens to devices beside calls.

use serde::Deserialize;

use super::{by_hour, not_negative};
use crate::draw::{Delay, Share};

/// Weights of platforms.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platforms {
    pub(crate) ios: f64,
    pub(crate) android: f64,
    pub(crate) desktop: f64,
    pub(crate) web: f64,
}

/// Weights of the ways to install an app.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Channels {
    pub(crate) app_store: f64,
    pub(crate) testflight: f64,
    pub(crate) dev: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Population {
    pub(crate) first_device: Platforms,
    pub(crate) other_device: Platforms,
    pub(crate) second_device: Share,
    pub(crate) third_device: Share,
    pub(crate) build_channels: Channels,
    pub(crate) call_waiting: Share,
    pub(crate) caller_has_app: Share,
    pub(crate) uuid_in_upper_case: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) country: String,
    #[serde(deserialize_with = "not_negative")]
    pub(crate) weight: f64,
    pub(crate) utc_offset_min: i64,
    pub(crate) wifi: Share,
    pub(crate) carriers: Vec<String>,
}

/// How an app announces calls in the storefront of mainland China.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InChina {
    /// By an ordinary push.
    Alert,
    /// By VoIP push, reported to LiveCommunicationKit.
    LiveCommunicationKit,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) tenant: String,
    #[serde(deserialize_with = "not_negative")]
    pub(crate) weight: f64,
    pub(crate) text_times: bool,
    pub(crate) expires_s: i64,
    pub(crate) ring_s: i64,
    pub(crate) in_china: InChina,
    pub(crate) alert_beside: Share,
    pub(crate) versions: Vec<Version>,
    pub(crate) rollouts: Vec<Rollout>,
}

impl App {
    /// The place of a version.
    pub(crate) fn version(&self, name: &str) -> Option<usize> {
        self.versions.iter().position(|version| version.name == name)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub(crate) name: String,
    #[serde(deserialize_with = "not_negative")]
    pub(crate) share: f64,
    pub(crate) sdk: String,
    pub(crate) faults: Faults,
}

/// Shares of pushes or calls at which a version goes wrong.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Faults {
    pub(crate) unreported: Share,
    pub(crate) blocked: Share,
    pub(crate) never_set_up: Share,
    pub(crate) crash: Share,
    pub(crate) late: Share,
    pub(crate) own_uuid: Share,
    pub(crate) wrong_uuid: Share,
    pub(crate) callkit_in_china: Share,
    pub(crate) no_audio: Share,
    pub(crate) action_timeout: Share,
}

impl Default for Faults {
    fn default() -> Self {
        let none = Share::of(0.0);
        Faults {
            unreported: none,
            blocked: none,
            never_set_up: none,
            crash: none,
            late: none,
            own_uuid: none,
            wrong_uuid: none,
            callkit_in_china: none,
            no_audio: none,
            action_timeout: none,
        }
    }
}

/// A version that replaces the others, a share of the devices after the other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollout {
    pub(crate) version: String,
    #[serde(deserialize_with = "not_negative")]
    pub(crate) starts_h: f64,
    #[serde(deserialize_with = "not_negative")]
    pub(crate) step_h: f64,
    pub(crate) steps: Vec<Share>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceKinds {
    pub(crate) ios: Vec<IosKind>,
    pub(crate) android: Vec<OtherKind>,
    pub(crate) desktop: Vec<OtherKind>,
    pub(crate) web: Vec<OtherKind>,
}

impl DeviceKinds {
    pub(super) fn problem(&self) -> Option<String> {
        let lists = [("android", &self.android), ("desktop", &self.desktop), ("web", &self.web)];
        let empty = lists.iter().find(|(_, list)| list.is_empty()).map(|(name, _)| *name);
        let no_model = self.ios.iter().any(|kind| kind.models.is_empty());
        let empty = if self.ios.is_empty() || no_model { Some("ios") } else { empty };
        empty.map(|name| format!("devices.{name}: expected at least one kind, each with a model"))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IosKind {
    pub(crate) version: String,
    #[serde(deserialize_with = "not_negative")]
    pub(crate) weight: f64,
    pub(crate) models: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OtherKind {
    pub(crate) version: String,
    #[serde(deserialize_with = "not_negative")]
    pub(crate) weight: f64,
    pub(crate) model: String,
    /// Share of pushes with lowered priority; only on Android.
    #[serde(default = "never")]
    pub(crate) lowered: Share,
}

fn never() -> Share {
    Share::of(0.0)
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Life {
    #[serde(deserialize_with = "not_negative")]
    pub(crate) hours_between_opens: f64,
    pub(crate) opened_by_hand: Share,
    pub(crate) open_for: Delay,
    pub(crate) app_in_foreground: Share,
    pub(crate) app_not_running: Share,
    pub(crate) offline: Share,
    pub(crate) offline_for: Delay,
    pub(crate) token_changes: Share,
    pub(crate) token_dies: Share,
    pub(crate) reboots: Share,
    pub(crate) network_changes: Share,
    pub(crate) permission_snapshots: Share,
    pub(crate) call_directory: Share,
    pub(crate) provider_resets: Share,
    pub(crate) crashes: Share,
    pub(crate) reinstalls: Share,
    pub(crate) reinstalls_when_not_woken: Share,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clocks {
    pub(crate) right: Share,
    pub(crate) offset: Delay,
    pub(crate) offset_is_estimated: Share,
    pub(crate) jumps: Share,
    pub(crate) jump: Delay,
}

/// How often people call, by local hour.
pub(crate) type Hours = [f64; 24];

/// Reads [`Hours`].
pub(super) fn hours<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Hours, D::Error> {
    let numbers: [toml::Value; 24] = by_hour(deserializer)?;
    Ok(numbers.map(|number| number.as_float().or_else(|| number.as_integer().map(|n| n as f64)).unwrap_or_default()))
}
