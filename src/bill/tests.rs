//! Bills computed by hand.

mod random;
mod spot;

pub(super) use self::random::{any_plan, any_record};
use super::*;
use crate::cluster::{
    Capacity, ClusterSpec, FargateSize, FargateSpec, NodeShape, PoolId, PoolKind, PoolSpec,
    Purchase, ShapeId, SpotAllocation, ZoneId,
};
use crate::observe::{FargateRecord, NodeEnd, NodeRecord, NodeWindow, OwnerIntegral, Record};
use crate::rng::Distribution;
use crate::units::{
    Bytes, DAY_MS, HOUR_MS, MINUTE_MS, MilliCpu, Money, Percent, Rate, SimDuration, SimTime,
};
use crate::workload::{
    ClassId, NamespaceId, OnInterrupt, PodClass, PodTemplate, Requests, TemplateId, WorkloadId,
    WorkloadInfo, WorkloadKind, Workloads,
};

/// 2026-01-05T00:00Z, day 20,458 since the Unix epoch.
const MONDAY: i64 = 20_458 * DAY_MS;
const DAY: i32 = 20_458;
const GIB: i64 = 1 << 30;
const KIB_PER_GIB: u64 = 1 << 20;
const LARGE: ShapeId = ShapeId(0);
const XLARGE: ShapeId = ShapeId(1);
const MINE: ShapeId = ShapeId(2);
const WEB: WorkloadId = WorkloadId(0);
const BATCH: WorkloadId = WorkloadId(1);
const LOGS: WorkloadId = WorkloadId(2);

pub(super) fn money(text: &str) -> Money {
    text.parse().expect("money")
}

pub(super) fn real(text: &str) -> Price {
    Price::new(text.parse().expect("rate"), PriceStatus::Real)
}

fn never() -> Distribution {
    Distribution::Constant(0.0)
}

fn shape(name: &str, cpu: i64, gib: i64) -> NodeShape {
    let capacity =
        Capacity { cpu: MilliCpu(cpu), memory: Bytes(gib * GIB), pods: 29, extended: Vec::new() };
    // 10 % of the cpu and a quarter of the memory are kept back.
    let allocatable = Capacity {
        cpu: MilliCpu(cpu * 9 / 10),
        memory: Bytes(gib * GIB / 4 * 3),
        ..capacity.clone()
    };
    NodeShape { name: name.into(), capacity, allocatable, nominal_memory: Bytes(gib * GIB) }
}

fn pool(name: &str) -> PoolSpec {
    PoolSpec {
        name: name.into(),
        kind: PoolKind::Fixed { count: 1 },
        offers: Vec::new(),
        on_demand_base: 0,
        on_demand_percentage_above_base: 100,
        spot_allocation: SpotAllocation::default(),
        labels: Vec::new(),
        taints: Vec::new(),
        launch: never(),
        ready: never(),
    }
}

pub(super) fn cluster() -> ClusterSpec {
    let small = FargateSize { cpu: MilliCpu(250), memory: Bytes(GIB / 2) };
    let one = FargateSize { cpu: MilliCpu(1_000), memory: Bytes(2 * GIB) };
    ClusterSpec {
        members: Vec::new(),
        shapes: vec![
            shape("m5.large", 2_000, 8),
            shape("m5.xlarge", 4_000, 16),
            shape("mine", 1_000, 4),
        ],
        zones: vec!["us-east-1a".into(), "us-east-1b".into()],
        pools: vec![pool("general"), pool("spare")],
        fargate: vec![FargateSpec {
            name: "serverless".into(),
            selectors: Vec::new(),
            sizes: vec![small, one],
            overhead_memory: Bytes(0),
            start_latency: never(),
            launch_burst: 100,
            launch_per_second: 20,
            job_retention: SimDuration::ZERO,
            sidecar_cpu: MilliCpu(100),
            sidecar_memory: Bytes(GIB / 4),
            hazard_per_hour: 0.0,
        }],
        spot_pools: Vec::new(),
    }
}

/// web in prod: 500m, 1 GiB; batch in jobs: 600m, 1 GiB; logs on every node.
pub(super) fn workloads() -> Workloads {
    let info = |name: &str, kind| WorkloadInfo { name: name.into(), kind };
    let class = |cpu, memory| PodClass {
        requests: Requests::new(Some(MilliCpu(cpu)), Some(Bytes(memory)), Vec::new()),
        ..PodClass::default()
    };
    let template = |class, workload, namespace| PodTemplate {
        class: ClassId(class),
        workload,
        namespace: NamespaceId(namespace),
        on_interrupt: OnInterrupt::Restart,
        startup: never(),
        life: crate::workload::PodLife::default(),
    };
    Workloads {
        workloads: vec![
            info("web", WorkloadKind::Service),
            info("batch", WorkloadKind::Batch),
            info("logs", WorkloadKind::Daemon),
        ],
        namespaces: vec!["prod".into(), "jobs".into(), "kube-system".into()],
        classes: vec![class(500, GIB), class(600, GIB), class(100, GIB)],
        templates: vec![template(0, WEB, 0), template(1, BATCH, 1), template(2, LOGS, 2)],
        ..Workloads::default()
    }
}

pub(super) fn prices() -> BillingPlan {
    BillingPlan {
        shapes: vec![
            ShapePrice {
                on_demand: Some(real("0.096")),
                spot: vec![Some(real("0.035")), Some(real("0.041"))],
                custom: false,
            },
            ShapePrice { on_demand: Some(real("0.192")), spot: vec![], custom: false },
            ShapePrice {
                on_demand: Some(Price::new(Rate::from_pico(50_000_000_000), PriceStatus::Stated)),
                spot: vec![],
                custom: true,
            },
        ],
        fargate: vec![FargatePrice::new(real("0.04048"), real("0.004445"))],
        // One vCPU weighs as much as 4 GB: both halves of an m5 are equal.
        weight: ResourceWeight {
            vcpu_hour: Rate::from_pico(40_000_000_000),
            gb_hour: Rate::from_pico(10_000_000_000),
        },
        ..BillingPlan::default()
    }
}

pub(super) fn control_plane() -> AroundCharge {
    AroundCharge::constant(
        "control plane",
        (Charge::ControlPlane, Unit::Hours),
        1,
        Pricing::Flat(real("0.1")),
        Target::Shared,
    )
}

/// A charge of one workload that follows the nodes, its price falling after
/// 5,000 GB·hours of a month.
fn replica_disks() -> AroundCharge {
    let amount = Amount { basis: Basis::Nodes, numerator: 77, denominator: 1 };
    let tier = |name, up_to, usd| Tier { name, up_to, price: real(usd) };
    let tiers = vec![tier("first", Some(5_000 * HOUR_MS), "0.0811"), tier("rest", None, "0.0707")];
    let pricing = Pricing::Tiered(Tiers { elsewhere: 0, tiers });
    let of = (Charge::PodVolume, Unit::GbMonths);
    AroundCharge::new("disks", of, amount, pricing, Target::Workload(WEB))
}

pub(super) fn node(
    shape: ShapeId,
    purchase: Purchase,
    running: i64,
    down: i64,
    end: NodeEnd,
) -> NodeRecord {
    NodeRecord {
        pool: PoolId(0),
        shape,
        zone: ZoneId(0),
        purchase,
        requested: SimTime(running),
        running: SimTime(running),
        ready: SimTime(running),
        draining: SimTime::NEVER,
        shutting_down: SimTime(down),
        end,
    }
}

pub(super) fn record(end: i64, nodes: Vec<NodeRecord>) -> Record {
    let mut record =
        Record { end: SimTime(end), start_unix_ms: MONDAY, nodes, ..Record::default() };
    record.windows = idle_windows(&record);
    record
}

/// Windows of nodes that serve nothing from `running` on.
fn idle_windows(record: &Record) -> Vec<NodeWindow> {
    let mut windows = Vec::new();
    for (i, n) in record.nodes.iter().enumerate() {
        if n.running == SimTime::NEVER {
            continue;
        }
        let (mut at, end) = (MONDAY + n.running.ms(), MONDAY + n.shutting_down.ms());
        while at < end {
            let day = at.div_euclid(DAY_MS);
            let next = ((day + 1) * DAY_MS).min(end);
            windows.push(NodeWindow {
                node: i as u32,
                window: day as i32,
                metered_ms: (next - at) as u64,
                cpu_idle: u64::MAX,
                memory_idle: u64::MAX,
                ..NodeWindow::default()
            });
            at = next;
        }
    }
    windows
}

fn compute(record: &Record, plan: &BillingPlan) -> Bill {
    let bill =
        Bill::compute(record, &cluster(), &workloads(), plan, KeepLines::Yes).expect("a bill");
    let sum = |column: &[i64]| Money::from_pico(column.iter().map(|v| i128::from(*v)).sum());
    assert_eq!(sum(&bill.lines.net), bill.total);
    assert_eq!(sum(&bill.lines.list), bill.list_total);
    assert_eq!(sum(&bill.lines.on_demand), bill.on_demand_total);
    bill
}

/// (charge name, hour since Monday 00:00, net) of every line of a resource.
pub(super) fn lines(bill: &Bill, resource: Resource) -> Vec<(&'static str, i32, String)> {
    let all = &bill.lines;
    (0..all.len())
        .filter(|i| bill.resource(all.resource[*i]) == resource)
        .map(|i| {
            let sku = &bill.skus[usize::from(all.sku[i])];
            let net = Money::from_pico(i128::from(all.net[i]));
            (sku.charge.name(), all.hour[i] - DAY * 24, net.to_string())
        })
        .collect()
}

pub(super) fn step(bill: &Bill, step: Step) -> [Money; 3] {
    let row = bill.waterfall.iter().find(|s| s.step == step).expect("every step is there");
    [row.cpu, row.memory, row.other]
}

/// Three hours of three nodes; the cost window starts half an hour in.
fn by_hand() -> (Record, BillingPlan) {
    let hour = HOUR_MS;
    let mut record = record(
        3 * hour,
        vec![
            // A: On-Demand; the plan has no rate for it.
            node(LARGE, Purchase::OnDemand, 0, 3 * hour, NodeEnd::Running),
            // B: Spot, from 1:00 to 2:30:00.5, scaled down.
            node(LARGE, Purchase::Spot, hour, 2 * hour + 1_800_500, NodeEnd::ScaledDown),
            // C: On-Demand from 0:45, under the plan.
            node(XLARGE, Purchase::OnDemand, 45 * MINUTE_MS, 3 * hour, NodeEnd::Running),
        ],
    );
    record.warmup = SimTime(30 * MINUTE_MS);
    let (a, b, c) = (9_000_000, 5_400_500, 8_100_000);
    let window = |node, metered_ms, boot_ms, cpu_idle, memory_idle| NodeWindow {
        node,
        window: DAY,
        metered_ms,
        boot_ms,
        drain_ms: 0,
        cpu_idle,
        memory_idle,
    };
    record.windows = vec![
        window(0, a, 0, 300 * a, 2 * KIB_PER_GIB * a),
        window(1, b, 0, 0, 0),
        window(2, c, c / 9, u64::MAX, u64::MAX),
    ];
    let owner = |node, workload, namespace| OwnerIntegral {
        node,
        window: DAY,
        workload,
        namespace: NamespaceId(namespace),
        ..OwnerIntegral::default()
    };
    record.owners = vec![
        // Two web pods of 500m and 1 GiB, half used.
        OwnerIntegral {
            cpu_requested: 1_000 * a,
            cpu_used: 500 * a,
            memory_requested: 2 * KIB_PER_GIB * a,
            memory_used: KIB_PER_GIB * a,
            ..owner(0, WEB, 0)
        },
        // A batch pod of 600m and 1 GiB for half the time, usage unknown.
        OwnerIntegral {
            cpu_requested: 300 * a,
            cpu_unknown: 300 * a,
            memory_requested: KIB_PER_GIB / 2 * a,
            memory_unknown: KIB_PER_GIB / 2 * a,
            ..owner(0, BATCH, 1)
        },
        OwnerIntegral {
            cpu_requested: 100 * a,
            memory_requested: KIB_PER_GIB * a,
            ..owner(0, LOGS, 2)
        },
        // A batch pod that fills B, uses all, and does half of it twice.
        OwnerIntegral {
            cpu_requested: 1_800 * b,
            cpu_used: 1_800 * b,
            cpu_repeated: 900 * b,
            memory_requested: 6 * KIB_PER_GIB * b,
            memory_used: 6 * KIB_PER_GIB * b,
            memory_repeated: 3 * KIB_PER_GIB * b,
            ..owner(1, BATCH, 1)
        },
    ];
    let mut plan = prices();
    plan.root_volume = Some(RootVolume::new(20, real("0.08")));
    plan.commitments = vec![Commitment {
        name: "owned".into(),
        kind: CommitmentKind::ComputeSp,
        usd_per_hour: "0.1".parse().expect("rate"),
        reserved: None,
        in_force: ALWAYS,
        fee_discount: Percent::default(),
        fees: CommitmentFees::default(),
        shapes: vec![
            None,
            Some(Price::new("0.141".parse().expect("rate"), PriceStatus::Representative)),
        ],
        fargate: vec![],
    }];
    (record, plan)
}

#[test]
fn three_nodes_by_hand_line_by_line() {
    let (record, plan) = by_hand();
    let bill = compute(&record, &plan);
    let line = |charge, hour, net: &str| (charge, hour, net.to_owned());
    // A: half an hour, then two at 0.096; 20 GB × 0.08 / 730 h = 0.00219178082192.
    assert_eq!(
        lines(&bill, Resource::Node(0)),
        [
            line("instance", 0, "0.048"),
            line("instance", 1, "0.096"),
            line("instance", 2, "0.096"),
            line("root-volume", 0, "0.001095890411"),
            line("root-volume", 1, "0.002191780822"),
            line("root-volume", 2, "0.002191780822"),
        ]
    );
    // B: 0.035 × 1,800.5 / 3,600 = 0.0175048611…; half a second more to the
    // whole one, × 0.035 / 3,600 = 0.00000486111…
    assert_eq!(
        lines(&bill, Resource::Node(1)),
        [
            line("instance", 1, "0.035"),
            line("instance", 2, "0.017504861111"),
            line("instance-second-rounding", 2, "0.000004861111"),
            line("root-volume", 1, "0.002191780822"),
            line("root-volume", 2, "0.001096194825"),
            line("root-volume-second-rounding", 2, "0.000000304414"),
        ]
    );
    // C: a quarter of 0.141 is covered by half of 0.10; in whole hours 0.10
    // buys 0.10 × 0.192 / 0.141 = 0.136170212766 of On-Demand spend, the rest of
    // 0.192 stays.
    assert_eq!(
        lines(&bill, Resource::Node(2)),
        [
            line("instance", 0, "0.03525"),
            line("instance", 1, "0.1"),
            line("instance", 1, "0.055829787234"),
            line("instance", 2, "0.1"),
            line("instance", 2, "0.055829787234"),
            line("root-volume", 0, "0.000547945205"),
            line("root-volume", 1, "0.002191780822"),
            line("root-volume", 2, "0.002191780822"),
        ]
    );
    // 0.05 − 0.03525; the other hours are used up.
    let unused = [line("unused-commitment", 0, "0.01475")];
    assert_eq!(lines(&bill, Resource::Commitment(0)), unused);
    // 0.24 + 0.052509722222 + 0.346909574468 + 0.01475 + volumes 0.013699238965
    assert_eq!(bill.total, money("0.667868535655"));
    assert_eq!(bill.by_purchase["on-demand"], money("0.351659574468"));
    assert_eq!(bill.by_purchase["spot"], money("0.052509722222"));
    assert_eq!(bill.by_purchase["savings-plan"], money("0.25"));
    assert_eq!(bill.by_purchase["other"], money("0.013699238965"));
    assert_eq!(bill.by_price_status["representative"], money("0.23525"));
    assert_eq!(bill.by_price_status["stated"], money("0.01475"));
    assert_eq!(bill.by_pool["(commitments)"], money("0.01475"));
    // A 0.24 + C 0.432 at list; covered 0.048 + 2 × 0.136170212766.
    assert_eq!(bill.commitment.eligible_on_demand, money("0.672"));
    assert_eq!(bill.commitment.covered_on_demand(), money("0.320340425532"));
    assert_eq!(bill.commitment.used(), money("0.23525"));
    // Without the plan: C costs 0.432 and nothing is unused.
    assert_eq!(bill.list_total, money("0.738208961187"));
}

#[test]
fn three_nodes_by_hand_waterfall() {
    let (record, plan) = by_hand();
    let bill = compute(&record, &plan);
    let parts = |cpu: &str, memory: &str| [money(cpu), money(memory), Money::ZERO];
    // A costs 0.12 for each resource: 0.06 per vCPU, 0.015 per GiB. B costs
    // 0.026252430556 and …555; C 0.173454787234 each, a ninth of it boot.
    assert_eq!(step(&bill, Step::Used), parts("0.04181359375", "0.024844661458"));
    assert_eq!(step(&bill, Step::Repeated), parts("0.01181359375", "0.009844661458"));
    assert_eq!(step(&bill, Step::RequestedUnused), parts("0.03", "0.015"));
    assert_eq!(step(&bill, Step::UsageUnknown), parts("0.018", "0.0075"));
    assert_eq!(step(&bill, Step::DaemonSets), parts("0.006", "0.015"));
    assert_eq!(step(&bill, Step::SystemReserve), parts("0.030043446366", "0.075108615913"));
    assert_eq!(step(&bill, Step::Boot), parts("0.019272754137", "0.019272754137"));
    assert_eq!(step(&bill, Step::Idle), parts("0.156763829787", "0.145636524823"));
    assert_eq!(step(&bill, Step::Stranded), parts("0.006", "0.0075"));
    assert_eq!(step(&bill, Step::Minimums)[2], money("0.000005165525"));
    assert_eq!(step(&bill, Step::Volumes)[2], money("0.013698934551"));
    assert_eq!(step(&bill, Step::UnusedCommitment)[2], money("0.01475"));

    assert_eq!(bill.by_workload["web"], money("0.09"));
    assert_eq!(bill.by_workload["batch"], money("0.068816510416"));
    assert_eq!(bill.by_workload["logs"], money("0.021"));
    assert_eq!(bill.by_workload["(idle)"], money("0.31590035461"));
    assert_eq!(bill.by_workload["(system)"], money("0.105152062279"));
    assert_eq!(bill.by_workload["(boot and drain)"], money("0.038545508274"));
    assert_eq!(bill.by_workload["(shared charges)"], money("0.013704100076"));
    assert_eq!(bill.by_namespace["prod"], money("0.09"));
    // Everything over web and batch as 0.09 : 0.068816510416.
    assert_eq!(bill.fully_loaded_by_workload["logs"], Money::ZERO);
    let loaded = ["web", "batch"].map(|w| bill.fully_loaded_by_workload[w]);
    assert_eq!(loaded, [money("0.378475563098"), money("0.289392972557")]);
}

#[test]
fn summary_has_stable_keys_and_decimal_strings() {
    let (record, plan) = by_hand();
    let bill = compute(&record, &plan);
    let json = serde_json::to_value(bill.summary()).expect("json");
    assert_eq!(json["currency"], "USD");
    assert_eq!(json["total"], "0.667868535655");
    // 2.5 h of 730: × 292.
    assert_eq!(json["monthly"], "195.01761241126");
    assert_eq!(json["monthly_extrapolated"], true);
    assert_eq!(json["waterfall"]["unused-commitment"], "0.01475");
    let keys: Vec<&String> = json["waterfall"].as_object().expect("map").keys().collect();
    assert_eq!(keys[..2], ["used", "requested-unused"]);
}

#[test]
fn whole_weeks_are_not_extrapolated() {
    let week = 7 * DAY_MS;
    let nodes = vec![node(LARGE, Purchase::OnDemand, 0, week, NodeEnd::Running)];
    let bill = compute(&record(week, nodes), &prices());
    assert_eq!(bill.total, money("16.128"));
    let monthly = Monthly { amount: money("70.08"), extrapolated: false };
    assert_eq!(bill.monthly, Some(monthly));
}

#[test]
fn an_instance_pays_a_minute_and_spot_taken_back_at_once_nothing() {
    let nodes = vec![
        node(LARGE, Purchase::OnDemand, 0, 12_300, NodeEnd::ScaledDown),
        node(LARGE, Purchase::Spot, 0, HOUR_MS - 1, NodeEnd::Reclaimed),
        node(LARGE, Purchase::Spot, 0, HOUR_MS, NodeEnd::Reclaimed),
        node(MINE, Purchase::OnDemand, 0, HOUR_MS, NodeEnd::ScaledDown),
    ];
    let mut plan = prices();
    plan.node_licence = Some(real("0.02"));
    let bill = compute(&record(2 * HOUR_MS, nodes), &plan);
    // 0.096 / 60 = 0.0016 = 12.3 s + 0.7 s + 47 s.
    assert_eq!(
        lines(&bill, Resource::Node(0))[..3],
        [
            ("instance", 0, "0.000328".to_owned()),
            ("instance-second-rounding", 0, "0.000018666667".to_owned()),
            ("instance-minimum", 0, "0.001253333333".to_owned()),
        ]
    );
    // 0.035 × 3,599.999 / 3,600, and back; the licence is not waived.
    assert_eq!(
        lines(&bill, Resource::Node(1)),
        [
            ("instance", 0, "0.034999990278".to_owned()),
            ("spot-first-hour-credit", 0, "-0.034999990278".to_owned()),
            ("node-licence", 0, "0.019999994444".to_owned()),
        ]
    );
    assert_eq!(bill.by_purchase["spot"], money("0.035"));
    assert_eq!(bill.by_purchase["custom"], money("0.05"));
    assert_eq!(bill.by_price_status["stated"], money("0.05"));
}

pub(super) fn fargate_pod(template: u32, pull: i64, running: i64, removed: i64) -> FargateRecord {
    FargateRecord {
        pool: 0,
        size: 1,
        template: TemplateId(template),
        pull: SimTime(pull),
        running: SimTime(running),
        finished: SimTime(removed),
        removed: SimTime(removed),
        used_cpu: -1,
        used_memory: -1,
        repeated_ms: 0,
    }
}

#[test]
fn fargate_month_agrees_with_published_checks() {
    // 1 vCPU 29.55 and 1 GB 3.24 a month of 730 h, here 1 vCPU and 2 GB.
    let mut record = record(730 * HOUR_MS, vec![]);
    record.fargate = vec![fargate_pod(0, 0, 0, 730 * HOUR_MS)];
    let bill = compute(&record, &prices());
    assert_eq!(bill.by_charge["fargate-vcpu"], money("29.5504"));
    assert_eq!(bill.by_charge["fargate-memory"], money("6.4897"));
    assert_eq!(bill.by_workload["web"], bill.total);
    assert_eq!(bill.fully_loaded_by_workload["web"], bill.total);
}

#[test]
fn fargate_pod_by_hand() {
    // Pulls for 10 s, runs 20 s, stays 10 s: 40 s of 1 vCPU and 2 GB, and 20 s
    // to the minute. A vCPU-second is 0.04048 / 3,600 = 0.0000112444…, a
    // second of 2 GB 0.00889 / 3,600 = 0.00000246944…
    let mut record = record(HOUR_MS, vec![]);
    record.fargate = vec![FargateRecord {
        finished: SimTime(30_000),
        used_cpu: 300,
        ..fargate_pod(0, 0, 10_000, 40_000)
    }];
    let mut plan = prices();
    plan.fargate[0].public_ipv4 = Some(real("0.005"));
    let bill = compute(&record, &plan);
    assert_eq!(
        lines(&bill, Resource::Fargate(0)),
        [
            ("fargate-vcpu", 0, "0.000449777778".to_owned()),
            ("fargate-minimum", 0, "0.000224888889".to_owned()),
            ("fargate-memory", 0, "0.000098777778".to_owned()),
            ("fargate-minimum", 0, "0.000049388889".to_owned()),
            ("public-ipv4", 0, "0.000055555556".to_owned()),
        ]
    );
    // 500m requested, 300m used, sidecar 100m, 400m rounding, for half of
    // 0.000449777778; the pull and the stay are a quarter each.
    let cpu = |s| step(&bill, s)[0];
    assert_eq!(cpu(Step::Boot), money("0.000112444444"));
    assert_eq!(cpu(Step::Used), money("0.000067466667"));
    assert_eq!(cpu(Step::RequestedUnused), money("0.000044977778"));
    assert_eq!(cpu(Step::DaemonSets), money("0.000022488889"));
    assert_eq!(cpu(Step::FargateRetention), money("0.000112444444"));
    assert_eq!(cpu(Step::FargateRounding), money("0.000089955556"));
    assert_eq!(step(&bill, Step::UsageUnknown)[1], money("0.000024694445"));
    assert_eq!(bill.by_workload["web"], bill.total);
}

#[test]
fn a_commitment_covers_fargate_memory_before_cpu_at_equal_saving() {
    let mut record = record(HOUR_MS, vec![]);
    record.fargate = vec![fargate_pod(0, 0, 0, HOUR_MS)];
    let mut plan = prices();
    plan.fargate[0].vcpu_hour = real("0.04");
    plan.fargate[0].gb_hour = real("0.004");
    plan.commitments = vec![Commitment {
        name: "owned".into(),
        kind: CommitmentKind::ComputeSp,
        usd_per_hour: "0.015".parse().expect("rate"),
        reserved: None,
        in_force: ALWAYS,
        fee_discount: Percent::default(),
        fees: CommitmentFees::default(),
        shapes: vec![],
        fargate: vec![Some((real("0.03"), real("0.003")))],
    }];
    let bill = compute(&record, &plan);
    // 2 GB take 0.006, 0.009 buy 0.3 vCPU; 0.7 × 0.04 stays.
    assert_eq!(bill.by_purchase["fargate"], money("0.028"));
    assert_eq!(bill.total, money("0.043"));
    assert_eq!(bill.commitment.unused(), Money::ZERO);
    let purchases: Vec<&str> =
        bill.lines.sku.iter().map(|s| bill.skus[usize::from(*s)].purchase.name()).collect();
    assert_eq!(purchases, ["savings-plan", "fargate", "savings-plan"]);
    assert_eq!(bill.lines.quantity[..2], [300 * HOUR_MS, 700 * HOUR_MS]);
}

#[test]
fn the_bridge_names_every_dollar() {
    let (record, plan) = by_hand();
    let with = compute(&record, &plan);
    let without = compute(&record, &BillingPlan { commitments: vec![], ..plan });
    let steps = bridge(&without, &with);
    let named: Vec<(&str, Money)> = steps.iter().map(|(n, m)| (n.as_str(), *m)).collect();
    assert_eq!(
        named,
        [
            ("EC2 instances, On-Demand", money("-0.320340425532")),
            ("EC2 instances, Savings Plan", money("0.23525")),
            ("Savings Plan, unused", money("0.01475")),
        ]
    );
    let sum: Money = steps.iter().map(|s| s.1).sum();
    assert_eq!(sum, with.total - without.total);
    assert_eq!(without.total, with.list_total);
}

#[test]
fn what_cannot_be_billed_is_refused() {
    let (record, plan) = by_hand();
    let refused = |plan: &BillingPlan, record: &Record| {
        Bill::compute(record, &cluster(), &workloads(), plan, KeepLines::No)
            .expect_err("refused")
            .to_string()
    };
    let mut missing = plan.clone();
    missing.shapes[0].spot[0] = None;
    assert_eq!(
        refused(&missing, &record),
        "`m5.large` has no Spot price in `us-east-1a`, but a Spot node ran on it"
    );
    let mut negative = plan.clone();
    negative.commitments[0].usd_per_hour = Rate::from_pico(-1);
    assert!(refused(&negative, &record).contains("is not between 0 and 100000 USD"));
    let mut short = record.clone();
    short.windows[0].metered_ms -= 1;
    assert!(refused(&plan, &short).contains("more than the record accounts for"));
}

#[test]
fn nothing_costs_nothing_but_what_is_committed() {
    let empty = compute(&record(0, vec![]), &by_hand().1);
    assert_eq!((empty.total, empty.monthly), (Money::ZERO, None));
    let mut plan = by_hand().1;
    plan.around = vec![control_plane()];
    let idle = compute(&record(HOUR_MS / 2, vec![]), &plan);
    assert_eq!(idle.total, money("0.1"));
    assert_eq!(idle.fully_loaded_by_workload["(shared charges)"], money("0.1"));
}
