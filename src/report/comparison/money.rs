//! Bills of both sides along one grouping. Written amounts add up to the total
//! of their side; changes, their signs and their shares are those of the exact
//! amounts, so that what is equal never seems to differ.

use super::{Row, share_of, text};
use crate::advise::{CostGroup, Mark, MoneyItem};
use crate::units::{Money, div_half_even};

/// The rows of a grouping and its total.
pub(super) fn cost_rows(group: &CostGroup, all: bool) -> Vec<Row> {
    let total = &group.total;
    let places = text::places(total.old.max(total.new).unwrap_or(Money::ZERO));
    let small = |change: Money| round(change, places) == Money::ZERO;
    let mut rows = Vec::new();
    let mut others = Others::default();
    let mut sums = (Money::ZERO, Money::ZERO);
    for (item, (old, new)) in group.items.iter().zip(written(&group.items, places)) {
        sums = (sums.0 + old, sums.1 + new);
        // What differs by less than can be shown is no line of its own.
        let alike = small(item.change()) && !matches!(item.mark(), Mark::Added | Mark::Removed);
        if !all && alike {
            others.add(item, old, new);
            continue;
        }
        let side = |m: Option<Money>, shown: Money| {
            m.map_or_else(|| "–".to_owned(), |_| text::usd(shown, places))
        };
        rows.push(Row {
            sign: item.mark().sign(),
            name: text::name(&item.name),
            cells: [side(item.old, old), side(item.new, new), said(amounts(item), places)],
        });
    }
    if others.count > 0 {
        let (old, new) = others.exact;
        let change = if small(new - old) { String::new() } else { said(others.exact, places) };
        let (old, new) = others.written;
        rows.push(Row {
            sign: ' ',
            name: crate::nouns::counted(others.count, "other"),
            cells: [text::usd(old, places), text::usd(new, places), change],
        });
    }
    let (old, new) = sums;
    rows.push(Row {
        sign: total.mark().sign(),
        name: "total".to_owned(),
        cells: [text::usd(old, places), text::usd(new, places), said(amounts(total), places)],
    });
    rows
}

/// What has no line of its own.
#[derive(Default)]
struct Others {
    count: usize,
    /// (before, after).
    exact: (Money, Money),
    written: (Money, Money),
}

impl Others {
    fn add(&mut self, item: &MoneyItem, old: Money, new: Money) {
        let (a, b) = amounts(item);
        self.count += 1;
        self.exact = (self.exact.0 + a, self.exact.1 + b);
        self.written = (self.written.0 + old, self.written.1 + new);
    }
}

/// (before, after), zero where there is none.
fn amounts(of: &MoneyItem) -> (Money, Money) {
    (of.old.unwrap_or(Money::ZERO), of.new.unwrap_or(Money::ZERO))
}

/// An exact change and its share of what was; what is too small for the
/// column's decimals has as many as its first digit takes.
fn said((old, new): (Money, Money), places: u32) -> String {
    let change = new - old;
    if change == Money::ZERO {
        return String::new();
    }
    let shows = |p: &u32| round(change, *p) != Money::ZERO;
    let places = (places..=12).find(shows).unwrap_or(12);
    text::signed_usd(change, places) + &share_of(change.to_f64(), old.to_f64())
}

/// Half-even, as amounts are written.
fn round(amount: Money, places: u32) -> Money {
    let unit = unit(places);
    Money::from_pico(div_half_even(amount.pico(), unit) * unit)
}

/// Pico-USD of the last of these decimals.
fn unit(places: u32) -> i128 {
    10i128.pow(12 - places.min(12))
}

/// Both sides of every item, rounded so that each side adds up. Equal amounts
/// are written alike, and where it can be, an item's two amounts differ by its
/// rounded change.
fn written(items: &[MoneyItem], places: u32) -> Vec<(Money, Money)> {
    // What is equal comes first: its sum is then as near as one amount is, and
    // leaves the others no more than their own rounding.
    let mut order: Vec<(usize, &MoneyItem)> = items.iter().enumerate().collect();
    order.sort_by_key(|(_, item)| item.mark() != Mark::Same);
    let sorted: Vec<(Money, Money)> = order.iter().map(|(_, item)| amounts(item)).collect();
    let (old, new): (Vec<Money>, Vec<Money>) = sorted.iter().copied().unzip();
    let before = text::adding_up(Money::ZERO, &old, places);
    let target = text::adding_up(Money::ZERO, &new, places).into_iter().sum();
    let after = moved(&sorted, &before, target, places);
    let mut out: Vec<(usize, (Money, Money))> =
        order.iter().map(|(i, _)| *i).zip(before.into_iter().zip(after)).collect();
    out.sort_by_key(|(i, _)| *i);
    out.into_iter().map(|(_, pair)| pair).collect()
}

/// The new side of (old, new) whose old side is written as `before`: that plus
/// the rounded change, then moved by a unit where it strays least from the
/// exact change, until it adds up to the target.
fn moved(items: &[(Money, Money)], before: &[Money], target: Money, places: u32) -> Vec<Money> {
    let unit = unit(places);
    let far = |shown: Money, exact: Money| (shown - exact).pico().abs();
    let start = items.iter().zip(before).map(|((old, new), before)| {
        let near = *before + round(*new - *old, places);
        let keep = old == new || *new != Money::ZERO && far(near, *new) < unit;
        if keep { near } else { round(*new, places) }
    });
    let mut shown: Vec<Money> = start.collect();
    loop {
        let missing = target - shown.iter().copied().sum::<Money>();
        if missing == Money::ZERO {
            return shown;
        }
        let step = Money::from_pico(missing.pico().signum() * unit);
        let cheapest = items
            .iter()
            .zip(before)
            .zip(&mut shown)
            // What is equal stays, and so does nothing.
            .filter(|(((old, new), _), _)| old != new && *new != Money::ZERO)
            .min_by_key(|(((old, new), before), now)| {
                let then = **now + step;
                (far(then, *new) >= unit, far(then - **before, *new - *old))
            });
        match cheapest {
            Some((_, now)) => *now += step,
            None => return shown,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CENT: i128 = 10_000_000_000;

    fn usd(text: &str) -> Money {
        text.parse().expect("a decimal")
    }

    fn group(parts: &[(&str, Option<&str>, Option<&str>)]) -> CostGroup {
        let items: Vec<MoneyItem> = parts
            .iter()
            .map(|(name, old, new)| MoneyItem {
                name: (*name).to_owned(),
                old: old.map(usd),
                new: new.map(usd),
            })
            .collect();
        of_items(items)
    }

    fn of_items(items: Vec<MoneyItem>) -> CostGroup {
        let (old, new) = items
            .iter()
            .map(amounts)
            .fold((Money::ZERO, Money::ZERO), |s, i| (s.0 + i.0, s.1 + i.1));
        let total = MoneyItem { name: "total".to_owned(), old: Some(old), new: Some(new) };
        CostGroup { by: "charge", items, total }
    }

    fn lines(group: &CostGroup, all: bool) -> Vec<String> {
        let rows = cost_rows(group, all).into_iter();
        rows.map(|r| format!("{} {} {}", r.sign, r.name, r.cells.join(" ")).trim_end().to_owned())
            .collect()
    }

    /// Bills of a real pair of cases: a Savings Plan lowers what instances
    /// cost, the address costs what it did.
    #[test]
    fn what_is_equal_does_not_change() {
        let group = group(&[
            ("control-plane", Some("2.4"), Some("2.4")),
            ("instance", Some("25.542992853329"), Some("23.767694962219")),
            ("instance-second-rounding", Some("0.000580479999"), Some("0.000535905349")),
            ("public-ipv4", Some("0.665965"), Some("0.665965")),
            ("root-volume", Some("0.728200362806"), Some("0.728200362806")),
        ]);
        assert_eq!(
            lines(&group, false),
            [
                "~ instance $25.55 $23.77 −$1.78 (−7.0\u{A0}%)",
                "  4 others $3.79 $3.79",
                "~ total $29.34 $27.56 −$1.78 (−6.1\u{A0}%)",
            ]
        );
    }

    #[test]
    fn changes_are_those_of_exact_amounts() {
        // 0.0071 of 2.004 is 0.4 %; a written cent of 2.00 would be 0.5 %.
        let group = group(&[
            ("a", Some("2.004"), Some("2.0111")),
            ("b", Some("3.333"), Some("3.333")),
            ("c", Some("3.333"), Some("3.333")),
            ("d", Some("3.333"), Some("3.333")),
            ("e", Some("0.1"), None),
            ("f", None, Some("0.0001")),
        ]);
        let lines = lines(&group, true);
        assert_eq!(lines[0], "~ a $2.00 $2.01 +$0.01 (+0.4\u{A0}%)");
        assert_eq!(lines[4], "- e $0.10 – −$0.10 (−100\u{A0}%)");
        assert_eq!(lines[5], "+ f – $0.00 +$0.0001");
        for line in &lines[1..4] {
            let cells: Vec<&str> = line.split_whitespace().collect();
            assert_eq!((cells.len(), cells[1]), (3, cells[2]), "{line}");
        }
    }

    proptest! {
        #[test]
        fn columns_add_up_and_equal_pairs_stay(
            parts in prop::collection::vec(
                (0..40 * CENT, prop_oneof![Just(0), -60_000..60_000_i128, -CENT..4 * CENT]),
                1..30,
            ),
        ) {
            let items: Vec<MoneyItem> = parts
                .iter()
                .map(|(old, change)| MoneyItem {
                    name: "x".to_owned(),
                    old: Some(Money::from_pico(*old)),
                    new: Some(Money::from_pico((old + change).max(0))),
                })
                .collect();
            let group = of_items(items);
            let shown = written(&group.items, 2);
            let (a, b) = amounts(&group.total);
            let whole = |m| text::adding_up(Money::ZERO, &[m], 2)[0];
            prop_assert_eq!(shown.iter().map(|s| s.0).sum::<Money>(), whole(a));
            prop_assert_eq!(shown.iter().map(|s| s.1).sum::<Money>(), whole(b));
            for (item, (old, new)) in group.items.iter().zip(&shown) {
                let (a, b) = amounts(item);
                prop_assert!(*old >= Money::ZERO && *new >= Money::ZERO, "{old} {new}");
                prop_assert!((*old - a).pico().abs() <= CENT, "{old} for {a}");
                prop_assert!((*new - b).pico().abs() < 2 * CENT, "{new} for {b}");
                if item.mark() == Mark::Same {
                    prop_assert_eq!(old, new);
                }
            }
            for row in cost_rows(&group, true) {
                if row.sign == ' ' {
                    prop_assert_eq!(&row.cells[0], &row.cells[1]);
                    prop_assert_eq!(&row.cells[2], "");
                }
            }
        }
    }
}
