//! How a type's values lie in a Native column.

/// Bytes that are walked over.
pub(super) struct Cursor<'b> {
    bytes: &'b [u8],
    position: usize,
}

impl<'b> Cursor<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.position >= self.bytes.len()
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn since(&self, start: usize) -> &'b [u8] {
        self.bytes.get(start..self.position).unwrap_or_default()
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], String> {
        let start = self.position;
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let taken = end.and_then(|end| self.bytes.get(start..end)).ok_or("the block is cut off")?;
        self.position += taken.len();
        Ok(taken)
    }

    fn values(&mut self, count: u64, width: u64) -> Result<&'b [u8], String> {
        self.take(count.checked_mul(width).ok_or("the block is too large")?)
    }

    fn word(&mut self) -> Result<u64, String> {
        last_word(self.take(8)?).ok_or_else(|| "the block is cut off".to_owned())
    }

    /// A variable-length number.
    pub(super) fn number(&mut self) -> Result<u64, String> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?.first().copied().unwrap_or_default();
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number is too long".to_owned())
    }

    pub(super) fn text(&mut self) -> Result<&'b [u8], String> {
        let length = self.number()?;
        self.take(length)
    }
}

fn last_word(bytes: &[u8]) -> Option<u64> {
    bytes.last_chunk::<8>().map(|word| u64::from_le_bytes(*word))
}

/// The layout of a type.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many bytes a value.
    Fixed(u64),
    Text,
    Nullable(Box<Self>),
    Array(Box<Self>),
    Tuple(Vec<Self>),
    Dictionary(Box<Self>),
}

impl Shape {
    /// Reads a type's name as the engine writes it.
    pub(super) fn parse(kind: &str) -> Result<Self, String> {
        let kind = kind.trim();
        let (name, arguments) = match kind.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')').ok_or_else(|| unknown(kind))?),
            None => (kind, ""),
        };
        let inner = || Self::parse(arguments).map(Box::new);
        let tuple = || {
            let elements = split(arguments).into_iter().map(|element| Self::parse(without_name(element)));
            elements.collect::<Result<_, _>>()
        };
        Ok(match name {
            "String" => Self::Text,
            "Nullable" => Self::Nullable(inner()?),
            "Array" => Self::Array(inner()?),
            "LowCardinality" => Self::Dictionary(match Self::parse(arguments)? {
                Self::Nullable(inner) => inner,
                inner => Box::new(inner),
            }),
            "Tuple" => Self::Tuple(tuple()?),
            "Map" | "Nested" => Self::Array(Box::new(Self::Tuple(tuple()?))),
            "SimpleAggregateFunction" => Self::parse(split(arguments).last().ok_or_else(|| unknown(kind))?)?,
            "Point" => Self::Fixed(16),
            "Ring" | "LineString" => Self::Array(Box::new(Self::Fixed(16))),
            _ => Self::Fixed(width(name, arguments).ok_or_else(|| unknown(kind))?),
        })
    }

    /// Walks over what stands before a column's values: a version for each dictionary.
    pub(super) fn skip_prefix(&self, cursor: &mut Cursor<'_>) -> Result<(), String> {
        match self {
            Self::Fixed(_) | Self::Text => Ok(()),
            Self::Nullable(inner) | Self::Array(inner) => inner.skip_prefix(cursor),
            Self::Tuple(elements) => elements.iter().try_for_each(|element| element.skip_prefix(cursor)),
            Self::Dictionary(_) => cursor.word().map(|_| ()),
        }
    }

    /// Walks over so many values.
    pub(super) fn skip(&self, cursor: &mut Cursor<'_>, rows: u64) -> Result<(), String> {
        match self {
            Self::Fixed(width) => cursor.values(rows, *width).map(|_| ()),
            Self::Text => (0..rows).try_for_each(|_| cursor.text().map(|_| ())),
            Self::Nullable(inner) => {
                cursor.take(rows)?;
                inner.skip(cursor, rows)
            }
            Self::Array(inner) => {
                let ends = cursor.values(rows, 8)?;
                inner.skip(cursor, last_word(ends).unwrap_or(0))
            }
            Self::Tuple(elements) => elements.iter().try_for_each(|element| element.skip(cursor, rows)),
            Self::Dictionary(_) if rows == 0 => Ok(()),
            Self::Dictionary(keys) => skip_dictionary(keys, cursor),
        }
    }
}

/// Index type, keys, indexes.
fn skip_dictionary(keys: &Shape, cursor: &mut Cursor<'_>) -> Result<(), String> {
    const INDEX_TYPE: u64 = 0xff;
    const GLOBAL: u64 = 1 << 8;
    let flags = cursor.word()?;
    let shift = flags & INDEX_TYPE;
    if flags & GLOBAL != 0 || shift > 3 {
        return Err("an unknown kind of dictionary".to_owned());
    }
    let count = cursor.word()?;
    keys.skip(cursor, count)?;
    let rows = cursor.word()?;
    cursor.values(rows, 1 << shift).map(|_| ())
}

fn unknown(kind: &str) -> String {
    format!("the type {kind} is not supported, use another format")
}

fn width(name: &str, arguments: &str) -> Option<u64> {
    let decimal = || match arguments.split(',').next()?.trim().parse::<u64>().ok()? {
        0..=9 => Some(4),
        10..=18 => Some(8),
        19..=38 => Some(16),
        _ => Some(32),
    };
    match name {
        "UInt8" | "Int8" | "Bool" | "Enum8" | "Nothing" => Some(1),
        "UInt16" | "Int16" | "Enum16" | "Date" | "BFloat16" => Some(2),
        "UInt32" | "Int32" | "Float32" | "Date32" | "DateTime" | "Time" | "IPv4" | "Decimal32" => Some(4),
        "UInt64" | "Int64" | "Float64" | "DateTime64" | "Time64" | "Decimal64" => Some(8),
        "UInt128" | "Int128" | "UUID" | "IPv6" | "Decimal128" => Some(16),
        "UInt256" | "Int256" | "Decimal256" => Some(32),
        "Decimal" => decimal(),
        "FixedString" => arguments.trim().parse().ok(),
        name if name.starts_with("Interval") => Some(8),
        _ => None,
    }
}

/// Splits arguments at the commas outside brackets and quotes.
fn split(arguments: &str) -> Vec<&str> {
    let mut rest = arguments;
    let mut parts = Vec::new();
    while let Some(end) = outside(rest, ',') {
        parts.push(rest.get(..end).unwrap_or_default().trim());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    if !rest.trim().is_empty() {
        parts.push(rest.trim());
    }
    parts
}

/// `name Type` of a named tuple; `Type` of another one.
fn without_name(element: &str) -> &str {
    outside(element, ' ').and_then(|end| element.get(end..)).unwrap_or(element)
}

/// The first such character outside brackets and quotes.
fn outside(text: &str, wanted: char) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_u32, None, false);
    text.char_indices().find_map(|(index, character)| {
        if std::mem::take(&mut escaped) {
            return None;
        }
        match (quote, character) {
            (Some(_), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '`' | '"') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, found) if found == wanted && depth == 0 => return Some(index),
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_shapes() {
        let shape = |kind| Shape::parse(kind).unwrap();
        assert_eq!(shape("Enum8('a,(' = 1, 'b\\'' = 2)"), Shape::Fixed(1));
        assert_eq!(shape("DateTime64(3, 'UTC')"), Shape::Fixed(8));
        assert_eq!(shape("Decimal(38, 4)"), Shape::Fixed(16));
        assert_eq!(shape("LowCardinality(Nullable(String))"), Shape::Dictionary(Box::new(Shape::Text)));
        let tuple = Shape::Tuple(vec![Shape::Text, Shape::Array(Box::new(Shape::Fixed(2)))]);
        assert_eq!(shape("Tuple(`a b,` String, c Array(Date))"), tuple);
        assert_eq!(shape("Map(String, Array(Date))"), Shape::Array(Box::new(tuple)));
        assert!(Shape::parse("AggregateFunction(sum, UInt64)").is_err());
    }
}
