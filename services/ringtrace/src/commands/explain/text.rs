//! Times, durations and texts as a person at a terminal reads them.

use chrono::DateTime;

/// Longest text that is printed as it came, in characters.
const MAX_CHARS: usize = 160;

/// Widest line of running text, in characters.
const WIDTH: usize = 100;

/// A corrected time, `2026-09-21 14:13:20.000`, always 23 characters for years of four digits.
pub fn utc(at: i64) -> String {
    let time = DateTime::from_timestamp_millis(at);
    time.map_or_else(|| format!("{at} ms"), |time| time.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
}

/// A duration with a unit that fits it: `40 ms`, `7.001 s`, `2 min 05 s`, `3 h 20 min`, `2 d 04 h`.
pub fn duration(ms: i64) -> String {
    let (s, sign) = (ms.unsigned_abs() / 1_000, if ms < 0 { "-" } else { "" });
    match s {
        0 => format!("{ms} ms"),
        1..60 => format!("{sign}{s}.{:03} s", ms.unsigned_abs() % 1_000),
        60..3_600 => format!("{sign}{} min {:02} s", s / 60, s % 60),
        3_600..86_400 => format!("{sign}{} h {:02} min", s / 3_600, s / 60 % 60),
        _ => format!("{sign}{} d {:02} h", s / 86_400, s / 3_600 % 24),
    }
}

/// A text from outside that can't disturb the terminal: control characters escaped, and cut where it is long.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len().min(MAX_CHARS));
    for c in text.chars().take(MAX_CHARS) {
        if c.is_control() { plain.extend(c.escape_default()) } else { plain.push(c) }
    }
    if text.chars().nth(MAX_CHARS).is_some() {
        plain.push_str("...");
    }
    plain
}

/// A labelled text, wrapped, with the lines after the first under its beginning; ends with a line feed.
pub fn labelled(indent: usize, label: &str, text: &str) -> String {
    let column = indent + 13;
    let mut lines = vec![format!("{:indent$}{label:<12}", "")];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > column && line + 1 + word.chars().count() > WIDTH {
            lines.push(" ".repeat(column - 1));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::{duration, labelled, plain, utc};

    #[test]
    fn times_and_durations() {
        assert_eq!(utc(1_790_000_000_005), "2026-09-21 14:13:20.005");
        assert_eq!(utc(i64::MAX), "9223372036854775807 ms");
        for (ms, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (-999, "-999 ms"),
            (7_001, "7.001 s"),
            (-1_500, "-1.500 s"),
            (125_999, "2 min 05 s"),
            (12_000_000, "3 h 20 min"),
            (187_200_000, "2 d 04 h"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn texts_from_outside_stay_on_their_line() {
        assert_eq!(plain("a\u{1b}[31m\nb é"), "a\\u{1b}[31m\\nb é");
        assert_eq!(plain(&"x".repeat(161)), "x".repeat(160) + "...");
    }

    #[test]
    fn long_texts_are_wrapped_under_their_beginning() {
        assert_eq!(labelled(2, "cause", "short"), "  cause        short\n");
        let long = labelled(2, "cause", &"word ".repeat(30));
        assert!(long.lines().count() > 1 && long.lines().all(|line| line.chars().count() <= 100), "{long}");
        assert!(long.lines().skip(1).all(|line| line.starts_with("               word")), "{long}");
    }
}
