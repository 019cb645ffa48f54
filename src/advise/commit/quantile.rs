//! The best spend of the commitment that is applied last: a weighted quantile.
//!
//! One more dollar an hour costs a dollar in every hour, less what was
//! negotiated off the plan's fees, and saves, in hours in which it still finds
//! usage, what the marginal item costs On-Demand per dollar at the plan's rate.
//! Items come in the order of that worth, so an hour's worth falls at known
//! spends: where one item is covered and the next begins. The sum over all hours
//! falls with it; the best spend is the breakpoint at which it falls below what
//! the dollar costs in all hours.

use super::stack::Stack;

/// Breakpoints sorted at the end; before, a range with more is divided.
const SORTED: usize = 1 << 16;
/// Parts a range is divided into.
const PARTS: usize = 1 << 12;

/// The spend per hour that minimises the cost of all hours if the other
/// candidates stay `at` theirs; `None` unless the candidate comes last.
pub(super) fn best_last(stack: &Stack<'_>, candidate: usize, at: &[f64]) -> Option<f64> {
    let order = stack.last_in_line(candidate)?;
    if order.iter().any(|(_, takes)| *takes <= 0.0) {
        return None;
    }
    let line = Line { stack, candidate, at, takes: order.iter().map(|step| step.1).collect() };
    let (clock, paid) = (stack.hours().clock_hours(), stack.paid(candidate));
    // A first dollar that is worth no more than it costs is not bought, unless
    // later ones are worth it, which no quantile tells.
    let pays = |takes: f64| 1.0 / takes - paid > 1e-12;
    if !pays(*line.takes.first()?) {
        return (!line.takes.iter().any(|takes| pays(*takes))).then_some(0.0);
    }
    // What is still missing until a dollar is worth less than it costs.
    let mut excess = clock / line.takes.first()? - clock * paid;
    // Breakpoints from `low` to `high` are still to be passed.
    let (mut low, mut high) = (0.0f64, stack.cap(candidate));
    loop {
        let width = (high - low) / PARTS as f64;
        if width <= 0.0 || low + width <= low {
            return Some(high);
        }
        let mut parts = vec![(0.0, 0usize); PARTS];
        let part = |spend: f64| (((spend - low) / width) as usize).min(PARTS - 1);
        let within = |spend: f64| spend >= low && spend <= high;
        line.breakpoints(|spend, fall| {
            if within(spend) {
                let part = &mut parts[part(spend)];
                part.0 += fall;
                part.1 += 1;
            }
        });
        let mut found = None;
        for (index, (fall, count)) in parts.iter().enumerate() {
            if excess - fall <= 0.0 {
                found = Some((index, *count));
                break;
            }
            excess -= fall;
        }
        // Rounding of the sums can leave a trace of worth at the very end.
        let Some((found, count)) = found else { return Some(high) };
        let inside = |spend: f64| within(spend) && part(spend) == found;
        if count <= SORTED {
            let mut last: Vec<(f64, f64)> = Vec::with_capacity(count);
            line.breakpoints(|spend, fall| {
                if inside(spend) {
                    last.push((spend, fall));
                }
            });
            last.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (spend, fall) in &last {
                excess -= fall;
                if excess <= 0.0 {
                    return Some(*spend);
                }
            }
            return Some(last.last().map_or(high, |l| l.0));
        }
        // The narrowest range around what the part holds, so that equal
        // breakpoints end the search.
        let (mut least, mut most) = (f64::INFINITY, 0.0f64);
        line.breakpoints(|spend, _| {
            if inside(spend) {
                least = least.min(spend);
                most = most.max(spend);
            }
        });
        (low, high) = (least, most);
    }
}

/// A candidate that comes last.
struct Line<'a> {
    stack: &'a Stack<'a>,
    candidate: usize,
    at: &'a [f64],
    /// What one dollar of each item takes of it, in its order.
    takes: Vec<f64>,
}

impl Line<'_> {
    /// Every breakpoint: the spend per whole hour, and by how much the worth of
    /// a dollar falls there.
    fn breakpoints(&self, mut each: impl FnMut(f64, f64)) {
        let worth = |place: usize| self.takes.get(place).map_or(0.0, |takes| 1.0 / takes);
        let mut spent = Vec::new();
        self.stack.residuals(self.candidate, self.at, |place, usd, shares| {
            if place == 0 {
                spent.clear();
                spent.resize(usd.len(), 0.0);
            }
            let (takes, fall) = (self.takes[place], worth(place) - worth(place + 1));
            for ((spent, usd), share) in spent.iter_mut().zip(usd).zip(shares) {
                *spent += usd * takes;
                each(*spent / share, fall * share);
            }
        });
    }
}
