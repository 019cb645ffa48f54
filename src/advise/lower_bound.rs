//! A lower bound on what compute can cost: no placement of the same pods on
//! the same offers is cheaper.
//!
//! # Claim
//!
//! Take one run. Each pod holds its requests (cpu, memory, one pod slot,
//! extended resources) from its binding to its end. Let any other placement
//! hold the same pods at the same times on machines that the pools which may
//! hold them launch: their instance types, bought On-Demand or Spot as the
//! pools offer them, or their Fargate sizes. At list prices, or contracted ones
//! where a discount was negotiated, before commitments it pays at least
//! [`LowerBound::bound`] for instances and Fargate pods in the billed window, and
//! so did the run.
//!
//! # Proof
//!
//! At an instant `t` let `D(t)` be the sum of the requests held. The machines
//! paid for at `t` hold them: on each the requests add up to at most what it
//! offers pods (allocatable; a Fargate size less what Kubernetes and sidecars
//! take of it holds one pod). Let `w ≥ 0` be any prices of the resources with
//! `w · capacity ≤ price` for every machine that can be bought. Then the
//! machines cost `Σ price ≥ Σ w · capacity ≥ w · D(t)` an hour. With `w`
//! constant over a clock hour the cost of the hour is at least `w · ∫D`, and
//! hours add up. Where pools share no pods (node selectors, taints, required
//! node affinity, Fargate profiles, capacity providers keep them apart), each
//! such set of pools is a cluster of its own, and their bounds add up: no
//! machine serves two of them. The best `w` is the dual of packing in fractions
//! (`f(D) = max w · D`), so that the bound is what a placement would cost that
//! could buy parts of machines for the average demand of each hour; as `f` is
//! convex and positively homogeneous, `f(∫D) ≤ ∫f(D)` (Jensen): averaging
//! within the hour only lowers it. ∎
//!
//! # What makes it lower than any real placement
//!
//! All of it errs to the low side: pods are cut into pieces, machines bought
//! in parts and only while they are needed, without boot, drain, minimums or
//! root volumes; all other constraints, zones, sizes of pools, their On-Demand
//! share and `DaemonSet`s are ignored; within a set of pools any pod may go to
//! any machine; Spot is taken
//! at the lowest price in force in any zone during the hour or the one before. Every rounding
//! goes down. Credits for reclaimed Spot instances are luck and are left out
//! of the cost that it is compared with.

mod dual;

use std::borrow::Cow;

use dual::{Bin, FRACTION, undominated, weights};

use crate::bill::{Bill, BillingPlan};
use crate::cluster::{ClusterSpec, FargateSpec, PriceSteps, Purchase, SpotSteps};
use crate::observe::{HeldHours, Record};
use crate::sweep::LowerBound;
use crate::units::{HOUR_MS, Money, Rate, SimTime};

/// Cpu, memory, pods: the resources before the extended ones.
const COMMON: usize = 3;

impl LowerBound {
    /// Of one run, with its bill.
    #[must_use]
    pub fn of(
        record: &Record,
        bill: &Bill,
        cluster: &ClusterSpec,
        plan: &BillingPlan,
    ) -> LowerBound {
        let mut bound: i128 = 0;
        for held in &record.held {
            let offers = Offers::of(cluster, plan, &record.spot_prices, held);
            for (hour, demand) in held.hours() {
                if demand.iter().any(|d| *d > 0) {
                    let from = SimTime(hour * HOUR_MS - record.start_unix_ms);
                    bound += worth(&weights(&offers.within(from), demand), demand);
                }
            }
        }
        // The bill rounds each line, half a pico-USD down at most.
        let rounding = (lines_at_most(record) / 2 + 1).min(bound);
        LowerBound { compute: bill.compute_list, bound: Money::from_pico(bound - rounding) }
    }
}

/// What an hour's demand (unit × ms) is worth, rounded down.
fn worth(weights: &[i128], demand: &[u128]) -> i128 {
    let worth = weights.iter().zip(demand).map(|(w, d)| {
        // Beyond what i128 holds (a billion times any cluster) nothing is
        // claimed.
        let demand = i128::try_from(*d).unwrap_or(0);
        (w.checked_mul(demand).unwrap_or(0) / i128::from(HOUR_MS)) >> FRACTION
    });
    worth.sum()
}

/// More lines of compute than the bill can have: one or two resources, each
/// clock hour that is touched, two for rounding and minimum, and as many again
/// where an instance-hour changes the price; each price of the second.
fn lines_at_most(record: &Record) -> i128 {
    let hours = |from: i64, until: i64| i128::from((until - from).max(0) / HOUR_MS + 4);
    let end = record.end.ms();
    let nodes = record.nodes.iter().map(|n| {
        let steps = record.spot_prices.of(n.shape, n.zone).map_or(0, |s| s.iter().count());
        2 * hours(n.running.ms().min(end), n.shutting_down.ms().min(end)) + steps as i128
    });
    let pods = record.fargate.iter().map(|p| 2 * hours(p.pull.ms(), p.removed.ms().min(end)));
    nodes.chain(pods).sum()
}

/// Everything that the pools which may hold certain pods may launch.
struct Offers<'a> {
    /// At constant prices, none dominated by another.
    constant: Vec<Bin>,
    /// Spot at prices that move.
    moving: Vec<(Vec<i64>, &'a PriceSteps)>,
}

impl<'a> Offers<'a> {
    fn of(
        cluster: &ClusterSpec,
        plan: &BillingPlan,
        spot: &'a SpotSteps,
        held: &HeldHours,
    ) -> Offers<'a> {
        let has = |pool: usize| held.pools.binary_search(&(pool as u32)).is_ok();
        let (mut constant, mut moving) = (Vec::new(), Vec::new());
        for (i, pool) in cluster.pools.iter().enumerate() {
            if !has(i) || !pool.kind.can_have_nodes() {
                continue;
            }
            for offer in &pool.offers {
                let at = offer.shape.index();
                let (Some(shape), Some(prices)) = (cluster.shapes.get(at), plan.shapes.get(at))
                else {
                    continue;
                };
                let has = &shape.allocatable;
                let mut capacity = vec![has.cpu.0, has.memory.0, i64::from(has.pods)];
                capacity.extend(&has.extended);
                capacity.resize(held.resources.max(COMMON), 0);
                let price = match offer.purchase {
                    Purchase::OnDemand => prices.on_demand,
                    Purchase::Spot => {
                        if let Some(steps) = spot.of(offer.shape, offer.zone) {
                            moving.push((capacity, steps));
                            continue;
                        }
                        prices.spot.get(offer.zone.index()).copied().flatten()
                    }
                };
                // What has no price cannot have been billed.
                let Some(price) = price else { continue };
                let bin = Bin { capacity, price: price.rate };
                if !constant.contains(&bin) {
                    constant.push(bin);
                }
            }
        }
        for (i, (pool, price)) in cluster.fargate.iter().zip(&plan.fargate).enumerate() {
            if !has(cluster.pools.len() + i) {
                continue;
            }
            let rates = (price.vcpu_hour.rate, price.gb_hour.rate);
            constant.extend(pool.sizes.iter().filter_map(|size| {
                let capacity = room(pool, size.cpu.0, size.memory.0, held.resources)?;
                // Rounded down: 2³⁰ bytes a GB, 1,000 milli-cores a vCPU.
                let cpu = rates.0.pico() * i128::from(size.cpu.0) / 1_000;
                let memory = (rates.1.pico() * i128::from(size.memory.0)) >> 30;
                Some(Bin { capacity, price: Rate::from_pico(cpu + memory) })
            }));
        }
        Offers { constant: undominated(constant), moving }
    }

    /// At the lowest price that anybody may pay in the clock hour from `from`
    /// on: an instance-hour that began in the hour before keeps its price.
    fn within(&self, from: SimTime) -> Cow<'_, [Bin]> {
        if self.moving.is_empty() {
            return Cow::Borrowed(&self.constant);
        }
        let (first, end) = (SimTime(from.ms() - HOUR_MS), SimTime(from.ms() + HOUR_MS));
        let mut bins = self.constant.clone();
        bins.extend(self.moving.iter().map(|(capacity, steps)| {
            let mut price = steps.at(first);
            let mut change = steps.next_change(first);
            while change < end {
                price = price.min(steps.at(change));
                change = steps.next_change(change);
            }
            Bin { capacity: capacity.clone(), price }
        }));
        Cow::Owned(undominated(bins))
    }
}

/// What a pod may request of a Fargate size.
fn room(pool: &FargateSpec, cpu: i64, memory: i64, resources: usize) -> Option<Vec<i64>> {
    let cpu = cpu - pool.sidecar_cpu.0;
    let memory = memory - pool.sidecar_memory.0 - pool.overhead_memory.0;
    (cpu >= 0 && memory >= 0).then(|| {
        let mut capacity = vec![cpu, memory, 1];
        capacity.resize(resources.max(COMMON), 0);
        capacity
    })
}

#[cfg(test)]
mod attack;
#[cfg(test)]
mod tests;
