//! What a test of rules expects, and how it differs from what happens.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use ringtrace_alerter::replay::{Fired, time};
use serde::Deserialize;

/// A file of expectations: exactly these alerts, and no others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The alerts.
    #[serde(default)]
    alert: Vec<ExpectedAlert>,
}

/// An alert that is expected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedAlert {
    rule: String,
    /// Labels that it must have; it may have others.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// When it fires: RFC 3339, to the second.
    fires_at: String,
    /// When it is resolved; absent where it fires at the end of the file.
    resolved_at: Option<String>,
    /// Words that its summary must hold.
    summary: Option<String>,
}

impl Expected {
    /// Reads a file.
    ///
    /// # Errors
    /// It can't be read, or is not such a file.
    pub fn read(path: &Path) -> anyhow::Result<Expected> {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("expectations {name} can't be read"))?;
        toml::from_str(&text).with_context(|| format!("expectations {name} are not accepted"))
    }

    /// What is missing, and what is there without being expected; empty when all is well.
    pub fn differences(&self, fired: &[Fired]) -> Vec<String> {
        let mut left: Vec<&Fired> = fired.iter().collect();
        let mut differences = Vec::new();
        for expected in &self.alert {
            match left.iter().position(|held| expected.is(held)) {
                Some(place) => drop(left.remove(place)),
                None => {
                    let until = expected.resolved_at.as_deref().unwrap_or("the end");
                    let ExpectedAlert { rule, labels, fires_at, .. } = expected;
                    differences.push(format!("missing: {rule} {labels:?} from {fires_at} to {until}"));
                }
            }
        }
        differences.extend(left.iter().map(|held| format!("not expected: {held}")));
        differences
    }
}

impl ExpectedAlert {
    fn is(&self, fired: &Fired) -> bool {
        let alert = &fired.alert;
        let has = |(name, value): (&String, &String)| alert.label(name) == Some(value.as_str());
        alert.rule == self.rule
            && self.labels.iter().all(has)
            && time(fired.fired_at()) == self.fires_at
            && fired.resolved_at.map(time).as_ref() == self.resolved_at.as_ref()
            && self.summary.as_ref().is_none_or(|words| alert.summary.contains(words.as_str()))
    }
}
