//! Placements worked out by hand, and the fast paths against the plain ones.

use proptest::prelude::*;

use super::plain::select_plain;
use super::*;
use crate::cluster::{Capacity, NodeInit, NodeTraits, PodId, Purchase, ShapeId, ZoneId};
use crate::units::{Bytes, MilliCpu};
use crate::workload::ClassId;

const GIB: i64 = 1 << 30;

fn requests(cpu: i64, gib: i64) -> Requests {
    Requests::new(Some(MilliCpu(cpu)), Some(Bytes(gib * GIB)), vec![])
}

/// A cluster with the tasks of its groups.
struct Cluster {
    nodes: Nodes,
    placer: EcsPlacer,
    strategies: Vec<PlacementStrategy>,
    /// Per group: where its tasks are.
    tasks: Vec<Vec<Slot>>,
}

impl Cluster {
    /// Instances of 4 vCPU and 16 GiB in these zones; an empty zone is an
    /// instance without the attribute.
    fn new(zones: &[&str], strategies: Vec<PlacementStrategy>) -> Self {
        let mut nodes = Nodes::new(0);
        let mut placer = EcsPlacer::new(&strategies);
        for (i, zone) in zones.iter().enumerate() {
            let mut labels = vec![("ecs.instance-type".to_owned(), "m5.xlarge".to_owned())];
            if !zone.is_empty() {
                labels.insert(0, (AVAILABILITY_ZONE.to_owned(), (*zone).to_owned()));
            }
            let traits = nodes.intern(NodeTraits { labels, taints: vec![], unschedulable: false });
            placer.learn(&nodes, traits);
            nodes.add(
                &NodeInit {
                    pool: PoolId(i as u32 % 2),
                    shape: ShapeId(0),
                    zone: ZoneId(0),
                    purchase: Purchase::OnDemand,
                    traits,
                    allocatable: Capacity {
                        cpu: MilliCpu(4_000),
                        memory: Bytes(16 * GIB),
                        pods: 1_000,
                        extended: vec![],
                    },
                    record: i as u32,
                },
                true,
            );
        }
        let tasks = vec![Vec::new(); strategies.len()];
        Cluster { nodes, placer, strategies, tasks }
    }

    fn shift(&mut self, group: usize, slot: Slot, requests: &Requests, sign: i32) {
        if sign > 0 {
            self.nodes.place(slot, requests);
            self.tasks[group].push(slot);
        } else {
            self.nodes.unplace(slot, requests);
            let at = self.tasks[group].iter().position(|s| *s == slot).expect("a task there");
            self.tasks[group].remove(at);
        }
        self.placer.shift(&self.nodes, group, slot, sign);
    }

    /// Places `n` tasks; returns where, checking against the plain evaluator.
    fn place(&mut self, group: usize, n: usize, requests: &Requests) -> Vec<u32> {
        (0..n as u64)
            .map(|i| {
                let mut draws = Draws::new(1, "test", i);
                let slot = self
                    .placer
                    .select(&self.nodes, requests, group, None, &mut draws.clone())
                    .expect("room");
                let plain = select_plain(
                    &self.nodes,
                    &self.tasks[group],
                    requests,
                    &self.strategies[group],
                    None,
                    &mut draws,
                );
                assert_eq!(plain, Some(slot));
                self.shift(group, slot, requests, 1);
                slot.0
            })
            .collect()
    }

    fn per_instance(&self, group: usize) -> Vec<u32> {
        (0..self.nodes.slots() as u32).map(|s| self.placer.on_slot(group, Slot(s))).collect()
    }
}

fn az() -> Rule {
    Rule::Spread(SpreadBy::Attribute(AVAILABILITY_ZONE.to_owned()))
}

/// Two instances in each of three zones: 0 and 1 in a, 2 and 3 in b, 4 and 5
/// in c. Twelve tasks of 1 vCPU and 2 GiB; an instance has room for four.
const SIX: [&str; 6] = ["a", "a", "b", "b", "c", "c"];

fn six(strategy: PlacementStrategy) -> (Cluster, Vec<u32>) {
    let mut cluster = Cluster::new(&SIX, vec![strategy]);
    let order = cluster.place(0, 12, &requests(1_000, 2));
    (cluster, order)
}

/// Binpack takes the instance with the least left that still fits: the first
/// by the tie-break, until its four vCPU are gone. Three instances of six.
#[test]
fn binpack_fills_one_instance_after_another() {
    for field in [Field::Cpu, Field::Memory] {
        let (cluster, order) = six(vec![Rule::Binpack(field)]);
        assert_eq!(order, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
        assert_eq!(cluster.per_instance(0), [4, 4, 4, 0, 0, 0]);
    }
}

/// Spread over zones: a, b, c in turn; inside a zone the tie-break takes the
/// instance with fewer tasks. All six instances are used.
#[test]
fn spread_over_zones_uses_every_instance() {
    let (cluster, order) = six(vec![az()]);
    assert_eq!(order, [0, 2, 4, 1, 3, 5, 0, 2, 4, 1, 3, 5]);
    assert_eq!(cluster.per_instance(0), [2; 6]);
}

/// Spread over zones, then pack: four tasks a zone, all on its first
/// instance. Three instances of six, and no zone without tasks.
#[test]
fn spread_then_binpack_packs_inside_the_zones() {
    let (cluster, order) = six(vec![az(), Rule::Binpack(Field::Memory)]);
    assert_eq!(order, [0, 2, 4, 0, 2, 4, 0, 2, 4, 0, 2, 4]);
    assert_eq!(cluster.per_instance(0), [4, 0, 4, 0, 4, 0]);
}

/// The other way round the packing comes first, and spreading only decides
/// between instances with equally little left.
#[test]
fn binpack_then_spread_is_another_chain() {
    let (cluster, order) = six(vec![Rule::Binpack(Field::Memory), az()]);
    // The first of each four spreads over zones: with four in a, 2 is next.
    assert_eq!(order, [0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4]);
    assert_eq!(cluster.per_instance(0), [4, 0, 4, 0, 4, 0]);
}

#[test]
fn spread_over_instances_counts_the_own_tasks_only() {
    let mut cluster =
        Cluster::new(&SIX, vec![vec![Rule::Spread(SpreadBy::Instance)], vec![Rule::Random]]);
    // Another service fills instances 0 and 1 to three quarters.
    for slot in [0, 0, 0, 1, 1, 1] {
        cluster.shift(1, Slot(slot), &requests(1_000, 2), 1);
    }
    // Its tasks do not count, except in the tie-break.
    assert_eq!(cluster.place(0, 6, &requests(1_000, 2)), [2, 3, 4, 5, 0, 1]);
}

/// A service without a strategy: zones even, then instances even.
#[test]
fn a_service_without_strategy_spreads_over_zones_and_instances() {
    let (cluster, _) = six(service_default());
    assert_eq!(cluster.per_instance(0), [2; 6]);
    let mut uneven = Cluster::new(&["a", "a", "a", "b"], vec![service_default()]);
    uneven.place(0, 6, &requests(1_000, 2));
    assert_eq!(uneven.per_instance(0), [1, 1, 1, 3]);
}

#[test]
fn instances_without_the_attribute_come_last() {
    let mut cluster = Cluster::new(&["", "a", "b"], vec![vec![az()]]);
    assert_eq!(cluster.place(0, 9, &requests(1_000, 2)), [1, 2, 1, 2, 1, 2, 1, 2, 0]);
}

/// Scale-in by hand. Zones a, b, c hold 3, 2 and 1 tasks, on instances 0, 0, 1
/// / 2, 3 / 4; all equal in size.
#[test]
fn scale_in_follows_the_strategy() {
    let strategies =
        vec![vec![az()], vec![Rule::Binpack(Field::Memory)], vec![az(), Rule::Binpack(Field::Cpu)]];
    let mut cluster = Cluster::new(&SIX, strategies);
    let tasks: Vec<Slot> = [0, 0, 1, 2, 3, 4].map(Slot).to_vec();
    for slot in &tasks {
        cluster.shift(0, *slot, &requests(1_000, 2), 1);
    }
    // Another service makes instance 4 the fullest and 1 fuller than 0.
    for slot in [4, 4, 4, 1, 1] {
        cluster.shift(1, Slot(slot), &requests(1_000, 2), 1);
    }
    let stop = |group, default, seed| {
        let mut draws = Draws::new(seed, "test", 0);
        cluster.placer.stop_first(&cluster.nodes, group, default, &tasks, &mut draws)
    };
    // Spread: any of zone a.
    let mut seen: Vec<Option<usize>> = (0..50).map(|seed| stop(0, false, seed)).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [Some(0), Some(1), Some(2)]);
    // Binpack: instances 2 and 3 have most free (one task), 0 has two, 1 three.
    let mut seen: Vec<Option<usize>> = (0..50).map(|seed| stop(1, false, seed)).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [Some(3), Some(4)]);
    // Spread, then binpack inside zone a: instance 0 has more free than 1.
    assert!((0..50).all(|seed| matches!(stop(2, false, seed), Some(0 | 1))));
    // None: zone a has most, instance 0 most in it; the younger of its two.
    assert_eq!(stop(0, true, 9), Some(1));
    assert_eq!(
        cluster.placer.stop_first(&cluster.nodes, 0, true, &[], &mut Draws::new(1, "", 0)),
        None
    );
}

fn strategy() -> impl Strategy<Value = PlacementStrategy> {
    let rule = prop_oneof![
        Just(az()),
        Just(Rule::Spread(SpreadBy::Instance)),
        Just(Rule::Spread(SpreadBy::Attribute("ecs.instance-type".to_owned()))),
        Just(Rule::Binpack(Field::Cpu)),
        Just(Rule::Binpack(Field::Memory)),
        Just(Rule::Random),
    ];
    proptest::collection::vec(rule, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// One pass over columns and counts equals the guide read literally,
    /// through placements, stops, and instances that close.
    #[test]
    fn the_pass_equals_the_plain_evaluator(
        zones in proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c"), Just("")], 1..9),
        strategies in proptest::collection::vec(strategy(), 1..4),
        ops in proptest::collection::vec((0u8..8, 0usize..4, 1i64..5, 1i64..6, 0u32..3), 1..80),
    ) {
        let mut cluster = Cluster::new(&zones, strategies.clone());
        let mut placed: Vec<(usize, Slot, Requests)> = Vec::new();
        for (i, (op, group, cpu, gib, pool)) in ops.into_iter().enumerate() {
            let group = group % strategies.len();
            match op {
                0 if !placed.is_empty() => {
                    let (group, slot, requests) = placed.remove(i % placed.len());
                    cluster.shift(group, slot, &requests, -1);
                }
                1 => {
                    let slot = Slot((i % zones.len()) as u32);
                    let open = cluster.nodes.open[slot.index()];
                    cluster.nodes.set_open(slot, !open);
                }
                _ => {
                    let requests = requests(cpu * 500, gib);
                    let pool = (pool < 2).then_some(PoolId(pool));
                    let mut draws = Draws::new(7, "test", i as u64);
                    let fast = cluster.placer.select(
                        &cluster.nodes, &requests, group, pool, &mut draws.clone(),
                    );
                    let plain = select_plain(
                        &cluster.nodes, &cluster.tasks[group], &requests, &strategies[group], pool,
                        &mut draws,
                    );
                    prop_assert_eq!(fast, plain);
                    if let Some(slot) = fast {
                        cluster.shift(group, slot, &requests, 1);
                        placed.push((group, slot, requests));
                    }
                }
            }
        }
    }

    /// Asking groups instead of tasks places the same tasks in the same
    /// order as walking the whole backlog after every change.
    #[test]
    fn a_backlog_by_group_equals_one_walked_task_by_task(
        rooms in proptest::collection::vec(0i64..6, 1..5),
        ops in proptest::collection::vec((0u8..4, 0usize..6, 1i64..5), 1..120),
    ) {
        // Instances with some vCPU free; tasks of 1 to 4 vCPU, one group each.
        let mut free = rooms.clone();
        let mut literal_free = rooms;
        let mut queue = Provisioning::default();
        let mut walked: Vec<(PodId, i64)> = Vec::new();
        let group = |cpu: i64| TaskGroup { class: ClassId(cpu as u32), owner: 0, provider: 0 };
        let (mut placed, mut literal) = (Vec::new(), Vec::new());
        let mut next = 0;
        for (op, at, cpu) in ops {
            match op {
                0 => {
                    let at = at % free.len();
                    free[at] += cpu;
                    literal_free[at] += cpu;
                    let room = free[at];
                    queue.room(|g| i64::from(g.class.0) <= room);
                }
                1 if !walked.is_empty() => {
                    let (id, _) = walked.remove(at % walked.len());
                    queue.remove(id);
                }
                _ => {
                    let id = PodId(next);
                    next += 1;
                    queue.push(id, group(cpu));
                    walked.push((id, cpu));
                }
            }
            while let Some((id, g)) = queue.first() {
                let cpu = i64::from(g.class.0);
                if let Some(slot) = free.iter().position(|f| *f >= cpu) {
                    free[slot] -= cpu;
                    queue.remove(id);
                    placed.push((id, slot));
                } else {
                    queue.give_up();
                }
            }
            walked.retain(|(id, cpu)| match literal_free.iter().position(|f| f >= cpu) {
                Some(slot) => {
                    literal_free[slot] -= cpu;
                    literal.push((*id, slot));
                    false
                }
                None => true,
            });
            prop_assert_eq!(&placed, &literal);
            prop_assert_eq!(queue.len(), walked.len());
            for limit in [0, 1, 3, 1_000] {
                let mut counts = std::collections::BTreeMap::new();
                for (_, cpu) in walked.iter().take(limit) {
                    *counts.entry(group(*cpu)).or_insert(0u32) += 1;
                }
                let mut got = queue.oldest(limit);
                got.sort_unstable();
                prop_assert_eq!(got, counts.into_iter().collect::<Vec<_>>());
            }
        }
    }
}
