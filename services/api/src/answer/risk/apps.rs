//! `/risk/apps`: the level of every version of an app on every major version of iOS, and the levels before.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{alerter, only, rank};
use crate::answer::App;
use crate::ask::Ask;
use crate::problem::Problem;
use crate::store::{Query, Value as Given};

/// Levels that a trend has at most, the newest.
const STEPS: usize = 100;

/// What a level is of: tenant, app, version, major version of iOS.
type Key = (String, String, String, String);

/// A level as it is now.
#[derive(Deserialize)]
struct Row {
    tenant_id: String,
    app_id: String,
    app_version: String,
    os_major: String,
    level: String,
    since: i64,
    reason: String,
    required: u64,
    violations: u64,
    confirmed: u64,
    log_clock: i64,
}

/// A level that was entered: of what, when, which, why.
type Step = (String, String, String, String, i64, String, String);

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, range, limit) = (ask.scope()?, ask.range()?, ask.int("limit", 200));
    let names = ["app", "app_version", "os_major"];
    let columns = ["app_id", "app_version", "os_major"];
    let of: String = columns.iter().zip(names).map(|(column, name)| only(column, name, &ask.all(name))).collect();
    let levels = only("level", "level", &ask.all("level"));
    let now = format!(
        "SELECT tenant_id, app_id, app_version, os_major, level, toUnixTimestamp64Milli(since), reason, required, violations, \
         confirmed, toUnixTimestamp64Milli(log_clock) FROM @app_risk {of} {levels} \
         ORDER BY {} DESC, violations DESC, required DESC, tenant_id, app_id, app_version, os_major LIMIT {{most:UInt64}}",
        rank()
    );
    let counted = format!("SELECT level, count() FROM @app_risk {of} GROUP BY level");
    let steps = format!(
        "SELECT tenant_id, app_id, app_version, os_major, toUnixTimestamp64Milli(since) AS at, level, reason \
         FROM @app_risk_history {of} AND since < fromUnixTimestamp64Milli({{to:Int64}}) \
         ORDER BY since DESC LIMIT {STEPS} BY tenant_id, app_id, app_version, os_major"
    );
    let query = |text: &str| -> Result<Query, Problem> {
        let query = Query::new(&scope, text)?.with_ints([("most", limit + 1), ("to", range.to)]);
        let names = names.iter().chain(&["level"]);
        Ok(names.fold(query, |query, name| query.with(name, Given::Texts(ask.all(name)))))
    };
    let (mut rows, counted, steps, looked) = tokio::try_join!(
        app.store.rows::<Row>(query(&now)?),
        app.store.rows::<(String, u64)>(query(&counted)?),
        app.store.rows::<Step>(query(&steps)?),
        alerter(&app, &scope)
    )?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let truncated = rows.len() > limit;
    rows.truncate(limit);
    let mut trends = trends(steps, range.from);
    let count = |level: &str| counted.iter().find(|(of, _)| of == level).map_or(0, |(_, count)| *count);
    let levels = super::app_levels().into_iter().map(|level| json!({"level": level, "apps": count(level)}));
    Ok(json!({
        "from": range.from,
        "to": range.to,
        "levels": levels.collect::<Vec<_>>(),
        "items": rows.iter().map(|row| shown(row, &mut trends)).collect::<Vec<_>>(),
        "truncated": truncated,
        "alerter": looked,
    }))
}

/// The levels of each version since a time, the oldest first; the first is the one that held then.
fn trends(newest_first: Vec<Step>, from: i64) -> HashMap<Key, Vec<Value>> {
    let mut trends: HashMap<Key, Vec<(i64, Value)>> = HashMap::new();
    for (tenant, app, version, os_major, at, level, reason) in newest_first {
        let steps = trends.entry((tenant, app, version, os_major)).or_default();
        if steps.last().is_none_or(|(later, _)| *later > from) {
            steps.push((at, json!({"at": at, "level": level, "reason": reason})));
        }
    }
    let oldest_first = |steps: Vec<(i64, Value)>| steps.into_iter().rev().map(|(_, step)| step).collect();
    trends.into_iter().map(|(key, steps)| (key, oldest_first(steps))).collect()
}

fn shown(row: &Row, trends: &mut HashMap<Key, Vec<Value>>) -> Value {
    let key = (row.tenant_id.clone(), row.app_id.clone(), row.app_version.clone(), row.os_major.clone());
    json!({
        "tenant_id": row.tenant_id,
        "app_id": row.app_id,
        "app_version": row.app_version,
        "os_major": row.os_major,
        "level": row.level,
        "since": row.since,
        "reason": row.reason,
        "required": row.required,
        "violations": row.violations,
        "confirmed": row.confirmed,
        "log_clock": row.log_clock,
        "trend": trends.remove(&key).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_begins_with_the_level_that_held_at_its_start() {
        let step = |at: i64, level: &str| {
            let of = || "x".to_owned();
            (of(), of(), of(), of(), at, level.to_owned(), of())
        };
        let newest_first = vec![step(300, "critical"), step(200, "watch"), step(100, "at_risk"), step(50, "ok")];
        let trends = trends(newest_first, 150);
        let levels: Vec<&str> = trends.values().flatten().filter_map(|step| step["level"].as_str()).collect();
        assert_eq!(levels, ["at_risk", "watch", "critical"]);
    }
}
