//! The rules by which calls are judged, as `migrate` has stored them, so that no two linkers judge by different ones.

use std::fmt::{self, Display};

use clickhouse::error::Error;
use clickhouse::{Client, Row};
use ringtrace_model::Rules;
use serde::Deserialize;

/// What to do once the stored rules have changed.
pub const THEN_RELINK: &str = "`ringtrace relink --from TIME` judges history again";

/// The rules that hold.
const NEWEST: &str = "SELECT number, mapKeys(settings) AS names, mapValues(settings) AS values FROM rules_rows FINAL \
    ORDER BY number DESC LIMIT 1";

/// A setting of the rules that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// As in section `[rules]` of the configuration.
    pub name: String,
    /// The stored value; `None` where an older version has stored none.
    pub stored: Option<i64>,
    /// The value in the configuration at hand.
    pub here: i64,
}

/// Settings that differ, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences(pub Vec<Difference>);

impl Display for Differences {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Difference { name, stored, here }) in self.0.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            match stored {
                Some(stored) => write!(out, "{separator}rules.{name} is {stored} there and {here} here")?,
                None => write!(out, "{separator}rules.{name} is not there and {here} here")?,
            }
        }
        Ok(())
    }
}

/// Why there are no rules to judge by.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// ClickHouse does not answer, or has no such table.
    #[error("the stored rules can't be read from ClickHouse (`ringtrace migrate` makes and stores them)")]
    ClickHouse(#[from] Error),
    /// None are stored.
    #[error("no rules are stored: `ringtrace migrate` stores them")]
    Missing,
    /// The configuration has others.
    #[error(
        "the settings here are not those that are stored as rules {number}: {differences}; either set them back here, or store \
         them with `ringtrace migrate --accept-rules`, after which {THEN_RELINK}"
    )]
    Differ {
        /// Number of the stored rules.
        number: u64,
        /// What differs.
        differences: Differences,
    },
    /// Rules were stored after this process had started.
    #[error("rules {stored} are stored, and this process judges by rules {own}")]
    Newer {
        /// The newest number that was met.
        stored: u64,
        /// The number by which this process judges.
        own: u64,
    },
}

impl RulesError {
    /// Whether someone has to change a setting, here or in the store.
    pub fn is_setting(&self) -> bool {
        matches!(self, RulesError::Differ { .. })
    }
}

/// Rules as they are stored.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Stored {
    /// Counts up from 1.
    pub number: u64,
    names: Vec<String>,
    values: Vec<i64>,
}

impl Stored {
    /// Where a configuration differs from what is stored.
    pub fn differences(&self, rules: &Rules) -> Vec<Difference> {
        let stored = |name: &str| {
            let place = self.names.iter().position(|held| held == name)?;
            self.values.get(place).copied()
        };
        let all = rules.settings().into_iter();
        let all = all.map(|(name, here)| Difference { name: name.to_owned(), stored: stored(name), here });
        all.filter(|difference| difference.stored != Some(difference.here)).collect()
    }
}

/// The newest stored rules; `None` before the first.
///
/// # Errors
/// As ClickHouse says, also when the table is missing.
pub async fn stored(client: &Client) -> Result<Option<Stored>, RulesError> {
    Ok(client.query(NEWEST).fetch_optional::<Stored>().await?)
}

/// The number of the stored rules, which are those of the configuration.
///
/// # Errors
/// They are not, there are none, or ClickHouse does not answer.
pub async fn agreed(client: &Client, rules: &Rules) -> Result<u64, RulesError> {
    let stored = stored(client).await?.ok_or(RulesError::Missing)?;
    match stored.differences(rules) {
        differences if differences.is_empty() => Ok(stored.number),
        differences => Err(RulesError::Differ { number: stored.number, differences: Differences(differences) }),
    }
}

/// What [`settle`] has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing: these were stored already, under this number.
    Same(u64),
    /// The first ones were stored, under this number.
    First(u64),
    /// Others were stored before.
    Changed {
        /// The new number.
        number: u64,
        /// What has changed.
        differences: Differences,
    },
}

/// Stores the rules of a configuration when none are stored, or, where that is accepted, when others are.
///
/// # Errors
/// Others are stored and the change was not accepted, or ClickHouse does not answer.
pub async fn settle(client: &Client, database: &str, rules: &Rules, accepts: bool) -> Result<Settled, RulesError> {
    let Some(stored) = stored(client).await? else {
        store(client, database, 1, rules).await?;
        return Ok(Settled::First(1));
    };
    let differences = Differences(stored.differences(rules));
    if differences.0.is_empty() {
        return Ok(Settled::Same(stored.number));
    }
    if !accepts {
        return Err(RulesError::Differ { number: stored.number, differences });
    }
    let number = stored.number + 1;
    store(client, database, number, rules).await?;
    Ok(Settled::Changed { number, differences })
}

async fn store(client: &Client, database: &str, number: u64, rules: &Rules) -> Result<(), RulesError> {
    Ok(client.query_raw(&statement(database, number, rules)).execute().await?)
}

/// The statement that stores the rules of a configuration, for those who run it by hand.
pub fn statement(database: &str, number: u64, rules: &Rules) -> String {
    let settings: Vec<String> = rules.settings().iter().map(|(name, value)| format!("'{name}', {value}")).collect();
    format!(
        "INSERT INTO {database}.rules_rows (number, settings) SETTINGS async_insert = 0, distributed_foreground_insert = 1 \
         VALUES ({number}, map({}))",
        settings.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_stored(rules: &Rules) -> Stored {
        let (names, values) = rules.settings().map(|(name, value)| (name.to_owned(), value)).into_iter().unzip();
        Stored { number: 4, names, values }
    }

    #[test]
    fn every_setting_that_differs_is_named_with_both_values() {
        let mut stored = as_stored(&Rules::default());
        assert_eq!(stored.differences(&Rules::default()), []);
        let others = Rules { report_deadline_ms: 3_000, ring_timeout_ms: 1, ..Rules::default() };
        let said = Differences(stored.differences(&others)).to_string();
        assert_eq!(
            said,
            "rules.report_deadline_ms is 7000 there and 3000 here, rules.ring_timeout_ms is 120000 there and 1 here"
        );
        // A version that does not know a setting yet has stored the rest.
        stored.names.pop();
        assert_eq!(
            Differences(stored.differences(&Rules::default())).to_string(),
            "rules.ring_timeout_ms is not there and 120000 here"
        );
    }
}
