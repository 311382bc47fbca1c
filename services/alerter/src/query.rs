//! The questions that rules ask: how many of what were bad, by group and window; each as Rust and as SQL.

use ringtrace_model::{Diagnosis, Evidence, Outcome, Verdict};

use crate::fact::{Arrival, Call, Dim, Leg};
use crate::stats::Count;

/// How long after a push was accepted its receipt may be on its way, in milliseconds.
const RECEIPT_MS: i64 = 60_000;

/// How long after a call was connected its devices' telemetry may be on its way, in milliseconds.
const TELEMETRY_MS: i64 = 120_000;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Legs `unreported` of those where a report was required (contract section 7).
    Violations,
    /// Confirmed violations, of the same.
    Confirmed,
    /// Confirmed violations in builds of the App Store, of the same.
    ConfirmedInStore,
    /// Reports that took longer than so many milliseconds, of those that were measured.
    SlowReports(i64),
    /// Pushes that were received later than so many milliseconds after they were sent, of those received.
    SlowDelivery(i64),
    /// Pushes accepted of which the device shows nothing a minute later, of those accepted (censored ones).
    Missing,
    /// Legs that rang and were answered nowhere, of those that rang and are over.
    Unanswered,
    /// Legs with `credential_error`, of those with pushes.
    CredentialErrors,
    /// Legs with `bad_device_token` or `dead_token`, of those with pushes.
    TokenErrors,
    /// Legs with `voip_push_misused`, of all.
    Misuse,
    /// Legs with `ghost_call`, of those that received a push.
    GhostCalls,
    /// Legs with `priority_lowered`, of those that received a push by FCM.
    PriorityLowered,
    /// Calls that a server saw connected but no callee's device tells of, of those connected: telemetry that is missing.
    Untold,
    /// Events that came to the log later than so many milliseconds after they happened, of all.
    Late(i64),
    /// Events that came to the log more than so many milliseconds before they happened, by their producer's corrected clock, of all.
    Early(i64),
}

/// Where a measure's rows stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `legs`, by `started_at`.
    Legs,
    /// `calls`, by `started_at`.
    Calls,
    /// `events`, by `log_at`.
    Events,
}

/// A span of log time, in milliseconds since the Unix epoch: `from` is in it, `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its start.
    pub from: i64,
    /// Its end.
    pub to: i64,
}

impl Span {
    /// The span that ends at `to`.
    pub fn before(to: i64, length_ms: i64) -> Span {
        Span { from: to.saturating_sub(length_ms), to }
    }

    /// Whether a time is in it.
    pub fn holds(self, at: i64) -> bool {
        (self.from..self.to).contains(&at)
    }
}

/// How far back carriers of devices are looked up at least, in milliseconds.
const KNOWN_MS: i64 = 86_400_000;

/// Where the carriers of devices are looked up whose pushes in a span are missed.
pub(crate) fn known(span: Span, now: i64) -> Span {
    Span { from: span.from.min(now - KNOWN_MS), to: now }
}

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What is counted.
    pub measure: Measure,
    /// By what; never empty.
    pub group_by: Vec<Dim>,
    /// In which spans, each by itself.
    pub spans: Vec<Span>,
    /// The log clock.
    pub now: i64,
}

/// A group of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Values of the dimensions, as in the query.
    pub values: Vec<String>,
    /// A count for each span of the query.
    pub counts: Vec<Count>,
}

/// A call that shows what an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Example {
    /// The call.
    pub call_uuid: String,
    /// The device; empty where it is about the call as a whole.
    pub device_id: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub at: i64,
}

/// How many examples an alert carries.
pub const EXAMPLES: usize = 3;

impl Measure {
    /// Where its rows stand.
    pub fn table(self) -> Table {
        match self {
            Measure::Untold => Table::Calls,
            Measure::Late(_) | Measure::Early(_) => Table::Events,
            _ => Table::Legs,
        }
    }

    /// Whether a leg counts, and whether it is bad.
    pub fn of_leg(self, leg: &Leg, now: i64) -> Option<bool> {
        let has = |diagnosis| leg.diagnoses.contains(diagnosis);
        let of = |counts: bool, is_bad: bool| counts.then_some(is_bad);
        let required = matches!(
            leg.verdict,
            Verdict::Reported | Verdict::ReportedLate | Verdict::Filtered | Verdict::ReportError | Verdict::Unreported
        );
        let is_violation = leg.verdict == Verdict::Unreported;
        let in_time = matches!(leg.verdict, Verdict::Reported | Verdict::ReportedLate);
        match self {
            Measure::Violations => of(required, is_violation),
            Measure::Confirmed => of(required, is_violation && leg.evidence == Some(Evidence::Confirmed)),
            Measure::ConfirmedInStore => of(
                required && leg.dim(Dim::BuildChannel) == "app_store",
                is_violation && leg.evidence == Some(Evidence::Confirmed),
            ),
            Measure::SlowReports(ms) => leg.received_to_reported_ms.filter(|_| in_time).map(|took| took > ms),
            Measure::SlowDelivery(ms) => {
                leg.sent_to_received_ms.filter(|_| leg.accepted_at.is_some()).map(|took| took > ms)
            }
            Measure::Missing => {
                let accepted_at = leg.accepted_at?;
                let shown = leg.received_at.is_some() || leg.reported_at.is_some() || leg.answered_at.is_some();
                of(shown || accepted_at <= now - RECEIPT_MS, !shown)
            }
            Measure::Unanswered => {
                let is_answered = matches!(leg.outcome, Outcome::Answered | Outcome::AnsweredElsewhere);
                let is_over = is_answered
                    || matches!(
                        leg.outcome,
                        Outcome::Declined
                            | Outcome::DeclinedElsewhere
                            | Outcome::Unanswered
                            | Outcome::Cancelled
                            | Outcome::Failed
                    );
                of(leg.reported_at.is_some() && is_over, !is_answered)
            }
            Measure::CredentialErrors => of(leg.push_attempts > 0, has(Diagnosis::CredentialError)),
            Measure::TokenErrors => {
                of(leg.push_attempts > 0, has(Diagnosis::BadDeviceToken) || has(Diagnosis::DeadToken))
            }
            Measure::Misuse => Some(has(Diagnosis::VoipPushMisused)),
            Measure::GhostCalls => of(leg.received_at.is_some(), has(Diagnosis::GhostCall)),
            Measure::PriorityLowered => {
                of(leg.received_at.is_some() && leg.dim(Dim::Channel) == "fcm", has(Diagnosis::PriorityLowered))
            }
            Measure::Untold | Measure::Late(_) | Measure::Early(_) => None,
        }
    }

    /// Whether a call counts, and whether it is bad.
    pub fn of_call(self, call: &Call, now: i64) -> Option<bool> {
        let connected_at = call.connected_at.filter(|_| self == Measure::Untold && call.legs > 0)?;
        (call.answered_at.is_some() || connected_at <= now - TELEMETRY_MS).then_some(call.answered_at.is_none())
    }

    /// Whether an event counts, and whether it is bad.
    pub fn of_arrival(self, arrival: &Arrival) -> Option<bool> {
        match self {
            Measure::Late(ms) => Some(arrival.late_ms > ms),
            Measure::Early(ms) => Some(arrival.late_ms < -ms),
            _ => None,
        }
    }

    /// The same as SQL: what counts, and what of it is bad. `now` is the log clock.
    pub fn sql(self, now: i64) -> (String, String) {
        const REQUIRED: &str = "verdict IN ('reported', 'reported_late', 'filtered', 'report_error', 'unreported')";
        const CONFIRMED: &str = "verdict = 'unreported' AND evidence = 'confirmed'";
        const PUSHED: &str = "push_attempts > 0";
        const RECEIVED: &str = "received_at IS NOT NULL";
        const LATE: &str = "toUnixTimestamp64Milli(log_at) - toUnixTimestamp64Milli(occurred_at) - clock_offset_ms";
        let before = |ms: i64| format!("fromUnixTimestamp64Milli({}, 'UTC')", now - ms);
        let (counts, bad) = match self {
            Measure::Violations => (REQUIRED.to_owned(), "verdict = 'unreported'".to_owned()),
            Measure::Confirmed => (REQUIRED.to_owned(), CONFIRMED.to_owned()),
            Measure::ConfirmedInStore => (format!("{REQUIRED} AND build_channel = 'app_store'"), CONFIRMED.to_owned()),
            Measure::SlowReports(ms) => (
                "verdict IN ('reported', 'reported_late') AND received_to_reported_ms IS NOT NULL".to_owned(),
                format!("received_to_reported_ms > {ms}"),
            ),
            Measure::SlowDelivery(ms) => (
                "accepted_at IS NOT NULL AND sent_to_received_ms IS NOT NULL".to_owned(),
                format!("sent_to_received_ms > {ms}"),
            ),
            Measure::Missing => {
                let shown = "(received_at IS NOT NULL OR reported_at IS NOT NULL OR answered_at IS NOT NULL)";
                let counts = format!("accepted_at IS NOT NULL AND ({shown} OR accepted_at <= {})", before(RECEIPT_MS));
                (counts, format!("NOT {shown}"))
            }
            Measure::Unanswered => (
                "reported_at IS NOT NULL AND outcome IN ('answered', 'answered_elsewhere', 'declined', \
                 'declined_elsewhere', 'unanswered', 'cancelled', 'failed')"
                    .to_owned(),
                "outcome NOT IN ('answered', 'answered_elsewhere')".to_owned(),
            ),
            Measure::CredentialErrors => (PUSHED.to_owned(), "has(diagnoses, 'credential_error')".to_owned()),
            Measure::TokenErrors => {
                (PUSHED.to_owned(), "hasAny(diagnoses, ['bad_device_token', 'dead_token'])".to_owned())
            }
            Measure::Misuse => ("1".to_owned(), "has(diagnoses, 'voip_push_misused')".to_owned()),
            Measure::GhostCalls => (RECEIVED.to_owned(), "has(diagnoses, 'ghost_call')".to_owned()),
            Measure::PriorityLowered => {
                (format!("{RECEIVED} AND channel = 'fcm'"), "has(diagnoses, 'priority_lowered')".to_owned())
            }
            Measure::Untold => (
                format!(
                    "connected_at IS NOT NULL AND legs > 0 AND (answered_at IS NOT NULL OR connected_at <= {})",
                    before(TELEMETRY_MS)
                ),
                "answered_at IS NULL".to_owned(),
            ),
            Measure::Late(ms) => ("1".to_owned(), format!("{LATE} > {ms}")),
            Measure::Early(ms) => ("1".to_owned(), format!("{LATE} < -{ms}")),
        };
        (counts, bad)
    }
}
