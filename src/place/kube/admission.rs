//! What labels, taints and names mean to a class, worked out once per pair:
//! whether the class may go there, and the group of nodes that it scores
//! alike.

use super::fit::enters_unschedulable;
use super::score::untolerated_preferences;
use crate::cluster::{NodeTraits, Nodes, Slot, TraitsId, first_untolerated};
use crate::workload::constraints::{HOSTNAME_LABEL, NodeSelectorTerm, ZONE_LABEL};
use crate::workload::{PodClass, TaintEffect};

/// The only field that a node selector term may ask for.
const NAME_FIELD: &str = "metadata.name";

/// `nodeSelector` and required node affinity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct NodeRule {
    selector: Vec<(String, String)>,
    required: Option<Vec<NodeSelectorTerm>>,
}

impl NodeRule {
    /// The rule of a class, `None` where it has none.
    pub(super) fn of(class: &PodClass) -> Option<Self> {
        let required = class.constraints.as_ref().and_then(|c| c.required_nodes.clone());
        let rule = NodeRule { selector: class.node_selector.clone(), required };
        (!rule.selector.is_empty() || rule.required.is_some()).then_some(rule)
    }

    /// Whether the node satisfies it.
    pub(super) fn admits(&self, nodes: &Nodes, slot: Slot) -> bool {
        self.holds(&|key| nodes.label(slot, key), nodes.name(slot))
    }

    fn holds(&self, label: &Label<'_, '_>, name: &str) -> bool {
        self.selector.iter().all(|(k, v)| label(k) == Some(v.as_str()))
            && self
                .required
                .as_ref()
                .is_none_or(|terms| terms.iter().any(|term| term_holds(term, label, name)))
    }

    /// Whether nodes that differ in their name alone can differ.
    pub(super) fn looks_at_names(&self) -> bool {
        self.selector.iter().any(|(key, _)| key == HOSTNAME_LABEL)
            || self.required.iter().flatten().any(term_looks_at_names)
    }
}

/// The value of a label of a node.
type Label<'a, 'b> = dyn Fn(&str) -> Option<&'a str> + 'b;

/// Whether a node satisfies one term; one that states nothing matches none.
fn term_holds(term: &NodeSelectorTerm, label: &Label<'_, '_>, name: &str) -> bool {
    (!term.match_expressions.is_empty() || !term.match_fields.is_empty())
        && term.match_expressions.iter().all(|r| r.matches(label(&r.key)))
        && term.match_fields.iter().all(|r| r.matches((r.key == NAME_FIELD).then_some(name)))
}

fn term_looks_at_names(term: &NodeSelectorTerm) -> bool {
    !term.match_fields.is_empty() || term.match_expressions.iter().any(|r| r.key == HOSTNAME_LABEL)
}

/// What tells groups of nodes apart in the scores of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Preference {
    /// Untolerated `PreferNoSchedule` taints.
    pub(super) taints: i64,
    /// Weights of the preferred node affinity terms it satisfies.
    pub(super) affinity: i64,
}

/// The filter by which labels, taints or the name keep a class away: the
/// first in upstream order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Unschedulable,
    Name,
    Taint,
    Affinity,
    VolumeZone,
}

/// The answer for one (class, traits), or (class, node).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admission {
    /// Index into [`Admissions::preferences`], or [`Admission::REFUSED`].
    group: u16,
    /// Why the class may not go there.
    pub(super) refusal: Option<Refusal>,
    /// Whether such a node, when it appears, is worth another attempt.
    pub(super) quick: bool,
}

impl Admission {
    const REFUSED: u16 = u16::MAX;
    const NOTHING: Admission = Admission { group: Self::REFUSED, refusal: None, quick: false };

    /// Whether the class may go there.
    #[inline]
    pub(super) fn admits(self) -> bool {
        self.group != Self::REFUSED
    }

    /// The score group of such nodes; no group's number where the class may
    /// not go.
    #[inline]
    pub(super) fn group(self) -> u16 {
        self.group
    }
}

/// All answers for one class. Traits are interned and never change, so answers
/// by traits are never out of date; those that depend on the name of the node
/// are kept by slot and follow the nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Admissions {
    by_traits: Vec<Admission>,
    by_slot: Vec<Admission>,
    /// Answers are by slot.
    names: bool,
    members_at: u64,
    /// Distinct preferences met so far: one group of nodes each.
    pub(super) preferences: Vec<Preference>,
}

impl Admissions {
    pub(super) fn new(class: &PodClass) -> Self {
        let names = NodeRule::of(class).is_some_and(|rule| rule.looks_at_names())
            || class.constraints.as_ref().is_some_and(|c| {
                c.node_name.is_some()
                    || c.preferred_nodes.iter().any(|w| term_looks_at_names(&w.term))
            });
        Admissions { names, members_at: u64::MAX, ..Admissions::default() }
    }

    /// Whether nodes of equal labels and taints can differ.
    #[inline]
    pub(super) fn by_name(&self) -> bool {
        self.names
    }

    /// Works out what appeared since the last call.
    #[inline]
    pub(super) fn sync(&mut self, nodes: &Nodes, class: &PodClass) {
        if self.names {
            self.follow(nodes, class);
        } else if self.by_traits.len() < nodes.traits_len() {
            self.extend(nodes, class);
        }
    }

    #[cold]
    fn extend(&mut self, nodes: &Nodes, class: &PodClass) {
        for id in self.by_traits.len()..nodes.traits_len() {
            let traits = nodes.traits_of(TraitsId(id as u32));
            // No name matters to the class.
            let answer = Answer::of(class, traits, &|key| traits.label(key), "");
            let admission = self.admission(&answer);
            self.by_traits.push(admission);
        }
    }

    /// The answers by slot.
    fn follow(&mut self, nodes: &Nodes, class: &PodClass) {
        if self.members_at == nodes.members.head() {
            return;
        }
        let changed = nodes.members.since(self.members_at).map(<[u32]>::to_vec);
        let changed = changed.filter(|slots| slots.len() < nodes.slots());
        self.by_slot.resize(nodes.slots(), Admission::NOTHING);
        let all = || (0..nodes.slots() as u32).collect();
        for slot in changed.unwrap_or_else(all) {
            self.by_slot[slot as usize] = self.of_slot(nodes, class, Slot(slot));
        }
        self.members_at = nodes.members.head();
    }

    fn of_slot(&mut self, nodes: &Nodes, class: &PodClass, slot: Slot) -> Admission {
        if !nodes.live[slot.index()] {
            return Admission::NOTHING;
        }
        let traits = nodes.traits_of(nodes.traits[slot.index()]);
        let label = |key: &str| nodes.label(slot, key);
        let answer = Answer::of(class, traits, &label, nodes.name(slot));
        self.admission(&answer)
    }

    fn admission(&mut self, answer: &Answer) -> Admission {
        let Answer { refusal, quick, preference } = *answer;
        if refusal.is_some() {
            return Admission { group: Admission::REFUSED, refusal, quick };
        }
        let at = self.preferences.iter().position(|p| *p == preference).unwrap_or_else(|| {
            self.preferences.push(preference);
            self.preferences.len() - 1
        });
        Admission { group: at as u16, refusal, quick }
    }

    #[inline]
    pub(super) fn get(&self, slot: usize, traits: u32) -> Admission {
        if self.names { self.by_slot[slot] } else { self.by_traits[traits as usize] }
    }

    /// The answer for traits, where names do not matter.
    #[inline]
    pub(super) fn of_traits(&self, traits: u32) -> Admission {
        self.by_traits[traits as usize]
    }
}

/// What labels, taints and name say.
struct Answer {
    refusal: Option<Refusal>,
    quick: bool,
    preference: Preference,
}

impl Answer {
    fn of(class: &PodClass, traits: &NodeTraits, label: &Label<'_, '_>, name: &str) -> Self {
        let constraints = class.constraints.as_deref();
        let named = constraints.and_then(|c| c.node_name.as_ref()).is_none_or(|n| n == name);
        let affine = NodeRule::of(class).is_none_or(|rule| rule.holds(label, name));
        let zones = constraints.and_then(|c| c.volume_zones.as_ref());
        let near_volumes = zones.is_none_or(|zones| {
            label(ZONE_LABEL).is_none_or(|zone| zones.iter().any(|z| z == zone))
        });
        let preferred = constraints.into_iter().flat_map(|c| &c.preferred_nodes);
        let preferred = preferred.filter(|w| term_holds(&w.term, label, name));
        let preference = Preference {
            taints: untolerated_preferences(traits, class),
            affinity: preferred.map(|w| w.weight).sum(),
        };
        let enters = !traits.unschedulable || enters_unschedulable(class);
        let untainted = first_untolerated(traits, class).is_none();
        let refusal = [
            (enters, Refusal::Unschedulable),
            (named, Refusal::Name),
            (untainted, Refusal::Taint),
            (affine, Refusal::Affinity),
            (near_volumes, Refusal::VolumeZone),
        ];
        Answer {
            refusal: refusal.iter().find(|(passes, _)| !passes).map(|(_, refusal)| *refusal),
            quick: named && affine && keeps_no_schedule(traits, class),
            preference,
        }
    }
}

/// The part of the quick check on a node that appeared or changed that looks
/// at taints: `NoSchedule` only (`eventhandlers.go`, `preCheckForNode`, 1.31).
fn keeps_no_schedule(traits: &NodeTraits, class: &PodClass) -> bool {
    traits
        .taints
        .iter()
        .filter(|t| t.effect == TaintEffect::NoSchedule)
        .all(|taint| class.tolerations.iter().any(|t| t.tolerates(taint)))
}
