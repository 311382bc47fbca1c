//! The statements that read facts, from `legs`, `calls` and `events` as they are stored.
//!
//! Tables are read by their partitions, which are days and never earlier than a call's start, so that a window costs the days
//! that it touches. Windows of minutes need rows as fresh as the last flush; what reads roll-ups instead would be changed here.

use chrono::DateTime;

use crate::fact::Dim;
use crate::query::{EXAMPLES, Measure, Query, Span, Table, known};

/// Most groups of an answer: those with the most bad ones.
const MOST_GROUPS: usize = 10_000;

/// Most devices that are looked at for violations, and for the end of their app: those with the most.
const MOST_DEVICES: usize = 10_000;

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
    let known = known(span, now);
    let counted = format!("{} AND ({counts})", within("started_at", span));
    format!(
        "SELECT tenant, app, carrier_of AS carrier, os_of AS os_major, sum(total_of) AS total, sum(bad_of) AS bad FROM ( \
           SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, toString(max(ifNull(carrier, ''))) AS carrier_of, \
             max({}) AS os_of, countIf({counted}) AS total_of, countIf({counted} AND ({bad})) AS bad_of \
           FROM legs_rows FINAL WHERE {} AND role = 'callee' AND {} GROUP BY tenant, app, device_id \
         ) GROUP BY tenant, app, carrier, os_major HAVING total > 0",
        column(Dim::OsMajor),
        partitions(known),
        within("started_at", known),
    )
}

/// Of [`crate::judge::Source::missed`]: columns as of [`examples`]; a `?` for tenant, app and carrier.
pub(super) fn missed(span: Span, now: i64) -> String {
    let (counts, bad) = Measure::Missing.sql(now);
    let known = known(span, now);
    format!(
        "WITH ? AS tenant, ? AS app, ? AS carrier_of \
         SELECT toString(call_uuid) AS call, device_id AS device, toUnixTimestamp64Milli(started_at) AS began FROM legs_rows FINAL \
         WHERE {} AND role = 'callee' AND {} AND tenant_id = tenant AND app_id = app AND ({counts}) AND ({bad}) \
         AND device_id GLOBAL IN (SELECT device_id FROM legs_rows FINAL WHERE {} AND role = 'callee' AND {} \
           AND tenant_id = tenant AND app_id = app GROUP BY device_id HAVING max(ifNull(carrier, '')) = carrier_of) \
         ORDER BY began DESC, call, device LIMIT {EXAMPLES}",
        partitions(span),
        within("started_at", span),
        partitions(known),
        within("started_at", known),
    )
}

/// Devices with violations, or with the end of an app in a call, in a span, and those whose stored level is above `ok`.
///
/// Superseded images are not told apart: of a device too many, the history shows no strike.
fn struck(span: Span) -> String {
    let days = partitions(span);
    let most = format!("ORDER BY count() DESC, device_id LIMIT {MOST_DEVICES}");
    format!(
        "((SELECT device_id FROM legs_rows WHERE {days} AND verdict = 'unreported' AND role = 'callee' \
           AND started_at >= {} GROUP BY device_id {most}) \
         UNION ALL (SELECT device AS device_id FROM device_events_rows WHERE {days} AND kind = 'app.terminated' \
           AND call_uuid IS NOT NULL GROUP BY device_id {most}) \
         UNION ALL (SELECT device_id FROM device_risk WHERE level != 'ok'))",
        time(span.from),
    )
}

/// Of [`crate::judge::Source::devices`]: the legs of devices. Only the newest images of these few are told apart, after they were
/// found, since `FINAL` would read the keys of all.
pub(super) fn legs_of_devices(span: Span) -> String {
    format!(
        "SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, device_id AS device, \
         toString(ifNull(carrier, '')) AS carrier_of, {} AS os_of, toString(call_uuid) AS call, \
         toString(verdict) AS verdict_of, toString(ifNull(app_state, '')) AS state_of, \
         toUnixTimestamp64Milli(started_at) AS started, toUnixTimestamp64Milli(accepted_at) AS accepted, \
         toUnixTimestamp64Milli(received_at) AS received \
         FROM (SELECT * FROM legs_rows WHERE {} AND device_id GLOBAL IN {} \
           ORDER BY version DESC LIMIT 1 BY tenant_id, first_seen, call_uuid, device_id) \
         WHERE deleted = 0 AND role = 'callee' AND {}",
        column(Dim::OsMajor),
        partitions(span),
        struck(span),
        within("started_at", span),
    )
}

/// Of [`crate::judge::Source::devices`]: what devices said beside their calls.
pub(super) fn said_by_devices(span: Span) -> String {
    format!(
        "SELECT toString(tenant_id) AS tenant, toString(app_id) AS app, device, \
         toString(ifNull(toString(call_uuid), '')) AS call, toString(kind) AS kind_of, \
         JSONExtractString(attributes, 'reason') AS reason, \
         toUnixTimestamp64Milli(occurred_at) + clock_offset_ms AS at FROM device_events_rows \
         WHERE {} AND kind IN ('app.terminated', 'app.launched', 'sdk.heartbeat', 'permission.snapshot', \
         'call_directory.status') AND device GLOBAL IN {}",
        partitions(span),
        struck(span),
    )
}
