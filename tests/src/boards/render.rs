//! A board's JSON, in the form that Grafana 11 and 12 import (schema version 39).

use serde_json::{Map, Value, json};

use super::definition::{Column, Common, Definition, Filter, Kind, Panel};

/// Columns of Grafana's grid.
const GRID: u32 = 24;

/// How often pieces may stand in pieces.
const DEPTH: usize = 4;

/// The board as Grafana imports it.
///
/// # Errors
/// When a panel has no query or two kinds of them, or its SQL names no piece that there is.
pub fn render(common: &Common, board: &Definition) -> Result<Value, String> {
    let has_promql = board.rows.iter().flat_map(|row| &row.panels).any(|panel| !panel.promql.is_empty());
    Ok(json!({
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["ringtrace"],
        "schemaVersion": 39,
        "version": 1,
        "id": null,
        "editable": true,
        "graphTooltip": 1,
        "refresh": board.refresh,
        "time": { "from": board.from, "to": "now" },
        "timezone": "",
        "links": [{
            "type": "dashboards", "title": "Ringtrace", "tags": ["ringtrace"], "asDropdown": true, "includeVars": true,
            "keepTime": true, "targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
        }],
        "annotations": { "list": [] },
        "templating": { "list": variables(&common.filters, has_promql) },
        "panels": panels(common, board)?,
    }))
}

fn variables(filters: &[Filter], has_promql: bool) -> Vec<Value> {
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

fn panels(common: &Common, board: &Definition) -> Result<Vec<Value>, String> {
    let mut place = Place::default();
    let mut all = Vec::new();
    for row in &board.rows {
        all.push(json!({
            "type": "row", "title": row.title, "collapsed": false, "panels": [], "id": place.next_id(),
            "gridPos": place.take(GRID, 1),
        }));
        for one in &row.panels {
            let height = if one.kind == Kind::Numbers { 4 } else { 8 };
            let mut shown = panel(common, one).map_err(|problem| format!("{}: {problem}", one.title))?;
            merge(&mut shown, json!({ "id": place.next_id(), "gridPos": place.take(one.width, height) }));
            all.push(shown);
        }
    }
    Ok(all)
}

/// Where the next panel goes.
#[derive(Default)]
struct Place {
    id: u32,
    x: u32,
    y: u32,
    height: u32,
}

impl Place {
    fn next_id(&mut self) -> u32 {
        self.id += 1;
        self.id
    }

    fn take(&mut self, width: u32, height: u32) -> Value {
        if self.x + width > GRID {
            (self.x, self.y, self.height) = (0, self.y + self.height, 0);
        }
        let place = json!({ "x": self.x, "y": self.y, "w": width, "h": height });
        self.x += width;
        self.height = self.height.max(height);
        place
    }
}

fn panel(common: &Common, panel: &Panel) -> Result<Value, String> {
    let (source, targets) = match (&panel.sql, panel.promql.is_empty()) {
        (Some(sql), true) => (clickhouse(), vec![sql_target(panel.kind, &complete(common, sql.trim())?)]),
        (None, false) => (prometheus(), promql_targets(panel)),
        _ => return Err("has either SQL or PromQL".to_owned()),
    };
    let joint = if panel.page.contains('?') { '&' } else { '?' };
    let url = format!("${{ringtrace_url:raw}}{}{joint}from=${{__from}}&to=${{__to}}&${{filters:raw}}", panel.page);
    Ok(json!({
        "type": kind(panel.kind),
        "title": panel.title,
        "description": panel.says,
        "datasource": source,
        "targets": targets,
        "fieldConfig": { "defaults": defaults(panel), "overrides": overrides(panel) },
        "options": options(panel.kind),
        "links": [{ "title": "Open in Ringtrace", "url": url, "targetBlank": true }],
    }))
}

/// SQL with its pieces in place.
fn complete(common: &Common, sql: &str) -> Result<String, String> {
    let mut sql = sql.to_owned();
    for _ in 0..DEPTH {
        for (name, piece) in &common.pieces {
            sql = sql.replace(&format!("{{{name}}}"), piece.trim());
        }
    }
    let mut rest = sql.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        if !before.ends_with('$') {
            return Err(format!("no piece is called {}", after.split('}').next().unwrap_or_default()));
        }
        rest = after;
    }
    Ok(sql)
}

fn sql_target(kind: Kind, sql: &str) -> Value {
    let is_over_time = matches!(kind, Kind::Lines | Kind::Stacked);
    json!({
        "refId": "A", "datasource": clickhouse(), "editorType": "sql", "rawSql": sql,
        // The plug-in's own numbers: 0 is a time series, 1 a table.
        "format": if is_over_time { 0 } else { 1 },
        "queryType": if is_over_time { "timeseries" } else { "table" },
    })
}

fn promql_targets(panel: &Panel) -> Vec<Value> {
    let is_instant = panel.kind == Kind::Numbers;
    let target = |(nth, (legend, expression)): (u8, &(String, String))| {
        json!({
            "refId": char::from(b'A' + nth).to_string(), "datasource": prometheus(), "editorMode": "code", "expr": expression,
            "legendFormat": legend, "instant": is_instant, "range": !is_instant,
        })
    };
    (0..).zip(&panel.promql).map(target).collect()
}

fn clickhouse() -> Value {
    json!({ "type": "grafana-clickhouse-datasource", "uid": "${clickhouse}" })
}

fn prometheus() -> Value {
    json!({ "type": "prometheus", "uid": "${prometheus}" })
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Lines | Kind::Stacked => "timeseries",
        Kind::Numbers => "stat",
        Kind::Bars => "barchart",
        Kind::Table => "table",
    }
}

fn defaults(panel: &Panel) -> Value {
    let mut defaults = json!({ "unit": panel.unit, "noValue": "nothing in this range", "custom": custom(panel) });
    let color = if panel.kind == Kind::Numbers { "thresholds" } else { "palette-classic-by-name" };
    merge(&mut defaults, json!({ "color": { "mode": color }, "thresholds": thresholds(&panel.thresholds) }));
    if panel.kind == Kind::Lines {
        merge(&mut defaults, json!({ "min": 0 }));
    }
    if let Some(max) = panel.max {
        merge(&mut defaults, json!({ "max": max }));
    }
    if let Some(name) = &panel.name {
        merge(&mut defaults, json!({ "displayName": name }));
    }
    defaults
}

fn custom(panel: &Panel) -> Value {
    match panel.kind {
        Kind::Lines => json!({
            "drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "auto", "spanNulls": false,
            "thresholdsStyle": { "mode": if panel.thresholds.is_empty() { "off" } else { "dashed" } },
        }),
        Kind::Stacked => json!({
            "drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80, "stacking": { "mode": "normal", "group": "A" },
        }),
        Kind::Bars => json!({ "lineWidth": 0, "fillOpacity": 80 }),
        Kind::Table => json!({ "filterable": true }),
        Kind::Numbers => json!({}),
    }
}

fn thresholds(steps: &[(String, f64)]) -> Value {
    let step = |(nth, (color, from)): (usize, &(String, f64))| {
        // The first step is the base, which holds below every other.
        json!({ "color": color, "value": if nth == 0 { Value::Null } else { json!(from) } })
    };
    let steps: Vec<Value> = steps.iter().enumerate().map(step).collect();
    let none = vec![json!({ "color": "text", "value": null })];
    json!({ "mode": "absolute", "steps": if steps.is_empty() { none } else { steps } })
}

fn overrides(panel: &Panel) -> Vec<Value> {
    let of = |(name, column): (&String, &Column)| {
        let mut properties = Vec::new();
        if let Some(unit) = &column.unit {
            properties.push(json!({ "id": "unit", "value": unit }));
        }
        if !column.thresholds.is_empty() {
            properties.push(json!({ "id": "thresholds", "value": thresholds(&column.thresholds) }));
            properties.push(json!({ "id": "color", "value": { "mode": "thresholds" } }));
            properties.push(json!({ "id": "custom.cellOptions", "value": { "type": "color-text" } }));
        }
        if let Some(link) = &column.link {
            let url = format!("${{ringtrace_url:raw}}{link}");
            let links = json!([{ "title": "Open in Ringtrace", "url": url, "targetBlank": true }]);
            properties.push(json!({ "id": "links", "value": links }));
        }
        json!({ "matcher": { "id": "byName", "options": name }, "properties": properties })
    };
    panel.columns.iter().map(of).collect()
}

fn options(kind: Kind) -> Value {
    match kind {
        Kind::Lines | Kind::Stacked => json!({
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Numbers => json!({
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            "colorMode": "value", "graphMode": "none", "textMode": "auto", "justifyMode": "auto", "orientation": "auto",
        }),
        Kind::Bars => json!({
            "orientation": "horizontal", "showValue": "auto", "barWidth": 0.8,
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": [] },
            "tooltip": { "mode": "single", "sort": "none" },
        }),
        Kind::Table => json!({ "showHeader": true, "cellHeight": "sm" }),
    }
}

/// Takes over the fields of another object.
fn merge(into: &mut Value, other: Value) {
    if let (Value::Object(fields), Value::Object(others)) = (into, other) {
        let others: Map<String, Value> = others;
        fields.extend(others);
    }
}
