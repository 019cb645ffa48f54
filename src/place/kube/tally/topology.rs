//! Topology keys: which nodes carry equal values of a label.

use rustc_hash::FxHashMap;

use crate::cluster::{Nodes, Slot};

/// No domain: the node lacks the label, or there is no node.
pub(in super::super) const NOWHERE: u32 = u32::MAX;

/// The domains of one label. Their numbers are reused after their last node
/// is gone.
#[derive(Debug, Clone)]
pub(in super::super) struct Key {
    pub(in super::super) label: String,
    /// A node without the label lies where those of the empty value do.
    or_empty: bool,
    /// Domain of each slot, or [`NOWHERE`].
    pub(in super::super) of: Vec<u32>,
    /// Domain of a value.
    values: FxHashMap<String, u32>,
    /// Value of each domain.
    names: Vec<String>,
    /// Nodes of each domain; 0 where the number is unused.
    nodes: Vec<u32>,
    free: Vec<u32>,
}

impl Key {
    fn new(label: &str, or_empty: bool) -> Self {
        Key {
            label: label.to_owned(),
            or_empty,
            of: Vec::new(),
            values: FxHashMap::default(),
            names: Vec::new(),
            nodes: Vec::new(),
            free: Vec::new(),
        }
    }

    /// An upper bound of the domain numbers.
    pub(in super::super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The domain of the empty value, if any node lies there.
    pub(in super::super) fn empty(&self) -> Option<u32> {
        self.values.get("").copied()
    }

    fn leave(&mut self, slot: usize) {
        let old = std::mem::replace(&mut self.of[slot], NOWHERE);
        if old == NOWHERE {
            return;
        }
        self.nodes[old as usize] -= 1;
        if self.nodes[old as usize] == 0 {
            self.values.remove(&self.names[old as usize]);
            self.free.push(old);
        }
    }

    fn enter(&mut self, slot: usize, value: &str) {
        let domain = if let Some(domain) = self.values.get(value) {
            *domain
        } else {
            let domain = self.free.pop().unwrap_or_else(|| {
                self.nodes.push(0);
                self.names.push(String::new());
                self.nodes.len() as u32 - 1
            });
            self.values.insert(value.to_owned(), domain);
            value.clone_into(&mut self.names[domain as usize]);
            domain
        };
        self.nodes[domain as usize] += 1;
        self.of[slot] = domain;
    }
}

/// All keys that constraints name.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Topology {
    pub(in super::super) keys: Vec<Key>,
}

impl Topology {
    /// The number of a key. All are named before nodes are read.
    pub(super) fn key(&mut self, label: &str, or_empty: bool) -> usize {
        let same = |key: &Key| key.label == label && key.or_empty == or_empty;
        self.keys.iter().position(same).unwrap_or_else(|| {
            self.keys.push(Key::new(label, or_empty));
            self.keys.len() - 1
        })
    }

    pub(super) fn grow(&mut self, slots: usize) {
        for key in &mut self.keys {
            key.of.resize(slots.max(key.of.len()), NOWHERE);
        }
    }

    /// Takes a slot out of its domains.
    pub(super) fn leave(&mut self, slot: usize) {
        for key in &mut self.keys {
            key.leave(slot);
        }
    }

    /// Puts the node of a slot into its domains.
    pub(super) fn enter(&mut self, nodes: &Nodes, slot: usize) {
        for key in &mut self.keys {
            let value = nodes.label(Slot(slot as u32), &key.label);
            if let Some(value) = value.or(key.or_empty.then_some("")) {
                key.enter(slot, value);
            }
        }
    }
}
