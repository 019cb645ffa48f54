//! Means, intervals and quantiles.
//!
//! Intervals are two-sided 95 % Student-t intervals over seeds: they cover
//! simulation noise only, never doubt about prices or demand. Measured on known
//! answers (tests here and in `cli::coverage`), they cover the truth in 93 to
//! 97 of 100 cases for costs and waiting times and what they differ by, with
//! ten seeds. Two kinds of figures are covered less often, until there are more
//! seeds: differences that a single random event of each run decides (90 of 100
//! with ten seeds, 93 with sixty, where they are exponential), and counts of
//! events so rare that all seeds together see few of them (63 of 100 for one
//! event in five seeds): seeds that saw none agree on zero. Cases share
//! their random numbers (the same seed draws the same interruptions and boot
//! times), so differences are taken seed by seed.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// A mean over seeds with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Half the width of the 95 % interval; `None` for one seed, which says
    /// nothing about noise.
    pub half_width: Option<f64>,
    /// Values behind it.
    pub n: usize,
}

impl Estimate {
    /// Lower end of the interval.
    #[must_use]
    pub fn low(&self) -> Option<f64> {
        self.half_width.map(|h| self.mean - h)
    }

    /// Upper end of the interval.
    #[must_use]
    pub fn high(&self) -> Option<f64> {
        self.half_width.map(|h| self.mean + h)
    }

    /// Whether zero lies within the interval: a difference that noise alone
    /// may explain. `None` for one seed. A difference of exactly zero without
    /// noise is no noise either.
    #[must_use]
    pub fn within_noise(&self) -> Option<bool> {
        self.half_width.map(|h| h > 0.0 && self.mean.abs() <= h)
    }
}

/// Mean and 95 % interval; `None` without values.
#[must_use]
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    let n = values.len();
    let first = *values.first()?;
    if values.iter().all(|v| v.to_bits() == first.to_bits()) {
        // Exactly: neither the mean nor the width picks up rounding.
        return Some(Estimate { mean: first, half_width: (n > 1).then_some(0.0), n });
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let sd = (squares / (n - 1) as f64).sqrt();
    let half_width = t95(n - 1) * sd / (n as f64).sqrt();
    Some(Estimate { mean, half_width: Some(half_width), n })
}

/// Paired difference `case − baseline` over the seeds that both have.
#[must_use]
pub fn difference(baseline: &[Option<f64>], case: &[Option<f64>]) -> Option<Estimate> {
    let differences: Vec<f64> =
        baseline.iter().zip(case).filter_map(|(b, c)| Some((*c)? - (*b)?)).collect();
    estimate(&differences)
}

/// Difference of two means whose values have nothing in common, `case −
/// baseline`, with Welch's interval (B. L. Welch, Biometrika 34, 1947): no
/// equal variances are assumed. `n` is that of the smaller sample; one value
/// on either side gives no interval.
#[must_use]
pub fn unpaired_difference(baseline: &[f64], case: &[f64]) -> Option<Estimate> {
    let (a, b) = (estimate(baseline)?, estimate(case)?);
    let (mean, n) = (b.mean - a.mean, a.n.min(b.n));
    if n < 2 {
        return Some(Estimate { mean, half_width: None, n });
    }
    // Squared standard errors of either mean.
    let error = |values: &[f64], mean: f64| {
        let n = values.len() as f64;
        values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0) / n
    };
    let (ea, eb) = (error(baseline, a.mean), error(case, b.mean));
    let both = ea + eb;
    if both <= 0.0 {
        return Some(Estimate { mean, half_width: Some(0.0), n });
    }
    let degrees = both * both / (ea * ea / (a.n - 1) as f64 + eb * eb / (b.n - 1) as f64);
    Some(Estimate { mean, half_width: Some(t975(degrees) * both.sqrt()), n })
}

fn t95(degrees: usize) -> f64 {
    t975(degrees as f64)
}

/// 97.5 % quantile of Student's t with so many degrees of freedom (at least
/// one), to nine decimals: beyond them, results of the C library's functions
/// underneath differ between machines.
fn t975(degrees: f64) -> f64 {
    let exact =
        StudentsT::new(0.0, 1.0, degrees.max(1.0)).map_or(f64::NAN, |t| t.inverse_cdf(0.975));
    (exact * 1e9).round() / 1e9
}

/// Nearest-rank quantile: the smallest value that at least `percent` in a
/// hundred do not exceed. `None` without values.
#[must_use]
pub fn nearest_rank<T: Copy>(ascending: &[T], percent: u32) -> Option<T> {
    let n = ascending.len() as u64;
    let rank = (n * u64::from(percent)).div_ceil(100).clamp(1, n.max(1));
    ascending.get(rank as usize - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Draws;

    #[test]
    fn interval_matches_a_hand_calculation() {
        // 10, 12, 14: mean 12, sd 2, t(2) = 4.302653, 4.302653 × 2 / √3.
        let e = estimate(&[10.0, 12.0, 14.0]).expect("values");
        assert!((e.mean - 12.0).abs() < 1e-12);
        assert!((e.half_width.expect("three") - 4.968_275).abs() < 1e-5);
        assert_eq!(e.n, 3);
        // Tables: t(4) = 2.776445, t(9) = 2.262157, t(99) = 1.984217.
        for (degrees, t) in [(1, 12.706_205), (4, 2.776_445), (9, 2.262_157), (99, 1.984_217)] {
            assert!((t95(degrees) - t).abs() < 1e-5, "{degrees}: {}", t95(degrees));
        }
    }

    #[test]
    fn one_seed_has_no_interval_and_equal_values_no_width() {
        let one = estimate(&[3.0]).expect("value");
        assert_eq!((one.mean, one.half_width, one.within_noise()), (3.0, None, None));
        let same = estimate(&[0.1, 0.1, 0.1]).expect("values");
        assert_eq!((same.mean, same.half_width), (0.1, Some(0.0)));
        assert_eq!(estimate(&[]), None);
    }

    #[test]
    fn pairing_removes_what_seeds_share() {
        // Levels differ wildly between seeds, the difference hardly does.
        let base = [Some(100.0), Some(200.0), None, Some(300.0)];
        let case = [Some(99.0), Some(198.0), Some(1.0), Some(297.0)];
        let d = difference(&base, &case).expect("three pairs");
        assert_eq!((d.mean, d.n), (-2.0, 3));
        // sd 1, t(2) / √3.
        assert!((d.half_width.expect("three") - 2.484_138).abs() < 1e-5);
        assert_eq!(d.within_noise(), Some(true));
        let sure = difference(&base[..2], &[Some(90.0), Some(190.0)]).expect("two pairs");
        assert_eq!((sure.half_width, sure.within_noise()), (Some(0.0), Some(false)));
    }

    #[test]
    fn means_without_common_seeds_have_welchs_interval() {
        // 1, 3, 5: mean 3, variance 4, error 4/3. 10, 14: mean 12, variance 8,
        // error 4. Degrees (16/3)² / ((4/3)²/2 + 4²/1) = 28.4444 / 16.8889 =
        // 1.684211. Tables: t(1) 12.706, t(2) 4.303; scipy: t(1.684211) 5.259226.
        let d = unpaired_difference(&[1.0, 3.0, 5.0], &[10.0, 14.0]).expect("values");
        assert_eq!((d.mean, d.n), (9.0, 2));
        let t = d.half_width.expect("two") / (16.0f64 / 3.0).sqrt();
        assert!((4.303..12.706).contains(&t), "{t}");
        // Equal samples of equal size: n − 1 twice, the t of four degrees.
        let d = unpaired_difference(&[1.0, 3.0, 5.0], &[11.0, 13.0, 15.0]).expect("values");
        assert!((d.half_width.expect("three") - 2.776_445 * (8.0f64 / 3.0).sqrt()).abs() < 1e-5);
        let one = unpaired_difference(&[1.0], &[2.0, 4.0]).expect("values");
        assert_eq!((one.mean, one.half_width), (2.0, None));
        let same = unpaired_difference(&[1.0, 1.0], &[2.0, 2.0]).expect("values");
        assert_eq!((same.half_width, same.within_noise()), (Some(0.0), Some(false)));
        assert_eq!(unpaired_difference(&[], &[1.0]), None);
    }

    #[test]
    fn quantiles_are_nearest_rank() {
        let v: Vec<i64> = (1..=10).collect();
        for (percent, want) in [(0, 1), (1, 1), (10, 1), (11, 2), (50, 5), (95, 10), (100, 10)] {
            assert_eq!(nearest_rank(&v, percent), Some(want), "{percent}");
        }
        assert_eq!(nearest_rank::<i64>(&[], 50), None);
        assert_eq!(nearest_rank(&[7], 1), Some(7));
    }

    /// Share of 4,000 repetitions whose interval covers the truth.
    fn coverage(truth: f64, mut interval: impl FnMut(u64) -> Estimate) -> f64 {
        let repetitions = 4_000;
        let covers = |e: Estimate| (e.mean - truth).abs() <= e.half_width.expect("an interval");
        (0..repetitions).filter(|i| covers(interval(*i))).count() as f64 / repetitions as f64
    }

    #[test]
    fn intervals_of_normal_values_cover_95_in_100() {
        let normals = |i, purpose, n: usize, mean: f64, sd: f64| -> Vec<f64> {
            let mut draws = Draws::new(i, purpose, 0);
            (0..n).map(|_| mean + sd * draws.normal()).collect()
        };
        for n in [2, 3, 5, 10, 30] {
            let share = coverage(7.0, |i| estimate(&normals(i, "a", n, 7.0, 2.0)).expect("values"));
            // Binomial: four standard errors of 0.34 %.
            assert!((share - 0.95).abs() < 0.014, "{n}: {share}");
        }
        // Levels vary ten times as much as the difference between cases.
        let paired = coverage(-1.0, |i| {
            let base = normals(i, "a", 10, 50.0, 10.0);
            let case: Vec<Option<f64>> =
                base.iter().zip(normals(i, "b", 10, -1.0, 1.0)).map(|(a, d)| Some(a + d)).collect();
            let base: Vec<Option<f64>> = base.into_iter().map(Some).collect();
            difference(&base, &case).expect("pairs")
        });
        assert!((paired - 0.95).abs() < 0.014, "{paired}");
        // Unequal sizes and spreads, as Welch's interval is made for.
        let unpaired = coverage(3.0, |i| {
            let (a, b) = (normals(i, "a", 5, 10.0, 1.0), normals(i, "b", 20, 13.0, 4.0));
            unpaired_difference(&a, &b).expect("values")
        });
        assert!((unpaired - 0.95).abs() < 0.014, "{unpaired}");
    }

    /// What the module's documentation says of rare counts.
    #[test]
    fn counts_of_rare_events_need_more_seeds() {
        let poisson = |i, n: usize, mean: f64| -> Vec<f64> {
            let mut draws = Draws::new(i, "events", 0);
            let mut count = || {
                let (mut at, mut events) = (draws.exponential(1.0), 0.0);
                while at < mean {
                    at += draws.exponential(1.0);
                    events += 1.0;
                }
                events
            };
            (0..n).map(|_| count()).collect()
        };
        let share = |n, mean| coverage(mean, |i| estimate(&poisson(i, n, mean)).expect("values"));
        // One event in all seeds together: a third has none, and no width.
        assert!(share(5, 0.2) < 0.7, "{}", share(5, 0.2));
        // Mended by seeds, or by events that are less rare.
        for (n, mean) in [(5, 2.0), (20, 1.0), (100, 0.2)] {
            assert!((0.93..0.97).contains(&share(n, mean)), "{n}, {mean}: {}", share(n, mean));
        }
    }
}
