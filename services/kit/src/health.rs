//! Whether a service lives, and whether it is ready for work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What keeps a service from being ready. Clones share it.
///
/// Each part of a service names its own condition; the service is ready when none is left.
#[derive(Clone, Debug, Default)]
pub struct Health {
    conditions: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Health {
    /// `part` is not ready, because of `why`.
    pub fn not_ready(&self, part: &'static str, why: impl Into<String>) {
        self.lock().insert(part, why.into());
    }

    /// `part` is ready.
    pub fn ready(&self, part: &'static str) {
        self.lock().remove(part);
    }

    /// What is not ready, and why; empty when all is well.
    pub fn conditions(&self) -> BTreeMap<&'static str, String> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
