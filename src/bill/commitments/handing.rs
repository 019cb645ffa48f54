//! An amount handed out to lines one after another, with cumulative rounding.
//!
//! A line with weight `w` gets `round(total × (run + w) ÷ sum)` less what the
//! lines before it got, half-even. Most lines of an hour weigh the same (whole
//! hours of one price), give or take the one that rounding moved: for them the
//! quotient moves on by a known step, and its remainder with it, which takes
//! additions where a division would.

use crate::units::{Money, Portions};

/// Totals and sums up to here keep every step inside 64 bits.
const NARROW: i128 = 1 << 62;

/// An amount, and what of it was handed out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handing {
    total: i128,
    sum: i128,
    /// Weight of the lines so far.
    run: i128,
    /// Handed out so far.
    done: i128,
    steps: Option<Steps>,
}

/// Where `total × run ÷ sum` stands, and by how much a line moves it.
#[derive(Debug, Clone, Copy)]
struct Steps {
    at: Quotient,
    /// The weight that the usual line has, and its step.
    usual: (u64, Quotient),
    /// The step of a weight of one.
    one: Quotient,
}

/// `whole + rest ÷ sum`, the rest below the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quotient {
    whole: u64,
    rest: u64,
}

impl Quotient {
    fn of(total: u64, weight: u64, sum: u64) -> Self {
        let product = u128::from(total) * u128::from(weight);
        // Weights are at most the sum, so the quotient is at most the total.
        let (whole, rest) = (product / u128::from(sum), product % u128::from(sum));
        Quotient { whole: whole as u64, rest: rest as u64 }
    }

    fn plus(self, step: Quotient, sum: u64) -> Self {
        let rest = self.rest + step.rest;
        let carry = u64::from(rest >= sum);
        Quotient { whole: self.whole + step.whole + carry, rest: rest - carry * sum }
    }

    fn minus(self, step: Quotient, sum: u64) -> Self {
        let borrow = u64::from(self.rest < step.rest);
        Quotient {
            whole: self.whole - step.whole - borrow,
            rest: self.rest + borrow * sum - step.rest,
        }
    }

    fn rounded(self, sum: u64) -> u64 {
        let up = 2 * self.rest > sum || (2 * self.rest == sum && self.whole & 1 == 1);
        self.whole + u64::from(up)
    }
}

impl Handing {
    /// An amount to hand out to lines whose weights add up to `sum`.
    pub(super) fn new(total: i128, sum: i128) -> Self {
        let narrow = (0..NARROW).contains(&total) && (1..NARROW).contains(&sum);
        let zero = Quotient { whole: 0, rest: 0 };
        let steps = narrow.then(|| Steps {
            at: zero,
            usual: (0, zero),
            one: Quotient::of(total as u64, 1, sum as u64),
        });
        Handing { total, sum, run: 0, done: 0, steps }
    }

    /// The whole amount.
    pub(super) fn total(&self) -> i128 {
        self.total
    }

    /// What of it was handed out.
    pub(super) fn done(&self) -> i128 {
        self.done
    }

    /// What the next line gets. All of it is out once the weights reach the
    /// sum; with a total of at most the sum a line gets at most its weight.
    pub(super) fn next(&mut self, weight: i128) -> i128 {
        self.run += weight;
        let upto = match &mut self.steps {
            _ if self.run >= self.sum => self.total,
            Some(steps) if weight >= 0 => {
                let (total, sum, weight) = (self.total as u64, self.sum as u64, weight as u64);
                steps.at = steps.moved(total, weight, sum);
                i128::from(steps.at.rounded(sum))
            }
            other => {
                // A credit among the lines: divide from here on.
                *other = None;
                Portions::new(Money::from_pico(self.total), self.sum).upto(self.run)
            }
        };
        let part = upto - self.done;
        self.done = upto;
        part
    }
}

impl Steps {
    fn moved(&mut self, total: u64, weight: u64, sum: u64) -> Quotient {
        let (usual, step) = self.usual;
        if weight == usual {
            self.at.plus(step, sum)
        } else if weight == usual + 1 {
            self.at.plus(step, sum).plus(self.one, sum)
        } else if weight + 1 == usual {
            self.at.plus(step, sum).minus(self.one, sum)
        } else {
            self.usual = (weight, Quotient::of(total, weight, sum));
            self.at.plus(self.usual.1, sum)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_is_handed_out_by_hand() {
        // 10 to four lines of weight 1: 2.5, 5, 7.5, 10, halves to even.
        let mut handing = Handing::new(10, 4);
        assert_eq!([1, 1, 1, 1].map(|w| handing.next(w)), [2, 3, 3, 2]);
        // Nothing weighs anything: the first line takes what there is.
        assert_eq!(Handing::new(3, 0).next(0), 3);
    }

    proptest! {
        #[test]
        fn steps_are_divisions(
            usual in 0i128..1 << 40,
            moves in prop::collection::vec(-2i128..8, 1..60),
            odd in prop::collection::vec(0i128..1 << 41, 3),
            total in prop_oneof![0i128..1 << 20, 0i128..1 << 60, 0i128..1 << 70],
            rest in 0i128..3,
        ) {
            let weights: Vec<i128> = moves
                .iter()
                .map(|m| odd.get((m - 3) as usize).copied().unwrap_or((usual + m).max(0)))
                .collect();
            let sum = weights.iter().sum::<i128>() + rest;
            let mut handing = Handing::new(total, sum);
            let portions = Portions::new(Money::from_pico(total), sum);
            let (mut run, mut done) = (0, 0);
            for weight in weights {
                run += weight;
                let upto = portions.upto(run);
                prop_assert_eq!(handing.next(weight), upto - done);
                done = upto;
            }
            prop_assert!(rest > 0 || done == total);
        }
    }
}
