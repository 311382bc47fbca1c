//! Why a record is not a valid event: a value, not an error, since it ends in the dead letters.

use std::borrow::Cow;

use crate::words::words;

words! {
    /// The `ringtrace.reason` of a dead letter (contract section 2).
    pub Reason {
        NotJson = "not_json",
        TooLarge = "too_large",
        MissingField = "missing_field",
        InvalidField = "invalid_field",
        Tombstone = "tombstone",
        NotStorable = "not_storable",
    }
}

/// A record that is not a valid event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The class of the fault.
    pub reason: Reason,
    /// Names the field and what it should be. Never carries the field's value, which may be personal data.
    pub detail: Cow<'static, str>,
}

impl Reject {
    pub(crate) fn missing(field: &str) -> Self {
        Reject { reason: Reason::MissingField, detail: format!("{field}: is required").into() }
    }

    pub(crate) fn invalid(field: &str, expected: &str) -> Self {
        Reject { reason: Reason::InvalidField, detail: format!("{field}: expected {expected}").into() }
    }

    pub(crate) const fn of(reason: Reason, detail: &'static str) -> Self {
        Reject { reason, detail: Cow::Borrowed(detail) }
    }

    /// A record without a value.
    pub const TOMBSTONE: Reject = Reject::of(Reason::Tombstone, "value: is null");
}

impl std::fmt::Display for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.reason, self.detail)
    }
}
