//! What `ringtrace explain` prints for legs and calls.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::run::{events, explain, ringtrace, rows, scenario, scenarios};

fn expected(name: &str) -> Vec<Value> {
    rows(&fs::read_to_string(scenario(&format!("{name}.expected.jsonl"))).unwrap())
}

#[test]
fn every_scenario_gives_its_legs_from_a_file_and_from_standard_input() {
    let names = scenarios();
    assert!(names.len() >= 14, "{names:?}");
    for name in names {
        let expected = expected(&name);
        let file = scenario(&format!("{name}.jsonl"));
        for run in
            [explain(&[&file], b""), explain(&[], events(&name).as_bytes()), explain(&["-"], events(&name).as_bytes())]
        {
            assert_eq!((run.rows(), run.stderr.as_str(), run.status), (expected.clone(), "", 0), "{name}");
        }
    }
}

#[test]
fn several_files_are_one_input_and_legs_are_sorted() {
    let files: Vec<String> = scenarios().iter().map(|name| scenario(&format!("{name}.jsonl"))).rev().collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let run = explain(&files, b"");
    let key =
        |row: &Value| ["tenant_id", "call_uuid", "device_id"].map(|column| row[column].as_str().unwrap().to_owned());
    let mut expected: Vec<Value> = scenarios().iter().flat_map(|name| expected(name)).collect();
    expected.sort_by_key(key);
    assert_eq!(run.rows(), expected);
    let twice = explain(&[files.as_slice(), &files].concat(), b"");
    assert_eq!(twice.stdout, run.stdout, "duplicates change nothing");
}

#[test]
fn calls_are_printed_instead_of_legs() {
    let run = explain(&["--calls"], events("answered_on_second_device").as_bytes());
    assert_eq!(run.status, 0);
    let [call] = run.rows().try_into().unwrap();
    let expect = json!({"tenant_id": "default", "app_id": "com.acme.talk", "call_uuid": "7b00f778-5c1e-4b7a-9d3f-001f00cda6c8",
        "started_at": 1_790_000_000_000_i64, "initiated_at": 1_790_000_000_000_i64, "answered_at": 1_790_000_005_000_i64,
        "connected_at": null, "cancelled_at": null, "ended_at": 1_790_000_005_300_i64, "outcome": "answered",
        "end_reason": "answered_elsewhere", "legs": 2, "legs_violating": 0, "diagnoses": []});
    assert_eq!(call, expect);
}

#[test]
fn log_time_runs_to_the_last_event_or_until() {
    let verdict = |args: &[&str], input: &str| {
        let rows = explain(args, input.as_bytes()).rows();
        (rows[0]["verdict"].clone(), rows[0]["outcome"].clone())
    };
    let input = events("no_receipt");
    assert_eq!(verdict(&[], &input), (json!("no_receipt"), json!("unreachable")));
    assert_eq!(verdict(&["--until", "0"], &input), (json!("pending"), json!("in_progress")));
    assert_eq!(verdict(&["--until=-1"], &input), (json!("pending"), json!("in_progress")));
    assert_eq!(verdict(&["--until", "1790000100000"], &input), (json!("no_receipt"), json!("unreachable")));
    let much_later = r#"{"event_id":"z","kind":"sdk.heartbeat","occurred_at":0,"app_id":"a","log_at":1790000100000}"#;
    let before = format!("{much_later}\n{input}");
    assert_eq!(
        verdict(&["--until", "0"], &before),
        (json!("no_receipt"), json!("unreachable")),
        "the clock never goes back"
    );
}

#[test]
fn events_without_a_leg_are_no_fault() {
    let event = |id: &str, kind: &str, more: &str| {
        format!(r#"{{"event_id":"{id}","kind":"{kind}","occurred_at":5,"app_id":"a"{more}}}"#)
    };
    let call = r#","call_uuid":"7B00F778-5C1E-4B7A-9D3F-001F00CDA6C8","device_id":"d""#;
    let lines = [
        event("1", "sdk.heartbeat", ""),
        event("2", "brand.new", ""),
        event("3", "call.brand_new", call),
        event("4", "call.held", call),
        event("5", "app.terminated", ""),
    ];
    let run = explain(&[], lines.join("\n").as_bytes());
    assert_eq!((run.stdout.as_str(), run.stderr.as_str(), run.status), ("", "", 0));
    let run = explain(&["--calls"], lines.join("\n").as_bytes());
    assert_eq!((run.stdout.as_str(), run.status), ("", 0));
    let run = explain(&[], b"");
    assert_eq!((run.stdout.as_str(), run.stderr.as_str(), run.status), ("", "", 0));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let line = events("no_receipt").lines().nth(1).unwrap().to_owned();
    let many: Vec<String> =
        (0..20_000).map(|i| line.replace("\"device_id\": \"", &format!("\"device_id\": \"{i}"))).collect();
    let file = std::env::temp_dir().join(format!("ringtrace-pipe-{}.jsonl", std::process::id()));
    fs::write(&file, many.join("\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringtrace"));
    command.arg("explain").arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn usage_errors_have_their_own_status() {
    for args in [
        &["explain", "--until", "soon"][..],
        &["explain", "--timeline", "x"],
        &["explain", "--calls", "--timeline", "7b00f778-5c1e-4b7a-9d3f-001f00cda6c8"],
        &["nonsense"],
        &[],
    ] {
        let run = ringtrace(args, b"");
        assert_eq!((run.status, run.stdout.as_str()), (64, ""), "{args:?}");
        assert!(!run.stderr.is_empty());
    }
    let help = ringtrace(&["explain", "--help"], b"");
    assert_eq!((help.status, help.stderr.as_str()), (0, ""));
    assert!(help.stdout.contains("--timeline <UUID>"), "{}", help.stdout);
}
