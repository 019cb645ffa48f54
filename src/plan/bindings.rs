//! Replicas that are on a node when the run starts: names of nodes become
//! members of the cluster.
//!
//! A kubelet keeps the pods it has as long as they fit, whatever taints and
//! selectors say by now (kubernetes `pkg/kubelet/lifecycle/predicate.go`, 1.31,
//! looks at resources, and at `NoExecute` taints only where they come later),
//! so only room is checked. What has no room goes to the scheduler.

use std::collections::BTreeMap;

use super::fit;
use super::notes::Notes;
use crate::cluster::{Capacity, ClusterSpec};
use crate::scenario::{Placement, Scenario, Spanned, WorkloadKind, quote};
use crate::workload::intern::PodShape;
use crate::workload::plan::{Content, PlannedWorkload, ServicePlan};
use crate::workload::sidecar::{Sidecar, joined};

/// Binds the replicas of all services, unless the scenario sets them free.
pub(super) fn link(
    scenario: &Scenario,
    (cluster, sidecars): (&ClusterSpec, &[Sidecar]),
    planned: &mut [PlannedWorkload],
    extended: &[String],
    notes: &mut Notes<'_>,
) {
    let given = |workload: &crate::scenario::Workload| match &workload.kind {
        WorkloadKind::Service(service) => !service.bound_to.is_empty(),
        _ => false,
    };
    let any = scenario.workload.iter().any(|(_, workload)| given(workload));
    let keep = match &scenario.placement {
        Some(Placement::Kubernetes(placement)) => placement.keep_bindings,
        Some(Placement::Ecs(_)) | None => None,
    };
    if let (Some(keep), false) = (keep, any) {
        let message = "`keep-bindings` has no effect: no service is `bound-to` a node";
        notes.diags.warning("unused-bindings", keep.span, message);
    }
    if !any {
        return;
    }
    if keep.is_none() {
        let note = "choice: what is bound stays where it is";
        notes.default("placement.keep-bindings", true, note);
    }
    if keep.is_some_and(|keep| !keep.value) {
        return;
    }
    let mut free = room(cluster, planned, extended);
    let members = cluster.members.iter().enumerate();
    let members: Members<'_> = members.map(|(i, m)| (m.name.as_str(), i)).collect();
    let mut lacking = Vec::new();
    for workload in planned {
        let kind = scenario.workload.get(&workload.name).map(|w| &w.kind);
        if let (Content::Service(plan), Some(WorkloadKind::Service(service))) =
            (&mut workload.content, kind)
        {
            let place =
                Place { name: &workload.name, cluster, sidecars, members: &members, extended };
            lacking.extend(bind(&place, service, plan, &mut free, notes));
        }
    }
    warn(&lacking, notes);
}

/// Replicas for which their node has no room.
struct Lacking<'a> {
    workload: String,
    node: &'a Spanned<String>,
    /// How many, of how many that are bound to it.
    replicas: (u32, u32),
}

/// Nodes that the warning names.
const NAMED: usize = 3;

/// One warning for all of them: in a cluster whose requests change there are
/// many.
fn warn(lacking: &[Lacking<'_>], notes: &mut Notes<'_>) {
    let Some(first) = lacking.first() else { return };
    let told = |it: &Lacking<'_>| {
        let (node, workload, (without, all)) =
            (quote(&it.node.value), quote(&it.workload), it.replicas);
        format!("{without} of the {all} replicas of {workload} bound to node {node}")
    };
    let mut named: Vec<String> = lacking.iter().take(NAMED).map(told).collect();
    let more = lacking.iter().skip(NAMED);
    if more.len() > 0 {
        let replicas: u64 = more.map(|it| u64::from(it.replicas.0)).sum();
        named.push(format!("{replicas} more"));
    }
    let total: u64 = lacking.iter().map(|it| u64::from(it.replicas.0)).sum();
    let message = format!(
        "bound replicas without room on their node are scheduled instead, {total} in all: {}",
        named.join(", ")
    );
    notes
        .diags
        .warning("bound-without-room", first.node.span, message)
        .help("compare requests with what the pool offers less `reserved` and DaemonSets");
}

/// Free capacity of every member with the DaemonSets' pods on it.
fn room(cluster: &ClusterSpec, planned: &[PlannedWorkload], extended: &[String]) -> Vec<Capacity> {
    let sites = fit::sites(cluster, &fit::daemons(planned), extended);
    let mut first = Vec::with_capacity(cluster.pools.len());
    let mut offers = 0;
    for pool in &cluster.pools {
        first.push(offers);
        offers += pool.offers.len();
    }
    cluster
        .members
        .iter()
        .map(|member| {
            let at = first.get(member.pool.index()).map(|first| first + member.offer as usize);
            at.and_then(|at| sites.get(at)).map(|site| site.free.clone()).unwrap_or_default()
        })
        .collect()
}

/// Named nodes and their place among the members.
type Members<'a> = BTreeMap<&'a str, usize>;

/// A service, and where it may be.
struct Place<'a> {
    name: &'a str,
    cluster: &'a ClusterSpec,
    sidecars: &'a [Sidecar],
    members: &'a Members<'a>,
    extended: &'a [String],
}

/// Binds replicas of a service; returns those for which there is no room.
fn bind<'s>(
    place: &Place<'_>,
    service: &'s crate::scenario::Service,
    plan: &mut ServicePlan,
    free: &mut [Capacity],
    notes: &mut Notes<'_>,
) -> Vec<Lacking<'s>> {
    let mut lacking = Vec::new();
    let Place { name, cluster, sidecars, members, extended } = *place;
    let pod = joined(sidecars, name, &plan.pod);
    let fargate = cluster.fargate_of(name, &plan.pod.namespace).is_some();
    let mut total = 0;
    for (node, count) in service.bound_to.iter() {
        let Some(at) = members.get(node.value.as_str()).copied() else {
            unknown(node, members, notes);
            continue;
        };
        if fargate {
            notes
                .diags
                .error(
                    node.span,
                    format!("{} runs on Fargate, so it is bound to no node", quote(name)),
                )
                .help("set `placement.keep-bindings: false`, or leave `bound-to` out");
            return lacking;
        }
        if let Some((volumes, zone)) = away(plan, cluster, at) {
            let (name, node_name) = (quote(name), quote(&node.value));
            let (volumes, zone) = (quote(volumes), quote(zone));
            let message = format!(
                "the volumes of {name} are in zone {volumes}, but node {node_name} is in {zone}"
            );
            notes
                .diags
                .error(node.span, message)
                .help("correct the `zone` of `volumeClaimTemplates`, or leave it out");
            return lacking;
        }
        let count = count.get() as u32;
        total += u64::from(count);
        let fitting = take(free.get_mut(at), &pod, extended, count);
        if fitting < count {
            let replicas = (count - fitting, count);
            lacking.push(Lacking { workload: name.to_owned(), node, replicas });
        }
        if fitting > 0 {
            plan.bound.push((at as u32, fitting));
        }
    }
    if total > u64::from(plan.min) {
        notes
            .diags
            .error(
                service.replicas.span,
                format!("{} has {} replicas, but {total} are bound", quote(name), plan.min),
            )
            .help("state at least as many `replicas` (`min`) as `bound-to` names");
    }
    lacking
}

/// Where a service's volumes and a named node are, if not in one zone.
fn away<'c>(
    plan: &'c ServicePlan,
    cluster: &'c ClusterSpec,
    member: usize,
) -> Option<(&'c str, &'c str)> {
    let zones = plan.rules.constraints.iter().find_map(|c| c.volume_zones.as_ref())?;
    let member = &cluster.members[member];
    let offer = cluster.pools[member.pool.index()].offers.get(member.offer as usize)?;
    let zone = cluster.zones.get(offer.zone.index())?;
    (!zones.contains(zone)).then(|| (zones.first().map_or("", String::as_str), zone.as_str()))
}

fn unknown(node: &Spanned<String>, members: &Members<'_>, notes: &mut Notes<'_>) {
    let message = format!("no fixed pool has a node {}", quote(&node.value));
    notes
        .diags
        .error(node.span, message)
        .suggest(&node.value, members.keys().copied())
        .help("a case without today's nodes needs `placement.keep-bindings: false`");
}

/// Takes room for up to `count` pods; returns for how many there was.
fn take(free: Option<&mut Capacity>, pod: &PodShape, extended: &[String], count: u32) -> u32 {
    let Some(free) = free else { return 0 };
    let (cpu, memory) = (pod.cpu.unwrap_or_default().0, pod.memory.unwrap_or_default().0);
    let amounts: Vec<i64> = extended.iter().map(|name| fit::amount(pod, name)).collect();
    for taken in 0..count {
        let fits = free.pods > 0
            && (cpu == 0 || cpu <= free.cpu.0)
            && (memory == 0 || memory <= free.memory.0)
            && amounts.iter().zip(&free.extended).all(|(n, free)| *n == 0 || n <= free);
        if !fits {
            return taken;
        }
        free.pods -= 1;
        free.cpu.0 -= cpu;
        free.memory.0 -= memory;
        free.extended.iter_mut().zip(&amounts).for_each(|(free, n)| *free -= n);
    }
    count
}
