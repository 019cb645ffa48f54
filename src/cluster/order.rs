//! The order in which the scheduler looks at nodes (kube-scheduler 1.31,
//! `internal/cache/node_tree.go`): by zones in turn, zones in the order of
//! their first node, nodes of a zone in the order in which they were listed.

use rustc_hash::FxHashMap;

use super::nodes::{NodeTraits, Nodes, Slot};

/// Labels that make a zone, newest first.
const REGION: [&str; 2] =
    ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];
const ZONE: [&str; 2] = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];

/// When nodes and zones appeared.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    clock: u64,
    /// By slot, when it was listed last.
    listed_at: Vec<u64>,
    zones: Vec<Zone>,
    ids: FxHashMap<(String, String), u32>,
    /// Zone of each traits.
    by_traits: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Zone {
    nodes: u32,
    since: u64,
}

fn zone_key(traits: &NodeTraits) -> (String, String) {
    let label = |keys: [&str; 2]| {
        keys.iter().find_map(|key| traits.label(key)).unwrap_or_default().to_owned()
    };
    (label(REGION), label(ZONE))
}

impl Order {
    pub(super) fn intern(&mut self, traits: &NodeTraits) {
        let next = self.zones.len() as u32;
        let id = *self.ids.entry(zone_key(traits)).or_insert(next);
        if id == next {
            self.zones.push(Zone::default());
        }
        self.by_traits.push(id);
    }

    fn zone(&mut self, traits: usize) -> usize {
        // A cluster may use traits 0 without having interned any.
        while self.by_traits.len() <= traits {
            self.intern(&NodeTraits::default());
        }
        self.by_traits[traits] as usize
    }

    /// The node of a slot is listed. Returns since when its zone had been
    /// there, for [`Order::unlist`] to undo it.
    pub(super) fn list(&mut self, slot: usize, traits: usize) -> u64 {
        self.clock += 1;
        if self.listed_at.len() <= slot {
            self.listed_at.resize(slot + 1, 0);
        }
        self.listed_at[slot] = self.clock;
        let (zone, clock) = (self.zone(traits), self.clock);
        let zone = &mut self.zones[zone];
        let before = zone.since;
        if zone.nodes == 0 {
            zone.since = clock;
        }
        zone.nodes += 1;
        before
    }

    /// It is listed no more.
    pub(super) fn unlist(&mut self, traits: usize) {
        let zone = self.zone(traits);
        self.zones[zone].nodes -= 1;
    }

    /// Undoes [`Order::list`].
    pub(super) fn undo_list(&mut self, traits: usize, before: u64) {
        let zone = self.zone(traits);
        self.zones[zone].nodes -= 1;
        self.zones[zone].since = before;
    }

    /// Undoes [`Order::unlist`].
    pub(super) fn undo_unlist(&mut self, traits: usize) {
        let zone = self.zone(traits);
        self.zones[zone].nodes += 1;
    }
}

impl Nodes {
    /// The listed nodes in the order in which the scheduler looks at them.
    #[must_use]
    pub fn scheduling_order(&self) -> Vec<Slot> {
        let order = self.order();
        let mut zones: Vec<Vec<u32>> = vec![Vec::new(); order.zones.len()];
        let mut count = 0;
        for slot in (0..self.slots()).filter(|slot| self.listed[*slot]) {
            let zone = order.by_traits.get(self.traits[slot].0 as usize).copied().unwrap_or(0);
            zones[zone as usize].push(slot as u32);
            count += 1;
        }
        let mut turns: Vec<usize> = (0..zones.len()).filter(|z| !zones[*z].is_empty()).collect();
        turns.sort_by_key(|zone| order.zones[*zone].since);
        for zone in &mut zones {
            zone.sort_by_key(|slot| order.listed_at[*slot as usize]);
        }
        let mut all = Vec::with_capacity(count);
        for turn in 0.. {
            if all.len() == count {
                break;
            }
            let row = turns.iter().filter_map(|zone| zones[*zone].get(turn));
            all.extend(row.map(|slot| Slot(*slot)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::nodes::NodeInit;
    use super::super::spec::{Capacity, PoolId, Purchase, ShapeId, ZoneId};
    use super::*;
    use crate::units::{Bytes, MilliCpu};

    fn add(nodes: &mut Nodes, zone: &str, open: bool) -> Slot {
        let labels = vec![("topology.kubernetes.io/zone".to_owned(), zone.to_owned())];
        let traits = nodes.intern(NodeTraits { labels, ..NodeTraits::default() });
        let node = NodeInit {
            pool: PoolId(0),
            shape: ShapeId(0),
            zone: ZoneId(0),
            purchase: Purchase::OnDemand,
            traits,
            allocatable: Capacity {
                cpu: MilliCpu(1),
                memory: Bytes(1),
                pods: 1,
                extended: Vec::new(),
            },
            record: 0,
        };
        nodes.add(&node, open)
    }

    fn order(nodes: &Nodes) -> Vec<u32> {
        nodes.scheduling_order().iter().map(|slot| slot.0).collect()
    }

    #[test]
    fn zones_take_turns_and_nodes_keep_their_order() {
        let mut nodes = Nodes::new(0);
        for (zone, open) in
            [("b", true), ("b", true), ("b", false), ("a", true), ("b", true), ("a", true)]
        {
            add(&mut nodes, zone, open);
        }
        // b: 0, 1, 4; a: 3, 5.
        assert_eq!(order(&nodes), [0, 3, 1, 5, 4]);
        nodes.set_open(Slot(2), true);
        assert_eq!(order(&nodes), [0, 3, 1, 5, 4, 2]);
        nodes.set_open(Slot(1), false);
        assert_eq!(order(&nodes), [0, 3, 1, 5, 4, 2], "cordoned nodes stay");
        // The first node of b leaves: b stays the first zone. Its slot is
        // used again, at the end.
        nodes.remove(Slot(0));
        assert_eq!(order(&nodes), [1, 3, 4, 5, 2]);
        assert_eq!(add(&mut nodes, "a", true), Slot(0));
        assert_eq!(order(&nodes), [1, 3, 4, 5, 2, 0]);
    }

    #[test]
    fn a_zone_that_returns_is_the_last_and_overlays_restore_the_order() {
        let mut nodes = Nodes::new(0);
        for zone in ["a", "b", "a"] {
            add(&mut nodes, zone, true);
        }
        assert_eq!(order(&nodes), [0, 1, 2]);
        let mark = nodes.begin();
        nodes.remove(Slot(0));
        nodes.remove(Slot(2));
        add(&mut nodes, "a", true);
        assert_eq!(order(&nodes), [1, 3]);
        nodes.rollback(mark);
        assert_eq!(order(&nodes), [0, 1, 2]);
        nodes.remove(Slot(0));
        nodes.remove(Slot(2));
        add(&mut nodes, "a", true);
        assert_eq!(order(&nodes), [1, 2]);
    }
}
