//! Some hours at a time, side by side: what is left of items and commitments,
//! and how it changes along a direction.

/// Hours worked on at a time: their columns stay in the first-level cache.
pub(super) const LANES: usize = 128;

/// One item's turn at one commitment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Index into [`Lanes::rest`].
    pub(super) item: usize,
    /// Index into [`Lanes::left`].
    pub(super) plan: usize,
    /// What one dollar of the item takes of the commitment: dollars of a
    /// Savings Plan, quarter-unit-milliseconds of a Reserved Instance.
    pub(super) takes: f64,
}

/// Columns of a chunk of hours.
pub(super) struct Lanes {
    /// Per item: USD that nothing covers yet.
    pub(super) rest: Vec<[f64; LANES]>,
    /// How that changes.
    pub(super) rest_slope: Vec<[f64; LANES]>,
    /// Per commitment: what nothing uses yet, in the unit of [`Step::takes`].
    pub(super) left: Vec<[f64; LANES]>,
    /// How that changes.
    pub(super) left_slope: Vec<[f64; LANES]>,
}

impl Lanes {
    /// For so many items and commitments.
    pub(super) fn new(items: usize, plans: usize) -> Self {
        Lanes {
            rest: vec![[0.0; LANES]; items],
            rest_slope: vec![[0.0; LANES]; items],
            left: vec![[0.0; LANES]; plans],
            left_slope: vec![[0.0; LANES]; plans],
        }
    }

    /// Gives every item its turns; with slopes, where commitments move.
    pub(super) fn apply(&mut self, steps: &[Step], slopes: bool) {
        for step in steps {
            let takes = step.takes;
            // A free rate covers everything: what it takes is never too much.
            let gives = if takes > 0.0 { 1.0 / takes } else { 0.0 };
            let (rest, left) = (&mut self.rest[step.item], &mut self.left[step.plan]);
            // Both ends are computed and one is chosen, so that no branch stands
            // between the lanes.
            if !slopes {
                for (rest, left) in rest.iter_mut().zip(left) {
                    let need = *rest * takes;
                    let (uncovered, unspent) = (*rest - *left * gives, *left - need);
                    let all = need <= *left;
                    *rest = if all { 0.0 } else { uncovered };
                    *left = if all { unspent } else { 0.0 };
                }
                continue;
            }
            let rest_slope = &mut self.rest_slope[step.item];
            let left_slope = &mut self.left_slope[step.plan];
            for lane in 0..LANES {
                let (r, l) = (rest[lane], left[lane]);
                let (dr, dl) = (rest_slope[lane], left_slope[lane]);
                let (need, dneed) = (r * takes, dr * takes);
                let all = need < l || (need <= l && dneed <= dl);
                let uncovered = (r - l * gives, dr - dl * gives);
                let unspent = (l - need, dl - dneed);
                rest[lane] = if all { 0.0 } else { uncovered.0 };
                left[lane] = if all { unspent.0 } else { 0.0 };
                rest_slope[lane] = if all { 0.0 } else { uncovered.1 };
                left_slope[lane] = if all { unspent.1 } else { 0.0 };
            }
        }
    }
}

/// Four running sums: the order of addition is fixed and the sum is fast.
pub(super) fn sum(lanes: &[f64; LANES]) -> f64 {
    let mut sums = [0.0; 4];
    for four in lanes.chunks_exact(4) {
        for (sum, lane) in sums.iter_mut().zip(four) {
            *sum += lane;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}
