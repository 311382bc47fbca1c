//! The kinds of events (contract section 3), and where each belongs.

use std::borrow::Cow;

use crate::words::words;

words! {
    /// A kind that the contract names.
    pub Known {
        PushSent = "push.sent",
        PushAccepted = "push.accepted",
        PushRejected = "push.rejected",
        PushFailed = "push.failed",
        PushSuppressed = "push.suppressed",
        PushReceived = "push.received",
        PushHandlerReturned = "push.handler_returned",
        CallInitiated = "call.initiated",
        CallReported = "call.reported",
        CallReportFailed = "call.report_failed",
        CallAnswered = "call.answered",
        CallDeclined = "call.declined",
        CallAudioActivated = "call.audio_activated",
        CallConnected = "call.connected",
        CallCancelled = "call.cancelled",
        CallBusy = "call.busy",
        CallEnded = "call.ended",
        CallActionTimedOut = "call.action_timed_out",
        CallTransactionFailed = "call.transaction_failed",
        CallOutgoingStarted = "call.outgoing_started",
        CallOutgoingConnecting = "call.outgoing_connecting",
        CallOutgoingConnected = "call.outgoing_connected",
        CallHeld = "call.held",
        CallMuted = "call.muted",
        CallGrouped = "call.grouped",
        CallDtmf = "call.dtmf",
        CallUpdated = "call.updated",
        CallObserved = "call.observed",
        CallAudioDeactivated = "call.audio_deactivated",
        CallRinging = "call.ringing",
        AppTerminated = "app.terminated",
        AppLaunched = "app.launched",
        TokenUpdated = "token.updated",
        TokenInvalidated = "token.invalidated",
        ProviderReset = "provider.reset",
        CallDirectoryStatus = "call_directory.status",
        PermissionSnapshot = "permission.snapshot",
        CredentialStatus = "credential.status",
        SdkHeartbeat = "sdk.heartbeat",
    }
}

/// The kind of an event: one that the contract names, or any other text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A kind of contract section 3.
    Known(Known),
    /// Any other kind: stored, counted, and without effect on any leg.
    Unknown(Cow<'a, str>),
}

/// Which part of a call an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The leg of the event's device.
    Leg,
    /// The call as a whole.
    Call,
    /// History only: no leg, no call column.
    History,
}

impl Kind<'_> {
    /// The kind's text.
    pub fn as_str(&self) -> &str {
        match self {
            Kind::Known(known) => known.as_str(),
            Kind::Unknown(text) => text,
        }
    }

    /// Whether `call_uuid` is required: on every `push.*` and `call.*`, known or not.
    pub fn needs_call(&self) -> bool {
        let text = self.as_str();
        text.starts_with("push.") || text.starts_with("call.")
    }

    /// Whether `device_id` is required: on every `push.*`, and on what only a device produces.
    pub fn needs_device(&self) -> bool {
        use Known::*;
        match self {
            Kind::Known(known) => {
                self.as_str().starts_with("push.")
                    || matches!(
                        known,
                        CallReported
                            | CallReportFailed
                            | CallAnswered
                            | CallDeclined
                            | CallAudioActivated
                            | CallActionTimedOut
                            | CallTransactionFailed
                            | CallOutgoingStarted
                            | CallOutgoingConnecting
                            | CallOutgoingConnected
                    )
            }
            Kind::Unknown(text) => text.starts_with("push."),
        }
    }

    /// What an event of this kind folds into, given whether it names a call and a device (contract section 4).
    pub fn scope(&self, has_call: bool, has_device: bool) -> Scope {
        use Known::*;
        let Kind::Known(known) = self else { return Scope::History };
        if !has_call {
            return Scope::History;
        }
        match known {
            CallInitiated | CallConnected | CallCancelled | CallBusy => Scope::Call,
            CallEnded if !has_device => Scope::Call,
            PushSent
            | PushAccepted
            | PushRejected
            | PushFailed
            | PushSuppressed
            | PushReceived
            | PushHandlerReturned
            | CallReported
            | CallReportFailed
            | CallAnswered
            | CallDeclined
            | CallAudioActivated
            | CallEnded
            | CallActionTimedOut
            | CallTransactionFailed
            | CallOutgoingStarted
            | CallOutgoingConnecting
            | CallOutgoingConnected => Scope::Leg,
            AppTerminated if has_device => Scope::Leg,
            _ => Scope::History,
        }
    }

    /// Whether an event read from a call topic is stored in `events`; otherwise it goes to `device_events`.
    pub fn is_call_event(&self, has_call: bool, has_device: bool) -> bool {
        self.is_forwarded(has_call, has_device) || (has_call && matches!(self, Kind::Unknown(_)))
    }

    /// Whether an event read from the device topic also belongs to a call, and is forwarded to it.
    pub fn is_forwarded(&self, has_call: bool, has_device: bool) -> bool {
        match self {
            Kind::Known(Known::AppTerminated) => has_call && has_device,
            kind => kind.needs_call(),
        }
    }
}

impl<'a> From<Cow<'a, str>> for Kind<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match Known::parse(&text) {
            Some(known) => Kind::Known(known),
            None => Kind::Unknown(text),
        }
    }
}
