//! Facts of a leg of which it only matters whether they happened.

use serde::{Deserialize, Serialize};

/// A set of facts that only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flags(u32);

impl Flags {
    pub(crate) const BAD_DEVICE_TOKEN: Flags = Flags(1);
    pub(crate) const DEAD_TOKEN: Flags = Flags(1 << 1);
    pub(crate) const CREDENTIAL_ERROR: Flags = Flags(1 << 2);
    pub(crate) const TOPIC_ERROR: Flags = Flags(1 << 3);
    pub(crate) const THROTTLED: Flags = Flags(1 << 4);
    pub(crate) const PRIORITY_LOWERED: Flags = Flags(1 << 5);
    /// A `push.suppressed`.
    pub(crate) const SUPPRESSED: Flags = Flags(1 << 6);
    /// A `call.outgoing_*`: the device is the caller's.
    pub(crate) const CALLER: Flags = Flags(1 << 7);
    pub(crate) const UUID_MISMATCH: Flags = Flags(1 << 8);
    pub(crate) const ACTION_TIMED_OUT: Flags = Flags(1 << 9);
    /// iOS killed the app for a push without a call, and the link to the call is known.
    pub(crate) const KILLED: Flags = Flags(1 << 10);
    /// The same, the link being inferred.
    pub(crate) const KILLED_INFERRED: Flags = Flags(1 << 11);
    /// `CXErrorCodeIncomingCallError.callUUIDAlreadyExists`: CallKit has the call.
    pub(crate) const ALREADY_EXISTS: Flags = Flags(1 << 12);
    pub(crate) const FILTERED_DO_NOT_DISTURB: Flags = Flags(1 << 13);
    pub(crate) const FILTERED_BLOCK_LIST: Flags = Flags(1 << 14);
    pub(crate) const FILTERED_RESTRICTED_SHARING: Flags = Flags(1 << 15);
    pub(crate) const FILTERED_SENSITIVE_PARTICIPANTS: Flags = Flags(1 << 16);
    pub(crate) const FOREGROUND_SERVICE_BLOCKED: Flags = Flags(1 << 17);
    /// Any of the four filters.
    pub(crate) const FILTERED: Flags = Flags(0b1111 << 13);

    /// Adds facts; true when one was not known.
    pub(crate) fn set(&mut self, other: Flags) -> bool {
        let before = self.0;
        self.0 |= other.0;
        self.0 != before
    }

    /// Whether any of the given facts is known.
    pub(crate) fn any(self, of: Flags) -> bool {
        self.0 & of.0 != 0
    }

    /// This set with other facts added.
    pub(crate) fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}
