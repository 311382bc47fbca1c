//! The variables of a board.

use serde_json::{Value, json};

use super::definition::Filter;
use super::render::{clickhouse, merge};

/// The variables of a board: where to read, what to show, and what links need.
pub fn variables(filters: &[Filter], has_promql: bool) -> Vec<Value> {
    let mut all = vec![source("clickhouse", "ClickHouse", "grafana-clickhouse-datasource")];
    if has_promql {
        all.push(source("prometheus", "Prometheus", "prometheus"));
    }
    all.extend(filters.iter().map(choice));
    all.push(query_variable(
        "filters",
        "Filters in links",
        &filters_in_links(filters),
        json!({ "hide": 2, "refresh": 1 }),
    ));
    let url = "http://127.0.0.1:8080";
    let chosen = json!({ "text": url, "value": url });
    all.push(json!({
        "type": "textbox", "name": "ringtrace_url", "label": "Ringtrace at", "hide": 0, "query": url, "current": chosen,
        "options": [{ "selected": true, "text": url, "value": url }], "skipUrlSync": false,
    }));
    all
}

fn source(name: &str, label: &str, plugin: &str) -> Value {
    json!({
        "type": "datasource", "name": name, "label": label, "query": plugin, "current": {}, "options": [], "hide": 0,
        "includeAll": false, "multi": false, "refresh": 1, "regex": "", "skipUrlSync": false,
    })
}

fn choice(filter: &Filter) -> Value {
    let column = &filter.column;
    let sql = format!(
        "SELECT DISTINCT if({column} = '', 'unknown', {column}) AS value\nFROM leg_stats\n\
         WHERE bucket >= toStartOfTenMinutes($__fromTime) AND bucket <= $__toTime\nORDER BY value\nLIMIT 1000"
    );
    let own = json!({
        "hide": 0, "refresh": 2, "includeAll": true, "multi": true,
        "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
    });
    query_variable(&filter.name, &filter.label, &sql, own)
}

/// What the filters choose, as the query of an address in Ringtrace's web application: nothing for a filter that is at All.
fn filters_in_links(filters: &[Filter]) -> String {
    let each = filters.iter().map(|Filter { name, .. }| {
        format!(
            "  if($__conditionalAll(1 = 0, ${name}), [], arrayMap(chosen -> concat('{name}=', encodeURLComponent(\
             if(chosen = 'unknown', '', chosen))), CAST([${{{name}:singlequote}}] AS Array(String))))"
        )
    });
    let each: Vec<String> = each.collect();
    format!("SELECT arrayStringConcat(arrayConcat(\n  ['role=callee'],\n{}\n), '&') AS value", each.join(",\n"))
}

fn query_variable(name: &str, label: &str, sql: &str, own: Value) -> Value {
    let mut variable = json!({
        "type": "query", "name": name, "label": label, "datasource": clickhouse(), "definition": sql,
        "query": { "editorType": "sql", "rawSql": sql, "refId": name }, "options": [], "regex": "", "sort": 0,
        "skipUrlSync": false, "includeAll": false, "multi": false, "current": {},
    });
    merge(&mut variable, own);
    variable
}
