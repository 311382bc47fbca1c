//! The statements that read facts, from `legs`, `calls` and `events` as they are stored.
//!
//! Tables are read by their partitions, which are days and never earlier than a call's start, so that a window costs the days
//! that it touches. Windows of minutes need rows as fresh as the last flush; what reads roll-ups instead would be changed here.

use chrono::DateTime;

use crate::fact::Dim;
use crate::query::{EXAMPLES, Measure, Query, Span, Table};

/// Most groups of an answer: those with the most bad ones.
const MOST_GROUPS: usize = 10_000;

/// How much earlier than it was first seen a call may have begun, and a partition be named: a day.
const DAY_MS: i64 = 86_400_000;

/// A time as ClickHouse reads it.
pub(super) fn time(ms: i64) -> String {
    format!("fromUnixTimestamp64Milli({ms}, 'UTC')")
}

/// Partitions that may hold what is in a span.
pub(super) fn partitions(span: Span) -> String {
    let day = DateTime::from_timestamp_millis(span.from - DAY_MS).unwrap_or_default();
    format!("_partition_id >= '{}'", day.format("%Y%m%d"))
}

/// A dimension as text, empty where unknown.
fn column(dim: Dim) -> String {
    match dim {
        Dim::Tenant | Dim::App => dim.name().to_owned(),
        Dim::OsMajor => "if(os_major = 0, '', toString(os_major))".to_owned(),
        other => format!("ifNull({}, '')", other.name()),
    }
}

struct Place {
    table: &'static str,
    at: &'static str,
    only: &'static str,
}

fn place(table: Table) -> Place {
    match table {
        Table::Legs => Place { table: "legs_rows FINAL", at: "started_at", only: "role = 'callee'" },
        Table::Calls => Place { table: "calls_rows FINAL", at: "started_at", only: "1" },
        Table::Events => Place { table: "events_rows FINAL", at: "log_at", only: "1" },
    }
}

fn within(at: &str, span: Span) -> String {
    format!("({at} >= {} AND {at} < {})", time(span.from), time(span.to))
}

fn whole(spans: &[Span]) -> Span {
    let from = spans.iter().map(|span| span.from).min().unwrap_or_default();
    Span { from, to: spans.iter().map(|span| span.to).max().unwrap_or_default() }
}

/// Of [`crate::judge::Source::counts`]: columns `values`, `totals`, `bads`.
pub(super) fn counts(query: &Query) -> String {
    let (counts, bad) = query.measure.sql(query.now);
    let Place { table, at, only } = place(query.measure.table());
    let values = query.group_by.iter().map(|dim| format!("toString({})", column(*dim))).collect::<Vec<_>>().join(", ");
    let spans: Vec<String> = query.spans.iter().map(|span| within(at, *span)).collect();
    let totals = spans.iter().map(|span| format!("countIf({span})")).collect::<Vec<_>>().join(", ");
    let bads = spans.iter().map(|span| format!("countIf({span} AND ({bad}))")).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT [{values}] AS values, [{totals}] AS totals, [{bads}] AS bads FROM {table} \
         WHERE {} AND {only} AND ({}) AND ({counts}) GROUP BY values ORDER BY bads[1] DESC LIMIT {MOST_GROUPS}",
        partitions(whole(&query.spans)),
        spans.join(" OR "),
    )
}

/// Of [`crate::judge::Source::examples`]: columns `call_uuid`, `device_id`, `at`; a `?` for each value.
pub(super) fn examples(query: &Query) -> Option<String> {
    let span = query.spans.first().copied()?;
    let (counts, bad) = query.measure.sql(query.now);
    let Place { table, at, only } = place(query.measure.table());
    let device = match query.measure.table() {
        Table::Legs => "device_id",
        Table::Calls => "''",
        Table::Events => return None,
    };
    let dims: String = query.group_by.iter().map(|dim| format!(" AND {} = ?", column(*dim))).collect();
    Some(format!(
        "SELECT toString(call_uuid) AS call, {device} AS device, toUnixTimestamp64Milli({at}) AS began FROM {table} \
         WHERE {} AND {only} AND {} AND ({counts}) AND ({bad}){dims} ORDER BY began DESC, call, device LIMIT {EXAMPLES}",
        partitions(span),
        within(at, span),
    ))
}

/// Of [`crate::judge::Source::losses`]: columns as of a loss, by carrier and major version that any leg of a device names.
pub(super) fn losses(span: Span, now: i64) -> String {
    let (counts, bad) = Measure::Missing.sql(now);
    let known = Span::before(now, DAY_MS);
    let counted = format!("{} AND ({counts})", within("started_at", span));
    format!(
        "SELECT tenant, app, carrier_of AS carrier, os_of AS os_major, sum(total_of) AS total, sum(bad_of) AS bad FROM ( \
           SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, toString(max(ifNull(carrier, ''))) AS carrier_of, \
             max({}) AS os_of, countIf({counted}) AS total_of, countIf({counted} AND ({bad})) AS bad_of \
           FROM legs_rows FINAL WHERE {} AND role = 'callee' AND {} GROUP BY tenant, app, device_id \
         ) GROUP BY tenant, app, carrier, os_major",
        column(Dim::OsMajor),
        partitions(known),
        within("started_at", known),
    )
}
