//! Lines and files that are not what they should be.

use std::fs;

use crate::run::{Run, events, explain, scenario};

const GOOD: &str = "rejected_token";

/// A scenario's three lines with other lines between them: its leg is printed all the same.
#[track_caller]
fn between(lines: &[&[u8]]) -> Run {
    let good = events(GOOD);
    let mut good_lines = good.lines();
    let mut input = Vec::new();
    for line in lines {
        input.extend_from_slice(good_lines.next().unwrap_or_default().as_bytes());
        input.extend_from_slice(b"\n");
        input.extend_from_slice(line);
        input.extend_from_slice(b"\n");
    }
    input.extend_from_slice(good_lines.collect::<Vec<_>>().join("\n").as_bytes());
    let run = explain(&[], &input);
    assert_eq!(run.stdout, explain(&[], good.as_bytes()).stdout);
    run
}

#[test]
fn blank_lines_are_skipped() {
    let run = between(&[b"", b"   ", b"\t\r"]);
    assert_eq!((run.stderr.as_str(), run.status), ("", 0));
}

#[test]
fn bad_lines_are_named_and_the_rest_is_judged() {
    let cases: [(&[u8], &str); 6] = [
        (b"{", "not_json: value: "),
        (b" null ", "tombstone: value: "),
        (b"[1]", "not_json: value: "),
        (b"{\"event_id\":\"\xff\"}", "not_json: value: "),
        (b"{\"event_id\":\"x\"}", "missing_field: kind: "),
        (b"{\"event_id\":1}", "invalid_field: event_id: "),
    ];
    for (line, reason) in cases {
        let run = between(&[line]);
        assert_eq!(run.status, 65, "{reason}");
        assert!(run.stderr.starts_with(&format!("<stdin>:2: {reason}")), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    let run = between(&[b"null", b"", b"x"]);
    let lines: Vec<&str> = run.stderr.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!((lines, run.status), (vec!["<stdin>:2", "<stdin>:6"], 65));
}

#[test]
fn long_lines_are_named_and_not_kept() {
    let long = |bytes: usize| {
        let start = br#"{"event_id":"x","kind":"new","occurred_at":5,"app_id":"a","x":""#;
        [start.as_slice(), &vec![b'y'; bytes - start.len() - 2], b"\"}"].concat()
    };
    let fits = between(&[&long(65_536)]);
    assert_eq!((fits.stderr.as_str(), fits.status), ("", 0));
    for bytes in [65_537, 65_538, 65_539, 10_000_000] {
        let run = between(&[&long(bytes)]);
        assert_eq!(
            (run.stderr.as_str(), run.status),
            ("<stdin>:2: too_large: value: expected at most 65536 bytes\n", 65)
        );
    }
    let endless = explain(&[], &vec![b'x'; 10_000_000]);
    assert_eq!(
        (endless.stderr.as_str(), endless.status),
        ("<stdin>:1: too_large: value: expected at most 65536 bytes\n", 65)
    );
}

#[test]
fn line_ends_of_other_systems_are_line_ends() {
    let windows = events(GOOD).replace('\n', "\r\n");
    let run = explain(&[], windows.as_bytes());
    assert_eq!((run.stdout, run.status), (explain(&[], events(GOOD).as_bytes()).stdout, 0));
}

#[test]
fn files_are_named_in_messages() {
    let bad = std::env::temp_dir().join(format!("ringtrace-bad-{}.jsonl", std::process::id()));
    fs::write(&bad, "\n{}\n").unwrap();
    let bad = bad.to_str().unwrap();
    let good = scenario("rejected_token.jsonl");
    let run = explain(&[bad, &good], b"");
    assert_eq!(
        (run.status, run.stderr.as_str()),
        (65, format!("{bad}:2: missing_field: event_id: is required\n").as_str())
    );
    assert_eq!(run.rows().len(), 1);
    fs::remove_file(bad).unwrap();
    let run = explain(&[&good, bad], b"");
    assert_eq!((run.stdout.as_str(), run.status), ("", 1), "half of the input would be judged wrongly");
    assert!(run.stderr.starts_with(&format!("ringtrace explain: can't open {bad}: ")), "{}", run.stderr);
    let run = explain(&[&scenario("")], b"");
    assert_eq!((run.stdout.as_str(), run.status), ("", 1));
    assert!(run.stderr.starts_with("ringtrace explain: can't read "), "{}", run.stderr);
}
