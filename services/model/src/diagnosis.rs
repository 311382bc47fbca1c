//! The diagnoses of a leg (contract section 4.4).

use serde::{Serialize, Serializer};

use crate::call::Call;
use crate::dims::Dimension;
use crate::flags::Flags;
use crate::latency::{Latencies, mark};
use crate::mark::Mark;
use crate::push::Step;
use crate::rules::{AUDIO_DEADLINE_MS, LATE_PUSH_MS, Rules};
use crate::verdict::Decision;
use crate::view::LegView;
use crate::words::{CallUi, Diagnosis, Platform, Purpose, Verdict};

/// A set of diagnoses, in alphabetical order of their codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diagnoses(u32);

impl Diagnoses {
    fn add(&mut self, diagnosis: Diagnosis, holds: bool) {
        self.0 |= u32::from(holds) << diagnosis as u32;
    }

    /// All of both sets.
    pub fn union(self, other: Diagnoses) -> Diagnoses {
        Diagnoses(self.0 | other.0)
    }

    /// Whether the set has a diagnosis.
    pub fn contains(self, diagnosis: Diagnosis) -> bool {
        self.0 >> diagnosis as u32 & 1 == 1
    }

    /// The diagnoses, in alphabetical order of their codes.
    pub fn iter(self) -> impl Iterator<Item = Diagnosis> {
        Diagnosis::ALL.iter().copied().filter(move |diagnosis| self.contains(*diagnosis))
    }
}

impl Serialize for Diagnoses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// What a leg shows at log time `now`; beside it the log time at which that may change by itself.
pub(crate) fn diagnose(
    leg: &LegView<'_>,
    call: &Call,
    decision: &Decision,
    latencies: &Latencies,
    rules: &Rules,
    now: i64,
) -> (Diagnoses, Option<i64>) {
    use Diagnosis::*;
    let mut d = Diagnoses::default();
    let has = |flags| leg.flags.any(flags);
    let verdict = decision.verdict;

    d.add(PushUnreported, verdict == Verdict::Unreported);
    d.add(ReportLate, verdict == Verdict::ReportedLate);
    d.add(ReportError, verdict == Verdict::ReportError);
    d.add(ReportEventMissing, decision.line == 11);
    d.add(AcceptedNotReceived, verdict == Verdict::NoReceipt && leg.incoming(Step::Accepted).is_some());
    d.add(FilteredDoNotDisturb, has(Flags::FILTERED_DO_NOT_DISTURB));
    d.add(FilteredBlockList, has(Flags::FILTERED_BLOCK_LIST));
    d.add(FilteredRestrictedSharing, has(Flags::FILTERED_RESTRICTED_SHARING));
    d.add(FilteredSensitiveParticipants, has(Flags::FILTERED_SENSITIVE_PARTICIPANTS));
    d.add(BadDeviceToken, has(Flags::BAD_DEVICE_TOKEN));
    d.add(DeadToken, has(Flags::DEAD_TOKEN));
    d.add(CredentialError, has(Flags::CREDENTIAL_ERROR));
    d.add(TopicError, has(Flags::TOPIC_ERROR));
    d.add(Throttled, has(Flags::THROTTLED));
    d.add(ForegroundServiceBlocked, has(Flags::FOREGROUND_SERVICE_BLOCKED));
    d.add(ActionTimedOut, has(Flags::ACTION_TIMED_OUT));
    d.add(UuidMismatch, has(Flags::UUID_MISMATCH));
    d.add(PriorityLowered, has(Flags::PRIORITY_LOWERED) && leg.dims.platform() == Some(Platform::Android));
    d.add(LimitExceeded, call.limit_exceeded);
    d.add(LatePush, latencies.sent_to_received_ms.is_some_and(|ms| ms > LATE_PUSH_MS));
    d.add(VoipPushMisused, is_voip_misused(leg));
    d.add(DuplicatePush, leg.incoming_ids(Step::Received) > 1);
    d.add(ExpiredPush, is_expired(leg));
    d.add(OrphanReport, is_orphan(leg, call));
    d.add(GhostCall, is_ghost(leg, call));
    d.add(AnsweredAfterCancel, is_after(mark(&leg.leg.answered), mark(&call.cancelled)));
    d.add(CallkitForbiddenStorefront, is_callkit_in_china(leg));
    d.add(CallkitUnavailable, leg.has_voip_push() && leg.counts_as_ios() && (1..10).contains(&leg.os_major()));

    let silent_at = audio_overdue_at(leg, rules);
    d.add(AnsweredWithoutAudio, silent_at.is_some_and(|at| now >= at));
    (d, silent_at.filter(|at| now < *at))
}

/// An `apns_voip` push, sent or received, that was not for an incoming call (Apple, PushKit, `PKPushType.voIP`).
fn is_voip_misused(leg: &LegView<'_>) -> bool {
    leg.voip_of_any_purpose().any(|push| {
        matches!(push.fact.class.step, Step::Sent | Step::Received) && push.purpose != Purpose::IncomingCall
    })
}

fn is_expired(leg: &LegView<'_>) -> bool {
    let Some(received) = leg.incoming(Step::Received) else { return false };
    let expires_at = leg.sent_of(received).and_then(|sent| sent.first.detail.expires_at);
    expires_at.is_some_and(|at| at != 0 && received.fact.first.mark.corrected() > at)
}

fn is_orphan(leg: &LegView<'_>, call: &Call) -> bool {
    let reported = leg.leg.report_marks().next().is_some() || leg.leg.has_sign_of_call();
    reported && !leg.leg.is_caller() && !leg.leg.has_push_event() && call.initiated.is_none()
}

/// The push arrived when the call was over.
fn is_ghost(leg: &LegView<'_>, call: &Call) -> bool {
    let received = leg.incoming(Step::Received).map(|push| &push.fact.first.mark);
    is_after(received, mark(&call.cancelled)) || is_after(received, mark(&call.ended))
}

fn is_after(what: Option<&Mark>, than: Option<&Mark>) -> bool {
    what.zip(than).is_some_and(|(what, than)| what.corrected() > than.corrected())
}

/// CallKit must not be active in apps of the App Store of mainland China.
fn is_callkit_in_china(leg: &LegView<'_>) -> bool {
    matches!(leg.dims.text(Dimension::Country), Some("CN" | "CHN")) && call_ui(leg) == Some(CallUi::Callkit)
}

/// The interface of the leg's report; CallKit where an iOS device doesn't say.
pub(crate) fn call_ui(leg: &LegView<'_>) -> Option<CallUi> {
    let reported = leg.leg.reported.as_ref()?;
    reported.detail.or(leg.counts_as_ios().then_some(CallUi::Callkit))
}

/// From when on an answered call on iOS counts as without audio; `None` where audio came in time.
fn audio_overdue_at(leg: &LegView<'_>, rules: &Rules) -> Option<i64> {
    let answered = leg.leg.answered.as_ref().filter(|_| leg.counts_as_ios())?;
    let latest_audio = answered.mark.first.at.saturating_add(AUDIO_DEADLINE_MS);
    if leg.leg.audio.as_ref().is_some_and(|audio| audio.mark.first.at <= latest_audio) {
        return None;
    }
    Some(answered.log_at.saturating_add(AUDIO_DEADLINE_MS).saturating_add(rules.telemetry_grace_ms))
}
