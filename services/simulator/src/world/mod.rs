//! The parameters of a world: `world.toml` of this crate, and over it a file of the user's own.

mod calls;
mod devices;
mod push;

use serde::Deserialize;
use serde::de::Error as _;
use toml::{Table, Value};

pub(crate) use calls::{Gateway, IncidentDefaults, People, Signalling};
pub(crate) use devices::{
    App, Clocks, DeviceKinds, Faults, InChina, Life, OtherKind, Place, Platforms, Population, Rollout, Version,
};
pub(crate) use push::{Apns, Credentials, Fcm, PushKit, Socket, Telecom, Telemetry};

/// Every parameter with its default and source, as a file.
pub const WORLD: &str = include_str!("../../world.toml");

/// What is wrong with a world file.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// It is no TOML.
    #[error("world is not TOML: {0}")]
    Syntax(String),
    /// A parameter that does not exist.
    #[error("{key} is no parameter of the world; there are: {known}")]
    Unknown {
        /// Its full key.
        key: String,
        /// What there is in its section.
        known: String,
    },
    /// A value that is not accepted.
    #[error("world is not accepted: {0}")]
    Value(String),
}

/// The parameters; see `world.toml` for each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    pub(crate) population: Population,
    pub(crate) people: People,
    pub(crate) places: Vec<Place>,
    pub(crate) apps: Vec<App>,
    pub(crate) devices: DeviceKinds,
    pub(crate) life: Life,
    pub(crate) clocks: Clocks,
    pub(crate) signalling: Signalling,
    pub(crate) gateway: Gateway,
    pub(crate) apns: Apns,
    pub(crate) fcm: Fcm,
    pub(crate) socket: Socket,
    pub(crate) pushkit: PushKit,
    pub(crate) telecom: Telecom,
    pub(crate) telemetry: Telemetry,
    pub(crate) credentials: Credentials,
    pub(crate) incidents: IncidentDefaults,
}

impl World {
    /// The world of `world.toml`, with `text`, a TOML document, over it.
    ///
    /// # Errors
    /// A key that does not exist, or a value that is not accepted; both are named.
    pub fn with(text: &str) -> Result<Self, WorldError> {
        let parse = |text: &str| text.parse::<Table>().map_err(|error| WorldError::Syntax(error.to_string()));
        let mut table = parse(WORLD)?;
        merge(&mut table, parse(text)?, "")?;
        let world: World = Value::Table(table).try_into().map_err(|error| value_error(&error))?;
        world.check()?;
        Ok(world)
    }

    fn check(&self) -> Result<(), WorldError> {
        let problem = if self.places.is_empty() || self.apps.is_empty() {
            Some("places and apps need at least one entry".to_owned())
        } else if let Some(app) = self.apps.iter().find(|app| app.versions.is_empty()) {
            Some(format!("apps: {} has no versions", app.id))
        } else if let Some(place) = self.places.iter().find(|place| place.carriers.is_empty()) {
            Some(format!("places: {} has no carriers", place.country))
        } else {
            self.apps.iter().find_map(|app| {
                let unknown = app.rollouts.iter().find(|rollout| app.version(&rollout.version).is_none())?;
                Some(format!("apps: rollouts of {}: {} is none of its versions", app.id, unknown.version))
            })
        };
        problem.or_else(|| self.devices.problem()).map_or(Ok(()), |problem| Err(WorldError::Value(problem)))
    }
}

fn value_error(error: &toml::de::Error) -> WorldError {
    WorldError::Value(error.to_string().trim().replace('\n', " "))
}

/// Puts `over` over `table`; what is a table in both is merged, anything else replaced.
fn merge(table: &mut Table, over: Table, path: &str) -> Result<(), WorldError> {
    for (key, value) in over {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let Some(held) = table.get_mut(&key) else {
            let known = table.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(WorldError::Unknown { key: full, known });
        };
        match (held, value) {
            (Value::Table(held), Value::Table(value)) => merge(held, value, &full)?,
            (held @ Value::Table(_), value) => {
                let found = value.type_str();
                *held = value;
                return Err(WorldError::Value(format!("{full}: expected a table, found {found}")));
            }
            (held, value) => *held = value,
        }
    }
    Ok(())
}

/// A list with a number for each hour of the day.
pub(crate) fn by_hour<'de, D, T>(deserializer: D) -> Result<[T; 24], D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Vec::<T>::deserialize(deserializer)?;
    let length = list.len();
    list.try_into().map_err(|_| D::Error::custom(format!("expected 24 numbers, one for each hour, found {length}")))
}

/// A number from 0.
pub(crate) fn not_negative<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Integer(number) => number as f64,
        Value::Float(number) => number,
        other => return Err(D::Error::custom(format!("expected a number, found {}", other.type_str()))),
    };
    if number.is_finite() && number >= 0.0 {
        Ok(number)
    } else {
        Err(D::Error::custom(format!("{number} is not accepted: expected a number from 0")))
    }
}

#[cfg(test)]
mod tests {
    use super::{WORLD, World};

    #[test]
    fn the_committed_world_is_accepted_and_every_section_says_where_its_numbers_come_from() {
        World::with("").unwrap();
        let mut section_has_source = true;
        for line in WORLD.lines() {
            let says = line.contains("assumption") || line.contains('(') && line.contains('#');
            if line.starts_with('[') && !line.starts_with("[[") {
                assert!(section_has_source, "the section before {line} names no source and no assumption");
                section_has_source = false;
            }
            section_has_source |= says || line.contains("assumptions");
        }
    }

    #[track_caller]
    fn refused(text: &str, parts: &[&str]) {
        let error = World::with(text).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        refused("[apns]\nlatency = 3", &["apns.latency", "wifi"]);
        refused("[space]\nx = 3", &["space", "population"]);
        refused("[apns]\nlost = 1.5", &["lost", "1.5", "share from 0 to 1"]);
        refused("[apns]\nwifi = { median_ms = 5, sigma = 9, most_ms = 6 }", &["sigma", "0 to 4"]);
        refused("[apns]\nwifi = { median_ms = 5, sgma = 9, most_ms = 6 }", &["sgma"]);
        refused("apns = 3", &["apns", "expected a table"]);
        refused("[people]\ncalls_by_hour = [1, 2]", &["24"]);
        refused("[", &["not TOML"]);
        refused("apps = []", &["apps"]);
        refused("[devices]\nios = []", &["devices.ios"]);
    }

    #[test]
    fn a_file_says_only_what_differs() {
        let world = World::with("[pushkit]\nstrikes_until_not_woken = 5").unwrap();
        assert_eq!(world.pushkit.strikes_until_not_woken, 5);
        assert_eq!(world.pushkit.watchdog_ms, 7_000);
        let world = World::with("[apns]\nwifi = { median_ms = 300 }").unwrap();
        assert_eq!(format!("{:?}", world.apns.wifi), "Delay(300 ms)");
    }
}
