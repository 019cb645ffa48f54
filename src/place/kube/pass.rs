//! One attempt for a class whose nodes are compared through other pods: the
//! feasible nodes, their totals, and the best.
//!
//! The base score of every slot is at hand. Filters that look at tallies thin
//! out the candidates, one loop per constraint; then each plugin adds its
//! normalised score. Where only a share of the nodes is scored, this happens in
//! stretches of the scheduler's order until enough are found.

use super::admission::{Admissions, Preference};
use super::mirror::Mirror;
use super::plugins::{
    node_affinity_score, pod_affinity_score, spread_cost, spread_score, spread_weight,
};
use super::profile::PluginWeights;
use super::score::reversed;
use super::tally::{NOWHERE, Tallies};
use super::terms::{Hard, Soft, Terms};

use crate::cluster::Nodes;

/// Nodes looked at in one go while sampling.
const STRETCH: usize = 256;

/// Which nodes are looked at, and until when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample<'a> {
    /// The scheduler's order.
    pub(super) order: &'a [u32],
    /// Where to start.
    pub(super) start: usize,
    /// Feasible nodes that are enough.
    pub(super) need: usize,
}

/// What decides apart from base scores.
pub(super) struct Rules<'a> {
    pub(super) nodes: &'a Nodes,
    pub(super) tallies: &'a Tallies,
    pub(super) terms: &'a Terms,
    pub(super) admissions: &'a Admissions,
    pub(super) mirror: &'a Mirror,
    pub(super) weights: &'a PluginWeights,
    /// Per hard constraint, the most pods that a domain may hold already.
    pub(super) limits: &'a [Option<i64>],
    /// Slots that nominations of other pods make infeasible, sorted.
    pub(super) taken: &'a [u32],
}

/// Buffers and result of a pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    /// Feasible slots, in the order in which they were looked at.
    pub(super) slots: Vec<u32>,
    /// Their totals, once scored.
    pub(super) totals: Vec<i64>,
    /// Nodes looked at.
    pub(super) examined: usize,
    raws: Vec<i64>,
    candidates: Vec<u32>,
    costs: Vec<f64>,
    table: Vec<i64>,
    seen: Vec<bool>,
    /// By feasible slot, the combination of domains it has.
    mixes: Vec<u32>,
    /// By combination, how many have it.
    times: Vec<u32>,
    /// Combinations there are, and the parts of each.
    met: Vec<u32>,
    parts: Vec<usize>,
}

impl Pass {
    /// Finds the feasible nodes. `base` gives the base score of a slot,
    /// negative where the node itself cannot take the pod.
    pub(super) fn find(
        &mut self,
        slots: usize,
        base: &impl Fn(usize) -> i64,
        rules: &Rules<'_>,
        sample: Option<Sample<'_>>,
    ) {
        self.slots.clear();
        let Some(Sample { order, start, need }) = sample else {
            self.candidates.clear();
            self.candidates.extend(0..slots as u32);
            keep(&mut self.candidates, |slot| base(slot as usize) >= 0);
            filter(&mut self.candidates, rules);
            std::mem::swap(&mut self.slots, &mut self.candidates);
            self.examined = slots;
            return;
        };
        let mut done = 0;
        while done < order.len() && self.slots.len() < need {
            let from = (start + done) % order.len();
            let to = (from + STRETCH).min(order.len()).min(from + order.len() - done);
            self.candidates.clear();
            self.candidates.extend_from_slice(&order[from..to]);
            keep(&mut self.candidates, |slot| base(slot as usize) >= 0);
            filter(&mut self.candidates, rules);
            if self.slots.len() + self.candidates.len() >= need {
                self.candidates.truncate(need - self.slots.len());
                let last = self.candidates.last().copied();
                let at = order[from..to].iter().position(|slot| Some(*slot) == last);
                done += at.map_or(0, |at| at + 1);
            } else {
                done += to - from;
            }
            self.slots.extend_from_slice(&self.candidates);
        }
        self.examined = done;
    }

    /// Scores the feasible nodes.
    pub(super) fn score(&mut self, base: &impl Fn(usize) -> i64, rules: &Rules<'_>) {
        self.totals.clear();
        self.totals.extend(self.slots.iter().map(|slot| base(*slot as usize)));
        self.add_preferences(rules);
        self.add_spread(rules);
        self.add_affinity(rules);
    }

    /// `TaintToleration` and `NodeAffinity`.
    fn add_preferences(&mut self, rules: &Rules<'_>) {
        let preferences = rules.admissions.preferences.as_slice();
        let group = |slot: u32| {
            let traits = rules.mirror.lines[slot as usize].traits;
            usize::from(rules.admissions.get(slot as usize, traits).group())
        };
        if let [only] = preferences {
            let score = preference_score(only, only, rules.weights);
            self.totals.iter_mut().for_each(|total| *total += score);
            return;
        }
        self.seen.clear();
        self.seen.resize(preferences.len(), false);
        for slot in &self.slots {
            self.seen[group(*slot)] = true;
        }
        let met = || preferences.iter().zip(&self.seen).filter(|(_, seen)| **seen).map(|(p, _)| p);
        let most = Preference {
            taints: met().map(|p| p.taints).max().unwrap_or(0),
            affinity: met().map(|p| p.affinity).max().unwrap_or(0),
        };
        self.table.clear();
        self.table.extend(preferences.iter().map(|p| preference_score(p, &most, rules.weights)));
        for (slot, total) in self.slots.iter().zip(&mut self.totals) {
            *total += self.table[group(*slot)];
        }
    }

    /// `PodTopologySpread` (`podtopologyspread/scoring.go`, 1.31).
    ///
    /// What a node costs depends on its domains, and on the pods on itself: of
    /// such combinations there are few, so they are scored instead of nodes.
    fn add_spread(&mut self, rules: &Rules<'_>) {
        let (terms, tallies) = (rules.terms, rules.tallies);
        if terms.soft.is_empty() {
            return;
        }
        let radix = |soft: &Soft| {
            let choices = if soft.by_node {
                usize::try_from(tallies.get(soft.term.tally).most).unwrap_or(usize::MAX)
            } else {
                tallies.get_key(soft.term.key).len()
            };
            // The last one: a node without the label.
            choices.saturating_add(2)
        };
        let combinations = terms.soft.iter().map(radix).try_fold(1usize, usize::checked_mul);
        match combinations {
            Some(all) if all <= 4_096 + 4 * self.slots.len() => {
                self.add_spread_by_combination(rules, &radix, all);
            }
            _ => self.add_spread_by_node(rules),
        }
    }

    fn add_spread_by_combination(
        &mut self,
        rules: &Rules<'_>,
        radix: &impl Fn(&Soft) -> usize,
        all: usize,
    ) {
        let (terms, tallies) = (rules.terms, rules.tallies);
        self.mixes.clear();
        self.mixes.resize(self.slots.len(), 0);
        for soft in &terms.soft {
            let radix = radix(soft);
            let last = radix as u32 - 1;
            let of = &tallies.get_key(soft.term.key).of;
            let label = &tallies.get_key(soft.label).of;
            let slots = self.slots.iter().zip(&mut self.mixes);
            if soft.by_node {
                let sums = &tallies.get(soft.term.tally).sums;
                for (slot, mix) in slots {
                    let count = sums.get(*slot as usize).copied().unwrap_or(0) as u32;
                    let labelled = label[*slot as usize] != NOWHERE;
                    *mix = *mix * radix as u32 + if labelled { count } else { last };
                }
            } else {
                for (slot, mix) in slots {
                    let labelled = label[*slot as usize] != NOWHERE;
                    *mix = *mix * radix as u32 + if labelled { of[*slot as usize] } else { last };
                }
            }
        }
        self.times.clear();
        self.times.resize(all, 0);
        for mix in &self.mixes {
            self.times[*mix as usize] += 1;
        }
        // The combinations there are, taken apart again.
        let width = terms.soft.len();
        self.met.clear();
        self.parts.clear();
        let mut taking_part = 0;
        for (mix, times) in self.times.iter().enumerate().filter(|(_, times)| **times > 0) {
            self.parts.resize(self.parts.len() + width, 0);
            let parts = self.parts.len() - width;
            let (mut rest, mut ignored) = (mix, false);
            for (at, soft) in terms.soft.iter().enumerate().rev() {
                let radix = radix(soft);
                self.parts[parts + at] = rest % radix;
                ignored |= terms.soft_needs_keys && rest % radix == radix - 1;
                rest /= radix;
            }
            if ignored {
                self.parts.truncate(parts);
            } else {
                taking_part += *times as usize;
                self.met.push(mix as u32);
            }
        }
        self.costs.clear();
        self.costs.resize(self.met.len(), 0.0);
        for (at, soft) in terms.soft.iter().enumerate() {
            let radix = radix(soft);
            let domains = if soft.by_node {
                taking_part
            } else {
                self.seen.clear();
                self.seen.resize(radix, false);
                self.parts.iter().skip(at).step_by(width).for_each(|part| self.seen[*part] = true);
                // Nodes without the label and those of the empty value are one
                // domain, though only these pay for it.
                let empty = tallies.get_key(soft.term.key).empty();
                let twice = self.seen[radix - 1] && empty.is_some_and(|at| self.seen[at as usize]);
                self.seen.iter().filter(|seen| **seen).count() - usize::from(twice)
            };
            let weight = spread_weight(domains);
            let sums = &tallies.get(soft.term.tally).sums;
            let parts = self.parts.iter().skip(at).step_by(width);
            for (part, cost) in parts.zip(&mut self.costs) {
                if *part == radix - 1 {
                    continue;
                }
                let count =
                    if soft.by_node { *part as i64 } else { sums.get(*part).copied().unwrap_or(0) };
                *cost += spread_cost(count, soft.max_skew, weight);
            }
        }
        let raws = || self.costs.iter().map(|cost| round(*cost));
        let (min, max) = (raws().min().unwrap_or(0), raws().max().unwrap_or(0));
        self.table.clear();
        self.table.resize(all, 0);
        for (mix, raw) in self.met.iter().zip(raws()) {
            self.table[*mix as usize] = rules.weights.topology_spread * spread_score(raw, min, max);
        }
        for (mix, total) in self.mixes.iter().zip(&mut self.totals) {
            *total += self.table[*mix as usize];
        }
    }

    /// The same node by node.
    fn add_spread_by_node(&mut self, rules: &Rules<'_>) {
        const IGNORED: i64 = i64::MIN;
        let (terms, tallies) = (rules.terms, rules.tallies);
        let ignored = |slot: u32| {
            terms.soft_needs_keys
                && terms
                    .soft
                    .iter()
                    .any(|soft| tallies.get_key(soft.label).of[slot as usize] == NOWHERE)
        };
        let taking_part = self.slots.iter().filter(|slot| !ignored(**slot)).count();
        self.costs.clear();
        self.costs.resize(self.slots.len(), 0.0);
        for soft in &terms.soft {
            let key = tallies.get_key(soft.term.key);
            let domains = if soft.by_node {
                taking_part
            } else {
                self.seen.clear();
                self.seen.resize(key.len(), false);
                for slot in self.slots.iter().filter(|slot| !ignored(**slot)) {
                    self.seen[key.of[*slot as usize] as usize] = true;
                }
                self.seen.iter().filter(|seen| **seen).count()
            };
            let weight = spread_weight(domains);
            let sums = &tallies.get(soft.term.tally).sums;
            for (slot, cost) in self.slots.iter().zip(&mut self.costs) {
                if tallies.get_key(soft.label).of[*slot as usize] == NOWHERE {
                    continue;
                }
                let at = if soft.by_node { *slot } else { key.of[*slot as usize] };
                let count = sums.get(at as usize).copied().unwrap_or(0);
                *cost += spread_cost(count, soft.max_skew, weight);
            }
        }
        self.raws.clear();
        let slots = self.slots.iter().zip(&self.costs);
        self.raws
            .extend(slots.map(|(slot, cost)| if ignored(*slot) { IGNORED } else { round(*cost) }));
        let raws = || self.raws.iter().copied().filter(|raw| *raw != IGNORED);
        let (min, max) = (raws().min().unwrap_or(0), raws().max().unwrap_or(0));
        for (raw, total) in self.raws.iter().zip(&mut self.totals) {
            if *raw != IGNORED {
                *total += rules.weights.topology_spread * spread_score(*raw, min, max);
            }
        }
    }

    /// `InterPodAffinity` (`interpodaffinity/scoring.go`, 1.31).
    fn add_affinity(&mut self, rules: &Rules<'_>) {
        let (terms, tallies) = (rules.terms, rules.tallies);
        if terms.preferred.is_empty() {
            return;
        }
        self.raws.clear();
        self.raws.resize(self.slots.len(), 0);
        for term in &terms.preferred {
            let key = tallies.get_key(term.key);
            let sums = &tallies.get(term.tally).sums;
            for (slot, raw) in self.slots.iter().zip(&mut self.raws) {
                let domain = key.of[*slot as usize];
                *raw += sums.get(domain as usize).copied().unwrap_or(0);
            }
        }
        let (min, max) = (self.raws.iter().min(), self.raws.iter().max());
        let (Some(min), Some(max)) = (min, max) else { return };
        if min == max {
            return;
        }
        let (min, max) = (*min, *max);
        for (raw, total) in self.raws.iter().zip(&mut self.totals) {
            *total += rules.weights.pod_affinity * pod_affinity_score(*raw, min, max);
        }
    }
}

/// `TaintToleration` and `NodeAffinity` of a group, weighted.
pub(super) fn preference_score(
    own: &Preference,
    most: &Preference,
    weights: &PluginWeights,
) -> i64 {
    weights.taint_toleration * reversed(own.taints, most.taints)
        + weights.node_affinity * node_affinity_score(own.affinity, most.affinity)
}

/// Half away from zero, of what is not negative.
fn round(x: f64) -> i64 {
    let whole = x as i64;
    whole + i64::from(x - whole as f64 >= 0.5)
}

/// Keeps what the test holds for. Whether it does is as good as random: no
/// branches.
#[inline]
fn keep(candidates: &mut Vec<u32>, holds: impl Fn(u32) -> bool) {
    let mut kept = 0;
    for at in 0..candidates.len() {
        let slot = candidates[at];
        candidates[kept] = slot;
        kept += usize::from(holds(slot));
    }
    candidates.truncate(kept);
}

/// Takes out the candidates that a filter over other pods rejects.
fn filter(candidates: &mut Vec<u32>, rules: &Rules<'_>) {
    let (terms, tallies) = (rules.terms, rules.tallies);
    if !rules.taken.is_empty() {
        keep(candidates, |slot| rules.taken.binary_search(&slot).is_err());
    }
    if !terms.filters() {
        return;
    }
    if terms.claims.is_some_and(|claims| tallies.get(claims).total > 0) {
        candidates.clear();
        return;
    }
    if let Some(ports) = terms.ports.map(|ports| tallies.get(ports)).filter(|t| t.total > 0) {
        keep(candidates, |slot| ports.sums.get(slot as usize).is_none_or(|n| *n == 0));
    }
    if let Some(volumes) = terms.volumes {
        let attached = tallies.get(volumes.tally);
        keep(candidates, |slot| {
            let there = attached.sums.get(slot as usize).copied().unwrap_or(0);
            volumes.room(rules.nodes, slot as usize).is_none_or(|room| there <= room)
        });
    }
    for (hard, limit) in terms.hard.iter().zip(rules.limits) {
        let limit = limit.unwrap_or(i64::MAX);
        let key = tallies.get_key(hard.term.key);
        let sums = &tallies.get(hard.term.tally).sums;
        keep(candidates, |slot| {
            let domain = key.of[slot as usize];
            domain != NOWHERE && sums.get(domain as usize).copied().unwrap_or(0) <= limit
        });
    }
    for term in &terms.avoid {
        let tally = tallies.get(term.tally);
        if tally.total > 0 {
            let key = tallies.get_key(term.key);
            keep(candidates, |slot| {
                let domain = key.of[slot as usize];
                tally.sums.get(domain as usize).is_none_or(|n| *n == 0)
            });
        }
    }
    // Without any such pod the first of its kind may go where the keys are.
    let nobody = terms.affinity.iter().all(|term| tallies.get(term.tally).total == 0);
    let first = nobody && terms.first_of_its_kind;
    for term in &terms.affinity {
        let key = tallies.get_key(term.key);
        let sums = &tallies.get(term.tally).sums;
        keep(candidates, |slot| {
            let domain = key.of[slot as usize];
            domain != NOWHERE && (first || sums.get(domain as usize).is_some_and(|n| *n > 0))
        });
    }
}

/// The fewest pods in a domain of a hard constraint with more pods in one of
/// them, 0 where there are fewer domains than it asks for; `None` where no node
/// counts.
pub(super) fn lowest_with(tallies: &Tallies, hard: &Hard, at: u32, more: i64) -> Option<i64> {
    let domains = tallies.get_domains(hard.domains);
    if domains.present < hard.min_domains.max(1) {
        return (domains.present > 0).then_some(0);
    }
    let sums = &tallies.get(hard.term.tally).sums;
    let counts = domains.nodes.iter().enumerate().filter(|(_, nodes)| **nodes > 0);
    counts
        .map(|(domain, _)| {
            let more = if at as usize == domain { more } else { 0 };
            sums.get(domain).copied().unwrap_or(0) + more
        })
        .min()
}
