//! Where a verdict would flip: price levels at which another case becomes as
//! cheap as the chosen one.
//!
//! Computed from the bills alone. With everything bought one way at `f` times
//! its price, a case costs `T + (f − 1)·P`, `P` being its money bought that
//! way, so two cases tie at `f = 1 + (T₂ − T₁) / (P₁ − P₂)`. What runs where is
//! held fixed (policies that compare prices might decide otherwise), and so
//! are the rates of commitments.

use super::verdict::paired_sums;
use crate::bill::{PriceStatus, PurchaseOption};
use crate::sweep::{CaseStudy, Outcome, Study};
use crate::units::Money;

/// Factors beyond this, or below its inverse, are not reported: no price
/// moves tenfold.
pub const MAX_FACTOR: f64 = 10.0;

/// What is imagined to cost more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lever {
    /// Everything bought this way.
    Purchase(PurchaseOption),
    /// Everything whose price has this status.
    Status(PriceStatus),
}

impl Lever {
    /// The levers that are tried, in order.
    pub const ALL: [Lever; 5] = [
        Lever::Purchase(PurchaseOption::OnDemand),
        Lever::Purchase(PurchaseOption::Spot),
        Lever::Purchase(PurchaseOption::Fargate),
        Lever::Purchase(PurchaseOption::FargateSpot),
        Lever::Status(PriceStatus::Representative),
    ];

    /// What it is called.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Lever::Purchase(PurchaseOption::OnDemand) => "EC2 On-Demand prices",
            Lever::Purchase(PurchaseOption::Spot) => "Spot prices",
            Lever::Purchase(PurchaseOption::SavingsPlan) => "Savings Plan rates",
            Lever::Purchase(PurchaseOption::ReservedInstance) => "Reserved Instance prices",
            Lever::Purchase(PurchaseOption::Fargate) => "Fargate prices",
            Lever::Purchase(PurchaseOption::FargateSpot) => "Fargate Spot prices",
            Lever::Purchase(PurchaseOption::Custom) => "stated prices of custom shapes",
            Lever::Purchase(PurchaseOption::Other) => "other charges",
            Lever::Status(PriceStatus::Real) => "published prices",
            Lever::Status(PriceStatus::Derived) => "derived prices",
            Lever::Status(PriceStatus::Representative) => "representative prices",
            Lever::Status(PriceStatus::Believed) => "unverified prices",
            Lever::Status(PriceStatus::Stated) => "stated prices",
        }
    }
}

/// A price level at which the verdict flips.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    /// What costs more or less.
    pub lever: Lever,
    /// Multiple of today's price at which both cost the same.
    pub factor: f64,
    /// The case that is as cheap then: index into `Study::cases`.
    pub case: usize,
    /// For Spot: saving against On-Demand now and at the factor, of the case
    /// that has more Spot.
    pub saving: Option<(f64, f64)>,
}

/// The nearest flip upwards and downwards of every lever, among `candidates`.
pub(super) fn flips(study: &Study, chosen: usize, candidates: &[usize]) -> Vec<Flip> {
    let outcomes = |case: usize| study.cases.get(case).map(|c| c.outcomes.as_slice());
    let saving = |case: usize| study.cases.get(case).and_then(spot_saving);
    flips_among(&outcomes, &saving, chosen, candidates)
}

/// What every seed of an alternative measured.
type Outcomes<'a> = &'a dyn Fn(usize) -> Option<&'a [Option<Outcome>]>;

/// As [`flips`], among any alternatives; `saving` is that of Spot against
/// On-Demand in one of them, where it is known.
pub(super) fn flips_among(
    outcomes: Outcomes<'_>,
    saving: &dyn Fn(usize) -> Option<f64>,
    chosen: usize,
    candidates: &[usize],
) -> Vec<Flip> {
    let mut found = Vec::new();
    for lever in Lever::ALL {
        let mut ties: Vec<(f64, usize, bool)> = candidates
            .iter()
            .filter(|c| **c != chosen)
            .filter_map(|&other| {
                let (factor, more) = tie(outcomes(chosen)?, outcomes(other)?, lever)?;
                Some((factor, other, more))
            })
            .collect();
        // By distance, the earlier case first among equals.
        ties.sort_by(|a, b| (a.0 - 1.0).abs().total_cmp(&(b.0 - 1.0).abs()));
        for up in [true, false] {
            let nearest = ties.iter().find(|(f, _, _)| (*f > 1.0) == up);
            if let Some(&(factor, case, chosen_has_more)) = nearest {
                let spot = if chosen_has_more { chosen } else { case };
                let saving = (lever == Lever::Purchase(PurchaseOption::Spot))
                    .then(|| saving(spot))
                    .flatten()
                    .map(|now| (now, 1.0 - factor * (1.0 - now)));
                found.push(Flip { lever, factor, case, saving });
            }
        }
    }
    found
}

/// Factor at which two alternatives tie, and whether the first has more money
/// on the lever; `None` where they never do within reason.
fn tie(a: &[Option<Outcome>], b: &[Option<Outcome>], lever: Lever) -> Option<(f64, bool)> {
    let money = |o: &Outcome| {
        let (map, name) = match lever {
            Lever::Purchase(p) => (&o.cost.by_purchase, p.name()),
            Lever::Status(s) => (&o.cost.by_price_status, s.name()),
        };
        map.get(name).copied().unwrap_or_default()
    };
    let (total_a, total_b, _) = paired_sums(a, b, |o| o.cost.total)?;
    let (on_a, on_b, _) = paired_sums(a, b, money)?;
    let (gap, slope) = (total_b - total_a, on_a - on_b);
    // Cases that already cost the same tie at any price level near today's.
    if slope == Money::ZERO || gap == Money::ZERO {
        return None;
    }
    let factor = 1.0 + gap.pico() as f64 / slope.pico() as f64;
    (1.0 / MAX_FACTOR..=MAX_FACTOR).contains(&factor).then_some((factor, slope > Money::ZERO))
}

fn spot_saving(case: &CaseStudy) -> Option<f64> {
    let priced = &case.detail.as_ref()?.priced;
    priced.iter().find(|p| p.purchase == PurchaseOption::Spot)?.saving()
}
