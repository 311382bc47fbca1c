//! Events as JSON, written straight into a buffer.

/// Writes the fields of an object, each with a comma before it.
#[derive(Debug)]
pub(crate) struct Fields<'b>(pub(crate) &'b mut Vec<u8>);

impl<'b> Fields<'b> {
    fn name(&mut self, name: &str) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    /// A text.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        write_text(self.0, value);
        self
    }

    /// A whole number.
    pub(crate) fn int(mut self, name: &str, value: i64) -> Self {
        self.name(name);
        write_int(self.0, value);
        self
    }

    /// True or false.
    pub(crate) fn flag(mut self, name: &str, value: bool) -> Self {
        self.name(name);
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    /// A UUID, in upper or lower case.
    pub(crate) fn uuid(mut self, name: &str, value: u128, upper_case: bool) -> Self {
        self.name(name);
        self.0.push(b'"');
        write_uuid(self.0, value, upper_case);
        self.0.push(b'"');
        self
    }

    /// More fields, where a condition holds.
    pub(crate) fn when(self, holds: bool, more: impl FnOnce(Self) -> Self) -> Self {
        if holds { more(self) } else { self }
    }

    /// Fields that are written already.
    pub(crate) fn raw(self, fields: &[u8]) -> Self {
        self.0.extend_from_slice(fields);
        self
    }

    /// The end of the object.
    pub(crate) fn close(self) {
        self.0.push(b'}');
    }
}

/// Writes a JSON text.
fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.extend_from_slice(text.as_bytes());
    } else {
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
                c if (c as u32) < 0x20 => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    out.push(b'"');
}

/// Writes a decimal number.
pub(crate) fn write_int(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Writes a number as hexadecimal digits, `digits` of them.
pub(crate) fn write_hex(out: &mut Vec<u8>, value: u64, digits: u32) {
    for place in (0..digits).rev() {
        out.push(LOWER[(value >> (4 * place) & 0xf) as usize]);
    }
}

/// Writes a UUID with its hyphens.
pub(crate) fn write_uuid(out: &mut Vec<u8>, value: u128, upper_case: bool) {
    let alphabet = if upper_case { UPPER } else { LOWER };
    for place in (0..32).rev() {
        out.push(alphabet[(value >> (4 * place) & 0xf) as usize]);
        if matches!(place, 24 | 20 | 16 | 12) {
            out.push(b'-');
        }
    }
}

/// A UUID of version 4 (RFC 9562) from random bits.
pub(crate) fn uuid_of(high: u64, low: u64) -> u128 {
    let bits = u128::from(high) << 64 | u128::from(low);
    bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62
}

/// The text of a UUID, in lower case.
pub(crate) fn uuid_text(value: u128) -> String {
    let mut out = Vec::with_capacity(36);
    write_uuid(&mut out, value, false);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Fields, uuid_of, uuid_text, write_hex};

    #[test]
    fn fields_are_json() {
        let mut out = b"{\"a\":0".to_vec();
        let fields = Fields(&mut out);
        fields
            .text("b", "x\"\\\n\u{e9}")
            .int("c", -120)
            .int("d", i64::MIN)
            .flag("e", true)
            .uuid("f", 0xab, true)
            .close();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let expected = serde_json::json!({"a": 0, "b": "x\"\\\n\u{e9}", "c": -120, "d": i64::MIN, "e": true,
            "f": "00000000-0000-0000-0000-0000000000AB"});
        assert_eq!(value, expected);
    }

    #[test]
    fn uuids_are_of_version_4() {
        assert_eq!(uuid_text(uuid_of(u64::MAX, u64::MAX)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid_text(uuid_of(0, 0)), "00000000-0000-4000-8000-000000000000");
        let mut out = Vec::new();
        write_hex(&mut out, 0x1f, 4);
        assert_eq!(out, b"001f");
    }
}
