//! `ringtrace simulate`: lines for `explain`, the truth beside them, and what is wrong with a world or an incident.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::run::{explain, ringtrace, rows};

const SMALL: [&str; 7] = ["simulate", "--for", "10m", "--devices", "2000", "--seed", "3"];

fn simulate(more: &[&str]) -> crate::run::Run {
    ringtrace(&[&SMALL, more].concat(), b"")
}

/// A file of this process.
fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ringtrace-simulate-{}-{name}", std::process::id()))
}

#[test]
fn lines_can_be_explained_and_the_truth_is_about_them() {
    let file = temporary("truth.jsonl");
    let run = simulate(&["--out", "-", "--truth", file.to_str().unwrap(), "--report"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("\nfalse confirmed: 0\n"), "{}", run.stderr);
    let truths = rows(&fs::read_to_string(&file).unwrap());
    fs::remove_file(&file).unwrap();
    let linked = explain(&[], run.stdout.as_bytes());
    assert_eq!((linked.status, linked.stderr.as_str()), (0, ""));
    let leg = |row: &Value| format!("{}/{}", row["call_uuid"], row["device_id"]);
    let of_kind = |kind: &str| truths.iter().filter(|truth| truth["truth"] == kind).cloned().collect::<Vec<_>>();
    let known: BTreeSet<String> = of_kind("leg").iter().map(&leg).collect();
    let found: BTreeSet<String> = linked.rows().iter().map(leg).collect();
    let strangers = found.difference(&known).count();
    // Calls under a UUID that an app made up are nobody's.
    assert!(found.len() > 500 && strangers * 50 < found.len(), "{strangers} of {}", found.len());
    assert!(of_kind("call").len() > 500 && of_kind("device").len() >= 2_000);
}

#[test]
fn the_same_seed_gives_the_same_lines() {
    let run = || simulate(&["--out", "-"]).stdout;
    let first = run();
    assert!(first.lines().count() > 5_000);
    assert!(first == run());
    let times: Vec<i64> = rows(&first).iter().map(|event| event["log_at"].as_i64().unwrap()).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_default_world_is_printed_and_is_the_committed_one() {
    let run = ringtrace(&["simulate", "--print-world"], b"");
    let committed = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../simulator/world.toml");
    assert_eq!((run.status, run.stdout), (0, fs::read_to_string(committed).unwrap()));
    let file = temporary("same.toml");
    fs::write(&file, ringtrace(&["simulate", "--print-world"], b"").stdout).unwrap();
    let same = simulate(&["--out", "-", "--world", file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    assert!(same.stdout == simulate(&["--out", "-"]).stdout, "the printed world is the default one");
}

#[test]
fn faults_are_named() {
    #[track_caller]
    fn check(more: &[&str], status: i32, parts: &[&str]) {
        let run = simulate(more);
        assert_eq!((run.status, run.stdout.as_str()), (status, ""), "{}", run.stderr);
        for part in parts {
            assert!(run.stderr.contains(part), "{part:?} is not in {:?}", run.stderr);
        }
    }
    let out = ["--out", "-"];
    let with = |more: &[&'static str]| [&out[..], more].concat();
    check(&with(&["--incident", "apns-fast@1h"]), 64, &["apns-fast is no incident", "broken-release", "lost-wake-ups"]);
    check(&with(&["--incident", "apns-slow@soon"]), 64, &["apns-slow@soon", "2h30m"]);
    check(&with(&["--incident", "apns-slow@1m,country=XX"]), 64, &["country=XX", "US, DE"]);
    check(&with(&["--calls-per-second", "0"]), 64, &["above 0"]);
    check(&with(&["--days", "1"]), 64, &["--days", "--for"]);
    check(&with(&["--start", "yesterday"]), 64, &["2026-11-01T08:00:00Z"]);
    check(&with(&["--world", "/does/not/exist.toml"]), 78, &["/does/not/exist.toml"]);
    let file = temporary("bad.toml");
    fs::write(&file, "[apns]\nlatency = 5").unwrap();
    check(&["--out", "-", "--world", file.to_str().unwrap()], 78, &["apns.latency", "wifi"]);
    fs::remove_file(&file).unwrap();
}
