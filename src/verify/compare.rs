//! Compares a replay with the record, decision by decision.

use std::collections::{BTreeMap, BTreeSet};

use super::replay::{Attempt, Replay, World};
use super::scenario::{Decision, Scenario};
use crate::cluster::Slot;
use crate::place::kube::{NodeVerdict, PluginScores};

/// How far a replay agrees with its record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Decisions replayed.
    pub decisions: u64,
    /// With an acceptable node, or none where none was recorded.
    pub agree: u64,
    /// With exactly the recorded feasible nodes.
    pub feasible_equal: u64,
    /// With two feasible nodes or more, which are those that were scored.
    pub scored: u64,
    /// Of these, with every total as recorded.
    pub scores_equal: u64,
    /// For which the scores of plugins were recorded.
    pub plugins: u64,
    /// Of these, with every score of every plugin as recorded.
    pub plugins_equal: u64,
    /// With every node rejected by the recorded filter.
    pub rejections_equal: u64,
    /// For which index and plain evaluator are not of one opinion.
    pub index_differs: u64,
    /// Pods placed in the record.
    pub scheduled: u64,
    /// Pods placed when the replay follows its own choices.
    pub free_run_scheduled: u64,
}

impl Counts {
    /// Adds another scenario.
    pub fn add(&mut self, other: &Counts) {
        self.decisions += other.decisions;
        self.agree += other.agree;
        self.feasible_equal += other.feasible_equal;
        self.scored += other.scored;
        self.scores_equal += other.scores_equal;
        self.plugins += other.plugins;
        self.plugins_equal += other.plugins_equal;
        self.rejections_equal += other.rejections_equal;
        self.index_differs += other.index_differs;
        self.scheduled += other.scheduled;
        self.free_run_scheduled += other.free_run_scheduled;
    }

    /// Whether nothing disagrees.
    #[must_use]
    pub fn is_perfect(&self) -> bool {
        self.agree == self.decisions
            && self.feasible_equal == self.decisions
            && self.scores_equal == self.scored
            && self.plugins_equal == self.plugins
            && self.rejections_equal == self.decisions
            && self.index_differs == 0
            && self.free_run_scheduled == self.scheduled
    }
}

/// One number that is not as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The pod, with its namespace; empty for a whole scenario.
    pub pod: String,
    /// The node, where it is about one.
    pub node: Option<String>,
    /// What disagrees: a plugin, `total`, `feasible`, `top`, `preemption`, …
    pub what: String,
    /// As recorded.
    pub expected: String,
    /// As found.
    pub actual: String,
}

/// Replays a scenario.
///
/// # Errors
/// When the record does not fit its input.
pub(super) fn replay(scenario: &Scenario) -> Result<(Counts, Vec<Disagreement>), String> {
    let world = World::new(scenario)?;
    let order = slots_of(&world, &scenario.expected.node_order)?;
    let decisions = &scenario.expected.decisions;
    let mut comparison = Comparison {
        world: &world,
        order: &order,
        counts: Counts::default(),
        found: Vec::new(),
        pod: String::new(),
    };
    let mut path = Replay::new(&world);
    for decision in decisions {
        let name = &decision.pod;
        let pod = world
            .pod(name)
            .ok_or_else(|| format!("the decision on `{name}` is about a pod that is not there"))?;
        let selected = decision.selected.as_ref().map(|node| {
            let slot = world.slots.get(node).copied();
            slot.ok_or_else(|| {
                format!("the decision on `{name}` selects `{node}`, which is no node")
            })
        });
        let selected = selected.transpose()?;
        let attempt = path.attempt(pod);
        name.clone_into(&mut comparison.pod);
        comparison.decision(decision, &attempt)?;
        for victim in decision.preemption.iter().flat_map(|p| &p.victims) {
            let victim = world.pod(victim).ok_or_else(|| {
                format!("the decision on `{name}` removes `{victim}`, which is not there")
            })?;
            path.remove(victim);
        }
        if let Some(slot) = selected {
            path.place(pod, slot);
            comparison.counts.scheduled += 1;
        }
    }
    let mut free = Replay::new(&world);
    for decision in decisions {
        // Every pod is there: the path above has looked.
        let Some(pod) = world.pod(&decision.pod) else { continue };
        let attempt = free.attempt(pod);
        let victims = attempt.preemption.iter().flat_map(|found| &found.victims);
        for victim in victims {
            free.remove(victim.pod);
        }
        let nominated = attempt.preemption.as_ref().map(|found| found.slot);
        if let Some(slot) = attempt.selected.or(nominated) {
            free.place(pod, slot);
            comparison.counts.free_run_scheduled += 1;
        }
    }
    comparison.free_run(scenario.expected.scheduled);
    Ok((comparison.counts, comparison.found))
}

/// The slots that the record's indices mean.
fn slots_of(world: &World, order: &[String]) -> Result<Vec<Slot>, String> {
    if order.is_empty() {
        return Ok((0..world.names.len() as u32).map(Slot).collect());
    }
    order
        .iter()
        .map(|name| {
            let slot = world.slots.get(name).copied();
            slot.ok_or_else(|| format!("`nodeOrder` names `{name}`, which is no node"))
        })
        .collect()
}

struct Comparison<'a> {
    world: &'a World,
    order: &'a [Slot],
    counts: Counts,
    found: Vec<Disagreement>,
    /// The pod in question.
    pod: String,
}

impl Comparison<'_> {
    fn report(
        &mut self,
        slot: Option<Slot>,
        what: &str,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        self.found.push(Disagreement {
            pod: self.pod.clone(),
            node: slot.map(|slot| self.world.names[slot.index()].clone()),
            what: what.to_owned(),
            expected: expected.into(),
            actual: actual.into(),
        });
    }

    fn decision(&mut self, decision: &Decision, attempt: &Attempt) -> Result<(), String> {
        self.counts.decisions += 1;
        self.index(attempt);
        self.counts.agree += u64::from(self.choice(decision, attempt)?);
        self.scores(decision, attempt)?;
        self.plugins(decision, attempt)?;
        self.counts.rejections_equal += u64::from(self.rejections(decision, attempt)?);
        Ok(())
    }

    /// The index against the plain evaluator.
    fn index(&mut self, attempt: &Attempt) {
        let totals = attempt.plain.totals();
        if totals == attempt.totals {
            return;
        }
        self.counts.index_differs += 1;
        for (i, (plain, index)) in totals.iter().zip(&attempt.totals).enumerate() {
            if plain != index {
                let slot = Some(Slot(i as u32));
                self.report(slot, "index against evaluator", shown(*plain), shown(*index));
            }
        }
    }

    fn choice(&mut self, decision: &Decision, attempt: &Attempt) -> Result<bool, String> {
        let top = self.slots(&decision.top)?;
        let names = |slots: &[Slot]| {
            let names = slots.iter().map(|slot| self.world.names[slot.index()].as_str());
            let names: Vec<&str> = names.collect();
            if names.is_empty() { "none".to_owned() } else { names.join(" ") }
        };
        let acceptable = match attempt.selected {
            Some(slot) => top.contains(&slot),
            None => top.is_empty(),
        };
        let mut agree = acceptable;
        if top != attempt.top {
            let (expected, actual) = (names(&top), names(&attempt.top));
            self.report(None, "top", expected, actual);
        }
        if !self.world.preemption && decision.preemption.is_none() {
            return Ok(agree);
        }
        let expected = decision.preemption.as_ref().map_or("none".to_owned(), |preemption| {
            format!("{}: {}", preemption.nominated_node, preemption.victims.join(" "))
        });
        let actual = attempt.preemption.as_ref().map_or("none".to_owned(), |found| {
            let pods = &self.world.pods;
            let mut victims: Vec<&str> =
                found.victims.iter().map(|v| pods[v.pod.0 as usize].name.as_str()).collect();
            victims.sort_unstable();
            format!("{}: {}", self.world.names[found.slot.index()], victims.join(" "))
        });
        if expected != actual {
            agree = false;
            self.report(None, "preemption", expected, actual);
        }
        Ok(agree)
    }

    /// Feasible nodes and totals.
    fn scores(&mut self, decision: &Decision, attempt: &Attempt) -> Result<(), String> {
        let count = attempt.totals.iter().flatten().count() as u64;
        let recorded = match &decision.scores {
            Some(scores) => Some(self.by_slot(scores, "scores")?),
            // With no or one feasible node there may be no scores.
            None => match self.slots(&decision.top)?.as_slice() {
                [] => Some(vec![None; attempt.totals.len()]),
                [only] if decision.feasible_count == Some(1) => {
                    let mut scores = vec![None; attempt.totals.len()];
                    scores[only.index()] = Some(-1);
                    Some(scores)
                }
                _ => None,
            },
        };
        let expected_count = decision
            .feasible_count
            .or_else(|| recorded.as_ref().map(|scores| scores.iter().flatten().count() as u64));
        let same_nodes = recorded.as_ref().is_none_or(|scores| {
            scores.iter().zip(&attempt.totals).all(|(a, b)| a.is_some() == b.is_some())
        });
        if same_nodes && expected_count.is_none_or(|expected| expected == count) {
            self.counts.feasible_equal += 1;
        } else if expected_count.is_some_and(|expected| expected != count) {
            let expected = expected_count.unwrap_or_default().to_string();
            self.report(None, "feasible", expected, count.to_string());
        }
        let scored = expected_count.unwrap_or(count) >= 2;
        self.counts.scored += u64::from(scored);
        let Some(recorded) = recorded else { return Ok(()) };
        self.counts.scores_equal += u64::from(scored && recorded == attempt.totals);
        for (i, (expected, actual)) in recorded.iter().zip(&attempt.totals).enumerate() {
            let differs =
                if scored { expected != actual } else { expected.is_some() != actual.is_some() };
            if differs {
                let slot = Some(Slot(i as u32));
                self.report(slot, "total", shown(*expected), shown(*actual));
            }
        }
        Ok(())
    }

    /// Scores plugin by plugin, where recorded.
    fn plugins(&mut self, decision: &Decision, attempt: &Attempt) -> Result<(), String> {
        let Some(recorded) = &decision.plugin_scores else { return Ok(()) };
        self.counts.plugins += 1;
        let before = self.found.len();
        let ours = PluginScores::default().by_plugin();
        let mut left: BTreeMap<&str, usize> =
            ours.into_iter().enumerate().map(|(at, (plugin, _))| (plugin, at)).collect();
        for (plugin, scores) in recorded {
            let expected = self.by_slot(scores, plugin)?;
            let at = left.remove(plugin.as_str());
            self.plugin(plugin, at, &expected, attempt);
        }
        // A plugin that was skipped gives every node nothing.
        for (plugin, at) in left {
            let nothing: Vec<Option<i64>> =
                attempt.totals.iter().map(|total| total.map(|_| 0)).collect();
            self.plugin(plugin, Some(at), &nothing, attempt);
        }
        self.counts.plugins_equal += u64::from(self.found.len() == before);
        Ok(())
    }

    /// One plugin; without a place among ours it is one that gives nothing.
    fn plugin(
        &mut self,
        plugin: &str,
        at: Option<usize>,
        expected: &[Option<i64>],
        attempt: &Attempt,
    ) {
        for (i, verdict) in attempt.plain.verdicts.iter().enumerate() {
            let actual = match verdict {
                NodeVerdict::Feasible(scores) => Some(at.map_or(0, |at| scores.by_plugin()[at].1)),
                _ => None,
            };
            let expected = expected.get(i).copied().flatten();
            if expected != actual {
                self.report(Some(Slot(i as u32)), plugin, shown(expected), shown(actual));
            }
        }
    }

    /// By which filter nodes were rejected: how many, and where recorded which.
    fn rejections(&mut self, decision: &Decision, attempt: &Attempt) -> Result<bool, String> {
        let mut actual: BTreeMap<&str, Vec<Slot>> = BTreeMap::new();
        for (i, verdict) in attempt.plain.verdicts.iter().enumerate() {
            if let NodeVerdict::Rejected(rejection) = verdict {
                actual.entry(rejection.plugin()).or_default().push(Slot(i as u32));
            }
        }
        let before = self.found.len();
        let recorded = decision.rejections.keys().map(String::as_str);
        let plugins: BTreeSet<&str> = actual.keys().copied().chain(recorded).collect();
        for plugin in plugins {
            let found = actual.get(plugin).map_or(&[][..], Vec::as_slice);
            let expected = decision.rejections.get(plugin).copied().unwrap_or(0);
            if expected != found.len() as u64 {
                let what = format!("rejected by {plugin}");
                self.report(None, &what, expected.to_string(), found.len().to_string());
            }
            let Some(recorded) = &decision.rejected_by else { continue };
            let expected = self.slots(recorded.get(plugin).map_or(&[][..], Vec::as_slice))?;
            let all = expected.iter().chain(found).copied().collect::<BTreeSet<_>>();
            for slot in all {
                let by = |there: bool| if there { plugin } else { "other" };
                let (wanted, got) = (expected.contains(&slot), found.contains(&slot));
                if wanted != got {
                    self.report(Some(slot), "rejected by", by(wanted), self.verdict(attempt, slot));
                }
            }
        }
        Ok(self.found.len() == before)
    }

    /// In words, with the reasons of a rejection.
    fn verdict(&self, attempt: &Attempt, slot: Slot) -> String {
        match &attempt.plain.verdicts[slot.index()] {
            NodeVerdict::Rejected(rejection) => {
                let reasons = rejection.reasons(&self.world.extended).join(", ");
                format!("{} ({reasons})", rejection.plugin())
            }
            NodeVerdict::Feasible(scores) => format!("none, total {}", scores.total()),
            NodeVerdict::Absent | NodeVerdict::NotNamed => "none".to_owned(),
        }
    }

    /// How many pods end up placed, against the record.
    fn free_run(&mut self, recorded: Option<u64>) {
        self.pod.clear();
        let expected = recorded.unwrap_or(self.counts.scheduled);
        if expected != self.counts.free_run_scheduled {
            let actual = self.counts.free_run_scheduled.to_string();
            self.report(None, "scheduled in a free run", expected.to_string(), actual);
        }
    }

    fn slots(&self, indices: &[usize]) -> Result<Vec<Slot>, String> {
        let mut slots = Vec::with_capacity(indices.len());
        for index in indices {
            slots.push(*self.order.get(*index).ok_or_else(|| {
                format!("the decision on `{}` has node {index}, of {}", self.pod, self.order.len())
            })?);
        }
        slots.sort_unstable();
        Ok(slots)
    }

    /// An array over `nodeOrder` as one over slots.
    fn by_slot(&self, values: &[Option<i64>], what: &str) -> Result<Vec<Option<i64>>, String> {
        if values.len() != self.order.len() {
            return Err(format!(
                "the decision on `{}` has {} numbers in `{what}` for {} nodes",
                self.pod,
                values.len(),
                self.order.len()
            ));
        }
        let mut by_slot = vec![None; self.world.names.len()];
        for (slot, value) in self.order.iter().zip(values) {
            by_slot[slot.index()] = *value;
        }
        Ok(by_slot)
    }
}

/// A total, or that there is none.
fn shown(score: Option<i64>) -> String {
    score.map_or("infeasible".to_owned(), |score| score.to_string())
}
