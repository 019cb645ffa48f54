//! What a pod asks for as a whole (kubernetes `pkg/api/v1/resource/helpers.go`
//! `PodRequests`, 1.31), and how quantities are read.

use std::collections::BTreeMap;

use super::objects::{Container, ContainerStatus, PodObject};
use super::quote;
use crate::import::cluster::Amounts;
use crate::kubernetes::Quantities;
use crate::units::{Bytes, MilliCpu, parse_cpu, parse_memory};
use crate::workload::{NONZERO_CPU, NONZERO_MEMORY};

/// Most that a scenario can say: a million cores, 4 PiB.
const MOST_CPU: i64 = 1_000_000_000;
const MOST_MEMORY: i64 = 4 << 50;

/// A sum that stays unknown until the first thing is added.
type Sum = BTreeMap<String, i64>;

/// What a pod asks for, and what no node of the model offers.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Effective {
    /// Effective requests.
    pub(super) requests: Amounts,
    /// Requested resources that are not modelled: storage, huge pages.
    pub(super) not_modelled: Vec<String>,
}

/// Reads requests of a pod.
///
/// Sidecars (init containers that restart always) run beside the regular
/// containers, other init containers one after the other before them, and the
/// larger of the two counts; overhead comes on top. `spec.resources` replaces
/// the sums of cpu and memory (pod-level resources, 1.34). A container whose
/// resize is under way counts with the larger of what it asks for and what it
/// has, or with what it has where the resize cannot be done.
///
/// A container that states a limit and no request requests its limit: the API
/// server fills that in, so it matters for templates only.
///
/// kube-scheduler scores a container without a request of cpu or memory as if
/// it asked for 100m and 200 MiB (`pkg/scheduler/util/pod_resources.go`, 1.31):
/// the same sums with these are kept where they are not what a pod of one
/// container would give.
///
/// # Errors
/// When a quantity is none.
pub(super) fn effective(pod: &PodObject) -> Result<Effective, String> {
    let infeasible = pod.status.resize == "Infeasible"
        || pod.status.conditions.iter().any(|c| {
            c.kind == "PodResizePending" && c.status == "True" && c.reason == "Infeasible"
        });
    let total = total(pod, infeasible, false)?;
    for (name, most) in [("cpu", MOST_CPU), ("memory", MOST_MEMORY)] {
        if total.get(name).is_some_and(|n| *n > most) {
            return Err(format!("its containers ask for more {name} than any machine has"));
        }
    }
    let scored = self::total(pod, infeasible, true)?;
    let not_modelled = total
        .iter()
        .filter(|(name, n)| **n > 0 && !is_modelled(name))
        .map(|(name, _)| name.clone());
    let nonzero = |name: &str, default: i64| {
        let assumed = total.get(name).copied().unwrap_or(default);
        scored.get(name).copied().filter(|n| *n != assumed)
    };
    let requests = Amounts {
        nonzero_cpu: nonzero("cpu", NONZERO_CPU.0).map(MilliCpu),
        nonzero_memory: nonzero("memory", NONZERO_MEMORY.0).map(Bytes),
        ..named(&total)
    };
    Ok(Effective { not_modelled: not_modelled.collect(), requests })
}

/// The sums over the containers of a pod; `scored` as the score counts them.
fn total(pod: &PodObject, infeasible: bool, scored: bool) -> Result<Sum, String> {
    let defaults = |mut requested: Sum| {
        if scored {
            requested.entry("cpu".to_owned()).or_insert(NONZERO_CPU.0);
            requested.entry("memory".to_owned()).or_insert(NONZERO_MEMORY.0);
        }
        requested
    };
    let mut app = Sum::new();
    for container in &pod.spec.containers {
        let status =
            pod.status.container_statuses.iter().find(|status| status.name == container.name);
        let requested = resized(container_requests(container)?, status, infeasible)?;
        add(&mut app, &defaults(requested))?;
    }
    let (mut sidecars, mut peak) = (Sum::new(), Sum::new());
    for container in &pod.spec.init_containers {
        let requested = defaults(container_requests(container)?);
        let mut need = sidecars.clone();
        add(&mut need, &requested)?;
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut app, &requested)?;
            sidecars.clone_from(&need);
        }
        raise(&mut peak, &need);
    }
    let mut total = app;
    raise(&mut total, &peak);
    for (name, amount) in amounts(&pod.spec.resources.requests)? {
        if matches!(name.as_str(), "cpu" | "memory") {
            total.insert(name, amount);
        }
    }
    add(&mut total, &amounts(&pod.spec.overhead)?)?;
    Ok(total)
}

fn container_requests(container: &Container) -> Result<Sum, String> {
    let mut requested = amounts(&container.resources.limits)?;
    requested.extend(amounts(&container.resources.requests)?);
    Ok(requested)
}

/// What a regular container holds while its size is being changed.
fn resized(
    mut requested: Sum,
    status: Option<&ContainerStatus>,
    infeasible: bool,
) -> Result<Sum, String> {
    let Some(status) = status else { return Ok(requested) };
    for (name, has) in amounts(&status.allocated_resources)? {
        if let Some(wants) = requested.get_mut(&name) {
            *wants = if infeasible { has } else { has.max(*wants) };
        }
    }
    Ok(requested)
}

fn add(sum: &mut Sum, more: &Sum) -> Result<(), String> {
    for (name, amount) in more {
        let entry = sum.entry(name.clone()).or_default();
        *entry = entry
            .checked_add(*amount)
            .ok_or_else(|| format!("its containers ask for more {name} than can be counted"))?;
    }
    Ok(())
}

fn raise(sum: &mut Sum, least: &Sum) {
    for (name, amount) in least {
        let entry = sum.entry(name.clone()).or_default();
        *entry = (*entry).max(*amount);
    }
}

/// Whether the model has the resource: cpu, memory, and extended resources,
/// which Kubernetes tells by a domain that is not its own.
fn is_modelled(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "pods") || is_extended(name)
}

fn is_extended(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(domain, _)| domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io"))
}

/// Quantities as integers: milli-cores, bytes, whole units.
fn amounts(quantities: &Quantities) -> Result<Sum, String> {
    let mut sum = Sum::new();
    for (name, quantity) in quantities {
        let text = quantity.0.as_str();
        let amount = match name.as_str() {
            "cpu" => parse_cpu(text).map(|MilliCpu(n)| n),
            // Counts are written like memory.
            _ if is_modelled(name) => parse_memory(text).map(|Bytes(n)| n),
            // Whether there is any is all that matters.
            _ => Ok(parse_memory(text).map_or(1, |Bytes(n)| n)),
        };
        let amount = amount.map_err(|e| format!("{} of {name}: {e}", quote(text)))?;
        sum.insert(name.clone(), amount);
    }
    Ok(sum)
}

/// What a node has or offers.
///
/// # Errors
/// When a quantity is none.
pub(super) fn of_node(quantities: &Quantities) -> Result<Amounts, String> {
    Ok(named(&amounts(quantities)?))
}

fn named(sum: &Sum) -> Amounts {
    Amounts {
        cpu: sum.get("cpu").map(|n| MilliCpu(*n)),
        memory: sum.get("memory").map(|n| Bytes(*n)),
        pods: sum.get("pods").map(|n| u32::try_from(*n).unwrap_or(u32::MAX)),
        extended: sum
            .iter()
            .filter(|(name, n)| **n > 0 && is_extended(name))
            .map(|(name, n)| (name.clone(), *n))
            .collect(),
        ..Amounts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(text: &str) -> PodObject {
        serde_json::from_str(text).expect("a pod")
    }

    fn cpu_and_memory(text: &str) -> (Option<i64>, Option<i64>) {
        let amounts = effective(&pod(text)).expect("quantities").requests;
        (amounts.cpu.map(|c| c.0), amounts.memory.map(|m| m.0))
    }

    #[test]
    fn init_containers_sidecars_and_overhead_count_as_upstream() {
        // Regular 100m + 200m, sidecar 50m: 350m run together. The second init
        // container runs beside the sidecar: 50m + 400m = 450m. Memory: 30 Mi
        // regular and 20 Mi of the sidecar against 10 Mi.
        let text = r#"{"spec":{
            "initContainers":[
                {"name":"a","resources":{"requests":{"cpu":"300m"}}},
                {"name":"side","restartPolicy":"Always",
                 "resources":{"requests":{"cpu":"50m","memory":"20Mi"}}},
                {"name":"b","resources":{"requests":{"cpu":"400m","memory":"10Mi"}}}],
            "containers":[
                {"name":"x","resources":{"requests":{"cpu":"100m","memory":"30Mi"}}},
                {"name":"y","resources":{"requests":{"cpu":0.2}}}],
            "overhead":{"cpu":"10m","memory":"1Mi"}}}"#;
        assert_eq!(cpu_and_memory(text), (Some(460), Some(51 << 20)));
    }

    #[test]
    fn what_is_not_requested_stays_unknown() {
        assert_eq!(cpu_and_memory(r#"{"spec":{"containers":[{"name":"x"}]}}"#), (None, None));
        let text = r#"{"spec":{"containers":[{"name":"x","resources":{"requests":{"cpu":"0"}}}]}}"#;
        assert_eq!(cpu_and_memory(text), (Some(0), None));
    }

    #[test]
    fn a_limit_alone_is_a_request() {
        let text = r#"{"spec":{"containers":[{"name":"x","resources":
            {"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"500m"}}}]}}"#;
        assert_eq!(cpu_and_memory(text), (Some(500), Some(1 << 30)));
    }

    #[test]
    fn a_resize_under_way_counts_the_larger_and_an_infeasible_one_what_it_has() {
        let text = |status: &str| {
            format!(
                r#"{{"spec":{{"containers":[{{"name":"x","resources":{{"requests":
                   {{"cpu":"2","memory":"1Gi"}}}}}}]}},
                   "status":{{{status}"containerStatuses":[{{"name":"x",
                   "allocatedResources":{{"cpu":"1","memory":"2Gi"}}}}]}}}}"#
            )
        };
        assert_eq!(cpu_and_memory(&text("")), (Some(2_000), Some(2 << 30)));
        let infeasible = text(r#""resize":"Infeasible","#);
        assert_eq!(cpu_and_memory(&infeasible), (Some(1_000), Some(2 << 30)));
        let condition = text(
            r#""conditions":[{"type":"PodResizePending","status":"True","reason":"Infeasible"}],"#,
        );
        assert_eq!(cpu_and_memory(&condition), (Some(1_000), Some(2 << 30)));
    }

    #[test]
    fn resources_of_the_pod_replace_the_sums() {
        let text = r#"{"spec":{"resources":{"requests":{"cpu":"3"}},"containers":[
            {"name":"x","resources":{"requests":{"cpu":"1","memory":"1Gi"}}}]}}"#;
        assert_eq!(cpu_and_memory(text), (Some(3_000), Some(1 << 30)));
    }

    #[test]
    fn extended_resources_are_kept_and_storage_is_named() {
        let text = r#"{"spec":{"containers":[{"name":"x","resources":{"requests":
            {"nvidia.com/gpu":"2","ephemeral-storage":"1Gi","hugepages-2Mi":"0"}}}]}}"#;
        let found = effective(&pod(text)).expect("fine");
        assert_eq!(found.requests.extended, [("nvidia.com/gpu".to_owned(), 2)].into());
        assert_eq!(found.not_modelled, ["ephemeral-storage"]);
    }

    #[test]
    fn a_bad_quantity_says_which() {
        let text =
            r#"{"spec":{"containers":[{"name":"x","resources":{"requests":{"cpu":"1x"}}}]}}"#;
        let error = effective(&pod(text)).expect_err("bad");
        assert!(error.contains("`1x` of cpu: "), "{error}");
        let huge =
            r#"{"spec":{"containers":[{"name":"x","resources":{"requests":{"memory":"1e30"}}}]}}"#;
        assert!(effective(&pod(huge)).is_err());
    }

    #[test]
    fn containers_without_requests_count_in_the_score_only() {
        let nonzero = |text: &str| {
            let amounts = effective(&pod(text)).expect("quantities").requests;
            (amounts.nonzero_cpu.map(|c| c.0), amounts.nonzero_memory.map(|m| m.0 >> 20))
        };
        // One container without requests is what the engine assumes anyway.
        let one = r#"{"spec":{"containers":[{"name":"a"}]}}"#;
        assert_eq!(nonzero(one), (None, None));
        // Two of them count as 2 × 100m and 2 × 200 MiB.
        let two = r#"{"spec":{"containers":[{"name":"a"},{"name":"b"}]}}"#;
        assert_eq!(nonzero(two), (Some(200), Some(400)));
        // 300m stated and 100m assumed; memory 1 GiB and 200 MiB.
        let mixed = r#"{"spec":{"containers":[{"name":"a"},
            {"name":"b","resources":{"requests":{"cpu":"300m","memory":"1Gi"}}}]}}"#;
        assert_eq!(nonzero(mixed), (Some(400), Some(1_224)));
        // An init container without requests needs less than the others have.
        let init = r#"{"spec":{"initContainers":[{"name":"i"}],
            "containers":[{"name":"b","resources":{"requests":{"cpu":"300m","memory":"1Gi"}}}]}}"#;
        assert_eq!(nonzero(init), (None, None));
    }
}
