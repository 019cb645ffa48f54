//! Which commitments are looked at, and on which terms.

use super::model::{Candidate, Question, SeedUsage};
use crate::bill::ALWAYS;
use crate::bill::commitments::{Benefit, Terms, UsageItem};
use crate::units::{Money, Rate};

/// What is owned, and after it some of what could be bought.
pub(super) struct Held<'a> {
    question: &'a Question<'a>,
    /// Their numbers among the commitments of the plan.
    numbers: Vec<usize>,
    /// How many of them are owned.
    pub(super) owned: usize,
}

impl<'a> Held<'a> {
    /// What is owned, and these.
    pub(super) fn with(question: &'a Question<'a>, candidates: &[Candidate]) -> Self {
        let bought = candidates.iter().map(|c| c.commitment);
        let numbers = question.owned.iter().copied().chain(bought).collect();
        Held { question, numbers, owned: question.owned.len() }
    }

    /// Which of the terms are to be found.
    pub(super) fn candidates(&self) -> Vec<usize> {
        (self.owned..self.numbers.len()).collect()
    }

    /// Terms over items. What is to be bought is looked at as if held all the
    /// time, and where nobody published its discounts they are shifted.
    pub(super) fn terms(&self, items: &[UsageItem]) -> Vec<Terms> {
        let plan = self.question.plan;
        let known = self.numbers.iter().enumerate();
        let of = |(index, number): (usize, &usize)| {
            let mut terms = Terms::of_numbered(plan, *number, items)?;
            if index >= self.owned {
                (terms.from_unix_ms, terms.to_unix_ms) = ALWAYS;
                self.shift(&mut terms, *number, items);
            }
            Some(terms)
        };
        known.filter_map(of).collect()
    }

    /// Unshifted, a rate is what the bill charges, be it above a negotiated
    /// On-Demand price. Shifted it stays between a hundredth of the list price
    /// and all of it, which no plan of AWS exceeds.
    fn shift(&self, terms: &mut Terms, number: usize, items: &[UsageItem]) {
        let ppm = i128::from(self.question.shift_ppm);
        if ppm == 0 {
            return;
        }
        let Benefit::Spend { rates } = &mut terms.benefit else { return };
        for (rate, item) in rates.iter_mut().zip(items) {
            let Some(rate) = rate.as_mut().filter(|_| is_guess(self.question, number, item)) else {
                continue;
            };
            let list = self.question.plan.list_price(item.source).unwrap_or(item.on_demand);
            let moved = rate.pico() - list.scale(ppm, 1_000_000).pico();
            // A scenario's `prices` may put a rate above the list price itself.
            let most = list.max(*rate).pico();
            *rate = Rate::from_pico(moved.clamp((list.pico() / 100).min(most), most));
        }
    }
}

/// Whether the rate of an item under a commitment is one that nobody
/// published.
fn is_guess(question: &Question<'_>, number: usize, item: &UsageItem) -> bool {
    let price = question.plan.price_under(number, item.source);
    price.is_some_and(|price| price.status.is_guess())
}

/// Items that are used and for which one of the candidates has a rate that
/// nobody published, the costliest first.
pub(super) fn unpublished(question: &Question<'_>) -> Vec<String> {
    let guess = |item: &UsageItem| {
        question.candidates.iter().any(|c| is_guess(question, c.commitment, item))
    };
    let used = question.seeds.iter().flat_map(SeedUsage::costs);
    costliest(used.filter(|(item, _)| guess(item)).map(|(item, list)| (&*item.name, list)))
}

/// Whether a plan has a rate that nobody published for something that is used.
pub(super) fn rests_on_guess(question: &Question<'_>, plan: &Candidate) -> bool {
    let mut used = question.seeds.iter().flat_map(SeedUsage::costs);
    used.any(|(item, list)| list > Money::ZERO && is_guess(question, plan.commitment, item))
}

/// Names in the order of what they cost in all, those that cost nothing left
/// out.
pub(super) fn costliest<'n>(costs: impl Iterator<Item = (&'n str, Money)>) -> Vec<String> {
    let mut sums: Vec<(Money, &str)> = Vec::new();
    for (name, list) in costs.filter(|(_, list)| *list > Money::ZERO) {
        match sums.iter_mut().find(|(_, known)| *known == name) {
            Some((sum, _)) => *sum += list,
            None => sums.push((list, name)),
        }
    }
    sums.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    sums.into_iter().map(|(_, name)| name.to_owned()).collect()
}
