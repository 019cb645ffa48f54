//! Spot prices that move: what is specified, and the steps that come of it.
//!
//! A Spot pool is a (shape, zone). One without an entry here has a constant
//! price: that of its offers.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::spec::{ShapeId, ZoneId};
use crate::units::{Rate, SimDuration, SimTime};

/// A price over time: a step function of the time since the start of the run.
#[derive(Clone, PartialEq, Eq)]
pub struct PriceSteps {
    first: Rate,
    /// Ascending and after the start of the run; each differs from the one
    /// before.
    changes: Vec<(SimTime, Rate)>,
}

impl PriceSteps {
    /// `first` from the start of the run, then each price from its time on.
    /// Of changes at or before the start the last one counts; changes must
    /// come in order of time, and of equal times the last one counts.
    #[must_use]
    pub fn new(first: Rate, changes: impl IntoIterator<Item = (SimTime, Rate)>) -> Self {
        let mut steps = PriceSteps { first, changes: Vec::new() };
        for (at, price) in changes {
            steps.push(at, price);
        }
        steps
    }

    /// A further change, not before the last one.
    pub fn push(&mut self, at: SimTime, price: Rate) {
        if at <= SimTime::ZERO {
            self.first = price;
            return;
        }
        debug_assert!(self.changes.last().is_none_or(|(last, _)| *last <= at));
        if self.changes.last().is_some_and(|(last, _)| *last == at) {
            self.changes.pop();
        }
        if self.last() != price {
            self.changes.push((at, price));
        }
    }

    /// The price in force at a time; before the start of the run the first one.
    #[must_use]
    pub fn at(&self, time: SimTime) -> Rate {
        let after = self.changes.partition_point(|(at, _)| *at <= time);
        after.checked_sub(1).and_then(|i| self.changes.get(i)).map_or(self.first, |(_, p)| *p)
    }

    /// When the price next changes after a time; `NEVER` if it does not.
    #[must_use]
    pub fn next_change(&self, time: SimTime) -> SimTime {
        let after = self.changes.partition_point(|(at, _)| *at <= time);
        self.changes.get(after).map_or(SimTime::NEVER, |(at, _)| *at)
    }

    /// The price after all changes.
    #[must_use]
    pub fn last(&self) -> Rate {
        self.changes.last().map_or(self.first, |(_, price)| *price)
    }

    /// The first price, and every change.
    pub fn iter(&self) -> impl Iterator<Item = (SimTime, Rate)> {
        std::iter::once((SimTime::ZERO, self.first)).chain(self.changes.iter().copied())
    }
}

/// A history may have a hundred thousand steps, and `Debug` of what is
/// simulated is digested to tell simulations apart: a hash says as much.
impl fmt::Debug for PriceSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hasher = Sha256::new();
        for (at, price) in self.iter() {
            hasher.update(at.ms().to_le_bytes());
            hasher.update(price.pico().to_le_bytes());
        }
        let changes = self.changes.len();
        write!(f, "PriceSteps({} +{changes} {:x?})", self.first, hasher.finalize().as_slice())
    }
}

/// A mean-reverting process of the logarithm of a price, which changes at the
/// end of every interval. What the parameters mean in formulas: see
/// `lifecycle::SpotPrices`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriceProcess {
    /// Time between two changes.
    pub interval: SimDuration,
    /// Time in which a deviation from the level halves on average.
    pub half_life: SimDuration,
    /// Standard deviation of the logarithm over time.
    pub deviation: f64,
    /// Standard deviation of the logarithm between zones.
    pub zone_spread: f64,
}

/// How the price of a Spot pool moves.
#[derive(Debug, Clone, PartialEq)]
pub enum SpotPrice {
    /// As recorded.
    Steps(Arc<PriceSteps>),
    /// As drawn.
    Process {
        /// How it moves.
        process: PriceProcess,
        /// Mean over time and zones.
        level: Rate,
        /// It never exceeds this.
        cap: Option<Rate>,
    },
}

/// A Spot pool whose price moves.
#[derive(Debug, Clone, PartialEq)]
pub struct SpotPool {
    /// What.
    pub shape: ShapeId,
    /// Where.
    pub zone: ZoneId,
    /// At which price.
    pub price: SpotPrice,
}

/// The steps of every Spot pool whose price moved in a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpotSteps(Vec<(ShapeId, ZoneId, Arc<PriceSteps>)>);

impl SpotSteps {
    /// Of these pools.
    #[must_use]
    pub fn new(mut pools: Vec<(ShapeId, ZoneId, Arc<PriceSteps>)>) -> Self {
        pools.sort_by_key(|(shape, zone, _)| (*shape, *zone));
        SpotSteps(pools)
    }

    /// The price of a pool over time; `None` where it is constant.
    #[must_use]
    pub fn of(&self, shape: ShapeId, zone: ZoneId) -> Option<&PriceSteps> {
        let key = |(s, z, _): &(ShapeId, ZoneId, Arc<PriceSteps>)| (*s, *z);
        let at = self.0.binary_search_by_key(&(shape, zone), key).ok()?;
        self.0.get(at).map(|(_, _, steps)| &**steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    #[test]
    fn a_price_holds_until_the_next_one() {
        let h = |n: i64| SimTime(n * 3_600_000);
        let steps = PriceSteps::new(
            usd("0.05"),
            [
                (h(-5), usd("0.03")),
                (h(0), usd("0.04")),
                (h(2), usd("0.04")),
                (h(3), usd("0.07")),
                (h(3), usd("0.06")),
                (h(9), usd("0.04")),
            ],
        );
        let at = |ms| steps.at(SimTime(ms)).to_string();
        assert_eq!(at(-1), "0.04");
        assert_eq!(at(0), "0.04");
        assert_eq!(at(3 * 3_600_000 - 1), "0.04");
        assert_eq!(at(3 * 3_600_000), "0.06");
        assert_eq!(at(9 * 3_600_000), "0.04");
        assert_eq!(at(i64::MAX), "0.04");
        // What changes nothing is no step.
        assert_eq!(steps.iter().count(), 3);
        assert_eq!(steps.last(), usd("0.04"));
    }

    #[test]
    fn debug_tells_series_apart_in_few_words() {
        let series = |usd_text: &str| {
            PriceSteps::new(usd("1"), (1..5_000).map(|h| (SimTime(h), usd(usd_text))))
        };
        let (a, b) = (format!("{:?}", series("2")), format!("{:?}", series("2.0001")));
        assert_ne!(a, b);
        assert_eq!(a, format!("{:?}", series("2")));
        assert!(a.len() < 250, "{a}");
    }

    #[test]
    fn pools_are_found_in_any_order() {
        let of = |price: &str| Arc::new(PriceSteps::new(usd(price), []));
        let steps = SpotSteps::new(vec![
            (ShapeId(1), ZoneId(0), of("3")),
            (ShapeId(0), ZoneId(2), of("2")),
            (ShapeId(0), ZoneId(1), of("1")),
        ]);
        let at = |s, z| steps.of(ShapeId(s), ZoneId(z)).map(|p| p.last().to_string());
        assert_eq!(at(0, 2).as_deref(), Some("2"));
        assert_eq!(at(1, 0).as_deref(), Some("3"));
        assert_eq!(at(1, 1), None);
    }
}
