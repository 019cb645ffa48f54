//! Cases against the baseline: what is compared, and `comparison.csv`.
//!
//! One row per case, workload and metric. Columns:
//!
//! | column | meaning |
//! | --- | --- |
//! | `case` | case, in scenario order |
//! | `workload` | workload; empty for the whole cluster |
//! | `metric`, `unit` | see [`Metric`] and [`WorkloadMetric`] |
//! | `mean` | mean over seeds |
//! | `ci_low`, `ci_high` | 95 % Student-t interval; empty for one seed |
//! | `diff` | mean of the differences to the baseline, seed by seed; empty for the baseline |
//! | `diff_low`, `diff_high` | its interval |
//! | `seeds` | values behind the mean |
//!
//! Rows without any value (no pods, no month) are left out. Numbers have at
//! most six decimals. A name that a spreadsheet would take for a formula is
//! preceded by an apostrophe.

use std::borrow::Cow;
use std::io::Write;

use super::model::Study;
use super::outcome::{Outcome, WorkloadOutcome};
use super::stats::{Estimate, difference, estimate};
use crate::{Error, Result};

macro_rules! metrics {
    ($(#[$doc:meta])* $type:ident of $source:ty {
        $($(#[$vdoc:meta])* $variant:ident, $name:literal, $unit:literal, $value:expr;)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$vdoc])* $variant,)* }

        impl $type {
            /// Every metric, in the order of the rows.
            pub const ALL: [$type; [$($name),*].len()] = [$($type::$variant),*];

            /// Its name in results.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }

            /// Its unit in results; empty for counts and shares.
            #[must_use]
            pub const fn unit(self) -> &'static str {
                match self { $($type::$variant => $unit,)* }
            }

            /// Its value in one cell; `None` where there is none.
            #[must_use]
            pub fn value(self, of: &$source) -> Option<f64> {
                let value: fn(&$source) -> Option<f64> =
                    match self { $($type::$variant => $value,)* };
                value(of)
            }
        }
    };
}

metrics! {
    /// What is compared over the whole cluster. Times and money cover
    /// [warm-up end, end).
    Metric of Outcome {
        /// Net cost: after commitments, amortised by the hour.
        Cost, "cost", "USD", |o| Some(o.cost.total.to_f64());
        /// Net cost scaled to 730 hours.
        CostMonthly, "cost_monthly", "USD/month", |o| Some(o.cost.monthly?.to_f64());
        /// Cost of the same usage without commitments.
        CostList, "cost_list", "USD", |o| Some(o.cost.list.to_f64());
        /// Net cost per requested core-hour of pods, `DaemonSet`s and repeated
        /// work left out.
        CostPerCoreHour, "cost_per_requested_core_hour", "USD/core-hour", |o| {
            (o.requested_core_hours > 0.0).then(|| o.cost.total.to_f64() / o.requested_core_hours)
        };
        /// Net cost per 1,000 pod instances that started.
        CostPerThousandPods, "cost_per_1000_pods_started", "USD", |o| {
            (o.pods.started > 0).then(|| o.cost.total.to_f64() * 1e3 / o.pods.started as f64)
        };
        /// Instances and Fargate at list price, before commitments and credits.
        ComputeList, "compute_list", "USD", |o| Some(o.lower_bound?.compute.to_f64());
        /// What they cost at least, however the same pods are placed.
        ComputeBound, "compute_lower_bound", "USD", |o| Some(o.lower_bound?.bound.to_f64());
        /// The share that at most could be saved of them.
        ComputeGap, "compute_gap_of_list", "", |o| o.lower_bound?.gap();
        /// Mean pending time.
        PendingMean, "pending_mean", "s", |o| o.pending_s.mean;
        /// Median pending time.
        PendingP50, "pending_p50", "s", |o| o.pending_s.p50;
        /// 95th percentile of pending times.
        PendingP95, "pending_p95", "s", |o| o.pending_s.p95;
        /// 99th percentile of pending times.
        PendingP99, "pending_p99", "s", |o| o.pending_s.p99;
        /// 95th percentile of the time from submission to running.
        ReadyP95, "ready_p95", "s", |o| o.ready_s.p95;
        /// Pods evicted by drains.
        Evictions, "evictions", "", |o| Some(o.pods.evicted as f64);
        /// Pods lost with their node.
        Interruptions, "interruptions", "", |o| Some(o.pods.interrupted as f64);
        /// Demand on services that nothing served.
        Unserved, "unserved_core_hours", "core-hours", |o| Some(o.pods.unserved_core_hours);
        /// Work thrown away and done again.
        Repeated, "repeated_core_hours", "core-hours", |o| Some(o.pods.repeated_core_hours);
        /// Pods no pool can hold.
        Rejected, "rejected", "", |o| Some(o.pods.rejected as f64);
        /// Pods still unbound at the end.
        PendingAtEnd, "pending_at_end", "", |o| Some(o.pods.pending_at_end as f64);
        /// Requested of allocatable cpu.
        CpuRequested, "cpu_requested_of_allocatable", "", |o| {
            o.utilisation.cpu.requested_of_allocatable
        };
        /// Requested of allocatable memory.
        MemoryRequested, "memory_requested_of_allocatable", "", |o| {
            o.utilisation.memory.requested_of_allocatable
        };
        /// Used of requested cpu.
        CpuUsed, "cpu_used_of_requested", "", |o| o.utilisation.cpu.used_of_requested;
        /// Used of requested memory.
        MemoryUsed, "memory_used_of_requested", "", |o| o.utilisation.memory.used_of_requested;
        /// Most nodes at once.
        NodesPeak, "nodes_peak", "", |o| Some(o.nodes.peak as f64);
        /// Metered node-hours.
        NodeHours, "node_hours", "h", |o| Some(o.nodes.node_hours);
    }
}

metrics! {
    /// What is compared per workload.
    WorkloadMetric of WorkloadOutcome {
        /// Net cost with everything shared distributed.
        Cost, "cost_fully_loaded", "USD", |w| Some(w.cost.to_f64());
        /// Mean pending time.
        PendingMean, "pending_mean", "s", |w| w.pending_s.mean;
        /// 95th percentile of pending times.
        PendingP95, "pending_p95", "s", |w| w.pending_s.p95;
        /// 95th percentile of the time from submission to running.
        ReadyP95, "ready_p95", "s", |w| w.ready_s.p95;
        /// Pods evicted by drains or lost with their node.
        Disruptions, "disruptions", "", |w| Some((w.pods.evicted + w.pods.interrupted) as f64);
        /// Demand that nothing served.
        Unserved, "unserved_core_hours", "core-hours", |w| Some(w.pods.unserved_core_hours);
        /// Pods no pool can hold.
        Rejected, "rejected", "", |w| Some(w.pods.rejected as f64);
    }
}

/// One row of the comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// Case.
    pub case: &'a str,
    /// Workload; `None` for the whole cluster.
    pub workload: Option<&'a str>,
    /// Name of the metric.
    pub metric: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Over seeds.
    pub estimate: Estimate,
    /// Paired difference to the baseline; `None` for the baseline itself.
    pub difference: Option<Estimate>,
}

/// Per seed, `None` where there is no value.
pub(super) fn per_seed(
    outcomes: &[Option<Outcome>],
    value: impl Fn(&Outcome) -> Option<f64>,
) -> Vec<Option<f64>> {
    outcomes.iter().map(|o| o.as_ref().and_then(&value)).collect()
}

fn known(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().copied().flatten().collect()
}

impl Study {
    /// Values of any function of an outcome in a case, per seed.
    pub fn values(&self, case: usize, value: impl Fn(&Outcome) -> Option<f64>) -> Vec<Option<f64>> {
        self.cases.get(case).map(|c| per_seed(&c.outcomes, value)).unwrap_or_default()
    }

    /// Mean and interval of a metric in a case.
    #[must_use]
    pub fn estimate(&self, case: usize, metric: Metric) -> Option<Estimate> {
        estimate(&known(&self.values(case, |o| metric.value(o))))
    }

    /// Paired difference of a metric between two cases: `case − base`.
    #[must_use]
    pub fn difference(&self, base: usize, case: usize, metric: Metric) -> Option<Estimate> {
        difference(&self.values(base, |o| metric.value(o)), &self.values(case, |o| metric.value(o)))
    }

    /// As [`Study::estimate`], for one workload.
    #[must_use]
    pub fn workload_estimate(
        &self,
        case: usize,
        workload: &str,
        metric: WorkloadMetric,
    ) -> Option<Estimate> {
        estimate(&known(&self.values(case, |o| metric.value(o.workload(workload)?))))
    }

    /// As [`Study::difference`], for one workload.
    #[must_use]
    pub fn workload_difference(
        &self,
        base: usize,
        case: usize,
        workload: &str,
        metric: WorkloadMetric,
    ) -> Option<Estimate> {
        let values = |case| self.values(case, |o| metric.value(o.workload(workload)?));
        difference(&values(base), &values(case))
    }

    /// The comparison, case by case.
    #[must_use]
    pub fn rows(&self) -> Vec<Row<'_>> {
        let workloads = self.workloads();
        let mut rows = Vec::new();
        for (i, case) in self.cases.iter().enumerate() {
            for metric in Metric::ALL {
                rows.extend(self.estimate(i, metric).map(|estimate| Row {
                    case: &case.name,
                    workload: None,
                    metric: metric.name(),
                    unit: metric.unit(),
                    estimate,
                    difference: if i == 0 { None } else { self.difference(0, i, metric) },
                }));
            }
            for &workload in &workloads {
                for metric in WorkloadMetric::ALL {
                    rows.extend(self.workload_estimate(i, workload, metric).map(|estimate| Row {
                        case: &case.name,
                        workload: Some(workload),
                        metric: metric.name(),
                        unit: metric.unit(),
                        estimate,
                        difference: if i == 0 {
                            None
                        } else {
                            self.workload_difference(0, i, workload, metric)
                        },
                    }));
                }
            }
        }
        rows
    }

    /// Writes `comparison.csv`.
    pub fn write_comparison(&self, out: impl Write) -> Result<()> {
        let failed = |e: csv::Error| Error::failed(format!("cannot write comparison.csv: {e}"));
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record([
            "case",
            "workload",
            "metric",
            "unit",
            "mean",
            "ci_low",
            "ci_high",
            "diff",
            "diff_low",
            "diff_high",
            "seeds",
        ])
        .map_err(failed)?;
        for row in self.rows() {
            let text = |value: Option<f64>| value.map(plain_number).unwrap_or_default();
            let d = row.difference;
            csv.write_record([
                guarded(row.case).as_ref(),
                guarded(row.workload.unwrap_or_default()).as_ref(),
                row.metric,
                row.unit,
                &plain_number(row.estimate.mean),
                &text(row.estimate.low()),
                &text(row.estimate.high()),
                &text(d.map(|d| d.mean)),
                &text(d.and_then(|d| d.low())),
                &text(d.and_then(|d| d.high())),
                &row.estimate.n.to_string(),
            ])
            .map_err(failed)?;
        }
        csv.flush().map_err(|e| failed(e.into()))
    }
}

/// At most six decimals, no trailing zeros, no negative zero.
#[must_use]
pub fn plain_number(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Keeps a spreadsheet from taking a name for a formula.
fn guarded(name: &str) -> Cow<'_, str> {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{name}"))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::model::CaseStudy;
    use crate::sweep::outcome::{CostTotals, Pods, WaitSummary};
    use crate::units::Money;
    use crate::workload::WorkloadKind;

    fn cell(usd: i128, rejected: u64) -> Outcome {
        Outcome {
            cost: CostTotals {
                total: Money::from_pico(usd * 1_000_000_000_000),
                ..CostTotals::default()
            },
            pods: Pods { rejected, ..Pods::default() },
            workloads: vec![WorkloadOutcome {
                name: "@web".to_owned(),
                kind: WorkloadKind::Service,
                pods: Pods::default(),
                unfinished: 0,
                pending_s: WaitSummary::default(),
                ready_s: WaitSummary::default(),
                demanded_core_hours: 0.0,
                cost: Money::from_pico(500_000_000_000),
            }],
            ..Outcome::default()
        }
    }

    fn study() -> Study {
        let case = |name: &str, outcomes| CaseStudy {
            name: name.to_owned(),
            outcomes,
            ..CaseStudy::default()
        };
        Study {
            cases: vec![
                case("today", vec![Some(cell(10, 0)), Some(cell(12, 0)), Some(cell(14, 0))]),
                case("=spot", vec![Some(cell(9, 1)), Some(cell(10, 1)), None]),
            ],
            seeds: vec![1, 2, 3],
            ..Study::default()
        }
    }

    #[test]
    fn differences_pair_the_seeds_both_have() {
        let study = study();
        let d = study.difference(0, 1, Metric::Cost).expect("two pairs");
        // −1 and −2: mean −1.5, sd 1/√2, t(1) = 12.706205, over √2: 6.353102.
        assert_eq!((d.mean, d.n), (-1.5, 2));
        assert!((d.half_width.expect("two") - 6.353_102).abs() < 1e-5);
        assert_eq!(study.difference(0, 1, Metric::PendingP95), None);
    }

    #[test]
    fn the_table_is_complete_and_guarded() {
        let mut out = Vec::new();
        study().write_comparison(&mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "case,workload,metric,unit,mean,ci_low,ci_high,diff,diff_low,diff_high,seeds"
        );
        assert_eq!(lines[1], "today,,cost,USD,12,7.031725,16.968275,,,,3");
        let find = |start: &str| *lines.iter().find(|l| l.starts_with(start)).expect("row");
        assert_eq!(
            find("'=spot,,cost,"),
            "'=spot,,cost,USD,9.5,3.146898,15.853102,-1.5,-7.853102,4.853102,2"
        );
        assert_eq!(find("'=spot,,rejected,"), "'=spot,,rejected,,1,1,1,1,1,1,2");
        assert_eq!(
            find("'=spot,'@web,cost_fully_loaded,"),
            "'=spot,'@web,cost_fully_loaded,USD,0.5,0.5,0.5,0,0,0,2"
        );
        // Nothing waited: no rows of waiting times.
        assert!(!text.contains("pending_p95"));
    }

    #[test]
    fn numbers_are_short() {
        for (value, want) in
            [(0.0, "0"), (-0.000_000_1, "0"), (1.5, "1.5"), (100.0, "100"), (1.0 / 3.0, "0.333333")]
        {
            assert_eq!(plain_number(value), want);
        }
    }
}
