//! The first seed of a case in depth: its bill and what charts draw.
//!
//! Bounded: at most 500 points a curve and as many steps as the record's
//! timeline, however long the run was and however many pods it had.

use std::sync::Arc;

use super::measure::merged;
use crate::bill::commitments::CommitmentStudy;
use crate::bill::{Bill, Lines, PurchaseOption};
use crate::cluster::ClusterSpec;
use crate::observe::{Record, TimelinePoint};
use crate::units::{Money, SimTime};
use crate::workload::{WorkloadKind, Workloads};

/// Points of a curve at most.
const CDF_POINTS: usize = 500;

/// The first seed of a case in depth.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    /// Unix time of the start of the run, milliseconds.
    pub start_unix_ms: i64,
    /// End of the warm-up: nothing before it is billed or reported.
    pub warmup: SimTime,
    /// End of the run.
    pub end: SimTime,
    /// Means over equal steps, from the start of the run.
    pub timeline: Vec<TimelinePoint>,
    /// Length of a step, milliseconds.
    pub timeline_step_ms: i64,
    /// Nodes by instance type over the same steps.
    pub nodes: NodesOverTime,
    /// Pending times of all pods.
    pub pending: Cdf,
    /// Pending times by workload, `DaemonSet`s left out.
    pub pending_by_workload: Vec<(String, Cdf)>,
    /// The bill, without its lines.
    pub bill: Arc<Bill>,
    /// What each way of buying came to against On-Demand, options without
    /// lines left out.
    pub priced: Vec<Priced>,
    /// What commitments did over time and would do at other levels; `None`
    /// without any.
    pub commitments: Option<CommitmentStudy>,
}

/// Running nodes by instance type: time-weighted means over equal steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodesOverTime {
    /// Instance types that ever ran, in the order of the cluster's shapes.
    pub types: Vec<String>,
    /// Per type, one mean per step.
    pub counts: Vec<Vec<f64>>,
}

/// A cumulative distribution as points (seconds, share of pods that waited
/// at most so long), both ascending. Every point is exact; between points the
/// curve may have steps that are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cdf {
    /// The points; empty where nothing waited.
    pub points: Vec<(f64, f64)>,
    /// Pods behind them.
    pub pods: u64,
}

/// Lines bought one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// How.
    pub purchase: PurchaseOption,
    /// What they cost.
    pub net: Money,
    /// What they would have cost On-Demand.
    pub on_demand: Money,
}

impl Priced {
    /// Share of the On-Demand price that was saved; `None` where that is 0.
    #[must_use]
    pub fn saving(&self) -> Option<f64> {
        (self.on_demand > Money::ZERO).then(|| 1.0 - self.net.to_f64() / self.on_demand.to_f64())
    }
}

impl Detail {
    /// Takes what charts and texts need; the record may then be dropped.
    #[must_use]
    pub fn capture(
        record: &Record,
        mut bill: Bill,
        cluster: &ClusterSpec,
        workloads: &Workloads,
        commitments: Option<CommitmentStudy>,
    ) -> Detail {
        let pending_by_workload = workloads
            .workloads
            .iter()
            .zip(&record.waits)
            .filter(|(info, _)| info.kind != WorkloadKind::Daemon)
            .map(|(info, waits)| (info.name.clone(), Cdf::of_sorted(&waits.pending_ms)))
            .collect();
        let priced = priced(&bill);
        bill.lines = Lines::default();
        Detail {
            start_unix_ms: record.start_unix_ms,
            warmup: record.warmup,
            end: record.end,
            timeline: record.timeline.clone(),
            timeline_step_ms: record.timeline_step_ms,
            nodes: NodesOverTime::of(record, cluster),
            pending: Cdf::of_sorted(&merged(record.waits.iter().map(|w| w.pending_ms.as_slice()))),
            pending_by_workload,
            bill: Arc::new(bill),
            priced,
            commitments,
        }
    }
}

fn priced(bill: &Bill) -> Vec<Priced> {
    let mut sums = [(0i128, 0i128, false); PurchaseOption::ALL.len()];
    let lines = &bill.lines;
    for ((sku, net), on_demand) in lines.sku.iter().zip(&lines.net).zip(&lines.on_demand) {
        let Some(sku) = bill.skus.get(usize::from(*sku)) else { continue };
        let sum = &mut sums[sku.purchase as usize];
        *sum = (sum.0 + i128::from(*net), sum.1 + i128::from(*on_demand), true);
    }
    PurchaseOption::ALL
        .into_iter()
        .zip(sums)
        .filter(|(_, (_, _, any))| *any)
        .map(|(purchase, (net, on_demand, _))| Priced {
            purchase,
            net: Money::from_pico(net),
            on_demand: Money::from_pico(on_demand),
        })
        .collect()
}

impl Cdf {
    /// From waits in milliseconds, ascending.
    #[must_use]
    pub fn of_sorted(ms: &[i64]) -> Cdf {
        let n = ms.len();
        let wanted = n.min(CDF_POINTS);
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(wanted);
        for i in 1..=wanted {
            // The rank of this point, then the last pod that waited equally.
            let rank = (i as u128 * n as u128 / wanted as u128) as usize;
            let value = ms[rank - 1];
            let seconds = value as f64 / 1e3;
            if points.last().is_some_and(|(last, _)| last.to_bits() == seconds.to_bits()) {
                continue;
            }
            let upto = rank + ms[rank..].partition_point(|v| *v <= value);
            points.push((seconds, upto as f64 / n as f64));
        }
        Cdf { points, pods: n as u64 }
    }
}

impl NodesOverTime {
    fn of(record: &Record, cluster: &ClusterSpec) -> NodesOverTime {
        let (step, steps) = (record.timeline_step_ms, record.timeline.len());
        let mut over_time = NodesOverTime::default();
        if step <= 0 || steps == 0 {
            return over_time;
        }
        // Per shape and step: node·ms at the edges, and the change in the
        // number of nodes that run through whole steps. O(nodes + steps).
        let mut edges = vec![vec![0i64; steps]; cluster.shapes.len()];
        let mut whole = vec![vec![0i64; steps + 1]; cluster.shapes.len()];
        let mut seen = vec![false; cluster.shapes.len()];
        let end = record.end.ms().min(step.saturating_mul(steps as i64));
        for node in &record.nodes {
            let (from, until) = (node.running.ms().max(0), node.shutting_down.ms().min(end));
            let shape = node.shape.index();
            if from >= until || shape >= seen.len() {
                continue;
            }
            seen[shape] = true;
            let (first, last) = ((from / step) as usize, ((until - 1) / step) as usize);
            if first == last {
                edges[shape][first] += until - from;
                continue;
            }
            edges[shape][first] += (first as i64 + 1) * step - from;
            edges[shape][last] += until - last as i64 * step;
            whole[shape][first + 1] += 1;
            whole[shape][last] -= 1;
        }
        for (shape, spec) in cluster.shapes.iter().enumerate().filter(|(s, _)| seen[*s]) {
            let mut running = 0;
            let counts = (0..steps).map(|i| {
                running += whole[shape][i];
                // The last step ends with the run.
                let length = step.min(record.end.ms() - i as i64 * step).max(1);
                running as f64 + edges[shape][i] as f64 / length as f64
            });
            over_time.counts.push(counts.collect());
            over_time.types.push(spec.name.clone());
        }
        over_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::{Charge, PriceStatus, Sku, Unit};
    use crate::cluster::{Capacity, NodeShape, PoolId, Purchase, ShapeId, ZoneId};
    use crate::observe::{NodeEnd, NodeRecord};
    use crate::units::{Bytes, Rate};

    #[test]
    fn a_curve_is_bounded_and_ends_at_one() {
        assert_eq!(Cdf::of_sorted(&[]), Cdf::default());
        let small = Cdf::of_sorted(&[0, 0, 1_000, 4_000]);
        assert_eq!(small.points, [(0.0, 0.5), (1.0, 0.75), (4.0, 1.0)]);
        assert_eq!(small.pods, 4);
        let many: Vec<i64> = (0..100_000).collect();
        let curve = Cdf::of_sorted(&many);
        assert_eq!(curve.points.len(), CDF_POINTS);
        // Rank 200 waited 199 ms: exact at every point.
        assert_eq!(curve.points[0], (0.199, 0.002));
        assert_eq!(curve.points[CDF_POINTS - 1], (99.999, 1.0));
    }

    fn node(shape: u32, running: i64, until: i64) -> NodeRecord {
        NodeRecord {
            pool: PoolId(0),
            shape: ShapeId(shape),
            zone: ZoneId(0),
            purchase: Purchase::OnDemand,
            requested: SimTime(0),
            running: SimTime(running),
            ready: SimTime::NEVER,
            draining: SimTime::NEVER,
            shutting_down: SimTime(until),
            end: NodeEnd::Running,
        }
    }

    #[test]
    fn nodes_are_means_over_each_step() {
        let shape = |name: &str| NodeShape {
            name: name.to_owned(),
            capacity: Capacity::default(),
            allocatable: Capacity::default(),
            nominal_memory: Bytes(0),
        };
        let cluster =
            ClusterSpec { shapes: ["a", "b", "c"].map(shape).into(), ..ClusterSpec::default() };
        let record = Record {
            end: SimTime(35),
            timeline_step_ms: 10,
            timeline: vec![TimelinePoint::default(); 4],
            nodes: vec![
                node(0, 0, 35),
                node(0, 5, 32),
                node(2, 12, 14),
                node(0, i64::MAX, 35), // Never ran.
            ],
            ..Record::default()
        };
        let nodes = NodesOverTime::of(&record, &cluster);
        assert_eq!(nodes.types, ["a", "c"]);
        // The last step is half as long: 5 + 2 of 5 ms.
        assert_eq!(nodes.counts[0], [1.5, 2.0, 2.0, 1.4]);
        assert_eq!(nodes.counts[1], [0.0, 0.2, 0.0, 0.0]);
    }

    #[test]
    fn lines_give_the_saving_and_are_dropped() {
        let sku = |purchase| Sku {
            name: "x".to_owned(),
            charge: Charge::Instance,
            purchase,
            status: PriceStatus::Real,
            unit: Unit::Hours,
            rate: Rate::ZERO,
            contract: None,
            commitment: None,
            of: None,
        };
        let bill = Bill {
            skus: vec![sku(PurchaseOption::Spot), sku(PurchaseOption::OnDemand)],
            lines: Lines {
                resource: vec![0, 0, 0],
                sku: vec![0, 1, 0],
                hour: vec![0, 0, 1],
                quantity: vec![1, 1, 1],
                list: vec![3, 10, 5],
                net: vec![3, 10, 5],
                on_demand: vec![10, 10, 10],
            },
            ..Bill::default()
        };
        let record = Record::default();
        let detail =
            Detail::capture(&record, bill, &ClusterSpec::default(), &Workloads::default(), None);
        assert!(detail.bill.lines.is_empty());
        assert_eq!(detail.priced.len(), 2);
        assert_eq!(detail.priced[0].saving(), Some(0.0));
        let spot = detail.priced[1];
        assert_eq!((spot.net, spot.on_demand), (Money::from_pico(8), Money::from_pico(20)));
        assert!((spot.saving().expect("priced") - 0.6).abs() < 1e-12);
    }
}
