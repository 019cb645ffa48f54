//! Tasks that wait for an instance, first come, first served.
//!
//! Tasks are tried one at a time in the order in which they came; one that
//! fits nowhere does not hold up those behind it. Tasks alike in requests,
//! owner and capacity provider form a group, and a group of which one task
//! fits nowhere is not tried again until an instance gains room for it. So a
//! backlog of n tasks in g groups costs O(log g) per task placed and O(g) per
//! instance that gains room, whatever n is.

use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use rustc_hash::FxHashMap;

use crate::cluster::{PodId, PoolId};
use crate::workload::ClassId;

/// A task without capacity provider: launch type EC2.
pub const NO_PROVIDER: u16 = u16::MAX;

/// Tasks that placement cannot tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskGroup {
    /// What they request.
    pub class: ClassId,
    /// Whose they are: the group of the placer.
    pub owner: u32,
    /// Their capacity provider; [`NO_PROVIDER`] with launch type EC2.
    pub provider: u16,
}

impl TaskGroup {
    /// The pool whose instances take it; `None` is any.
    #[must_use]
    pub fn pool(&self) -> Option<PoolId> {
        (self.provider != NO_PROVIDER).then(|| PoolId(u32::from(self.provider)))
    }
}

/// A task that is not there any more.
const GONE: PodId = PodId(u32::MAX);

#[derive(Debug, Clone)]
struct Waiting {
    group: TaskGroup,
    /// (Sequence, task), ascending; those taken out early are [`GONE`].
    tasks: VecDeque<(u64, PodId)>,
    /// Tasks not gone.
    count: usize,
    /// Whether an instance may hold one.
    hopeful: bool,
}

impl Waiting {
    /// Drops gone tasks in front; the first that is left.
    fn head(&mut self) -> Option<(u64, PodId)> {
        while self.tasks.front().is_some_and(|(_, id)| *id == GONE) {
            self.tasks.pop_front();
        }
        self.tasks.front().copied()
    }
}

/// The tasks that wait.
#[derive(Debug, Clone, Default)]
pub struct Provisioning {
    waiting: Vec<Waiting>,
    index: FxHashMap<TaskGroup, u32>,
    /// Hopeful groups by the sequence of their first task.
    hopeful: BTreeSet<(u64, u32)>,
    /// By task: (group, sequence) while it waits.
    places: Vec<(u32, u64)>,
    next: u64,
}

impl Provisioning {
    /// A task waits from now on.
    pub fn push(&mut self, id: PodId, group: TaskGroup) {
        let at = *self.index.entry(group).or_insert_with(|| {
            self.waiting.push(Waiting { group, tasks: VecDeque::new(), count: 0, hopeful: true });
            self.waiting.len() as u32 - 1
        });
        let waiting = &mut self.waiting[at as usize];
        if waiting.count == 0 {
            waiting.tasks.clear();
            // Nobody kept watch for an empty group.
            waiting.hopeful = true;
            self.hopeful.insert((self.next, at));
        }
        waiting.tasks.push_back((self.next, id));
        waiting.count += 1;
        let task = id.0 as usize;
        if self.places.len() <= task {
            self.places.resize(task + 1, (u32::MAX, 0));
        }
        self.places[task] = (at, self.next);
        self.next += 1;
    }

    /// The first task that an instance may hold.
    pub fn first(&mut self) -> Option<(PodId, TaskGroup)> {
        let (_, at) = *self.hopeful.first()?;
        let waiting = &mut self.waiting[at as usize];
        waiting.head().map(|(_, id)| (id, waiting.group))
    }

    /// What [`Provisioning::first`] gave fits nowhere, nor do its like.
    pub fn give_up(&mut self) {
        if let Some((_, at)) = self.hopeful.pop_first() {
            self.waiting[at as usize].hopeful = false;
        }
    }

    /// An instance gained room: `holds` says of a group whether it can take a
    /// task of it. Returns whether any group has hope again.
    pub fn room(&mut self, holds: impl Fn(&TaskGroup) -> bool) -> bool {
        for (at, waiting) in self.waiting.iter_mut().enumerate() {
            if !waiting.hopeful && waiting.count > 0 && holds(&waiting.group) {
                waiting.hopeful = true;
                if let Some((sequence, _)) = waiting.head() {
                    self.hopeful.insert((sequence, at as u32));
                }
            }
        }
        !self.hopeful.is_empty()
    }

    /// A task was placed or stopped.
    pub fn remove(&mut self, id: PodId) {
        let (at, sequence) = std::mem::replace(&mut self.places[id.0 as usize], (u32::MAX, 0));
        let waiting = &mut self.waiting[at as usize];
        let first = waiting.head().map(|t| t.0);
        let Ok(position) = waiting.tasks.binary_search_by_key(&sequence, |t| t.0) else {
            debug_assert!(false, "a task that does not wait cannot stop waiting");
            return;
        };
        waiting.tasks[position].1 = GONE;
        waiting.count -= 1;
        if waiting.hopeful && first == Some(sequence) {
            self.hopeful.remove(&(sequence, at));
            if let Some((next, _)) = waiting.head() {
                self.hopeful.insert((next, at));
            }
        }
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.iter().map(|w| w.count).sum()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.iter().all(|w| w.count == 0)
    }

    /// Of the `limit` oldest tasks with a capacity provider, how many belong
    /// to each group; groups in the order in which they first came.
    /// O(g + limit · log g).
    #[must_use]
    pub fn oldest(&self, limit: usize) -> Vec<(TaskGroup, u32)> {
        let counted: Vec<&Waiting> = self
            .waiting
            .iter()
            .filter(|w| w.count > 0 && w.group.provider != NO_PROVIDER)
            .collect();
        if counted.iter().map(|w| w.count).sum::<usize>() <= limit {
            return counted.iter().map(|w| (w.group, w.count as u32)).collect();
        }
        let mut tasks: Vec<_> =
            counted.iter().map(|w| w.tasks.iter().filter(|t| t.1 != GONE)).collect();
        let mut heads: BinaryHeap<std::cmp::Reverse<(u64, usize)>> = tasks
            .iter_mut()
            .enumerate()
            .filter_map(|(i, t)| t.next().map(|t| std::cmp::Reverse((t.0, i))))
            .collect();
        let mut counts = vec![0; counted.len()];
        for _ in 0..limit {
            let Some(std::cmp::Reverse((_, i))) = heads.pop() else { break };
            counts[i] += 1;
            heads.extend(tasks[i].next().map(|t| std::cmp::Reverse((t.0, i))));
        }
        let groups = counted.iter().map(|w| w.group);
        groups.zip(counts).filter(|(_, n)| *n > 0).collect()
    }
}
