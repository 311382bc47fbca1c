//! Holds the views against the same in plain SQL, row by row.

use std::collections::BTreeMap;
use std::time::Instant;

use ringtrace_tests::stack::{Case, PATIENCE};
use serde_json::Value;

const FACTS: &str = include_str!("facts.sql");
const STATS: &str = include_str!("stats.sql");

/// Columns of `leg_stats` that count by value.
const MAPS: [&str; 3] = ["diagnoses", "rejections", "end_reasons"];

/// Columns of a leg's latencies, without their unit.
const LATENCIES: [&str; 8] = [
    "sent_to_accepted",
    "accepted_to_received",
    "sent_to_received",
    "received_to_reported",
    "reported_to_answered",
    "answered_to_audio",
    "initiated_to_reported",
    "talk",
];

/// What differs, at most a few of each; empty when `leg_facts` and `leg_stats` are as they should be.
pub fn differences(case: &Case) -> Vec<String> {
    let facts = FACTS.trim_end();
    let columns = columns(facts);
    let mut found = compare(
        case,
        "leg_facts",
        &format!("SELECT {columns} FROM leg_facts"),
        &format!("SELECT {columns} FROM ({facts})"),
    );
    let stats = STATS.replace("{{facts}}", facts);
    let sums = sums(&stats);
    let counted = |map: &str| {
        format!(
            "arraySort(flatten(groupArray(arrayFlatten(arrayMap((code, count) -> arrayWithConstant(count, toString(code)),
                mapKeys(stats.{map}), mapValues(stats.{map})))))) AS {map}"
        )
    };
    let maps = MAPS.map(counted).join(", ");
    let rolled = format!("SELECT {DIMENSIONS}, {sums}, {maps} FROM leg_stats AS stats GROUP BY {DIMENSIONS}");
    found.extend(compare(case, "leg_stats", &rolled, &stats));
    found.extend(bins(case));
    found.extend(latencies(case));
    found.extend(apart(case));
    found
}

/// Waits until nothing differs, and says how long that took.
///
/// # Panics
/// When something differs still.
pub fn wait_until_equal(case: &Case) {
    let since = Instant::now();
    loop {
        let found = differences(case);
        if found.is_empty() {
            println!("equal {:.1} s after the last change", since.elapsed().as_secs_f64());
            return;
        }
        assert!(since.elapsed() < PATIENCE, "still different after {} s:\n{}", PATIENCE.as_secs(), found.join("\n"));
        std::thread::park_timeout(std::time::Duration::from_millis(500));
    }
}

const DIMENSIONS: &str =
    "tenant_id, bucket, app_id, app_version, platform, os_major, country, channel, build_channel, role";

/// The names after `AS` in the first part of a query.
fn columns(query: &str) -> String {
    let body = query.split("\nSELECT\n").nth(1).unwrap();
    let named = body.split("\nFROM").next().unwrap().split(" AS ").skip(1);
    let name = |part: &str| part.split([',', ' ', '\n']).next().unwrap().to_owned();
    named.map(name).collect::<Vec<_>>().join(", ")
}

/// Sums of the columns of `leg_stats` that are counts.
fn sums(query: &str) -> String {
    let body = query.split("\nFROM (").next().unwrap();
    let names = body.split(" AS ").skip(2).map(|part| part.split([',', ' ', '\n']).next().unwrap());
    let sum = |name: &str| format!("sum(stats.{name}) AS {name}");
    names.filter(|name| !MAPS.contains(name)).map(sum).collect::<Vec<_>>().join(", ")
}

fn compare(case: &Case, what: &str, rolled: &str, plain: &str) -> Vec<String> {
    let count = |rows: Vec<Value>| {
        let mut counts = BTreeMap::<String, i64>::new();
        rows.iter().for_each(|row| *counts.entry(row.to_string()).or_default() += 1);
        counts
    };
    let (rolled, plain) = (count(case.rows(rolled)), count(case.rows(plain)));
    let only = |one: &BTreeMap<String, i64>, other: &BTreeMap<String, i64>, side: &str| {
        let missing = one.iter().filter(|(row, count)| other.get(*row) != Some(*count)).take(3);
        missing.map(|(row, count)| format!("{what}, only {side}, {count} x {row}")).collect::<Vec<_>>()
    };
    [only(&rolled, &plain, "rolled up"), only(&plain, &rolled, "in legs and calls")].concat()
}

/// `leg_latencies` against the bins of `leg_facts`.
fn latencies(case: &Case) -> Vec<String> {
    let of = |name: &&str| {
        format!(
            "SELECT '{name}' AS stage, tenant_id, bucket, app_id, app_version, {name}_bin AS bin, count() AS legs
             FROM leg_facts WHERE role = 'callee' AND {name}_ms IS NOT NULL GROUP BY ALL"
        )
    };
    let plain = LATENCIES.iter().map(of).collect::<Vec<_>>().join(" UNION ALL ");
    let rolled = "SELECT toString(stage) AS stage, tenant_id, bucket, app_id, app_version, bin, sum(legs) AS legs
        FROM leg_latencies GROUP BY ALL";
    compare(case, "leg_latencies", rolled, &plain)
}

/// `leg_sample` and `leg_violations` against the legs that they should have.
fn apart(case: &Case) -> Vec<String> {
    let columns = "tenant_id, call_uuid, device_id, role, verdict, outcome, accepted_at, received_at, ended_at";
    let same = |(table, legs): (&str, &str)| {
        let plain = format!("SELECT {columns} FROM leg_facts WHERE {legs}");
        compare(case, table, &format!("SELECT {columns} FROM {table}"), &plain)
    };
    let parts = [
        ("leg_sample", "cityHash64(device_id) % 64 = 0 AND role != 'none'"),
        ("leg_violations", "verdict = 'unreported'"),
    ];
    parts.into_iter().flat_map(same).collect()
}

/// Bins that are more than 1 % from their latency.
fn bins(case: &Case) -> Vec<String> {
    let off = |name: &&str| {
        let query = format!(
            "SELECT count() FROM leg_facts WHERE if(isNull({name}_ms), {name}_bin != 0, if({name}_ms < 1, {name}_bin != 1,
                abs(exp(({name}_bin - 2) * log(1.02)) / {name}_ms - 1) > 0.01001))"
        );
        case.number(&query) != 0
    };
    LATENCIES.iter().filter(|name| off(name)).map(|name| format!("{name}_bin is off")).collect()
}
