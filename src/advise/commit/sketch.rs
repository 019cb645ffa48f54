//! What a commitment does at other spends and at less usage: evaluated on a
//! sample of the hours where they are many.

use std::ops::Range;

use super::model::{CurvePoint, Fall, Marginal};
use super::stack::Stack;

/// Steps from zero to the end of a curve: even, so that every other point can
/// be drawn.
const STEPS: usize = 24;
/// Marginal values are looked up this far beside what is bought, in USD per
/// hour: further than what is left uncovered because other plans are rounded
/// down to what can be bought.
const BESIDE: f64 = 1e-4;
/// Falls of usage that are shown.
const FALLS: [f64; 3] = [0.1, 0.2, 0.3];

/// Hours under commitments, with these spends on candidates.
pub(super) struct Sketch<'a> {
    stack: Stack<'a>,
    at: Vec<f64>,
    caps: Vec<f64>,
}

impl<'a> Sketch<'a> {
    pub(super) fn new(stack: Stack<'a>, at: Vec<f64>) -> Self {
        let caps = stack.caps();
        Sketch { stack, at, caps }
    }

    fn all(&self) -> Range<usize> {
        0..self.stack.hours().len()
    }

    fn clock(&self) -> f64 {
        self.stack.hours().clock_hours()
    }

    /// The spends with another on one of the candidates.
    fn with(&self, index: usize, usd: f64) -> Vec<f64> {
        let mut at = self.at.clone();
        at[index] = usd;
        at
    }

    /// Slopes a little beside what is bought, on either side: at a breakpoint
    /// itself rounding would choose the side.
    pub(super) fn marginal(&self, index: usize) -> Marginal {
        let slope = |usd: f64, sign: f64| {
            let mut towards = vec![0.0; self.at.len()];
            towards[index] = sign;
            -sign * self.stack.cost(&self.with(index, usd), &towards).slope / self.clock()
        };
        let at = self.at[index];
        Marginal {
            first: slope(0.0, 1.0),
            last: if at > 0.0 { slope(at - BESIDE, -1.0) } else { 0.0 },
            next: slope(at + BESIDE, 1.0),
        }
    }

    /// From zero to twice what is bought or the most that could be used, what
    /// is bought among the points.
    pub(super) fn curve(&self, index: usize) -> Vec<CurvePoint> {
        let (at, cap) = (self.at[index], self.caps[index]);
        let most = if at > 0.0 { cap.min(2.0 * at).max(at) } else { cap };
        if most <= 0.0 {
            return Vec::new();
        }
        let until =
            if at > 0.0 { 2 * (at / most * (STEPS / 2) as f64).round() as usize } else { 0 };
        let list = self.stack.list(self.all());
        let point = |step: usize| {
            let usd = match step {
                _ if step <= until => at * step as f64 / until.max(1) as f64,
                _ => at + (most - at) * (step - until) as f64 / (STEPS - until) as f64,
            };
            let outlook = self.stack.outlook(self.all(), &self.with(index, usd), 1.0);
            CurvePoint {
                usd_per_hour: usd,
                cost_per_hour: outlook.usd / self.clock(),
                coverage: covered(outlook.rest, list),
                utilisation: share(outlook.used[index], usd * self.clock()),
            }
        };
        (0..=STEPS).map(point).collect()
    }

    /// With less usage.
    pub(super) fn falls(&self) -> Vec<Fall> {
        FALLS.iter().map(|less| self.fall(*less)).collect()
    }

    fn fall(&self, less: f64) -> Fall {
        let before = self.stack.outlook(self.all(), &vec![0.0; self.at.len()], 1.0 - less);
        let after = self.stack.outlook(self.all(), &self.at, 1.0 - less);
        Fall {
            less,
            saved_per_hour: (before.usd - after.usd) / self.clock(),
            saved: share(before.usd - after.usd, before.usd).unwrap_or(0.0),
            utilisation: share(after.used.iter().sum(), self.at.iter().sum::<f64>() * self.clock()),
        }
    }

    /// Savings fall with usage; halving finds where they are gone.
    pub(super) fn break_even(&self) -> Option<f64> {
        let saves = |less: f64| self.fall(less).saved_per_hour > 0.0;
        if self.at.iter().sum::<f64>() <= 0.0 || saves(0.99) {
            return None;
        }
        if !saves(0.0) {
            return Some(0.0);
        }
        let (mut low, mut high) = (0.0, 0.99);
        while high - low > 1e-3 {
            let middle = f64::midpoint(low, high);
            if saves(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(low)
    }
}

/// The covered share where so much of the list price is left to pay; what is
/// but rounding is nothing.
pub(super) fn covered(rest: f64, list: f64) -> f64 {
    let share = if list > 0.0 { 1.0 - rest / list } else { 0.0 };
    if share.abs() < 1e-9 { 0.0 } else { share }
}

pub(super) fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
