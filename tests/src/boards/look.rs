//! How panels look: units, thresholds, lines and bars.

use serde_json::{Value, json};

use super::definition::{Column, Kind, Panel};
use super::render::merge;

/// Grafana's name of a kind of panel.
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Lines | Kind::Stacked => "timeseries",
        Kind::Numbers => "stat",
        Kind::Bars => "barchart",
        Kind::Table => "table",
    }
}

/// How all fields of a panel look.
pub fn defaults(panel: &Panel) -> Value {
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

/// How some columns of a table look.
pub fn overrides(panel: &Panel) -> Vec<Value> {
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

/// How a kind of panel is drawn.
pub fn options(kind: Kind) -> Value {
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
