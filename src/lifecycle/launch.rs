//! Which offer an Auto Scaling group launches next.
//!
//! Zones are kept even, as EC2 Auto Scaling does before it looks at types;
//! the base of the group is On-Demand, what comes above it to a percentage
//! (EC2 Auto Scaling API, `InstancesDistribution`: `OnDemandBaseCapacity`,
//! `OnDemandPercentageAboveBaseCapacity`). A fraction of a node is rounded up
//! in favour of On-Demand, which the API leaves open: a choice. The share is
//! held by launches alone; nodes that run are not replaced to restore it.

use crate::cluster::{Offer, PoolSpec, Purchase, SpotAllocation};
use crate::units::Rate;

/// What a pool has, wanted or running.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Nodes per zone index.
    pub by_zone: Vec<u32>,
    /// On-Demand nodes.
    pub on_demand: u32,
    /// Spot nodes.
    pub spot: u32,
}

/// The offer to launch at the prices that are in force: an index into
/// `pool.offers`, or `None` where the pool offers nothing of the kind.
#[must_use]
pub fn choose_offer(
    pool: &PoolSpec,
    counts: &PoolCounts,
    mut price: impl FnMut(&Offer) -> Rate,
) -> Option<usize> {
    let nodes = counts.on_demand.saturating_add(counts.spot).saturating_add(1);
    let purchase = if counts.on_demand < on_demand_of(pool, nodes) {
        Purchase::OnDemand
    } else {
        Purchase::Spot
    };
    let zone = pool
        .offers
        .iter()
        .filter(|o| o.purchase == purchase)
        .map(|o| o.zone)
        .min_by_key(|z| (counts.by_zone.get(z.index()).copied().unwrap_or(0), *z))?;
    let candidates: Vec<Candidate> = pool
        .offers
        .iter()
        .enumerate()
        .filter(|(_, o)| o.purchase == purchase && o.zone == zone)
        .map(|(offer, o)| Candidate { offer, price: price(o), hazard: o.hazard_per_hour })
        .collect();
    match (purchase, pool.spot_allocation) {
        // On-Demand: `prioritized`, the order of the list.
        (Purchase::OnDemand, _) => candidates.first().map(|c| c.offer),
        (Purchase::Spot, SpotAllocation::LowestPrice) => cheapest(&candidates),
        (Purchase::Spot, SpotAllocation::CapacityOptimized) => least_reclaimed(&candidates, 1),
        (Purchase::Spot, SpotAllocation::PriceCapacityOptimized) => {
            least_reclaimed(&candidates, candidates.len().div_ceil(3))
        }
    }
}

/// How many of so many nodes are On-Demand.
fn on_demand_of(pool: &PoolSpec, nodes: u32) -> u32 {
    let base = nodes.min(pool.on_demand_base);
    let above = u64::from(nodes - base);
    let share = u64::from(pool.on_demand_percentage_above_base.min(100));
    // At most `above`, which is a u32.
    base + (above * share).div_ceil(100) as u32
}

/// An offer of the kind that is wanted.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Index into the pool's offers.
    offer: usize,
    price: Rate,
    hazard: f64,
}

fn cheapest(offers: &[Candidate]) -> Option<usize> {
    offers.iter().min_by_key(|c| (c.price, c.offer)).map(|c| c.offer)
}

/// The cheapest among the `keep` offers with the lowest reclaim hazard, and
/// any as good as the last of them. AWS publishes no depth of capacity; the
/// hazard stands in for it.
fn least_reclaimed(offers: &[Candidate], keep: usize) -> Option<usize> {
    let mut hazards: Vec<f64> = offers.iter().map(|c| c.hazard).collect();
    hazards.sort_by(f64::total_cmp);
    let limit = *hazards.get(keep.saturating_sub(1))?;
    let best: Vec<Candidate> = offers.iter().copied().filter(|c| c.hazard <= limit).collect();
    cheapest(&best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{PoolKind, ShapeId, ZoneId};
    use crate::rng::Distribution;

    /// At the prices of the offers.
    fn choose(pool: &PoolSpec, counts: &PoolCounts) -> Option<usize> {
        choose_offer(pool, counts, |offer| offer.hourly)
    }

    fn offer(shape: u32, zone: u32, purchase: Purchase, usd: i128, hazard: f64) -> Offer {
        Offer {
            shape: ShapeId(shape),
            zone: ZoneId(zone),
            purchase,
            hourly: Rate::from_pico(usd),
            hazard_per_hour: hazard,
            labels: vec![],
        }
    }

    fn pool(spot_allocation: SpotAllocation) -> PoolSpec {
        let mut offers = Vec::new();
        for zone in 0..2 {
            offers.push(offer(0, zone, Purchase::OnDemand, 10, 0.0));
            offers.push(offer(1, zone, Purchase::OnDemand, 8, 0.0));
            offers.push(offer(0, zone, Purchase::Spot, 4, 1e-4));
            offers.push(offer(1, zone, Purchase::Spot, 3, 4e-4));
            offers.push(offer(2, zone, Purchase::Spot, 5, 1e-4));
        }
        PoolSpec {
            name: "p".into(),
            kind: PoolKind::AutoScalingGroup { min: 0, max: 9, autoscaled: true },
            offers,
            on_demand_base: 1,
            on_demand_percentage_above_base: 0,
            spot_allocation,
            labels: vec![],
            taints: vec![],
            launch: Distribution::Constant(0.0),
            ready: Distribution::Constant(0.0),
        }
    }

    #[test]
    fn the_base_is_on_demand_in_list_order() {
        let counts = PoolCounts { by_zone: vec![1, 0], ..PoolCounts::default() };
        // Zone 1 has fewer; the first On-Demand offer there has index 5.
        assert_eq!(choose(&pool(SpotAllocation::LowestPrice), &counts), Some(5));
    }

    #[test]
    fn spot_follows_its_allocation_strategy() {
        let counts = PoolCounts { by_zone: vec![1, 1], on_demand: 1, spot: 1 };
        for (strategy, shape) in [
            (SpotAllocation::LowestPrice, 1),
            (SpotAllocation::CapacityOptimized, 0),
            (SpotAllocation::PriceCapacityOptimized, 0),
        ] {
            let pool = pool(strategy);
            let chosen = choose(&pool, &counts).expect("an offer");
            assert_eq!(pool.offers[chosen].shape, ShapeId(shape), "{strategy:?}");
            assert_eq!(pool.offers[chosen].zone, ZoneId(0));
        }
    }

    /// Shape 1 is cheaper by its offer and dearer at the moment.
    #[test]
    fn the_price_in_force_counts() {
        let counts = PoolCounts { by_zone: vec![1, 1], on_demand: 1, spot: 1 };
        let pool = pool(SpotAllocation::LowestPrice);
        let now = |o: &Offer| Rate::from_pico(if o.shape == ShapeId(1) { 9 } else { 4 });
        let chosen = choose_offer(&pool, &counts, now).expect("an offer");
        assert_eq!(pool.offers[chosen].shape, ShapeId(0));
    }

    /// As a group grows: which launches are On-Demand.
    #[test]
    fn the_percentage_above_the_base_is_held_launch_by_launch() {
        let launches = |base, percentage, nodes: u32| -> String {
            let mut pool = pool(SpotAllocation::LowestPrice);
            (pool.on_demand_base, pool.on_demand_percentage_above_base) = (base, percentage);
            let mut counts = PoolCounts { by_zone: vec![0, 0], ..PoolCounts::default() };
            let mut launched = String::new();
            for _ in 0..nodes {
                let offer = &pool.offers[choose(&pool, &counts).expect("an offer")];
                counts.by_zone[offer.zone.index()] += 1;
                match offer.purchase {
                    Purchase::OnDemand => counts.on_demand += 1,
                    Purchase::Spot => counts.spot += 1,
                }
                launched.push(if offer.purchase == Purchase::Spot { 's' } else { 'd' });
            }
            launched
        };
        // By hand, n nodes above the base hold ceil(n × percentage) On-Demand:
        // 25 %: 1 1 1 1 2 2 2 2 3; 50 %: 1 1 2 2 3 3; 70 %: 1 2 3 3 4 5 5 6 7 7.
        assert_eq!(launches(0, 25, 9), "dsssdsssd");
        assert_eq!(launches(2, 50, 8), "dddsdsds");
        assert_eq!(launches(0, 70, 10), "dddsddsdds");
        assert_eq!(launches(3, 0, 6), "dddsss");
        assert_eq!(launches(1, 100, 5), "ddddd");
        assert_eq!(launches(0, 0, 3), "sss");
        // A Spot node that was reclaimed is replaced by Spot, a node of the
        // base by On-Demand.
        let mut pool = pool(SpotAllocation::LowestPrice);
        (pool.on_demand_base, pool.on_demand_percentage_above_base) = (2, 50);
        let next = |on_demand, spot| {
            let counts = PoolCounts { by_zone: vec![0, 0], on_demand, spot };
            pool.offers[choose(&pool, &counts).expect("an offer")].purchase
        };
        assert_eq!(
            [next(4, 1), next(3, 2), next(1, 4)],
            [Purchase::Spot, Purchase::OnDemand, Purchase::OnDemand]
        );
    }

    #[test]
    fn nothing_of_the_kind_is_none() {
        let mut pool = pool(SpotAllocation::LowestPrice);
        pool.offers.retain(|o| o.purchase == Purchase::OnDemand);
        let counts = PoolCounts { by_zone: vec![1, 1], on_demand: 1, spot: 0 };
        assert_eq!(choose(&pool, &counts), None);
    }
}
