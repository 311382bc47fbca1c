//! The last answer about devices: the rule and the table ask the same, and it is the dearest of all questions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::device::DeviceHistory;
use crate::query::Span;

/// For how long an answer is good at least, in milliseconds of log time.
const GOOD_MS: i64 = 30_000;

/// An answer is good for so many times as long as it took: so asking takes at most a twentieth of the time, however much there
/// is to read.
const TIMES: u32 = 20;

struct Answer {
    span: Span,
    took: Duration,
    devices: Vec<DeviceHistory>,
}

/// See the module's text. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Option<Answer>>>);

impl Kept {
    /// The last answer, where it is still good for a span.
    pub(super) fn get(&self, span: Span) -> Option<Vec<DeviceHistory>> {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |answer: &&Answer| {
            let took_ms = (answer.took * TIMES).as_millis() as i64;
            (0..took_ms.max(GOOD_MS)).contains(&(span.to - answer.span.to))
        };
        answer.as_ref().filter(is_good).map(|answer| answer.devices.clone())
    }

    /// Keeps an answer.
    pub(super) fn put(&self, span: Span, took: Duration, devices: &[DeviceHistory]) {
        let answer = Answer { span, took, devices: devices.to_vec() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}
