//! Hourly usage as it is read, row by row.

use rustc_hash::FxHashMap;

use super::Quantity;
use crate::bill::commitments::{HourlyUsage, UsageItem, normal_quarters};
use crate::bill::model::Unit;
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// Usage as it is read: exact until the last row.
#[derive(Debug, Default)]
pub struct Gathered {
    /// By clock hour since 1970 and number of the item: how much, and what it
    /// costs without commitments.
    cells: FxHashMap<(i64, u32), (i128, Money)>,
}

impl Gathered {
    /// Adds a row of an item, by the number its caller gave it; returns its list
    /// cost.
    pub fn add(
        &mut self,
        hour: i64,
        item: u32,
        amount: Quantity,
        price: Rate,
        unit: Unit,
    ) -> Money {
        let (amount, list) = settled(amount, price, unit);
        let (quantity, cost) = self.cells.entry((hour, item)).or_default();
        *quantity += amount.0;
        *cost += list;
        list
    }

    /// Puts everything into a table without usage yet, quantities in the small
    /// units of its items. `place` says where the item of a number stands there.
    ///
    /// # Errors
    /// Where an hour has more of an item than money can be counted for.
    pub fn finish(self, mut table: HourlyUsage, place: &[usize]) -> Result<HourlyUsage> {
        let (first, items) = (table.first_hour(), table.items.len());
        for ((hour, item), (quantity, list)) in self.cells {
            let Some(at) = place.get(item as usize) else { continue };
            let Some(of) = table.items.get(*at) else { continue };
            let quantity = small(Quantity(quantity), of.unit);
            if !is_countable(of, quantity, list) {
                let name = &of.name;
                return Err(Error::input(format!("an hour has more {name} than any bill")));
            }
            let cell = usize::try_from(hour - first).unwrap_or(usize::MAX).saturating_mul(items);
            let cell = cell.saturating_add(*at);
            if let (Some(sum), Some(cost)) =
                (table.quantity.get_mut(cell), table.list.get_mut(cell))
            {
                (*sum, *cost) = (quantity, list);
            }
        }
        Ok(table)
    }
}

/// Whether every product that commitments make of an hour's usage stays inside
/// its integer: size × time × cost, and both at the highest rate.
fn is_countable(item: &UsageItem, quantity: i128, list: Money) -> bool {
    let kind = item.ec2.as_ref().map(|ec2| ec2.instance_type.as_str());
    // As reserved: a type of undocumented size is a unit of its own.
    let size = kind.map_or(1, |kind| normal_quarters(kind).unwrap_or(4));
    let (list, most) = (list.pico(), Rate::MOST.pico());
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

/// What a quantity stands for, and what it costs, rounded once. A decimal that
/// stands for a whole number of small units is that number, as an hour's third
/// has no end: to fifteen places, or to the digits that a double has.
fn settled(quantity: Quantity, rate: Rate, unit: Unit) -> (Quantity, Money) {
    let (count, per) = (small(quantity, unit), i128::from(unit.per()));
    let (whole, rest) = (count / per, count % per);
    let printed = whole * Quantity::ONE + (2 * rest * Quantity::ONE + per) / (2 * per);
    let off = (printed - quantity.0).abs();
    if off <= quantity.0 >> 52 && count < 1 << 60 {
        (Quantity(printed), rate.charge(count, per))
    } else {
        (quantity, quantity.at(rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_stand_for_whole_small_units() {
        // A third of an hour: 1,200,000 ms, at 0.096 exactly 0.032.
        let rate: Rate = "0.096".parse().expect("rate");
        let third = Quantity(333_333_333_333_333);
        assert_eq!(small(third, Unit::Hours), 1_200_000);
        let cost = |of, rate| settled(of, rate, Unit::Hours).1;
        let money = |text: &str| text.parse::<Money>().expect("money");
        assert_eq!(cost(third, rate), money("0.032"));
        // 4,444,233,217 ms are 1,234.509226944444… h, of which a double prints
        // thirteen places. Half a millisecond is something else.
        let exact = Quantity(1_234_509_226_944_444_444);
        for (double, is_exact) in [(444_400, true), (444_500, true), (440_000, false)] {
            let double = Quantity(1_234_509_226_944_000_000 + double);
            let settled = |of| settled(of, rate, Unit::Hours);
            assert_eq!(settled(double) == settled(exact), is_exact, "{double}");
        }
        // What AWS prints is no whole number of milliseconds: 0.683889 h.
        let odd = Quantity(683_889_000_000_000);
        assert_eq!(small(odd, Unit::Hours), 2_462_000);
        let g5: Rate = "1.624".parse().expect("rate");
        assert_eq!(cost(odd, g5), money("1.110635736"));
        assert_eq!(small(Quantity(2 * Quantity::ONE), Unit::Hours), 7_200_000);
        // One KiB for one millisecond is 2.65e-13 GB-hours.
        assert_eq!(small(Quantity(265), Unit::GbHours), 1);
        assert_eq!(small(Quantity(0), Unit::GbHours), 0);
    }
}
