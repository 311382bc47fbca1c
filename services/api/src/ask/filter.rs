//! Filters on legs, as conditions of statements and as a test of a row.

use super::Ask;
use crate::data::{DIMENSIONS, Dimension};
use crate::store::Value;

/// Whose legs are meant.
pub(crate) type Role = ringtrace_model::Role;

/// Dimensions with their wanted values: any of them, in each dimension.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) role: Role,
    wanted: Vec<(&'static Dimension, Vec<String>)>,
}

impl Filter {
    pub(super) fn of(ask: &Ask) -> Self {
        // Tenants are the scope's.
        let filters = DIMENSIONS.iter().filter(|dimension| dimension.name != "tenant");
        let wanted = filters.map(|dimension| (dimension, ask.all(dimension.name)));
        Filter {
            role: ask.get("role").and_then(Role::parse).unwrap_or(Role::Callee),
            wanted: wanted.filter(|(_, values)| !values.is_empty()).collect(),
        }
    }

    /// The dimensions that are filtered by.
    pub(crate) fn dimensions(&self) -> impl Iterator<Item = &'static Dimension> {
        self.wanted.iter().map(|(dimension, _)| *dimension)
    }

    /// Whether every leg is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Conditions on legs for a statement on `@facts` or `@stats`, each with a leading `AND`, without one on the role.
    pub(crate) fn conditions(&self) -> String {
        self.wanted.iter().map(|(dimension, _)| format!(" AND {}", dimension.condition())).collect()
    }

    /// The condition that takes the legs of the role alone.
    pub(crate) fn of_role(&self) -> &'static str {
        match self.role {
            Role::Callee => " AND role = 'callee'",
            Role::Caller => " AND role = 'caller'",
        }
    }

    /// The condition that takes rows that count calls too: those without callee legs have a row of their own.
    pub(crate) fn of_role_and_calls(&self) -> &'static str {
        match self.role {
            Role::Callee => " AND role IN ('callee', 'none')",
            Role::Caller => " AND role = 'caller'",
        }
    }

    /// The values of [`conditions`](Self::conditions).
    pub(crate) fn values(&self) -> Vec<(String, Value)> {
        let value = |(dimension, values): &(&Dimension, Vec<String>)| {
            let value =
                |value: &String| if dimension.name == "os_major" && value.is_empty() { "0" } else { value }.to_owned();
            (format!("filter_{}", dimension.name), Value::Texts(values.iter().map(value).collect()))
        };
        self.wanted.iter().map(value).collect()
    }

    /// Whether a leg, as the API shows it, is wanted.
    pub(crate) fn takes(&self, leg: &serde_json::Map<String, serde_json::Value>) -> bool {
        let text = |column: &str| match leg.get(column) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(serde_json::Value::Number(number)) if number.as_i64() != Some(0) => number.to_string(),
            _ => String::new(),
        };
        let diagnoses = || {
            let codes = leg.get("diagnoses").and_then(serde_json::Value::as_array);
            codes.into_iter().flatten().filter_map(serde_json::Value::as_str).collect::<Vec<_>>()
        };
        text("role") == self.role.as_str()
            && self.wanted.iter().all(|(dimension, values)| match dimension.name {
                "diagnosis" => {
                    let codes = diagnoses();
                    values.iter().any(|value| codes.contains(&value.as_str()) || value.is_empty() && codes.is_empty())
                }
                _ => values.contains(&text(dimension.column)),
            })
    }
}
