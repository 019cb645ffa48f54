//! Which commitment covers how much of what, for one hour.
//!
//! Generic over items with a quantity, an On-Demand rate and a plan rate, so
//! that AWS's documented examples run through the same lines of code as a
//! simulated cluster. Rules: AWS Savings Plans user guide, "Understanding how
//! Savings Plans apply to your usage": highest saving first, then the lowest
//! plan rate; then the stable number of the item. EC2 Instance plans apply
//! before Compute plans.
//!
//! Exact: savings are compared by cross multiplication; a commitment that
//! runs out covers its remaining dollars exactly, which are
//! `dollars × On-Demand rate ÷ plan rate` of On-Demand spend, rounded
//! half-even once. What is left of an item is therefore measured in pico-USD
//! at the On-Demand rate, never in rounded hours.
//!
//! The order depends on rates alone, so it is found once for all hours:
//! applying an hour costs one pass over (item, commitment) pairs.

use std::cmp::Ordering;

use super::prices::CommitmentKind;
use crate::units::{Money, Rate};

/// What can be covered: all usage of one rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Per unit of price.
    pub(super) on_demand: Rate,
    /// Small units in one unit of price.
    pub(super) per: i64,
}

/// Usage of an item in one hour, and what of it is not covered yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// In small units.
    pub(super) quantity: i128,
    /// At the On-Demand rate: the sum of its lines.
    pub(super) list: Money,
    /// Whether a commitment covered a part already.
    touched: bool,
}

impl Usage {
    /// Adds a line.
    pub(super) fn add(&mut self, quantity: i64, list: Money) {
        self.quantity += i128::from(quantity);
        self.list += list;
    }
}

/// A covered part of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cover {
    /// Which item.
    pub(super) item: u32,
    /// By which commitment.
    pub(super) plan: u16,
    /// In small units, rounded half-even.
    pub(super) quantity: i128,
    /// What it would cost On-Demand.
    pub(super) list: Money,
    /// What it takes of the commitment.
    pub(super) net: Money,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    kind: CommitmentKind,
    item: u32,
    plan: u16,
    rate: Rate,
    on_demand: Rate,
    per: i64,
}

/// (Item, commitment) pairs in the order in which they are covered.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranking(Vec<Candidate>);

impl Ranking {
    /// Ranks the pairs for which `rate(item, plan)` gives a plan rate. Items
    /// that are free On-Demand are left alone: there is nothing to save.
    pub(super) fn new(
        items: &[Item],
        kinds: &[CommitmentKind],
        rate: impl Fn(usize, usize) -> Option<Rate>,
    ) -> Self {
        let mut pairs = Vec::new();
        for (i, item) in items.iter().enumerate() {
            for (p, &kind) in kinds.iter().enumerate() {
                if let Some(rate) = rate(i, p).filter(|_| item.on_demand > Rate::ZERO) {
                    pairs.push(Candidate {
                        kind,
                        item: i as u32,
                        plan: p as u16,
                        rate,
                        on_demand: item.on_demand,
                        per: item.per,
                    });
                }
            }
        }
        pairs.sort_by(|a, b| {
            a.kind
                .cmp(&b.kind)
                .then_with(|| by_saving(a, b))
                .then_with(|| a.rate.cmp(&b.rate))
                .then_with(|| (a.item, a.plan).cmp(&(b.item, b.plan)))
        });
        Ranking(pairs)
    }

    /// Covers one hour. `usage` and `left` (committed dollars) shrink to what
    /// stays uncovered and unused; covered parts go to `covers`.
    pub(super) fn apply(&self, usage: &mut [Usage], left: &mut [Money], covers: &mut Vec<Cover>) {
        for c in &self.0 {
            let (Some(u), Some(dollars)) =
                (usage.get_mut(c.item as usize), left.get_mut(usize::from(c.plan)))
            else {
                continue;
            };
            if u.quantity == 0 && u.list == Money::ZERO {
                continue;
            }
            let (rate, per) = (c.rate.pico(), i128::from(c.per));
            let full = if u.touched {
                u.list.scale(rate, c.on_demand.pico())
            } else {
                c.rate.charge(u.quantity, per)
            };
            let part = if full <= *dollars {
                let all = (u.quantity, u.list);
                *u = Usage { touched: true, ..Usage::default() };
                Cover { item: c.item, plan: c.plan, quantity: all.0, list: all.1, net: full }
            } else if *dollars > Money::ZERO {
                // `full` above the dollars left implies a rate above zero.
                let quantity = dollars.scale(per, rate).pico().min(u.quantity);
                let list = dollars.scale(c.on_demand.pico(), rate).min(u.list);
                u.quantity -= quantity;
                u.list -= list;
                u.touched = true;
                Cover { item: c.item, plan: c.plan, quantity, list, net: *dollars }
            } else {
                continue;
            };
            *dollars -= part.net;
            covers.push(part);
        }
    }
}

/// Higher saving first: `1 − r/o` descending is `r/o` ascending.
fn by_saving(a: &Candidate, b: &Candidate) -> Ordering {
    (a.rate.pico() * b.on_demand.pico()).cmp(&(b.rate.pico() * a.on_demand.pico()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One hour of (quantity in millionths, On-Demand, rates by plan) under
    /// (kind, dollars): total, covered parts, unused per plan.
    struct Hour {
        items: Vec<(i128, &'static str, Vec<Option<&'static str>>)>,
        plans: Vec<(CommitmentKind, &'static str)>,
    }

    const MILLION: i64 = 1_000_000;

    fn money(text: &str) -> Money {
        text.parse().expect("money")
    }

    fn rate(text: &str) -> Rate {
        text.parse().expect("rate")
    }

    impl Hour {
        fn run(&self) -> (Money, Vec<Cover>, Vec<Money>, Vec<Usage>) {
            let items: Vec<Item> =
                self.items.iter().map(|i| Item { on_demand: rate(i.1), per: MILLION }).collect();
            let kinds: Vec<CommitmentKind> = self.plans.iter().map(|p| p.0).collect();
            let ranking = Ranking::new(&items, &kinds, |i, p| self.items[i].2[p].map(rate));
            let mut usage: Vec<Usage> = self
                .items
                .iter()
                .map(|i| Usage {
                    quantity: i.0,
                    list: rate(i.1).charge(i.0, i128::from(MILLION)),
                    touched: false,
                })
                .collect();
            let mut left: Vec<Money> = self.plans.iter().map(|p| money(p.1)).collect();
            let mut covers = Vec::new();
            ranking.apply(&mut usage, &mut left, &mut covers);
            let committed: Money = self.plans.iter().map(|p| money(p.1)).sum();
            let rest: Money = usage.iter().map(|u| u.list).sum();
            (committed + rest, covers, left, usage)
        }
    }

    fn units(n: i128) -> i128 {
        n * i128::from(MILLION)
    }

    /// AWS's example hour; `r5` = number of r5.4xlarge that no Reserved
    /// Instance covers. Columns of rates: Compute plan, r5 Instance plan.
    fn aws_hour(r5: i128, plans: Vec<(CommitmentKind, &'static str)>) -> Hour {
        let rates = |compute: &'static str, instance: Option<&'static str>| {
            plans
                .iter()
                .map(|p| match p.0 {
                    CommitmentKind::ComputeSp => Some(compute),
                    CommitmentKind::Ec2InstanceSp => instance,
                })
                .collect()
        };
        let items = vec![
            (units(r5), "1.00", rates("0.70", Some("0.60"))),
            (units(1), "10.00", rates("8.20", None)),
            (units(400), "0.04", rates("0.03", None)),
            (units(1_600), "0.004", rates("0.003", None)),
            (units(1_500_000), "0.000015", rates("0.00001275", None)),
            (units(1), "0.20", rates("0.20", None)),
        ];
        Hour { items, plans }
    }

    use CommitmentKind::{ComputeSp, Ec2InstanceSp};

    #[test]
    fn aws_example_without_a_plan() {
        assert_eq!(aws_hour(4, vec![]).run().0, money("59.10"));
    }

    #[test]
    fn aws_example_compute_plan_of_50() {
        let (total, _, left, _) = aws_hour(4, vec![(ComputeSp, "50")]).run();
        assert_eq!(total, money("50"));
        // 4×.70 + 8.20 + 400×.03 + 1,600×.003 + 19.125 + .20 = 47.125
        assert_eq!(left, [money("2.875")]);
    }

    #[test]
    fn aws_example_compute_plan_of_2() {
        let (total, covers, left, _) = aws_hour(4, vec![(ComputeSp, "2")]).run();
        // 2 / .70 = 2.857142… r5; the rest, 1.142857142857, stays On-Demand.
        assert_eq!(covers.len(), 1);
        assert_eq!(covers[0].item, 0);
        assert_eq!(covers[0].quantity, 2_857_143);
        assert_eq!(covers[0].list, money("2.857142857143"));
        assert_eq!(total, money("58.242857142857"));
        assert_eq!(left, [Money::ZERO]);
    }

    #[test]
    fn aws_example_two_reserved_and_a_plan_of_18_20() {
        let (total, covers, left, usage) = aws_hour(2, vec![(ComputeSp, "18.20")]).run();
        assert_eq!(total, money("50.90"));
        assert_eq!(left, [Money::ZERO]);
        // r5 saves 30 %; vCPU and GB both 25 %: the lower rate, GB, is first.
        let order: Vec<(u32, Money)> = covers.iter().map(|c| (c.item, c.net)).collect();
        assert_eq!(order, [(0, money("1.40")), (3, money("4.80")), (2, money("12"))]);
        let rest: Money = usage.iter().map(|u| u.list).sum();
        assert_eq!(rest, money("32.70"));
    }

    #[test]
    fn aws_example_instance_plan_before_compute_plan() {
        let plans = vec![(ComputeSp, "16.80"), (Ec2InstanceSp, "3")];
        let (total, covers, left, _) = aws_hour(4, plans).run();
        assert_eq!(total, money("52.50"));
        assert_eq!(left, [Money::ZERO, money("0.60")]);
        assert_eq!((covers[0].item, covers[0].net), (0, money("2.40")));
    }

    fn older_hour(plans: Vec<(CommitmentKind, &'static str)>) -> Hour {
        let rates = |compute: &'static str, instance: Option<&'static str>| {
            plans.iter().map(|p| if p.0 == ComputeSp { Some(compute) } else { instance }).collect()
        };
        let items = vec![
            (units(1), "4", rates("2", Some("1"))),
            (units(1), "10", rates("8", Some("6"))),
            (units(10), "1.5", rates("1", None)),
            (units(5), "2", rates("1", None)),
        ];
        Hour { items, plans }
    }

    #[test]
    fn older_example_is_covered_exactly_by_25() {
        let (total, _, left, usage) = older_hour(vec![(ComputeSp, "25")]).run();
        assert_eq!(total, money("25"));
        assert_eq!(left, [Money::ZERO]);
        assert!(usage.iter().all(|u| u.list == Money::ZERO && u.quantity == 0));
    }

    #[test]
    fn older_example_of_18_covers_an_eighth_of_the_last() {
        let (total, covers, _, usage) = older_hour(vec![(ComputeSp, "18")]).run();
        assert_eq!(total, money("26.75"));
        assert_eq!(usage[1].list, money("8.75"));
        let last = covers.last().expect("covers");
        assert_eq!((last.item, last.quantity), (1, 125_000));
    }

    #[test]
    fn older_example_of_instance_5_and_compute_10() {
        let (total, covers, left, usage) =
            older_hour(vec![(Ec2InstanceSp, "5"), (ComputeSp, "10")]).run();
        // Instance plan: 1.00 + 4.00 of 6.00; compute: GB 5, vCPU 5 units.
        // On-Demand: 10 × 2/6 = 3.33…, and 5 vCPU at 1.5 = 7.5.
        assert_eq!(usage[1].list, money("3.333333333333"));
        assert_eq!(usage[2].list, money("7.5"));
        assert_eq!(total, money("25.833333333333"));
        assert_eq!(left, [Money::ZERO, Money::ZERO]);
        let order: Vec<u32> = covers.iter().map(|c| c.item).collect();
        assert_eq!(order, [0, 1, 3, 2]);
    }

    #[test]
    fn of_two_plans_the_higher_saving_covers_first() {
        // 3 y at .5 and 1 y at .6 against 1.00; three units, .75 and .90 committed.
        let hour = Hour {
            items: vec![(units(3), "1", vec![Some("0.6"), Some("0.5")])],
            plans: vec![(ComputeSp, "0.9"), (ComputeSp, "0.75")],
        };
        let (total, covers, left, usage) = hour.run();
        assert_eq!(covers[0].plan, 1);
        assert_eq!(covers[0].list, money("1.5"));
        assert_eq!(covers[1].list, money("1.5"));
        assert_eq!((usage[0].list, usage[0].quantity), (Money::ZERO, 0));
        assert_eq!(left, [Money::ZERO, Money::ZERO]);
        assert_eq!(total, money("1.65"));
    }

    #[test]
    fn equal_rates_still_use_the_commitment() {
        let hour =
            Hour { items: vec![(units(2), "1", vec![Some("1")])], plans: vec![(ComputeSp, "0.5")] };
        let (total, _, left, _) = hour.run();
        assert_eq!((total, left), (money("2"), vec![Money::ZERO]));
    }

    proptest! {
        #[test]
        fn dollars_and_usage_are_conserved(
            items in prop::collection::vec((1i128..10_000_000, 1i128..3_000_000_000_000, 0i128..1000, 0i128..1000), 1..6),
            dollars in prop::collection::vec(0i128..20_000_000_000_000, 2),
        ) {
            let table: Vec<Item> = items
                .iter()
                .map(|i| Item { on_demand: Rate::from_pico(i.1), per: MILLION })
                .collect();
            let ranking = Ranking::new(&table, &[ComputeSp, ComputeSp], |i, p| {
                let share = if p == 0 { items[i].2 } else { items[i].3 };
                Some(table[i].on_demand.scale(share, 1000))
            });
            let before: Vec<Usage> = items
                .iter()
                .map(|i| Usage {
                    quantity: i.0,
                    list: Rate::from_pico(i.1).charge(i.0, i128::from(MILLION)),
                    touched: false,
                })
                .collect();
            let mut usage = before.clone();
            let mut left: Vec<Money> = dollars.iter().map(|d| Money::from_pico(*d)).collect();
            let mut covers = Vec::new();
            ranking.apply(&mut usage, &mut left, &mut covers);
            for (p, dollars) in dollars.iter().enumerate() {
                prop_assert!(left[p] >= Money::ZERO);
                let used: Money =
                    covers.iter().filter(|c| usize::from(c.plan) == p).map(|c| c.net).sum();
                prop_assert_eq!(used + left[p], Money::from_pico(*dollars));
            }
            for (i, u) in usage.iter().enumerate() {
                prop_assert!(u.quantity >= 0 && u.list >= Money::ZERO);
                let mine = covers.iter().filter(|c| c.item as usize == i);
                let covered: Money = mine.clone().map(|c| c.list).sum();
                prop_assert_eq!(covered + u.list, before[i].list);
                let quantity: i128 = mine.map(|c| c.quantity).sum();
                prop_assert_eq!(quantity + u.quantity, before[i].quantity);
            }
        }
    }
}
