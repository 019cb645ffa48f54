//! From a question to an answer: search, then exact bills of what was found.

use std::ops::Range;

use super::hours::{Hours, stride};
use super::model::{
    Advice, Alternative, Candidate, CurvePoint, Fall, Marginal, PlanAdvice, Question, SeedCost,
};
use super::search::{self, scaled};
use super::stack::Stack;
use crate::bill::commitments::{Benefit, HourlyUsage, Terms, UsageItem, settle};
use crate::bill::{ALWAYS, Commitment, PriceStatus};
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// Curves, marginal values and falls are evaluated on at most so many hours.
const SKETCH: usize = 1 << 15;
/// Seeds are billed exactly up to so many hours; of more, some of them are.
const EXACT: usize = 60_000;
/// Points of a curve, zero among them.
const POINTS: usize = 25;
/// A Savings Plan is bought in steps of 0.00001 USD per hour and not below
/// 0.001 (Savings Plans API, `CreateSavingsPlan`).
const STEP: i128 = 10_000_000;
const SMALLEST: i128 = 1_000_000_000;
/// Marginal values are looked up this far beside what is bought: further than
/// what is left uncovered because other plans are rounded down to a step.
const BESIDE: i128 = 10 * STEP;
/// Falls of usage that are shown.
const FALLS: [f64; 3] = [0.1, 0.2, 0.3];
/// How far the fast evaluation may be from the exact one.
const TOLERANCE: f64 = 1e-7;

/// Answers.
///
/// # Errors
/// Without any hour, or if the exact bill is not what the search rests on.
pub fn advise(question: &Question<'_>) -> Result<Advice> {
    let hours = Hours::new(question.usage);
    if hours.is_empty() {
        return Err(Error::input("there are no hours to commit for"));
    }
    let owned = owned(question);
    let of = |candidates: &[Candidate]| -> Vec<Commitment> {
        let bought = candidates.iter().filter_map(|c| question.commitments.get(c.commitment));
        owned.iter().copied().chain(bought).cloned().collect()
    };
    let all = of(&question.candidates);
    let first = owned.len();
    let indices: Vec<usize> = (first..all.len()).collect();
    let terms = terms(&all, first, &hours.items, question.shift_ppm);
    let stack = Stack::new(&hours, &terms, &indices);
    let optimum = search::best(&stack, &terms);
    let bought: Vec<Rate> = optimum.at.iter().map(|usd| purchasable(*usd)).collect();
    let at: Vec<f64> = bought.iter().map(|rate| rate.to_f64()).collect();

    let everything = 0..hours.len();
    let clock = hours.clock_hours();
    let zero = vec![0.0; at.len()];
    let seeds = seeds(question, &stack, &all, first, &bought)?;
    let before = stack.outlook(everything.clone(), &zero, 1.0);
    let after = stack.outlook(everything.clone(), &at, 1.0);
    let list = stack.list(everything);
    let coverage = |rest: f64| covered(rest, list);

    let every = stride(hours.len(), SKETCH);
    let thin = hours.every(every);
    let sketch = stack.over(&thin, &terms);
    let plans = question
        .candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| PlanAdvice {
            candidate: candidate.clone(),
            usd_per_hour: bought[index],
            utilisation: share(after.used[index], at[index] * clock),
            marginal: marginal(&sketch, &at, index),
            curve: curve(&sketch, &at, index),
        })
        .collect();
    let alternatives = question
        .alternatives
        .iter()
        .filter_map(|candidate| {
            alternative(question, &hours, &of(std::slice::from_ref(candidate)), candidate)
        })
        .collect();
    Ok(Advice {
        plans,
        seeds,
        hours: clock / question.usage.len().max(1) as f64,
        list_per_hour: list / clock,
        before_per_hour: before.usd / clock,
        after_per_hour: after.usd / clock,
        coverage: (coverage(before.rest), coverage(after.rest)),
        utilisation: share(after.used.iter().sum(), at.iter().sum::<f64>() * clock),
        falls: FALLS.iter().map(|less| fall(&sketch, &at, *less)).collect(),
        break_even_fall: break_even(&sketch, &at),
        alternatives,
        stride: every,
    })
}

/// Items that are used and for which a candidate has a rate that nobody
/// published, the costliest first.
#[must_use]
pub fn unpublished(question: &Question<'_>) -> Vec<String> {
    let mut guessed: Vec<(Money, String)> = Vec::new();
    for usage in question.usage {
        for (index, item) in usage.items.iter().enumerate() {
            let guess = |c: &Candidate| {
                question.commitments.get(c.commitment).is_some_and(|c| is_guess(status(c, item)))
            };
            let list: Money =
                usage.list.iter().skip(index).step_by(usage.items.len()).copied().sum();
            if list > Money::ZERO && question.candidates.iter().any(guess) {
                match guessed.iter_mut().find(|(_, name)| *name == item.name) {
                    Some((sum, _)) => *sum += list,
                    None => guessed.push((list, item.name.clone())),
                }
            }
        }
    }
    guessed.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    guessed.into_iter().map(|(_, name)| name).collect()
}

fn owned<'a>(question: &Question<'a>) -> Vec<&'a Commitment> {
    let offered = question.candidates.iter().chain(&question.alternatives);
    let offered: Vec<usize> = offered.map(|c| c.commitment).collect();
    let kept = question.commitments.iter().enumerate();
    kept.filter(|(i, _)| !offered.contains(i)).map(|(_, c)| c).collect()
}

/// The terms of commitments over items; of those from `first` on, discounts
/// that nobody published are shifted.
fn terms(all: &[Commitment], first: usize, items: &[UsageItem], shift_ppm: i64) -> Vec<Terms> {
    let one = |(index, commitment): (usize, &Commitment)| {
        let mut terms = Terms::of(commitment, items);
        if index >= first {
            // What is to be bought is looked at as if held all the time.
            (terms.from_unix_ms, terms.to_unix_ms) = ALWAYS;
            shift(&mut terms, commitment, items, shift_ppm);
        }
        terms
    };
    all.iter().enumerate().map(one).collect()
}

fn shift(terms: &mut Terms, commitment: &Commitment, items: &[UsageItem], ppm: i64) {
    let Benefit::Spend { rates } = &mut terms.benefit else { return };
    for (rate, item) in rates.iter_mut().zip(items) {
        let Some(rate) = rate else { continue };
        if is_guess(status(commitment, item)) {
            let moved = rate.pico() - item.on_demand.scale(ppm.into(), 1_000_000).pico();
            // At least a hundredth, at most the On-Demand price.
            let least = item.on_demand.pico() / 100;
            *rate = Rate::from_pico(moved.clamp(least, item.on_demand.pico().max(least)));
        }
    }
}

/// How far the rate of an item can be trusted.
fn status(commitment: &Commitment, item: &UsageItem) -> Option<PriceStatus> {
    commitment.price(item.source).map(|price| price.status)
}

fn is_guess(status: Option<PriceStatus>) -> bool {
    matches!(status, Some(PriceStatus::Representative | PriceStatus::Believed))
}

/// Rounded down to what can be bought.
fn purchasable(usd: f64) -> Rate {
    // A hair above, so that a breakpoint of five places stays what it is.
    let pico = ((usd + 1e-11) * 1e12) as i128;
    let rounded = pico / STEP * STEP;
    Rate::from_pico(if rounded < SMALLEST { 0 } else { rounded })
}

/// The covered share where so much of the list price is left to pay; what is
/// but rounding is nothing.
fn covered(rest: f64, list: f64) -> f64 {
    let share = if list > 0.0 { 1.0 - rest / list } else { 0.0 };
    if share.abs() < 1e-9 { 0.0 } else { share }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn money(usd: f64) -> Money {
    Money::from_pico((usd * 1e6).round() as i128 * 1_000_000)
}

/// What every seed costs: by the exact engine, as far as that is a matter of
/// moments; the others by the fast one, which was then compared.
fn seeds(
    question: &Question<'_>,
    stack: &Stack<'_>,
    all: &[Commitment],
    first: usize,
    bought: &[Rate],
) -> Result<Vec<SeedCost>> {
    let hours = stack.hours();
    let at: Vec<f64> = bought.iter().map(|rate| rate.to_f64()).collect();
    let zero = vec![0.0; at.len()];
    let every = hours.len().div_ceil(EXACT);
    let mut costs = Vec::with_capacity(question.usage.len());
    for (index, (usage, range)) in question.usage.iter().zip(&hours.seeds).enumerate() {
        let fast = |at: &[f64]| stack.usd(range.clone(), at);
        let (before, after) = (fast(&zero), fast(&at));
        let hindsight = scaled(stack, range.clone(), &at).min(after);
        let mut cost = SeedCost {
            seed: question.seeds.get(index).copied().unwrap_or_default(),
            before: money(before),
            after: money(after),
            hindsight: money(hindsight),
            exact: false,
        };
        if index % every == 0 {
            cost.before = exact(usage, &all[..first], first, &[], question.shift_ppm);
            cost.after = exact(usage, all, first, bought, question.shift_ppm);
            cost.hindsight = cost.hindsight.min(cost.after);
            cost.exact = true;
            for (exact, fast) in [(cost.before, before), (cost.after, after)] {
                if (exact.to_f64() - fast).abs() > TOLERANCE * exact.to_f64().abs().max(1.0) {
                    return Err(Error::failed(format!(
                        "seed {} costs {exact} USD but was searched as {fast}",
                        cost.seed
                    )));
                }
            }
        }
        costs.push(cost);
    }
    Ok(costs)
}

/// The exact bill of a seed's eligible usage.
fn exact(
    usage: &HourlyUsage,
    all: &[Commitment],
    first: usize,
    bought: &[Rate],
    shift_ppm: i64,
) -> Money {
    let mut terms = terms(all, first, &usage.items, shift_ppm);
    for (terms, usd) in terms.iter_mut().skip(first).zip(bought) {
        terms.usd_per_hour = *usd;
    }
    settle(usage, &terms).total()
}

/// Slopes a little beside what is bought, on either side: at a breakpoint
/// itself rounding would choose the side.
fn marginal(stack: &Stack<'_>, at: &[f64], index: usize) -> Marginal {
    let clock = stack.hours().clock_hours();
    let step = BESIDE as f64 / 1e12;
    let slope = |usd: f64, sign: f64| {
        let mut at = at.to_vec();
        at[index] = usd;
        let mut towards = vec![0.0; at.len()];
        towards[index] = sign;
        -sign * stack.cost(&at, &towards).slope / clock
    };
    Marginal {
        first: slope(0.0, 1.0),
        last: if at[index] > 0.0 { slope(at[index] - step, -1.0) } else { 0.0 },
        next: slope(at[index] + step, 1.0),
    }
}

fn curve(stack: &Stack<'_>, at: &[f64], index: usize) -> Vec<CurvePoint> {
    let clock = stack.hours().clock_hours();
    let all: Range<usize> = 0..stack.hours().len();
    let list = stack.list(all.clone());
    let cap = stack.caps()[index];
    let most = if at[index] > 0.0 { cap.min(2.0 * at[index]) } else { cap };
    let point = |step: usize| {
        let usd = most * step as f64 / (POINTS - 1) as f64;
        let mut at = at.to_vec();
        at[index] = usd;
        let outlook = stack.outlook(all.clone(), &at, 1.0);
        CurvePoint {
            usd_per_hour: usd,
            cost_per_hour: outlook.usd / clock,
            coverage: covered(outlook.rest, list),
            utilisation: share(outlook.used[index], usd * clock),
        }
    };
    if most > 0.0 { (0..POINTS).map(point).collect() } else { Vec::new() }
}

fn fall(stack: &Stack<'_>, at: &[f64], less: f64) -> Fall {
    let clock = stack.hours().clock_hours();
    let all = 0..stack.hours().len();
    let before = stack.outlook(all.clone(), &vec![0.0; at.len()], 1.0 - less);
    let after = stack.outlook(all, at, 1.0 - less);
    Fall {
        less,
        saved_per_hour: (before.usd - after.usd) / clock,
        saved: share(before.usd - after.usd, before.usd).unwrap_or(0.0),
        utilisation: share(after.used.iter().sum(), at.iter().sum::<f64>() * clock),
    }
}

/// Savings fall with usage; halving finds where they are gone.
fn break_even(stack: &Stack<'_>, at: &[f64]) -> Option<f64> {
    let saves = |less: f64| fall(stack, at, less).saved_per_hour > 0.0;
    if at.iter().sum::<f64>() <= 0.0 || !saves(0.0) || saves(0.99) {
        return None;
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

/// A plan alone; `None` where it has no rate for anything that is used.
fn alternative(
    question: &Question<'_>,
    hours: &Hours,
    all: &[Commitment],
    candidate: &Candidate,
) -> Option<Alternative> {
    let first = all.len().checked_sub(1)?;
    let terms = terms(all, first, &hours.items, question.shift_ppm);
    let Benefit::Spend { rates } = &terms.last()?.benefit else { return None };
    rates.iter().flatten().next()?;
    let thin = hours.every(stride(hours.len(), SKETCH));
    let stack = Stack::new(&thin, &terms, &[first]);
    let optimum = search::best(&stack, &terms);
    let usd_per_hour = purchasable(*optimum.at.first()?);
    let usd = stack.usd(0..thin.len(), &[usd_per_hour.to_f64()]);
    Some(Alternative {
        candidate: candidate.clone(),
        usd_per_hour,
        cost_per_hour: usd / thin.clock_hours(),
    })
}
