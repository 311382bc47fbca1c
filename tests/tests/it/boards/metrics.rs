//! What rules and boards ask Prometheus for: promtool accepts it, and a linker shows it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use ringtrace_tests::boards::{NAMES, View};
use ringtrace_tests::stack::{Case, data, get, wait_for};
use serde_json::json;

use super::{board, list, panels};
use crate::files::project;

/// Runs promtool where the rules are.
fn promtool(arguments: &[&str]) {
    let ran = Command::new("promtool").args(arguments).current_dir(project("dashboards/prometheus")).output();
    let ran = ran.expect("promtool runs (apt-get install --no-install-recommends prometheus)");
    let said = [ran.stdout, ran.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(ran.status.success(), "promtool {arguments:?}: {said}");
}

/// What follows a key in the lines of the rules.
fn in_rules(key: &str) -> Vec<String> {
    let rules = fs::read_to_string(project("dashboards/prometheus/recording.rules.yml")).unwrap();
    let values = rules.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix(key));
    values.map(|value| value.trim().to_owned()).collect()
}

/// The PromQL of all boards, as Grafana sends it.
fn in_boards() -> Vec<String> {
    let view = View { from_s: 0, to_s: 3_600, interval_s: 15, variables: Default::default() };
    let of_board = |name: &&str| -> Vec<String> {
        let board = board(name);
        let targets = panels(&board).flat_map(|panel| list(&panel["targets"]));
        targets.filter_map(|target| target["expr"].as_str()).map(|raw| view.promql(raw)).collect()
    };
    NAMES.iter().flat_map(of_board).collect()
}

#[test]
fn promtool_accepts_the_rules_and_the_scrape_configuration() {
    promtool(&["check", "config", "scrape.yml"]);
    promtool(&["check", "rules", "recording.rules.yml"]);
    promtool(&["test", "rules", "recording.rules.test.yml"]);
}

#[test]
fn promtool_accepts_the_boards_queries() {
    let rules: Vec<_> =
        (0..).zip(in_boards()).map(|(nth, expr)| json!({ "record": format!("board:{nth}"), "expr": expr })).collect();
    assert!(!rules.is_empty());
    // JSON is YAML.
    let path = data("boards").with_extension("rules.yml");
    fs::write(&path, json!({ "groups": [{ "name": "boards", "rules": rules }] }).to_string()).unwrap();
    promtool(&["check", "rules", path.to_str().unwrap()]);
}

#[test]
fn every_metric_that_is_asked_for_is_one_of_a_linker() {
    let case = Case::new("boards-metrics", 1);
    let linker = case.start(&["link"]);
    case.write(&crate::link::input::scenarios());
    let mut shown = BTreeSet::new();
    wait_for("metrics of a flush", || {
        let metrics = get(&case.http(), "/metrics");
        shown = metrics.lines().filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect();
        shown.contains("ringtrace_flush_step_seconds_bucket") && shown.contains("ringtrace_consumer_lag_records")
    });
    linker.signal("TERM");
    assert!(linker.wait().status.success());
    let recorded: BTreeSet<String> = in_rules("record:").into_iter().collect();
    let mut asked = 0;
    for expression in in_rules("expr:").into_iter().chain(in_boards()) {
        let names = expression.split(|character: char| !character.is_ascii_alphanumeric() && !"_:".contains(character));
        for name in names.filter(|name| name.contains("ringtrace_")) {
            asked += 1;
            let is_there = if name.contains(':') { recorded.contains(name) } else { shown.contains(name) };
            assert!(is_there, "{name}: no linker shows it, and no rule records it");
        }
    }
    assert!(asked > 20, "{asked}");
}
