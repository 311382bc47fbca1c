//! The request body without its encodings.

use std::io::{ErrorKind, Read};

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use lz4_flex::frame::FrameDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::blocks;
use super::incoming::Incoming;
use crate::Exception;
use crate::exception::Code;

/// Decoded bytes in one piece.
const PIECE_BYTES: usize = 256 << 10;

/// `Content-Encoding` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Deflate,
    Lz4,
    Zstd,
}

impl Encoding {
    /// Reads the header's value.
    ///
    /// # Errors
    ///
    /// Code 89 for an encoding that is not known here (ClickHouse knows more: `br`, `xz`, `bz2`, `snappy`).
    pub(crate) fn parse(value: &str) -> Result<Self, Exception> {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "lz4" => Ok(Self::Lz4),
            "zstd" => Ok(Self::Zstd),
            other => {
                let message = format!("Unknown compression method {other:?}; known here: gzip, deflate, lz4, zstd");
                Err(Exception::new(Code::UnknownCompressionMethod, message))
            }
        }
    }
}

/// The decoded body, piece by piece.
pub(crate) enum Body {
    /// Passed on as it came.
    Plain(Incoming),
    /// Decoded by a `Content-Encoding`.
    Decoded(Box<dyn Read>),
    /// `decompress=1`, inside whatever `Content-Encoding` there is.
    Blocks(Box<dyn Read>),
}

impl Body {
    /// # Errors
    ///
    /// There is no memory for a decoder (271).
    pub(crate) fn new(incoming: Incoming, encoding: Encoding, blocks: bool) -> Result<Self, Exception> {
        let decoder: Box<dyn Read> = match encoding {
            Encoding::Identity if !blocks => return Ok(Self::Plain(incoming)),
            Encoding::Identity => Box::new(incoming),
            Encoding::Gzip => Box::new(MultiGzDecoder::new(incoming)),
            Encoding::Deflate => Box::new(ZlibDecoder::new(incoming)),
            Encoding::Lz4 => Box::new(FrameDecoder::new(incoming)),
            Encoding::Zstd => Box::new(ZstdDecoder::new(incoming).map_err(|error| failed(&error))?),
        };
        Ok(if blocks { Self::Blocks(decoder) } else { Self::Decoded(decoder) })
    }

    /// The next piece, never empty; `None` at the end.
    ///
    /// # Errors
    ///
    /// The client broke off (210), or the encoding is damaged (33, 40, 89, 271).
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Exception> {
        match self {
            Self::Plain(incoming) => incoming.next().map_err(|error| failed(&error)),
            Self::Decoded(decoder) => {
                let mut piece = Vec::with_capacity(PIECE_BYTES);
                let limit = u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX);
                decoder.take(limit).read_to_end(&mut piece).map_err(|error| failed(&error))?;
                Ok((!piece.is_empty()).then(|| piece.into()))
            }
            Self::Blocks(decoder) => loop {
                match blocks::decode(decoder)? {
                    Some(block) if block.is_empty() => {}
                    block => return Ok(block.map(Bytes::from)),
                }
            },
        }
    }
}

pub(super) fn failed(error: &std::io::Error) -> Exception {
    match error.kind() {
        ErrorKind::ConnectionAborted => {
            Exception::new(Code::NetworkError, "The client closed the connection before the end of its data")
        }
        ErrorKind::UnexpectedEof => Exception::new(Code::CannotReadAllData, format!("Cannot read all data: {error}")),
        _ => Exception::new(Code::CannotDecompress, format!("Cannot decompress: {error}")),
    }
}
