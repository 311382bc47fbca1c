//! The simulated group coordinator, with `range`: the classic protocol, in which everyone gives up everything, and the
//! consumer protocol (KIP-848), in which each member has an epoch of its own and only what moves is taken away.

use std::collections::BTreeMap;

use crate::consumer::Protocol;
use crate::topics::{Input, Place};

/// A member as the coordinator knows it.
#[derive(Debug)]
struct Known {
    /// It has joined the generation that is being made.
    has_joined: bool,
    /// With the consumer protocol: until it has given them up.
    assigned: Vec<Place>,
    /// Of the consumer protocol.
    epoch: i32,
}

/// What the coordinator answers to a heartbeat of the consumer protocol.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) epoch: i32,
    pub(super) to_give_up: Vec<Place>,
    pub(super) given: Vec<Place>,
}

/// See the module's text.
pub(super) struct Group {
    pub(super) protocol: Protocol,
    /// With the consumer protocol the group's epoch.
    pub(super) generation: i32,
    members: BTreeMap<u64, Known>,
    is_rebalancing: bool,
    next_member: u64,
    pub(super) committed: BTreeMap<Place, i64>,
    /// Partitions of the call topics as of now, and as of the generation.
    pub(super) partitions: i32,
    pub(super) assigned_partitions: i32,
    pub(super) device_partitions: i32,
}

impl Group {
    pub(super) fn new(protocol: Protocol, partitions: i32, device_partitions: i32) -> Self {
        Group {
            protocol,
            generation: 0,
            members: BTreeMap::new(),
            is_rebalancing: false,
            next_member: 1,
            committed: BTreeMap::new(),
            partitions,
            assigned_partitions: partitions,
            device_partitions,
        }
    }

    /// A new member joins.
    pub(super) fn join(&mut self) -> u64 {
        let member = self.next_member;
        self.next_member += 1;
        self.members.insert(member, Known { has_joined: true, assigned: Vec::new(), epoch: 0 });
        self.rebalance();
        member
    }

    /// A member is gone, by its own word or for its silence.
    pub(super) fn remove(&mut self, member: u64) {
        if self.members.remove(&member).is_some() {
            self.rebalance();
        }
    }

    pub(super) fn rebalance(&mut self) {
        if self.protocol == Protocol::Consumer {
            self.generation += 1;
            self.assigned_partitions = self.partitions;
        } else if !self.is_rebalancing {
            self.is_rebalancing = true;
            // Whoever is new has joined; the others have to give up what they hold first.
            self.members.values_mut().for_each(|known| known.has_joined &= known.assigned.is_empty());
        }
    }

    pub(super) fn is_member(&self, member: u64) -> bool {
        self.members.contains_key(&member)
    }

    pub(super) fn members(&self) -> Vec<u64> {
        self.members.keys().copied().collect()
    }

    /// Whether a member has to give up its partitions and join again.
    pub(super) fn must_rejoin(&self, member: u64) -> bool {
        self.is_rebalancing && self.members.get(&member).is_some_and(|known| !known.has_joined)
    }

    /// A member has given up its partitions and joins again.
    pub(super) fn rejoin(&mut self, member: u64) {
        if let Some(known) = self.members.get_mut(&member) {
            known.has_joined = true;
            known.assigned.clear();
        }
    }

    /// Makes the next generation when everyone has joined.
    pub(super) fn complete(&mut self) -> bool {
        if !self.is_rebalancing || self.members.is_empty() || self.members.values().any(|known| !known.has_joined) {
            return false;
        }
        self.is_rebalancing = false;
        self.generation += 1;
        self.assigned_partitions = self.partitions;
        let members: Vec<u64> = self.members();
        for member in members {
            let target = self.target(member);
            if let Some(known) = self.members.get_mut(&member) {
                known.has_joined = false;
                known.assigned = target;
            }
        }
        true
    }

    /// What `range` gives to a member.
    fn target(&self, member: u64) -> Vec<Place> {
        let count = self.members.len() as i32;
        let index = self.members.range(..member).count() as i32;
        self.places(|partitions| range(partitions, count, index))
    }

    /// Some partitions of each topic that the group reads.
    pub(super) fn places(&self, of: impl Fn(i32) -> std::ops::Range<i32>) -> Vec<Place> {
        let of_input = |input: Input| {
            let is_device = input == Input::Device;
            let partitions = of(if is_device { self.device_partitions } else { self.assigned_partitions });
            partitions.map(move |partition| (input, partition))
        };
        Input::ALL.into_iter().flat_map(of_input).collect()
    }

    /// A heartbeat of the consumer protocol: first a member gives up what is no longer its own, then it is of the group's
    /// epoch and is given what is free, perhaps not all of it at once.
    pub(super) fn heartbeat(&mut self, member: u64, most: usize) -> Option<Answer> {
        let target = self.target(member);
        let is_held = |place: &Place| self.members.values().any(|known| known.assigned.contains(place));
        let free: Vec<Place> = target.iter().copied().filter(|place| !is_held(place)).take(most).collect();
        let known = self.members.get_mut(&member)?;
        let to_give_up: Vec<Place> = known.assigned.iter().copied().filter(|place| !target.contains(place)).collect();
        if !to_give_up.is_empty() {
            return Some(Answer { epoch: known.epoch, to_give_up, given: Vec::new() });
        }
        known.epoch = self.generation;
        known.assigned.extend(&free);
        Some(Answer { epoch: known.epoch, to_give_up, given: free })
    }

    /// A member has given up partitions. When that was all, it is of the group's epoch, even before it hears of it.
    pub(super) fn release(&mut self, member: u64, places: &[Place]) {
        if !self.is_member(member) {
            return;
        }
        let target = self.target(member);
        if let Some(known) = self.members.get_mut(&member) {
            known.assigned.retain(|place| !places.contains(place));
            if known.assigned.iter().all(|place| target.contains(place)) {
                known.epoch = self.generation;
            }
        }
    }

    /// What a member is given in the generation as it is; `None` while there is a rebalance.
    pub(super) fn assignment(&self, member: u64) -> Option<Vec<Place>> {
        if self.is_rebalancing {
            return None;
        }
        self.members.get(&member).map(|known| known.assigned.clone())
    }

    /// Whether offsets of a member and generation are taken.
    pub(super) fn accepts(&self, (member, generation): (u64, i32)) -> bool {
        match (self.protocol, self.members.get(&member)) {
            (Protocol::Classic, known) => known.is_some() && generation == self.generation,
            (Protocol::Consumer, known) => known.is_some_and(|known| generation == known.epoch),
        }
    }
}

/// The partitions of a topic that Kafka's `range` assignor gives to one of `count` members.
fn range(partitions: i32, count: i32, index: i32) -> std::ops::Range<i32> {
    let (each, more) = (partitions / count, partitions % count);
    let from = index * each + index.min(more);
    from..from + each + i32::from(index < more)
}
