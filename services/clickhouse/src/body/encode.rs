//! The response body with its encoding.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{GzEncoder, ZlibEncoder};
use lz4_flex::frame::FrameEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

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
    /// `Content-Encoding: deflate` of this level: with zlib's header, as HTTP and ClickHouse mean it.
    Deflate(u32),
    /// `Content-Encoding: zstd` of this level.
    Zstd(u32),
}

impl Compression {
    /// What the client accepts and this server can do, in ClickHouse's own order (`chooseHTTPCompressionMethod`). The
    /// level counts where the encoding has one.
    pub(crate) fn accepted(header: &str, level: u32) -> Self {
        let accepted = |name: &str| {
            let mut names = header.split(',').map(|entry| entry.split(';').next().unwrap_or_default().trim());
            names.any(|entry| entry.eq_ignore_ascii_case(name))
        };
        if accepted("zstd") {
            Self::Zstd(level)
        } else if accepted("lz4") {
            Self::Lz4
        } else if accepted("gzip") {
            Self::Gzip(level)
        } else if accepted("deflate") {
            Self::Deflate(level)
        } else {
            Self::None
        }
    }

    pub(crate) fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Blocks => None,
            Self::Gzip(_) => Some("gzip"),
            Self::Lz4 => Some("lz4"),
            Self::Deflate(_) => Some("deflate"),
            Self::Zstd(_) => Some("zstd"),
        }
    }
}

/// Encodes a response piece by piece. What it writes to is memory, so that writing can't fail.
pub(crate) enum Encoder {
    None,
    Blocks,
    Stream(Box<dyn Stream>),
}

/// An encoder that is handed data, and gives what it has encoded so far.
pub(crate) trait Stream: Write + Send {
    /// What is ready.
    fn ready(&mut self) -> &mut Vec<u8>;
    /// What was held back, and the end of the encoding.
    fn end(self: Box<Self>) -> io::Result<Vec<u8>>;
}

macro_rules! streams {
    ($($encoder:ty),*) => {$(
        impl Stream for $encoder {
            fn ready(&mut self) -> &mut Vec<u8> {
                self.get_mut()
            }
            fn end(self: Box<Self>) -> io::Result<Vec<u8>> {
                (*self).finish().map_err(Into::into)
            }
        }
    )*};
}

streams!(GzEncoder<Vec<u8>>, ZlibEncoder<Vec<u8>>, FrameEncoder<Vec<u8>>, ZstdEncoder<'static, Vec<u8>>);

impl Encoder {
    /// # Errors
    ///
    /// There is no memory for an encoder.
    pub(crate) fn new(compression: Compression) -> io::Result<Self> {
        let (out, level) = (Vec::new(), flate2::Compression::new);
        Ok(Self::Stream(match compression {
            Compression::None => return Ok(Self::None),
            Compression::Blocks => return Ok(Self::Blocks),
            Compression::Gzip(asked) => Box::new(GzEncoder::new(out, level(asked))),
            Compression::Deflate(asked) => Box::new(ZlibEncoder::new(out, level(asked))),
            Compression::Lz4 => Box::new(FrameEncoder::new(out)),
            Compression::Zstd(asked) => Box::new(ZstdEncoder::new(out, i32::try_from(asked).unwrap_or(i32::MAX))?),
        }))
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
            Self::Stream(stream) => {
                let _memory = stream.write_all(&piece);
                std::mem::take(stream.ready()).into()
            }
        }
    }

    /// What was held back, and the encoding's own end.
    pub(crate) fn finish(self) -> Bytes {
        match self {
            Self::None | Self::Blocks => Bytes::new(),
            Self::Stream(stream) => stream.end().unwrap_or_default().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accepted_encoding_is_chosen() {
        assert_eq!(Compression::accepted("gzip, LZ4;q=1, deflate, zstd", 3), Compression::Zstd(3));
        assert_eq!(Compression::accepted("gzip, lz4", 3), Compression::Lz4);
        assert_eq!(Compression::accepted("deflate, gzip", 3), Compression::Gzip(3));
        assert_eq!(Compression::accepted("deflate", 3), Compression::Deflate(3));
        assert_eq!(Compression::accepted("br, identity", 3), Compression::None);
    }
}
