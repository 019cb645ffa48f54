//! Placements worked out by hand, and the fast paths against the plain ones.

use proptest::prelude::*;

use std::sync::Arc;

use super::plain::{self, Decision, Placed, Task, Unfit, decide, stop_plain};
use super::query::parse;
use super::*;
use crate::cluster::{Capacity, NodeInit, PodId, PoolId, Purchase, ShapeId, ZoneId};
use crate::units::{Bytes, MilliCpu};
use crate::workload::ClassId;
use crate::workload::constraints::{Constraints, HostPort};

const GIB: i64 = 1 << 30;

fn requests(cpu: i64, gib: i64) -> Requests {
    Requests::new(Some(MilliCpu(cpu)), Some(Bytes(gib * GIB)), vec![])
}

fn port(port: u16) -> HostPort {
    HostPort { protocol: "TCP".into(), ip: "0.0.0.0".into(), port }
}

/// Classes by their ports: none; 80; 80 and 443; 443; 22, which ECS keeps.
fn classes() -> Vec<PodClass> {
    [vec![], vec![80], vec![80, 443], vec![443], vec![22]]
        .into_iter()
        .map(|ports| PodClass {
            constraints: (!ports.is_empty()).then(|| {
                let host_ports = ports.into_iter().map(port).collect();
                Arc::new(Constraints { host_ports, ..Constraints::default() })
            }),
            ..PodClass::default()
        })
        .collect()
}

/// A task that is placed.
#[derive(Debug, Clone)]
struct There {
    group: usize,
    class: ClassId,
    slot: Slot,
    requests: Requests,
}

/// A cluster with its tasks.
struct Cluster {
    nodes: Nodes,
    placer: EcsPlacer,
    groups: Vec<GroupSpec>,
    classes: Vec<PodClass>,
    tasks: Vec<There>,
}

impl Cluster {
    /// Instances of 4 vCPU and 16 GiB in these zones; an empty zone is an
    /// instance without the attribute. Every second has a rack.
    fn new(zones: &[&str], strategies: Vec<PlacementStrategy>) -> Self {
        let constraints = vec![Vec::new(); strategies.len()];
        Cluster::constrained(zones, strategies, constraints)
    }

    fn constrained(
        zones: &[&str],
        strategies: Vec<PlacementStrategy>,
        constraints: Vec<Vec<Constraint>>,
    ) -> Self {
        let groups: Vec<GroupSpec> = strategies
            .into_iter()
            .zip(constraints)
            .enumerate()
            .map(|(i, (strategy, constraints))| GroupSpec {
                name: format!("service:g{i}"),
                strategy,
                constraints,
            })
            .collect();
        let classes = classes();
        let mut nodes = Nodes::new(0);
        let mut placer = EcsPlacer::new(&groups, Some(&classes), Some(vec![1, 79, 0]));
        for (i, zone) in zones.iter().enumerate() {
            let mut labels = vec![("ecs.instance-type".to_owned(), "m5.xlarge".to_owned())];
            if !zone.is_empty() {
                labels.insert(0, (AVAILABILITY_ZONE.to_owned(), (*zone).to_owned()));
            }
            if i % 2 == 1 {
                labels.push(("rack".to_owned(), format!("r{}", i % 3)));
            }
            let traits = nodes.intern(NodeTraits { labels, ..NodeTraits::default() });
            let slot = nodes.add(
                &NodeInit {
                    pool: PoolId(i as u32 % 2),
                    shape: ShapeId(0),
                    zone: ZoneId(0),
                    purchase: Purchase::OnDemand,
                    traits,
                    allocatable: Capacity {
                        cpu: MilliCpu(4_000),
                        memory: Bytes(16 * GIB),
                        pods: if i % 4 == 3 { 5 } else { 1_000 },
                        extended: vec![],
                    },
                    record: i as u32,
                },
                true,
            );
            // A day apart from 2018-02-11 on, which is day 17573.
            let at = (17_573 + i as i64) * 86_400_000;
            placer.register(&nodes, slot, Registered { id: format!("p/{i}"), at });
        }
        Cluster { nodes, placer, groups, classes, tasks: Vec::new() }
    }

    fn shift(&mut self, group: usize, class: ClassId, slot: Slot, requests: &Requests, sign: i32) {
        if sign > 0 {
            self.nodes.place(slot, requests);
            let requests = requests.clone();
            self.tasks.push(There { group, class, slot, requests });
        } else {
            self.nodes.unplace(slot, requests);
            let same = |t: &There| (t.group, t.class, t.slot) == (group, class, slot);
            let at = self.tasks.iter().position(same).expect("a task there");
            self.tasks.remove(at);
        }
        self.placer.shift(&self.nodes, class, group, slot, sign);
    }

    fn decide(
        &self,
        group: usize,
        class: ClassId,
        requests: &Requests,
        pool: Option<PoolId>,
        draws: &mut Draws,
    ) -> Decision {
        let tasks: Vec<Placed<'_>> = self
            .tasks
            .iter()
            .map(|t| Placed {
                slot: t.slot,
                group: &self.groups[t.group].name,
                ports: host_ports(&self.classes[t.class.index()]),
            })
            .collect();
        let spec = &self.groups[group];
        let task = Task {
            requests,
            ports: host_ports(&self.classes[class.index()]),
            group: &spec.name,
            constraints: &spec.constraints,
            strategy: &spec.strategy,
            pool,
        };
        let cluster = plain::Cluster {
            nodes: &self.nodes,
            registered: self.placer.registered(),
            agent_version: self.placer.agent_version(),
            tasks: &tasks,
        };
        decide(&cluster, &task, draws)
    }

    /// Where the production path puts a task, and what the plain one says.
    fn both(
        &mut self,
        group: usize,
        class: ClassId,
        requests: &Requests,
        pool: Option<PoolId>,
        draws: &Draws,
    ) -> (Option<Slot>, Decision) {
        let provider = pool.map_or(NO_PROVIDER, |p| p.0 as u16);
        let task = TaskGroup { class, owner: group as u32, provider };
        let fast = self.placer.select(&self.nodes, &task, requests, &mut draws.clone());
        (fast, self.decide(group, class, requests, pool, &mut draws.clone()))
    }

    /// Places `n` tasks; returns where, checking against the plain evaluator.
    fn place(&mut self, group: usize, n: usize, requests: &Requests) -> Vec<u32> {
        (0..n as u64)
            .map(|i| {
                let draws = Draws::new(1, "test", i);
                let (fast, plain) = self.both(group, ClassId(0), requests, None, &draws);
                assert_eq!(plain.chosen, fast);
                let slot = fast.expect("room");
                self.shift(group, ClassId(0), slot, requests, 1);
                slot.0
            })
            .collect()
    }

    fn per_instance(&self, group: usize) -> Vec<u32> {
        (0..self.nodes.slots() as u32).map(|s| self.placer.on_slot(group, Slot(s))).collect()
    }
}

fn member_of(text: &str) -> Constraint {
    Constraint::MemberOf(parse(text).expect(text))
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
        cluster.shift(1, ClassId(0), Slot(slot), &requests(1_000, 2), 1);
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
        cluster.shift(0, ClassId(0), *slot, &requests(1_000, 2), 1);
    }
    // Another service makes instance 4 the fullest and 1 fuller than 0.
    for slot in [4, 4, 4, 1, 1] {
        cluster.shift(1, ClassId(0), Slot(slot), &requests(1_000, 2), 1);
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

/// distinctInstance, and expressions on what an instance is and what is on it.
#[test]
fn constraints_bind_before_strategies() {
    let pack = || vec![Rule::Binpack(Field::Cpu)];
    let cases: [(&[&str], &[u32]); 6] = [
        (&[], &[0, 0, 0, 0, 1, 1]),
        // Racks r1, r0, r2 are on 1, 3, 5.
        (&["attribute:rack exists"], &[1, 1, 1, 1, 3, 3]),
        (&["attribute:rack =~ r[12]"], &[1, 1, 1, 1, 5, 5]),
        (
            &["attribute:rack exists", "attribute:ecs.availability-zone in [b, c]"],
            &[3, 3, 3, 3, 5, 5],
        ),
        (&["runningTasksCount < 2"], &[0, 0, 1, 1, 2, 2]),
        (&["registeredAt >= 2018-02-13"], &[2, 2, 2, 2, 3, 3]),
    ];
    for (expressions, want) in cases {
        let constraints = expressions.iter().map(|e| member_of(e)).collect();
        let mut cluster = Cluster::constrained(&SIX, vec![pack()], vec![constraints]);
        assert_eq!(cluster.place(0, 6, &requests(1_000, 2)), want, "{expressions:?}");
    }
    let distinct = vec![Constraint::DistinctInstance];
    let mut cluster = Cluster::constrained(&SIX, vec![pack()], vec![distinct]);
    assert_eq!(cluster.place(0, 6, &requests(1_000, 2)), [0, 1, 2, 3, 4, 5]);
    // The seventh has nowhere to go, with room everywhere.
    let (fast, plain) =
        cluster.both(0, ClassId(0), &requests(1_000, 2), None, &Draws::new(1, "", 0));
    assert_eq!(fast, None);
    assert!(plain.unfit.iter().all(|(_, why)| *why == [Unfit::DistinctInstance]), "{plain:?}");
}

/// Beside another service, and away from it.
#[test]
fn groups_attract_and_repel() {
    let pack = vec![Rule::Binpack(Field::Cpu)];
    let near = vec![member_of("task:group == service:g0")];
    let far = vec![member_of("not(task:group == service:g0)")];
    let mut cluster =
        Cluster::constrained(&SIX, vec![vec![az()], pack.clone(), pack], vec![vec![], near, far]);
    let draws = Draws::new(1, "", 0);
    assert_eq!(cluster.both(1, ClassId(0), &requests(1_000, 2), None, &draws).0, None);
    assert!(cluster.placer.watches_tasks());
    assert_eq!(cluster.place(0, 2, &requests(1_000, 2)), [0, 2]);
    assert_eq!(cluster.place(1, 4, &requests(1_000, 2)), [0, 0, 0, 2]);
    assert_eq!(cluster.place(2, 5, &requests(1_000, 2)), [1, 1, 1, 1, 3]);
    let plain = cluster.both(2, ClassId(0), &requests(1_000, 2), None, &draws).1;
    let why = vec![Unfit::MemberOf(vec!["not(task:group == service:g0)".into()])];
    assert!(plain.unfit.contains(&(Slot(2), why)), "{plain:?}");
    assert!(plain.unfit.contains(&(Slot(0), vec![Unfit::Cpu])), "{plain:?}");
}

/// A port is there once an instance; those that ECS keeps are nowhere.
#[test]
fn ports_are_taken_once_an_instance() {
    let mut cluster = Cluster::new(&SIX, vec![vec![Rule::Binpack(Field::Cpu)]]);
    let draws = Draws::new(1, "", 0);
    let mut order = Vec::new();
    for class in [1, 2, 3, 1, 0, 0] {
        let class = ClassId(class);
        let (fast, plain) = cluster.both(0, class, &requests(500, 1), None, &draws);
        assert_eq!(fast, plain.chosen);
        let slot = fast.expect("room");
        cluster.shift(0, class, slot, &requests(500, 1), 1);
        order.push(slot.0);
    }
    // 80 on 0; 80 and 443 on 1; 443 beside 80 on 0; 80 on 2.
    assert_eq!(order, [0, 1, 0, 2, 0, 0]);
    let (fast, plain) = cluster.both(0, ClassId(4), &requests(500, 1), None, &draws);
    assert_eq!(fast, None);
    assert!(plain.unfit.iter().all(|(_, why)| *why == [Unfit::Port(22)]), "{plain:?}");
    assert!(
        cluster.placer.stands_alone(ClassId(1), 0) && !cluster.placer.stands_alone(ClassId(0), 0)
    );
}

fn strategy() -> impl Strategy<Value = PlacementStrategy> {
    let by = |name: &str| Rule::Spread(SpreadBy::Attribute(name.to_owned()));
    let rule = prop_oneof![
        Just(az()),
        Just(Rule::Spread(SpreadBy::Instance)),
        Just(by("ecs.instance-type")),
        Just(by("rack")),
        Just(Rule::Binpack(Field::Cpu)),
        Just(Rule::Binpack(Field::Memory)),
        Just(Rule::Random),
    ];
    proptest::collection::vec(rule, 0..6)
}

fn constraints() -> impl Strategy<Value = Vec<Constraint>> {
    let one = proptest::sample::select(vec![
        "attribute:rack exists",
        "attribute:rack !exists or attribute:rack == r1",
        "attribute:ecs.availability-zone in [a, b]",
        "attribute:ecs.availability-zone !~ '[ab]'",
        "runningTasksCount < 3",
        "runningTasksCount >= 1 or attribute:rack == r0",
        "task:group == service:g0",
        "not(task:group == service:g1) and attribute:ecs.instance-type =~ m5.*",
        "task:group !~ .*g[01] or runningTasksCount == 0",
        "registeredAt >= 2018-02-13 and agentVersion > 1.9",
        "ec2InstanceId in [p/0, p/1, p/3]",
        "agentConnected != true",
    ])
    .prop_map(member_of);
    let any = prop_oneof![3 => one, 1 => Just(Constraint::DistinctInstance)];
    proptest::collection::vec(any, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// One pass over columns and counts equals the guide read literally,
    /// through placements, stops, and instances that close; and so does the
    /// choice of what a scale-in stops.
    #[test]
    fn the_pass_equals_the_plain_evaluator(
        zones in proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c"), Just("")], 1..9),
        groups in proptest::collection::vec((strategy(), constraints()), 1..4),
        ops in proptest::collection::vec((0u8..9, 0usize..4, 1i64..5, 1i64..6, 0u32..3, 0u32..9), 1..80),
    ) {
        let (strategies, constraints): (Vec<_>, Vec<_>) = groups.into_iter().unzip();
        let count = strategies.len();
        let mut cluster = Cluster::constrained(&zones, strategies, constraints);
        for (i, (op, group, cpu, gib, pool, class)) in ops.into_iter().enumerate() {
            let group = group % count;
            let draws = Draws::new(7, "test", i as u64);
            match op {
                0 if !cluster.tasks.is_empty() => {
                    let t = cluster.tasks[i % cluster.tasks.len()].clone();
                    cluster.shift(t.group, t.class, t.slot, &t.requests, -1);
                }
                1 => {
                    let slot = Slot((i % zones.len()) as u32);
                    let open = cluster.nodes.open[slot.index()];
                    cluster.nodes.set_open(slot, !open);
                }
                2 => {
                    let own = cluster.tasks.iter().filter(|t| t.group == group);
                    let slots: Vec<Slot> = own.map(|t| t.slot).collect();
                    for default in [false, true] {
                        let fast = cluster.placer.stop_first(
                            &cluster.nodes, group, default, &slots, &mut draws.clone(),
                        );
                        let strategy = (!default).then_some(&cluster.groups[group].strategy);
                        let plain =
                            stop_plain(&cluster.nodes, strategy, &slots, &mut draws.clone());
                        prop_assert_eq!(fast, plain);
                    }
                }
                _ => {
                    let requests = requests(cpu * 250, gib);
                    let pool = (pool < 2).then_some(PoolId(pool));
                    // Mostly without ports.
                    let class = ClassId(if class < 5 { class } else { 0 });
                    let (fast, plain) = cluster.both(group, class, &requests, pool, &draws);
                    prop_assert_eq!(fast, plain.chosen, "{:?}", plain);
                    for slot in (0..zones.len() as u32).map(Slot) {
                        let holds = cluster.nodes.open[slot.index()]
                            && pool.is_none_or(|p| cluster.nodes.pool[slot.index()] == p)
                            && cluster.nodes.fits(slot, &requests)
                            && cluster.placer.admits(&cluster.nodes, class, group, slot);
                        prop_assert_eq!(holds, plain.eligible.contains(&slot));
                        // What holds now is no surprise to who knows less.
                        let traits = cluster.nodes.traits_of(cluster.nodes.traits[slot.index()]);
                        prop_assert!(!holds || cluster.placer.may_admit(traits, class, group));
                    }
                    if let Some(slot) = fast {
                        cluster.shift(group, class, slot, &requests, 1);
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
