//! The JSON of boards: what Grafana needs to show them, and what people expect of every panel.

use std::collections::BTreeSet;

use ringtrace_tests::boards::NAMES;
use serde_json::Value;

use super::{board, list, panels, text};
use crate::files::project;

/// Pages of the web application.
const PAGES: [&str; 5] = ["/delivery", "/answers", "/violations", "/calls", "/pipeline"];

/// What Grafana itself replaces.
const BUILT_IN: [&str; 4] = ["__from", "__to", "__field", "__data"];

#[test]
fn ids_are_unique() {
    let uids: BTreeSet<String> = NAMES.iter().map(|name| text(&board(name), "/uid").to_owned()).collect();
    assert_eq!(uids.len(), NAMES.len());
    for name in NAMES {
        let board = board(name);
        let ids: BTreeSet<u64> = list(&board["panels"]).map(|panel| panel["id"].as_u64().unwrap()).collect();
        assert_eq!(ids.len(), list(&board["panels"]).count(), "{name}");
        assert_eq!(board["schemaVersion"], 39, "{name}: what Grafana 11 and 12 both take");
    }
}

#[test]
fn panels_lie_beside_each_other() {
    for name in NAMES {
        let mut taken = BTreeSet::new();
        for panel in list(&board(name)["panels"]) {
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(at("w") > 0 && at("h") > 0 && at("x") + at("w") <= 24, "{name}: {}", panel["title"]);
            for (x, y) in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
                assert!(taken.insert((x, y)), "{name}: {} lies on another panel", panel["title"]);
            }
        }
    }
}

#[test]
fn every_panel_reads_a_chosen_source_and_says_what_it_shows() {
    for name in NAMES {
        let board = board(name);
        let sources: BTreeSet<(String, &str)> = list(&board["templating"]["list"])
            .filter(|variable| variable["type"] == "datasource")
            .map(|variable| (format!("${{{}}}", text(variable, "/name")), text(variable, "/query")))
            .collect();
        for panel in panels(&board) {
            let title = text(panel, "/title");
            assert!(text(panel, "/description").len() > 20, "{name}: {title}");
            assert!(!text(panel, "/fieldConfig/defaults/unit").is_empty(), "{name}: {title}");
            assert!(list(&panel["fieldConfig"]["defaults"]["thresholds"]["steps"]).count() > 0, "{name}: {title}");
            let targets: Vec<&Value> = list(&panel["targets"]).collect();
            assert!(!targets.is_empty(), "{name}: {title}");
            for target in &targets {
                let source = (text(target, "/datasource/uid").to_owned(), text(target, "/datasource/type"));
                assert!(sources.contains(&source), "{name}: {title}: {source:?}");
                let query = if source.1 == "prometheus" { "/expr" } else { "/rawSql" };
                assert!(!text(target, query).is_empty(), "{name}: {title}");
            }
            let names: BTreeSet<&str> = targets.iter().map(|target| text(target, "/refId")).collect();
            assert_eq!(names.len(), targets.len(), "{name}: {title}");
        }
    }
}

#[test]
fn every_panel_leads_to_ringtrace_with_range_and_filters() {
    for name in NAMES {
        for panel in panels(&board(name)) {
            let link = text(panel, "/links/0/url");
            let path = link.strip_prefix("${ringtrace_url:raw}").expect(link);
            let (page, query) = path.split_once('?').expect(link);
            assert!(PAGES.contains(&page), "{name}: {link}");
            for part in ["from=${__from}", "to=${__to}", "${filters:raw}"] {
                assert!(query.split('&').any(|other| other == part), "{name}: {link}");
            }
        }
    }
}

#[test]
fn every_variable_that_is_used_is_there() {
    for name in NAMES {
        let board = board(name);
        let there: BTreeSet<&str> =
            list(&board["templating"]["list"]).map(|variable| text(variable, "/name")).collect();
        for variable in ["clickhouse", "tenant", "app", "country", "channel", "filters", "ringtrace_url"] {
            assert!(there.contains(variable), "{name}: {variable}");
        }
        let all = board.to_string();
        let used = all.split("${").skip(1).map(|rest| rest.split([':', '.', '}']).next().unwrap());
        for variable in used {
            assert!(there.contains(variable) || BUILT_IN.contains(&variable), "{name}: {variable}");
        }
    }
}

#[test]
fn what_is_provisioned_is_what_boards_ask_for() {
    let read = |path: &str| std::fs::read_to_string(project("dashboards/grafana/provisioning").join(path)).unwrap();
    let sources = read("datasources/ringtrace.yml");
    for plugin in ["grafana-clickhouse-datasource", "prometheus"] {
        assert!(sources.lines().any(|line| line.trim() == format!("type: {plugin}")), "{plugin}");
    }
    assert!(sources.lines().any(|line| line.trim() == "defaultDatabase: ringtrace"));
    let folder = "path: /var/lib/grafana/dashboards/ringtrace";
    assert!(read("dashboards/ringtrace.yml").lines().any(|line| line.trim() == folder));
}
