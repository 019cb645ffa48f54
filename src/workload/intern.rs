//! Turns pods as sources describe them into the dense ids the engine reads.
//!
//! Two tables. [`LocalTemplates`] belongs to one trace and is on the path of
//! every row read: a row like the one before it costs one comparison (about
//! 5 ns), any other one hash of a 32-byte key. [`Builder`] belongs to one
//! simulation and sees every distinct shape once; there classes are interned
//! over all workloads, so that equal pods share a score plane.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::constraints::Constraints;
use super::disruption::DisruptionBudget;
use super::model::{
    ClassId, DaemonSet, ExtendedId, LocalTemplate, NamespaceId, OnInterrupt, PodClass, PodLife,
    PodTemplate, Requests, Service, TemplateId, Toleration, Trace, TraceUse, WorkloadId,
    WorkloadInfo, WorkloadKind, Workloads,
};
use super::sidecar::{Injected, Sidecar};
use crate::rng::Distribution;
use crate::units::{Bytes, MilliCpu};

/// Most distinct pod shapes in one trace; beyond it memory and the score
/// planes lose their bound.
pub const MAX_SHAPES: usize = 1_000_000;

/// The extended resource by which a node states how many EBS volumes it can
/// attach (kubernetes `pkg/volume/util/attach_limit.go`, 1.31).
pub const VOLUMES: &str = "attachable-volumes-aws-ebs";

/// What may differ from pod to pod within one workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PodShape {
    /// Requested cpu; `None` is an absent request.
    pub cpu: Option<MilliCpu>,
    /// Requested memory; `None` is an absent request.
    pub memory: Option<Bytes>,
    /// What the scheduler's score counts as its cpu, where that is neither the
    /// request nor the default of one container without any.
    pub nonzero_cpu: Option<MilliCpu>,
    /// As `nonzero_cpu`, of memory.
    pub nonzero_memory: Option<Bytes>,
    /// Extended resources by name, whole units.
    pub extended: Vec<(String, i64)>,
    /// Namespace.
    pub namespace: String,
    /// Scheduling priority.
    pub priority: i32,
}

/// What all pods of a workload have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct PodRules {
    /// Labels a node must carry.
    pub node_selector: Vec<(String, String)>,
    /// Taints tolerated.
    pub tolerations: Vec<Toleration>,
    /// What an interruption costs.
    pub on_interrupt: OnInterrupt,
    /// From bound to running, milliseconds.
    pub startup: Distribution,
    /// How they begin and end.
    pub life: PodLife,
    /// `preemptionPolicy: Never`.
    pub never_preempts: bool,
    /// Number of the scheduler profile that places them.
    pub profile: u8,
    /// Further constraints, one for each namespace of pods that a constraint
    /// has to do with.
    pub constraints: Vec<Arc<Constraints>>,
}

impl Default for PodRules {
    fn default() -> Self {
        PodRules {
            node_selector: Vec::new(),
            tolerations: Vec::new(),
            on_interrupt: OnInterrupt::default(),
            startup: Distribution::Constant(0.0),
            life: PodLife::default(),
            never_preempts: false,
            profile: 0,
            constraints: Vec::new(),
        }
    }
}

impl PodRules {
    /// The same for pods whose volumes are in a zone.
    pub(super) fn at(&self, zone: &str) -> PodRules {
        let mut rules = self.clone();
        for constraints in &mut rules.constraints {
            Arc::make_mut(constraints).volume_zones = Some(vec![zone.to_owned()]);
        }
        rules
    }
}

/// A trace with the meaning of its templates: complete in itself, and shared
/// by every case that replays it.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceData {
    /// The rows.
    pub trace: Arc<Trace>,
    /// Meaning of each [`LocalTemplate`].
    pub shapes: Arc<[PodShape]>,
    /// What its pods have in common.
    pub rules: PodRules,
}

/// Assembles [`Workloads`].
#[derive(Debug, Default)]
pub struct Builder {
    done: Workloads,
    classes: FxHashMap<PodClass, ClassId>,
    namespaces: FxHashMap<String, NamespaceId>,
    extended: FxHashMap<String, ExtendedId>,
    /// With what each is accounted under.
    sidecars: Vec<(Sidecar, WorkloadId)>,
}

impl Builder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Builder::default()
    }

    /// Adds a workload; names are unique by the caller's care.
    pub fn workload(&mut self, name: &str, kind: WorkloadKind) -> WorkloadId {
        self.done.workloads.push(WorkloadInfo { name: name.to_owned(), kind });
        WorkloadId(self.done.workloads.len() as u32 - 1)
    }

    /// Adds a sidecar, which joins the pods of templates added later. Its cost
    /// is accounted under its name, which no workload has.
    pub fn sidecar(&mut self, sidecar: &Sidecar) {
        let id = self.workload(&sidecar.name, WorkloadKind::Daemon);
        self.sidecars.push((sidecar.clone(), id));
    }

    /// The sidecars that join pods of the workload in a namespace. DaemonSets
    /// get none.
    fn injected(&self, workload: WorkloadId, namespace: &str) -> Vec<(&Sidecar, Injected)> {
        let info = &self.done.workloads[workload.index()];
        if info.kind == WorkloadKind::Daemon {
            return Vec::new();
        }
        self.sidecars
            .iter()
            .filter(|(s, _)| s.joins(&info.name, namespace))
            .map(|(s, id)| {
                let injected = Injected {
                    workload: *id,
                    cpu: s.cpu.unwrap_or_default(),
                    memory: s.memory.unwrap_or_default(),
                    usage: s.usage,
                };
                (s, injected)
            })
            .collect()
    }

    /// The id of a namespace, new or known.
    pub fn namespace(&mut self, name: &str) -> NamespaceId {
        intern(&mut self.namespaces, &mut self.done.namespaces, name, NamespaceId)
    }

    /// The id of an extended resource, new or known.
    pub fn extended(&mut self, name: &str) -> ExtendedId {
        intern(&mut self.extended, &mut self.done.extended, name, ExtendedId)
    }

    /// Adds one template; its class is shared with equal pods.
    pub fn template(
        &mut self,
        workload: WorkloadId,
        shape: &PodShape,
        rules: &PodRules,
    ) -> TemplateId {
        let extended = shape.extended.iter().map(|(name, n)| (self.extended(name), *n)).collect();
        let mut requests = Requests::new(shape.cpu, shape.memory, extended);
        if let Some(cpu) = shape.nonzero_cpu {
            requests.nonzero_cpu = cpu;
        }
        if let Some(memory) = shape.nonzero_memory {
            requests.nonzero_memory = memory;
        }
        let mut injected = Vec::new();
        for (sidecar, inside) in self.injected(workload, &shape.namespace) {
            requests.join(sidecar.cpu, sidecar.memory);
            injected.push(inside);
        }
        let mut class = PodClass {
            requests,
            node_selector: rules.node_selector.clone(),
            tolerations: rules.tolerations.clone(),
            priority: shape.priority,
            never_preempts: rules.never_preempts,
            profile: rules.profile,
            constraints: rules.constraints.iter().find(|c| c.namespace == shape.namespace).cloned(),
            ..PodClass::default()
        };
        // Order means nothing in these two, so it must not split a class.
        class.node_selector.sort();
        class.tolerations.sort();
        class.tolerations.dedup();
        let class = if let Some(id) = self.classes.get(&class) {
            *id
        } else {
            let id = ClassId(self.done.classes.len() as u32);
            self.classes.insert(class.clone(), id);
            self.done.classes.push(class);
            id
        };
        let namespace = self.namespace(&shape.namespace);
        self.done.templates.push(PodTemplate {
            class,
            workload,
            namespace,
            on_interrupt: rules.on_interrupt,
            startup: rules.startup.clone(),
            life: rules.life,
        });
        let template = TemplateId(self.done.templates.len() as u32 - 1);
        if !injected.is_empty() {
            self.done.injected.resize(template.index(), Vec::new());
            self.done.injected.push(injected);
        }
        template
    }

    /// Adds a trace: its templates become one contiguous range.
    pub fn trace(&mut self, workload: WorkloadId, data: &TraceData) {
        let template_base = self.done.templates.len() as u32;
        for shape in data.shapes.iter() {
            self.template(workload, shape, &data.rules);
        }
        self.done.traces.push(TraceUse { trace: Arc::clone(&data.trace), template_base });
    }

    /// Adds a service whose template exists.
    pub fn service(&mut self, service: Service) {
        self.done.services.push(service);
    }

    /// Adds a `DaemonSet` whose template exists.
    pub fn daemon(&mut self, daemon: DaemonSet) {
        self.done.daemons.push(daemon);
    }

    /// Adds a `PodDisruptionBudget`.
    pub fn budget(&mut self, budget: DisruptionBudget) {
        self.done.budgets.push(budget);
    }

    /// The finished tables.
    #[must_use]
    pub fn finish(mut self) -> Workloads {
        let mut constraints = self.done.classes.iter().filter_map(|c| c.constraints.as_ref());
        if constraints.any(|c| c.attached_volumes > 0) {
            // Last: no pod requests it, and those that are requested keep their
            // numbers.
            self.extended(VOLUMES);
        }
        self.done.add_leaving_classes();
        self.done
    }
}

fn intern<Id: Copy>(
    ids: &mut FxHashMap<String, Id>,
    names: &mut Vec<String>,
    name: &str,
    new: impl Fn(u32) -> Id,
) -> Id {
    if let Some(id) = ids.get(name) {
        return *id;
    }
    let id = new(names.len() as u32);
    ids.insert(name.to_owned(), id);
    names.push(name.to_owned());
    id
}

/// Everything that makes two rows of one trace differ in template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct RowKey {
    cpu: Option<MilliCpu>,
    memory: Option<Bytes>,
    namespace: u32,
    priority: i32,
    extended: u32,
}

/// The templates of one trace while it is read.
#[derive(Debug, Default)]
pub struct LocalTemplates {
    extended_names: Vec<String>,
    last: Option<(RowKey, LocalTemplate)>,
    ids: FxHashMap<RowKey, LocalTemplate>,
    shapes: Vec<PodShape>,
    last_namespace: u32,
    namespace_ids: FxHashMap<String, u32>,
    namespaces: Vec<String>,
    extended_ids: FxHashMap<Box<[i64]>, u32>,
}

impl LocalTemplates {
    /// A table for rows that carry these extended resources, in this order.
    #[must_use]
    pub fn new(extended_names: &[String]) -> Self {
        LocalTemplates { extended_names: extended_names.to_vec(), ..LocalTemplates::default() }
    }

    /// The template of a row; `None` once [`MAX_SHAPES`] are taken.
    /// `extended` has one amount per extended resource, or is empty.
    pub fn intern(
        &mut self,
        cpu: Option<MilliCpu>,
        memory: Option<Bytes>,
        extended: &[i64],
        namespace: &str,
        priority: i32,
    ) -> Option<LocalTemplate> {
        let key = RowKey {
            cpu,
            memory,
            namespace: self.namespace(namespace),
            priority,
            extended: self.extended(extended),
        };
        if let Some((last, id)) = self.last
            && last == key
        {
            return Some(id);
        }
        let id = match self.ids.get(&key) {
            Some(id) => *id,
            None if self.shapes.len() >= MAX_SHAPES => return None,
            None => {
                let id = LocalTemplate(self.shapes.len() as u32);
                let named = self.extended_names.iter().zip(extended);
                self.shapes.push(PodShape {
                    cpu,
                    memory,
                    extended: named
                        .filter(|(_, n)| **n > 0)
                        .map(|(name, n)| (name.clone(), *n))
                        .collect(),
                    namespace: namespace.to_owned(),
                    priority,
                    ..PodShape::default()
                });
                self.ids.insert(key, id);
                id
            }
        };
        self.last = Some((key, id));
        Some(id)
    }

    fn namespace(&mut self, name: &str) -> u32 {
        if self.namespaces.get(self.last_namespace as usize).is_some_and(|n| n == name) {
            return self.last_namespace;
        }
        self.last_namespace = intern(&mut self.namespace_ids, &mut self.namespaces, name, |i| i);
        self.last_namespace
    }

    fn extended(&mut self, amounts: &[i64]) -> u32 {
        if amounts.iter().all(|n| *n == 0) {
            return 0;
        }
        if let Some(id) = self.extended_ids.get(amounts) {
            return *id;
        }
        let id = self.extended_ids.len() as u32 + 1;
        self.extended_ids.insert(amounts.into(), id);
        id
    }

    /// Distinct shapes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Whether no row was interned yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The meaning of each template, in order of first use.
    #[must_use]
    pub fn finish(self) -> Vec<PodShape> {
        self.shapes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(cpu: i64, namespace: &str) -> PodShape {
        PodShape {
            cpu: Some(MilliCpu(cpu)),
            memory: None,
            extended: vec![("nvidia.com/gpu".into(), 1)],
            namespace: namespace.into(),
            ..PodShape::default()
        }
    }

    #[test]
    fn equal_pods_of_two_workloads_share_a_class() {
        let mut builder = Builder::new();
        let a = builder.workload("a", WorkloadKind::Batch);
        let b = builder.workload("b", WorkloadKind::Batch);
        let mut trace = Trace::default();
        trace.push(0, 1, LocalTemplate(1), 1, None);
        let data = TraceData {
            trace: Arc::new(trace),
            shapes: Arc::from([shape(1, "x"), shape(2, "y")]),
            rules: PodRules::default(),
        };
        builder.trace(a, &data);
        builder.trace(b, &data);
        let done = builder.finish();
        assert_eq!((done.classes.len(), done.templates.len()), (2, 4));
        assert!(Arc::ptr_eq(&done.traces[0].trace, &done.traces[1].trace));
        assert_eq!(done.traces[1].template(0), TemplateId(3));
        assert_eq!(done.templates[3].workload, b);
        assert_eq!(done.namespaces, ["x", "y"]);
        assert_eq!(done.classes[0].requests.extended, [(ExtendedId(0), 1)]);
    }

    #[test]
    fn local_templates_tell_rows_apart_by_every_part() {
        let mut table = LocalTemplates::new(&["nvidia.com/gpu".into()]);
        let cpu = Some(MilliCpu(500));
        let mut id = |cpu, ext: &[i64], ns, priority| {
            table.intern(cpu, None, ext, ns, priority).expect("room").0
        };
        assert_eq!(id(cpu, &[0], "a", 0), 0);
        assert_eq!(id(cpu, &[1], "a", 0), 1);
        assert_eq!(id(cpu, &[1], "b", 0), 2);
        assert_eq!(id(cpu, &[1], "b", 5), 3);
        assert_eq!(id(None, &[1], "b", 5), 4);
        assert_eq!(id(Some(MilliCpu(0)), &[1], "b", 5), 5);
        assert_eq!(id(cpu, &[], "a", 0), 0);
        assert_eq!(id(cpu, &[1], "b", 0), 2);
        assert_eq!(table.finish()[2], shape(500, "b"));
    }
}
