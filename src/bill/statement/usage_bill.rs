//! Hourly usage under commitments: what is covered, what is not, what it
//! comes to, by hour, by item and by what rows are tagged with.

use std::collections::BTreeMap;

use crate::bill::commitments::{HourlyUsage, Settlement, Terms, settle};
use crate::bill::prices::{Commitment, PriceStatus};
use crate::units::{Money, split_exact};

/// Beside an item of a usage table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFacts {
    /// Its Region.
    pub region: String,
    /// How well its On-Demand price is known.
    pub status: PriceStatus,
}

/// Usage, commitments, and what one makes of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageBill {
    /// What was used.
    pub usage: HourlyUsage,
    /// By item.
    pub facts: Vec<ItemFacts>,
    /// What is owned.
    pub commitments: Vec<Commitment>,
    /// What came of it.
    pub settlement: Settlement,
    /// Per hour and item, the list cost of every group; empty where nobody
    /// asked for groups.
    pub groups: Groups,
}

/// List cost by group, per cell of the usage table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    /// Names.
    pub names: Vec<String>,
    /// (hour, item, group) and its list cost, ascending, each once.
    pub list: Vec<((u32, u32, u32), Money)>,
}

/// A sum over some of the usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// What all of it costs On-Demand.
    pub on_demand: Money,
    /// What of that commitments cover.
    pub covered_on_demand: Money,
    /// What the covered part takes of commitments.
    pub covered: Money,
    /// What stays On-Demand.
    pub remaining: Money,
    /// What of commitments nothing used.
    pub unused: Money,
}

impl Sum {
    /// What it comes to: amortised, unused commitment included.
    #[must_use]
    pub fn total(&self) -> Money {
        self.covered + self.remaining + self.unused
    }

    /// Covered share of what could be covered.
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        self.covered_on_demand.share_of(self.on_demand)
    }
}

impl std::ops::AddAssign for Sum {
    fn add_assign(&mut self, other: Sum) {
        self.on_demand += other.on_demand;
        self.covered_on_demand += other.covered_on_demand;
        self.covered += other.covered;
        self.remaining += other.remaining;
        self.unused += other.unused;
    }
}

impl UsageBill {
    /// Applies commitments to usage.
    #[must_use]
    pub fn new(
        usage: HourlyUsage,
        facts: Vec<ItemFacts>,
        commitments: Vec<Commitment>,
        groups: Groups,
    ) -> Self {
        let terms: Vec<Terms> = commitments.iter().map(|c| Terms::of(c, &usage.items)).collect();
        let settlement = settle(&usage, &terms);
        UsageBill { usage, facts, commitments, settlement, groups }
    }

    /// Every item of an hour (0 is the first), without what is unused.
    fn cells(&self, hour: usize) -> Vec<Sum> {
        let items = self.usage.items.len();
        let mut cells: Vec<Sum> = (0..items)
            .map(|item| Sum {
                on_demand: self.usage.list.get(hour * items + item).copied().unwrap_or_default(),
                remaining: self.settlement.remaining(hour, item).1,
                ..Sum::default()
            })
            .collect();
        for cover in self.settlement.covers(hour) {
            if let Some(cell) = cells.get_mut(cover.item as usize) {
                cell.covered_on_demand += cover.list;
                cell.covered += cover.net;
            }
        }
        cells
    }

    /// Sums by hour.
    #[must_use]
    pub fn by_hour(&self) -> Vec<Sum> {
        (0..self.usage.hours())
            .map(|hour| {
                let mut sum = Sum::default();
                for cell in self.cells(hour) {
                    sum += cell;
                }
                sum.unused = (0..self.commitments.len())
                    .map(|plan| self.settlement.spent(hour, plan).unused)
                    .sum();
                sum
            })
            .collect()
    }

    /// Sums by item, without what is unused.
    #[must_use]
    pub fn by_item(&self) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); self.usage.items.len()];
        for hour in 0..self.usage.hours() {
            for (sum, cell) in sums.iter_mut().zip(self.cells(hour)) {
                *sum += cell;
            }
        }
        sums
    }

    /// Sums by group, without what is unused. What covers an item in an hour
    /// is shared by its groups in proportion to their list cost, in the order
    /// of their names, so that the parts add up.
    #[must_use]
    pub fn by_group(&self) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); self.groups.names.len()];
        let mut entries = self.groups.list.iter().peekable();
        let mut cells: (usize, Vec<Sum>) = (usize::MAX, Vec::new());
        while let Some(&&((hour, item, _), _)) = entries.peek() {
            let mut parts: Vec<(usize, Money)> = Vec::new();
            while let Some(((_, _, group), list)) =
                entries.next_if(|((h, i, _), _)| (*h, *i) == (hour, item))
            {
                parts.push((*group as usize, *list));
            }
            if cells.0 != hour as usize {
                cells = (hour as usize, self.cells(hour as usize));
            }
            let Some(cell) = cells.1.get(item as usize) else { continue };
            let weights: Vec<i128> = parts.iter().map(|(_, list)| list.pico()).collect();
            let covered_on_demand = split_exact(cell.covered_on_demand, &weights);
            let covered = split_exact(cell.covered, &weights);
            for (((group, list), on_demand), covered) in
                parts.into_iter().zip(covered_on_demand).zip(covered)
            {
                if let Some(sum) = sums.get_mut(group) {
                    *sum += Sum {
                        on_demand: list,
                        covered_on_demand: on_demand,
                        covered,
                        remaining: list - on_demand,
                        unused: Money::ZERO,
                    };
                }
            }
        }
        sums
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> Sum {
        let mut sum = Sum::default();
        for hour in self.by_hour() {
            sum += hour;
        }
        sum
    }

    /// The total by how well its prices are known.
    #[must_use]
    pub fn by_status(&self) -> BTreeMap<PriceStatus, Money> {
        let mut by: BTreeMap<PriceStatus, Money> = BTreeMap::new();
        for hour in 0..self.usage.hours() {
            for (item, facts) in self.facts.iter().enumerate() {
                *by.entry(facts.status).or_default() += self.settlement.remaining(hour, item).1;
            }
            for cover in self.settlement.covers(hour) {
                let commitment = &self.commitments[usize::from(cover.plan)];
                let rate = commitment.price(self.usage.items[cover.item as usize].source);
                let status = rate.map_or_else(|| commitment.price_status(), |price| price.status);
                *by.entry(status).or_default() += cover.net;
            }
            for (plan, commitment) in self.commitments.iter().enumerate() {
                *by.entry(commitment.price_status()).or_default() +=
                    self.settlement.spent(hour, plan).unused;
            }
        }
        by.retain(|_, amount| *amount != Money::ZERO);
        by
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Gathered, Quantity};
    use super::*;
    use crate::bill::commitments::{Ec2Item, ItemSource, UsageItem};
    use crate::bill::model::Unit;
    use crate::bill::prices::{ALWAYS, CommitmentFees, CommitmentKind, Price};
    use crate::units::{HOUR_MS, Percent, Rate};

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    fn plan(usd_per_hour: Rate) -> Commitment {
        let price = |text| Some(Price::new(rate(text), PriceStatus::Representative));
        let fargate = Price::new(rate("0.03"), PriceStatus::Representative);
        Commitment {
            name: "plan".to_owned(),
            kind: CommitmentKind::ComputeSp,
            usd_per_hour,
            reserved: None,
            in_force: ALWAYS,
            fee_discount: Percent::default(),
            fees: CommitmentFees { upfront: Money::ZERO, hourly: usd_per_hour },
            shapes: vec![price("0.07")],
            fargate: vec![Some((fargate, fargate))],
        }
    }

    /// Three hours of m5.large and Fargate vCPU; rows are (hour, item, group,
    /// quantity in ten-thousandths).
    fn bill(rows: &[(usize, usize, u32, u32)], usd_per_hour: Rate) -> UsageBill {
        let item = |name: &str, unit, on_demand, ec2, source| UsageItem {
            name: name.to_owned(),
            unit,
            on_demand: rate(on_demand),
            ec2,
            owner: true,
            idle_reservation: false,
            source,
        };
        let ec2 = Ec2Item { instance_type: "m5.large".to_owned(), zone: None };
        let items = vec![
            item("m5.large", Unit::Hours, "0.096", Some(ec2), ItemSource::Shape(0)),
            item("vCPU", Unit::VcpuHours, "0.04048", None, ItemSource::FargateCpu(0)),
        ];
        let facts = ItemFacts { region: "us-east-1".to_owned(), status: PriceStatus::Real };
        let table = HourlyUsage::new(0, 3 * HOUR_MS, items).expect("small");
        let mut gathered = Gathered::default();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let mut list: BTreeMap<_, Money> = BTreeMap::new();
        for (hour, item, group, quantity) in rows {
            let quantity = Quantity(i128::from(*quantity) * Quantity::ONE / 10_000);
            let (of, hour) = (&table.items[*item], *hour as i64);
            let cost = gathered.add(hour, *item as u32, quantity, of.on_demand, of.unit);
            *list.entry((hour as u32, *item as u32, *group)).or_default() += cost;
        }
        let groups = Groups { names, list: list.into_iter().collect() };
        let facts = vec![facts.clone(), facts];
        UsageBill::new(
            gathered.finish(table, &[0, 1]).expect("small"),
            facts,
            vec![plan(usd_per_hour)],
            groups,
        )
    }

    /// A plan of 0.14 an hour pays for two m5.large at 0.07; of four, the
    /// groups with three and one get 1.5 and 0.5 of that.
    #[test]
    fn groups_share_what_covers_them() {
        let rows = [(0, 0, 0, 30_000), (0, 0, 2, 10_000)];
        let of = bill(&rows, rate("0.14"));
        let sums = of.by_group();
        let money = |text: &str| text.parse::<Money>().expect("money");
        assert_eq!(sums[0].on_demand, money("0.288"));
        assert_eq!(sums[0].covered_on_demand, money("0.144"));
        assert_eq!((sums[0].covered, sums[0].remaining), (money("0.105"), money("0.144")));
        assert_eq!(sums[1], Sum::default());
        assert_eq!((sums[2].covered, sums[2].remaining), (money("0.035"), money("0.048")));
        // Two hours more of a plan that nothing uses.
        assert_eq!(of.total().unused, money("0.28"));
        assert_eq!(of.total().total(), money("0.612"));
        let by = of.by_status();
        assert_eq!(by[&PriceStatus::Real], money("0.192"));
        assert_eq!(by[&PriceStatus::Representative], money("0.14"));
        assert_eq!(by[&PriceStatus::Stated], money("0.28"));
    }

    proptest! {
        #[test]
        fn every_grouping_adds_up(
            rows in prop::collection::vec((0usize..3, 0usize..2, 0u32..3, 0u32..200_000), 0..40),
            micro in 0i128..3_000_000,
        ) {
            let of = bill(&rows, Rate::from_pico(micro * 1_000_000));
            let total = of.total();
            let add = |sums: Vec<Sum>| {
                let mut sum = Sum::default();
                for part in sums {
                    sum += part;
                }
                sum
            };
            let used = Sum { unused: Money::ZERO, ..total };
            prop_assert_eq!(add(of.by_hour()), total);
            prop_assert_eq!(add(of.by_item()), used);
            prop_assert_eq!(add(of.by_group()), used);
            prop_assert_eq!(of.by_status().into_values().sum::<Money>(), total.total());
            prop_assert_eq!(of.settlement.total(), total.total());
            prop_assert_eq!(total.covered_on_demand + total.remaining, total.on_demand);
            prop_assert!(of.by_group().iter().all(|s| s.remaining >= Money::ZERO));
        }
    }
}
