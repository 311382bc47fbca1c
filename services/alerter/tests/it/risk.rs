//! Levels of app risk: what they need, that they only go one way with the counts, and that they don't flap.

use proptest::prelude::*;
use ringtrace_alerter::risk::{AppCounts, Held, Level, RiskSettings, Windows, hold, judge};
use ringtrace_alerter::rules::Rules;
use ringtrace_alerter::stats::Count;

const OBJECTIVE: f64 = 0.999;

fn settings() -> RiskSettings {
    Rules::parse("").unwrap().risk
}

fn count(bad: u64, total: u64) -> Count {
    Count { bad, total }
}

fn windows(m5: Count, h1: Count, h6: Count, d3: Count) -> AppCounts {
    AppCounts { violations: Windows { m5, h1, h6, d3 }, age_ms: i64::MAX, ..AppCounts::default() }
}

#[track_caller]
fn check(counts: &AppCounts, level: Level, words: &str) {
    let (judged, reason) = judge(counts, &settings(), OBJECTIVE);
    assert_eq!(judged, level, "{reason}");
    assert!(reason.contains(words), "{words:?} is not in {reason:?}");
}

#[test]
fn each_level_says_why_with_its_numbers() {
    let fast = windows(count(3, 20), count(20, 300), count(20, 900), count(20, 900));
    check(&fast, Level::Critical, "20 of 300 required reports in 1 h were not made (6.7 %");
    let slow = windows(count(0, 20), count(4, 300), count(30, 2_000), count(30, 2_000));
    check(&slow, Level::AtRisk, "30 of 2000 required reports in 6 h");
    let creeping = windows(count(0, 20), count(0, 300), count(5, 2_000), count(80, 30_000));
    check(&creeping, Level::Watch, "80 of 30000 required reports in 3 d");
    let worse = AppCounts { before: count(1, 20_000), ..windows(count(0, 0), count(0, 0), count(0, 0), count(9, 900)) };
    check(&worse, Level::AtRisk, "against 1 of 20000 (0.005 %) of the version before");
    let near =
        AppCounts { near: count(60, 2_000), ..windows(count(0, 9), count(0, 99), count(0, 2_000), count(0, 9_000)) };
    check(&near, Level::Watch, "60 of 2000 reports in 6 h took longer than 3 s");
    check(&windows(count(0, 9), count(0, 99), count(0, 999), count(0, 9_999)), Level::Ok, "0 of 9999");
}

#[test]
fn few_pushes_never_page_but_a_new_version_is_watched_at_once() {
    let few = windows(count(2, 2), count(2, 2), count(2, 2), count(2, 2));
    check(&few, Level::Ok, "2 of 2");
    let new = AppCounts {
        confirmed_in_store: 1,
        age_ms: 7_200_000,
        ..windows(count(1, 1), count(1, 1), count(1, 1), count(1, 1))
    };
    check(&new, Level::Watch, "1 confirmed violation in the App Store by a version first seen 2 h ago");
    check(&AppCounts { age_ms: 30 * 86_400_000, ..new }, Level::Ok, "1 of 1");
}

fn any_counts() -> impl Strategy<Value = AppCounts> {
    let part = || (0u64..200, 0u64..5_000);
    (part(), part(), part(), part(), part(), 0u64..3, 0i64..20).prop_map(|(a, b, c, d, near, confirmed, days)| {
        let mut sum = count(0, 0);
        // Each window holds the shorter ones.
        let mut add = |(bad, good): (u64, u64)| {
            sum = sum.and(count(bad, bad + good));
            sum
        };
        let (m5, h1, h6, d3) = (add(a), add(b), add(c), add(d));
        AppCounts {
            violations: Windows { m5, h1, h6, d3 },
            confirmed_in_store: confirmed,
            near: count(near.0, near.0 + near.1),
            before: Count::default(),
            age_ms: days * 86_400_000,
        }
    })
}

proptest! {
    #[test]
    fn one_more_violation_never_lowers_a_level(counts in any_counts()) {
        let more = |count: Count| Count { bad: count.bad + 1, total: count.total + 1 };
        let Windows { m5, h1, h6, d3 } = counts.violations;
        let worse = AppCounts {
            violations: Windows { m5: more(m5), h1: more(h1), h6: more(h6), d3: more(d3) },
            ..counts
        };
        let (before, _) = judge(&counts, &settings(), OBJECTIVE);
        let (after, _) = judge(&worse, &settings(), OBJECTIVE);
        prop_assert!(after >= before, "{before} became {after}");
    }

    #[test]
    fn one_more_report_in_time_never_raises_a_level(counts in any_counts()) {
        let Windows { m5, h1, h6, d3 } = counts.violations;
        // Enough of a sample in every window: below that, one more may complete it.
        prop_assume!(h1.total >= 30 && h6.total >= 30 && d3.total >= 30 && counts.near.total >= 30);
        let more = |count: Count| Count { total: count.total + 1, ..count };
        let better = AppCounts {
            violations: Windows { m5: more(m5), h1: more(h1), h6: more(h6), d3: more(d3) },
            ..counts
        };
        let (before, _) = judge(&counts, &settings(), OBJECTIVE);
        let (after, _) = judge(&better, &settings(), OBJECTIVE);
        prop_assert!(after <= before, "{before} became {after}");
    }

    #[test]
    fn a_level_falls_at_most_once_in_a_calm_time_and_never_below_what_was_judged_in_it(
        judged in prop::collection::vec(0usize..4, 1..200),
    ) {
        const CALM_MS: i64 = 10;
        let mut held = Held::default();
        let mut fell_at = i64::MIN / 2;
        for (now, judgement) in (0..).zip(&judged) {
            let level = Level::ALL[*judgement];
            let next = hold(&held, (level, String::new()), now, CALM_MS);
            prop_assert!(next.level >= level, "a judgement of {level} shows as {}", next.level);
            if next.level < held.level {
                prop_assert!(now - fell_at >= CALM_MS, "fell at {fell_at} and at {now}");
                let calm = &judged[(now - CALM_MS) as usize..=now as usize];
                prop_assert_eq!(Some(next.level), calm.iter().map(|place| Level::ALL[*place]).max());
                fell_at = now;
            }
            held = next;
        }
    }
}
