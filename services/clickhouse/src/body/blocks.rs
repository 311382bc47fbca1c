//! ClickHouse's own compressed blocks: `compress=1` and `decompress=1`.
//!
//! A block is a checksum (CityHash128 of version 1.0.2 over what follows), a method byte, the compressed size with
//! these nine bytes, the uncompressed size, both little endian, and the data.

use std::io::Read;

use crate::Exception;
use crate::exception::Code;

const CHECKSUM_BYTES: usize = 16;
const HEADER_BYTES: usize = 9;
const METHOD_NONE: u8 = 0x02;
const METHOD_LZ4: u8 = 0x82;
const METHOD_ZSTD: u8 = 0x90;
/// Uncompressed bytes in a block that is written here.
const BLOCK_BYTES: usize = 1 << 20;
/// The largest block accepted, compressed or not.
const MAX_BLOCK_BYTES: usize = 256 << 20;

/// Appends the data to `out` as LZ4 blocks.
pub(super) fn encode(data: &[u8], out: &mut Vec<u8>) {
    for block in data.chunks(BLOCK_BYTES) {
        let compressed = lz4_flex::block::compress(block);
        let start = out.len();
        out.resize(start + CHECKSUM_BYTES, 0);
        out.push(METHOD_LZ4);
        out.extend(size(compressed.len() + HEADER_BYTES));
        out.extend(size(block.len()));
        out.extend_from_slice(&compressed);
        let checksum = checksum(out.get(start + CHECKSUM_BYTES..).unwrap_or_default());
        if let Some(place) = out.get_mut(start..start + CHECKSUM_BYTES) {
            place.copy_from_slice(&checksum);
        }
    }
}

/// A block has at most 1 MiB, so that its sizes fit.
fn size(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

fn checksum(data: &[u8]) -> [u8; CHECKSUM_BYTES] {
    cityhash_rs::cityhash_102_128(data).rotate_right(64).to_le_bytes()
}

/// Reads the next block; `None` at the end of the body.
pub(super) fn decode(from: &mut impl Read) -> Result<Option<Vec<u8>>, Exception> {
    let mut head = Vec::with_capacity(CHECKSUM_BYTES + HEADER_BYTES);
    read(from, CHECKSUM_BYTES + HEADER_BYTES, &mut head)?;
    if head.is_empty() {
        return Ok(None);
    }
    let (expected, rest) = head.split_first_chunk::<CHECKSUM_BYTES>().ok_or_else(short)?;
    let ([method], rest) = rest.split_first_chunk::<1>().ok_or_else(short)?;
    let (compressed, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let uncompressed = rest.first_chunk::<4>().ok_or_else(short)?;
    let (compressed, uncompressed) = (length(*compressed)?, length(*uncompressed)?);
    let (expected, method) = (*expected, *method);
    let size = compressed.checked_sub(HEADER_BYTES).ok_or_else(|| broken("the compressed size is too small"))?;
    let mut block = head.split_off(CHECKSUM_BYTES);
    read(from, size, &mut block)?;
    if block.len() != compressed {
        return Err(short());
    }
    if checksum(&block) != expected {
        return Err(Exception::new(Code::ChecksumDoesntMatch, "Checksum doesn't match: corrupted data"));
    }
    unpack(method, block, uncompressed).map(Some)
}

fn unpack(method: u8, mut block: Vec<u8>, uncompressed: usize) -> Result<Vec<u8>, Exception> {
    match method {
        METHOD_NONE => Ok(block.split_off(HEADER_BYTES)),
        METHOD_LZ4 => {
            let mut out = vec![0; uncompressed];
            let data = block.get(HEADER_BYTES..).unwrap_or_default();
            let written = lz4_flex::block::decompress_into(data, &mut out).map_err(broken)?;
            if written == uncompressed { Ok(out) } else { Err(broken("the uncompressed size is wrong")) }
        }
        METHOD_ZSTD => {
            let data = block.get(HEADER_BYTES..).unwrap_or_default();
            let out = zstd::bulk::decompress(data, uncompressed).map_err(broken)?;
            if out.len() == uncompressed { Ok(out) } else { Err(broken("the uncompressed size is wrong")) }
        }
        other => {
            let message = format!("Unknown codec family code: {other}; LZ4, ZSTD and NONE are known here");
            Err(Exception::new(Code::UnknownCompressionMethod, message))
        }
    }
}

fn length(bytes: [u8; 4]) -> Result<usize, Exception> {
    let length = usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX);
    if length > MAX_BLOCK_BYTES { Err(broken("a compressed block is larger than 256 MiB")) } else { Ok(length) }
}

fn read(from: &mut impl Read, bytes: usize, into: &mut Vec<u8>) -> Result<(), Exception> {
    let limit = u64::try_from(bytes).unwrap_or(u64::MAX);
    from.take(limit).read_to_end(into).map(|_| ()).map_err(|error| super::decode::failed(&error))
}

fn short() -> Exception {
    Exception::new(Code::CannotReadAllData, "Cannot read all data: a compressed block is cut off")
}

fn broken(reason: impl std::fmt::Display) -> Exception {
    Exception::new(Code::CannotDecompress, format!("Cannot decompress: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back() {
        let data: Vec<u8> = (0..3_000_000_u32).flat_map(|n| (n % 1000).to_le_bytes()).collect();
        let mut encoded = Vec::new();
        encode(&data, &mut encoded);
        let mut from = encoded.as_slice();
        let mut decoded = Vec::new();
        while let Some(block) = decode(&mut from).unwrap() {
            decoded.extend(block);
        }
        assert!(decoded == data && encoded.len() < data.len());
    }

    #[test]
    fn blocks_may_be_zstd_or_plain() {
        let data = b"some data, some data, some data";
        for (method, packed) in [(METHOD_ZSTD, zstd::bulk::compress(data, 1).unwrap()), (METHOD_NONE, data.to_vec())] {
            let mut block = vec![method];
            block.extend(size(packed.len() + HEADER_BYTES));
            block.extend(size(data.len()));
            block.extend_from_slice(&packed);
            let encoded = [&checksum(&block)[..], &block].concat();
            assert_eq!(decode(&mut encoded.as_slice()).unwrap().as_deref(), Some(&data[..]), "{method}");
        }
    }

    #[test]
    fn damage_is_noticed() {
        let mut encoded = Vec::new();
        encode(b"some data", &mut encoded);
        let last = encoded.len() - 1;
        assert_eq!(decode(&mut &encoded[..last]).unwrap_err().code(), 33);
        encoded[last] ^= 1;
        assert_eq!(decode(&mut encoded.as_slice()).unwrap_err().code(), 40);
        encoded[17..21].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(decode(&mut encoded.as_slice()).unwrap_err().code(), 271);
        assert_eq!(decode(&mut [0_u8; 30].as_slice()).unwrap_err().code(), 271);
    }
}
