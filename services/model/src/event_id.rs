//! The name of an event, as small as it can be kept.

use std::borrow::Cow;
use std::cmp::Ordering;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// An `event_id`, ordered by its text. Most are UUIDs in lower case, of which the sixteen bytes are kept and nothing is allocated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EventId {
    Uuid(Uuid),
    /// Any other text.
    Text(CompactString),
}

impl EventId {
    pub(crate) fn of(text: &str) -> Self {
        match uuid_of(text) {
            Some(uuid) => EventId::Uuid(uuid),
            None => EventId::Text(text.into()),
        }
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            EventId::Uuid(uuid) => Cow::Owned(uuid.hyphenated().to_string()),
            EventId::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl Ord for EventId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // The digits in lower case are in the order of their values, and the hyphens are in the same places.
            (EventId::Uuid(one), EventId::Uuid(other)) => one.cmp(other),
            _ => self.text().cmp(&other.text()),
        }
    }
}

impl PartialOrd for EventId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The UUID that is written with just this text.
fn uuid_of(text: &str) -> Option<Uuid> {
    let is_canonical = text.len() == Hyphenated::LENGTH && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_canonical { Uuid::try_parse(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::EventId;

    /// UUIDs, and texts that are nearly one.
    fn texts() -> impl Strategy<Value = String> {
        let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
        let alike = "[0-9a-fA-Fg]{7,8}-?[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fé]{11,12}";
        prop_oneof![uuid, alike, ".{1,64}"]
    }

    proptest! {
        #[test]
        fn an_event_id_is_kept_and_ordered_as_its_text(one in texts(), other in texts()) {
            let (a, b) = (EventId::of(&one), EventId::of(&other));
            prop_assert_eq!(a.text(), one.as_str());
            prop_assert_eq!(a.cmp(&b), one.cmp(&other));
            prop_assert_eq!(a == b, one == other);
            let encoded = postcard::to_stdvec(&a).unwrap();
            prop_assert_eq!(postcard::from_bytes::<EventId>(&encoded).unwrap(), a);
        }
    }

    #[test]
    fn a_uuid_takes_no_more_room_than_a_text_and_less_in_the_state() {
        assert_eq!(size_of::<EventId>(), size_of::<compact_str::CompactString>());
        let uuid = postcard::to_stdvec(&EventId::of("018f3e5a-0000-7000-8000-0123456789ab")).unwrap();
        assert!(uuid.len() <= 18, "{}", uuid.len());
    }
}
