//! What became of a leg and of a call (contract section 4.2).

use std::collections::BTreeMap;

use crate::call::Call;
use crate::leg::Ended;
use crate::mark::First;
use crate::push::Step;
use crate::rules::Rules;
use crate::view::LegView;
use crate::words::{EndReason, Outcome, Platform, Verdict};

/// What the callee legs and the call's own events say together.
pub(crate) struct Context<'a> {
    pub(crate) call: &'a Call,
    /// A callee leg answered, by its own events.
    pub(crate) leg_answered: bool,
    /// A callee leg declined, by its own events.
    pub(crate) leg_declined: bool,
    /// The earliest `call.ended`: the server's, else a callee leg's.
    pub(crate) ended: Option<&'a First<Ended>>,
}

impl<'a> Context<'a> {
    /// Looks at the callee legs, with their outcomes by their own events.
    pub(crate) fn new<'v>(call: &'a Call, callees: impl Iterator<Item = (&'v LegView<'a>, Option<Outcome>)>) -> Self
    where
        'a: 'v,
    {
        let (mut leg_answered, mut leg_declined) = (false, false);
        let mut leg_ended: Option<&First<Ended>> = None;
        for (leg, own) in callees {
            leg_answered |= own == Some(Outcome::Answered);
            leg_declined |= own == Some(Outcome::Declined);
            let both = leg_ended.into_iter().chain(leg.leg.ended.as_deref());
            leg_ended = both.min_by(|a, b| a.mark.first.cmp(&b.mark.first));
        }
        Context { call, leg_answered, leg_declined, ended: call.ended.as_deref().or(leg_ended) }
    }

    pub(crate) fn end_reason(&self) -> Option<EndReason> {
        self.ended.and_then(|ended| ended.detail.reason)
    }

    fn rang_out(&self) -> bool {
        matches!(self.end_reason(), Some(EndReason::Unanswered | EndReason::Timeout))
    }
}

/// The outcome of a callee's leg by its own events; `None` where they don't say.
pub(crate) fn own_outcome(leg: &LegView<'_>) -> Option<Outcome> {
    if leg.leg.answered.is_some() {
        return Some(Outcome::Answered);
    }
    if leg.leg.declined.is_some() {
        return Some(Outcome::Declined);
    }
    let ended = leg.leg.ended.as_ref()?.detail;
    match ended.reason {
        Some(EndReason::Failed) => Some(Outcome::Failed),
        Some(EndReason::RemoteEnded) => Some(Outcome::Cancelled),
        Some(EndReason::Unanswered) => Some(Outcome::Unanswered),
        Some(EndReason::AnsweredElsewhere) => Some(Outcome::AnsweredElsewhere),
        Some(EndReason::DeclinedElsewhere) => Some(Outcome::DeclinedElsewhere),
        Some(EndReason::Local | EndReason::Timeout) => None,
        None if leg.dims.platform() == Some(Platform::Android) => ended.cause.and_then(telecom_outcome),
        None => None,
    }
}

/// The outcome of an `android.telecom.DisconnectCause` (Android, `DisconnectCause`).
fn telecom_outcome(cause: u8) -> Option<Outcome> {
    match cause {
        2 | 6 => Some(Outcome::Declined),
        3 | 4 => Some(Outcome::Cancelled),
        5 => Some(Outcome::Unanswered),
        7 => Some(Outcome::Busy),
        11 => Some(Outcome::AnsweredElsewhere),
        _ => None,
    }
}

/// The outcome of a callee's leg at log time `now`.
pub(crate) fn leg_outcome(
    leg: &LegView<'_>,
    own: Option<Outcome>,
    verdict: Verdict,
    context: &Context<'_>,
    rules: &Rules,
    now: i64,
) -> Outcome {
    if let Some(own) = own {
        own
    } else if context.leg_answered {
        Outcome::AnsweredElsewhere
    } else if context.leg_declined {
        Outcome::DeclinedElsewhere
    } else if context.call.busy.is_some() {
        Outcome::Busy
    } else if context.call.cancelled.is_some() {
        Outcome::Cancelled
    } else if verdict == Verdict::Filtered {
        Outcome::Filtered
    } else if context.rang_out() {
        Outcome::Unanswered
    } else if is_unreachable(leg, verdict) {
        Outcome::Unreachable
    } else if may_ring(leg.dims.latest(), rules, now) {
        Outcome::InProgress
    } else {
        Outcome::Unknown
    }
}

/// Whether the last of some events is recent enough for more to come.
fn may_ring(latest: Option<i64>, rules: &Rules, now: i64) -> bool {
    latest.is_some_and(|latest| now <= latest.saturating_add(rules.ring_timeout_ms))
}

fn is_unreachable(leg: &LegView<'_>, verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Rejected | Verdict::NoReceipt | Verdict::Unreported)
        || (!leg.has_voip_push() && leg.incoming(Step::Received).is_none() && every_push_refused(leg))
}

/// Whether there is a push, and each was rejected or failed. A push is its `push_id`; an answer without one is the
/// earliest `push.sent`'s.
fn every_push_refused(leg: &LegView<'_>) -> bool {
    let earliest_sent = leg.incoming(Step::Sent).and_then(|push| push.name);
    let mut refused: BTreeMap<Option<&str>, bool> = BTreeMap::new();
    for push in leg.all_incoming() {
        let is_refusal = matches!(push.fact.class.step, Step::Rejected | Step::Failed);
        *refused.entry(push.name.or(earliest_sent)).or_default() |= is_refusal;
    }
    !refused.is_empty() && refused.values().all(|refused| *refused)
}

/// The outcome of a call at log time `now`, given its callee legs' outcomes, full and by their own events.
pub(crate) fn call_outcome(
    legs: &[(Outcome, Option<Outcome>)],
    context: &Context<'_>,
    latest: Option<i64>,
    rules: &Rules,
    now: i64,
) -> Outcome {
    let a_leg = |outcome| legs.iter().any(|(full, _)| *full == outcome);
    let a_leg_by_itself = |outcome| legs.iter().any(|(_, own)| *own == Some(outcome));
    let call = context.call;
    if a_leg(Outcome::Answered) || a_leg_by_itself(Outcome::AnsweredElsewhere) || call.connected.is_some() {
        Outcome::Answered
    } else if a_leg(Outcome::Declined) || a_leg_by_itself(Outcome::DeclinedElsewhere) {
        Outcome::Declined
    } else if a_leg(Outcome::Busy) || call.busy.is_some() {
        Outcome::Busy
    } else if a_leg(Outcome::Cancelled) || call.cancelled.is_some() {
        Outcome::Cancelled
    } else if a_leg(Outcome::Filtered) {
        Outcome::Filtered
    } else if a_leg(Outcome::Failed) || context.end_reason() == Some(EndReason::Failed) {
        Outcome::Failed
    } else if a_leg(Outcome::Unanswered) || context.rang_out() {
        Outcome::Unanswered
    } else if !legs.is_empty() && legs.iter().all(|(full, _)| *full == Outcome::Unreachable) {
        Outcome::Unreachable
    } else if a_leg(Outcome::InProgress) || (legs.is_empty() && may_ring(latest, rules, now)) {
        Outcome::InProgress
    } else {
        Outcome::Unknown
    }
}
