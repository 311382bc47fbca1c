//! What really happened: one record for each leg, call, device and incident. None of it comes from events.

use serde::{Serialize, Serializer};

use crate::event::uuid_text;

/// Longest time from a push to its report, in milliseconds (contract section 4.1, `report_deadline`).
const REPORT_DEADLINE_MS: i64 = 7_000;

/// Something that is true.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "truth", rename_all = "snake_case")]
pub enum Truth {
    /// A call on one device.
    Leg(Box<LegTruth>),
    /// A call.
    Call(Box<CallTruth>),
    /// A device, at the end of the simulation.
    Device(DeviceTruth),
    /// An incident, at the end of the simulation.
    Incident(IncidentTruth),
}

/// How iOS ended the app, or the app itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Killed {
    /// PushKit, as the delegate returned without a report.
    PushKit,
    /// The watchdog of callservicesd, about 7 s after the delivery.
    Watchdog,
    /// The watchdog, at a start in which the app set no delegate up: nothing but the time tells which call it was.
    NeverSetUp,
    /// The app crashed before it reported.
    Crash,
}

/// A call on one device. Times are true ones, in milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LegTruth {
    /// The tenant.
    pub tenant_id: String,
    /// The app.
    pub app_id: String,
    /// The call.
    #[serde(serialize_with = "hyphenated")]
    pub call_uuid: u128,
    /// The installation.
    pub device_id: String,
    /// `callee` or `caller`.
    pub role: &'static str,
    /// The platform.
    pub platform: &'static str,
    /// The version that was installed.
    pub app_version: String,
    /// The storefront.
    pub country: String,
    /// The first push left the gateway.
    pub sent_at: Option<i64>,
    /// The push service first took one.
    pub accepted_at: Option<i64>,
    /// The first push reached the device, whether or not the app was woken.
    pub delivered_at: Option<i64>,
    /// Whether the app got a push that reached the device; null where none did.
    pub woken: Option<bool>,
    /// The app first got a push.
    pub received_at: Option<i64>,
    /// The app first reported the call with success.
    pub reported_at: Option<i64>,
    /// Why the system refused the report.
    pub report_error: Option<i64>,
    /// Whether it rang.
    pub rang: bool,
    /// Who ended the app, because of a push of this leg.
    pub killed: Option<Killed>,
    /// When.
    pub killed_at: Option<i64>,
    /// Strikes of the installation after this leg.
    pub strikes: u32,
    /// Since when iOS has not woken the app for pushes any more, as far as it is so after this leg.
    pub not_woken_since: Option<i64>,
    /// The user answered.
    pub answered_at: Option<i64>,
    /// The user declined.
    pub declined_at: Option<i64>,
    /// Audio started.
    pub audio_at: Option<i64>,
    /// The call ended on the device.
    pub ended_at: Option<i64>,
    /// The verdict that complete telemetry gives.
    pub verdict: &'static str,
    /// Its evidence.
    pub evidence: Option<&'static str>,
    /// The outcome that complete telemetry gives.
    pub outcome: &'static str,
    /// What the device's times show beyond the true time, after the collector's correction, in milliseconds.
    pub clock_error_ms: i64,
    /// Set where the app reported the call under a UUID that it made up.
    #[serde(serialize_with = "hyphenated_option")]
    pub reported_as: Option<u128>,
    /// Whether a limit of contract section 4 was exceeded.
    pub beyond_limits: bool,
    /// The log time by which the log has everything about this leg; null where something is lost for ever, was never sent,
    /// or had not been sent at the end.
    pub complete_at: Option<i64>,
    /// Names of the incidents that touched it.
    pub incidents: Vec<&'static str>,
}

/// A call. Times are true ones, in milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CallTruth {
    /// The tenant.
    pub tenant_id: String,
    /// The app.
    pub app_id: String,
    /// The call.
    #[serde(serialize_with = "hyphenated")]
    pub call_uuid: u128,
    /// The server began it.
    pub initiated_at: Option<i64>,
    /// The first answer.
    pub answered_at: Option<i64>,
    /// It was connected.
    pub connected_at: Option<i64>,
    /// The caller gave up.
    pub cancelled_at: Option<i64>,
    /// It ended: on the server, or else on a device.
    pub ended_at: Option<i64>,
    /// Whether the server said so, rather than devices.
    pub ended_by_server: bool,
    /// The outcome that complete telemetry gives.
    pub outcome: &'static str,
    /// Legs of the called side.
    pub legs: u32,
    /// The log time by which the log has everything that servers say of it; null where something is lost.
    pub complete_at: Option<i64>,
}

/// A device, at the end of the simulation.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceTruth {
    /// The last installation's id.
    pub device_id: String,
    /// The app.
    pub app_id: String,
    /// The platform.
    pub platform: &'static str,
    /// Kills and crashes that iOS counts, since the last installation.
    pub strikes: u32,
    /// Kills by iOS, of all installations.
    pub kills: u32,
    /// Since when iOS does not wake the app for pushes, if so.
    pub not_woken_since: Option<i64>,
    /// How often the app was installed anew.
    pub reinstalls: u32,
}

/// An incident, at the end of the simulation.
#[derive(Clone, Debug, Serialize)]
pub struct IncidentTruth {
    /// Its name.
    pub name: &'static str,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_at: i64,
    /// When it ended or would have; null where it has no end of its own.
    pub ended_at: Option<i64>,
    /// Its size, from 0 to 1.
    pub size: f64,
    /// The app that it is about.
    pub app_id: Option<String>,
    /// The version.
    pub app_version: Option<String>,
    /// The storefront.
    pub country: Option<String>,
    /// The carrier.
    pub carrier: Option<String>,
    /// Legs, or devices for `lost-wake-ups`, that it touched.
    pub touched: u64,
}

fn hyphenated<S: Serializer>(uuid: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&uuid_text(*uuid))
}

fn hyphenated_option<S: Serializer>(uuid: &Option<u128>, serializer: S) -> Result<S::Ok, S::Error> {
    uuid.map(uuid_text).serialize(serializer)
}

/// What iOS and the push services did with a leg's VoIP pushes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// A VoIP push for the incoming call was sent.
    pub(crate) announced: bool,
    pub(crate) accepted: bool,
    pub(crate) refused: bool,
    /// When the app first got one, and whether it then had to report.
    pub(crate) received: Option<(i64, bool)>,
    /// The first report, successful or not.
    pub(crate) attempted_at: Option<i64>,
    /// The system has the call.
    pub(crate) posted: bool,
    /// The system refused it, by the user's own wish.
    pub(crate) filtered: bool,
    /// The delegate returned, and there was no report.
    pub(crate) returned_silently: bool,
    pub(crate) killed: Option<Killed>,
}

impl Facts {
    /// The verdict and its evidence that complete telemetry gives (contract section 4.1).
    pub(crate) fn verdict(&self) -> (&'static str, Option<&'static str>) {
        match self.killed {
            Some(Killed::PushKit | Killed::Watchdog) => return ("unreported", Some("confirmed")),
            Some(Killed::NeverSetUp) => return ("unreported", Some("probable")),
            _ => {}
        }
        if !self.announced {
            return ("not_applicable", None);
        }
        let Some((received_at, must_report)) = self.received else {
            return (if self.refused && !self.accepted { "rejected" } else { "no_receipt" }, None);
        };
        if !must_report {
            return ("exempt", None);
        }
        match self.attempted_at {
            Some(at) if self.posted => {
                (if at - received_at > REPORT_DEADLINE_MS { "reported_late" } else { "reported" }, None)
            }
            Some(_) => (if self.filtered { "filtered" } else { "report_error" }, None),
            None => ("unreported", Some(if self.returned_silently { "confirmed" } else { "probable" })),
        }
    }
}
