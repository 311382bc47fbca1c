//! Everybody and their devices.

mod build;
mod device;

use crate::draw::Choice;
use crate::rng::Rng;
use crate::world::World;

pub(crate) use device::{Channel, Device, Journal, Look, Platform, Token};

/// Somebody with an app on one device or more.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) app: u16,
    pub(crate) place: u16,
    pub(crate) first_device: u32,
    pub(crate) devices: u8,
    pub(crate) call_waiting: bool,
}

impl Person {
    pub(crate) fn devices(&self) -> std::ops::Range<usize> {
        let first = self.first_device as usize;
        first..first + usize::from(self.devices)
    }
}

pub(crate) struct Fleet {
    pub(crate) people: Vec<Person>,
    pub(crate) devices: Vec<Device>,
    /// People of each place, and of each app.
    of_place: Vec<Vec<u32>>,
    of_app: Vec<Vec<u32>>,
    /// Roll-outs as they are looked up: per app, when each step starts.
    rollouts: Vec<Vec<RolloutStep>>,
}

/// From `from` on, devices whose number lies within `share` have the version.
#[derive(Clone, Copy, Debug)]
struct RolloutStep {
    from: i64,
    share: crate::draw::Share,
    version: u8,
}

impl Fleet {
    /// Somebody at a place; `None` where nobody lives.
    pub(crate) fn person_of_place(&self, place: usize, rng: &mut Rng) -> Option<usize> {
        let people = self.of_place.get(place)?;
        people.get(rng.below(people.len())).map(|person| *person as usize)
    }

    /// Somebody else with the same app; `None` where there is nobody.
    pub(crate) fn other_of_app(&self, app: usize, than: usize, rng: &mut Rng) -> Option<usize> {
        let people = self.of_app.get(app)?;
        let person = *people.get(rng.below(people.len()))? as usize;
        (person != than).then_some(person)
    }

    pub(crate) fn person_of(&self, device: usize) -> &Person {
        &self.people[self.devices[device].person as usize]
    }

    /// Which version of its app a device has at a time. The latest roll-out that has reached it decides.
    pub(crate) fn version(&self, device: usize, at: i64) -> usize {
        let (held, app) = (&self.devices[device], self.person_of(device).app);
        let mut version = held.base_version;
        for step in &self.rollouts[usize::from(app)] {
            if step.from <= at && step.share.holds(held.rollout_bits) {
                version = step.version;
            }
        }
        usize::from(version)
    }

    /// How likely a call is for somebody at each place, at a time; their sum beside it is 1 on average over a day.
    pub(crate) fn places_at(&self, world: &World, at: i64) -> (Choice, f64) {
        let hours = &world.people.calls_by_hour;
        let mean = hours.iter().sum::<f64>() / 24.0;
        let people = self.people.len().max(1) as f64;
        let weight = |(place, lives): (&crate::world::Place, &Vec<u32>)| {
            lives.len() as f64 / people * hours[local_hour(at, place.utc_offset_min)] / mean.max(f64::MIN_POSITIVE)
        };
        let choice = Choice::new(world.places.iter().zip(&self.of_place).map(weight));
        let total = choice.total();
        (choice, total)
    }
}

/// The hour of the day, 0 to 23.
pub(crate) fn local_hour(at: i64, utc_offset_min: i64) -> usize {
    ((at + utc_offset_min * 60_000).rem_euclid(crate::calendar::DAY_MS) / crate::calendar::HOUR_MS) as usize
}
