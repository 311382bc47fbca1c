//! Records on their way to one topic, in one buffer: the next flush fills the same memory again.

/// Keys and values in order; a record without a value is a tombstone.
#[derive(Debug, Default)]
pub(crate) struct Records {
    bytes: Vec<u8>,
    /// Where each key ends, and each value.
    ends: Vec<(usize, Option<usize>)>,
}

impl Records {
    /// Adds a record.
    pub(crate) fn push(&mut self, key: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        key(&mut self.bytes);
        let key_end = self.bytes.len();
        value(&mut self.bytes);
        self.ends.push((key_end, Some(self.bytes.len())));
    }

    /// Adds a record that says that there is nothing under its key any more.
    pub(crate) fn push_tombstone(&mut self, key: impl FnOnce(&mut Vec<u8>)) {
        key(&mut self.bytes);
        self.ends.push((self.bytes.len(), None));
    }

    /// Key and value of each record.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let part = |from: usize, to: usize| self.bytes.get(from..to).unwrap_or_default();
        self.ends.iter().scan(0, move |at, (key_end, value_end)| {
            let start = std::mem::replace(at, value_end.unwrap_or(*key_end));
            Some((part(start, *key_end), value_end.map(|end| part(*key_end, end))))
        })
    }

    /// Empties it; see [`empty`].
    pub(crate) fn clear(&mut self) {
        empty(&mut self.bytes);
        empty(&mut self.ends);
    }
}

/// Empties a buffer that is filled again and again: it keeps four times the memory that it needed, so that a burst's goes.
pub(crate) fn empty<T>(buffer: &mut Vec<T>) {
    let enough = buffer.len().saturating_mul(4);
    buffer.clear();
    buffer.shrink_to(enough);
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
            let all: Vec<_> = records.iter().collect();
            assert_eq!(all, [(&b"a"[..], Some(&b"one"[..])), (b"bc", None), (b"", Some(b""))]);
            records.clear();
        }
        assert_eq!(records.iter().count(), 0);
    }
}
