//! Which dead letters are meant.

use chrono::DateTime;
use ringtrace_model::Reason;

use super::Letter;

/// Dead letters by reason, time and topic. All that are given must hold.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Filter {
    /// Only those with this reason; may be given several times
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub reason: Vec<Reason>,
    /// Only those that died at this time or later: RFC 3339, or milliseconds since the Unix epoch
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<i64>,
    /// Only those that died before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<i64>,
    /// Only those that came from this topic
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
}

impl Filter {
    /// Whether a letter is meant.
    pub fn takes(&self, letter: &Letter) -> bool {
        let topic = |topic: &String| letter.source.rsplitn(3, '/').nth(2) == Some(topic);
        (self.reason.is_empty() || self.reason.iter().any(|reason| reason.as_str() == letter.reason))
            && self.since.is_none_or(|since| letter.dead_at >= since)
            && self.until.is_none_or(|until| letter.dead_at < until)
            && self.topic.as_ref().is_none_or(topic)
    }

    /// Whether it takes every letter.
    pub fn is_empty(&self) -> bool {
        self.reason.is_empty() && self.since.is_none() && self.until.is_none() && self.topic.is_none()
    }
}

/// A reason of the contract's section 2.
///
/// # Errors
/// There is no such reason; the text lists those that are.
pub fn reason(text: &str) -> Result<Reason, String> {
    let names = || Reason::ALL.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ");
    Reason::parse(text).ok_or_else(|| format!("expected one of {}", names()))
}

/// Milliseconds since the Unix epoch.
///
/// # Errors
/// The text is neither RFC 3339 nor a number.
pub fn time(text: &str) -> Result<i64, String> {
    let rfc_3339 = || DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis());
    let number = text.parse().map_or_else(|_| rfc_3339(), Ok);
    number.map_err(|_| "expected a time such as 2026-11-01T08:00:00Z, or milliseconds since the Unix epoch".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_and_times_are_read() {
        assert_eq!(reason("not_json"), Ok(Reason::NotJson));
        assert!(reason("json").unwrap_err().contains("not_storable"));
        assert_eq!(time("2026-11-01T08:00:00Z"), Ok(1_793_520_000_000));
        assert_eq!(time("1793520000000"), Ok(1_793_520_000_000));
        assert!(time("yesterday").is_err());
    }
}
