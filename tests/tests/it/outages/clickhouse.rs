//! ClickHouse is away for longer than a consumer may be silent, wants another password, lacks a table, has another schema.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use ringtrace_tests::stack::{Case, Door, Running, Stack, Toxiproxy, fixed_port, stack, wait_for};

use super::{SLOTS, end, wait_for_commits, wait_for_ready};
use crate::link::input::{Disorder, everything, scenarios};

/// The least that librdkafka accepts beside its default session timeout.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(45);

/// Most memory that a linker may take while it waits, in KiB.
const MOST_MEMORY_KIB: u64 = 512 << 10;

#[test]
fn clickhouse_away_for_longer_than_a_consumer_may_be_silent() {
    let mut case = Case::new("away", SLOTS);
    let toxiproxy = Toxiproxy::start("away-toxiproxy");
    let wire = toxiproxy.proxy("clickhouse", fixed_port(), stack().clickhouse_url.trim_start_matches("http://"));
    case.set("RINGTRACE_CLICKHOUSE_URL", &format!("http://{}", wire.address()));
    case.set("RINGTRACE_KAFKA_PROPERTIES", &format!("max.poll.interval.ms={}", MAX_POLL_INTERVAL.as_millis()));
    let records = Disorder::with_seed(6).apply(everything(), SLOTS);
    let parts: Vec<_> = records.chunks(records.len() / 3 + 1).collect();
    let mut linker = case.start(&["link"]);
    let mut sources = case.write(parts[0]);
    wait_for_commits(&case, &sources);
    wire.cut();
    let cut = Instant::now();
    sources.extend(case.write(parts[1]));
    wait_for_ready(&case, 503, &["clickhouse"]);
    wait_for("the outage to be long", || cut.elapsed() > MAX_POLL_INTERVAL + Duration::from_secs(10));
    assert!(linker.ended().is_none(), "{}", linker.output());
    wire.mend();
    wait_for_commits(&case, &sources);
    wait_for_ready(&case, 200, &[]);
    sources.extend(case.write(parts[2]));
    wait_for_commits(&case, &sources);
    assert!(linker.peak_memory_kib() < MOST_MEMORY_KIB, "the linker took {} KiB", linker.peak_memory_kib());
    assert!(!linker.output().contains("state is dropped"), "it has stayed in its group: {}", linker.output());
    end(&case, linker, &records, &sources);
}

/// A ClickHouse of the test's own, with a password or without.
fn start(door: &Door, password: &str) -> Running {
    let command = door.command();
    let command: Vec<&OsStr> = command.iter().map(AsRef::as_ref).collect();
    let variables = [("RINGTRACE_CLICKHOUSE_SERVER_PASSWORD".to_owned(), password.to_owned())];
    let wanted = if password.is_empty() { &variables[..0] } else { &variables[..] };
    let running = Running::start("locked-clickhouse", &command, wanted);
    door.wait();
    running
}

#[test]
fn a_password_that_is_refused_is_named_and_tried_again() {
    let door = Door::new("locked");
    let open = start(&door, "");
    let case = Case::on(Stack { clickhouse_url: door.url(), ..stack().clone() }, "locked", SLOTS);
    let records = scenarios();
    let (first, second) = records.split_at(records.len() / 2);
    drop(open);
    let locked = start(&door, "of another");
    // At the start of a linker.
    let mut linker = case.start(&["link"]);
    let mut sources = case.write(first);
    wait_for_ready(&case, 503, &["Code: 516"]);
    drop(locked);
    let open = start(&door, "");
    wait_for_commits(&case, &sources);
    wait_for_ready(&case, 200, &[]);
    drop(open);
    // And of one that runs.
    let locked = start(&door, "of another");
    sources.extend(case.write(second));
    wait_for_ready(&case, 503, &["Code: 516"]);
    assert!(linker.ended().is_none(), "{}", linker.output());
    drop(locked);
    let _open = start(&door, "");
    wait_for_commits(&case, &sources);
    wait_for_ready(&case, 200, &[]);
    end(&case, linker, &records, &sources);
}

#[test]
fn tables_that_do_not_fit_are_named_and_tried_again() {
    let case = Case::new("unfit", SLOTS);
    let records = scenarios();
    let parts: Vec<_> = records.chunks(records.len() / 4 + 1).collect();
    let mut sources = Vec::new();
    let mut linker = case.start(&["link"]);
    sources.extend(case.write(parts[0]));
    wait_for_commits(&case, &sources);
    let faults = [
        ("RENAME TABLE events_rows TO events_away", "RENAME TABLE events_away TO events_rows", "events"),
        ("RENAME TABLE legs_rows TO legs_away", "RENAME TABLE legs_away TO legs_rows", "legs"),
        (
            "ALTER TABLE events_rows RENAME COLUMN sdk_version TO sdk",
            "ALTER TABLE events_rows RENAME COLUMN sdk TO sdk_version",
            "sdk_version",
        ),
    ];
    for ((fault, mend, word), part) in faults.iter().zip(&parts[1..]) {
        case.rows(fault);
        let written = case.write(part);
        wait_for_ready(&case, 503, &["clickhouse", word]);
        // Longer than a linker that is to end would try.
        let since = Instant::now();
        wait_for("more than a minute", || since.elapsed() > Duration::from_secs(65) || *word != "legs");
        assert!(linker.ended().is_none(), "{}", linker.output());
        case.rows(mend);
        sources.extend(written);
        wait_for_commits(&case, &sources);
        wait_for_ready(&case, 200, &[]);
    }
    end(&case, linker, &records, &sources);
}
