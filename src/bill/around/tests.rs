use super::*;
use crate::bill::{Bill, BillingPlan, KeepLines, PriceStatus, pseudo};
use crate::cluster::ClusterSpec;
use crate::observe::Record;
use crate::units::{DAY_MS, HOUR_MS, Money, Rate, SimTime};
use crate::workload::{
    ClassId, NamespaceId, OnInterrupt, PodLife, PodTemplate, WorkloadInfo, WorkloadKind, Workloads,
};

const GIB: i64 = 1 << 30;
/// 2026-01-30T00:00Z.
const START: i64 = 1_769_731_200_000;

fn price(usd: &str) -> Price {
    Price::new(usd.parse::<Rate>().expect("rate"), PriceStatus::Real)
}

fn money(usd: &str) -> Money {
    usd.parse().expect("money")
}

fn workloads() -> Workloads {
    let info = |name: &str, kind| WorkloadInfo { name: name.to_owned(), kind };
    let template = |workload, namespace| PodTemplate {
        class: ClassId(0),
        workload: WorkloadId(workload),
        namespace: NamespaceId(namespace),
        on_interrupt: OnInterrupt::Restart,
        startup: crate::rng::Distribution::Constant(0.0),
        life: PodLife::default(),
    };
    Workloads {
        workloads: vec![
            info("web", WorkloadKind::Service),
            info("logs", WorkloadKind::Daemon),
            info("never", WorkloadKind::Batch),
        ],
        namespaces: vec!["prod".into(), "kube-system".into()],
        templates: vec![template(0, 0), template(1, 1)],
        ..Workloads::default()
    }
}

fn bill(record: &Record, around: Vec<AroundCharge>) -> Bill {
    let plan = BillingPlan { around, ..BillingPlan::default() };
    let cluster = ClusterSpec::default();
    Bill::compute(record, &cluster, &workloads(), &plan, KeepLines::Yes).expect("a bill")
}

fn record(end: i64) -> Record {
    Record { end: SimTime(end), start_unix_ms: START, ..Record::default() }
}

/// (SKU, small units, net) of every line.
fn lines(bill: &Bill) -> Vec<(String, i64, Money)> {
    let lines = &bill.lines;
    let name = |sku: u16| bill.skus[usize::from(sku)].name.clone();
    let line =
        |i: usize| (name(lines.sku[i]), lines.quantity[i], Money::from_pico(lines.net[i].into()));
    (0..lines.len()).map(line).collect()
}

/// Two clusters in three hours, the last of which is half an hour: 2 × 2.5 ×
/// 0.1 until the fee rises at 02:00, so 2 × 2 × 0.1 + 2 × 0.5 × 0.6.
#[test]
fn a_price_changes_within_the_run() {
    let fee = |name, usd| DatedPrice { name, price: price(usd) };
    let rises = START + 2 * HOUR_MS;
    let prices = vec![(i64::MIN, fee("", "0.1")), (rises, fee("extended support", "0.6"))];
    let charge = AroundCharge::constant(
        "control plane",
        (Charge::ControlPlane, Unit::Hours),
        2,
        Pricing::Dated(prices),
        Target::Shared,
    );
    let bill = bill(&record(2 * HOUR_MS + HOUR_MS / 2), vec![charge]);
    let (whole, half) = (2 * HOUR_MS, HOUR_MS);
    assert_eq!(
        lines(&bill),
        [
            ("control plane".to_owned(), whole, money("0.2")),
            ("control plane".to_owned(), whole, money("0.2")),
            ("control plane, extended support".to_owned(), half, money("0.6")),
        ]
    );
    assert_eq!((bill.total, bill.by_pool[pseudo::CLUSTER_POOL]), (money("1"), money("1")));
}

/// 60 GB a day of one charge and 30 of another, each evenly over the day, from
/// 30 January on: 100 GB of a month are free, the next 50 cost 0.09, then 0.05.
///
/// January (30th, 31st): 180 GB: 100 free, 50 × 0.09 = 4.5, 30 × 0.05 = 1.5, so 6.
/// February starts anew and sends as much in its two days.
#[test]
fn tiers_count_by_the_calendar_month_over_all_charges() {
    let tier =
        |name, gb: Option<i64>, usd| Tier { name, up_to: gb.map(|gb| gb * GIB), price: price(usd) };
    let tiers = Tiers {
        elsewhere: 0,
        tiers: vec![
            tier("free", Some(100), "0"),
            tier("first", Some(150), "0.09"),
            tier("rest", None, "0.05"),
        ],
    };
    let charge = |name: &str, gb: i64, target| {
        let (basis, numerator) = (Basis::Time, (gb * GIB).into());
        let amount = Amount { basis, numerator, denominator: DAY_MS.into() };
        let pricing = Pricing::Tiered(tiers.clone());
        AroundCharge::new(name, (Charge::Egress, Unit::Gb), amount, pricing, target)
    };
    let both = vec![
        charge("web", 60, Target::Workload(WorkloadId(0))),
        charge("other", 30, Target::Shared),
    ];
    let paid = bill(&record(4 * DAY_MS), both.clone());
    // What one day sends is 2.5 and 1.25 GB an hour: no rounding.
    assert_eq!(paid.total, money("12"));
    let sent = |bill: &Bill, tier: &str| -> i64 {
        lines(bill).iter().filter(|l| l.0.ends_with(tier)).map(|l| l.1).sum()
    };
    assert_eq!(sent(&paid, "free"), 200 * GIB);
    assert_eq!(sent(&paid, "first"), 100 * GIB);
    assert_eq!(sent(&paid, "rest"), 60 * GIB);
    let web = paid.by_workload["web"];
    assert_eq!(web + paid.by_workload[pseudo::SHARED], paid.total);
    // The month's 27th hour begins at 97.5 GB, of which web has 65: its 2.5 GB
    // are free and those of the other are not. So web pays 32.5 × 0.09 and 20 ×
    // 0.05 in each month.
    assert_eq!(web, money("7.85"));
    assert_eq!((paid.by_namespace["prod"], paid.by_charge["internet-egress"]), (web, money("12")));
    // Where 120 GB a month go out elsewhere, nothing is free: 30 × 0.09 and the
    // rest, 150 GB, at 0.05, in each month.
    let mut more = both;
    for charge in &mut more {
        let Pricing::Tiered(tiers) = &mut charge.pricing else { panic!("tiers") };
        tiers.elsewhere = 120 * GIB;
    }
    assert_eq!(bill(&record(4 * DAY_MS), more).total, money("20.4"));
}

/// 3 units an hour of one dimension against 2 for half of the time of the
/// other: each hour counts the larger and names it.
#[test]
fn the_dimension_that_decides_is_named() {
    let mut record = record(2 * HOUR_MS);
    record.nodes = vec![crate::observe::NodeRecord {
        pool: crate::cluster::PoolId(0),
        shape: crate::cluster::ShapeId(0),
        zone: crate::cluster::ZoneId(0),
        purchase: crate::cluster::Purchase::OnDemand,
        requested: SimTime(0),
        running: SimTime(HOUR_MS),
        ready: SimTime(HOUR_MS),
        draining: SimTime::NEVER,
        shutting_down: SimTime(2 * HOUR_MS),
        end: crate::observe::NodeEnd::Running,
    }];
    let window = crate::bill::meter::Window { from: START, to: START + 2 * HOUR_MS };
    let workloads = workloads();
    let mut hours = super::hours::Hours::new(&record, &workloads, window);
    let dimension = |name, basis, numerator| Dimension {
        name,
        amounts: vec![Amount { basis, numerator, denominator: 1 }],
    };
    let both = [dimension("time", Basis::Time, 2), dimension("nodes", Basis::Nodes, 3)];
    let (two, three) = (i128::from(2 * HOUR_MS), i128::from(3 * HOUR_MS));
    assert_eq!(hours.largest(&both), [(two, 0), (three, 1)]);
}

/// What a workload is charged is its own; a `DaemonSet`'s serves all, and what
/// never ran has no namespace to pay.
#[test]
fn who_pays() {
    let charge = |workload| {
        AroundCharge::constant(
            "image",
            (Charge::ImageStorage, Unit::GbMonths),
            730,
            Pricing::Flat(price("0.1")),
            Target::Workload(WorkloadId(workload)),
        )
    };
    // 730 GB for an hour is one GB-month.
    let bill = bill(&record(HOUR_MS), vec![charge(0), charge(1), charge(2)]);
    let tenth = money("0.1");
    assert_eq!(bill.total, money("0.3"));
    assert_eq!((bill.by_workload["web"], bill.by_workload["logs"]), (tenth, tenth));
    assert_eq!(bill.by_workload[pseudo::SHARED], tenth);
    assert_eq!(bill.by_namespace["kube-system"], tenth);
    assert_eq!(bill.fully_loaded_by_workload["web"], bill.total);
    let storage = bill.waterfall.iter().find(|s| s.step == crate::bill::Step::Storage);
    assert_eq!(storage.map(|s| s.other), Some(bill.total));
}

#[test]
fn prices_and_quantities_have_bounds() {
    let charge = |usd: &str, amount| {
        AroundCharge::constant(
            "it",
            (Charge::Efs, Unit::GbMonths),
            amount,
            Pricing::Flat(price(usd)),
            Target::Shared,
        )
    };
    let refused = |it| {
        let plan = BillingPlan { around: vec![it], ..BillingPlan::default() };
        let (record, cluster) = (record(HOUR_MS), ClusterSpec::default());
        let made = Bill::compute(&record, &cluster, &workloads(), &plan, KeepLines::No);
        made.expect_err("refused").to_string()
    };
    assert!(refused(charge("100001", 1)).contains("the price of `it`"));
    assert!(refused(charge("1", -1)).contains("the quantity of `it`"));
}

/// Per hour: pods that were counted, volumes from when there first were so
/// many replicas, and the cpu time of a demand of 100 milli-cores for 90
/// minutes, then 300, starting over after two hours.
#[test]
fn what_passes_in_an_hour() {
    let mut workloads = workloads();
    workloads.services = vec![crate::workload::Service {
        template: crate::workload::TemplateId(0),
        demand: Some(crate::workload::Demand {
            steps: vec![
                (SimTime(0), crate::units::MilliCpu(100)),
                (SimTime(HOUR_MS * 3 / 2), crate::units::MilliCpu(300)),
            ],
            period: Some(crate::units::SimDuration(2 * HOUR_MS)),
            stated_to: SimTime(HOUR_MS * 3 / 2),
        }),
        usage: crate::workload::Usage::default(),
        target: crate::units::Percent { ppm: 1_000_000 },
        min: 1,
        max: 2,
        bound: Vec::new(),
        homes: Vec::new(),
    }];
    let mut record = record(4 * HOUR_MS);
    // Half an hour of warm-up: the first clock hour counts by half.
    record.warmup = SimTime(HOUR_MS / 2);
    record.pod_hours = vec![vec![7, 0, 9]];
    record.replicas = vec![vec![SimTime(0), SimTime(2 * HOUR_MS + 1_000)]];
    let web = WorkloadId(0);
    let window = crate::bill::meter::Window { from: START + HOUR_MS / 2, to: START + 4 * HOUR_MS };
    let mut hours = super::hours::Hours::new(&record, &workloads, window);
    let mut passed = |basis| -> Vec<i64> {
        let amounts = vec![Amount { basis, numerator: 1, denominator: 1 }];
        let largest = hours.largest(&[Dimension { name: "", amounts }]);
        largest.iter().map(|(sum, _)| *sum as i64).collect()
    };
    let (half, hour) = (HOUR_MS / 2, HOUR_MS);
    assert_eq!(passed(Basis::Pods(web)), [7, 0, 9, 0]);
    assert_eq!(passed(Basis::Volumes(web)), [half, hour, 2 * hour - 1_000, 2 * hour]);
    assert_eq!(passed(Basis::ExistingVolumes(web)), [2 * half, 2 * hour, 2 * hour, 2 * hour]);
    let demand = [100 * half, 200 * hour, 100 * hour, 200 * hour];
    assert_eq!(passed(Basis::Demand(web)), demand);
    assert_eq!(passed(Basis::Demand(WorkloadId(1))), [0; 4]);
}
