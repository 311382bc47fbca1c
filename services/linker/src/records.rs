//! Records on their way to one topic.

use crate::chunks::{Chunks, empty};

/// Room that is looked for before a record is written, in bytes: most are smaller.
const USUAL_BYTES: usize = 4 << 10;

/// Keys and values in order; a record without a value is a tombstone.
#[derive(Debug, Default)]
pub(crate) struct Records {
    bytes: Chunks,
    /// Of each key how long it is, and of each value.
    lengths: Vec<(usize, Option<usize>)>,
}

impl Records {
    /// Adds a record.
    pub(crate) fn push(&mut self, key: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        let out = self.bytes.room(USUAL_BYTES);
        let start = out.len();
        key(out);
        let key_end = out.len();
        value(out);
        self.lengths.push((key_end - start, Some(out.len() - key_end)));
    }

    /// Adds a record that says that there is nothing under its key any more.
    pub(crate) fn push_tombstone(&mut self, key: impl FnOnce(&mut Vec<u8>)) {
        let out = self.bytes.room(USUAL_BYTES);
        let start = out.len();
        key(out);
        self.lengths.push((out.len() - start, None));
    }

    /// Key and value of each record.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut parts = self.bytes.parts();
        let mut left: &[u8] = &[];
        self.lengths.iter().map(move |(key, value)| {
            if left.is_empty() {
                left = parts.next().unwrap_or_default();
            }
            let mut take = |length| left.split_off(..length).unwrap_or_default();
            (take(*key), value.map(take))
        })
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        empty(&mut self.lengths);
    }
}

#[cfg(test)]
mod tests {
    use super::Records;

    #[test]
    fn records_come_back_as_they_were_put() {
        let mut records = Records::default();
        for _ in 0..2 {
            records.push(|key| key.extend(b"a"), |value| value.extend(b"one"));
            records.push_tombstone(|key| key.extend(b"bc"));
            records.push(|_| {}, |_| {});
            let large = vec![b'x'; 3 << 20];
            records.push(|key| key.extend(b"large"), |value| value.extend(&large));
            (0..10_000)
                .for_each(|n: u32| records.push(|key| key.extend(n.to_le_bytes()), |value| value.extend([7; 20])));
            let mut all = records.iter();
            assert_eq!(all.next(), Some((&b"a"[..], Some(&b"one"[..]))));
            assert_eq!(all.next(), Some((&b"bc"[..], None)));
            assert_eq!(all.next(), Some((&b""[..], Some(&b""[..]))));
            assert_eq!(all.next(), Some((&b"large"[..], Some(large.as_slice()))));
            assert!((0..10_000).all(|n: u32| all.next() == Some((&n.to_le_bytes()[..], Some(&[7; 20][..])))));
            assert_eq!(all.next(), None);
            drop(all);
            records.clear();
        }
        assert_eq!(records.iter().count(), 0);
    }
}
