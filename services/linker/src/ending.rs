//! How a session ends well: caught up, or drained.

use std::time::Duration;

use crate::run::LinkError;
use crate::session::Session;
use crate::world::World;

/// How long the end of a catch-up waits for the brokers to say that nothing more is there.
const LAST_WORD: Duration = Duration::from_secs(20);

impl<W: World> Session<'_, W> {
    /// Whether everything that was there at the start, and all that was rerouted of it, is read.
    pub(crate) fn is_caught_up(&mut self) -> Result<bool, LinkError> {
        if !self.has_reached()? {
            return Ok(false);
        }
        self.settle()?;
        self.cut()?;
        self.settle()?;
        if let Some(catch_up) = self.catch_up.as_mut().filter(|catch_up| catch_up.has_rerouted) {
            catch_up.follow_reroutes(self.world.log())?;
            return Ok(false);
        }
        self.has_reached()
    }

    fn has_reached(&mut self) -> Result<bool, LinkError> {
        let now = self.world.now();
        let Some(catch_up) = &mut self.catch_up else { return Ok(false) };
        let read = self.reading.positions.iter().map(|(place, position)| (*place, position.next));
        let others = catch_up.look_after_others(self.world.log(), &self.reading.positions, now)?;
        self.world.tell_probe(read.chain(others.iter().map(|(place, next)| (*place, *next))).collect());
        let is_loading = self.loading.is_some() || self.world.has_change(|_| true);
        Ok(!is_loading && catch_up.is_reached(&self.reading.positions, &self.world.ends(), now))
    }

    /// Lets log time go on to the wall clock, checks what was taken for new, and writes what comes of it. Where producers
    /// keep writing, log time goes as far as they allow: a record that is not read yet accuses nobody.
    ///
    /// False when partitions were taken away or given meanwhile: there is more to read.
    pub(crate) fn finish(&mut self) -> Result<bool, LinkError> {
        let (started, now) = (self.world.now(), self.world.wall_ms());
        while !self.reading.is_drained_since(now) && self.world.now() - started < LAST_WORD {
            self.pump(Duration::from_millis(20))?;
            self.tell_probe();
            self.reading.observe(&self.world.ends());
        }
        self.reading.advance();
        self.cut_here()?;
        self.settle()?;
        self.await_check()?;
        self.start_check();
        self.await_check()?;
        self.conclude()?;
        self.has_reached()
    }

    /// Writes and commits what was read, and stops.
    pub(crate) fn drain(mut self) -> Result<(), LinkError> {
        tracing::info!("draining: what was read is written and committed");
        self.conclude()
    }

    /// Writes what was read, and what is left to say once that is acknowledged: the next owner has nothing to repeat.
    pub(crate) fn conclude(&mut self) -> Result<(), LinkError> {
        self.settle()?;
        self.cut()?;
        self.settle()?;
        self.cut_here()?;
        self.settle()
    }
}
