//! What each seed costs, exactly where that is a matter of moments.

use super::held::Held;
use super::model::{Paid, Question, SeedCost, SeedUsage};
use super::search::scaled;
use super::stack::{Outlook, Stack};
use crate::bill::commitments::settle;
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// Seeds are billed exactly up to so many hours; of more, some of them are.
const EXACT: usize = 60_000;
/// How far the fast evaluation may be from the exact one.
const TOLERANCE: f64 = 1e-7;

/// Every seed with what is owned and with what is bought.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    /// One by one.
    pub(super) costs: Vec<SeedCost>,
    /// All together with what is owned.
    pub(super) before: Outlook,
    /// All together with what is bought too.
    pub(super) after: Outlook,
}

impl Seeds {
    /// By the fast evaluation; by the exact engine as well as far as that is a
    /// matter of moments, and then compared.
    pub(super) fn of(
        question: &Question<'_>,
        held: &Held<'_>,
        stack: &Stack<'_>,
        bought: &[Rate],
    ) -> Result<Seeds> {
        let hours = stack.hours();
        let at: Vec<f64> = bought.iter().map(|rate| rate.to_f64()).collect();
        let zero = vec![0.0; at.len()];
        let every = hours.len().div_ceil(EXACT);
        let mut seeds = Seeds::default();
        for (index, (of, range)) in question.seeds.iter().zip(&hours.seeds).enumerate() {
            let before = stack.outlook(range.clone(), &zero, 1.0);
            let after = stack.outlook(range.clone(), &at, 1.0);
            let mut cost = SeedCost {
                seed: of.seed,
                before: fast(&before),
                after: fast(&after),
                hindsight: money(scaled(stack, range.clone(), &at).min(after.usd)),
                exact: false,
            };
            if index.is_multiple_of(every) {
                cost.before = exact(held, of, &[]);
                cost.after = exact(held, of, bought);
                cost.hindsight = cost.hindsight.min(cost.after.all);
                cost.exact = true;
                compare(of.seed, cost.before, &before)?;
                compare(of.seed, cost.after, &after)?;
            }
            seeds.before += &before;
            seeds.after += &after;
            seeds.costs.push(cost);
        }
        Ok(seeds)
    }
}

fn compare(seed: u64, exact: Paid, fast: &Outlook) -> Result<()> {
    for (exact, fast) in [(exact.all, fast.usd), (exact.own, fast.own())] {
        if (exact.to_f64() - fast).abs() > TOLERANCE * exact.to_f64().abs().max(1.0) {
            let message = format!("seed {seed} costs {exact} USD but was searched as {fast}");
            return Err(Error::failed(message));
        }
    }
    Ok(())
}

fn fast(outlook: &Outlook) -> Paid {
    Paid { all: money(outlook.usd), own: money(outlook.own()) }
}

fn money(usd: f64) -> Money {
    Money::from_pico((usd * 1e6).round() as i128 * 1_000_000)
}

/// The exact bill of a seed's eligible usage with what is owned and, if
/// anything, what is bought.
fn exact(held: &Held<'_>, of: &SeedUsage, bought: &[Rate]) -> Paid {
    let mut terms = held.terms(&of.usage.items);
    terms.truncate(held.owned + bought.len());
    for (terms, usd) in terms.iter_mut().skip(held.owned).zip(bought) {
        terms.usd_per_hour = *usd;
    }
    let settled = settle(&of.usage, &terms);
    let own = |hour| settled.hour_total_of(hour, of.own);
    Paid { all: settled.total(), own: (0..settled.hours()).map(own).sum() }
}
