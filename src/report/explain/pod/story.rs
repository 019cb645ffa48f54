//! What the story of a pod consists of.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::explain::Head;

/// The story of a pod.
#[derive(Debug, Clone, Serialize)]
pub struct PodStory {
    #[serde(flatten)]
    pub(in crate::report::explain) head: Head,
    pub(in crate::report::explain) pod: Who,
    /// The first, then what replaced it.
    pub(in crate::report::explain) instances: Vec<InstanceStory>,
}

/// Who a pod is.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct Who {
    /// `workload/number`.
    pub(in crate::report::explain) name: String,
    /// Its name in the trace.
    pub(in crate::report::explain) trace_name: Option<String>,
    pub(in crate::report::explain) workload: String,
    pub(in crate::report::explain) namespace: String,
    pub(in crate::report::explain) kind: &'static str,
    pub(in crate::report::explain) requests: Vec<(String, String)>,
    pub(in crate::report::explain) node_selector: Vec<(String, String)>,
    pub(in crate::report::explain) tolerations: Vec<String>,
    pub(in crate::report::explain) priority: i32,
    pub(in crate::report::explain) on_interrupt: Option<String>,
}

/// One pod instance.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct InstanceStory {
    pub(in crate::report::explain) submitted: Moment,
    pub(in crate::report::explain) bound: Option<Moment>,
    pub(in crate::report::explain) running: Option<Moment>,
    pub(in crate::report::explain) ended: Moment,
    pub(in crate::report::explain) end: &'static str,
    /// Submitted to bound, or to its end if it never was.
    pub(in crate::report::explain) pending_s: f64,
    /// The part of it behind scheduling gates.
    pub(in crate::report::explain) gated_s: f64,
    pub(in crate::report::explain) attempts: u64,
    /// Node, or Fargate pod.
    pub(in crate::report::explain) place: Option<String>,
    pub(in crate::report::explain) events: Vec<Happening>,
    /// Events beyond those that are kept.
    pub(in crate::report::explain) events_left_out: u64,
    /// The first, the last that failed and the one that found a node.
    pub(in crate::report::explain) attempts_in_detail: Vec<Attempt>,
    pub(in crate::report::explain) fargate: Option<FargateStory>,
    /// For one that never found a node: what each kind of node lacks.
    pub(in crate::report::explain) never_fits: Vec<Lack>,
}

/// A time of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::report::explain) struct Moment {
    pub(in crate::report::explain) at_ms: i64,
    pub(in crate::report::explain) at: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::report::explain) struct Happening {
    #[serde(flatten)]
    pub(in crate::report::explain) when: Moment,
    /// What kind.
    pub(in crate::report::explain) event: &'static str,
    pub(in crate::report::explain) text: String,
}

/// An attempt as the plain evaluator sees it.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct Attempt {
    pub(in crate::report::explain) which: &'static str,
    #[serde(flatten)]
    pub(in crate::report::explain) when: Moment,
    /// As kube-scheduler words it; absent where a node was found.
    pub(in crate::report::explain) message: Option<String>,
    pub(in crate::report::explain) nodes: u32,
    pub(in crate::report::explain) nodes_booting: u32,
    /// Which of them it looked at, where not at all.
    pub(in crate::report::explain) sample: Option<SampleRow>,
    /// The node it was nominated for, where it was looked at alone.
    pub(in crate::report::explain) nominated_node: Option<String>,
    pub(in crate::report::explain) feasible: u32,
    /// A single feasible node is taken without a score.
    pub(in crate::report::explain) scored: bool,
    pub(in crate::report::explain) rejected: Vec<RejectedRow>,
    /// Nodes that share the highest score: one of them is drawn.
    pub(in crate::report::explain) ties: u32,
    pub(in crate::report::explain) best: Vec<Scored>,
    pub(in crate::report::explain) preemption: Option<PreemptionStory>,
    /// Every node that was looked at.
    pub(in crate::report::explain) every_node: Vec<NodeRow>,
}

/// The share of the nodes that an attempt looked at.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct SampleRow {
    pub(in crate::report::explain) examined: u32,
    /// The first of them.
    pub(in crate::report::explain) start: String,
    /// As many feasible ones are enough.
    pub(in crate::report::explain) enough: u32,
}

/// What preemption did for a pod that fitted nowhere.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct PreemptionStory {
    /// `nominated`, `waiting-for-victims`, `never` or `no-victims`.
    pub(in crate::report::explain) outcome: &'static str,
    pub(in crate::report::explain) nominated_node: Option<String>,
    pub(in crate::report::explain) victims: Vec<String>,
    /// Victims that a disruption budget would have kept.
    pub(in crate::report::explain) budget_violations: u32,
    /// Why it would help on no node.
    pub(in crate::report::explain) reasons: Vec<RejectedRow>,
}

/// What an attempt made of one node.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct NodeRow {
    pub(in crate::report::explain) node: String,
    /// The first filter that rejected it.
    pub(in crate::report::explain) filter: Option<&'static str>,
    pub(in crate::report::explain) reasons: Vec<String>,
    /// By plugin; empty where it was rejected or taken without a score.
    pub(in crate::report::explain) scores: BTreeMap<&'static str, i64>,
    pub(in crate::report::explain) total: Option<i64>,
}

#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct RejectedRow {
    pub(in crate::report::explain) filter: &'static str,
    pub(in crate::report::explain) reason: String,
    pub(in crate::report::explain) nodes: u32,
}

/// A feasible node with its scores, normalised and weighted.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct Scored {
    pub(in crate::report::explain) node: String,
    /// By plugin, in upstream order.
    #[serde(flatten, serialize_with = "as_map")]
    pub(in crate::report::explain) scores: Vec<(&'static str, i64)>,
    pub(in crate::report::explain) total: i64,
    pub(in crate::report::explain) drawn: bool,
}

fn as_map<S: serde::Serializer>(
    scores: &[(&'static str, i64)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(scores.iter().copied())
}

/// How Fargate sized and launched it.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct FargateStory {
    pub(in crate::report::explain) pool: String,
    /// The selectors of the profile.
    pub(in crate::report::explain) selectors: Vec<String>,
    /// What is asked for, part by part.
    pub(in crate::report::explain) need: Vec<(String, String, String)>,
    pub(in crate::report::explain) cpu: String,
    pub(in crate::report::explain) memory: String,
    /// What is billed; absent where no size holds it.
    pub(in crate::report::explain) billed: Option<String>,
    /// The largest size there is.
    pub(in crate::report::explain) largest: Option<String>,
    pub(in crate::report::explain) bucket_wait_s: f64,
    pub(in crate::report::explain) start_latency_s: Option<f64>,
    pub(in crate::report::explain) rejected: Option<&'static str>,
}

/// What an empty node of one kind lacks.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report::explain) struct Lack {
    pub(in crate::report::explain) pool: String,
    #[serde(rename = "type")]
    pub(in crate::report::explain) kind: String,
    /// Whether the pool may have nodes.
    pub(in crate::report::explain) can_have_nodes: bool,
    /// Absent where an empty node would hold the pod.
    pub(in crate::report::explain) filter: Option<&'static str>,
    pub(in crate::report::explain) reasons: Vec<String>,
    /// Free for pods on an empty node beside its DaemonSets.
    pub(in crate::report::explain) free_cpu: String,
    pub(in crate::report::explain) free_memory: String,
}
