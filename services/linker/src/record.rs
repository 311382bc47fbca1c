//! A record as it is read, and the records that it may become: reroutes and dead letters.

use data_encoding::HEXLOWER;
use rdkafka::message::{BorrowedHeaders, Header, Headers, OwnedHeaders};
use rdkafka::{Message, Timestamp};
use ringtrace_kit::kafka::MAX_RECORD_BYTES;
use ringtrace_model::Reject;
use sha2::{Digest, Sha256};

use crate::topics::{Input, Inputs};

/// Header of reroutes and dead letters: `topic/partition/offset` of the original record.
pub const SOURCE_HEADER: &str = "ringtrace.source";
/// Header of dead letters: the class of the fault.
pub const REASON_HEADER: &str = "ringtrace.reason";
/// Header of dead letters: the field, and what it should be.
pub const DETAIL_HEADER: &str = "ringtrace.detail";
/// Header of dead letters: when it was put there, in milliseconds since the Unix epoch.
pub const DEAD_AT_HEADER: &str = "ringtrace.dead-at";
/// Header of a dead letter whose value was too large to keep: its size in bytes.
pub const SIZE_HEADER: &str = "ringtrace.size";
/// Header of a dead letter whose value was too large to keep: the SHA-256 of the whole value, in hexadecimal.
pub const SHA256_HEADER: &str = "ringtrace.sha256";

/// Header of a dead letter that was sent back to the internal topic, before [`SOURCE_HEADER`]: its position.
pub const REPLAYED_HEADER: &str = "ringtrace.replayed";

/// Last header of a record of the internal topic that is no event but a request to the slot's owner: what is asked.
pub const REQUEST_HEADER: &str = "ringtrace.request";

/// Room that is kept for key, headers and framing beside the value of a dead letter, in bytes.
const ROOM: usize = 1 << 20;

/// A record of one of the input topics, borrowed.
pub(crate) struct Record<'a> {
    pub(crate) input: Input,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Milliseconds since the Unix epoch; -1 where the broker gave none.
    pub(crate) log_at: i64,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: &'a dyn HasHeaders,
}

/// Where the headers of a record are read from, only where they are needed: librdkafka parses them anew each time.
pub(crate) trait HasHeaders {
    /// They, where there are any.
    fn get(&self) -> Option<&BorrowedHeaders>;
}

impl<M: Message<Headers = BorrowedHeaders>> HasHeaders for M {
    fn get(&self) -> Option<&BorrowedHeaders> {
        self.headers()
    }
}

impl<'a> Record<'a> {
    pub(crate) fn of(message: &'a impl Message<Headers = BorrowedHeaders>, input: Input) -> Self {
        let log_at = match message.timestamp() {
            Timestamp::CreateTime(at) | Timestamp::LogAppendTime(at) => at,
            Timestamp::NotAvailable => -1,
        };
        Record {
            input,
            partition: message.partition(),
            offset: message.offset(),
            log_at,
            key: message.key(),
            value: message.payload(),
            headers: message,
        }
    }

    /// Writes `topic/partition/offset` of the record, or of the one that it was rerouted from.
    pub(crate) fn write_source(&self, inputs: &Inputs, out: &mut String) {
        out.clear();
        if let Some(original) = self.original() {
            out.push_str(original);
        } else {
            // Of every record: the formatter of the standard library takes several times as long.
            let mut digits = itoa::Buffer::new();
            out.push_str(inputs.name(self.input));
            out.push('/');
            out.push_str(digits.format(self.partition));
            out.push('/');
            out.push_str(digits.format(self.offset));
        }
    }

    /// The source that a reroute carries: its last header.
    fn original(&self) -> Option<&'a str> {
        self.last_header(SOURCE_HEADER).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// What is asked of the slot's owner. Only the last header counts: a reroute ends in its source, whatever its original had.
    pub(crate) fn request(&self) -> Option<&'a [u8]> {
        self.last_header(REQUEST_HEADER)
    }

    /// The last header of a record of the internal topic, where it has this name.
    fn last_header(&self, name: &str) -> Option<&'a [u8]> {
        if self.input != Input::Internal {
            return None;
        }
        let headers = self.headers.get()?;
        let last = headers.try_get(headers.count().checked_sub(1)?)?;
        if last.key == name { last.value } else { None }
    }

    /// Whether it is a dead letter that was sent back: no topic but the internal one has it.
    pub(crate) fn is_replayed(&self) -> bool {
        let before_last = || {
            let headers = self.headers.get()?;
            headers.try_get(headers.count().checked_sub(2)?)
        };
        self.original().is_some() && before_last().is_some_and(|header| header.key == REPLAYED_HEADER)
    }

    /// Bytes of key, value and a guess at the rest.
    pub(crate) fn size(&self) -> usize {
        self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len) + 64
    }

    fn owned_headers(&self) -> OwnedHeaders {
        self.headers.get().map_or_else(OwnedHeaders::new, BorrowedHeaders::detach)
    }
}

/// A record to be written in the next transaction.
pub(crate) struct Outgoing {
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: OwnedHeaders,
    pub(crate) timestamp: i64,
}

impl Outgoing {
    /// The record again, for the partition of its call on the internal topic.
    pub(crate) fn reroute(record: &Record<'_>, source: &str, partition: i32) -> Self {
        let mut headers = record.owned_headers();
        if record.original().is_none() {
            headers = headers.insert(Header { key: SOURCE_HEADER, value: Some(source) });
        }
        Outgoing {
            partition: Some(partition),
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers,
            timestamp: record.log_at,
        }
    }

    /// The record as a dead letter. A value for which the topic has no room is cut, with its size and SHA-256 in headers.
    pub(crate) fn dead_letter(record: &Record<'_>, source: &str, reject: &Reject, wall_ms: i64) -> Self {
        let text = |key, value| Header { key, value: Some(value) };
        let dead_at = wall_ms.to_string();
        let mut headers = record
            .owned_headers()
            .insert(text(REASON_HEADER, reject.reason.as_str()))
            .insert(text(DETAIL_HEADER, &reject.detail))
            .insert(text(SOURCE_HEADER, source))
            .insert(text(DEAD_AT_HEADER, &dead_at));
        let room = MAX_RECORD_BYTES - ROOM - record.key.map_or(0, <[u8]>::len).min(MAX_RECORD_BYTES - 2 * ROOM);
        let mut value = record.value;
        if let Some(whole) = record.value.filter(|value| value.len() > room) {
            headers = headers
                .insert(text(SIZE_HEADER, &whole.len().to_string()))
                .insert(text(SHA256_HEADER, &HEXLOWER.encode(&Sha256::digest(whole))));
            value = whole.get(..room);
        }
        Outgoing {
            partition: None,
            key: record.key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers,
            timestamp: record.log_at,
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len) + 256
    }
}
