//! What the state changelog holds: a record per open call, and a header per slot.

use compact_str::CompactString;
use ringtrace_model::{Call, CallKey, Evidence, Uuid, Verdict};
use serde::{Deserialize, Serialize};

/// Key of a slot's header; no call has it, since the key of a call is at least 17 bytes.
pub(crate) const HEADER_KEY: &[u8] = b"header";

/// Largest encoded call that goes into the changelog, in bytes; a larger one is paged in from the history instead.
pub(crate) const MAX_STATE_BYTES: usize = 512 * 1024;

/// First byte of a state record. Raised whenever its layout changes.
const LAYOUT: u8 = 1;

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

/// Reads a header. One that was written before there were rules numbers ends before its last field.
pub(crate) fn decode_header(bytes: &[u8]) -> Result<Header, StateError> {
    decode(&[bytes, &[0]].concat())
}

/// The last verdict that was published for a leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) device_id: CompactString,
    pub(crate) verdict: Verdict,
    pub(crate) evidence: Option<Evidence>,
}

/// An open call, as of one transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CallRecord {
    /// Flush sequence that wrote it.
    pub(crate) sequence: u64,
    /// Day on which the call was first seen, in days since the Unix epoch.
    pub(crate) day: u16,
    /// Always absent. It stands here for the layout, which running linkers read.
    pub(crate) wrong_day: Option<u16>,
    /// Log time of the last change, in milliseconds since the Unix epoch.
    pub(crate) updated_at: i64,
    pub(crate) published: Vec<Published>,
    /// The call was taken for new at this log time, in milliseconds since the Unix epoch, and is yet to be checked.
    pub(crate) unchecked_since: Option<i64>,
    /// Legs that this flush wrote as deleted.
    pub(crate) removed: Vec<CompactString>,
    /// The encoded call; `None` where it is too large, and has to be paged in from the history.
    #[serde(with = "serde_bytes")]
    pub(crate) call: Option<Vec<u8>>,
}

/// A record of the changelog that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Written by a version with another layout.
    #[error("state record has layout {0:?}, this version reads {LAYOUT}")]
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
    out.extend_from_slice(key.call_uuid.as_bytes());
    out.extend_from_slice(key.tenant_id.as_bytes());
    out
}

pub(crate) fn decode_key(bytes: &[u8]) -> Result<CallKey, StateError> {
    let (uuid, tenant) = bytes.split_at_checked(16).ok_or(StateError::Key(bytes.len()))?;
    let call_uuid = Uuid::from_slice(uuid).map_err(|_| StateError::Key(bytes.len()))?;
    let tenant_id = CompactString::from_utf8(tenant).map_err(|_| StateError::Key(bytes.len()))?;
    Ok(CallKey { tenant_id, call_uuid })
}

pub(crate) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    // Encoding plain data into a vector can't fail; an empty record would be refused on the way back.
    postcard::to_extend(record, vec![LAYOUT]).unwrap_or_default()
}

pub(crate) fn decode<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, StateError> {
    match bytes.split_first() {
        Some((&LAYOUT, record)) => postcard::from_bytes(record).map_err(StateError::Damaged),
        other => Err(StateError::Layout(other.map(|(layout, _)| *layout))),
    }
}

/// The encoded call, unless it is too large for the changelog.
pub(crate) fn encode_call(call: &Call) -> Option<Vec<u8>> {
    let bytes = call.encode(Vec::with_capacity(256));
    (bytes.len() <= MAX_STATE_BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_records_survive() {
        let key = CallKey { tenant_id: "acme".into(), call_uuid: Uuid::from_u128(7) };
        assert_eq!(decode_key(&encode_key(&key)).unwrap(), key);
        let header =
            Header { sequence: 3, acknowledged: 2, log_clock: -1, newest_log_at: 7, partitions: 3, rules: 300 };
        let encoded = encode(&header);
        assert_eq!(decode_header(&encoded).unwrap(), header);
        let old = &encoded[..encoded.len() - 2];
        assert_eq!(decode_header(old).unwrap(), Header { rules: 0, ..header }, "of a version without rules numbers");
        assert!(matches!(decode_key(HEADER_KEY), Err(StateError::Key(6))));
        assert!(matches!(decode::<Header>(&[9, 1]), Err(StateError::Layout(Some(9)))));
    }
}
