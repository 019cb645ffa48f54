//! Whether a case does as much work as the baseline. One that does less is
//! never called cheaper.
//!
//! Judged per workload on means over the seeds both cases have:
//!
//! * a workload that the baseline runs and the case does not have: less work;
//! * more pods rejected than in the baseline: always less work;
//! * services with a demand curve: the unserved share of demand exceeds the
//!   baseline's by more than [`UNSERVED_TOLERANCE`];
//! * services without one: more replicas pending at the end, by half a pod or
//!   more;
//! * batch: the share of pods that did not finish exceeds the baseline's by
//!   more than [`UNFINISHED_TOLERANCE`]. Work that an interruption threw away
//!   shows here when it made pods miss the end; otherwise it costs money and
//!   time, which are compared on their own.
//!
//! The tolerances are shares of what the baseline does, so that little may be
//! lost of little. They let pods that a later start carries past a fixed end
//! pass, and second-long dips while replicas boot.

use crate::sweep::{Outcome, WorkloadOutcome};
use crate::workload::WorkloadKind;

/// Unserved share of demand above the baseline's that still counts as equal.
pub const UNSERVED_TOLERANCE: f64 = 0.001;
/// Unfinished share of batch pods above the baseline's that still counts as
/// equal.
pub const UNFINISHED_TOLERANCE: f64 = 0.005;

/// Work that a case leaves undone and the baseline does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Shortfall {
    /// Whose work.
    pub workload: String,
    /// What is missing.
    pub kind: ShortfallKind,
    /// In the case: pods, or a share of one.
    pub here: f64,
    /// In the baseline.
    pub baseline: f64,
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortfallKind {
    /// The whole workload: pods of the baseline, mean per seed.
    Missing,
    /// Pods that no pool can hold, mean per seed.
    Rejected,
    /// Share of demand that no replica served.
    Unserved,
    /// Share of batch pods that did not finish.
    Unfinished,
    /// Replicas pending at the end, mean per seed.
    Pending,
}

impl Shortfall {
    /// One clause, as in `web: 2.10 % of demand unserved (baseline 0.00 %)`.
    #[must_use]
    pub fn text(&self) -> String {
        let Shortfall { workload, here, baseline, .. } = self;
        let share = |v: &f64| format!("{:.2} %", v * 100.0);
        match self.kind {
            ShortfallKind::Missing => {
                format!("{workload}: does not run (baseline {baseline:.0} pods)")
            }
            ShortfallKind::Rejected => {
                format!("{workload}: {here:.0} pods rejected (baseline {baseline:.0})")
            }
            ShortfallKind::Unserved => format!(
                "{workload}: {} of demand unserved (baseline {})",
                share(here),
                share(baseline)
            ),
            ShortfallKind::Unfinished => format!(
                "{workload}: {} of pods unfinished (baseline {})",
                share(here),
                share(baseline)
            ),
            ShortfallKind::Pending => {
                format!(
                    "{workload}: {here:.1} replicas pending at the end (baseline {baseline:.1})"
                )
            }
        }
    }
}

/// What a case leaves undone against the baseline, by workload; with `only`,
/// of that workload. Outcomes stand in the order of the seeds.
#[must_use]
pub fn shortfalls(
    baseline: &[Option<Outcome>],
    case: &[Option<Outcome>],
    only: Option<&str>,
) -> Vec<Shortfall> {
    let mut found = Vec::new();
    let Some(any) = baseline.iter().flatten().next() else { return found };
    for workload in any.workloads.iter().filter(|w| only.is_none_or(|o| o == w.name)) {
        let pairs: Vec<(&WorkloadOutcome, &WorkloadOutcome)> = baseline
            .iter()
            .zip(case)
            .filter_map(|(b, c)| {
                Some((b.as_ref()?.workload(&workload.name)?, c.as_ref()?.workload(&workload.name)?))
            })
            .collect();
        if pairs.is_empty() {
            let seeds = || baseline.iter().zip(case).filter(|(b, c)| b.is_some() && c.is_some());
            let pods = |b: &Option<Outcome>| {
                let workload = b.as_ref().and_then(|b| b.workload(&workload.name));
                workload.map_or(0, |w| w.pods.submitted)
            };
            let all: u64 = seeds().map(|(b, _)| pods(b)).sum();
            if all > 0 && workload.kind != WorkloadKind::Daemon {
                found.push(Shortfall {
                    workload: workload.name.clone(),
                    kind: ShortfallKind::Missing,
                    here: 0.0,
                    baseline: all as f64 / seeds().count() as f64,
                });
            }
            continue;
        }
        let n = pairs.len() as f64;
        let means = |value: fn(&WorkloadOutcome) -> f64| {
            let sum = |of: &dyn Fn(&(&WorkloadOutcome, &WorkloadOutcome)) -> f64| {
                pairs.iter().map(of).sum::<f64>() / n
            };
            (sum(&|(b, _)| value(b)), sum(&|(_, c)| value(c)))
        };
        let mut check = |kind, value: fn(&WorkloadOutcome) -> f64, tolerance: Tolerance| {
            let (there, here) = means(value);
            let tolerance = match tolerance {
                Tolerance::Pods(pods) => pods,
                Tolerance::OfDone(share) => share * (1.0 - there),
            };
            if here > there + tolerance {
                let workload = workload.name.clone();
                found.push(Shortfall { workload, kind, here, baseline: there });
            }
        };
        check(ShortfallKind::Rejected, |w| w.pods.rejected as f64, Tolerance::Pods(0.0));
        match workload.kind {
            WorkloadKind::Batch => {
                let tolerance = Tolerance::OfDone(UNFINISHED_TOLERANCE);
                check(ShortfallKind::Unfinished, unfinished_share, tolerance);
            }
            WorkloadKind::Service if workload.demanded_core_hours > 0.0 => {
                let tolerance = Tolerance::OfDone(UNSERVED_TOLERANCE);
                check(ShortfallKind::Unserved, unserved_share, tolerance);
            }
            WorkloadKind::Service => {
                // Just under half a pod, so that exactly half counts.
                let tolerance = Tolerance::Pods(0.499);
                check(ShortfallKind::Pending, |w| w.pods.pending_at_end as f64, tolerance);
            }
            WorkloadKind::Daemon => {}
        }
    }
    found
}

/// How much more may stay undone.
enum Tolerance {
    /// Pods.
    Pods(f64),
    /// Of the share that the baseline gets done.
    OfDone(f64),
}

fn unserved_share(w: &WorkloadOutcome) -> f64 {
    if w.demanded_core_hours > 0.0 {
        w.pods.unserved_core_hours / w.demanded_core_hours
    } else {
        0.0
    }
}

fn unfinished_share(w: &WorkloadOutcome) -> f64 {
    let all = w.pods.finished + w.unfinished;
    if all > 0 { w.unfinished as f64 / all as f64 } else { 0.0 }
}
