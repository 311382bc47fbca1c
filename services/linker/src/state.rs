//! What the state changelog holds: a record per open call, and a header per slot. A settled call has a record until its rows are
//! acknowledged.

use std::borrow::Cow;

use compact_str::CompactString;
use ringtrace_model::{CallKey, Evidence, Uuid, Verdict};
use serde::{Deserialize, Serialize};

/// Key of a slot's header; no call has it, since the key of a call is at least 17 bytes.
pub(crate) const HEADER_KEY: &[u8] = b"header";

/// Largest encoded call that goes into the changelog, in bytes; a larger one is paged in from the history instead.
pub(crate) const MAX_STATE_BYTES: usize = 512 * 1024;

/// First byte of a header. Raised whenever its layout changes.
const HEADER_LAYOUT: u8 = 2;

/// The header's layout before: it ends before its last field.
const HEADER_WITHOUT_RULES: u8 = 1;

/// First byte of a call's record. Raised whenever its layout changes: calls of another one are looked up in ClickHouse.
const CALL_LAYOUT: u8 = 3;

/// Where a slot is, as of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Flush sequence of the transaction.
    pub(crate) sequence: u64,
    /// Highest sequence whose rows ClickHouse has acknowledged.
    pub(crate) acknowledged: u64,
    /// Milliseconds since the Unix epoch.
    pub(crate) log_clock: i64,
    /// Newest log time of any event so far, in milliseconds since the Unix epoch.
    pub(crate) newest_log_at: i64,
    /// How many slots there were.
    pub(crate) partitions: i32,
    /// Number of the stored rules by which its calls were judged; 0 where that is not known.
    pub(crate) rules: u64,
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![HEADER_LAYOUT];
        write(self, &mut out);
        out
    }

    /// Reads a header. One that was written before there were rules numbers ends before its last field.
    ///
    /// # Errors
    /// Another layout, or damage.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        match bytes.split_first() {
            Some((&HEADER_LAYOUT, header)) => read(header),
            Some((&HEADER_WITHOUT_RULES, header)) => read(&[header, &[0]].concat()),
            other => Err(StateError::Layout(other.map(|(layout, _)| *layout))),
        }
    }
}

/// The last verdict that was published for a leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) device_id: CompactString,
    pub(crate) verdict: Verdict,
    pub(crate) evidence: Option<Evidence>,
}

/// A call, as of one transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CallRecord<'a> {
    /// Flush sequence that wrote it.
    pub(crate) sequence: u64,
    /// Log time at which the call was first seen, cut to ten minutes, in seconds since the Unix epoch.
    pub(crate) first_seen: u32,
    /// Log time of the last change, in milliseconds since the Unix epoch.
    pub(crate) updated_at: i64,
    /// Log time at which the call changes by itself, by the rules it was judged by; `None` once settled.
    pub(crate) next_change_at: Option<i64>,
    pub(crate) published: Cow<'a, [Published]>,
    /// The call was taken for new at this log time, in milliseconds since the Unix epoch, and is yet to be checked.
    pub(crate) unchecked_since: Option<i64>,
    /// Legs that this flush wrote as deleted.
    pub(crate) removed: Cow<'a, [CompactString]>,
    /// The encoded call; `None` where it is settled or too large, and has to be paged in from the history.
    #[serde(borrow, with = "serde_bytes")]
    pub(crate) call: Option<&'a [u8]>,
}

impl<'a> CallRecord<'a> {
    /// Encodes it, to the end of `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(CALL_LAYOUT);
        write(self, out);
    }

    /// Reads what [`CallRecord::write`] wrote.
    ///
    /// # Errors
    /// Another layout, or damage.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, StateError> {
        match bytes.split_first() {
            Some((&CALL_LAYOUT, record)) => read(record),
            other => Err(StateError::Layout(other.map(|(layout, _)| *layout))),
        }
    }
}

/// A record of the changelog that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Written by a version with another layout.
    #[error("state record has layout {0:?}, which this version does not read")]
    Layout(Option<u8>),
    /// Damaged, or cut short.
    #[error("state record is damaged")]
    Damaged(#[source] postcard::Error),
    /// The key is no call's.
    #[error("state record has a key of {0} bytes that names no call")]
    Key(usize),
    /// The encoded call can't be read.
    #[error("state of a call can't be read")]
    Call(#[from] ringtrace_model::DecodeError),
}

/// The changelog's key of a call: its UUID, then its tenant.
pub(crate) fn encode_key(key: &CallKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + key.tenant_id.len());
    write_key(key, &mut out);
    out
}

/// As [`encode_key`], to the end of `out`.
pub(crate) fn write_key(key: &CallKey, out: &mut Vec<u8>) {
    out.extend_from_slice(key.call_uuid.as_bytes());
    out.extend_from_slice(key.tenant_id.as_bytes());
}

pub(crate) fn decode_key(bytes: &[u8]) -> Result<CallKey, StateError> {
    let (uuid, tenant) = bytes.split_at_checked(16).ok_or(StateError::Key(bytes.len()))?;
    let call_uuid = Uuid::from_slice(uuid).map_err(|_| StateError::Key(bytes.len()))?;
    let tenant_id = CompactString::from_utf8(tenant).map_err(|_| StateError::Key(bytes.len()))?;
    Ok(CallKey { tenant_id, call_uuid })
}

fn write<T: Serialize>(record: &T, out: &mut Vec<u8>) {
    // Encoding plain data into a vector can't fail; half a record would be refused on the way back.
    let _ = postcard::to_io(record, out);
}

fn read<'b, T: Deserialize<'b>>(record: &'b [u8]) -> Result<T, StateError> {
    postcard::from_bytes(record).map_err(StateError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_headers_survive() {
        let key = CallKey { tenant_id: "acme".into(), call_uuid: Uuid::from_u128(7) };
        assert_eq!(decode_key(&encode_key(&key)).unwrap(), key);
        assert!(matches!(decode_key(HEADER_KEY), Err(StateError::Key(6))));
        let header =
            Header { sequence: 3, acknowledged: 2, log_clock: -1, newest_log_at: 7, partitions: 3, rules: 300 };
        let encoded = header.encode();
        assert_eq!(Header::decode(&encoded).unwrap(), header);
        let old = [&[HEADER_WITHOUT_RULES], &encoded[1..encoded.len() - 2]].concat();
        assert_eq!(Header::decode(&old).unwrap(), Header { rules: 0, ..header }, "of a version without rules numbers");
        assert!(matches!(Header::decode(&[9, 1]), Err(StateError::Layout(Some(9)))));
    }

    #[test]
    fn records_survive() {
        let record = CallRecord {
            sequence: 300,
            first_seen: 1_728_000_000,
            updated_at: -1,
            next_change_at: Some(7),
            published: vec![Published { device_id: "d".into(), verdict: Verdict::Reported, evidence: None }].into(),
            unchecked_since: Some(5),
            removed: vec!["e".into()].into(),
            call: Some(&[7, 8]),
        };
        let mut encoded = Vec::new();
        record.write(&mut encoded);
        assert_eq!(CallRecord::decode(&encoded).unwrap(), record);
        encoded.pop();
        assert!(matches!(CallRecord::decode(&encoded), Err(StateError::Damaged(_))));
        encoded[0] = CALL_LAYOUT - 1;
        assert!(matches!(CallRecord::decode(&encoded), Err(StateError::Layout(Some(_)))));
    }
}
