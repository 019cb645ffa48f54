//! Prices of resources that no offer undercuts: the dual of fractional
//! packing.
//!
//! Given offers (capacity, price) and a demand, find weights `w ≥ 0` that
//! maximise `demand · w` while `capacity · w ≤ price` for every offer. The
//! simplex method over the dictionary of slacks: `w = 0` is feasible, and so
//! is every dictionary after it, so that stopping early costs tightness, never
//! validity. It runs in floats; [`exact`] then turns the result into integers
//! and checks every offer again, so that no rounding can make it too large.
//!
//! Some hundred offers and three resources take about five pivots of a few
//! hundred multiplications each.

use crate::units::Rate;

/// Weights are pico-USD per unit and hour over two to this power.
pub(super) const FRACTION: u32 = 32;

/// Pivots at most; far more than any instance took.
const MAX_PIVOTS: usize = 200;

/// Pivots after which the first improving resource is taken instead of the
/// best one, which cannot cycle (Bland's rule).
const BLAND: usize = 50;

/// What can be bought: so much of each resource for an hourly price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bin {
    /// By resource, in the order of the demand.
    pub(super) capacity: Vec<i64>,
    /// Per hour.
    pub(super) price: Rate,
}

/// Removes bins that another one holds at no higher price.
pub(super) fn undominated(mut bins: Vec<Bin>) -> Vec<Bin> {
    // The cheapest first, then the larger: whatever beats a bin comes before.
    bins.sort_by(|a, b| (a.price, &b.capacity).cmp(&(b.price, &a.capacity)));
    let mut kept: Vec<Bin> = Vec::new();
    for bin in bins {
        let holds = |k: &Bin| k.capacity.iter().zip(&bin.capacity).all(|(a, b)| a >= b);
        if !kept.iter().any(holds) {
            kept.push(bin);
        }
    }
    kept
}

/// Weights for a demand, in pico-USD × 2^[`FRACTION`] per unit and hour. A
/// resource that no bin offers has none.
pub(super) fn weights(bins: &[Bin], demand: &[u128]) -> Vec<i128> {
    let resources = demand.len();
    // One unit of each resource is what the largest bin has of it, so that the
    // coefficients lie between 0 and 1.
    let units: Vec<f64> =
        (0..resources).map(|r| bins.iter().map(|b| at(b, r)).max().unwrap_or(0) as f64).collect();
    let dearest = bins.iter().map(|b| b.price.pico()).max().unwrap_or(0) as f64;
    if dearest <= 0.0 {
        return vec![0; resources];
    }
    let scaled = |r: usize, value: f64| if units[r] > 0.0 { value / units[r] } else { 0.0 };
    let most = (0..resources).map(|r| scaled(r, demand[r] as f64)).fold(0.0, f64::max);
    let mut table = Dictionary {
        rows: bins
            .iter()
            .map(|b| {
                let mut row: Vec<f64> =
                    (0..resources).map(|r| scaled(r, at(b, r) as f64)).collect();
                row.push(b.price.pico() as f64 / dearest);
                row
            })
            .collect(),
        objective: (0..resources)
            .map(|r| if most > 0.0 { scaled(r, demand[r] as f64) / most } else { 0.0 })
            .collect(),
        basic: (0..bins.len()).map(|i| resources + i).collect(),
        free: (0..resources).collect(),
    };
    table.solve();
    let mut weights = vec![0.0; resources];
    for (row, &variable) in table.rows.iter().zip(&table.basic) {
        if variable < resources {
            weights[variable] = row[resources].max(0.0);
        }
    }
    let scale = f64::from(2u32).powi(FRACTION as i32) * dearest;
    let weights: Vec<i128> =
        (0..resources).map(|r| scaled(r, weights[r] * scale) as i128).collect();
    exact(bins, weights)
}

fn at(bin: &Bin, resource: usize) -> i64 {
    bin.capacity.get(resource).copied().unwrap_or(0)
}

/// Weights made feasible beyond doubt: checked in integers, and lowered by
/// as little as it takes.
pub(super) fn exact(bins: &[Bin], mut weights: Vec<i128>) -> Vec<i128> {
    let feasible = |weights: &[i128]| {
        bins.iter().all(|b| {
            let worth = weights
                .iter()
                .enumerate()
                .try_fold(0i128, |sum, (r, w)| sum.checked_add(w.checked_mul(at(b, r).into())?));
            worth.is_some_and(|worth| worth <= b.price.pico() << FRACTION)
        })
    };
    let mut shift = 48;
    while !feasible(&weights) {
        for w in &mut weights {
            *w = (*w - (*w >> shift) - 1).max(0);
        }
        shift = (shift - 1).max(0);
    }
    weights
}

/// Rows read `basic = last − Σ coefficient × free`; the objective is a sum of
/// `free` with its coefficients.
struct Dictionary {
    rows: Vec<Vec<f64>>,
    objective: Vec<f64>,
    basic: Vec<usize>,
    free: Vec<usize>,
}

/// Below this a coefficient is rounding.
const TINY: f64 = 1e-11;

impl Dictionary {
    fn solve(&mut self) {
        for pivot in 0..MAX_PIVOTS {
            let improving = (0..self.free.len()).filter(|c| self.objective[*c] > TINY);
            let column = if pivot < BLAND {
                improving.reduce(|a, b| if self.objective[b] > self.objective[a] { b } else { a })
            } else {
                improving.min_by_key(|c| self.free[*c])
            };
            let Some(column) = column else { return };
            // The bin that limits it first; of equals the first variable.
            let limit = |row: &Vec<f64>| row[self.free.len()].max(0.0) / row[column];
            let row =
                (0..self.rows.len()).filter(|r| self.rows[*r][column] > TINY).min_by(|a, b| {
                    let (x, y) = (limit(&self.rows[*a]), limit(&self.rows[*b]));
                    x.total_cmp(&y).then(self.basic[*a].cmp(&self.basic[*b]))
                });
            if let Some(row) = row {
                self.pivot(row, column);
            } else {
                // No bin has it: it cannot be priced.
                self.objective[column] = 0.0;
            }
        }
    }

    fn pivot(&mut self, row: usize, column: usize) {
        let by = self.rows[row][column];
        let mut entering = self.rows[row].clone();
        for value in &mut entering {
            *value /= by;
        }
        entering[column] = 1.0 / by;
        for (i, other) in self.rows.iter_mut().enumerate() {
            if i == row {
                continue;
            }
            let factor = other[column];
            for (value, new) in other.iter_mut().zip(&entering) {
                *value -= factor * new;
            }
            other[column] = -factor / by;
        }
        let factor = self.objective[column];
        for (value, new) in self.objective.iter_mut().zip(&entering) {
            *value -= factor * new;
        }
        self.objective[column] = -factor / by;
        self.rows[row] = entering;
        std::mem::swap(&mut self.basic[row], &mut self.free[column]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bin(capacity: &[i64], pico: i128) -> Bin {
        Bin { capacity: capacity.to_vec(), price: Rate::from_pico(pico) }
    }

    fn worth(weights: &[i128], demand: &[u128]) -> f64 {
        let sum: f64 = weights.iter().zip(demand).map(|(w, d)| *w as f64 * *d as f64).sum();
        sum / 2f64.powi(FRACTION as i32)
    }

    /// Bins of (2, 1) for 3 and (1, 2) for 3: one of each resource costs 1, and
    /// a demand of (4, 5) costs 9.
    #[test]
    fn two_bins_price_two_resources() {
        let bins = [bin(&[2, 1], 3_000_000), bin(&[1, 2], 3_000_000)];
        let w = weights(&bins, &[4, 5]);
        assert!((worth(&w, &[4, 5]) - 9e6).abs() < 0.01, "{w:?}");
        // Only the first: the bin with most of it per dollar.
        let w = weights(&bins, &[4, 0]);
        assert!((worth(&w, &[4, 0]) - 6e6).abs() < 0.01, "{w:?}");
    }

    #[test]
    fn what_nobody_sells_or_what_is_free_costs_nothing() {
        let bins = [bin(&[2, 0], 3_000_000)];
        assert_eq!(weights(&bins, &[0, 7]), [0, 0]);
        assert!((worth(&weights(&bins, &[2, 7]), &[2, 7]) - 3e6).abs() < 0.01);
        assert_eq!(weights(&[bin(&[2, 1], 0), bin(&[9, 9], 5)], &[3, 3]), [0, 0]);
        assert_eq!(weights(&[], &[3]), [0]);
        assert_eq!(weights(&bins, &[0, 0]), [0, 0]);
    }

    #[test]
    fn dominated_bins_go() {
        let kept = undominated(vec![
            bin(&[2, 2], 5),
            bin(&[2, 1], 5),
            bin(&[1, 1], 4),
            bin(&[2, 2], 5),
            bin(&[4, 4], 4),
            bin(&[1, 9], 6),
        ]);
        assert_eq!(kept, [bin(&[4, 4], 4), bin(&[1, 9], 6)]);
    }

    /// Every vertex of the feasible set: the intersections of as many
    /// constraints as there are resources (Cramer's rule), kept where feasible.
    fn best_vertex(bins: &[Bin], demand: &[u128]) -> f64 {
        let n = demand.len();
        let mut planes: Vec<(Vec<f64>, f64)> = bins
            .iter()
            .map(|b| (b.capacity.iter().map(|c| *c as f64).collect(), b.price.pico() as f64))
            .collect();
        for r in 0..n {
            planes.push(((0..n).map(|i| f64::from(u8::from(i == r))).collect(), 0.0));
        }
        let mut best = 0.0f64;
        let mut pick: Vec<usize> = (0..n).collect();
        loop {
            if let Some(w) = solve(&pick.iter().map(|i| planes[*i].clone()).collect::<Vec<_>>()) {
                let fits = w.iter().all(|v| *v >= -1e-7)
                    && planes[..bins.len()].iter().all(|(a, p)| {
                        a.iter().zip(&w).map(|(x, y)| x * y).sum::<f64>() <= p * (1.0 + 1e-9) + 1e-6
                    });
                if fits {
                    let worth: f64 = w.iter().zip(demand).map(|(x, d)| x * *d as f64).sum();
                    best = best.max(worth);
                }
            }
            // The next combination.
            let Some(i) = (0..n).rev().find(|i| pick[*i] < planes.len() - n + i) else {
                return best;
            };
            pick[i] += 1;
            for j in i + 1..n {
                pick[j] = pick[j - 1] + 1;
            }
        }
    }

    /// Gauss with pivoting.
    fn solve(planes: &[(Vec<f64>, f64)]) -> Option<Vec<f64>> {
        let n = planes.len();
        let mut m: Vec<Vec<f64>> =
            planes.iter().map(|(a, p)| a.iter().copied().chain([*p]).collect()).collect();
        for c in 0..n {
            let top = (c..n).max_by(|a, b| m[*a][c].abs().total_cmp(&m[*b][c].abs()))?;
            m.swap(c, top);
            if m[c][c].abs() < 1e-9 {
                return None;
            }
            let pivot = m[c].clone();
            for (r, row) in m.iter_mut().enumerate() {
                if r != c {
                    let f = row[c] / pivot[c];
                    for (value, of) in row.iter_mut().zip(&pivot) {
                        *value -= f * of;
                    }
                }
            }
        }
        Some((0..n).map(|i| m[i][n] / m[i][i]).collect())
    }

    proptest! {
        /// The simplex finds the best vertex, and never a weight that a bin
        /// undercuts.
        #[test]
        fn simplex_equals_all_vertices(
            bins in proptest::collection::vec(
                (proptest::collection::vec(0i64..40, 3), 1i128..1_000),
                1..9,
            ),
            demand in proptest::collection::vec(0u128..1_000, 3),
        ) {
            let mut bins: Vec<Bin> =
                bins.iter().map(|(c, p)| bin(c, *p * 1_000_000)).collect();
            // Every resource is sold, or its price is unbounded.
            bins.push(bin(&[1, 1, 1], 900_000_000));
            let w = weights(&bins, &demand);
            for b in &bins {
                let worth: i128 =
                    w.iter().zip(&b.capacity).map(|(w, c)| w * i128::from(*c)).sum();
                prop_assert!(worth <= b.price.pico() << FRACTION);
            }
            let (got, want) = (worth(&w, &demand), best_vertex(&bins, &demand));
            prop_assert!((got - want).abs() <= 1e-6 * want.max(1.0), "{got} {want}");
            // Dominated bins change nothing.
            let fewer = worth(&weights(&undominated(bins), &demand), &demand);
            prop_assert!((got - fewer).abs() <= 1e-6 * got.max(1.0), "{got} {fewer}");
        }
    }
}
