//! A board's JSON, in the form that Grafana 11 and 12 import (schema version 39).

use serde_json::{Map, Value, json};

use super::definition::{Common, Definition, Kind, Panel};
use super::look::{defaults, kind, options, overrides};
use super::variables::variables;

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
        // A query without a version would be taken for one of version 3, and changed.
        "pluginVersion": "4.0.0",
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

/// The data source of SQL that the viewer has chosen.
pub fn clickhouse() -> Value {
    json!({ "type": "grafana-clickhouse-datasource", "uid": "${clickhouse}" })
}

/// The data source of PromQL that the viewer has chosen.
pub fn prometheus() -> Value {
    json!({ "type": "prometheus", "uid": "${prometheus}" })
}

/// Takes over the fields of another object.
pub fn merge(into: &mut Value, other: Value) {
    if let (Value::Object(fields), Value::Object(others)) = (into, other) {
        let others: Map<String, Value> = others;
        fields.extend(others);
    }
}
