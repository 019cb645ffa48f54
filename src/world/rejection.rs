//! Why no pool can ever hold a pod.

use std::ops::Range;
use std::sync::Arc;

use crate::cluster::{Nodes, PodId, Slot};
use crate::observe::RejectReason;
use crate::workload::constraints::Constraints;
use crate::workload::{ClassId, PodClass, TaintEffect};

use super::{Pod, TemplateFacts, World};

impl World<'_> {
    /// Counts a pod as rejected for this reason; it is not simulated.
    pub(super) fn reject(
        &mut self,
        pod: &Pod,
        facts: TemplateFacts,
        reason: RejectReason,
    ) -> Option<PodId> {
        self.watch_submitted(pod, Err(reason));
        self.observer.rejected(facts.owner.workload, pod, reason);
        if facts.batch {
            self.batch_live -= 1;
        }
        None
    }

    /// What is missing on the empty node that comes closest to holding a pod of
    /// the class, among those of the pools. Asked only where none holds it.
    pub(super) fn missing(&mut self, class: ClassId, pools: Range<usize>) -> RejectReason {
        let workloads = self.workloads;
        let class = &workloads.classes[class.index()];
        let mut closest = RejectReason::NoNodes;
        for pool in pools {
            let spec = &self.setup.cluster.pools[pool];
            if !spec.kind.can_have_nodes() {
                continue;
            }
            for offer in 0..spec.offers.len() {
                let traits = self.traits(pool, offer);
                let traits = self.nodes.intern(traits);
                let shape = spec.offers[offer].shape;
                let lacks =
                    self.on_empty(pool, shape, traits, |nodes, slot| lacks(nodes, slot, class));
                closest = closest.max(lacks);
            }
        }
        closest
    }
}

/// The first thing that an empty node lacks; reasons are ordered by how close
/// to success they come. What constraints of other kinds refuse has one name.
fn lacks(nodes: &Nodes, slot: Slot, class: &PodClass) -> RejectReason {
    let i = slot.index();
    let traits = nodes.traits_of(nodes.traits[i]);
    let requests = &class.requests;
    let selected = class.node_selector.iter().all(|label| traits.labels.contains(label));
    let tolerated = traits
        .taints
        .iter()
        .filter(|taint| taint.effect != TaintEffect::PreferNoSchedule)
        .all(|taint| class.tolerations.iter().any(|t| t.tolerates(taint)));
    if !selected {
        return RejectReason::NodeSelector;
    }
    if !tolerated {
        return RejectReason::Taints;
    }
    let allows = |c: &Arc<Constraints>| c.allow_node(|key| traits.label(key), None);
    if nodes.fits(slot, requests) || !class.constraints.as_ref().is_none_or(allows) {
        return RejectReason::NodeAffinity;
    }
    let mut only = crate::workload::Requests {
        extended: requests.extended.clone(),
        ..crate::workload::Requests::default()
    };
    if nodes.pods[i] >= nodes.alloc_pods[i] {
        RejectReason::Pods
    } else if !nodes.fits(slot, &only) {
        RejectReason::Extended
    } else {
        only.cpu = requests.cpu;
        if nodes.fits(slot, &only) { RejectReason::Memory } else { RejectReason::Cpu }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{batch, class, fixed, pool, setup};
    use super::super::{Setup, fargate, run};
    use super::*;
    use crate::cluster::{ClusterSpec, FargateSize, FargateSpec, PoolKind, Purchase};
    use crate::observe::KeepPods;
    use crate::rng::Distribution;
    use crate::units::{Bytes, MilliCpu, SimDuration};
    use crate::workload::constraints::{HostPort, NodeSelectorTerm, Operator, Requirement};
    use crate::workload::{ExtendedId, Taint, Workloads};

    const GIB: i64 = 1 << 30;

    fn reason(setup: &Setup, workloads: &Workloads) -> Option<RejectReason> {
        let record = run(setup, workloads, 1, KeepPods::No);
        let counts = record.counts[0];
        let found =
            RejectReason::ALL.into_iter().find(|r| counts.rejected_by_reason[*r as usize] > 0);
        assert_eq!(counts.rejected, found.map_or(0, |r| counts.rejected_by_reason[r as usize]));
        found
    }

    /// Nodes of 4 vCPU and 16 GiB.
    #[test]
    fn nodes_say_what_they_lack() {
        let of = |change: &dyn Fn(&mut PodClass)| {
            let mut workloads = batch(&[(0, 1_000)]);
            change(&mut workloads.classes[0]);
            workloads.extended = vec!["nvidia.com/gpu".into()];
            let mut setup = fixed(1);
            let cluster = Arc::make_mut(&mut setup.cluster);
            cluster.shapes[0].allocatable.extended = vec![0];
            reason(&setup, &workloads)
        };
        let size = |cpu, memory| move |c: &mut PodClass| c.requests = class(cpu, memory).requests;
        assert_eq!(of(&size(1_000, GIB)), None);
        assert_eq!(of(&size(9_000, GIB)), Some(RejectReason::Cpu));
        assert_eq!(of(&size(9_000, 99 * GIB)), Some(RejectReason::Cpu));
        assert_eq!(of(&size(500, 99 * GIB)), Some(RejectReason::Memory));
        assert_eq!(
            of(&|c| c.requests.extended = vec![(ExtendedId(0), 1)]),
            Some(RejectReason::Extended)
        );
        assert_eq!(
            of(&|c| c.node_selector = vec![("disk".into(), "ssd".into())]),
            Some(RejectReason::NodeSelector)
        );
        // The node is in zone a, whatever else it lacks.
        let elsewhere =
            Constraints { volume_zones: Some(vec!["b".into()]), ..Constraints::default() };
        assert_eq!(
            of(&|c| {
                c.constraints = Some(Arc::new(elsewhere.clone()));
                c.requests = class(9_000, GIB).requests;
            }),
            Some(RejectReason::NodeAffinity)
        );
    }

    /// Of two pools the one that comes closest speaks: a large node with a
    /// taint says less than a small one without.
    #[test]
    fn the_closest_pool_speaks() {
        let kind = PoolKind::Fixed { count: 1 };
        let mut setup = setup(4, pool(kind.clone(), Purchase::OnDemand, 0.0));
        let mut workloads = batch(&[(0, 1_000)]);
        workloads.classes[0] = class(9_000, GIB);
        let cluster = Arc::make_mut(&mut setup.cluster);
        let mut large = pool(kind, Purchase::OnDemand, 0.0);
        large.offers[0].shape = crate::cluster::ShapeId(1);
        large.taints = vec![Taint {
            key: "dedicated".into(),
            value: String::new(),
            effect: TaintEffect::NoSchedule,
        }];
        let mut shape = cluster.shapes[0].clone();
        shape.allocatable.cpu = MilliCpu(32_000);
        cluster.shapes.push(shape);
        cluster.pools.push(large);
        assert_eq!(reason(&setup, &workloads), Some(RejectReason::Cpu));
        Arc::make_mut(&mut setup.cluster).pools.remove(0);
        assert_eq!(reason(&setup, &workloads), Some(RejectReason::Taints));
        let none = PoolKind::Fixed { count: 0 };
        Arc::make_mut(&mut setup.cluster).pools[0].kind = none;
        assert_eq!(reason(&setup, &workloads), Some(RejectReason::NoNodes));
    }

    #[test]
    fn fargate_says_what_it_does_not_offer() {
        let spec = FargateSpec {
            name: "fargate".into(),
            selectors: vec![],
            sizes: vec![FargateSize { cpu: MilliCpu(16_000), memory: Bytes(120 * GIB) }],
            overhead_memory: Bytes(GIB / 4),
            start_latency: Distribution::Constant(0.0),
            launch_burst: 1,
            launch_per_second: 1,
            job_retention: SimDuration::ZERO,
            sidecar_cpu: MilliCpu(0),
            sidecar_memory: Bytes(0),
            hazard_per_hour: 0.0,
        };
        let cluster = ClusterSpec { fargate: vec![spec], ..ClusterSpec::default() };
        let of = |change: &dyn Fn(&mut PodClass)| {
            let mut workloads = batch(&[]);
            change(&mut workloads.classes[0]);
            fargate::size_for(&cluster, &workloads, 0, ClassId(0)).err()
        };
        let constrained = |constraints: Constraints| {
            move |c: &mut PodClass| c.constraints = Some(Arc::new(constraints.clone()))
        };
        assert_eq!(of(&|_| ()), None);
        // 16 vCPU and 120 GiB with its 256 MiB of overhead are too much.
        assert_eq!(of(&|c| c.requests = class(16_000, 119 * GIB).requests), None);
        assert_eq!(
            of(&|c| c.requests = class(16_000, 120 * GIB).requests),
            Some(RejectReason::FargateSize)
        );
        assert_eq!(
            of(&|c| c.requests.extended = vec![(ExtendedId(0), 1)]),
            Some(RejectReason::FargateExtended)
        );
        let volumes = Constraints { attached_volumes: 1, ..Constraints::default() };
        assert_eq!(of(&constrained(volumes)), Some(RejectReason::FargateVolumes));
        let port = HostPort { protocol: "TCP".into(), ip: "0.0.0.0".into(), port: 80 };
        let ports = Constraints { host_ports: vec![port], ..Constraints::default() };
        assert_eq!(of(&constrained(ports)), Some(RejectReason::FargateHostPorts));
        let arch = |value: &str| {
            let label = ("kubernetes.io/arch".to_owned(), value.to_owned());
            move |c: &mut PodClass| c.node_selector = vec![label.clone()]
        };
        assert_eq!(of(&arch("arm64")), Some(RejectReason::FargatePlatform));
        assert_eq!(of(&arch("amd64")), None);
        // Node affinity can say the same, in each of its terms.
        let term = |key: &str, operator, value: &str| NodeSelectorTerm {
            match_expressions: vec![Requirement {
                key: key.into(),
                operator,
                values: vec![value.into()],
            }],
            ..NodeSelectorTerm::default()
        };
        let affine = |terms: &[NodeSelectorTerm]| {
            let required_nodes = Some(terms.to_vec());
            constrained(Constraints { required_nodes, ..Constraints::default() })
        };
        let arm = term("kubernetes.io/arch", Operator::In, "arm64");
        let no_linux = term("kubernetes.io/os", Operator::NotIn, "linux");
        let not_arm = term("kubernetes.io/arch", Operator::NotIn, "arm64");
        let ssd = term("disk", Operator::In, "ssd");
        let platform = Some(RejectReason::FargatePlatform);
        assert_eq!(of(&affine(std::slice::from_ref(&arm))), platform);
        assert_eq!(of(&affine(&[arm.clone(), no_linux])), platform);
        assert_eq!(of(&affine(&[arm.clone(), ssd])), None);
        assert_eq!(of(&affine(&[arm, not_arm])), None);
    }
}
