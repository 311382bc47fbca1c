//! Random numbers that are the same everywhere: SplitMix64, and distributions by arithmetic that IEEE 754 fixes.

use std::f64::consts::LN_2;
use std::sync::OnceLock;

/// A pseudo-random sequence (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

    /// Stream number `stream` of a seed: what one call or device draws leaves all others as they are.
    pub(crate) fn of(seed: u64, stream: u64) -> Self {
        let mut rng = Rng(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        rng.0 = rng.next();
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::GAMMA);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `n` - 1; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// A number from `low` to `high` - 1, or `low`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as usize) as i64
    }

    /// 32 random bits.
    pub(crate) fn bits(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    /// Milliseconds until the next of events that happen every `mean_ms` on average and know nothing of each other.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        let uniform = ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -ln(uniform) * mean
    }
}

/// The natural logarithm of a number above 0; `f64::ln` may differ in the last digit between platforms.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let mantissa = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let (square, mut power, mut sum) = (s * s, s, 0.0);
    for odd in [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0] {
        sum += power / odd;
        power *= square;
    }
    exponent as f64 * LN_2 + 2.0 * sum
}

/// e to the power of `x`, likewise.
pub(crate) fn exp(x: f64) -> f64 {
    let small = x / 1024.0;
    let mut power = 1.0 + small * (1.0 + small / 2.0 * (1.0 + small / 3.0 * (1.0 + small / 4.0)));
    for _ in 0..10 {
        power *= power;
    }
    power
}

/// Steps between quantiles.
pub(crate) const QUANTILES: usize = 1024;

/// Quantiles of the standard normal distribution, its ends cut at 3.3 standard deviations.
pub(crate) fn normal_quantiles() -> &'static [f64] {
    static TABLE: OnceLock<Vec<f64>> = OnceLock::new();
    TABLE.get_or_init(|| {
        const STEP: f64 = 1.0 / 2048.0;
        // 1 over the square root of two pi.
        let density = |x: f64| exp(-x * x / 2.0) * 0.398_942_280_401_432_7;
        let mut table = vec![-3.3];
        let (mut x, mut below) = (-6.0, 0.0);
        while table.len() < QUANTILES {
            below += STEP * density(x + STEP / 2.0);
            x += STEP;
            while table.len() < QUANTILES && below >= table.len() as f64 / QUANTILES as f64 {
                table.push(x);
            }
        }
        table.push(3.3);
        table
    })
}

#[cfg(test)]
mod tests {
    use super::{QUANTILES, Rng, exp, ln, normal_quantiles};

    #[test]
    fn functions_are_close() {
        for x in [-18.0_f64, -3.0, -0.5, 0.0, 0.1, 1.0, 4.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-6, "{x}");
        }
        for x in [1e-16_f64, 0.001, 0.5, 0.9999, 1.0] {
            assert!((ln(x) - x.ln()).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        let table = normal_quantiles();
        assert_eq!(table.len(), QUANTILES + 1);
        assert!(table[512].abs() < 0.001 && (table[974] - 1.6572).abs() < 0.002, "{} {}", table[512], table[974]);
        assert!(table.is_sorted());
    }

    #[test]
    fn waiting_times_have_the_mean_asked_for() {
        let mut rng = Rng::of(1, 1);
        let mean = (0..20_000).map(|_| rng.exponential(500.0)).sum::<f64>() / 20_000.0;
        assert!((485.0..515.0).contains(&mean), "{mean}");
    }
}
