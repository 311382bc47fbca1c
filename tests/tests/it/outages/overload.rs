//! Input that is faster than ClickHouse: memory is bounded, lag grows, nothing is dropped, and then it catches up.

use std::time::{Duration, Instant};

use ringtrace_simulator::Plan;
use ringtrace_tests::simulated::{self, EVENTFUL};
use ringtrace_tests::stack::{Case, Toxiproxy, fixed_port, get, stack, wait_for};
use serde_json::json;

use super::{SLOTS, end, wait_for_commits};

/// What passes to ClickHouse, in KB a second.
const RATE_KB: u32 = 60;

/// Calls that a slot keeps in memory: fewer than come.
const CALLS: usize = 2_000;

/// Most memory of a linker with these settings, in KiB. RELIABILITY.md says what it consists of: 64 MiB, 96 for a flush in
/// flight and the next, 32 for what librdkafka fetches ahead, 48 for the calls of three slots, and what malloc keeps.
const MOST_MEMORY_KIB: u64 = 320 << 10;

/// How long there is too much, and calls a second of the worlds of which each round sends a minute: with `RINGTRACE_LONG` ten
/// minutes, of not so much more than ClickHouse takes.
fn load() -> (Duration, f64) {
    let is_long = std::env::var_os("RINGTRACE_LONG").is_some();
    if is_long { (Duration::from_secs(600), 4.0) } else { (Duration::from_secs(30), 20.0) }
}

fn metric(case: &Case, name: &str) -> f64 {
    let metrics = get(&case.http(), "/metrics");
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

#[test]
fn input_faster_than_clickhouse_takes_it_waits_in_kafka() {
    let mut case = Case::new("overload", SLOTS);
    let toxiproxy = Toxiproxy::start("overload-toxiproxy");
    let wire = toxiproxy.proxy("clickhouse", fixed_port(), stack().clickhouse_url.trim_start_matches("http://"));
    case.set("RINGTRACE_CLICKHOUSE_URL", &format!("http://{}", wire.address()));
    case.set("RINGTRACE_LINK_FLUSH_BYTES", "4194304");
    case.set("RINGTRACE_LINK_CALLS_IN_MEMORY", &CALLS.to_string());
    case.set("RINGTRACE_KAFKA_PROPERTIES", "queued.max.messages.kbytes=16384");
    let linker = case.start(&["link"]);
    wire.spoil("bandwidth", true, &json!({ "rate": RATE_KB }));
    let started = Instant::now();
    let (mut records, mut sources, mut lags, mut most_calls) = (Vec::new(), Vec::new(), Vec::new(), 0.0_f64);
    let (length, calls_per_second) = load();
    while started.elapsed() < length {
        // Each round is another hour, and as fast as Kafka takes it.
        let start = Plan::START + lags.len() as i64 * 3_600_000;
        let plan =
            Plan { start, seed: lags.len() as u64, length_ms: Some(60_000), calls_per_second, ..Plan::default() };
        let more = simulated::records(EVENTFUL, plan);
        sources.extend(case.write(&more));
        records.extend(more);
        let next = started + Duration::from_secs(5) * (lags.len() as u32 + 1);
        wait_for("the next round", || Instant::now() >= next);
        lags.push(metric(&case, "ringtrace_consumer_lag_records"));
        most_calls = metric(&case, "ringtrace_open_calls").max(most_calls);
    }
    let (first, last) = (lags[0], lags[lags.len() - 1]);
    let so_far = linker.peak_memory_kib();
    println!(
        "{} records, lag from {first} to {last}, {so_far} KiB, {most_calls} calls in memory at most",
        records.len()
    );
    assert!(last > first && last > records.len() as f64 / 4.0, "lag grows: {lags:?}");
    wire.mend();
    wait_for_commits(&case, &sources);
    println!("caught up, {} KiB", linker.peak_memory_kib());
    assert!(linker.peak_memory_kib() < MOST_MEMORY_KIB, "the linker took {} KiB", linker.peak_memory_kib());
    end(&case, linker, &records, &sources);
}
