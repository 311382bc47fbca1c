//! The fold state of a leg: a call on one device.

use serde::{Deserialize, Serialize};

use crate::bounded::Smallest;
use crate::dims::{Dims, Merged};
use crate::event::Event;
use crate::flags::Flags;
use crate::kind::{Kind, Known};
use crate::mark::{First, Happened, Mark};
use crate::push::{Fact, Group, Step, step_of};
use crate::words::{CallUi, EndReason};

/// How many `push_id`s of a leg take part, the bytewise smallest (contract section 4).
pub const MAX_PUSHES_PER_LEG: usize = 256;

/// What a `call.ended` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) reason: Option<EndReason>,
    pub(crate) cause: Option<u8>,
}

impl Ended {
    pub(crate) fn of(event: &Event<'_>) -> Self {
        Ended { reason: event.detail.end_reason, cause: event.detail.disconnect_cause }
    }
}

/// The fold state of a leg.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Leg {
    dims: Dims,
    flags: Flags,
    pub(crate) reported: Happened<Option<CallUi>>,
    pub(crate) report_failed: Happened<()>,
    pub(crate) answered: Happened<()>,
    pub(crate) declined: Happened<()>,
    pub(crate) audio: Happened<()>,
    pub(crate) ended: Happened<Ended>,
    pushes: Smallest<Group>,
    /// Push events without `push_id`, except `push.sent`.
    nameless: Option<Box<Group>>,
}

/// What taking an event in did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) changed: bool,
    /// A limit of contract section 4 was met.
    pub(crate) exceeded: bool,
}

impl Leg {
    pub(crate) fn apply(&mut self, event: &Event<'_>, log_at: i64) -> Applied {
        match step_of(event) {
            Some(step) => self.apply_push(step, event, log_at),
            None => Applied { changed: self.apply_call(event, log_at), exceeded: false },
        }
    }

    fn apply_push(&mut self, step: Step, event: &Event<'_>, log_at: i64) -> Applied {
        let name = match (&event.detail.push_id, step) {
            (Some(push_id), _) => push_id,
            (None, Step::Sent) => &event.event_id,
            (None, _) => {
                let changed = self.nameless.get_or_insert_default().apply(step, event, log_at);
                return Applied { changed, exceeded: false };
            }
        };
        let admitted = self.pushes.admit(name, MAX_PUSHES_PER_LEG);
        let changed = admitted.entry.is_some_and(|group| group.apply(step, event, log_at));
        Applied { changed: changed || admitted.evicted, exceeded: admitted.exceeded }
    }

    fn apply_call(&mut self, event: &Event<'_>, log_at: i64) -> bool {
        let Kind::Known(known) = event.kind else { return false };
        let plain = |slot: &mut Happened<()>| First::offer_to(slot, event, log_at, || ());
        let mut changed = self.dims.offer(event);
        changed |= self.flags.set(event_flags(known, event));
        changed |= match known {
            Known::CallReported => First::offer_to(&mut self.reported, event, log_at, || event.detail.call_ui),
            Known::CallReportFailed => plain(&mut self.report_failed),
            Known::CallAnswered => plain(&mut self.answered),
            Known::CallDeclined => plain(&mut self.declined),
            Known::CallAudioActivated => plain(&mut self.audio),
            Known::CallEnded => First::offer_to(&mut self.ended, event, log_at, || Ended::of(event)),
            _ => false,
        };
        changed
    }

    /// Every group of push events: under its name, or `None` for those without.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (Option<&str>, &Group)> {
        let named = self.pushes.iter().map(|(name, group)| (Some(name), group));
        named.chain(self.nameless.iter().map(|group| (None, &**group)))
    }

    /// The earliest `push.sent` with this very `push_id`.
    pub(crate) fn sent_as(&self, push_id: &str) -> Option<&Fact> {
        earliest_sent(self.pushes.get(push_id)?.facts.iter().filter(|fact| !fact.class.unnamed))
    }

    /// The earliest `push.sent` of the leg, of any purpose.
    pub(crate) fn earliest_sent(&self) -> Option<&Fact> {
        earliest_sent(self.pushes.values().flat_map(|group| &group.facts))
    }

    pub(crate) fn dims(&self) -> Merged<'_> {
        Merged::of(std::iter::once(&self.dims).chain(self.groups().map(|(_, group)| &group.dims)))
    }

    pub(crate) fn flags(&self) -> Flags {
        self.groups().fold(self.flags, |flags, (_, group)| flags.with(group.flags))
    }

    pub(crate) fn is_caller(&self) -> bool {
        self.flags.any(Flags::CALLER)
    }

    /// Whether the leg has a `push.*` event of any kind.
    pub(crate) fn has_push_event(&self) -> bool {
        self.nameless.is_some() || !self.pushes.is_empty() || self.flags.any(Flags::SUPPRESSED)
    }

    /// Whether CallKit knew the call by an answer, a decline, audio, a timed-out action or an end (contract section 4.1).
    pub(crate) fn has_sign_of_call(&self) -> bool {
        self.answered.is_some()
            || self.declined.is_some()
            || self.audio.is_some()
            || self.ended.is_some()
            || self.flags.any(Flags::ACTION_TIMED_OUT)
    }

    /// Marks of the first `call.reported` and of the first `call.report_failed`.
    pub(crate) fn report_marks(&self) -> impl Iterator<Item = &Mark> {
        self.reported.iter().map(|first| &first.mark).chain(self.report_failed.iter().map(|first| &first.mark))
    }
}

fn earliest_sent<'a>(facts: impl Iterator<Item = &'a Fact>) -> Option<&'a Fact> {
    let sent = facts.filter(|fact| fact.class.step == Step::Sent);
    sent.min_by(|a, b| a.first.mark.first.cmp(&b.first.mark.first))
}

/// What a call event of the leg says that only matters by having happened.
fn event_flags(known: Known, event: &Event<'_>) -> Flags {
    let d = &event.detail;
    match known {
        Known::PushSuppressed => Flags::SUPPRESSED,
        Known::CallOutgoingStarted | Known::CallOutgoingConnecting | Known::CallOutgoingConnected => Flags::CALLER,
        Known::CallActionTimedOut => Flags::ACTION_TIMED_OUT,
        Known::CallReported if d.reported_uuid.is_some_and(|uuid| Some(uuid) != event.call_uuid) => {
            Flags::UUID_MISMATCH
        }
        Known::CallReportFailed => {
            d.error.as_ref().map_or(Flags::default(), |(domain, code)| failure_flags(domain, *code))
        }
        Known::AppTerminated if d.killed_for_silence && d.inferred => Flags::KILLED_INFERRED,
        Known::AppTerminated if d.killed_for_silence => Flags::KILLED,
        _ => Flags::default(),
    }
}

/// The codes of `CXErrorCodeIncomingCallError` (Apple, CallKit), and Android's refused foreground service.
fn failure_flags(domain: &str, code: i64) -> Flags {
    match (domain, code) {
        ("incoming_call", 2) => Flags::ALREADY_EXISTS,
        ("incoming_call", 3) => Flags::FILTERED_DO_NOT_DISTURB,
        ("incoming_call", 4) => Flags::FILTERED_BLOCK_LIST,
        ("incoming_call", 5) => Flags::FILTERED_RESTRICTED_SHARING,
        ("incoming_call", 7) => Flags::FILTERED_SENSITIVE_PARTICIPANTS,
        ("foreground_service", _) => Flags::FOREGROUND_SERVICE_BLOCKED,
        _ => Flags::default(),
    }
}
