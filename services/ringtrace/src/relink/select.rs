//! Which calls are meant, page by page in the order of the history's own key.

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use ringtrace_model::{CallKey, Uuid};
use serde::Deserialize;

/// Calls by their events. All that is given must hold for one event of a call.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Logged at this time or later, in milliseconds since the Unix epoch.
    pub from: Option<i64>,
    /// Logged before this time, in milliseconds since the Unix epoch.
    pub to: Option<i64>,
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Of this app.
    pub app: Option<String>,
    /// Of this call.
    pub call: Option<Uuid>,
}

#[derive(Row, Deserialize)]
struct KeyRow {
    tenant_id: String,
    uuid: String,
}

impl Selection {
    /// About how many calls it takes.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn count(&self, client: &Client) -> Result<u64, clickhouse::error::Error> {
        self.query(client, "SELECT uniq(tenant_id, call_uuid)", "", "").fetch_one().await
    }

    /// A query over the events that count: those that are history only make no call.
    fn query(&self, client: &Client, head: &str, more: &str, tail: &str) -> Query {
        let conditions = [
            self.from.map(|_| "log_at >= fromUnixTimestamp64Milli(toInt64(?), 'UTC')"),
            self.to.map(|_| "log_at < fromUnixTimestamp64Milli(toInt64(?), 'UTC')"),
            self.tenant.as_ref().map(|_| "tenant_id = ?"),
            self.app.as_ref().map(|_| "app_id = ?"),
            self.call.map(|_| "call_uuid = toUUID(?)"),
        ];
        let conditions: String = conditions.into_iter().flatten().map(|one| format!(" AND {one}")).collect();
        let text = format!("{head} FROM events_rows WHERE first_seen != toDateTime(0){conditions}{more}{tail}");
        let mut query = client.query(&text);
        for time in self.from.into_iter().chain(self.to) {
            query = query.bind(time);
        }
        for text in self.tenant.iter().chain(&self.app) {
            query = query.bind(text);
        }
        match self.call {
            Some(call) => query.bind(call.hyphenated().to_string()),
            None => query,
        }
    }
}

/// Goes through the calls of a selection.
pub struct Pages<'a> {
    client: &'a Client,
    selection: &'a Selection,
    size: usize,
    last: Option<CallKey>,
}

impl<'a> Pages<'a> {
    /// From the first call on, `size` at a time.
    pub fn of(client: &'a Client, selection: &'a Selection, size: usize) -> Self {
        Pages { client, selection, size: size.max(1), last: None }
    }

    /// The next calls; `None` at the end.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn next(&mut self) -> Result<Option<Vec<CallKey>>, clickhouse::error::Error> {
        let head = "SELECT tenant_id, toString(call_uuid) AS uuid";
        let after = " AND (tenant_id > ? OR (tenant_id = ? AND call_uuid > toUUID(?)))";
        let tail = format!(
            " GROUP BY tenant_id, call_uuid ORDER BY tenant_id, call_uuid LIMIT {} SETTINGS optimize_aggregation_in_order = 1",
            self.size
        );
        let rows = match &self.last {
            None => self.selection.query(self.client, head, "", &tail),
            Some(last) => {
                let (tenant, call) = (last.tenant_id.as_str(), last.call_uuid.hyphenated().to_string());
                self.selection.query(self.client, head, after, &tail).bind(tenant).bind(tenant).bind(call)
            }
        };
        let rows = rows.fetch_all::<KeyRow>().await?;
        let key = |row: KeyRow| CallKey {
            tenant_id: row.tenant_id.into(),
            // ClickHouse prints a UUID that it holds.
            call_uuid: Uuid::try_parse(&row.uuid).unwrap_or_default(),
        };
        let keys: Vec<CallKey> = rows.into_iter().map(key).collect();
        self.last = keys.last().cloned();
        Ok(Some(keys).filter(|keys| !keys.is_empty()))
    }
}
