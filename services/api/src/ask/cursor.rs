//! Where a list goes on: behind which row. Opaque to clients.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// The place of a row in a list: what the list is ordered by, and what makes the place unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// A time in milliseconds, or a count.
    pub(crate) first: i64,
    /// A second count.
    pub(crate) second: i64,
    pub(crate) tenant: String,
    /// A call, or what a list has in its place: an app, an alert.
    pub(crate) call: String,
    pub(crate) device: String,
}

impl Cursor {
    /// As a client sees it.
    pub(crate) fn text(&self) -> String {
        let parts = (self.first, self.second, &self.tenant, &self.call, &self.device);
        let json = serde_json::to_string(&parts).unwrap_or_default();
        HEXLOWER.encode(json.as_bytes())
    }

    /// Reads what [`text`](Self::text) wrote; `None` for anything else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let json = HEXLOWER.decode(text.as_bytes()).ok()?;
        let (first, second, tenant, call, device) = serde_json::from_slice(&json).ok()?;
        Some(Cursor { first, second, tenant, call, device })
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor {
            first: -3,
            second: 9,
            tenant: "a.b %é".to_owned(),
            call: "4b6a0b35-56b2-4e49-8024-34d232bd3db4".to_owned(),
            device: "i\"phone.1/2+3".to_owned(),
        };
        let text = cursor.text();
        assert!(text.chars().all(|c| c.is_ascii_hexdigit()), "{text}");
        assert_eq!(Cursor::read(&text), Some(cursor));
        for text in ["", "x", "[1]", "%00"] {
            assert_eq!(Cursor::read(text), None);
        }
    }
}
