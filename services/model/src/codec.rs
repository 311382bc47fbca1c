//! The encoded fold state of a call, as it stands in the state changelog.

use crate::call::Call;

/// First byte of an encoded state. Raised whenever the layout changes.
const LAYOUT: u8 = 3;

/// An encoded state that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a version with another layout.
    #[error("state has layout {0:?}, this version reads {LAYOUT}")]
    Layout(Option<u8>),
    /// Damaged, or cut short.
    #[error("state is damaged")]
    Damaged(#[source] postcard::Error),
}

impl Call {
    /// Encodes the state, appending to `out`.
    pub fn encode(&self, out: Vec<u8>) -> Vec<u8> {
        let mut out = out;
        out.push(LAYOUT);
        // Encoding plain data into a vector can't fail; an empty result would be refused by `decode`.
        postcard::to_extend(self, out).unwrap_or_default()
    }

    /// Reads what [`Call::encode`] wrote.
    ///
    /// # Errors
    /// Another layout, or damage.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((&LAYOUT, state)) => postcard::from_bytes(state).map_err(DecodeError::Damaged),
            other => Err(DecodeError::Layout(other.map(|(layout, _)| *layout))),
        }
    }
}
