//! Hourly usage under commitments: what is covered, what is not, what it
//! comes to, by hour, by item and by what rows are tagged with.

use std::collections::BTreeMap;

use super::Quantity;
use crate::bill::commitments::{
    HourlyUsage, Settlement, Terms, UsageItem, normal_quarters, settle,
};
use crate::bill::model::Unit;
use crate::bill::prices::{Commitment, MAX_RATE, PriceStatus};
use crate::units::{Money, Rate, split_exact};
use crate::{Error, Result};

/// Beside an item of a usage table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFacts {
    /// Its Region.
    pub region: String,
    /// How well its On-Demand price is known.
    pub status: PriceStatus,
    /// Per commitment: how well its rate is known.
    pub rates: Vec<PriceStatus>,
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
    /// Per commitment: how well its price is known, used or not.
    pub fees: Vec<PriceStatus>,
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
    /// (hour, item, group) to list cost.
    pub list: BTreeMap<(u32, u32, u32), Money>,
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
        (self.on_demand > Money::ZERO)
            .then(|| self.covered_on_demand.to_f64() / self.on_demand.to_f64())
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
        fees: Vec<PriceStatus>,
        groups: Groups,
    ) -> Self {
        let terms: Vec<Terms> = commitments.iter().map(|c| Terms::of(c, &usage.items)).collect();
        let settlement = settle(&usage, &terms);
        UsageBill { usage, facts, commitments, fees, settlement, groups }
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
        while let Some(((hour, item, _), _)) = entries.peek().copied() {
            let (hour, item) = (*hour, *item);
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
                let facts = self.facts.get(cover.item as usize);
                let status = facts.and_then(|f| f.rates.get(usize::from(cover.plan)));
                *by.entry(status.copied().unwrap_or(PriceStatus::Stated)).or_default() += cover.net;
            }
            for (plan, status) in self.fees.iter().enumerate() {
                *by.entry(*status).or_default() += self.settlement.spent(hour, plan).unused;
            }
        }
        by.retain(|_, amount| *amount != Money::ZERO);
        by
    }
}

/// Usage as it is read: exact until the last row.
#[derive(Debug)]
pub struct Gathered {
    usage: HourlyUsage,
}

impl Gathered {
    /// Adds up rows of a table without usage yet.
    #[must_use]
    pub fn new(usage: HourlyUsage) -> Self {
        Gathered { usage }
    }

    /// Adds a row; returns its list cost. `hour` counts from the first.
    pub fn add(&mut self, hour: usize, item: usize, quantity: Quantity) -> Money {
        let items = self.usage.items.len();
        let Some(of) = self.usage.items.get(item) else { return Money::ZERO };
        let list = list_cost(quantity, of.on_demand, of.unit);
        let cell = hour * items + item;
        if let (Some(sum), Some(cost)) =
            (self.usage.quantity.get_mut(cell), self.usage.list.get_mut(cell))
        {
            *sum += quantity.0;
            *cost += list;
        }
        list
    }

    /// The table, its quantities in the small units of its items.
    ///
    /// # Errors
    /// Where an hour has more of an item than money can be counted for.
    pub fn finish(mut self) -> Result<HourlyUsage> {
        let HourlyUsage { items, quantity, list, .. } = &mut self.usage;
        let cells = quantity.iter_mut().zip(list.iter());
        for ((quantity, list), item) in cells.zip(items.iter().cycle()) {
            *quantity = small(Quantity(*quantity), item.unit);
            if !is_countable(item, *quantity, *list) {
                let name = &item.name;
                return Err(Error::input(format!("an hour has more {name} than any bill")));
            }
        }
        Ok(self.usage)
    }
}

/// Whether every product that commitments make of an hour's usage stays inside
/// its integer: size × time × cost, and both at the highest rate.
fn is_countable(item: &UsageItem, quantity: i128, list: Money) -> bool {
    let kind = item.ec2.as_ref().map(|ec2| ec2.instance_type.as_str());
    // As reserved: a type of undocumented size is a unit of its own.
    let size = kind.map_or(1, |kind| normal_quarters(kind).unwrap_or(4));
    let (list, most) = (list.pico(), MAX_RATE.pico());
    quantity.checked_mul(size.into()).and_then(|units| units.checked_mul(list)).is_some()
        && quantity.checked_mul(most).is_some()
        && list.checked_mul(most).is_some()
}

/// A quantity in small units, to the nearest.
fn small(quantity: Quantity, unit: Unit) -> i128 {
    let (whole, rest) = (quantity.0 / Quantity::ONE, quantity.0 % Quantity::ONE);
    let per = i128::from(unit.per());
    whole * per + (2 * rest * per + Quantity::ONE) / (2 * Quantity::ONE)
}

/// What a quantity costs, rounded once. A decimal that stands for a whole
/// number of small units is that number: an hour's third has no end.
fn list_cost(quantity: Quantity, rate: Rate, unit: Unit) -> Money {
    let (count, per) = (small(quantity, unit), i128::from(unit.per()));
    let (whole, rest) = (count / per, count % per);
    let printed = whole * Quantity::ONE + (2 * rest * Quantity::ONE + per) / (2 * per);
    if printed == quantity.0 && count < 1 << 60 {
        rate.charge(count, per)
    } else {
        quantity.at(rate)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bill::commitments::{Ec2Item, ItemSource, UsageItem};
    use crate::bill::prices::{ALWAYS, CommitmentFees, CommitmentKind, Price};
    use crate::units::{HOUR_MS, Percent};

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
        let facts = ItemFacts {
            region: "us-east-1".to_owned(),
            status: PriceStatus::Real,
            rates: vec![PriceStatus::Representative],
        };
        let table = HourlyUsage::new(0, 3 * HOUR_MS, items).expect("small");
        let mut gathered = Gathered::new(table);
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let mut groups = Groups { names, list: BTreeMap::new() };
        for (hour, item, group, quantity) in rows {
            let quantity = Quantity(i128::from(*quantity) * Quantity::ONE / 10_000);
            let list = gathered.add(*hour, *item, quantity);
            *groups.list.entry((*hour as u32, *item as u32, *group)).or_default() += list;
        }
        let facts = vec![facts.clone(), facts];
        let fees = vec![PriceStatus::Stated];
        UsageBill::new(
            gathered.finish().expect("small"),
            facts,
            vec![plan(usd_per_hour)],
            fees,
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

    #[test]
    fn decimals_stand_for_whole_small_units() {
        // A third of an hour: 1,200,000 ms, at 0.096 exactly 0.032.
        let rate: Rate = "0.096".parse().expect("rate");
        let third = Quantity(333_333_333_333_333);
        assert_eq!(small(third, Unit::Hours), 1_200_000);
        assert_eq!(list_cost(third, rate, Unit::Hours), "0.032".parse().expect("money"));
        // What AWS prints is no whole number of milliseconds: 0.683889 h.
        let odd = Quantity(683_889_000_000_000);
        assert_eq!(small(odd, Unit::Hours), 2_462_000);
        let g5: Rate = "1.624".parse().expect("rate");
        assert_eq!(list_cost(odd, g5, Unit::Hours), "1.110635736".parse().expect("money"));
        assert_eq!(small(Quantity(2 * Quantity::ONE), Unit::Hours), 7_200_000);
        // One KiB for one millisecond is 2.65e-13 GB-hours.
        assert_eq!(small(Quantity(265), Unit::GbHours), 1);
        assert_eq!(small(Quantity(0), Unit::GbHours), 0);
    }
}
