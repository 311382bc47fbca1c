//! What a rebalance gives and takes: slots are loaded before they are read, and dropped when they are gone.

use crate::consumer::{Change, places_of};
use crate::load::{Before, SlotLoader};
use crate::run::{KAFKA, LinkError};
use crate::session::Session;
use crate::topics::{Input, Place};
use crate::world::World;

impl<W: World> Session<'_, W> {
    /// Follows the rebalances since the last call.
    pub(crate) fn follow_changes(&mut self) -> Result<(), LinkError> {
        for change in self.world.take_changes() {
            match change {
                Change::Revoked(places) => self.revoke(&places),
                Change::Assigned(places) => self.assign(places)?,
            }
        }
        Ok(())
    }

    /// Forgets what is not committed: the next owner reads it again. With the classic protocol everything is taken at once.
    fn revoke(&mut self, places: &[Place]) {
        tracing::info!(partitions = places.len(), "partitions were taken away");
        places.iter().for_each(|place| {
            self.owned.remove(place);
        });
        self.forget();
        self.is_stale = true;
    }

    fn forget(&mut self) {
        self.reading.forget();
        self.forget_check();
        if let Some(catch_up) = &mut self.catch_up {
            catch_up.forget();
        }
    }

    fn assign(&mut self, places: Vec<Place>) -> Result<(), LinkError> {
        tracing::info!(partitions = places.len(), "partitions were assigned");
        self.owned.extend(places);
        // A flush of slots that were just revoked ends first, so that its outcome can be read.
        self.settle()?;
        self.is_stale = false;
        if self.world.has_changes() {
            // Taken away again meanwhile; the next round says what is owned.
            return Ok(());
        }
        // Not what was assigned tells: the new partitions may all be another's, and every call's place changes with them.
        let slots = self.reading.routing.partitions;
        if self.world.partitions()? != slots {
            return Err(LinkError::Repartitioned);
        }
        let mut ready: Vec<Place> = self.owned.iter().copied().filter(|place| place.0 == Input::Device).collect();
        let whole = (0..slots).filter(|partition| places_of(*partition).all(|place| self.owned.contains(&place)));
        let whole: Vec<i32> = whole.collect();
        ready.extend(whole.iter().flat_map(|partition| places_of(*partition)));
        // What was read since the last flush of slots that stay is read again with them: nothing of it is twice then.
        self.forget();
        self.load(&whole, &ready)?;
        self.linker.health.ready(KAFKA);
        Ok(())
    }

    fn load(&mut self, slots: &[i32], places: &[Place]) -> Result<(), LinkError> {
        if places.is_empty() {
            return Ok(());
        }
        // Stable offsets first: no transaction of an old owner can end after them and change what the changelog says.
        let positions = self.loader.positions(&self.world, places)?;
        let partitions = self.reading.routing.partitions;
        let before = Before { stored: self.world.stored()?, partitions, rules: self.world.rules().own };
        let mut loader =
            SlotLoader { log: &self.world, rules: self.linker.config.rules, limits: self.limits, before, moved: None };
        for partition in slots {
            let slot = loader.load(*partition)?;
            tracing::info!(
                slot = partition,
                open_calls = slot.open_calls(),
                log_clock = slot.log_clock(),
                "slot loaded"
            );
            if let Some(place) = self.reading.slots.get_mut(*partition as usize) {
                *place = Some(slot);
            }
        }
        for (place, next) in positions {
            self.reading.begin(place, next);
            self.world.seek(place, next)?;
        }
        if let Some(catch_up) = &mut self.catch_up {
            catch_up.aim(&self.world, places.iter().copied())?;
        }
        self.world.resume(places)?;
        Ok(())
    }
}
