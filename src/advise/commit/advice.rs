//! From a question to an answer: search, then exact bills of what was found.

use super::held::{Held, rests_on_guess};
use super::hours::{Hours, stride};
use super::model::{Advice, Alternative, Candidate, PlanAdvice, Question};
use super::search;
use super::seeds::Seeds;
use super::sketch::{Sketch, covered, share};
use super::stack::{Outlook, Stack};
use crate::bill::commitments::{Benefit, Terms};
use crate::units::Rate;
use crate::{Error, Result};

/// Curves, marginal values, falls and alternatives are looked for on at most so
/// many hours.
const SKETCH: usize = 1 << 15;
/// A Savings Plan is bought in steps of 0.00001 USD per hour and not below
/// 0.001 (Savings Plans API, `CreateSavingsPlan`).
const STEP: i128 = 10_000_000;
const SMALLEST: i128 = 1_000_000_000;

/// Answers.
///
/// # Errors
/// Without any hour, or if the exact bill is not what the search rests on.
pub fn advise(question: &Question<'_>) -> Result<Advice> {
    let hours = Hours::new(question.seeds);
    if hours.is_empty() {
        return Err(Error::input("there are no hours to commit for"));
    }
    let Found { held, terms, stack, bought, at } = Found::of(question, &hours);

    let clock = hours.clock_hours();
    let Seeds { costs, before, after } = Seeds::of(question, &held, &stack, &bought)?;
    let list = stack.list(0..hours.len());

    let every = stride(hours.len(), SKETCH);
    let thin = hours.every(every);
    let sketch = Sketch::new(stack.over(&thin, &terms), at.clone());
    let plans = question
        .candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| PlanAdvice {
            candidate: candidate.clone(),
            usd_per_hour: bought[index],
            utilisation: share(after.used[index], at[index] * clock),
            marginal: sketch.marginal(index),
            curve: sketch.curve(index),
        })
        .collect();
    let alternatives = question
        .alternatives
        .iter()
        .filter_map(|candidate| alternative(question, (&hours, &thin), candidate))
        .collect();
    Ok(Advice {
        plans,
        seeds: costs,
        hours: clock / question.seeds.len().max(1) as f64,
        list_per_hour: list / clock,
        before_per_hour: before.usd / clock,
        after_per_hour: after.usd / clock,
        own_per_hour: (before.own() / clock, after.own() / clock),
        coverage: (covered(before.rest, list), covered(after.rest, list)),
        utilisation: share(after.used.iter().sum(), at.iter().sum::<f64>() * clock),
        falls: sketch.falls(),
        break_even_fall: sketch.break_even(),
        alternatives,
        stride: every,
    })
}

/// The spends per hour alone, and what all costs per hour with them.
pub(super) fn sized(question: &Question<'_>, hours: &Hours) -> (Vec<Rate>, f64) {
    let Found { stack, bought, at, .. } = Found::of(question, hours);
    let mut after = Outlook::default();
    for seed in &hours.seeds {
        after += &stack.outlook(seed.clone(), &at, 1.0);
    }
    (bought, after.usd / hours.clock_hours())
}

/// What is searched, and what is found.
struct Found<'a> {
    held: Held<'a>,
    terms: Vec<Terms>,
    stack: Stack<'a>,
    /// Spend per hour of each candidate.
    bought: Vec<Rate>,
    /// As `bought`, USD.
    at: Vec<f64>,
}

impl<'a> Found<'a> {
    fn of(question: &'a Question<'a>, hours: &'a Hours) -> Self {
        let held = Held::with(question, &question.candidates);
        let terms = held.terms(&hours.items);
        let stack = Stack::new(hours, &terms, &held.candidates());
        let best = search::best(&stack, &terms);
        let bought: Vec<Rate> = best.iter().map(|usd| purchasable(*usd)).collect();
        let at = bought.iter().map(|rate| rate.to_f64()).collect();
        Found { held, terms, stack, bought, at }
    }
}

/// Rounded down to what can be bought.
fn purchasable(usd: f64) -> Rate {
    // A hair above, so that a breakpoint of five places stays what it is.
    let pico = ((usd + 1e-11) * 1e12) as i128;
    let rounded = pico / STEP * STEP;
    Rate::from_pico(if rounded < SMALLEST { 0 } else { rounded })
}

/// A plan alone, looked for on some hours and evaluated on all; `None` where it
/// has no rate for anything that is used.
fn alternative(
    question: &Question<'_>,
    (hours, thin): (&Hours, &Hours),
    candidate: &Candidate,
) -> Option<Alternative> {
    let held = Held::with(question, std::slice::from_ref(candidate));
    let terms = held.terms(&hours.items);
    let Benefit::Spend { rates } = &terms.last()?.benefit else { return None };
    rates.iter().flatten().next()?;
    let stack = Stack::new(hours, &terms, &held.candidates());
    let best = search::best(&stack.over(thin, &terms), &terms);
    let usd_per_hour = purchasable(*best.first()?);
    let usd = stack.usd(0..hours.len(), &[usd_per_hour.to_f64()]);
    Some(Alternative {
        candidate: candidate.clone(),
        usd_per_hour,
        cost_per_hour: usd / hours.clock_hours(),
        guessed: rests_on_guess(question, candidate),
    })
}
