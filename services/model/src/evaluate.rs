//! From the fold state of a call, the rules and a log time to its rows.

use crate::call::{Call, CallKey};
use crate::diagnosis::{Diagnoses, call_ui, diagnose};
use crate::dims::{Dimension, Merged};
use crate::latency::{mark, measure};
use crate::mark::Happened;
use crate::outcome::{Context, call_outcome, leg_outcome, own_outcome};
use crate::push::Step;
use crate::rows::{CallRow, LegRow};
use crate::rules::Rules;
use crate::verdict::{Decision, decide};
use crate::view::LegView;
use crate::words::{Environment, Outcome, Role, Verdict};

/// What a call looks like at some log time.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation<'a> {
    /// The row of `calls`.
    pub call: CallRow<'a>,
    /// The rows of `legs`, in order of `device_id`.
    pub legs: Vec<LegRow<'a>>,
    /// The log time from which on something differs, should no event arrive: milliseconds since the Unix epoch.
    /// `None` when the call is settled.
    pub next_change_at: Option<i64>,
    /// How many cross-clock latencies came out negative, and are null for it.
    pub negative_latencies: u32,
}

/// A leg on its way to a row.
struct Judged<'a> {
    view: LegView<'a>,
    is_caller: bool,
    decision: Decision,
    own: Option<Outcome>,
}

impl Call {
    /// Judges the call at log time `now`, in milliseconds since the Unix epoch (`i64::MAX`: nothing is pending or in
    /// progress). `None` for a call into which nothing was folded.
    pub fn evaluate<'a>(&'a self, key: &'a CallKey, rules: &Rules, now: i64) -> Option<Evaluation<'a>> {
        let judged: Vec<Judged<'a>> = self.legs.iter().map(|(device, leg)| judge(device, leg, rules, now)).collect();
        let dims = judged.iter().fold(self.dims(), |dims, leg| dims.and(&leg.view.dims));
        let started_at = dims.started_at()?;
        let callees = || judged.iter().filter(|leg| !leg.is_caller);
        let context = Context::new(self, callees().map(|leg| (&leg.view, leg.own)));

        let full = |leg: &Judged<'a>| leg_outcome(&leg.view, leg.own, leg.decision.verdict, &context, rules, now);
        let outcomes: Vec<_> = callees().map(|leg| (full(leg), leg.own)).collect();
        let outcome = call_outcome(&outcomes, &context, dims.latest(), rules, now);

        let mut clock = Clock { now, next: None };
        if outcomes.is_empty() && outcome == Outcome::InProgress {
            clock.after_ring(&dims, rules);
        }
        let mut negative_latencies = 0;
        let mut legs = Vec::with_capacity(judged.len());
        let mut of_callees = outcomes.iter().map(|(full, _)| *full);
        for leg in &judged {
            let leg_outcome = if leg.is_caller { outcome } else { of_callees.next().unwrap_or(outcome) };
            if !leg.is_caller && leg_outcome == Outcome::InProgress {
                clock.after_ring(&leg.view.dims, rules);
            }
            let row = leg_row(leg, self, key, leg_outcome, rules, &mut clock, &mut negative_latencies);
            legs.push(row);
        }
        let call = self.call_row(key, &dims, started_at, outcome, &context, &legs);
        Some(Evaluation { call, legs, next_change_at: clock.next, negative_latencies })
    }

    fn call_row<'a>(
        &'a self,
        key: &'a CallKey,
        dims: &Merged<'a>,
        started_at: i64,
        outcome: Outcome,
        context: &Context<'_>,
        legs: &[LegRow<'a>],
    ) -> CallRow<'a> {
        let callees = || legs.iter().filter(|leg| leg.role == Role::Callee);
        CallRow {
            tenant_id: &key.tenant_id,
            app_id: dims.text(Dimension::AppId).unwrap_or_default(),
            call_uuid: key.call_uuid,
            started_at,
            initiated_at: corrected(&self.initiated),
            answered_at: callees().filter_map(|leg| leg.answered_at).min(),
            connected_at: corrected(&self.connected),
            cancelled_at: corrected(&self.cancelled),
            ended_at: context.ended.map(|ended| ended.mark.corrected()),
            outcome,
            end_reason: context.end_reason(),
            legs: callees().count() as u32,
            legs_violating: callees().filter(|leg| leg.verdict == Verdict::Unreported).count() as u32,
            diagnoses: callees().fold(Diagnoses::default(), |all, leg| all.union(leg.diagnoses)),
        }
    }
}

/// The log time, and the next one at which something changes by itself.
struct Clock {
    now: i64,
    next: Option<i64>,
}

impl Clock {
    fn at(&mut self, at: Option<i64>) {
        let at = at.filter(|at| *at > self.now);
        self.next = self.next.into_iter().chain(at).min();
    }

    fn after_ring(&mut self, dims: &Merged<'_>, rules: &Rules) {
        self.at(dims.latest().map(|latest| latest.saturating_add(rules.ring_timeout_ms).saturating_add(1)));
    }
}

fn judge<'a>(device_id: &'a str, leg: &'a crate::leg::Leg, rules: &Rules, now: i64) -> Judged<'a> {
    let view = LegView::new(device_id, leg);
    let decision = decide(&view, rules, now);
    let own = own_outcome(&view);
    Judged { view, is_caller: leg.is_caller(), decision, own }
}

fn leg_row<'a>(
    judged: &Judged<'a>,
    call: &'a Call,
    key: &'a CallKey,
    outcome: Outcome,
    rules: &Rules,
    clock: &mut Clock,
    negative_latencies: &mut u32,
) -> LegRow<'a> {
    let Judged { view, decision, .. } = judged;
    let leg = view.leg;
    let (latencies, negative) = measure(view, call);
    *negative_latencies += negative;
    let (diagnoses, audio_at) = diagnose(view, call, decision, &latencies, rules, clock.now);
    clock.at(decision.until);
    clock.at(audio_at);

    let sent = view.incoming(Step::Sent);
    let received = view.incoming(Step::Received);
    let refused = view.incoming(Step::Rejected).or_else(|| view.incoming(Step::Failed));
    let pushed_at = |step| view.incoming(step).map(|push| push.fact.first.mark.corrected());
    let text = |dimension| view.dims.text(dimension);
    LegRow {
        tenant_id: &key.tenant_id,
        app_id: text(Dimension::AppId).unwrap_or_default(),
        call_uuid: key.call_uuid,
        device_id: view.device_id,
        role: if judged.is_caller { Role::Caller } else { Role::Callee },
        platform: view.dims.platform(),
        os_version: text(Dimension::OsVersion),
        os_major: view.os_major(),
        app_version: text(Dimension::AppVersion),
        sdk_version: text(Dimension::SdkVersion),
        device_model: text(Dimension::DeviceModel),
        country: text(Dimension::Country),
        carrier: text(Dimension::Carrier),
        network: text(Dimension::Network),
        build_channel: text(Dimension::BuildChannel),
        channel: sent.or(received).and_then(|push| push.channel),
        environment: sent.map(|push| push.fact.first.detail.environment.unwrap_or(Environment::Production)),
        call_ui: call_ui(view),
        verdict: decision.verdict,
        evidence: decision.evidence,
        outcome,
        end_reason: leg.ended.as_ref().and_then(|ended| ended.detail.reason),
        diagnoses,
        push_attempts: view.incoming_ids(Step::Sent) as u32,
        pushes_accepted: view.accepted_pushes() as u32,
        push_reject_reason: refused.and_then(|push| push.fact.first.detail.reason.as_deref()),
        app_state: received.and_then(|push| push.fact.first.detail.app_state),
        sent_at: pushed_at(Step::Sent),
        accepted_at: pushed_at(Step::Accepted),
        received_at: pushed_at(Step::Received),
        reported_at: corrected(&leg.reported),
        answered_at: corrected(&leg.answered),
        audio_at: corrected(&leg.audio),
        declined_at: corrected(&leg.declined),
        ended_at: corrected(&leg.ended),
        latencies,
        started_at: view.dims.started_at().unwrap_or_default(),
        decision: *decision,
    }
}

fn corrected<T>(first: &Happened<T>) -> Option<i64> {
    mark(first).map(crate::mark::Mark::corrected)
}
