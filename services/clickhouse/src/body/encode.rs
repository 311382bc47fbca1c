//! The response body with its encoding.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::GzEncoder;
use lz4_flex::frame::FrameEncoder;

use super::blocks;

/// How a response is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    /// `compress=1`: ClickHouse's own blocks, without a `Content-Encoding`.
    Blocks,
    /// `Content-Encoding: gzip` of this level.
    Gzip(u32),
    /// `Content-Encoding: lz4`, the frame format.
    Lz4,
}

impl Compression {
    /// What the client accepts and this server can do; gzip before lz4, as ClickHouse chooses.
    pub(crate) fn accepted(header: &str, level: u32) -> Self {
        let accepted = |name: &str| {
            let mut names = header.split(',').map(|entry| entry.split(';').next().unwrap_or_default().trim());
            names.any(|entry| entry.eq_ignore_ascii_case(name))
        };
        if accepted("gzip") {
            Self::Gzip(level)
        } else if accepted("lz4") {
            Self::Lz4
        } else {
            Self::None
        }
    }

    pub(crate) fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Blocks => None,
            Self::Gzip(_) => Some("gzip"),
            Self::Lz4 => Some("lz4"),
        }
    }
}

/// Encodes a response piece by piece. What it writes to is memory, so that writing can't fail.
pub(crate) enum Encoder {
    None,
    Blocks,
    Gzip(GzEncoder<Vec<u8>>),
    Lz4(Box<FrameEncoder<Vec<u8>>>),
}

impl Encoder {
    pub(crate) fn new(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Blocks => Self::Blocks,
            Compression::Gzip(level) => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(level))),
            Compression::Lz4 => Self::Lz4(Box::new(FrameEncoder::new(Vec::new()))),
        }
    }

    /// What can be sent after this piece; empty while the encoder holds it back.
    pub(crate) fn push(&mut self, piece: Bytes) -> Bytes {
        match self {
            Self::None => piece,
            Self::Blocks => {
                let mut out = Vec::new();
                blocks::encode(&piece, &mut out);
                out.into()
            }
            Self::Gzip(encoder) => {
                let _memory = encoder.write_all(&piece);
                std::mem::take(encoder.get_mut()).into()
            }
            Self::Lz4(encoder) => {
                let _memory = encoder.write_all(&piece);
                std::mem::take(encoder.get_mut()).into()
            }
        }
    }

    /// What was held back, and the encoding's own end.
    pub(crate) fn finish(self) -> Bytes {
        match self {
            Self::None | Self::Blocks => Bytes::new(),
            Self::Gzip(encoder) => encoder.finish().unwrap_or_default().into(),
            Self::Lz4(encoder) => encoder.finish().unwrap_or_default().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accepted_encoding_is_chosen() {
        assert_eq!(Compression::accepted("lz4", 3), Compression::Lz4);
        assert_eq!(Compression::accepted("zstd, LZ4;q=1, gzip, deflate", 3), Compression::Gzip(3));
        assert_eq!(Compression::accepted("br, identity", 3), Compression::None);
    }
}
