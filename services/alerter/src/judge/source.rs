//! What the judgement asks of whoever keeps the facts.

use std::collections::BTreeMap;
use std::future::Future;

use crate::device::DeviceHistory;
use crate::query::{Example, Group, Query, Span};
use crate::stats::Count;

/// How soon after an app was first seen its versions are no news: they were there before anyone looked. In milliseconds.
const BEGINNING_MS: i64 = 3_600_000;

/// When the versions of apps were first seen, in milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// By tenant and app, then by version.
    apps: BTreeMap<(String, String), BTreeMap<String, i64>>,
}

impl Versions {
    /// A version was seen.
    pub fn add(&mut self, tenant_id: String, app_id: String, version: String, at: i64) {
        let seen = self.apps.entry((tenant_id, app_id)).or_default().entry(version).or_insert(at);
        *seen = at.min(*seen);
    }

    /// Since when a version is known; `None` where it was there when its app was first seen, or was never seen.
    pub fn new_since(&self, tenant_id: &str, app_id: &str, version: &str) -> Option<i64> {
        let versions = self.apps.get(&(tenant_id.to_owned(), app_id.to_owned()))?;
        let began = versions.values().min()?;
        versions.get(version).copied().filter(|at| at - began > BEGINNING_MS)
    }

    /// The version of an app that was first seen before another one, and last of those.
    pub fn before(&self, tenant_id: &str, app_id: &str, version: &str) -> Option<&str> {
        let versions = self.apps.get(&(tenant_id.to_owned(), app_id.to_owned()))?;
        let since = versions.get(version)?;
        let earlier = versions.iter().filter(|(held, at)| *held != version && (*at, held.as_str()) < (since, version));
        earlier.max_by_key(|(held, at)| (**at, held.as_str())).map(|(held, _)| held.as_str())
    }
}

/// The newest that a watcher has said of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The tenant.
    pub tenant_id: String,
    /// The app.
    pub app_id: String,
    /// Its name, such as `apns_key`; empty where it has none.
    pub credential: String,
    /// Days until it expires.
    pub expires_in_days: i64,
}

/// Records of an app, and those of them that are no valid events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The tenant; empty where the records don't say.
    pub tenant_id: String,
    /// The app; empty where the records don't say.
    pub app_id: String,
    /// Dead letters of all records.
    pub count: Count,
}

/// What devices miss, by what is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The tenant.
    pub tenant_id: String,
    /// The app.
    pub app_id: String,
    /// The carrier that any of the device's legs names; empty where none does.
    pub carrier: String,
    /// As the carrier: the major version of the operating system.
    pub os_major: String,
    /// Pushes of which the device shows nothing, of those accepted ([`crate::query::Measure::Missing`]).
    pub count: Count,
}

/// Whoever keeps the facts: ClickHouse, or a file in memory. All times are log time, in milliseconds since the Unix epoch.
pub trait Source {
    /// What can go wrong.
    type Error;

    /// The groups of a query that have anything.
    fn counts(&self, query: &Query) -> impl Future<Output = Result<Vec<Group>, Self::Error>>;

    /// At most [`crate::query::EXAMPLES`] bad ones of a group in the query's first span, the newest first.
    fn examples(&self, query: &Query, values: &[String]) -> impl Future<Output = Result<Vec<Example>, Self::Error>>;

    /// When versions were first seen.
    fn versions(&self, now: i64) -> impl Future<Output = Result<Versions, Self::Error>>;

    /// Devices with strikes in a span, and all that is known of them since.
    fn devices(&self, span: Span) -> impl Future<Output = Result<Vec<DeviceHistory>, Self::Error>>;

    /// What devices miss in a span. A push that is missed names no carrier, so that is looked up in the device's other legs.
    fn losses(&self, span: Span, now: i64) -> impl Future<Output = Result<Vec<Loss>, Self::Error>>;

    /// At most [`crate::query::EXAMPLES`] of the pushes that devices of a tenant, app and carrier miss, the newest first.
    fn missed(
        &self,
        span: Span,
        now: i64,
        carrier: &[String; 3],
    ) -> impl Future<Output = Result<Vec<Example>, Self::Error>>;

    /// The newest of each credential in a span.
    fn credentials(&self, span: Span) -> impl Future<Output = Result<Vec<Credential>, Self::Error>>;

    /// Dead letters by tenant and app in a span.
    fn dead_letters(&self, span: Span) -> impl Future<Output = Result<Vec<DeadLetters>, Self::Error>>;
}
