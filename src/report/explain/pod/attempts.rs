//! What the scheduler saw in the attempts that matter.

use super::Teller;
use super::story::{Attempt, NodeRow, PreemptionStory, RejectedRow, SampleRow, Scored};
use crate::observe::probe::{Candidate, Diagnosis, Instance, Rejected, Room, Step};
use crate::place::kube::NO_NODE_AVAILABLE;
use crate::report::text;
use crate::units::SimTime;

impl Teller<'_> {
    /// The first attempt, the last that failed, and the one that found a
    /// node, each once.
    pub(super) fn attempts(&self, of: &Instance) -> Vec<Attempt> {
        let failed = || {
            of.steps.iter().filter_map(|s| match s {
                Step::Failed(failures) => Some(failures),
                _ => None,
            })
        };
        let mut all = Vec::new();
        if let Some(first) = failed().next() {
            all.push(self.attempt("first", first.first, &first.saw, None));
        }
        if let Some(last) = failed().next_back()
            && failed().next().is_some_and(|first| first.first != last.last)
        {
            all.push(self.attempt("last-failed", last.last, &last.saw, None));
        }
        for step in &of.steps {
            if let Step::Placed { at, saw, node, .. } = step {
                all.push(self.attempt("bound", *at, saw, Some(*node)));
            }
        }
        all
    }

    fn attempt(
        &self,
        which: &'static str,
        at: SimTime,
        saw: &Diagnosis,
        node: Option<u32>,
    ) -> Attempt {
        let mut best = saw.best.clone();
        // The drawn one is shown whatever its place among equals.
        best.sort_by_key(|c| (std::cmp::Reverse(c.total), Some(c.node) != node, c.node));
        let scored = saw.feasible > 1;
        Attempt {
            which,
            when: self.moment(at),
            message: node.is_none().then(|| message(saw)),
            nodes: saw.nodes,
            nodes_booting: saw.booting,
            sample: saw.window.map(|window| SampleRow {
                examined: window.examined,
                start: self.node(window.start),
                enough: window.enough,
            }),
            nominated_node: saw.nominated.map(|node| self.node(node)),
            feasible: saw.feasible,
            scored,
            rejected: rejected_rows(&saw.rejected),
            ties: saw.ties,
            best: best
                .iter()
                .map(|c| Scored {
                    node: self.node(c.node),
                    scores: c.scores.clone(),
                    total: c.total,
                    drawn: Some(c.node) == node,
                })
                .collect(),
            preemption: node.is_none().then(|| self.preemption(saw)),
            every_node: self.every_node(saw, scored),
        }
    }

    fn every_node(&self, saw: &Diagnosis, scored: bool) -> Vec<NodeRow> {
        let of = |node: u32| saw.all.iter().find(|c| scored && c.node == node);
        let row = |judged: &crate::observe::probe::Judged| {
            let (filter, reasons) = judged.rejected.clone().unzip();
            let candidate: Option<&Candidate> = of(judged.node);
            NodeRow {
                node: self.node(judged.node),
                filter,
                reasons: reasons.unwrap_or_default().iter().map(|r| text::name(r)).collect(),
                scores: candidate.map(|c| c.scores.iter().copied().collect()).unwrap_or_default(),
                total: candidate.map(|c| c.total),
            }
        };
        saw.judged.iter().map(row).collect()
    }

    fn preemption(&self, saw: &Diagnosis) -> PreemptionStory {
        let story = |outcome, node: Option<u32>| PreemptionStory {
            outcome,
            nominated_node: node.map(|node| self.node(node)),
            victims: Vec::new(),
            budget_violations: 0,
            reasons: Vec::new(),
        };
        match &saw.room {
            Some(Room::Made { node, victims, violations }) => PreemptionStory {
                victims: victims.iter().map(|ordinal| self.pod_by_ordinal(*ordinal)).collect(),
                budget_violations: *violations,
                ..story("nominated", Some(*node))
            },
            Some(Room::Waits(node)) => story("waiting-for-victims", Some(*node)),
            Some(Room::Never) => story("never", None),
            None => PreemptionStory {
                reasons: rejected_rows(&saw.no_room),
                ..story("no-victims", None)
            },
        }
    }
}

/// What kube-scheduler says of a pod that fits nowhere (`framework/types.go`,
/// `FitError.Error`, and `preemption.go`, 1.31): reasons with their counts,
/// sorted as text.
pub(super) fn message(saw: &Diagnosis) -> String {
    if saw.nodes == 0 {
        // `ErrNoNodesAvailable`, which comes before any filter.
        return "no nodes available to schedule pods.".to_owned();
    }
    let why = reasons(saw.nodes, &saw.rejected);
    match &saw.room {
        None => format!("{why} preemption: {}", reasons(saw.nodes, &saw.no_room)),
        Some(Room::Never) => {
            format!("{why} preemption: not eligible due to preemptionPolicy=Never.")
        }
        Some(Room::Waits(_)) => format!(
            "{why} preemption: not eligible due to a terminating pod on the nominated node."
        ),
        Some(Room::Made { .. }) => why,
    }
}

fn reasons(nodes: u32, rejected: &[Rejected]) -> String {
    let mut reasons: Vec<String> =
        rejected.iter().map(|r| format!("{} {}", r.nodes, text::name(&r.reason))).collect();
    reasons.sort();
    let head = NO_NODE_AVAILABLE.replace("{}", &nodes.to_string());
    format!("{head}: {}.", reasons.join(", "))
}

fn rejected_rows(all: &[Rejected]) -> Vec<RejectedRow> {
    let row = |r: &Rejected| RejectedRow {
        filter: r.filter,
        reason: text::name(&r.reason),
        nodes: r.nodes,
    };
    all.iter().map(row).collect()
}
