//! Incidents at work: which of them touch a push, a device or a batch of telemetry.

use crate::calendar::HOUR_MS;
use crate::draw::Share;
use crate::incident::{At, IncidentError, IncidentKind, IncidentSpec};
use crate::plan::Plan;
use crate::truth::{IncidentTruth, Truth};
use crate::world::{App, Faults, Rollout, Version, World};

/// An incident with all its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    pub(crate) kind: IncidentKind,
    pub(crate) from: i64,
    /// `i64::MAX` where it has no end of its own.
    pub(crate) until: i64,
    size_number: f64,
    pub(crate) size: Share,
    pub(crate) app: Option<usize>,
    /// Places of the country.
    country: Option<String>,
    carrier: Option<String>,
    version: Option<String>,
    touched: u64,
}

/// A set of incidents, by their place in the list.
pub(crate) type Touched = u64;

/// Most incidents of a plan.
pub(crate) const MOST: usize = 64;

#[derive(Clone, Debug, Default)]
pub(crate) struct Incidents(pub(crate) Vec<Incident>);

impl Incidents {
    /// Completes what was asked for. Broken releases become versions and roll-outs of their app.
    ///
    /// # Errors
    /// Names that the world does not have.
    pub(crate) fn new(plan: &Plan, world: &mut World) -> Result<Self, IncidentError> {
        let incidents = plan.incidents.iter().take(MOST).map(|spec| complete(spec, plan, world));
        let incidents = Incidents(incidents.collect::<Result<_, _>>()?);
        incidents
            .0
            .iter()
            .filter(|one| one.kind == IncidentKind::BrokenRelease)
            .for_each(|one| release(one, plan, world));
        Ok(incidents)
    }

    /// The incidents of a kind that are on at a time.
    pub(crate) fn on(&self, kind: IncidentKind, at: i64) -> impl Iterator<Item = (usize, &Incident)> {
        self.0.iter().enumerate().filter(move |(_, one)| one.kind == kind && one.from <= at && at < one.until)
    }

    /// Counts a leg or device for each incident of a set, and gives their names.
    pub(crate) fn count(&mut self, touched: Touched) -> Vec<&'static str> {
        if touched == 0 {
            return Vec::new();
        }
        let on = self.0.iter_mut().enumerate().filter(|(nth, _)| touched >> nth & 1 == 1);
        on.map(|(_, one)| {
            one.touched += 1;
            one.kind.name()
        })
        .collect()
    }

    pub(crate) fn truths(&self, world: &World) -> impl Iterator<Item = Truth> {
        self.0.iter().map(|one| {
            Truth::Incident(IncidentTruth {
                name: one.kind.name(),
                started_at: one.from,
                ended_at: (one.until != i64::MAX).then_some(one.until),
                size: one.size_number,
                app_id: one.app.and_then(|app| world.apps.get(app)).map(|app| app.id.clone()),
                app_version: one.version.clone(),
                country: one.country.clone(),
                carrier: one.carrier.clone(),
                touched: one.touched,
            })
        })
    }
}

impl Incident {
    pub(crate) fn is_of_app(&self, app: usize) -> bool {
        self.app.is_none_or(|of| of == app)
    }

    pub(crate) fn is_of_country(&self, country: &str) -> bool {
        self.country.as_deref().is_none_or(|of| of == country)
    }

    pub(crate) fn is_of_carrier(&self, carrier: &str) -> bool {
        self.carrier.as_deref().is_none_or(|of| of == carrier)
    }

    pub(crate) fn is_of_version(&self, version: &str) -> bool {
        self.version.as_deref().is_none_or(|of| of == version)
    }
}

fn complete(spec: &IncidentSpec, plan: &Plan, world: &World) -> Result<Incident, IncidentError> {
    let usual = &world.incidents;
    let usual = match spec.kind {
        IncidentKind::BrokenRelease => usual.broken_release,
        IncidentKind::ExpiredCertificate => usual.expired_certificate,
        IncidentKind::ApnsSlow => usual.apns_slow,
        IncidentKind::CarrierOutage => usual.carrier_outage,
        IncidentKind::TelemetryOutage => usual.telemetry_outage,
        IncidentKind::ClockBug => usual.clock_bug,
        IncidentKind::TokenMixUp => usual.token_mix_up,
        IncidentKind::CancelByVoipPush => usual.cancel_by_voip_push,
        IncidentKind::LostWakeUps => usual.lost_wake_ups,
    };
    let from = match spec.at {
        At::Offset(offset) => plan.start.saturating_add(offset),
        At::Time(at) => at,
    };
    let length = spec.length_ms.unwrap_or((usual.hours * HOUR_MS as f64) as i64);
    let is_for_ever = spec.kind == IncidentKind::LostWakeUps;
    let mut incident = Incident {
        kind: spec.kind,
        from,
        until: if is_for_ever { i64::MAX } else { from.saturating_add(length) },
        size_number: spec.size.unwrap_or_else(|| usual.size.number()),
        size: spec.size.map_or(usual.size, Share::of),
        app: None,
        country: spec.country.clone(),
        carrier: spec.carrier.clone(),
        version: spec.version.clone(),
        touched: 0,
    };
    if let Some(id) = &spec.app {
        let ids = || world.apps.iter().map(|app| app.id.as_str());
        incident.app = Some(ids().position(|known| known == id).ok_or_else(|| unknown("app", id, ids()))?);
    }
    aim(&mut incident, world)?;
    Ok(incident)
}

/// Chooses what an incident is about, where that was left open, and checks that it is there.
fn aim(incident: &mut Incident, world: &World) -> Result<(), IncidentError> {
    use IncidentKind::{ApnsSlow, BrokenRelease, CarrierOutage, ClockBug, LostWakeUps, TelemetryOutage};
    let of_an_app = !matches!(incident.kind, ApnsSlow | CarrierOutage | TelemetryOutage | LostWakeUps);
    if of_an_app && incident.app.is_none() {
        incident.app = Some(0);
    }
    let place = world.places.first();
    if incident.kind == ApnsSlow && incident.country.is_none() {
        incident.country = place.map(|place| place.country.clone());
    }
    if incident.kind == CarrierOutage && incident.carrier.is_none() {
        incident.carrier = place.and_then(|place| place.carriers.first().cloned());
    }
    let app = incident.app.and_then(|app| world.apps.get(app));
    if let (ClockBug, None, Some(app)) = (incident.kind, &incident.version, app) {
        let most = app.versions.iter().max_by(|a, b| a.share.total_cmp(&b.share));
        incident.version = most.map(|version| version.name.clone());
    }
    if let (BrokenRelease, None, Some(app)) = (incident.kind, &incident.version, app) {
        incident.version = Some(next_minor(app));
    }
    if let Some(country) = &incident.country
        && !world.places.iter().any(|place| &place.country == country)
    {
        return Err(unknown("country", country, world.places.iter().map(|place| place.country.as_str())));
    }
    let carriers = || world.places.iter().flat_map(|place| place.carriers.iter().map(String::as_str));
    if let Some(carrier) = &incident.carrier
        && !carriers().any(|known| known == carrier)
    {
        return Err(unknown("carrier", carrier, carriers()));
    }
    if let (ClockBug, Some(version), Some(app)) = (incident.kind, &incident.version, app)
        && app.version(version).is_none()
    {
        return Err(unknown("version", version, app.versions.iter().map(|version| version.name.as_str())));
    }
    Ok(())
}

fn unknown<'n>(parameter: &'static str, value: &str, known: impl Iterator<Item = &'n str>) -> IncidentError {
    let mut known: Vec<&str> = known.collect();
    known.dedup();
    IncidentError::Value { parameter, value: value.to_owned(), accepted: format!("one of {}", known.join(", ")) }
}

/// The version after an app's highest one, and the one that repairs it.
fn next_minor(app: &App) -> String {
    let (major, minor) = app.versions.iter().map(|version| numbers(&version.name)).max().unwrap_or_default();
    format!("{major}.{}.0", minor + 1)
}

fn numbers(version: &str) -> (u64, u64) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Adds the broken version, its roll-out in steps, and the repaired version that replaces it.
fn release(incident: &Incident, plan: &Plan, world: &mut World) {
    let steps = world.incidents.rollout_steps.clone();
    let (Some(app), Some(version)) = (incident.app.and_then(|app| world.apps.get_mut(app)), &incident.version) else {
        return;
    };
    let sdk = app.versions.last().map(|version| version.sdk.clone()).unwrap_or_default();
    let repaired = match version.rsplit_once('.') {
        Some((head, last)) => format!("{head}.{}", last.parse::<u64>().unwrap_or_default() + 1),
        None => format!("{version}.1"),
    };
    let hours = |at: i64| (at - plan.start) as f64 / HOUR_MS as f64;
    let step_h = (incident.until - incident.from) as f64 / HOUR_MS as f64 / steps.len().max(1) as f64;
    let faults = Faults { unreported: incident.size, ..Faults::default() };
    app.versions.push(Version { name: version.clone(), share: 0.0, sdk: sdk.clone(), faults });
    app.versions.push(Version { name: repaired.clone(), share: 0.0, sdk, faults: Faults::default() });
    let last = steps.last().copied();
    app.rollouts.push(Rollout { version: version.clone(), starts_h: hours(incident.from), step_h, steps });
    app.rollouts.push(Rollout {
        version: repaired,
        starts_h: hours(incident.until),
        step_h,
        steps: last.into_iter().collect(),
    });
}
