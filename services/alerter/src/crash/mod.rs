//! Kills that name no call: iOS ended an app for a VoIP push without a call, and only a crash reporter tells of it.
//!
//! Each is matched to the device's last push before it whose report is owed ([`blamed`]), and becomes evidence of that
//! call: an `app.terminated` with `inferred` ([`Inferred`]), which goes through `ringtrace.internal` to the call's slot and
//! is folded like any other. Names of such events are a function of the crash and the call, so that a repeat changes nothing.

mod inferred;
mod matcher;
mod matching;
mod sender;

pub use inferred::{Inferred, event_id};
pub use matcher::Matcher;
pub use matching::{Crash, Push, blamed};
pub use sender::Sender;
