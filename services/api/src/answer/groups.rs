//! Counting by groups: the largest ones, now and so much earlier.

use super::counts::{Cell, Cells, Counted, Counting, Ingredients, Key};
use crate::ask::{Ask, Compare, Range, duration_ms};
use crate::data::{Dimension, Measure};
use crate::problem::Problem;

/// Groups, the largest first, each with its cells by bucket.
pub(crate) struct Groups {
    pub(crate) keys: Vec<Key>,
    pub(crate) truncated: bool,
    pub(crate) counted: Counted,
}

/// The dimensions of `group_by`.
pub(crate) fn dimensions(ask: &Ask) -> Vec<&'static Dimension> {
    ask.get("group_by").into_iter().flat_map(|names| names.split(',')).filter_map(Dimension::named).collect()
}

/// How much earlier the range to compare with is.
pub(crate) fn compare(ask: &Ask) -> Compare {
    ask.get("compare").and_then(duration_ms)
}

/// Counts measures in a range, and in the earlier one.
///
/// # Errors
/// As [`crate::store::Store::rows`].
pub(crate) async fn count(
    counting: Counting<'_>,
    range: Range,
    compare: Compare,
    measures: &[&'static Measure],
    limit: usize,
) -> Result<Groups, Problem> {
    let of = Ingredients::of(measures);
    if counting.dimensions.is_empty() {
        let counted = counting.count(range, compare, &of).await?;
        return Ok(Groups { keys: vec![vec![String::new()]], truncated: false, counted });
    }
    // The largest groups first: what is costly is then counted of them alone.
    if counting.bucket.is_some() {
        let whole = Counting { bucket: None, ..counting }.count(range, None, &Ingredients::of(&[])).await?;
        let (keys, truncated) = largest(&whole.current, limit);
        let counted = Counting { keys: Some(&keys), ..counting }.count(range, compare, &of).await?;
        return Ok(Groups { keys, truncated, counted });
    }
    let mut counted = counting.count(range, compare, &of.sums()).await?;
    let (keys, truncated) = largest(&counted.current, limit);
    let stages = Counting { keys: Some(&keys), ..counting }.count(range, compare, &of.stages()).await?;
    counted.add_all(stages);
    Ok(Groups { keys, truncated, counted })
}

fn largest(cells: &Cells, limit: usize) -> (Vec<Key>, bool) {
    let mut by_size: Vec<(i64, &Key)> = cells.iter().map(|((key, _), cell)| (size(cell), key)).collect();
    by_size.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let keys = by_size.iter().take(limit).map(|(_, key)| (*key).clone()).collect();
    (keys, by_size.len() > limit)
}

/// Legs, then calls: a group of calls without legs has no legs.
fn size(cell: &Cell) -> i64 {
    cell.sum("legs").max(cell.sum("calls").min(1))
}

/// A group's key as the API shows it: dimensions by name, unknown as null.
pub(crate) fn key_json(dimensions: &[&'static Dimension], key: &Key) -> serde_json::Value {
    let value = |text: &String| if text.is_empty() { serde_json::Value::Null } else { text.as_str().into() };
    dimensions
        .iter()
        .zip(key)
        .map(|(dimension, text)| (dimension.name.to_owned(), value(text)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
