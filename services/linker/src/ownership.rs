//! What a rebalance gives and takes: slots are loaded before they are read, and what was read of them is committed before
//! they are given up. Slots that stay go on.

use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use crate::consumer::{Change, places_of};
use crate::cutting::HAND_OVER;
use crate::load::{LoadError, Loaded, Wanted};
use crate::lookup::Answer;
use crate::run::{KAFKA, LinkError};
use crate::session::Session;
use crate::topics::{Input, Place};
use crate::world::World;

/// When ClickHouse is asked again where the slots are.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Slots that are being loaded.
pub(crate) struct Loading {
    /// Without what was taken away since.
    wanted: Wanted,
    answer: Answer<Result<Loaded, LinkError>>,
}

impl<W: World> Session<'_, W> {
    /// Follows the rebalances since the last call, and goes on loading.
    pub(crate) fn follow_changes(&mut self) -> Result<(), LinkError> {
        while let Some(change) = self.world.next_change() {
            self.awaited_since = None;
            match change {
                Change::Assigned(places) => {
                    tracing::info!(partitions = places.len(), "partitions were assigned");
                    self.owned.extend(places);
                    self.linker.health.ready(KAFKA);
                }
                Change::Revoking(places) => self.hand_over(&places)?,
                Change::Lost(places) => {
                    tracing::warn!(partitions = places.len(), "partitions were lost");
                    self.let_go(&places);
                    self.forget()?;
                }
            }
        }
        self.note_load()?;
        self.start_load();
        Ok(())
    }

    /// Commits what was read, and gives partitions up.
    fn hand_over(&mut self, places: &[Place]) -> Result<(), LinkError> {
        tracing::info!(partitions = places.len(), "partitions are taken away");
        if places.iter().any(|place| self.reading.positions.contains_key(place)) {
            self.deadline = Some(self.world.now() + HAND_OVER);
            let ended = self.conclude();
            self.deadline = None;
            match ended {
                Ok(()) | Err(LinkError::Late) => {}
                Err(error) => return Err(error),
            }
        }
        let is_committed = !self.in_flight && self.reading.is_committed();
        self.let_go(places);
        if !is_committed {
            // What was read of all slots is in one batch.
            tracing::warn!("what was read is not committed in time, and is read again");
            self.forget()?;
        }
        Ok(self.world.give_up(places)?)
    }

    /// Partitions are another's. Of their slots nothing is left here.
    fn let_go(&mut self, places: &[Place]) {
        if let Some(catch_up) = &mut self.catch_up {
            catch_up.note_loss(self.world.now());
        }
        for place in places {
            self.owned.remove(place);
            let of_slot = (place.0 != Input::Device).then(|| places_of(place.1));
            for gone in of_slot.into_iter().flatten().chain([*place]) {
                self.reading.end(gone);
            }
            if let Some(loading) = &mut self.loading {
                loading.cancel(*place);
            }
        }
    }

    /// Forgets what is not committed, of all slots: what is still owned is loaded again.
    pub(crate) fn forget(&mut self) -> Result<(), LinkError> {
        self.is_stale = self.in_flight;
        if self.refused.take().is_some() {
            self.in_flight = false;
            self.is_stale = false;
        }
        self.check = None;
        self.asked = None;
        self.reading.forget();
        let owned: Vec<Place> = self.owned.iter().copied().collect();
        Ok(self.world.pause(&owned)?)
    }

    /// Starts to load what is owned and not read yet.
    fn start_load(&mut self) {
        // A flush of slots that were taken away and came back ends first, so that its outcome can be read.
        if self.loading.is_some() || self.is_stale || self.world.now() < self.load_after {
            return;
        }
        let partitions = self.reading.routing.partitions;
        let is_whole = |slot: &i32| places_of(*slot).all(|place| self.owned.contains(&place));
        let is_loaded = |slot: &i32| self.reading.slots.get(*slot as usize).is_some_and(Option::is_some);
        let slots: Vec<i32> = (0..partitions).filter(|slot| is_whole(slot) && !is_loaded(slot)).collect();
        let is_new_device = |place: &Place| place.0 == Input::Device && !self.reading.positions.contains_key(place);
        let mut places: Vec<Place> = self.owned.iter().copied().filter(is_new_device).collect();
        places.extend(slots.iter().flat_map(|slot| places_of(*slot)));
        if places.is_empty() {
            return;
        }
        let wanted = Wanted { slots, places, partitions, rules: self.world.rules().own };
        let answer = self.world.load(&self.loader, wanted.clone());
        self.loading = Some(Loading { wanted, answer });
    }

    /// Starts to read slots that are loaded.
    fn note_load(&mut self) -> Result<(), LinkError> {
        let Some(loading) = &self.loading else { return Ok(()) };
        let loaded = match loading.answer.try_take() {
            Ok(loaded) => loaded,
            Err(TryRecvError::Empty) => return Ok(()),
            Err(TryRecvError::Disconnected) => return Err(LinkError::Thread("loader")),
        };
        let Some(Loading { wanted, .. }) = self.loading.take() else { return Ok(()) };
        if wanted.places.is_empty() || self.world.has_change(Change::is_loss) {
            // It may be another's by now, and so may be what went wrong.
            return Ok(());
        }
        let Loaded { slots, positions } = match loaded {
            Err(LinkError::Load(error @ LoadError::ClickHouse(_))) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "slots will be loaded again");
                self.linker.health.not_ready(KAFKA, error.to_string());
                self.load_after = self.world.now() + ASK_AGAIN;
                return Ok(());
            }
            loaded => loaded?,
        };
        for slot in slots {
            let partition = slot.partition();
            if wanted.slots.contains(&partition)
                && let Some(place) = self.reading.slots.get_mut(partition as usize)
            {
                *place = Some(slot);
            }
        }
        for (place, next) in positions.into_iter().filter(|(place, _)| wanted.places.contains(place)) {
            self.reading.begin(place, next);
            self.world.seek(place, next)?;
        }
        self.tell_probe();
        if let Some(catch_up) = &mut self.catch_up {
            catch_up.aim(self.world.log(), self.world.now())?;
        }
        self.world.resume(&wanted.places)?;
        self.linker.health.ready(KAFKA);
        Ok(())
    }
}

impl Loading {
    /// A partition was taken away: its slot may be changed by others before it comes back.
    fn cancel(&mut self, place: Place) {
        let is_same = |other: &Place| match place.0 {
            Input::Device => *other == place,
            _ => other.0 != Input::Device && other.1 == place.1,
        };
        self.wanted.places.retain(|other| !is_same(other));
        if place.0 != Input::Device {
            self.wanted.slots.retain(|slot| *slot != place.1);
        }
    }
}
