//! Statements: text from code, values as ClickHouse's own parameters, and always within the tenants of whoever asks.

use serde::{Serialize, Serializer};

use crate::problem::Problem;

/// The tenants that a request may see, and those that it asks for: a [`Query`] can't be made without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// `None`: all.
    tenants: Option<Vec<String>>,
}

impl Scope {
    /// What of `allowed` (`None`: all) is `asked` for (nothing: all).
    ///
    /// # Errors
    /// A tenant is asked for that may not be seen.
    pub(crate) fn of(allowed: Option<&[String]>, asked: &[String]) -> Result<Self, Problem> {
        let hidden = asked.iter().find(|tenant| allowed.is_some_and(|allowed| !allowed.contains(tenant)));
        if let Some(tenant) = hidden {
            return Err(Problem::forbidden(format!("this token does not see tenant {tenant:?}")));
        }
        let tenants = if asked.is_empty() { allowed.map(<[String]>::to_vec) } else { Some(asked.to_vec()) };
        Ok(Scope { tenants })
    }

    /// Whether a tenant's rows may be seen.
    pub(crate) fn sees(&self, tenant: &str) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.iter().any(|seen| seen == tenant))
    }

    /// The tenants; `None` for all.
    pub(crate) fn tenants(&self) -> Option<&[String]> {
        self.tenants.as_deref()
    }
}

/// Where most tables say whose a row is.
const OWNER: Option<&str> = Some("tenant_id");

/// Where alerts do. One about the pipeline has no such label: only who sees all tenants sees it.
const LABEL: Option<&str> = Some("labels['tenant_id']");

/// What a statement may read, and what says there whose a row is; nothing for tables that are no tenant's. In a text it stands
/// as `@name`, and brings its `WHERE` along: conditions follow with `AND`.
const TABLES: [(&str, &str, Option<&str>); 23] = [
    ("@facts", "leg_facts", OWNER),
    ("@stats", "leg_stats", OWNER),
    ("@latencies", "leg_latencies", OWNER),
    ("@sample", "leg_sample", OWNER),
    ("@violations", "leg_violations", OWNER),
    ("@legs_now", "legs_rows FINAL", OWNER),
    ("@calls_now", "calls_rows FINAL", OWNER),
    ("@legs", "legs", OWNER),
    ("@calls", "calls", OWNER),
    ("@events_stored", "events_rows", OWNER),
    ("@device_events_stored", "device_events_rows", OWNER),
    ("@device_events", "device_events", OWNER),
    ("@app_risk", "app_risk", OWNER),
    ("@app_risk_history", "app_risk_history", OWNER),
    ("@device_risk", "device_risk", OWNER),
    ("@device_risk_stored", "device_risk_rows FINAL", OWNER),
    ("@alerts", "alerts", LABEL),
    ("@alert_history", "alert_history", LABEL),
    // By fingerprints, which hide whose they are: asked only for those of alerts that the reader sees.
    ("@alert_deliveries", "alert_deliveries", None),
    ("@alert_clock", "alert_clock", None),
    ("@slots", "slots", None),
    ("@rolled", "rolled_slices_rows", None),
    ("@parts", "system.parts", None),
];

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    Texts(Vec<String>),
    Pairs(Vec<(String, String)>),
    Keys(Vec<(String, String, String, String)>),
    CallKeys(Vec<(String, String, String)>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(value) => value.serialize(serializer),
            Value::Int(value) => value.serialize(serializer),
            Value::Texts(value) => value.serialize(serializer),
            Value::Pairs(value) => value.serialize(serializer),
            Value::Keys(value) => value.serialize(serializer),
            Value::CallKeys(value) => value.serialize(serializer),
        }
    }
}

/// A statement with its values.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    text: String,
    is_counting: bool,
    values: Vec<(String, Value)>,
}

impl Query {
    /// A statement within a scope. `text` names tables as `@name` only (see [`TABLES`]), and values as `{name:Type}` only.
    ///
    /// # Errors
    /// The text reads something else, which is a defect.
    pub(crate) fn new(scope: &Scope, text: &str) -> Result<Self, Problem> {
        let mut scoped = String::with_capacity(text.len() + 256);
        let mut rest = text;
        let mut is_source = false;
        while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
            scoped.push(' ');
            rest = rest.get(start..).unwrap_or_default();
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            match word.strip_prefix('@') {
                Some(_) if is_source => scoped += &source(scope, word).ok_or_else(|| unscoped(text))?,
                None if !is_source || word.starts_with('(') => scoped += word,
                _ => return Err(unscoped(text)),
            }
            is_source = matches!(word, "FROM" | "JOIN");
            rest = after;
        }
        let values = scope.tenants.clone().map(|tenants| ("tenants".to_owned(), Value::Texts(tenants)));
        Ok(Query { text: scoped, is_counting: false, values: values.into_iter().collect() })
    }

    /// Only counts what ranges, filters and versions choose. No set of versions is then held against an index: none has
    /// versions, and making the set ready for that is half of a small question's time.
    pub(crate) fn counting(mut self) -> Self {
        self.is_counting = true;
        self
    }

    /// Gives a parameter its value.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.values.push((name.to_owned(), value));
        self
    }

    /// Gives parameters their values.
    pub(crate) fn with_all(mut self, values: &[(String, Value)]) -> Self {
        self.values.extend_from_slice(values);
        self
    }

    /// Gives whole numbers to parameters.
    pub(crate) fn with_ints<const N: usize>(self, values: [(&str, i64); N]) -> Self {
        values.into_iter().fold(self, |query, (name, value)| query.with(name, Value::Int(value)))
    }

    pub(super) fn is_counting(&self) -> bool {
        self.is_counting
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn values(&self) -> &[(String, Value)] {
        &self.values
    }
}

fn source(scope: &Scope, word: &str) -> Option<String> {
    // What closes a subquery may stand right behind.
    let (name, closing) = word.split_at(word.find(')').unwrap_or(word.len()));
    let (_, table, owner) = TABLES.iter().find(|(placeholder, ..)| *placeholder == name)?;
    let condition = match (owner, &scope.tenants) {
        (Some(owner), Some(_)) => format!("{owner} IN {{tenants:Array(String)}}"),
        _ => "true".to_owned(),
    };
    Some(format!("{table} WHERE {condition}{closing}"))
}

fn unscoped(text: &str) -> Problem {
    tracing::error!(text, "a statement reads what is no known table");
    Problem::internal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_acme() -> Scope {
        Scope::of(Some(&["acme".to_owned()]), &[]).unwrap()
    }

    #[test]
    fn every_table_is_read_within_the_tenants() {
        let text = "SELECT 1 FROM @facts AND x IN (SELECT x FROM @legs_now) AND y = {y:String}";
        let query = Query::new(&only_acme(), text).unwrap();
        assert_eq!(query.text().matches("tenant_id IN {tenants:Array(String)}").count(), 2);
        assert_eq!(query.values(), [("tenants".to_owned(), Value::Texts(vec!["acme".to_owned()]))]);
        let all = Query::new(&Scope::of(None, &[]).unwrap(), "SELECT 1 FROM @facts").unwrap();
        assert!(all.text().ends_with("leg_facts WHERE true") && all.values().is_empty());
    }

    #[test]
    fn alerts_are_read_within_the_tenants_of_their_labels() {
        let query = Query::new(&only_acme(), "SELECT 1 FROM @alerts").unwrap();
        assert!(
            query.text().ends_with("alerts WHERE labels['tenant_id'] IN {tenants:Array(String)}"),
            "{}",
            query.text()
        );
    }

    #[test]
    fn what_is_no_known_table_is_refused() {
        for text in ["SELECT 1 FROM legs", "SELECT 1 FROM @nothing", "SELECT 1 FROM @facts AS a JOIN legs ON 1"] {
            assert!(Query::new(&only_acme(), text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tenant_that_may_not_be_seen_is_refused() {
        let allowed = ["a".to_owned(), "b".to_owned()];
        assert_eq!(Scope::of(Some(&allowed), &["b".to_owned()]).unwrap().tenants(), Some(&["b".to_owned()][..]));
        assert_eq!(Scope::of(Some(&allowed), &["c".to_owned()]).unwrap_err().status(), 403);
        assert!(Scope::of(None, &["c".to_owned()]).unwrap().sees("c"));
        assert!(!only_acme().sees("c"));
    }
}
