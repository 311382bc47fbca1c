//! How sure a rate is: Wilson's score interval for small and large samples alike.

/// Standard score of the interval: two-sided 99 %.
///
/// Rules look at many groups, many times an hour; at 95 % chance alone would page.
pub const Z: f64 = 2.576;

/// How many of a sample are bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that are bad; at most `total`.
    pub bad: u64,
    /// The sample.
    pub total: u64,
}

impl Count {
    /// The share that is bad; `None` of an empty sample.
    pub fn rate(self) -> Option<f64> {
        (self.total > 0).then(|| self.bad as f64 / self.total as f64)
    }

    /// What the true share is at least: Wilson's lower bound (Wilson, 1927), from 0 to 1; 0 of an empty sample.
    pub fn lower(self) -> f64 {
        self.bound(-1.0)
    }

    /// What the true share is at most, from 0 to 1; 1 of an empty sample.
    pub fn upper(self) -> f64 {
        if self.total == 0 { 1.0 } else { self.bound(1.0) }
    }

    fn bound(self, side: f64) -> f64 {
        let Some(rate) = self.rate() else { return 0.0 };
        if (side < 0.0 && self.bad == 0) || (side > 0.0 && self.bad >= self.total) {
            return rate;
        }
        let n = self.total as f64;
        let z2 = Z * Z;
        let spread = Z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
        ((rate + z2 / (2.0 * n) + side * spread) / (1.0 + z2 / n)).clamp(0.0, 1.0)
    }

    /// Both samples together.
    pub fn and(self, other: Count) -> Count {
        Count { bad: self.bad + other.bad, total: self.total + other.total }
    }

    /// Takes one more in.
    pub fn add(&mut self, is_bad: bool) {
        self.total += 1;
        self.bad += u64::from(is_bad);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Count;

    #[test]
    fn bounds_of_known_samples() {
        let count = Count { bad: 1, total: 1000 };
        assert!((0.000_08..0.000_16).contains(&count.lower()), "{}", count.lower());
        assert!((0.006..0.012).contains(&count.upper()), "{}", count.upper());
        assert_eq!(Count { bad: 0, total: 50 }.lower(), 0.0);
        assert_eq!(Count { bad: 50, total: 50 }.upper(), 1.0);
        assert_eq!((Count::default().lower(), Count::default().upper()), (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn the_rate_lies_between_its_bounds(bad in 0u64..5_000, more in 0u64..100_000) {
            let count = Count { bad, total: bad + more };
            if let Some(rate) = count.rate() {
                prop_assert!(count.lower() <= rate + 1e-12 && rate <= count.upper() + 1e-12);
            }
        }

        #[test]
        fn one_more_bad_one_never_makes_it_look_better(bad in 0u64..5_000, more in 0u64..100_000) {
            let (before, after) = (Count { bad, total: bad + more }, Count { bad: bad + 1, total: bad + more + 1 });
            prop_assert!(after.lower() >= before.lower() && after.upper() >= before.upper() - 1e-12);
        }

        #[test]
        fn one_more_good_one_never_makes_it_look_worse(bad in 0u64..5_000, more in 0u64..100_000) {
            let (before, after) = (Count { bad, total: bad + more }, Count { bad, total: bad + more + 1 });
            prop_assert!(after.lower() <= before.lower() + 1e-12 && after.upper() <= before.upper() + 1e-12);
        }
    }
}
