//! Maps that keep the smallest keys, so that no input can grow them without bound.

use std::collections::BTreeMap;

use compact_str::CompactString;

/// What came of asking for a key's place.
pub(crate) struct Admitted<'a, V> {
    /// The place, or `None` when the map is full of smaller keys.
    pub(crate) entry: Option<&'a mut V>,
    /// A larger key lost its place.
    pub(crate) evicted: bool,
    /// There are more keys than places.
    pub(crate) exceeded: bool,
}

/// Finds or makes the place of `key` among the `max` bytewise smallest keys.
pub(crate) fn admit<'a, V: Default>(
    map: &'a mut BTreeMap<CompactString, Box<V>>,
    key: &str,
    max: usize,
) -> Admitted<'a, V> {
    let full = map.len() >= max && !map.contains_key(key);
    if full && map.last_key_value().is_none_or(|(last, _)| last.as_str() < key) {
        return Admitted { entry: None, evicted: false, exceeded: true };
    }
    if full {
        map.pop_last();
    }
    Admitted { entry: Some(map.entry(CompactString::from(key)).or_default()), evicted: full, exceeded: full }
}
