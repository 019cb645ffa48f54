//! What hours cost under commitments that are to be found: the fast twin of
//! [`crate::bill::commitments::settle`], on columns and in floats.
//!
//! Commitments take their turn as AWS applies them, so that an hour is a row of
//! steps: a step gives one item what is left of one commitment. Along a
//! direction of commitments the cost of an hour is piecewise linear; its slope
//! is carried along the same steps.

use std::ops::{AddAssign, Range};

use super::hours::Hours;
use super::lanes::{LANES, Lanes, Step, sum};
use crate::bill::commitments::{Benefit, Ranking, Terms};
use crate::units::{HOUR_MS, Rate};

/// A commitment of the stack.
#[derive(Debug, Clone)]
struct Plan {
    /// What covers usage in a whole hour, in the unit of [`Step::takes`].
    budget: f64,
    /// USD per hour, whether used or not; of a candidate per USD of its spend,
    /// which is less than one where something was negotiated off that.
    fee: f64,
    /// USD that a unit of the budget stands for.
    unit: f64,
    /// Share of each hour it is in force, where not always.
    in_force: Option<Vec<f64>>,
}

/// What hours cost, and how that changes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    /// USD.
    pub(super) usd: f64,
    /// USD per unit of the direction, to its right.
    pub(super) slope: f64,
}

/// What hours come to at given commitments.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outlook {
    /// USD of everything: commitments and what they do not cover.
    pub(super) usd: f64,
    /// Per candidate: what was used of its spend, USD.
    pub(super) used: Vec<f64>,
    /// USD left to pay On-Demand.
    pub(super) rest: f64,
    /// USD of it all that is not the scenario's: what other usage takes of
    /// commitments and has left to pay.
    pub(super) others: f64,
}

impl Outlook {
    /// USD of the scenario's own.
    pub(super) fn own(&self) -> f64 {
        self.usd - self.others
    }
}

impl AddAssign<&Outlook> for Outlook {
    fn add_assign(&mut self, other: &Outlook) {
        self.used.resize(self.used.len().max(other.used.len()), 0.0);
        self.used.iter_mut().zip(&other.used).for_each(|(sum, used)| *sum += used);
        self.usd += other.usd;
        self.rest += other.rest;
        self.others += other.others;
    }
}

/// Owned commitments and candidates over hours of usage.
#[derive(Debug, Clone)]
pub(super) struct Stack<'a> {
    hours: &'a Hours,
    plans: Vec<Plan>,
    steps: Vec<Step>,
    /// Which plans are to be found; the others have their size.
    candidates: Vec<usize>,
    /// Items with a step, and their columns before it.
    active: Vec<usize>,
    /// USD of items that no commitment covers, per hour.
    constant: Vec<f64>,
}

impl<'a> Stack<'a> {
    /// Terms over the items of `hours`; those at `candidates` are Savings
    /// Plans whose spend is to be found.
    pub(super) fn new(hours: &'a Hours, terms: &[Terms], candidates: &[usize]) -> Self {
        let plans = terms
            .iter()
            .enumerate()
            .map(|(index, t)| {
                let (spend, paid) = (t.usd_per_hour.to_f64(), 1.0 - t.fee_discount.fraction());
                let (budget, unit) = match &t.benefit {
                    Benefit::Capacity { quarters, .. } => {
                        let budget = *quarters as f64 * HOUR_MS as f64;
                        (budget, spend * paid / budget.max(1.0))
                    }
                    Benefit::Spend { .. } => (spend, paid),
                };
                let fee = if candidates.contains(&index) { paid } else { spend * paid };
                Plan { budget, fee, unit, in_force: hours.in_force(t) }
            })
            .collect();
        let step = |(item, plan): (usize, usize)| {
            let of = hours.items.get(item)?;
            let takes = match &terms.get(plan)?.benefit {
                Benefit::Capacity { sizes, .. } => {
                    let size = f64::from(sizes.get(item).copied().flatten()?);
                    size * of.unit.per() as f64 / of.on_demand.to_f64()
                }
                Benefit::Spend { rates } => {
                    ratio(rates.get(item).copied().flatten()?, of.on_demand)
                }
            };
            Some(Step { item, plan, takes })
        };
        let ranking = Ranking::new(&hours.items, terms);
        let mut steps: Vec<Step> = ranking.order().filter_map(step).collect();
        let mut active: Vec<usize> = steps.iter().map(|s| s.item).collect();
        active.sort_unstable();
        active.dedup();
        for step in &mut steps {
            step.item = active.partition_point(|a| *a < step.item);
        }
        let mut constant = vec![0.0; hours.len()];
        for (item, column) in hours.list.iter().enumerate() {
            if active.binary_search(&item).is_err() {
                constant.iter_mut().zip(column).for_each(|(sum, usd)| *sum += usd);
            }
        }
        Stack { hours, plans, steps, candidates: candidates.to_vec(), active, constant }
    }

    /// The same candidates over every `stride`th hour.
    pub(super) fn over<'b>(&self, thin: &'b Hours, terms: &[Terms]) -> Stack<'b> {
        Stack::new(thin, terms, &self.candidates)
    }

    /// The hours it is about.
    pub(super) fn hours(&self) -> &'a Hours {
        self.hours
    }

    /// Number of candidates.
    pub(super) fn dimensions(&self) -> usize {
        self.candidates.len()
    }

    /// Spend per hour beyond which no hour uses more, of each candidate.
    pub(super) fn caps(&self) -> Vec<f64> {
        (0..self.dimensions()).map(|candidate| self.cap(candidate)).collect()
    }

    /// As [`Stack::caps`], of one.
    pub(super) fn cap(&self, candidate: usize) -> f64 {
        let plan = self.candidates[candidate];
        let steps: Vec<&Step> = self.steps.iter().filter(|s| s.plan == plan).collect();
        let mut most = 0.0f64;
        for (weight, from) in self.hours.weight.chunks(LANES).zip((0..).step_by(LANES)) {
            let mut sums = [0.0; LANES];
            for step in &steps {
                let usd = &self.column(step.item)[from..from + weight.len()];
                sums.iter_mut().zip(usd).for_each(|(sum, usd)| *sum += usd * step.takes);
            }
            let spends = sums.iter().zip(weight).map(|(sum, weight)| sum / weight.max(1e-9));
            most = spends.fold(most, f64::max);
        }
        most
    }

    /// What one candidate takes for the usage that another takes a dollar for;
    /// `None` where they cover nothing in common.
    pub(super) fn exchange(&self, from: usize, to: usize) -> Option<f64> {
        let taken = |candidate: usize, item: usize| {
            let plan = *self.candidates.get(candidate)?;
            self.steps.iter().find(|s| s.plan == plan && s.item == item).map(|s| s.takes)
        };
        let (mut given, mut got) = (0.0, 0.0);
        for item in 0..self.active.len() {
            if let Some((a, b)) = taken(from, item).zip(taken(to, item)) {
                let usd: f64 = self.column(item).iter().sum();
                given += usd * a;
                got += usd * b;
            }
        }
        (given > 0.0).then(|| got / given)
    }

    /// What a dollar of a candidate's spend costs: one, less what was negotiated.
    pub(super) fn paid(&self, candidate: usize) -> f64 {
        self.plans[self.candidates[candidate]].fee
    }

    fn column(&self, active: usize) -> &[f64] {
        &self.hours.list[self.active[active]]
    }

    /// The cost of all hours at spends `at` of the candidates, and its slope
    /// along `towards`.
    pub(super) fn cost(&self, at: &[f64], towards: &[f64]) -> Cost {
        self.cost_of(0..self.hours.len(), at, Some(towards))
    }

    /// The cost of some hours.
    pub(super) fn usd(&self, hours: Range<usize>, at: &[f64]) -> f64 {
        self.cost_of(hours, at, None).usd
    }

    pub(super) fn cost_of(&self, hours: Range<usize>, at: &[f64], towards: Option<&[f64]>) -> Cost {
        let mut cost = Cost::default();
        let mut lanes = Lanes::new(self.active.len(), self.plans.len());
        let steps = self.live(at, towards);
        let mut from = hours.start;
        while from < hours.end {
            let n = LANES.min(hours.end - from);
            self.load(&mut lanes, from, n, at, towards, 1.0);
            lanes.apply(&steps, towards.is_some());
            for rest in &lanes.rest {
                cost.usd += sum(rest);
            }
            if towards.is_some() {
                for slope in &lanes.rest_slope {
                    cost.slope += sum(slope);
                }
            }
            from += n;
        }
        cost.usd += self.constant[hours.clone()].iter().sum::<f64>() + self.fees(hours.clone(), at);
        if let Some(towards) = towards {
            let clock: f64 = self.hours.weight[hours].iter().sum();
            let fees =
                (0..towards.len()).map(|candidate| towards[candidate] * self.paid(candidate));
            cost.slope += clock * fees.sum::<f64>();
        }
        cost
    }

    /// What some hours come to if usage is `scale` times what it is.
    pub(super) fn outlook(&self, hours: Range<usize>, at: &[f64], scale: f64) -> Outlook {
        let mut outlook = Outlook { used: vec![0.0; self.candidates.len()], ..Outlook::default() };
        let mut lanes = Lanes::new(self.active.len(), self.plans.len());
        let steps = self.live(at, None);
        let mut from = hours.start;
        while from < hours.end {
            let n = LANES.min(hours.end - from);
            self.load(&mut lanes, from, n, at, None, scale);
            let before: Vec<f64> = lanes.left.iter().map(sum).collect();
            let mut others = 0.0;
            for steps in steps.chunk_by(|a, b| self.is_own(a.item) == self.is_own(b.item)) {
                let own = steps.first().is_none_or(|step| self.is_own(step.item));
                let left = if own { 0.0 } else { self.usd_left(&lanes) };
                lanes.apply(steps, false);
                others += if own { 0.0 } else { left - self.usd_left(&lanes) };
            }
            for (used, plan) in outlook.used.iter_mut().zip(&self.candidates) {
                *used += before[*plan] - sum(&lanes.left[*plan]);
            }
            for (item, rest) in lanes.rest.iter().enumerate() {
                let rest = sum(rest);
                outlook.rest += rest;
                others += if self.is_own(item) { 0.0 } else { rest };
            }
            outlook.others += others;
            from += n;
        }
        let column = |of: &[f64]| scale * of[hours.clone()].iter().sum::<f64>();
        outlook.rest += column(&self.constant);
        for (item, list) in self.hours.list.iter().enumerate() {
            if !self.hours.own[item] && self.active.binary_search(&item).is_err() {
                outlook.others += column(list);
            }
        }
        outlook.usd = outlook.rest + self.fees(hours, at);
        outlook
    }

    /// Whether an item with a step is the scenario's.
    fn is_own(&self, active: usize) -> bool {
        self.hours.own[self.active[active]]
    }

    /// USD that all commitments together have left.
    fn usd_left(&self, lanes: &Lanes) -> f64 {
        self.plans.iter().zip(&lanes.left).map(|(plan, left)| plan.unit * sum(left)).sum()
    }

    /// What the hours cost without any commitment, owned or not.
    pub(super) fn list(&self, hours: Range<usize>) -> f64 {
        self.hours.list.iter().map(|column| column[hours.clone()].iter().sum::<f64>()).sum()
    }

    fn fees(&self, hours: Range<usize>, at: &[f64]) -> f64 {
        let clock: f64 = self.hours.weight[hours.clone()].iter().sum();
        let mut fees = 0.0;
        for (index, plan) in self.plans.iter().enumerate() {
            if let Some(candidate) = self.candidates.iter().position(|c| *c == index) {
                fees += at[candidate] * plan.fee * clock;
            } else {
                let shares = plan.in_force.as_ref().map(|f| f[hours.clone()].iter().sum());
                fees += plan.fee * shares.unwrap_or(clock);
            }
        }
        fees
    }

    /// The steps that change anything: not those of a candidate of which there
    /// is nothing.
    fn live(&self, at: &[f64], towards: Option<&[f64]>) -> Vec<Step> {
        let nothing = |candidate: usize| {
            at[candidate] <= 0.0 && towards.is_none_or(|towards| towards[candidate] == 0.0)
        };
        let empty: Vec<usize> =
            (0..at.len()).filter(|c| nothing(*c)).map(|c| self.candidates[c]).collect();
        self.steps.iter().filter(|step| !empty.contains(&step.plan)).copied().collect()
    }

    fn load(
        &self,
        lanes: &mut Lanes,
        from: usize,
        n: usize,
        at: &[f64],
        towards: Option<&[f64]>,
        scale: f64,
    ) {
        for (item, rest) in lanes.rest.iter_mut().enumerate() {
            rest[n..].fill(0.0);
            for (rest, usd) in rest.iter_mut().zip(&self.column(item)[from..from + n]) {
                *rest = usd * scale;
            }
        }
        for (index, (plan, left)) in self.plans.iter().zip(&mut lanes.left).enumerate() {
            let candidate = self.candidates.iter().position(|c| *c == index);
            let budget = candidate.map_or(plan.budget, |c| at[c]);
            let share = plan.in_force.as_ref().unwrap_or(&self.hours.weight);
            left.fill(0.0);
            for (left, share) in left.iter_mut().zip(&share[from..from + n]) {
                *left = budget * share;
            }
            if let Some(towards) = towards {
                let slope = candidate.map_or(0.0, |c| towards[c]);
                let slopes = &mut lanes.left_slope[index];
                slopes.fill(0.0);
                for (left, share) in slopes.iter_mut().zip(&share[from..from + n]) {
                    *left = slope * share;
                }
            }
        }
        if towards.is_some() {
            lanes.rest_slope.iter_mut().for_each(|lanes| lanes.fill(0.0));
        }
    }

    /// What one dollar of each item takes of a candidate, in the order in
    /// which it covers them, if nothing comes after it: the case in which its
    /// best spend is a weighted quantile.
    pub(super) fn last_in_line(&self, candidate: usize) -> Option<Vec<(usize, f64)>> {
        let plan = *self.candidates.get(candidate)?;
        let first = self.steps.iter().position(|s| s.plan == plan)?;
        self.steps[first..].iter().map(|s| (s.plan == plan).then_some((s.item, s.takes))).collect()
    }

    /// Runs the steps before a candidate that is last in line and hands over,
    /// some hours at a time, what they leave of each of its items (by its place
    /// in the candidate's order) and the shares of these hours that count.
    pub(super) fn residuals(
        &self,
        candidate: usize,
        at: &[f64],
        mut each: impl FnMut(usize, &[f64], &[f64]),
    ) {
        let Some(order) = self.last_in_line(candidate) else { return };
        let before = &self.steps[..self.steps.len() - order.len()];
        let mut lanes = Lanes::new(self.active.len(), self.plans.len());
        for (weight, from) in self.hours.weight.chunks(LANES).zip((0..).step_by(LANES)) {
            self.load(&mut lanes, from, weight.len(), at, None, 1.0);
            lanes.apply(before, false);
            for (place, (item, _)) in order.iter().enumerate() {
                each(place, &lanes.rest[*item][..weight.len()], weight);
            }
        }
    }
}

fn ratio(part: Rate, whole: Rate) -> f64 {
    part.pico() as f64 / whole.pico() as f64
}
