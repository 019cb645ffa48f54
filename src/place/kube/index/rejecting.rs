//! Which filters reject a class: the first of each node, as an attempt that
//! fails meets them.

use super::{Kind, ScoreIndex};
use crate::cluster::{Nodes, Slot};
use crate::place::kube::Rejectors;
use crate::place::kube::admission::Refusal;
use crate::place::kube::tally::Tallies;
use crate::place::kube::terms::Terms;
use crate::workload::ClassId;

impl ScoreIndex {
    /// Which filters reject the class, over all nodes: on each the first in
    /// upstream order. Nominations are not looked at. Costs nothing while
    /// nothing changes.
    pub fn rejecting(&mut self, nodes: &Nodes, class: ClassId) -> Rejectors {
        let at = self.kind_of[class.index()] as usize;
        let now = (nodes.ledger.head(), nodes.census.head());
        if let Some((ledger, census, known)) = self.kinds[at].rejectors
            && (ledger, census) == now
        {
            return known;
        }
        self.mirror.sync(nodes);
        self.tallies.sync(nodes);
        let kind = &mut self.kinds[at];
        kind.admissions.sync(nodes, &kind.class);
        let kind = &self.kinds[at];
        let mut rejectors = Rejectors::default();
        if kind.named.as_ref().is_some_and(Vec::is_empty) {
            // Its names exclude each other: no node is looked at.
            if nodes.live.contains(&true) {
                rejectors.insert("NodeAffinity");
            }
        } else {
            let limits: Vec<Option<i64>> =
                kind.terms.hard.iter().map(|hard| hard.limit(&mut self.tallies)).collect();
            for slot in (0..nodes.slots()).filter(|slot| nodes.live[*slot]) {
                if let Some(plugin) = first(nodes, kind, &self.tallies, &limits, slot) {
                    rejectors.insert(plugin);
                }
            }
        }
        self.kinds[at].rejectors = Some((now.0, now.1, rejectors));
        rejectors
    }
}

/// The first filter that rejects a node that is there.
fn first(
    nodes: &Nodes,
    kind: &Kind,
    tallies: &Tallies,
    limits: &[Option<i64>],
    slot: usize,
) -> Option<&'static str> {
    let at = Slot(slot as u32);
    if let Some(names) = &kind.named
        && names.binary_search_by(|name| name.as_str().cmp(nodes.name(at))).is_err()
    {
        return None;
    }
    let refusal = kind.admissions.get(slot, nodes.traits[slot].0).refusal;
    if !nodes.open[slot] {
        return Some("NodeUnschedulable");
    }
    match refusal {
        Some(Refusal::Unschedulable) => return Some("NodeUnschedulable"),
        Some(Refusal::Name) => return Some("NodeName"),
        Some(Refusal::Taint) => return Some("TaintToleration"),
        Some(Refusal::Affinity) => return Some("NodeAffinity"),
        Some(Refusal::VolumeZone) | None => {}
    }
    let terms = &kind.terms;
    if terms.ports.is_some_and(|ports| tallies.sum_at(ports, slot) > 0) {
        return Some("NodePorts");
    }
    if !nodes.fits(at, &kind.class.requests) {
        return Some("NodeResourcesFit");
    }
    if terms.claims.is_some_and(|claims| tallies.get(claims).total > 0) {
        return Some("VolumeRestrictions");
    }
    let full = |v: crate::place::kube::terms::Volumes| {
        v.room(nodes, slot).is_some_and(|room| tallies.sum_at(v.tally, slot) > room)
    };
    if terms.volumes.is_some_and(full) {
        return Some("NodeVolumeLimits");
    }
    if refusal.is_some() {
        return Some("VolumeZone");
    }
    let near = |tally: usize| tallies.sum_at(tally, slot);
    let spread = terms.hard.iter().zip(limits).all(|(hard, limit)| {
        tallies.has_domain(hard.term.tally, slot)
            && limit.is_none_or(|limit| near(hard.term.tally) <= limit)
    });
    if !spread {
        return Some("PodTopologySpread");
    }
    (!affinity_holds(terms, tallies, slot)).then_some("InterPodAffinity")
}

fn affinity_holds(terms: &Terms, tallies: &Tallies, slot: usize) -> bool {
    let near = |tally: usize| tallies.sum_at(tally, slot);
    let nobody = terms.affinity.iter().all(|term| tallies.get(term.tally).total == 0);
    let first = nobody && terms.first_of_its_kind;
    terms.avoid.iter().all(|term| near(term.tally) == 0)
        && terms
            .affinity
            .iter()
            .all(|term| tallies.has_domain(term.tally, slot) && (first || near(term.tally) > 0))
}
