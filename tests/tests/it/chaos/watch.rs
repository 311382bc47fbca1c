//! How far the group has committed: where it stands still, and for how long.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::TopicPartitionList;
use ringtrace_tests::stack::{Case, INPUT_TOPICS};

use super::SLOTS;

/// How often the broker is asked.
const PERIOD: Duration = Duration::from_millis(200);

/// How long it may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Offsets by topic and partition.
pub type Offsets = BTreeMap<(String, i32), i64>;

/// What was seen.
#[derive(Default)]
struct Seen {
    committed: Offsets,
    /// Since when each partition stands still, under steady load.
    since: BTreeMap<(String, i32), Instant>,
    longest: Duration,
}

/// See the module's text.
pub struct Watch {
    asker: Arc<Asker>,
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub fn start(case: &Case) -> Self {
        let asker = Arc::new(Asker::of(case));
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), Arc::new(AtomicBool::new(false)));
        let (theirs, stopped, asking) = (Arc::clone(&seen), Arc::clone(&stop), Arc::clone(&asker));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Ok(committed) = asking.committed() {
                    theirs.lock().expect("no test panicked here").note(committed, &asking.steady);
                }
                std::thread::park_timeout(PERIOD);
            }
        });
        Watch { asker, seen, stop, thread: Some(thread) }
    }

    /// Forgets how long anything has stood still.
    pub fn mark(&self) {
        let mut seen = self.seen.lock().expect("no test panicked here");
        seen.longest = Duration::ZERO;
        let now = Instant::now();
        seen.since.values_mut().for_each(|since| *since = now);
    }

    /// The longest time since the mark that a partition of a call topic stood still.
    pub fn longest(&self) -> Duration {
        let seen = self.seen.lock().expect("no test panicked here");
        let standing = seen.since.values().map(Instant::elapsed).max().unwrap_or_default();
        seen.longest.max(standing)
    }

    /// Where the input topics end now.
    ///
    /// # Errors
    /// When the broker is away.
    pub fn ends(&self) -> KafkaResult<Offsets> {
        self.asker.ends()
    }

    /// What is not yet committed of the records before `ends`.
    pub fn left(&self, ends: &Offsets) -> i64 {
        let seen = self.seen.lock().expect("no test panicked here");
        ends.iter().map(|(place, end)| (end - seen.committed.get(place).copied().unwrap_or(0)).max(0)).sum()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn note(&mut self, committed: Offsets, steady: &[String]) {
        let now = Instant::now();
        for (place, offset) in &committed {
            let has_moved = self.committed.get(place) != Some(offset);
            if has_moved && steady.contains(&place.0) {
                let before = self.since.insert(place.clone(), now);
                self.longest = self.longest.max(before.map_or(Duration::ZERO, |before| now - before));
            }
        }
        self.committed = committed;
    }
}

/// Asks without a proxy.
struct Asker {
    consumer: BaseConsumer,
    places: Vec<(String, i32)>,
    /// Topics whose every partition gets records all the time.
    steady: Vec<String>,
}

impl Asker {
    fn of(case: &Case) -> Self {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", case.brokers())
            .set("group.id", case.group())
            .set("isolation.level", "read_uncommitted")
            .create()
            .expect("a consumer");
        let topics = INPUT_TOPICS.map(|topic| case.topic(topic));
        let places = topics.iter().flat_map(|topic| (0..SLOTS).map(|partition| (topic.clone(), partition)));
        Asker { consumer, places: places.collect(), steady: topics[..2].to_vec() }
    }

    fn committed(&self) -> KafkaResult<Offsets> {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in &self.places {
            list.add_partition(topic, *partition);
        }
        let committed = self.consumer.committed_offsets(list, TIMEOUT)?;
        let offset = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
            element.error()?;
            Ok(((element.topic().to_owned(), element.partition()), element.offset().to_raw().unwrap_or(0).max(0)))
        };
        committed.elements().iter().map(offset).collect()
    }

    fn ends(&self) -> KafkaResult<Offsets> {
        let end =
            |place: &(String, i32)| Ok((place.clone(), self.consumer.fetch_watermarks(&place.0, place.1, TIMEOUT)?.1));
        self.places.iter().map(end).collect()
    }
}
