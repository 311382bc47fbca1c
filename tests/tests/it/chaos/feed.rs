//! Steady load: a simulated world in real time, with the disorder that producers bring, into topics that stamp records
//! themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use ringtrace_simulator::{IncidentSpec, Plan, Simulator, World};
use ringtrace_tests::simulated::{EVENTFUL, given};
use ringtrace_tests::stack::{Case, Given};

use super::SLOTS;
use crate::link::input::Disorder;

/// Longest wait for the brokers to take what was sent.
const FLUSH: Duration = Duration::from_secs(120);

/// A running load.
pub struct Feed {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Given>>,
}

impl Feed {
    /// Starts `calls_per_second` calls in each second.
    pub fn start(case: &Case, seed: u64, calls_per_second: f64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (brokers, prefix) = (case.brokers().to_owned(), case.topic(""));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut load = Load::new(seed, calls_per_second);
            let producer = producer(&brokers);
            while !stopped.load(Ordering::Relaxed) {
                load.send_due(&producer, &prefix);
                std::thread::park_timeout(Duration::from_millis(50));
            }
            producer.flush(FLUSH).expect("Kafka takes the load");
            assert_eq!(producer.context().0.load(Ordering::Relaxed), 0, "Kafka has refused records of the load");
            load.sent
        });
        Feed { stop, thread }
    }

    /// Ends the load; gives everything that was produced.
    pub fn stop(self) -> Vec<Given> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the load was produced")
    }
}

struct Load {
    simulator: Simulator,
    disorder: Disorder,
    start: i64,
    seconds: i64,
    /// Second in which each is sent.
    waiting: Vec<(i64, Given)>,
    sent: Vec<Given>,
}

impl Load {
    fn new(seed: u64, calls_per_second: f64) -> Self {
        let start = now();
        let release = IncidentSpec::parse("broken-release@0s,for=12h").expect("an incident");
        let plan = Plan { seed, start, length_ms: None, calls_per_second, incidents: vec![release], ..Plan::default() };
        let simulator = Simulator::new(World::with(EVENTFUL).expect("a world"), plan).expect("a plan");
        let disorder = Disorder::with_seed(seed);
        Load { simulator, disorder, start, seconds: 0, waiting: Vec::new(), sent: Vec::new() }
    }

    /// Sends what the world has done until now.
    fn send_due(&mut self, producer: &ThreadedProducer<Refusals>, prefix: &str) {
        while self.start + (self.seconds + 1) * 1_000 <= now() {
            self.seconds += 1;
            let Some(second) = self.simulator.next_second() else { return };
            let records: Vec<Given> = second.records().map(|record| given(&record)).collect();
            records.into_iter().for_each(|record| self.disturb(record));
            let due = self.seconds;
            let (ready, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(at, _)| *at <= due);
            self.waiting = waiting;
            for (_, record) in ready {
                send(producer, prefix, &record);
                self.sent.push(record);
            }
        }
    }

    /// Some records come twice, some later, some elsewhere, some are broken.
    fn disturb(&mut self, mut record: Given) {
        if self.disorder.below(4) == 0 {
            record = self.disorder.mislay(record, SLOTS);
        }
        if self.disorder.below(10) == 0 {
            let again = self.disorder.mislay(record.clone(), SLOTS);
            self.waiting.push((self.seconds + self.disorder.below(8) as i64, again));
        }
        if self.disorder.below(200) == 0 {
            record.value = record.value.map(|value| value[..value.len() / 2].to_vec());
        }
        let late = if self.disorder.below(30) == 0 { self.disorder.below(20) as i64 } else { 0 };
        self.waiting.push((self.seconds + late, record));
    }
}

/// Records that Kafka did not take.
#[derive(Default)]
struct Refusals(AtomicU64);

impl ClientContext for Refusals {}

impl ProducerContext for Refusals {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.0.fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
    }
}

fn producer(brokers: &str) -> ThreadedProducer<Refusals> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("partitioner", "murmur2_random")
        // What is sent again while the broker restarts is still written once.
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", "600000")
        .set("queue.buffering.max.messages", "2000000")
        .set("linger.ms", "5")
        .create_with_context(Refusals::default())
        .expect("a producer")
}

fn send(producer: &ThreadedProducer<Refusals>, prefix: &str, given: &Given) {
    let topic = format!("{prefix}{}", given.topic);
    let mut record = BaseRecord::<[u8], [u8]>::to(&topic);
    record.key = given.key.as_deref();
    record.payload = given.value.as_deref();
    record.partition = given.partition;
    if let Err((error, _)) = producer.send(record) {
        panic!("the producer's queue holds all that is sent while the broker is away: {error}");
    }
}

fn now() -> i64 {
    UNIX_EPOCH.elapsed().expect("a time after 1970").as_millis() as i64
}
