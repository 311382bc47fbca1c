//! A call on one device, in the making.

use crate::fleet::{Device, Platform};
use crate::incidents::Touched;
use crate::truth::{Facts, LegTruth};

/// Something that a device says, until it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) at: i64,
    pub(super) kind: &'static str,
    /// Numbers the call's events.
    pub(super) serial: u32,
    /// Where its own fields lie in the buffer.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether it names the UUID that the app made up.
    pub(super) under_own_uuid: bool,
}

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Leg {
    pub(super) device: usize,
    pub(super) version: usize,
    pub(super) network: &'static str,
    pub(super) clock_bug_ms: i64,
    pub(super) said: Vec<Said>,
    pub(super) truth: Box<LegTruth>,
    pub(super) facts: Facts,
    pub(super) touched: Touched,
    /// Log time of the last thing that servers say of the leg; `None` once something is lost.
    pub(super) complete_at: Option<i64>,
    /// When it began to ring.
    pub(super) rang_at: Option<i64>,
    /// Pushes for the call that were sent, and how many of them were refused.
    pub(super) pushes: (u32, u32),
    /// What the device's own events make of it.
    pub(super) own_outcome: Option<&'static str>,
    /// Its first end as the device writes it: its own clock, the event's number, and the word, where the platform has one.
    pub(super) written_end: Option<(i64, u32, Option<&'static str>)>,
}

impl Leg {
    /// The app got a push for the call.
    pub(super) fn note_received(&mut self, at: i64) {
        first(&mut self.truth.received_at, at);
    }

    /// The same of a VoIP push, and whether the app had to report.
    pub(super) fn note_voip_received(&mut self, at: i64, must_report: bool) {
        self.note_received(at);
        if self.facts.received.is_none_or(|(held, _)| at < held) {
            self.facts.received = Some((at, must_report));
        }
    }

    /// The system has the call.
    pub(super) fn note_reported(&mut self, at: i64) {
        first(&mut self.truth.reported_at, at);
        first(&mut self.facts.attempted_at, at);
        self.facts.posted = true;
        self.ring(at);
    }

    /// The call ended at `at`, on a clock that shows `shown_at`, in event number `serial`.
    pub(super) fn note_end(&mut self, at: i64, (shown_at, serial): (i64, u32), word: Option<&'static str>) {
        first(&mut self.truth.ended_at, at);
        if self.written_end.is_none_or(|(held, _, _)| shown_at < held) {
            self.written_end = Some((shown_at, serial, word));
        }
    }

    pub(super) fn ring(&mut self, at: i64) {
        self.truth.rang = true;
        first(&mut self.rang_at, at);
    }

    /// Whether the call is on the device's screen.
    pub(super) fn is_ringing(&self, at: i64) -> bool {
        self.rang_at.is_some_and(|rang| rang <= at) && self.truth.ended_at.is_none_or(|ended| at < ended)
    }

    /// Whether no device ever got any of the pushes, since all were refused.
    pub(super) fn is_refused(&self) -> bool {
        self.truth.received_at.is_none() && self.pushes.0 > 0 && self.pushes.0 == self.pushes.1
    }
}

/// Keeps the earlier of two times.
pub(super) fn first(held: &mut Option<i64>, at: i64) {
    *held = Some(held.map_or(at, |held| held.min(at)));
}

impl Device {
    /// Whether it has a mobile network.
    pub(super) fn platform_has_carrier(&self) -> bool {
        matches!(self.platform, Platform::Ios | Platform::Android)
    }
}
