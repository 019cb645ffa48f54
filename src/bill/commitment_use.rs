//! What became of the commitments over the cost window.

use super::prices::{Commitment, CommitmentKind};
use crate::units::{Money, Percent, Portions};

/// How one commitment was used over the cost window. All dollars of it are
/// those paid, after what was negotiated off its fees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentUse {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: CommitmentKind,
    /// What was negotiated off its fees.
    pub fee_discount: Percent,
    /// Committed spend, amortised by the hour: used, used by others, unused.
    pub committed: Money,
    /// Spent on covered usage.
    pub used: Money,
    /// Spent on other usage of the payer: no part of the bill.
    pub used_by_others: Money,
    /// Charged and not used.
    pub unused: Money,
    /// What of `unused` other usage of the payer may use all the same, because
    /// not everything is known of it.
    pub absorbable: Money,
    /// What the covered usage costs On-Demand.
    pub covered_on_demand: Money,
    /// What falls due in the cost window upfront, without the part of others.
    pub upfront: Money,
    /// What falls due in the cost window by the hour, without the part of
    /// others.
    pub recurring: Money,
}

impl CommitmentUse {
    /// Nothing of it yet.
    pub(super) fn new(of: &Commitment) -> Self {
        let zero = Money::ZERO;
        CommitmentUse {
            name: of.name.clone(),
            kind: of.kind,
            fee_discount: of.fee_discount,
            committed: zero,
            used: zero,
            used_by_others: zero,
            unused: zero,
            absorbable: zero,
            covered_on_demand: zero,
            upfront: zero,
            recurring: zero,
        }
    }

    /// What falls due in the cost window.
    #[must_use]
    pub fn cash(&self) -> Money {
        self.upfront + self.recurring
    }

    /// What of it is on the bill.
    #[must_use]
    pub fn charged(&self) -> Money {
        self.used + self.unused
    }

    /// What of [`CommitmentUse::cash`] other usage may take all the same:
    /// payments follow what they are for.
    fn absorbable_cash(&self) -> Money {
        match self.charged() {
            Money::ZERO => Money::ZERO,
            charged => part_of(self.cash(), self.absorbable, charged),
        }
    }
}

/// As much of a payment as `part` is of a `whole` above zero.
pub(super) fn part_of(payment: Money, part: Money, whole: Money) -> Money {
    // The product of two amounts may leave i128.
    Money::from_pico(Portions::new(payment, whole.pico()).upto(part.pico()))
}

/// How all commitments together were used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommitmentSummary {
    /// Each, in scenario order.
    pub each: Vec<CommitmentUse>,
    /// What the eligible usage (EC2 On-Demand and Fargate) costs at list
    /// price, covered or not.
    pub eligible_on_demand: Money,
    /// Whether other usage of the payer was stated.
    pub other_usage: bool,
}

impl CommitmentSummary {
    /// Committed spend.
    #[must_use]
    pub fn committed(&self) -> Money {
        self.each.iter().map(|c| c.committed).sum()
    }

    /// Whether it is net: something was negotiated off the fees of one.
    #[must_use]
    pub fn has_fee_discounts(&self) -> bool {
        self.each.iter().any(|c| c.fee_discount != Percent::default())
    }

    /// Used part of it.
    #[must_use]
    pub fn used(&self) -> Money {
        self.each.iter().map(|c| c.used).sum()
    }

    /// What other usage of the payer used of it.
    #[must_use]
    pub fn used_by_others(&self) -> Money {
        self.each.iter().map(|c| c.used_by_others).sum()
    }

    /// What of it is on the bill: used by the scenario or by nobody.
    #[must_use]
    pub fn charged(&self) -> Money {
        self.each.iter().map(CommitmentUse::charged).sum()
    }

    /// What of the unused part other usage may use all the same.
    #[must_use]
    pub fn absorbable(&self) -> Money {
        self.each.iter().map(|c| c.absorbable).sum()
    }

    /// What of the payments other usage may take all the same.
    #[must_use]
    pub fn absorbable_cash(&self) -> Money {
        self.each.iter().map(CommitmentUse::absorbable_cash).sum()
    }

    /// Unused part of it.
    #[must_use]
    pub fn unused(&self) -> Money {
        self.each.iter().map(|c| c.unused).sum()
    }

    /// What falls due in the cost window.
    #[must_use]
    pub fn cash(&self) -> Money {
        self.each.iter().map(CommitmentUse::cash).sum()
    }

    /// What the covered usage costs On-Demand.
    #[must_use]
    pub fn covered_on_demand(&self) -> Money {
        self.each.iter().map(|c| c.covered_on_demand).sum()
    }

    /// Share of the commitment that was used, by whomever; `None` without one.
    #[must_use]
    pub fn utilisation(&self) -> Option<f64> {
        (self.used() + self.used_by_others()).share_of(self.committed())
    }

    /// Covered share of the eligible usage, at list price; `None` where
    /// nothing is eligible.
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        self.covered_on_demand().share_of(self.eligible_on_demand)
    }
}
