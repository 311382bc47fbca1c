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
    let recorded: BTreeSet<String> = in_rules("record:").into_iter().collect();
    let asked: BTreeSet<String> =
        in_rules("expr:").iter().chain(&in_boards()).flat_map(|expr| metrics_of(expr)).collect();
    assert!(asked.len() > 10, "{asked:?}");
    let mut missing = asked.clone();
    wait_for("a linker to show every metric", || {
        let metrics = get(&case.http(), "/metrics");
        let shown: BTreeSet<&str> = metrics.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
        let is_there =
            |name: &String| if name.contains(':') { recorded.contains(name) } else { shown.contains(name.as_str()) };
        let still: BTreeSet<String> = asked.iter().filter(|name| !is_there(name)).cloned().collect();
        if still != missing {
            println!("missing: {still:?}");
            missing = still;
        }
        missing.is_empty()
    });
    linker.signal("TERM");
    assert!(linker.wait().status.success());
}

/// The names of metrics, and of what rules record, in PromQL.
fn metrics_of(expression: &str) -> Vec<String> {
    let names = expression.split(|character: char| !character.is_ascii_alphanumeric() && !"_:".contains(character));
    names.filter(|name| name.contains("ringtrace_")).map(str::to_owned).collect()
}
