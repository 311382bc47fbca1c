//! What can be seen in the linked results: every part of the contract, and every incident by its name.

use std::collections::BTreeMap;

use ringtrace_model::{Diagnosis, EndReason, Known, LegRow, Outcome, Verdict};
use ringtrace_simulator::Plan;

use crate::folding::{Folded, HOUR_MS, plan, required};

/// A world in which rare things are less rare; the end-to-end tests use it too.
const EVENTFUL: &str = include_str!("../../../../tests/src/eventful.toml");

#[test]
fn everything_that_the_contract_names_is_there() {
    let incidents = ["cancel-by-voip-push@1h,for=1h,size=0.3", "expired-certificate@2h,for=10m"];
    let folded = Folded::of(EVENTFUL, plan(1, 4, 6.0, &incidents));
    for known in Known::ALL {
        assert!(folded.kinds.get(known.as_str()).is_some_and(|count| *count >= 3), "{}", known.as_str());
    }
    assert!(folded.kinds["network.changed"] >= 3, "kinds that nobody knows");
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut see = |what: String| *seen.entry(what).or_default() += 1;
    folded.each_leg(|leg, _| {
        see(format!("verdict {}", leg.verdict.as_str()));
        see(format!("line {}", leg.decision.line));
        see(format!("outcome {}", leg.outcome.as_str()));
        see(format!("channel {:?}", leg.channel));
        see(format!("call_ui {:?}", leg.call_ui));
        see(format!("platform {:?}", leg.platform));
        leg.diagnoses.iter().for_each(|diagnosis| see(format!("diagnosis {}", diagnosis.as_str())));
        if let Some(reason) = leg.end_reason {
            see(format!("end_reason {}", reason.as_str()));
        }
    });
    folded.each_call(|call, _| {
        see(format!("call outcome {}", call.outcome.as_str()));
        if let Some(reason) = call.end_reason {
            see(format!("end_reason {}", reason.as_str()));
        }
    });
    let never = [Outcome::AnsweredElsewhere, Outcome::DeclinedElsewhere, Outcome::InProgress];
    let of_call = Outcome::ALL.iter().filter(|outcome| !never.contains(outcome));
    let expected =
        (Verdict::ALL.iter().filter(|verdict| **verdict != Verdict::Pending).map(|it| ("verdict", it.as_str())))
            .chain(Outcome::ALL.iter().filter(|it| **it != Outcome::InProgress).map(|it| ("outcome", it.as_str())))
            .chain(Diagnosis::ALL.iter().map(|it| ("diagnosis", it.as_str())))
            .chain(EndReason::ALL.iter().map(|it| ("end_reason", it.as_str())))
            .chain(of_call.map(|it| ("call outcome", it.as_str())))
            .chain(
                (1..14).filter(|line| *line != 4).map(|line| {
                    ("line", ["", "1", "2", "3", "", "5", "6", "7", "8", "9", "10", "11", "12", "13"][line])
                }),
            )
            .map(|(what, word)| format!("{what} {word}"));
    let missing: Vec<String> = expected.filter(|what| seen.get(what).copied().unwrap_or_default() < 3).collect();
    assert!(missing.is_empty(), "{missing:?} of {seen:#?}");
}

#[test]
fn groups_stand_out() {
    let folded = Folded::of("", plan(2, 3, 4.0, &[]));
    let of_version = |version: &'static str| {
        move |leg: &LegRow<'_>| {
            leg.app_id == "com.acme.talk" && leg.app_version == Some(version) && required(leg.verdict)
        }
    };
    let violates = |leg: &LegRow<'_>| leg.verdict == Verdict::Unreported;
    let (broken, sound) = (folded.rate(of_version("5.3.0"), violates), folded.rate(of_version("5.2.4"), violates));
    assert!(broken > 0.04 && sound < 0.005, "{broken} {sound}");
    let lowered = |leg: &LegRow<'_>| leg.diagnoses.contains(Diagnosis::PriorityLowered);
    let of_model = |model: &'static str| move |leg: &LegRow<'_>| leg.device_model == Some(model);
    assert!(folded.rate(of_model("Redmi Note 13"), lowered) > 0.15 && folded.rate(of_model("Pixel 9"), lowered) < 0.03);
    let answered = folded.count(|leg| leg.outcome == Outcome::Answered && leg.role.as_str() == "callee");
    let calls = folded.call_truths.len();
    assert!((35..65).contains(&(answered * 100 / calls)), "{answered} of {calls} calls are answered");
}

#[test]
fn a_broken_release_goes_out_in_steps_and_is_replaced() {
    let folded = Folded::of("", plan(3, 7, 2.5, &["broken-release@1h,for=4h,size=0.4"]));
    let of_hour = |hour: i64, version: &'static str| {
        let from = Plan::START + hour * HOUR_MS;
        folded.count(|leg| {
            let is_of_hour = (from..from + HOUR_MS).contains(&leg.started_at);
            leg.app_version == Some(version) && is_of_hour && required(leg.verdict)
        })
    };
    let by_hour: Vec<usize> = (0..7).map(|hour| of_hour(hour, "5.4.0")).collect();
    assert_eq!(by_hour[0], 0, "{by_hour:?}");
    assert!(by_hour[2] < by_hour[3] && by_hour[3] < by_hour[4] && by_hour[4] > 60, "{by_hour:?}");
    assert_eq!(&by_hour[5..], [0; 2], "{by_hour:?}");
    assert!(of_hour(6, "5.4.1") > 60);
    let broken = folded.rate(
        |leg| leg.app_version == Some("5.4.0") && required(leg.verdict),
        |leg| leg.verdict == Verdict::Unreported,
    );
    assert!((0.25..0.5).contains(&broken), "{broken}");
    let not_woken = folded.devices.iter().filter(|device| device.not_woken_since.is_some()).count();
    assert!(not_woken > 10, "iOS wakes {not_woken} devices no more");
}

/// Shares of legs of some app, country or carrier for which something holds: within the hour of the incident, and before it.
fn during_and_before(
    incident: &str,
    seed: u64,
    of: impl Fn(&LegRow<'_>) -> bool,
    holds: impl Fn(&LegRow<'_>) -> bool,
) -> (f64, f64) {
    let folded = Folded::of("", plan(seed, 2, 3.0, &[incident]));
    let from = Plan::START + HOUR_MS;
    let touched = folded.incidents[0].touched;
    assert!(touched > 20, "{incident} touched {touched}");
    let share = |span: std::ops::Range<i64>| {
        folded.rate(|leg| of(leg) && span.contains(&leg.started_at) && leg.role.as_str() == "callee", &holds)
    };
    let shares = (share(from..from + HOUR_MS), share(Plan::START..from));
    println!("{incident}: {shares:?}, touched {touched}");
    shares
}

fn is_ios(leg: &LegRow<'_>) -> bool {
    leg.channel.is_some_and(|channel| channel.as_str() == "apns_voip")
}

fn is_talk(leg: &LegRow<'_>) -> bool {
    leg.app_id == "com.acme.talk" && is_ios(leg)
}

#[test]
fn an_expired_certificate_shows_as_credential_errors_in_its_hour_only() {
    let holds =
        |leg: &LegRow<'_>| leg.diagnoses.contains(Diagnosis::CredentialError) && leg.verdict == Verdict::Rejected;
    let (during, before) = during_and_before("expired-certificate@1h,for=1h", 4, is_talk, holds);
    assert!(during > 0.95 && before == 0.0);
    let other = |leg: &LegRow<'_>| leg.app_id == "com.globex.care" && is_ios(leg);
    assert_eq!(during_and_before("expired-certificate@1h,for=1h", 4, other, holds), (0.0, 0.0));
}

#[test]
fn a_slow_apns_shows_as_late_pushes_of_one_country() {
    let slow = |leg: &LegRow<'_>| leg.diagnoses.contains(Diagnosis::LatePush);
    let of = |country: &'static str| move |leg: &LegRow<'_>| leg.country == Some(country) && is_ios(leg);
    let (during, before) = during_and_before("apns-slow@1h,for=1h,country=DE", 5, of("DE"), slow);
    assert!(during > 0.3 && before < 0.05);
    let (during, _) = during_and_before("apns-slow@1h,for=1h,country=DE", 5, of("GB"), slow);
    assert!(during < 0.05);
}

#[test]
fn a_carrier_s_outage_shows_as_pushes_without_receipt_on_its_network() {
    let gone = |leg: &LegRow<'_>| leg.diagnoses.contains(Diagnosis::LatePush) || leg.verdict == Verdict::NoReceipt;
    // Legs without receipt have no carrier: nobody has told it. What is left is less and late.
    let folded = Folded::of("", plan(6, 2, 6.0, &["carrier-outage@1h,for=1h,carrier=Albion,size=1"]));
    let truths = |span: std::ops::Range<i64>, network: Option<bool>| {
        let legs =
            folded.legs.iter().filter(|leg| leg.country == "GB" && leg.role == "callee" && leg.platform == "ios");
        let legs = legs.filter(|leg| leg.sent_at.is_some_and(|at| span.contains(&at)));
        let legs: Vec<_> =
            legs.filter(|leg| network.is_none_or(|touched| touched != leg.incidents.is_empty())).collect();
        (legs.len(), legs.iter().filter(|leg| leg.verdict == "no_receipt").count())
    };
    let hour = Plan::START + HOUR_MS;
    let (touched, unreceived) = truths(hour..hour + HOUR_MS, Some(true));
    assert!(touched > 30 && unreceived * 10 > touched * 7, "{unreceived} of {touched}");
    let (all, unreceived) = truths(Plan::START..hour, None);
    assert!(unreceived * 10 < all, "{unreceived} of {all}");
    assert!(folded.count(gone) > 30);
}

#[test]
fn an_outage_of_telemetry_shows_as_missing_receipts_and_not_as_violations() {
    let unseen = |leg: &LegRow<'_>| leg.verdict == Verdict::NoReceipt;
    let (during, before) = during_and_before("telemetry-outage@1h,for=1h,size=0.6", 7, is_ios, unseen);
    assert!(during > 0.2 && before < 0.06);
    let confirmed = |leg: &LegRow<'_>| leg.verdict == Verdict::Unreported && leg.app_version != Some("5.3.0");
    let (during, _) = during_and_before("telemetry-outage@1h,for=1h,size=0.6", 7, is_ios, confirmed);
    assert!(during < 0.01);
}

#[test]
fn a_clock_bug_shows_as_impossible_latencies_of_one_version() {
    let odd = |leg: &LegRow<'_>| {
        leg.received_at.is_some() && leg.latencies.sent_to_received_ms.is_none_or(|ms| ms > 3_000_000)
    };
    let of = |version: &'static str| move |leg: &LegRow<'_>| is_talk(leg) && leg.app_version == Some(version);
    let (during, before) = during_and_before("clock-bug@1h,for=1h,version=5.2.4", 8, of("5.2.4"), odd);
    assert!(during > 0.9 && before < 0.02);
    let (during, _) = during_and_before("clock-bug@1h,for=1h,version=5.2.4", 8, of("5.3.1"), odd);
    assert!(during < 0.02);
}

#[test]
fn mixed_up_tokens_show_as_bad_device_tokens() {
    let bad = |leg: &LegRow<'_>| leg.diagnoses.contains(Diagnosis::BadDeviceToken);
    let (during, before) = during_and_before("token-mix-up@1h,for=1h,size=0.5", 9, is_talk, bad);
    assert!((0.4..0.6).contains(&during) && before < 0.01);
}

#[test]
fn cancels_by_voip_push_show_as_misuse_and_some_get_the_app_killed() {
    let misused = |leg: &LegRow<'_>| leg.diagnoses.contains(Diagnosis::VoipPushMisused);
    let (during, before) = during_and_before("cancel-by-voip-push@1h,for=1h", 10, is_talk, misused);
    assert!(during > 0.1 && before < 0.02);
    let killed = |leg: &LegRow<'_>| misused(leg) && leg.verdict == Verdict::Unreported;
    let (during, _) = during_and_before("cancel-by-voip-push@1h,for=1h", 10, is_talk, killed);
    assert!(during > 0.005);
}

#[test]
fn lost_wake_ups_show_as_silence_that_accuses_nobody() {
    let silent = |leg: &LegRow<'_>| leg.diagnoses.contains(Diagnosis::AcceptedNotReceived);
    let (during, before) = during_and_before("lost-wake-ups@1h,size=0.4,app=com.acme.talk", 11, is_talk, silent);
    assert!(during > 0.3 && before < 0.08);
}
