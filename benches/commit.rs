//! How much to commit: `cargo bench --bench commit`.
//!
//! 100 seeds of 8,760 hours with ten items, usage generated outside the
//! measurement: the best Compute Savings Plan, and a Compute Savings Plan with
//! EC2 Instance Savings Plans for two families; each with curves, marginal
//! values, downside by seed and the exact bill of a part of the seeds.

use plimsoll::advise::commit::{Candidate, Question, SeedUsage, advise};
use plimsoll::bill::commitments::{Ec2Item, HourlyUsage, ItemSource, UsageItem};
use plimsoll::bill::{BillingPlan, Commitment, CommitmentKind, Price, PriceStatus, Unit};
use plimsoll::catalog::{Payment, Term};
use plimsoll::rng::Draws;
use plimsoll::units::{HOUR_MS, Rate};

/// Name, pico-USD per hour, mean number.
const ITEMS: [(&str, i128, f64); 8] = [
    ("m5.large", 96_000_000_000, 12.0),
    ("m5.xlarge", 192_000_000_000, 6.0),
    ("m5.2xlarge", 384_000_000_000, 3.0),
    ("c5.large", 85_000_000_000, 10.0),
    ("c5.xlarge", 170_000_000_000, 5.0),
    ("c5.2xlarge", 340_000_000_000, 2.0),
    ("r6g.large", 100_800_000_000, 6.0),
    ("r6g.xlarge", 201_600_000_000, 3.0),
];
const FARGATE: [(&str, i128, f64); 2] =
    [("Fargate vCPU", 40_480_000_000, 40.0), ("Fargate memory", 4_445_000_000, 160.0)];

fn main() {
    divan::main();
}

fn items() -> Vec<UsageItem> {
    let ec2 = ITEMS.iter().enumerate().map(|(shape, (name, price, _))| UsageItem {
        name: (*name).to_owned(),
        unit: Unit::Hours,
        on_demand: Rate::from_pico(*price),
        ec2: Some(Ec2Item { instance_type: (*name).to_owned(), zone: None }),
        owner: true,
        idle_reservation: false,
        source: ItemSource::Shape(shape),
    });
    let fargate = FARGATE.iter().enumerate().map(|(index, (name, price, _))| UsageItem {
        name: (*name).to_owned(),
        unit: if index == 0 { Unit::VcpuHours } else { Unit::GbHours },
        on_demand: Rate::from_pico(*price),
        ec2: None,
        owner: true,
        idle_reservation: false,
        source: if index == 0 { ItemSource::FargateCpu(0) } else { ItemSource::FargateMemory(0) },
    });
    ec2.chain(fargate).collect()
}

/// Days that go up and down, weekends lower, and noise.
fn usage(seed: u64, hours: i64) -> HourlyUsage {
    let items = items();
    let mut usage = HourlyUsage::new(0, hours * HOUR_MS, items.clone()).expect("a year");
    let means = ITEMS.iter().map(|i| i.2).chain(FARGATE.iter().map(|i| i.2));
    let means: Vec<f64> = means.collect();
    for hour in 0..hours {
        let mut draws = Draws::new(seed, "bench-usage", hour as u64);
        let day = if hour / 24 % 7 >= 5 { 0.6 } else { 1.0 };
        let shape = day * (0.7 + 0.6 * (1.0 - ((hour % 24) as f64 - 12.0).abs() / 12.0));
        for (index, (item, mean)) in items.iter().zip(&means).enumerate() {
            let count = mean * shape * (0.8 + 0.4 * draws.unit());
            let quantity = (count * item.unit.per() as f64) as i64;
            let list = item.on_demand.charge(quantity.into(), item.unit.per().into());
            usage.add(hour, index, quantity, list);
        }
    }
    usage
}

/// A plan with a discount of so many percent.
fn plan(name: &str, family: Option<&str>, percent: i128) -> Commitment {
    let price =
        |pico: i128| Price::new(Rate::from_pico(pico).scale(100 - percent, 100), PriceStatus::Real);
    let own = |kind: &str| family.is_none_or(|f| kind.split('.').next() == Some(f));
    Commitment {
        name: name.to_owned(),
        kind: match family {
            Some(_) => CommitmentKind::Ec2InstanceSp,
            None => CommitmentKind::ComputeSp,
        },
        usd_per_hour: Rate::ZERO,
        reserved: None,
        in_force: (i64::MIN, i64::MAX),
        fee_discount: plimsoll::units::Percent::default(),
        fees: plimsoll::bill::CommitmentFees::default(),
        shapes: ITEMS.iter().map(|i| own(i.0).then(|| price(i.1))).collect(),
        fargate: vec![family.is_none().then(|| (price(FARGATE[0].1), price(FARGATE[1].1)))],
    }
}

fn candidate(commitment: usize) -> Candidate {
    Candidate {
        commitment,
        label: format!("plan {commitment}"),
        term: Term::OneYear,
        payment: Payment::NoUpfront,
        fee_discount: plimsoll::units::Percent::default(),
        yaml: (String::new(), String::new()),
    }
}

fn answer(bencher: divan::Bencher<'_, '_>, commitments: Vec<Commitment>) {
    let of = |seed| SeedUsage { seed, usage: usage(seed, 8_760), own: items().len() };
    let seeds: Vec<SeedUsage> = (0..100).map(of).collect();
    let plan = BillingPlan { commitments, ..BillingPlan::default() };
    bencher.bench_local(|| {
        advise(&Question {
            seeds: &seeds,
            plan: &plan,
            owned: Vec::new(),
            candidates: (0..plan.commitments.len()).map(candidate).collect(),
            alternatives: Vec::new(),
            shift_ppm: 0,
        })
        .expect("an answer")
    });
}

#[divan::bench(sample_count = 5)]
fn compute_plan(bencher: divan::Bencher<'_, '_>) {
    answer(bencher, vec![plan("compute", None, 27)]);
}

#[divan::bench(sample_count = 5)]
fn three_plans_jointly(bencher: divan::Bencher<'_, '_>) {
    answer(
        bencher,
        vec![plan("compute", None, 27), plan("m5", Some("m5"), 36), plan("c5", Some("c5"), 38)],
    );
}
