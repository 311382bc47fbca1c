//! How a process follows the group: what it is given and has to give up, by either protocol.

use std::collections::{BTreeMap, VecDeque};

use super::client::{Client, Fetch, SimWorld};
use super::state::State;
use crate::consumer::{Change, Protocol};
use crate::topics::{Input, Place};

impl SimWorld {
    /// Serves one thing that the coordinator says.
    pub(super) fn serve_group(&mut self) -> bool {
        let mut state = self.cluster.state.borrow_mut();
        let state = &mut *state;
        let mut client = self.life.client.borrow_mut();
        let Some(member) = client.member else {
            client.member = Some(state.group.join());
            return true;
        };
        if !state.group.is_member(member) {
            if state.random.one_in(3) {
                state.tell(|| format!("{} hears that it is out", self.life.name));
                client.lose_all();
                return true;
            }
            // It has not heard of it yet, and reads on.
            return false;
        }
        if !client.revoking.is_empty() {
            return false;
        }
        match state.group.protocol {
            Protocol::Classic => self.follow_generation(state, &mut client, member),
            Protocol::Consumer => self.follow_epoch(state, &mut client, member),
        }
    }

    /// The classic protocol: everything is given up, and comes back with the next generation.
    fn follow_generation(&self, state: &mut State, client: &mut Client, member: u64) -> bool {
        if state.group.must_rejoin(member) {
            if !state.random.one_in(3) {
                return false;
            }
            client.coming.clear();
            match client.some(state.plan.in_pieces) {
                Some(piece) => self.ask_for(state, client, piece),
                None => state.group.rejoin(member),
            }
            return true;
        }
        if !client.coming.is_empty() && state.plan.in_pieces && !state.random.one_in(4) {
            // The next piece is still on its way.
            return false;
        }
        if let Some(piece) = client.coming.pop_front() {
            self.give(state, client, piece);
            return true;
        }
        let Some(assigned) = state.group.assignment(member).filter(|_| client.generation != state.group.generation)
        else {
            return false;
        };
        client.generation = state.group.generation;
        client.coming = match state.plan.in_pieces {
            true => pieces(assigned),
            false => VecDeque::from([assigned]),
        };
        if state.plan.in_pieces {
            let first = state.random.below(4);
            client.coming.rotate_left(first % client.coming.len().max(1));
        }
        true
    }

    /// The consumer protocol: heartbeats, whose answers take their time.
    fn follow_epoch(&self, state: &mut State, client: &mut Client, member: u64) -> bool {
        if !state.random.one_in(3) {
            return false;
        }
        let Some(answer) = client.answer.take() else {
            let most = if state.plan.in_pieces { 2 } else { usize::MAX };
            client.answer = state.group.heartbeat(member, most);
            return false;
        };
        client.generation = answer.epoch;
        if !answer.to_give_up.is_empty() {
            self.ask_for(state, client, answer.to_give_up);
            return true;
        }
        let is_given = !answer.given.is_empty();
        if is_given {
            self.give(state, client, answer.given);
        }
        is_given
    }

    fn ask_for(&self, state: &State, client: &mut Client, places: Vec<Place>) {
        state.tell(|| format!("{} is asked for {places:?}", self.life.name));
        client.revoking.clone_from(&places);
        client.changes.push_back(Change::Revoking(places));
    }

    fn give(&self, state: &State, client: &mut Client, places: Vec<Place>) {
        state.tell(|| format!("{} gets {places:?} in {}", self.life.name, client.generation));
        client.owned.extend(places.iter().map(|place| (*place, Fetch { is_paused: true, ..Fetch::default() })));
        client.changes.push_back(Change::Assigned(places));
    }
}

impl Client {
    /// Everything that it holds, or the partitions of one topic.
    fn some(&self, in_pieces: bool) -> Option<Vec<Place>> {
        let first = self.owned.keys().next()?.0;
        Some(self.owned.keys().copied().filter(|place| !in_pieces || place.0 == first).collect())
    }

    /// It is no member any more, and joins as another.
    fn lose_all(&mut self) {
        let places = self.owned.keys().copied().collect();
        let changes = std::mem::take(&mut self.changes);
        *self = Client { changes, ..Client::default() };
        self.changes.push_back(Change::Lost(places));
    }
}

/// The partitions of each topic for themselves.
fn pieces(assigned: Vec<Place>) -> VecDeque<Vec<Place>> {
    let mut by_input = BTreeMap::<Input, Vec<Place>>::new();
    for place in assigned {
        by_input.entry(place.0).or_default().push(place);
    }
    by_input.into_values().collect()
}
