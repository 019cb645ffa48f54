//! One resource of one pod or container over time, and quantiles of it.

use crate::units::{Bytes, MilliCpu};
use crate::workload::usage::{StatedResources, UsageSeries};

/// Which resource a number is of. Usage is in millionths of a core or bytes,
/// requests in thousandths of a core or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Cpu.
    Cpu,
    /// Memory.
    Memory,
}

impl Resource {
    /// Both, in the order of tables.
    pub const ALL: [Resource; 2] = [Resource::Cpu, Resource::Memory];

    /// Its name in Kubernetes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Resource::Cpu => "cpu",
            Resource::Memory => "memory",
        }
    }

    /// Units of usage in one unit of a request.
    #[must_use]
    pub const fn usage_per_request(self) -> i64 {
        match self {
            Resource::Cpu => 1_000,
            Resource::Memory => 1,
        }
    }

    /// A request as Kubernetes writes it.
    #[must_use]
    pub fn quantity(self, request: i64) -> String {
        match self {
            Resource::Cpu => MilliCpu(request).to_string(),
            Resource::Memory => Bytes(request).to_string(),
        }
    }

    /// Request and limit as stated, in units of requests, rounded up.
    #[must_use]
    pub fn stated(self, stated: &StatedResources) -> (Option<i64>, Option<i64>) {
        let milli = |c: crate::workload::usage::MicroCpu| (c.0 + 999).div_euclid(1_000);
        match self {
            Resource::Cpu => (stated.cpu_request.map(milli), stated.cpu_limit.map(milli)),
            Resource::Memory => {
                (stated.memory_request.map(|b| b.0), stated.memory_limit.map(|b| b.0))
            }
        }
    }
}

/// Usage over one interval, in units of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Start, Unix milliseconds.
    pub start_ms: i64,
    /// Length, milliseconds, at least 1.
    pub span_ms: i64,
    /// Mean over the interval; its peak where only that is known.
    pub mean: i64,
    /// Peak within the interval; its mean where only that is known.
    pub peak: i64,
}

/// One resource of one pod or container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Ascending, without overlap, holes left out.
    pub samples: Vec<Sample>,
    /// Pods that the samples are a mean over, at least 1: they weigh as much.
    pub replicas: u32,
}

impl Series {
    /// What a series says of a resource; intervals that do not know it are
    /// holes.
    #[must_use]
    pub fn of(usage: &UsageSeries, resource: Resource) -> Series {
        let samples = usage.samples.iter().filter_map(|s| {
            let (mean, peak) = match resource {
                Resource::Cpu => (s.cpu_mean.map(|c| c.0), s.cpu_max.map(|c| c.0)),
                Resource::Memory => (s.memory_mean.map(|b| b.0), s.memory_max.map(|b| b.0)),
            };
            let mean = mean.or(peak)?;
            Some(Sample {
                start_ms: s.start_unix_ms,
                span_ms: s.span_ms.max(1),
                mean: mean.max(0),
                peak: peak.unwrap_or(mean).max(mean).max(0),
            })
        });
        Series { samples: samples.collect(), replicas: usage.replicas.max(1) }
    }

    /// First start and last end; `None` without samples.
    #[must_use]
    pub fn extent(&self) -> Option<(i64, i64)> {
        let first = self.samples.first()?.start_ms;
        let last = self.samples.last()?;
        Some((first, last.start_ms.saturating_add(last.span_ms)))
    }

    /// Time that samples cover, milliseconds.
    #[must_use]
    pub fn covered_ms(&self) -> i64 {
        self.samples.iter().map(|s| s.span_ms).sum()
    }

    /// (mean, weight) of every sample.
    pub(super) fn weighted(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let replicas = u64::from(self.replicas);
        self.samples.iter().map(move |s| (s.mean, s.span_ms as u64 * replicas))
    }

    /// The largest peak.
    #[must_use]
    pub fn peak(&self) -> Option<i64> {
        self.samples.iter().map(|s| s.peak).max()
    }
}

/// Weighted nearest rank: the smallest value at or below which at least
/// `percent` in a hundred of the weight lies; 0 means the smallest value.
/// `None` without weight. `ascending` is sorted by value.
#[must_use]
pub fn nearest_rank_weighted(ascending: &[(i64, u64)], percent: u32) -> Option<i64> {
    let total: u128 = ascending.iter().map(|(_, w)| u128::from(*w)).sum();
    let mut sum = 0u128;
    ascending
        .iter()
        .filter(|(_, weight)| *weight > 0)
        .find(|(_, weight)| {
            sum += u128::from(*weight);
            sum * 100 >= total * u128::from(percent)
        })
        .map(|(value, _)| *value)
}

/// Mean by weight, rounded up; `None` without weight.
pub(super) fn mean_weighted(values: &[(i64, u64)]) -> Option<i64> {
    let total: i128 = values.iter().map(|(_, w)| i128::from(*w)).sum();
    let sum: i128 = values.iter().map(|(v, w)| i128::from(*v) * i128::from(*w)).sum();
    (total > 0).then(|| i64::try_from((sum + total - 1) / total).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::usage::{MicroCpu, UsageSample};

    #[test]
    fn nearest_rank_counts_time_not_samples() {
        // 1 for one hour, 2 for eight, 9 for one: of ten hours.
        let values = [(1, 1), (2, 8), (9, 1)];
        let at = |p| nearest_rank_weighted(&values, p);
        assert_eq!((at(0), at(10), at(11)), (Some(1), Some(1), Some(2)));
        // Nine of ten hours are at or below 2: exactly 90 %.
        assert_eq!((at(90), at(91), at(100)), (Some(2), Some(9), Some(9)));
        assert_eq!(nearest_rank_weighted(&[], 50), None);
        assert_eq!(nearest_rank_weighted(&[(7, 0), (8, 1)], 50), Some(8));
        // (1 + 16 + 9) / 10 = 2.6, up.
        assert_eq!(mean_weighted(&values), Some(3));
    }

    #[test]
    fn a_hole_is_no_sample_and_a_peak_is_never_below_its_mean() {
        let sample = |start: i64, mean: Option<i64>, max: Option<i64>| UsageSample {
            start_unix_ms: start,
            span_ms: 10,
            cpu_mean: mean.map(MicroCpu),
            cpu_max: max.map(MicroCpu),
            ..UsageSample::default()
        };
        let usage = UsageSeries {
            samples: vec![
                sample(0, Some(5), None),
                sample(10, None, None),
                sample(20, None, Some(8)),
                sample(30, Some(6), Some(4)),
            ],
            ..UsageSeries::default()
        };
        let series = Series::of(&usage, Resource::Cpu);
        let got: Vec<_> = series.samples.iter().map(|s| (s.start_ms, s.mean, s.peak)).collect();
        assert_eq!(got, [(0, 5, 5), (20, 8, 8), (30, 6, 6)]);
        assert_eq!((series.extent(), series.covered_ms()), (Some((0, 40)), 30));
        assert!(Series::of(&usage, Resource::Memory).samples.is_empty());
    }

    #[test]
    fn stated_cpu_rounds_up_to_a_thousandth() {
        let stated = StatedResources {
            cpu_request: Some(MicroCpu(1_001)),
            memory_limit: Some(Bytes(5)),
            ..StatedResources::default()
        };
        assert_eq!(Resource::Cpu.stated(&stated), (Some(2), None));
        assert_eq!(Resource::Memory.stated(&stated), (None, Some(5)));
    }
}
