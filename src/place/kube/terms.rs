//! What of a class's feasibility and scores other pods decide, as tallies.

use std::borrow::Cow;

use super::admission::NodeRule;
use super::plain::View;
use super::plugins::{all_keys_required, spread_constraints};
use super::profile::SchedulerProfile;
use super::tally::{Place, Scope, Tallies};
use crate::cluster::Nodes;
use crate::workload::constraints::{
    Constraints, HOSTNAME_LABEL, PodAffinityTerm, SpreadConstraint, Weighted,
};
use crate::workload::{ClassId, PodClass};

/// A constraint that counts pods by domains of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) tally: usize,
    pub(super) key: usize,
}

/// A `DoNotSchedule` constraint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hard {
    pub(super) term: Term,
    /// The domains there are.
    pub(super) domains: usize,
    pub(super) max_skew: i64,
    pub(super) min_domains: i64,
    /// 1 if the pod counts itself.
    pub(super) own: i64,
}

impl Hard {
    /// The most pods that a domain may hold already; `None` where no node
    /// counts, which upstream passes over.
    pub(super) fn limit(&self, tallies: &mut Tallies) -> Option<i64> {
        tallies.settle_least(self.term.tally);
        let present = tallies.get_domains(self.domains).present;
        let enough = present >= self.min_domains;
        let least = if enough { tallies.least(self.term.tally) } else { 0 };
        (present > 0).then_some(self.max_skew + least - self.own)
    }
}

/// Volumes that the class attaches to its node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Volumes {
    /// Volumes attached to the node.
    pub(super) tally: usize,
    wanted: i64,
}

impl Volumes {
    /// How many volumes may be there already; `None` where the node states no
    /// limit.
    pub(super) fn room(self, nodes: &Nodes, slot: usize) -> Option<i64> {
        let id = nodes.volume_limit?;
        let limit = nodes.alloc_extended[slot * nodes.extended_names() + id.index()];
        (limit != 0).then_some(limit - self.wanted)
    }
}

/// A `ScheduleAnyway` constraint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Soft {
    /// Where nodes may lack the keys, the domains are those of
    /// `Tallies::key_or_empty`.
    pub(super) term: Term,
    /// The key that says whether a node has the label: without it the
    /// constraint costs nothing.
    pub(super) label: usize,
    /// Counted on the node itself.
    pub(super) by_node: bool,
    pub(super) max_skew: i64,
}

/// All terms of a class. Where `is_empty`, nothing but the node itself
/// matters.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    /// Required affinity: all must be met.
    pub(super) affinity: Vec<Term>,
    /// The pod meets its own terms, so that it may be the first.
    pub(super) first_of_its_kind: bool,
    /// No pod of these in the domain: anti-affinity, its own and that of others.
    pub(super) avoid: Vec<Term>,
    /// No pod of these on the node: conflicting ports.
    pub(super) ports: Option<usize>,
    /// No pod of these anywhere: exclusive claims.
    pub(super) claims: Option<usize>,
    pub(super) volumes: Option<Volumes>,
    pub(super) hard: Vec<Hard>,
    pub(super) soft: Vec<Soft>,
    /// Nodes without all keys of `soft` are ignored.
    pub(super) soft_needs_keys: bool,
    /// Preferred terms, own and of others: one tally a key.
    pub(super) preferred: Vec<Term>,
}

impl Terms {
    /// Whether other pods have no say.
    pub(super) fn is_empty(&self) -> bool {
        self.affinity.is_empty()
            && self.avoid.is_empty()
            && self.ports.is_none()
            && self.claims.is_none()
            && self.volumes.is_none()
            && self.hard.is_empty()
            && self.soft.is_empty()
            && self.preferred.is_empty()
    }

    /// Whether they have a say in feasibility.
    pub(super) fn filters(&self) -> bool {
        !self.affinity.is_empty()
            || !self.avoid.is_empty()
            || self.ports.is_some()
            || self.claims.is_some()
            || self.volumes.is_some()
            || !self.hard.is_empty()
    }

    /// Whether the binding of another pod can make a node feasible.
    pub(super) fn awaits_bindings(&self) -> bool {
        !self.affinity.is_empty() || !self.hard.is_empty()
    }
}

/// Compiles the classes one after the other.
pub(super) struct Compiler<'a> {
    pub(super) view: View<'a>,
    pub(super) tallies: &'a mut Tallies,
}

impl<'a> Compiler<'a> {
    fn constraints(&self) -> impl Iterator<Item = (ClassId, &'a Constraints)> + use<'a> {
        self.view
            .classes
            .iter()
            .enumerate()
            .filter_map(|(id, class)| Some((ClassId(id as u32), class.constraints.as_deref()?)))
    }

    pub(super) fn compile(&mut self, class: &'a PodClass) -> Terms {
        let profile = self.view.profile(class);
        let Some(own) = class.constraints.as_deref() else { return Terms::default() };
        let mut terms = Terms::default();
        self.pod_affinity(own, &mut terms);
        if profile.weights.pod_affinity != 0 {
            self.preferences(own, profile, &mut terms);
        }
        self.node_conflicts(own, &mut terms);
        self.spreading(class, own, profile, &mut terms);
        terms
    }

    fn on_key(
        &mut self,
        label: &str,
        scope: Scope,
        weights: impl Iterator<Item = (ClassId, i64)>,
    ) -> Term {
        let key = self.tallies.key(label);
        let scope = self.tallies.scope(scope);
        Term { tally: self.tallies.tally(Place::Key(key), scope, weights), key }
    }

    fn pod_affinity(&mut self, own: &Constraints, terms: &mut Terms) {
        // A pod counts where it matches every term, not only the one.
        let all = |pod: &Constraints| {
            !own.affinity.is_empty() && own.affinity.iter().all(|term| term.matches(pod))
        };
        terms.first_of_its_kind = all(own);
        for term in &own.affinity {
            let weights = self.constraints().map(|(id, pod)| (id, i64::from(all(pod))));
            let term = self.on_key(&term.topology_key, Scope::default(), weights);
            terms.affinity.push(term);
        }
        for term in &own.anti_affinity {
            let weights = self.constraints().map(|(id, pod)| (id, i64::from(term.matches(pod))));
            let term = self.on_key(&term.topology_key, Scope::default(), weights);
            terms.avoid.push(term);
        }
        // Those of pods that are there already keep this one away.
        let keys = distinct(self.constraints().flat_map(|(_, pod)| {
            let away = pod.anti_affinity.iter().filter(|term| term.matches(own));
            away.map(|term| term.topology_key.as_str())
        }));
        for key in keys {
            let weights = self.constraints().map(|(id, pod)| {
                let away = |t: &&PodAffinityTerm| t.topology_key == key && t.matches(own);
                (id, pod.anti_affinity.iter().filter(away).count() as i64)
            });
            let term = self.on_key(key, Scope::default(), weights);
            terms.avoid.push(term);
        }
        terms.avoid.sort_by_key(|term| term.tally);
        terms.avoid.dedup_by_key(|term| term.tally);
    }

    /// Preferred terms, and symmetrically those of pods that are there, whose
    /// required affinity counts `hardPodAffinityWeight`.
    fn preferences(&mut self, own: &Constraints, profile: &SchedulerProfile, terms: &mut Terms) {
        let weigh = |pod: &Constraints, key: &str| -> i64 {
            let of = |list: &[Weighted<PodAffinityTerm>], other: &Constraints| -> i64 {
                list.iter()
                    .filter(|w| w.term.topology_key == key && w.term.matches(other))
                    .map(|w| w.weight)
                    .sum()
            };
            let required = pod
                .affinity
                .iter()
                .filter(|term| term.topology_key == key && term.matches(own))
                .count() as i64;
            of(&own.preferred_affinity, pod) - of(&own.preferred_anti_affinity, pod)
                + of(&pod.preferred_affinity, own)
                - of(&pod.preferred_anti_affinity, own)
                + profile.hard_pod_affinity_weight * required
        };
        let keys = distinct(self.constraints().flat_map(|(_, pod)| {
            let own = own.preferred_affinity.iter().chain(&own.preferred_anti_affinity);
            let theirs = pod.preferred_affinity.iter().chain(&pod.preferred_anti_affinity);
            own.chain(theirs)
                .map(|weighted| weighted.term.topology_key.as_str())
                .chain(pod.affinity.iter().map(|term| term.topology_key.as_str()))
        }));
        for key in keys {
            if self.constraints().all(|(_, pod)| weigh(pod, key) == 0) {
                continue;
            }
            let weights = self.constraints().map(|(id, pod)| (id, weigh(pod, key)));
            let term = self.on_key(key, Scope::default(), weights);
            terms.preferred.push(term);
        }
    }

    fn node_conflicts(&mut self, own: &Constraints, terms: &mut Terms) {
        if !own.host_ports.is_empty() {
            let conflicts = |pod: &Constraints| {
                own.host_ports.iter().any(|a| pod.host_ports.iter().any(|b| a.conflicts(b)))
            };
            let weights = self.constraints().map(|(id, pod)| (id, i64::from(conflicts(pod))));
            let scope = self.tallies.scope(Scope { unlisted: true, ..Scope::default() });
            terms.ports = Some(self.tallies.tally(Place::Slot, scope, weights));
        }
        if own.attached_volumes > 0 {
            let weights = self.constraints().map(|(id, pod)| (id, i64::from(pod.attached_volumes)));
            let scope = self.tallies.scope(Scope { unlisted: true, ..Scope::default() });
            let tally = self.tallies.tally(Place::Slot, scope, weights);
            terms.volumes = Some(Volumes { tally, wanted: i64::from(own.attached_volumes) });
        }
        if !own.exclusive_claims.is_empty() {
            let shares = |pod: &Constraints| {
                own.exclusive_claims.iter().any(|claim| pod.exclusive_claims.contains(claim))
            };
            let weights = self.constraints().map(|(id, pod)| (id, i64::from(shares(pod))));
            let scope = self.tallies.scope(Scope::default());
            terms.claims = Some(self.tallies.tally(Place::Cluster, scope, weights));
        }
    }

    fn spreading(
        &mut self,
        class: &PodClass,
        own: &Constraints,
        profile: &SchedulerProfile,
        terms: &mut Terms,
    ) {
        let view = self.view;
        terms.soft_needs_keys = all_keys_required(&view, class);
        let hard = spread_constraints(&view, class, true);
        let soft = spread_constraints(&view, class, false);
        let keys_of = |list: &[Cow<'_, SpreadConstraint>]| -> Vec<String> {
            let mut keys: Vec<String> = list.iter().map(|c| c.topology_key.clone()).collect();
            keys.sort();
            keys
        };
        let soft_keys = if terms.soft_needs_keys { keys_of(&soft) } else { Vec::new() };
        let hard_keys = keys_of(&hard);
        let scope_of = |c: &SpreadConstraint| Scope {
            unlisted: false,
            affinity: c.honor_affinity.then(|| NodeRule::of(class)).flatten(),
            tolerations: c.honor_taints.then(|| class.tolerations.clone()),
            keys: if c.hard { hard_keys.clone() } else { soft_keys.clone() },
        };
        for c in hard.iter().chain(&soft) {
            let counts = |pod: &Constraints| {
                pod.namespace == own.namespace
                    && !pod.terminating
                    && c.selector
                        .as_ref()
                        .is_some_and(|s| !s.requirements.is_empty() && s.matches(&pod.labels))
            };
            let weights = self.constraints().map(|(id, pod)| (id, i64::from(counts(pod))));
            if c.hard {
                let term = self.on_key(&c.topology_key, scope_of(c), weights);
                let scope = self.tallies.scope(scope_of(c));
                let domains = self.tallies.domains(term.key, scope);
                self.tallies.follow_least(term.tally, domains);
                terms.hard.push(Hard {
                    term,
                    domains,
                    max_skew: c.max_skew,
                    min_domains: c.min_domains,
                    own: i64::from(c.selector.as_ref().is_some_and(|s| s.matches(&own.labels))),
                });
            } else if profile.weights.topology_spread != 0 {
                let by_node = c.topology_key == HOSTNAME_LABEL;
                let label = self.tallies.key(&c.topology_key);
                let term = if by_node {
                    // Whatever the policies say, the node's own pods count.
                    let scope = self.tallies.scope(Scope { unlisted: true, ..Scope::default() });
                    Term { tally: self.tallies.tally(Place::Slot, scope, weights), key: label }
                } else if terms.soft_needs_keys {
                    self.on_key(&c.topology_key, scope_of(c), weights)
                } else {
                    let key = self.tallies.key_or_empty(&c.topology_key);
                    let scope = self.tallies.scope(scope_of(c));
                    Term { tally: self.tallies.tally(Place::Key(key), scope, weights), key }
                };
                terms.soft.push(Soft { term, label, by_node, max_skew: c.max_skew });
            }
        }
    }
}

fn distinct<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut keys: Vec<&str> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
