//! Chaos: steady load on real Kafka and ClickHouse while processes are killed and suspended, connections cut, slowed and
//! half-closed, and a disk fills. At the end, nothing is lost, doubled or wrong, and nothing false was ever published.

mod feed;
mod figures;
mod plan;
mod rig;
mod seat;
pub mod verdicts;
mod watch;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ringtrace_kit::kafka::partition_of;
use ringtrace_model::{CallKey, Rules};
use ringtrace_tests::stack::{Case, Given, INPUT_TOPICS, wait_for};

use crate::link::compare::compare;
use crate::link::expect::Expected;
use feed::Feed;
use figures::Figures;
use plan::{Plan, Round};
use rig::Rig;
use watch::Watch;

/// Slots, for three linkers to share.
const SLOTS: i32 = 6;

/// How long everything may take to recover from a fault: as long as librdkafka, the group and transactions wait, and more.
const RECOVERY: Duration = Duration::from_secs(300);

/// Deadlines so short that verdicts fall due while faults last.
const RULES: [(&str, &str); 3] = [
    ("RINGTRACE_RULES_TELEMETRY_GRACE_MS", "5000"),
    ("RINGTRACE_RULES_RECEIPT_TIMEOUT_MS", "15000"),
    ("RINGTRACE_RULES_RING_TIMEOUT_MS", "20000"),
];

fn rules() -> Rules {
    Rules { telemetry_grace_ms: 5_000, receipt_timeout_ms: 15_000, ring_timeout_ms: 20_000, ..Rules::default() }
}

/// A number from the environment.
fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}: {value:?} is no number")))
}

/// So many that the check holds no more than some 700,000 events in memory at the end.
fn calls_per_second(minutes: Option<f64>) -> f64 {
    minutes.map_or(15.0, |minutes| (900.0 / minutes).clamp(1.0, 30.0))
}

fn new_seed() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into()
}

#[test]
fn whatever_fails_nothing_is_lost_and_no_verdict_is_false() {
    let seed = setting("RINGTRACE_SEED").unwrap_or_else(new_seed);
    let minutes: Option<f64> = setting("RINGTRACE_CHAOS_MINUTES");
    let length = Duration::from_secs_f64(minutes.unwrap_or(0.75) * 60.0);
    println!("RINGTRACE_SEED={seed} repeats these faults, {} s of them", length.as_secs());
    let mut rig = Rig::start(minutes.is_some());
    let feed = Feed::start(&rig.case, seed, calls_per_second(minutes));
    let watch = Watch::start(&rig.case);
    let mut figures = Figures::default();
    for seat in &mut rig.seats[..2] {
        seat.start(&rig.case);
    }
    recover(&mut rig, &watch);
    let (started, mut plan) = (Instant::now(), Plan::new(seed, minutes.is_some()));
    while started.elapsed() < length {
        play(&mut rig, &watch, &plan.next_round(), &mut figures);
    }
    let produced = feed.stop();
    stop_linkers(&mut rig);
    rig.case.catch_up();
    report(&rig, &mut figures, started.elapsed(), produced.len());
    check(&rig.case, &produced);
}

/// Plays one round, and waits until nothing of it is left.
fn play(rig: &mut Rig, watch: &Watch, round: &Round, figures: &mut Figures) {
    rig.until(Instant::now() + Duration::from_millis(round.pause_ms));
    watch.mark();
    let started = Instant::now();
    let begins = round.faults.iter().map(|fault| (fault.begins_ms, true, fault));
    let mut steps: Vec<_> = begins.chain(round.faults.iter().map(|fault| (fault.ends_ms, false, fault))).collect();
    steps.sort_by_key(|(at, ..)| *at);
    println!("{:?}", round.faults);
    for (at, is_begin, fault) in steps {
        rig.until(started + Duration::from_millis(at));
        if is_begin { rig.begin(fault) } else { rig.end(fault) }
    }
    let recovery = recover(rig, watch);
    figures.note(round, recovery, watch.longest());
}

/// Waits until everything that is written now is committed; gives how long that took.
fn recover(rig: &mut Rig, watch: &Watch) -> Duration {
    let started = Instant::now();
    let mut ends = None;
    loop {
        rig.supervise();
        ends = ends.or_else(|| watch.ends().ok());
        if ends.as_ref().is_some_and(|ends| watch.left(ends) == 0) {
            return started.elapsed();
        }
        let left = ends.as_ref().map(|ends| watch.left(ends));
        assert!(started.elapsed() < RECOVERY, "no recovery, {left:?} records are left\n{}", rig.describe());
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Stops all linkers in order.
fn stop_linkers(rig: &mut Rig) {
    rig.wait_for_servers();
    let before: usize = rig.seats.iter().map(|seat| seat.surprises.len()).sum();
    rig.seats.iter_mut().for_each(seat::Seat::stop);
    wait_for("the linkers to stop", || {
        rig.supervise();
        rig.seats.iter().all(seat::Seat::is_empty)
    });
    let surprises: Vec<&str> = rig.seats.iter().flat_map(|seat| &seat.surprises).map(String::as_str).collect();
    assert_eq!(surprises.len(), before, "every linker drains:\n{}", surprises.join("\n"));
}

fn report(rig: &Rig, figures: &mut Figures, took: Duration, produced: usize) {
    let sum = |of: fn(&seat::Seat) -> usize| rig.seats.iter().map(of).sum::<usize>();
    println!("{produced} events in {:.1} min, {} rounds of faults", took.as_secs_f64() / 60.0, figures.rounds());
    figures.print();
    println!(
        "starts: {} of linkers, {} of the broker, {} of ClickHouse; {} times a linker dropped its state; \
         {} ends of linkers that nobody asked for, or without a drain; the disk is {}",
        sum(|seat| seat.starts as usize),
        rig.broker_starts,
        rig.clickhouse_starts,
        sum(|seat| seat.restarts),
        sum(|seat| seat.surprises.len()),
        rig.disk(),
    );
    for surprise in rig.seats.iter().flat_map(|seat| &seat.surprises) {
        println!("{surprise}");
    }
}

/// Everything that was produced is in the log, and everything in the log is where the contract says.
fn check(case: &Case, produced: &[Given]) {
    let (records, sources) = logged(case);
    let values = |records: &[Given]| {
        let mut values: Vec<Vec<u8>> = records.iter().filter_map(|record| record.value.clone()).collect();
        values.sort();
        values
    };
    assert!(values(&records) == values(produced), "the log holds what was produced, once");
    check_committed(case, &records);
    let clocks = clocks(case);
    let clock = |key: &CallKey| clocks[&partition_of(key.call_uuid.hyphenated().to_string().as_bytes(), SLOTS)];
    let expected = Expected::by(&rules(), clock, case, &records, &sources);
    compare(case, &expected);
    let (verdicts, unjudged) = verdicts::check(case, SLOTS, &records, &rules());
    println!(
        "0 of {} records lost or doubled, {} events of calls, {} of devices, {} dead letters; 0 of {} legs and {} calls differ; \
         {verdicts} verdicts published, {unjudged} not judged, the others justified; every offset is committed",
        records.len(),
        expected.events.len(),
        expected.device_events.len(),
        expected.dead_letters.len(),
        expected.legs.len(),
        expected.calls.len(),
    );
}

/// All records of the input topics as the broker has stamped them, and their sources.
fn logged(case: &Case) -> (Vec<Given>, Vec<String>) {
    let mut found = Vec::new();
    for topic in INPUT_TOPICS {
        for read in case.read(topic) {
            let source = format!("{}/{}/{}", case.topic(topic), read.partition, read.offset);
            let headers = read.headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
            let given = Given {
                topic: topic.to_owned(),
                partition: Some(read.partition),
                key: read.key,
                value: read.value,
                headers,
                log_at: read.timestamp,
            };
            found.push((given, source));
        }
    }
    found.into_iter().unzip()
}

/// Every record of the input is committed, and everything that was rerouted.
fn check_committed(case: &Case, records: &[Given]) {
    let committed = case.committed();
    let mut ends = BTreeMap::<(String, i32), i64>::new();
    for record in records {
        *ends.entry((case.topic(&record.topic), record.partition.unwrap_or(0))).or_default() += 1;
    }
    for (place, end) in &ends {
        assert_eq!(committed.get(place), Some(end), "{place:?}: committed offset");
    }
    for record in case.read("ringtrace.internal") {
        let committed = committed.get(&(case.topic("ringtrace.internal"), record.partition)).copied();
        assert!(committed > Some(record.offset), "a rerouted record is not committed");
    }
}

/// The log clock of each slot, as its last flush has stored it.
fn clocks(case: &Case) -> BTreeMap<i32, i64> {
    let rows = case.rows("SELECT slot, toUnixTimestamp64Milli(log_clock) AS clock FROM slots");
    rows.iter().map(|row| (row["slot"].as_i64().unwrap() as i32, row["clock"].as_i64().unwrap())).collect()
}
