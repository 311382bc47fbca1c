//! Where telemetry is complete, the linked result equals the truth.

use std::collections::HashSet;

use ringtrace_model::{CallRow, LegRow, Uuid};
use ringtrace_simulator::{CallTruth, LegTruth};

use crate::folding::{Folded, plan, seeds};

const EVERYTHING: &[&str] = &[
    "broken-release@0s,for=2h",
    "expired-certificate@20m,size=0.5,for=30m",
    "apns-slow@30m,for=40m",
    "carrier-outage@40m,for=20m",
    "telemetry-outage@50m,for=15m",
    "clock-bug@10m,for=30m",
    "token-mix-up@1h,for=20m",
    "cancel-by-voip-push@30m",
    "lost-wake-ups@1h",
];

fn check_leg(leg: &LegRow<'_>, truth: &LegTruth) {
    let evidence = leg.evidence.map(|evidence| evidence.as_str());
    assert_eq!((leg.verdict.as_str(), evidence), (truth.verdict, truth.evidence), "{leg:#?}\n{truth:#?}");
    let error = truth.clock_error_ms;
    let by_device = |at: Option<i64>| at.map(|at| at + error);
    let times = [
        ("sent_at", leg.sent_at, truth.sent_at),
        ("accepted_at", leg.accepted_at, truth.accepted_at),
        ("received_at", leg.received_at, by_device(truth.received_at)),
        ("reported_at", leg.reported_at, by_device(truth.reported_at)),
        ("answered_at", leg.answered_at, by_device(truth.answered_at)),
        ("declined_at", leg.declined_at, by_device(truth.declined_at)),
        ("audio_at", leg.audio_at, by_device(truth.audio_at)),
        ("ended_at", leg.ended_at, by_device(truth.ended_at)),
    ];
    for (name, linked, truly) in times {
        assert_eq!(linked, truly, "{name}: {leg:#?}\n{truth:#?}");
    }
    assert_eq!(leg.role.as_str(), truth.role);
    assert!(leg.app_version.is_none_or(|version| version == truth.app_version), "{leg:#?}");
}

fn check_call(call: &CallRow<'_>, truth: &CallTruth, clocks_are_right: bool) {
    assert_eq!(call.outcome.as_str(), truth.outcome, "{call:#?}\n{truth:#?}");
    assert_eq!(call.legs, truth.legs, "{call:#?}\n{truth:#?}");
    assert_eq!(call.initiated_at, truth.initiated_at, "{call:#?}");
    assert_eq!(call.connected_at, truth.connected_at, "{call:#?}");
    assert_eq!(call.cancelled_at, truth.cancelled_at, "{call:#?}");
    if clocks_are_right {
        assert_eq!(call.answered_at, truth.answered_at, "{call:#?}\n{truth:#?}");
        // Which device was the first is a matter of their own clocks (contract section 3, `x_at`).
        if truth.ended_by_server || truth.legs < 2 {
            assert_eq!(call.ended_at, truth.ended_at, "{call:#?}\n{truth:#?}");
        }
    }
}

/// Checks everything that is complete; gives how many legs and calls that are.
fn check(folded: &Folded) -> (usize, usize) {
    let (mut legs, mut calls) = (0, 0);
    let mut incomplete = HashSet::new();
    let mut wrong_clocks = HashSet::new();
    for truth in &folded.legs {
        let call = Uuid::from_u128(truth.call_uuid);
        if !folded.has_all_of(truth) {
            incomplete.insert(call);
        }
        if truth.clock_error_ms != 0 {
            wrong_clocks.insert(call);
        }
    }
    let of_call = |uuid: Uuid| {
        let truth = folded.call_truths.get(&uuid)?;
        let is_complete = truth.complete_at.is_some_and(|at| at <= folded.until) && !incomplete.contains(&uuid);
        is_complete.then_some(truth)
    };
    folded.each_leg(|leg, truth| {
        let Some(truth) = truth.filter(|truth| folded.has_all_of(truth)) else { return };
        check_leg(leg, truth);
        legs += 1;
        if of_call(leg.call_uuid).is_some() {
            assert_eq!(leg.outcome.as_str(), truth.outcome, "{leg:#?}\n{truth:#?}");
        }
    });
    folded.each_call(|call, _| {
        if let Some(truth) = of_call(call.call_uuid) {
            check_call(call, truth, !wrong_clocks.contains(&call.call_uuid));
            calls += 1;
        }
    });
    (legs, calls)
}

#[test]
fn with_complete_telemetry_every_leg_and_call_is_as_it_was() {
    let complete = "
        [telemetry]
        opted_out = 0
        lost = 0
        [signalling]
        loses_connection = 0
    ";
    let folded = Folded::of(complete, plan(1, 2, 4.0, &[]));
    let (legs, calls) = check(&folded);
    let (all_legs, all_calls) = (folded.legs.len(), folded.call_truths.len());
    println!("{legs} of {all_legs} legs, {calls} of {all_calls} calls are complete");
    // Beside those of the last minutes, and those that wait for the next launch.
    assert!(legs * 100 > all_legs * 95 && calls * 100 > all_calls * 95);
}

#[test]
fn what_is_complete_is_as_it_was_whatever_goes_wrong_around_it() {
    for seed in seeds(2) {
        let folded = Folded::of("", plan(seed, 2, 2.5, EVERYTHING));
        let (legs, calls) = check(&folded);
        let (all_legs, all_calls) = (folded.legs.len(), folded.call_truths.len());
        println!("{legs} of {all_legs} legs, {calls} of {all_calls} calls are complete");
        assert!(legs * 100 > all_legs * 60 && calls * 100 > all_calls * 50);
    }
}
