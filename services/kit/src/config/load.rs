//! Putting the layers together, and saying exactly what is wrong with one.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use toml::{Table, Value};

use super::Config;
use super::settings::{Accepts, Fallback, SETTINGS, Setting};

/// A setting given on the command line.
#[derive(Clone, Debug)]
pub struct Override {
    /// The flag, for errors: `--brokers`.
    pub flag: &'static str,
    /// The setting: `kafka.brokers`.
    pub key: &'static str,
    /// Its value.
    pub value: String,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("configuration file {path} can't be read")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("configuration file {path} is not TOML: {problem}")]
    Syntax {
        /// The file.
        path: String,
        /// Where, and what.
        problem: String,
    },
    /// A setting that does not exist.
    #[error("{key} (from {origin}) is no setting; {hint}")]
    Unknown {
        /// The key.
        key: String,
        /// File, variable or flag.
        origin: String,
        /// What there is instead.
        hint: String,
    },
    /// A value that is not accepted.
    #[error("{key} = {value} (from {origin}) is not accepted: expected {accepted}")]
    Value {
        /// The key.
        key: String,
        /// The value; hidden where it is a secret.
        value: String,
        /// File, variable or flag.
        origin: String,
        /// What would do.
        accepted: String,
    },
}

/// Puts the configuration together: defaults, then `file`, then `environment` (variables named
/// `RINGTRACE_<SECTION>_<KEY>`; others are not looked at), then `overrides`.
///
/// # Errors
/// The first setting that is unknown or not accepted.
pub fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    overrides: &[Override],
) -> Result<Config, ConfigError> {
    let mut layers = Layers::default();
    for setting in SETTINGS {
        layers.put(setting, setting.default_value());
    }
    layers.configured.clear();
    if let Some(path) = file {
        layers.apply_file(path)?;
    }
    for (name, text) in environment.filter(|(name, _)| name.starts_with("RINGTRACE_")) {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) {
            layers.apply_text(setting, &text, &name)?;
        } else if is_of_a_section(&name) {
            return Err(unknown(name.clone(), name));
        }
    }
    for Override { flag, key, value } in overrides {
        let setting = find(key).ok_or_else(|| unknown((*key).to_owned(), (*flag).to_owned()))?;
        layers.apply_text(setting, value, flag)?;
    }
    let config: Result<Config, toml::de::Error> = Value::Table(layers.values).try_into();
    match config {
        Ok(config) => Ok(Config { configured: layers.configured, ..config }),
        Err(error) => Err(ConfigError::Syntax { path: "(all layers)".to_owned(), problem: error.to_string() }),
    }
}

/// A configuration file with every setting, its default and what it is for.
pub fn example() -> String {
    let mut out =
        "# Every setting with its default. The environment overrides this file: RINGTRACE_KAFKA_BROKERS and so on.\n"
            .to_owned();
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            let _ = write!(out, "\n[{section}]\n");
        }
        let _ = writeln!(out, "# {} Accepts {}.", setting.about, setting.accepts.describe());
        let _ = writeln!(out, "{} = {}", setting.key, setting.default_value());
    }
    out
}

/// The layers so far.
#[derive(Default)]
struct Layers {
    values: Table,
    /// Keys that were put.
    configured: BTreeSet<String>,
}

impl Layers {
    fn apply_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: name.clone(), source })?;
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| ConfigError::Syntax { path: name.clone(), problem: error.to_string() })?;
        for (section, entries) in table {
            let Value::Table(entries) = entries else { return Err(unknown(section, name)) };
            for (key, value) in entries {
                let full = format!("{section}.{key}");
                let setting = find(&full).ok_or_else(|| unknown(full, name.clone()))?;
                let value = setting.check(value, &name)?;
                self.put(setting, value);
            }
        }
        Ok(())
    }

    fn apply_text(&mut self, setting: &Setting, text: &str, origin: &str) -> Result<(), ConfigError> {
        let value = match setting.accepts {
            Accepts::Int(..) => text.trim().parse().map_or_else(|_| Value::String(text.to_owned()), Value::Integer),
            Accepts::List => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
            }
            _ => Value::String(text.to_owned()),
        };
        let value = setting.check(value, origin)?;
        self.put(setting, value);
        Ok(())
    }

    fn put(&mut self, setting: &Setting, value: Value) {
        self.configured.insert(setting.full_key());
        let section = self.values.entry(setting.section).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(section) = section {
            section.insert(setting.key.to_owned(), value);
        }
    }
}

fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.full_key() == key)
}

fn is_of_a_section(variable: &str) -> bool {
    SETTINGS.iter().any(|setting| variable.starts_with(&format!("RINGTRACE_{}_", setting.section.to_uppercase())))
}

fn unknown(key: String, origin: String) -> ConfigError {
    let lower = key.trim_start_matches("RINGTRACE_").to_lowercase();
    let section = lower.split(['.', '_']).next().unwrap_or_default();
    let known: Vec<String> = SETTINGS.iter().filter(|s| s.section == section).map(Setting::full_key).collect();
    let hint = if known.is_empty() {
        let mut sections: Vec<&str> = SETTINGS.iter().map(|setting| setting.section).collect();
        sections.dedup();
        format!("sections are {}", sections.join(", "))
    } else {
        format!("there are {}", known.join(", "))
    };
    ConfigError::Unknown { key, origin, hint }
}

impl Setting {
    fn full_key(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    fn variable(&self) -> String {
        format!("RINGTRACE_{}_{}", self.section, self.key).to_uppercase()
    }

    fn default_value(&self) -> Value {
        match self.default {
            Fallback::Text(text) => Value::String(text.to_owned()),
            Fallback::Int(int) => Value::Integer(int),
            Fallback::List(items) => Value::Array(items.iter().map(|item| Value::String((*item).to_owned())).collect()),
        }
    }

    fn check(&self, value: Value, origin: &str) -> Result<Value, ConfigError> {
        if self.accepts.takes(&value) {
            return Ok(value);
        }
        let shown = if matches!(self.accepts, Accepts::Secret) { "(secret)".to_owned() } else { value.to_string() };
        Err(ConfigError::Value {
            key: self.full_key(),
            value: shown,
            origin: origin.to_owned(),
            accepted: self.accepts.describe(),
        })
    }
}

impl Accepts {
    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Accepts::Text | Accepts::Secret, Value::String(_)) => true,
            (Accepts::Name, Value::String(text)) => !text.trim().is_empty(),
            (Accepts::Url, Value::String(text)) => {
                let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
                rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
            }
            (Accepts::OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
            (Accepts::Int(least, most), Value::Integer(int)) => (least..=most).contains(int),
            (Accepts::List, Value::Array(items)) => items.iter().all(Value::is_str),
            (Accepts::Tables, Value::Array(items)) => items.iter().all(Value::is_table),
            (Accepts::Tables, Value::String(path)) => !path.trim().is_empty(),
            _ => false,
        }
    }

    fn describe(self) -> String {
        match self {
            Accepts::Text => "text, which may be empty".to_owned(),
            Accepts::Secret => "text, which is never shown".to_owned(),
            Accepts::Name => "text that is not empty".to_owned(),
            Accepts::Url => "an address like http://localhost:8123".to_owned(),
            Accepts::OneOf(words) => format!("one of {}", words.join(", ")),
            Accepts::Int(least, most) => format!("a whole number from {least} to {most}"),
            Accepts::List => "a list of texts".to_owned(),
            Accepts::Tables => "a list of tables, or the path of a TOML file that has it".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_env(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        load(None, pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())), &[])
    }

    fn with_file(text: &str) -> Result<Config, ConfigError> {
        let file = std::env::temp_dir().join(format!("ringtrace-config-{}-{:p}.toml", std::process::id(), text));
        std::fs::write(&file, text).unwrap();
        let config = load(Some(&file), std::iter::empty(), &[]);
        std::fs::remove_file(&file).unwrap();
        config
    }

    #[test]
    fn the_committed_example_holds_every_setting_and_its_default() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ringtrace.example.toml");
        if std::env::var_os("RINGTRACE_WRITE").is_some() {
            std::fs::write(path, example()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert_eq!(committed, example(), "run the tests with RINGTRACE_WRITE=1 to write the example again");
        let from_file = Config { configured: BTreeSet::new(), ..with_file(&committed).unwrap() };
        assert_eq!(format!("{from_file:?}"), format!("{:?}", with_env(&[]).unwrap()));
    }

    #[test]
    fn later_layers_win() {
        assert_eq!(with_file("[kafka]\nbrokers = \"a:1\"\n").unwrap().kafka.brokers, "a:1");
        assert_eq!(with_env(&[("RINGTRACE_KAFKA_BROKERS", "b:2")]).unwrap().kafka.brokers, "b:2");
        let flag = Override { flag: "--brokers", key: "kafka.brokers", value: "c:3".to_owned() };
        let env = [("RINGTRACE_KAFKA_BROKERS".to_owned(), "b:2".to_owned())];
        assert_eq!(load(None, env.into_iter(), &[flag]).unwrap().kafka.brokers, "c:3");
    }

    #[test]
    fn errors_name_key_value_origin_and_what_would_do() {
        let cases = [
            (
                with_env(&[("RINGTRACE_RULES_RING_TIMEOUT_MS", "soon")]),
                "rules.ring_timeout_ms = \"soon\" (from RINGTRACE_RULES_RING_TIMEOUT_MS) is not accepted: expected a whole number from 1 to 86400000",
            ),
            (
                with_env(&[("RINGTRACE_CLICKHOUSE_URL", "localhost")]),
                "clickhouse.url = \"localhost\" (from RINGTRACE_CLICKHOUSE_URL) is not accepted: expected an address like http://localhost:8123",
            ),
            (
                with_env(&[("RINGTRACE_LOG_COLOUR", "red")]),
                "RINGTRACE_LOG_COLOUR (from RINGTRACE_LOG_COLOUR) is no setting; there are log.level, log.format",
            ),
        ];
        for (config, expected) in cases {
            assert_eq!(config.unwrap_err().to_string(), expected);
        }
        let error = with_file("[privacy]\nkey = 7\n").unwrap_err().to_string();
        assert!(error.contains("privacy.key = (secret)"), "{error}");
        let error = with_file("[kafka]\nbroker = \"a:1\"\n").unwrap_err().to_string();
        assert!(error.contains("kafka.broker ") && error.contains("kafka.brokers"), "{error}");
        assert!(matches!(with_file("kafka = ["), Err(ConfigError::Syntax { .. })));
    }

    #[test]
    fn other_variables_are_left_alone_and_secrets_stay_hidden() {
        let config = with_env(&[("RINGTRACE_LIBCHDB", "x"), ("RINGTRACE_CLICKHOUSE_PASSWORD", "hunter2")]).unwrap();
        assert_eq!(config.clickhouse.password.expose(), "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
