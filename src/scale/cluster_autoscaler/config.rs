//! Settings of the Cluster Autoscaler, under the names of its flags, with the
//! defaults of the version that is replayed.

use crate::units::{Percent, SimDuration, SimTime};

/// How one of several possible scale-ups is chosen (`--expander`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expander {
    /// Any of them, uniformly.
    Random,
    /// Those that help the most pods.
    MostPods,
    /// Those that add the fewest nodes.
    LeastNodes,
    /// Those that leave the smallest share of cpu plus memory unrequested.
    LeastWaste,
}

/// Flags of the Cluster Autoscaler; defaults from
/// `cluster-autoscaler/config/flags/flags.go` (release 1.37, compared with
/// 1.30 to 1.36).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `--scan-interval`: from the start of one loop to the next.
    pub scan_interval: SimDuration,
    /// `--frequent-loops-enabled`: whether a productive loop is followed by
    /// the next one at once (`loop/trigger.go`).
    pub frequent_loops: bool,
    /// `--expander`: filters applied in order; what remains is drawn from.
    pub expanders: Vec<Expander>,
    /// `--max-nodes-per-scaleup`.
    pub max_nodes_per_scaleup: u32,
    /// `--max-nodes-total`; 0 is no limit.
    pub max_nodes_total: u32,
    /// `--new-pod-scale-up-delay`: a pod must be older than this to be helped.
    pub new_pod_scale_up_delay: SimDuration,
    /// While even the oldest pod to help is younger than this, the loop
    /// neither adds nor deletes nodes (`core/static_autoscaler.go`,
    /// `unschedulablePodTimeBuffer`).
    pub very_new_pod_guard: SimDuration,
    /// `--expendable-pods-priority-cutoff`: pods below it neither cause a
    /// scale-up nor keep a node.
    pub expendable_pods_priority_cutoff: i32,
    /// `--scale-down-enabled`.
    pub scale_down_enabled: bool,
    /// `--scale-down-unneeded-time`.
    pub scale_down_unneeded_time: SimDuration,
    /// `--scale-down-delay-after-add`.
    pub scale_down_delay_after_add: SimDuration,
    /// `--scale-down-utilization-threshold`: a node above it stays.
    pub scale_down_utilization_threshold: Percent,
    /// `--unremovable-node-recheck-timeout`.
    pub unremovable_node_recheck_timeout: SimDuration,
    /// `--max-scale-down-parallelism`: deletions in progress, empty and
    /// drained together.
    pub max_scale_down_parallelism: u32,
    /// `--max-drain-parallelism`.
    pub max_drain_parallelism: u32,
    /// `--max-bulk-soft-taint-count`: soft taint changes a loop.
    pub max_bulk_soft_taint_count: u32,
    /// `--node-delete-delay-after-taint`: from the `NoSchedule` taint to the
    /// drain. Carried out by the caller.
    pub node_delete_delay_after_taint: SimDuration,
    /// `--cordon-node-before-terminating`. Carried out by the caller.
    pub cordon_node_before_terminating: bool,
}

impl Config {
    /// The defaults of Cluster Autoscaler 1.`minor`.
    #[must_use]
    pub fn for_version(minor: u32) -> Self {
        Config {
            scan_interval: SimDuration::from_secs(10),
            frequent_loops: minor >= 35,
            expanders: vec![if minor >= 33 { Expander::LeastWaste } else { Expander::Random }],
            max_nodes_per_scaleup: 1_000,
            max_nodes_total: 0,
            new_pod_scale_up_delay: SimDuration::ZERO,
            very_new_pod_guard: SimDuration::from_secs(2),
            expendable_pods_priority_cutoff: -10,
            scale_down_enabled: true,
            scale_down_unneeded_time: SimDuration::from_secs(600),
            scale_down_delay_after_add: SimDuration::from_secs(600),
            scale_down_utilization_threshold: Percent { ppm: 500_000 },
            unremovable_node_recheck_timeout: SimDuration::from_secs(300),
            max_scale_down_parallelism: 10,
            max_drain_parallelism: 1,
            max_bulk_soft_taint_count: 10,
            node_delete_delay_after_taint: SimDuration::from_secs(5),
            cordon_node_before_terminating: minor >= 34,
        }
    }

    /// When the loop after the one at `last` starts, on time alone. With
    /// frequent loops a productive one is followed at once.
    #[must_use]
    pub fn loop_after(&self, last: SimTime, productive: bool) -> SimTime {
        if productive && self.frequent_loops { last } else { last + self.scan_interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_change_with_the_version() {
        let of = |minor| {
            let c = Config::for_version(minor);
            (c.expanders[0], c.cordon_node_before_terminating, c.frequent_loops)
        };
        assert_eq!(of(31), (Expander::Random, false, false));
        assert_eq!(of(32), (Expander::Random, false, false));
        assert_eq!(of(33), (Expander::LeastWaste, false, false));
        assert_eq!(of(34), (Expander::LeastWaste, true, false));
        assert_eq!(of(35), (Expander::LeastWaste, true, true));
    }

    #[test]
    fn a_productive_loop_is_followed_at_once_from_1_35() {
        let at = SimTime(20_000);
        assert_eq!(Config::for_version(34).loop_after(at, true), SimTime(30_000));
        assert_eq!(Config::for_version(35).loop_after(at, true), at);
        assert_eq!(Config::for_version(35).loop_after(at, false), SimTime(30_000));
    }
}
