//! `PodDisruptionBudget`s: how many pods of a group may be down at once.

use super::constraints::{Constraints, LabelSelector};

/// A number of pods, or a share of those there should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Amount {
    /// So many.
    Count(u32),
    /// So many percent, rounded up.
    Percent(u32),
}

impl Amount {
    fn of(self, expected: u64) -> u64 {
        match self {
            Amount::Count(count) => u64::from(count),
            Amount::Percent(percent) => (expected * u64::from(percent)).div_ceil(100),
        }
    }
}

/// What a budget promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// `minAvailable`.
    MinAvailable(Amount),
    /// `maxUnavailable`.
    MaxUnavailable(Amount),
}

/// A `PodDisruptionBudget` (`policy/v1`).
///
/// DIFFERENCE: only preemption heeds it. The eviction API, by which the
/// autoscaler drains nodes, would wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DisruptionBudget {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Which pods of the namespace it guards; an empty selector all of them,
    /// `None` none.
    pub selector: Option<LabelSelector>,
    /// What it promises.
    pub limit: Limit,
}

impl DisruptionBudget {
    /// Whether it guards pods with these constraints.
    #[must_use]
    pub fn guards(&self, pod: &Constraints) -> bool {
        self.namespace == pod.namespace
            && self.selector.as_ref().is_some_and(|s| s.matches(&pod.labels))
    }

    /// `status.disruptionsAllowed` with so many healthy pods and so many that
    /// their owners want (with an integer `minAvailable`: that there are)
    /// (`pkg/controller/disruption/disruption.go`, `getExpectedPodCount`,
    /// `updatePdbStatus`). Both kinds of percentage round up.
    #[must_use]
    pub fn allowed(&self, healthy: u64, expected: u64) -> u64 {
        if expected == 0 {
            return 0;
        }
        let desired = match self.limit {
            Limit::MinAvailable(amount) => amount.of(expected),
            Limit::MaxUnavailable(amount) => expected.saturating_sub(amount.of(expected)),
        };
        healthy.saturating_sub(desired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(limit: Limit) -> DisruptionBudget {
        DisruptionBudget {
            name: "web".into(),
            namespace: "default".into(),
            selector: Some(LabelSelector::default()),
            limit,
        }
    }

    /// 25 % of 7 is 1.75: two must stay with `minAvailable`, two may go with
    /// `maxUnavailable`.
    #[test]
    fn percentages_round_up() {
        let least = budget(Limit::MinAvailable(Amount::Percent(25)));
        assert_eq!((least.allowed(7, 7), least.allowed(2, 7), least.allowed(1, 7)), (5, 0, 0));
        let most = budget(Limit::MaxUnavailable(Amount::Percent(25)));
        assert_eq!((most.allowed(7, 7), most.allowed(6, 7), most.allowed(5, 7)), (2, 1, 0));
    }

    #[test]
    fn whole_numbers_are_taken_as_they_are() {
        let least = budget(Limit::MinAvailable(Amount::Count(3)));
        assert_eq!((least.allowed(5, 5), least.allowed(3, 3), least.allowed(2, 2)), (2, 0, 0));
        let most = budget(Limit::MaxUnavailable(Amount::Count(9)));
        assert_eq!((most.allowed(5, 5), most.allowed(0, 5)), (5, 0));
    }

    #[test]
    fn without_pods_nothing_is_allowed() {
        let all = budget(Limit::MaxUnavailable(Amount::Percent(100)));
        assert_eq!((all.allowed(0, 0), all.allowed(3, 0)), (0, 0));
    }

    #[test]
    fn a_budget_guards_the_pods_of_its_namespace() {
        let pod = Constraints { namespace: "default".into(), ..Constraints::default() };
        let mut all = budget(Limit::MinAvailable(Amount::Count(1)));
        assert!(all.guards(&pod));
        all.selector = None;
        assert!(!all.guards(&pod));
        all.selector = Some(LabelSelector::default());
        all.namespace = "other".into();
        assert!(!all.guards(&pod));
    }
}
