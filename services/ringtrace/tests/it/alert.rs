//! `ringtrace alert check` and `test`: what the shipped rules find in files of events, and what is said of mistakes.

use std::fs;
use std::path::{Path, PathBuf};

use super::run::{Run, ringtrace};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/alerts")
}

fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn run(args: &[&str]) -> Run {
    ringtrace(args, b"")
}

/// The expectations of a name: on events beside them, or on a simulation that their first line asks for.
fn check(name: &str) {
    let expected = folder().join(name).with_extension("toml");
    let text = fs::read_to_string(&expected).unwrap();
    let (first, _) = text.split_once('\n').unwrap();
    let mut events = expected.with_extension("jsonl");
    if let Some(arguments) = first.strip_prefix("# ringtrace simulate ") {
        events = own(&format!("{name}.jsonl"));
        let mut args = vec!["simulate", "--out", events.to_str().unwrap()];
        args.extend(arguments.split(' '));
        assert_eq!(run(&args).status, 0);
    }
    let args = ["alert", "test", "-", events.to_str().unwrap(), "--expect", expected.to_str().unwrap()];
    let tested = run(&args);
    assert_eq!(tested.status, 0, "{name}\n{}\n{}", tested.stdout, tested.stderr);
    if events.parent() != expected.parent() {
        fs::remove_file(events).unwrap();
    }
}

macro_rules! expectations {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })+

        #[test]
        fn every_file_of_expectations_is_checked() {
            let names = [$(stringify!($name)),+];
            for entry in fs::read_dir(folder()).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap();
                assert!(names.contains(&name), "{name} is not checked");
            }
        }
    };
}

expectations! {
    apns_slow, broken_release, carrier_outage, clock_bug, expired_certificate, plain, telemetry_outage, token_mix_up, wake_bans, wide_loss,
}

#[test]
fn another_outcome_than_expected_fails_and_is_shown() {
    let wrong = own("wrong.toml");
    fs::write(&wrong, "[[alert]]\nrule = \"ghost-calls\"\nfires_at = \"2026-11-01T08:00:00Z\"\n").unwrap();
    let events = folder().join("wake_bans.jsonl");
    let tested = run(&["alert", "test", "-", events.to_str().unwrap(), "--expect", wrong.to_str().unwrap()]);
    assert_eq!(tested.status, 1);
    assert!(
        tested.stderr.contains("missing: ghost-calls {} from 2026-11-01T08:00:00Z to the end"),
        "{}",
        tested.stderr
    );
    assert!(tested.stderr.contains("not expected: 2026-11-01T08:"), "{}", tested.stderr);
}

#[test]
fn lines_that_are_no_events_count_as_dead_letters_of_their_app() {
    let events = own("dead.jsonl");
    let good = fs::read_to_string(folder().join("wake_bans.jsonl")).unwrap();
    let good: String = good.lines().take(100).map(|line| format!("{line}\n")).collect();
    let bad = "{\"app_id\":\"com.example.talk\",\"log_at\":1793520120000,\"kind\":\"push.sent\"}\n".repeat(60);
    fs::write(&events, good + &bad).unwrap();
    let tested = run(&["alert", "test", "-", events.to_str().unwrap()]);
    assert_eq!(tested.status, 65, "{}", tested.stderr);
    assert!(
        tested.stdout.contains("ticket dead-letters{tenant_id=\"default\",app_id=\"com.example.talk\"}"),
        "{}",
        tested.stdout
    );
}

#[test]
fn mistakes_in_rules_are_named_with_line_and_key() {
    let rules = own("mistakes.toml");
    fs::write(&rules, "objective = 0.999\n[[rule]]\nname = \"ghost-calls\"\nwindow = \"soon\"\n").unwrap();
    let checked = run(&["alert", "check", rules.to_str().unwrap()]);
    assert_eq!(checked.status, 78);
    assert!(checked.stderr.contains("line 4: rule.ghost-calls.window: \"soon\" is not accepted"), "{}", checked.stderr);
    fs::write(&rules, run(&["alert", "rules"]).stdout).unwrap();
    let checked = run(&["alert", "check", rules.to_str().unwrap()]);
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    assert!(checked.stdout.starts_with("ok: 20 rules, 0 receivers"), "{}", checked.stdout);
}
