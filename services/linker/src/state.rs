//! What the state changelog holds: a record per open call, and a header per slot.

use compact_str::CompactString;
use ringtrace_model::{Call, CallKey, Evidence, Uuid, Verdict};
use serde::{Deserialize, Serialize};

/// Key of a slot's header; no call has it, since the key of a call is at least 17 bytes.
pub(crate) const HEADER_KEY: &[u8] = b"header";

/// Largest encoded call that goes into the changelog, in bytes; a larger one is paged in from the history instead.
pub(crate) const MAX_STATE_BYTES: usize = 512 * 1024;

/// First byte of a state record. Raised whenever its layout changes.
const LAYOUT: u8 = 2;

/// The layout before: a call's record has the day of `first_seen`, and an option that was always absent.
const DAY_LAYOUT: u8 = 1;

/// Seconds in a day.
const DAY_S: u32 = 86_400;

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
    match bytes.split_first() {
        Some((&DAY_LAYOUT, header)) => read(&[header, &[0]].concat()),
        _ => decode(bytes),
    }
}

/// Reads the record of an open call.
pub(crate) fn decode_record(bytes: &[u8]) -> Result<CallRecord, StateError> {
    match bytes.split_first() {
        Some((&DAY_LAYOUT, record)) => read::<DayRecord>(record).map(CallRecord::from),
        _ => decode(bytes),
    }
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
    /// Log time at which the call was first seen, cut to ten minutes, in seconds since the Unix epoch.
    pub(crate) first_seen: u32,
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

/// A record of [`DAY_LAYOUT`].
#[derive(Deserialize)]
struct DayRecord {
    sequence: u64,
    day: u16,
    _wrong_day: Option<u16>,
    updated_at: i64,
    published: Vec<Published>,
    unchecked_since: Option<i64>,
    removed: Vec<CompactString>,
    #[serde(with = "serde_bytes")]
    call: Option<Vec<u8>>,
}

impl From<DayRecord> for CallRecord {
    /// The migration has put the rows of a day's calls under its midnight.
    fn from(old: DayRecord) -> Self {
        CallRecord {
            sequence: old.sequence,
            first_seen: u32::from(old.day) * DAY_S,
            updated_at: old.updated_at,
            published: old.published,
            unchecked_since: old.unchecked_since,
            removed: old.removed,
            call: old.call,
        }
    }
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

pub(crate) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    let mut out = Vec::new();
    write(record, &mut out);
    out
}

/// As [`encode`], to the end of `out`.
pub(crate) fn write<T: Serialize>(record: &T, out: &mut Vec<u8>) {
    out.push(LAYOUT);
    // Encoding plain data into a vector can't fail; half a record would be refused on the way back.
    let _ = postcard::to_io(record, out);
}

pub(crate) fn decode<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, StateError> {
    match bytes.split_first() {
        Some((&LAYOUT, record)) => read(record),
        other => Err(StateError::Layout(other.map(|(layout, _)| *layout))),
    }
}

fn read<'b, T: Deserialize<'b>>(record: &'b [u8]) -> Result<T, StateError> {
    postcard::from_bytes(record).map_err(StateError::Damaged)
}

/// The encoded call in memory that was used before, unless it is too large for the changelog.
pub(crate) fn encode_call(call: &Call, mut used: Vec<u8>) -> Option<Vec<u8>> {
    used.clear();
    let bytes = call.encode(used);
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
        let before = [&[DAY_LAYOUT], &encoded[1..]].concat();
        assert_eq!(decode_header(&before).unwrap(), header, "of the layout before");
        let old = &before[..before.len() - 2];
        assert_eq!(decode_header(old).unwrap(), Header { rules: 0, ..header }, "of a version without rules numbers");
        assert!(matches!(decode_key(HEADER_KEY), Err(StateError::Key(6))));
        assert!(matches!(decode::<Header>(&[9, 1]), Err(StateError::Layout(Some(9)))));
    }

    #[test]
    fn a_record_of_the_layout_before_is_of_its_days_midnight() {
        // Sequence 300, day 20,000, no other day, updated at -1, one leg published, checked, nothing removed, a call of two bytes.
        let old = [1, 0xac, 2, 0xa0, 0x9c, 1, 0, 1, 1, 1, b'd', 5, 0, 0, 0, 1, 2, 7, 8];
        let record = decode_record(&old).unwrap();
        assert_eq!((record.sequence, record.first_seen, record.updated_at), (300, 1_728_000_000, -1));
        assert_eq!((record.published.len(), record.call.as_deref()), (1, Some(&[7, 8][..])));
        assert_eq!(decode_record(&encode(&record)).unwrap(), record, "and survives in this one");
    }
}
