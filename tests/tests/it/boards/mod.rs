//! Grafana's boards and Prometheus' rules: as Grafana and promtool take them, on real data and real metrics.

mod expand;
mod metrics;
mod queries;
mod rates;
mod structure;

use std::collections::BTreeMap;
use std::fs;

use ringtrace_rollup::Roller;
use ringtrace_tests::boards::{Chosen, NAMES, View, json, path};
use ringtrace_tests::simulated::{EVENTFUL, quarter_of_an_hour, records};
use ringtrace_tests::stack::{Case, wait_for};
use serde_json::Value;

/// A board as it is committed.
fn board(name: &str) -> Value {
    let path = path(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The elements of a list in a document.
fn list(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}

/// The text at a place of a document that must have one.
fn text<'a>(of: &'a Value, pointer: &str) -> &'a str {
    of.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {of}"))
}

/// The panels of a board that show something.
fn panels(board: &Value) -> impl Iterator<Item = &Value> {
    list(&board["panels"]).filter(|panel| panel["type"] != "row")
}

/// The SQL of a panel.
fn sql<'a>(board: &'a Value, title: &str) -> &'a str {
    let panel = panels(board).find(|panel| panel["title"] == title).unwrap_or_else(|| panic!("no panel {title}"));
    text(panel, "/targets/0/rawSql")
}

/// A quarter of an hour, linked and rolled up.
fn linked(name: &str) -> Case {
    let case = Case::new(name, 3);
    case.write(&records(EVENTFUL, quarter_of_an_hour()));
    case.catch_up();
    let roller = Roller::new(&case.config().clickhouse);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(roller.pass()).unwrap();
    let legs = case.number("SELECT count() FROM legs");
    wait_for("what is rolled up to count", || case.number("SELECT sum(legs) FROM leg_stats") == legs);
    case
}

/// A view of all that a case has, in whole ten minutes, with every filter at All.
fn everything(case: &Case) -> View {
    let at = |sql: &str| case.number(sql);
    let values = |column: &str| {
        let rows = case.rows(&format!("SELECT DISTINCT ifNull({column}, 'unknown') AS value FROM legs ORDER BY value"));
        Chosen::All(rows.iter().map(|row| text(row, "/value").to_owned()).collect())
    };
    let columns = [("tenant", "tenant_id"), ("app", "app_id"), ("country", "country"), ("channel", "channel")];
    View {
        from_s: at("SELECT toUnixTimestamp(toStartOfTenMinutes(toDateTime(min(started_at)))) FROM calls"),
        to_s: at("SELECT toUnixTimestamp(toStartOfTenMinutes(toDateTime(max(started_at)))) + 599 FROM calls"),
        interval_s: 60,
        variables: columns.map(|(name, column)| (name.to_owned(), values(column))).into(),
    }
}

/// The same with some filters at chosen values.
fn with(view: &View, chosen: &[(&str, &[&str])]) -> View {
    let mut variables: BTreeMap<String, Chosen> = view.variables.clone();
    for (name, values) in chosen {
        variables.insert((*name).to_owned(), Chosen::Some(values.iter().map(|value| (*value).to_owned()).collect()));
    }
    View { variables, ..view.clone() }
}

#[test]
fn boards_are_what_their_definitions_say() {
    for name in NAMES {
        let committed = fs::read_to_string(path(name)).unwrap();
        assert!(committed == json(name).unwrap(), "{name}.json is not what {name}.toml says: run `make boards`");
    }
}

#[test]
fn boards_show_what_was_linked() {
    let case = linked("boards");
    let all = everything(&case);
    queries::every_panel_shows_something_and_every_choice_is_accepted(&case, &all);
    queries::steps_hold_whole_counts(&case, &all);
    queries::variables_offer_what_is_there(&case, &all);
    queries::filters_become_an_address(&case, &all);
    rates::rates_are_the_contracts(&case, &all);
    rates::percentiles_are_of_legs(&case, &all);
}
