//! Every query of every board, on ClickHouse, as Grafana sends it.

use ringtrace_tests::boards::{NAMES, View};
use ringtrace_tests::stack::Case;
use serde_json::Value;

use super::{board, list, panels, sql, text, with};

/// Choices of some values, by variable.
const SOME: [(&str, &[&str]); 3] =
    [("tenant", &["default"]), ("country", &["unknown", "US"]), ("channel", &["apns_voip"])];

pub fn every_panel_shows_something_and_every_choice_is_accepted(case: &Case, all: &View) {
    let some = with(all, &SOME);
    let odd = with(all, &[("app", &["it's \"none\"); --"])]);
    for name in NAMES {
        for panel in panels(&board(name)) {
            for raw in list(&panel["targets"]).filter_map(|target| target["rawSql"].as_str()) {
                let title = text(panel, "/title");
                println!("{name}: {title}");
                let rows = case.rows(&all.sql(raw).unwrap());
                assert!(!rows.is_empty(), "{name}: {title} shows nothing");
                case.rows(&some.sql(raw).unwrap());
                case.rows(&odd.sql(raw).unwrap());
                if text(panel, "/type") == "timeseries" {
                    is_series(case, &all.sql(raw).unwrap(), &rows);
                }
            }
        }
    }
}

/// A quarter of an hour holds one of the counts of ten minutes, then two.
pub fn steps_hold_whole_counts(case: &Case, all: &View) {
    let view = View { interval_s: 900, ..all.clone() };
    let outcomes = view.sql(sql(&board("product"), "Outcomes")).unwrap();
    let odd = format!("SELECT countIf(toUnixTimestamp(time) % 1200 != 0) FROM ({outcomes})");
    assert_eq!(case.number(&odd), 0, "{outcomes}");
}

/// Grafana draws lines of a time, numbers, and at most one label, in the order of time.
fn is_series(case: &Case, query: &str, rows: &[Value]) {
    let columns = case.rows(&format!("DESCRIBE TABLE ({query})"));
    let mut labels = 0;
    for (nth, column) in columns.iter().enumerate() {
        let (name, kind) = (text(column, "/name"), text(column, "/type"));
        let is_time = kind.starts_with("DateTime");
        assert_eq!((nth == 0, nth == 0), (is_time, name == "time"), "{name} {kind}");
        labels += usize::from(kind.contains("String"));
        assert!(is_time || ["Int", "Float", "String"].iter().any(|known| kind.contains(known)), "{name} {kind}");
    }
    assert!(labels <= 1, "{columns:?}");
    let times: Vec<&str> = rows.iter().map(|row| text(row, "/time")).collect();
    assert!(times.is_sorted(), "{times:?}");
}

pub fn variables_offer_what_is_there(case: &Case, view: &View) {
    for (variable, expected) in
        [("tenant", "default"), ("app", "com.acme.talk"), ("channel", "apns_voip"), ("country", "US")]
    {
        let values = values_of(case, view, variable);
        assert!(values.iter().any(|value| value == expected), "{variable}: {values:?}");
        assert!(values.is_sorted() && !values.iter().any(String::is_empty), "{variable}: {values:?}");
    }
}

pub fn filters_become_an_address(case: &Case, all: &View) {
    assert_eq!(values_of(case, all, "filters"), ["role=callee"]);
    let expected = "role=callee&tenant=default&country=&country=US&channel=apns_voip";
    assert_eq!(values_of(case, &with(all, &SOME), "filters"), [expected]);
    let odd = with(all, &[("app", &["a&b=it's"])]);
    assert_eq!(values_of(case, &odd, "filters"), ["role=callee&app=a%26b%3Dit%27s"]);
}

fn values_of(case: &Case, view: &View, variable: &str) -> Vec<String> {
    let board = board("sre");
    let variable = list(&board["templating"]["list"]).find(|other| other["name"] == variable).unwrap();
    let rows = case.rows(&view.sql(text(variable, "/query/rawSql")).unwrap());
    rows.iter().map(|row| text(row, "/value").to_owned()).collect()
}
