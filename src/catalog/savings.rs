//! Savings Plans and Reserved Instances: what an hour of covered usage costs.
//!
//! No public price list of Savings Plans is stored, and Reserved Instances of
//! few types. Convertible Reserved Instances have long been priced like Compute
//! Savings Plans of the same term and payment, and Standard ones like EC2
//! Instance Savings Plans, so each of a pair stands in for the other and is
//! then marked `representative`. The most specific row wins:
//!
//! 1. the type itself, in this Region;
//! 2. another size of its family, in this Region;
//! 3. the type itself, in us-east-1;
//! 4. another size of its family, in us-east-1;
//! 5. the group of m, c and r families from generation 5 on.
//!
//! Among equals a row of the very kind goes before that of its pair, a better
//! status before a worse, a later date before an earlier. A type outside all
//! five has no rate and stays On-Demand. Fargate uses this Region's row, else
//! that of us-east-1; only Compute Savings Plans cover it. Only a row of the
//! very kind for exactly this type (or Fargate) and Region keeps its status.
//!
//! Discounts, not dollars, are taken from the rows, so that a plan's rate
//! always relates to the On-Demand price it is compared with.

use std::cmp::Reverse;

use serde::Serialize;

use super::HOME_REGION;
use super::instance::Arch;
use super::quote::{PriceStatus, Quote, Text, cover};
use super::table::{ONE, Source, Sources, Table};
use super::words::words;
use crate::Result;
use crate::units::{Money, Rate};

/// Length of a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// `1y`.
    OneYear,
    /// `3y`.
    ThreeYears,
}

/// When a commitment is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payment {
    /// Hour by hour.
    NoUpfront,
    /// Half at the start.
    PartialUpfront,
    /// All at the start.
    AllUpfront,
}

words!(Term { OneYear = "1y", ThreeYears = "3y" });
words!(Payment {
    NoUpfront = "no-upfront",
    PartialUpfront = "partial-upfront",
    AllUpfront = "all-upfront",
});

impl Payment {
    /// Halves of the whole price that are paid at the start: half of it where
    /// it is partly upfront (Savings Plans user guide).
    #[must_use]
    pub const fn upfront_halves(self) -> i64 {
        match self {
            Payment::NoUpfront => 0,
            Payment::PartialUpfront => 1,
            Payment::AllUpfront => 2,
        }
    }

    /// What is paid at the start for something that costs so much an hour all
    /// over its term.
    #[must_use]
    pub fn upfront(self, usd_per_hour: Rate, term: Term) -> Money {
        usd_per_hour.charge(i128::from(term.hours() * self.upfront_halves()), 2)
    }
}

/// What was committed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlanKind {
    /// Any EC2, Fargate.
    ComputeSp,
    /// One EC2 family in one Region.
    Ec2InstanceSp,
    /// Instances of one type, or of its family.
    StandardRi,
    /// As Standard ones, exchangeable.
    ConvertibleRi,
}

words!(PlanKind {
    ComputeSp = "compute-sp",
    Ec2InstanceSp = "ec2-instance-sp",
    StandardRi = "standard-ri",
    ConvertibleRi = "convertible-ri",
});

impl PlanKind {
    /// The kind that is priced alike.
    fn pair(self) -> PlanKind {
        match self {
            PlanKind::ComputeSp => PlanKind::ConvertibleRi,
            PlanKind::ConvertibleRi => PlanKind::ComputeSp,
            PlanKind::Ec2InstanceSp => PlanKind::StandardRi,
            PlanKind::StandardRi => PlanKind::Ec2InstanceSp,
        }
    }

    /// Whether it is Reserved Instances.
    fn is_reserved(self) -> bool {
        matches!(self, PlanKind::StandardRi | PlanKind::ConvertibleRi)
    }

    /// In sentences.
    fn title(self) -> &'static str {
        match self {
            PlanKind::ComputeSp => "Compute Savings Plan",
            PlanKind::Ec2InstanceSp => "EC2 Instance Savings Plan",
            PlanKind::StandardRi => "standard Reserved Instance",
            PlanKind::ConvertibleRi => "convertible Reserved Instance",
        }
    }
}

impl Term {
    /// Length in hours, as AWS counts it: years of 365 days.
    #[must_use]
    pub const fn hours(self) -> i64 {
        match self {
            Term::OneYear => 8_760,
            Term::ThreeYears => 26_280,
        }
    }
}

/// What a commitment can cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanItem<'a> {
    /// An hour of an instance type, On-Demand.
    Ec2(&'a str),
    /// A Fargate vCPU-hour.
    FargateVcpu(Arch),
    /// A Fargate GB-hour of memory.
    FargateMemory(Arch),
}

/// What a plan charges for an item, and against what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanRate {
    /// The plan's rate per hour of the item.
    pub quote: Quote,
    /// The On-Demand rate it was derived from.
    pub on_demand: Rate,
    /// The discount in parts per million of On-Demand.
    pub discount_ppm: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    Fargate,
    CurrentGeneral,
    Type(Text),
}

/// Rows of `savings-plans.csv` that one Region can use.
#[derive(Debug, Clone, Default)]
pub(super) struct Plans(Vec<PlanRow>);

#[derive(Debug, Clone)]
struct PlanRow {
    kind: PlanKind,
    term: Term,
    payment: Payment,
    here: bool,
    scope: Scope,
    /// Scaled by [`ONE`].
    discount: i128,
    source: Source,
}

/// The header of `savings-plans.csv`.
pub(super) const PLANS_HEADER: &str = "region,scope,plan,term,payment,discount,source";
/// Scopes that are no instance type.
pub(super) const SCOPE_FARGATE: &str = "fargate";
pub(super) const SCOPE_GENERAL: &str = "m/c/r-current";
impl Plans {
    /// Reads the rows of `region` and of us-east-1.
    pub(super) fn read(table: &Table<'_>, sources: &Sources, region: &str) -> Result<Self> {
        let mut rows = Vec::new();
        for (here, key) in [(true, region), (false, HOME_REGION)] {
            if !here && region == HOME_REGION {
                continue;
            }
            for row in table.rows_of(key) {
                let [_, scope, plan, term, payment, discount, source] = row.fields::<7>()?;
                let discount = row.ratio("discount", discount, 1)?;
                if discount == ONE {
                    return Err(row.error("a discount of 1 would make usage free"));
                }
                rows.push(PlanRow {
                    kind: PlanKind::from_word(plan)
                        .ok_or_else(|| row.error(format!("unknown plan `{plan}`")))?,
                    term: Term::from_word(term)
                        .ok_or_else(|| row.error(format!("term `{term}` must be 1y or 3y")))?,
                    payment: Payment::from_word(payment)
                        .ok_or_else(|| row.error(format!("unknown payment `{payment}`")))?,
                    here,
                    scope: match scope {
                        SCOPE_FARGATE => Scope::Fargate,
                        SCOPE_GENERAL => Scope::CurrentGeneral,
                        name => Scope::Type(Text::from(name)),
                    },
                    discount,
                    source: sources.of(row, source)?.clone(),
                });
            }
        }
        Ok(Plans(rows))
    }

    /// The rate for an hour of instance type `name` with this On-Demand price.
    pub(super) fn ec2(
        &self,
        kind: PlanKind,
        term: Term,
        payment: Payment,
        name: &str,
        on_demand: &Quote,
    ) -> Option<PlanRate> {
        let family = name.split_once('.').map_or(name, |(family, _)| family);
        let rank = |row: &PlanRow| match &row.scope {
            Scope::Fargate => None,
            Scope::CurrentGeneral => is_current_general(family).then_some((4, row.here)),
            Scope::Type(scope) => {
                let same = **scope == *name;
                let kin = scope.split_once('.').is_some_and(|(kin, _)| kin == family);
                let step = match (row.here, same, kin) {
                    (true, true, _) => 0,
                    (true, false, true) => 1,
                    (false, true, _) => 2,
                    (false, false, true) => 3,
                    (_, false, false) => return None,
                };
                Some((step, row.here && same))
            }
        };
        self.best(kind, term, payment, on_demand, rank)
    }

    /// The rate of a Compute Savings Plan for a Fargate unit with this
    /// On-Demand price.
    pub(super) fn fargate(
        &self,
        term: Term,
        payment: Payment,
        on_demand: &Quote,
    ) -> Option<PlanRate> {
        self.best(PlanKind::ComputeSp, term, payment, on_demand, |row| {
            (row.scope == Scope::Fargate).then_some((u8::from(!row.here), row.here))
        })
    }

    /// The best row by `rank`: its step (lower is more specific) and whether
    /// it speaks of exactly the item asked for.
    fn best(
        &self,
        kind: PlanKind,
        term: Term,
        payment: Payment,
        on_demand: &Quote,
        rank: impl Fn(&PlanRow) -> Option<(u8, bool)>,
    ) -> Option<PlanRate> {
        let (row, exact) = self
            .0
            .iter()
            .filter(|row| row.term == term && row.payment == payment)
            .filter(|row| row.kind == kind || row.kind == kind.pair())
            .filter_map(|row| rank(row).map(|(step, exact)| (step, exact, row)))
            .min_by_key(|(step, _, row)| {
                (*step, row.kind != kind, row.source.status, Reverse(row.source.as_of.clone()))
            })
            .map(|(_, exact, row)| (row, exact))?;
        let kept = exact && row.kind == kind;
        let known = if kept {
            row.source.status
        } else {
            row.source.status.max(PriceStatus::Representative)
        };
        let source = match (&row.scope, kept) {
            (Scope::Type(scope), false) if row.kind != kind || kind.is_reserved() => {
                Text::from(format!("{} ({scope} {})", row.source.text, row.kind.title()))
            }
            _ => row.source.text.clone(),
        };
        Some(PlanRate {
            quote: Quote {
                rate: on_demand.rate.scale(ONE - row.discount, ONE),
                status: known.max(on_demand.status),
                as_of: Text::from(cover(&row.source.as_of, &on_demand.as_of)),
                source,
            },
            on_demand: on_demand.rate,
            discount_ppm: (row.discount / 1_000_000) as i64,
        })
    }
}

/// Whether a family is one of the general, compute and memory lines whose
/// discounts AWS keeps alike: letter m, c or r and generation 5 or later.
fn is_current_general(family: &str) -> bool {
    let mut letters = family.chars();
    let line = letters.next();
    let digits: String = letters.take_while(char::is_ascii_digit).collect();
    matches!(line, Some('m' | 'c' | 'r')) && digits.parse::<u32>().is_ok_and(|g| g >= 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_m_c_r_from_generation_five() {
        for family in ["m5", "c7g", "r6id", "m7i-flex", "m8g"] {
            assert!(is_current_general(family), "{family}");
        }
        for family in ["m4", "t3", "mac2", "x2iedn", "g5", "p5", "", "c", "i4i"] {
            assert!(!is_current_general(family), "{family}");
        }
    }
}
