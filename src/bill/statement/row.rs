//! A row of a billing or usage file, borrowed from the file's buffer.

use super::item::Item;
use crate::units::{HOUR_MS, Money, Rate};

/// An amount of usage in 10⁻¹⁵ of its unit: what FOCUS prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(pub i128);

impl Quantity {
    /// One unit.
    pub const ONE: i128 = 10i128.pow(Self::PLACES);
    /// Decimal places.
    pub const PLACES: u32 = 15;

    /// What it costs at a rate: multiplied first, rounded half-even once.
    #[must_use]
    pub fn at(self, rate: Rate) -> Money {
        // Whole units are exact, so that the rest alone is rounded: their
        // product would leave its integer.
        let (whole, rest) = (self.0.div_euclid(Self::ONE), self.0.rem_euclid(Self::ONE));
        Money::from_pico(rate.pico() * whole) + rate.charge(rest, Self::ONE)
    }
}

impl std::fmt::Display for Quantity {
    /// The exact decimal, without trailing zeros.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (amount, one) = (self.0.unsigned_abs(), Self::ONE.unsigned_abs());
        let text = format!("{sign}{}.{:015}", amount / one, amount % one);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class<'a> {
    /// Usage that can be priced.
    Usage(Item<'a>),
    /// Usage of something else.
    NotModelled,
    /// No usage: the file's own word, such as `Credit` or `RIFee`.
    NotUsage(&'a str),
}

/// A row, borrowed from the file's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// Where it stands.
    pub line: u64,
    /// Start of its period, Unix milliseconds.
    pub start_unix_ms: i64,
    /// End of its period.
    pub end_unix_ms: i64,
    /// What it is.
    pub class: Class<'a>,
    /// Whose service; empty for AWS.
    pub provider: &'a str,
    /// Which service.
    pub service: &'a str,
    /// What the file says it is.
    pub description: &'a str,
    /// The file's unit of price.
    pub unit: &'a str,
    /// AWS Region.
    pub region: &'a str,
    /// Availability Zone, empty where not told.
    pub zone: &'a str,
    /// Account or owner.
    pub owner: &'a str,
    /// Currency of its amounts.
    pub currency: &'a str,
    /// How much was used; of [`Class::Usage`] only.
    pub quantity: Option<Quantity>,
    /// List price of a unit; of [`Class::Usage`] only.
    pub unit_price: Option<Rate>,
    /// What a unit costs before commitments, where that is less than the list price
    /// and the row bears it out; of [`Class::Usage`] only.
    pub contracted_price: Option<Rate>,
    /// List price × quantity, as the file states it.
    pub list_cost: Option<Money>,
    /// What the invoice asks.
    pub billed: Option<Money>,
}

impl Row<'_> {
    /// Its clock hour (UTC) since the Unix epoch, if it lies within one.
    #[must_use]
    pub fn hour(&self) -> Option<i64> {
        let hour = self.start_unix_ms.div_euclid(HOUR_MS);
        (self.end_unix_ms <= (hour + 1) * HOUR_MS).then_some(hour)
    }
}
