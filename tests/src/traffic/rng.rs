//! Random numbers that are the same everywhere: SplitMix64, and distributions by plain arithmetic.

/// A pseudo-random sequence (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
pub(super) struct Rng(u64);

impl Rng {
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

    /// Stream number `stream` of a seed, so that a change of one call leaves all others as they are.
    pub(super) fn of(seed: u64, stream: u64) -> Self {
        let mut rng = Rng(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        rng.next();
        rng
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::GAMMA);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `n` - 1.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// A number from `low` to `high` - 1.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low) as u64) as i64
    }

    /// True in `n` of a thousand cases.
    pub(super) fn in_thousand(&mut self, n: u64) -> bool {
        self.next() % 1000 < n
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of some values, each as likely as its weight.
    pub(super) fn weighted<T: Copy>(&mut self, of: &[(u64, T)]) -> T {
        let total: u64 = of.iter().map(|(weight, _)| weight).sum();
        let mut at = self.next() % total;
        for (weight, value) in of {
            if at < *weight {
                return *value;
            }
            at -= weight;
        }
        of[0].1
    }

    /// Log-normally distributed milliseconds. `sigma` is the standard deviation of their natural logarithm.
    pub(super) fn log_normal(&mut self, median_ms: i64, sigma: f64) -> i64 {
        (median_ms as f64 * exp(self.normal() * sigma)) as i64
    }

    /// Standard normal, nearly: twelve uniform numbers less six.
    fn normal(&mut self) -> f64 {
        let uniform = |rng: &mut Self| (rng.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (0..12).map(|_| uniform(self)).sum::<f64>() - 6.0
    }

    /// A UUID of version 4, lower case.
    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
        let (d, e) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
        format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
    }
}

/// e to the power of `x`, by operations whose result IEEE 754 fixes; `f64::exp` may differ in the last digit between
/// platforms.
fn exp(x: f64) -> f64 {
    let small = x / 1024.0;
    let mut power = 1.0 + small * (1.0 + small / 2.0 * (1.0 + small / 3.0 * (1.0 + small / 4.0)));
    for _ in 0..10 {
        power *= power;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::{Rng, exp};

    #[test]
    fn exp_is_close() {
        for x in [-3.0_f64, -0.5, 0.0, 0.1, 1.0, 4.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn medians_are_as_asked_for() {
        let mut rng = Rng::of(1, 1);
        let mut draws: Vec<i64> = (0..10_001).map(|_| rng.log_normal(1_000, 0.7)).collect();
        draws.sort_unstable();
        assert!((970..1_030).contains(&draws[5_000]), "{}", draws[5_000]);
        assert!((2_300..2_600).contains(&draws[9_000]), "{}", draws[9_000]);
    }
}
