//! What the linker's output costs without linking: a consumer that parses, and produces the records that a linker made of the
//! same input. A linker can't be cheaper than this; folding, judging, personal fields and rows come on top.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use ringtrace_linker::PRODUCER_SETTINGS;
use ringtrace_model::Event;

use super::link::Linking;
use super::{Input, Meter, To, Usage, consume};
use crate::stack::{Case, PATIENCE, Read, read};

/// What a linker reads for a flush in a backlog, in bytes: `link.flush_bytes` by default.
const FLUSH_BYTES: usize = 64 << 20;

/// Has a linker make its records, and measures parsing the input and writing the same records to the same topics.
///
/// # Panics
/// When something is refused.
pub(super) fn measure(name: &str, case: &Case, input: &Input, meter: &Meter) -> Usage {
    let linking = Linking::prepare(case, name, To::Discard);
    linking.run();
    let topics = ["calls", "verdicts", "internal"].map(|topic| format!("{name}.ringtrace.{topic}"));
    let records: Vec<(&str, Read)> = topics
        .iter()
        .flat_map(|topic| read(case.brokers(), topic).into_iter().map(move |record| (topic.as_str(), record)))
        .collect();
    let relay = Relay { producer: producer(case, name), records, sent: Cell::new(0), pending: RefCell::default() };
    let usage = meter.measure(|| {
        consume::all(case, &format!("{name}-relay"), input, |value, log_at| {
            std::hint::black_box(&Event::parse(value, log_at).expect("simulated events are valid"));
            relay.take(value.len(), input.value_bytes);
        });
        relay.flush(1.0);
    });
    assert_eq!(relay.sent.get(), relay.records.len(), "every record was written");
    Usage { events: input.events, ..usage }
}

struct Relay<'t> {
    producer: BaseProducer,
    records: Vec<(&'t str, Read)>,
    sent: Cell<usize>,
    /// Bytes that were read, and those of them since the last flush.
    pending: RefCell<(u64, usize)>,
}

impl Relay<'_> {
    fn take(&self, bytes: usize, of: u64) {
        let (read, since) = &mut *self.pending.borrow_mut();
        *read += bytes as u64;
        *since += bytes;
        if *since >= FLUSH_BYTES {
            *since = 0;
            self.flush(*read as f64 / of as f64);
        }
    }

    /// Writes the records up to a share of all in a transaction.
    fn flush(&self, share: f64) {
        let end = (self.records.len() as f64 * share) as usize;
        self.producer.begin_transaction().expect("a transaction");
        for (topic, read) in self.records.get(self.sent.get()..end).unwrap_or_default() {
            let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(read.partition);
            record.key = read.key.as_deref();
            record.payload = read.value.as_deref();
            while let Err((error, back)) = self.producer.send(record) {
                assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
                std::thread::park_timeout(Duration::from_millis(5));
                record = back;
            }
        }
        self.producer.commit_transaction(PATIENCE).expect("the transaction is committed");
        self.sent.set(end.max(self.sent.get()));
    }
}

fn producer(case: &Case, name: &str) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", case.brokers()).set("transactional.id", format!("{name}-relay"));
    for (name, value) in PRODUCER_SETTINGS {
        config.set(name, value);
    }
    let producer: BaseProducer = config.create().expect("a producer");
    producer.init_transactions(PATIENCE).expect("transactions");
    producer
}
