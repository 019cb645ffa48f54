//! What is asked about commitments, and what is answered.

use crate::bill::BillingPlan;
use crate::bill::commitments::{HourlyUsage, UsageItem};
use crate::catalog::{Payment, Term};
use crate::sweep::nearest_rank;
use crate::units::{Money, Percent, Rate};

/// A Savings Plan that could be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its number among the commitments of [`Question::plan`].
    pub commitment: usize,
    /// For people: `Compute SP`, or the name that the scenario gives it.
    pub label: String,
    /// For how long.
    pub term: Term,
    /// How it is paid.
    pub payment: Payment,
    /// What was negotiated off its fees.
    pub fee_discount: Percent,
    /// The lines of a scenario that buy it, before and after the amount.
    pub yaml: (String, String),
}

impl Candidate {
    /// What is paid at the start for a spend per hour.
    #[must_use]
    pub fn upfront(&self, usd_per_hour: Rate) -> Money {
        self.fee_discount.off(self.payment.upfront(usd_per_hour, self.term))
    }

    /// What is paid over the term for a spend per hour.
    #[must_use]
    pub fn in_all(&self, usd_per_hour: Rate) -> Money {
        self.fee_discount.off(usd_per_hour.charge(self.term.hours().into(), 1))
    }

    /// The lines of a scenario that buy so much of it.
    #[must_use]
    pub fn lines(&self, usd_per_hour: Rate) -> String {
        let (before, after) = &self.yaml;
        format!("{before}{usd_per_hour}{after}")
    }
}

/// What a seed uses that commitments can cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedUsage {
    /// The seed.
    pub seed: u64,
    /// Hour by hour.
    pub usage: HourlyUsage,
    /// So many of its items, the first ones, are the scenario's; what follows
    /// its payer uses elsewhere.
    pub own: usize,
}

impl SeedUsage {
    /// What each item costs in all hours without commitments.
    pub(super) fn costs(&self) -> impl Iterator<Item = (&UsageItem, Money)> {
        let items = &self.usage.items;
        items.iter().enumerate().map(|(index, item)| {
            let cells = self.usage.list.iter().skip(index).step_by(items.len());
            (item, cells.copied().sum())
        })
    }
}

/// Whose commitment is asked for.
#[derive(Debug)]
pub struct Question<'a> {
    /// Eligible usage, seed by seed.
    pub seeds: &'a [SeedUsage],
    /// What it is billed with: its commitments are everything owned and
    /// everything that could be bought.
    pub plan: &'a BillingPlan,
    /// The numbers of what is owned.
    pub owned: Vec<usize>,
    /// What is to be found together.
    pub candidates: Vec<Candidate>,
    /// Plans each of which is looked at alone, for comparison.
    pub alternatives: Vec<Candidate>,
    /// What is added to every discount of a candidate that is not a published
    /// one, in millionths of the On-Demand list price.
    pub shift_ppm: i64,
}

/// How much of one plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanAdvice {
    /// Which plan.
    pub candidate: Candidate,
    /// The spend per hour that minimises expected cost, as it can be bought.
    pub usd_per_hour: Rate,
    /// Used share of it.
    pub utilisation: Option<f64>,
    /// What one more dollar per hour saves net of itself, on average: the
    /// first dollar, the last one bought, the next one.
    pub marginal: Marginal,
    /// What it does at other spends, the other plans as advised.
    pub curve: Vec<CurvePoint>,
}

/// USD saved per hour and USD of commitment, net of what that USD costs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Marginal {
    /// Of the first dollar.
    pub first: f64,
    /// Of the last that is bought.
    pub last: f64,
    /// Of the next.
    pub next: f64,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CurvePoint {
    /// Spend per hour of the plan.
    pub usd_per_hour: f64,
    /// Expected cost per hour of eligible usage and commitments.
    pub cost_per_hour: f64,
    /// Covered share of eligible usage, by all commitments.
    pub coverage: f64,
    /// Used share of this plan; `None` at zero.
    pub utilisation: Option<f64>,
}

/// What eligible usage and commitments cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paid {
    /// All that the payer uses.
    pub all: Money,
    /// The scenario's part of it, as [`crate::bill::Bill`] has it: commitments
    /// less what other usage takes of them, and what they leave uncovered.
    pub own: Money,
}

/// What a seed costs.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedCost {
    /// The seed.
    pub seed: u64,
    /// With owned commitments.
    pub before: Paid,
    /// With what is advised too.
    pub after: Paid,
    /// All of it with the advised plans scaled as this seed alone would have
    /// it.
    pub hindsight: Money,
    /// Whether `before` and `after` are of the exact engine.
    pub exact: bool,
}

impl SeedCost {
    /// Saved share of what it costs with owned commitments.
    #[must_use]
    pub fn saved(&self) -> f64 {
        (self.before.all - self.after.all).share_of(self.before.all).unwrap_or(0.0)
    }

    /// What knowing the seed beforehand would have saved more, as that share.
    #[must_use]
    pub fn regret(&self) -> f64 {
        (self.after.all - self.hindsight).share_of(self.before.all).unwrap_or(0.0)
    }
}

/// A share over the seeds: nearest-rank quantiles.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quantiles {
    /// Of the seed with the least.
    pub min: f64,
    /// Of all but a twentieth.
    pub p5: f64,
    /// The median.
    pub p50: f64,
    /// Of a twentieth.
    pub p95: f64,
    /// Of the seed with the most.
    pub max: f64,
}

impl Quantiles {
    fn of(seeds: &[SeedCost], share: impl Fn(&SeedCost) -> f64) -> Self {
        let mut shares: Vec<f64> = seeds.iter().map(share).collect();
        shares.sort_by(f64::total_cmp);
        let at = |percent| nearest_rank(&shares, percent).unwrap_or_default();
        Quantiles { min: at(0), p5: at(5), p50: at(50), p95: at(95), max: at(100) }
    }
}

/// What happens if all usage is less than simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fall {
    /// By how much less, as a share.
    pub less: f64,
    /// Saved per hour of what that usage costs without the advice.
    pub saved_per_hour: f64,
    /// The same as a share.
    pub saved: f64,
    /// Used share of everything advised.
    pub utilisation: Option<f64>,
}

/// A plan alone, for comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Which.
    pub candidate: Candidate,
    /// Its best spend per hour.
    pub usd_per_hour: Rate,
    /// Expected cost per hour with it.
    pub cost_per_hour: f64,
    /// Whether nobody published a rate that this rests on.
    pub guessed: bool,
}

/// How much to commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// Plans, in the order of the question; those of which nothing should be
    /// bought too.
    pub plans: Vec<PlanAdvice>,
    /// Per seed.
    pub seeds: Vec<SeedCost>,
    /// Clock hours of each seed's window, edges in part.
    pub hours: f64,
    /// Expected per hour without any commitment.
    pub list_per_hour: f64,
    /// Expected per hour with what is owned.
    pub before_per_hour: f64,
    /// Expected per hour with what is advised.
    pub after_per_hour: f64,
    /// The scenario's part of both.
    pub own_per_hour: (f64, f64),
    /// Covered share of eligible usage before and after.
    pub coverage: (f64, f64),
    /// Used share of everything advised.
    pub utilisation: Option<f64>,
    /// Usage below that simulated.
    pub falls: Vec<Fall>,
    /// By how much usage can fall until nothing is saved; `None` where
    /// something is saved even at a hundredth of it, or nothing is advised.
    pub break_even_fall: Option<f64>,
    /// Plans alone.
    pub alternatives: Vec<Alternative>,
    /// Curves and falls were evaluated on one hour of so many.
    pub stride: usize,
}

impl Advice {
    /// Plans of which something should be bought.
    pub fn bought(&self) -> impl Iterator<Item = &PlanAdvice> {
        self.plans.iter().filter(|p| p.usd_per_hour > Rate::ZERO)
    }

    /// Committed per hour, all advised plans together.
    #[must_use]
    pub fn committed_per_hour(&self) -> Rate {
        Rate::from_pico(self.plans.iter().map(|p| p.usd_per_hour.pico()).sum())
    }

    /// What the seeds save.
    #[must_use]
    pub fn saved_by_seed(&self) -> Quantiles {
        Quantiles::of(&self.seeds, SeedCost::saved)
    }

    /// What knowing each seed beforehand would have saved more.
    #[must_use]
    pub fn regret_by_seed(&self) -> Quantiles {
        Quantiles::of(&self.seeds, SeedCost::regret)
    }

    /// Saved share of the expected cost.
    #[must_use]
    pub fn saved(&self) -> f64 {
        if self.before_per_hour > 0.0 {
            1.0 - self.after_per_hour / self.before_per_hour
        } else {
            0.0
        }
    }
}

/// How much to commit for a case of a scenario, and on what grounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Commitments {
    /// Of the scenario.
    pub scenario: String,
    /// Whose usage it is.
    pub case: String,
    /// With the rates as they are.
    pub advice: Advice,
    /// With lower and higher discounts, where rates are only representative.
    pub band: Option<Band>,
    /// Days of traces are drawn anew for each seed.
    pub resampled: bool,
    /// Names of owned commitments that were applied first.
    pub owned: Vec<String>,
    /// What the payer uses elsewhere, where the scenario states it.
    pub elsewhere: Option<Elsewhere>,
}

/// Usage of the payer outside the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere {
    /// Whether it is covered before the scenario's.
    pub first: bool,
}

/// What a question came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// What to buy.
    Advised(Box<Commitments>),
    /// Nothing is said, because nobody published the rates of these items.
    Withheld(Vec<String>),
}

/// What other discounts would advise.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Taken off and added to every discount that nobody published, in
    /// millionths of the On-Demand price.
    pub spread_ppm: i64,
    /// Spend per hour of each plan with lower discounts.
    pub low: Vec<Rate>,
    /// With higher ones.
    pub high: Vec<Rate>,
    /// Expected cost per hour, each at its own best.
    pub after_per_hour: (f64, f64),
}
