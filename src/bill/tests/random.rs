//! Random records whose bills must add up.

use proptest::prelude::*;

use super::*;
use crate::bill::commitments::{CommitmentHour, CommitmentStudy};

/// A record of random nodes and Fargate pods with consistent windows.
pub(in crate::bill) fn any_record() -> impl Strategy<Value = Record> {
    let end = 2 * DAY_MS + 1_234;
    let purchase = prop_oneof![Just(Purchase::OnDemand), Just(Purchase::Spot)];
    let node = (0..3u32, 0..2u32, purchase, 0..end, 0..30 * HOUR_MS, any::<bool>(), 0..100u64);
    let pod = (0..2u32, 0..2u32, 0..end, 0..5_000_000i64, 0..400_000i64, -1..900i64);
    let nodes = prop::collection::vec(node, 0..12);
    let pods = prop::collection::vec(pod, 0..12);
    (nodes, pods, 0..DAY_MS).prop_map(move |(nodes, pods, warmup)| {
        let mut loads = Vec::new();
        let nodes = nodes
            .into_iter()
            .map(|(shape, zone, purchase, from, length, reclaimed, load)| {
                // Spot is only sold for the first shape.
                let shape = if purchase == Purchase::Spot { LARGE } else { ShapeId(shape) };
                let down = (from + length).min(end);
                let how = if reclaimed { NodeEnd::Reclaimed } else { NodeEnd::ScaledDown };
                let how = if down == end { NodeEnd::Running } else { how };
                loads.push(load);
                NodeRecord {
                    zone: ZoneId(zone),
                    pool: PoolId(zone),
                    ..super::tests::node(shape, purchase, from, down, how)
                }
            })
            .collect();
        let mut record = record(end, nodes);
        record.warmup = SimTime(warmup);
        for w in &mut record.windows {
            let load = loads[w.node as usize];
            w.boot_ms = w.metered_ms / 50;
            w.drain_ms = w.metered_ms / 70;
            w.cpu_idle = w.metered_ms * load;
            w.memory_idle = w.metered_ms * KIB_PER_GIB;
            let serving = w.metered_ms - w.boot_ms - w.drain_ms;
            for (share, workload) in [(load, WEB), (99 - load, BATCH), (7, LOGS)] {
                record.owners.push(OwnerIntegral {
                    node: w.node,
                    window: w.window,
                    workload,
                    namespace: NamespaceId(workload.0),
                    cpu_requested: serving * share * 7,
                    cpu_used: serving * share * 3,
                    cpu_beyond: 0,
                    cpu_unknown: serving * share * 2,
                    memory_requested: serving * share * 20_000,
                    memory_used: serving * share * 19_999,
                    memory_beyond: 0,
                    memory_unknown: 0,
                    cpu_repeated: serving * share,
                    memory_repeated: serving * share * 333,
                });
            }
        }
        record.fargate = pods
            .into_iter()
            .map(|(template, size, pull, length, start, used)| {
                let removed = (pull + length).min(end);
                FargateRecord {
                    size,
                    used_cpu: used,
                    finished: SimTime(removed - length / 9),
                    ..fargate_pod(template, pull, (pull + start).min(removed), removed)
                }
            })
            .collect();
        record
    })
}

pub(in crate::bill) fn any_plan() -> impl Strategy<Value = BillingPlan> {
    let commitment = (
        0..800_000_000_000i128,
        1..1_000i128,
        1..1_000i128,
        any::<bool>(),
        (0u32..4, any::<bool>(), 0..12 * HOUR_MS),
    );
    let all = (prop::collection::vec(commitment, 0..4), prop::collection::vec(0u32..4, 0..3));
    all.prop_map(|(all, reservations)| {
        let mut plan = prices();
        plan.root_volume = Some(RootVolume {
            iops: Some((17, real("0.005"))),
            throughput: Some((3, real("0.04"))),
            ..RootVolume::new(33, real("0.08"))
        });
        plan.public_ipv4 = Some(real("0.005"));
        plan.around = vec![control_plane(), replica_disks()];
        plan.node_licence = Some(real("0.0123456789"));
        plan.fargate_licence = Some(real("0.00123456789"));
        plan.fargate[0].public_ipv4 = Some(real("0.005"));
        plan.fargate[0].os_licence = Some(real("0.046"));
        plan.fargate[0].storage_gb_hour = Some(real("0.000111"));
        plan.fargate[0].minimum_ms = 5 * MINUTE_MS;
        plan.fargate_storage = vec![("batch".into(), 12_345_678)];
        plan.commitments = all
            .into_iter()
            .enumerate()
            .map(|(i, (hourly, a, b, instance, (count, regional, from)))| {
                let of =
                    |price: Price, share| Price { rate: price.rate.scale(share, 1_000), ..price };
                let shape = |s: usize, share| plan.shapes[s].on_demand.map(|p| of(p, share));
                let fargate = (of(plan.fargate[0].vcpu_hour, b), of(plan.fargate[0].gb_hour, a));
                let reserved = (count > 0).then(|| Reserved {
                    instance_type: if regional { "m5.large" } else { "m5.xlarge" }.into(),
                    count,
                    zone: (!regional).then(|| "us-east-1a".into()),
                    size_flexible: regional,
                    status: PriceStatus::Derived,
                });
                Commitment {
                    name: format!("plan-{i}"),
                    kind: if reserved.is_some() {
                        CommitmentKind::StandardRi
                    } else if instance {
                        CommitmentKind::Ec2InstanceSp
                    } else {
                        CommitmentKind::ComputeSp
                    },
                    usd_per_hour: Rate::from_pico(hourly),
                    reserved,
                    in_force: (MONDAY + from, i64::MAX),
                    // Nothing, or what leaves remainders of everything.
                    fee_discount: Percent { ppm: i as i64 % 2 * 70_001 },
                    fees: CommitmentFees {
                        upfront: Money::from_pico(hourly * 5),
                        hourly: Rate::from_pico(hourly / 3),
                    },
                    shapes: vec![shape(0, a), shape(1, b)],
                    fargate: vec![(!instance).then_some(fargate)],
                }
            })
            .collect();
        plan.capacity_reservations = reservations
            .into_iter()
            .map(|count| CapacityReservation {
                name: "kept".into(),
                instance_type: "m5.large".into(),
                zone: "us-east-1a".into(),
                count,
                on_demand: plan.shapes[0].on_demand.expect("priced"),
                covered: plan.commitments.iter().map(|c| c.shapes[0]).collect(),
            })
            .collect();
        plan
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_grouping_adds_up(record in any_record(), plan in any_plan()) {
        // Sums along groupings and commitments are checked by `compute`.
        let bill = compute(&record, &plan);
        prop_assert_eq!(&bill, &compute(&record, &plan));
        let mut sums = Bill::compute(&record, &cluster(), &workloads(), &plan, KeepLines::No)
            .expect("a bill");
        sums.lines = bill.lines.clone();
        prop_assert_eq!(&bill, &sums);
        // What the report draws of commitments is what the bill has.
        let study = CommitmentStudy::of_record(&record, &cluster(), &plan).expect("usage");
        prop_assert_eq!(study.is_some(), !plan.commitments.is_empty());
        if let Some(study) = study {
            let sum = |of: fn(&CommitmentHour) -> Money| study.hours.iter().map(of).sum::<Money>();
            prop_assert_eq!(sum(|h| h.committed), bill.commitment.committed());
            prop_assert_eq!(sum(|h| h.unused), bill.commitment.unused());
            prop_assert_eq!(sum(|h| h.covered), bill.commitment.covered_on_demand());
        }
        // Metered time is running time inside the cost window.
        let metered = |i: &usize| {
            let sku = &bill.skus[usize::from(bill.lines.sku[*i])];
            sku.charge == Charge::Instance
        };
        let metered: i64 =
            (0..bill.lines.len()).filter(metered).map(|i| bill.lines.quantity[i]).sum();
        let ran: i64 = record
            .nodes
            .iter()
            .map(|n| (n.shutting_down.ms() - n.running.max(record.warmup).ms()).max(0))
            .sum();
        prop_assert_eq!(metered, ran);
        for i in 0..bill.lines.len() {
            let sku = &bill.skus[usize::from(bill.lines.sku[i])];
            if sku.charge != Charge::SpotFirstHour {
                prop_assert!(bill.lines.net[i] >= 0 && bill.lines.quantity[i] >= 0);
            }
        }
        for part in &bill.waterfall {
            prop_assert!(part.amount() >= Money::ZERO);
        }
        let explained = |focus| {
            Bill::explain(&record, &cluster(), &workloads(), &plan, focus).expect("a bill")
        };
        for (id, info) in workloads().workloads.iter().enumerate() {
            let (same, of) = explained(Focus::Workload(WorkloadId(id as u32)));
            prop_assert_eq!(&same, &bill);
            let direct: Money = of.parts.iter().map(Part::amount).sum();
            prop_assert_eq!(direct, bill.by_workload[&info.name]);
            let in_pools = of.distributed.iter().filter(|d| d.pool.is_some());
            let loaded: Money = in_pools.map(|d| d.direct).sum::<Money>()
                + of.distributed.iter().map(|d| d.part).sum();
            prop_assert_eq!(loaded, bill.fully_loaded_by_workload[&info.name]);
        }
        for (id, name) in workloads().namespaces.iter().enumerate() {
            let (_, of) = explained(Focus::Namespace(NamespaceId(id as u32)));
            let sum: Money = of.parts.iter().map(Part::amount).sum();
            prop_assert_eq!(sum, bill.by_namespace[name]);
        }
        let nodes = (0..record.nodes.len() as u32).map(Resource::Node);
        let pods = (0..record.fargate.len() as u32).map(Resource::Fargate);
        for resource in nodes.chain(pods) {
            let (_, of) = explained(Focus::Resource(resource));
            let parts: Money = of.parts.iter().map(Part::amount).sum();
            let lines: Money = (0..bill.lines.len())
                .filter(|i| bill.resource(bill.lines.resource[*i]) == resource)
                .map(|i| Money::from_pico(bill.lines.net[i].into()))
                .sum();
            prop_assert_eq!(parts, lines);
        }
        let none = compute(&record, &BillingPlan { commitments: vec![], ..plan });
        prop_assert_eq!(none.total, bill.list_total);
        let named: Money = bridge(&none, &bill).iter().map(|s| s.1).sum();
        prop_assert_eq!(named, bill.total - none.total);
    }

    #[test]
    fn a_free_commitment_never_costs(record in any_record(), plan in any_plan(), share in 0i128..=1_000) {
        let before = compute(&record, &plan);
        let mut more = plan.clone();
        let rate = |s: usize| {
            plan.shapes[s].on_demand.map(|p| Price { rate: p.rate.scale(share, 1_000), ..p })
        };
        more.commitments.push(Commitment {
            name: "free".into(),
            kind: CommitmentKind::ComputeSp,
            usd_per_hour: Rate::ZERO,
            reserved: None,
            in_force: ALWAYS,
            fee_discount: Percent::default(),
            fees: CommitmentFees::default(),
            shapes: vec![rate(0), rate(1)],
            fargate: vec![],
        });
        let after = compute(&record, &more);
        prop_assert!(after.total <= before.total);
        prop_assert!(after.commitment.each.iter().all(|c| c.unused >= Money::ZERO));
    }
}
