//! How Fargate sized and launched a pod, and what nodes lack for one that
//! nothing holds.

use super::Teller;
use super::story::{FargateStory, Lack};
use crate::observe::RejectReason;
use crate::observe::probe::{Instance, Launch, Reach};
use crate::report::explain::fargate_size;
use crate::report::text;
use crate::units::SimTime;
use crate::workload::pod_match::PodMatch;

impl Teller<'_> {
    pub(in crate::report::explain) fn fargate(
        &self,
        of: &Instance,
        launch: &Launch,
    ) -> FargateStory {
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

    pub(super) fn lack(&self, of: &Reach) -> Lack {
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
