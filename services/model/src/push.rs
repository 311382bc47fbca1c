//! The push events of one leg under one `push_id`.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::dims::Dims;
use crate::event::Event;
use crate::flags::Flags;
use crate::kind::{Kind, Known};
use crate::mark::First;
use crate::words::{AppState, Channel, Environment, Purpose};

/// Classes of events that most pushes have at least.
const USUAL_FACTS: usize = 3;

/// What happened to a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Step {
    Sent,
    Accepted,
    Rejected,
    Failed,
    Received,
    /// The PushKit handler returned, after a report.
    HandlerReported,
    /// The PushKit handler returned without one.
    HandlerSilent,
}

/// What makes push events of one `push_id` alike: their step and what they say of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Class {
    pub(crate) step: Step,
    /// A `push.sent` without `push_id`, which counts by its `event_id` and answers to no `push_id`.
    pub(crate) unnamed: bool,
    pub(crate) channel: Option<Channel>,
    pub(crate) purpose: Option<Purpose>,
}

/// What the first push event of a class says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) environment: Option<Environment>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) reason: Option<CompactString>,
    pub(crate) app_state: Option<AppState>,
    pub(crate) on_call: bool,
    pub(crate) must_report: Option<bool>,
}

/// The first push event of a class, and the latest corrected time of any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) class: Class,
    pub(crate) first: First<Said>,
    pub(crate) latest: i64,
}

/// All push events of a leg with one `push_id`, or with none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) facts: Vec<Fact>,
    pub(crate) flags: Flags,
    pub(crate) dims: Dims,
}

impl Group {
    /// Takes a push event in; true when it changed anything.
    pub(crate) fn apply(&mut self, step: Step, event: &Event<'_>, log_at: i64) -> bool {
        let class = Class {
            step,
            unnamed: step == Step::Sent && event.detail.push_id.is_none(),
            channel: event.detail.channel,
            purpose: event.detail.purpose,
        };
        let mut changed = self.dims.offer(event);
        changed |= self.flags.set(event_flags(step, event));
        let latest = event.corrected_at();
        match self.facts.binary_search_by_key(&class, |fact| fact.class) {
            Ok(place) => {
                let fact = &mut self.facts[place];
                changed |= fact.first.offer(event, log_at, || said(event)) | (latest > fact.latest);
                fact.latest = fact.latest.max(latest);
            }
            Err(place) => {
                let first = First::of(event, log_at, said(event));
                // Of most pushes there are four or five: a vector that doubles would have room for eight.
                self.facts.reserve_exact(if self.facts.is_empty() { USUAL_FACTS } else { 1 });
                self.facts.insert(place, Fact { class, first, latest });
                changed = true;
            }
        }
        changed
    }
}

/// The step of a push event; `None` for all other events, `push.suppressed` among them.
pub(crate) fn step_of(event: &Event<'_>) -> Option<Step> {
    let Kind::Known(known) = event.kind else { return None };
    Some(match known {
        Known::PushSent => Step::Sent,
        Known::PushAccepted => Step::Accepted,
        Known::PushRejected => Step::Rejected,
        Known::PushFailed => Step::Failed,
        Known::PushReceived => Step::Received,
        Known::PushHandlerReturned if event.detail.reported == Some(true) => Step::HandlerReported,
        Known::PushHandlerReturned => Step::HandlerSilent,
        _ => return None,
    })
}

fn said(event: &Event<'_>) -> Said {
    let d = &event.detail;
    Said {
        environment: d.environment,
        expires_at: d.expires_at,
        reason: d.reason.as_deref().map(CompactString::from),
        app_state: d.app_state,
        on_call: d.active_calls.is_some_and(|calls| calls > 0),
        must_report: d.must_report,
    }
}

/// The findings that any push event of the leg raises, whatever its purpose (contract section 4.4).
fn event_flags(step: Step, event: &Event<'_>) -> Flags {
    let mut flags = Flags::default();
    let d = &event.detail;
    if step == Step::Received && d.priority_lowered {
        flags.set(Flags::PRIORITY_LOWERED);
    }
    if step != Step::Rejected {
        return flags;
    }
    match d.reason.as_deref() {
        Some("BadDeviceToken" | "DeviceTokenNotForTopic") => flags.set(Flags::BAD_DEVICE_TOKEN),
        Some("Unregistered" | "ExpiredToken" | "UNREGISTERED") => flags.set(Flags::DEAD_TOKEN),
        Some("THIRD_PARTY_AUTH_ERROR" | "SENDER_ID_MISMATCH") => flags.set(Flags::CREDENTIAL_ERROR),
        Some("BadTopic" | "MissingTopic" | "TopicDisallowed") => flags.set(Flags::TOPIC_ERROR),
        _ => false,
    };
    match d.status {
        Some(403) => flags.set(Flags::CREDENTIAL_ERROR),
        Some(429) => flags.set(Flags::THROTTLED),
        _ => false,
    };
    flags
}
