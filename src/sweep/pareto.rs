//! Which points no other one beats.

use super::compare::Metric;
use super::outcome::Outcome;

/// What a sweep trades off; less is better in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// Net cost, USD.
    Cost,
    /// 95th percentile of pending times, seconds.
    PendingP95,
    /// Pods evicted by drains or lost with their node.
    Disruptions,
}

/// Every objective: an answer is cost × pending latency × disruption.
pub const OBJECTIVES: [Objective; 3] =
    [Objective::Cost, Objective::PendingP95, Objective::Disruptions];

impl Objective {
    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Objective::Cost => "cost",
            Objective::PendingP95 => "pending_p95",
            Objective::Disruptions => "disruptions",
        }
    }

    /// Its value in one cell; `None` where there is none.
    #[must_use]
    pub fn value(self, of: &Outcome) -> Option<f64> {
        match self {
            Objective::Cost => Metric::Cost.value(of),
            Objective::PendingP95 => Metric::PendingP95.value(of),
            Objective::Disruptions => Some((of.pods.evicted + of.pods.interrupted) as f64),
        }
    }
}

/// Whether each point is on the front: no other is at most as large in every
/// coordinate and smaller in one. `None` takes no part. Equal points are on
/// the front together. Quadratic in the size of the front alone: points are
/// looked through in ascending order, so a point can only be beaten by one
/// before it.
#[must_use]
pub(super) fn front<const N: usize>(points: &[Option<[f64; N]>]) -> Vec<bool> {
    let mut order: Vec<(usize, &[f64; N])> =
        points.iter().enumerate().filter_map(|(i, p)| Some((i, p.as_ref()?))).collect();
    let ascending = |a: &[f64; N], b: &[f64; N]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| a.total_cmp(b))
            .find(|o| o.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    };
    order.sort_by(|a, b| ascending(a.1, b.1).then(a.0.cmp(&b.0)));
    let beats = |a: &[f64; N], b: &[f64; N]| {
        a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
    };
    let mut on = vec![false; points.len()];
    let mut kept: Vec<&[f64; N]> = Vec::new();
    for (index, point) in order {
        if !kept.iter().any(|k| beats(k, point)) {
            kept.push(point);
            on[index] = true;
        }
    }
    on
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dominated_points_are_found_by_hand() {
        let points = [
            Some([10.0, 5.0]),
            Some([8.0, 6.0]),
            Some([10.0, 6.0]), // beaten by both
            None,
            Some([8.0, 6.0]), // equal to the second
            Some([12.0, 1.0]),
            Some([12.0, 1.5]), // beaten by the one before
        ];
        assert_eq!(front(&points), [true, true, false, false, true, true, false]);
        assert_eq!(front::<2>(&[]), Vec::<bool>::new());
    }

    proptest! {
        #[test]
        fn the_front_equals_the_definition(
            points in proptest::collection::vec(
                proptest::option::weighted(0.9, proptest::array::uniform3(0u8..4)), 0..60)
        ) {
            let points: Vec<Option<[f64; 3]>> =
                points.iter().map(|p| p.map(|p| p.map(f64::from))).collect();
            let found = front(&points);
            for (i, point) in points.iter().enumerate() {
                let beaten = |p: &[f64; 3]| points.iter().flatten().any(|q| {
                    q.iter().zip(p).all(|(q, p)| q <= p)
                        && q.iter().zip(p).any(|(q, p)| q < p)
                });
                prop_assert_eq!(found[i], point.as_ref().is_some_and(|p| !beaten(p)));
            }
        }
    }
}
