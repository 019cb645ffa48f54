//! The bill of a month of 5,000 nodes: `cargo bench --bench bill`.
//!
//! From the metered record in memory to totals, commitments and allocation, no
//! line kept: 3.7 million instance-hours in 150 pools' worth of sizes, 20 owners
//! on every node and day, under no commitment and under four Savings Plans and
//! ten Reserved Instances. `calibration` depends on the machine alone; quote
//! the others as multiples of it.

use plimsoll::bill::{
    ALWAYS, Bill, BillingPlan, Commitment, CommitmentFees, CommitmentKind, KeepLines, Price,
    PriceStatus, Reserved, ShapePrice,
};
use plimsoll::cluster::{
    Capacity, ClusterSpec, NodeShape, PoolId, PoolKind, PoolSpec, Purchase, ShapeId,
    SpotAllocation, ZoneId,
};
use plimsoll::observe::{NodeEnd, NodeRecord, NodeWindow, OwnerIntegral, Record};
use plimsoll::rng::Distribution;
use plimsoll::units::{Bytes, DAY_MS, HOUR_MS, MilliCpu, Rate, SimTime};
use plimsoll::workload::{NamespaceId, WorkloadId, WorkloadInfo, WorkloadKind, Workloads};

const NODES: usize = 5_000;
const DAYS: i64 = 30;
const OWNERS: u32 = 20;
const START: i64 = 20_458 * DAY_MS;
const GIB: i64 = 1 << 30;

/// Dependent integer work of a known amount, as in the bench of the engine.
#[divan::bench(sample_count = 10)]
fn calibration() -> u64 {
    (0..10_000_000u64).fold(1, |x, i| (x ^ i).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(27))
}

#[divan::bench(args = [false, true], sample_count = 5)]
fn month_of_5000_nodes(bencher: divan::Bencher<'_, '_>, commitments: bool) {
    let (record, cluster, workloads) = (record(), cluster(), workloads());
    let plan = plan(commitments);
    bencher.bench(|| {
        Bill::compute(&record, &cluster, &workloads, &plan, KeepLines::No).expect("a bill").total
    });
}

/// Two families of three sizes.
const SHAPES: [(&str, i64, i64, &str); 6] = [
    ("m5.large", 2, 8, "0.096"),
    ("m5.xlarge", 4, 16, "0.192"),
    ("m5.2xlarge", 8, 32, "0.384"),
    ("c5.large", 2, 4, "0.085"),
    ("c5.xlarge", 4, 8, "0.17"),
    ("c5.2xlarge", 8, 16, "0.34"),
];

fn cluster() -> ClusterSpec {
    let shape = |(name, vcpu, gib, _): (&str, i64, i64, &str)| {
        let capacity = Capacity {
            cpu: MilliCpu(vcpu * 1_000),
            memory: Bytes(gib * GIB),
            pods: 58,
            extended: Vec::new(),
        };
        let allocatable = Capacity {
            cpu: MilliCpu(vcpu * 950),
            memory: Bytes(gib * GIB / 10 * 9),
            ..capacity.clone()
        };
        NodeShape { name: name.into(), capacity, allocatable, nominal_memory: Bytes(gib * GIB) }
    };
    let never = || Distribution::Constant(0.0);
    ClusterSpec {
        shapes: SHAPES.map(shape).into(),
        zones: ["a", "b", "c"].map(|z| format!("us-east-1{z}")).into(),
        pools: vec![PoolSpec {
            name: "general".into(),
            kind: PoolKind::Fixed { count: NODES as u32 },
            offers: Vec::new(),
            on_demand_base: 0,
            on_demand_percentage_above_base: 100,
            spot_allocation: SpotAllocation::default(),
            labels: Vec::new(),
            taints: Vec::new(),
            launch: never(),
            ready: never(),
        }],
        ..ClusterSpec::default()
    }
}

fn workloads() -> Workloads {
    let info = |i| WorkloadInfo { name: format!("service-{i}"), kind: WorkloadKind::Service };
    Workloads {
        workloads: (0..OWNERS).map(info).collect(),
        namespaces: vec!["default".into()],
        ..Workloads::default()
    }
}

/// Every node runs from some minute of the first hours to the end.
fn record() -> Record {
    let end = DAYS * DAY_MS;
    let mut record = Record { end: SimTime(end), start_unix_ms: START, ..Record::default() };
    for i in 0..NODES {
        let shape = i % SHAPES.len();
        let running = (i as i64 * 977) % (5 * HOUR_MS);
        record.nodes.push(NodeRecord {
            pool: PoolId(0),
            shape: ShapeId(shape as u32),
            zone: ZoneId((i / SHAPES.len() % 3) as u32),
            purchase: Purchase::OnDemand,
            requested: SimTime(running),
            running: SimTime(running),
            ready: SimTime(running),
            draining: SimTime::NEVER,
            shutting_down: SimTime(end),
            end: NodeEnd::Running,
        });
        let (_, vcpu, gib, _) = SHAPES[shape];
        for day in 0..DAYS {
            let metered = (DAY_MS - if day == 0 { running } else { 0 }) as u64;
            let window = (START / DAY_MS + day) as i32;
            record.windows.push(NodeWindow {
                node: i as u32,
                window,
                metered_ms: metered,
                ..NodeWindow::default()
            });
            let cpu = vcpu as u64 * 900 / u64::from(OWNERS) * metered;
            let memory = gib as u64 * (1 << 20) / 8 * 7 / u64::from(OWNERS) * metered;
            for owner in 0..OWNERS {
                record.owners.push(OwnerIntegral {
                    node: i as u32,
                    window,
                    workload: WorkloadId(owner),
                    namespace: NamespaceId(0),
                    cpu_requested: cpu,
                    cpu_used: cpu / 3,
                    memory_requested: memory,
                    memory_used: memory / 2,
                    ..OwnerIntegral::default()
                });
            }
        }
    }
    record
}

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

fn commitment(name: &str, kind: CommitmentKind) -> Commitment {
    Commitment {
        name: name.into(),
        kind,
        usd_per_hour: Rate::ZERO,
        reserved: None,
        in_force: ALWAYS,
        fee_discount: plimsoll::units::Percent::default(),
        fees: CommitmentFees::default(),
        shapes: Vec::new(),
        fargate: Vec::new(),
    }
}

/// Four Savings Plans and ten Reserved Instances, which together cover some
/// three quarters of what runs.
fn plan(commitments: bool) -> BillingPlan {
    let real = |text: &str| Price::new(rate(text), PriceStatus::Real);
    let shape = |(.., price): (&str, i64, i64, &str)| ShapePrice {
        on_demand: Some(real(price)),
        spot: Vec::new(),
        custom: false,
    };
    let mut plan = BillingPlan { shapes: SHAPES.map(shape).into(), ..BillingPlan::default() };
    if !commitments {
        return plan;
    }
    let spend = |name: &str, kind, usd: &str, family: &str, percent: i128| Commitment {
        usd_per_hour: rate(usd),
        shapes: SHAPES
            .iter()
            .map(|s| {
                let covered = s.0.starts_with(family);
                covered.then(|| Price::new(rate(s.3).scale(percent, 100), PriceStatus::Real))
            })
            .collect(),
        ..commitment(name, kind)
    };
    plan.commitments = vec![
        spend("compute-1y", CommitmentKind::ComputeSp, "250", "", 72),
        spend("compute-3y", CommitmentKind::ComputeSp, "150", "", 52),
        spend("m5-1y", CommitmentKind::Ec2InstanceSp, "60", "m5", 63),
        spend("c5-1y", CommitmentKind::Ec2InstanceSp, "40", "c5", 63),
    ];
    for i in 0..10usize {
        let (name, .., price) = SHAPES[i % SHAPES.len()];
        let zone = (i % 3 == 0).then(|| format!("us-east-1{}", ["a", "b", "c"][i / 3 % 3]));
        let kind =
            if i % 2 == 0 { CommitmentKind::StandardRi } else { CommitmentKind::ConvertibleRi };
        plan.commitments.push(Commitment {
            usd_per_hour: rate(price).scale(60 * 60, 100),
            reserved: Some(Reserved {
                instance_type: name.into(),
                count: 60,
                size_flexible: zone.is_none(),
                zone,
                status: PriceStatus::Real,
            }),
            ..commitment(&format!("ri-{i}"), kind)
        });
    }
    plan
}

fn main() {
    divan::main();
}
