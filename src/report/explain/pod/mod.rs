//! One pod's story: who it is, what happened to it and when, and what the
//! scheduler saw in the attempts that matter.

mod attempts;
mod events;
mod fargate;
mod story;
pub(super) mod text;

use super::super::Format;
use super::super::text::name as safe;
use super::names::{not_there, pod_name, pod_of};
use super::{CellFacts, blocks, json};
use crate::Result;
use crate::observe::probe::{Follow, Instance, Step};
use crate::observe::{Place, PodEnd};
use crate::units::{SimDuration, SimTime};
use crate::workload::{OnInterrupt, TaintEffect, WorkloadId, WorkloadKind};

pub use self::story::PodStory;
pub(super) use self::story::{FargateStory, Happening, InstanceStory, Moment, Who};

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
            Format::Table => Ok(blocks::terminal(&text::blocks(self))),
            Format::Markdown => Ok(blocks::markdown(&text::blocks(self))),
            Format::Json => json(self),
            Format::Csv => text::csv(self),
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
            asked.push((safe(&workloads.extended[id.index()]), amount.to_string()));
        }
        if let Some(constraints) = class.constraints.as_ref().filter(|c| c.attached_volumes > 0) {
            let count = constraints.attached_volumes.to_string();
            let zones = constraints.volume_zones.as_deref().map(|zones| zones.join(", "));
            let volumes = zones.map_or(count.clone(), |zones| format!("{count} in {zones}"));
            asked.push(("EBS volumes".to_owned(), volumes));
        }
        for sidecar in workloads.injected(instance.template) {
            let name = safe(&workloads.workloads[sidecar.workload.index()].name);
            let (cpu, memory) = (sidecar.cpu, sidecar.memory);
            asked.push((format!("of it {name}"), format!("{cpu} and {memory}")));
        }
        let batch = info.kind == WorkloadKind::Batch;
        Who {
            name: name.name,
            trace_name: name.in_trace,
            workload: safe(&info.name),
            namespace: safe(&workloads.namespaces[template.namespace.index()]),
            kind: if batch { "batch" } else { "service" },
            requests: asked,
            node_selector: class.node_selector.iter().map(|(k, v)| (safe(k), safe(v))).collect(),
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
            safe(&cluster.shapes[node.shape.index()].name),
            safe(&cluster.zones[node.zone.index()]),
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

    /// A pod by its workload and number.
    pub(super) fn pod_by_ordinal(&self, ordinal: u64) -> String {
        pod_of(self.cell.workloads, ordinal)
    }
}

fn toleration(of: &crate::workload::Toleration) -> String {
    let key = of.key.as_deref().unwrap_or("*");
    let value = of.value.as_ref().map(|v| format!("={v}")).unwrap_or_default();
    let effect = of.effect.map(|e| match e {
        TaintEffect::NoSchedule => ":NoSchedule",
        TaintEffect::PreferNoSchedule => ":PreferNoSchedule",
        TaintEffect::NoExecute => ":NoExecute",
    });
    safe(&format!("{key}{value}{}", effect.unwrap_or_default()))
}
