//! Break-even from the command line alone: types, pods, a Region.

use super::crossing::{mean_rate, size_per_hour};
use super::model::{Amount, Breakeven, Caveat, MixPod, NodeOffer, Orchestrator, Priced};
use super::prices::{Part, Prices, WAYS, Way};
use crate::catalog::{Arch, ChargeItem, FargateRates, InstanceType, smallest_fargate};
use crate::names::{hint, nearest};
use crate::plan;
use crate::scenario::quote;
use crate::units::{Bytes, MilliCpu, Rate};
use crate::{Error, Result};

/// Largest root volume, GiB: gp3's limit.
const MAX_VOLUME_GIB: i64 = 65_536;

/// Requests of a pod.
pub type AskedPod = (MilliCpu, Bytes);

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Instance types.
    pub types: Vec<String>,
    /// Kinds of pods with their weights, which are above zero.
    pub pods: Vec<(AskedPod, i128)>,
    /// Requests of each `DaemonSet`.
    pub daemons: Vec<AskedPod>,
    /// What runs them.
    pub orchestrator: Orchestrator,
    /// Pods a node takes at most, unless its network interfaces decide.
    pub max_pods: Option<u32>,
    /// Size of the gp3 root volume that every node is charged.
    pub root_volume: Option<Bytes>,
    /// Whether every node is charged the fee of EKS Auto Mode.
    pub auto_mode: bool,
}

/// Break-even of every type that is asked for.
///
/// # Errors
/// A type, a price or a Fargate size that there is none of, and a price that
/// nobody has verified, where that is not allowed.
pub fn asked(question: &Question, prices: &Prices) -> Result<Vec<Breakeven>> {
    question.types.iter().map(|name| comparison(question, prices, name)).collect()
}

fn comparison(asked: &Question, prices: &Prices, name: &str) -> Result<Breakeven> {
    let region = &prices.region;
    let Some(kind) = region.instance_type(name) else {
        let hint = hint(name, region.names());
        return Err(Error::input(format!("unknown instance type {}{hint}", quote(name))));
    };
    let node = node(asked, kind)?;
    let overheads = overheads(asked, prices, name)?;
    // Fargate pods of EKS run on x86 only; ECS tasks have the node's choice.
    let arch = if asked.orchestrator == Orchestrator::Eks { Arch::Amd64 } else { kind.arch };
    let rates = prices.fargate_rates(arch).map_err(Error::input)?;
    let mix = mix(asked, rates)?;
    let per_pod_hour = |vcpu: Rate, gb: Rate| {
        mean_rate(mix.iter().map(|p| (p.weight, size_per_hour(p.size, vcpu, gb))))
    };
    let comparison = Breakeven {
        subject: name.to_owned(),
        ec2: ec2(prices, name, &overheads)?,
        fargate: prices.fargate(asked.orchestrator, arch, rates, &per_pod_hour, &[])?,
        node,
        mix: mix.clone(),
        left_out: Vec::new(),
        caveats: caveats(asked, kind),
        measured: None,
    };
    if comparison.most().0 < 1.0 {
        return Err(Error::input(format!(
            "no such pod fits {name}{}; choose a larger type",
            if asked.daemons.is_empty() { "" } else { " beside the DaemonSets" }
        )));
    }
    Ok(comparison)
}

fn caveats(asked: &Question, kind: &InstanceType) -> Vec<Caveat> {
    let mut caveats = Caveat::of(kind, asked.orchestrator);
    if asked.orchestrator == Orchestrator::Ecs && asked.max_pods.is_none() {
        caveats.push(Caveat::NoTrunking(kind.name.to_string()));
    }
    caveats
}

fn node(asked: &Question, kind: &InstanceType) -> Result<NodeOffer> {
    let (cpu, memory, slots) = match asked.orchestrator {
        Orchestrator::Eks => {
            // Kubelet's reserve counts the pods of the interfaces even where
            // another number is set, as nodeadm does on AL2023.
            let (cpu, memory) = kind.allocatable(kind.max_pods_eni);
            (cpu.0, memory.0, asked.max_pods.unwrap_or(kind.max_pods_eni))
        }
        Orchestrator::Ecs => {
            let slots =
                asked.max_pods.or_else(|| kind.ecs_awsvpc_tasks(false)).ok_or_else(|| {
                    let hint = "state --max-pods";
                    Error::input(format!(
                        "how many tasks `{}` takes is not known; {hint}",
                        kind.name
                    ))
                })?;
            (i64::from(kind.vcpu) * 1_000, kind.os_memory.0, slots)
        }
    };
    let slots = f64::from(slots);
    let sum = |of: fn(&AskedPod) -> i64| asked.daemons.iter().map(of).sum::<i64>() as f64;
    Ok(NodeOffer {
        raw: Amount {
            cpu: f64::from(kind.vcpu) * 1_000.0,
            memory: kind.memory.0 as f64,
            pods: slots,
        },
        allocatable: Amount { cpu: cpu as f64, memory: memory as f64, pods: slots },
        daemons: Amount {
            cpu: sum(|p| p.0.0),
            memory: sum(|p| p.1.0),
            pods: asked.daemons.len() as f64,
        },
    })
}

/// What a node costs beside its instance, by name.
fn overheads(asked: &Question, prices: &Prices, name: &str) -> Result<Vec<Part>> {
    let charge = |item: ChargeItem| {
        let region = prices.region.name();
        let quote = prices.region.charge(item);
        let quote = quote
            .ok_or_else(|| Error::input(format!("no price is known for `{item}` in {region}")))?;
        prices.usable(quote, &item)
    };
    let mut parts = Vec::new();
    if let Some(size) = asked.root_volume {
        let gib = size.gib();
        if size.0 < 1 << 30 || gib > MAX_VOLUME_GIB {
            let range = format!("between 1 GiB and {MAX_VOLUME_GIB} GiB, as 50Gi");
            return Err(Error::input(format!("a root volume has {range}")));
        }
        let (rate, status) = charge(ChargeItem::Gp3Storage)?;
        let hourly = rate.scale(gib.into(), crate::bill::MONTH_HOURS.into());
        parts.push((format!("root volume of {gib} GiB"), hourly, status));
    }
    if asked.auto_mode {
        if asked.orchestrator == Orchestrator::Ecs {
            return Err(Error::input("`--auto-mode` is a fee of EKS: leave it out for ECS"));
        }
        // A share of the On-Demand price, however the instance is bought.
        let (share, status) = charge(ChargeItem::EksAutoMode)?;
        if let Some((rate, of)) = prices.instance(Way::OnDemand, name)? {
            let fee = rate.scale(share.pico(), 1_000_000_000_000);
            parts.push(("EKS Auto Mode".to_owned(), fee, status.max(of)));
        }
    }
    Ok(parts)
}

/// The mix with the Fargate sizes it is billed as.
fn mix(asked: &Question, rates: &FargateRates) -> Result<Vec<MixPod>> {
    let own = asked.orchestrator.fargate_overhead();
    let sidecars = asked.daemons.iter().fold((0, own.0), |sum, d| (sum.0 + d.0.0, sum.1 + d.1.0));
    asked
        .pods
        .iter()
        .map(|((cpu, memory), weight)| {
            let (whole_cpu, whole_memory) =
                (MilliCpu(cpu.0 + sidecars.0), Bytes(memory.0 + sidecars.1));
            let size = smallest_fargate(whole_cpu, whole_memory, rates).ok_or_else(|| {
                Error::input(format!(
                    "a pod that requests {cpu} cpu and {memory} needs {whole_cpu} cpu and \
                     {whole_memory} on Fargate{}, which has no size for it (at most 16 vCPU, and \
                     120 GB)",
                    beside(asked)
                ))
            })?;
            Ok(MixPod {
                name: String::new(),
                weight: *weight,
                cpu: *cpu,
                memory: *memory,
                size: plan::fargate_size(size),
            })
        })
        .collect()
}

/// What every pod is given on Fargate beside its requests, in words.
fn beside(asked: &Question) -> &'static str {
    match (asked.orchestrator, asked.daemons.is_empty()) {
        (Orchestrator::Eks, true) => " with the 256Mi of Kubernetes components",
        (Orchestrator::Eks, false) => " with its sidecars and the 256Mi of Kubernetes components",
        (Orchestrator::Ecs, true) => "",
        (Orchestrator::Ecs, false) => " with its sidecars",
    }
}

/// Every way of buying a node-hour of a type.
fn ec2(prices: &Prices, name: &str, overheads: &[Part]) -> Result<Vec<Priced>> {
    let mut ways = Vec::new();
    for way in WAYS {
        let Some((rate, status)) = prices.instance(way, name)? else {
            if matches!(way, Way::OnDemand) {
                let hint = nearest(name, prices.region.names())
                    .map_or_else(String::new, |near| format!("; the nearest is `{near}`"));
                let region = prices.region.name();
                return Err(Error::input(format!(
                    "no On-Demand price for `{name}` in {region}{hint}"
                )));
            }
            continue;
        };
        let instance = ("instance".to_owned(), rate, status);
        ways.push(Priced::of(way.name().to_owned(), way.plan(), &instance, overheads));
    }
    Ok(ways)
}

#[cfg(test)]
#[path = "asked_tests.rs"]
mod tests;
