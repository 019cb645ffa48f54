//! What the probe sees on Amazon ECS: how a task came to its capacity
//! provider, what it waited for, and how its instance was chosen.

use super::probe::{Follow, Instance};
use crate::cluster::{PoolId, ShapeId};
use crate::place::ecs::Rule;
use crate::place::ecs::plain::Unfit;
use crate::scale::ecs_capacity::StrategyItem;
use crate::units::SimTime;

/// Steps of a story that are kept.
const MAX_STEPS: usize = 10_000;

/// A task on ECS.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EcsStory {
    /// How its capacity provider was chosen, unless it kept the one it had.
    pub choice: Option<ProviderChoice>,
    /// Its capacity provider as `Pod::provider` numbers it.
    pub provider: Option<u16>,
    /// What happened while it waited.
    pub steps: Vec<EcsStep>,
    /// Steps beyond those that are kept.
    pub left_out: u64,
    /// For one that was rejected: every kind of instance of its provider.
    pub reach: Vec<EcsReach>,
}

/// The choice of a capacity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderChoice {
    /// Entries of the strategy, and how many tasks of the workload each had.
    pub entries: Vec<(StrategyItem, u32)>,
    /// The entry that was chosen.
    pub chosen: Option<usize>,
}

/// What made an instance able to take a waiting task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// It registered.
    Registered,
    /// A task left it.
    TaskLeft,
    /// A task came to it.
    TaskCame,
}

/// A step of a story.
#[derive(Debug, Clone, PartialEq)]
pub enum EcsStep {
    /// No instance could take it, for the same reasons from the first time
    /// that this was seen until the last.
    Waits {
        /// The first time.
        first: SimTime,
        /// The last.
        last: SimTime,
        /// How often it was tried.
        count: u64,
        /// What was seen.
        saw: Sight,
    },
    /// Managed scaling raised the desired size of its provider.
    ScaleOut {
        /// When.
        at: SimTime,
        /// Which.
        pool: PoolId,
        /// Desired size before.
        from: u32,
        /// Desired size after.
        to: u32,
    },
    /// An instance became able to take it.
    Woken {
        /// When.
        at: SimTime,
        /// Index of the instance's record.
        node: u32,
        /// By what.
        by: Woken,
    },
    /// It was placed.
    Placed {
        /// When.
        at: SimTime,
        /// Index of the instance's record.
        node: u32,
        /// What was seen.
        saw: Sight,
    },
}

/// Some instances: how many, and the records of the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// How many.
    pub count: u32,
    /// The first of them.
    pub first: Vec<u32>,
}

/// Instances that are named.
const SHOWN: usize = 8;

impl Named {
    /// One more.
    pub fn add(&mut self, record: u32) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(record);
        }
    }
}

impl FromIterator<u32> for Named {
    fn from_iter<T: IntoIterator<Item = u32>>(records: T) -> Self {
        let mut all = Named::default();
        records.into_iter().for_each(|record| all.add(record));
        all
    }
}

/// What placement sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sight {
    /// Container instances, those that register left out.
    pub instances: u32,
    /// Instances that run and have not registered.
    pub booting: u32,
    /// By reason; an instance may have several.
    pub unfit: Vec<(Unfit, Named)>,
    /// Instances that can take the task.
    pub eligible: Named,
    /// Strategies in their order: what those that it keeps have in common, and
    /// which these are.
    pub narrowed: Vec<(Rule, Option<i64>, Named)>,
}

/// An empty instance of some kind, and what keeps a task off it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcsReach {
    /// Its pool.
    pub pool: PoolId,
    /// Its shape.
    pub shape: ShapeId,
    /// Whether the pool can have instances at all.
    pub can_have_nodes: bool,
    /// What it lacks.
    pub unfit: Vec<Unfit>,
    /// Free beside daemon tasks, milli-cores.
    pub free_cpu: i64,
    /// Free beside daemon tasks, bytes.
    pub free_memory: i64,
}

impl EcsStory {
    fn step(&mut self, step: EcsStep) {
        if self.steps.len() >= MAX_STEPS && !matches!(step, EcsStep::Placed { .. }) {
            self.left_out += 1;
        } else {
            self.steps.push(step);
        }
    }

    /// No instance could take it.
    pub(crate) fn waits(&mut self, at: SimTime, sight: Sight) {
        // What woke it in vain is of no interest.
        while matches!(self.steps.last(), Some(EcsStep::Woken { .. })) {
            self.steps.pop();
        }
        if let Some(EcsStep::Waits { last, count, saw, .. }) = self.steps.last_mut()
            && *saw == sight
        {
            (*last, *count) = (at, *count + 1);
            return;
        }
        self.step(EcsStep::Waits { first: at, last: at, count: 1, saw: sight });
    }

    /// Its provider grows.
    pub(crate) fn scaled_out(&mut self, at: SimTime, pool: PoolId, from: u32, to: u32) {
        self.step(EcsStep::ScaleOut { at, pool, from, to });
    }

    /// An instance became able to take it.
    pub(crate) fn woken(&mut self, at: SimTime, node: u32, by: Woken) {
        self.step(EcsStep::Woken { at, node, by });
    }

    /// It was placed.
    pub(crate) fn placed(&mut self, at: SimTime, node: u32, saw: Sight) {
        // Of what woke it only the instance that took it is of interest.
        let others = |step: &EcsStep| match step {
            EcsStep::Woken { node: other, .. } => *other == node,
            _ => true,
        };
        self.steps.retain(others);
        self.step(EcsStep::Placed { at, node, saw });
    }
}

impl Follow {
    /// The story of the instance at hand on ECS.
    pub(crate) fn on_ecs(&mut self) -> Option<&mut EcsStory> {
        self.instance().map(|instance: &mut Instance| &mut **instance.ecs.get_or_insert_default())
    }
}
