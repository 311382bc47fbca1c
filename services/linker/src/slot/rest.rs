//! Calls at rest: records that are squeezed by what the records of a slot have in common.

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};

/// How much of the first records is the dictionary, in bytes: names of apps, carriers and devices come again and again, and
/// each use of a dictionary reads all of it.
const DICTIONARY_BYTES: usize = 2 << 10;

/// The beginning of what a slot has seen, which later records are squeezed by. Once full, it stays as it is.
#[derive(Default)]
pub(super) struct Dictionary(Vec<u8>);

impl Dictionary {
    /// Squeezes a record, which takes about a microsecond. `None` until the dictionary is full.
    pub(super) fn squeeze(&mut self, record: &[u8]) -> Option<Box<[u8]>> {
        if self.0.len() < DICTIONARY_BYTES {
            self.0.extend_from_slice(record);
            return None;
        }
        let mut squeezed = compress_prepend_size_with_dict(record, &self.0);
        squeezed.shrink_to_fit();
        Some(squeezed.into())
    }

    /// The record again.
    ///
    /// # Errors
    /// It was not squeezed by this dictionary.
    pub(super) fn unsqueeze(&self, squeezed: &[u8]) -> Option<Vec<u8>> {
        decompress_size_prepended_with_dict(squeezed, &self.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{DICTIONARY_BYTES, Dictionary};

    #[test]
    fn records_like_the_first_ones_take_little_and_come_back() {
        let mut dictionary = Dictionary::default();
        let record =
            |nth: usize| format!("iphone-{nth:08} com.example.talk 26.5 5.2.1 iPhone17,3 DE Telekom.de wifi app_store");
        let first = (0..1_000).find(|nth| dictionary.squeeze(record(*nth).as_bytes()).is_some()).unwrap();
        assert_eq!(first, DICTIONARY_BYTES.div_ceil(record(0).len()));
        for nth in [first, 1_000_000] {
            let squeezed = dictionary.squeeze(record(nth).as_bytes()).unwrap();
            assert!(squeezed.len() < record(nth).len() / 2, "{} bytes", squeezed.len());
            assert_eq!(dictionary.unsqueeze(&squeezed).unwrap(), record(nth).as_bytes());
        }
        let odd = [7, 1, 255, 3].repeat(3);
        let squeezed = dictionary.squeeze(&odd).unwrap();
        assert_eq!(dictionary.unsqueeze(&squeezed).unwrap(), odd);
    }
}
