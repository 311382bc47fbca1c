//! The rules file: rules, thresholds of risk, receivers and mutes; over those that are shipped.

mod kinds;
mod reader;
mod receivers;
mod rule;

use std::collections::BTreeSet;
use std::fmt::Display;

use toml::de::{DeTable, DeValue};

pub(crate) use reader::Section;
pub use reader::{Problem, parse_length, show_length};
pub use receivers::{Hidden, Mute, Receiver, ReceiverKind};
pub use rule::{Against, Condition, Ratio, Rule, Severity};

use crate::device::DeviceSettings;
use crate::risk::RiskSettings;
use reader::Problems;

/// The rules that are shipped, as the file that documents them.
pub const SHIPPED: &str = include_str!("../../rules.toml");

/// A whole rules file.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Share of required reports that should be made in time.
    pub objective: f64,
    /// Address of the dashboard, without a path; empty for no links.
    pub dashboard: String,
    /// Thresholds of app risk.
    pub risk: RiskSettings,
    /// Thresholds of device risk.
    pub device: DeviceSettings,
    /// The rules.
    pub rules: Vec<Rule>,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// What is kept quiet.
    pub mutes: Vec<Mute>,
}

/// Everything that is wrong with a rules file.
#[derive(Debug, thiserror::Error)]
#[error("{}", joined(.0))]
pub struct RulesError(pub Vec<Problem>);

/// Why a rules file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It can't be read.
    #[error("rules file {path} can't be read")]
    Read {
        /// Its path.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not accepted.
    #[error("rules file {path} is not accepted")]
    Refused {
        /// Its path.
        path: String,
        /// What is wrong with it.
        #[source]
        source: RulesError,
    },
}

fn joined(problems: &[impl Display]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Rules {
    /// Reads a file over the shipped rules; an empty path gives those alone.
    ///
    /// # Errors
    /// The file can't be read, or is not accepted.
    pub fn of_file(path: &str) -> Result<Rules, FileError> {
        let text = match path {
            "" => String::new(),
            path => {
                std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?
            }
        };
        Rules::parse(&text).map_err(|source| FileError::Refused { path: path.to_owned(), source })
    }

    /// Reads a file over the shipped rules: a rule of a shipped name overrides the keys that it gives, others are new.
    ///
    /// # Errors
    /// Every problem of the file, with line and key.
    pub fn parse(text: &str) -> Result<Rules, RulesError> {
        let shipped = DeTable::parse(SHIPPED).map_err(|error| RulesError(vec![syntax(SHIPPED, &error)]))?;
        let own = DeTable::parse(text).map_err(|error| RulesError(vec![syntax(text, &error)]))?;
        let mut problems = Problems::new(text);
        let rules = read(own.get_ref(), shipped.get_ref(), &mut problems);
        let problems = problems.into_sorted();
        if problems.is_empty() { Ok(rules) } else { Err(RulesError(problems)) }
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.get(..at).unwrap_or_default().bytes().filter(|byte| *byte == b'\n').count() + 1;
    Problem { line, key: String::new(), what: format!("is not TOML: {}", error.message()) }
}

fn read<'a>(own: &'a DeTable<'a>, shipped: &'a DeTable<'a>, problems: &mut Problems<'_>) -> Rules {
    let mut top = Section::new("", 0, Some(own), Some(shipped), problems);
    let objective = top.number("objective", 0.999, 1.0);
    if objective >= 1.0 {
        top.refuse(0, "objective", "is 1: no report may ever be missing, and any burns the budget without end");
    }
    let dashboard = top.text("dashboard").trim_end_matches('/').to_owned();
    let with_shipped = top.flag("shipped_rules", true);
    top.ignore(&["risk", "device", "rule", "receiver", "mute"]);
    top.finish();
    let risk = RiskSettings::read(Section::of("risk", own, shipped, problems));
    let device = DeviceSettings::read(Section::of("device", own, shipped, problems));
    let shipped = if with_shipped { tables(shipped, "rule") } else { Vec::new() };
    let rules = read_rules(&tables(own, "rule"), &shipped, objective, problems);
    let mut receivers: Vec<Receiver> = Vec::new();
    for (at, table) in tables(own, "receiver") {
        let name = format!("receiver.{}", name_of(table));
        let Some(receiver) = receivers::read_receiver(Section::new(name, at, Some(table), None, problems)) else {
            continue;
        };
        if receivers.iter().any(|held| held.name == receiver.name) {
            problems.add(at, format!("receiver.{}", receiver.name), "is a name that another receiver has");
        }
        receivers.push(receiver);
    }
    let mutes = tables(own, "mute").into_iter();
    let mutes = mutes.map(|(at, table)| receivers::read_mute(Section::new("mute", at, Some(table), None, problems)));
    let mutes = mutes.collect();
    Rules { objective, dashboard, risk, device, rules, receivers, mutes }
}

/// The shipped rules with what the file changes of them, then the file's others.
fn read_rules<'a>(
    own: &[(usize, &'a DeTable<'a>)],
    shipped: &[(usize, &'a DeTable<'a>)],
    objective: f64,
    problems: &mut Problems<'_>,
) -> Vec<Rule> {
    let mut names = BTreeSet::new();
    for (at, table) in own {
        if !names.insert(name_of(table)) {
            problems.add(*at, format!("rule.{}", name_of(table)), "is a name that another rule has");
        }
    }
    let is_shipped = |name: &str| shipped.iter().any(|(_, table)| name_of(table) == name);
    let changed = shipped.iter().map(|(_, base)| {
        let change = own.iter().find(|(_, table)| name_of(table) == name_of(base));
        (change.map_or(0, |(at, _)| *at), change.map(|(_, table)| *table), Some(*base))
    });
    let others = own.iter().filter(|(_, table)| !is_shipped(name_of(table)));
    let all = changed.chain(others.map(|(at, table)| (*at, Some(*table), None)));
    let rules = all.filter_map(|(at, table, base)| {
        let name = format!("rule.{}", table.or(base).map_or("", name_of));
        kinds::read(Section::new(name, at, table, base, problems), objective)
    });
    rules.collect()
}

fn name_of<'a>(table: &'a DeTable<'_>) -> &'a str {
    let name = table.iter().find(|(key, _)| key.get_ref() == "name");
    name.and_then(|(_, value)| value.get_ref().as_str()).unwrap_or_default()
}

/// The tables of an array, with the place of each.
fn tables<'a>(of: &'a DeTable<'a>, name: &str) -> Vec<(usize, &'a DeTable<'a>)> {
    let value = of.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value.get_ref());
    let items = value.and_then(DeValue::as_array).into_iter().flat_map(|items| items.iter());
    items.filter_map(|item| Some((item.span().start, item.get_ref().as_table()?))).collect()
}
