//! The numbers on the boards are the contract's (section 7), counted here anew from `legs` and `calls`.

use ringtrace_tests::boards::View;
use ringtrace_tests::stack::Case;
use serde_json::Value;

use super::{board, sql, with};

/// Legs of callees, and what they say of their call.
const CALLS: &str = "
    calls LEFT JOIN (
      SELECT tenant_id, call_uuid,
        max(accepted_at IS NOT NULL OR received_at IS NOT NULL OR ifNull(channel, '') = 'socket') AS reached,
        max(reported_at IS NOT NULL OR verdict IN ('reported', 'reported_late')) AS rung
      FROM legs WHERE role = 'callee' GROUP BY tenant_id, call_uuid
    ) AS of_legs USING (tenant_id, call_uuid)";

pub fn rates_are_the_contracts(case: &Case, all: &View) {
    let (sre, product) = (board("sre"), board("product"));
    for (view, app) in [(all.clone(), "1"), (with(all, &[("app", &["com.acme.talk"])]), "app_id = 'com.acme.talk'")] {
        let shown = |board: &Value, title: &str| first(case, &view.sql(sql(board, title)).unwrap());
        let counted = |columns: &str, from: &str| first(case, &format!("SELECT {columns} FROM {from} AND {app}"));
        let legs = "legs WHERE role = 'callee'";
        same(
            &shown(&product, "Answer rates"),
            &counted(
                "countIf(outcome = 'answered' AND initiated_at IS NOT NULL) / countIf(initiated_at IS NOT NULL) AS bid,
                 countIf(outcome = 'answered' AND reached) / countIf(reached) AS seizure,
                 countIf(outcome = 'answered' AND rung) / countIf(rung) AS \"once rung\",
                 countIf(outcome IN ('answered', 'declined', 'unanswered', 'busy', 'filtered') AND reached) / countIf(reached)
                   AS \"network effectiveness\"",
                &format!("{CALLS} WHERE 1"),
            ),
        );
        same(
            &shown(&product, "Calls"),
            &counted("count() AS calls, countIf(outcome = 'answered') AS answered", "calls WHERE 1"),
        );
        same(
            &shown(&product, "Average call duration"),
            &counted("sum(talk_ms) / count(talk_ms) / 1000 AS duration", legs),
        );
        let within = [2, 5, 10, 30].map(|s| {
            format!("countIf(accepted_at IS NOT NULL AND sent_to_received_ms <= {s}000) / countIf(accepted_at IS NOT NULL) AS \"{s} s\"")
        });
        same(&shown(&sre, "Received within"), &counted(&within.join(", "), legs));
        let required = "countIf(verdict IN ('reported', 'reported_late', 'filtered', 'report_error', 'unreported'))";
        same(
            &shown(&sre, "Violations"),
            &counted(&format!("countIf(verdict = 'unreported') / {required} AS violations"), legs),
        );
    }
}

pub fn percentiles_are_of_legs(case: &Case, all: &View) {
    let whole = View { interval_s: all.to_s + 1, ..all.clone() };
    for (name, title, column) in [
        ("sre", "Sent → received", "sent_to_received_ms"),
        ("product", "Post-dial delay", "initiated_to_reported_ms"),
        ("product", "Ring time", "reported_to_answered_ms"),
    ] {
        let shown = first(case, &whole.sql(sql(&board(name), title)).unwrap());
        for percent in [50, 90, 95, 99] {
            let exact = format!(
                "SELECT toFloat64(quantileExact(0.{percent})({column})) AS value FROM legs WHERE role = 'callee'"
            );
            let exact = number(&first(case, &exact), "value");
            let shown = number(&shown, &format!("p{percent}"));
            assert!((shown - exact).abs() <= exact * 0.011 + 1.0, "{title} p{percent}: {shown}, not {exact}");
        }
    }
}

fn first(case: &Case, sql: &str) -> Value {
    case.rows(sql).into_iter().next().unwrap_or_else(|| panic!("no row: {sql}"))
}

fn number(row: &Value, column: &str) -> f64 {
    row[column].as_f64().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// The same numbers under the same names.
fn same(shown: &Value, counted: &Value) {
    let columns = counted.as_object().unwrap();
    assert_eq!(shown.as_object().unwrap().len(), columns.len(), "{shown} {counted}");
    for column in columns.keys() {
        let (shown, counted) = (number(shown, column), number(counted, column));
        assert!((shown - counted).abs() < 1e-9, "{column}: {shown}, not {counted}");
        assert!(counted > 0.0, "{column}: nothing was compared");
    }
}
