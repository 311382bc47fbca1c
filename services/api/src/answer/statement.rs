//! Pieces of statements that the aggregates share.

use super::counts::Key;
use super::pieces::Piece;
use crate::data::Dimension;
use crate::store::{Query, Value};

/// The conditions of ranges of `leg_facts`, one or several, of parameters `from0`, `to0` and so on.
pub(crate) fn facts_in(ranges: usize) -> String {
    any_of(ranges, |index| {
        format!(
            "(bucket >= toDateTime(intDiv({{from{index}:Int64}}, 600000) * 600) \
             AND bucket < toDateTime(intDiv({{to{index}:Int64}} + 999, 1000)) \
             AND started_at >= fromUnixTimestamp64Milli({{from{index}:Int64}}) \
             AND started_at < fromUnixTimestamp64Milli({{to{index}:Int64}}))"
        )
    })
}

/// The conditions of ranges of a roll-up whose ends are whole ten minutes; parameters as of [`facts_in`].
pub(crate) fn rolled_in(ranges: usize) -> String {
    any_of(ranges, |index| {
        format!(
            "(bucket >= toDateTime(intDiv({{from{index}:Int64}}, 1000)) \
             AND bucket < toDateTime(intDiv({{to{index}:Int64}}, 1000)))"
        )
    })
}

fn any_of(ranges: usize, one: impl Fn(usize) -> String) -> String {
    format!("AND ({})", (0..ranges).map(one).collect::<Vec<_>>().join(" OR "))
}

/// Most pieces of time of one question, and one: what [`time_code`] multiplies a bucket by.
pub(crate) const PIECES: i64 = 4;

/// When a row is: the start of its bucket, in multiples of the parameter `bucket_ms` since the Unix epoch (0 where there are none),
/// times [`PIECES`], and the place of its piece of time, of the parameters `piece1`, `piece2`.
pub(crate) fn time_code(bucket: Option<i64>, pieces: &[Piece], is_rolled: bool) -> String {
    let reached = |index: usize| match is_rolled {
        true => format!(" + (bucket >= toDateTime(intDiv({{piece{index}:Int64}}, 1000)))"),
        false => format!(" + (started_at >= fromUnixTimestamp64Milli({{piece{index}:Int64}}))"),
    };
    let piece: String = (1..pieces.len()).map(reached).collect();
    match (bucket, is_rolled) {
        (None, _) => format!("toUInt8(0{piece})"),
        (Some(_), true) => {
            format!("(intDiv(toInt64(toUnixTimestamp(bucket)) * 1000, {{bucket_ms:Int64}}) * {PIECES}{piece})")
        }
        (Some(_), false) => {
            format!("(intDiv(toUnixTimestamp64Milli(started_at), {{bucket_ms:Int64}}) * {PIECES}{piece})")
        }
    }
}

/// Gives the parameters of [`time_code`] their values.
pub(crate) fn with_times(query: Query, bucket: Option<i64>, pieces: &[Piece]) -> Query {
    let query = pieces
        .iter()
        .enumerate()
        .skip(1)
        .fold(query, |query, (index, piece)| query.with_ints([(&format!("piece{index}"), piece.range.from)]));
    if let Some(bucket) = bucket { query.with_ints([("bucket_ms", bucket)]) } else { query }
}

/// The groups' values, texts, where rows are grouped by [`group_hashes`]; an empty text for no groups.
pub(crate) fn group_values(dimensions: &[&'static Dimension]) -> String {
    match dimensions {
        [] => "''".to_owned(),
        some => some.iter().map(|dimension| dimension.any()).collect::<Vec<_>>().join(", "),
    }
}

/// `, cityHash64(…)`: numbers in the place of texts, which are grouped by in half the time. 64 bits tell a column's values apart.
pub(crate) fn group_hashes(dimensions: &[&'static Dimension]) -> String {
    dimensions.iter().map(|dimension| format!(", {}", dimension.hash())).collect()
}

/// The condition that takes some groups alone, of a parameter `keys`.
pub(crate) fn having(keys: Option<&[Key]>, dimensions: &[&'static Dimension]) -> String {
    match (keys, dimensions) {
        (None, _) | (_, []) => String::new(),
        (Some(_), [only]) => format!("HAVING {} IN {{keys:Array(String)}}", only.any()),
        (Some(_), _) => format!("HAVING ({}) IN {{keys:Array(Tuple(String, String))}}", group_values(dimensions)),
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
