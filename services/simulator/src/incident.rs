//! Incidents as people ask for them: `NAME@TIME,size=0.2,for=1h,country=DE`.

use crate::calendar::{parse_length, parse_utc};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// A version that leaves pushes unreported, rolled out in steps and then replaced.
    BrokenRelease,
    /// The push service refuses the gateway's credential.
    ExpiredCertificate,
    /// Pushes of one country wait in APNs.
    ApnsSlow,
    /// A carrier's devices are offline, but for those on Wi-Fi.
    CarrierOutage,
    /// The collector of telemetry loses some and holds up the rest.
    TelemetryOutage,
    /// A version writes wrong times.
    ClockBug,
    /// Tokens are sent to the other environment of APNs, sandbox or production.
    TokenMixUp,
    /// The gateway takes calls back by VoIP push.
    CancelByVoipPush,
    /// iOS has stopped waking some devices.
    LostWakeUps,
}

impl IncidentKind {
    /// All of them.
    pub const ALL: [IncidentKind; 9] = [
        IncidentKind::BrokenRelease,
        IncidentKind::ExpiredCertificate,
        IncidentKind::ApnsSlow,
        IncidentKind::CarrierOutage,
        IncidentKind::TelemetryOutage,
        IncidentKind::ClockBug,
        IncidentKind::TokenMixUp,
        IncidentKind::CancelByVoipPush,
        IncidentKind::LostWakeUps,
    ];

    /// Its name on the command line and in the truth.
    pub fn name(self) -> &'static str {
        match self {
            IncidentKind::BrokenRelease => "broken-release",
            IncidentKind::ExpiredCertificate => "expired-certificate",
            IncidentKind::ApnsSlow => "apns-slow",
            IncidentKind::CarrierOutage => "carrier-outage",
            IncidentKind::TelemetryOutage => "telemetry-outage",
            IncidentKind::ClockBug => "clock-bug",
            IncidentKind::TokenMixUp => "token-mix-up",
            IncidentKind::CancelByVoipPush => "cancel-by-voip-push",
            IncidentKind::LostWakeUps => "lost-wake-ups",
        }
    }
}

/// When an incident starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Milliseconds after the start of the simulation.
    Offset(i64),
    /// Milliseconds since the Unix epoch.
    Time(i64),
}

/// An incident that was asked for. What is left out follows from the world.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentSpec {
    /// What goes wrong.
    pub kind: IncidentKind,
    /// When.
    pub at: At,
    /// How much of what it may touch: from 0 to 1.
    pub size: Option<f64>,
    /// How long, in milliseconds.
    pub length_ms: Option<i64>,
    /// Which app.
    pub app: Option<String>,
    /// Which version.
    pub version: Option<String>,
    /// Which storefront.
    pub country: Option<String>,
    /// Which carrier.
    pub carrier: Option<String>,
}

/// What is wrong with an incident that was asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncidentError {
    /// There is none of that name.
    #[error("{0} is no incident; there are: {names}", names = names())]
    Name(String),
    /// No time, or none that is understood.
    #[error("{0} is not accepted: expected NAME@TIME, the time as 2h30m after the start or as 2026-11-01T08:00:00Z")]
    Time(String),
    /// A parameter that does not exist.
    #[error("{0} is no parameter of an incident; there are: size, for, app, version, country, carrier")]
    Parameter(String),
    /// A value that is not accepted.
    #[error("{parameter}={value} is not accepted: expected {accepted}")]
    Value {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        accepted: String,
    },
}

fn names() -> String {
    IncidentKind::ALL.map(IncidentKind::name).join(", ")
}

impl IncidentSpec {
    /// An incident with everything left out.
    pub fn new(kind: IncidentKind, at: At) -> Self {
        IncidentSpec { kind, at, size: None, length_ms: None, app: None, version: None, country: None, carrier: None }
    }

    /// Reads `NAME@TIME` and `,parameter=value` after it.
    ///
    /// # Errors
    /// What is not understood, and what would be.
    pub fn parse(text: &str) -> Result<Self, IncidentError> {
        let mut parts = text.split(',');
        let head = parts.next().unwrap_or_default();
        let (name, time) = head.split_once('@').unwrap_or((head, ""));
        let kind = IncidentKind::ALL.into_iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| IncidentError::Name(name.to_owned()))?;
        let at = parse_length(time).map(At::Offset).or_else(|| parse_utc(time).map(At::Time));
        let mut spec = IncidentSpec::new(kind, at.ok_or_else(|| IncidentError::Time(head.to_owned()))?);
        for part in parts {
            let (parameter, value) = part.split_once('=').unwrap_or((part, ""));
            spec.set(parameter, value)?;
        }
        Ok(spec)
    }

    fn set(&mut self, parameter: &str, value: &str) -> Result<(), IncidentError> {
        let refuse = |parameter, accepted: &str| {
            Err(IncidentError::Value { parameter, value: value.to_owned(), accepted: accepted.to_owned() })
        };
        match parameter {
            "size" => match value.parse::<f64>().ok().filter(|size| (0.0..=1.0).contains(size)) {
                Some(size) => self.size = Some(size),
                None => return refuse("size", "a share from 0 to 1"),
            },
            "for" => match parse_length(value) {
                Some(length) => self.length_ms = Some(length),
                None => return refuse("for", "a length such as 2h30m"),
            },
            "app" => self.app = Some(value.to_owned()),
            "version" => self.version = Some(value.to_owned()),
            "country" => self.country = Some(value.to_owned()),
            "carrier" => self.carrier = Some(value.to_owned()),
            other => return Err(IncidentError::Parameter(other.to_owned())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{At, IncidentKind, IncidentSpec};

    #[test]
    fn incidents_are_read() {
        let spec = IncidentSpec::parse("apns-slow@2h30m,size=0.2,for=1h,country=DE").unwrap();
        let expected = IncidentSpec {
            size: Some(0.2),
            length_ms: Some(3_600_000),
            country: Some("DE".to_owned()),
            ..IncidentSpec::new(IncidentKind::ApnsSlow, At::Offset(9_000_000))
        };
        assert_eq!(spec, expected);
        let spec = IncidentSpec::parse("clock-bug@2026-11-01T08:00:00Z").unwrap();
        assert_eq!(spec.at, At::Time(1_793_520_000_000));
        for kind in IncidentKind::ALL {
            assert_eq!(IncidentSpec::parse(&format!("{}@0s", kind.name())).unwrap().kind, kind);
        }
    }

    #[track_caller]
    fn refused(text: &str, part: &str) {
        let error = IncidentSpec::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        refused("apns-fast@1h", "apns-fast is no incident; there are: broken-release, expired-certificate, apns-slow");
        refused("apns-slow", "NAME@TIME");
        refused("apns-slow@noon", "apns-slow@noon");
        refused("apns-slow@1h,sise=1", "sise is no parameter");
        refused("apns-slow@1h,size=2", "size=2 is not accepted: expected a share from 0 to 1");
        refused("apns-slow@1h,for=2", "for=2");
    }
}
