//! `/pipeline`: how the linker does.

mod lag;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{App, freshness, letters};
use crate::ask::Ask;
use crate::problem::Problem;
use crate::store::{Query, Scope};

/// Events that were logged so much after they happened are late, in milliseconds.
const LATE_MS: i64 = 60_000;

/// Dead letters that are shown.
const LETTERS: usize = 20;

/// Slot, instance, log clock, open calls, sequence, written at, positions.
type SlotRow = (i32, String, i64, u64, u64, i64, BTreeMap<String, i64>);

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let (scope, range) = (ask.scope()?, ask.range()?);
    let bucket = range.bucket(ask.get("bucket"))?;
    let slots = "SELECT slot, instance, toUnixTimestamp64Milli(log_clock), open_calls, sequence, \
                 toUnixTimestamp64Milli(written_at), positions FROM @slots ORDER BY slot";
    let events = "SELECT intDiv(toUnixTimestamp64Milli(log_at), {bucket_ms:Int64}) AS b, count(), \
                  countIf(toUnixTimestamp64Milli(log_at) - toUnixTimestamp64Milli(occurred_at) - clock_offset_ms > {late:Int64}) \
                  FROM @events_stored AND log_at >= fromUnixTimestamp64Milli({from:Int64}) \
                  AND log_at < fromUnixTimestamp64Milli({to:Int64}) GROUP BY b";
    let events = Query::new(&scope, events)?.with_ints([
        ("from", range.from),
        ("to", range.to),
        ("bucket_ms", bucket),
        ("late", LATE_MS),
    ]);
    let sees_all = ask.reader.tenants().is_none();
    let (fresh, slots, counted, tables, letters) = tokio::try_join!(
        freshness::read(&app, &scope),
        app.store.rows::<SlotRow>(Query::new(&scope, slots)?),
        app.store.rows::<(i64, u64, u64)>(events),
        tables(&app, &scope, sees_all),
        async { Ok(if sees_all { letters::read(&app).await } else { None }) }
    )?;
    let lags = lag::of_slots(&app, slots.iter().map(|slot| (slot.0, slot.6.clone())).collect()).await;
    let slots = slots.iter().zip(&lags).map(|((slot, instance, clock, open, sequence, written, _), lag)| {
        json!({
            "slot": slot,
            "instance": instance,
            "log_clock": clock,
            "lag": lag,
            "open_calls": open,
            "sequence": sequence,
            "written_at": written,
        })
    });
    let by_bucket: BTreeMap<i64, (u64, u64)> = counted.iter().map(|(at, all, late)| (*at, (*all, *late))).collect();
    let times = range.times(bucket);
    let of_time = |time: &i64| by_bucket.get(&time.div_euclid(bucket)).copied().unwrap_or_default();
    let share = |(all, late): (u64, u64)| (all > 0).then(|| late as f64 / all as f64);
    let total = counted.iter().fold((0, 0), |sum, (_, all, late)| (sum.0 + all, sum.1 + late));
    Ok(json!({
        "freshness": fresh,
        "slots": slots.collect::<Vec<_>>(),
        "throughput": {
            "bucket_ms": bucket,
            "times": times,
            "events": times.iter().map(|time| of_time(time).0).collect::<Vec<_>>(),
        },
        "late": {
            "threshold_ms": LATE_MS,
            "share": share(total),
            "times": times,
            "shares": times.iter().map(|time| share(of_time(time))).collect::<Vec<_>>(),
        },
        "dead_letters": letters.map(|found| found.json(None, LETTERS)),
        "rows": tables,
    }))
}

/// The size of the tables, which is of all tenants: nothing for who does not see them all.
async fn tables(app: &App, scope: &Scope, sees_all: bool) -> Result<Vec<Value>, Problem> {
    if !sees_all {
        return Ok(Vec::new());
    }
    let text = "SELECT table, sum(rows), sum(bytes_on_disk), count() FROM @parts AND active \
                AND database = currentDatabase() GROUP BY table ORDER BY table";
    let rows: Vec<(String, u64, u64, u64)> = app.store.rows(Query::new(scope, text)?).await?;
    let shown = |(table, rows, bytes, parts): &(String, u64, u64, u64)| json!({"table": table, "rows": rows, "bytes": bytes, "parts": parts});
    Ok(rows.iter().map(shown).collect())
}
