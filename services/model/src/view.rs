//! A leg with the missing purposes and channels of its pushes filled in (contract section 3).

use crate::dims::{Dimension, Merged};
use crate::flags::Flags;
use crate::leg::Leg;
use crate::mark::Mark;
use crate::push::{Fact, Step};
use crate::words::{Channel, Platform, Purpose};

/// A push event with its purpose and channel known.
#[derive(Clone, Copy)]
pub(crate) struct Push<'a> {
    /// Its `push_id`, or the `event_id` of a `push.sent` without one.
    pub(crate) name: Option<&'a str>,
    pub(crate) fact: &'a Fact,
    pub(crate) channel: Option<Channel>,
    pub(crate) purpose: Purpose,
}

impl Push<'_> {
    fn is_voip(&self) -> bool {
        self.channel == Some(Channel::ApnsVoip)
    }
}

/// A leg, ready to be judged.
pub(crate) struct LegView<'a> {
    pub(crate) device_id: &'a str,
    pub(crate) leg: &'a Leg,
    pub(crate) dims: Merged<'a>,
    pub(crate) flags: Flags,
    /// By their names.
    pub(crate) pushes: Vec<Push<'a>>,
}

impl<'a> LegView<'a> {
    pub(crate) fn new(device_id: &'a str, leg: &'a Leg) -> Self {
        let dims = leg.dims();
        let fallback = match dims.platform() {
            Some(Platform::Ios) => Some(Channel::ApnsVoip),
            Some(Platform::Android) => Some(Channel::Fcm),
            _ => None,
        };
        let earliest = leg.earliest_sent();
        let mut pushes = Vec::with_capacity(8);
        for (name, group) in leg.groups() {
            let sent = name.and_then(|name| leg.sent_as(name)).or(earliest);
            pushes.extend(group.facts.iter().map(|fact| fill_in(name, fact, sent, fallback)));
        }
        LegView { device_id, leg, flags: leg.flags(), dims, pushes }
    }

    /// The leg's platform; an unknown one counts as iOS where there is a voip push.
    pub(crate) fn counts_as_ios(&self) -> bool {
        match self.dims.platform() {
            Some(platform) => platform == Platform::Ios,
            None => self.has_voip_push(),
        }
    }

    /// The leading digits of `os_version`; 0 where unknown.
    pub(crate) fn os_major(&self) -> u16 {
        let version = self.dims.text(Dimension::OsVersion).unwrap_or_default();
        let digits = version.bytes().take_while(u8::is_ascii_digit);
        digits.fold(0u16, |major, digit| major.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
    }

    /// The earliest incoming-call push event of a step, on any channel.
    pub(crate) fn incoming(&self, step: Step) -> Option<&Push<'a>> {
        earliest(self.all_incoming().filter(|push| push.fact.class.step == step))
    }

    /// Incoming-call push events, on any channel.
    pub(crate) fn all_incoming(&self) -> impl Iterator<Item = &Push<'a>> {
        self.pushes.iter().filter(|push| push.purpose == Purpose::IncomingCall)
    }

    /// How many distinct `push_id`s the incoming-call push events of a step have.
    pub(crate) fn incoming_ids(&self, step: Step) -> usize {
        let names = self.all_incoming().filter(|push| push.fact.class.step == step).filter_map(|push| push.name);
        // Those of one name stand together.
        let (count, _) =
            names.fold((0, None), |(count, last), name| (count + usize::from(last != Some(name)), Some(name)));
        count
    }

    /// How many incoming-call pushes were accepted: by `push_id`, those without one count once.
    pub(crate) fn accepted_pushes(&self) -> usize {
        let is_nameless = |push: &Push<'_>| push.fact.class.step == Step::Accepted && push.name.is_none();
        self.incoming_ids(Step::Accepted) + usize::from(self.all_incoming().any(is_nameless))
    }

    /// The earliest incoming-call push event of a step on `apns_voip`.
    pub(crate) fn voip(&self, step: Step) -> Option<&Push<'a>> {
        earliest(self.all_voip().filter(|push| push.fact.class.step == step))
    }

    /// Incoming-call push events on `apns_voip`.
    pub(crate) fn all_voip(&self) -> impl Iterator<Item = &Push<'a>> {
        self.all_incoming().filter(|push| push.is_voip())
    }

    /// Whether the leg has a *voip push*: on `apns_voip`, for an incoming call.
    pub(crate) fn has_voip_push(&self) -> bool {
        self.all_voip().next().is_some()
    }

    /// Push events on `apns_voip`, for any purpose.
    pub(crate) fn voip_of_any_purpose(&self) -> impl Iterator<Item = &Push<'a>> {
        self.pushes.iter().filter(|push| push.is_voip())
    }

    /// The `push.sent` that a push event belongs to.
    pub(crate) fn sent_of(&self, push: &Push<'_>) -> Option<&'a Fact> {
        let name = push.name.filter(|_| !push.fact.class.unnamed);
        name.and_then(|name| self.leg.sent_as(name)).or_else(|| self.leg.earliest_sent())
    }

    /// First report attempt: `call.reported`, `call.report_failed`, or a PushKit handler that returned after a report.
    pub(crate) fn first_attempt(&self, handler: Option<&'a Mark>) -> Option<&'a Mark> {
        self.leg.report_marks().chain(handler).min_by(|a, b| a.first.cmp(&b.first))
    }
}

fn fill_in<'a>(name: Option<&'a str>, fact: &'a Fact, sent: Option<&'a Fact>, fallback: Option<Channel>) -> Push<'a> {
    let is_sent = fact.class.step == Step::Sent;
    let source = sent.filter(|_| !is_sent).map(|sent| sent.class);
    let purpose = fact.class.purpose.or(source.and_then(|class| class.purpose)).unwrap_or(Purpose::IncomingCall);
    let channel = fact.class.channel.or(source.and_then(|class| class.channel)).or(fallback);
    Push { name, fact, channel, purpose }
}

fn earliest<'v, 'a: 'v>(pushes: impl Iterator<Item = &'v Push<'a>>) -> Option<&'v Push<'a>> {
    pushes.min_by(|a, b| a.fact.first.mark.first.cmp(&b.fact.first.mark.first))
}
