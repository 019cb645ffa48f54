//! Exact shares of an amount, many of one whole.

use super::money::{Money, div_half_even};

/// Below this an estimate in floating point is off by two at most.
const ESTIMATED: i128 = 1 << 50;
/// Below this products with an estimated amount stay inside 128 bits.
const WEIGHED: i128 = 1 << 62;

/// Shares `round(total × running ÷ sum)` of one amount, half-even, for running
/// sums of weights.
///
/// A share is found by an estimate in floating point and made exact by the
/// remainder, in integers: the result is that of a division, at a third of its
/// time. Amounts and sums beyond 2⁵⁰ and 2⁶² are divided.
#[derive(Debug, Clone, Copy)]
pub struct Portions {
    total: i128,
    sum: i128,
    /// Bits that weights give up so that products stay inside i128.
    shift: u32,
    /// `total ÷ sum`, where the estimate serves.
    ratio: Option<f64>,
}

impl Portions {
    /// Of an amount among weights of a sum.
    ///
    /// # Panics
    /// If the sum is negative.
    #[must_use]
    pub fn new(total: Money, sum: i128) -> Self {
        assert!(sum >= 0, "a weight must not be negative");
        let total = total.pico();
        if total.abs() < ESTIMATED && sum < WEIGHED {
            let ratio = (sum > 0).then(|| total as i64 as f64 / sum as i64 as f64);
            return Portions { total, sum, shift: 0, ratio };
        }
        // As many bits of the weights as the total leaves, 62 at most, which
        // is plenty.
        let room = total.unsigned_abs().leading_zeros().saturating_sub(2).clamp(1, 62);
        let shift = 128u32.saturating_sub(sum.leading_zeros()).saturating_sub(room);
        Portions { total, sum, shift, ratio: None }
    }

    /// The share of weights that sum up to `running`; all of it once they
    /// reach the sum.
    #[must_use]
    pub fn upto(&self, running: i128) -> i128 {
        if running >= self.sum {
            return self.total;
        }
        let Some(ratio) = self.ratio else {
            let sum = (self.sum >> self.shift).max(1);
            return div_half_even(self.total * (running >> self.shift).min(sum), sum);
        };
        // Below 2⁶²: narrow integers become floats in one instruction.
        let mut quotient = (running as i64 as f64 * ratio) as i64;
        let product = self.total * running;
        let mut rest = product - i128::from(quotient) * self.sum;
        while rest < 0 {
            (quotient, rest) = (quotient - 1, rest + self.sum);
        }
        while rest >= self.sum {
            (quotient, rest) = (quotient + 1, rest - self.sum);
        }
        let up = 2 * rest > self.sum || (2 * rest == self.sum && quotient & 1 == 1);
        i128::from(quotient) + i128::from(up)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_even_and_the_last_takes_the_rest() {
        let of = |total, sum, running| Portions::new(Money::from_pico(total), sum).upto(running);
        assert_eq!(of(5, 10, 1), 0);
        assert_eq!(of(5, 10, 3), 2);
        assert_eq!(of(5, 10, 5), 2);
        assert_eq!(of(-5, 10, 5), -2);
        assert_eq!(of(7, 10, 5), 4);
        assert_eq!(of(5, 10, 10), 5);
        assert_eq!(of(5, 0, 0), 5);
    }

    proptest! {
        #[test]
        fn a_share_is_the_quotient(
            total in -(1i128 << 52)..1i128 << 52,
            bits in 1u32..64,
            weights in (any::<u64>(), any::<u64>()),
        ) {
            let sum = i128::from(weights.0 >> (64 - bits)) + 1;
            let running = i128::from(weights.1) % sum;
            let share = Portions::new(Money::from_pico(total), sum).upto(running);
            prop_assert_eq!(share, div_half_even(total * running, sum));
        }
    }
}
