//! Nodes as columns, with the change ledger and the undoable overlay.
//!
//! A node lives in a *slot*; slots are reused, so columns stay as long as the
//! largest number of nodes that existed at once. Scores and filters are plain
//! passes over the columns.
//!
//! The overlay makes hypothetical states cheap: after [`Nodes::begin`] every
//! change is logged with its inverse, and [`Nodes::rollback`] undoes exactly
//! those. Real and hypothetical changes take the same path, so that a policy
//! asks "what if" of the state the scheduler really sees.

use rustc_hash::FxHashMap;

use super::census::Census;
use super::ledger::Ledger;
use super::order::Order;
use super::spec::{Capacity, PoolId, Purchase, ShapeId, ZoneId};
use crate::workload::constraints::HOSTNAME_LABEL;
use crate::workload::{ClassId, ExtendedId, PodClass, Requests, Taint};

/// A place in the node columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Slot(pub u32);

impl Slot {
    /// As an index into the columns.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Interned labels and taints: nodes with the same id are alike to every
/// constraint that names no single node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TraitsId(pub u32);

/// Labels and taints of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct NodeTraits {
    /// Labels, sorted by key.
    pub labels: Vec<(String, String)>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// `spec.unschedulable`, as a node of a recorded cluster states it; a node
    /// that is cordoned during a run is closed instead.
    pub unschedulable: bool,
}

impl NodeTraits {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels
            .binary_search_by(|(k, _)| k.as_str().cmp(key))
            .ok()
            .map(|i| self.labels[i].1.as_str())
    }
}

/// What a node is, apart from what runs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeInit {
    /// Its pool.
    pub pool: PoolId,
    /// Its shape.
    pub shape: ShapeId,
    /// Its zone.
    pub zone: ZoneId,
    /// How it was bought.
    pub purchase: Purchase,
    /// Labels and taints.
    pub traits: TraitsId,
    /// What pods may request.
    pub allocatable: Capacity,
    /// Index into `Record::nodes`; `u32::MAX` for a hypothetical node.
    pub record: u32,
}

/// One undoable change.
#[derive(Debug, Clone)]
enum Undo {
    Removed { slot: Slot, was_open: bool, was_listed: bool },
    Added(Slot),
    Placed { slot: Slot, cpu: i64, memory: i64, nonzero_cpu: i64, nonzero_memory: i64, pods: i32 },
    Extended { index: usize, amount: i64 },
    Opened { slot: Slot, was_open: bool, was_listed: bool },
    Counted { slot: Slot, class: ClassId, by: i32 },
    Listed { slot: Slot, zone_since: u64 },
}

/// Where an overlay began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(usize);

/// The node columns. All of one length; `open` says whether new pods may go
/// there at all (Ready, not cordoned, not removed).
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    /// Whether the scheduler may use the slot.
    pub open: Vec<bool>,
    /// Whether the slot holds a node.
    pub live: Vec<bool>,
    /// Whether the scheduler's list of nodes has it: from the first time it
    /// was open until it is removed. Topology domains are made of these, closed
    /// ones included.
    pub listed: Vec<bool>,
    /// Allocatable cpu, milli-cores.
    pub alloc_cpu: Vec<i64>,
    /// Allocatable memory, bytes.
    pub alloc_memory: Vec<i64>,
    /// Allocatable pods.
    pub alloc_pods: Vec<i32>,
    /// Requested cpu, milli-cores.
    pub cpu: Vec<i64>,
    /// Requested memory, bytes.
    pub memory: Vec<i64>,
    /// Cpu the resource score counts (absent requests as 100m).
    pub nonzero_cpu: Vec<i64>,
    /// Memory the resource score counts (absent requests as 200 Mi).
    pub nonzero_memory: Vec<i64>,
    /// Pods.
    pub pods: Vec<i32>,
    /// Allocatable extended resources, `extended_names` per slot.
    pub alloc_extended: Vec<i64>,
    /// Requested extended resources, `extended_names` per slot.
    pub extended: Vec<i64>,
    /// Labels and taints.
    pub traits: Vec<TraitsId>,
    /// Pool.
    pub pool: Vec<PoolId>,
    /// Shape.
    pub shape: Vec<ShapeId>,
    /// Zone.
    pub zone: Vec<ZoneId>,
    /// How bought.
    pub purchase: Vec<Purchase>,
    /// Index into `Record::nodes`.
    pub record: Vec<u32>,
    /// The extended resource by which nodes state how many volumes they can
    /// attach, 0 where they do not (`attachable-volumes-aws-ebs`).
    pub volume_limit: Option<ExtendedId>,
    /// Which slots changed.
    pub ledger: Ledger,
    /// Which slots hold another node, or one of another name, or were listed:
    /// what topology domains depend on.
    pub members: Ledger,
    /// Pods by class, of classes that constraints refer to.
    pub census: Census,
    order: Order,
    /// Whether a node without the label `kubernetes.io/hostname` has none: so
    /// for recorded nodes, whose labels are complete.
    pub only_stated_hostnames: bool,
    /// Names; empty where a node has none.
    names: Vec<String>,
    /// Number of extended resource names.
    extended_names: usize,
    free: Vec<u32>,
    traits_table: Vec<NodeTraits>,
    traits_ids: FxHashMap<NodeTraits, TraitsId>,
    undo: Vec<Undo>,
    depth: u32,
}

impl Nodes {
    /// No nodes yet; every node will have `extended_names` extended resources.
    #[must_use]
    pub fn new(extended_names: usize) -> Self {
        Nodes { extended_names, ..Nodes::default() }
    }

    /// Slots, used or not.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.live.len()
    }

    /// Number of extended resource names.
    #[must_use]
    pub fn extended_names(&self) -> usize {
        self.extended_names
    }

    /// Interns labels and taints.
    pub fn intern(&mut self, traits: NodeTraits) -> TraitsId {
        if let Some(id) = self.traits_ids.get(&traits) {
            return *id;
        }
        let id = TraitsId(self.traits_table.len() as u32);
        self.order.intern(&traits);
        self.traits_table.push(traits.clone());
        self.traits_ids.insert(traits, id);
        id
    }

    /// Labels and taints by id.
    #[must_use]
    pub fn traits_of(&self, id: TraitsId) -> &NodeTraits {
        &self.traits_table[id.0 as usize]
    }

    /// How many distinct label-and-taint sets exist.
    #[must_use]
    pub fn traits_len(&self) -> usize {
        self.traits_table.len()
    }

    /// Adds an empty node, open to the scheduler or not.
    pub fn add(&mut self, node: &NodeInit, open: bool) -> Slot {
        let slot = if let Some(slot) = self.free.pop() {
            slot
        } else {
            self.grow();
            self.slots() as u32 - 1
        };
        let i = slot as usize;
        self.live[i] = true;
        self.open[i] = open;
        self.listed[i] = open;
        self.names[i].clear();
        self.alloc_cpu[i] = node.allocatable.cpu.0;
        self.alloc_memory[i] = node.allocatable.memory.0;
        self.alloc_pods[i] = node.allocatable.pods as i32;
        let e = self.extended_names;
        for k in 0..e {
            self.alloc_extended[i * e + k] = node.allocatable.extended.get(k).copied().unwrap_or(0);
        }
        self.traits[i] = node.traits;
        self.pool[i] = node.pool;
        self.shape[i] = node.shape;
        self.zone[i] = node.zone;
        self.purchase[i] = node.purchase;
        self.record[i] = node.record;
        debug_assert_eq!(self.pods[i], 0, "a freed slot must be empty");
        self.log(Undo::Added(Slot(slot)));
        if open {
            self.list(Slot(slot));
        }
        self.note_member(Slot(slot));
        Slot(slot)
    }

    fn grow(&mut self) {
        self.open.push(false);
        self.live.push(false);
        self.listed.push(false);
        self.names.push(String::new());
        self.alloc_cpu.push(0);
        self.alloc_memory.push(0);
        self.alloc_pods.push(0);
        self.cpu.push(0);
        self.memory.push(0);
        self.nonzero_cpu.push(0);
        self.nonzero_memory.push(0);
        self.pods.push(0);
        self.alloc_extended.resize(self.alloc_extended.len() + self.extended_names, 0);
        self.extended.resize(self.extended.len() + self.extended_names, 0);
        self.traits.push(TraitsId::default());
        self.pool.push(PoolId::default());
        self.shape.push(ShapeId::default());
        self.zone.push(ZoneId::default());
        self.purchase.push(Purchase::OnDemand);
        self.record.push(u32::MAX);
    }

    /// Removes a node for good. Outside an overlay its slot is reused.
    ///
    /// # Panics
    /// Outside an overlay, if pods are still on it.
    pub fn remove(&mut self, slot: Slot) {
        let i = slot.index();
        assert!(self.live[i], "removing a node that is not there");
        let (was_open, was_listed) = (self.open[i], self.listed[i]);
        self.live[i] = false;
        self.open[i] = false;
        self.listed[i] = false;
        if was_listed {
            self.order.unlist(self.traits[i].0 as usize);
        }
        if self.depth > 0 {
            self.log(Undo::Removed { slot, was_open, was_listed });
        } else {
            assert_eq!(self.pods[i], 0, "removing a node with pods on it");
            self.free.push(slot.0);
        }
        self.note_member(slot);
    }

    /// Opens or closes a node to new pods (Ready, cordon).
    pub fn set_open(&mut self, slot: Slot, open: bool) {
        let was_open = self.open[slot.index()];
        if was_open != open {
            let was_listed = self.listed[slot.index()];
            self.open[slot.index()] = open;
            self.listed[slot.index()] |= open;
            self.log(Undo::Opened { slot, was_open, was_listed });
            if open && !was_listed {
                self.list(slot);
                self.note_member(slot);
            } else {
                self.note(slot);
            }
        }
    }

    /// Counts a pod's requests on a node.
    #[inline]
    pub fn place(&mut self, slot: Slot, requests: &Requests) {
        self.shift(slot, requests, 1);
    }

    /// Takes a pod's requests off a node.
    #[inline]
    pub fn unplace(&mut self, slot: Slot, requests: &Requests) {
        self.shift(slot, requests, -1);
    }

    /// Puts a pod of the class on a node: its requests, and where constraints
    /// may refer to it, the census.
    #[inline]
    pub fn place_pod(&mut self, slot: Slot, id: ClassId, class: &PodClass) {
        self.shift_pod(slot, id, class, 1);
    }

    /// Takes a pod of the class off a node.
    #[inline]
    pub fn unplace_pod(&mut self, slot: Slot, id: ClassId, class: &PodClass) {
        self.shift_pod(slot, id, class, -1);
    }

    #[inline]
    fn shift_pod(&mut self, slot: Slot, id: ClassId, class: &PodClass, by: i32) {
        match &class.on_node {
            Some(requests) => self.shift(slot, requests, i64::from(by)),
            None => self.shift(slot, &class.requests, i64::from(by)),
        }
        if class.constraints.is_some() {
            let slots = self.slots();
            self.census.shift(slot, id, by, slots);
            self.log(Undo::Counted { slot, class: id, by });
        }
    }

    /// Names a node, for constraints that name it and its implied
    /// `kubernetes.io/hostname`. A slot loses its name with its node.
    pub fn set_name(&mut self, slot: Slot, name: &str) {
        name.clone_into(&mut self.names[slot.index()]);
        self.note_member(slot);
    }

    /// The name of a node, empty where it has none.
    #[must_use]
    pub fn name(&self, slot: Slot) -> &str {
        &self.names[slot.index()]
    }

    /// The value of a node's label. `kubernetes.io/hostname` is the node's name
    /// where its labels do not say otherwise, as a kubelet sets it.
    #[must_use]
    pub fn label(&self, slot: Slot, key: &str) -> Option<&str> {
        let stated = self.traits_of(self.traits[slot.index()]).label(key);
        stated.or_else(|| {
            let name = self.name(slot);
            let implied = key == HOSTNAME_LABEL && !self.only_stated_hostnames;
            (implied && !name.is_empty()).then_some(name)
        })
    }

    #[inline]
    fn shift(&mut self, slot: Slot, requests: &Requests, sign: i64) {
        let i = slot.index();
        let (cpu, memory) = (sign * requests.cpu.0, sign * requests.memory.0);
        let nonzero_cpu = sign * requests.nonzero_cpu.0;
        let nonzero_memory = sign * requests.nonzero_memory.0;
        self.cpu[i] += cpu;
        self.memory[i] += memory;
        self.nonzero_cpu[i] += nonzero_cpu;
        self.nonzero_memory[i] += nonzero_memory;
        self.pods[i] += sign as i32;
        if self.depth > 0 {
            let pods = sign as i32;
            self.log(Undo::Placed { slot, cpu, memory, nonzero_cpu, nonzero_memory, pods });
        }
        for (id, amount) in &requests.extended {
            let index = i * self.extended_names + id.index();
            self.extended[index] += sign * amount;
            self.log(Undo::Extended { index, amount: sign * amount });
        }
        debug_assert!(self.cpu[i] >= 0 && self.memory[i] >= 0 && self.pods[i] >= 0);
        self.note(slot);
    }

    /// Whether the free capacity of the node holds the pod: the rule of
    /// `NodeResourcesFit` (kube-scheduler 1.31, `noderesources/fit.go`): the pod
    /// count always, other resources only where requested. Does not look at
    /// `open`, labels or taints.
    #[inline]
    #[must_use]
    pub fn fits(&self, slot: Slot, requests: &Requests) -> bool {
        let i = slot.index();
        self.pods[i] < self.alloc_pods[i]
            && (requests.cpu.0 == 0 || requests.cpu.0 <= self.alloc_cpu[i] - self.cpu[i])
            && (requests.memory.0 == 0
                || requests.memory.0 <= self.alloc_memory[i] - self.memory[i])
            && (requests.extended.is_empty() || self.extended_fit(i, requests))
    }

    fn extended_fit(&self, i: usize, requests: &Requests) -> bool {
        requests.extended.iter().all(|(id, amount)| {
            let index = i * self.extended_names + id.index();
            *amount <= self.alloc_extended[index] - self.extended[index]
        })
    }

    /// Starts a hypothetical state. Overlays nest.
    pub fn begin(&mut self) -> Mark {
        self.depth += 1;
        Mark(self.undo.len())
    }

    /// Undoes everything since `mark`, newest first.
    ///
    /// # Panics
    /// If no overlay is open.
    pub fn rollback(&mut self, mark: Mark) {
        assert!(self.depth > 0, "rollback without an overlay");
        while self.undo.len() > mark.0 {
            match self.undo.pop().expect("longer than the mark") {
                Undo::Added(slot) => {
                    let i = slot.index();
                    self.live[i] = false;
                    self.open[i] = false;
                    self.listed[i] = false;
                    self.free.push(slot.0);
                    self.note_member(slot);
                }
                Undo::Listed { slot, zone_since } => {
                    self.order.undo_list(self.traits[slot.index()].0 as usize, zone_since);
                }
                Undo::Removed { slot, was_open, was_listed } => {
                    if was_listed {
                        self.order.undo_unlist(self.traits[slot.index()].0 as usize);
                    }
                    self.live[slot.index()] = true;
                    self.open[slot.index()] = was_open;
                    self.listed[slot.index()] = was_listed;
                    self.note_member(slot);
                }
                Undo::Placed { slot, cpu, memory, nonzero_cpu, nonzero_memory, pods } => {
                    let i = slot.index();
                    self.cpu[i] -= cpu;
                    self.memory[i] -= memory;
                    self.nonzero_cpu[i] -= nonzero_cpu;
                    self.nonzero_memory[i] -= nonzero_memory;
                    self.pods[i] -= pods;
                    self.note(slot);
                }
                Undo::Extended { index, amount } => self.extended[index] -= amount,
                Undo::Opened { slot, was_open, was_listed } => {
                    self.open[slot.index()] = was_open;
                    self.listed[slot.index()] = was_listed;
                    self.note_member(slot);
                }
                Undo::Counted { slot, class, by } => {
                    let slots = self.slots();
                    self.census.shift(slot, class, -by, slots);
                }
            }
        }
        self.depth -= 1;
    }

    #[inline]
    fn log(&mut self, undo: Undo) {
        if self.depth > 0 {
            self.undo.push(undo);
        }
    }

    fn list(&mut self, slot: Slot) {
        let zone_since = self.order.list(slot.index(), self.traits[slot.index()].0 as usize);
        self.log(Undo::Listed { slot, zone_since });
    }

    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    fn note_member(&mut self, slot: Slot) {
        let slots = self.slots();
        self.members.note(slot.0, slots);
        self.note(slot);
    }

    #[inline]
    fn note(&mut self, slot: Slot) {
        let slots = self.slots();
        self.ledger.note(slot.0, slots);
    }
}

/// Whether labels and taints let the class onto such a node: nodeSelector and
/// the `NoSchedule`/`NoExecute` taints (kube-scheduler 1.31, plugins `NodeAffinity` and
/// `TaintToleration`).
#[must_use]
pub fn admits(traits: &NodeTraits, class: &PodClass) -> bool {
    class.node_selector.iter().all(|(k, v)| traits.label(k) == Some(v.as_str()))
        && first_untolerated(traits, class).is_none()
}

/// The first taint that keeps the class away.
#[must_use]
pub fn first_untolerated<'a>(traits: &'a NodeTraits, class: &PodClass) -> Option<&'a Taint> {
    use crate::workload::TaintEffect::{NoExecute, NoSchedule};
    traits
        .taints
        .iter()
        .filter(|t| matches!(t.effect, NoSchedule | NoExecute))
        .find(|taint| !class.tolerations.iter().any(|t| t.tolerates(taint)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCpu};
    use crate::workload::{ExtendedId, TaintEffect, Toleration};
    use proptest::prelude::*;

    fn node(cpu: i64, memory: i64, pods: u32) -> NodeInit {
        NodeInit {
            pool: PoolId(0),
            shape: ShapeId(0),
            zone: ZoneId(0),
            purchase: Purchase::OnDemand,
            traits: TraitsId(0),
            allocatable: Capacity {
                cpu: MilliCpu(cpu),
                memory: Bytes(memory),
                pods,
                extended: vec![2],
            },
            record: 0,
        }
    }

    fn requests(cpu: i64, memory: i64, gpu: i64) -> Requests {
        Requests::new(Some(MilliCpu(cpu)), Some(Bytes(memory)), vec![(ExtendedId(0), gpu)])
    }

    #[test]
    fn fit_counts_pods_always_and_resources_where_asked() {
        let mut nodes = Nodes::new(1);
        let slot = nodes.add(&node(1000, 1000, 2), true);
        nodes.place(slot, &requests(1000, 10, 0));
        assert!(!nodes.fits(slot, &requests(1, 1, 0)));
        assert!(nodes.fits(slot, &requests(0, 990, 2)));
        assert!(!nodes.fits(slot, &requests(0, 990, 3)));
        nodes.place(slot, &requests(0, 0, 0));
        assert!(!nodes.fits(slot, &requests(0, 0, 0)), "the node holds two pods");
    }

    #[test]
    fn taints_and_selectors_admit_as_upstream() {
        let taint = Taint {
            key: "dedicated".into(),
            value: "batch".into(),
            effect: TaintEffect::NoSchedule,
        };
        let traits = NodeTraits {
            labels: vec![("arch".into(), "amd64".into()), ("disk".into(), "ssd".into())],
            taints: vec![taint],
            ..NodeTraits::default()
        };
        let mut class = PodClass::default();
        assert!(!admits(&traits, &class));
        class.tolerations.push(Toleration {
            key: Some("dedicated".into()),
            value: None,
            effect: Some(TaintEffect::NoSchedule),
        });
        assert!(admits(&traits, &class));
        class.node_selector.push(("disk".into(), "hdd".into()));
        assert!(!admits(&traits, &class));
    }

    type Columns = (Vec<bool>, Vec<i64>, Vec<i64>, Vec<i32>, Vec<i64>, Vec<i64>);

    fn state(nodes: &Nodes, slots: usize) -> Columns {
        (
            nodes.live[..slots].to_vec(),
            nodes.cpu[..slots].to_vec(),
            nodes.memory[..slots].to_vec(),
            nodes.pods[..slots].to_vec(),
            nodes.extended[..slots].to_vec(),
            nodes.nonzero_memory[..slots].to_vec(),
        )
    }

    proptest! {
        #[test]
        fn rollback_restores_every_column(
            ops in proptest::collection::vec((0u8..4, 0usize..6, 0i64..50, 0i64..50, 0i64..2), 1..60),
        ) {
            let mut nodes = Nodes::new(1);
            for _ in 0..4 {
                nodes.add(&node(10_000, 10_000, 100), true);
            }
            nodes.place(Slot(1), &requests(7, 7, 1));
            let before = state(&nodes, 4);
            let open = nodes.open.clone();
            let mark = nodes.begin();
            let mut placed: Vec<(Slot, Requests)> = Vec::new();
            for (op, at, cpu, memory, gpu) in ops {
                let live: Vec<usize> = (0..nodes.slots()).filter(|i| nodes.live[*i]).collect();
                let slot = Slot(live[at % live.len()] as u32);
                match op {
                    0 => { nodes.add(&node(10_000, 10_000, 100), true); }
                    1 => {
                        let r = requests(cpu, memory, gpu);
                        nodes.place(slot, &r);
                        placed.push((slot, r));
                    }
                    2 => if let Some((slot, r)) = placed.pop() { nodes.unplace(slot, &r); },
                    _ => if live.len() > 1 { nodes.remove(slot); } else { nodes.set_open(slot, false); },
                }
            }
            nodes.rollback(mark);
            prop_assert_eq!(state(&nodes, 4), before);
            prop_assert_eq!(&nodes.open[..4], &open[..]);
            prop_assert!(nodes.live[4..].iter().all(|l| !l));
        }
    }
}
