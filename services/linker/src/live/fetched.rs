//! What was fetched of one partition, taken many records at a time: one by one, each costs librdkafka three looks at the clock
//! and five locks. The `rdkafka` crate wraps no more than that.
#![allow(unsafe_code, reason = "rd_kafka_consume_batch_queue has no safe form")]

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

use rdkafka::bindings as native;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{IsError, KafkaError, KafkaResult};
use rdkafka::message::BorrowedHeaders;
use rdkafka::{Message, Timestamp};

/// Records that are taken at a time. What is taken no longer counts for the limits of librdkafka's queues: it is less than one
/// of them holds.
const MOST: usize = 64;

/// A partition's queue, and what was taken of it. Neither may outlive the consumer.
pub(super) struct Fetched {
    queue: NonNull<native::rd_kafka_queue_t>,
    /// The next one is the last.
    taken: RefCell<Vec<Taken>>,
}

impl Fetched {
    /// The queue of a partition; `None` where the consumer doesn't know it.
    pub(super) fn of<C: ClientContext>(client: &Client<C>, topic: &str, partition: i32) -> Option<Self> {
        let topic = CString::new(topic).ok()?;
        // SAFETY: the client lives as long as it is borrowed; the name is copied.
        let queue = unsafe { native::rd_kafka_queue_get_partition(client.native_ptr(), topic.as_ptr(), partition) };
        Some(Fetched { queue: NonNull::new(queue)?, taken: RefCell::default() })
    }

    /// The next record, or what librdkafka has to say of the partition.
    pub(super) fn next(&self) -> Option<KafkaResult<Fetch<'_>>> {
        let mut taken = self.taken.borrow_mut();
        if taken.is_empty() {
            self.take(&mut taken);
        }
        let message = taken.pop()?;
        let error = message.get().err;
        Some(match error.is_error() {
            false => Ok(Fetch { message, _queue: PhantomData }),
            true => Err(KafkaError::MessageConsumption(error.into())),
        })
    }

    /// Forgets what was taken.
    pub(super) fn forget(&self) {
        self.taken.borrow_mut().clear();
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
            _ if at < 0 => Timestamp::NotAvailable,
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
