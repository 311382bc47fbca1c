//! The commands around the linker: migrate, check, replay, up; and what they say when something is wrong.

use std::path::Path;

use ringtrace_tests::stack::{Case, Running, binary, data, stack, wait_for};

use super::SLOTS;
use super::compare::compare;
use super::expect::Expected;
use super::input::scenarios;
use crate::files::project;

#[test]
fn migrate_may_be_repeated_and_follows_a_new_retention() {
    let mut case = Case::new("migrated", SLOTS);
    let again = case.run(&["migrate"]);
    assert!(again.status.success(), "{}", again.output);
    assert!(
        again.output.contains("tables: nothing to do\ntopics: nothing to do\nslots: 3\nrules: 1, nothing to do\n"),
        "{}",
        again.output
    );
    let checked = case.run(&["check"]);
    assert!(checked.status.success(), "{}", checked.output);
    case.set("RINGTRACE_RETENTION_CALLS_DAYS", "77");
    assert!(case.run(&["migrate"]).status.success());
    let ttl = "SELECT count() FROM system.tables WHERE database = 'test_migrated' AND create_table_query LIKE '%toIntervalDay(77)%'";
    assert_eq!(case.number(ttl), 9, "legs and calls, and what is made of them");
    let tuned = "SELECT count() FROM system.tables WHERE database = 'test_migrated' AND create_table_query LIKE '%auto_statistics_types = \\'\\'%' AND create_table_query LIKE '%merge_selector_base = 16%'";
    assert_eq!(case.number(tuned), 4, "events and what is linked have no statistics of columns, and wide merges");
}

#[test]
fn every_stored_call_is_in_the_index_also_from_before_there_was_one() {
    let case = Case::new("indexed", SLOTS);
    case.write(&scenarios());
    case.catch_up();
    let times = |first: &str, last: &str| {
        format!("toUnixTimestamp(min({first})) AS since, toUnixTimestamp(max({last})) AS until")
    };
    let stored = case.rows(&format!(
        "SELECT reinterpretAsUInt64(call_uuid) AS high, {} FROM events_rows WHERE first_seen != toDateTime(0) GROUP BY high ORDER BY high",
        times("log_at", "log_at")
    ));
    let indexed = || {
        let of_index = times("first_logged", "last_logged");
        case.rows(&format!("SELECT call_high AS high, {of_index} FROM call_index_rows GROUP BY high ORDER BY high"))
    };
    assert!(stored.len() > 10, "{} calls", stored.len());
    assert_eq!(indexed(), stored);
    for forgotten in [
        "DROP TABLE index_calls SYNC",
        "DROP TABLE call_index_rows SYNC",
        "ALTER TABLE schema_migrations DELETE WHERE number >= 11 SETTINGS mutations_sync = 1",
    ] {
        case.execute(forgotten);
    }
    let migrated = case.run(&["migrate"]);
    assert!(migrated.output.contains("tables: 0011_call_index, 0012_statistics, 0013_merges\n"), "{}", migrated.output);
    assert_eq!(indexed(), stored);
}

#[test]
fn the_tables_of_a_cluster_are_sql_that_clickhouse_takes() {
    let mut case = Case::new("printed", SLOTS);
    case.set("RINGTRACE_CLICKHOUSE_CLUSTER", "main");
    let exit = case.run(&["migrate", "--print"]);
    assert!(exit.status.success(), "{}", exit.output);
    let statements: Vec<&str> = exit.output.split(";\n").map(str::trim).filter(|part| !part.is_empty()).collect();
    let has = |part: &str| statements.iter().filter(|statement| statement.contains(part)).count();
    assert_eq!(
        (has("Distributed(main,"), has("{{")),
        (24, 0),
        "one distributed table for each stored one, and for each that is laid out anew"
    );
    assert!(has("ReplicatedReplacingMergeTree") >= 5 && has("ON CLUSTER main") >= 15);
    for statement in &statements {
        assert!(!case.rows(&format!("EXPLAIN AST {statement}")).is_empty(), "{statement}");
        on_one_server(statement).iter().for_each(|statement| drop(case.rows(statement)));
    }
    let linked = [
        "events",
        "device_events",
        "legs",
        "calls",
        "slots",
        "rules",
        "rolled_slices",
        "leg_facts",
        "leg_stats",
        "leg_latencies",
        "leg_sample",
        "leg_violations",
    ];
    let judged = ["alerts", "alert_history", "alert_deliveries", "app_risk", "app_risk_history", "alert_clock"];
    let devices = ["device_risk", "device_risk_history"];
    for table in linked.into_iter().chain(judged).chain(devices) {
        let columns = |database: &str| {
            let of_table = format!("database = '{database}' AND table = '{table}' ORDER BY position");
            case.rows(&format!("SELECT name, type, position FROM system.columns WHERE {of_table}"))
        };
        assert!(!columns(CLUSTER).is_empty());
        assert_eq!(columns(CLUSTER), columns("test_printed"), "{table} is the same on a cluster and on one server");
        let rows = case.rows(&format!("SELECT * FROM {CLUSTER}.{table}")).len();
        assert_eq!(rows, usize::from(table == "rules"), "{table}");
    }
}

/// Where the tables of a cluster are made on one server.
const CLUSTER: &str = "printed_cluster";

/// A statement for a cluster as a server without Keeper can run it: a table that is not replicated in the place of one that
/// is, and one that reads it in the place of the distributed one, whose sharding key is tried.
fn on_one_server(statement: &str) -> Vec<String> {
    let statement =
        statement.replace(" ON CLUSTER main", "").replace("test_printed", CLUSTER).replace("Replicated", "");
    // A table that only reads others takes no rows.
    let statement =
        match statement.split_once("INSERT INTO ").and_then(|(head, insert)| Some((head, insert.split_once("_rows")?)))
        {
            Some((head, (table, rest))) => format!("{head}INSERT INTO {table}_local{rest}"),
            None => statement,
        };
    let Some((head, distributed)) = statement.split_once("ENGINE = Distributed(main, ") else { return vec![statement] };
    let parts: Vec<&str> = distributed.strip_suffix(')').unwrap().splitn(3, ", ").collect();
    let [database, table, key] = parts.as_slice() else { panic!("{statement}") };
    let reads = format!("{head} ENGINE = Merge({database}, '^{table}$')");
    vec![reads, format!("SELECT toUInt64({key}) FROM {database}.{table}")]
}

#[test]
fn faults_are_named() {
    let mut case = Case::new("faults", SLOTS);
    #[track_caller]
    fn check(case: &Case, arguments: &[&str], status: i32, parts: &[&str]) {
        let exit = case.run(arguments);
        let said = exit.output.lines().last().unwrap_or_default().to_owned();
        assert_eq!(exit.status.code(), Some(status), "{}", exit.output);
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in {said:?}");
        }
    }
    check(&case, &["check", "--brokers", "127.0.0.1:1"], 1, &["127.0.0.1:1", "kafka.brokers"]);
    check(&case, &["check", "--clickhouse-url", "http://127.0.0.1:1"], 1, &["http://127.0.0.1:1", "clickhouse.url"]);
    check(
        &case,
        &["link", "--clickhouse-url", "ftp://x"],
        78,
        &["clickhouse.url", "ftp://x", "--clickhouse-url", "http://"],
    );
    check(&case, &["check", "--config", "/does/not/exist.toml"], 78, &["/does/not/exist.toml"]);
    case.set("RINGTRACE_KAFKA_CALL_TOPIC", "no-such-topic");
    check(&case, &["link"], 1, &["no-such-topic", "ringtrace migrate"]);
    case.set("RINGTRACE_RULES_REPORT_DEADLINE_MS", "7s");
    let parts = ["rules.report_deadline_ms", "7s", "RINGTRACE_RULES_REPORT_DEADLINE_MS", "from 1 to 86400000"];
    check(&case, &["link"], 78, &parts);
    let usage = case.run(&["link", "--no-such-flag"]);
    assert_eq!(usage.status.code(), Some(64), "{}", usage.output);
}

#[test]
fn a_replay_with_its_own_times_links_as_it_was_recorded() {
    let case = Case::new("replayed", SLOTS);
    let files = recordings();
    let mut arguments = vec!["replay", "--speed", "0", "--timestamps", "own"];
    arguments.extend(files.iter().map(String::as_str));
    let exit = case.run(&arguments);
    let records = scenarios();
    assert!(exit.status.success(), "{}", exit.output);
    assert!(exit.output.contains(&format!("sent: {} events", records.len())), "{}", exit.output);
    case.catch_up();
    let sources = vec![String::new(); records.len()];
    let mut expected = Expected::of(&case, &records, &sources);
    // Where each record went is the replay's choice.
    expected.forget_sources();
    compare(&case, &expected);
}

#[test]
fn a_replay_tells_what_it_can_not_send() {
    let case = Case::new("refused", SLOTS);
    let bad = project("schemas/examples/invalid/envelope.jsonl").display().to_string();
    let exit = case.run(&["replay", "--speed", "0", &bad]);
    assert_eq!(exit.status.code(), Some(65), "{}", exit.output);
    assert!(exit.output.contains("envelope.jsonl:1: missing_field: event_id"), "{}", exit.output);
    // Ringtrace makes topics that stamp records themselves: recorded times would be lost.
    let mut case = case;
    case.set("RINGTRACE_KAFKA_PUSH_TOPIC", "refused.stamped");
    assert!(case.run(&["migrate"]).status.success());
    let file = recordings().swap_remove(0);
    let exit = case.run(&["replay", "--timestamps", "own", &file]);
    assert_eq!(exit.status.code(), Some(1), "{}", exit.output);
    assert!(exit.output.contains("refused.stamped stamps records itself"), "{}", exit.output);
}

fn recordings() -> Vec<String> {
    let files = std::fs::read_dir(project("tests/scenarios")).unwrap();
    let paths = files.map(|entry| entry.unwrap().path().display().to_string());
    let mut paths: Vec<String> = paths.filter(|path| !path.ends_with(".expected.jsonl")).collect();
    paths.sort();
    paths
}

#[test]
fn up_runs_everything_and_a_second_start_goes_on() {
    // Starts of the shared engine and of this one do not meet on one port.
    let _ = stack();
    let folder = data("up-data");
    let first = up_until_calls(&folder, 1);
    let second = up_until_calls(&folder, first + 1);
    assert!(second > first, "{first}, then {second}");
}

/// Runs `up` until its summary shows so many calls, and stops it; gives the last number shown.
fn up_until_calls(folder: &Path, least: u64) -> u64 {
    let (binary, listen) = (binary(), "127.0.0.1:0");
    let folder = folder.as_os_str();
    let command = [
        binary.as_os_str(),
        "up".as_ref(),
        "--data".as_ref(),
        folder,
        "--listen".as_ref(),
        listen.as_ref(),
        "--devices".as_ref(),
        "5000".as_ref(),
    ];
    let up = Running::start("up", &command, &[]);
    let shown = |output: &str| {
        let line = output.rsplit("\ncalls ").next()?.trim_start();
        line.split(' ').next()?.parse::<u64>().ok()
    };
    wait_for("calls in the summary", || shown(&up.output()).is_some_and(|calls| calls >= least));
    wait_for("verdicts in the summary", || up.output().contains("  reported "));
    let calls = shown(&up.output()).unwrap();
    up.signal("INT");
    let exit = up.wait();
    assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
    calls
}
