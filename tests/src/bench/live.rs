//! A linker at work on real Kafka and ClickHouse, as it is set by default: how soon rows are visible, what an open leg takes in
//! memory, how soon it goes on after a kill.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use ringtrace_kit::clock::wall_ms;
use ringtrace_model::DAY_MS;
use ringtrace_simulator::{Plan, Simulator, World};
use serde_json::json;

use super::usage::process_cpu;
use super::{Shape, fill};
use crate::simulated::given;
use crate::stack::{Case, Given, PATIENCE, Running, free_port, get, stack, topic_of, wait_for};

/// Partitions of each topic, as `ringtrace migrate` makes them by default.
pub(super) const PARTITIONS: i32 = 6;

/// Records of a simulated call, on average.
const EVENTS_PER_CALL: f64 = 17.4;

/// How much of the world is there before the measurement: calls that go on and end in it.
const BEFORE: Duration = Duration::from_secs(40);

/// How far apart probes are, and how often it is asked for them, in milliseconds.
const PROBE_MS: i64 = 23;
const ASK: Duration = Duration::from_millis(50);

/// Calls come to rest meanwhile.
const REST: Duration = Duration::from_secs(40);

/// The tenant of probes: it leads the keys of the tables, so that asking for them costs little.
const PROBES: &str = "probe";

/// What was measured at one rate.
pub struct Latency {
    /// Events a second that were written.
    pub rate: f64,
    /// From the producer's hand-over to the row of `events`, in milliseconds, in order.
    pub events: Vec<i64>,
    /// The same to the row of `legs`.
    pub legs: Vec<i64>,
}

/// Writes simulated events as they happen, as many a second as asked for, with probes among them.
///
/// # Panics
/// When the stack fails, or a probe does not come within two minutes.
pub fn latency(events_per_second: f64, length: Duration) -> Latency {
    let case = Case::new(&format!("bench-live-{events_per_second}"), PARTITIONS);
    let (_linker, _) = linker(&case);
    let sent: Mutex<BTreeMap<i64, i64>> = Mutex::default();
    let start = wall_ms();
    let (mut events, mut legs) = (BTreeMap::new(), BTreeMap::new());
    let written = thread::scope(|scope| {
        let writing = scope.spawn(|| write(&case, events_per_second, length, &sent));
        let deadline = BEFORE + length + PATIENCE;
        let begun = Instant::now();
        loop {
            let is_written = writing.is_finished();
            for (table, id, seen) in [("events_rows", "event_id", &mut events), ("legs_rows", "device_id", &mut legs)] {
                let query = format!(
                    "SELECT toInt64OrZero({id}) AS id FROM {table} WHERE tenant_id = '{PROBES}' \
                     AND first_seen >= toDateTime({}) AND id > {}",
                    start / 1_000 - 1_200,
                    seen.last_key_value().map_or(0, |(id, _)| *id - 200)
                );
                for row in case.rows(&query) {
                    seen.entry(row["id"].as_i64().expect("a probe has a number")).or_insert_with(wall_ms);
                }
            }
            let probes = sent.lock().expect("nobody panicked here").len();
            if is_written && events.len() >= probes && legs.len() >= probes {
                break;
            }
            assert!(begun.elapsed() < deadline, "{} of {probes} probes are visible", legs.len());
            thread::park_timeout(ASK);
        }
        writing.join().expect("the writer ends")
    });
    let sent = sent.into_inner().expect("nobody panicked here");
    let measured = sent.iter().filter(|(_, at)| **at >= start + BEFORE.as_millis() as i64);
    let of = |seen: &BTreeMap<i64, i64>| {
        let mut took: Vec<i64> =
            measured.clone().map(|(id, at)| seen.get(id).map_or(i64::MAX, |seen| seen - at)).collect();
        took.sort_unstable();
        took
    };
    Latency { rate: written, events: of(&events), legs: of(&legs) }
}

/// Writes what happens from now on for [`BEFORE`] and `length`; gives how many events a second that was.
pub(super) fn write(case: &Case, events_per_second: f64, length: Duration, sent: &Mutex<BTreeMap<i64, i64>>) -> f64 {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", case.brokers())
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "5")
        .create()
        .expect("a producer");
    let begin = wall_ms();
    let plan = Plan {
        start: begin,
        calls_per_second: events_per_second / EVENTS_PER_CALL,
        length_ms: None,
        ..Plan::default()
    };
    let mut simulator = Simulator::new(World::with("").expect("the default world"), plan).expect("a plan");
    let end = begin + (BEFORE + length).as_millis() as i64;
    let (mut probe, mut count) = (0, 0_u64);
    while let Some(second) = simulator.next_second() {
        for record in second.records() {
            let at = record.log_at;
            if at >= end {
                producer.flush(PATIENCE).expect("Kafka takes the records");
                return count as f64 * 1_000.0 / (wall_ms() - begin - BEFORE.as_millis() as i64) as f64;
            }
            // Asleep: a poll of a millisecond spins, since what is left of one is none to librdkafka.
            while let Ok(early @ 1..) = u64::try_from(at - wall_ms()) {
                producer.poll(Duration::ZERO);
                thread::park_timeout(Duration::from_millis(early.min(20)));
            }
            if begin + probe * PROBE_MS <= at {
                probe += 1;
                let now = wall_ms();
                sent.lock().expect("nobody panicked here").insert(probe, now);
                send(&producer, case, &push(PROBES, &probe.to_string(), probe as u128, "push.sent", now));
            }
            send(&producer, case, &given(&record));
            count += u64::from(at >= begin + BEFORE.as_millis() as i64);
        }
    }
    unreachable!("a plan without an end goes on")
}

fn send(producer: &BaseProducer, case: &Case, given: &Given) {
    let topic = case.topic(&given.topic);
    let mut record = BaseRecord::<[u8], [u8]>::to(&topic).timestamp(wall_ms());
    record.key = given.key.as_deref();
    record.payload = given.value.as_deref();
    while let Err((error, back)) = producer.send(record) {
        assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
        producer.poll(Duration::from_millis(5));
        record = back;
    }
}

/// An event of a call to a device of the same number.
fn push(tenant: &str, id: &str, call: u128, kind: &str, occurred_at: i64) -> Given {
    // Version 4, variant 1.
    let call = ringtrace_model::Uuid::from_u128(call << 80 | 0x4000 << 64 | 0x8000 << 48).hyphenated().to_string();
    let value = json!({ "event_id": id, "kind": kind, "occurred_at": occurred_at, "app_id": "com.example.talk", "tenant_id": tenant,
        "call_uuid": call, "device_id": id, "platform": "ios", "os_version": "26.5", "app_version": "5.2.1", "country": "DE",
        "carrier": "Telekom.de", "network": "wifi", "build_channel": "app_store", "device_model": "iPhone17,3",
        "push_id": format!("push-{id}"), "channel": "apns_voip" });
    Given {
        topic: topic_of(kind).to_owned(),
        key: Some(call.into_bytes()),
        value: Some(value.to_string().into_bytes()),
        log_at: wall_ms(),
        ..Given::default()
    }
}

pub(super) fn linker(case: &Case) -> (Running, String) {
    let listen = format!("127.0.0.1:{}", free_port());
    let settings = [
        ("RINGTRACE_HTTP_LISTEN".to_owned(), listen.clone()),
        ("RINGTRACE_LINK_CALLS_IN_MEMORY".to_owned(), "4000000".to_owned()),
    ];
    let running = case.start_as("link", "linker", &settings);
    wait_for("the linker to be ready", || get(&listen, "/readyz").contains("200 OK"));
    (running, listen)
}

/// What a second of wall time does, and what stays of it.
pub struct Speed {
    /// Events a second, from the first visible rows to the last.
    pub events_per_second: f64,
    /// After all merges: table, rows, and bytes on disk.
    pub stored: Vec<(String, i64, i64)>,
}

/// Has linkers catch up with a backlog, on real Kafka and ClickHouse on the same machine.
///
/// # Panics
/// When the stack fails, or not every event becomes a row.
pub fn speed(events: usize, partitions: i32, linkers: usize) -> Speed {
    let case = Case::new(&format!("bench-speed-{partitions}-{linkers}"), partitions);
    let input = fill(&case, Shape { start: wall_ms() - DAY_MS, ..Shape::of(events) });
    let rows = || case.number("SELECT count() FROM events_rows") as f64;
    let all = input.of_calls.len() as f64;
    let running: Vec<Running> = (0..linkers).map(|nth| case.start_as("link", &format!("linker-{nth}"), &[])).collect();
    wait_for("the first rows", || rows() > 0.0);
    let (begun, first) = (Instant::now(), rows());
    wait_for("all rows", || {
        // Looking is not to cost what is measured.
        thread::park_timeout(Duration::from_millis(200));
        rows() >= all
    });
    let share = (rows() - first) / all;
    let events_per_second = input.events as f64 * share / begun.elapsed().as_secs_f64();
    let legs = input.legs.len() as i64;
    wait_for("all legs", || case.number("SELECT count() FROM legs") == legs);
    drop(running);
    for table in ["events_rows", "device_events_rows", "legs_rows", "calls_rows"] {
        case.execute(&format!("OPTIMIZE TABLE {table} FINAL"));
    }
    let stored = case.rows(
        "SELECT table, toInt64(sum(rows)) AS rows, toInt64(sum(bytes_on_disk)) AS bytes FROM system.parts \
         WHERE active AND database = currentDatabase() AND table LIKE '%_rows' GROUP BY table ORDER BY table",
    );
    let stored = stored.iter().map(|row| {
        let number = |name: &str| row[name].as_i64().expect("a number");
        (row["table"].as_str().unwrap_or_default().to_owned(), number("rows"), number("bytes"))
    });
    Speed { events_per_second, stored: stored.collect() }
}

/// What open legs take.
pub struct Memory {
    /// Bytes of the process for each of them, more than with a hundredth of them.
    pub bytes_per_leg: f64,
    /// Resident bytes of the process with all of them.
    pub resident: u64,
    /// Seconds from the start of the next process until it has an event that came meanwhile in ClickHouse: after SIGTERM, and
    /// after SIGKILL, when brokers wait for the member that is gone.
    pub restarts_s: [f64; 2],
}

/// Opens as many legs as asked for, each with two events, whose deadlines are an hour away.
///
/// # Panics
/// When the stack fails.
pub fn memory(legs: u32) -> Memory {
    let case = Case::on(stack().clone(), &format!("bench-memory-{legs}"), PARTITIONS);
    let (mut running, listen) = linker(&case);
    let occurred_at = wall_ms() + 3_600_000;
    let open = |from: u32, to: u32| {
        open(&case, &listen, from..to, occurred_at);
        settled_kib(running.id())
    };
    let few = legs / 100;
    let least = open(0, few);
    let most = open(few, legs);
    let restarts_s = ["TERM", "KILL"].map(|signal| {
        running.signal(signal);
        case.write(&[push(PROBES, signal, 1 << 40, "push.sent", wall_ms())]);
        wait_for("its end", || running.ended().is_some());
        let restarted = Instant::now();
        running = linker(&case).0;
        let query = format!("SELECT count() FROM events_rows WHERE tenant_id = '{PROBES}' AND event_id = '{signal}'");
        wait_for("the event", || case.number(&query) == 1);
        restarted.elapsed().as_secs_f64()
    });
    Memory {
        bytes_per_leg: most.saturating_sub(least) as f64 * 1_024.0 / f64::from(legs - few),
        resident: most * 1_024,
        restarts_s,
    }
}

/// Opens calls of one leg and two events each, and waits until the linker holds them.
fn open(case: &Case, listen: &str, legs: Range<u32>, occurred_at: i64) {
    for nth in legs.clone().step_by(10_000) {
        let events = (nth..legs.end.min(nth + 10_000)).flat_map(|nth| {
            let id = format!("iphone-{nth:08}");
            ["push.sent", "push.accepted"].map(|kind| push("acme", &id, u128::from(nth) + 1, kind, occurred_at))
        });
        case.write(&events.collect::<Vec<_>>());
    }
    let is_open = || gauge(listen, "ringtrace_open_calls") >= f64::from(legs.end);
    catch_up(listen, is_open);
}

/// Waits until the linker has read everything, and something else.
fn catch_up(listen: &str, is_done: impl Fn() -> bool) {
    let deadline = Instant::now() + 4 * PATIENCE;
    while !is_done() || gauge(listen, "ringtrace_consumer_lag_records") > 0.0 {
        assert!(Instant::now() < deadline, "{} calls are open", gauge(listen, "ringtrace_open_calls"));
        thread::park_timeout(Duration::from_millis(200));
    }
}

/// What a million events cost beside so many open legs.
pub struct Growth {
    /// Open legs that nothing happens to.
    pub legs: u32,
    /// CPU seconds of the linker per million events.
    pub linker: f64,
    /// Resident bytes of the linker with these legs, before those events.
    pub resident: u64,
}

/// Has a linker catch up with simulated events, the same mix each time, while more and more legs are open.
///
/// # Panics
/// When the stack fails, or not every event is read.
pub fn growth(legs: &[u32], events: usize) -> Vec<Growth> {
    let case = Case::on(stack().clone(), "bench-growth", PARTITIONS);
    let (running, listen) = linker(&case);
    let occurred_at = wall_ms() + 2 * 3_600_000;
    let mut before = 0;
    let measure = |(nth, legs): (usize, &u32)| {
        open(&case, &listen, before..*legs, occurred_at);
        before = *legs;
        thread::park_timeout(REST);
        let (read, resident) = (gauge(&listen, "ringtrace_records_total"), resident_kib(running.id()) * 1_024);
        let cpu = process_cpu(running.id());
        let seed = nth as u64 + 1;
        fill(&case, Shape { start: wall_ms() - DAY_MS, seed, ..Shape::of(events) });
        catch_up(&listen, || gauge(&listen, "ringtrace_records_total") - read >= events as f64);
        let linker = (process_cpu(running.id()) - cpu) * 1e6 / events as f64;
        Growth { legs: *legs, linker, resident }
    };
    legs.iter().enumerate().map(measure).collect()
}

pub(super) fn gauge(listen: &str, name: &str) -> f64 {
    let metrics = get(listen, "/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
}

/// Resident memory once it has stopped to fall, in KiB: calls come to rest after half a minute, and the allocator gives back what is
/// free some seconds later.
fn settled_kib(pid: u32) -> u64 {
    let (mut least, mut since) = (resident_kib(pid), Instant::now());
    while since.elapsed() < Duration::from_secs(80) {
        thread::park_timeout(Duration::from_millis(500));
        let now = resident_kib(pid);
        if now + 1_024 < least {
            (least, since) = (now, Instant::now());
        }
    }
    resident_kib(pid)
}

pub(super) fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}
