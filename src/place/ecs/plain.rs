//! The placement guide read literally, from the list of all tasks:
//! candidates are filtered, then constraints and strategies narrow them one
//! after another. What it finds on the way is what `explain` tells.

use std::collections::BTreeMap;

use super::constraints::{Constraint, Host, Registered};
use super::ports::is_reserved;
use super::query::Expr;
use super::{Field, PlacementStrategy, Rule, SpreadBy};
use crate::cluster::{Nodes, PoolId, Slot};
use crate::rng::Draws;
use crate::workload::constraints::HostPort;
use crate::workload::{ExtendedId, Requests};

/// A task that is placed already.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Where.
    pub slot: Slot,
    /// Its task group.
    pub group: &'a str,
    /// Ports that it has of its instance.
    pub ports: &'a [HostPort],
}

/// A cluster.
#[derive(Debug, Clone, Copy)]
pub struct Cluster<'a> {
    /// Its instances.
    pub nodes: &'a Nodes,
    /// By slot.
    pub registered: &'a [Registered],
    /// Version of the agent, where it is stated.
    pub agent_version: Option<&'a [u64]>,
    /// Every task on an instance.
    pub tasks: &'a [Placed<'a>],
}

/// A task to place.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// What it requests.
    pub requests: &'a Requests,
    /// Ports that it wants of its instance.
    pub ports: &'a [HostPort],
    /// Its task group.
    pub group: &'a str,
    /// Its constraints.
    pub constraints: &'a [Constraint],
    /// Its strategies.
    pub strategy: &'a PlacementStrategy,
    /// Its capacity provider, unless of launch type EC2.
    pub pool: Option<PoolId>,
}

/// Why an instance does not take a task.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// It registers, drains, or is gone.
    NotActive,
    /// It is of another capacity provider.
    OtherProvider,
    /// Too little cpu is left.
    Cpu,
    /// Too little memory is left.
    Memory,
    /// Too few network interfaces are left.
    Interfaces,
    /// Too little of an extended resource is left.
    Extended(ExtendedId),
    /// A port is taken, or reserved.
    Port(u16),
    /// A task of the group is there.
    DistinctInstance,
    /// An expression does not hold; the parts of it that fail.
    MemberOf(Vec<String>),
}

/// One strategy's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowed {
    /// The strategy.
    pub rule: Rule,
    /// What the instances kept have in common: tasks in their group, or what
    /// they have left. `None` for random, and where they lack the attribute.
    pub least: Option<i64>,
    /// Instances that are left.
    pub left: Vec<Slot>,
}

/// How a decision came about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// Instances that cannot take the task: every reason of those that a
    /// filter rejects, and for others the constraints that do not hold.
    pub unfit: Vec<(Slot, Vec<Unfit>)>,
    /// Those that can.
    pub eligible: Vec<Slot>,
    /// What the strategies leave of them, one after another.
    pub steps: Vec<Narrowed>,
    /// Where the task goes.
    pub chosen: Option<Slot>,
}

/// Where a task goes, and why.
#[must_use]
pub fn decide(cluster: &Cluster<'_>, task: &Task<'_>, draws: &mut Draws) -> Decision {
    let nodes = cluster.nodes;
    let mut decision = Decision::default();
    for slot in (0..nodes.slots() as u32).map(Slot).filter(|s| nodes.live[s.index()]) {
        let mut reasons = filter(cluster, task, slot);
        if reasons.is_empty() {
            reasons = constrain(cluster, task, slot);
        }
        if reasons.is_empty() {
            decision.eligible.push(slot);
        } else {
            decision.unfit.push((slot, reasons));
        }
    }
    if decision.eligible.is_empty() {
        return decision;
    }
    let mut candidates = decision.eligible.clone();
    for rule in task.strategy {
        if *rule == Rule::Random {
            let drawn = draws.below(candidates.len() as u64) as usize;
            decision.chosen = candidates.get(drawn).copied();
            decision.steps.push(Narrowed { rule: Rule::Random, least: None, left: candidates });
            return decision;
        }
        let key = |slot: &Slot| key(cluster, task, rule, *slot);
        let least = candidates.iter().map(key).min().unwrap_or(i64::MAX);
        candidates.retain(|slot| key(slot) == least);
        let least = (least < i64::MAX).then_some(least);
        decision.steps.push(Narrowed { rule: rule.clone(), least, left: candidates.clone() });
    }
    decision.chosen =
        candidates.into_iter().min_by_key(|s| (nodes.pods[s.index()], nodes.record[s.index()]));
    decision
}

/// Which resources are missing.
fn filter(cluster: &Cluster<'_>, task: &Task<'_>, slot: Slot) -> Vec<Unfit> {
    let (nodes, i) = (cluster.nodes, slot.index());
    if !nodes.open[i] {
        return vec![Unfit::NotActive];
    }
    if task.pool.is_some_and(|p| nodes.pool[i] != p) {
        return vec![Unfit::OtherProvider];
    }
    let mut reasons = lacking(nodes, slot, task.requests);
    for port in task.ports {
        let there = cluster.tasks.iter().filter(|t| t.slot == slot);
        let taken = there.flat_map(|t| t.ports).any(|p| p.conflicts(port));
        if taken || is_reserved(port) {
            reasons.push(Unfit::Port(port.port));
        }
    }
    reasons
}

/// Which of the resources that are asked for an instance has too little of.
#[must_use]
pub fn lacking(nodes: &Nodes, slot: Slot, requests: &Requests) -> Vec<Unfit> {
    let i = slot.index();
    let lacks = |wanted: i64, total: i64, used: i64| wanted > 0 && wanted > total - used;
    let mut reasons = Vec::new();
    if lacks(requests.cpu.0, nodes.alloc_cpu[i], nodes.cpu[i]) {
        reasons.push(Unfit::Cpu);
    }
    if lacks(requests.memory.0, nodes.alloc_memory[i], nodes.memory[i]) {
        reasons.push(Unfit::Memory);
    }
    if nodes.pods[i] >= nodes.alloc_pods[i] {
        reasons.push(Unfit::Interfaces);
    }
    for (id, amount) in &requests.extended {
        let at = i * nodes.extended_names() + id.index();
        if lacks(*amount, nodes.alloc_extended[at], nodes.extended[at]) {
            reasons.push(Unfit::Extended(*id));
        }
    }
    reasons
}

/// Which constraints do not hold.
fn constrain(cluster: &Cluster<'_>, task: &Task<'_>, slot: Slot) -> Vec<Unfit> {
    let there = || cluster.tasks.iter().filter(|t| t.slot == slot);
    let runs = |wanted: &dyn Fn(&str) -> bool| there().any(|t| wanted(t.group));
    let host = Host {
        traits: cluster.nodes.traits_of(cluster.nodes.traits[slot.index()]),
        agent_version: cluster.agent_version,
        registered: cluster.registered.get(slot.index()),
        tasks: Some((there().count() as u64, &runs)),
    };
    let unfit = |constraint: &Constraint| match constraint {
        Constraint::DistinctInstance => {
            there().any(|t| t.group == task.group).then_some(Unfit::DistinctInstance)
        }
        Constraint::MemberOf(expr) => (expr.holds(&host) != Some(true)).then(|| {
            Unfit::MemberOf(expr.failing(&host).into_iter().map(Expr::to_string).collect())
        }),
    };
    task.constraints.iter().filter_map(unfit).collect()
}

/// By what a strategy ranks an instance; the least are kept.
fn key(cluster: &Cluster<'_>, task: &Task<'_>, rule: &Rule, slot: Slot) -> i64 {
    let (nodes, i) = (cluster.nodes, slot.index());
    let own = || cluster.tasks.iter().filter(|t| t.group == task.group);
    match rule {
        Rule::Spread(SpreadBy::Instance) => own().filter(|t| t.slot == slot).count() as i64,
        Rule::Spread(SpreadBy::Attribute(name)) => {
            let value = |slot: Slot| nodes.traits_of(nodes.traits[slot.index()]).label(name);
            let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
            for value in own().filter_map(|t| value(t.slot)) {
                *counts.entry(value).or_default() += 1;
            }
            value(slot).map_or(i64::MAX, |v| counts.get(v).copied().unwrap_or(0))
        }
        Rule::Binpack(Field::Cpu) => nodes.alloc_cpu[i] - nodes.cpu[i],
        Rule::Binpack(Field::Memory) => nodes.alloc_memory[i] - nodes.memory[i],
        Rule::Random => 0,
    }
}

/// Which of a service's tasks, given by the slots they are on, stops first:
/// see [`super::EcsPlacer::stop_first`].
#[must_use]
pub fn stop_plain(
    nodes: &Nodes,
    strategy: Option<&PlacementStrategy>,
    tasks: &[Slot],
    draws: &mut Draws,
) -> Option<usize> {
    let default = super::service_default();
    let mut left: Vec<usize> = (0..tasks.len()).collect();
    let rules = strategy.unwrap_or(&default).iter();
    for rule in rules.take_while(|r| **r != Rule::Random) {
        let zone = |slot: Slot, name: &str| -> Option<String> {
            nodes.traits_of(nodes.traits[slot.index()]).label(name).map(str::to_owned)
        };
        let score = |i: &usize| -> i64 {
            let slot = tasks[*i];
            match rule {
                Rule::Spread(SpreadBy::Instance) => {
                    tasks.iter().filter(|t| **t == slot).count() as i64
                }
                Rule::Spread(SpreadBy::Attribute(name)) => {
                    tasks.iter().filter(|t| zone(**t, name) == zone(slot, name)).count() as i64
                }
                Rule::Binpack(Field::Cpu) => {
                    nodes.alloc_cpu[slot.index()] - nodes.cpu[slot.index()]
                }
                Rule::Binpack(Field::Memory) => {
                    nodes.alloc_memory[slot.index()] - nodes.memory[slot.index()]
                }
                Rule::Random => 0,
            }
        };
        let most = left.iter().map(score).max()?;
        left.retain(|i| score(i) == most);
    }
    if strategy.is_none() {
        let first = |i: &usize| (nodes.record[tasks[*i].index()], std::cmp::Reverse(*i));
        return left.into_iter().min_by_key(first);
    }
    if left.is_empty() {
        return None;
    }
    left.get(draws.below(left.len() as u64) as usize).copied()
}
