//! How often someone may ask: a bucket of tokens each, which fills with time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many askers are remembered: the ones with full buckets are forgotten first.
const MOST_ASKERS: usize = 10_000;

/// See the module's text.
pub(crate) struct Pace {
    per_minute: u32,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Pace {
    /// So many requests a minute each; as many at once as a tenth of a minute brings, but at least 60.
    pub(crate) fn new(per_minute: u32) -> Self {
        Pace { per_minute, buckets: Mutex::new(HashMap::new()) }
    }

    /// The limit.
    pub(crate) fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Takes one request of an asker's, at a moment; otherwise in how many seconds there is one.
    pub(crate) fn take(&self, asker: &str, now: Instant) -> Result<(), u64> {
        let most = self.most();
        let per_second = f64::from(self.per_minute) / 60.0;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = |bucket: &Bucket| {
            (bucket.left + now.saturating_duration_since(bucket.at).as_secs_f64() * per_second).min(most)
        };
        if buckets.len() >= MOST_ASKERS && !buckets.contains_key(asker) {
            buckets.retain(|_, bucket| filled(bucket) < most);
            if buckets.len() >= MOST_ASKERS {
                return Err(1);
            }
        }
        let bucket = buckets.entry(asker.to_owned()).or_insert(Bucket { left: most, at: now });
        *bucket = Bucket { left: filled(bucket), at: now };
        if bucket.left < 1.0 {
            return Err(((1.0 - bucket.left) / per_second).ceil() as u64);
        }
        bucket.left -= 1.0;
        Ok(())
    }

    fn most(&self) -> f64 {
        f64::from(self.per_minute.min(60.max(self.per_minute / 10)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let pace = Pace::new(60);
        let start = Instant::now();
        assert_eq!((0..100).filter(|_| pace.take("a", start).is_ok()).count(), 60);
        assert_eq!(pace.take("a", start), Err(1));
        assert!(pace.take("b", start).is_ok());
        assert!(pace.take("a", start + Duration::from_secs(1)).is_ok());
        assert!(pace.take("a", start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn askers_are_bounded() {
        let pace = Pace::new(60);
        let start = Instant::now();
        for asker in 0..MOST_ASKERS {
            assert!(pace.take(&asker.to_string(), start).is_ok());
        }
        assert_eq!(pace.take("one more", start), Err(1));
        assert!(pace.take("one more", start + Duration::from_secs(2)).is_ok());
    }
}
