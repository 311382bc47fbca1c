//! Events, the fold, verdicts, outcomes and diagnoses: pure, no I/O, no clock, no async.
//!
//! [`Event::parse`] reads a record, [`Call::apply`] folds it into its call, [`Call::evaluate`] judges the call at a log
//! time. The linker, `ringtrace explain` and everything else that judges calls go through these three, so they can't
//! disagree. The rules are those of the contract, to which the section numbers in this crate refer.

mod advice;
mod bounded;
mod call;
mod codec;
mod diagnosis;
mod dims;
mod evaluate;
mod event;
mod event_id;
mod flags;
mod json;
mod kind;
mod latency;
mod leg;
mod mark;
mod outcome;
mod push;
mod reject;
mod rows;
mod rules;
mod stored;
mod time;
mod validate;
mod verdict;
mod view;
mod words;

pub use advice::{Advice, Document, LINES};
pub use call::{Call, CallKey, MAX_LEGS_PER_CALL};
pub use codec::DecodeError;
pub use diagnosis::Diagnoses;
pub use dims::Dimension;
pub use evaluate::Evaluation;
pub use event::{DEFAULT_TENANT, Detail, Event};
pub use json::{MAX_VALUE_BYTES, attribute_names};
pub use kind::{Kind, Known, Scope};
pub use latency::Latencies;
pub use leg::MAX_PUSHES_PER_LEG;
pub use reject::{Reason, Reject};
pub use rows::{CallRow, LegRow};
pub use rules::Rules;
pub use stored::StoredEvent;
pub use time::{DAY_MS, parse_rfc3339};
pub use uuid::Uuid;
pub use validate::{NEVER_POSTED, WATCHDOG_CODE};
pub use verdict::Decision;
pub use words::{
    AppState, CallUi, Channel, Diagnosis, EndReason, Environment, Evidence, Outcome, Platform, Purpose, Role, Verdict,
};
