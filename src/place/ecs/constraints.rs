//! Placement constraints: which instances may take a task at all.
//!
//! Rules: Amazon ECS developer guide, "Task placement constraints" (2023-06).
//! All constraints of a task bind, whatever states them.
//!
//! What an instance is does not change, so the conditions that ask no more than
//! that are answered once, when it registers; those that ask for the tasks on
//! it are answered anew for every task.

use std::fmt;

use super::query::{Expr, Facts};
use crate::cluster::NodeTraits;

/// A placement constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// No two tasks of one group on one instance.
    DistinctInstance,
    /// Only instances that satisfy the expression.
    MemberOf(Expr),
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constraint::DistinctInstance => f.write_str("distinctInstance"),
            Constraint::MemberOf(expr) => write!(f, "memberOf({expr})"),
        }
    }
}

/// What is true of an instance for as long as it is registered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registered {
    /// Its id: how reports call it, `POOL/NUMBER`.
    ///
    /// DIFFERENCE: ids of EC2 are drawn by AWS and mean nothing here.
    pub id: String,
    /// When it registered, milliseconds since 1970 UTC.
    pub at: i64,
}

/// Whether some task is of a group that is wanted.
pub type AnyGroup<'a> = dyn Fn(&dyn Fn(&str) -> bool) -> bool + 'a;

/// A container instance as expressions see it.
pub struct Host<'a> {
    /// Its attributes.
    pub traits: &'a NodeTraits,
    /// Version of the agent on every instance, where it is stated.
    pub agent_version: Option<&'a [u64]>,
    /// What it is, if it is a certain one.
    pub registered: Option<&'a Registered>,
    /// Tasks on it and their groups, if it is a certain one.
    pub tasks: Option<(u64, &'a AnyGroup<'a>)>,
}

impl Facts for Host<'_> {
    fn attribute(&self, name: &str) -> Option<Option<&str>> {
        Some(self.traits.label(name))
    }

    /// An agent that is not connected gets no tasks in the first place.
    fn agent_connected(&self) -> Option<bool> {
        Some(true)
    }

    fn agent_version(&self) -> Option<&[u64]> {
        self.agent_version
    }

    fn ec2_instance_id(&self) -> Option<&str> {
        self.registered.map(|r| r.id.as_str())
    }

    fn registered_at(&self) -> Option<i64> {
        self.registered.map(|r| r.at)
    }

    /// DIFFERENCE: tasks that still start are counted as running.
    fn running_tasks(&self) -> Option<u64> {
        self.tasks.map(|(count, _)| count)
    }

    fn runs(&self, wanted: &dyn Fn(&str) -> bool) -> Option<bool> {
        self.tasks.map(|(_, any)| any(wanted))
    }
}

/// The constraints of one group, sorted by what they ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct Compiled {
    pub(super) distinct: bool,
    /// Ask for nothing but what the instance is.
    fixed: Vec<Expr>,
    /// Ask for the tasks on it.
    changing: Vec<Expr>,
    /// By slot: whether the instance satisfies all of `fixed`.
    satisfied: Vec<bool>,
}

impl Compiled {
    pub(super) fn new(constraints: &[Constraint]) -> Option<Box<Compiled>> {
        if constraints.is_empty() {
            return None;
        }
        let mut all = Compiled::default();
        for constraint in constraints {
            match constraint {
                Constraint::DistinctInstance => all.distinct = true,
                Constraint::MemberOf(expr) => {
                    for part in expr.conjuncts() {
                        let list =
                            if part.needs().tasks { &mut all.changing } else { &mut all.fixed };
                        list.push(part.clone());
                    }
                }
            }
        }
        Some(Box::new(all))
    }

    /// Whether tasks of other groups that come can let one of this in.
    pub(super) fn watches_tasks(&self) -> bool {
        !self.changing.is_empty()
    }

    pub(super) fn register(&mut self, slot: usize, host: &Host<'_>) {
        if self.satisfied.len() <= slot {
            self.satisfied.resize(slot + 1, false);
        }
        self.satisfied[slot] = self.fixed.iter().all(|e| e.holds(host) == Some(true));
    }

    /// Whether some instance with these traits may be let in.
    pub(super) fn may_admit(&self, host: &Host<'_>) -> bool {
        self.fixed.iter().chain(&self.changing).all(|e| e.holds(host) != Some(false))
    }

    /// Whether the instance is let in, of whose group `own` tasks are there.
    #[inline]
    pub(super) fn admits(&self, slot: usize, own: u32, host: impl FnOnce(&[Expr]) -> bool) -> bool {
        !(self.distinct && own > 0)
            && self.satisfied.get(slot).copied().unwrap_or(false)
            && (self.changing.is_empty() || host(&self.changing))
    }
}
