//! A made-up sweep for tests: two cases, two axes, three seeds. Figures are
//! invented; goals, waits and costs follow the axes, so that a front exists.

use super::model::{Bound, Goal, Input};
use super::outcome::{
    CostTotals, GoalResult, GoalValue, LowerBound, NodeCounts, Outcome, Pods, UsedShare,
    Utilisation, WaitSummary, WorkloadOutcome,
};
use super::study::{Axis, Combination, SweepStudy, SweptCase};
use crate::units::Money;
use crate::workload::WorkloadKind;

/// Milli-dollars to money.
fn milli(amount: i128) -> Money {
    Money::from_pico(amount * 1_000_000_000)
}

fn outcome(seed: u64, spot: bool, max: i128, plan: i128) -> Outcome {
    // More nodes cost more and shorten waits; the plan saves until it is too
    // large; Spot saves and interrupts; seeds differ alike everywhere.
    let noise = [0, 1_700, -900][seed as usize % 3];
    let list = 40_000 * max / 10 + 100_000 + noise;
    let cost = list - if spot { 45_000 } else { 0 } - 6 * plan + plan * plan / 900;
    let wait = 900.0 / max as f64 + seed as f64;
    let wait = WaitSummary {
        mean: Some(wait / 3.0),
        p50: Some(wait / 4.0),
        p90: Some(wait * 0.8),
        p95: Some(wait),
        p99: Some(wait * 1.5),
        max: Some(wait * 2.0),
        censored: 0,
    };
    let interrupted = if spot { 12 + seed % 3 } else { 0 };
    let pods = Pods {
        submitted: 5_000 + interrupted,
        started: 5_000 + interrupted,
        finished: 5_000,
        evicted: 3,
        interrupted,
        repeated_core_hours: interrupted as f64 * 0.4,
        ..Pods::default()
    };
    let share = |v: f64| UsedShare {
        requested_of_allocatable: Some(v),
        used_of_allocatable: None,
        used_of_requested: None,
    };
    Outcome {
        seed,
        events: 40_000,
        window_hours: 168.0,
        requested_core_hours: 2_300.0,
        pods: pods.clone(),
        pending_s: wait,
        ready_s: wait,
        utilisation: Utilisation { cpu: share(7.0 / max as f64), memory: share(5.0 / max as f64) },
        nodes: NodeCounts {
            launched: 40,
            peak: max as u64,
            node_hours: 110.0 * max as f64,
            ..NodeCounts::default()
        },
        cost: CostTotals {
            total: milli(cost),
            list: milli(list),
            on_demand: milli(list),
            monthly: Some(milli(cost * 730 / 168)),
            ..CostTotals::default()
        },
        lower_bound: Some(LowerBound { compute: milli(list), bound: milli(list / 2) }),
        goals: vec![GoalResult {
            name: "soon".to_owned(),
            target: GoalValue::Seconds(120.0),
            value: wait.p95.map(GoalValue::Seconds),
            met: wait.p95.is_none_or(|p| p <= 120.0),
        }],
        workloads: vec![WorkloadOutcome {
            name: "batch".to_owned(),
            kind: WorkloadKind::Batch,
            pods,
            unfinished: 0,
            pending_s: wait,
            ready_s: wait,
            demanded_core_hours: 0.0,
            cost: milli(cost),
        }],
    }
}

/// The made-up sweep: cases `od` and `spot`, `max` 8, 10, 12, plans of 0, 2.5
/// and 5 USD an hour, seeds 1 to 3.
pub(crate) fn sweep_sample() -> SweepStudy {
    let texts = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
    let seeds = vec![1, 2, 3];
    let mut combinations = Vec::new();
    for case in 0..2 {
        for (m, max) in [8, 10, 12].into_iter().enumerate() {
            for (p, plan) in [0, 2_500, 5_000].into_iter().enumerate() {
                combinations.push(Combination {
                    case,
                    values: vec![m, p],
                    outcomes: seeds
                        .iter()
                        .map(|s| Some(outcome(*s, case == 1, max, plan)))
                        .collect(),
                    serves_less: false,
                });
            }
        }
    }
    let case =
        |name: &str, title: &str| SweptCase { name: name.to_owned(), title: title.to_owned() };
    SweepStudy {
        scenario: "winter".to_owned(),
        plimsoll_version: "0.1.0".to_owned(),
        region: "us-east-1".to_owned(),
        inputs: vec![Input { path: "winter.yaml".to_owned(), sha256: "ab".repeat(32) }],
        pricing_sha256: "cd".repeat(32),
        price_dates: [("ec2-on-demand".to_owned(), "2026-01-15".to_owned())].into(),
        seeds,
        warnings: Vec::new(),
        goals: vec![Goal {
            name: "soon".to_owned(),
            bound: Bound::Pending {
                workload: "batch".to_owned(),
                quantile: 95,
                at_most: crate::units::SimDuration::from_secs(120),
            },
        }],
        cases: vec![case("od", "EC2 On-Demand"), case("spot", "EC2 Spot")],
        axes: vec![
            Axis { path: "pools.batch.asg.max".to_owned(), values: texts(&["8", "10", "12"]) },
            Axis {
                path: "commitments.base.usd-per-hour".to_owned(),
                values: texts(&["0", "2.5", "5"]),
            },
        ],
        combinations,
        simulations: 2 * 3 * 3,
        complete: true,
    }
}
