//! Containers injected into pods: what a service mesh or an agent adds to the
//! requests of every pod that it joins.

use super::intern::PodShape;
use super::model::{Usage, WorkloadId};
use super::pod_match::PodMatch;
use crate::units::{Bytes, MilliCpu};

/// A container that joins pods. It runs beside theirs, as a regular or as a
/// restartable init container, so that its requests add to the sum of theirs
/// (kubernetes `pkg/api/v1/resource/helpers.go`, 1.31).
#[derive(Debug, Clone, PartialEq)]
pub struct Sidecar {
    /// Its name; what it costs is accounted under it.
    pub name: String,
    /// Requested cpu; `None` is an absent request.
    pub cpu: Option<MilliCpu>,
    /// Requested memory; `None` is an absent request.
    pub memory: Option<Bytes>,
    /// Mean usage, where known.
    pub usage: Usage,
    /// Which pods it joins.
    pub pods: Vec<PodMatch>,
}

impl Sidecar {
    /// Whether it joins pods of this workload and namespace.
    #[must_use]
    pub fn joins(&self, workload: &str, namespace: &str) -> bool {
        self.pods.iter().any(|p| p.matches(workload, namespace))
    }
}

/// A pod with the requests of the sidecars that join it.
#[must_use]
pub fn joined(sidecars: &[Sidecar], workload: &str, pod: &PodShape) -> PodShape {
    let mut pod = pod.clone();
    for sidecar in sidecars.iter().filter(|s| s.joins(workload, &pod.namespace)) {
        if let Some(cpu) = sidecar.cpu {
            pod.cpu = Some(MilliCpu(pod.cpu.unwrap_or_default().0 + cpu.0));
        }
        if let Some(memory) = sidecar.memory {
            pod.memory = Some(Bytes(pod.memory.unwrap_or_default().0 + memory.0));
        }
    }
    pod
}

/// A sidecar in the pods of a template: part of the requests of their class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injected {
    /// Under whose name it is accounted.
    pub workload: WorkloadId,
    /// Requested cpu; 0 where absent.
    pub cpu: MilliCpu,
    /// Requested memory; 0 where absent.
    pub memory: Bytes,
    /// Mean usage, where known.
    pub usage: Usage,
}
