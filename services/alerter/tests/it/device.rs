//! Strikes of devices, and the difference between a device that iOS wakes no more and one that is off.

use proptest::prelude::*;
use ringtrace_alerter::device::{DeviceFact, DeviceLevel, DeviceRisk, DeviceSettings, Sight, fold};
use ringtrace_alerter::rules::Rules;
use ringtrace_alerter::stats::Count;

const HOUR_MS: i64 = 3_600_000;

fn settings() -> DeviceSettings {
    Rules::parse("").unwrap().device
}

fn sights(text: &str) -> Vec<DeviceFact> {
    let facts = text.chars().enumerate().map(|(nth, letter)| {
        let sight = match letter {
            'x' => Sight::Strike,
            's' => Sight::Silent,
            'w' => Sight::Woken,
            'a' => Sight::Alive,
            _ => Sight::Reinstalled,
        };
        let call_uuid = if matches!(letter, 'a' | 'i') { String::new() } else { format!("call-{nth}") };
        DeviceFact { at: (nth as i64 + 1) * HOUR_MS, sight, call_uuid }
    });
    facts.collect()
}

fn risk(text: &str) -> DeviceRisk {
    fold(&sights(text), &settings(), 200 * HOUR_MS)
}

#[test]
fn strikes_make_levels_until_a_receipt_in_the_background_or_a_new_installation() {
    for (text, level, strikes) in [
        ("", DeviceLevel::Ok, 0),
        ("x", DeviceLevel::Watch, 1),
        ("xx", DeviceLevel::AtRisk, 2),
        ("xxxx", DeviceLevel::Critical, 4),
        ("xxaa", DeviceLevel::AtRisk, 2),
        ("xxw", DeviceLevel::Ok, 0),
        ("xxi", DeviceLevel::Ok, 0),
        ("xxwx", DeviceLevel::Watch, 1),
    ] {
        let risk = fold(&sights(text), &settings(), 10 * HOUR_MS);
        assert_eq!((risk.level, risk.strikes), (level, strikes), "{text}");
    }
}

#[test]
fn strikes_are_forgotten_after_seven_days() {
    let facts = sights("xx");
    let at = |now| fold(&facts, &settings(), now).strikes;
    assert_eq!((at(3 * HOUR_MS), at(169 * HOUR_MS + 1), at(171 * HOUR_MS)), (2, 1, 0));
}

#[test]
fn only_a_living_device_with_strikes_whose_silence_goes_on_is_suspected() {
    let now = 20 * HOUR_MS;
    for (text, is_suspected, why) in [
        ("xsasas", false, "too few silent pushes that a sign of life follows"),
        ("xssasa", true, "silence goes on after a sign of life"),
        ("xsssa", false, "off, and then on again: nothing was pushed since"),
        ("xssss", false, "no sign of life: it is off"),
        ("ssasa", false, "no strikes"),
        ("xssasaw", false, "it was woken again"),
        ("xssasai", false, "it was installed anew"),
        ("xsssaw", false, "it was off, and is woken"),
    ] {
        let risk = fold(&sights(text), &settings(), now);
        assert_eq!(risk.level == DeviceLevel::Suspected, is_suspected, "{text}: {why}; {risk:?}");
    }
}

#[test]
fn a_loss_that_devices_without_strikes_share_is_not_theirs() {
    assert!(settings().is_wide_loss(Count { bad: 60, total: 100 }));
    assert!(!settings().is_wide_loss(Count { bad: 5, total: 100 }));
    assert!(!settings().is_wide_loss(Count { bad: 2, total: 3 }), "three pushes prove nothing");
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_of_facts_matters(text in "[xswai]{0,40}", turn in 0usize..40) {
        let facts = sights(&text);
        let mut other = facts.clone();
        other.extend(facts.iter().filter(|fact| !fact.call_uuid.is_empty()).take(turn).cloned());
        let place = turn % other.len().max(1);
        other.rotate_left(place);
        prop_assert_eq!(fold(&facts, &settings(), 100 * HOUR_MS), fold(&other, &settings(), 100 * HOUR_MS));
    }

    #[test]
    fn without_strikes_nothing_is_ever_suspected(text in "[swai]{0,60}") {
        prop_assert_eq!(risk(&text).level, DeviceLevel::Ok);
    }
}
