//! From what was read to a flush, and from a flush's end back: the part of a session that asks and waits.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use ringtrace_kit::rules::RulesError;
use ringtrace_model::CallKey;

use crate::consumer::Change;
use crate::flusher::{Flush, Progress, Writing};
use crate::load::LoadError;
use crate::lookup::{Answer, Histories};
use crate::run::LinkError;
use crate::session::{SILENCE, Session};
use crate::slot::Slot;
use crate::topics::Place;
use crate::world::{Log, Polled, RulesNumbers, World};
use crate::writer::FlushError;

/// How long a stop waits for ClickHouse and Kafka.
const DRAIN_PATIENCE: Duration = Duration::from_secs(25);

/// When a flush that the group has refused is sent again: the member hears of a new generation with its next heartbeat.
const REFUSED: Duration = Duration::from_millis(100);

/// How long flushes are sent again that the group refuses.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// How long a look at the group takes, at most.
const BRIEFLY: Duration = Duration::from_millis(1);

/// How long the group waits for what was read of partitions that are taken away. Without, their next owner reads it again.
pub(crate) const HAND_OVER: Duration = Duration::from_secs(10);

/// How long calls that were taken for new wait for their check, at most. Until it is answered, their rows and verdicts wait.
const CHECK_PERIOD: Duration = Duration::from_secs(1);

/// How much of a flush there is, in quarters, when they are checked: the answer is there when it is cut.
const CHECK_QUARTERS: u32 = 3;

/// Checks sooner when so many calls wait for it.
const CHECK_CALLS: usize = 20_000;

/// Calls whose histories are in memory at once.
const LOOK_UP_CALLS: usize = 1_500;

/// How many calls are worth a question before they are needed. The simulation's calls are few.
const ASK_CALLS: usize = if cfg!(test) { 1 } else { 64 };

/// Part of the service's health that look-ups decide.
const LOOK_UP: &str = "look-up";

impl<W: World> Session<'_, W> {
    /// Cuts a flush at the log time that the partitions allow, and hands it to the flusher.
    pub(crate) fn cut(&mut self) -> Result<(), LinkError> {
        self.last_cut = self.world.now();
        self.has_checked = false;
        self.tell_probe();
        self.reading.observe(&self.world.ends());
        self.reading.advance();
        self.cut_here()
    }

    pub(crate) fn cut_here(&mut self) -> Result<(), LinkError> {
        self.check_rules()?;
        self.check_gaps()?;
        self.page_in()?;
        let Some(group) = self.world.group() else { return Err(LinkError::Thread("consumer")) };
        if self.world.has_change(Change::is_loss) {
            // The metadata may be of a generation in which these slots are another's. They are about to be dropped.
            return Ok(());
        }
        let slots = self.reading.cut_slots();
        let moved = self.reading.moved();
        let batch = std::mem::take(&mut self.reading.batch);
        if slots.is_empty() && moved.is_empty() {
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
        let flush = Flush { slots, batch, positions, group, partitions: self.reading.routing.partitions };
        self.flushes.send(Box::new(Writing::of(flush))).map_err(|_| LinkError::Thread("flusher"))?;
        self.in_flight = true;
        Ok(())
    }

    /// Nothing is judged any more once newer rules are stored, or a request asks for them.
    fn check_rules(&self) -> Result<(), LinkError> {
        let RulesNumbers { own, newest } = self.world.rules();
        let stored = newest.max(self.reading.batch.rules);
        if planted!(OldRulesServe) {
            return Ok(());
        }
        if stored > own { Err(LoadError::from(RulesError::Newer { stored, own }).into()) } else { Ok(()) }
    }

    /// Folds in the histories of calls that came into memory, so that a cut sees whole calls only.
    fn page_in(&mut self) -> Result<(), LinkError> {
        loop {
            self.ask_histories(1);
            let Some((keys, answer)) = self.asked.take() else { return Ok(()) };
            match self.await_answer(&answer) {
                Ok(histories) => self.fold_histories(&keys, histories),
                Err(error) => {
                    // Slots that stay still wait for it.
                    self.asked = Some((keys, answer));
                    return Err(error);
                }
            }
        }
    }

    /// Folds in the histories that have come, and asks for more, so that a cut has to wait for few.
    pub(crate) fn note_histories(&mut self) {
        if let Some((keys, answer)) = self.asked.take() {
            match answer.try_take() {
                Ok(histories) => self.fold_histories(&keys, histories),
                Err(_) => self.asked = Some((keys, answer)),
            }
        }
        self.ask_histories(ASK_CALLS);
    }

    /// Asks for the histories of calls, where none are on their way and at least so many are wanted.
    fn ask_histories(&mut self, least: usize) {
        let slots = || self.reading.slots.iter().flatten();
        if self.asked.is_some() || slots().map(Slot::wanted).sum::<usize>() < least {
            return;
        }
        let mut keys = Vec::new();
        for slot in self.reading.slots.iter_mut().flatten() {
            keys.extend(slot.take_wanted(LOOK_UP_CALLS - keys.len()));
        }
        if !keys.is_empty() {
            let answer = self.world.histories(keys.clone());
            self.asked = Some((keys, answer));
        }
    }

    fn fold_histories(&mut self, keys: &[CallKey], mut histories: Histories) {
        for key in keys {
            if let Some(slot) = self.reading.slot_of(key) {
                let history = histories.remove(key).filter(|_| !planted!(LookUpSkipped));
                slot.page_in(key, history.unwrap_or_default());
            }
        }
    }

    /// Waits for an answer without leaving the group.
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
            self.check_patience(started, "a look-up of calls is not answered")?;
            self.linker.health.not_ready(
                LOOK_UP,
                "ClickHouse has not answered a look-up of calls: the log says whether it refuses, or is away",
            );
            self.stay_in_group()?;
        }
    }

    /// Lets librdkafka see that this member lives, without reading on.
    fn stay_in_group(&mut self) -> Result<(), LinkError> {
        let owned: Vec<Place> = self.owned.iter().copied().collect();
        self.world.hold(&owned);
        let taken = self.world.poll(BRIEFLY, |record| ((record.input, record.partition), record.offset))?;
        if let Polled::Record((place, offset)) = taken {
            self.world.seek(place, offset)?;
        }
        let now = self.world.now();
        self.awaited_since = self.world.has_change(Change::takes).then(|| self.awaited_since.unwrap_or(now));
        // How far it has fallen behind is never worth more than now.
        self.show();
        Ok(())
    }

    /// Waits until the flush in flight has ended.
    pub(crate) fn settle(&mut self) -> Result<(), LinkError> {
        let started = self.world.now();
        while self.in_flight {
            self.check_patience(started, "the last flush is not acknowledged")?;
            let most = if self.refused.is_some() { REFUSED } else { SILENCE };
            match self.world.wait(&self.progress, most) {
                Ok(progress) => self.note(progress)?,
                Err(RecvTimeoutError::Disconnected) => return Err(LinkError::Thread("flusher")),
                Err(RecvTimeoutError::Timeout) if self.refused.is_some() => self.send_again()?,
                Err(RecvTimeoutError::Timeout) => self.stay_in_group()?,
            }
        }
        Ok(())
    }

    /// Whether someone waits who can't wait any longer.
    fn check_patience(&self, started: Instant, what: &str) -> Result<(), LinkError> {
        self.world.check_flusher()?;
        let now = self.world.now();
        let is_draining = self.linker.drain.is_started();
        if is_draining && now - started > DRAIN_PATIENCE {
            return Err(LinkError::LookUp(what.to_owned()));
        }
        let is_late = self.deadline.is_some_and(|deadline| now > deadline)
            || self.awaited_since.is_some_and(|since| now - since > HAND_OVER && !is_draining);
        if is_late { Err(LinkError::Late) } else { Ok(()) }
    }

    pub(crate) fn note(&mut self, progress: Progress<W::Group>) -> Result<(), LinkError> {
        let is_stale = std::mem::take(&mut self.is_stale);
        self.in_flight = matches!(progress, Progress::Refused(..)) && !is_stale;
        match progress {
            Progress::Done(writing) => {
                self.has_committed = true;
                self.refused_since = None;
                for written in writing.flush.slots {
                    let slot = self.reading.slots.get_mut(written.partition as usize).and_then(Option::as_mut);
                    if let Some(slot) = slot.filter(|_| !is_stale) {
                        slot.acknowledge(written.header.sequence);
                        slot.reuse(written);
                    }
                }
                Ok(())
            }
            Progress::Refused(_, error) if is_stale => {
                tracing::info!(%error, "flush of partitions that were taken away was refused");
                Ok(())
            }
            Progress::Refused(writing, error) => self.note_refused(writing, error),
            Progress::Failed(error) if is_stale => {
                tracing::info!(
                    error = &error as &dyn std::error::Error,
                    "flush of partitions that were taken away has failed"
                );
                (self.flushes, self.progress) = self.world.start_flusher()?;
                Ok(())
            }
            Progress::Failed(error) => Err(error.into()),
        }
    }

    /// A generation has begun while the flush was on its way. Its slots are still this member's, so it is sent again, as of
    /// the generation that the member hears of next.
    fn note_refused(&mut self, writing: Box<Writing<W::Group>>, error: KafkaError) -> Result<(), LinkError> {
        let now = self.world.now();
        if now - *self.refused_since.get_or_insert(now) > REFUSED_FOR {
            return Err(FlushError::Group(error).into());
        }
        tracing::debug!(%error, "flush will be sent again as of the next generation");
        self.refused = Some((now, writing));
        Ok(())
    }

    /// Sends a flush again that the group has refused, a moment ago.
    pub(crate) fn send_again(&mut self) -> Result<(), LinkError> {
        if self.refused.as_ref().is_none_or(|(at, _)| self.world.now() - *at < REFUSED) {
            return Ok(());
        }
        self.stay_in_group()?;
        let Some(group) = self.world.group() else { return Err(LinkError::Thread("consumer")) };
        if self.world.has_change(Change::is_loss) && !planted!(SentAgainAfterLoss) {
            return self.forget();
        }
        if let Some((_, mut writing)) = self.refused.take() {
            writing.flush.group = group;
            self.flushes.send(writing).map_err(|_| LinkError::Thread("flusher"))?;
        }
        Ok(())
    }

    /// Checks calls that were taken for new, in large batches beside reading.
    pub(crate) fn note_check(&mut self) {
        if let Some(Ok((keys, histories))) = self.check.as_ref().map(Answer::try_take) {
            self.check = None;
            self.apply_check(&keys, histories);
        }
        let waiting: usize = self.reading.slots.iter().flatten().map(Slot::unchecked).sum();
        let is_near = !self.has_checked && self.is_cut_near();
        let is_due = is_near || self.world.now() - self.last_check >= CHECK_PERIOD || waiting >= CHECK_CALLS;
        if self.check.is_none() && waiting > 0 && is_due {
            self.has_checked |= is_near;
            self.start_check();
        }
    }

    fn is_cut_near(&self) -> bool {
        let link = &self.linker.config.link;
        let is_full = self.reading.batch.bytes >= link.flush_bytes / 4 * CHECK_QUARTERS as usize;
        let near = Duration::from_millis(link.flush_interval_ms) / 4 * CHECK_QUARTERS;
        is_full || (!self.in_flight && self.world.now() - self.last_cut >= near)
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
                Some(history) => slot.confirm_known(key, history),
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

    fn check_gaps(&mut self) -> Result<(), LinkError> {
        for (place, expected) in self.reading.gaps.drain() {
            let (first, _) = self.world.log().bounds(place)?;
            if first > expected {
                return Err(self.loader.gone(self.world.log(), place, expected, first).into());
            }
        }
        Ok(())
    }
}
