//! A linker that runs on, is killed, and is stopped.

use ringtrace_kit::clock;
use ringtrace_tests::stack::{Case, Given, SLOT_TOPICS, get, wait_for};

use super::compare::compare;
use super::expect::Expected;
use super::input::{Disorder, everything, scenarios};
use super::{SLOTS, write_and_see};

#[test]
fn a_kill_at_any_moment_loses_and_invents_nothing() {
    let mut case = Case::new("killed", SLOTS);
    // Small flushes, so that every kill is in the middle of some.
    case.set("RINGTRACE_LINK_FLUSH_INTERVAL_MS", "50");
    case.set("RINGTRACE_LINK_FLUSH_BYTES", "1048576");
    case.set("RINGTRACE_LINK_CALLS_IN_MEMORY", "100");
    let mut disorder = Disorder::with_seed(2);
    let records = disorder.apply(everything(), SLOTS);
    let sources = case.write(&records);
    for round in 1..=4 {
        let linker = case.start(&["link"]);
        let enough = case.number("SELECT count() FROM events") + 500 + disorder.below(2_500) as i64;
        let enough = enough.min(records.len() as i64 * 8 / 10);
        wait_for("some events", || case.number("SELECT count() FROM events") >= enough);
        linker.signal("KILL");
        println!("killed in round {round}, {} events", case.number("SELECT count() FROM events"));
    }
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}

#[test]
fn a_stop_drains_and_the_next_start_goes_on() {
    let case = Case::new("stopped", SLOTS);
    let records = scenarios();
    let (first, second) = records.split_at(records.len() / 2);
    let mut sources = case.write(first);
    let linker = case.start(&["link"]);
    wait_for("readiness", || get(&case.http(), "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(&case.http(), "/livez").starts_with("HTTP/1.1 200"));
    wait_for("metrics", || get(&case.http(), "/metrics").contains("\nringtrace_records_total "));
    linker.signal("TERM");
    let exit = linker.wait();
    assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
    sources.extend(case.write(second));
    case.catch_up();
    compare_without_dead_letters(&case, &records, &sources);
}

#[test]
fn a_producer_that_misplaces_records_is_named_and_its_calls_are_linked() {
    let case = Case::new("misplaced", SLOTS);
    let mut records: Vec<Given> = everything().into_iter().take(3_000).collect();
    for record in records.iter_mut().filter(|record| record.topic == "call-events") {
        // One producer puts everything into one partition.
        record.partition = Some(0);
    }
    let sources = case.write(&records);
    let linker = case.start(&["link"]);
    let warned = || get(&case.http(), "/readyz").contains("\nwarning: placement: misplaced.call-events ");
    wait_for("the warning", warned);
    let ready = get(&case.http(), "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && !ready.contains("misplaced.push-events"), "{ready}");
    let counted = "\nringtrace_misplaced_records_total{topic=\"misplaced.call-events\"} ";
    wait_for("the metric", || get(&case.http(), "/metrics").contains(counted));
    linker.signal("TERM");
    assert!(linker.wait().status.success());
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}

#[test]
fn instances_that_come_and_go_share_the_work() {
    let mut case = Case::new("shared", SLOTS);
    case.set("RINGTRACE_LINK_FLUSH_INTERVAL_MS", "50");
    let mut disorder = Disorder::with_seed(3);
    let records = disorder.apply(everything(), SLOTS);
    let mut sources = Vec::new();
    let first = case.start(&["link"]);
    let mut second = None;
    // Every part arrives while the group is on the move: one joins, it is killed, another joins, the first stops.
    for (index, part) in records.chunks(records.len() / 5 + 1).enumerate() {
        sources.extend(write_and_see(&case, part));
        match index {
            0 => second = Some(case.start_sibling("a")),
            1 => drop(second.take()),
            2 => second = Some(case.start_sibling("b")),
            3 => first.signal("TERM"),
            _ => {}
        }
    }
    let exit = first.wait();
    assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
    let last = second.expect("one still runs");
    last.signal("TERM");
    let exit = last.wait();
    assert!(exit.status.success(), "{}: {}", exit.status, exit.output);
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}

#[test]
fn what_has_done_its_work_is_deleted() {
    let case = Case::new("trimmed", SLOTS);
    let mut disorder = Disorder::with_seed(5);
    case.write(&disorder.apply(scenarios(), SLOTS));
    case.catch_up();
    assert!(!case.read("ringtrace.internal").is_empty(), "some records were in the wrong place");
    let old = Given {
        topic: "ringtrace.dead-letters".to_owned(),
        partition: Some(0),
        value: Some(b"old".to_vec()),
        headers: vec![("ringtrace.dead-at".to_owned(), b"1700000000000".to_vec())],
        log_at: 1_700_000_000_000,
        ..Given::default()
    };
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().to_string();
    let young = Given {
        value: Some(b"young".to_vec()),
        headers: vec![("ringtrace.dead-at".to_owned(), now.into_bytes())],
        ..old.clone()
    };
    case.write(&[old, young]);
    let _linker = case.start(&["link"]);
    wait_for("reroutes to be deleted", || case.read("ringtrace.internal").is_empty());
    wait_for("an old dead letter to be deleted", || case.read("ringtrace.dead-letters").len() == 1);
    assert_eq!(case.read("ringtrace.dead-letters")[0].value.as_deref(), Some(&b"young"[..]));
}

#[test]
fn calls_follow_a_new_number_of_partitions() {
    let case = Case::new("grown", SLOTS);
    let mut disorder = Disorder::with_seed(4);
    let records = disorder.apply(everything(), SLOTS);
    let (first, second) = records.split_at(records.len() / 2);
    let mut sources = case.write(first);
    case.catch_up();
    // What is open now has its state in the partition of the old number.
    case.grow(&SLOT_TOPICS, SLOTS as usize + 2);
    sources.extend(case.write(second));
    case.catch_up();
    compare(&case, &Expected::of(&case, &records, &sources));
}

fn compare_without_dead_letters(case: &Case, records: &[ringtrace_tests::stack::Given], sources: &[String]) {
    let expected = Expected::of(case, records, sources);
    assert!(expected.dead_letters.is_empty());
    compare(case, &expected);
}

#[test]
fn slots_without_records_say_how_far_they_are() {
    let case = Case::new("quiet", SLOTS);
    let linker = case.start(&["link"]);
    for _ in 0..2 {
        let now = clock::wall_ms();
        let passed = format!("SELECT count() FROM slots WHERE toUnixTimestamp64Milli(log_clock) > {now}");
        wait_for("every slot to pass the present", || case.number(&passed) == i64::from(SLOTS));
    }
    linker.signal("TERM");
    assert!(linker.wait().status.success());
}
