//! Live pods: a slab with generations, and per-node lists through it.

use super::nodes::Slot;
use crate::units::SimTime;
use crate::workload::TemplateId;

/// A live pod: an index into the slab. Reused after the pod is gone, so
/// whoever stores one across time keeps the generation with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodId(pub u32);

/// Where a pod stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodState {
    /// Waiting for a node (or for the Fargate launch bucket).
    Pending,
    /// Counted on a node since it was bound there.
    OnNode(Slot),
    /// On a Fargate machine: index into `Record::fargate`.
    OnFargate(u32),
}

const NONE: u32 = u32::MAX;

/// Numbers of work within its trace or service take so many bits of an ordinal.
const NUMBER_BITS: u32 = 40;
/// Set in ordinals of service replicas.
const SERVICE_BIT: u64 = 1 << 63;

/// One live pod.
#[derive(Debug, Clone, Copy)]
pub struct Pod {
    /// Its template.
    pub template: TemplateId,
    /// Where it stands.
    pub state: PodState,
    /// Which service it belongs to; `u32::MAX` for batch pods.
    pub service: u32,
    /// Stable number of the work within its workload, the same in every case;
    /// a replacement keeps it.
    pub ordinal: u64,
    /// Index of its record where pod records are kept.
    pub record: u32,
    /// When it was submitted.
    pub submitted: SimTime,
    /// When it was bound.
    pub bound: SimTime,
    /// When it runs; known once bound.
    pub running: SimTime,
    /// Work still to do once running, milliseconds; a service's is unbounded.
    pub work_ms: i64,
    /// Mean cpu used, milli-cores; -1 unknown.
    pub used_cpu: i64,
    /// Mean memory used, bytes; -1 unknown.
    pub used_memory: i64,
    /// Whether its service counts it among the ready.
    pub ready: bool,
    /// Its capacity provider on ECS; `u16::MAX` without one.
    pub provider: u16,
    generation: u32,
    next: u32,
    previous: u32,
}

impl Pod {
    /// A batch pod that is not on any node yet.
    #[must_use]
    pub fn pending(template: TemplateId, submitted: SimTime, work_ms: i64) -> Self {
        Pod {
            template,
            state: PodState::Pending,
            service: NONE,
            ordinal: 0,
            record: NONE,
            submitted,
            bound: SimTime::NEVER,
            running: SimTime::NEVER,
            work_ms,
            used_cpu: -1,
            used_memory: -1,
            ready: false,
            provider: u16::MAX,
            generation: 0,
            next: NONE,
            previous: NONE,
        }
    }

    /// Ordinal of the work with this number in a trace.
    #[must_use]
    pub const fn trace_ordinal(trace: usize, number: u64) -> u64 {
        ((trace as u64) << NUMBER_BITS) | number
    }

    /// Ordinal of the replica with this number of a service.
    #[must_use]
    pub const fn service_ordinal(service: usize, number: u64) -> u64 {
        SERVICE_BIT | ((service as u64) << NUMBER_BITS) | number
    }

    /// What an ordinal is made of: a key of its trace or service, and its
    /// number there.
    #[must_use]
    pub const fn origin(ordinal: u64) -> (u64, u64) {
        (ordinal >> NUMBER_BITS, ordinal & ((1 << NUMBER_BITS) - 1))
    }

    /// The trace that an ordinal's work is from; `None` for a service.
    #[must_use]
    pub fn trace_of(ordinal: u64) -> Option<usize> {
        (ordinal & SERVICE_BIT == 0).then_some((ordinal >> NUMBER_BITS) as usize)
    }

    /// The service it belongs to, if any.
    #[must_use]
    pub fn service_index(&self) -> Option<usize> {
        (self.service != NONE).then_some(self.service as usize)
    }
}

/// The slab of live pods with one list of pods per node slot.
#[derive(Debug, Clone, Default)]
pub struct Pods {
    slab: Vec<Pod>,
    free: Vec<u32>,
    /// First pod of each node slot.
    heads: Vec<u32>,
}

impl Pods {
    /// Adds a pod; returns its id.
    pub fn insert(&mut self, mut pod: Pod) -> PodId {
        if let Some(id) = self.free.pop() {
            let slot = &mut self.slab[id as usize];
            pod.generation = slot.generation;
            *slot = pod;
            PodId(id)
        } else {
            self.slab.push(pod);
            PodId(self.slab.len() as u32 - 1)
        }
    }

    /// Forgets a pod; its id may be reused with another generation.
    pub fn remove(&mut self, id: PodId) -> Pod {
        if let PodState::OnNode(slot) = self[id].state {
            self.detach(id, slot);
        }
        let pod = &mut self.slab[id.0 as usize];
        pod.generation = pod.generation.wrapping_add(1);
        self.free.push(id.0);
        self.slab[id.0 as usize]
    }

    /// The generation to store beside an id.
    #[must_use]
    pub fn generation(&self, id: PodId) -> u32 {
        self.slab[id.0 as usize].generation
    }

    /// Whether the id still names the pod it named then.
    #[must_use]
    pub fn is_current(&self, id: PodId, generation: u32) -> bool {
        self.slab[id.0 as usize].generation == generation
    }

    /// Live pods.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slab.len() - self.free.len()
    }

    /// Whether none lives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ids of all live pods, ascending.
    #[must_use]
    pub fn live(&self) -> Vec<PodId> {
        let mut dead = vec![false; self.slab.len()];
        for id in &self.free {
            dead[*id as usize] = true;
        }
        (0..self.slab.len() as u32).filter(|i| !dead[*i as usize]).map(PodId).collect()
    }

    /// Puts a pending pod on a node.
    pub fn attach(&mut self, id: PodId, slot: Slot) {
        if self.heads.len() <= slot.index() {
            self.heads.resize(slot.index() + 1, NONE);
        }
        let head = self.heads[slot.index()];
        if head != NONE {
            self.slab[head as usize].previous = id.0;
        }
        self.heads[slot.index()] = id.0;
        let pod = &mut self.slab[id.0 as usize];
        debug_assert_eq!(pod.state, PodState::Pending);
        pod.state = PodState::OnNode(slot);
        pod.next = head;
        pod.previous = NONE;
    }

    fn detach(&mut self, id: PodId, slot: Slot) {
        let Pod { next, previous, .. } = self.slab[id.0 as usize];
        if previous == NONE {
            self.heads[slot.index()] = next;
        } else {
            self.slab[previous as usize].next = next;
        }
        if next != NONE {
            self.slab[next as usize].previous = previous;
        }
    }

    /// The pods of a node, the one bound last first.
    pub fn on(&self, slot: Slot) -> impl Iterator<Item = PodId> + '_ {
        let mut at = self.heads.get(slot.index()).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            (at != NONE).then(|| {
                let id = PodId(at);
                at = self.slab[at as usize].next;
                id
            })
        })
    }
}

impl std::ops::Index<PodId> for Pods {
    type Output = Pod;
    fn index(&self, id: PodId) -> &Pod {
        &self.slab[id.0 as usize]
    }
}

impl std::ops::IndexMut<PodId> for Pods {
    fn index_mut(&mut self, id: PodId) -> &mut Pod {
        &mut self.slab[id.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_come_apart_again() {
        let (trace, service) = (Pod::trace_ordinal(3, 17), Pod::service_ordinal(3, 17));
        assert_eq!((Pod::origin(trace).1, Pod::trace_of(trace)), (17, Some(3)));
        assert_eq!((Pod::origin(service).1, Pod::trace_of(service)), (17, None));
        assert_ne!(Pod::origin(trace).0, Pod::origin(service).0);
    }

    #[test]
    fn node_lists_survive_removal_anywhere() {
        let mut pods = Pods::default();
        let ids: Vec<PodId> =
            (0..5).map(|i| pods.insert(Pod::pending(TemplateId(i), SimTime::ZERO, 1))).collect();
        for id in &ids {
            pods.attach(*id, Slot(3));
        }
        assert_eq!(pods.on(Slot(3)).map(|p| p.0).collect::<Vec<_>>(), [4, 3, 2, 1, 0]);
        let generation = pods.generation(ids[2]);
        pods.remove(ids[2]);
        pods.remove(ids[4]);
        pods.remove(ids[0]);
        assert_eq!(pods.on(Slot(3)).map(|p| p.0).collect::<Vec<_>>(), [3, 1]);
        assert!(!pods.is_current(ids[2], generation));
        assert_eq!(pods.live(), [PodId(1), PodId(3)]);
        let again = pods.insert(Pod::pending(TemplateId(9), SimTime::ZERO, 1));
        assert_eq!(again, ids[0]);
        assert_eq!(pods.len(), 3);
        assert_eq!(pods.on(Slot(99)).count(), 0);
    }
}
