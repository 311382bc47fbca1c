//! Times, ranges and buckets.

use ringtrace_model::{DAY_MS, parse_rfc3339};

use crate::problem::Problem;

/// Longest range: more than any retention's default, in milliseconds.
const MOST_MS: i64 = 400 * DAY_MS;

/// Range when nothing is said.
const USUAL_MS: i64 = DAY_MS;

/// Most buckets of a series.
const MOST_BUCKETS: i64 = 2_000;

/// Widths of buckets that may be asked for, in milliseconds.
pub(crate) const BUCKETS: [(&str, i64); 7] = [
    ("10s", 10_000),
    ("1m", 60_000),
    ("5m", 300_000),
    ("10m", 600_000),
    ("1h", 3_600_000),
    ("6h", 21_600_000),
    ("1d", DAY_MS),
];

/// Buckets of an automatic width: at least so many, where the widths allow it.
const LEAST_AUTO: i64 = 30;

/// Widths that `auto` chooses from beside [`BUCKETS`], so that a series has 30 to 180 of them.
const AUTO: [i64; 9] = [10_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, DAY_MS];

/// A half-open range of `started_at`, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// What a range is held against: the same so much earlier, in milliseconds.
pub(crate) type Compare = Option<i64>;

impl Range {
    pub(super) fn of(from: Option<&str>, to: Option<&str>, now: i64) -> Result<Self, Problem> {
        let time = |text: Option<&str>, default| text.and_then(|text| time_ms(text, now)).unwrap_or(default);
        let to_at = time(to, now);
        let range = Range { from: time(from, to_at.saturating_sub(USUAL_MS)), to: to_at };
        if range.from >= range.to {
            let wrong = if from.is_some() || to.is_none() { "from" } else { "to" };
            return Err(Problem::parameter(wrong, "from must be before to"));
        }
        if range.length() > MOST_MS {
            let days = MOST_MS / DAY_MS;
            return Err(Problem::too_large(format!("a range has at most {days} days"), days.unsigned_abs()));
        }
        Ok(range)
    }

    pub(crate) fn length(self) -> i64 {
        self.to - self.from
    }

    /// The same range so much earlier.
    pub(crate) fn earlier(self, ms: i64) -> Self {
        Range { from: self.from.saturating_sub(ms), to: self.to.saturating_sub(ms) }
    }

    /// The width of the buckets of a series, in milliseconds.
    ///
    /// # Errors
    /// There would be too many.
    pub(crate) fn bucket(self, asked: Option<&str>) -> Result<i64, Problem> {
        let Some(width) = asked.and_then(bucket_of) else {
            let fits = |width: &&i64| self.length() / **width <= LEAST_AUTO * 6;
            return Ok(AUTO.iter().find(fits).copied().unwrap_or(DAY_MS));
        };
        if self.length() / width > MOST_BUCKETS {
            let limit = MOST_BUCKETS.unsigned_abs();
            let problem = Problem::too_large("the range has too many buckets: ask for wider ones", limit);
            return Err(problem);
        }
        Ok(width)
    }

    /// The starts of the buckets, multiples of their width since the Unix epoch (UTC).
    pub(crate) fn times(self, bucket: i64) -> Vec<i64> {
        let first = self.from.div_euclid(bucket) * bucket;
        (0..).map(|index| first + index * bucket).take_while(|time| *time < self.to).collect()
    }
}

/// The width of a bucket by its name, in milliseconds.
pub(crate) fn bucket_of(name: &str) -> Option<i64> {
    BUCKETS.iter().find(|(known, _)| *known == name).map(|(_, width)| *width)
}

/// A time in milliseconds since the Unix epoch; `None` for what is not accepted.
pub(crate) fn time_ms(text: &str, now: i64) -> Option<i64> {
    let in_range = |time: &i64| (0..=253_402_300_799_999).contains(time);
    let time = match text.strip_prefix("now") {
        Some("") => Some(now),
        Some(rest) => duration_ms(rest.strip_prefix('-')?).and_then(|ms| now.checked_sub(ms)),
        None => text.parse().ok().or_else(|| parse_rfc3339(text)),
    };
    time.filter(in_range)
}

/// A duration such as `90s`, `24h` or `7d`, in milliseconds; at least a second.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|count| *count > 0)?;
    let ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => DAY_MS,
        _ => return None,
    };
    count.checked_mul(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_600_000_000;

    #[test]
    fn times_are_read_in_every_form() {
        assert_eq!(time_ms("now", NOW), Some(NOW));
        assert_eq!(time_ms("now-24h", NOW), Some(NOW - DAY_MS));
        assert_eq!(time_ms("1795600000000", NOW), Some(NOW));
        assert_eq!(time_ms("2026-11-25T09:46:40Z", NOW), Some(NOW));
        for text in ["", "now-", "now-3", "now-0h", "now+1h", "-1", "1e9", "yesterday", "now-9999999999999999d"] {
            assert_eq!(time_ms(text, NOW), None, "{text}");
        }
    }

    #[test]
    fn automatic_buckets_are_thirty_to_a_hundred_and_eighty() {
        for length in [301_000, 3_600_000, 6 * 3_600_000, DAY_MS, 3 * DAY_MS, 7 * DAY_MS, 30 * DAY_MS] {
            let range = Range { from: NOW - length, to: NOW };
            let count = length / range.bucket(None).unwrap();
            assert!((30..=180).contains(&count), "{length}: {count}");
        }
    }

    #[test]
    fn buckets_cover_the_range_and_no_more() {
        let times = Range { from: 1_000_001, to: 2_000_000 }.times(300_000);
        assert_eq!(times, [900_000, 1_200_000, 1_500_000, 1_800_000]);
        assert!(Range { from: 0, to: 30 * DAY_MS }.bucket(Some("10s")).is_err());
    }
}
