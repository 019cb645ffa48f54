//! Break-even of what a scenario runs: its pods, its nodes as bought, its
//! packing as simulated.

use super::crossing::size_per_hour;
use super::measure::{PodUse, PoolUse, pool_uses, requests_of};
use super::model::{Breakeven, Caveat, LeftOut, MeasuredPacking, MixPod, Orchestrator, Priced};
use super::prices::{Part, Prices, WAYS, Way, weakest};
use crate::Result;
use crate::bill::{Bill, BillingPlan, Charge, PriceStatus};
use crate::catalog::{Arch, FargateRates, smallest_fargate};
use crate::cluster::{ClusterSpec, FargateSize, ShapeId};
use crate::observe::{Record, RejectReason};
use crate::place::fargate::refusal;
use crate::plan::{self, CasePlan, Origin};
use crate::units::{Bytes, HOUR_MS, MilliCpu, Rate};
use crate::workload::{ClassId, Workloads};

/// What is compared on Fargate: pods of one pool that could go there.
struct Mix {
    pods: Vec<MixPod>,
    /// By pod of `pods`: how long Fargate would bill, pod·ms.
    billed: Vec<i128>,
    /// Storage that Fargate would charge, KiB·ms.
    storage: i128,
    /// How long all would be on Fargate, pod·ms.
    on_fargate: i128,
    left_out: Vec<LeftOut>,
}

/// What every pod is given on Fargate beside its requests.
struct Platform {
    orchestrator: Orchestrator,
    cpu: MilliCpu,
    memory: Bytes,
}

/// One simulation of a case, with its bill. The record must have its pods and
/// the bill its lines.
#[derive(Debug, Clone, Copy)]
pub struct Ran<'a> {
    /// What was simulated.
    pub record: &'a Record,
    /// The pods it was about.
    pub workloads: &'a Workloads,
    /// What it costs.
    pub bill: &'a Bill,
}

/// Prices that a case states and the other side of a comparison does not know:
/// a code and a sentence each.
#[must_use]
pub fn one_sided(case: &CasePlan) -> Vec<(&'static str, &'static str)> {
    let stated = |path: &str| {
        let of = |s: &plan::Setting| s.origin == Origin::Scenario && s.path.starts_with(path);
        case.settings.iter().any(of)
    };
    let mut told = Vec::new();
    if stated("discounts.") {
        told.push((
            "breakeven-discounts",
            "negotiated discounts are in what nodes cost as bought and On-Demand, not in the \
             prices of Fargate, Spot and plans here",
        ));
    }
    if stated("prices.") {
        told.push((
            "breakeven-factors",
            "the factors of `prices` are in what nodes cost as bought and On-Demand, not in the \
             prices of Fargate, Spot and plans here",
        ));
    }
    if stated("spot.prices") {
        told.push((
            "breakeven-spot",
            "prices of Spot that move are in what nodes cost as bought; Spot as a way of its own \
             is at the level of the Spot Advisor here",
        ));
    }
    told
}

/// Break-even of every pool of a case that has nodes, or why it is not
/// compared.
///
/// # Errors
/// A price that nobody has verified, where that is not allowed.
pub fn simulated(
    case: &CasePlan,
    prices: &Prices,
    ran: Ran<'_>,
) -> Result<Vec<(String, std::result::Result<Breakeven, String>)>> {
    let cluster = &*case.setup.cluster;
    let uses =
        pool_uses(ran.record, ran.bill, cluster, ran.workloads, &case.billing.fargate_storage);
    let platform = Platform::of(case);
    let compared = |pool: PoolUse| {
        let found = compare(case, prices, &platform, &pool, ran.bill, ran.workloads)?;
        Ok((pool.name, found))
    };
    uses.into_iter().map(compared).collect()
}

/// What runs the pods of a case.
#[must_use]
pub fn orchestrator(case: &CasePlan) -> Orchestrator {
    if case.setup.ecs.is_some() { Orchestrator::Ecs } else { Orchestrator::Eks }
}

impl Platform {
    fn of(case: &CasePlan) -> Platform {
        let orchestrator = orchestrator(case);
        let (cpu, memory) = plan::fargate_sidecars(case.workload.workloads());
        let memory = Bytes(memory.0 + orchestrator.fargate_overhead().0);
        Platform { orchestrator, cpu, memory }
    }

    /// The size of a pod, or why there is none.
    fn size(
        &self,
        workloads: &Workloads,
        class: ClassId,
        rates: &FargateRates,
    ) -> std::result::Result<FargateSize, RejectReason> {
        let kind = workloads.classes.get(class.index()).ok_or(RejectReason::NoNodes)?;
        let extended = !kind.requests.extended.is_empty();
        let refused = match self.orchestrator {
            Orchestrator::Eks => {
                refusal(extended, &kind.node_selector, kind.constraints.as_deref())
                    .map(RejectReason::from)
            }
            Orchestrator::Ecs => extended.then_some(RejectReason::FargateExtended),
        };
        if let Some(reason) = refused {
            return Err(reason);
        }
        let (cpu, memory) = requests_of(workloads, class);
        let cpu = MilliCpu(cpu.0 + self.cpu.0);
        let size = smallest_fargate(cpu, Bytes(memory.0 + self.memory.0), rates);
        size.map(plan::fargate_size).ok_or(RejectReason::FargateSize)
    }

    fn mix(&self, pool: &PoolUse, workloads: &Workloads, rates: &FargateRates) -> Mix {
        let all: i128 = pool.pods.values().map(|p| p.pod_ms).sum();
        let mut mix = Mix {
            pods: Vec::new(),
            billed: Vec::new(),
            storage: 0,
            on_fargate: 0,
            left_out: Vec::new(),
        };
        for (class, PodUse { name, pod_ms, fargate_ms, billed_ms, storage }) in &pool.pods {
            match self.size(workloads, *class, rates) {
                Ok(size) => {
                    let (cpu, memory) = requests_of(workloads, *class);
                    let name = name.clone();
                    mix.pods.push(MixPod { name, weight: *pod_ms, cpu, memory, size });
                    mix.billed.push(*billed_ms);
                    mix.storage += storage;
                    mix.on_fargate += fargate_ms;
                }
                Err(reason) => {
                    let share = *pod_ms as f64 / all.max(1) as f64;
                    let known = mix.left_out.iter_mut().find(|l| l.reason == reason.name());
                    match known {
                        Some(known) => known.share += share,
                        None => {
                            mix.left_out.push(LeftOut { reason: reason.name().to_owned(), share });
                        }
                    }
                }
            }
        }
        mix
    }
}

/// One pool against Fargate, or why it is not compared.
fn compare(
    case: &CasePlan,
    prices: &Prices,
    platform: &Platform,
    pool: &PoolUse,
    bill: &Bill,
    workloads: &Workloads,
) -> Result<std::result::Result<Breakeven, String>> {
    let cluster = &*case.setup.cluster;
    let kind_of = |shape: ShapeId| {
        let shape = cluster.shapes.get(shape.index())?;
        prices.region.instance_type(&shape.name)
    };
    let arch = match platform.orchestrator {
        Orchestrator::Eks => Arch::Amd64,
        Orchestrator::Ecs => pool
            .by_shape
            .iter()
            .filter_map(|(shape, ms)| Some((kind_of(*shape)?.arch, *ms)))
            .max_by_key(|(_, ms)| *ms)
            .map_or(Arch::Amd64, |(arch, _)| arch),
    };
    let rates = match prices.fargate_rates(arch) {
        Ok(rates) => rates,
        Err(why) => return Ok(Err(why)),
    };
    let mix = platform.mix(pool, workloads, rates);
    let pod_ms: i128 = mix.pods.iter().map(|p| p.weight).sum();
    if pod_ms == 0 {
        return Ok(Err(match mix.left_out.as_slice() {
            [] => "no pod ran on its nodes".to_owned(),
            [first, ..] => {
                let why = RejectReason::named(&first.reason).map_or("", RejectReason::text);
                format!("Fargate runs none of its pods: {why} ({})", first.reason)
            }
        }));
    }
    let ec2 = ways(pool, cluster, &case.billing, prices, bill)?;
    let per_pod_hour = |vcpu: Rate, gb: Rate| {
        let cost: i128 = mix
            .pods
            .iter()
            .zip(&mix.billed)
            .map(|(p, billed)| size_per_hour(p.size, vcpu, gb).pico() * billed)
            .sum();
        Rate::from_pico(cost).scale(1, pod_ms)
    };
    let beside = beside(case, prices, rates, &mix, pod_ms)?;
    let mut caveats: Vec<Caveat> = Vec::new();
    for kind in pool.by_shape.keys().filter_map(|shape| kind_of(*shape)) {
        caveats.extend(Caveat::of(kind, platform.orchestrator));
    }
    let fargate = prices.fargate(platform.orchestrator, arch, rates, &per_pod_hour, &beside)?;
    Ok(Ok(Breakeven {
        subject: pool.name.clone(),
        node: pool.node,
        ec2,
        fargate,
        measured: Some(MeasuredPacking {
            pods_per_node: pod_ms as f64 / pool.node_ms as f64,
            node_hours: pool.node_ms as f64 / HOUR_MS as f64,
        }),
        mix: mix.pods,
        left_out: mix.left_out,
        caveats,
    }))
}

/// What a mean pod-hour on Fargate costs beside vCPU and memory.
fn beside(
    case: &CasePlan,
    prices: &Prices,
    rates: &FargateRates,
    mix: &Mix,
    pod_ms: i128,
) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    if mix.storage > 0 {
        let (rate, status) = prices.usable(&rates.ephemeral_gb_hour, &"Fargate storage")?;
        let hourly = rate.scale(mix.storage, pod_ms << 20);
        parts.push((Charge::FargateStorage.label().to_owned(), hourly, status));
    }
    if let Some(licence) = case.billing.fargate_licence {
        let name = Charge::FargateLicence.label().to_owned();
        parts.push((name, licence.rate.scale(mix.on_fargate, pod_ms), licence.status));
    }
    Ok(parts)
}

/// Rounding and minimums belong to what they round.
fn part(charge: Charge) -> Charge {
    match charge {
        Charge::VolumeRounding | Charge::VolumeMinimum => Charge::RootVolume,
        _ if charge.is_compute() => Charge::Instance,
        _ => charge,
    }
}

/// Ways of buying a mean node-hour of a pool; the first is how it is bought.
fn ways(
    pool: &PoolUse,
    cluster: &ClusterSpec,
    billing: &BillingPlan,
    prices: &Prices,
    bill: &Bill,
) -> Result<Vec<Priced>> {
    let hourly = |pico: i128| Rate::from_pico(pico).scale(HOUR_MS.into(), pool.node_ms);
    let parts = |of: &dyn Fn(Charge) -> bool| -> Vec<(String, Rate)> {
        let mut sums: Vec<(Charge, i128)> = Vec::new();
        for (charge, net) in pool.charges.iter().filter(|(charge, _)| of(**charge)) {
            let part = part(*charge);
            match sums.iter_mut().find(|(known, _)| *known == part) {
                Some((_, sum)) => *sum += net.pico(),
                None => sums.push((part, net.pico())),
            }
        }
        sums.into_iter().map(|(part, sum)| (part.label().to_owned(), hourly(sum))).collect()
    };
    let bought = pool.skus.iter().filter_map(|sku| bill.skus.get(usize::from(*sku)));
    let weakest = weakest(bought.map(|s| s.status));
    let mut ways = vec![Priced::new("as bought".to_owned(), None, parts(&|_| true), weakest)];
    // Everything beside the machine stays, whatever way that is bought.
    let beside = parts(&|c| !c.is_compute() && c != Charge::SpotFirstHour);
    'ways: for each in WAYS {
        let (mut sum, mut status) = (0, PriceStatus::Real);
        for (shape, ms) in &pool.by_shape {
            let listed = billing.shapes.get(shape.index()).and_then(|p| p.on_demand);
            let price = match (each, cluster.shapes.get(shape.index())) {
                (Way::OnDemand, _) => listed.map(|p| (p.rate, p.status)),
                (_, Some(shape)) => prices.instance(each, &shape.name)?,
                (_, None) => None,
            };
            let Some((rate, of)) = price else { continue 'ways };
            sum += rate.pico() * ms;
            status = status.max(of);
        }
        let instance = Rate::from_pico(sum).scale(1, pool.node_ms);
        let mut all = vec![(Charge::Instance.label().to_owned(), instance)];
        all.extend(beside.iter().cloned());
        ways.push(Priced::new(each.name().to_owned(), each.plan(), all, status));
    }
    Ok(ways)
}

#[cfg(test)]
#[path = "simulated_tests.rs"]
mod tests;
