//! One attempt for a class whose nodes are compared through other pods: the
//! feasible nodes, their totals, and the best.
//!
//! The base score of every slot is at hand. Filters that look at tallies thin
//! out the candidates, one loop per constraint; then each plugin adds its
//! normalised score. Where only a share of the nodes is scored, this happens in
//! stretches of the scheduler's order until enough are found.

use super::admission::{Admissions, Preference};
use super::mirror::Mirror;
use super::profile::{MAX_NODE_SCORE, PluginWeights};
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
    parts: Vec<f64>,
    table: Vec<i64>,
    seen: Vec<bool>,
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
            self.candidates.extend((0..slots as u32).filter(|slot| base(*slot as usize) >= 0));
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
            let stretch = order[from..to].iter();
            self.candidates.extend(stretch.filter(|slot| base(**slot as usize) >= 0));
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
    fn add_spread(&mut self, rules: &Rules<'_>) {
        const IGNORED: i64 = i64::MIN;
        let (terms, tallies) = (rules.terms, rules.tallies);
        if terms.soft.is_empty() {
            return;
        }
        let ignored = |slot: u32| {
            terms.soft_needs_keys
                && terms
                    .soft
                    .iter()
                    .any(|soft| tallies.get_key(soft.term.key).of[slot as usize] == NOWHERE)
        };
        let taking_part = self.slots.iter().filter(|slot| !ignored(**slot)).count();
        let mut sums = std::mem::take(&mut self.parts);
        sums.clear();
        sums.resize(self.slots.len(), 0.0);
        for soft in &terms.soft {
            let weight = (self.domains(soft, taking_part, rules, &ignored) as f64 + 2.0).ln();
            let key = tallies.get_key(soft.term.key);
            let counts = &tallies.get(soft.term.tally).sums;
            for (slot, sum) in self.slots.iter().zip(&mut sums) {
                let domain = key.of[*slot as usize];
                if domain == NOWHERE {
                    continue;
                }
                let at = if soft.by_node { *slot } else { domain };
                let count = counts.get(at as usize).copied().unwrap_or(0);
                *sum += count as f64 * weight + (soft.max_skew - 1) as f64;
            }
        }
        self.raws.clear();
        let slots = self.slots.iter().zip(&sums);
        self.raws.extend(slots.map(
            |(slot, sum)| {
                if ignored(*slot) { IGNORED } else { round(*sum) }
            },
        ));
        self.parts = sums;
        let raws = || self.raws.iter().copied().filter(|raw| *raw != IGNORED);
        let (min, max) = (raws().min().unwrap_or(0), raws().max().unwrap_or(0));
        let weight = rules.weights.topology_spread;
        for (raw, total) in self.raws.iter().zip(&mut self.totals) {
            if *raw != IGNORED {
                *total += weight
                    * if max == 0 {
                        MAX_NODE_SCORE
                    } else {
                        MAX_NODE_SCORE * (max + min - raw) / max
                    };
            }
        }
    }

    /// How many domains of a soft constraint the feasible nodes make.
    fn domains(
        &mut self,
        soft: &Soft,
        taking_part: usize,
        rules: &Rules<'_>,
        ignored: &impl Fn(u32) -> bool,
    ) -> usize {
        if soft.by_node {
            return taking_part;
        }
        let key = rules.tallies.get_key(soft.term.key);
        self.seen.clear();
        // The last one: without the label, which is a domain here.
        self.seen.resize(key.len() + 1, false);
        for slot in self.slots.iter().filter(|slot| !ignored(**slot)) {
            let domain = key.of[*slot as usize];
            let at = if domain == NOWHERE { key.len() } else { domain as usize };
            self.seen[at] = true;
        }
        self.seen.iter().filter(|seen| **seen).count()
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
        let span = (max - min) as f64;
        for (raw, total) in self.raws.iter().zip(&mut self.totals) {
            let share = (raw - min) as f64 / span;
            *total += rules.weights.pod_affinity * (MAX_NODE_SCORE as f64 * share) as i64;
        }
    }
}

/// `TaintToleration` and `NodeAffinity` of a group, weighted.
pub(super) fn preference_score(
    own: &Preference,
    most: &Preference,
    weights: &PluginWeights,
) -> i64 {
    let taints = if most.taints == 0 {
        MAX_NODE_SCORE
    } else {
        MAX_NODE_SCORE - MAX_NODE_SCORE * own.taints / most.taints
    };
    let affinity =
        if most.affinity == 0 { 0 } else { MAX_NODE_SCORE * own.affinity / most.affinity };
    weights.taint_toleration * taints + weights.node_affinity * affinity
}

/// Half away from zero, of what is not negative.
fn round(x: f64) -> i64 {
    let whole = x as i64;
    whole + i64::from(x - whole as f64 >= 0.5)
}

/// Takes out the candidates that a filter over other pods rejects.
fn filter(candidates: &mut Vec<u32>, rules: &Rules<'_>) {
    let (terms, tallies) = (rules.terms, rules.tallies);
    if !rules.taken.is_empty() {
        candidates.retain(|slot| rules.taken.binary_search(slot).is_err());
    }
    if !terms.filters() {
        return;
    }
    if terms.claims.is_some_and(|claims| tallies.get(claims).total > 0) {
        candidates.clear();
        return;
    }
    if let Some(ports) = terms.ports.map(|ports| tallies.get(ports)).filter(|t| t.total > 0) {
        candidates.retain(|slot| ports.sums.get(*slot as usize).is_none_or(|n| *n == 0));
    }
    if let Some(volumes) = terms.volumes {
        let attached = tallies.get(volumes.tally);
        candidates.retain(|slot| {
            let there = attached.sums.get(*slot as usize).copied().unwrap_or(0);
            volumes.room(rules.nodes, *slot as usize).is_none_or(|room| there <= room)
        });
    }
    for hard in &terms.hard {
        let lowest = lowest(tallies, hard, None);
        let limit = lowest.map_or(i64::MAX, |lowest| hard.max_skew + lowest - hard.own);
        let key = tallies.get_key(hard.term.key);
        let sums = &tallies.get(hard.term.tally).sums;
        candidates.retain(|slot| {
            let domain = key.of[*slot as usize];
            domain != NOWHERE && sums.get(domain as usize).copied().unwrap_or(0) <= limit
        });
    }
    for term in &terms.avoid {
        let tally = tallies.get(term.tally);
        if tally.total > 0 {
            let key = tallies.get_key(term.key);
            candidates.retain(|slot| {
                let domain = key.of[*slot as usize];
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
        candidates.retain(|slot| {
            let domain = key.of[*slot as usize];
            domain != NOWHERE && (first || sums.get(domain as usize).is_some_and(|n| *n > 0))
        });
    }
}

/// The fewest pods in a domain of a hard constraint, 0 where there are fewer
/// domains than it asks for; `None` where no node counts, which upstream
/// passes over. `more` pods are thought to be in one domain.
pub(super) fn lowest(tallies: &Tallies, hard: &Hard, more: Option<(u32, i64)>) -> Option<i64> {
    let domains = tallies.get_domains(hard.domains);
    if domains.present == 0 {
        return None;
    }
    if domains.present < hard.min_domains {
        return Some(0);
    }
    let sums = &tallies.get(hard.term.tally).sums;
    let counts = domains.nodes.iter().enumerate().filter(|(_, nodes)| **nodes > 0);
    counts
        .map(|(domain, _)| {
            let more = more.filter(|(at, _)| *at as usize == domain).map_or(0, |(_, by)| by);
            sums.get(domain).copied().unwrap_or(0) + more
        })
        .min()
}
