//! The closed vocabularies of the contract, each a small enum with its wire word.

/// Declares an enum whose variants stand for fixed words.
///
/// Human-readable serde formats (JSON) carry the word, compact ones (the state codec) the variant's index,
/// so variants may be appended but never reordered.
macro_rules! words {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vdoc])* #[doc = concat!("`", $word, "`")] $variant),+ }

        impl $name {
            /// Every variant, in declaration order.
            $vis const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word on the wire and in columns.
            $vis const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The variant of a word, or `None` for any other text.
            #[inline]
            $vis fn parse(word: &str) -> Option<Self> {
                const PLACES: crate::words::Places = crate::words::Places::of(&[$($word),+]);
                let variant = *$name::ALL.get(PLACES.get(word))?;
                if variant.as_str() == word { Some(variant) } else { None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.serialize_str(self.as_str()) } else { s.serialize_u8(*self as u8) }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                if d.is_human_readable() {
                    let word = <std::borrow::Cow<'_, str>>::deserialize(d)?;
                    $name::parse(&word).ok_or_else(|| D::Error::custom(concat!("no ", stringify!($name), " of that name")))
                } else {
                    let index = u8::deserialize(d)?;
                    $name::ALL.get(usize::from(index)).copied()
                        .ok_or_else(|| D::Error::custom(concat!("no ", stringify!($name), " of that index")))
                }
            }
        }
    };
}
pub(crate) use words;

/// Where each of some words stands among them: found by a hash of which the compiler has seen that it tells all of them apart, since
/// comparing with one after the other is a good part of what reading an event takes.
pub(crate) struct Places {
    factor: u64,
    /// By the hash.
    places: [u8; 1 << HASH_BITS],
}

/// The place under a hash that no word has.
const NOWHERE: u8 = u8::MAX;

/// Enough that a factor for a hundred words is soon found.
const HASH_BITS: u32 = 10;

/// How many factors are tried: the compiler gives up on what takes much longer.
const FACTORS: usize = 1_000;

impl Places {
    /// # Panics
    /// When the compiler works it out: where words are alike in all that the hash looks at, or too many.
    pub(crate) const fn of(words: &[&str]) -> Self {
        let mut factor = 0x9E37_79B9_7F4A_7C15;
        let mut tried = 0;
        loop {
            assert!(tried < FACTORS, "words are alike in all that the hash looks at, or there are too many");
            let mut found = Places { factor, places: [NOWHERE; 1 << HASH_BITS] };
            let mut place = 0;
            while place < words.len() && found.places[found.hash(words[place])] == NOWHERE {
                found.places[found.hash(words[place])] = place as u8;
                place += 1;
            }
            if place == words.len() {
                return found;
            }
            factor = factor.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(2);
            tried += 1;
        }
    }

    /// The place of a word; of any other text that of some word, or none.
    pub(crate) const fn get(&self, word: &str) -> usize {
        self.places[self.hash(word)] as usize
    }

    const fn hash(&self, word: &str) -> usize {
        let word = word.as_bytes();
        let ([first, .., last], half) = (word, word.len() / 2) else { return 0 };
        let inner = [word[half / 2], word[half - 1], word[half], word[half + half / 2]];
        let key = u64::from_le_bytes([word.len() as u8, *first, inner[0], inner[1], inner[2], inner[3], *last, 0]);
        (key.wrapping_mul(self.factor) >> (u64::BITS - HASH_BITS)) as usize
    }
}

words! {
    /// Operating system family of a device.
    pub Platform { Ios = "ios", Android = "android", Web = "web", Desktop = "desktop", Other = "other" }
}
words! {
    /// The way by which a push travels.
    pub Channel { ApnsVoip = "apns_voip", ApnsAlert = "apns_alert", Fcm = "fcm", Socket = "socket" }
}
words! {
    /// What a push is for. Only `incoming_call` asks the app to report a call.
    pub Purpose { IncomingCall = "incoming_call", Cancel = "cancel", Data = "data" }
}
words! {
    /// Which APNs environment a push was sent to.
    pub Environment { Production = "production", Sandbox = "sandbox" }
}
words! {
    /// State of the app when the push reached it.
    pub AppState { Foreground = "foreground", Background = "background", NotRunning = "not_running" }
}
words! {
    /// The system interface that a call was reported to.
    pub CallUi {
        Callkit = "callkit",
        LiveCommunicationKit = "live_communication_kit",
        Telecom = "telecom",
        Custom = "custom",
    }
}
words! {
    /// Why a call ended: the words of `CXCallEndedReason` (Apple, CallKit), `local` for an end by this device's user,
    /// `timeout` for a server's own.
    pub EndReason {
        Failed = "failed",
        RemoteEnded = "remote_ended",
        Unanswered = "unanswered",
        AnsweredElsewhere = "answered_elsewhere",
        DeclinedElsewhere = "declined_elsewhere",
        Local = "local",
        Timeout = "timeout",
    }
}
words! {
    /// Whose device a leg is.
    pub Role { Callee = "callee", Caller = "caller" }
}
words! {
    /// The report verdict of a leg (contract section 4.1).
    pub Verdict {
        Pending = "pending",
        NotApplicable = "not_applicable",
        Rejected = "rejected",
        NoReceipt = "no_receipt",
        Exempt = "exempt",
        Reported = "reported",
        ReportedLate = "reported_late",
        Filtered = "filtered",
        ReportError = "report_error",
        Unreported = "unreported",
    }
}
words! {
    /// How sure an `unreported` verdict is.
    pub Evidence { Confirmed = "confirmed", Probable = "probable" }
}
words! {
    /// What became of a leg or a call (contract section 4.2).
    pub Outcome {
        Answered = "answered",
        Declined = "declined",
        Failed = "failed",
        Cancelled = "cancelled",
        Unanswered = "unanswered",
        AnsweredElsewhere = "answered_elsewhere",
        DeclinedElsewhere = "declined_elsewhere",
        Busy = "busy",
        Filtered = "filtered",
        Unreachable = "unreachable",
        Unknown = "unknown",
        InProgress = "in_progress",
    }
}
words! {
    /// Findings about a leg (contract section 4.4), declared in alphabetical order, which is the order of the column.
    pub Diagnosis {
        AcceptedNotReceived = "accepted_not_received",
        ActionTimedOut = "action_timed_out",
        AnsweredAfterCancel = "answered_after_cancel",
        AnsweredWithoutAudio = "answered_without_audio",
        BadDeviceToken = "bad_device_token",
        CallkitForbiddenStorefront = "callkit_forbidden_storefront",
        CallkitUnavailable = "callkit_unavailable",
        CredentialError = "credential_error",
        DeadToken = "dead_token",
        DuplicatePush = "duplicate_push",
        ExpiredPush = "expired_push",
        FilteredBlockList = "filtered_block_list",
        FilteredDoNotDisturb = "filtered_do_not_disturb",
        FilteredRestrictedSharing = "filtered_restricted_sharing",
        FilteredSensitiveParticipants = "filtered_sensitive_participants",
        ForegroundServiceBlocked = "foreground_service_blocked",
        GhostCall = "ghost_call",
        LatePush = "late_push",
        LimitExceeded = "limit_exceeded",
        OrphanReport = "orphan_report",
        PriorityLowered = "priority_lowered",
        PushUnreported = "push_unreported",
        ReportError = "report_error",
        ReportEventMissing = "report_event_missing",
        ReportLate = "report_late",
        Throttled = "throttled",
        TopicError = "topic_error",
        UuidMismatch = "uuid_mismatch",
        VoipPushMisused = "voip_push_misused",
    }
}

impl EndReason {
    /// The word of a `CXCallEndedReason` raw value (Apple, CallKit: 1 `failed` to 5 `declinedElsewhere`).
    pub fn from_callkit(raw: i64) -> Option<Self> {
        match raw {
            1 => Some(EndReason::Failed),
            2 => Some(EndReason::RemoteEnded),
            3 => Some(EndReason::Unanswered),
            4 => Some(EndReason::AnsweredElsewhere),
            5 => Some(EndReason::DeclinedElsewhere),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Diagnosis;

    #[test]
    fn diagnoses_are_declared_in_alphabetical_order() {
        assert!(Diagnosis::ALL.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));
    }
}
