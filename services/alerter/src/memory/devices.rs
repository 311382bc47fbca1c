//! What is known of devices: their calls, and what they said beside them.

use std::collections::{BTreeSet, HashMap};

use super::calls::{Calls, Place};
use crate::device::{DeviceFact, DeviceHistory, Sight};
use crate::fact::{Dim, Leg};
use crate::query::Span;

/// How much later than the calls after it a call may be told of, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A device.
#[derive(Default)]
struct Device {
    calls: Vec<Place>,
    said: Vec<(i64, Sight)>,
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Devices {
    held: Vec<Device>,
    /// By tenant, app and device.
    places: HashMap<[String; 3], usize>,
    /// Those that ever had a strike.
    struck: BTreeSet<usize>,
}

impl Devices {
    fn place(&mut self, key: [String; 3]) -> usize {
        let next = self.held.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.held.push(Device::default());
        }
        place
    }

    /// Takes note of a leg as it is now judged; gives the place of its device.
    pub(super) fn learn(&mut self, call: Place, leg: &Leg, terminated_at: Option<i64>) -> usize {
        let key = [leg.dim(Dim::Tenant), leg.dim(Dim::App), &leg.device_id].map(str::to_owned);
        let place = self.place(key);
        if DeviceFact::of_leg(leg, terminated_at).is_some_and(|fact| fact.sight == Sight::Strike) {
            self.struck.insert(place);
        }
        if let Some(device) = self.held.get_mut(place).filter(|device| device.calls.last() != Some(&call)) {
            device.calls.push(call);
        }
        place
    }

    /// Takes note of what a device said beside its calls.
    pub(super) fn say(&mut self, key: [String; 3], at: i64, sight: Sight) {
        let place = self.place(key);
        if let Some(device) = self.held.get_mut(place) {
            device.said.push((at, sight));
        }
    }

    /// Devices with strikes in a span, and all that is known of them in it.
    pub(super) fn struck(&self, calls: &Calls, span: Span) -> Vec<DeviceHistory> {
        let histories = self.struck.iter().filter_map(|place| self.history(*place, calls, span, true));
        histories.filter(DeviceHistory::has_strike).collect()
    }

    /// What is known of a device in a span, with what was seen of it where `with_facts`; `None` where nothing is.
    pub(super) fn history(&self, place: usize, calls: &Calls, span: Span, with_facts: bool) -> Option<DeviceHistory> {
        let device = self.held.get(place)?;
        // The newest come last, and one that was told of late is in between.
        let is_near = |call: &&Place| calls.began(**call).is_some_and(|at| at > span.from - DAY_MS);
        let mut of_calls: Vec<Place> = device.calls.iter().rev().take_while(is_near).copied().collect();
        of_calls.sort_unstable();
        of_calls.dedup();
        let mut history: Option<DeviceHistory> = None;
        let legs = of_calls.iter().flat_map(|call| calls.legs_of(*call));
        for (leg, _, terminated_at) in legs.filter(|(leg, of, _)| *of == place && span.holds(leg.started_at)) {
            let fact = DeviceFact::of_leg(leg, terminated_at).filter(|_| with_facts);
            if with_facts && fact.is_none() {
                continue;
            }
            let history = history.get_or_insert_with(|| DeviceHistory::of(leg));
            history.learn(leg);
            history.facts.extend(fact);
        }
        let mut history = history?;
        let said = device.said.iter().filter(|(at, _)| with_facts && span.holds(*at));
        history.facts.extend(said.map(|(at, sight)| DeviceFact { at: *at, sight: *sight, call_uuid: String::new() }));
        Some(history)
    }
}
