//! Exact money: i128 pico-USD, and rates as exact decimals of twelve places.
//!
//! A line of a bill multiplies first and rounds half-even once
//! ([`Rate::charge`]); a split of a line uses cumulative rounding
//! ([`split_exact`]), so parts always add up to the whole.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use super::{ParseUnitError, Portions};

/// Pico-USD in one USD.
const PICO: i128 = 1_000_000_000_000;

/// Largest amount or rate that is read: a billion USD. Sums of any number of
/// lines that fit into memory then stay inside i128.
const MAX_PARSED: i128 = 1_000_000_000 * PICO;

/// An amount of money in pico-USD (10⁻¹² USD). Signed: credits and
/// differences are negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i128);

/// A price per unit in pico-USD: an exact decimal of at most 12 places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(i128);

impl Money {
    /// No money.
    pub const ZERO: Money = Money(0);

    /// From pico-USD.
    #[must_use]
    pub const fn from_pico(pico: i128) -> Self {
        Money(pico)
    }

    /// In pico-USD.
    #[must_use]
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// In USD as a float: for charts and statistics only, never for sums.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / PICO as f64
    }

    /// This amount times `numerator / denominator`, rounded half-even once.
    ///
    /// # Panics
    /// If `denominator` is not positive or the product leaves i128 (amounts
    /// here stay below 10³⁰ pico-USD, factors below 10⁸).
    #[must_use]
    pub fn scale(self, numerator: i128, denominator: i128) -> Money {
        Money(mul_div_half_even(self.0, numerator, denominator))
    }

    /// Its share of a whole; `None` where that is not above zero.
    #[must_use]
    pub fn share_of(self, whole: Money) -> Option<f64> {
        (whole > Money::ZERO).then(|| self.to_f64() / whole.to_f64())
    }

    /// With `places` decimals and thousands separators, half-even, for
    /// people: `1,234.57`.
    #[must_use]
    pub fn human(self, places: u32) -> String {
        let unit = 10i128.pow(12 - places.min(12));
        let rounded = div_half_even(self.0, unit);
        let scale = 10i128.pow(places.min(12));
        let (whole, part) = (
            rounded.unsigned_abs() / scale.unsigned_abs(),
            rounded.unsigned_abs() % scale.unsigned_abs(),
        );
        let digits = whole.to_string();
        let mut grouped = String::new();
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(c);
        }
        let sign = if rounded < 0 { "-" } else { "" };
        if places == 0 {
            format!("{sign}{grouped}")
        } else {
            format!("{sign}{grouped}.{part:0width$}", width = places.min(12) as usize)
        }
    }
}

impl Rate {
    /// Free of charge.
    pub const ZERO: Rate = Rate(0);

    /// Highest that a bill holds, 100,000 USD: keeps every product inside its
    /// integer.
    pub const MOST: Rate = Rate(100_000 * PICO);

    /// From pico-USD per unit.
    #[must_use]
    pub const fn from_pico(pico: i128) -> Self {
        Rate(pico)
    }

    /// In pico-USD per unit.
    #[must_use]
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// In USD per unit as a float: for policies that rank and for charts.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / PICO as f64
    }

    /// The charge for `numerator / denominator` units: multiplied first,
    /// rounded half-even once. For seconds at an hourly rate the
    /// denominator is 3,600.
    ///
    /// # Panics
    /// If `denominator` is not positive, or the product leaves i128.
    #[must_use]
    pub fn charge(self, numerator: i128, denominator: i128) -> Money {
        Money(mul_div_half_even(self.0, numerator, denominator))
    }

    /// This rate times an exact fraction, rounded half-even at the twelfth
    /// place: how a discounted rate is derived from a list rate.
    ///
    /// # Panics
    /// As [`Rate::charge`].
    #[must_use]
    pub fn scale(self, numerator: i128, denominator: i128) -> Rate {
        Rate(mul_div_half_even(self.0, numerator, denominator))
    }
}

fn mul_div_half_even(value: i128, numerator: i128, denominator: i128) -> i128 {
    let product = value.checked_mul(numerator).expect("money product leaves i128");
    div_half_even(product, denominator)
}

/// A quotient of integers, rounded to the nearest one and halves to even.
///
/// # Panics
/// If `denominator` is not positive.
#[must_use]
pub fn div_half_even(value: i128, denominator: i128) -> i128 {
    assert!(denominator > 0, "a split or charge needs a positive denominator");
    let quotient = value.div_euclid(denominator);
    let rest = value.rem_euclid(denominator);
    match (2 * rest).cmp(&denominator) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

/// Splits `total` in proportion to `weights` so that the parts add up to it
/// exactly: part `i` is `round(total·W(i)/W) − round(total·W(i−1)/W)` with `W(i)`
/// the running sum, in the order given. All weights zero: everything goes
/// to the last part.
///
/// # Panics
/// If a weight is negative or a product leaves i128; weights are therefore
/// reduced by a common shift when they are large.
#[must_use]
pub fn split_exact(total: Money, weights: &[i128]) -> Vec<Money> {
    let mut sum: i128 = 0;
    for &w in weights {
        assert!(w >= 0, "a weight must not be negative");
        sum += w;
    }
    if weights.is_empty() {
        return Vec::new();
    }
    let mut parts = vec![Money::ZERO; weights.len()];
    if sum == 0 {
        *parts.last_mut().expect("not empty") = total;
        return parts;
    }
    let portions = Portions::new(total, sum);
    let (mut running, mut done) = (0i128, 0i128);
    for (part, &w) in parts.iter_mut().zip(weights) {
        running += w;
        let upto = portions.upto(running);
        *part = Money(upto - done);
        done = upto;
    }
    debug_assert_eq!(done, total.0);
    parts
}

fn parse_pico(text: &str) -> Result<i128, ParseUnitError> {
    let bad = || ParseUnitError::new("expected a decimal number such as 0.0464");
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().map_err(|_| bad())?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(bad());
    }
    if !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return Err(bad());
    }
    let all = format!("{whole}{fraction}");
    let all = all.trim_start_matches('0');
    if all.is_empty() {
        return Ok(0);
    }
    let value: i128 = all.parse().map_err(|_| ParseUnitError::new("too large for money"))?;
    let fraction_len = i32::try_from(fraction.len()).map_err(|_| bad())?;
    let power =
        12i32.checked_add(exponent).and_then(|p| p.checked_sub(fraction_len)).ok_or_else(bad)?;
    let pico = if power >= 0 {
        10i128
            .checked_pow(power.unsigned_abs())
            .and_then(|p| value.checked_mul(p))
            .filter(|v| *v <= MAX_PARSED)
            .ok_or_else(|| ParseUnitError::new("too large for money"))?
    } else {
        let divisor = 10i128
            .checked_pow(power.unsigned_abs())
            .filter(|d| value % d == 0)
            .ok_or_else(|| ParseUnitError::new("more than 12 decimal places"))?;
        value / divisor
    };
    Ok(if negative { -pico } else { pico })
}

fn write_pico(f: &mut fmt::Formatter<'_>, pico: i128) -> fmt::Result {
    let magnitude = pico.unsigned_abs();
    let (whole, part) = (magnitude / PICO.unsigned_abs(), magnitude % PICO.unsigned_abs());
    let sign = if pico < 0 { "-" } else { "" };
    if part == 0 {
        return write!(f, "{sign}{whole}");
    }
    let part = format!("{part:012}");
    write!(f, "{sign}{whole}.{}", part.trim_end_matches('0'))
}

macro_rules! decimal {
    ($name:ident) => {
        impl fmt::Display for $name {
            /// The exact decimal, without trailing zeros.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_pico(f, self.0)
            }
        }
        impl FromStr for $name {
            type Err = ParseUnitError;
            fn from_str(text: &str) -> Result<Self, ParseUnitError> {
                parse_pico(text).map($name)
            }
        }
        impl serde::Serialize for $name {
            /// As an exact decimal string: JSON numbers lose digits.
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
    };
}

decimal!(Money);
decimal!(Rate);

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(-self.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        self.0 += other.0;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Money) {
        self.0 -= other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(iter: I) -> Money {
        iter.fold(Money::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().expect("money")
    }

    #[test]
    fn decimals_round_trip_exactly() {
        for text in ["0", "0.0464", "-12.5", "1234567.000000000001", "0.000000000001"] {
            assert_eq!(money(text).to_string(), text);
        }
        assert_eq!(money("1e-3").to_string(), "0.001");
        assert!("0.0000000000001".parse::<Rate>().is_err());
        for bad in ["", ".", "-", "1,5", "NaN", "inf", "0x1", "1e99", "1e-9999999999"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_charge_rounds_half_even_once() {
        // 1 pico-USD per hour for half an hour is half a pico: to even.
        assert_eq!(Rate::from_pico(1).charge(1800, 3600), Money::from_pico(0));
        assert_eq!(Rate::from_pico(3).charge(1800, 3600), Money::from_pico(2));
        assert_eq!(Rate::from_pico(-1).charge(1800, 3600), Money::from_pico(0));
        assert_eq!(Rate::from_pico(-3).charge(1800, 3600), Money::from_pico(-2));
        let rate: Rate = "0.192".parse().expect("rate");
        assert_eq!(rate.charge(1, 3600), Money::from_pico(53_333_333));
    }

    #[test]
    fn splits_add_up() {
        let total = money("10.000000000001");
        let parts = split_exact(total, &[1, 1, 1]);
        assert_eq!(parts.iter().copied().sum::<Money>(), total);
        assert_eq!(parts[0], money("3.333333333334"));
        assert_eq!(split_exact(total, &[0, 0]), vec![Money::ZERO, total]);
        let huge = split_exact(total, &[i128::MAX / 4, i128::MAX / 4, 1]);
        assert_eq!(huge.iter().copied().sum::<Money>(), total);
    }

    #[test]
    fn people_read_separators() {
        assert_eq!(money("1234567.891").human(2), "1,234,567.89");
        assert_eq!(money("-0.005").human(2), "0.00");
        assert_eq!(money("-1234.5").human(0), "-1,234");
    }
}
