//! The report verdict of a leg: the table of contract section 4.1, line by line.

use crate::flags::Flags;
use crate::push::Step;
use crate::rules::Rules;
use crate::view::LegView;
use crate::words::{AppState, Evidence, Verdict};

/// A verdict, and the line of the table that decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// 1 to 14, as in contract section 4.1.
    pub line: u8,
    /// What the line says.
    pub verdict: Verdict,
    /// How sure an `unreported` verdict is; `None` for every other.
    pub evidence: Option<Evidence>,
    /// The log time from which another line holds, should no event arrive: milliseconds since the Unix epoch.
    pub until: Option<i64>,
}

/// Finds the first line of the table that holds at log time `now`.
pub(crate) fn decide(leg: &LegView<'_>, rules: &Rules, now: i64) -> Decision {
    let killed = leg.flags.any(Flags::KILLED);
    let killed_inferred = leg.flags.any(Flags::KILLED_INFERRED);
    if leg.voip_of_any_purpose().next().is_some() && (killed || killed_inferred) {
        return unreported(1, if killed { Evidence::Confirmed } else { Evidence::Probable });
    }
    if !leg.has_voip_push() {
        return plain(2, Verdict::NotApplicable);
    }

    let received = leg.voip(Step::Received);
    let handler_reported = leg.voip(Step::HandlerReported);
    let handler_silent = leg.voip(Step::HandlerSilent);
    let failed = leg.leg.report_failed.is_some();
    let posted = leg.leg.reported.is_some() || leg.flags.any(Flags::ALREADY_EXISTS) || handler_reported.is_some();
    let attempted = posted || failed;
    let sign_of_call = leg.leg.has_sign_of_call();

    if received.is_none() && handler_silent.is_none() && !attempted && !sign_of_call {
        if is_refused(leg) {
            return plain(3, Verdict::Rejected);
        }
        let timeout_at = last_push_at(leg).saturating_add(rules.receipt_timeout_ms);
        if now < timeout_at {
            return pending(4, timeout_at);
        }
        return plain(5, Verdict::NoReceipt);
    }
    if is_report_exempt(leg) {
        return plain(6, Verdict::Exempt);
    }
    if posted {
        let attempt = leg.first_attempt(handler_reported.map(|push| &push.fact.first.mark));
        let latency_ms = received.zip(attempt).map(|(push, mark)| push.fact.first.mark.device_ms_until(mark));
        return match latency_ms {
            Some(ms) if ms > rules.report_deadline_ms => plain(8, Verdict::ReportedLate),
            _ => plain(7, Verdict::Reported),
        };
    }
    if failed && leg.flags.any(Flags::FILTERED) {
        return plain(9, Verdict::Filtered);
    }
    if failed {
        return plain(10, Verdict::ReportError);
    }
    if sign_of_call {
        return plain(11, Verdict::Reported);
    }
    if handler_silent.is_some() {
        return unreported(12, Evidence::Confirmed);
    }
    let silent_at = received.map_or(i64::MIN, |_| received_log_at(leg)).saturating_add(rules.report_deadline_ms);
    let silent_at = silent_at.saturating_add(rules.telemetry_grace_ms);
    if now >= silent_at {
        return unreported(13, Evidence::Probable);
    }
    pending(14, silent_at)
}

/// At least one attempt rejected or failed, and none accepted.
fn is_refused(leg: &LegView<'_>) -> bool {
    let refused = leg.voip(Step::Rejected).is_some() || leg.voip(Step::Failed).is_some();
    refused && leg.voip(Step::Accepted).is_none()
}

/// Latest corrected time of a `push.sent` or `push.accepted`.
fn last_push_at(leg: &LegView<'_>) -> i64 {
    let pushes = leg.all_voip().filter(|push| matches!(push.fact.class.step, Step::Sent | Step::Accepted));
    pushes.map(|push| push.fact.latest).max().unwrap_or(i64::MIN)
}

/// Smallest log time of a `push.received`.
fn received_log_at(leg: &LegView<'_>) -> i64 {
    let received = leg.all_voip().filter(|push| push.fact.class.step == Step::Received);
    received.map(|push| push.fact.first.log_at).min().unwrap_or(i64::MIN)
}

/// Whether iOS did not ask for a report: another platform, iOS before 13, or what the push itself says
/// (Apple, PushKit, `PKVoIPPushMetadata.mustReport`; before iOS 26.4 foreground and an active call exempt).
fn is_report_exempt(leg: &LegView<'_>) -> bool {
    if !leg.counts_as_ios() || (1..13).contains(&leg.os_major()) {
        return true;
    }
    let Some(push) = leg.voip(Step::Received) else { return false };
    let said = &push.fact.first.detail;
    match said.must_report {
        Some(must_report) => !must_report,
        None => said.app_state == Some(AppState::Foreground) || said.on_call,
    }
}

fn plain(line: u8, verdict: Verdict) -> Decision {
    Decision { line, verdict, evidence: None, until: None }
}

fn pending(line: u8, until: i64) -> Decision {
    Decision { until: Some(until), ..plain(line, Verdict::Pending) }
}

fn unreported(line: u8, evidence: Evidence) -> Decision {
    Decision { evidence: Some(evidence), ..plain(line, Verdict::Unreported) }
}
