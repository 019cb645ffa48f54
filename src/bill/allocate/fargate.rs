//! Whose money a Fargate pod was: its workload's, with everything it cost.

use super::{Allocation, CPU, MEMORY, OTHER, Owner, Part};
use crate::bill::model::Resource;
use crate::bill::waterfall::Step;
use crate::observe::FargateRecord;
use crate::units::{Bytes, Money};
use crate::{Error, Result};

/// Clipped times of a Fargate pod, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct PodPhases {
    pub(in super::super) start: i64,
    pub(in super::super) running: i64,
    pub(in super::super) retention: i64,
}

impl Allocation<'_> {
    /// Whose Fargate pod it is, and the index of its pool.
    fn pod_owner(&self, pod: &FargateRecord) -> Result<(Owner, usize)> {
        let template = self.workloads.templates.get(pod.template.index()).ok_or_else(|| {
            Error::failed(format!("a Fargate pod has the unknown template {}", pod.template.0))
        })?;
        let pool = self.cluster.pools.len() + pod.pool as usize;
        Ok((Owner::Workload(template.workload, template.namespace), pool))
    }

    /// The compute cost of a Fargate pod.
    pub(in super::super) fn pod(
        &mut self,
        index: u32,
        phases: PodPhases,
        cost: [Money; 2],
    ) -> Result<()> {
        self.turn_to(Resource::Fargate(index));
        let pod = self.record.fargate[index as usize];
        let (owner, pool) = self.pod_owner(&pod)?;
        let spec = &self.cluster.fargate[pod.pool as usize];
        let size = spec.sizes[pod.size as usize];
        let template = &self.workloads.templates[pod.template.index()];
        let class = self.workloads.classes.get(template.class.index());
        if class.is_none() {
            let message = format!("a template has the unknown class {}", template.class.0);
            return Err(Error::failed(message));
        }
        let requests = self.workloads.own_requests(pod.template);
        let injected = self.workloads.injected(pod.template);
        for resource in [CPU, MEMORY] {
            let (size, request, sidecar, used) = if resource == CPU {
                (size.cpu.0, requests.0.0, spec.sidecar_cpu.0, pod.used_cpu)
            } else {
                let used = if pod.used_memory < 0 { -1 } else { Bytes(pod.used_memory).kib() };
                let [size, request, sidecar] =
                    [size.memory, requests.1, spec.sidecar_memory].map(Bytes::kib);
                (size, request, sidecar, used)
            };
            let request = request.clamp(0, size);
            let sidecar = sidecar.clamp(0, size - request);
            let (used, unknown) = if used < 0 { (0, request) } else { (used.min(request), 0) };
            self.parts.clear();
            let time = |ms: i64, amount: i64| i128::from(ms) * i128::from(amount);
            let repeated = pod.repeated_ms.clamp(0, phases.running);
            let kept = phases.running - repeated;
            self.push(time(phases.start, size), Step::Boot, owner);
            self.push(time(kept, used), Step::Used, owner);
            self.push(time(kept, unknown), Step::UsageUnknown, owner);
            let unused = request - used - unknown;
            self.push(time(kept, unused), Step::RequestedUnused, owner);
            self.push(time(repeated, request), Step::Repeated, owner);
            self.push(time(phases.running, sidecar), Step::DaemonSets, owner);
            let mut left = size - request - sidecar;
            for inside in injected {
                let amount = if resource == CPU { inside.cpu.0 } else { inside.memory.kib() };
                let amount = amount.clamp(0, left);
                left -= amount;
                let owner = Owner::Workload(inside.workload, template.namespace);
                self.push(time(phases.running, amount), Step::DaemonSets, owner);
            }
            self.push(time(phases.retention, size), Step::FargateRetention, owner);
            let rounding = time(phases.running, left);
            self.rounding[resource] += rounding;
            self.parts.push(Part { weight: rounding, step: Step::FargateRounding, owner });
            self.split(cost[resource], resource, pool)?;
        }
        Ok(())
    }

    /// Anything else a Fargate pod costs.
    pub(in super::super) fn pod_other(
        &mut self,
        index: u32,
        step: Step,
        amount: Money,
    ) -> Result<()> {
        self.turn_to(Resource::Fargate(index));
        let (owner, pool) = self.pod_owner(&self.record.fargate[index as usize])?;
        self.give(Part { weight: 0, step, owner }, amount, OTHER, pool)
    }
}
