//! What to tell a person: why a verdict is what it is, and of every diagnosis its cause, its remedy and the vendor's page.

use crate::verdict::Decision;
use crate::words::{Diagnosis, Outcome, Verdict};

/// A page of Apple's or Google's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document {
    /// Vendor and title.
    pub title: &'static str,
    /// Where it stands.
    pub url: &'static str,
}

/// What a diagnosis means and what to do about it, each in one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What the advice is for.
    pub diagnosis: Diagnosis,
    /// What brings it about.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The vendor's page on it; `None` where it is about Ringtrace or the app's own telemetry alone.
    pub document: Option<Document>,
}

impl Diagnosis {
    /// What the diagnosis means and what to do about it.
    pub const fn advice(self) -> Advice {
        ADVICE[self as usize]
    }
}

impl Decision {
    /// The condition of the line that decided, in one sentence.
    pub fn reason(&self) -> &'static str {
        let line = usize::from(self.line).checked_sub(1).and_then(|index| LINES.get(index));
        line.copied().unwrap_or_default()
    }
}

/// The lines of the verdict table (contract section 4.1), from the first on.
pub const LINES: [&str; 14] = [
    "iOS killed the app because a VoIP push was never reported as a call.",
    "No incoming-call VoIP push belongs to this leg, so there was nothing to report.",
    "The push service took none of the pushes, and the device showed nothing of the call.",
    "No sign of the push from the device yet, and it may still come.",
    "No sign of the push ever came from the device; silence is not a violation.",
    "The device got the push, but iOS did not ask for a report (platform, iOS version, foreground, a call in progress or mustReport).",
    "The call was reported to the system in time, or nothing says when the push arrived.",
    "The call was reported to the system, but after the deadline.",
    "The app reported the call and the system filtered it, which counts as reported.",
    "The app tried to report the call and the system refused with an error.",
    "No report event came, but the device showed a sign of the call, so the system knew it.",
    "The PushKit handler returned without a report.",
    "The device got the push, and neither a report nor a sign of the call came before the deadline and the telemetry grace ran out.",
    "The device got the push, and the report may still come.",
];

impl Verdict {
    /// What the verdict says of a leg, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Verdict::Pending => "The push or its report may still come.",
            Verdict::NotApplicable => "No incoming-call VoIP push belongs to the leg.",
            Verdict::Rejected => "The push service took none of the pushes.",
            Verdict::NoReceipt => "No sign of the push ever came from the device.",
            Verdict::Exempt => "The device got the push, but iOS did not ask for a report.",
            Verdict::Reported => "The app reported the call to the system in time.",
            Verdict::ReportedLate => "The app reported the call after the deadline.",
            Verdict::Filtered => "The app reported the call, and Do Not Disturb, a block list or the like filtered it.",
            Verdict::ReportError => "The app tried to report the call, and the system refused with an error.",
            Verdict::Unreported => "The device got the push and reported no call: a violation.",
        }
    }
}

impl Outcome {
    /// What the outcome says of a leg or a call, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Outcome::Answered => "Somebody answered.",
            Outcome::Declined => "Somebody declined.",
            Outcome::Failed => "The call failed, as the device or the server says.",
            Outcome::Cancelled => "The caller gave up before an answer.",
            Outcome::Unanswered => "It rang, and nobody answered.",
            Outcome::AnsweredElsewhere => "Another device answered.",
            Outcome::DeclinedElsewhere => "Another device declined.",
            Outcome::Busy => "The callee was busy.",
            Outcome::Filtered => "The system kept the call from ringing.",
            Outcome::Unreachable => "No push reached the device, or the app did not report the call.",
            Outcome::Unknown => "Too long ago to be going on, and nothing says how it ended.",
            Outcome::InProgress => "It may still be going on.",
        }
    }
}

const VOIP_RULE: Option<Document> = Some(Document {
    title: "Apple, PushKit: PKPushType.voIP",
    url: "https://developer.apple.com/documentation/pushkit/pkpushtype/voip",
});
const VOIP_GUIDE: Option<Document> = Some(Document {
    title: "Apple, PushKit: Responding to VoIP Notifications from PushKit",
    url: "https://developer.apple.com/documentation/pushkit/responding-to-voip-notifications-from-pushkit",
});
const APNS_REQUESTS: Option<Document> = Some(Document {
    title: "Apple, User Notifications: Sending notification requests to APNs",
    url: "https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns",
});
const APNS_RESPONSES: Option<Document> = Some(Document {
    title: "Apple, User Notifications: Handling notification responses from APNs",
    url: "https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns",
});
const APNS_TROUBLE: Option<Document> = Some(Document {
    title: "Apple, User Notifications: Troubleshooting push notifications",
    url: "https://developer.apple.com/documentation/usernotifications/troubleshooting-push-notifications",
});
const INCOMING_CALL_ERRORS: Option<Document> = Some(Document {
    title: "Apple, CallKit: CXErrorCodeIncomingCallError",
    url: "https://developer.apple.com/documentation/callkit/cxerrorcodeincomingcallerror-swift.struct",
});
const PROVIDER: Option<Document> = Some(Document {
    title: "Apple, CallKit: CXProviderDelegate",
    url: "https://developer.apple.com/documentation/callkit/cxproviderdelegate",
});
const AUDIO: Option<Document> = Some(Document {
    title: "Apple, CallKit: provider(_:didActivate:)",
    url: "https://developer.apple.com/documentation/callkit/cxproviderdelegate/provider(_:didactivate:)",
});
const TIMED_OUT: Option<Document> = Some(Document {
    title: "Apple, CallKit: provider(_:timedOutPerforming:)",
    url: "https://developer.apple.com/documentation/callkit/cxproviderdelegate/provider(_:timedoutperforming:)",
});
const CONVERSATIONS: Option<Document> = Some(Document {
    title: "Apple, LiveCommunicationKit: reportNewIncomingConversation(uuid:update:)",
    url: "https://developer.apple.com/documentation/livecommunicationkit/conversationmanager/reportnewincomingconversation(uuid:update:)",
});
const FCM_PRIORITY: Option<Document> = Some(Document {
    title: "Google, Firebase Cloud Messaging: Android message priority",
    url: "https://firebase.google.com/docs/cloud-messaging/android/message-priority",
});
const FOREGROUND_SERVICES: Option<Document> = Some(Document {
    title: "Google, Android: Restrictions on starting a foreground service from the background",
    url: "https://developer.android.com/develop/background-work/services/fgs/restrictions-bg-start",
});

const fn entry(diagnosis: Diagnosis, document: Option<Document>, cause: &'static str, remedy: &'static str) -> Advice {
    Advice { diagnosis, cause, remedy, document }
}

/// One entry for every diagnosis, in the order of [`Diagnosis::ALL`].
const ADVICE: [Advice; Diagnosis::ALL.len()] = [
    entry(
        Diagnosis::AcceptedNotReceived,
        APNS_TROUBLE,
        "The push service took the push, but the device never said that it arrived: it was offline, the push was dropped, iOS no longer wakes the app, or telemetry was lost.",
        "Compare with other pushes and telemetry of the same device; if it is alive and gets pushes only in the foreground, suspect that iOS stopped launching the app for VoIP pushes and look for earlier unreported ones.",
    ),
    entry(
        Diagnosis::ActionTimedOut,
        TIMED_OUT,
        "The app neither fulfilled nor failed a CallKit action before its timeout.",
        "Fulfil or fail every CXAction at once, and do slow work such as joining the media afterwards.",
    ),
    entry(
        Diagnosis::AnsweredAfterCancel,
        VOIP_GUIDE,
        "The caller had given up, but the device was still ringing when the user answered.",
        "Carry cancels to ringing devices over the app's own connection, opened when the push arrives, and end the call with remoteEnded; never send the cancel as a VoIP push.",
    ),
    entry(
        Diagnosis::AnsweredWithoutAudio,
        AUDIO,
        "The call was answered, but CallKit did not activate the audio session within 10 seconds.",
        "Configure the audio session before fulfilling the answer action, start audio only in provider(_:didActivate:), and never activate the session yourself.",
    ),
    entry(
        Diagnosis::BadDeviceToken,
        APNS_RESPONSES,
        "The device token is malformed, belongs to the other APNs environment or belongs to another app.",
        "Store the environment and bundle id with each token, and send tokens of development builds to the sandbox and all others to production.",
    ),
    entry(
        Diagnosis::CallkitForbiddenStorefront,
        CONVERSATIONS,
        "The app used CallKit on a device of the mainland China storefront, where apps must not.",
        "Report calls to LiveCommunicationKit there, or use ordinary notifications instead of VoIP pushes.",
    ),
    entry(
        Diagnosis::CallkitUnavailable,
        PROVIDER,
        "A VoIP push went to a device older than iOS 10, which has no CallKit.",
        "Require a later iOS version, or send ordinary notifications to these devices.",
    ),
    entry(
        Diagnosis::CredentialError,
        APNS_RESPONSES,
        "The push service refused the sender's certificate, key or project, which usually stops every push of the app.",
        "Renew or correct the provider token, certificate or service account, and check that it belongs to this team, bundle and environment or FCM project.",
    ),
    entry(
        Diagnosis::DeadToken,
        APNS_RESPONSES,
        "The token is no longer registered: the app was removed or the system issued a new token.",
        "Delete the token, unless it was registered again after the timestamp of the response, and let the app upload its token at every launch.",
    ),
    entry(
        Diagnosis::DuplicatePush,
        VOIP_RULE,
        "The device got more than one push for this call, mostly from stale tokens of the same device or from retries.",
        "Keep one VoIP token for each device, retry only what the push service did not accept, and report every push under the same call UUID.",
    ),
    entry(
        Diagnosis::ExpiredPush,
        APNS_REQUESTS,
        "The push arrived after its own expiry, which APNs does not rule out.",
        "Put the expiry into the payload too; on the device still report the call, then end it at once.",
    ),
    entry(
        Diagnosis::FilteredBlockList,
        INCOMING_CALL_ERRORS,
        "The user has blocked the caller.",
        "Nothing is broken: show the call as missed or not at all, and count it apart from violations.",
    ),
    entry(
        Diagnosis::FilteredDoNotDisturb,
        INCOMING_CALL_ERRORS,
        "Do Not Disturb or a Focus kept the call from ringing.",
        "Nothing is broken: tell the server, show a missed call, and count it apart from violations.",
    ),
    entry(
        Diagnosis::FilteredRestrictedSharing,
        INCOMING_CALL_ERRORS,
        "The system was in restricted sharing mode and kept the call from ringing.",
        "Nothing is broken: tell the server and show a missed call.",
    ),
    entry(
        Diagnosis::FilteredSensitiveParticipants,
        INCOMING_CALL_ERRORS,
        "The system filtered the call because of its participants.",
        "Nothing is broken: tell the server and show a missed call.",
    ),
    entry(
        Diagnosis::ForegroundServiceBlocked,
        FOREGROUND_SERVICES,
        "Android refused to start the call's foreground service from the background.",
        "Send calls as high-priority FCM messages, start the service at once when one arrives, and declare the phone call service type.",
    ),
    entry(
        Diagnosis::GhostCall,
        APNS_REQUESTS,
        "The push reached the device when the call was already over.",
        "Set a short expiry, ask the server on arrival whether the call is still on, and report and then end it at once where it is not.",
    ),
    entry(
        Diagnosis::LatePush,
        APNS_REQUESTS,
        "The push took more than 10 seconds from being sent to reaching the device.",
        "Send with priority 10 and a short expiry or, on Android, with high priority, and compare by carrier, network and device model.",
    ),
    entry(
        Diagnosis::LimitExceeded,
        None,
        "The call has more pushes on a leg or more devices than Ringtrace keeps; those beyond are in the history only.",
        "Look for a sender that retries without end or that uses one call UUID for many calls.",
    ),
    entry(
        Diagnosis::OrphanReport,
        VOIP_GUIDE,
        "The device handled a call of which no push and no call.initiated is known, mostly because the app made the UUID itself.",
        "Give CallKit the UUID that the server put into the push, and check that server events of this tenant reach Kafka.",
    ),
    entry(
        Diagnosis::PriorityLowered,
        FCM_PRIORITY,
        "FCM delivered a high-priority message with normal priority, which it does to apps whose high-priority messages show the user nothing.",
        "Use high priority for calls alone and post a notification for each of them at once.",
    ),
    entry(
        Diagnosis::PushUnreported,
        VOIP_RULE,
        "The app got a VoIP push and reported no call, for which iOS ends the app and, if it happens repeatedly, stops launching it for VoIP pushes.",
        "Report a call on every path before the PushKit delegate method returns, also for payloads that can't be read or calls that are over, and end it afterwards.",
    ),
    entry(
        Diagnosis::ReportError,
        INCOMING_CALL_ERRORS,
        "The system refused the report with an error that is no filter.",
        "Look at error domain and code of call.report_failed: 1 is a missing entitlement, 6 a protected call, 0 unknown.",
    ),
    entry(
        Diagnosis::ReportEventMissing,
        None,
        "The device answered, declined or ended the call, yet its call.reported event never came.",
        "Write the report to the device's journal before making it, and upload the journal at the next launch.",
    ),
    entry(
        Diagnosis::ReportLate,
        VOIP_GUIDE,
        "The app reported the call only after the deadline, where the system may already have ended it.",
        "Report first and synchronously in the PushKit delegate method, and fetch names, decrypt or start bridges afterwards.",
    ),
    entry(
        Diagnosis::Throttled,
        APNS_RESPONSES,
        "The push service answered with status 429: too many requests.",
        "Back off, send one push for each device and call, and renew provider tokens no more often than every 20 minutes.",
    ),
    entry(
        Diagnosis::TopicError,
        APNS_REQUESTS,
        "The topic of the request is missing, wrong or not allowed for this credential.",
        "Send VoIP pushes with apns-topic set to the bundle id followed by .voip and apns-push-type voip, under a credential of that app.",
    ),
    entry(
        Diagnosis::UuidMismatch,
        VOIP_GUIDE,
        "CallKit was given another UUID than the push carries, so ends and cancels may miss the call.",
        "Use the call UUID of the push for every CallKit call.",
    ),
    entry(
        Diagnosis::VoipPushMisused,
        VOIP_RULE,
        "A VoIP push was sent for something other than an incoming call; the app has nothing to report for it, and iOS punishes that.",
        "Send cancels and data over the app's own connection or as ordinary notifications.",
    ),
];

#[cfg(test)]
mod tests {
    use super::{ADVICE, LINES};
    use crate::words::Diagnosis;

    #[test]
    fn every_diagnosis_has_its_own_advice() {
        for (diagnosis, advice) in Diagnosis::ALL.iter().zip(&ADVICE) {
            assert_eq!(*diagnosis, advice.diagnosis);
        }
    }

    #[test]
    fn texts_are_single_sentences() {
        let advice = ADVICE.iter().flat_map(|advice| [advice.cause, advice.remedy]);
        for text in advice.chain(LINES) {
            assert!(text.ends_with('.') && !text.contains(". "), "{text}");
        }
        for document in ADVICE.iter().filter_map(|advice| advice.document) {
            assert!(document.title.starts_with("Apple, ") || document.title.starts_with("Google, "), "{document:?}");
            assert!(document.url.starts_with("https://"), "{document:?}");
        }
    }
}
