//! Task placement of Amazon ECS.
//!
//! Rules: Amazon ECS developer guide, "Amazon ECS task placement" (2023-06).
//! A task goes to an ACTIVE container instance of its capacity provider (of
//! the whole cluster with launch type EC2) that has the cpu, memory, GPUs,
//! ports and task slots it asks for and satisfies its constraints; the
//! strategies of its workload narrow the choice one after another, best effort. What AWS leaves open is decided so: of
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

pub mod constraints;
pub mod plain;
mod ports;
pub mod provisioning;
pub mod query;
mod scale_in;
#[cfg(test)]
mod tests;

use std::fmt;

pub use constraints::{Constraint, Host, Registered};
pub use ports::{RESERVED_PORTS, host_ports, is_reserved};
pub use provisioning::{NO_PROVIDER, Provisioning, TaskGroup};

use crate::cluster::{NodeTraits, Nodes, Slot, TraitsId};
use crate::rng::Draws;
use crate::workload::{ClassId, PodClass, Requests};
use constraints::Compiled;
use ports::Ports;

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

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Spread(SpreadBy::Instance) => f.write_str("spread(instanceId)"),
            Rule::Spread(SpreadBy::Attribute(name)) => write!(f, "spread(attribute:{name})"),
            Rule::Binpack(Field::Cpu) => f.write_str("binpack(cpu)"),
            Rule::Binpack(Field::Memory) => f.write_str("binpack(memory)"),
            Rule::Random => f.write_str("random"),
        }
    }
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
    name: String,
    keys: Vec<Key>,
    constraints: Option<Box<Compiled>>,
    /// Tasks per node slot.
    on: Vec<u32>,
    /// Per attribute and value: tasks.
    by_value: Vec<Vec<u32>>,
}

/// What a placer is told of a group of tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupSpec {
    /// Its name: `service:NAME`, or `family:NAME` of standalone tasks.
    pub name: String,
    /// Its strategies.
    pub strategy: PlacementStrategy,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
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
    ports: Ports,
    agent_version: Option<Vec<u64>>,
    registered: Vec<Registered>,
    /// Reused: instances equal so far, and their keys.
    ties: Vec<u32>,
    best: Vec<i64>,
}

impl EcsPlacer {
    /// A placer for these groups. `shared_ports` are the classes of all tasks
    /// where these share the network of their instance (bridge and host mode).
    #[must_use]
    pub fn new(
        groups: &[GroupSpec],
        shared_ports: Option<&[PodClass]>,
        agent_version: Option<Vec<u64>>,
    ) -> Self {
        let mut attributes = vec![AVAILABILITY_ZONE.to_owned()];
        let mut key = |rule: &Rule| match rule {
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
        };
        let groups = groups
            .iter()
            .map(|spec| Group {
                name: spec.name.clone(),
                keys: spec.strategy.iter().map(&mut key).collect(),
                constraints: Compiled::new(&spec.constraints),
                ..Group::default()
            })
            .collect();
        EcsPlacer {
            groups,
            values: vec![Vec::new(); attributes.len()],
            of_traits: vec![Vec::new(); attributes.len()],
            attributes,
            ports: shared_ports.map(Ports::new).unwrap_or_default(),
            agent_version,
            registered: Vec::new(),
            ties: Vec::new(),
            best: Vec::new(),
        }
    }

    /// An instance registered.
    pub fn register(&mut self, nodes: &Nodes, slot: Slot, instance: Registered) {
        let traits = nodes.traits[slot.index()];
        self.learn(nodes, traits);
        if self.registered.len() <= slot.index() {
            self.registered.resize(slot.index() + 1, Registered::default());
        }
        let host = Host {
            traits: nodes.traits_of(traits),
            agent_version: self.agent_version.as_deref(),
            registered: Some(&instance),
            tasks: None,
        };
        for constraints in self.groups.iter_mut().filter_map(|g| g.constraints.as_mut()) {
            constraints.register(slot.index(), &host);
        }
        self.registered[slot.index()] = instance;
    }

    /// By slot: what its instance is.
    #[must_use]
    pub fn registered(&self) -> &[Registered] {
        &self.registered
    }

    /// Version of the agent, where it is stated.
    #[must_use]
    pub fn agent_version(&self) -> Option<&[u64]> {
        self.agent_version.as_deref()
    }

    /// Name of a group.
    #[must_use]
    pub fn group_name(&self, group: usize) -> &str {
        &self.groups[group].name
    }

    /// Whether tasks that come can let others in, by the constraints of any
    /// group.
    #[must_use]
    pub fn watches_tasks(&self) -> bool {
        self.groups.iter().filter_map(|g| g.constraints.as_ref()).any(|c| c.watches_tasks())
    }

    /// Whether some instance with these traits may let a task in, by what is
    /// known before it is there.
    #[must_use]
    pub fn may_admit(&self, traits: &NodeTraits, class: ClassId, group: usize) -> bool {
        let agent_version = self.agent_version.as_deref();
        let host = Host { traits, agent_version, registered: None, tasks: None };
        !self.ports.never(class)
            && self.groups[group].constraints.as_ref().is_none_or(|c| c.may_admit(&host))
    }

    /// Whether a class asks for a port that ECS keeps.
    #[must_use]
    pub fn asks_for_reserved(&self, class: ClassId) -> bool {
        self.ports.never(class)
    }

    /// Whether no two of such tasks can be on one instance.
    #[must_use]
    pub fn stands_alone(&self, class: ClassId, group: usize) -> bool {
        self.ports.place(class).is_some() || self.is_distinct(group)
    }

    /// Whether a group is constrained to distinct instances.
    #[must_use]
    pub fn is_distinct(&self, group: usize) -> bool {
        self.groups[group].constraints.as_ref().is_some_and(|c| c.distinct)
    }

    /// Whether ports and constraints let a task onto a slot.
    #[must_use]
    pub fn admits(&self, nodes: &Nodes, class: ClassId, group: usize, slot: Slot) -> bool {
        self.ports.place(class).is_none_or(|place| self.ports.free(place, slot.index()))
            && self.is_let_in(nodes, &self.groups[group], slot.index())
    }

    fn is_let_in(&self, nodes: &Nodes, group: &Group, slot: usize) -> bool {
        let Some(constraints) = &group.constraints else { return true };
        let own = group.on.get(slot).copied().unwrap_or(0);
        constraints.admits(slot, own, |changing| {
            let runs = |wanted: &dyn Fn(&str) -> bool| {
                self.groups
                    .iter()
                    .any(|g| g.on.get(slot).is_some_and(|n| *n > 0) && wanted(&g.name))
            };
            let host = Host {
                traits: nodes.traits_of(nodes.traits[slot]),
                agent_version: self.agent_version.as_deref(),
                registered: self.registered.get(slot),
                tasks: Some((nodes.pods[slot] as u64, &runs)),
            };
            changing.iter().all(|e| e.holds(&host) == Some(true))
        })
    }

    /// A node with these traits may be asked about from now on.
    fn learn(&mut self, nodes: &Nodes, traits: TraitsId) {
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
    pub fn shift(&mut self, nodes: &Nodes, class: ClassId, group: usize, slot: Slot, sign: i32) {
        self.ports.shift(class, slot, sign);
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
    pub fn select(
        &mut self,
        nodes: &Nodes,
        task: &TaskGroup,
        requests: &Requests,
        draws: &mut Draws,
    ) -> Option<Slot> {
        let mut ties = std::mem::take(&mut self.ties);
        ties.clear();
        let pool = task.pool();
        let state = &self.groups[task.owner as usize];
        let ports = self.ports.place(task.class);
        let constrained = state.constraints.is_some();
        let keys = state.keys.split(|k| *k == Key::Random).next().unwrap_or_default();
        let random = keys.len() < state.keys.len();
        let mut best = std::mem::take(&mut self.best);
        best.clear();
        best.resize(keys.len(), i64::MAX);
        for slot in 0..nodes.slots() {
            if !nodes.open[slot]
                || pool.is_some_and(|p| nodes.pool[slot] != p)
                || !nodes.fits(Slot(slot as u32), requests)
                || ports.is_some_and(|place| !self.ports.free(place, slot))
                || (constrained && !self.is_let_in(nodes, state, slot))
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
}
