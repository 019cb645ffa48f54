//! Task placement of Amazon ECS.
//!
//! Rules: Amazon ECS developer guide, "Amazon ECS task placement" (2023-06).
//! A task goes to an ACTIVE container instance of its capacity provider (of
//! the whole cluster with launch type EC2) that has the cpu, memory, GPUs and
//! task slots it asks for; the strategies of its workload narrow the choice one
//! after another, best effort. What AWS leaves open is decided so: of
//! instances still equal the one with the fewest tasks is taken, then the one
//! launched first; with `random` a seeded draw decides.
//!
//! Each rule keeps the candidates with the least value of a key, so a chain is
//! the least of the tuple of keys: [`EcsPlacer::select`] is one pass over the
//! node columns with the counts of each group at hand. Cost, measured: about 3 ns
//! per instance, 3 µs a task on 1,000 instances, random or packed (a cluster
//! has at most 5,000, ECS service quotas). Placing
//! or stopping a task costs one addition per spread attribute. A backlog is
//! asked by the group, not by the task: see [`provisioning`].
//!
//! [`plain`] is the literal reading of the guide, from the list of all tasks; a
//! property test holds the two together.

pub mod plain;
pub mod provisioning;
pub mod query;
#[cfg(test)]
mod tests;

pub use provisioning::{Provisioning, TaskGroup};

use crate::cluster::{Nodes, PoolId, Slot, TraitsId};
use crate::rng::Draws;
use crate::workload::Requests;

/// The attribute that names the Availability Zone of a container instance.
pub const AVAILABILITY_ZONE: &str = "ecs.availability-zone";

/// Attributes that ECS sets by itself (ECS developer guide, task placement
/// constraints, 2023-06), sorted: the automatic and the optional ones.
pub const BUILT_IN: [&str; 11] = [
    "ecs.ami-id",
    AVAILABILITY_ZONE,
    "ecs.awsvpc-trunk-id",
    "ecs.capability.external",
    "ecs.cpu-architecture",
    "ecs.instance-type",
    "ecs.os-family",
    "ecs.os-type",
    "ecs.outpost-arn",
    "ecs.subnet-id",
    "ecs.vpc-id",
];

/// Whether ECS itself sets an attribute of this name.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name)
}

/// A resource that `binpack` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Cpu.
    Cpu,
    /// Memory.
    Memory,
}

/// What `spread` spreads over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SpreadBy {
    /// Container instances (`instanceId`, `host`).
    Instance,
    /// Values of an attribute.
    Attribute(String),
}

/// One placement strategy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Instances whose group has the fewest tasks of the same service (of a
    /// standalone task: of the same task group). Instances without the
    /// attribute come last.
    Spread(SpreadBy),
    /// Instances with the least of the field left.
    Binpack(Field),
    /// Any; ends the chain.
    Random,
}

/// A chain of placement strategies.
pub type PlacementStrategy = Vec<Rule>;

/// What a service without a strategy does: spread over zones, inside a zone
/// over instances (ECS developer guide, service scheduler).
#[must_use]
pub fn service_default() -> PlacementStrategy {
    vec![
        Rule::Spread(SpreadBy::Attribute(AVAILABILITY_ZONE.to_owned())),
        Rule::Spread(SpreadBy::Instance),
    ]
}

/// What a standalone task without a strategy does. The guide says no more
/// than that the tasks are placed on what is available: taken as random.
#[must_use]
pub fn task_default() -> PlacementStrategy {
    vec![Rule::Random]
}

/// A rule with its attribute interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Instance,
    Attribute(u32),
    Cpu,
    Memory,
    Random,
}

/// One owner of tasks: a service, or the task group of standalone tasks.
#[derive(Debug, Clone, Default)]
struct Group {
    keys: Vec<Key>,
    /// Tasks per node slot.
    on: Vec<u32>,
    /// Per attribute and value: tasks.
    by_value: Vec<Vec<u32>>,
}

/// No value of the attribute.
const LACKING: u32 = 0;
/// Not looked up yet.
const UNKNOWN: u32 = u32::MAX;
/// The attribute interned first: the zone, which scale-in asks for.
const ZONE: u32 = 0;

/// Where the tasks of every group are, and where the next one goes.
#[derive(Debug, Clone)]
pub struct EcsPlacer {
    groups: Vec<Group>,
    attributes: Vec<String>,
    /// Values seen, by attribute; value `i + 1` is entry `i`.
    values: Vec<Vec<String>>,
    /// By attribute and traits id: the value.
    of_traits: Vec<Vec<u32>>,
    /// Reused: instances equal so far, and their keys.
    ties: Vec<u32>,
    best: Vec<i64>,
}

impl EcsPlacer {
    /// A placer for groups with these strategies.
    #[must_use]
    pub fn new(strategies: &[PlacementStrategy]) -> Self {
        let mut attributes = vec![AVAILABILITY_ZONE.to_owned()];
        let groups = strategies
            .iter()
            .map(|strategy| Group {
                keys: strategy
                    .iter()
                    .map(|rule| match rule {
                        Rule::Spread(SpreadBy::Instance) => Key::Instance,
                        Rule::Spread(SpreadBy::Attribute(name)) => {
                            let known = attributes.iter().position(|a| a == name);
                            Key::Attribute(known.unwrap_or_else(|| {
                                attributes.push(name.clone());
                                attributes.len() - 1
                            }) as u32)
                        }
                        Rule::Binpack(Field::Cpu) => Key::Cpu,
                        Rule::Binpack(Field::Memory) => Key::Memory,
                        Rule::Random => Key::Random,
                    })
                    .collect(),
                ..Group::default()
            })
            .collect();
        let none = vec![Vec::new(); attributes.len()];
        EcsPlacer {
            groups,
            values: none.clone(),
            of_traits: vec![Vec::new(); attributes.len()],
            attributes,
            ties: Vec::new(),
            best: Vec::new(),
        }
    }

    /// A node with these traits may be asked about from now on.
    pub fn learn(&mut self, nodes: &Nodes, traits: TraitsId) {
        let index = traits.0 as usize;
        for (a, name) in self.attributes.iter().enumerate() {
            let table = &mut self.of_traits[a];
            if table.len() <= index {
                table.resize(index + 1, UNKNOWN);
            }
            if table[index] != UNKNOWN {
                continue;
            }
            table[index] = match nodes.traits_of(traits).label(name) {
                None => LACKING,
                Some(value) => {
                    let values = &mut self.values[a];
                    let at = values.iter().position(|v| v == value).unwrap_or_else(|| {
                        values.push(value.to_owned());
                        values.len() - 1
                    });
                    at as u32 + 1
                }
            };
        }
    }

    /// A task of the group was placed on the slot (`sign` 1) or left it (-1).
    pub fn shift(&mut self, nodes: &Nodes, group: usize, slot: Slot, sign: i32) {
        let traits = nodes.traits[slot.index()].0 as usize;
        let group = &mut self.groups[group];
        if group.on.len() <= slot.index() {
            group.on.resize(slot.index() + 1, 0);
        }
        let add = |n: &mut u32| {
            debug_assert!(sign > 0 || *n > 0, "a task left where none was");
            *n = n.wrapping_add_signed(sign);
        };
        add(&mut group.on[slot.index()]);
        group.by_value.resize(self.attributes.len(), Vec::new());
        for (counts, table) in group.by_value.iter_mut().zip(&self.of_traits) {
            let value = table[traits] as usize;
            if counts.len() <= value {
                counts.resize(value + 1, 0);
            }
            add(&mut counts[value]);
        }
    }

    /// Tasks of a group on a slot.
    #[must_use]
    pub fn on_slot(&self, group: usize, slot: Slot) -> u32 {
        self.groups[group].on.get(slot.index()).copied().unwrap_or(0)
    }

    fn value(&self, attribute: u32, nodes: &Nodes, slot: usize) -> u32 {
        self.of_traits[attribute as usize][nodes.traits[slot].0 as usize]
    }

    /// Tasks of a group that share the slot's value of an attribute.
    fn in_value(&self, group: &Group, attribute: u32, nodes: &Nodes, slot: usize) -> i64 {
        let value = self.value(attribute, nodes, slot);
        let counts = group.by_value.get(attribute as usize);
        i64::from(counts.and_then(|c| c.get(value as usize)).copied().unwrap_or(0))
    }

    #[inline]
    fn key(&self, group: &Group, key: Key, nodes: &Nodes, slot: usize) -> i64 {
        match key {
            Key::Instance => i64::from(group.on.get(slot).copied().unwrap_or(0)),
            Key::Attribute(a) if self.value(a, nodes, slot) == LACKING => i64::MAX,
            Key::Attribute(a) => self.in_value(group, a, nodes, slot),
            Key::Cpu => nodes.alloc_cpu[slot] - nodes.cpu[slot],
            Key::Memory => nodes.alloc_memory[slot] - nodes.memory[slot],
            Key::Random => 0,
        }
    }

    /// Where the next task of a group goes, or `None` if nothing holds it now.
    /// With `pool` only the instances of that capacity provider are looked at.
    pub fn select(
        &mut self,
        nodes: &Nodes,
        requests: &Requests,
        group: usize,
        pool: Option<PoolId>,
        draws: &mut Draws,
    ) -> Option<Slot> {
        let mut ties = std::mem::take(&mut self.ties);
        ties.clear();
        let state = &self.groups[group];
        let keys = state.keys.split(|k| *k == Key::Random).next().unwrap_or_default();
        let random = keys.len() < state.keys.len();
        let mut best = std::mem::take(&mut self.best);
        best.clear();
        best.resize(keys.len(), i64::MAX);
        for slot in 0..nodes.slots() {
            if !nodes.open[slot]
                || pool.is_some_and(|p| nodes.pool[slot] != p)
                || !nodes.fits(Slot(slot as u32), requests)
            {
                continue;
            }
            let mut better = ties.is_empty();
            let mut worse = false;
            for (known, key) in best.iter_mut().zip(keys) {
                let key = self.key(state, *key, nodes, slot);
                if better || key < *known {
                    better = true;
                    *known = key;
                } else if key > *known {
                    worse = true;
                    break;
                }
            }
            if worse {
                continue;
            }
            if better {
                ties.clear();
            }
            ties.push(slot as u32);
        }
        let chosen = if random && !ties.is_empty() {
            ties.get(draws.below(ties.len() as u64) as usize).copied()
        } else {
            ties.iter().copied().min_by_key(|s| {
                let s = *s as usize;
                (nodes.pods[s], nodes.record[s])
            })
        };
        (self.ties, self.best) = (ties, best);
        chosen.map(Slot)
    }

    /// Which of a service's tasks, given by the slots they are on, stops
    /// first; `None` without any.
    ///
    /// With a strategy it is the task whose removal best keeps to it: of the
    /// largest group for `spread`, on the instance that is left with most free
    /// for `binpack`, and any among equals. Without one it is a task on the
    /// instance with most tasks of the service in the zone with most (ECS
    /// developer guide, service scale-in); among equals, which the guide leaves
    /// open, the instance launched first and the youngest task.
    pub fn stop_first(
        &self,
        nodes: &Nodes,
        group: usize,
        default: bool,
        tasks: &[Slot],
        draws: &mut Draws,
    ) -> Option<usize> {
        let state = &self.groups[group];
        let keys: &[Key] =
            if default { &[Key::Attribute(ZONE), Key::Instance] } else { &state.keys };
        // How many of the tasks given share the group of each.
        let mut on = vec![0u32; nodes.slots()];
        for slot in tasks {
            on[slot.index()] += 1;
        }
        let mut left: Vec<usize> = (0..tasks.len()).collect();
        for key in keys {
            let score = |i: &usize| -> i64 {
                let slot = tasks[*i].index();
                match key {
                    Key::Instance => i64::from(on[slot]),
                    Key::Attribute(a) => {
                        let value = self.value(*a, nodes, slot);
                        tasks.iter().filter(|s| self.value(*a, nodes, s.index()) == value).count()
                            as i64
                    }
                    Key::Cpu | Key::Memory => self.key(state, *key, nodes, slot),
                    Key::Random => 0,
                }
            };
            let scores: Vec<i64> = left.iter().map(score).collect();
            let most = scores.iter().copied().max()?;
            let mut scores = scores.into_iter();
            left.retain(|_| scores.next() == Some(most));
        }
        if default {
            left.into_iter()
                .min_by_key(|i| (nodes.record[tasks[*i].index()], std::cmp::Reverse(*i)))
        } else if left.is_empty() {
            None
        } else {
            left.get(draws.below(left.len() as u64) as usize).copied()
        }
    }
}
