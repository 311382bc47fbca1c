//! Which alerts are about which incident, and which are about none.

use ringtrace_alerter::replay::Fired;
use ringtrace_simulator::IncidentTruth;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// What speaks for an incident.
struct Signs {
    name: &'static str,
    /// Rules that find it.
    found_by: &'static [&'static str],
    /// Rules that are right about what comes of it.
    follows: &'static [&'static str],
    /// How long after its end alerts may still begin, in milliseconds.
    tail_ms: i64,
}

const SIGNS: [Signs; 8] = [
    Signs {
        name: "broken-release",
        found_by: &["push-without-call-new-version", "push-without-call-fast", "push-without-call-slow"],
        // Devices lose their wake-ups, and stay so until each is installed anew.
        follows: &["suspected-wake-bans", "delivery-missing"],
        tail_ms: 48 * HOUR_MS,
    },
    Signs {
        name: "expired-certificate",
        found_by: &["credential-errors"],
        follows: &["credential-expiry"],
        tail_ms: 6 * HOUR_MS,
    },
    Signs {
        name: "apns-slow",
        found_by: &["delivery-slow"],
        follows: &["ghost-calls", "delivery-missing"],
        tail_ms: HOUR_MS,
    },
    Signs {
        name: "carrier-outage",
        found_by: &["carrier-outage"],
        follows: &["delivery-missing", "late-events"],
        tail_ms: HOUR_MS,
    },
    Signs { name: "telemetry-outage", found_by: &["telemetry-coverage"], follows: &["late-events"], tail_ms: HOUR_MS },
    Signs { name: "clock-bug", found_by: &["early-events"], follows: &[], tail_ms: HOUR_MS },
    Signs { name: "token-mix-up", found_by: &["token-errors"], follows: &[], tail_ms: HOUR_MS },
    Signs {
        name: "cancel-by-voip-push",
        found_by: &["voip-push-misuse"],
        follows: &["push-without-call-fast", "push-without-call-slow", "suspected-wake-bans"],
        tail_ms: 48 * HOUR_MS,
    },
];

/// An incident with what was found of it.
pub struct Found<'p> {
    /// The incident.
    pub incident: &'p IncidentTruth,
    /// The first alert that finds it.
    pub by: Option<&'p Fired>,
    /// The others that are about it, or what comes of it, in the order in which they fired.
    pub also: Vec<&'p Fired>,
}

impl Found<'_> {
    /// How long after its start it was found, in milliseconds.
    pub fn after_ms(&self) -> Option<i64> {
        self.by.map(|fired| fired.fired_at() - self.incident.started_at)
    }
}

/// See the module's text.
pub struct Score<'p> {
    /// Every incident.
    pub found: Vec<Found<'p>>,
    /// Alerts that are about none.
    pub untrue: Vec<&'p Fired>,
}

/// Holds alerts against the incidents.
pub fn score<'p>(incidents: &'p [IncidentTruth], fired: &'p [Fired]) -> Score<'p> {
    let mut found: Vec<Found<'p>> =
        incidents.iter().map(|incident| Found { incident, by: None, also: Vec::new() }).collect();
    let mut untrue = Vec::new();
    for alert in fired {
        let mut is_true = false;
        for held in &mut found {
            match role(held.incident, alert) {
                Some(true) if held.by.is_none() => held.by = Some(alert),
                Some(_) => held.also.push(alert),
                None => continue,
            }
            is_true = true;
        }
        if !is_true {
            untrue.push(alert);
        }
    }
    Score { found, untrue }
}

/// Whether an alert finds an incident (true), or is about what comes of it; `None` where it is about something else.
fn role(incident: &IncidentTruth, fired: &Fired) -> Option<bool> {
    let signs = SIGNS.iter().find(|signs| signs.name == incident.name)?;
    let at = fired.fired_at();
    let ended_at = incident.ended_at.unwrap_or(i64::MAX);
    let is_then = incident.started_at <= at && at <= ended_at.saturating_add(signs.tail_ms);
    let fits = |label: &str, of: &Option<String>| {
        let value = fired.alert.label(label).filter(|value| !value.is_empty());
        value.zip(of.as_deref()).is_none_or(|(value, of)| value == of)
    };
    let is_there = fits("app_id", &incident.app_id)
        && fits("country", &incident.country)
        && fits("carrier", &incident.carrier)
        && fits("app_version", &incident.app_version);
    let rule = fired.alert.rule.as_str();
    if !is_then || !is_there {
        return None;
    }
    if signs.found_by.contains(&rule) {
        return Some(at <= ended_at.saturating_add(HOUR_MS));
    }
    signs.follows.contains(&rule).then_some(false)
}
