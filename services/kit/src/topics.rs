//! Topics with the ids that brokers give them, by the part of librdkafka's C interface that the `rdkafka` crate does not wrap:
//! a topic that was deleted and made again has its name, and perhaps as many records, but another id (KIP-516).
#![allow(unsafe_code, reason = "rd_kafka_DescribeTopics has no safe form")]

use std::ffi::CString;
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// A topic as the brokers know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Its id; 0 where brokers are too old to give ids, and where the topic does not exist.
    pub id: u128,
    /// How many partitions it has; 0 where it does not exist.
    pub partitions: i32,
}

/// Whether the brokers have a controller, which answers what [`describe`] asks: librdkafka's in-process ones name one that
/// does not exist.
///
/// # Errors
/// When the brokers don't answer in time.
pub fn have_controller<C: ClientContext>(client: &Client<C>, timeout: Duration) -> KafkaResult<bool> {
    let metadata = client.fetch_metadata(None, timeout)?;
    let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client lives as long as it is borrowed.
    let controller = unsafe { native::rd_kafka_controllerid(client.native_ptr(), milliseconds) };
    Ok(metadata.brokers().iter().any(|broker| broker.id() == controller))
}

/// Describes topics, in the order of `names`. Never creates one.
///
/// # Errors
/// When the brokers don't answer in time, or don't let this client look.
pub fn describe<C: ClientContext>(
    client: &Client<C>,
    names: &[&str],
    timeout: Duration,
) -> KafkaResult<Vec<Described>> {
    let request = Request::new(client, names)?;
    let event = request.send(client, timeout)?;
    // SAFETY: the event lives until the end of this function.
    let error = unsafe { native::rd_kafka_event_error(event.0.as_ptr()) };
    if error != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Err(KafkaError::AdminOp(error.into()));
    }
    event.topics(names.len())
}

const FAILED: KafkaError = KafkaError::AdminOp(RDKafkaErrorCode::Fail);

/// What is asked. Its parts are librdkafka's, and given back when it is dropped.
struct Request {
    topics: NonNull<native::rd_kafka_TopicCollection_t>,
    queue: NonNull<native::rd_kafka_queue_t>,
}

impl Request {
    fn new<C: ClientContext>(client: &Client<C>, names: &[&str]) -> KafkaResult<Self> {
        let names: Vec<CString> =
            names.iter().map(|name| CString::new(*name).map_err(|_| FAILED)).collect::<Result<_, _>>()?;
        let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: the names are copied; the client lives as long as it is borrowed.
        let topics = unsafe { native::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()) };
        let topics = NonNull::new(topics).ok_or(FAILED)?;
        // SAFETY: the client lives.
        let queue = unsafe { native::rd_kafka_queue_new(client.native_ptr()) };
        let Some(queue) = NonNull::new(queue) else {
            // SAFETY: nobody else has it.
            unsafe { native::rd_kafka_TopicCollection_destroy(topics.as_ptr()) };
            return Err(FAILED);
        };
        Ok(Request { topics, queue })
    }

    fn send<C: ClientContext>(&self, client: &Client<C>, timeout: Duration) -> KafkaResult<Event> {
        let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: client, topics and queue live; the options are librdkafka's own until they are destroyed, below; the event is
        // the caller's.
        let event = unsafe {
            let operation = native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
            let options = native::rd_kafka_AdminOptions_new(client.native_ptr(), operation);
            let mut why = [0; 128];
            native::rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, why.as_mut_ptr(), why.len());
            native::rd_kafka_DescribeTopics(client.native_ptr(), self.topics.as_ptr(), options, self.queue.as_ptr());
            native::rd_kafka_AdminOptions_destroy(options);
            native::rd_kafka_queue_poll(self.queue.as_ptr(), milliseconds)
        };
        NonNull::new(event).map(Event).ok_or(KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut))
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // SAFETY: both were made in `new`, and nothing else holds them.
        unsafe {
            native::rd_kafka_queue_destroy(self.queue.as_ptr());
            native::rd_kafka_TopicCollection_destroy(self.topics.as_ptr());
        }
    }
}

/// An answer, which lives until it is dropped.
struct Event(NonNull<native::rd_kafka_event_t>);

impl Event {
    fn topics(&self, wanted: usize) -> KafkaResult<Vec<Described>> {
        let mut count = 0;
        // SAFETY: the event lives, and the descriptions live in it.
        let descriptions = unsafe {
            let result = native::rd_kafka_event_DescribeTopics_result(self.0.as_ptr());
            if result.is_null() {
                return Err(FAILED);
            }
            let first = native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
            if first.is_null() || count != wanted {
                return Err(FAILED);
            }
            std::slice::from_raw_parts(first, count)
        };
        descriptions.iter().map(|description| described(*description)).collect()
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: it was the caller's, and nothing of it is kept.
        unsafe { native::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

fn described(description: *const native::rd_kafka_TopicDescription_t) -> KafkaResult<Described> {
    // SAFETY: the description lives in an event that its caller holds.
    unsafe {
        let error = native::rd_kafka_error_code(native::rd_kafka_TopicDescription_error(description));
        match error {
            native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => {}
            native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART => return Ok(Described::default()),
            error => return Err(KafkaError::AdminOp(error.into())),
        }
        let id = native::rd_kafka_TopicDescription_topic_id(description);
        let high = native::rd_kafka_Uuid_most_significant_bits(id) as u64;
        let low = native::rd_kafka_Uuid_least_significant_bits(id) as u64;
        let mut partitions = 0;
        native::rd_kafka_TopicDescription_partitions(description, &raw mut partitions);
        Ok(Described { id: u128::from(high) << 64 | u128::from(low), partitions: partitions as i32 })
    }
}
