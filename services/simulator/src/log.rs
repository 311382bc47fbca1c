//! The way of records to the log: they wait until their log time comes.

use std::collections::BTreeMap;

/// A record as Kafka would hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its log time, in milliseconds since the Unix epoch.
    pub log_at: i64,
    /// The event's kind, which decides the topic (contract section 1).
    pub kind: &'static str,
    /// `call_uuid` in lower case for `push.*` and `call.*`, `device_id` otherwise; may be empty.
    pub key: &'a str,
    /// One JSON object, without `log_at`.
    pub value: &'a [u8],
}

impl Record<'_> {
    /// Writes the event with its `log_at`, as a line of a file without the line end.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"log_at\":");
        crate::event::write_int(out, self.log_at);
        out.push(b',');
        out.extend_from_slice(self.value.get(1..).unwrap_or_default());
    }
}

/// Milliseconds of log time that lie in one bucket.
const BUCKET_MS: i64 = 1_000;

/// Empty buckets that are kept for later.
const SPARE: usize = 64;

/// The records of a second.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    log_at: i64,
    /// Of records with one log time, the one that was made first comes first.
    place: u32,
    start: u32,
    key: u16,
    len: u32,
    kind: &'static str,
}

impl Bucket {
    /// The records, in order of log time.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.entries.iter().map(|entry| {
            let start = entry.start as usize;
            let value = start + usize::from(entry.key);
            let key = self.bytes.get(start..value).unwrap_or_default();
            Record {
                log_at: entry.log_at,
                kind: entry.kind,
                key: std::str::from_utf8(key).unwrap_or_default(),
                value: self.bytes.get(value..value + entry.len as usize).unwrap_or_default(),
            }
        })
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}

/// Records that are on their way.
#[derive(Debug, Default)]
pub(crate) struct Log {
    buckets: BTreeMap<i64, Bucket>,
    spare: Vec<Bucket>,
}

impl Log {
    /// Adds a record; `write` writes its value.
    pub(crate) fn add(&mut self, log_at: i64, kind: &'static str, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        let bucket =
            self.buckets.entry(log_at.div_euclid(BUCKET_MS)).or_insert_with(|| self.spare.pop().unwrap_or_default());
        let start = bucket.bytes.len();
        bucket.bytes.extend_from_slice(key);
        let value = bucket.bytes.len();
        write(&mut bucket.bytes);
        bucket.entries.push(Entry {
            log_at,
            place: bucket.entries.len() as u32,
            start: start as u32,
            key: key.len() as u16,
            len: (bucket.bytes.len() - value) as u32,
            kind,
        });
    }

    /// Takes what has a log time in the second that starts at `second`, in order.
    pub(crate) fn take(&mut self, second: i64) -> Bucket {
        let mut bucket = self.buckets.remove(&second.div_euclid(BUCKET_MS)).unwrap_or_default();
        bucket.entries.sort_unstable_by_key(|entry| (entry.log_at, entry.place));
        bucket
    }

    /// Gives a bucket back.
    pub(crate) fn recycle(&mut self, mut bucket: Bucket) {
        if self.spare.len() < SPARE {
            bucket.clear();
            self.spare.push(bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Log;

    #[test]
    fn records_come_out_by_log_time_and_then_as_they_were_made() {
        let mut log = Log::default();
        for (log_at, text) in [(1_500, "c"), (1_000, "a"), (2_000, "d"), (1_000, "b")] {
            log.add(log_at, "x", text.as_bytes(), |out| out.extend_from_slice(b"{}"));
        }
        let bucket = log.take(1_000);
        let order: String = bucket.records().map(|record| record.key).collect();
        assert_eq!(order, "abc");
        let mut line = Vec::new();
        bucket.records().next().unwrap().write_line(&mut line);
        assert_eq!(line, b"{\"log_at\":1000,}");
        assert_eq!(log.take(2_000).records().count(), 1);
        assert_eq!(log.take(3_000).records().count(), 0);
    }
}
