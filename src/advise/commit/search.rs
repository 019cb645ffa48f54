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

/// Hours of the first, thin search.
const FIRST: usize = 2048;
/// Each next search has so many times the hours.
const DENSER: usize = 20;
/// Steps of one line search: far more than tangents ever need.
const STEPS: usize = 60;

/// Of so many candidates each alone is a start.
const STARTS: usize = 3;

/// How hard a search tries.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Rounds of lines at most.
    rounds: usize,
    /// Lines reach so far, as a share of the most a plan can use; none at 0.
    reach: f64,
    /// Gain, as a share of the cost, that is worth a step.
    gain: f64,
}

/// From anywhere.
const WIDE: Effort = Effort { rounds: 40, reach: 1.0, gain: 1e-8 };
/// From the best of a sample.
const NEAR: Effort = Effort { rounds: 2, reach: 0.1, gain: 1e-6 };
/// From the best of a sample of which twenty times as many hours would change
/// the cost by a millionth: only the plan that comes last is fitted once more.
const LAST: Effort = Effort { rounds: 1, reach: 0.0, gain: 1e-6 };

/// Where the cost is least.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// Spend per hour of each candidate, USD.
    pub at: Vec<f64>,
    /// Cost of all hours, USD.
    pub usd: f64,
}

/// The best spends of the candidates of `stack`, which was made of `terms`.
#[must_use]
pub fn best(stack: &Stack<'_>, terms: &[Terms]) -> Optimum {
    let zero = vec![0.0; stack.dimensions()];
    if stack.hours().is_empty() || zero.is_empty() {
        return Optimum { usd: stack.cost_of(0..stack.hours().len(), &zero, None).usd, at: zero };
    }
    if let [_] = zero[..]
        && let Some(spend) = quantile::best_last(stack, 0, &zero)
    {
        let at = vec![spend];
        return Optimum { usd: stack.usd(0..stack.hours().len(), &at), at };
    }
    let mut most = FIRST;
    let mut at: Option<Vec<f64>> = None;
    loop {
        let on = |stack: &Stack<'_>, from: Option<Vec<f64>>, effort: Effort| match from {
            None => widely(stack),
            Some(from) => descend(stack, &stack.caps(), from, effort),
        };
        let stride = stride(stack.hours().len(), most);
        if stride == 1 {
            return on(stack, at, LAST);
        }
        let thin: Hours = stack.hours().every(stride);
        at = Some(on(&stack.over(&thin, terms), at, NEAR).at);
        most *= DENSER;
        if most > stack.hours().len() / 4 {
            most = stack.hours().len();
        }
    }
}

/// The least cost of some hours with spends in the proportions of `at`, USD:
/// what knowing them beforehand would have been worth.
pub(super) fn scaled(stack: &Stack<'_>, hours: Range<usize>, at: &[f64]) -> f64 {
    let cost = |factor: f64| {
        let spends: Vec<f64> = at.iter().map(|usd| usd * factor).collect();
        stack.cost_of(hours.clone(), &spends, Some(at))
    };
    let (mut low, mut high) = (0.0, 4.0);
    let (mut at_low, mut at_high) = (cost(low), cost(high));
    let mut least = at_low.usd.min(at_high.usd);
    for _ in 0..STEPS {
        if at_low.slope >= 0.0 || at_high.slope <= 0.0 {
            break;
        }
        let next = meeting((low, at_low), (high, at_high));
        if least - (at_low.usd + at_low.slope * (next - low)) <= 1e-4 * least.abs() {
            break;
        }
        let found = cost(next);
        least = least.min(found.usd);
        if found.slope < 0.0 {
            (low, at_low) = (next, found);
        } else {
            (high, at_high) = (next, found);
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
fn widely(stack: &Stack<'_>) -> Optimum {
    let zero = vec![0.0; stack.dimensions()];
    let caps = stack.caps();
    let mut best = descend(stack, &caps, zero.clone(), WIDE);
    // Of many candidates only those that cover what all others cover.
    let broad = |c: &usize| caps.len() <= STARTS || stack.last_in_line(*c).is_some();
    for first in (0..caps.len()).filter(broad) {
        let mut unit = zero.clone();
        unit[first] = 1.0;
        if let Some((at, _)) = along(stack, &zero, &unit, caps[first], WIDE.gain) {
            let optimum = descend(stack, &caps, at, WIDE);
            if optimum.usd < best.usd {
                best = optimum;
            }
        }
    }
    best
}

/// Steps along lines until none gains.
fn descend(stack: &Stack<'_>, caps: &[f64], at: Vec<f64>, effort: Effort) -> Optimum {
    let usd = stack.usd(0..stack.hours().len(), &at);
    let mut best = Optimum { at, usd };
    let rivals = if effort.reach > 0.0 { rivals(stack) } else { Vec::new() };
    for _ in 0..effort.rounds {
        let before = best.usd;
        for candidate in 0..caps.len() {
            if let Some(spend) = quantile::best_last(stack, candidate, &best.at) {
                let mut at = best.at.clone();
                at[candidate] = spend;
                let usd = stack.usd(0..stack.hours().len(), &at);
                best.take(Some((at, usd)));
                continue;
            }
            if effort.reach <= 0.0 {
                continue;
            }
            for sign in [1.0, -1.0] {
                let mut towards = vec![0.0; caps.len()];
                towards[candidate] = sign;
                let reach = effort.reach * caps[candidate];
                best.take(along(stack, &best.at, &towards, reach, effort.gain));
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

impl Optimum {
    fn take(&mut self, found: Option<(Vec<f64>, f64)>) {
        if let Some((at, usd)) = found.filter(|f| f.1 < self.usd) {
            *self = Optimum { at, usd };
        }
    }
}

/// The least cost along a line from `at`, at most `reach` away and with no
/// spend below zero; `None` where no gain worth a step is to be had.
///
/// Tangents from both sides meet below the minimum; where they meet is the next
/// point, until the cost there is what the tangents promise: a breakpoint.
fn along(
    stack: &Stack<'_>,
    at: &[f64],
    towards: &[f64],
    reach: f64,
    gain: f64,
) -> Option<(Vec<f64>, f64)> {
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
    (least.1 < start.usd).then(|| (point(least.0), least.1))
}

/// The cost with the slope from the left.
fn backwards(stack: &Stack<'_>, at: &[f64], towards: &[f64]) -> Cost {
    let back: Vec<f64> = towards.iter().map(|d| -d).collect();
    let cost = stack.cost(at, &back);
    Cost { usd: cost.usd, slope: -cost.slope }
}
