//! The spends that minimise expected cost, of all candidates together.
//!
//! The cost of the hours is piecewise linear in the spends and, where AWS's
//! order is also the order of worth, convex. Each step minimises along a line:
//! of one candidate, or of one taking over from another. Coordinates alone
//! would stall where two plans compete for the same usage. A thin sample of
//! the hours finds the region, all of them the minimum.

use std::ops::Range;

use super::hours::{Hours, stride};
use super::quantile;
use super::stack::{Cost, Stack};
use crate::bill::commitments::Terms;

/// Hours of the two samples: of the first all is searched, of the second what
/// is near the best of the first.
const SAMPLES: [usize; 2] = [2048, 40_960];
/// Steps of one line search: far more than tangents ever need.
const STEPS: usize = 60;
/// Of so many candidates each alone is a start.
const STARTS: usize = 3;

/// How hard a search tries.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Rounds of lines at most.
    rounds: usize,
    /// Lines reach so far, as a share of the most a plan can use.
    reach: f64,
    /// Gain, as a share of the cost, that is worth a step.
    gain: f64,
}

/// From anywhere, on all hours.
const WIDE: Effort = Effort { rounds: 40, reach: 1.0, gain: 1e-8 };
/// From anywhere, on a sample: it is no better than this.
const COARSE: Effort = Effort { gain: 1e-7, ..WIDE };
/// From the best of a sample.
const NEAR: Effort = Effort { rounds: 2, reach: 0.1, gain: 1e-6 };

/// A point and what it costs.
#[derive(Debug, Clone, PartialEq)]
struct Point {
    /// Spend per hour of each candidate, USD.
    at: Vec<f64>,
    /// Cost of all hours, USD.
    usd: f64,
}

/// The spends per hour, USD, at which the hours of `stack`, which was made of
/// `terms`, cost least; one for each candidate.
pub(super) fn best(stack: &Stack<'_>, terms: &[Terms]) -> Vec<f64> {
    let zero = vec![0.0; stack.dimensions()];
    if stack.hours().is_empty() || zero.is_empty() {
        return zero;
    }
    if zero.len() == 1
        && let Some(spend) = quantile::best_last(stack, 0, &zero)
    {
        return vec![spend];
    }
    let mut found: Option<Vec<f64>> = None;
    for most in SAMPLES {
        let stride = stride(stack.hours().len(), most);
        if stride == 1 {
            return match found {
                None => widely(stack, WIDE),
                Some(at) => descend(stack, &stack.caps(), at, NEAR).at,
            };
        }
        let thin: Hours = stack.hours().every(stride);
        let sample = stack.over(&thin, terms);
        found = Some(match found {
            None => widely(&sample, COARSE),
            Some(at) => descend(&sample, &sample.caps(), at, NEAR).at,
        });
    }
    // All hours would change the cost by a millionth: only the plan that comes
    // last, which is a matter of two looks at them, is fitted once more.
    let mut at = found.unwrap_or(zero);
    for candidate in 0..at.len() {
        if let Some(spend) = quantile::best_last(stack, candidate, &at) {
            at[candidate] = spend;
        }
    }
    at
}

/// The least cost of some hours with spends in the proportions of `at`, USD:
/// what knowing them beforehand would have been worth.
pub(super) fn scaled(stack: &Stack<'_>, hours: Range<usize>, at: &[f64]) -> f64 {
    let cost = |factor: f64| {
        let spends: Vec<f64> = at.iter().map(|usd| usd * factor).collect();
        (factor, stack.cost_of(hours.clone(), &spends, Some(at)))
    };
    // What is best for all seeds is near what is best for each of them.
    let start = cost(1.0);
    let mut least = start.1.usd;
    let (mut low, mut high) = (start, start);
    let mut step = 0.125f64;
    while low.1.slope > 0.0 && low.0 > 0.0 {
        high = low;
        low = cost((1.0 - step).max(0.0));
        step *= 2.0;
    }
    while high.1.slope < 0.0 && high.0 < 4.0 {
        low = high;
        high = cost(1.0 + step);
        step *= 2.0;
    }
    least = least.min(low.1.usd).min(high.1.usd);
    for _ in 0..STEPS {
        if low.1.slope >= 0.0 || high.1.slope <= 0.0 {
            break;
        }
        let next = meeting(low, high);
        if least - (low.1.usd + low.1.slope * (next - low.0)) <= 1e-4 * least.abs() {
            break;
        }
        let found = cost(next);
        least = least.min(found.1.usd);
        if found.1.slope < 0.0 {
            low = found;
        } else {
            high = found;
        }
    }
    least
}

/// Where the tangents of two points meet; half-way if not between them.
fn meeting((low, at_low): (f64, Cost), (high, at_high): (f64, Cost)) -> f64 {
    let meets = (at_high.usd - at_low.usd + at_low.slope * low - at_high.slope * high)
        / (at_low.slope - at_high.slope);
    let inside = meets > low && meets < high;
    if inside { meets } else { f64::midpoint(low, high) }
}

/// From several starts: the order of AWS is not always that of worth, so that
/// a minimum need not be the only one.
fn widely(stack: &Stack<'_>, effort: Effort) -> Vec<f64> {
    let zero = vec![0.0; stack.dimensions()];
    let caps = stack.caps();
    let mut best = descend(stack, &caps, zero.clone(), effort);
    // Of many candidates only those that cover what all others cover.
    let broad = |c: &usize| caps.len() <= STARTS || stack.last_in_line(*c).is_some();
    for first in (0..caps.len()).filter(broad) {
        let mut unit = zero.clone();
        unit[first] = 1.0;
        if let Some(point) = along(stack, &zero, &unit, caps[first], effort.gain) {
            let point = descend(stack, &caps, point.at, effort);
            if point.usd < best.usd {
                best = point;
            }
        }
    }
    best.at
}

/// Steps along lines until none gains.
fn descend(stack: &Stack<'_>, caps: &[f64], at: Vec<f64>, effort: Effort) -> Point {
    let usd = stack.usd(0..stack.hours().len(), &at);
    let mut best = Point { at, usd };
    let rivals = rivals(stack);
    for _ in 0..effort.rounds {
        let before = best.usd;
        for (candidate, cap) in caps.iter().enumerate() {
            if let Some(spend) = quantile::best_last(stack, candidate, &best.at) {
                let mut at = best.at.clone();
                at[candidate] = spend;
                let usd = stack.usd(0..stack.hours().len(), &at);
                best.take(Some(Point { at, usd }));
                continue;
            }
            for sign in [1.0, -1.0] {
                let mut towards = vec![0.0; caps.len()];
                towards[candidate] = sign;
                best.take(along(stack, &best.at, &towards, effort.reach * cap, effort.gain));
            }
        }
        // One candidate takes over from another: dollar for dollar, and usage
        // for usage.
        for (from, to, usage) in &rivals {
            for rate in [1.0, *usage] {
                if best.at[*from] > 0.0 {
                    let mut towards = vec![0.0; caps.len()];
                    (towards[*from], towards[*to]) = (-1.0, rate);
                    let reach = effort.reach * caps[*from];
                    best.take(along(stack, &best.at, &towards, reach, effort.gain));
                }
            }
        }
        if before - best.usd <= effort.gain * before.abs() {
            break;
        }
    }
    best
}

/// Candidates that cover the same usage: from which, to which, and what the
/// other takes for what the one takes a dollar for.
fn rivals(stack: &Stack<'_>) -> Vec<(usize, usize, f64)> {
    let all = 0..stack.dimensions();
    let pairs = all.clone().flat_map(|from| all.clone().map(move |to| (from, to)));
    pairs
        .filter(|(from, to)| from != to)
        .filter_map(|(from, to)| Some((from, to, stack.exchange(from, to)?)))
        .collect()
}

impl Point {
    fn take(&mut self, found: Option<Point>) {
        if let Some(found) = found.filter(|f| f.usd < self.usd) {
            *self = found;
        }
    }
}

/// The least cost along a line from `at`, at most `reach` away and with no
/// spend below zero; `None` where no gain worth a step is to be had.
///
/// Tangents from both sides meet below the minimum; where they meet is the next
/// point, until the cost there is what the tangents promise: a breakpoint.
fn along(stack: &Stack<'_>, at: &[f64], towards: &[f64], reach: f64, gain: f64) -> Option<Point> {
    let point = |t: f64| -> Vec<f64> {
        at.iter().zip(towards).map(|(x, d)| (x + t * d).max(0.0)).collect()
    };
    let down = at.iter().zip(towards).filter(|(_, d)| **d < 0.0).map(|(x, d)| x / -d);
    let limit = down.fold(reach, f64::min);
    if limit <= 0.0 {
        return None;
    }
    let cost = |t: f64| stack.cost(&point(t), towards);
    let start = cost(0.0);
    let worth = gain * start.usd.abs();
    if -start.slope * limit <= worth {
        return None;
    }
    let (mut low, mut at_low) = (0.0, start);
    let (mut high, mut at_high) = (limit, backwards(stack, &point(limit), towards));
    let mut least = if at_high.usd < start.usd { (high, at_high.usd) } else { (low, start.usd) };
    for _ in 0..STEPS {
        if at_high.slope <= 0.0 {
            break;
        }
        let next = meeting((low, at_low), (high, at_high));
        let promised = at_low.usd + at_low.slope * (next - low);
        if least.1 - promised <= 0.1 * worth || high - low <= 1e-12 * reach {
            break;
        }
        let found = cost(next);
        if found.usd < least.1 {
            least = (next, found.usd);
        }
        if found.slope < 0.0 {
            (low, at_low) = (next, found);
        } else {
            (high, at_high) = (next, found);
        }
    }
    (least.1 < start.usd).then(|| Point { at: point(least.0), usd: least.1 })
}

/// The cost with the slope from the left.
fn backwards(stack: &Stack<'_>, at: &[f64], towards: &[f64]) -> Cost {
    let back: Vec<f64> = towards.iter().map(|d| -d).collect();
    let cost = stack.cost(at, &back);
    Cost { usd: cost.usd, slope: -cost.slope }
}
