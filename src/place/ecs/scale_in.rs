//! Which task of a service stops first when it is scaled in.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::{EcsPlacer, Key, ZONE};
use crate::cluster::{Nodes, Slot};
use crate::rng::Draws;

impl EcsPlacer {
    /// Which of a service's tasks, given by the slots they are on, stops
    /// first; `None` without any. O(tasks · strategies).
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
        let mut left: Vec<usize> = (0..tasks.len()).collect();
        for key in keys.iter().take_while(|key| **key != Key::Random) {
            // How many of the tasks given share the group of each.
            let value = |slot: Slot| match key {
                Key::Attribute(a) => self.value(*a, nodes, slot.index()),
                _ => slot.0,
            };
            let mut sharing: FxHashMap<u32, i64> = FxHashMap::default();
            for slot in tasks {
                *sharing.entry(value(*slot)).or_default() += 1;
            }
            let score = |i: usize| match key {
                Key::Instance | Key::Attribute(_) => sharing[&value(tasks[i])],
                Key::Cpu | Key::Memory | Key::Random => {
                    self.key(state, *key, nodes, tasks[i].index())
                }
            };
            let most = left.iter().map(|i| score(*i)).max()?;
            left.retain(|i| score(*i) == most);
        }
        if default {
            left.into_iter().min_by_key(|i| (nodes.record[tasks[*i].index()], Reverse(*i)))
        } else if left.is_empty() {
            None
        } else {
            left.get(draws.below(left.len() as u64) as usize).copied()
        }
    }
}
