//! Macros become what grafana/clickhouse-datasource makes of them: expectations from its own tests and documentation.

use ringtrace_tests::boards::{Chosen, View};

fn view() -> View {
    let some = |values: &[&str]| Chosen::Some(values.iter().map(|value| (*value).to_owned()).collect());
    let all = Chosen::All(vec!["a".to_owned(), "b".to_owned()]);
    let variables = [("app", some(&["it's", "b"])), ("country", all), ("channel", some(&["fcm"]))];
    View {
        from_s: 1_415_792_726,
        to_s: 1_447_328_726,
        interval_s: 20,
        variables: variables.map(|(name, chosen)| (name.to_owned(), chosen)).into(),
    }
}

#[track_caller]
fn check(raw: &str, expected: &str) {
    assert_eq!(view().sql(raw).as_deref(), Ok(expected));
}

#[test]
fn macros_of_time_are_expanded() {
    check("$__fromTime, $__toTime", "toDateTime(1415792726), toDateTime(1447328726)");
    check("$__timeFilter(col)", "col >= toDateTime(1415792726) AND col <= toDateTime(1447328726)");
    check("$__interval_s", "20");
    check("$__timeInterval(f(a, b))", "toStartOfInterval(toDateTime(f(a, b)), INTERVAL 20 second)");
}

#[test]
fn a_point_of_a_line_is_a_second_at_least() {
    let view = View { interval_s: 0, ..view() };
    let expected = "toStartOfInterval(toDateTime(col), INTERVAL 1 second)";
    assert_eq!(view.sql("$__timeInterval(col)").as_deref(), Ok(expected));
}

#[test]
fn a_condition_holds_where_its_variable_is_at_all() {
    check("$__conditionalAll(country IN (${country:singlequote}), $country)", "1=1");
    check(
        "$__conditionalAll(f(country, '') IN (${country:singlequote}), $country) AND $__conditionalAll(c IN (${channel:singlequote}), $channel)",
        "1=1 AND c IN ('fcm')",
    );
}

#[test]
fn values_are_quoted() {
    check("x IN (${app:singlequote})", r"x IN ('it\'s','b')");
    check("x IN (${country:singlequote})", "x IN ('a','b')");
}

#[test]
fn what_is_not_known_is_an_error() {
    for raw in
        ["$__unknown(x)", "${nothing:singlequote}", "${app:csv}", "$app", "$__timeFilter(a, b)", "$__timeFilter(a"]
    {
        assert!(view().sql(raw).is_err(), "{raw}");
    }
}
