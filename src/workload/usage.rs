//! What pods were seen to use: samples over intervals, as monitoring systems
//! export them, whatever the format.
//!
//! Readers in `import` fill a [`UsageSet`]; joining it to workloads and
//! deriving requests from it happens elsewhere. What a source does not say
//! stays `None`: a hole in a series is a missing sample, never zero.
//!
//! [`gather`] is where readers put what they find: it sorts, merges and
//! counts. [`native`] is the format of this project, [`owner`] tells whose a
//! pod is by its name, [`join`] finds the series of each workload.

pub mod gather;
pub mod join;
pub mod native;
pub mod owner;

use std::collections::BTreeMap;

use crate::units::{Bytes, MilliCpu};

/// Cpu as monitoring systems state it: a millionth of a core. Finer than
/// [`crate::units::MilliCpu`], because many pods use less than a thousandth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MicroCpu(pub i64);

impl MicroCpu {
    /// As a number of cores.
    #[must_use]
    pub fn cores(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// To the nearest thousandth of a core, halves up.
    #[must_use]
    pub fn to_milli(self) -> MilliCpu {
        MilliCpu((self.0 + 500).div_euclid(1_000))
    }
}

impl From<MilliCpu> for MicroCpu {
    fn from(cpu: MilliCpu) -> Self {
        MicroCpu(cpu.0.saturating_mul(1_000))
    }
}

/// One interval of a series. Cpu in millionths of a core, memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageSample {
    /// Start of the interval, Unix milliseconds.
    pub start_unix_ms: i64,
    /// Its length, milliseconds, at least 1.
    pub span_ms: i64,
    /// Mean cpu over the interval.
    pub cpu_mean: Option<MicroCpu>,
    /// Largest cpu within the interval, where the source knows it.
    pub cpu_max: Option<MicroCpu>,
    /// Mean memory over the interval.
    pub memory_mean: Option<Bytes>,
    /// Largest memory within the interval, where the source knows it.
    pub memory_max: Option<Bytes>,
}

/// What a pod, or a container of it, asked for while it was observed.
/// `None` is "not stated in the source", which for Kubernetes means no request
/// or no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatedResources {
    /// Cpu request.
    pub cpu_request: Option<MicroCpu>,
    /// Cpu limit.
    pub cpu_limit: Option<MicroCpu>,
    /// Memory request.
    pub memory_request: Option<Bytes>,
    /// Memory limit.
    pub memory_limit: Option<Bytes>,
}

/// Whose series it is. Empty text where the source does not say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UsageKey {
    /// Namespace.
    pub namespace: String,
    /// The owning workload (Deployment, StatefulSet, …), where the source
    /// names it.
    pub workload: String,
    /// Pod.
    pub pod: String,
    /// Container; empty for the pod as a whole.
    pub container: String,
}

/// Everything known about one pod or container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageSeries {
    /// Node it ran on, where the source says and it did not change.
    pub node: Option<String>,
    /// Replicas that the samples are a mean over; 1 for a single pod.
    pub replicas: u32,
    /// What it asked for, as last stated.
    pub stated: StatedResources,
    /// Samples, ascending and without overlap.
    pub samples: Vec<UsageSample>,
}

impl UsageSample {
    /// End of the interval, Unix milliseconds.
    #[must_use]
    pub const fn end_unix_ms(&self) -> i64 {
        self.start_unix_ms + self.span_ms
    }
}

impl UsageSeries {
    /// Mean cpu and memory over the samples that know them, weighted by
    /// their length, for one replica. Exact sums, rounded half up once.
    #[must_use]
    pub fn mean(&self) -> (Option<MicroCpu>, Option<Bytes>) {
        fn mean(parts: impl Iterator<Item = (i64, i64)>) -> Option<i64> {
            let (sum, span) = parts.fold((0i128, 0i128), |(sum, span), (value, ms)| {
                (sum + i128::from(value) * i128::from(ms), span + i128::from(ms))
            });
            (span > 0).then(|| ((2 * sum + span) / (2 * span)) as i64)
        }
        let samples = || self.samples.iter();
        (
            mean(samples().filter_map(|s| Some((s.cpu_mean?.0, s.span_ms)))).map(MicroCpu),
            mean(samples().filter_map(|s| Some((s.memory_mean?.0, s.span_ms)))).map(Bytes),
        )
    }
}

/// All series of a source, by owner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageSet {
    /// The series.
    pub series: BTreeMap<UsageKey, UsageSeries>,
}
