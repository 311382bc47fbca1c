//! Grafana's boards: JSON that is made from short definitions, and what Grafana makes of their SQL.

mod definition;
mod expand;
mod look;
mod render;
mod variables;

use std::fs;
use std::path::{Path, PathBuf};

pub use definition::{Column, Common, Definition, Filter, Kind, Panel, Row};
pub use expand::{Chosen, View};
pub use render::render;

/// The boards, by the names of their files.
pub const NAMES: [&str; 3] = ["sre", "product", "pipeline"];

/// Where the JSON of a board lies.
pub fn path(name: &str) -> PathBuf {
    folder().join("boards").join(format!("{name}.json"))
}

/// What all boards share.
///
/// # Errors
/// When the file can't be read or is not right.
pub fn common() -> Result<Common, String> {
    read("common")
}

/// A board as it is defined.
///
/// # Errors
/// When the file can't be read or is not right.
pub fn definition(name: &str) -> Result<Definition, String> {
    read(name)
}

/// The JSON of a board as its definition has it, with a line end.
///
/// # Errors
/// When the definition is not right.
pub fn json(name: &str) -> Result<String, String> {
    let board = render(&common()?, &definition(name)?)?;
    serde_json::to_string_pretty(&board).map(|text| text + "\n").map_err(|error| error.to_string())
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, String> {
    let path = folder().join("definitions").join(format!("{name}.toml"));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards/grafana")
}
