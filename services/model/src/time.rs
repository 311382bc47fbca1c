//! Times in events: milliseconds since the Unix epoch, and their RFC 3339 form.

use chrono::DateTime;

/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Milliseconds since the Unix epoch of an RFC 3339 time (RFC 3339 section 5.6): `T` or `t` and a zone are required,
/// digits beyond milliseconds are cut off, second 60 is a leap second. `None` for any other text.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && bytes.iter().take(4).all(u8::is_ascii_digit)
        && matches!(bytes.get(10), Some(b'T' | b't'))
        && bytes.iter().all(u8::is_ascii_graphic);
    if !shaped {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::parse_rfc3339;

    #[test]
    fn follows_rfc_3339() {
        let at = 1_790_000_000_123;
        for (text, expect) in [
            ("2026-09-21T14:13:20.123Z", Some(at)),
            ("2026-09-21t14:13:20.1239999999999z", Some(at)),
            ("2026-09-21T16:13:20.123+02:00", Some(at)),
            ("2026-09-21T14:13:20.123-00:00", Some(at)),
            ("2026-09-21T14:13:60Z", Some(1_790_000_040_000)),
            ("2016-12-31T23:59:60.500Z", Some(1_483_228_800_500)),
            ("1969-12-31T23:59:59.999Z", Some(-1)),
            ("2026-09-21 14:13:20Z", None),
            ("2026-09-21T14:13:20", None),
            ("2026-09-21T14:13:20+0200", None),
            ("2026-09-21T14:13Z", None),
            ("2026-09-21T14:13:20.Z", None),
            ("2026-02-30T14:13:20Z", None),
            ("2026-09-21T24:00:00Z", None),
            ("2026-09-21T14:13:61Z", None),
            ("+2026-09-21T14:13:20Z", None),
            (" 2026-09-21T14:13:20Z", None),
            ("2026-09-21T14:13:20Z ", None),
            ("2026-09-21T14:13:20 +02:00", None),
            ("2026-09-21T14:13:20\u{2212}02:00", None),
            ("", None),
        ] {
            assert_eq!(parse_rfc3339(text), expect, "{text:?}");
        }
    }
}
