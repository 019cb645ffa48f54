//! What the user wants of a right size: statistic, method, bounds, how much
//! must be known.

use std::fmt;

use crate::units::{Bytes, DAY_MS, MilliCpu, Percent, SimDuration};

/// What is taken of the usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Statistic {
    /// A quantile, in a hundred: 50, 90, 95 or 99.
    Percentile(u32),
    /// The largest.
    Max,
    /// The mean over time.
    Mean,
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statistic::Percentile(p) => write!(f, "p{p}"),
            Statistic::Max => f.write_str("max"),
            Statistic::Mean => f.write_str("mean"),
        }
    }
}

/// A statistic and what is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Expression {
    /// What is taken.
    pub statistic: Statistic,
    /// Share of it that is added.
    pub margin: Percent,
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.statistic)?;
        if self.margin.ppm > 0 { write!(f, "+{}", self.margin) } else { Ok(()) }
    }
}

/// How a statistic of a workload is made of its pods; see the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// All samples of all pods in one heap.
    Pooled,
    /// The largest of the pods' own.
    PerPodMax,
    /// The Vertical Pod Autoscaler's histograms.
    Vpa,
}

/// What becomes of limits when requests change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitRule {
    /// They keep their ratio to the request, as the Vertical Pod Autoscaler
    /// does; rounded up.
    Ratio,
    /// They stay; a request is held at its limit.
    Keep,
}

/// What becomes of containers that request nothing today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AbsentRequests {
    /// They get a request like any other.
    Set,
    /// They stay without.
    Keep,
}

/// Everything that decides advice beside the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Of cpu.
    pub cpu: Expression,
    /// Of memory.
    pub memory: Expression,
    /// How pods are combined.
    pub method: Method,
    /// No request falls below this.
    pub floor: (MilliCpu, Bytes),
    /// No request rises above this; `None` for no bound.
    pub ceiling: (Option<MilliCpu>, Option<Bytes>),
    /// Requests are multiples of this, rounded up.
    pub round: (MilliCpu, Bytes),
    /// What becomes of limits.
    pub limits: LimitRule,
    /// What becomes of containers without a request.
    pub absent_requests: AbsentRequests,
    /// Fewest samples, over all pods.
    pub min_samples: u64,
    /// Shortest time from the first sample to the end of the last.
    pub min_history: SimDuration,
    /// Least share of that time, pod by pod, which samples cover.
    pub min_coverage: Percent,
}

impl Default for Policy {
    /// 95th percentile of cpu, largest memory and 15 %, pooled.
    fn default() -> Self {
        Policy {
            cpu: Expression { statistic: Statistic::Percentile(95), margin: Percent { ppm: 0 } },
            memory: Expression { statistic: Statistic::Max, margin: Percent { ppm: 150_000 } },
            method: Method::Pooled,
            floor: (MilliCpu(1), Bytes(1 << 20)),
            ceiling: (None, None),
            round: (MilliCpu(1), Bytes(1 << 20)),
            limits: LimitRule::Ratio,
            absent_requests: AbsentRequests::Set,
            min_samples: 20,
            min_history: SimDuration(DAY_MS),
            min_coverage: Percent { ppm: 750_000 },
        }
    }
}
