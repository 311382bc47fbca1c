//! What a board shows, as `dashboards/grafana/definitions/*.toml` says it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What all boards share: `common.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// Pieces of SQL by name; `{name}` in a panel's SQL stands for one. A piece may use those before it in the alphabet.
    pub pieces: BTreeMap<String, String>,
    /// Variables that choose rows, in the order in which they are shown.
    pub filters: Vec<Filter>,
}

/// A variable that chooses rows, by any number of values of a column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Its name, on the board and in the address of Ringtrace's pages.
    pub name: String,
    /// What people read.
    pub label: String,
    /// The column. Where it is null, the value is `unknown`.
    pub column: String,
}

/// A board.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Grafana's identifier, which stays the same for ever.
    pub uid: String,
    /// What people read.
    pub title: String,
    /// Who it is for.
    pub description: String,
    /// Start of the time range, as `now-24h`.
    pub from: String,
    /// How often it is drawn anew, as `1m`.
    pub refresh: String,
    /// Its panels, from top to bottom.
    pub rows: Vec<Row>,
}

/// Panels under one heading.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The heading.
    pub title: String,
    /// From left to right; what does not fit goes below.
    pub panels: Vec<Panel>,
}

/// A panel. It has either SQL or PromQL.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// The heading.
    pub title: String,
    /// How it is drawn.
    pub kind: Kind,
    /// What it shows and how that is computed.
    pub says: String,
    /// Grafana's name of the unit.
    #[serde(default = "short")]
    pub unit: String,
    /// Of 24.
    #[serde(default = "half")]
    pub width: u32,
    /// Page of the web application that has more, as `/delivery`.
    pub page: String,
    /// The query, in ClickHouse.
    pub sql: Option<String>,
    /// Queries in Prometheus, each a legend and an expression.
    #[serde(default)]
    pub promql: Vec<(String, String)>,
    /// Name of a series, where it is not the column's.
    pub name: Option<String>,
    /// Colours and the value from which each holds, ascending; the first holds below the second.
    #[serde(default)]
    pub thresholds: Vec<(String, f64)>,
    /// Largest value of the axis.
    pub max: Option<f64>,
    /// What differs in columns of a table.
    #[serde(default)]
    pub columns: BTreeMap<String, Column>,
}

/// A column of a table that is not like the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Grafana's name of the unit.
    pub unit: Option<String>,
    /// As those of a panel; they colour the cell.
    #[serde(default)]
    pub thresholds: Vec<(String, f64)>,
    /// Where a click on a value leads, below Ringtrace's address.
    pub link: Option<String>,
}

/// How a panel is drawn.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Lines over time.
    Lines,
    /// Bars over time, stacked.
    Stacked,
    /// Large numbers.
    Numbers,
    /// Bars by category.
    Bars,
    /// Rows and columns.
    Table,
}

fn short() -> String {
    "short".to_owned()
}

const fn half() -> u32 {
    12
}
