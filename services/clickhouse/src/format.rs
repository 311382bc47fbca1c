//! Output formats: which ones can be streamed, and how their pieces are joined.
//!
//! The engine hands out a streamed result as pieces that are each a document of their own. Documents without a frame
//! can be joined as they are; those with a header line when it is dropped from all pieces but the first. JSON, XML,
//! Parquet, Arrow, Pretty… have a frame around the rows: for them the engine makes the whole result first.

use bytes::{Buf as _, Bytes};

/// The format of a result that names none.
pub(crate) const DEFAULT: &str = "TabSeparated";

/// How the pieces of a streamed result become one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joining {
    /// One after the other.
    Plain,
    /// This many lines at the beginning of each piece are a header.
    Lines(usize),
    /// The same in CSV, where a line break in double quotes is part of a name.
    QuotedLines(usize),
    /// A column count and this many strings a column are a header.
    Binary(u64),
}

impl Joining {
    /// `None` for a format that can't be streamed.
    pub(crate) fn of(format: &str) -> Option<Self> {
        let format = format.to_ascii_lowercase();
        let text = ["tabseparated", "tsv", "jsoncompacteachrow", "jsoncompactstringseachrow"];
        match format.as_str() {
            "rowbinary" | "native" | "tskv" | "msgpack" | "bsoneachrow" | "rawblob" | "null" => Some(Self::Plain),
            "jsoneachrow" | "jsonlines" | "jsonl" | "ndjson" | "jsonstringseachrow" => Some(Self::Plain),
            "tabseparatedraw" | "tsvraw" | "raw" | "lineasstring" => Some(Self::Plain),
            "rowbinarywithnames" => Some(Self::Binary(1)),
            "rowbinarywithnamesandtypes" => Some(Self::Binary(2)),
            "csvwithnames" => Some(Self::QuotedLines(1)),
            "csvwithnamesandtypes" => Some(Self::QuotedLines(2)),
            "csv" => Some(Self::Plain),
            _ => text.iter().find_map(|name| match format.strip_prefix(name)? {
                "" => Some(Self::Plain),
                "withnames" => Some(Self::Lines(1)),
                "withnamesandtypes" => Some(Self::Lines(2)),
                _ => None,
            }),
        }
    }
}

/// Words of a statement or names of settings that add a frame, or a part of its own, to the formats above.
pub(crate) const FRAMING: [&str; 3] = ["output_format_json_array_of_rows", "totals", "extremes"];

/// Joins the pieces of one result.
pub(crate) struct Joiner {
    joining: Joining,
    header: Option<Bytes>,
}

impl Joiner {
    pub(crate) fn new(joining: Joining) -> Self {
        Self { joining, header: None }
    }

    /// The piece as it is sent: without its header, unless it is the first one.
    pub(crate) fn push(&mut self, mut piece: Bytes) -> Bytes {
        match &self.header {
            None => {
                let length = header_bytes(self.joining, &piece).unwrap_or(0);
                self.header = Some(piece.slice(..length));
            }
            Some(header) if piece.starts_with(header) => piece.advance(header.len()),
            Some(_) => {}
        }
        piece
    }
}

fn header_bytes(joining: Joining, piece: &[u8]) -> Option<usize> {
    match joining {
        Joining::Plain => Some(0),
        Joining::Lines(lines) => line_header(piece, lines, false),
        Joining::QuotedLines(lines) => line_header(piece, lines, true),
        Joining::Binary(strings) => binary_header(piece, strings),
    }
}

/// The end of so many lines.
fn line_header(piece: &[u8], lines: usize, quotes: bool) -> Option<usize> {
    let mut quoted = false;
    let ends = piece.iter().enumerate().filter(|(_, byte)| {
        quoted ^= quotes && **byte == b'"';
        **byte == b'\n' && !quoted
    });
    ends.map(|(index, _)| index + 1).nth(lines.checked_sub(1)?)
}

fn binary_header(piece: &[u8], strings: u64) -> Option<usize> {
    let mut rest = piece;
    let columns = varint(&mut rest)?;
    for _ in 0..columns.checked_mul(strings)? {
        let length = usize::try_from(varint(&mut rest)?).ok()?;
        rest = rest.get(length..)?;
    }
    Some(piece.len() - rest.len())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(format: &str, pieces: &[&'static [u8]]) -> Vec<u8> {
        let mut joiner = Joiner::new(Joining::of(format).unwrap());
        pieces.iter().flat_map(|piece| joiner.push(Bytes::from_static(piece))).collect()
    }

    #[test]
    fn headers_are_sent_once() {
        assert_eq!(join("TSVWithNames", &[b"a\n1\n", b"a\n2\n", b"\n3\n"]), b"a\n1\n2\n\n3\n");
        assert_eq!(
            join("CSVWithNamesAndTypes", &[b"\"x\ny\"\nInt8\n1\n", b"\"x\ny\"\nInt8\n2\n"]),
            b"\"x\ny\"\nInt8\n1\n2\n"
        );
        let (one, two) = (b"\x01\x01a\x04Int8\x01", b"\x01\x01a\x04Int8\x02");
        assert_eq!(join("RowBinaryWithNamesAndTypes", &[one, two]), b"\x01\x01a\x04Int8\x01\x02");
        assert_eq!(join("Native", &[one, one]), [*one, *one].concat());
    }

    #[test]
    fn framed_formats_are_not_streamed() {
        for format in ["JSON", "JSONCompact", "XML", "Parquet", "Arrow", "ArrowStream", "Pretty", "Values", "CSVx"] {
            assert_eq!(Joining::of(format), None, "{format}");
        }
    }
}
