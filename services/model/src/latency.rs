//! The latencies of a leg (contract section 4.3).

use serde::Serialize;

use crate::call::Call;
use crate::mark::{Happened, Mark};
use crate::push::Step;
use crate::view::LegView;

/// Latencies in milliseconds; `None` where an end is missing, or a cross-clock one came out negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latencies {
    /// `push.sent` to `push.accepted`, corrected times.
    pub sent_to_accepted_ms: Option<i64>,
    /// `push.accepted` to `push.received`, corrected times.
    pub accepted_to_received_ms: Option<i64>,
    /// `push.sent` to `push.received`, corrected times.
    pub sent_to_received_ms: Option<i64>,
    /// `push.received` to `call.reported`, device clock.
    pub received_to_reported_ms: Option<i64>,
    /// Ring time: `call.reported` to `call.answered`, device clock.
    pub reported_to_answered_ms: Option<i64>,
    /// `call.answered` to `call.audio_activated`, device clock.
    pub answered_to_audio_ms: Option<i64>,
    /// Post-dial delay: `call.initiated` to `call.reported`, corrected times.
    pub initiated_to_reported_ms: Option<i64>,
    /// `call.answered` to the leg's `call.ended`, device clock.
    pub talk_ms: Option<i64>,
}

/// Measures a leg; beside it how many cross-clock latencies came out negative.
pub(crate) fn measure(leg: &LegView<'_>, call: &Call) -> (Latencies, u32) {
    let push = |step| leg.incoming(step).map(|push| &push.fact.first.mark);
    let (sent, accepted, received) = (push(Step::Sent), push(Step::Accepted), push(Step::Received));
    let reported = mark(&leg.leg.reported);
    let answered = mark(&leg.leg.answered);
    let mut negative = 0;
    let mut across = |from: Option<&Mark>, to: Option<&Mark>| {
        let ms = from?.corrected_ms_until(to?);
        negative += u32::from(ms < 0);
        (ms >= 0).then_some(ms)
    };
    let on_device = |from: Option<&Mark>, to: Option<&Mark>| Some(from?.device_ms_until(to?));
    let latencies = Latencies {
        sent_to_accepted_ms: across(sent, accepted),
        accepted_to_received_ms: across(accepted, received),
        sent_to_received_ms: across(sent, received),
        received_to_reported_ms: on_device(received, reported),
        reported_to_answered_ms: on_device(reported, answered),
        answered_to_audio_ms: on_device(answered, mark(&leg.leg.audio)),
        initiated_to_reported_ms: across(mark(&call.initiated), reported),
        talk_ms: on_device(answered, mark(&leg.leg.ended)),
    };
    (latencies, negative)
}

/// The mark of a first event, if there is one.
pub(crate) fn mark<T>(first: &Happened<T>) -> Option<&Mark> {
    first.as_ref().map(|first| &first.mark)
}
