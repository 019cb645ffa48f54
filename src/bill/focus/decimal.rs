//! Exact decimals as text.

use std::fmt;

use crate::units::{Money, Rate};

/// Decimals of money.
const MONEY_PLACES: u32 = 12;
/// Decimals of quantities: at a price of 1,000 USD the last one is worth half
/// a pico-USD at most.
const QUANTITY_PLACES: u32 = 15;

/// `unscaled / 10^places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    unscaled: i128,
    places: u32,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal { unscaled: 0, places: 0 };

    pub(super) const fn money(amount: Money) -> Decimal {
        Decimal { unscaled: amount.pico(), places: MONEY_PLACES }
    }

    pub(super) const fn rate(rate: Rate) -> Decimal {
        Decimal { unscaled: rate.pico(), places: MONEY_PLACES }
    }

    /// `numerator / denominator` (not 0) to 15 decimals, the last one rounded
    /// to nearest.
    pub(super) fn ratio(numerator: i128, denominator: i128) -> Decimal {
        const SCALE: i128 = 10i128.pow(QUANTITY_PLACES);
        let (whole, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
        let part = (rest * SCALE + denominator / 2).div_euclid(denominator);
        Decimal { unscaled: whole * SCALE + part, places: QUANTITY_PLACES }
    }

    /// As a float, for tables that have no decimals.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn to_f64(self) -> f64 {
        // Division of two integers that a float holds exactly, wherever that
        // is possible: correctly rounded.
        self.unscaled as f64 / 10f64.powi(self.places.cast_signed())
    }

    /// Appends its digits, without trailing zeros.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        if self.unscaled < 0 {
            out.push(b'-');
        }
        let magnitude = self.unscaled.unsigned_abs();
        let scale = 10u128.pow(self.places);
        let (whole, mut part) = (magnitude / scale, magnitude % scale);
        digits(whole, 1, out);
        if part == 0 {
            return;
        }
        let mut places = self.places as usize;
        while part % 10 == 0 {
            (part, places) = (part / 10, places - 1);
        }
        out.push(b'.');
        digits(part, places, out);
    }
}

/// Appends a number with at least so many digits.
fn digits(mut value: u128, width: usize, out: &mut Vec<u8>) {
    let mut buffer = [b'0'; 40];
    let mut at = buffer.len();
    while value > 0 {
        at -= 1;
        // One digit.
        buffer[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&buffer[at.min(buffer.len() - width)..]);
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_short() {
        let money = |pico| Decimal::money(Money::from_pico(pico)).to_string();
        assert_eq!(money(0), "0");
        assert_eq!(money(1), "0.000000000001");
        assert_eq!(money(-96_000_000_000), "-0.096");
        assert_eq!(money(12_000_000_000_000), "12");
        assert_eq!(money(100_500_000_000_000), "100.5");
        assert_eq!(Decimal::ratio(1, 3).to_string(), "0.333333333333333");
        assert_eq!(Decimal::ratio(2, 3).to_string(), "0.666666666666667");
        assert_eq!(Decimal::ratio(-1, 2).to_string(), "-0.5");
        assert_eq!(Decimal::ratio(3_600_000, 3_600_000).to_string(), "1");
        assert!((Decimal::ratio(1, 4).to_f64() - 0.25).abs() < f64::EPSILON);
    }
}
