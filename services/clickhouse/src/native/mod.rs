//! Native results for clients that ask for a protocol version.
//!
//! The engine writes Native blocks of version 0. clickhouse-go, and with it Grafana's plug-in, asks over HTTP for
//! `client_protocol_version` 54460 or so and then expects a block info before each block (any version above 0) and a
//! byte behind each column's type (54454 and above: no custom serialization). To place that byte the columns have to be
//! walked over; nothing in them changes.

mod shape;

use bytes::Bytes;

use crate::Exception;
use crate::exception::Code;
use shape::{Cursor, Shape};

/// Field 1, overflow rows: no. Field 2, bucket number: -1. End.
const BLOCK_INFO: [u8; 8] = [1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0];
const CUSTOM_SERIALIZATION_VERSION: u64 = 54454;

/// Rewrites whole blocks of version 0 for a client of this version.
///
/// # Errors
///
/// A type that can't be walked over, such as `AggregateFunction`, `Variant`, `Dynamic` or `JSON` (48).
pub(crate) fn revise(blocks: &Bytes, version: u64) -> Result<Bytes, Exception> {
    let mut cursor = Cursor::new(blocks);
    let mut out = Vec::with_capacity(blocks.len() + 64);
    while !cursor.is_empty() {
        out.extend_from_slice(&BLOCK_INFO);
        block(&mut cursor, version, &mut out).map_err(|reason| {
            Exception::new(Code::NotImplemented, format!("Native for a protocol version: {reason}"))
        })?;
    }
    Ok(out.into())
}

fn block(cursor: &mut Cursor<'_>, version: u64, out: &mut Vec<u8>) -> Result<(), String> {
    let start = cursor.position();
    let columns = cursor.number()?;
    let rows = cursor.number()?;
    out.extend_from_slice(cursor.since(start));
    for _ in 0..columns {
        let start = cursor.position();
        cursor.text()?;
        let kind = String::from_utf8_lossy(cursor.text()?).into_owned();
        out.extend_from_slice(cursor.since(start));
        if version >= CUSTOM_SERIALIZATION_VERSION {
            out.push(0);
        }
        let start = cursor.position();
        if rows > 0 {
            let shape = Shape::parse(&kind)?;
            shape.skip_prefix(cursor)?;
            shape.skip(cursor, rows)?;
        }
        out.extend_from_slice(cursor.since(start));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_are_placed() {
        let blocks = b"\x02\x02\x01a\x05UInt8\x01\x02\x01s\x06String\x01x\x00";
        let twice = Bytes::from([&blocks[..], blocks].concat());
        let revised = b"\x01\x00\x02\xff\xff\xff\xff\x00\x02\x02\x01a\x05UInt8\x00\x01\x02\x01s\x06String\x00\x01x\x00";
        assert_eq!(revise(&twice, 54460).unwrap(), [&revised[..], revised].concat());
        let info_only = revise(&Bytes::from_static(blocks), 1).unwrap();
        assert_eq!(info_only, [&BLOCK_INFO[..], blocks].concat());
    }

    #[test]
    fn what_cannot_be_walked_over_is_refused() {
        let unknown = Bytes::from_static(b"\x01\x01\x01a\x07Dynamic\x01");
        assert_eq!(revise(&unknown, 54460).unwrap_err().code(), 48);
        let cut = Bytes::from_static(b"\x01\x02\x01a\x05UInt8\x01");
        assert_eq!(revise(&cut, 54460).unwrap_err().code(), 48);
    }
}
