//! Times as people write them: RFC 3339, and lengths such as `2h30m`.

/// Milliseconds in an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since 1970-01-01 of a date (the same).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The RFC 3339 form, in UTC and with milliseconds, of milliseconds since the Unix epoch.
pub(crate) fn rfc3339(at: i64) -> String {
    let (year, month, day) = civil(at.div_euclid(DAY_MS));
    let ms = at.rem_euclid(DAY_MS);
    let (hour, minute, second) = (ms / HOUR_MS, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1_000)
}

/// Milliseconds since the Unix epoch of an RFC 3339 time in UTC, to the second: `2026-11-01T08:00:00Z`.
pub fn parse_utc(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let numbers = |text: &str, separator: char| -> Option<[i64; 3]> {
        let parts: Vec<i64> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (0..24).contains(&hour);
    let at = days(year, month, day);
    if !in_range || !(0..60).contains(&minute) || !(0..60).contains(&second) || civil(at) != (year, month, day) {
        return None;
    }
    Some(at * DAY_MS + hour * HOUR_MS + minute * 60_000 + second * 1_000)
}

/// Milliseconds of a length: numbers with the units `d`, `h`, `m`, `s`, such as `2h30m`.
pub fn parse_length(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let mut tail = tail.chars();
        let unit = match tail.next()? {
            'd' => DAY_MS,
            'h' => HOUR_MS,
            'm' => 60_000,
            's' => 1_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = tail.as_str();
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::{parse_length, parse_utc, rfc3339};

    #[test]
    fn times_are_those_of_the_calendar() {
        for (at, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_793_520_000_000, "2026-11-01T08:00:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(at), text);
            let second = format!("{}Z", &text[..19]);
            assert_eq!(parse_utc(&second), Some(at / 1_000 * 1_000), "{second}");
        }
        for text in ["2026-02-29T00:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01", "2026-11-01T08:00:00", "soon"] {
            assert_eq!(parse_utc(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_have_units() {
        assert_eq!(parse_length("2h30m"), Some(9_000_000));
        assert_eq!(parse_length("1d"), Some(86_400_000));
        assert_eq!(parse_length("0s"), Some(0));
        for text in ["", "5", "h", "5x", "-5s", "99999999999999999999d", "999999999999999d"] {
            assert_eq!(parse_length(text), None, "{text}");
        }
    }
}
