//! Every pair of files in `tests/scenarios` is an example of the contract: events in, rows of `legs` out.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::events::Calls;

#[test]
fn every_scenario_gives_its_expected_legs() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(scenario) = name.strip_suffix(".expected.jsonl") else { continue };
        let events = fs::read_to_string(folder.join(format!("{scenario}.jsonl"))).unwrap();
        let expected: Vec<Value> =
            fs::read_to_string(&path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let legs = Calls::of_lines(&events).legs(i64::MAX);
        assert_eq!(legs, expected, "{scenario}");
        seen += 1;
    }
    assert!(seen >= 14, "only {seen} scenarios in {}", folder.display());
}
