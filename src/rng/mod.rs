//! Named, keyed random draws, and the one implementation of the
//! transcendental functions behind them.
//!
//! A draw is keyed by (seed, purpose, stable entity ordinal), never by the
//! order in which the simulation happens to ask. A case that launches one
//! node more therefore leaves every other draw where it was: common random
//! numbers across cases. Generator: PCG XSL-RR 128/64 (`rand_pcg::Pcg64Mcg`
//! stays byte-stable over releases; a golden test pins it).
//!
//! `rand_distr` supplies the ziggurat samplers and alias tables. Their values
//! come from tables and arithmetic alone; where a value itself needs `exp`,
//! `ln` or `pow`, this room computes it with `libm`, because the C library's
//! results differ between machines in the last place.

mod distribution;

pub use distribution::{Distribution, DistributionError};

use rand::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

/// A generator for one (seed, purpose, entity).
#[derive(Debug, Clone)]
pub struct Draws(Pcg64Mcg);

impl Draws {
    /// The stream of `purpose` for the entity with ordinal `entity`.
    ///
    /// `purpose` is a stable name such as `"boot-time"`; `entity` a stable
    /// ordinal such as the node's launch number within its pool.
    #[must_use]
    pub fn new(seed: u64, purpose: &str, entity: u64) -> Self {
        let mut key = [0u8; 16];
        let a = mix(seed ^ mix(hash_name(purpose)));
        let b = mix(a ^ mix(entity.wrapping_add(0x9E37_79B9_7F4A_7C15)));
        key[..8].copy_from_slice(&a.wrapping_add(b).to_le_bytes());
        key[8..].copy_from_slice(&mix(b).to_le_bytes());
        Draws(Pcg64Mcg::from_seed(key))
    }

    /// Uniform in [0, 1), from the top 53 bits.
    #[allow(clippy::cast_precision_loss)]
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `0..bound` by Lemire's multiplication; 0 for bound 0.
    #[allow(clippy::cast_possible_truncation)]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Exponential with the given mean, in the mean's unit.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        use rand_distr::Distribution as _;
        let unit: f64 = rand_distr::Exp1.sample(&mut self.0);
        unit * mean
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        use rand_distr::Distribution as _;
        rand_distr::StandardNormal.sample(&mut self.0)
    }
}

/// `e^x`, the same bits on every machine.
#[must_use]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// Natural logarithm, the same bits on every machine.
#[must_use]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// `x^y`, the same bits on every machine.
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// The finaliser of `SplitMix64`: a bijection with full avalanche.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// FNV-1a: purposes are short constants, and this is stable by definition.
fn hash_name(name: &str) -> u64 {
    name.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_do_not_depend_on_each_other() {
        let lone = Draws::new(7, "boot-time", 3).unit();
        let mut other = Draws::new(7, "boot-time", 2);
        for _ in 0..100 {
            other.unit();
        }
        assert_eq!(Draws::new(7, "boot-time", 3).unit().to_bits(), lone.to_bits());
        assert_ne!(Draws::new(7, "spot", 3).unit().to_bits(), lone.to_bits());
        assert_ne!(Draws::new(8, "boot-time", 3).unit().to_bits(), lone.to_bits());
    }

    #[test]
    fn golden_values_pin_the_generator() {
        let mut d = Draws::new(1, "golden", 0);
        let got: Vec<u64> = (0..3).map(|_| d.below(1_000_000)).collect();
        let normal = Draws::new(1, "golden", 1).normal();
        let exponential = Draws::new(1, "golden", 2).exponential(60.0);
        assert_eq!(
            format!("{got:?} {normal:.12} {exponential:.12}"),
            "[161007, 538109, 839755] -0.391413285148 28.825365818199"
        );
    }

    #[test]
    fn unit_and_exponential_have_their_means() {
        let n = 20_000u32;
        let (mut u, mut e) = (0.0, 0.0);
        for i in 0..n {
            let mut d = Draws::new(1, "mean", u64::from(i));
            u += d.unit();
            e += d.exponential(60.0);
        }
        assert!((u / f64::from(n) - 0.5).abs() < 0.01);
        assert!((e / f64::from(n) - 60.0).abs() < 1.5);
    }
}
