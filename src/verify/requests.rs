//! What a recorded pod requests (`pkg/api/v1/resource/helpers.go`,
//! `pkg/scheduler/util/pod_resources.go`, `framework/types.go`, 1.31).

use super::objects::{Container, PodSpec};
use crate::kubernetes::Quantities;
use crate::units::{Bytes, MilliCpu, parse_cpu, parse_memory};
use crate::workload::{ExtendedId, NONZERO_CPU, NONZERO_MEMORY, Requests};

/// Whether the scheduler counts the resource besides cpu, memory and pods
/// (`ephemeral-storage` and what `IsScalarResourceName` accepts).
pub(super) fn is_counted(name: &str) -> bool {
    name == "ephemeral-storage"
        || name.contains('/')
        || name.starts_with("hugepages-")
        || name.starts_with("attachable-volumes-")
}

/// An amount as an integer: milli-cores, bytes, units.
///
/// # Errors
/// When the quantity is none.
pub(super) fn amount(quantities: &Quantities, name: &str) -> Result<Option<i64>, String> {
    let Some(quantity) = quantities.get(name) else { return Ok(None) };
    let parsed = if name == "cpu" {
        parse_cpu(&quantity.0).map(|n| n.0)
    } else {
        parse_memory(&quantity.0).map(|n| n.0)
    };
    parsed.map(Some).map_err(|e| format!("{name} `{}`: {e}", quantity.0))
}

/// One resource of a pod's containers.
struct Of {
    containers: Vec<Option<i64>>,
    /// With whether it restarts always.
    init: Vec<(Option<i64>, bool)>,
    overhead: i64,
}

impl Of {
    fn read(spec: &PodSpec, name: &str) -> Result<Self, String> {
        let of = |container: &Container| amount(&container.resources.requests, name);
        Ok(Of {
            containers: spec.containers.iter().map(of).collect::<Result<_, _>>()?,
            init: spec
                .init_containers
                .iter()
                .map(|c| Ok((of(c)?, c.restart_policy == "Always")))
                .collect::<Result<_, String>>()?,
            overhead: amount(&spec.overhead, name)?.unwrap_or(0),
        })
    }

    /// What the pod as a whole requests, `absent` where a container states
    /// nothing: sidecars run beside the containers, other init containers
    /// before them.
    fn effective(&self, absent: i64) -> i64 {
        let mut app: i64 = self.containers.iter().map(|n| n.unwrap_or(absent)).sum();
        let (mut sidecars, mut peak) = (0, 0);
        for (request, always) in &self.init {
            let request = request.unwrap_or(absent);
            if *always {
                app += request;
                sidecars += request;
                peak = peak.max(sidecars);
            } else {
                peak = peak.max(sidecars + request);
            }
        }
        app.max(peak) + self.overhead
    }

    /// What a node counts for its score: the same, but sidecars only raise the
    /// peak, and a default stands for containers that together state nothing.
    fn on_node(&self, absent: i64) -> i64 {
        let app: i64 = self.containers.iter().map(|n| n.unwrap_or(absent)).sum();
        let (mut sidecars, mut peak) = (None, 0);
        for (request, always) in &self.init {
            let together = match (sidecars, *request) {
                (None, None) => None,
                (a, b) => Some(a.unwrap_or(0) + b.unwrap_or(0)),
            };
            if *always {
                sidecars = together;
            }
            peak = peak.max(together.unwrap_or(absent));
        }
        app.max(peak) + self.overhead
    }
}

/// What the pod requests, and what a node counts of it where that differs.
/// `extended` are the resources besides cpu and memory, by id.
///
/// # Errors
/// When a quantity is none.
pub(super) fn requests(
    spec: &PodSpec,
    extended: &[String],
) -> Result<(Requests, Option<Box<Requests>>), String> {
    let (cpu, memory) = (Of::read(spec, "cpu")?, Of::read(spec, "memory")?);
    let mut others = Vec::new();
    for (id, name) in extended.iter().enumerate() {
        let total = Of::read(spec, name)?.effective(0);
        if total > 0 {
            others.push((ExtendedId(id as u32), total));
        }
    }
    let requests = Requests {
        cpu: MilliCpu(cpu.effective(0)),
        memory: Bytes(memory.effective(0)),
        nonzero_cpu: MilliCpu(cpu.effective(NONZERO_CPU.0)),
        nonzero_memory: Bytes(memory.effective(NONZERO_MEMORY.0)),
        extended: others,
    };
    let on_node = Requests {
        nonzero_cpu: MilliCpu(cpu.on_node(NONZERO_CPU.0)),
        nonzero_memory: Bytes(memory.on_node(NONZERO_MEMORY.0)),
        ..requests.clone()
    };
    let on_node = (on_node != requests).then(|| Box::new(on_node));
    Ok((requests, on_node))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(containers: &[Option<i64>], init: &[(Option<i64>, bool)]) -> Of {
        Of { containers: containers.to_vec(), init: init.to_vec(), overhead: 50 }
    }

    #[test]
    fn worked_example_of_effective_requests() {
        let app = [Some(500), Some(300)];
        let sidecar_first = of(&app, &[(Some(200), true), (Some(900), false)]);
        assert_eq!(sidecar_first.effective(0), 1_150);
        let sidecar_last = of(&app, &[(Some(900), false), (Some(200), true)]);
        assert_eq!(sidecar_last.effective(0), 1_050);
        // On the node the sidecar is not beside the 800m: 1100 and 900 remain.
        assert_eq!((sidecar_first.on_node(0), sidecar_last.on_node(0)), (1_150, 950));
    }

    #[test]
    fn absent_requests_count_by_container_for_the_pod_and_together_on_the_node() {
        let pod = of(&[None], &[(None, true), (None, false)]);
        // 100 + 100 beside, peak 200; on the node peak 100 against 100.
        assert_eq!((pod.effective(100), pod.on_node(100)), (250, 150));
        let mixed = of(&[Some(0)], &[(Some(30), true), (None, false)]);
        // Peak 30 + 100; on the node the sum of both states 30.
        assert_eq!((mixed.effective(100), mixed.on_node(100)), (180, 80));
    }
}
