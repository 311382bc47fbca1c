//! Which push a kill was for.

use ringtrace_model::{Rules, Verdict};

/// How much earlier than its push a kill may seem to be, in milliseconds: some crash reporters know whole seconds only.
const EARLY_MS: i64 = 1_000;

/// An `app.terminated` without a call, by PushKit's check or CallKit's watchdog, as `device_events` holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crash {
    /// The tenant.
    pub tenant_id: String,
    /// The app.
    pub app_id: String,
    /// The device; never empty.
    pub device_id: String,
    /// The event's id, with the hash of its contents: together they are one event.
    pub event_id: String,
    /// See `event_id`.
    pub contents: u64,
    /// On the device's clock, in milliseconds since the Unix epoch.
    pub occurred_at: i64,
    /// Server clock minus device clock, in milliseconds.
    pub clock_offset_ms: i64,
    /// Platform and other dimensions, by name; none is empty.
    pub dimensions: Vec<(String, String)>,
    /// The kind's own and unknown fields: a JSON object.
    pub attributes: String,
    /// `topic/partition/offset`.
    pub source: String,
    /// Log time, in milliseconds since the Unix epoch.
    pub log_at: i64,
}

impl Crash {
    /// When it happened, corrected, in milliseconds since the Unix epoch.
    pub fn at(&self) -> i64 {
        self.occurred_at.saturating_add(self.clock_offset_ms)
    }
}

/// A leg of a device on iOS 13 or later, as far as it can be to blame.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// The tenant.
    pub tenant_id: String,
    /// The app.
    pub app_id: String,
    /// The device.
    pub device_id: String,
    /// The call, in lower case.
    pub call_uuid: String,
    /// How it is judged.
    pub verdict: Verdict,
    /// A violation with confirmed evidence: nothing can be added to it.
    pub is_confirmed: bool,
    /// When the device received it, corrected, in milliseconds since the Unix epoch.
    pub received_at: Option<i64>,
    /// When APNs accepted it, likewise.
    pub accepted_at: Option<i64>,
}

impl Push {
    /// Whether it went to the app that was killed, on its device.
    pub fn is_of(&self, crash: &Crash) -> bool {
        self.tenant_id == crash.tenant_id && self.app_id == crash.app_id && self.device_id == crash.device_id
    }

    /// When it came as far as is known.
    fn at(&self) -> Option<i64> {
        self.received_at.or(self.accepted_at)
    }

    /// Whether a report was required and was not made, or not in time: who has reported is not killed for this push.
    fn is_owed(&self) -> bool {
        matches!(self.verdict, Verdict::Pending | Verdict::NoReceipt | Verdict::Unreported | Verdict::ReportedLate)
    }

    /// Whether a kill at this time may be for it. The watchdog kills about 7 s after delivery (Apple developer forums, thread
    /// 817976); a receipt is given `report_deadline` and `telemetry_grace`, as the contract's table gives them (section 4.1),
    /// and a push that was only accepted `receipt_timeout`, in which it may still be on its way.
    fn is_in_reach(&self, killed_at: i64, rules: &Rules) -> bool {
        let reach_ms = match self.received_at {
            Some(_) => settle_ms(rules),
            None => rules.receipt_timeout_ms,
        };
        self.at().is_some_and(|at| (-EARLY_MS..=reach_ms).contains(&killed_at.saturating_sub(at)))
    }
}

/// How long reports and receipts of a push may take to come to the log, in milliseconds.
pub(super) fn settle_ms(rules: &Rules) -> i64 {
    rules.report_deadline_ms.saturating_add(rules.telemetry_grace_ms)
}

/// The push that a kill was for: the device's last one before it whose report is owed. Legs of other devices don't count.
pub fn blamed<'a>(crash: &Crash, pushes: impl IntoIterator<Item = &'a Push>, rules: &Rules) -> Option<&'a Push> {
    let killed_at = crash.at();
    let owed = pushes.into_iter().filter(|push| push.is_of(crash) && push.is_owed());
    // One that seems to come after the kill counts only where there is none before it.
    owed.filter(|push| push.is_in_reach(killed_at, rules))
        .max_by_key(|push| (push.at() <= Some(killed_at), push.at(), push.call_uuid.as_str()))
}
