//! What the last hour looks like, from the tables that everyone may query.

use std::fmt::Write;

use clickhouse::error::Error;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// Only calls of the last hour: a long-lived directory holds many.
const CALLS: &str = "
    SELECT count() AS calls, countIf(outcome = 'in_progress') AS in_progress, countIf(outcome = 'answered') AS answered,
        countIf(initiated_at IS NOT NULL) AS initiated,
        countIf(outcome IN ('declined', 'unanswered', 'busy', 'cancelled')) AS unanswered,
        countIf(outcome = 'unreachable') AS unreachable
    FROM calls WHERE started_at > now() - INTERVAL 1 HOUR";

const RUNG: &str = "
    SELECT uniqIf(call_uuid, outcome = 'answered') AS answered, uniq(call_uuid) AS rung
    FROM legs WHERE started_at > now() - INTERVAL 1 HOUR AND role = 'callee'
        AND (verdict IN ('reported', 'reported_late') OR reported_at IS NOT NULL)";

const VERDICTS: &str = "
    SELECT toString(verdict) AS name, count() AS legs FROM legs
    WHERE started_at > now() - INTERVAL 1 HOUR AND role = 'callee' GROUP BY name ORDER BY legs DESC, name";

const LATENCIES: &str = "
    SELECT name, count(ms) AS legs, toInt64(ifNull(quantileExact(0.5)(ms), 0)) AS p50,
        toInt64(ifNull(quantileExact(0.9)(ms), 0)) AS p90, toInt64(ifNull(quantileExact(0.99)(ms), 0)) AS p99
    FROM (
        SELECT arrayJoin([('push sent -> received', sent_to_received_ms), ('received -> reported', received_to_reported_ms),
            ('reported -> answered', reported_to_answered_ms), ('initiated -> reported', initiated_to_reported_ms)]) AS pair,
            pair.1 AS name, pair.2 AS ms
        FROM legs WHERE started_at > now() - INTERVAL 1 HOUR AND role = 'callee'
    ) GROUP BY name ORDER BY name";

const VERSIONS: &str = "
    SELECT toString(app_id) AS app, ifNull(toString(app_version), '(unknown)') AS version,
        countIf(verdict = 'unreported') AS violations,
        countIf(verdict IN ('reported', 'reported_late', 'filtered', 'report_error', 'unreported')) AS required
    FROM legs WHERE started_at > now() - INTERVAL 1 HOUR AND role = 'callee'
    GROUP BY app, version HAVING violations > 0 ORDER BY violations / required DESC, app, version LIMIT 8";

const ALERTS: &str = "
    SELECT rule AS name, count() AS alerts FROM alerts WHERE state = 'firing' GROUP BY name ORDER BY alerts DESC, name";

/// See the module's text.
pub struct Summary {
    calls: Calls,
    rung: Rung,
    verdicts: Vec<Verdict>,
    latencies: Vec<Latency>,
    versions: Vec<Version>,
    alerts: Vec<Alerts>,
}

#[derive(Row, Deserialize)]
struct Calls {
    calls: u64,
    in_progress: u64,
    answered: u64,
    initiated: u64,
    unanswered: u64,
    unreachable: u64,
}

#[derive(Row, Deserialize)]
struct Rung {
    answered: u64,
    rung: u64,
}

#[derive(Row, Deserialize)]
struct Verdict {
    name: String,
    legs: u64,
}

#[derive(Row, Deserialize)]
struct Latency {
    name: String,
    legs: u64,
    p50: i64,
    p90: i64,
    p99: i64,
}

#[derive(Row, Deserialize)]
struct Version {
    app: String,
    version: String,
    violations: u64,
    required: u64,
}

#[derive(Row, Deserialize)]
struct Alerts {
    name: String,
    alerts: u64,
}

/// Asks ClickHouse.
///
/// # Errors
/// When it does not answer.
pub async fn fetch(client: &Client) -> Result<Summary, Error> {
    Ok(Summary {
        calls: client.query(CALLS).fetch_one().await?,
        rung: client.query(RUNG).fetch_one().await?,
        verdicts: client.query(VERDICTS).fetch_all().await?,
        latencies: client.query(LATENCIES).fetch_all().await?,
        versions: client.query(VERSIONS).fetch_all().await?,
        alerts: client.query(ALERTS).fetch_all().await?,
    })
}

impl Summary {
    /// The summary as text.
    pub fn render(&self, web: &str, clickhouse: &str) -> String {
        let mut out = String::new();
        // Writing into a string can't fail.
        let _ = self.write(&mut out, web, clickhouse);
        out
    }

    fn write(&self, out: &mut String, web: &str, clickhouse: &str) -> std::fmt::Result {
        let Summary { calls, rung, .. } = self;
        writeln!(out, "Ringtrace   {web}   (dashboards, and the API below /api)\n")?;
        writeln!(out, "the last hour                                                    Ctrl-C stops\n")?;
        writeln!(
            out,
            "calls        {} in all, {} answered, {} not answered, {} unreachable, {} in progress",
            calls.calls, calls.answered, calls.unanswered, calls.unreachable, calls.in_progress
        )?;
        writeln!(
            out,
            "answer-bid ratio         {}   calls answered / calls initiated",
            ratio(calls.answered, calls.initiated)
        )?;
        writeln!(
            out,
            "answer ratio once rung   {}   calls answered / calls with a reported leg\n",
            ratio(rung.answered, rung.rung)
        )?;
        writeln!(out, "report verdicts of legs")?;
        for Verdict { name, legs } in &self.verdicts {
            writeln!(out, "  {name:<16} {legs:>8}")?;
        }
        writeln!(out, "\nlatency, ms                   legs      p50      p90      p99")?;
        for Latency { name, legs, p50, p90, p99 } in &self.latencies {
            writeln!(out, "  {name:<24} {legs:>7} {p50:>8} {p90:>8} {p99:>8}")?;
        }
        writeln!(out, "\napp versions with violations: legs unreported / legs where a report was required")?;
        for Version { app, version, violations, required } in &self.versions {
            writeln!(
                out,
                "  {app:<28} {version:<10} {violations:>5} / {required:<6} {}",
                ratio(*violations, *required)
            )?;
        }
        if self.versions.is_empty() {
            writeln!(out, "  none so far")?;
        }
        let firing: u64 = self.alerts.iter().map(|rule| rule.alerts).sum();
        let rules: Vec<&str> = self.alerts.iter().map(|rule| rule.name.as_str()).collect();
        writeln!(out, "\nalerts that fire: {firing}   {}", rules.join(", "))?;
        writeln!(
            out,
            "\nask more:  curl '{clickhouse}/?database=ringtrace' -d 'SELECT verdict, count() FROM legs GROUP BY 1'"
        )
    }
}

fn ratio(part: u64, whole: u64) -> String {
    if whole == 0 { "    -  ".to_owned() } else { format!("{:5.1} %", part as f64 * 100.0 / whole as f64) }
}
