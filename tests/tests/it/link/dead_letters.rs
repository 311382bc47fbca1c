//! `ringtrace dead-letters`: found, shown, and linked as if they had been right at first.

use std::fs;

use ringtrace_tests::stack::{Case, Given, data};
use serde_json::{Value, json};

use super::SLOTS;
use super::compare::compare;
use super::expect::Expected;
use super::input::scenarios;

/// Gives some of the scenarios' events, all of the device topic among them, ids that a constraint refuses.
fn poisoned() -> (Vec<Given>, usize) {
    let (mut records, mut count) = (scenarios(), 0);
    for (index, record) in records.iter_mut().enumerate() {
        if index % 5 == 0 || record.topic == "device-events" {
            let mut value: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
            value["event_id"] = json!(format!("poison-{index}"));
            record.value = Some(value.to_string().into_bytes());
            count += 1;
        }
    }
    (records, count)
}

#[test]
fn what_clickhouse_refused_is_linked_once_it_takes_it() {
    let case = Case::new("revived", SLOTS);
    let tables = ["events_rows", "device_events_rows"];
    for table in tables {
        case.rows(&format!("ALTER TABLE {table} ADD CONSTRAINT no_poison CHECK event_id NOT LIKE 'poison%'"));
    }
    let (records, poisoned) = poisoned();
    assert!(records.iter().any(|record| record.topic == "device-events"));
    let sources = case.write(&records);
    case.catch_up();
    let listed = case.run(&["dead-letters", "list", "--reason", "not_storable"]);
    assert!(listed.output.contains(&format!("\n{poisoned} dead letters")), "{}", listed.output);
    for table in tables {
        case.rows(&format!("ALTER TABLE {table} DROP CONSTRAINT no_poison"));
    }
    let dry = case.run(&["dead-letters", "replay", "--all", "--dry-run"]);
    assert!(dry.output.contains(&format!("would be sent: {poisoned}, not sent: 0")), "{}", dry.output);
    assert_eq!(case.read("ringtrace.internal").len(), 0);
    for _ in 0..2 {
        // The second time there is nothing new in it.
        let sent = case.run(&["dead-letters", "replay", "--reason", "not_storable"]);
        assert!(sent.status.success() && sent.output.contains(&format!("sent: {poisoned}, ")), "{}", sent.output);
        case.catch_up();
    }
    let mut expected = Expected::of(&case, &records, &sources);
    for (record, source) in records.iter().zip(&sources) {
        if String::from_utf8_lossy(record.value.as_deref().unwrap()).contains("poison-") {
            expected.refuse(&case, record, source);
        }
    }
    compare(&case, &expected);
}

#[test]
fn a_bad_record_is_shown_corrected_and_linked() {
    let case = Case::new("corrected", SLOTS);
    let mut records = scenarios();
    let good = records[0].value.clone().unwrap();
    records[0].value = Some([b"{oops", good.as_slice()].concat());
    let sources = case.write(&records);
    case.catch_up();
    let listed = case.run(&["dead-letters", "list", "--json"]);
    let line = listed.output.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{}", listed.output));
    let letter: Value = serde_json::from_str(line).unwrap();
    assert_eq!((letter["reason"].as_str(), letter["source"].as_str()), (Some("not_json"), Some(sources[0].as_str())));
    assert!(!listed.output.contains("oops"), "a list shows no values");
    let position = letter["position"].as_str().unwrap();
    let shown = case.run(&["dead-letters", "show", position]);
    assert!(
        shown.output.contains(std::str::from_utf8(records[0].value.as_deref().unwrap()).unwrap()),
        "{}",
        shown.output
    );

    let refused = case.run(&["dead-letters", "replay", position]);
    assert_eq!(refused.status.code(), Some(65), "{}", refused.output);
    assert!(refused.output.contains("still not valid: not_json"), "{}", refused.output);
    let folder = data("corrected-value");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("value.json");
    fs::write(&file, &good).unwrap();
    let sent = case.run(&["dead-letters", "replay", position, "--value", file.to_str().unwrap()]);
    assert!(sent.status.success(), "{}", sent.output);
    case.catch_up();

    let bad = Expected::of(&case, &records, &sources);
    records[0].value = Some(good);
    let mut expected = Expected::of(&case, &records, &sources);
    expected.dead_letters = bad.dead_letters;
    compare(&case, &expected);
}

#[test]
fn what_is_meant_has_to_be_said() {
    let case = Case::new("unmeant", SLOTS);
    for (arguments, status, words) in [
        (&["replay"][..], 1, "--all"),
        (&["replay", "0/0", "1/0", "--value", "x"], 1, "--value corrects one letter"),
        (&["show", "0/0"], 1, "no dead letter at 0/0"),
        (&["show", "99/0"], 1, "no dead letter at 99/0"),
        (&["show", "zero"], 64, "partition/offset"),
        (&["list", "--reason", "sick"], 64, "not_storable"),
        (&["list", "--since", "yesterday"], 64, "2026-11-01T08:00:00Z"),
    ] {
        let run = case.run(&[&["dead-letters"], arguments].concat());
        assert_eq!(run.status.code(), Some(status), "{arguments:?}: {}", run.output);
        assert!(run.output.contains(words), "{arguments:?}: {}", run.output);
    }
    let empty = case.run(&["dead-letters", "list"]);
    assert!(empty.status.success() && empty.output.contains("0 dead letters"), "{}", empty.output);
}
