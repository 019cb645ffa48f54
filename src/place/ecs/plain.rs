//! The placement guide read literally: candidates are filtered, then every
//! strategy counts the tasks of the group anew and narrows them.

use std::collections::BTreeMap;

use super::{Field, PlacementStrategy, Rule, SpreadBy};
use crate::cluster::{Nodes, PoolId, Slot};
use crate::rng::Draws;
use crate::workload::Requests;

/// Where a task of a group goes whose other tasks are on the slots `tasks`.
#[must_use]
pub fn select_plain(
    nodes: &Nodes,
    tasks: &[Slot],
    requests: &Requests,
    strategy: &PlacementStrategy,
    pool: Option<PoolId>,
    draws: &mut Draws,
) -> Option<Slot> {
    let mut candidates: Vec<Slot> = (0..nodes.slots() as u32)
        .map(Slot)
        .filter(|slot| nodes.open[slot.index()])
        .filter(|slot| pool.is_none_or(|p| nodes.pool[slot.index()] == p))
        .filter(|slot| nodes.fits(*slot, requests))
        .collect();
    if candidates.is_empty() {
        return None;
    }
    for rule in strategy {
        match rule {
            Rule::Spread(SpreadBy::Instance) => {
                keep_least(&mut candidates, |slot| {
                    tasks.iter().filter(|t| *t == slot).count() as u64
                });
            }
            Rule::Spread(SpreadBy::Attribute(name)) => {
                let value =
                    |slot: &Slot| nodes.traits_of(nodes.traits[slot.index()]).label(name.as_str());
                let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
                for task in tasks {
                    if let Some(value) = value(task) {
                        *counts.entry(value).or_default() += 1;
                    }
                }
                keep_least(&mut candidates, |slot| {
                    value(slot).map_or(u64::MAX, |v| counts.get(v).copied().unwrap_or(0))
                });
            }
            Rule::Binpack(Field::Cpu) => keep_least(&mut candidates, |slot| {
                let i = slot.index();
                (nodes.alloc_cpu[i] - nodes.cpu[i]).cast_unsigned()
            }),
            Rule::Binpack(Field::Memory) => keep_least(&mut candidates, |slot| {
                let i = slot.index();
                (nodes.alloc_memory[i] - nodes.memory[i]).cast_unsigned()
            }),
            Rule::Random => {
                return candidates.get(draws.below(candidates.len() as u64) as usize).copied();
            }
        }
    }
    candidates.into_iter().min_by_key(|s| (nodes.pods[s.index()], nodes.record[s.index()]))
}

fn keep_least(candidates: &mut Vec<Slot>, key: impl Fn(&Slot) -> u64) {
    let least = candidates.iter().map(&key).min();
    candidates.retain(|slot| Some(key(slot)) == least);
}
