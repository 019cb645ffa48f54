//! The best spend of the commitment that is applied last: a weighted quantile.
//!
//! One more dollar an hour costs a dollar in every hour and saves, in hours in
//! which it still finds usage, what the marginal item costs On-Demand per
//! dollar at the plan's rate. Items come in the order of that worth, so an
//! hour's worth falls at known spends: where one item is covered and the next
//! begins. The sum over all hours falls with it; the best spend is the
//! breakpoint at which it falls below the number of hours.

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
    let worth: Vec<f64> = order.iter().map(|(_, takes)| 1.0 / takes).collect();
    // Every breakpoint: the spend per whole hour, and by how much the worth of
    // a dollar falls there.
    let breakpoints = |each: &mut dyn FnMut(f64, f64)| {
        stack.residuals(candidate, at, |usd, share| {
            let mut spend = 0.0;
            for (index, (usd, (_, takes))) in usd.iter().zip(&order).enumerate() {
                spend += usd * takes;
                let next = worth.get(index + 1).copied().unwrap_or(0.0);
                each(spend / share, (worth[index] - next) * share);
            }
        });
    };
    let clock = stack.hours().clock_hours();
    // What is still missing until a dollar is worth less than it costs.
    let mut excess = worth.first()? * clock - clock;
    // Breakpoints from `low` to `high` are still to be passed.
    let (mut low, mut high) = (0.0f64, *stack.caps().get(candidate)?);
    loop {
        let width = (high - low) / PARTS as f64;
        if width <= 0.0 || low + width <= low {
            return Some(high);
        }
        let mut parts = vec![(0.0, 0usize); PARTS];
        let part = |spend: f64| (((spend - low) / width) as usize).min(PARTS - 1);
        let within = |spend: f64| spend >= low && spend <= high;
        breakpoints(&mut |spend, fall| {
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
            breakpoints(&mut |spend, fall| {
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
        breakpoints(&mut |spend, _| {
            if inside(spend) {
                least = least.min(spend);
                most = most.max(spend);
            }
        });
        (low, high) = (least, most);
    }
}
