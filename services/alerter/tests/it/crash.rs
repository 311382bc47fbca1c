//! Which push a kill without a call is matched to, and the event that it becomes.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use ringtrace_alerter::crash::{Crash, Inferred, Push, blamed, event_id};
use ringtrace_model::{Call, CallKey, Event, Evidence, Rules, Verdict};

/// When the app was killed.
const KILLED_AT: i64 = 1_793_520_100_000;

fn crash() -> Crash {
    Crash {
        tenant_id: "acme".to_owned(),
        app_id: "com.acme.talk".to_owned(),
        device_id: "iphone-1".to_owned(),
        event_id: "report-1".to_owned(),
        contents: 7,
        occurred_at: KILLED_AT + 250,
        clock_offset_ms: -250,
        dimensions: vec![("platform".to_owned(), "ios".to_owned()), ("app_version".to_owned(), "5.3.0".to_owned())],
        attributes:
            r#"{"crash_user":"ann@example.com","termination_code":3131951633,"termination_namespace":"FRONTBOARD"}"#
                .to_owned(),
        source: "device-events/0/41".to_owned(),
        log_at: KILLED_AT + 5_000,
    }
}

fn call(nth: u32) -> String {
    format!("00000000-0000-4000-8000-{nth:012}")
}

/// A push so many milliseconds before the kill, received or only accepted.
fn push(nth: u32, verdict: Verdict, received: Option<i64>, accepted: Option<i64>) -> Push {
    Push {
        tenant_id: "acme".to_owned(),
        app_id: "com.acme.talk".to_owned(),
        device_id: "iphone-1".to_owned(),
        call_uuid: call(nth),
        verdict,
        is_confirmed: false,
        received_at: received.map(|before_ms| KILLED_AT - before_ms),
        accepted_at: accepted.map(|before_ms| KILLED_AT - before_ms),
    }
}

fn check(name: &str, pushes: &[Push], expected: Option<u32>) {
    let found = blamed(&crash(), pushes, &Rules::default()).map(|push| push.call_uuid.clone());
    assert_eq!(found, expected.map(call), "{name}");
}

#[test]
fn the_last_push_whose_report_is_owed_is_to_blame() {
    use Verdict::{Exempt, Filtered, NoReceipt, Pending, Reported, ReportedLate, Unreported};
    let (received, accepted) = (
        |nth, verdict, ms| push(nth, verdict, Some(ms), Some(ms + 400)),
        |nth, verdict, ms| push(nth, verdict, None, Some(ms)),
    );
    check("none", &[], None);
    check("received", &[received(1, Pending, 7_000)], Some(1));
    check("accepted", &[accepted(1, NoReceipt, 8_000)], Some(1));
    check("the last", &[received(1, Unreported, 9_000), received(2, Unreported, 2_000)], Some(2));
    check("received after it was accepted", &[received(1, Unreported, 3_000), accepted(2, NoReceipt, 4_000)], Some(1));
    check("the last has reported", &[received(1, ReportedLate, 9_000), received(2, Reported, 2_000)], Some(1));
    check("all have reported", &[received(1, Reported, 9_000), received(2, Filtered, 2_000)], None);
    check("not required", &[received(1, Exempt, 1_000)], None);
    check("30 s after its receipt", &[received(1, Unreported, 30_000)], Some(1));
    check("later", &[received(1, Unreported, 30_001)], None);
    check("60 s after it was accepted", &[accepted(1, NoReceipt, 60_000)], Some(1));
    check("later", &[accepted(1, NoReceipt, 60_001)], None);
    check("not sent", &[push(1, Pending, None, None)], None);
    check("a crash reporter that cuts off a second", &[received(1, Unreported, -1_000)], Some(1));
    check("before its push", &[received(1, Unreported, -1_001)], None);
    check("the one before it", &[received(1, Unreported, 20_000), received(2, Unreported, -500)], Some(1));
}

#[test]
fn others_are_not_to_blame() {
    let change: [fn(&mut Push); 3] =
        [|push| push.tenant_id.push('x'), |push| push.app_id.push('x'), |push| push.device_id.push('x')];
    for change in change {
        let mut other = push(1, Verdict::Unreported, Some(1_000), None);
        change(&mut other);
        check("another's", &[other], None);
    }
}

#[test]
fn what_is_inferred_is_probable_evidence_and_tells_no_more_than_it_must() {
    let blamed = push(3, Verdict::NoReceipt, None, Some(8_000));
    let inferred = Inferred::of(&crash(), &blamed);
    assert!(!inferred.value.contains("ann@example.com"), "{}", inferred.value);
    assert_eq!((inferred.call_uuid.as_str(), inferred.source.as_str()), (call(3).as_str(), "device-events/0/41"));
    let event = Event::parse(inferred.value.as_bytes(), KILLED_AT + 60_000).unwrap();
    assert_eq!((event.occurred_at, event.corrected_at()), (KILLED_AT + 250, KILLED_AT));
    let sent = format!(
        r#"{{"event_id":"s","kind":"push.sent","channel":"apns_voip","occurred_at":{},"app_id":"com.acme.talk",
            "call_uuid":"{}","device_id":"iphone-1","tenant_id":"acme"}}"#,
        KILLED_AT - 8_200,
        call(3),
    );
    let mut folded = Call::default();
    folded.apply(&Event::parse(sent.as_bytes(), KILLED_AT).unwrap(), KILLED_AT);
    folded.apply(&event, KILLED_AT + 60_000);
    let key = CallKey { tenant_id: "acme".into(), call_uuid: event.call_uuid.unwrap() };
    let evaluation = folded.evaluate(&key, &Rules::default(), i64::MAX).unwrap();
    let leg = &evaluation.legs[0];
    assert_eq!((leg.verdict, leg.evidence), (Verdict::Unreported, Some(Evidence::Probable)));
    assert_eq!(leg.app_version, Some("5.3.0"));
}

prop_compose! {
    fn any_push()(
        nth in 0..1_000u32,
        verdict in select(Verdict::ALL),
        received in proptest::option::of(-5_000..40_000i64),
        accepted in proptest::option::of(-5_000..70_000i64),
        device in select(&["iphone-1", "iphone-2"][..]),
        tenant in select(&["acme", "other"][..]),
    ) -> Push {
        Push { device_id: device.to_owned(), tenant_id: tenant.to_owned(), ..push(nth, verdict, received, accepted) }
    }
}

proptest! {
    #[test]
    fn the_order_and_the_pushes_of_others_change_nothing(
        (pushes, shuffled) in proptest::collection::vec(any_push(), 0..12)
            .prop_flat_map(|pushes| (Just(pushes.clone()), Just(pushes).prop_shuffle())),
    ) {
        let found = blamed(&crash(), &pushes, &Rules::default());
        prop_assert_eq!(found.map(|push| &push.call_uuid), blamed(&crash(), &shuffled, &Rules::default()).map(|push| &push.call_uuid));
        let own: Vec<Push> = pushes.iter().filter(|push| push.is_of(&crash())).cloned().collect();
        prop_assert_eq!(found, blamed(&crash(), &own, &Rules::default()));
    }

    #[test]
    fn only_the_same_crash_and_call_have_the_same_name(
        changed in subsequence(&["tenant", "device", "event", "contents", "call"][..], 0..=5),
    ) {
        let mut other = crash();
        let is = |part| changed.contains(&part);
        // Parts that run into each other stay apart.
        if is("tenant") { other.tenant_id = "acm".to_owned(); }
        if is("device") { other.device_id = "eiphone-1".to_owned(); }
        if is("event") { other.event_id = "report-10".to_owned(); }
        if is("contents") { other.contents = 8; }
        let (one, two) = (event_id(&crash(), &call(1)), event_id(&other, &call(if is("call") { 2 } else { 1 })));
        prop_assert_eq!(one == two, changed.is_empty());
        prop_assert!(two.len() <= 64);
    }
}
