//! The named distributions a scenario can write.

use super::{Draws, exp, ln, pow};

/// A distribution of non-negative values. The unit is the caller's:
/// milliseconds for times, milli-cores or bytes for sizes.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub enum Distribution {
    /// Always the same value.
    Constant(f64),
    /// Uniform between `min` and `max`.
    Uniform {
        /// Lower end.
        min: f64,
        /// Upper end.
        max: f64,
    },
    /// Exponential.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// Log-normal, by its median and the sigma of the logarithm.
    LogNormal {
        /// The median, `e^mu`.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Weibull.
    Weibull {
        /// Scale λ.
        scale: f64,
        /// Shape k.
        shape: f64,
    },
    /// Pareto bounded above: heavy-tailed durations that still end.
    Pareto {
        /// Smallest value.
        min: f64,
        /// Values are truncated to this.
        max: f64,
        /// Tail exponent α.
        shape: f64,
    },
}

/// Why parameters do not describe a distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DistributionError(pub &'static str);

/// The standard normal quantile of 0.95, which turns a (median, p95) pair
/// into a log-normal sigma.
const Z95: f64 = 1.644_853_626_951_472_2;

impl Distribution {
    /// A log-normal from its median and 95th percentile.
    ///
    /// # Errors
    /// When the percentile is below the median or either is not positive.
    pub fn log_normal_p95(median: f64, p95: f64) -> Result<Self, DistributionError> {
        if !(median > 0.0 && p95.is_finite()) {
            return Err(DistributionError("the median must be positive"));
        }
        if p95 < median {
            return Err(DistributionError("p95 must not be below the median"));
        }
        Ok(Distribution::LogNormal { median, sigma: ln(p95 / median) / Z95 })
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// Names the first parameter that is negative, not finite or out of order.
    pub fn validate(&self) -> Result<(), DistributionError> {
        let ok = |x: f64| x.is_finite() && x >= 0.0;
        let positive = |x: f64| x.is_finite() && x > 0.0;
        match *self {
            Distribution::Constant(v) if !ok(v) => Err(DistributionError("must not be negative")),
            Distribution::Uniform { min, max } if !(ok(min) && ok(max) && min <= max) => {
                Err(DistributionError("needs 0 <= min <= max"))
            }
            Distribution::Exponential { mean } if !positive(mean) => {
                Err(DistributionError("the mean must be positive"))
            }
            Distribution::LogNormal { median, sigma } if !(positive(median) && ok(sigma)) => {
                Err(DistributionError("needs a positive median and a sigma of at least 0"))
            }
            Distribution::Weibull { scale, shape } if !(positive(scale) && positive(shape)) => {
                Err(DistributionError("scale and shape must be positive"))
            }
            Distribution::Pareto { min, max, shape }
                if !(positive(min) && ok(max) && min <= max && positive(shape)) =>
            {
                Err(DistributionError("needs 0 < min <= max and a positive shape"))
            }
            _ => Ok(()),
        }
    }

    /// One draw.
    pub fn sample(&self, draws: &mut Draws) -> f64 {
        match *self {
            Distribution::Constant(v) => v,
            Distribution::Uniform { min, max } => min + (max - min) * draws.unit(),
            Distribution::Exponential { mean } => draws.exponential(mean),
            Distribution::LogNormal { median, sigma } => median * exp(sigma * draws.normal()),
            // By inversion: −ln(1−U) is a unit exponential.
            Distribution::Weibull { scale, shape } => {
                scale * pow(draws.exponential(1.0), 1.0 / shape)
            }
            Distribution::Pareto { min, max, shape } => {
                (min * exp(draws.exponential(1.0) / shape)).min(max)
            }
        }
    }

    /// One draw as whole milliseconds (rounded to nearest), for times.
    #[allow(clippy::cast_possible_truncation)]
    pub fn sample_ms(&self, draws: &mut Draws) -> i64 {
        // `as` saturates, so a far tail cannot wrap.
        (self.sample(draws) + 0.5).max(0.0) as i64
    }

    /// Whether every draw is the same.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        match *self {
            Distribution::Constant(_) => true,
            Distribution::Uniform { min, max } => min.to_bits() == max.to_bits(),
            Distribution::LogNormal { sigma, .. } => sigma == 0.0,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantile(d: &Distribution, q: f64) -> f64 {
        let mut v: Vec<f64> =
            (0..20_000).map(|i| d.sample(&mut Draws::new(3, "quantile", i))).collect();
        v.sort_by(f64::total_cmp);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let index = (q * 20_000.0) as usize;
        v[index]
    }

    #[test]
    fn log_normal_hits_its_two_quantiles() {
        let d = Distribution::log_normal_p95(45.0, 90.0).expect("valid");
        assert!((quantile(&d, 0.5) - 45.0).abs() < 1.0);
        assert!((quantile(&d, 0.95) - 90.0).abs() < 3.0);
    }

    #[test]
    fn weibull_and_pareto_match_their_medians() {
        let w = Distribution::Weibull { scale: 100.0, shape: 2.0 };
        assert!((quantile(&w, 0.5) - 100.0 * 2f64.ln().sqrt()).abs() < 1.5);
        let p = Distribution::Pareto { min: 1.0, max: 1e9, shape: 2.0 };
        assert!((quantile(&p, 0.5) - 2f64.sqrt()).abs() < 0.03);
    }

    #[test]
    fn nonsense_is_refused() {
        for d in [
            Distribution::Constant(f64::NAN),
            Distribution::Uniform { min: 2.0, max: 1.0 },
            Distribution::Exponential { mean: 0.0 },
            Distribution::LogNormal { median: 1.0, sigma: f64::INFINITY },
            Distribution::Pareto { min: 0.0, max: 1.0, shape: 1.0 },
        ] {
            assert!(d.validate().is_err(), "{d:?}");
        }
    }
}
