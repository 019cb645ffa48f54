//! Which pools may hold which pods, for what they hold.
//!
//! Asked for once a template, when its first pod is bound. The answer may
//! name too many pools, never too few: sizes of machines, affinity to other
//! pods and the constraints of ECS are not looked at, and where a pod is bound
//! all the same counts as well.

use crate::cluster::admits;
use crate::units::SimTime;
use crate::workload::TemplateId;

use super::{Pod, World};

/// No set of pools is known for a template yet.
pub(super) const UNKNOWN: u8 = u8::MAX;

impl World<'_> {
    /// A pod is bound: what it requests counts as held.
    pub(super) fn holds(&mut self, pod: &Pod, pool: u32, now: SimTime) {
        let mut set = self.held_as[pod.template.index()];
        if set == UNKNOWN {
            let pools = self.possible_pools(pod.template);
            set = self.observer.held.set(pools, now);
            self.held_as[pod.template.index()] = set;
        }
        let class = self.templates[pod.template.index()].class;
        let requests = &self.workloads.classes[class.index()].requests;
        self.observer.held.bind(set, pool, requests, now);
    }

    /// A pod that was bound ends.
    pub(super) fn releases(&mut self, pod: &Pod, now: SimTime) {
        let set = self.held_as[pod.template.index()];
        let class = self.templates[pod.template.index()].class;
        let requests = &self.workloads.classes[class.index()].requests;
        self.observer.held.end(set, requests, now);
    }

    /// The pools that may hold pods of a template: those of nodes, then Fargate.
    fn possible_pools(&self, template: TemplateId) -> Vec<u32> {
        let facts = self.templates[template.index()];
        let nodes = self.setup.cluster.pools.len();
        if let Some(ecs) = &self.setup.ecs {
            let workload = ecs.workloads.get(facts.owner.workload.index());
            let named: Vec<u32> = workload
                .into_iter()
                .flat_map(|w| w.providers.iter().map(|p| u32::from(p.provider)))
                .collect();
            // Without a strategy they run on any instance.
            return if named.is_empty() { (0..nodes as u32).collect() } else { named };
        }
        if let Some((pool, _)) = facts.fargate {
            return vec![nodes as u32 + pool];
        }
        let class = &self.workloads.classes[facts.class.index()];
        let may = |pool: &usize| {
            let spec = &self.setup.cluster.pools[*pool];
            spec.kind.can_have_nodes()
                && (0..spec.offers.len()).any(|offer| {
                    let traits = self.traits(*pool, offer);
                    let constraints = class.constraints.as_ref();
                    admits(&traits, class)
                        && constraints.is_none_or(|c| c.allow_node(|key| traits.label(key), None))
                })
        };
        (0..nodes).filter(may).map(|pool| pool as u32).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::run;
    use super::super::tests::{batch, class, fixed, template};
    use crate::cluster::ClusterSpec;
    use crate::observe::KeepPods;
    use crate::workload::{LocalTemplate, Trace, TraceUse};

    /// Pods that select the label of a pool keep it apart from the others;
    /// one that may go anywhere joins them.
    #[test]
    fn selectors_keep_pools_apart() {
        let found = |selected: [Option<&str>; 2]| {
            let mut setup = fixed(2);
            let mut cluster = ClusterSpec::clone(&setup.cluster);
            let one = cluster.pools.remove(0);
            for label in ["a", "b"] {
                let mut pool = one.clone();
                pool.labels = vec![("group".to_owned(), label.to_owned())];
                cluster.pools.push(pool);
            }
            setup.cluster = cluster.into();
            let mut trace = Trace::default();
            trace.push(0, 60_000, LocalTemplate(0), 1, None);
            trace.push(0, 60_000, LocalTemplate(1), 1, None);
            let mut workloads = batch(&[]);
            workloads.traces = vec![TraceUse { trace: Arc::new(trace), template_base: 0 }];
            workloads.classes = vec![class(100, 1), class(200, 1)];
            workloads.templates = vec![template(0, 0), template(1, 0)];
            for (class, selected) in workloads.classes.iter_mut().zip(selected) {
                class.node_selector =
                    selected.map(|v| ("group".to_owned(), v.to_owned())).into_iter().collect();
            }
            let record = run(&setup, &workloads, 1, KeepPods::No);
            let cpu_seconds = |sums: &[u128]| sums.chunks(3).map(|c| c[0]).sum::<u128>() / 1_000;
            record.held.iter().map(|h| (h.pools.clone(), cpu_seconds(&h.sums))).collect::<Vec<_>>()
        };
        let apart = found([Some("a"), Some("b")]);
        assert_eq!(apart, [(vec![0], 6_000), (vec![1], 12_000)]);
        assert_eq!(found([Some("a"), None]), [(vec![0, 1], 18_000)]);
    }
}
