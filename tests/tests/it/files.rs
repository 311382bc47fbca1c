//! Where the data lies, and how it is read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A path in the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of a folder with an ending, in order: their names without it, and their texts.
pub fn texts(folder: &str, ending: &str) -> Vec<(String, String)> {
    let folder = project(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut found: Vec<(String, String)> = entries
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
            Some((name, fs::read_to_string(&path).unwrap()))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no *{ending} in {}", folder.display());
    found
}

/// A file of one JSON document.
pub fn json(path: &str) -> Value {
    let path = project(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The documents of a text with one in each line.
pub fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
}

/// A record that is not valid, and why: a line of `schemas/examples/invalid`.
pub struct Invalid {
    /// What is wrong, for people.
    pub why: String,
    /// The record's value; `None` is a tombstone.
    pub text: Option<String>,
    /// The value, where it is a JSON document.
    pub value: Option<Value>,
    /// Its log time, in milliseconds since the Unix epoch.
    pub log_at: i64,
    /// `ringtrace.reason` of its dead letter.
    pub reason: String,
    /// What `ringtrace.detail` names.
    pub field: String,
    /// Whether a JSON Schema can refuse it.
    pub schema: bool,
}

impl Invalid {
    /// Log time of a line without `log_at`: 2026-11-02T08:00:00Z, a day after the examples.
    const LOG_AT: i64 = 1_793_606_400_000;

    /// Reads a line.
    pub fn of(mut line: Value) -> Self {
        let text_of =
            |line: &Value, key: &str| line[key].as_str().unwrap_or_else(|| panic!("{key} of {line}")).to_owned();
        let mut value = line.get_mut("value").map(Value::take);
        if let (Some(length), Some(Value::Object(fields))) = (line["padded_to"].as_u64(), &mut value) {
            fields.insert("padding".into(), json!(""));
            let missing = length as usize - serde_json::to_string(fields).unwrap().len();
            fields.insert("padding".into(), json!("x".repeat(missing)));
        }
        Invalid {
            why: text_of(&line, "why"),
            text: value.as_ref().map(Value::to_string).or_else(|| line["text"].as_str().map(str::to_owned)),
            value,
            log_at: line["log_at"].as_i64().unwrap_or(Self::LOG_AT),
            reason: text_of(&line, "reason"),
            field: text_of(&line, "field"),
            schema: line["schema"].as_bool().unwrap_or(true),
        }
    }
}
