//! Reads tables of a TOML file key by key, and remembers every problem with its line and key.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a rules file, at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// The key, such as `rule.slow-reports.window`.
    pub key: String,
    /// What is wrong, and what would be accepted.
    pub what: String,
}

impl Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { line, key, what } = self;
        if key.is_empty() { write!(out, "line {line}: {what}") } else { write!(out, "line {line}: {key}: {what}") }
    }
}

/// All problems of a file, and how its bytes are divided into lines.
#[derive(Debug)]
pub(crate) struct Problems<'t> {
    text: &'t str,
    found: Vec<Problem>,
}

impl<'t> Problems<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Problems { text, found: Vec::new() }
    }

    /// Notes a problem at a byte of the file.
    pub(crate) fn add(&mut self, at: usize, key: impl Into<String>, what: impl Into<String>) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.found.push(Problem { line, key: key.into(), what: what.into() });
    }

    /// All of them, in the order of lines.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| problem.line);
        self.found
    }
}

/// A table, and the shipped one whose keys it overrides.
pub(crate) struct Section<'a, 'p, 't> {
    name: String,
    /// Where it begins in the file.
    pub(crate) at: usize,
    own: Option<&'a DeTable<'a>>,
    base: Option<&'a DeTable<'a>>,
    read: BTreeSet<&'static str>,
    pub(crate) problems: &'p mut Problems<'t>,
}

impl<'a, 'p, 't> Section<'a, 'p, 't> {
    pub(crate) fn new(
        name: impl Into<String>,
        at: usize,
        own: Option<&'a DeTable<'a>>,
        base: Option<&'a DeTable<'a>>,
        problems: &'p mut Problems<'t>,
    ) -> Self {
        Section { name: name.into(), at, own, base, read: BTreeSet::new(), problems }
    }

    /// The table of a name, over the shipped one.
    pub(crate) fn of(
        name: &'static str,
        own: &'a DeTable<'a>,
        shipped: &'a DeTable<'a>,
        problems: &'p mut Problems<'t>,
    ) -> Self {
        let held = find(own, name);
        let at = held.map_or(0, |value| value.span().start);
        if held.is_some_and(|value| value.get_ref().as_table().is_none()) {
            problems.add(at, name, "is not accepted: expected a table");
        }
        let base = find(shipped, name).and_then(|value| value.get_ref().as_table());
        Section::new(name, at, held.and_then(|value| value.get_ref().as_table()), base, problems)
    }

    /// Keys that others read.
    pub(crate) fn ignore(&mut self, keys: &[&'static str]) {
        self.read.extend(keys);
    }

    /// Whether the file itself, not what is shipped, has a key.
    pub(crate) fn has_own(&self, key: &str) -> bool {
        self.own.is_some_and(|table| find(table, key).is_some())
    }

    fn value(&mut self, key: &'static str) -> Option<(usize, &'a DeValue<'a>)> {
        self.read.insert(key);
        if let Some(value) = self.own.and_then(|table| find(table, key)) {
            return Some((value.span().start, value.get_ref()));
        }
        self.base.and_then(|table| find(table, key)).map(|value| (self.at, value.get_ref()))
    }

    pub(crate) fn refuse(&mut self, at: usize, key: &str, what: impl Into<String>) {
        let key = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        self.problems.add(at, key, what);
    }

    /// The value of a key, as `take` reads it; `expected` says what it accepts. `None` where the key is missing or wrong.
    fn get<T>(&mut self, key: &'static str, expected: &str, take: impl FnOnce(&DeValue<'a>) -> Option<T>) -> Option<T> {
        let (at, value) = self.value(key)?;
        let taken = take(value);
        if taken.is_none() {
            self.refuse(at, key, format!("{} is not accepted: expected {expected}", shown(value)));
        }
        taken
    }

    /// A text; empty where the key is missing.
    pub(crate) fn text(&mut self, key: &'static str) -> String {
        self.get(key, "text", |value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// A text that must be there and not be empty.
    pub(crate) fn name(&mut self, key: &'static str) -> Option<String> {
        let is_missing = self.value(key).is_none();
        let text = self.get(key, "text that is not empty", |value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
        });
        if is_missing {
            self.refuse(self.at, key, "is missing: expected text that is not empty");
        }
        text
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.get(key, "true or false", |value| value.as_bool()).unwrap_or(default)
    }

    /// A whole number within a range.
    pub(crate) fn int(&mut self, key: &'static str, default: i64, range: (i64, i64)) -> i64 {
        let (least, most) = range;
        let expected = format!("a whole number from {least} to {most}");
        self.get(key, &expected, |value| number::<i64>(value).filter(|int| (least..=most).contains(int)))
            .unwrap_or(default)
    }

    /// A number above 0, up to `most`.
    pub(crate) fn number(&mut self, key: &'static str, default: f64, most: f64) -> f64 {
        let expected = format!("a number above 0, up to {most}");
        self.get(key, &expected, |value| number::<f64>(value).filter(|number| *number > 0.0 && *number <= most))
            .unwrap_or(default)
    }

    /// A length of time in milliseconds.
    pub(crate) fn length(&mut self, key: &'static str, default_ms: i64) -> i64 {
        self.get(key, "a length such as \"90s\", \"5m\", \"1h\" or \"3d\", at most 30 days", |value| {
            value.as_str().and_then(parse_length)
        })
        .unwrap_or(default_ms)
    }

    /// One of some words; `None` where the key is missing or wrong.
    pub(crate) fn word<T>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T>
    where
        T: Clone,
    {
        let expected = format!("one of {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "));
        self.get(key, &expected, |value| {
            let text = value.as_str()?;
            words.iter().find(|(word, _)| *word == text).map(|(_, meant)| meant.clone())
        })
    }

    /// A list of texts, with the place of each.
    pub(crate) fn list(&mut self, key: &'static str) -> Option<Vec<(usize, String)>> {
        let own = self.has_own(key);
        let at = self.at;
        self.get(key, "a list of texts", |value| {
            let items = value.as_array()?.iter();
            items
                .map(|item| {
                    let place = if own { item.span().start } else { at };
                    item.get_ref().as_str().map(|text| (place, text.to_owned()))
                })
                .collect()
        })
    }

    /// Pairs of texts; empty where the key is missing.
    pub(crate) fn pairs(&mut self, key: &'static str) -> Vec<(String, String)> {
        self.get(key, "a table of texts", |value| {
            let pairs = value.as_table()?.iter();
            pairs
                .map(|(name, value)| Some((name.get_ref().to_string(), value.get_ref().as_str()?.to_owned())))
                .collect()
        })
        .unwrap_or_default()
    }

    /// Refuses every key of the file that nothing has asked for.
    pub(crate) fn finish(self) {
        let Some(own) = self.own else { return };
        let known: Vec<&str> = self.read.iter().copied().collect();
        for key in own.keys().filter(|key| !self.read.contains(key.get_ref().as_ref())) {
            let name = if self.name.is_empty() { String::new() } else { format!("{}.", self.name) };
            let what = format!("is no key here; there are {}", known.join(", "));
            self.problems.add(key.span().start, format!("{name}{}", key.get_ref()), what);
        }
    }
}

fn find<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<&'a Spanned<DeValue<'t>>> {
    table.iter().find(|(held, _)| held.get_ref() == key).map(|(_, value)| value)
}

fn number<T: FromStr>(value: &DeValue<'_>) -> Option<T> {
    let text = match value {
        DeValue::Integer(int) => int.as_str(),
        DeValue::Float(float) => float.as_str(),
        _ => return None,
    };
    text.replace('_', "").parse().ok()
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(int) => int.as_str().to_owned(),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        other => other.type_str().to_owned(),
    }
}

/// Milliseconds of a length such as `90s`, `5m`, `1h` or `3d`; at most 30 days.
pub fn parse_length(text: &str) -> Option<i64> {
    let unit_at = text.len().checked_sub(1)?;
    let (digits, unit) = (text.get(..unit_at)?, text.get(unit_at..)?);
    let unit_ms = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: i64 = digits.parse().ok().filter(|_| is_digits)?;
    count.checked_mul(unit_ms).filter(|ms| *ms <= 30 * 86_400_000)
}

/// A length for people: `90 s`, `5 min`, `1 h`, `3 d`, in the largest unit that is whole.
pub fn show_length(ms: i64) -> String {
    match ms {
        ms if ms >= 86_400_000 && ms % 86_400_000 == 0 => format!("{} d", ms / 86_400_000),
        ms if ms >= 3_600_000 && ms % 3_600_000 == 0 => format!("{} h", ms / 3_600_000),
        ms if ms >= 60_000 && ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        ms => format!("{} s", ms as f64 / 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_length, show_length};

    #[test]
    fn lengths_are_read_and_shown() {
        for (text, ms, shown) in
            [("90s", 90_000, "90 s"), ("5m", 300_000, "5 min"), ("1h", 3_600_000, "1 h"), ("3d", 259_200_000, "3 d")]
        {
            assert_eq!(parse_length(text), Some(ms));
            assert_eq!(show_length(ms), shown);
        }
        assert_eq!(show_length(3_500), "3.5 s");
        for text in ["", "s", "5", "-5m", "+5m", "5 m", "31d", "5é"] {
            assert_eq!(parse_length(text), None, "{text:?}");
        }
    }
}
