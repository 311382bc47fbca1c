//! Where telemetry is missing, late or wrong, nothing is ever held for certain that did not happen.

use std::collections::{BTreeMap, HashMap};

use ringtrace_model::{Evidence, Uuid, Verdict};

use crate::folding::{Folded, plan, seeds};

/// Telemetry as bad as it gets.
const BAD: &str = "
    [telemetry]
    lost = 0.15
    late = 0.1
    twice = 0.1
    opted_out = 0.1
    crash_reporter = 0.8
    crash_reporter_infers = 0.6
    [clocks]
    right = 0.1
    offset_is_estimated = 0.5
    [gateway]
    cancels_by_voip_push = 0.1
    data_pushes = 0.02
    twice = 0.05
";

const EVERYTHING: &[&str] = &[
    "broken-release@0s,for=1h,size=0.5",
    "expired-certificate@20m,for=20m",
    "apns-slow@30m",
    "carrier-outage@40m",
    "telemetry-outage@10m,for=40m,size=0.4",
    "clock-bug@10m",
    "token-mix-up@1h",
    "cancel-by-voip-push@0s",
    "lost-wake-ups@1h",
];

fn check(folded: &Folded) {
    let truths: HashMap<(Uuid, &str), &str> =
        folded.legs.iter().map(|leg| ((Uuid::from_u128(leg.call_uuid), leg.device_id.as_str()), leg.verdict)).collect();
    let mut matrix: BTreeMap<(&str, &str, Option<Evidence>), u64> = BTreeMap::new();
    folded.each_leg(|leg, truth| {
        let Some(truth) = truth else { return };
        *matrix.entry((truth.verdict, leg.verdict.as_str(), leg.evidence)).or_default() += 1;
        if leg.evidence == Some(Evidence::Confirmed) {
            assert_eq!(truth.verdict, "unreported", "false confirmed: {leg:#?}\n{truth:#?}");
        }
        if leg.verdict == Verdict::Unreported {
            assert!(truth.killed.is_some() || leg.evidence == Some(Evidence::Probable), "{leg:#?}\n{truth:#?}");
        }
    });
    for ((truth, linked, evidence), count) in &matrix {
        println!("{truth:<16}{linked:<16}{evidence:<12?}{count:>8}");
    }
    let confirmed = |truth| matrix.get(&(truth, "unreported", Some(Evidence::Confirmed))).copied().unwrap_or_default();
    assert!(confirmed("unreported") > 20, "there is something to confirm");
    for (call, device) in &folded.ever_confirmed {
        assert_eq!(truths[&(*call, device.as_str())], "unreported", "confirmed for a while: {call} {device}");
    }
}

#[test]
fn nothing_is_confirmed_that_did_not_happen() {
    for seed in seeds(1) {
        check(&Folded::of("", plan(seed, 2, 2.0, EVERYTHING)));
    }
}

#[test]
fn nor_with_the_worst_of_telemetry() {
    for seed in seeds(1_001) {
        check(&Folded::of(BAD, plan(seed, 2, 2.0, EVERYTHING)));
    }
}
