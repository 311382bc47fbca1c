//! Bytes that are gathered for a flush, chunk by chunk: what is there already is not copied when more come, and a chunk's memory
//! serves whoever needs one next.

use std::borrow::Cow;

/// Bytes of a chunk.
const CHUNK: usize = 64 << 10;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl Chunks {
    /// Where so many bytes go, all of them into one chunk. It grows where they are more than a chunk holds.
    #[inline]
    pub(crate) fn room(&mut self, bytes: usize) -> &mut Vec<u8> {
        if self.last.len() + bytes > CHUNK {
            self.begin();
        }
        &mut self.last
    }

    #[cold]
    fn begin(&mut self) {
        if !self.last.is_empty() {
            self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(CHUNK)));
        }
    }

    /// The chunks, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.full.iter().chain([&self.last]).map(Vec::as_slice)
    }

    /// All as one.
    pub(crate) fn joined(&self) -> Cow<'_, [u8]> {
        match self.full.is_empty() {
            true => Cow::Borrowed(&self.last),
            false => Cow::Owned(self.parts().collect::<Vec<_>>().concat()),
        }
    }

    /// Bytes that went into one chunk, by the place of the first.
    pub(crate) fn get_mut(&mut self, mut at: usize, bytes: usize) -> Option<&mut [u8]> {
        for chunk in self.full.iter_mut().chain([&mut self.last]) {
            match at.checked_sub(chunk.len()) {
                Some(left) => at = left,
                None => return chunk.get_mut(at..at + bytes),
            }
        }
        None
    }

    /// Empties it. Full chunks are given back, and of the last one is kept what [`empty`] keeps.
    pub(crate) fn clear(&mut self) {
        if self.full.is_empty() {
            empty(&mut self.last);
        } else {
            self.full.clear();
            self.last.clear();
            self.last.shrink_to(CHUNK);
        }
    }
}

impl From<Vec<u8>> for Chunks {
    fn from(bytes: Vec<u8>) -> Self {
        Chunks { full: vec![bytes], last: Vec::new() }
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
    use super::{CHUNK, Chunks};

    #[test]
    fn what_goes_in_together_stays_together_and_everything_comes_out_in_order() {
        let mut chunks = Chunks::default();
        for _ in 0..2 {
            let texts: Vec<Vec<u8>> = (0..200).map(|n| vec![n as u8; 1 + n * 97 % 3000]).collect();
            let large = vec![7; 2 * CHUNK];
            let mut places = Vec::new();
            let mut at = 0;
            for text in texts.iter().chain([&large]).chain(&texts) {
                chunks.room(text.len()).extend(text);
                places.push((at, text));
                at += text.len();
            }
            let all: Vec<u8> = places.iter().flat_map(|(_, text)| text.iter().copied()).collect();
            assert_eq!(chunks.joined().as_ref(), all);
            assert_eq!(chunks.parts().collect::<Vec<_>>().concat(), all);
            assert!(chunks.parts().count() > 5);
            for (at, text) in places {
                assert_eq!(chunks.get_mut(at, text.len()).as_deref(), Some(text.as_slice()));
            }
            assert_eq!(chunks.get_mut(at, 1), None);
            chunks.clear();
            assert_eq!(chunks.joined().as_ref(), b"");
        }
    }
}
