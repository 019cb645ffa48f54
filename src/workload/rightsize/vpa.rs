//! The recommender of the Vertical Pod Autoscaler: exponential histograms
//! whose old samples fade (kubernetes/autoscaler, vertical-pod-autoscaler,
//! `pkg/recommender/util/{histogram,decaying_histogram}.go`,
//! `model/aggregate_container_state.go`, `logic/`; main branch of 2025-02).
//!
//! All pods of a workload share the histograms of each container. Cpu: one
//! sample a minute, weight 0.1. Memory: one peak per container and 24 hours,
//! weight 1, dated at the end of its window. Every 24 hours older weights
//! halve; samples older than eight days are not read.
//!
//! An interval of a series stands for the one-minute scrapes within it, all
//! of them at its mean (cpu) or its peak (memory): their weights are a
//! geometric series, so that an interval costs O(1) however long it is.
//!
//! DIFFERENCE: exports of usage carry no `OOMKilled` events, so that nothing
//! bumps memory after one.

use super::series::{Resource, Series};
use crate::rng;
use crate::units::{DAY_MS, MINUTE_MS};

/// Buckets grow by this ratio (`DefaultHistogramBucketSizeGrowth`).
const GROWTH: f64 = 0.05;
/// Weights below this count as empty (`epsilon`).
const EPSILON: f64 = 0.0001;
/// Half-life of cpu and memory weights.
const HALF_LIFE_MS: f64 = DAY_MS as f64;
/// Weight of a cpu sample.
const CPU_WEIGHT: f64 = 0.1;
/// Memory is aggregated over this.
const PEAK_WINDOW_MS: i64 = DAY_MS;
/// How far back samples are read.
const HISTORY_MS: i64 = 8 * DAY_MS;
/// Lower and upper bounds are these quantiles.
const BOUNDS: (f64, f64) = (0.5, 0.95);
/// A pod asks for at least so many milli-cores and bytes, its containers
/// together (`pod-recommendation-min-cpu-millicores`, `-memory-mb`).
pub const POD_MINIMUM: (i64, i64) = (25, 250 << 20);
/// Expressions that the recommender uses unless told otherwise: 90th
/// percentile and 15 %.
pub const DEFAULT: (u32, i64) = (90, 150_000);

/// A histogram whose buckets grow exponentially.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    first: f64,
    weights: Vec<f64>,
    total: f64,
}

impl Histogram {
    /// An empty one with first bucket size and largest value, in the unit of
    /// the values.
    #[must_use]
    pub fn new(first: f64, max: f64) -> Histogram {
        let buckets = (rng::ln(max * GROWTH / first + 1.0) / rng::ln(1.0 + GROWTH)).ceil() + 1.0;
        Histogram { first, weights: vec![0.0; buckets as usize], total: 0.0 }
    }

    /// Of cpu, in cores.
    #[must_use]
    pub fn cpu() -> Histogram {
        Histogram::new(0.01, 1_000.0)
    }

    /// Of memory, in bytes.
    #[must_use]
    pub fn memory() -> Histogram {
        Histogram::new(1e7, 1e12)
    }

    /// Number of buckets.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.weights.len()
    }

    /// The bucket of a value.
    #[must_use]
    pub fn bucket(&self, value: f64) -> usize {
        if value < self.first {
            return 0;
        }
        let bucket = rng::ln(value * GROWTH / self.first + 1.0) / rng::ln(1.0 + GROWTH);
        (bucket.floor() as usize).min(self.weights.len() - 1)
    }

    /// Where a bucket starts.
    #[must_use]
    pub fn start(&self, bucket: usize) -> f64 {
        self.first * (rng::pow(1.0 + GROWTH, bucket as f64) - 1.0) / GROWTH
    }

    /// Adds weight to the bucket of a value.
    pub fn add(&mut self, value: f64, weight: f64) {
        let bucket = self.bucket(value);
        if let Some(sum) = self.weights.get_mut(bucket) {
            *sum += weight;
            self.total += weight;
        }
    }

    /// The end of the first bucket with which at least this share of the
    /// weight is reached (of the last bucket its start); 0 without weight.
    #[must_use]
    pub fn percentile(&self, share: f64) -> f64 {
        let filled = |w: &f64| *w >= EPSILON;
        let (Some(first), Some(last)) =
            (self.weights.iter().position(filled), self.weights.iter().rposition(filled))
        else {
            return 0.0;
        };
        let mut sum = 0.0;
        let reached = (first..last).find(|bucket| {
            sum += self.weights[*bucket];
            sum >= share * self.total
        });
        let bucket = reached.unwrap_or(last);
        self.start(if bucket + 1 < self.weights.len() { bucket + 1 } else { bucket })
    }
}

/// A recommendation in milli-cores or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recommendation {
    /// What to request.
    pub target: i64,
    /// Below this a request is too small.
    pub lower: i64,
    /// Above this a request is too large.
    pub upper: i64,
}

/// How much is known: the smaller of the days that cpu samples span and the
/// days' worth of them at one a minute.
#[must_use]
pub fn confidence(lifespan_ms: i64, samples: u64) -> f64 {
    (lifespan_ms as f64 / DAY_MS as f64).min(samples as f64 / 1_440.0)
}

/// Recommends for one container of a workload from its pods' series, of which
/// `cpu` decides the confidence for both resources. `percent` is the target's
/// quantile in a hundred, `margin_ppm` what is added to it; `containers` share
/// the minimum of the pod. `None` without samples.
#[must_use]
pub fn recommend(
    resource: Resource,
    series: &[Series],
    cpu: &[Series],
    percent: u32,
    margin_ppm: i64,
    containers: usize,
) -> Option<Recommendation> {
    let histogram = match resource {
        Resource::Cpu => cpu_histogram(series),
        Resource::Memory => memory_histogram(series),
    }?;
    let known = scrapes(cpu).map_or(0.0, |(lifespan, n)| confidence(lifespan, n));
    let margin = 1.0 + margin_ppm as f64 / 1e6;
    // Order as in `logic/recommender.go`: margin, confidence, minimum.
    let lower = histogram.percentile(BOUNDS.0) * margin;
    let upper = histogram.percentile(BOUNDS.1) * margin;
    let lower = if known > 0.0 { lower * rng::pow(1.0 + 0.001 / known, -2.0) } else { 0.0 };
    let upper = if known > 0.0 { upper * (1.0 + 1.0 / known) } else { f64::INFINITY };
    let (unit, minimum) = match resource {
        Resource::Cpu => (1e3, POD_MINIMUM.0 as f64),
        Resource::Memory => (1.0, POD_MINIMUM.1 as f64),
    };
    let minimum = minimum / containers.max(1) as f64;
    // A float that stands for a whole number is not rounded up past it.
    let up = |value: f64| (((value * unit).max(minimum)) - 1e-6).ceil().max(0.0) as i64;
    Some(Recommendation {
        target: up(histogram.percentile(f64::from(percent) / 100.0) * margin),
        lower: up(lower),
        upper: up(upper),
    })
}

/// One-minute scrapes within an interval.
fn scrapes_in(span_ms: i64) -> i64 {
    span_ms.saturating_add(MINUTE_MS - 1) / MINUTE_MS
}

/// From the first to the last scrape, and how many there are.
fn scrapes(series: &[Series]) -> Option<(i64, u64)> {
    let (first, last) = read(series)?;
    let mut n = 0;
    let mut latest = first;
    for s in series {
        for sample in s.samples.iter().filter(|s| s.start_ms >= first) {
            let scrapes = scrapes_in(sample.span_ms).max(1);
            n += scrapes as u64 * u64::from(s.replicas);
            latest = latest.max(sample.start_ms + (scrapes - 1) * MINUTE_MS);
        }
    }
    (n > 0 && last > first).then_some((latest - first, n))
}

/// First and last moment that is read: at most eight days back.
fn read(series: &[Series]) -> Option<(i64, i64)> {
    let extents = series.iter().filter_map(Series::extent);
    let (first, last) = extents.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let oldest = last.saturating_sub(HISTORY_MS);
    let starts = series.iter().flat_map(|s| &s.samples).map(|s| s.start_ms);
    let first = starts.filter(|at| *at >= oldest).min().unwrap_or(first);
    Some((first, last))
}

/// How often a weight doubles within so many milliseconds.
fn doubled(ms: f64) -> f64 {
    rng::pow(2.0, ms / HALF_LIFE_MS)
}

fn cpu_histogram(series: &[Series]) -> Option<Histogram> {
    let (first, _) = read(series)?;
    let mut histogram = Histogram::cpu();
    let step = doubled(MINUTE_MS as f64);
    for s in series {
        for sample in s.samples.iter().filter(|s| s.start_ms >= first) {
            let n = scrapes_in(sample.span_ms).max(1);
            let scrapes =
                if n == 1 { 1.0 } else { (rng::pow(step, n as f64) - 1.0) / (step - 1.0) };
            let weight = CPU_WEIGHT
                * doubled((sample.start_ms - first) as f64)
                * scrapes
                * f64::from(s.replicas);
            histogram.add(sample.mean as f64 / 1e6, weight);
        }
    }
    Some(histogram)
}

fn memory_histogram(series: &[Series]) -> Option<Histogram> {
    let (first, _) = read(series)?;
    let mut histogram = Histogram::memory();
    for s in series {
        // Windows of a container begin with its own first sample.
        let mut window: Option<(i64, i64)> = None;
        let mut close = |window: Option<(i64, i64)>| {
            if let Some((end, peak)) = window {
                let weight = doubled((end - first) as f64) * f64::from(s.replicas);
                histogram.add(peak as f64, weight);
            }
        };
        for sample in s.samples.iter().filter(|s| s.start_ms >= first) {
            let mut at = sample.start_ms;
            let latest = at + (scrapes_in(sample.span_ms).max(1) - 1) * MINUTE_MS;
            loop {
                window = match window {
                    Some((end, peak)) if at < end => Some((end, peak.max(sample.peak))),
                    open => {
                        close(open);
                        let from = open.map_or(at, |(end, _)| {
                            end + (at - end).div_euclid(PEAK_WINDOW_MS) * PEAK_WINDOW_MS
                        });
                        Some((from + PEAK_WINDOW_MS, sample.peak))
                    }
                };
                // An interval that reaches into the next window peaks there too.
                match window {
                    Some((end, _)) if end <= latest => at = end,
                    _ => break,
                }
            }
        }
        close(window);
    }
    Some(histogram)
}

#[cfg(test)]
mod tests {
    use super::super::series::Sample;
    use super::*;
    use crate::units::HOUR_MS;

    fn series(samples: &[(i64, i64, i64)]) -> Series {
        let sample = |(start_ms, span_ms, value): &(i64, i64, i64)| Sample {
            start_ms: *start_ms,
            span_ms: *span_ms,
            mean: *value,
            peak: *value,
        };
        Series { samples: samples.iter().map(sample).collect(), replicas: 1 }
    }

    /// A week of hours, all alike.
    fn week(value: i64) -> Vec<Series> {
        let hours: Vec<_> = (0..168).map(|h| (h * HOUR_MS, HOUR_MS, value)).collect();
        vec![series(&hours)]
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-4 * b.abs()
    }

    #[test]
    fn buckets_are_those_of_the_worked_examples() {
        let (cpu, memory) = (Histogram::cpu(), Histogram::memory());
        assert_eq!((cpu.buckets(), memory.buckets()), (176, 176));
        for (cores, bucket, end) in
            [(0.005, 0, 0.01), (0.1, 8, 0.1103), (0.35, 20, 0.3572), (1.0, 36, 1.0163)]
        {
            assert_eq!(cpu.bucket(cores), bucket, "{cores}");
            assert!((cpu.start(bucket + 1) - end).abs() < 5e-5, "{cores}");
        }
        for (bytes, bucket, end) in
            [((200i64 << 20) as f64, 14, 215_785_636.0), ((1i64 << 30) as f64, 37, 1_077_095_458.0)]
        {
            assert_eq!(memory.bucket(bytes), bucket);
            assert!((memory.start(bucket + 1) - end).abs() < 1.0);
        }
        assert_eq!(cpu.bucket(1e9), 175);
    }

    #[test]
    fn targets_are_those_of_the_worked_examples() {
        // 5m → bucket end 10m × 1.15 = 11.5m → minimum 25m; 0.1 → 126.8m; …
        for (micro, milli) in [(5_000, 25), (100_000, 127), (350_000, 411), (1_000_000, 1_169)] {
            let usage = week(micro);
            let got = recommend(Resource::Cpu, &usage, &usage, 90, 150_000, 1).expect("samples");
            assert_eq!(got.target, milli, "{micro}");
        }
        let cpu = week(1_000);
        for (bytes, want) in [(200i64 << 20, 250 << 20), (1 << 30, 1_238_659_777)] {
            let got =
                recommend(Resource::Memory, &week(bytes), &cpu, 90, 150_000, 1).expect("samples");
            assert!((got.target - want).abs() <= 1, "{bytes}: {}", got.target);
        }
        // Two containers share the minimum.
        let got = recommend(Resource::Cpu, &cpu, &cpu, 90, 150_000, 2).expect("samples");
        assert_eq!(got.target, 13);
        assert_eq!(recommend(Resource::Cpu, &[], &[], 90, 0, 1), None);
    }

    #[test]
    fn confidence_widens_the_bounds_as_in_the_worked_examples() {
        // 5 minutes → upper × 289, lower × 0.603; 12 h → 3, 0.996; 7 d → 1.14, 1.
        for (minutes, upper, lower) in [
            (5, 289.0, 0.6030),
            (720, 3.0, 0.9960),
            (1_440, 2.0, 0.9980),
            (10_080, 1.142_857, 0.9997),
        ] {
            let known = confidence(minutes * MINUTE_MS, minutes as u64);
            assert!(close(1.0 + 1.0 / known, upper), "{minutes}");
            assert!((rng::pow(1.0 + 0.001 / known, -2.0) - lower).abs() < 1e-3, "{minutes}");
        }
        // A day at 1 core: 24 hours of scrapes, the last 23 h 59 min after the
        // first, so 1439/1440 of a day; upper = 1.01630 × 1.15 × (1 + 1440/1439).
        let day: Vec<_> = (0..24).map(|h| (h * HOUR_MS, HOUR_MS, 1_000_000)).collect();
        let day = [series(&day)];
        let got = recommend(Resource::Cpu, &day, &day, 90, 150_000, 1).expect("samples");
        let conf = 1_439.0 / 1_440.0;
        let end = 0.2 * (rng::pow(1.05, 37.0) - 1.0);
        assert_eq!(got.upper, (end * 1.15 * (1.0 + 1.0 / conf) * 1e3).ceil() as i64);
        assert_eq!((got.target, got.lower), (1_169, 1_167));
    }

    #[test]
    fn old_samples_fade_by_half_a_day() {
        // One minute at 1 core, then 24 h later one at 0.1: weights 1 : 2, so
        // that two thirds lie in the lower bucket.
        let usage = series(&[(0, MINUTE_MS, 1_000_000), (DAY_MS, MINUTE_MS, 100_000)]);
        let histogram = cpu_histogram(&[usage]).expect("samples");
        assert!(close(histogram.total, 0.1 * 3.0));
        assert_eq!(histogram.percentile(0.66).to_bits(), histogram.start(9).to_bits());
        assert_eq!(histogram.percentile(0.67).to_bits(), histogram.start(37).to_bits());
    }

    #[test]
    fn an_interval_is_its_scrapes() {
        let hour = cpu_histogram(&[series(&[(0, HOUR_MS, 300_000)])]).expect("samples");
        let minutes: Vec<_> = (0..60).map(|m| (m * MINUTE_MS, MINUTE_MS, 300_000)).collect();
        let minutes = cpu_histogram(&[series(&minutes)]).expect("samples");
        assert!((hour.total - minutes.total).abs() < 1e-9);
        let a = scrapes(&[series(&[(0, HOUR_MS, 1)])]);
        assert_eq!(a, Some((59 * MINUTE_MS, 60)));
    }

    #[test]
    fn memory_is_one_peak_per_container_and_day() {
        // Windows [0, 24 h) and [24 h, 48 h): peaks 3 GB and 2 GB, dated 24 h
        // and 48 h, so weights 2 and 4.
        let usage = series(&[
            (0, HOUR_MS, 1_000_000_000),
            (HOUR_MS, HOUR_MS, 3_000_000_000),
            (30 * HOUR_MS, HOUR_MS, 2_000_000_000),
        ]);
        let histogram = memory_histogram(&[usage]).expect("samples");
        assert!(close(histogram.total, 6.0));
        assert!(close(histogram.weights[histogram.bucket(3e9)], 2.0));
        assert!(close(histogram.weights[histogram.bucket(2e9)], 4.0));
        // An interval across the border peaks in both windows; one two days
        // later opens its own, aligned to the first sample.
        let usage = series(&[(0, 25 * HOUR_MS, 1_000_000_000), (75 * HOUR_MS, HOUR_MS, 1)]);
        let histogram = memory_histogram(&[usage]).expect("samples");
        assert!(close(histogram.weights[histogram.bucket(1e9)], 2.0 + 4.0));
        assert!(close(histogram.weights[0], 16.0));
    }

    #[test]
    fn what_is_older_than_eight_days_is_not_read() {
        let usage = series(&[(0, MINUTE_MS, 9_000_000), (9 * DAY_MS, MINUTE_MS, 100_000)]);
        let histogram = cpu_histogram(&[usage]).expect("samples");
        assert!(close(histogram.total, 0.1));
    }
}
