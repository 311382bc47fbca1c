//! Whether a service lives, and whether it is ready for work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What each part of a service has to say, by its name.
type Words = BTreeMap<&'static str, String>;

/// What keeps a service from being ready, and what someone should look at though it is. Clones share it.
///
/// Each part of a service names its own condition; the service is ready when none is left.
#[derive(Clone, Debug, Default)]
pub struct Health {
    conditions: Arc<Mutex<Words>>,
    warnings: Arc<Mutex<Words>>,
}

impl Health {
    /// `part` is not ready, because of `why`.
    pub fn not_ready(&self, part: &'static str, why: impl Into<String>) {
        lock(&self.conditions).insert(part, why.into());
    }

    /// `part` is ready.
    pub fn ready(&self, part: &'static str) {
        lock(&self.conditions).remove(part);
    }

    /// `part` works, but someone should look at it; `None` takes that back.
    pub fn warn(&self, part: &'static str, why: Option<String>) {
        match why {
            Some(why) => lock(&self.warnings).insert(part, why),
            None => lock(&self.warnings).remove(part),
        };
    }

    /// What is not ready, and why; empty when all is well.
    pub fn conditions(&self) -> BTreeMap<&'static str, String> {
        lock(&self.conditions).clone()
    }

    /// What works, but should be looked at, and why.
    pub fn warnings(&self) -> BTreeMap<&'static str, String> {
        lock(&self.warnings).clone()
    }
}

fn lock(words: &Mutex<Words>) -> MutexGuard<'_, Words> {
    words.lock().unwrap_or_else(PoisonError::into_inner)
}
