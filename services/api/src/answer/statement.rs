//! Pieces of statements that the aggregates share.

use super::counts::Key;
use crate::data::Dimension;
use crate::store::{Query, Value};

/// The conditions of ranges of `leg_facts`, one or several, of parameters `from0`, `to0` and so on.
pub(crate) fn facts_in(ranges: usize) -> String {
    let one = |index: usize| {
        format!(
            "(bucket >= toDateTime(intDiv({{from{index}:Int64}}, 600000) * 600) \
             AND bucket < toDateTime(intDiv({{to{index}:Int64}} + 999, 1000)) \
             AND started_at >= fromUnixTimestamp64Milli({{from{index}:Int64}}) \
             AND started_at < fromUnixTimestamp64Milli({{to{index}:Int64}}))"
        )
    };
    format!("AND ({})", (0..ranges).map(one).collect::<Vec<_>>().join(" OR "))
}

/// The conditions of a range of `leg_stats` whose ends are whole ten minutes.
pub(crate) fn stats_in() -> String {
    "AND bucket >= toDateTime(intDiv({from0:Int64}, 1000)) AND bucket < toDateTime(intDiv({to0:Int64}, 1000))"
        .to_owned()
}

/// The start of the bucket of a row, in multiples of the parameter `bucket_ms` since the Unix epoch.
pub(crate) fn bucket_index(bucket: Option<i64>, is_rolled: bool) -> &'static str {
    match (bucket, is_rolled) {
        (None, _) => "toInt64(0)",
        (Some(_), true) => "intDiv(toInt64(toUnixTimestamp(bucket)) * 1000, {bucket_ms:Int64})",
        (Some(_), false) => "intDiv(toUnixTimestamp64Milli(started_at), {bucket_ms:Int64})",
    }
}

/// `k0, k1`: the names of the groups' values; an empty list of texts for none.
pub(crate) fn group_names(dimensions: &[&'static Dimension]) -> String {
    match dimensions.len() {
        0 => "''".to_owned(),
        count => (0..count).map(|index| format!("k{index}")).collect::<Vec<_>>().join(", "),
    }
}

/// `, … AS k0`: the groups' values themselves.
pub(crate) fn group_texts(dimensions: &[&'static Dimension]) -> String {
    dimensions.iter().enumerate().map(|(index, dimension)| format!(", {} AS k{index}", dimension.text())).collect()
}

/// The groups' values where rows are grouped by [`group_hashes`].
pub(crate) fn any_names(dimensions: &[&'static Dimension]) -> String {
    match dimensions {
        [] => "''".to_owned(),
        some => some.iter().map(|dimension| dimension.any()).collect::<Vec<_>>().join(", "),
    }
}

/// `, cityHash64(…)`: numbers in the place of texts, which are grouped by in half the time. 64 bits tell a column's values apart.
pub(crate) fn group_hashes(dimensions: &[&'static Dimension]) -> String {
    dimensions.iter().map(|dimension| format!(", {}", dimension.hash())).collect()
}

/// [`having_keys`] where rows are grouped by [`group_hashes`].
pub(crate) fn having_any(keys: Option<&[Key]>, dimensions: &[&'static Dimension]) -> String {
    match (keys, dimensions) {
        (None, _) | (_, []) => String::new(),
        (Some(_), [only]) => format!("HAVING {} IN {{keys:Array(String)}}", only.any()),
        (Some(_), _) => format!("HAVING ({}) IN {{keys:Array(Tuple(String, String))}}", any_names(dimensions)),
    }
}

/// The condition that takes some groups alone, of a parameter `keys`.
pub(crate) fn having_keys(keys: Option<&[Key]>, dimensions: usize) -> &'static str {
    match (keys, dimensions) {
        (None, _) | (_, 0) => "",
        (Some(_), 1) => "HAVING k0 IN {keys:Array(String)}",
        (Some(_), _) => "HAVING (k0, k1) IN {keys:Array(Tuple(String, String))}",
    }
}

/// Gives the parameter `keys` its value.
pub(crate) fn with_keys(query: Query, keys: Option<&[Key]>, dimensions: usize) -> Query {
    let part = |key: &Key, index: usize| key.get(index).cloned().unwrap_or_default();
    match (keys, dimensions) {
        (None, _) | (_, 0) => query,
        (Some(keys), 1) => query.with("keys", Value::Texts(keys.iter().map(|key| part(key, 0)).collect())),
        (Some(keys), _) => {
            query.with("keys", Value::Pairs(keys.iter().map(|key| (part(key, 0), part(key, 1))).collect()))
        }
    }
}
