//! Whether anything could ever hold the pods: a workload of which nothing can
//! run is worth a warning before hours of simulated rejections.

use super::notes::Notes;
use crate::cluster::{Capacity, ClusterSpec, Offer, PoolSpec};
use crate::place::fargate::refusal;
use crate::scenario::{Scenario, quote};
use crate::workload::generate::{GeneratorSpec, Sizes};
use crate::workload::intern::{PodRules, PodShape};
use crate::workload::plan::{Content, PlannedWorkload};
use crate::workload::sidecar::{Sidecar, joined};
use crate::workload::{Taint, TaintEffect};

/// Warns of every workload of which no pod fits on any empty node or Fargate
/// size.
pub(super) fn warn(
    scenario: &Scenario,
    (cluster, sidecars): (&ClusterSpec, &[Sidecar]),
    workloads: &[PlannedWorkload],
    extended: &[String],
    notes: &mut Notes<'_>,
) {
    let sites = sites(cluster, &daemons(workloads), extended);
    for workload in workloads {
        let Some((shapes, rules)) = pods(&workload.content) else { continue };
        let fits = shapes.iter().any(|pod| {
            let pod = joined(sidecars, &workload.name, pod);
            fits(&workload.name, &pod, rules, cluster, &sites, extended)
        });
        if fits || shapes.is_empty() {
            continue;
        }
        let mut names = scenario.workload.iter().map(|(name, _)| name);
        let name = names.find(|n| n.value == workload.name);
        let span = name.map_or(scenario.name.span, |n| n.span);
        notes
            .diags
            .warning(
                "fits-nowhere",
                span,
                format!(
                    "no pool can hold any pod of {}: all will be rejected and counted",
                    quote(&workload.name)
                ),
            )
            .help(
                "compare its requests, nodeSelector, nodeAffinity and tolerations with the pools",
            );
    }
}

/// Pods that are on every node that admits them.
pub(super) fn daemons(workloads: &[PlannedWorkload]) -> Vec<(&PodShape, &PodRules)> {
    workloads
        .iter()
        .filter_map(|w| match &w.content {
            Content::Daemon(d) => Some((&d.pod, &d.rules)),
            _ => None,
        })
        .collect()
}

/// The pods of a workload, where they are known before a seed is.
fn pods(content: &Content) -> Option<(Vec<PodShape>, &PodRules)> {
    match content {
        Content::Trace(data) => Some((data.shapes.to_vec(), &data.rules)),
        Content::Service(service) => Some((vec![service.pod.clone()], &service.rules)),
        Content::Generator(GeneratorSpec {
            sizes: Sizes::Shapes(shapes),
            namespace,
            priority,
            rules,
            ..
        }) => {
            let pod = |s: &crate::workload::generate::WeightedShape| PodShape {
                cpu: s.cpu,
                memory: s.memory,
                extended: s.extended.clone(),
                namespace: namespace.clone(),
                priority: *priority,
                ..PodShape::default()
            };
            Some((shapes.iter().map(pod).collect(), rules))
        }
        Content::Generator(_) | Content::Daemon(_) => None,
    }
}

/// An empty node with its DaemonSets.
pub(super) struct Site<'a> {
    labels: Vec<&'a (String, String)>,
    taints: &'a [Taint],
    pub(super) free: Capacity,
    /// Whether the pool can have nodes at all.
    open: bool,
}

/// An empty node of every offer, pool by pool.
pub(super) fn sites<'a>(
    cluster: &'a ClusterSpec,
    daemons: &[(&PodShape, &PodRules)],
    extended: &[String],
) -> Vec<Site<'a>> {
    let mut sites = Vec::new();
    for pool in &cluster.pools {
        for offer in &pool.offers {
            let Some(shape) = cluster.shapes.get(offer.shape.index()) else { continue };
            let mut site = Site {
                labels: labels(pool, offer),
                taints: &pool.taints,
                free: shape.allocatable.clone(),
                open: pool.kind.can_have_nodes(),
            };
            for (pod, rules) in daemons {
                if admits(&site, rules) {
                    site.free.cpu.0 -= pod.cpu.unwrap_or_default().0;
                    site.free.memory.0 -= pod.memory.unwrap_or_default().0;
                    site.free.pods = site.free.pods.saturating_sub(1);
                    for (free, name) in site.free.extended.iter_mut().zip(extended) {
                        *free -= amount(pod, name);
                    }
                }
            }
            sites.push(site);
        }
    }
    sites
}

/// The pool's own label wins over a well-known one of the same key.
fn labels<'a>(pool: &'a PoolSpec, offer: &'a Offer) -> Vec<&'a (String, String)> {
    let replaced = |key: &String| pool.labels.iter().any(|(own, _)| own == key);
    offer.labels.iter().filter(|(key, _)| !replaced(key)).chain(&pool.labels).collect()
}

/// How much of an extended resource a pod requests.
pub(super) fn amount(pod: &PodShape, name: &str) -> i64 {
    pod.extended.iter().filter(|(n, _)| n == name).map(|(_, n)| *n).sum()
}

/// Whether labels and taints let such pods on the node.
fn admits(site: &Site<'_>, rules: &PodRules) -> bool {
    let selected = rules.node_selector.iter().all(|wanted| site.labels.contains(&wanted));
    let tolerated = site
        .taints
        .iter()
        .filter(|t| t.effect != TaintEffect::PreferNoSchedule)
        .all(|taint| rules.tolerations.iter().any(|t| t.tolerates(taint)));
    let label = |key: &str| {
        site.labels.iter().find(|(k, _)| k.as_str() == key).map(|(_, value)| value.as_str())
    };
    // What of them concerns nodes does not differ between namespaces.
    let allowed = rules.constraints.first().is_none_or(|c| c.allow_node(label, None));
    selected && tolerated && allowed
}

fn fits(
    workload: &str,
    pod: &PodShape,
    rules: &PodRules,
    cluster: &ClusterSpec,
    sites: &[Site<'_>],
    extended: &[String],
) -> bool {
    let (cpu, memory) = (pod.cpu.unwrap_or_default().0, pod.memory.unwrap_or_default().0);
    // The first Fargate pool that takes a pod keeps it.
    if let Some(pool) = cluster.fargate_of(workload, &pod.namespace) {
        let pool = &cluster.fargate[pool];
        let cpu = cpu + pool.sidecar_cpu.0;
        let memory = memory + pool.sidecar_memory.0 + pool.overhead_memory.0;
        let constraints = rules.constraints.first().map(|c| &**c);
        let extended = !pod.extended.is_empty();
        return refusal(extended, &rules.node_selector, constraints).is_none()
            && pool.sizes.iter().any(|s| s.cpu.0 >= cpu && s.memory.0 >= memory);
    }
    sites.iter().any(|site| {
        site.open
            && admits(site, rules)
            && site.free.pods > 0
            && site.free.cpu.0 >= cpu
            && site.free.memory.0 >= memory
            && site
                .free
                .extended
                .iter()
                .zip(extended)
                .all(|(free, name)| *free >= amount(pod, name))
    })
}
