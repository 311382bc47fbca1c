//! One dead letter: the record as it came, and why it is there.

use std::fmt::{self, Display};
use std::str::FromStr;

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers, OwnedHeaders};
use serde::Serialize;

use crate::record::{DEAD_AT_HEADER, DETAIL_HEADER, REASON_HEADER, SHA256_HEADER, SIZE_HEADER, SOURCE_HEADER};

/// Where a letter is in its topic, as `partition/offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Partition of the dead-letter topic.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
}

impl Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.partition, self.offset)
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (partition, offset) = text.split_once('/')?;
            let (partition, offset) = (partition.parse().ok()?, offset.parse().ok()?);
            (partition >= 0 && offset >= 0).then_some(Position { partition, offset })
        };
        read().ok_or_else(|| "expected partition/offset, as `dead-letters list` shows it".to_owned())
    }
}

impl Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// See the module's text. Its value is personal data as it came: it is serialized nowhere.
#[derive(Debug, Serialize)]
pub struct Letter {
    /// Where it is.
    pub position: Position,
    /// When it was put there, in milliseconds since the Unix epoch; 0 where the letter does not say.
    pub dead_at: i64,
    /// Class of the fault (contract section 2).
    pub reason: String,
    /// The field, and what it should be.
    pub detail: String,
    /// `topic/partition/offset` of the record as it came.
    pub source: String,
    /// Its log time, in milliseconds since the Unix epoch.
    pub log_at: i64,
    /// Its key; bytes that are not UTF-8 are replaced.
    pub key: Option<String>,
    /// Bytes of its value, before it was cut.
    pub bytes: usize,
    /// SHA-256 of the whole value, where the value was cut.
    pub cut: Option<String>,
    #[serde(skip)]
    raw_key: Option<Vec<u8>>,
    #[serde(skip)]
    value: Option<Vec<u8>>,
    #[serde(skip)]
    headers: OwnedHeaders,
}

impl Letter {
    /// Reads a record of the dead-letter topic.
    pub(super) fn of(message: &BorrowedMessage<'_>) -> Self {
        let own = Own::of(message);
        let value = message.payload();
        Letter {
            position: Position { partition: message.partition(), offset: message.offset() },
            dead_at: own.text(DEAD_AT_HEADER).parse().unwrap_or(0),
            reason: own.text(REASON_HEADER).to_owned(),
            detail: own.text(DETAIL_HEADER).to_owned(),
            source: own.text(SOURCE_HEADER).to_owned(),
            log_at: message.timestamp().to_millis().unwrap_or(0),
            key: message.key().map(|key| String::from_utf8_lossy(key).into_owned()),
            bytes: own.text(SIZE_HEADER).parse().unwrap_or_else(|_| value.map_or(0, <[u8]>::len)),
            cut: Some(own.text(SHA256_HEADER)).filter(|text| !text.is_empty()).map(str::to_owned),
            raw_key: message.key().map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: message.headers().map_or_else(OwnedHeaders::new, |headers| headers.detach()),
        }
    }

    /// The record's key, value and headers; the headers hold those of the letter as well.
    pub fn record(&self) -> (Option<&[u8]>, Option<&[u8]>, OwnedHeaders) {
        (self.raw_key.as_deref(), self.value.as_deref(), self.headers.clone())
    }

    /// Only where it is and why: without key, value and headers, which may be personal data.
    pub fn without_value(self) -> Self {
        Letter { key: None, raw_key: None, value: None, headers: OwnedHeaders::new(), ..self }
    }

    /// Its value as it came; `None` for a tombstone.
    pub fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }
}

/// The letter's own headers: the last ones, behind those of the record.
struct Own(Vec<(String, String)>);

impl Own {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let Some(headers) = message.headers() else { return Own(Vec::new()) };
        let mut own = Vec::new();
        // From the end to the reason, which is the first: what is before it is the record's, and may be anything.
        for index in (0..headers.count()).rev() {
            let Some(header) = headers.try_get(index) else { break };
            let value = String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned();
            own.push((header.key.to_owned(), value));
            if header.key == REASON_HEADER {
                break;
            }
        }
        Own(own)
    }

    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_shown() {
        let position = Position { partition: 3, offset: 12 };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "3", "3/", "-1/0", "1/-1", "a/b", "1/2/3"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
