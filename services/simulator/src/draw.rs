//! What a world file says of chance: shares, delays and weights, and how to draw from them.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::rng::{QUANTILES, Rng, exp, normal_quantiles};

/// How often something happens: a number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u64);

impl Share {
    /// The share of a number, which is cut to what a share can be.
    pub fn of(share: f64) -> Self {
        Share((share.clamp(0.0, 1.0) * (1_u64 << 32) as f64) as u64)
    }

    pub(crate) fn draw(self, rng: &mut Rng) -> bool {
        u64::from(rng.bits()) < self.0
    }

    /// The share as a number.
    pub(crate) fn number(self) -> f64 {
        self.0 as f64 / (1_u64 << 32) as f64
    }

    /// Whether a fixed number, made from 32 random bits, lies within the share.
    pub(crate) fn holds(self, bits: u32) -> bool {
        u64::from(bits) < self.0
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = deserializer.deserialize_any(Number)?;
        if !(0.0..=1.0).contains(&number) {
            return Err(D::Error::custom(format!("{number} is not accepted: expected a share from 0 to 1")));
        }
        Ok(Share::of(number))
    }
}

struct Number;

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }
}

/// A delay: log-normally distributed milliseconds, of which half are below `median_ms`, none above `most_ms`. `sigma` is
/// the standard deviation of their natural logarithm: 0.5 is narrow, 1.5 has a long tail.
#[derive(Clone)]
pub struct Delay {
    /// Quantiles, evenly spaced.
    quantiles: Box<[i64]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DelayText {
    median_ms: i64,
    sigma: f64,
    most_ms: i64,
}

impl Delay {
    /// See the type's text.
    pub(crate) fn new(median_ms: i64, sigma: f64, most_ms: i64) -> Self {
        let of = |z: &f64| ((median_ms as f64 * exp(z * sigma)) as i64).min(most_ms);
        Delay { quantiles: normal_quantiles().iter().map(of).collect() }
    }

    pub(crate) fn draw(&self, rng: &mut Rng) -> i64 {
        let bits = rng.next();
        let (step, part) = ((bits >> 54) as usize % QUANTILES, (bits >> 30 & 0xff_ffff) as i64);
        let (low, high) = (self.quantiles[step], self.quantiles[step + 1]);
        low + (((high - low) * part) >> 24)
    }
}

impl fmt::Debug for Delay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Delay({} ms)", self.quantiles[QUANTILES / 2])
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let DelayText { median_ms, sigma, most_ms } = DelayText::deserialize(deserializer)?;
        if !(0..=MOST_DELAY_MS).contains(&median_ms) || !(median_ms..=MOST_DELAY_MS).contains(&most_ms) {
            return Err(D::Error::custom("delay is not accepted: expected 0 <= median_ms <= most_ms <= 30 days"));
        }
        if !(0.0..=4.0).contains(&sigma) {
            return Err(D::Error::custom(format!("sigma = {sigma} is not accepted: expected 0 to 4")));
        }
        Ok(Delay::new(median_ms, sigma, most_ms))
    }
}

/// Longest delay that a world may ask for: 30 days.
const MOST_DELAY_MS: i64 = 30 * 86_400_000;

/// One of some things, each as likely as its weight.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    sums: Vec<f64>,
}

impl Choice {
    pub(crate) fn new(weights: impl Iterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let sums = weights.map(|weight| {
            sum += weight.max(0.0);
            sum
        });
        Choice { sums: sums.collect() }
    }

    /// All weights together.
    pub(crate) fn total(&self) -> f64 {
        self.sums.last().copied().unwrap_or_default()
    }

    /// The place of the one that was drawn.
    pub(crate) fn draw(&self, rng: &mut Rng) -> usize {
        let at = f64::from(rng.bits()) / (1_u64 << 32) as f64 * self.total();
        self.sums.partition_point(|sum| *sum <= at).min(self.sums.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Delay, Share};
    use crate::rng::Rng;

    #[test]
    fn delays_have_the_median_and_the_tail_asked_for() {
        let mut rng = Rng::of(1, 1);
        let delay = Delay::new(1_000, 0.7, 60_000);
        let mut draws: Vec<i64> = (0..20_001).map(|_| delay.draw(&mut rng)).collect();
        draws.sort_unstable();
        assert!((970..1_030).contains(&draws[10_000]), "{}", draws[10_000]);
        assert!((2_300..2_600).contains(&draws[18_000]), "{}", draws[18_000]);
    }

    #[test]
    fn shares_and_weights_are_kept() {
        let mut rng = Rng::of(2, 1);
        let hits = (0..100_000).filter(|_| Share::of(0.03).draw(&mut rng)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
        let choice = Choice::new([1.0, 0.0, 3.0].into_iter());
        let mut counts = [0; 3];
        (0..10_000).for_each(|_| counts[choice.draw(&mut rng)] += 1);
        assert!((2_300..2_700).contains(&counts[0]) && counts[1] == 0, "{counts:?}");
        assert!((0..1_000).all(|_| !Share::of(0.0).draw(&mut rng) && Share::of(1.0).draw(&mut rng)));
    }
}
