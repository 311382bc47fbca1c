//! What people would use instead (`tests/bench`): stream processors, and ClickHouse by itself.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::link::merge;
use super::usage::process_cpu;
use super::{Input, Meter, Usage};
use crate::stack::{Case, Door, PATIENCE, Running, data, wait_for};

/// The topics that peers read: those of the devices say nothing of calls that others don't.
const TOPICS: [&str; 2] = ["push-events", "call-events"];

/// As many as the inputs have by default.
const OUTPUT_PARTITIONS: i32 = 6;

/// A Java program of `tests/bench`, on the topics of the case. Start and JIT compiler are part of what it uses.
///
/// # Panics
/// When it fails, or has read something else than what was written.
pub(super) fn java(program: &str, libraries: &str, name: &str, case: &Case, input: &Input, meter: &Meter) -> Usage {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers");
    assert!(built.join(".ready").exists(), "the peers are missing: `make bench-peers` builds them");
    let output = format!("{name}.output");
    case.make_inputs(&[&output], OUTPUT_PARTITIONS);
    let state = data(&format!("{name}-state"));
    let [path, libraries] = [built.join("classes"), built.join(libraries).join("*")].map(PathBuf::into_os_string);
    let class_path = [path, OsString::from(":"), libraries].into_iter().collect::<OsString>();
    let topics = TOPICS.map(|topic| case.topic(topic)).join(",");
    let events = input.call_records.to_string();
    let mut command: Vec<OsString> = ["java", "-Xmx2g", "-XX:+UseParallelGC", "-cp"].map(OsString::from).to_vec();
    command.extend([class_path, format!("com.ringtrace.bench.{program}").into()]);
    let output = case.topic(&output);
    let arguments = [
        ["--brokers", case.brokers()],
        ["--group", name],
        ["--topics", &topics],
        ["--output", &output],
        ["--events", &events],
    ];
    command.extend(arguments.as_flattened().iter().map(OsString::from));
    command.extend(["--state".into(), state.clone().into_os_string()]);
    let mut said = (Value::Null, 0);
    let usage = meter.measure(|| {
        let command: Vec<_> = command.iter().map(AsRef::as_ref).collect();
        let exit = Running::start(name, &command, &[]).wait();
        assert!(exit.status.success(), "{program}: {}", exit.output);
        let last = exit.output.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
        said = (serde_json::from_str(last).expect("it says what it did"), exit.peak_memory_kib);
    });
    // It may be gone already.
    let _ = fs::remove_dir_all(state);
    let (said, peak_kib) = said;
    assert_eq!(said["events"].as_u64(), Some(input.call_records), "{program} has read what was written");
    let own = said["cpu_ms"].as_f64().expect("CPU time is a number") / 1_000.0;
    let others = (usage.others - own).max(0.0);
    Usage { events: input.call_records, own, others, peak_mib: peak_kib as f64 / 1_024.0, ..usage }
}

/// ClickHouse's Kafka engine, with every event kept, driven by hand: the embedded engine has no threads for a view on it.
///
/// # Panics
/// When a statement fails, or it does not end.
pub(super) fn clickhouse(name: &str, case: &Case, input: &Input, meter: &Meter) -> Usage {
    let door = Door::new(name);
    let mut command = door.command();
    command.push("--allow-external".into());
    let command: Vec<_> = command.iter().map(AsRef::as_ref).collect();
    let running = Running::start(&format!("{name}-door"), &command, &[]);
    door.wait();
    let database = name.replace('-', "_");
    let topics = TOPICS.map(|topic| case.topic(topic)).join(",");
    let filled = include_str!("../../bench/clickhouse.sql")
        .lines()
        .filter(|line| !line.starts_with("--"))
        .flat_map(|line| [line, "\n"])
        .collect::<String>()
        .replace("{database}", &database)
        .replace("{brokers}", case.brokers())
        .replace("{group}", name)
        .replace("{topics}", &topics);
    let mut statements: Vec<&str> = filled.split(";\n").map(str::trim).filter(|text| !text.is_empty()).collect();
    let poll = statements.pop().expect("the last statement reads");
    let client = ::clickhouse::Client::default().with_url(door.url());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let execute = |statement: &str| {
        let done = runtime.block_on(client.query_raw(statement).execute());
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    };
    let stored = || {
        let count = client.query_raw(&format!("SELECT count() FROM {database}.events"));
        runtime.block_on(count.fetch_one::<u64>()).expect("ClickHouse counts")
    };
    statements.iter().for_each(|statement| execute(statement));
    let of_door = || process_cpu(running.id());
    let before = of_door();
    let mut own = 0.0;
    let usage = meter.measure(|| {
        let started = Instant::now();
        while stored() < input.call_records {
            assert!(started.elapsed() < 2 * PATIENCE, "{name} has stored {} events", stored());
            execute(poll);
        }
        own = of_door() - before;
    });
    runtime.block_on(merge(&client, &database));
    let merged = || {
        let (cpu, since) = (of_door(), Instant::now());
        wait_for("a second", || since.elapsed().as_secs() >= 1);
        of_door() - cpu < 0.1
    };
    wait_for("merges", merged);
    let (clickhouse_merged, peak_mib) = (of_door() - before, running.peak_memory_kib() as f64 / 1_024.0);
    let rows = stored() as i64;
    let others = (usage.others - own).max(0.0);
    Usage { events: input.call_records, own, others, clickhouse_merged, peak_mib, rows, ..usage }
}
