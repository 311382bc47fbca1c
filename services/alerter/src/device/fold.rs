//! The fold over what is known of one device and app.

use ringtrace_model::{AppState, Verdict};

use super::settings::DeviceSettings;
use crate::fact::{Dim, Leg};

/// How soon after a receipt the end of an app counts as a crash on a VoIP launch, in milliseconds. iOS counts repeated crashes
/// as well (its log: "failed to report an incoming call too many times (or repeatedly crashed)").
const LAUNCH_MS: i64 = 30_000;

/// What was seen of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// A violation, or a crash of an app that was launched for a VoIP push.
    Strike,
    /// An accepted push of which the device shows nothing.
    Silent,
    /// A receipt in the background: iOS still wakes the app.
    Woken,
    /// Anything else that only a living device says: a receipt in the foreground, a launch, a heartbeat.
    Alive,
    /// The app was installed anew.
    Reinstalled,
}

/// What was seen of a device, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceFact {
    /// When, in milliseconds since the Unix epoch, corrected.
    pub at: i64,
    /// What.
    pub sight: Sight,
    /// The call; empty where it is of none.
    pub call_uuid: String,
}

impl DeviceFact {
    /// What a leg tells of its device, given when its app was terminated (corrected); `None` for one that tells nothing (yet).
    pub fn of_leg(leg: &Leg, terminated_at: Option<i64>) -> Option<DeviceFact> {
        let fact = |at, sight| Some(DeviceFact { at, sight, call_uuid: leg.call_uuid.clone() });
        let launch = leg.received_at.unwrap_or(leg.started_at);
        let crashed = terminated_at.is_some_and(|at| (0..=LAUNCH_MS).contains(&(at - launch)));
        match (leg.verdict, leg.received_at, leg.app_state) {
            _ if crashed => fact(launch, Sight::Strike),
            (Verdict::Unreported, at, _) => fact(at.unwrap_or(leg.started_at), Sight::Strike),
            (Verdict::Pending, ..) => None,
            (_, Some(at), Some(AppState::Background | AppState::NotRunning)) => fact(at, Sight::Woken),
            (_, Some(at), _) => fact(at, Sight::Alive),
            (Verdict::NoReceipt, None, _) => fact(leg.accepted_at?, Sight::Silent),
            _ => None,
        }
    }
}

/// Everything that is known of a device and app.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceHistory {
    /// The tenant.
    pub tenant_id: String,
    /// The app.
    pub app_id: String,
    /// The device.
    pub device_id: String,
    /// Its carrier; empty where unknown.
    pub carrier: String,
    /// Its major version of iOS; empty where unknown.
    pub os_major: String,
    /// What was seen of it, in any order.
    pub facts: Vec<DeviceFact>,
}

impl DeviceHistory {
    /// Of a device that a leg names, with nothing seen yet.
    pub fn of(leg: &Leg) -> DeviceHistory {
        let dim = |dim| leg.dim(dim).to_owned();
        DeviceHistory {
            tenant_id: dim(Dim::Tenant),
            app_id: dim(Dim::App),
            device_id: leg.device_id.clone(),
            carrier: dim(Dim::Carrier),
            os_major: dim(Dim::OsMajor),
            facts: Vec::new(),
        }
    }

    /// Whether anything was seen that counts against it.
    pub fn has_strike(&self) -> bool {
        self.facts.iter().any(|fact| fact.sight == Sight::Strike)
    }

    /// Learns from another leg what earlier ones did not say: one that was missed names neither carrier nor version.
    pub fn learn(&mut self, leg: &Leg) {
        for (held, dim) in [(&mut self.carrier, Dim::Carrier), (&mut self.os_major, Dim::OsMajor)] {
            if leg.dim(dim) > held.as_str() {
                leg.dim(dim).clone_into(held);
            }
        }
    }
}

/// How close a device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceLevel {
    /// No strikes.
    #[default]
    Ok,
    /// A strike.
    Watch,
    /// Two.
    AtRisk,
    /// Three or more.
    Critical,
    /// Strikes, and then silence of a living device: iOS has probably stopped waking the app.
    Suspected,
}

impl DeviceLevel {
    /// All of them, from good to bad.
    pub const ALL: [DeviceLevel; 5] =
        [DeviceLevel::Ok, DeviceLevel::Watch, DeviceLevel::AtRisk, DeviceLevel::Critical, DeviceLevel::Suspected];

    /// Its word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            DeviceLevel::Ok => "ok",
            DeviceLevel::Watch => "watch",
            DeviceLevel::AtRisk => "at_risk",
            DeviceLevel::Critical => "critical",
            DeviceLevel::Suspected => "suspected",
        }
    }

    /// The level of a word; `ok` for any other.
    pub fn parse(word: &str) -> DeviceLevel {
        DeviceLevel::ALL.into_iter().find(|level| level.as_str() == word).unwrap_or_default()
    }
}

/// What the fold says of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceRisk {
    /// How close it is.
    pub level: DeviceLevel,
    /// Strikes that count.
    pub strikes: u64,
    /// When the last of them was, in milliseconds since the Unix epoch.
    pub last_strike_at: Option<i64>,
    /// Silent pushes since the last strike that a sign of life follows.
    pub silent: u64,
    /// When the first of them was accepted, in milliseconds since the Unix epoch.
    pub silent_since: Option<i64>,
    /// From when on the device is suspected.
    pub suspected_at: Option<i64>,
    /// The call that decided last: of a strike, or a silent one after it.
    pub call_uuid: String,
}

impl DeviceRisk {
    /// The same without suspicion: what is silent is so for another reason.
    pub fn without_suspicion(self, settings: &DeviceSettings) -> DeviceRisk {
        DeviceRisk { level: of_strikes(self.strikes, settings), suspected_at: None, ..self }
    }
}

fn of_strikes(strikes: u64, settings: &DeviceSettings) -> DeviceLevel {
    match strikes {
        strikes if strikes >= settings.critical => DeviceLevel::Critical,
        strikes if strikes >= settings.at_risk => DeviceLevel::AtRisk,
        strikes if strikes >= settings.watch => DeviceLevel::Watch,
        _ => DeviceLevel::Ok,
    }
}

/// Folds what is known of a device up to log time `now`, in milliseconds since the Unix epoch.
///
/// A device that is merely off shows no sign of life between its silent pushes, and receives again once it is on, which
/// takes everything back. Suspicion needs strikes, then silence, then a sign of life, and silence that goes on after it.
pub fn fold(facts: &[DeviceFact], settings: &DeviceSettings, now: i64) -> DeviceRisk {
    let mut sorted: Vec<&DeviceFact> = facts.iter().filter(|fact| fact.at <= now).collect();
    sorted.sort_unstable();
    sorted.dedup_by(|a, b| a.call_uuid == b.call_uuid && a.sight == b.sight && !a.call_uuid.is_empty());
    let mut device = Folding::default();
    let oldest = now.saturating_sub(settings.remember_ms);
    for fact in sorted {
        device.take(fact, settings, oldest);
    }
    device.risk(settings)
}

#[derive(Default)]
struct Folding {
    strikes: u64,
    last_strike_at: Option<i64>,
    /// Silent pushes, each with its time, since the last strike.
    silent: Vec<i64>,
    /// How many of them a sign of life follows.
    confirmed: usize,
    /// Silent pushes after a sign of life that itself came after a silent push.
    persists: bool,
    suspected_at: Option<i64>,
    call_uuid: String,
}

impl Folding {
    fn take(&mut self, fact: &DeviceFact, settings: &DeviceSettings, oldest: i64) {
        match fact.sight {
            Sight::Woken | Sight::Reinstalled => *self = Folding::default(),
            Sight::Strike if fact.at > oldest => {
                // It was woken for this one.
                *self = Folding {
                    strikes: self.strikes + 1,
                    last_strike_at: Some(fact.at),
                    call_uuid: fact.call_uuid.clone(),
                    ..Folding::default()
                };
            }
            Sight::Silent if self.strikes >= settings.suspect_after => {
                self.persists |= self.confirmed > 0;
                self.silent.push(fact.at);
                self.call_uuid.clone_from(&fact.call_uuid);
            }
            Sight::Alive if self.strikes > 0 => {
                self.confirmed = self.silent.len();
                let is_enough = self.persists && self.confirmed as u64 >= settings.silent;
                if is_enough && self.suspected_at.is_none() {
                    self.suspected_at = Some(fact.at);
                }
            }
            Sight::Strike | Sight::Silent | Sight::Alive => {}
        }
    }

    fn risk(self, settings: &DeviceSettings) -> DeviceRisk {
        let level = match self.suspected_at {
            Some(_) => DeviceLevel::Suspected,
            None => of_strikes(self.strikes, settings),
        };
        DeviceRisk {
            level,
            strikes: self.strikes,
            last_strike_at: self.last_strike_at,
            silent: self.confirmed as u64,
            silent_since: self.silent.first().copied().filter(|_| self.confirmed > 0),
            suspected_at: self.suspected_at,
            call_uuid: self.call_uuid,
        }
    }
}

impl DeviceHistory {
    /// Its pushes in a span: those that it shows nothing of, of all.
    pub fn pushes_in(&self, span: crate::query::Span) -> crate::stats::Count {
        let mut count = crate::stats::Count::default();
        for fact in self.facts.iter().filter(|fact| span.holds(fact.at) && !fact.call_uuid.is_empty()) {
            count.add(fact.sight == Sight::Silent);
        }
        count
    }
}
