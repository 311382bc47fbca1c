//! The one sentence that says why an alert fires, with its numbers.

use crate::query::Measure;
use crate::risk::percent;
use crate::rules::{Ratio, show_length};
use crate::stats::Count;

/// What is bad, and of what, for people.
fn words(measure: Measure) -> (String, &'static str) {
    match measure {
        Measure::Violations => ("were not made".to_owned(), "required reports"),
        Measure::Confirmed => ("were certainly not made".to_owned(), "required reports"),
        Measure::ConfirmedInStore => ("were certainly not made by App Store builds".to_owned(), "required reports"),
        Measure::SlowReports(ms) => {
            (format!("took longer than {} (iOS kills at about 7 s)", show_length(ms)), "reports")
        }
        Measure::SlowDelivery(ms) => (format!("arrived later than {}", show_length(ms)), "received pushes"),
        Measure::Missing => ("show no receipt after a minute".to_owned(), "accepted pushes"),
        Measure::Unanswered => ("were answered nowhere".to_owned(), "legs that rang"),
        Measure::CredentialErrors => ("were refused for the app's credential".to_owned(), "pushed legs"),
        Measure::TokenErrors => ("were refused for a bad or dead device token".to_owned(), "pushed legs"),
        Measure::Misuse => ("got a VoIP push that was not for an incoming call".to_owned(), "legs"),
        Measure::GhostCalls => ("got their push when the call was over".to_owned(), "legs with a receipt"),
        Measure::PriorityLowered => ("arrived with lowered priority".to_owned(), "FCM pushes"),
        Measure::Untold => ("are told of by no callee's device".to_owned(), "connected calls"),
        Measure::Early(ms) => {
            (format!("say that they happened over {} later than they were logged", show_length(ms)), "events")
        }
        Measure::Late(ms) => (format!("came to the log later than {}", show_length(ms)), "events"),
    }
}

/// Of a share that is too large.
pub(super) fn ratio(ratio: &Ratio, window_ms: i64, now: Count, before: Option<Count>) -> String {
    let (bad, of) = words(ratio.measure);
    let mut text = format!(
        "{} of {} {of} in {} {bad}: {}, at least {} with 99 % confidence",
        now.bad,
        now.total,
        show_length(window_ms),
        percent(now.rate().unwrap_or_default()),
        percent(now.lower()),
    );
    if let (Some(before), Some(against)) = (before, ratio.against) {
        let share = percent(before.rate().unwrap_or_default());
        text += &format!("; {} of {} ({share}) {}", before.bad, before.total, against.words());
    }
    text + "."
}
