//! A billed row against a list price: what differs, and why.
//!
//! A reason is established, not assumed. `price-changed` needs a file whose
//! own unit price times quantity is its own cost, a published price of ours,
//! and a date of ours that the file's period does not fall on;
//! `file-rounding` needs equal unit prices and a cost that is their product
//! at some number of decimals. What no check explains is called unexplained.

use super::{Item, Market, Platform, Quantity};
use crate::catalog::{PriceStatus, Quote};
use crate::units::{Money, Rate};

/// Fewest decimals that count as rounding: a micro-dollar.
const FEWEST_DECIMALS: u32 = 6;

/// Why there is no price of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpriced {
    /// No such Region is known.
    UnknownRegion,
    /// No such instance type is known.
    UnknownType,
    /// Known, but without a price in the Region.
    NotInRegion,
}

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePrice<'a> {
    /// How much was used.
    pub quantity: Option<Quantity>,
    /// List price of a unit.
    pub unit_price: Option<Rate>,
    /// List cost.
    pub cost: Option<Money>,
    /// Currency.
    pub currency: &'a str,
    /// Day of the period's start, `2024-09-26`.
    pub day: &'a str,
}

/// Why a residual is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No residual.
    Equal,
    /// Equal unit prices; the file rounds its cost to so many decimals.
    FileRounding {
        /// Of the file's cost.
        decimals: u32,
    },
    /// The file is right by itself, and our published price is of another
    /// date.
    PriceChanged,
    /// The file is right by itself; our price is an estimate.
    EstimatedPrice,
    /// The file is right by itself; our price is one nobody could verify.
    BelievedPrice,
    /// The catalog does not have the Region.
    RegionAbsent,
    /// The catalog does not have the instance type.
    TypeAbsent,
    /// The catalog has no price for it in the Region.
    NoPriceInRegion,
    /// Licences of the operating system are in the file's price and not in
    /// ours.
    OtherPlatform,
    /// Dedicated hardware is not in our prices.
    OtherTenancy,
    /// The market's price, of which no list exists.
    SpotMarket,
    /// Ours are in USD.
    OtherCurrency,
    /// The file states no quantity, or no list cost.
    NotStated,
    /// Unexplained: the file's unit price times quantity is not its cost.
    FileInconsistent,
    /// Unexplained: our published price, of the same date, is another.
    PriceDiffers,
}

impl Reason {
    /// Its name in results.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Reason::Equal => "equal",
            Reason::FileRounding { .. } => "file-rounding",
            Reason::PriceChanged => "price-changed",
            Reason::EstimatedPrice => "estimated-price",
            Reason::BelievedPrice => "believed-price",
            Reason::RegionAbsent => "region-absent",
            Reason::TypeAbsent => "type-absent",
            Reason::NoPriceInRegion => "no-price-in-region",
            Reason::OtherPlatform => "other-platform",
            Reason::OtherTenancy => "other-tenancy",
            Reason::SpotMarket => "spot-market",
            Reason::OtherCurrency => "other-currency",
            Reason::NotStated => "not-stated",
            Reason::FileInconsistent => "file-inconsistent",
            Reason::PriceDiffers => "price-differs",
        }
    }

    /// What it means, for people.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Reason::Equal => "our price times the quantity is the file's list cost".to_owned(),
            Reason::FileRounding { decimals } => {
                format!("equal unit prices; the file rounds its cost to {decimals} decimals")
            }
            Reason::PriceChanged => {
                "the file's price times quantity is its cost; ours is of another date".to_owned()
            }
            Reason::EstimatedPrice => "our price is an estimate, not a quote".to_owned(),
            Reason::BelievedPrice => "our price is one that nobody could verify".to_owned(),
            Reason::RegionAbsent => "the catalog does not have the Region".to_owned(),
            Reason::TypeAbsent => "the catalog does not have the instance type".to_owned(),
            Reason::NoPriceInRegion => "the catalog has no price for it in the Region".to_owned(),
            Reason::OtherPlatform => "licences of the platform are not in our prices".to_owned(),
            Reason::OtherTenancy => "dedicated hardware is not in our prices".to_owned(),
            Reason::SpotMarket => "the Spot market's price has no list".to_owned(),
            Reason::OtherCurrency => "our prices are in USD".to_owned(),
            Reason::NotStated => "the file states no quantity or no list cost".to_owned(),
            Reason::FileInconsistent => {
                "UNEXPLAINED: the file's price times quantity is not its cost".to_owned()
            }
            Reason::PriceDiffers => {
                "UNEXPLAINED: our published price of that date is another".to_owned()
            }
        }
    }

    /// Whether the residual is zero or accounted for.
    #[must_use]
    pub const fn is_explained(self) -> bool {
        !matches!(self, Reason::FileInconsistent | Reason::PriceDiffers)
    }
}

/// A row, priced again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repriced {
    /// Our price times the file's quantity.
    pub ours: Option<Money>,
    /// Ours less the file's; `None` where either is not known or they are
    /// not comparable.
    pub residual: Option<Money>,
    /// Why.
    pub reason: Reason,
}

impl Repriced {
    const fn without(reason: Reason) -> Self {
        Repriced { ours: None, residual: None, reason }
    }
}

/// Prices a row again.
#[must_use]
pub fn reprice(item: Item<'_>, file: &FilePrice<'_>, ours: Result<&Quote, Unpriced>) -> Repriced {
    // First: amounts of another currency add up with no other ones.
    if file.currency != "USD" {
        return Repriced::without(Reason::OtherCurrency);
    }
    if let Some(reason) = incomparable(item) {
        return Repriced::without(reason);
    }
    let listed = match ours {
        Ok(listed) => listed,
        Err(Unpriced::UnknownRegion) => return Repriced::without(Reason::RegionAbsent),
        Err(Unpriced::UnknownType) => return Repriced::without(Reason::TypeAbsent),
        Err(Unpriced::NotInRegion) => return Repriced::without(Reason::NoPriceInRegion),
    };
    let amount = file.quantity.map(|quantity| quantity.at(listed.rate));
    let (Some(quantity), Some(cost), Some(ours)) = (file.quantity, file.cost, amount) else {
        return Repriced { ours: amount, residual: None, reason: Reason::NotStated };
    };
    let reason = if ours == cost { Reason::Equal } else { why(quantity, file, cost, listed) };
    Repriced { ours: Some(ours), residual: Some(ours - cost), reason }
}

/// Why an item has no list price of ours at all.
fn incomparable(item: Item<'_>) -> Option<Reason> {
    match item {
        Item::Instance { market: Market::Spot, .. } | Item::Fargate { spot: true, .. } => {
            Some(Reason::SpotMarket)
        }
        Item::Instance { shared: false, .. } => Some(Reason::OtherTenancy),
        Item::Instance { platform, .. } | Item::Fargate { platform, .. }
            if platform != Platform::Linux =>
        {
            Some(Reason::OtherPlatform)
        }
        _ => None,
    }
}

/// Explains a residual that is not zero.
fn why(quantity: Quantity, file: &FilePrice<'_>, cost: Money, listed: &Quote) -> Reason {
    let Some(unit_price) = file.unit_price else { return Reason::NotStated };
    let Some(decimals) = rounded_at(unit_price, quantity, cost) else {
        return Reason::FileInconsistent;
    };
    if unit_price == listed.rate {
        Reason::FileRounding { decimals }
    } else if listed.status == PriceStatus::Believed {
        Reason::BelievedPrice
    } else if !listed.status.is_published() {
        Reason::EstimatedPrice
    } else if !listed.as_of.is_empty() && !falls_on(file.day, &listed.as_of) {
        Reason::PriceChanged
    } else {
        Reason::PriceDiffers
    }
}

/// At how many decimals, at most twelve and at least six, `cost` is the
/// rounded product; ties may go either way. `None` if at none.
fn rounded_at(rate: Rate, quantity: Quantity, cost: Money) -> Option<u32> {
    let (whole, rest) = (quantity.0 / Quantity::ONE, quantity.0 % Quantity::ONE);
    let off = rate.pico() * whole - cost.pico();
    // Far off; and closer, what follows stays within its integer.
    if off.abs() > rate.pico() + 1_000_000_000_000 {
        return None;
    }
    let off = (off * Quantity::ONE + rate.pico() * rest).abs();
    (FEWEST_DECIMALS..=12).rev().find(|decimals| {
        let unit = 10i128.pow(12 + Quantity::PLACES - decimals);
        let whole = cost.pico() % 10i128.pow(12 - decimals) == 0;
        whole && off.saturating_mul(2) <= unit
    })
}

/// Whether a day lies within a date, a prefix of one, or a range of them.
fn falls_on(day: &str, as_of: &str) -> bool {
    let (first, last) = as_of.split_once("..").unwrap_or((as_of, as_of));
    let upto = |bound: &str| day.get(..bound.len().min(day.len())).unwrap_or_default().to_owned();
    upto(first).as_str() >= first && upto(last).as_str() <= last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Text;

    const LINUX: Item<'static> = Item::Instance {
        name: "m5.large",
        platform: Platform::Linux,
        shared: true,
        market: Market::OnDemand,
    };

    fn listed(rate: &str, as_of: &str) -> Quote {
        Quote {
            rate: rate.parse().expect("rate"),
            status: PriceStatus::Real,
            as_of: Text::from(as_of),
            source: Text::from(""),
        }
    }

    fn file(quantity: &str, unit_price: &str, cost: &str) -> FilePrice<'static> {
        let pico = |text: &str| text.parse::<Money>().expect("decimal").pico();
        FilePrice {
            quantity: Some(Quantity(pico(quantity) * 1_000)),
            unit_price: Some(Rate::from_pico(pico(unit_price))),
            cost: Some(Money::from_pico(pico(cost))),
            currency: "USD",
            day: "2024-09-26",
        }
    }

    fn reason(file: &FilePrice<'_>, listed: &Quote) -> Reason {
        reprice(LINUX, file, Ok(listed)).reason
    }

    #[test]
    fn residuals_are_ours_less_the_files() {
        let of = reprice(LINUX, &file("0.5", "0.1", "0.05"), Ok(&listed("0.12", "2026-07-20")));
        assert_eq!(of.ours, Some("0.06".parse().expect("money")));
        assert_eq!(of.residual, Some("0.01".parse().expect("money")));
        assert_eq!(of.reason, Reason::PriceChanged);
        let of = reprice(LINUX, &file("0.5", "0.1", "0.05"), Ok(&listed("0.1", "")));
        assert_eq!((of.residual, of.reason), (Some(Money::ZERO), Reason::Equal));
    }

    #[test]
    fn rounding_is_established() {
        // 0.0041666667 × 0.04048 = 0.000168666668016, ten decimals printed.
        let fargate = file("0.0041666667", "0.04048", "0.0001686667");
        assert_eq!(
            reason(&fargate, &listed("0.04048", "2024")),
            Reason::FileRounding { decimals: 10 }
        );
        // One unit of the tenth decimal off is no rounding.
        let off = file("0.0041666667", "0.04048", "0.0001686668");
        assert_eq!(reason(&off, &listed("0.04048", "2024")), Reason::FileInconsistent);
        // Cents are no rounding of a price list.
        let cents = file("0.33", "0.1", "0.03");
        assert_eq!(reason(&cents, &listed("0.1", "2024")), Reason::FileInconsistent);
        // Half a unit may go up or down: 0.5 × 0.000001 at six decimals.
        for cost in ["0", "0.000001"] {
            let half = file("0.5", "0.000001", cost);
            assert_eq!(
                reason(&half, &listed("0.000001", "")),
                Reason::FileRounding { decimals: 6 }
            );
        }
    }

    #[test]
    fn a_changed_price_needs_a_consistent_file_and_another_date() {
        let consistent = file("2", "0.1", "0.2");
        assert_eq!(reason(&consistent, &listed("0.11", "2024-09-26")), Reason::PriceDiffers);
        assert_eq!(reason(&consistent, &listed("0.11", "2024-09")), Reason::PriceDiffers);
        assert_eq!(reason(&consistent, &listed("0.11", "2024-07..2026-03")), Reason::PriceDiffers);
        assert_eq!(reason(&consistent, &listed("0.11", "")), Reason::PriceDiffers);
        assert_eq!(reason(&consistent, &listed("0.11", "2024-09-27")), Reason::PriceChanged);
        assert_eq!(reason(&consistent, &listed("0.11", "2025")), Reason::PriceChanged);
        assert_eq!(reason(&consistent, &listed("0.11", "2023..2024-08")), Reason::PriceChanged);
        let estimate = Quote { status: PriceStatus::Representative, ..listed("0.11", "2025") };
        assert_eq!(reason(&consistent, &estimate), Reason::EstimatedPrice);
        let believed = Quote { status: PriceStatus::Believed, ..listed("0.11", "") };
        assert_eq!(reason(&consistent, &believed), Reason::BelievedPrice);
        let inconsistent = file("2", "0.1", "0.21");
        assert_eq!(reason(&inconsistent, &listed("0.11", "2025")), Reason::FileInconsistent);
        let no_unit_price = FilePrice { unit_price: None, ..consistent };
        assert_eq!(reason(&no_unit_price, &listed("0.11", "2025")), Reason::NotStated);
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        let file = file("1", "0.1", "0.1");
        let of = |platform, shared, market| {
            let item = Item::Instance { name: "m5.large", platform, shared, market };
            reprice(item, &file, Ok(&listed("0.1", ""))).reason
        };
        assert_eq!(of(Platform::Windows, true, Market::OnDemand), Reason::OtherPlatform);
        assert_eq!(of(Platform::Linux, false, Market::OnDemand), Reason::OtherTenancy);
        assert_eq!(of(Platform::Linux, true, Market::Spot), Reason::SpotMarket);
        assert_eq!(of(Platform::Linux, true, Market::UnusedReservation), Reason::Equal);
        for (cause, reason) in [
            (Unpriced::UnknownRegion, Reason::RegionAbsent),
            (Unpriced::UnknownType, Reason::TypeAbsent),
            (Unpriced::NotInRegion, Reason::NoPriceInRegion),
        ] {
            assert_eq!(reprice(LINUX, &file, Err(cause)), Repriced::without(reason));
        }
        let euro = FilePrice { currency: "EUR", ..file };
        assert_eq!(reason(&euro, &listed("0.1", "")), Reason::OtherCurrency);
        let silent = FilePrice { cost: None, ..file };
        assert_eq!(reason(&silent, &listed("0.1", "")), Reason::NotStated);
    }
}
