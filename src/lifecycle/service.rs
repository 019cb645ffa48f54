//! Services: how many replicas demand asks for, how ready ones share it, and
//! which go first.

use crate::units::{Percent, SimTime};
use crate::workload::{Demand, Service};

/// Replicas that keep each busy to `target` of its request under `demand`
/// milli-cores, within the service's bounds: the fixed point that a horizontal
/// autoscaler with this target settles at.
#[must_use]
pub fn desired_replicas(service: &Service, request_cpu: i64, demand: i64) -> u32 {
    let Percent { ppm } = service.target;
    let per_replica = i128::from(request_cpu) * i128::from(ppm);
    if per_replica == 0 {
        return service.min;
    }
    let wanted = (i128::from(demand) * 1_000_000 + per_replica - 1) / per_replica;
    u32::try_from(wanted).unwrap_or(u32::MAX).clamp(service.min, service.max)
}

/// What `ready` replicas of `request_cpu` milli-cores serve of the demand. A
/// replica serves up to its request; the rest is unmet.
#[must_use]
pub fn served(demand: i64, ready: i64, request_cpu: i64) -> i64 {
    demand.min(ready.saturating_mul(request_cpu))
}

/// Walks a demand curve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DemandCursor {
    step: usize,
    /// Start of the current repetition.
    base: i64,
}

impl DemandCursor {
    /// Demand in milli-cores where the cursor stands.
    #[must_use]
    pub fn value(&self, demand: &Demand) -> i64 {
        demand.steps.get(self.step).map_or(0, |(_, cpu)| cpu.0)
    }

    /// Time of the next change, if there is one.
    #[must_use]
    pub fn next(&self, demand: &Demand) -> Option<SimTime> {
        match (demand.steps.get(self.step + 1), demand.period) {
            (Some((at, _)), _) => Some(SimTime(self.base + at.ms())),
            (None, Some(period)) if demand.steps.len() > 1 => {
                Some(SimTime(self.base + period.ms()))
            }
            (None, _) => None,
        }
    }

    /// Moves to the next step, or to the first of the next repetition.
    pub fn advance(&mut self, demand: &Demand) {
        if self.step + 1 < demand.steps.len() {
            self.step += 1;
        } else if let Some(period) = demand.period {
            self.step = 0;
            self.base += period.ms();
        }
    }
}

/// A replica as scale-down sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Victim {
    /// Whatever the caller needs to find it again.
    pub key: u32,
    /// Bound to a node.
    pub assigned: bool,
    /// Ready.
    pub ready: bool,
    /// Ready replicas of the service on its node.
    pub siblings: u32,
    /// When it became ready (or was bound, or submitted).
    pub since: SimTime,
}

/// Sorts replicas so that the first are deleted first: unassigned, not ready,
/// more siblings on the node, more recent (kubernetes
/// `pkg/controller/controller_utils.go` `ActivePodsWithRanks`, 1.31).
///
/// DIFFERENCE: ages compare exactly instead of by power of two, so that the
/// order does not hang on pod UIDs.
pub fn victim_order(victims: &mut [Victim]) {
    victims.sort_unstable_by_key(|v| {
        (v.assigned, v.ready, std::cmp::Reverse(v.siblings), std::cmp::Reverse(v.since), v.key)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{MilliCpu, SimDuration};
    use crate::workload::TemplateId;

    fn service(min: u32, max: u32) -> Service {
        Service {
            template: TemplateId(0),
            demand: None,
            usage: crate::workload::Usage::default(),
            bound: Vec::new(),
            homes: Vec::new(),
            target: Percent { ppm: 600_000 },
            min,
            max,
        }
    }

    #[test]
    fn replicas_follow_demand_within_bounds() {
        // 500m at 60 % is 300m a replica.
        for (demand, replicas) in [(0, 2), (600, 2), (601, 3), (900, 3), (10_000, 10)] {
            assert_eq!(desired_replicas(&service(2, 10), 500, demand), replicas, "{demand}");
        }
        assert_eq!(desired_replicas(&service(2, 10), 0, 900), 2);
    }

    #[test]
    fn a_replica_serves_up_to_its_request() {
        assert_eq!(served(900, 3, 500), 900);
        assert_eq!(served(900, 1, 500), 500);
        assert_eq!(served(900, 0, 500), 0);
    }

    #[test]
    fn the_cursor_repeats() {
        let demand = Demand {
            steps: vec![(SimTime(0), MilliCpu(1)), (SimTime(10), MilliCpu(2))],
            period: Some(SimDuration(24)),
            ..Demand::default()
        };
        let mut cursor = DemandCursor::default();
        let mut seen = vec![(0, cursor.value(&demand))];
        for _ in 0..4 {
            let at = cursor.next(&demand).expect("repeats");
            cursor.advance(&demand);
            seen.push((at.ms(), cursor.value(&demand)));
        }
        assert_eq!(seen, [(0, 1), (10, 2), (24, 1), (34, 2), (48, 1)]);
        let flat =
            Demand { steps: vec![(SimTime(0), MilliCpu(1))], period: None, ..Demand::default() };
        assert_eq!(DemandCursor::default().next(&flat), None);
    }

    #[test]
    fn pending_then_unready_then_crowded_then_young_go_first() {
        let v = |key, assigned, ready, siblings, since| Victim {
            key,
            assigned,
            ready,
            siblings,
            since: SimTime(since),
        };
        let mut all = [
            v(0, true, true, 1, 50),
            v(1, true, true, 1, 90),
            v(2, true, true, 3, 10),
            v(3, true, false, 1, 95),
            v(4, false, false, 0, 99),
        ];
        victim_order(&mut all);
        assert_eq!(all.map(|v| v.key), [4, 3, 2, 1, 0]);
    }
}
