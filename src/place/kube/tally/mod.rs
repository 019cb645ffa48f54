//! Tallies: everything that depends on pods elsewhere, counted incrementally.
//!
//! A tally is a weighted set of classes summed per topology domain: pods that
//! a spread constraint counts, pods of a required term, preferred terms with
//! their weights, pods whose ports conflict. Equal ones are shared by all
//! classes that ask. They follow the census and the nodes that come and go; a
//! pod costs one addition per tally that counts its class.

mod scope;
mod topology;

use rustc_hash::FxHashMap;

use scope::Included;
pub(super) use scope::Scope;
use topology::Topology;
pub(super) use topology::{Key, NOWHERE};

use crate::cluster::{Nodes, Slot};
use crate::workload::ClassId;

/// Where a tally tells nodes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Every slot by itself, labelled or not.
    Slot,
    /// The whole cluster.
    Cluster,
    /// Equal values of this key.
    Key(usize),
}

/// What a tally counts. Weights by class, ascending, none of them 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Counted {
    pub(super) place: Place,
    scope: usize,
    weights: Vec<(ClassId, i64)>,
}

/// The sums of one tally.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) counted: Counted,
    /// By domain.
    pub(super) sums: Vec<i64>,
    /// Over all domains.
    pub(super) total: i64,
    /// No sum was ever larger.
    pub(super) most: i64,
    /// The smallest sum, where a hard constraint asks for it.
    least: Option<Least>,
}

/// The smallest sum over the domains there are, and how many have it: found
/// anew only when the last of them is gone.
#[derive(Debug, Clone, Copy)]
struct Least {
    domains: usize,
    sum: i64,
    /// 0 where it is not known.
    count: u32,
}

/// How many nodes of a scope each domain of a key has: whether it is there.
#[derive(Debug, Clone)]
pub(super) struct Domains {
    key: usize,
    scope: usize,
    pub(super) nodes: Vec<u32>,
    /// Domains with nodes.
    pub(super) present: i64,
}

/// What a slot was when it was last read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Member {
    live: bool,
    listed: bool,
    traits: u32,
    name: String,
}

impl Member {
    fn is(&self, nodes: &Nodes, slot: usize) -> bool {
        self.live == nodes.live[slot]
            && (!self.live
                || self.listed == nodes.listed[slot]
                    && self.traits == nodes.traits[slot].0
                    && self.name == nodes.name(Slot(slot as u32)))
    }
}

/// All tallies.
#[derive(Debug, Clone, Default)]
pub(super) struct Tallies {
    topology: Topology,
    scopes: Vec<Included>,
    all: Vec<Tally>,
    domains: Vec<Domains>,
    ids: FxHashMap<Counted, usize>,
    /// Per class the tallies that count it, with its weight.
    by_class: Vec<Vec<(u32, i64)>>,
    members: Vec<Member>,
    census_at: u64,
    members_at: u64,
}

impl Tallies {
    pub(super) fn new(classes: usize) -> Self {
        Tallies {
            by_class: vec![Vec::new(); classes],
            census_at: u64::MAX,
            members_at: u64::MAX,
            ..Tallies::default()
        }
    }

    pub(super) fn key(&mut self, label: &str) -> usize {
        self.topology.key(label, false)
    }

    /// The key by which a node without the label lies where those of the empty
    /// value do.
    pub(super) fn key_or_empty(&mut self, label: &str) -> usize {
        self.topology.key(label, true)
    }

    pub(super) fn scope(&mut self, scope: Scope) -> usize {
        self.scopes.iter().position(|s| s.scope == scope).unwrap_or_else(|| {
            self.scopes.push(Included::new(scope));
            self.scopes.len() - 1
        })
    }

    /// The tally of these weights; 0 weights are left out.
    pub(super) fn tally(
        &mut self,
        place: Place,
        scope: usize,
        weights: impl Iterator<Item = (ClassId, i64)>,
    ) -> usize {
        let weights = weights.filter(|(_, weight)| *weight != 0).collect();
        let counted = Counted { place, scope, weights };
        if let Some(id) = self.ids.get(&counted) {
            return *id;
        }
        let id = self.all.len();
        for (class, weight) in &counted.weights {
            self.by_class[class.index()].push((id as u32, *weight));
        }
        self.ids.insert(counted.clone(), id);
        self.all.push(Tally { counted, sums: Vec::new(), total: 0, most: 0, least: None });
        id
    }

    /// The count of the domains of a key within a scope.
    pub(super) fn domains(&mut self, key: usize, scope: usize) -> usize {
        let same = |d: &Domains| d.key == key && d.scope == scope;
        self.domains.iter().position(same).unwrap_or_else(|| {
            self.domains.push(Domains { key, scope, nodes: Vec::new(), present: 0 });
            self.domains.len() - 1
        })
    }

    /// The smallest sum of the tally over these domains will be asked for.
    pub(super) fn follow_least(&mut self, tally: usize, domains: usize) {
        self.all[tally].least = Some(Least { domains, sum: 0, count: 0 });
    }

    /// Makes sure that the smallest sum is known.
    #[inline]
    pub(super) fn settle_least(&mut self, tally: usize) {
        if self.all[tally].least.is_some_and(|least| least.count == 0) {
            self.find_least(tally);
        }
    }

    fn find_least(&mut self, tally: usize) {
        let tally = &mut self.all[tally];
        let Some(least) = &mut tally.least else { return };
        let nodes = &self.domains[least.domains].nodes;
        if tally.sums.len() < nodes.len() {
            tally.sums.resize(nodes.len(), 0);
        }
        let there = || nodes.iter().zip(&tally.sums).filter(|(nodes, _)| **nodes > 0);
        least.sum = there().map(|(_, sum)| *sum).min().unwrap_or(0);
        least.count = there().filter(|(_, sum)| **sum == least.sum).count() as u32;
    }

    /// The smallest sum over the domains there are, as last settled; 0 without
    /// any.
    pub(super) fn least(&self, tally: usize) -> i64 {
        self.all[tally].least.map_or(0, |least| least.sum)
    }

    pub(super) fn get(&self, tally: usize) -> &Tally {
        &self.all[tally]
    }

    pub(super) fn get_domains(&self, domains: usize) -> &Domains {
        &self.domains[domains]
    }

    pub(super) fn get_key(&self, key: usize) -> &Key {
        &self.topology.keys[key]
    }

    /// The domain of a slot in a tally.
    pub(super) fn domain(&self, tally: usize, slot: usize) -> u32 {
        domain(&self.topology, self.all[tally].counted.place, slot)
    }

    /// Whether the slot lies in a domain of a tally.
    pub(super) fn has_domain(&self, tally: usize, slot: usize) -> bool {
        self.domain(tally, slot) != NOWHERE
    }

    /// The sum where the slot lies, 0 where it lies nowhere.
    pub(super) fn sum_at(&self, tally: usize, slot: usize) -> i64 {
        let domain = self.domain(tally, slot);
        self.all[tally].sums.get(domain as usize).copied().unwrap_or(0)
    }

    /// What a pod of the class on the slot adds to a tally.
    pub(super) fn weight_at(&self, tally: usize, slot: usize, class: ClassId) -> i64 {
        let counted = &self.all[tally].counted;
        let included = self.scopes[counted.scope].slots[slot];
        let at = counted.weights.binary_search_by_key(&class, |(class, _)| *class);
        at.map_or(0, |at| if included { counted.weights[at].1 } else { 0 })
    }

    /// Reads what changed.
    #[inline]
    pub(super) fn sync(&mut self, nodes: &Nodes) {
        if self.census_at != nodes.census.head() || self.members_at != nodes.members.head() {
            self.catch_up(nodes);
        }
    }

    fn catch_up(&mut self, nodes: &Nodes) {
        let changes = nodes.census.since(self.census_at);
        let members = nodes.members.since(self.members_at);
        match (changes, members) {
            (Some(changes), Some(members)) if members.len() <= nodes.slots() => {
                // Pods come and go on the nodes as they were; then nodes that
                // became others take all their pods along.
                for change in changes {
                    self.count(change.slot as usize, change.class, i64::from(change.by));
                }
                self.grow(nodes.slots());
                for slot in members {
                    self.reread(nodes, *slot as usize);
                }
            }
            _ => self.start_afresh(nodes),
        }
        self.census_at = nodes.census.head();
        self.members_at = nodes.members.head();
    }

    #[cold]
    fn start_afresh(&mut self, nodes: &Nodes) {
        for tally in &mut self.all {
            tally.sums.clear();
            tally.total = 0;
            if let Some(least) = &mut tally.least {
                least.count = 0;
            }
        }
        for domains in &mut self.domains {
            domains.nodes.clear();
            domains.present = 0;
        }
        for slot in 0..self.members.len() {
            self.topology.leave(slot);
            self.members[slot] = Member::default();
            self.scopes.iter_mut().for_each(|scope| scope.slots[slot] = false);
        }
        self.grow(nodes.slots());
        for slot in 0..nodes.slots() {
            self.reread(nodes, slot);
        }
    }

    fn grow(&mut self, slots: usize) {
        if self.members.len() < slots {
            self.members.resize(slots, Member::default());
            self.topology.grow(slots);
            for scope in &mut self.scopes {
                scope.slots.resize(slots, false);
            }
        }
    }

    /// The node of a slot may have become another one.
    fn reread(&mut self, nodes: &Nodes, slot: usize) {
        if self.members[slot].is(nodes, slot) {
            return;
        }
        self.count_all(nodes, slot, -1);
        self.topology.leave(slot);
        let member = &mut self.members[slot];
        member.live = nodes.live[slot];
        member.listed = nodes.listed[slot];
        member.traits = nodes.traits[slot].0;
        nodes.name(Slot(slot as u32)).clone_into(&mut member.name);
        if member.live {
            self.topology.enter(nodes, slot);
        }
        for scope in &mut self.scopes {
            scope.read(nodes, slot);
        }
        self.count_all(nodes, slot, 1);
    }

    /// Counts the node and all its pods, or takes them back.
    fn count_all(&mut self, nodes: &Nodes, slot: usize, by: i64) {
        for (class, pods) in nodes.census.on(Slot(slot as u32)) {
            self.count(slot, *class, by * i64::from(*pods));
        }
        let mut moved = false;
        for domains in &mut self.domains {
            let domain = self.topology.keys[domains.key].of[slot];
            if domain == NOWHERE || !self.scopes[domains.scope].slots[slot] {
                continue;
            }
            let domain = domain as usize;
            if domains.nodes.len() <= domain {
                domains.nodes.resize(domain + 1, 0);
            }
            let nodes = &mut domains.nodes[domain];
            let was = *nodes > 0;
            *nodes = nodes.wrapping_add_signed(by as i32);
            domains.present += i64::from(*nodes > 0) - i64::from(was);
            moved |= was != (*nodes > 0);
        }
        if moved {
            for least in self.all.iter_mut().filter_map(|tally| tally.least.as_mut()) {
                least.count = 0;
            }
        }
    }

    #[inline]
    fn count(&mut self, slot: usize, class: ClassId, by: i64) {
        for (tally, weight) in &self.by_class[class.index()] {
            let tally = &mut self.all[*tally as usize];
            let included = self.scopes[tally.counted.scope].slots.get(slot) == Some(&true);
            let domain = domain(&self.topology, tally.counted.place, slot);
            if !included || domain == NOWHERE {
                continue;
            }
            let domain = domain as usize;
            if tally.sums.len() <= domain {
                tally.sums.resize(domain + 1, 0);
            }
            let old = tally.sums[domain];
            let new = old + weight * by;
            tally.sums[domain] = new;
            tally.total += weight * by;
            tally.most = tally.most.max(new);
            if let Some(least) = tally.least.as_mut().filter(|least| least.count > 0) {
                // Pods are counted on nodes that are there.
                if old == least.sum {
                    least.count -= 1;
                }
                if new == least.sum {
                    least.count += 1;
                } else if new < least.sum {
                    (least.sum, least.count) = (new, 1);
                }
            }
        }
    }
}

#[inline]
fn domain(topology: &Topology, place: Place, slot: usize) -> u32 {
    match place {
        Place::Slot => slot as u32,
        Place::Cluster => 0,
        Place::Key(key) => topology.keys[key].of.get(slot).copied().unwrap_or(NOWHERE),
    }
}
