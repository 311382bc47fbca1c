//! Rows as ClickHouse would read them from a block in its Native format.

use std::rc::Rc;

use compact_str::CompactString;
use ringtrace_model::Uuid;

use crate::native::{Block, encode};

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Cell {
    Null,
    Text(CompactString),
    Texts(Vec<CompactString>),
    Number(i128),
    Uuid(Uuid),
}

impl Cell {
    pub(super) fn text(&self) -> &str {
        let Cell::Text(text) = self else { panic!("{self:?} is no text") };
        text
    }

    pub(super) fn optional_text(&self) -> Option<&str> {
        if *self == Cell::Null { None } else { Some(self.text()) }
    }

    pub(super) fn number(&self) -> i64 {
        let Cell::Number(number) = self else { panic!("{self:?} is no number") };
        *number as i64
    }

    pub(super) fn optional_number(&self) -> Option<i64> {
        if *self == Cell::Null { None } else { Some(self.number()) }
    }

    pub(super) fn uuid(&self) -> Uuid {
        let Cell::Uuid(uuid) = self else { panic!("{self:?} is no UUID") };
        *uuid
    }
}

/// A row: its values in the order of the table's columns.
pub(super) type Row = Rc<[Cell]>;

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, bytes: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at(bytes);
        self.0 = rest;
        taken
    }

    fn length(&mut self) -> usize {
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = self.take(1)[0];
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return length;
            }
        }
    }

    fn text(&mut self) -> &'b str {
        let length = self.length();
        std::str::from_utf8(self.take(length)).unwrap()
    }

    fn number(&mut self, bytes: usize) -> u64 {
        let mut whole = [0; 8];
        whole[..bytes].copy_from_slice(self.take(bytes));
        u64::from_le_bytes(whole)
    }

    fn cell(&mut self, kind: &str) -> Cell {
        match kind {
            "String" => Cell::Text(self.text().into()),
            "UUID" => Cell::Uuid(Uuid::from_u64_pair(self.number(8), self.number(8))),
            "Int64" => Cell::Number(i128::from(self.number(8) as i64)),
            "UInt64" => Cell::Number(i128::from(self.number(8))),
            "UInt32" | "DateTime('UTC')" => Cell::Number(i128::from(self.number(4))),
            "UInt16" => Cell::Number(i128::from(self.number(2))),
            "UInt8" => Cell::Number(i128::from(self.number(1))),
            time if time.starts_with("DateTime64") => Cell::Number(i128::from(self.number(8) as i64)),
            other => panic!("unknown type {other}"),
        }
    }

    fn column(&mut self, kind: &str, rows: usize) -> Vec<Cell> {
        if let Some(inner) = kind.strip_prefix("Nullable(").and_then(|rest| rest.strip_suffix(')')) {
            let nulls = self.take(rows);
            let filled = (0..rows).map(|_| self.cell(inner)).collect::<Vec<_>>();
            return filled
                .into_iter()
                .zip(nulls)
                .map(|(cell, null)| if *null == 1 { Cell::Null } else { cell })
                .collect();
        }
        if kind == "Array(String)" {
            let ends: Vec<u64> = (0..rows).map(|_| self.number(8)).collect();
            let mut from = 0;
            return ends
                .into_iter()
                .map(|end| {
                    let texts = (from..end).map(|_| self.text().into()).collect();
                    from = end;
                    Cell::Texts(texts)
                })
                .collect();
        }
        (0..rows).map(|_| self.cell(kind)).collect()
    }
}

/// The rows of blocks of one table.
pub(super) fn rows_of(blocks: &[&Block]) -> Vec<Row> {
    let bytes: Vec<u8> = encode(blocks).flatten().collect();
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut reader = Reader(&bytes);
    let (columns, rows) = (reader.length(), reader.length());
    let mut read: Vec<std::vec::IntoIter<Cell>> = Vec::with_capacity(columns);
    for _ in 0..columns {
        let _name = reader.text();
        let kind = reader.text();
        read.push(reader.column(kind, rows).into_iter());
    }
    assert!(reader.0.is_empty(), "a block ends with its last column");
    (0..rows).map(|_| read.iter_mut().map(|column| column.next().unwrap()).collect()).collect()
}
