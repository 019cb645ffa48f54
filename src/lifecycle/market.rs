//! What Spot capacity costs at a moment.
//!
//! The drawn price of a (shape, zone) is P = level · w · e^(x − s²/2) with
//!
//! * x an Ornstein–Uhlenbeck process around 0: normal with standard deviation
//!   s (`deviation`) at any time. Over an interval Δ it is exactly
//!   x' = ρ·x + s·√(1 − ρ²)·ε with ρ = 2^(−Δ / half-life) and ε standard
//!   normal, so that the interval decides how often the price changes and not
//!   how far it strays. e^(−s²/2) makes `level` the mean over time;
//! * w the weight of the zone: e^(c·ν³) with ν standard normal and c such that
//!   its logarithm has the standard deviation `zone-spread`, divided by the
//!   mean over the zones a to f of the Region, so that `level` is the mean over
//!   zones too. The cube of a normal has the tails that the prices of one type
//!   in different zones have: most zones agree, a few are far off.
//!
//! Prices are rounded to 0.0001 USD, the step of AWS's own, and cut at the cap,
//! which takes the mean below a level near it.
//! Draws are keyed by the names of shape and zone and the number of the
//! interval: every case sees the same prices, whatever else it buys.

use std::sync::Arc;

use crate::cluster::{
    ClusterSpec, PriceProcess, PriceSteps, ShapeId, SpotPool, SpotPrice, SpotSteps, ZoneId,
};
use crate::rng::{Draws, exp, pow};
use crate::units::{Rate, SimTime};

/// Pico-USD in the smallest step of a price: 0.0001 USD.
const TICK_PICO: i128 = 100_000_000;
/// Letters of the zones whose weights average to 1.
const ZONES: &str = "abcdef";
/// √15, the standard deviation of the cube of a standard normal.
const CUBE_DEVIATION: f64 = 3.872_983_346_207_417;

/// Spot prices of one run, as far as they have been asked for.
#[derive(Debug, Clone)]
pub struct SpotPrices<'a> {
    /// Sorted by shape and zone.
    pools: Vec<Pool<'a>>,
}

#[derive(Debug, Clone)]
struct Pool<'a> {
    shape: ShapeId,
    zone: ZoneId,
    price: Path<'a>,
}

#[derive(Debug, Clone)]
enum Path<'a> {
    Recorded(&'a Arc<PriceSteps>),
    Drawn(Walk),
}

impl<'a> SpotPrices<'a> {
    /// Of the Spot pools of a cluster whose prices move.
    #[must_use]
    pub fn new(seed: u64, cluster: &'a ClusterSpec) -> Self {
        let name = |pool: &SpotPool| {
            let shape = cluster.shapes.get(pool.shape.index()).map_or("", |s| s.name.as_str());
            let zone = cluster.zones.get(pool.zone.index()).map_or("", String::as_str);
            (shape, zone)
        };
        let mut pools: Vec<Pool<'a>> = cluster
            .spot_pools
            .iter()
            .map(|pool| Pool {
                shape: pool.shape,
                zone: pool.zone,
                price: match &pool.price {
                    SpotPrice::Steps(steps) => Path::Recorded(steps),
                    SpotPrice::Process { process, level, cap } => {
                        Path::Drawn(Walk::new(seed, name(pool), *process, *level, *cap))
                    }
                },
            })
            .collect();
        pools.sort_by_key(|p| (p.shape, p.zone));
        SpotPrices { pools }
    }

    /// The price in force now; `None` where it is constant.
    pub fn at(&mut self, shape: ShapeId, zone: ZoneId, now: SimTime) -> Option<Rate> {
        let at = self.pools.binary_search_by_key(&(shape, zone), |p| (p.shape, p.zone)).ok()?;
        Some(match &mut self.pools.get_mut(at)?.price {
            Path::Recorded(steps) => steps.at(now),
            Path::Drawn(walk) => {
                walk.reach(now);
                walk.steps.at(now)
            }
        })
    }

    /// Every price until the end of the run.
    #[must_use]
    pub fn until(self, end: SimTime) -> SpotSteps {
        let steps = self.pools.into_iter().map(|pool| {
            let steps = match pool.price {
                Path::Recorded(steps) => Arc::clone(steps),
                Path::Drawn(mut walk) => {
                    walk.reach(end);
                    Arc::new(walk.steps)
                }
            };
            (pool.shape, pool.zone, steps)
        });
        SpotSteps::new(steps.collect())
    }
}

/// A drawn price and where it stands.
#[derive(Debug, Clone)]
struct Walk {
    seed: u64,
    purpose: String,
    process: PriceProcess,
    /// USD, with the weight of the zone.
    level: f64,
    cap: Option<Rate>,
    /// Share of a deviation that an interval leaves.
    kept: f64,
    x: f64,
    /// Intervals drawn so far.
    intervals: i64,
    steps: PriceSteps,
}

impl Walk {
    fn new(
        seed: u64,
        (shape, zone): (&str, &str),
        process: PriceProcess,
        level: Rate,
        cap: Option<Rate>,
    ) -> Self {
        let kept = pow(2.0, -(process.interval.ms() as f64) / process.half_life.ms() as f64);
        let purpose = format!("spot-price {shape} {zone}");
        let x = process.deviation * Draws::new(seed, &purpose, 0).normal();
        let level = level.to_f64() * zone_weight(seed, shape, zone, process.zone_spread);
        let mut walk = Walk {
            seed,
            purpose,
            process,
            level,
            cap,
            kept,
            x,
            intervals: 0,
            steps: PriceSteps::new(Rate::ZERO, []),
        };
        walk.steps = PriceSteps::new(walk.price(), []);
        walk
    }

    fn price(&self) -> Rate {
        let s = self.process.deviation;
        let usd = self.level * exp(self.x - s * s / 2.0);
        // `as` saturates; a price far beyond any real one is cut below.
        let ticks = ((usd * 1e4).round() as i64).clamp(1, 1_000_000_000);
        let price = Rate::from_pico(i128::from(ticks) * TICK_PICO);
        self.cap.map_or(price, |cap| price.min(cap))
    }

    /// Draws the intervals that began until `now`.
    fn reach(&mut self, now: SimTime) {
        let interval = self.process.interval.ms().max(1);
        let step = self.process.deviation * (1.0 - self.kept * self.kept).sqrt();
        while self.intervals < now.ms() / interval {
            self.intervals += 1;
            let mut draws = Draws::new(self.seed, &self.purpose, self.intervals as u64);
            self.x = self.kept * self.x + step * draws.normal();
            let price = self.price();
            self.steps.push(SimTime(self.intervals * interval), price);
        }
    }
}

/// The weight of a zone, against the mean of the zones of its Region.
fn zone_weight(seed: u64, shape: &str, zone: &str, spread: f64) -> f64 {
    if spread <= 0.0 {
        return 1.0;
    }
    let weight = |zone: &str| {
        let normal = Draws::new(seed, &format!("spot-zone {shape} {zone}"), 0).normal();
        exp(spread / CUBE_DEVIATION * normal * normal * normal)
    };
    let region = zone.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(zone);
    let mean = ZONES.chars().map(|letter| weight(&format!("{region}{letter}"))).sum::<f64>()
        / ZONES.len() as f64;
    weight(zone) / mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Capacity, NodeShape};
    use crate::units::{DAY_MS, SimDuration};

    const PROCESS: PriceProcess = PriceProcess {
        interval: SimDuration(DAY_MS),
        half_life: SimDuration(7 * DAY_MS),
        deviation: 0.07,
        zone_spread: 0.17,
    };

    fn usd(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    fn cluster(
        shapes: &[&str],
        process: PriceProcess,
        level: &str,
        cap: Option<&str>,
    ) -> ClusterSpec {
        let shape = |name: &&str| NodeShape {
            name: (*name).to_owned(),
            capacity: Capacity::default(),
            allocatable: Capacity::default(),
            nominal_memory: crate::units::Bytes(0),
        };
        let pool = |shape: usize, zone: usize| SpotPool {
            shape: ShapeId(shape as u32),
            zone: ZoneId(zone as u32),
            price: SpotPrice::Process { process, level: usd(level), cap: cap.map(usd) },
        };
        ClusterSpec {
            shapes: shapes.iter().map(shape).collect(),
            zones: ZONES.chars().map(|z| format!("us-east-1{z}")).collect(),
            spot_pools: (0..shapes.len())
                .flat_map(|s| (0..ZONES.len()).map(move |z| pool(s, z)))
                .collect(),
            ..ClusterSpec::default()
        }
    }

    #[test]
    fn the_level_is_the_mean_over_time_and_zones() {
        let cluster = cluster(&["m5.large"], PROCESS, "1.5", None);
        let (mut sum, mut n) = (0.0, 0.0);
        for seed in 0..200 {
            let mut prices = SpotPrices::new(seed, &cluster);
            for zone in 0..6 {
                for day in 0..60 {
                    let now = SimTime(day * DAY_MS);
                    sum += prices.at(ShapeId(0), ZoneId(zone), now).expect("moves").to_f64();
                    n += 1.0;
                }
            }
        }
        let mean: f64 = sum / n;
        assert!((mean / 1.5 - 1.0).abs() < 0.01, "{mean}");
    }

    /// Standard deviation over time, and the correlation of a day and the
    /// next, of the logarithm: s and 2^(−1/7).
    #[test]
    fn it_strays_and_returns_as_stated() {
        let process = PriceProcess { zone_spread: 0.0, ..PROCESS };
        let cluster = cluster(&["m5.large"], process, "100", None);
        let steps = SpotPrices::new(3, &cluster).until(SimTime(20_000 * DAY_MS));
        let steps = steps.of(ShapeId(0), ZoneId(0)).expect("moves");
        let x: Vec<f64> = (0..20_000)
            .map(|day| crate::rng::ln(steps.at(SimTime(day * DAY_MS)).to_f64() / 100.0))
            .collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64;
        let lagged =
            x.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum::<f64>() / (x.len() - 1) as f64;
        assert!((variance.sqrt() / 0.07 - 1.0).abs() < 0.04, "{}", variance.sqrt());
        assert!((lagged / variance - 0.9057).abs() < 0.01, "{}", lagged / variance);
        assert!((mean + 0.07 * 0.07 / 2.0).abs() < 0.005, "{mean}");
    }

    /// Against the sample of 2022-05-31 (see `plan::defaults`): the ratio of
    /// the dearest to the cheapest zone of a type has the median 1.03 and the
    /// 90th percentile 1.56.
    #[test]
    fn most_zones_agree_and_a_few_are_far_off() {
        let names: Vec<String> = (0..500).map(|i| format!("t{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let process = PriceProcess { deviation: 0.0, ..PROCESS };
        let cluster = cluster(&names, process, "100", None);
        let mut prices = SpotPrices::new(1, &cluster);
        let mut ratios: Vec<f64> = (0..500)
            .map(|shape| {
                let of = |p: &mut SpotPrices<'_>, z| {
                    p.at(ShapeId(shape), ZoneId(z), SimTime::ZERO).expect("moves").to_f64()
                };
                let zones: Vec<f64> = (0..3).map(|z| of(&mut prices, z)).collect();
                zones.iter().copied().fold(0.0, f64::max)
                    / zones.iter().copied().fold(f64::INFINITY, f64::min)
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        assert!((1.03..1.15).contains(&ratios[250]), "{}", ratios[250]);
        assert!((1.40..1.75).contains(&ratios[450]), "{}", ratios[450]);
    }

    #[test]
    fn prices_are_the_same_however_they_are_asked_for() {
        let one = cluster(&["m5.large"], PROCESS, "0.05", None);
        let two = cluster(&["c5.large", "m5.large"], PROCESS, "0.05", None);
        let steps = SpotPrices::new(9, &one).until(SimTime(90 * DAY_MS));
        let mut prices = SpotPrices::new(9, &two);
        let asked = [80, 3, 3, 77, 0].map(|day| {
            let now = SimTime(day * DAY_MS + 5);
            let price = prices.at(ShapeId(1), ZoneId(2), now);
            assert_eq!(price, steps.of(ShapeId(0), ZoneId(2)).map(|s| s.at(now)));
            price
        });
        assert!(asked.iter().any(|p| *p != asked[0]));
        // Another seed, another price; every price a multiple of 0.0001.
        let other = SpotPrices::new(10, &one).until(SimTime(90 * DAY_MS));
        assert_ne!(other, steps);
        let all = steps.of(ShapeId(0), ZoneId(2)).expect("moves");
        assert!(all.iter().all(|(_, p)| p.pico() % TICK_PICO == 0 && p > Rate::ZERO));
    }

    #[test]
    fn a_cap_cuts() {
        let process = PriceProcess { deviation: 0.5, ..PROCESS };
        let cluster = cluster(&["m5.large"], process, "0.09", Some("0.096"));
        let steps = SpotPrices::new(1, &cluster).until(SimTime(365 * DAY_MS));
        let steps = steps.of(ShapeId(0), ZoneId(0)).expect("moves");
        let most = steps.iter().map(|(_, p)| p).max();
        assert_eq!(most, Some(usd("0.096")));
    }
}
