//! What the judgement asks of whoever keeps the facts.

use std::collections::BTreeMap;
use std::future::Future;

use crate::device::DeviceHistory;
use crate::query::{Example, Group, Query, Span};
use crate::stats::Count;

/// When each version of an app was first seen, by tenant, app and version: milliseconds since the Unix epoch.
pub type Versions = BTreeMap<(String, String, String), i64>;

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

    /// The newest of each credential in a span.
    fn credentials(&self, span: Span) -> impl Future<Output = Result<Vec<Credential>, Self::Error>>;

    /// Dead letters by tenant and app in a span.
    fn dead_letters(&self, span: Span) -> impl Future<Output = Result<Vec<DeadLetters>, Self::Error>>;
}
