//! From what was read to a flush, and from a flush's end back: the part of a session that asks and waits.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use ringtrace_model::CallKey;

use crate::flusher::{Flush, Progress};
use crate::lookup::{Answer, Histories};
use crate::run::LinkError;
use crate::session::{SILENCE, Session};
use crate::slot::Slot;
use crate::topics::Place;
use crate::world::World;

/// How long a stop waits for ClickHouse and Kafka.
const DRAIN_PATIENCE: Duration = Duration::from_secs(25);

/// How often calls that were taken for new are checked; so long, and a flush, their rows and verdicts wait.
const CHECK_PERIOD: Duration = Duration::from_secs(1);

/// Checks sooner when so many calls wait for it.
const CHECK_CALLS: usize = 20_000;

/// Calls whose histories are in memory at once.
const LOOK_UP_CALLS: usize = 1_500;

/// Part of the service's health that look-ups decide.
const LOOK_UP: &str = "look-up";

impl<W: World> Session<'_, W> {
    /// Cuts a flush at the log time that the partitions allow, and hands it to the flusher.
    pub(crate) fn cut(&mut self) -> Result<(), LinkError> {
        self.last_cut = self.world.now();
        self.tell_probe();
        self.reading.observe(&self.world.ends());
        self.reading.advance();
        self.cut_here()
    }

    pub(crate) fn cut_here(&mut self) -> Result<(), LinkError> {
        self.check_gaps()?;
        self.page_in()?;
        let slots = self.reading.cut_slots();
        let moved = self.reading.moved();
        let batch = std::mem::take(&mut self.reading.batch);
        if slots.is_empty() && moved.is_empty() {
            return Ok(());
        }
        let Some(group) = self.world.group() else { return Err(LinkError::Thread("consumer")) };
        if self.world.has_changes() {
            // The metadata may be of a generation in which the slots that were cut are another's. They are about to be
            // dropped; nothing of this flush was written.
            return Ok(());
        }
        if let Some(catch_up) = &mut self.catch_up {
            catch_up.has_rerouted |= !batch.reroutes.is_empty();
        }
        self.placement.add(&batch.counts.placement);
        self.reading.note_committed();
        let mut positions = self.reading.positions.clone();
        if planted!(OnlyMovedOffsets) {
            positions.retain(|place, _| moved.iter().any(|(moved, _)| moved == place));
        }
        let flush = Flush { slots, batch, positions, group };
        self.flushes.send(flush).map_err(|_| LinkError::Thread("flusher"))?;
        self.in_flight = true;
        Ok(())
    }

    /// Folds in the histories of calls that came into memory, so that a cut sees whole calls only.
    fn page_in(&mut self) -> Result<(), LinkError> {
        loop {
            let wanted: Vec<CallKey> = self.reading.slots.iter_mut().flatten().flat_map(Slot::take_wanted).collect();
            if wanted.is_empty() {
                return Ok(());
            }
            for keys in wanted.chunks(LOOK_UP_CALLS) {
                let answer = self.world.histories(keys.to_vec());
                let mut histories = self.await_answer(&answer)?;
                for key in keys {
                    if let Some(slot) = self.reading.slot_of(key) {
                        let history = histories.remove(key).filter(|_| !planted!(LookUpSkipped));
                        slot.page_in(key, history.unwrap_or_default());
                    }
                }
            }
        }
    }

    /// Waits for an answer without leaving the group: polls, with everything paused, when it takes long.
    pub(crate) fn await_answer<T>(&mut self, answer: &Answer<T>) -> Result<T, LinkError> {
        let started = self.world.now();
        loop {
            match self.world.wait(answer.receiver(), SILENCE) {
                Ok(answer) => {
                    self.linker.health.ready(LOOK_UP);
                    return Ok(answer);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(LinkError::Thread("look-up")),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.linker.drain.is_started() && self.world.now() - started > DRAIN_PATIENCE {
                return Err(LinkError::LookUp("a look-up of calls is not answered".to_owned()));
            }
            self.linker.health.not_ready(LOOK_UP, "ClickHouse does not answer look-ups of calls");
            self.poll_paused()?;
        }
    }

    /// Lets librdkafka see that this member lives, without reading on.
    fn poll_paused(&mut self) -> Result<(), LinkError> {
        let owned: Vec<Place> = self.owned.iter().copied().collect();
        self.world.pause(&owned)?;
        self.poll(Duration::ZERO)?;
        let loaded = self.reading.positions.keys().copied().filter(|place| self.owned.contains(place));
        self.world.resume(&loaded.collect::<Vec<_>>())?;
        // How far it has fallen behind is never worth more than now.
        self.show();
        Ok(())
    }

    /// Waits until the flush in flight has ended.
    pub(crate) fn settle(&mut self) -> Result<(), LinkError> {
        let started = self.world.now();
        while self.in_flight {
            if self.linker.drain.is_started() && self.world.now() - started > DRAIN_PATIENCE {
                return Err(LinkError::LookUp("the last flush is not acknowledged".to_owned()));
            }
            match self.world.wait(&self.progress, SILENCE) {
                Ok(progress) => self.note(progress)?,
                Err(RecvTimeoutError::Disconnected) => return Err(LinkError::Thread("flusher")),
                Err(RecvTimeoutError::Timeout) => self.poll_paused()?,
            }
        }
        Ok(())
    }

    pub(crate) fn note(&mut self, progress: Progress) -> Result<(), LinkError> {
        self.in_flight = false;
        let is_stale = std::mem::take(&mut self.is_stale);
        match progress {
            Progress::Done(sequences) => {
                self.has_committed = true;
                for (partition, sequence) in sequences {
                    let slot = self.reading.slots.get_mut(partition as usize).and_then(Option::as_mut);
                    if let Some(slot) = slot.filter(|_| !is_stale) {
                        slot.acknowledge(sequence);
                    }
                }
                Ok(())
            }
            Progress::Failed(error) if is_stale => {
                tracing::info!(
                    error = &error as &dyn std::error::Error,
                    "flush of partitions that were taken away was refused"
                );
                (self.flushes, self.progress) = self.world.start_flusher()?;
                Ok(())
            }
            Progress::Failed(error) => Err(error.into()),
        }
    }

    /// Checks calls that were taken for new, in large batches beside reading.
    pub(crate) fn note_check(&mut self) {
        if let Some(Ok((keys, histories))) = self.check.as_ref().map(Answer::try_take) {
            self.check = None;
            self.apply_check(&keys, histories);
        }
        let waiting: usize = self.reading.slots.iter().flatten().map(Slot::unchecked).sum();
        let is_due = self.world.now() - self.last_check >= CHECK_PERIOD || waiting >= CHECK_CALLS;
        if self.check.is_none() && waiting > 0 && is_due {
            self.start_check();
        }
    }

    pub(crate) fn start_check(&mut self) {
        self.last_check = self.world.now();
        let calls = self.reading.slots.iter_mut().flatten().flat_map(Slot::take_unchecked).collect();
        self.check = Some(self.world.check(calls));
    }

    fn apply_check(&mut self, keys: &[CallKey], mut histories: Histories) {
        for key in keys {
            let Some(slot) = self.reading.slot_of(key) else { continue };
            match histories.remove(key) {
                Some(history) => slot.page_in(key, history),
                None => slot.confirm_new(key),
            }
        }
    }

    /// Waits for the check that is under way, if one is.
    pub(crate) fn await_check(&mut self) -> Result<(), LinkError> {
        if let Some(check) = self.check.take() {
            let (keys, histories) = self.await_answer(&check)?;
            self.apply_check(&keys, histories);
        }
        Ok(())
    }

    /// A check that is under way is of slots that are gone.
    pub(crate) fn forget_check(&mut self) {
        self.check = None;
    }

    fn check_gaps(&mut self) -> Result<(), LinkError> {
        for (place, expected) in self.reading.gaps.drain() {
            let (first, _) = self.world.bounds(place)?;
            if first > expected {
                return Err(self.loader.gone(&self.world, place, expected, first).into());
            }
        }
        Ok(())
    }
}
