//! One pod's story: who it is, what happened to it and when, and what the
//! scheduler saw in the attempts that matter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::super::Format;
use super::super::text;
use super::names::{not_there, pod_name, pod_of};
use super::{CellFacts, Head, blocks, fargate_size, json, pod_text};
use crate::Result;
use crate::observe::probe::{
    Candidate, Cause, Diagnosis, Failures, Follow, Instance, Launch, Reach, Rejected, Requeue,
    Room, Step,
};
use crate::observe::{NodeEnd, Place, PodEnd, RejectReason};
use crate::place::kube::NO_NODE_AVAILABLE;
use crate::units::{SimDuration, SimTime};
use crate::workload::pod_match::PodMatch;
use crate::workload::{OnInterrupt, TaintEffect, WorkloadId, WorkloadKind};

/// The story of a pod.
#[derive(Debug, Clone, Serialize)]
pub struct PodStory {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) pod: Who,
    /// The first, then what replaced it.
    pub(super) instances: Vec<InstanceStory>,
}

/// Who a pod is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Who {
    /// `workload/number`.
    pub(super) name: String,
    /// Its name in the trace.
    pub(super) trace_name: Option<String>,
    pub(super) workload: String,
    pub(super) namespace: String,
    pub(super) kind: &'static str,
    pub(super) requests: Vec<(String, String)>,
    pub(super) node_selector: Vec<(String, String)>,
    pub(super) tolerations: Vec<String>,
    pub(super) priority: i32,
    pub(super) on_interrupt: Option<String>,
}

/// One pod instance.
#[derive(Debug, Clone, Serialize)]
pub(super) struct InstanceStory {
    pub(super) submitted: Moment,
    pub(super) bound: Option<Moment>,
    pub(super) running: Option<Moment>,
    pub(super) ended: Moment,
    pub(super) end: &'static str,
    /// Submitted to bound, or to its end if it never was.
    pub(super) pending_s: f64,
    /// The part of it behind scheduling gates.
    pub(super) gated_s: f64,
    pub(super) attempts: u64,
    /// Node, or Fargate pod.
    pub(super) place: Option<String>,
    pub(super) events: Vec<Happening>,
    /// Events beyond those that are kept.
    pub(super) events_left_out: u64,
    /// The first, the last that failed and the one that found a node.
    pub(super) attempts_in_detail: Vec<Attempt>,
    pub(super) fargate: Option<FargateStory>,
    /// For one that never found a node: what each kind of node lacks.
    pub(super) never_fits: Vec<Lack>,
}

/// A time of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    pub(super) at_ms: i64,
    pub(super) at: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Happening {
    #[serde(flatten)]
    pub(super) when: Moment,
    /// What kind.
    pub(super) event: &'static str,
    pub(super) text: String,
}

/// An attempt as the plain evaluator sees it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Attempt {
    pub(super) which: &'static str,
    #[serde(flatten)]
    pub(super) when: Moment,
    /// As kube-scheduler words it; absent where a node was found.
    pub(super) message: Option<String>,
    pub(super) nodes: u32,
    pub(super) nodes_booting: u32,
    /// Which of them it looked at, where not at all.
    pub(super) sample: Option<SampleRow>,
    /// The node it was nominated for, where it was looked at alone.
    pub(super) nominated_node: Option<String>,
    pub(super) feasible: u32,
    /// A single feasible node is taken without a score.
    pub(super) scored: bool,
    pub(super) rejected: Vec<RejectedRow>,
    /// Nodes that share the highest score: one of them is drawn.
    pub(super) ties: u32,
    pub(super) best: Vec<Scored>,
    pub(super) preemption: Option<PreemptionStory>,
    /// Every node that was looked at.
    pub(super) every_node: Vec<NodeRow>,
}

/// The share of the nodes that an attempt looked at.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SampleRow {
    pub(super) examined: u32,
    /// The first of them.
    pub(super) start: String,
    /// As many feasible ones are enough.
    pub(super) enough: u32,
}

/// What preemption did for a pod that fitted nowhere.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PreemptionStory {
    /// `nominated`, `waiting-for-victims`, `never` or `no-victims`.
    pub(super) outcome: &'static str,
    pub(super) nominated_node: Option<String>,
    pub(super) victims: Vec<String>,
    /// Victims that a disruption budget would have kept.
    pub(super) budget_violations: u32,
    /// Why it would help on no node.
    pub(super) reasons: Vec<RejectedRow>,
}

/// What an attempt made of one node.
#[derive(Debug, Clone, Serialize)]
pub(super) struct NodeRow {
    pub(super) node: String,
    /// The first filter that rejected it.
    pub(super) filter: Option<&'static str>,
    pub(super) reasons: Vec<String>,
    /// By plugin; empty where it was rejected or taken without a score.
    pub(super) scores: BTreeMap<&'static str, i64>,
    pub(super) total: Option<i64>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct RejectedRow {
    pub(super) filter: &'static str,
    pub(super) reason: String,
    pub(super) nodes: u32,
}

/// A feasible node with its scores, normalised and weighted.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Scored {
    pub(super) node: String,
    /// By plugin, in upstream order.
    #[serde(flatten, serialize_with = "as_map")]
    pub(super) scores: Vec<(&'static str, i64)>,
    pub(super) total: i64,
    pub(super) drawn: bool,
}

fn as_map<S: serde::Serializer>(
    scores: &[(&'static str, i64)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(scores.iter().copied())
}

/// How Fargate sized and launched it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FargateStory {
    pub(super) pool: String,
    /// The selectors of the profile.
    pub(super) selectors: Vec<String>,
    /// What is asked for, part by part.
    pub(super) need: Vec<(String, String, String)>,
    pub(super) cpu: String,
    pub(super) memory: String,
    /// What is billed; absent where no size holds it.
    pub(super) billed: Option<String>,
    /// The largest size there is.
    pub(super) largest: Option<String>,
    pub(super) bucket_wait_s: f64,
    pub(super) start_latency_s: Option<f64>,
    pub(super) rejected: Option<&'static str>,
}

/// What an empty node of one kind lacks.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Lack {
    pub(super) pool: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Whether the pool may have nodes.
    pub(super) can_have_nodes: bool,
    /// Absent where an empty node would hold the pod.
    pub(super) filter: Option<&'static str>,
    pub(super) reasons: Vec<String>,
    /// Free for pods on an empty node beside its DaemonSets.
    pub(super) free_cpu: String,
    pub(super) free_memory: String,
}

/// Builds the story of the work that was followed.
///
/// # Errors
/// If the run had no such pod.
pub fn pod(cell: CellFacts<'_>, follow: &Follow, ordinal: u64) -> Result<PodStory> {
    let Some(first) = follow.instances.first() else {
        let counts = &cell.record.counts;
        let submitted = |w: WorkloadId| counts.get(w.index()).map_or(0, |counts| counts.submitted);
        return Err(not_there(cell.workloads, ordinal, follow.siblings, submitted));
    };
    let teller = Teller::new(cell);
    Ok(PodStory {
        head: cell.head(),
        pod: teller.who(ordinal, first),
        instances: follow
            .instances
            .iter()
            .enumerate()
            .map(|(i, instance)| teller.instance(instance, i > 0))
            .collect(),
    })
}

impl PodStory {
    /// As text in the format asked for.
    ///
    /// # Errors
    /// None in practice: where a writer to memory fails.
    pub fn show(&self, format: Format) -> Result<String> {
        match format {
            Format::Table => Ok(blocks::terminal(&pod_text::blocks(self))),
            Format::Markdown => Ok(blocks::markdown(&pod_text::blocks(self))),
            Format::Json => json(self),
            Format::Csv => pod_text::csv(self),
        }
    }
}

pub(super) struct Teller<'a> {
    pub(super) cell: CellFacts<'a>,
    /// Launch number of each node within its pool.
    nodes: Vec<u32>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(cell: CellFacts<'a>) -> Self {
        Teller { cell, nodes: cell.record.node_ordinals() }
    }
}

impl Teller<'_> {
    pub(super) fn who(&self, ordinal: u64, instance: &Instance) -> Who {
        let workloads = self.cell.workloads;
        let template = &workloads.templates[instance.template.index()];
        let info = &workloads.workloads[template.workload.index()];
        let class = &workloads.classes[template.class.index()];
        let name = pod_name(workloads, ordinal, instance.template);
        let requests = &class.requests;
        let mut asked = vec![
            ("cpu".to_owned(), requests.cpu.to_string()),
            ("memory".to_owned(), requests.memory.to_string()),
        ];
        for (id, amount) in &requests.extended {
            asked.push((text::name(&workloads.extended[id.index()]), amount.to_string()));
        }
        if let Some(constraints) = class.constraints.as_ref().filter(|c| c.attached_volumes > 0) {
            let count = constraints.attached_volumes.to_string();
            let zones = constraints.volume_zones.as_deref().map(|zones| zones.join(", "));
            let volumes = zones.map_or(count.clone(), |zones| format!("{count} in {zones}"));
            asked.push(("EBS volumes".to_owned(), volumes));
        }
        for sidecar in workloads.injected(instance.template) {
            let name = text::name(&workloads.workloads[sidecar.workload.index()].name);
            let (cpu, memory) = (sidecar.cpu, sidecar.memory);
            asked.push((format!("of it {name}"), format!("{cpu} and {memory}")));
        }
        let batch = info.kind == WorkloadKind::Batch;
        Who {
            name: name.name,
            trace_name: name.in_trace,
            workload: text::name(&info.name),
            namespace: text::name(&workloads.namespaces[template.namespace.index()]),
            kind: if batch { "batch" } else { "service" },
            requests: asked,
            node_selector: class
                .node_selector
                .iter()
                .map(|(k, v)| (text::name(k), text::name(v)))
                .collect(),
            tolerations: class.tolerations.iter().map(toleration).collect(),
            priority: class.priority,
            on_interrupt: batch.then(|| match template.on_interrupt {
                OnInterrupt::Restart => "restart".to_owned(),
                OnInterrupt::Resume => "resume".to_owned(),
                OnInterrupt::Checkpoint(every) => format!("checkpoint every {every}"),
            }),
        }
    }

    pub(super) fn moment(&self, at: SimTime) -> Moment {
        Moment { at_ms: at.ms(), at: self.cell.timestamp(at).unwrap_or_default() }
    }

    pub(super) fn node(&self, record: u32) -> String {
        let pool = self.cell.record.nodes[record as usize].pool;
        format!("{}/{}", self.cell.pool(pool.index()), self.nodes[record as usize])
    }

    /// A node with its type, zone and way of buying.
    pub(super) fn node_in_full(&self, record: u32) -> String {
        let node = &self.cell.record.nodes[record as usize];
        let cluster = self.cell.cluster;
        let how = match node.purchase {
            crate::cluster::Purchase::OnDemand => "On-Demand",
            crate::cluster::Purchase::Spot => "Spot",
        };
        format!(
            "{} ({}, {}, {how})",
            self.node(record),
            text::name(&cluster.shapes[node.shape.index()].name),
            text::name(&cluster.zones[node.zone.index()]),
        )
    }

    fn instance(&self, of: &Instance, replacement: bool) -> InstanceStory {
        let until = if of.bound == SimTime::NEVER { of.ended } else { of.bound };
        let life = self.cell.workloads.templates[of.template.index()].life;
        let gated = life.gated_for > SimDuration::ZERO && of.end != PodEnd::Rejected;
        let reached = |at: SimTime| (at < SimTime::NEVER).then(|| self.moment(at));
        let attempts = of.steps.iter().map(|step| match step {
            Step::Failed(failures) => failures.count,
            Step::Placed { .. } => 1,
            Step::ScaleUp { .. } => 0,
        });
        InstanceStory {
            submitted: self.moment(of.submitted),
            bound: reached(of.bound),
            running: reached(of.running),
            ended: self.moment(of.ended),
            end: of.end.name(),
            pending_s: (until - of.submitted).secs_f64(),
            gated_s: if gated { (of.ungated.min(until) - of.submitted).secs_f64() } else { 0.0 },
            attempts: attempts.sum(),
            place: match of.place {
                Place::Nowhere => None,
                Place::Node(record) => Some(self.node(record)),
                Place::Fargate(record) => Some(self.machine(record)),
            },
            events: self.events(of, replacement),
            events_left_out: of.left_out,
            attempts_in_detail: self.attempts(of),
            fargate: of.fargate.as_ref().map(|launch| self.fargate(of, launch)),
            never_fits: of.reach.iter().map(|reach| self.lack(reach)).collect(),
        }
    }

    pub(super) fn machine(&self, record: u32) -> String {
        let pool = self.cell.record.fargate[record as usize].pool as usize;
        let ordinal = self.cell.record.fargate_ordinals()[record as usize];
        format!("{}/{ordinal}", self.cell.pool(self.cell.cluster.pools.len() + pool))
    }

    fn events(&self, of: &Instance, replacement: bool) -> Vec<Happening> {
        let mut events = Vec::new();
        let mut say = |at: SimTime, event: &'static str, text: String| {
            events.push(Happening { when: self.moment(at), event, text });
        };
        let submitted = if replacement { "submitted again by its owner" } else { "submitted" };
        say(of.submitted, "submitted", submitted.to_owned());
        if of.end == PodEnd::Rejected {
            let why = of.rejected.map_or("no pool could ever hold it", RejectReason::text);
            let text = format!("rejected: {why}");
            say(of.submitted, "rejected", text);
            return events;
        }
        if let Some(launch) = &of.fargate {
            let wait = launch.admitted - of.submitted;
            if wait > SimDuration::ZERO {
                let text = format!("launch admitted by the bucket after {wait}");
                say(launch.admitted, "launch-admitted", text);
            }
        }
        if of.ungated < SimTime::NEVER {
            let held = of.ungated - of.submitted;
            let text = format!("its last scheduling gate was removed, after {held}");
            say(of.ungated, "ungated", text);
        }
        let mut tried = 0;
        for step in &of.steps {
            match step {
                Step::Failed(failures) => {
                    self.requeued(failures.first, &failures.cause, &mut say);
                    say(failures.first, "attempt-failed", failed(failures, tried + 1));
                    tried += failures.count;
                    if let Some(Room::Made { node, victims, .. }) = &failures.saw.room {
                        let names: Vec<String> =
                            victims.iter().take(4).map(|v| self.pod_by_ordinal(*v)).collect();
                        let more = match victims.len().saturating_sub(names.len()) {
                            0 => String::new(),
                            more => format!(" and {more} more"),
                        };
                        let text = format!(
                            "preempts {}{more} on {}, and is nominated for that node",
                            names.join(", "),
                            self.node(*node)
                        );
                        say(failures.last, "preempts", text);
                    }
                }
                Step::ScaleUp { at, pool, from, to } => {
                    let pool = self.cell.pool(pool.index());
                    let text =
                        format!("Cluster Autoscaler raises {pool} from {from} to {to} nodes");
                    say(*at, "scale-up", text);
                }
                Step::Placed { at, cause, node, .. } => {
                    self.launched(*node, of.submitted, *at, &mut say);
                    self.requeued(*at, cause, &mut say);
                    tried += 1;
                }
            }
        }
        self.bound(of, tried, &mut say);
        self.ended(of, &mut say);
        // In order of time; of one instant in the order told.
        events.sort_by_key(|e| e.when.at_ms);
        events
    }

    /// The pod went back to the queue.
    fn requeued(
        &self,
        tried: SimTime,
        requeue: &Requeue,
        say: &mut impl FnMut(SimTime, &'static str, String),
    ) {
        let why = match requeue.cause {
            Cause::Submitted | Cause::Ungated => return,
            Cause::NodeReady(node) => format!("node {} became Ready", self.node(node)),
            Cause::PodLeft(node) => format!("a pod left {}", self.node(node)),
            Cause::Leftover => "five minutes unschedulable".to_owned(),
            Cause::PodBound(node) => format!("a pod was bound to {}", self.node(node)),
        };
        let mut text = format!("back to the queue: {why}");
        if requeue.backoff_until > tried {
            // `SchedulerPopFromBackoffQ`, on from 1.33.
            text += "; out of its back-off by the idle scheduler";
        } else if requeue.backoff_until > requeue.at {
            let _ = write!(text, "; backs off for {}", requeue.backoff_until - requeue.at);
        } else if requeue.at < tried {
            let _ = write!(text, "; tried {} later", tried - requeue.at);
        }
        say(requeue.at, "requeued", text);
    }

    /// How the node came about, where that was while the pod waited.
    fn launched(
        &self,
        record: u32,
        from: SimTime,
        until: SimTime,
        say: &mut impl FnMut(SimTime, &'static str, String),
    ) {
        let node = &self.cell.record.nodes[record as usize];
        let name = self.node(record);
        let within = |at: SimTime| from <= at && at <= until && at > SimTime::ZERO;
        if within(node.requested) {
            say(node.requested, "node-requested", format!("node {name} asked for"));
        }
        if within(node.running) {
            say(node.running, "node-running", format!("node {name} runs"));
        }
        if within(node.ready) {
            say(node.ready, "node-ready", format!("node {name} is Ready"));
        }
    }

    pub(super) fn bound(
        &self,
        of: &Instance,
        attempt: u64,
        say: &mut impl FnMut(SimTime, &'static str, String),
    ) {
        match of.place {
            Place::Nowhere => return,
            Place::Node(record) => {
                let node = self.node_in_full(record);
                let text = match attempt {
                    // There from the start: no scheduler placed it.
                    0 => format!("bound to {node}"),
                    n => format!("attempt {n}: bound to {node}"),
                };
                say(of.bound, "bound", text);
            }
            Place::Fargate(record) => {
                let name = self.machine(record);
                say(of.bound, "bound", format!("machine ready: bound to {name}, billing begins"));
            }
        }
        if of.running < SimTime::NEVER {
            let start = of.running - of.bound;
            let text = if start > SimDuration::ZERO {
                format!("running, after {start} of image pull and start")
            } else {
                "running".to_owned()
            };
            say(of.running, "running", text);
        }
    }

    pub(super) fn ended(&self, of: &Instance, say: &mut impl FnMut(SimTime, &'static str, String)) {
        let node = match of.place {
            Place::Node(record) => Some(record),
            _ => None,
        };
        let why = node.map(|record| match self.cell.record.nodes[record as usize].end {
            NodeEnd::Reclaimed => format!("Spot takes {} back", self.node(record)),
            _ => format!("{} is drained", self.node(record)),
        });
        let why = why.unwrap_or_else(|| "its machine goes".to_owned());
        let text = match of.end {
            PodEnd::Finished if of.bound == SimTime::NEVER => {
                "deleted while it waited: its service scaled down".to_owned()
            }
            PodEnd::Finished if of.work_ms == i64::MAX => {
                "deleted: its service scaled down".to_owned()
            }
            PodEnd::Finished => "finished".to_owned(),
            PodEnd::Evicted => match of.preemptor {
                Some(by) => format!("evicted: preempted by {}", self.pod_by_ordinal(by)),
                None => format!("evicted: {why}"),
            },
            PodEnd::Interrupted => format!("interrupted: {why}"),
            PodEnd::Running => "the run ends while it runs".to_owned(),
            PodEnd::Starting => "the run ends while it starts".to_owned(),
            PodEnd::Pending => "the run ends while it waits".to_owned(),
            PodEnd::Rejected => return,
        };
        say(of.ended, of.end.name(), text);
    }

    /// The first attempt, the last that failed, and the one that found a
    /// node, each once.
    fn attempts(&self, of: &Instance) -> Vec<Attempt> {
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

    /// A pod by its workload and number.
    fn pod_by_ordinal(&self, ordinal: u64) -> String {
        pod_of(self.cell.workloads, ordinal)
    }

    pub(super) fn fargate(&self, of: &Instance, launch: &Launch) -> FargateStory {
        let spec = &self.cell.cluster.fargate[launch.pool as usize];
        let workloads = self.cell.workloads;
        let template = &workloads.templates[of.template.index()];
        let requests = &workloads.classes[template.class.index()].requests;
        let own = workloads.own_requests(of.template);
        let mut need = vec![("requests".to_owned(), own.0.to_string(), own.1.to_string())];
        for sidecar in workloads.injected(of.template) {
            let name = text::name(&workloads.workloads[sidecar.workload.index()].name);
            need.push((name, sidecar.cpu.to_string(), sidecar.memory.to_string()));
        }
        if spec.sidecar_cpu.0 > 0 || spec.sidecar_memory.0 > 0 {
            let (cpu, memory) = (spec.sidecar_cpu.to_string(), spec.sidecar_memory.to_string());
            need.push(("sidecars".to_owned(), cpu, memory));
        }
        if spec.overhead_memory.0 > 0 {
            need.push(("overhead".to_owned(), "0".to_owned(), spec.overhead_memory.to_string()));
        }
        let cpu = crate::units::MilliCpu(requests.cpu.0 + spec.sidecar_cpu.0);
        let memory =
            crate::units::Bytes(requests.memory.0 + spec.sidecar_memory.0 + spec.overhead_memory.0);
        let selector = |s: &PodMatch| {
            let mut parts = vec![format!("namespace {}", text::name(&s.namespace))];
            let label = |(k, v): &(String, String)| text::name(&format!("{k}={v}"));
            parts.extend(s.labels.iter().map(|l| format!("label {}", label(l))));
            if let (Some(workloads), true) = (&s.workloads, s.labels.is_empty()) {
                let names: Vec<String> = workloads.iter().map(|w| text::name(w)).collect();
                parts.push(format!("workload {}", names.join(" or ")));
            }
            parts.join(", ")
        };
        let size = |index: u32| spec.sizes.get(index as usize).map(|s| fargate_size(*s));
        let admitted = launch.admitted;
        let ready = launch.ready < SimTime::NEVER && admitted < SimTime::NEVER;
        FargateStory {
            pool: text::name(&spec.name),
            selectors: spec.selectors.iter().map(selector).collect(),
            need,
            cpu: cpu.to_string(),
            memory: memory.to_string(),
            billed: launch.size.and_then(size),
            largest: spec.sizes.iter().max_by_key(|s| (s.cpu, s.memory)).map(|s| fargate_size(*s)),
            bucket_wait_s: (admitted.min(of.ended) - of.submitted).secs_f64(),
            start_latency_s: ready.then(|| (launch.ready - admitted).secs_f64()),
            rejected: of.rejected.map(RejectReason::text),
        }
    }

    fn lack(&self, of: &Reach) -> Lack {
        let (filter, reasons) = of.rejected.clone().unzip();
        Lack {
            pool: self.cell.pool(of.pool.index()),
            kind: text::name(&self.cell.cluster.shapes[of.shape.index()].name),
            can_have_nodes: of.can_have_nodes,
            filter,
            reasons: reasons.unwrap_or_default().iter().map(|r| text::name(r)).collect(),
            free_cpu: crate::units::MilliCpu(of.free_cpu).to_string(),
            free_memory: crate::units::Bytes(of.free_memory).to_string(),
        }
    }
}

/// What became of attempts that failed alike, the first of them numbered.
fn failed(of: &Failures, first: u64) -> String {
    let message = message(&of.saw);
    if of.count == 1 {
        return format!("attempt {first} failed: {message}");
    }
    let mut causes: Vec<String> = Vec::new();
    match of.cause.cause {
        Cause::Submitted => causes.push("submission".to_owned()),
        Cause::Ungated => causes.push("the removal of its gates".to_owned()),
        _ => {}
    }
    let kinds = [
        "node became Ready",
        "pod left a node",
        "five minutes unschedulable",
        "pod bound to a node",
    ];
    for (times, what) in of.causes.iter().zip(kinds) {
        if *times > 0 {
            causes.push(format!("{times} × {what}"));
        }
    }
    format!(
        "attempts {first} to {} failed, the last at +{}: {message} Brought about by: {}",
        first + of.count - 1,
        of.last - SimTime::ZERO,
        causes.join(", ")
    )
}

/// What kube-scheduler says of a pod that fits nowhere (`framework/types.go`,
/// `FitError.Error`, and `preemption.go`, 1.31): reasons with their counts,
/// sorted as text.
fn message(saw: &Diagnosis) -> String {
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

fn toleration(of: &crate::workload::Toleration) -> String {
    let key = of.key.as_deref().unwrap_or("*");
    let value = of.value.as_ref().map(|v| format!("={v}")).unwrap_or_default();
    let effect = of.effect.map(|e| match e {
        TaintEffect::NoSchedule => ":NoSchedule",
        TaintEffect::PreferNoSchedule => ":PreferNoSchedule",
        TaintEffect::NoExecute => ":NoExecute",
    });
    text::name(&format!("{key}{value}{}", effect.unwrap_or_default()))
}
