//! When Spot capacity is reclaimed.
//!
//! The hazard of an offer (reclaims per running hour) has two parts. One is
//! the node's own: exponential. The other is shared: shocks hit a (shape,
//! zone) and take each node there with probability one half, because reclaims
//! come in groups. Both parts together give the offer's hazard exactly.
//!
//! AWS publishes no depth and no correlation of Spot capacity, so the shared
//! part is a named setting (`spot.shock-share`), not a fact. Shocks are keyed by
//! the names of shape and zone and the hour: every case sees the same ones.

use rustc_hash::FxHashMap;

use crate::rng::{Draws, exp};
use crate::units::{HOUR_MS, SimDuration, SimTime};

/// Probability that a shock takes a given node of its (shape, zone).
const HIT: f64 = 0.5;

/// Shocks are looked for this far ahead of a node's start; a node that lives
/// longer meets only its own hazard after that.
const LOOK_AHEAD_HOURS: i64 = 366 * 24;

/// How Spot interruptions behave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpotSpec {
    /// Share of the hazard that comes from shared shocks, 0 to 1.
    pub shock_share: f64,
    /// Warning before a node is lost.
    pub notice: SimDuration,
}

/// Draws reclaim times; remembers the shocks of each (shape, zone).
#[derive(Debug, Clone)]
pub struct Reclaims {
    seed: u64,
    shock_share: f64,
    /// By market name and the bits of the shared hazard.
    shocks: FxHashMap<(String, u64), Shocks>,
}

/// A node as its reclaim is keyed: names and ordinals that every case shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpotNode<'a> {
    /// Shape name.
    pub shape: &'a str,
    /// Zone name.
    pub zone: &'a str,
    /// Pool name.
    pub pool: &'a str,
    /// Launch number within the pool.
    pub ordinal: u64,
}

#[derive(Debug, Clone, Default)]
struct Shocks {
    /// Times of the shocks found so far, ascending.
    at: Vec<SimTime>,
    /// Hours searched so far.
    hours: i64,
}

impl Reclaims {
    /// For one run.
    #[must_use]
    pub fn new(seed: u64, shock_share: f64) -> Self {
        Reclaims { seed, shock_share, shocks: FxHashMap::default() }
    }

    /// When a node that starts running now is taken back; `NEVER` without
    /// hazard.
    pub fn draw(&mut self, node: &SpotNode<'_>, hazard_per_hour: f64, now: SimTime) -> SimTime {
        if hazard_per_hour <= 0.0 {
            return SimTime::NEVER;
        }
        let own = hazard_per_hour * (1.0 - self.shock_share);
        let own_at = if own > 0.0 {
            let mut draws = Draws::new(self.seed, &format!("spot-own {}", node.pool), node.ordinal);
            now + SimDuration(draws.exponential(HOUR_MS as f64 / own) as i64)
        } else {
            SimTime::NEVER
        };
        let shared = hazard_per_hour * self.shock_share;
        if shared <= 0.0 {
            return own_at;
        }
        let limit = own_at.min(now + SimDuration(LOOK_AHEAD_HOURS * HOUR_MS));
        let market = format!("spot-shock {} {}", node.shape, node.zone);
        let shocks = self.shocks.entry((market.clone(), shared.to_bits())).or_default();
        shocks.search(self.seed, &market, shared / HIT, limit);
        let from = shocks.at.partition_point(|t| *t <= now);
        let mut hits = Draws::new(self.seed, &format!("spot-hit {}", node.pool), node.ordinal);
        shocks.at[from..]
            .iter()
            .copied()
            .take_while(|t| *t < limit)
            .find(|_| hits.unit() < HIT)
            .unwrap_or(own_at)
    }
}

impl Shocks {
    /// Finds the shocks up to `limit`: at most one an hour, which for hazards
    /// far below one an hour is a Poisson process.
    fn search(&mut self, seed: u64, market: &str, per_hour: f64, limit: SimTime) {
        let probability = 1.0 - exp(-per_hour);
        while self.hours * HOUR_MS < limit.ms() {
            let mut draws = Draws::new(seed, market, self.hours as u64);
            if draws.unit() < probability {
                let within = draws.below(HOUR_MS as u64) as i64;
                self.at.push(SimTime(self.hours * HOUR_MS + within));
            }
            self.hours += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(shape: &'static str, pool: &'static str, ordinal: u64) -> SpotNode<'static> {
        SpotNode { shape, zone: "a", pool, ordinal }
    }

    fn mean_hours(shock_share: f64, hazard: f64) -> f64 {
        let mut sum = 0.0;
        let n = 4_000u32;
        for i in 0..n {
            // Another seed each time, or shared shocks would correlate.
            let mut r = Reclaims::new(u64::from(i), shock_share);
            let at = r.draw(&node("s", "p", 0), hazard, SimTime(0));
            sum += at.ms() as f64 / HOUR_MS as f64;
        }
        sum / f64::from(n)
    }

    #[test]
    fn the_two_parts_give_the_stated_hazard() {
        for share in [0.0, 0.5, 1.0] {
            let mean = mean_hours(share, 0.01);
            assert!((mean / 100.0 - 1.0).abs() < 0.06, "share {share}: mean {mean} h");
        }
    }

    #[test]
    fn shocks_take_nodes_together_and_in_every_case_alike() {
        let mut r = Reclaims::new(1, 1.0);
        let at: Vec<SimTime> =
            (0..50).map(|i| r.draw(&node("s", "p", i), 0.01, SimTime(0))).collect();
        let mut distinct = at.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert!(distinct.len() < 20, "{} distinct times", distinct.len());
        let mut other = Reclaims::new(1, 1.0);
        other.draw(&node("t", "q", 0), 0.02, SimTime(0));
        assert_eq!(other.draw(&node("s", "p", 7), 0.01, SimTime(0)), at[7]);
    }

    #[test]
    fn no_hazard_is_never() {
        let mut r = Reclaims::new(1, 0.5);
        assert_eq!(r.draw(&node("s", "p", 0), 0.0, SimTime(5)), SimTime::NEVER);
    }
}
