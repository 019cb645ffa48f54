//! Which filters kept a pod from every node: what decides the events that are
//! worth another attempt.

/// Names of the filters, in upstream order; a set of them is a bit mask.
pub const FILTERS: [&str; 12] = [
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
];

/// A set of filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rejectors(u16);

impl Rejectors {
    /// Adds a filter by its upstream name; others are left out.
    pub fn insert(&mut self, plugin: &str) {
        if let Some(at) = FILTERS.iter().position(|name| *name == plugin) {
            self.0 |= 1 << at;
        }
    }

    /// Whether the filter is among them.
    #[must_use]
    pub fn contains(self, plugin: &str) -> bool {
        FILTERS.iter().position(|name| *name == plugin).is_some_and(|at| self.0 & (1 << at) != 0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a pod that leaves a node can change what they say
    /// (`EventsToRegister` of the plugins, 1.31).
    #[must_use]
    pub fn await_deletions(self) -> bool {
        [
            "NodePorts",
            "NodeResourcesFit",
            "VolumeRestrictions",
            "NodeVolumeLimits",
            "PodTopologySpread",
            "InterPodAffinity",
        ]
        .iter()
        .any(|name| self.contains(name))
    }

    /// Their upstream names, in upstream order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        FILTERS.iter().enumerate().filter(move |(at, _)| self.0 & (1 << at) != 0).map(|(_, n)| *n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_filters_know_their_names() {
        let mut set = Rejectors::default();
        assert!(set.is_empty() && !set.await_deletions());
        set.insert("TaintToleration");
        set.insert("unknown");
        assert!(!set.await_deletions());
        set.insert("NodePorts");
        assert!(set.contains("NodePorts") && !set.contains("NodeAffinity"));
        assert!(set.await_deletions());
        assert_eq!(set.names().collect::<Vec<_>>(), ["TaintToleration", "NodePorts"]);
    }
}
