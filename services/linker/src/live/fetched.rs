//! What was fetched of one partition, taken many records at a time: one by one, each costs librdkafka three looks at the clock
//! and five locks. The `rdkafka` crate wraps no more than that.
#![allow(unsafe_code, reason = "rd_kafka_consume_batch_queue has no safe form")]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

use rdkafka::bindings as native;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{IsError, KafkaError, KafkaResult};
use rdkafka::message::BorrowedHeaders;
use rdkafka::{Message, Timestamp};

/// Records that are taken at a time, and no longer count for the limits of librdkafka's queues. A queue may be filled again
/// meanwhile, so a partition never has more than twice what its queue may hold.
const MOST: usize = 64;

/// A partition's queue, and what was taken of it. Neither may outlive the consumer.
pub(super) struct Fetched {
    queue: NonNull<native::rd_kafka_queue_t>,
    /// The next one is the last.
    taken: RefCell<Vec<Taken>>,
    /// See [`Fetched::failed_at`].
    failed_at: Cell<Option<i64>>,
}

impl Fetched {
    /// The queue of a partition; `None` where the consumer doesn't know it.
    pub(super) fn of<C: ClientContext>(client: &Client<C>, topic: &str, partition: i32) -> Option<Self> {
        let topic = CString::new(topic).ok()?;
        // SAFETY: the client lives as long as it is borrowed; the name is copied.
        let queue = unsafe { native::rd_kafka_queue_get_partition(client.native_ptr(), topic.as_ptr(), partition) };
        Some(Fetched { queue: NonNull::new(queue)?, taken: RefCell::default(), failed_at: Cell::default() })
    }

    /// The next record, or what librdkafka has to say of the partition.
    pub(super) fn next(&self) -> Option<KafkaResult<Fetch<'_>>> {
        let mut taken = self.taken.borrow_mut();
        if taken.is_empty() {
            self.take(&mut taken);
        }
        let message = taken.pop()?;
        let (error, offset) = (message.get().err, message.get().offset);
        if error.is_error() {
            if offset >= 0 {
                self.failed_at.set(Some(offset));
            }
            return Some(Err(KafkaError::MessageConsumption(error.into())));
        }
        self.failed_at.set(None);
        Some(Ok(Fetch { message, _queue: PhantomData }))
    }

    /// Offset at which fetching failed, where no record came since. An error that is taken in a batch counts as the record at
    /// its offset: from a rebalance on librdkafka would read behind it.
    pub(super) fn failed_at(&self) -> Option<i64> {
        self.failed_at.get()
    }

    /// Forgets what was taken: the partition goes on elsewhere.
    pub(super) fn forget(&self) {
        self.taken.borrow_mut().clear();
        self.failed_at.set(None);
    }

    fn take(&self, taken: &mut Vec<Taken>) {
        let mut messages = [null_mut(); MOST];
        // SAFETY: the queue is this one's, and there is room for as many pointers as are asked for.
        let count = unsafe {
            native::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, messages.as_mut_ptr(), messages.len())
        };
        let count = usize::try_from(count).unwrap_or_default(); // -1 is an error that only other parameters have.
        let messages = messages.into_iter().take(count);
        taken.extend(messages.rev().filter_map(NonNull::new).map(Taken));
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        // SAFETY: it was made in `of`, and nothing else holds it.
        unsafe { native::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

/// A message that is given back when it is dropped.
struct Taken(NonNull<native::rd_kafka_message_t>);

impl Taken {
    fn get(&self) -> &native::rd_kafka_message_t {
        // SAFETY: nobody else has it, and it lives until it is dropped.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // SAFETY: it came from `rd_kafka_consume_batch_queue`, and nothing of it is kept.
        unsafe { native::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}

/// A record, as librdkafka has it.
pub(super) struct Fetch<'q> {
    message: Taken,
    _queue: PhantomData<&'q Fetched>,
}

impl Fetch<'_> {
    /// # Safety
    /// Something of this message, of as many bytes.
    unsafe fn bytes(&self, start: *const c_void, length: usize) -> Option<&[u8]> {
        // SAFETY: the caller's word; it lives as long as the message.
        (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), length) })
    }
}

impl Message for Fetch<'_> {
    type Headers = BorrowedHeaders;

    fn key(&self) -> Option<&[u8]> {
        let message = self.message.get();
        // SAFETY: both are of the key.
        unsafe { self.bytes(message.key, message.key_len) }
    }

    fn payload(&self) -> Option<&[u8]> {
        let message = self.message.get();
        // SAFETY: both are of the value.
        unsafe { self.bytes(message.payload, message.len) }
    }

    unsafe fn payload_mut(&mut self) -> Option<&mut [u8]> {
        let message = self.message.get();
        let start = NonNull::new(message.payload)?;
        // SAFETY: the value is nobody else's as long as the message is borrowed.
        Some(unsafe { std::slice::from_raw_parts_mut(start.as_ptr().cast(), message.len) })
    }

    fn topic(&self) -> &str {
        // SAFETY: the name lives as long as the topic, and that as long as the message.
        let name = unsafe { CStr::from_ptr(native::rd_kafka_topic_name(self.message.get().rkt)) };
        name.to_str().unwrap_or_default() // Kafka allows ASCII alone.
    }

    fn partition(&self) -> i32 {
        self.message.get().partition
    }

    fn offset(&self) -> i64 {
        self.message.get().offset
    }

    fn timestamp(&self) -> Timestamp {
        use native::rd_kafka_timestamp_type_t as Type;
        let mut kind = Type::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message lives.
        let at = unsafe { native::rd_kafka_message_timestamp(self.message.get(), &raw mut kind) };
        match kind {
            _ if at == -1 => Timestamp::NotAvailable,
            Type::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => Timestamp::NotAvailable,
            Type::RD_KAFKA_TIMESTAMP_CREATE_TIME => Timestamp::CreateTime(at),
            Type::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => Timestamp::LogAppendTime(at),
        }
    }

    fn headers(&self) -> Option<&BorrowedHeaders> {
        let mut headers = null_mut();
        // SAFETY: the message lives, and its headers as long as it does.
        let error = unsafe { native::rd_kafka_message_headers(self.message.get(), &raw mut headers) };
        if error.is_error() {
            return None;
        }
        // SAFETY: `BorrowedHeaders` has no fields: `rdkafka`, too, takes its address for that of librdkafka's headers.
        NonNull::new(headers).map(|headers| unsafe { headers.cast::<BorrowedHeaders>().as_ref() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use rdkafka::config::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::error::KafkaResult;
    use rdkafka::message::{Header, Headers, OwnedHeaders};
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    use rdkafka::{Message, Offset, Timestamp, TopicPartitionList};

    use super::{Fetch, Fetched, MOST};

    const PATIENCE: Duration = Duration::from_secs(60);

    fn next(fetched: &Fetched) -> KafkaResult<Fetch<'_>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(fetch) = fetched.next() {
                return fetch;
            }
            assert!(Instant::now() < deadline, "no record or error within a minute");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    #[test]
    fn records_come_whole_and_in_order_and_after_a_seek_none_that_was_taken_before() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("call-events", 1, 1).unwrap();
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.id", "group")
            .set("auto.offset.reset", "error");
        let producer: BaseProducer = config.create().unwrap();
        let count = 3 * MOST as i64;
        for n in 0..count {
            let (key, value) = (format!("key {n}"), format!("value {n}"));
            let headers = OwnedHeaders::new().insert(Header { key: "header", value: Some(&value) });
            let record = BaseRecord::to("call-events").partition(0).timestamp(1_000 + n).headers(headers);
            producer.send(record.key(&key).payload(&value)).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();

        let consumer: Arc<BaseConsumer> = Arc::new(config.create().unwrap());
        let mut places = TopicPartitionList::new();
        places.add_partition_offset("call-events", 0, Offset::Beginning).unwrap();
        consumer.assign(&places).unwrap();
        consumer.pause(&places).unwrap();
        let fetched = Fetched::of(consumer.client(), "call-events", 0).unwrap();
        let _queue = consumer.split_partition_queue("call-events", 0).unwrap();
        consumer.seek("call-events", 0, Offset::Offset(0), PATIENCE).unwrap();
        consumer.resume(&places).unwrap();
        for n in 0..count {
            let fetch = next(&fetched).unwrap();
            let value = format!("value {n}");
            assert_eq!((fetch.topic(), fetch.partition(), fetch.offset()), ("call-events", 0, n));
            assert_eq!(fetch.key(), Some(format!("key {n}").as_bytes()));
            assert_eq!(fetch.payload(), Some(value.as_bytes()));
            assert_eq!(fetch.timestamp(), Timestamp::CreateTime(1_000 + n));
            let headers = fetch.headers().unwrap();
            assert_eq!(headers.count(), 1);
            assert_eq!(headers.get(0), Header { key: "header", value: Some(value.as_bytes()) });
        }
        assert!(fetched.next().is_none(), "no record more than there are");

        // What was taken of the middle is librdkafka's no longer: only `forget` keeps it from coming after the seek.
        consumer.seek("call-events", 0, Offset::Offset(5), PATIENCE).unwrap();
        assert_eq!(next(&fetched).unwrap().offset(), 5);
        consumer.seek("call-events", 0, Offset::Offset(100), PATIENCE).unwrap();
        fetched.forget();
        assert_eq!(next(&fetched).unwrap().offset(), 100);
        assert_eq!(fetched.failed_at(), None);

        // There is no such offset, and an error says so.
        consumer.seek("call-events", 0, Offset::Offset(10_000), PATIENCE).unwrap();
        fetched.forget();
        assert!(next(&fetched).is_err());
        assert_eq!(fetched.failed_at(), Some(10_000));
        fetched.forget();
        assert_eq!(fetched.failed_at(), None);
    }
}
