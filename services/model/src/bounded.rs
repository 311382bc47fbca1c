//! Maps that keep the smallest keys, so that no input can grow them without bound.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A map in order of its keys. Most have one entry, and there are two in each open call: as a vector an entry takes a tenth of a
/// tree's node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Smallest<V> {
    entries: Vec<(CompactString, Box<V>)>,
}

/// What came of asking for a key's place.
pub(crate) struct Admitted<'a, V> {
    /// The place, or `None` when the map is full of smaller keys.
    pub(crate) entry: Option<&'a mut V>,
    /// A larger key lost its place.
    pub(crate) evicted: bool,
    /// There are more keys than places.
    pub(crate) exceeded: bool,
}

impl<V> Default for Smallest<V> {
    fn default() -> Self {
        Smallest { entries: Vec::new() }
    }
}

impl<V> Smallest<V> {
    /// Finds or makes the place of `key` among the `max` bytewise smallest keys.
    pub(crate) fn admit(&mut self, key: &str, max: usize) -> Admitted<'_, V>
    where
        V: Default,
    {
        let place = match self.find(key) {
            Ok(place) => return Admitted { entry: self.at(place), evicted: false, exceeded: false },
            Err(place) => place,
        };
        let full = self.entries.len() >= max;
        if full && place == self.entries.len() {
            return Admitted { entry: None, evicted: false, exceeded: true };
        }
        if full {
            self.entries.pop();
        }
        if self.entries.is_empty() {
            self.entries.reserve_exact(1);
        }
        self.entries.insert(place, (key.into(), Box::default()));
        Admitted { entry: self.at(place), evicted: full, exceeded: full }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        let (_, value) = self.entries.get(self.find(key).ok()?)?;
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), &**value))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| &**value)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(held, _)| held.as_str().cmp(key))
    }

    fn at(&mut self, place: usize) -> Option<&mut V> {
        self.entries.get_mut(place).map(|(_, value)| &mut **value)
    }
}
