//! A made-up study for tests: a week, three workloads, three cases. Figures
//! are invented, sums are right.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bill::commitments::{CommitmentHour, CommitmentStudy};
use crate::bill::{Bill, Charge, Hourly, Monthly, PriceStatus, PurchaseOption, Step, StepCost};
use crate::observe::TimelinePoint;
use crate::rng::{exp, ln};
use crate::sweep::{
    Assumption, CaseStudy, Cdf, Change, CostTotals, Detail, GoalResult, GoalValue, Input,
    NodeCounts, NodesOverTime, Origin, Outcome, Pods, Priced, Study, TypeUse, UsedShare,
    Utilisation, WaitSummary, Warning, WorkloadOutcome,
};
use crate::units::{HOUR_MS, Money, SimTime, split_exact};
use crate::workload::WorkloadKind;

/// 2025-01-06T00:00Z, a Monday.
const MONDAY: i64 = 1_736_121_600_000;
const HOURS: usize = 168;
const WARMUP: i64 = 6;
/// Milli-dollars to money.
fn milli(amount: i64) -> Money {
    Money::from_pico(i128::from(amount) * 1_000_000_000)
}

struct Made {
    name: &'static str,
    title: &'static str,
    /// Milli-dollars, by charge and option.
    items: &'static [(Charge, PurchaseOption, i64)],
    list: i64,
    steps: &'static [(Step, i64)],
    types: &'static [(&'static str, f64)],
    fargate: f64,
    wait: f64,
    evicted: u64,
    interrupted: u64,
    changes: &'static [(&'static str, Option<&'static str>, Option<&'static str>)],
    noise: i64,
}

const CASES: [Made; 3] = [
    Made {
        name: "ec2",
        title: "EC2 On-Demand",
        items: &[
            (Charge::Instance, PurchaseOption::OnDemand, 742_118),
            (Charge::InstanceMinimum, PurchaseOption::OnDemand, 214),
            (Charge::RootVolume, PurchaseOption::Other, 18_410),
            (Charge::ControlPlane, PurchaseOption::Other, 16_200),
        ],
        list: 776_942,
        steps: &[
            (Step::Used, 31),
            (Step::RequestedUnused, 29),
            (Step::UsageUnknown, 8),
            (Step::DaemonSets, 5),
            (Step::SystemReserve, 4),
            (Step::Idle, 13),
            (Step::Stranded, 4),
            (Step::Boot, 1),
            (Step::Volumes, 3),
            (Step::Fees, 2),
        ],
        types: &[("m7i.xlarge", 14.0), ("c7i.2xlarge", 5.0)],
        fargate: 0.0,
        wait: 9.0,
        evicted: 41,
        interrupted: 0,
        changes: &[],
        noise: 4,
    },
    Made {
        name: "spot-and-plan",
        title: "EC2 Spot with a Savings Plan",
        items: &[
            (Charge::Instance, PurchaseOption::OnDemand, 31_902),
            (Charge::Instance, PurchaseOption::Spot, 178_344),
            (Charge::Instance, PurchaseOption::SavingsPlan, 219_007),
            (Charge::InstanceMinimum, PurchaseOption::Spot, 611),
            (Charge::SpotFirstHour, PurchaseOption::Spot, -1_418),
            (Charge::UnusedCommitment, PurchaseOption::SavingsPlan, 2_731),
            (Charge::RootVolume, PurchaseOption::Other, 18_977),
            (Charge::ControlPlane, PurchaseOption::Other, 16_200),
        ],
        list: 601_244,
        steps: &[
            (Step::Used, 30),
            (Step::RequestedUnused, 28),
            (Step::UsageUnknown, 8),
            (Step::Repeated, 2),
            (Step::DaemonSets, 5),
            (Step::SystemReserve, 4),
            (Step::Idle, 12),
            (Step::Stranded, 4),
            (Step::Boot, 1),
            (Step::Drain, 1),
            (Step::UnusedCommitment, 1),
            (Step::Volumes, 3),
            (Step::Fees, 2),
        ],
        types: &[
            ("m7i.xlarge", 11.0),
            ("m6i.xlarge", 4.0),
            ("c7i.2xlarge", 4.0),
            ("r7i.large", 2.0),
        ],
        fargate: 0.0,
        wait: 16.0,
        evicted: 44,
        interrupted: 187,
        changes: &[
            ("pools.general.asg.purchase.on-demand-base", None, Some("4")),
            ("pools.general.asg.purchase.above-base", Some("on-demand"), Some("spot")),
            ("commitments.plan.usd-per-hour", Some("0"), Some("1.3")),
        ],
        noise: 19,
    },
    Made {
        name: "fargate",
        title: "Fargate",
        items: &[
            (Charge::FargateCpu, PurchaseOption::Fargate, 702_155),
            (Charge::FargateMemory, PurchaseOption::Fargate, 166_480),
            (Charge::FargateMinimum, PurchaseOption::Fargate, 1_204),
            (Charge::ControlPlane, PurchaseOption::Other, 16_200),
        ],
        list: 886_039,
        steps: &[
            (Step::Used, 36),
            (Step::RequestedUnused, 35),
            (Step::UsageUnknown, 9),
            (Step::DaemonSets, 3),
            (Step::Boot, 2),
            (Step::FargateRounding, 11),
            (Step::FargateRetention, 1),
            (Step::Minimums, 1),
            (Step::Fees, 2),
        ],
        types: &[],
        fargate: 96.0,
        wait: 1.0,
        evicted: 0,
        interrupted: 0,
        changes: &[
            ("pools.general", Some("asg:\n  types: [m7i.xlarge]\n  min: 2\n  max: 40"), None),
            ("pools.serverless", None, Some("fargate:\n  match: { namespace: \"*\" }")),
        ],
        noise: 3,
    },
];

/// Share of a day's load at a step, by day of the week.
fn load(hour: f64) -> f64 {
    let day = (hour / 24.0) as i64 % 7;
    let x = (hour % 24.0 - 14.0) / 4.5;
    let weekend = if day >= 5 { 0.55 } else { 1.0 };
    0.35 + 0.65 * weekend * exp(-x * x / 2.0)
}

fn bill(made: &Made) -> Bill {
    let mut bill = Bill {
        from_unix_ms: MONDAY + WARMUP * HOUR_MS,
        to_unix_ms: MONDAY + HOURS as i64 * HOUR_MS,
        list_total: milli(made.list),
        ..Bill::default()
    };
    let mut hourly = vec![[Money::ZERO; PurchaseOption::ALL.len()]; HOURS - WARMUP as usize];
    let weights: Vec<i128> =
        (0..hourly.len()).map(|h| (load(h as f64 + WARMUP as f64) * 1e6) as i128).collect();
    let level = vec![1i128; hourly.len()];
    for &(charge, option, amount) in made.items {
        bill.by_item.insert((charge, option), milli(amount));
        bill.total += milli(amount);
        *bill.by_purchase.entry(option.name().to_owned()).or_default() += milli(amount);
        let flat = matches!(option, PurchaseOption::SavingsPlan | PurchaseOption::Other);
        let parts = split_exact(milli(amount), if flat { &level } else { &weights });
        for (row, part) in hourly.iter_mut().zip(parts) {
            row[option as usize] += part;
        }
    }
    bill.by_price_status = by_status(&bill.by_purchase);
    bill.hourly = Hourly { first_hour: (MONDAY / HOUR_MS) as i32 + WARMUP as i32, rows: hourly };
    let weights: Vec<i128> = made.steps.iter().map(|s| i128::from(s.1)).collect();
    bill.waterfall = Step::ALL
        .into_iter()
        .map(|step| StepCost { step, cpu: Money::ZERO, memory: Money::ZERO, other: Money::ZERO })
        .collect();
    for ((step, _), amount) in made.steps.iter().zip(split_exact(bill.total, &weights)) {
        if let Some(cost) = bill.waterfall.iter_mut().find(|s| s.step == *step) {
            cost.cpu = amount;
        }
    }
    // Half of it is shared, and follows what pods requested.
    let names = ["web", "thumbnails", "nightly-report", "(idle)"];
    let parts = split_exact(bill.total, &[5, 3, 2, 10]);
    bill.by_workload = names.into_iter().map(str::to_owned).zip(parts).collect();
    bill.fully_loaded_by_workload =
        names.into_iter().map(str::to_owned).zip(split_exact(bill.total, &[5, 3, 2])).collect();
    bill.by_namespace = [("default".to_owned(), bill.total)].into();
    bill.monthly = Some(Monthly { amount: bill.total.scale(730, 162), extrapolated: true });
    bill
}

fn by_status(by_purchase: &BTreeMap<String, Money>) -> BTreeMap<String, Money> {
    let mut by_status = BTreeMap::new();
    for (option, amount) in by_purchase {
        let status = match option.as_str() {
            "spot" => PriceStatus::Representative,
            "savings-plan" => PriceStatus::Derived,
            _ => PriceStatus::Real,
        };
        *by_status.entry(status.name().to_owned()).or_default() += *amount;
    }
    by_status
}

fn waits(scale: f64) -> WaitSummary {
    let at = |q: f64| Some(-ln(1.0 - q) * scale);
    WaitSummary {
        mean: Some(scale),
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        max: at(0.9999),
        censored: 0,
    }
}

fn curve(scale: f64) -> Cdf {
    let points = (1..=200)
        .map(|i| {
            let q = f64::from(i) / 200.0;
            (-ln(1.0 - q * 0.9999) * scale, q)
        })
        .collect();
    Cdf { points, pods: 12_480 }
}

fn outcome(made: &Made, bill: &Bill, seed: u64) -> Outcome {
    let shift = made.noise * [0, 7, -5][seed as usize % 3];
    let scaled = |m: Money| m.scale(i128::from(10_000 + shift), 10_000);
    let by =
        |map: &BTreeMap<String, Money>| map.iter().map(|(k, v)| (k.clone(), scaled(*v))).collect();
    let total = scaled(bill.total);
    let pods = Pods {
        submitted: 12_480 + made.interrupted,
        started: 12_470,
        finished: 12_300,
        evicted: made.evicted + seed % 3,
        interrupted: made.interrupted.saturating_sub(seed % 3 * 4),
        repeated_core_hours: made.interrupted as f64 * 0.11,
        unserved_core_hours: made.wait * 0.05,
        ..Pods::default()
    };
    let workload = |name: &str, kind, share: i128, wait: f64| WorkloadOutcome {
        name: name.to_owned(),
        kind,
        pods: Pods { finished: 4_100, evicted: made.evicted / 3, ..Pods::default() },
        unfinished: 0,
        pending_s: waits(wait),
        ready_s: waits(wait + 20.0),
        demanded_core_hours: if kind == WorkloadKind::Service { 900.0 } else { 0.0 },
        cost: total.scale(share, 100),
    };
    // A steady service gains little from anything, nightly batch loves Spot.
    let (web, burst) = if made.fargate > 0.0 { (58, 17) } else { (46, 27) };
    let share = |requested, used| UsedShare {
        requested_of_allocatable: Some(requested),
        used_of_allocatable: used,
        used_of_requested: Some(0.52),
    };
    let by_type: BTreeMap<String, TypeUse> = made
        .types
        .iter()
        .map(|(name, n)| {
            ((*name).to_owned(), TypeUse { launched: *n as u64 * 9, node_hours: n * 0.6 * 162.0 })
        })
        .collect();
    Outcome {
        seed,
        events: 1_204_331,
        window_hours: 162.0,
        requested_core_hours: 5_210.0,
        pods,
        pending_s: waits(made.wait),
        ready_s: waits(made.wait + 24.0),
        utilisation: Utilisation { cpu: share(0.78, Some(0.41)), memory: share(0.61, None) },
        nodes: NodeCounts {
            launched: 240,
            peak: made.types.iter().map(|t| t.1 as u64).sum(),
            node_hours: by_type.values().map(|t| t.node_hours).sum(),
            by_type,
        },
        cost: CostTotals {
            total,
            list: scaled(bill.list_total),
            on_demand: scaled(bill.list_total),
            monthly: Some(total.scale(730, 162)),
            monthly_extrapolated: true,
            by_purchase: by(&bill.by_purchase),
            by_price_status: by(&bill.by_price_status),
        },
        lower_bound: Some(crate::sweep::LowerBound {
            compute: scaled(bill.list_total),
            bound: scaled(bill.list_total).scale(77, 100),
        }),
        goals: vec![GoalResult {
            name: "web-pending".to_owned(),
            target: GoalValue::Seconds(60.0),
            value: Some(GoalValue::Seconds(made.wait * 3.0)),
            met: made.wait * 3.0 <= 60.0,
        }],
        workloads: vec![
            workload("web", WorkloadKind::Service, web, made.wait * 0.6),
            workload("thumbnails", WorkloadKind::Service, burst, made.wait),
            workload("nightly-report", WorkloadKind::Batch, 100 - web - burst, made.wait * 2.5),
        ],
    }
}

/// A day of commitments that are used in all but every fourth hour.
fn commitments(bill: &Bill) -> Option<CommitmentStudy> {
    let committed = *bill.by_purchase.get(PurchaseOption::SavingsPlan.name())?;
    let hour = |i: i128| CommitmentHour {
        committed: committed.scale(1, 24),
        unused: if i % 4 == 0 { committed.scale(1, 48) } else { Money::ZERO },
        covered: committed.scale(1, 18),
        uncovered: committed.scale(i, 240),
        used_by_others: Money::ZERO,
    };
    Some(CommitmentStudy {
        first_hour: MONDAY / HOUR_MS,
        hours: (0..24).map(hour).collect(),
        levels: CommitmentStudy::LEVELS
            .into_iter()
            .map(|p| (p, committed.scale(i128::from(p).abs_diff(110).cast_signed() + 150, 100)))
            .collect(),
    })
}

fn detail(made: &Made, bill: Bill) -> Detail {
    let steps = HOURS * 6;
    let at = |i: usize| load(i as f64 / 6.0);
    let jitter = |i: usize| ((i * 7_919) % 17) as f64 / 17.0;
    let nodes: f64 = made.types.iter().map(|t| t.1).sum();
    let size = nodes * 4_600.0 + made.fargate * 1_000.0;
    let timeline = (0..steps)
        .map(|i| TimelinePoint {
            at: SimTime(i as i64 * HOUR_MS / 6),
            pending: jitter(i) * made.wait / 10.0,
            running: 110.0 * at(i) + jitter(i),
            cpu_allocatable: size * at(i),
            cpu_requested: size * at(i) * (0.72 + 0.1 * jitter(i)),
            cpu_used: size * at(i) * (0.34 + 0.1 * jitter(i)),
            memory_allocatable: size * at(i) * 3.6e6,
            memory_requested: size * at(i) * (0.58 + 0.06 * jitter(i)) * 3.6e6,
            memory_used: size * at(i) * 0.4 * 3.6e6,
            fargate: (made.fargate * at(i)).round(),
        })
        .collect();
    let counts = made
        .types
        .iter()
        .map(|(_, most)| (0..steps).map(|i| (most * at(i / 3 * 3)).round()).collect())
        .collect();
    let workloads = [("web", 0.6), ("thumbnails", 1.0), ("nightly-report", 2.5)];
    Detail {
        start_unix_ms: MONDAY,
        warmup: SimTime(WARMUP * HOUR_MS),
        end: SimTime(HOURS as i64 * HOUR_MS),
        timeline,
        timeline_step_ms: HOUR_MS / 6,
        nodes: NodesOverTime { types: made.types.iter().map(|t| t.0.to_owned()).collect(), counts },
        pending: curve(made.wait),
        pending_by_workload: workloads
            .into_iter()
            .map(|(name, factor)| (name.to_owned(), curve(made.wait * factor)))
            .collect(),
        priced: bill
            .by_purchase
            .iter()
            .filter_map(|(name, net)| {
                let purchase = PurchaseOption::ALL.into_iter().find(|p| p.name() == name)?;
                let dear = if purchase == PurchaseOption::Spot { net.scale(5, 2) } else { *net };
                Some(Priced { purchase, net: *net, on_demand: dear })
            })
            .collect(),
        commitments: commitments(&bill),
        bill: Arc::new(bill),
    }
}

/// Three cases, three seeds, a week.
pub(super) fn study() -> Study {
    let assumption = |key: &str, value: &str, origin, note: &str| Assumption {
        path: key.to_owned(),
        value: value.to_owned(),
        origin,
        note: note.to_owned(),
    };
    let cases = CASES
        .iter()
        .map(|made| {
            let bill = bill(made);
            CaseStudy {
                settings: Vec::new(),
                name: made.name.to_owned(),
                title: made.title.to_owned(),
                changes: made
                    .changes
                    .iter()
                    .map(|(path, from, to)| Change {
                        path: (*path).to_owned(),
                        from: from.map(str::to_owned),
                        to: to.map(str::to_owned),
                    })
                    .collect(),
                resamples_days: false,
                outcomes: (1..=3).map(|seed| Some(outcome(made, &bill, seed))).collect(),
                detail: Some(detail(made, bill)),
            }
        })
        .collect();
    Study {
        scenario: "ec2-vs-fargate".to_owned(),
        plimsoll_version: "0.1.0".to_owned(),
        region: "us-east-1".to_owned(),
        inputs: vec![
            Input { path: "ec2-vs-fargate.yaml".to_owned(), sha256: "9f2c".repeat(16) },
            Input { path: "demand/web-rps.csv".to_owned(), sha256: "03ab".repeat(16) },
        ],
        price_dates: [("ec2", "2025-11-03"), ("fargate", "2025-11-03"), ("spot", "2025-10-30")]
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
        seeds: vec![1, 2, 3],
        assumptions: vec![
            assumption("pools.general.boot", "lognormal(p50 48s, p95 80s)", Origin::Default, "time from launch to Ready"),
            assumption("pools.general.spot.hazard", "5-10 % a month", Origin::Catalog, "middle of the published band"),
            assumption("workload.nightly-report.on-interrupt", "restart", Origin::Scenario, ""),
            assumption("scheduler.rate", "300/s", Origin::Default, "pods the scheduler decides a second at most"),
        ],
        warnings: vec![Warning {
            code: "usage-unknown",
            text: "memory usage of `nightly-report` is unknown: its requests count as neither used nor unused".to_owned(),
        }],
        goals: Vec::new(),
        cases,
        complete: true,
    }
}

/// The same study with every name that a user chooses replaced by `name`.
pub(super) fn named(name: &str) -> Study {
    let mut study = study();
    name.clone_into(&mut study.scenario);
    name.clone_into(&mut study.region);
    for input in &mut study.inputs {
        name.clone_into(&mut input.path);
    }
    for a in &mut study.assumptions {
        (a.path, a.value, a.note) = (name.to_owned(), name.to_owned(), name.to_owned());
    }
    for w in &mut study.warnings {
        name.clone_into(&mut w.text);
    }
    for (i, case) in study.cases.iter_mut().enumerate() {
        case.name = format!("{name}{i}");
        case.title = format!("{name}{i}");
        for change in &mut case.changes {
            name.clone_into(&mut change.path);
            change.to = Some(format!("{name}\n{name}"));
        }
        if let Some(detail) = &mut case.detail {
            let bill = Arc::make_mut(&mut detail.bill);
            for map in
                [&mut bill.by_workload, &mut bill.fully_loaded_by_workload, &mut bill.by_namespace]
            {
                let amounts = std::mem::take(map).into_values();
                *map = amounts.enumerate().map(|(j, m)| (format!("{name}{j}"), m)).collect();
            }
        }
        for outcome in case.outcomes.iter_mut().flatten() {
            for (j, workload) in outcome.workloads.iter_mut().enumerate() {
                workload.name = format!("{name}{j}");
            }
            outcome.goals.iter_mut().for_each(|g| {
                name.clone_into(&mut g.name);
                g.target = GoalValue::Seconds(1.0);
            });
            let types = std::mem::take(&mut outcome.nodes.by_type);
            outcome.nodes.by_type =
                types.into_iter().map(|(k, v)| (format!("{name}{k}"), v)).collect();
        }
        if let Some(detail) = &mut case.detail {
            detail.nodes.types.iter_mut().for_each(|t| *t = format!("{name}{t}"));
            for (j, (workload, _)) in detail.pending_by_workload.iter_mut().enumerate() {
                *workload = format!("{name}{j}");
            }
        }
    }
    study
}

/// The same study with every amount and count multiplied.
pub(super) fn scaled(factor: i128) -> Study {
    let mut study = study();
    let times = |m: &mut Money| *m = m.scale(factor, 1);
    for case in &mut study.cases {
        for outcome in case.outcomes.iter_mut().flatten() {
            let cost = &mut outcome.cost;
            [&mut cost.total, &mut cost.list, &mut cost.on_demand].into_iter().for_each(times);
            cost.monthly.iter_mut().for_each(times);
            cost.by_purchase.values_mut().for_each(times);
            cost.by_price_status.values_mut().for_each(times);
            outcome.workloads.iter_mut().for_each(|w| times(&mut w.cost));
            let n = factor as u64;
            let pods = &mut outcome.pods;
            pods.evicted *= n;
            pods.interrupted *= n;
            pods.unserved_core_hours *= factor as f64;
        }
    }
    study
}
