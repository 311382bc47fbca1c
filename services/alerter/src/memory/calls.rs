//! Calls as the model judges them, found by the minute in which they and their legs began, and by device.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use ringtrace_model::{CallKey, Event, Rules};

use super::devices::Devices;
use crate::fact::{Call, Dim, Leg};
use crate::judge::Versions;
use crate::query::Span;

const MINUTE_MS: i64 = 60_000;

/// Where a call is in the list.
pub(super) type Place = usize;

/// A call with what rules see of it.
struct Held {
    key: CallKey,
    /// `None` once it is settled.
    call: Option<Box<ringtrace_model::Call>>,
    legs: Vec<Leg>,
    /// The device of each leg.
    devices: Vec<usize>,
    row: Option<Call>,
    /// When the app was terminated on a device, corrected.
    terminated: Vec<(String, i64)>,
    minutes: Vec<i64>,
    /// When it last changed.
    touched: i64,
}

/// See the module's text. All times are milliseconds since the Unix epoch.
#[derive(Default)]
pub(super) struct Calls {
    held: Vec<Held>,
    places: HashMap<CallKey, Place>,
    changed: HashSet<Place>,
    /// When a call changes by itself.
    timers: BTreeMap<i64, Vec<Place>>,
    by_minute: BTreeMap<i64, Vec<Place>>,
    /// Calls by the time at which they changed, so that those that are quiet can be settled.
    touched: VecDeque<(i64, Place)>,
    rules: Rules,
}

impl Calls {
    /// Takes an event of a call in. One of a call that is settled is not looked at.
    pub(super) fn take(&mut self, event: &Event<'_>, terminated_at: Option<i64>, log_at: i64) {
        let Some(call_uuid) = event.call_uuid else { return };
        let key = CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid };
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => self.begin(key),
        };
        let Some(held) = self.held.get_mut(place) else { return };
        if let (Some(at), Some(device_id)) = (terminated_at, event.device_id.as_deref()) {
            held.terminated.push((device_id.to_owned(), at));
        }
        if held.call.as_mut().is_some_and(|call| call.apply(event, log_at)) || terminated_at.is_some() {
            self.changed.insert(place);
        }
    }

    fn begin(&mut self, key: CallKey) -> Place {
        let place = self.held.len();
        self.places.insert(key.clone(), place);
        self.held.push(Held {
            key,
            call: Some(Box::default()),
            legs: Vec::new(),
            devices: Vec::new(),
            row: None,
            terminated: Vec::new(),
            minutes: Vec::new(),
            touched: 0,
        });
        place
    }

    /// Judges calls again that have changed, or change by `now`.
    pub(super) fn advance(&mut self, now: i64, devices: &mut Devices, versions: &mut Versions) {
        let later = self.timers.split_off(&(now + 1));
        let due = std::mem::replace(&mut self.timers, later);
        let mut places: Vec<Place> = self.changed.drain().chain(due.into_values().flatten()).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            let Some(held) = self.held.get_mut(place) else { continue };
            let Some(call) = &held.call else { continue };
            let Some(evaluation) = call.evaluate(&held.key, &self.rules, now) else { continue };
            held.legs = evaluation.legs.iter().filter_map(Leg::of).collect();
            held.row = Some(Call::of(&evaluation.call));
            held.touched = now;
            if let Some(at) = evaluation.next_change_at {
                self.timers.entry(at).or_default().push(place);
            }
            for leg in &held.legs {
                let name = |dim| leg.dim(dim).to_owned();
                versions.add(name(Dim::Tenant), name(Dim::App), name(Dim::AppVersion), leg.started_at);
            }
            held.devices = held.legs.iter().map(|leg| devices.learn(place, leg, held.terminated_at(leg))).collect();
            self.touched.push_back((now, place));
            self.index(place);
        }
    }

    fn index(&mut self, place: Place) {
        let Some(held) = self.held.get_mut(place) else { return };
        let starts = held.legs.iter().map(|leg| leg.started_at).chain(held.row.iter().map(|call| call.started_at));
        let mut minutes: Vec<i64> = starts.map(|at| at.div_euclid(MINUTE_MS)).collect();
        minutes.sort_unstable();
        minutes.dedup();
        let before = std::mem::replace(&mut held.minutes, minutes);
        for gone in before.iter().filter(|minute| !held.minutes.contains(minute)) {
            if let Some(places) = self.by_minute.get_mut(gone) {
                places.retain(|other| *other != place);
            }
        }
        for new in held.minutes.iter().filter(|minute| !before.contains(minute)) {
            self.by_minute.entry(*new).or_default().push(place);
        }
    }

    /// Settles calls that have not changed since `before`: what is judged of them stays.
    pub(super) fn settle(&mut self, before: i64) {
        while let Some((at, place)) = self.touched.pop_front_if(|(at, _)| *at < before) {
            if let Some(held) = self.held.get_mut(place).filter(|held| held.touched == at) {
                held.call = None;
            }
        }
    }

    /// Every leg that began in one of the spans, once, with the place of its device.
    pub(super) fn legs_in<'c>(&'c self, spans: &[Span]) -> impl Iterator<Item = (&'c Leg, usize)> {
        self.in_minutes(spans).flat_map(move |(minute, held)| {
            let legs = held.legs.iter().zip(held.devices.iter().copied());
            legs.filter(move |(leg, _)| is_in(leg.started_at, minute, spans))
        })
    }

    /// Every call that began in one of the spans, once.
    pub(super) fn calls_in<'c>(&'c self, spans: &[Span]) -> impl Iterator<Item = &'c Call> {
        let rows = self.in_minutes(spans).filter_map(|(minute, held)| Some((minute, held.row.as_ref()?)));
        rows.filter(move |(minute, call)| is_in(call.started_at, *minute, spans)).map(|(_, call)| call)
    }

    /// Calls by each minute in which anything of them began, of minutes that touch a span.
    fn in_minutes<'c>(&'c self, spans: &[Span]) -> impl Iterator<Item = (i64, &'c Held)> {
        let from = spans.iter().map(|span| span.from).min().unwrap_or_default();
        let to = spans.iter().map(|span| span.to).max().unwrap_or_default();
        let first = from.div_euclid(MINUTE_MS);
        let minutes = self.by_minute.range(first..=to.div_euclid(MINUTE_MS).max(first));
        let touches = |minute: i64| {
            let at = minute * MINUTE_MS;
            spans.iter().any(|span| span.from < at + MINUTE_MS && at < span.to)
        };
        let minutes = minutes.filter(move |(minute, _)| touches(**minute));
        minutes.flat_map(|(minute, places)| places.iter().filter_map(|place| Some((*minute, self.held.get(*place)?))))
    }

    /// When a call began; `None` before it was judged.
    pub(super) fn began(&self, place: Place) -> Option<i64> {
        Some(self.held.get(place)?.row.as_ref()?.started_at)
    }

    /// The legs of a call, each with the place of its device, and when the app was terminated in it.
    pub(super) fn legs_of(&self, place: Place) -> impl Iterator<Item = (&Leg, usize, Option<i64>)> {
        let held = self.held.get(place).into_iter();
        held.flat_map(|held| {
            held.legs.iter().zip(&held.devices).map(|(leg, device)| (leg, *device, held.terminated_at(leg)))
        })
    }
}

impl Held {
    fn terminated_at(&self, leg: &Leg) -> Option<i64> {
        self.terminated.iter().rev().find(|(device_id, _)| *device_id == leg.device_id).map(|(_, at)| *at)
    }
}

fn is_in(at: i64, minute: i64, spans: &[Span]) -> bool {
    at.div_euclid(MINUTE_MS) == minute && spans.iter().any(|span| span.holds(at))
}
