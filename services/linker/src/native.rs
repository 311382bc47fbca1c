//! A batch of rows as one block of ClickHouse's Native format, the cheapest one for the server to take in.
//!
//! Columns are sent with plain types; the server casts them to the table's (`LowCardinality`, `DateTime64`, ...).

use std::borrow::Cow;

use bytes::Bytes;
use ringtrace_model::Uuid;

use crate::chunks::{Chunks, empty};

/// The type of a column on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Text,
    OptionalText,
    Texts,
    Uuid,
    OptionalUuid,
    /// Milliseconds since the Unix epoch.
    Time,
    /// Milliseconds since the Unix epoch.
    OptionalTime,
    Int,
    OptionalInt,
    U64,
    U32,
    U16,
    U8,
    /// Seconds since the Unix epoch.
    Seconds,
}

impl ColumnType {
    const fn name(self) -> &'static str {
        match self {
            ColumnType::Text => "String",
            ColumnType::OptionalText => "Nullable(String)",
            ColumnType::Texts => "Array(String)",
            ColumnType::Uuid => "UUID",
            ColumnType::OptionalUuid => "Nullable(UUID)",
            ColumnType::Time => "DateTime64(3, 'UTC')",
            ColumnType::OptionalTime => "Nullable(DateTime64(3, 'UTC'))",
            ColumnType::Int => "Int64",
            ColumnType::OptionalInt => "Nullable(Int64)",
            ColumnType::U64 => "UInt64",
            ColumnType::U32 => "UInt32",
            ColumnType::U16 => "UInt16",
            ColumnType::U8 => "UInt8",
            ColumnType::Seconds => "DateTime('UTC')",
        }
    }
}

/// A table that the linker writes: its name without the database, and its columns in the order in which rows fill them.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, ColumnType)],
}

impl Table {
    /// The statement that a block of this table follows.
    pub(crate) fn insert_statement(&self, database: &str) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        format!("INSERT INTO {database}.{} ({}) FORMAT Native", self.name, names.join(", "))
    }
}

/// Rows of one table, column by column.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) table: &'static Table,
    columns: Vec<Column>,
    rows: usize,
}

#[derive(Debug, Default)]
struct Column {
    data: Chunks,
    /// One byte a row for nullable columns.
    nulls: Vec<u8>,
    /// End offsets for arrays.
    ends: Vec<u64>,
}

impl Block {
    pub(crate) fn new(table: &'static Table) -> Self {
        let columns = table.columns.iter().map(|_| Column::default()).collect();
        Block { table, columns, rows: 0 }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Starts a row; every column of the table must be filled, in order.
    pub(crate) fn row(&mut self) -> Row<'_> {
        self.rows += 1;
        Row { columns: self.columns.iter_mut(), types: self.table.columns.iter() }
    }

    /// Overwrites a time that was not known when its row was written.
    pub(crate) fn set_seconds(&mut self, column: usize, row: usize, seconds: u32) {
        debug_assert_eq!(self.table.columns.get(column).map(|(_, kind)| *kind), Some(ColumnType::Seconds));
        let place = self.columns.get_mut(column).and_then(|column| column.data.get_mut(row * 4, 4));
        if let Some(place) = place {
            place.copy_from_slice(&seconds.to_le_bytes());
        }
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        for column in &mut self.columns {
            column.data.clear();
            empty(&mut column.nulls);
            empty(&mut column.ends);
        }
    }

    /// Whether the rows name the records that they come from.
    pub(crate) fn has_sources(&self) -> bool {
        self.source_column().is_some()
    }

    /// `source` of a row.
    pub(crate) fn source_of(&self, row: usize) -> Option<String> {
        let (column, kind) = self.source_column()?;
        let data = column.data.joined();
        let text = data.get(column.offset(&data, kind, row)..column.offset(&data, kind, row + 1))?;
        let start = text.iter().position(|byte| byte & 0x80 == 0)? + 1;
        String::from_utf8(text.get(start..)?.to_vec()).ok()
    }

    fn source_column(&self) -> Option<(&Column, ColumnType)> {
        let place = self.table.columns.iter().position(|(name, _)| *name == "source")?;
        Some((self.columns.get(place)?, ColumnType::Text))
    }

    /// The rows from `from` to before `to`, as a block of their own.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Block {
        let pairs = self.columns.iter().zip(self.table.columns);
        let columns = pairs.map(|(column, (_, kind))| column.slice(*kind, from, to)).collect();
        Block { table: self.table, columns, rows: to - from }
    }
}

/// How much of a batch is encoded at a time, in bytes: a piece is sent from the processor's cache, and its memory is that of the
/// one before.
const PIECE: usize = 256 << 10;

/// Blocks of one table, as one, in Native format, piece by piece; nothing for no rows.
pub(crate) fn encode<'b>(blocks: &'b [&'b Block]) -> impl Iterator<Item = Bytes> + 'b {
    let rows = rows_in(blocks);
    let table = blocks.first().map(|block| block.table).filter(|_| rows > 0);
    debug_assert!(blocks.iter().all(|block| table.is_none_or(|table| std::ptr::eq(block.table, table))));
    let columns = table.map_or(&[][..], |table| table.columns);
    let mut head = Vec::new();
    if table.is_some() {
        put_length(&mut head, columns.len());
        put_length(&mut head, rows);
    }
    let of_column = |(place, (name, kind)): (usize, &(&str, ColumnType))| {
        let mut head = Vec::new();
        for text in [name, kind.name()] {
            put_length(&mut head, text.len());
            head.extend_from_slice(text.as_bytes());
        }
        std::iter::once(Cow::Owned(head)).chain(contents(blocks, place))
    };
    let mut parts = std::iter::once(Cow::Owned(head)).chain(columns.iter().enumerate().flat_map(of_column));
    let (mut part, mut at): (Cow<[u8]>, _) = (Cow::default(), 0);
    std::iter::from_fn(move || {
        let mut piece = Vec::with_capacity(PIECE);
        while piece.len() < PIECE {
            let left = part.get(at..).unwrap_or_default();
            let taken = left.len().min(PIECE - piece.len());
            piece.extend_from_slice(left.get(..taken).unwrap_or_default());
            at += taken;
            if at == part.len() {
                let Some(next) = parts.next() else { break };
                (part, at) = (next, 0);
            }
        }
        (!piece.is_empty()).then(|| Bytes::from(piece))
    })
}

/// A column of several blocks, as one.
fn contents<'b>(blocks: &'b [&'b Block], place: usize) -> impl Iterator<Item = Cow<'b, [u8]>> {
    let columns = move || blocks.iter().filter_map(move |block| block.columns.get(place));
    let ends = columns().scan(0, |base, column| {
        let before = *base;
        *base += column.ends.last().copied().unwrap_or(0);
        Some(Cow::Owned(column.ends.iter().flat_map(|end| (before + end).to_le_bytes()).collect()))
    });
    let nulls = columns().map(|column| Cow::Borrowed(column.nulls.as_slice()));
    nulls.chain(ends).chain(columns().flat_map(|column| column.data.parts()).map(Cow::Borrowed))
}

/// Rows of several blocks.
pub(crate) fn rows_in(blocks: &[&Block]) -> usize {
    blocks.iter().map(|block| block.rows).sum()
}

impl Column {
    /// Where a row begins in the column's data.
    fn offset(&self, data: &[u8], kind: ColumnType, row: usize) -> usize {
        match kind {
            ColumnType::Text | ColumnType::OptionalText => text_offset(data, row),
            ColumnType::Texts => text_offset(data, self.array_start(row) as usize),
            ColumnType::Uuid | ColumnType::OptionalUuid => row * 16,
            ColumnType::U32 | ColumnType::Seconds => row * 4,
            ColumnType::U16 => row * 2,
            ColumnType::U8 => row,
            _ => row * 8,
        }
    }

    /// Elements of all arrays before a row.
    fn array_start(&self, row: usize) -> u64 {
        row.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0)
    }

    fn slice(&self, kind: ColumnType, from: usize, to: usize) -> Column {
        let part = |bytes: &[u8], from: usize, to: usize| bytes.get(from..to).unwrap_or_default().to_vec();
        let (before, data) = (self.array_start(from), self.data.joined());
        Column {
            data: part(&data, self.offset(&data, kind, from), self.offset(&data, kind, to)).into(),
            nulls: part(&self.nulls, from, to),
            ends: self.ends.get(from..to).unwrap_or_default().iter().map(|end| end - before).collect(),
        }
    }
}

/// Where a text begins, counted from the first.
fn text_offset(data: &[u8], texts: usize) -> usize {
    (0..texts).fold(0, |mut at, _| {
        let (mut length, mut shift) = (0, 0);
        while let Some(byte) = data.get(at) {
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        at + length
    })
}

/// A row that is being filled, column by column.
pub(crate) struct Row<'b> {
    columns: std::slice::IterMut<'b, Column>,
    types: std::slice::Iter<'static, (&'static str, ColumnType)>,
}

impl Row<'_> {
    fn put(&mut self, kind: ColumnType, fill: impl FnOnce(&mut Column)) -> &mut Self {
        let declared = self.types.next().map(|(_, kind)| *kind);
        debug_assert_eq!(declared, Some(kind), "columns are filled in the table's order");
        if let Some(column) = self.columns.next() {
            fill(column);
        }
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.put(ColumnType::Text, |column| put_text(&mut column.data, text))
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        self.put(ColumnType::OptionalText, |column| {
            column.nulls.push(u8::from(text.is_none()));
            put_text(&mut column.data, text.unwrap_or_default());
        })
    }

    pub(crate) fn texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> &mut Self {
        self.put(ColumnType::Texts, |column| {
            let mut end = column.ends.last().copied().unwrap_or(0);
            for text in texts {
                put_text(&mut column.data, text);
                end += 1;
            }
            column.ends.push(end);
        })
    }

    pub(crate) fn uuid(&mut self, uuid: Uuid) -> &mut Self {
        self.put(ColumnType::Uuid, |column| put_uuid(&mut column.data, uuid))
    }

    pub(crate) fn optional_uuid(&mut self, uuid: Option<Uuid>) -> &mut Self {
        self.put(ColumnType::OptionalUuid, |column| {
            column.nulls.push(u8::from(uuid.is_none()));
            put_uuid(&mut column.data, uuid.unwrap_or_default());
        })
    }

    pub(crate) fn time(&mut self, ms: i64) -> &mut Self {
        self.put(ColumnType::Time, |column| put(&mut column.data, &ms.to_le_bytes()))
    }

    pub(crate) fn optional_time(&mut self, ms: Option<i64>) -> &mut Self {
        self.put(ColumnType::OptionalTime, |column| put_optional(column, ms))
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.put(ColumnType::Int, |column| put(&mut column.data, &value.to_le_bytes()))
    }

    pub(crate) fn optional_int(&mut self, value: Option<i64>) -> &mut Self {
        self.put(ColumnType::OptionalInt, |column| put_optional(column, value))
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.put(ColumnType::U64, |column| put(&mut column.data, &value.to_le_bytes()))
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.put(ColumnType::U32, |column| put(&mut column.data, &value.to_le_bytes()))
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.put(ColumnType::U16, |column| put(&mut column.data, &value.to_le_bytes()))
    }

    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.put(ColumnType::U8, |column| put(&mut column.data, &[value]))
    }

    pub(crate) fn seconds(&mut self, seconds: u32) -> &mut Self {
        self.put(ColumnType::Seconds, |column| put(&mut column.data, &seconds.to_le_bytes()))
    }

    /// Ends the row: all columns are filled.
    pub(crate) fn end(&mut self) {
        debug_assert!(self.types.next().is_none(), "every column of the table is filled");
    }
}

fn put_optional(column: &mut Column, value: Option<i64>) {
    column.nulls.push(u8::from(value.is_none()));
    put(&mut column.data, &value.unwrap_or_default().to_le_bytes());
}

fn put_uuid(out: &mut Chunks, uuid: Uuid) {
    let (high, low) = uuid.as_u64_pair();
    let out = out.room(16);
    out.extend_from_slice(&high.to_le_bytes());
    out.extend_from_slice(&low.to_le_bytes());
}

fn put(out: &mut Chunks, value: &[u8]) {
    out.room(value.len()).extend_from_slice(value);
}

fn put_text(out: &mut Chunks, text: &str) {
    let out = out.room(LENGTH_BYTES + text.len());
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Bytes that a length takes at most.
const LENGTH_BYTES: usize = 10;

/// LEB128, as ClickHouse writes lengths.
fn put_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

#[cfg(test)]
mod tests {
    use super::{Block, ColumnType, Table};
    use ringtrace_model::Uuid;

    static TABLE: Table = Table {
        name: "rows",
        columns: &[
            ("id", ColumnType::Uuid),
            ("note", ColumnType::OptionalText),
            ("tags", ColumnType::Texts),
            ("at", ColumnType::OptionalTime),
            ("seen", ColumnType::Seconds),
            ("source", ColumnType::Text),
        ],
    };

    fn encode(blocks: &[&Block]) -> Vec<u8> {
        super::encode(blocks).flatten().collect()
    }

    fn block(rows: std::ops::Range<usize>) -> Block {
        let mut block = Block::new(&TABLE);
        for row in rows {
            let long = "x".repeat(row * 100);
            let tags: Vec<String> = (0..row % 3).map(|tag| format!("tag {tag} of {row}")).collect();
            block
                .row()
                .uuid(Uuid::from_u128(row as u128))
                .optional_text((row % 2 == 0).then_some(long.as_str()))
                .texts(tags.iter().map(String::as_str))
                .optional_time((row % 3 == 0).then_some(row as i64))
                .seconds(row as u32)
                .text(&format!("push-events/0/{row}"))
                .end();
        }
        block
    }

    #[test]
    fn a_slice_is_the_block_of_its_rows_and_slices_are_encoded_as_the_whole() {
        let whole = block(0..12);
        for (from, to) in [(0, 12), (0, 5), (5, 12), (7, 8), (3, 3)] {
            assert_eq!(encode(&[&whole.slice(from, to)]), encode(&[&block(from..to)]), "{from}..{to}");
        }
        let parts = [whole.slice(0, 7), whole.slice(7, 7), whole.slice(7, 12)];
        assert_eq!(encode(&parts.each_ref()), encode(&[&whole]));
        assert_eq!(whole.source_of(11).as_deref(), Some("push-events/0/11"));
        let mut used = block(3..9);
        used.clear();
        assert_eq!(encode(&[&used, &whole]), encode(&[&whole]));
        assert_eq!(encode(&[&used]), [0_u8; 0]);
    }
}
