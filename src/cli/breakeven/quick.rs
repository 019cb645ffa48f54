//! Break-even from the command line alone: types, pods, a Region.

use std::path::Path;

use clap::ValueEnum;

use crate::advise::breakeven::{
    Amount, Breakeven, Breakevens, MixPod, NodeOffer, Priced, mean_rate, size_per_hour,
};
use crate::bill::PriceStatus;
use crate::catalog::{Arch, Catalog, ChargeItem, FargateRates, InstanceType, smallest_fargate};
use crate::cluster::FargateSize;
use crate::names::nearest;
use crate::plan;
use crate::scenario::quote;
use crate::units::{Bytes, MilliCpu, Rate};
use crate::{Error, Result};

use super::prices::{Prices, WAYS, Way};

/// Largest weight of a pod in a mix.
const MAX_WEIGHT: i128 = 1_000_000_000;
/// Largest root volume, GiB: gp3's limit.
const MAX_VOLUME_GIB: i64 = 65_536;

/// What is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Question {
    /// Instance type (repeatable), as m6i.2xlarge
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "file")]
    types: Vec<String>,
    /// Cpu that a pod requests, as 100m
    #[arg(long, value_name = "CPU", requires = "memory", conflicts_with = "pods")]
    cpu: Option<MilliCpu>,
    /// Memory that a pod requests, as 256Mi
    #[arg(long, value_name = "MEMORY", requires = "cpu")]
    memory: Option<Bytes>,
    /// One kind of pod of a mix: cpu, memory and its weight (repeatable), as
    /// 100m,256Mi,3
    #[arg(long = "pod", value_name = "CPU,MEMORY[,WEIGHT]", required_unless_present_any = ["cpu", "file"])]
    pods: Vec<String>,
    /// AWS Region [default: us-east-1]
    #[arg(long)]
    region: Option<String>,
    /// What runs them [default: eks]
    #[arg(long, value_enum)]
    orchestrator: Option<Orchestrator>,
    /// A DaemonSet's requests: room on every node, a sidecar of every Fargate
    /// pod (repeatable)
    #[arg(long, value_name = "CPU,MEMORY")]
    daemonset: Vec<String>,
    /// Pods a node takes at most [default: what its network interfaces hold]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_pods: Option<u32>,
    /// Charge every node a gp3 root volume of this size, as 50Gi
    #[arg(long, value_name = "SIZE")]
    root_volume: Option<Bytes>,
    /// Charge every node the fee of EKS Auto Mode
    #[arg(long)]
    auto_mode: bool,
}

/// What runs the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Orchestrator {
    /// Amazon EKS
    #[default]
    Eks,
    /// Amazon ECS
    Ecs,
}

impl Orchestrator {
    /// Its name in results.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Orchestrator::Eks => "eks",
            Orchestrator::Ecs => "ecs",
        }
    }
}

impl Question {
    fn orchestrator(&self) -> Orchestrator {
        self.orchestrator.unwrap_or_default()
    }
}

/// A pod's requests.
type Pod = (MilliCpu, Bytes);

/// Break-even of every type that is asked for.
pub(super) fn answer(
    asked: &Question,
    pricing: Option<&Path>,
    allow_believed: bool,
) -> Result<Breakevens> {
    let catalog = Catalog::load(pricing)?;
    let region = asked.region.as_deref().unwrap_or("us-east-1");
    let prices = Prices { region: catalog.region(region)?, allow_believed };
    let pods = pods(asked)?;
    let daemons =
        asked.daemonset.iter().map(|text| two(text, "--daemonset")).collect::<Result<Vec<_>>>()?;
    let comparisons = asked
        .types
        .iter()
        .map(|name| comparison(asked, &prices, name, &pods, &daemons))
        .collect::<Result<_>>()?;
    Ok(Breakevens {
        simulated: None,
        region: region.to_owned(),
        orchestrator: asked.orchestrator().name(),
        comparisons,
    })
}

/// The kinds of pods with their weights.
fn pods(asked: &Question) -> Result<Vec<(Pod, i128)>> {
    if let (Some(cpu), Some(memory)) = (asked.cpu, asked.memory) {
        return Ok(vec![((cpu, memory), 1)]);
    }
    asked
        .pods
        .iter()
        .map(|text| {
            let (pod, weight) = match text.splitn(3, ',').collect::<Vec<_>>()[..] {
                [_, _, weight] => (text.trim_end_matches(weight).trim_end_matches(','), weight),
                _ => (text.as_str(), "1"),
            };
            let weight = weight.trim().parse().ok().filter(|w| (1..=MAX_WEIGHT).contains(w));
            let weight = weight.ok_or_else(|| {
                let message = "the weight is a whole number from 1 to 1000000000";
                Error::input(format!("`--pod {text}`: {message}"))
            })?;
            Ok((two(pod, "--pod")?, weight))
        })
        .collect()
}

/// Requests as `100m,256Mi`.
fn two(text: &str, flag: &str) -> Result<Pod> {
    let bad = |why: &dyn std::fmt::Display| Error::input(format!("`{flag} {text}`: {why}"));
    let (cpu, memory) = text
        .split_once(',')
        .ok_or_else(|| bad(&"expected cpu and memory with a comma between, as 100m,256Mi"))?;
    Ok((cpu.parse().map_err(|e| bad(&e))?, memory.parse().map_err(|e| bad(&e))?))
}

fn comparison(
    asked: &Question,
    prices: &Prices,
    name: &str,
    pods: &[(Pod, i128)],
    daemons: &[Pod],
) -> Result<Breakeven> {
    let region = &prices.region;
    let Some(kind) = region.instance_type(name) else {
        let hint = nearest(name, region.names())
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(Error::input(format!("unknown instance type {}{hint}", quote(name))));
    };
    let node = node(asked, kind, daemons)?;
    let overheads = overheads(asked, prices, name)?;
    // Fargate pods of EKS run on x86 only; ECS tasks have the node's choice.
    let arch = if asked.orchestrator() == Orchestrator::Eks { Arch::Amd64 } else { kind.arch };
    let Some(rates) = region.fargate(arch) else {
        return Err(Error::input(format!(
            "no Fargate price of {arch} is known for {}; choose another Region, or give a price \
             directory that has it",
            region.name()
        )));
    };
    let mix = mix(asked, pods, daemons, rates)?;
    let per_pod_hour = |vcpu: Rate, gb: Rate| {
        mean_rate(mix.iter().map(|p| (p.weight, size_per_hour(p.size, vcpu, gb))))
    };
    let comparison = Breakeven {
        subject: name.to_owned(),
        ec2: ec2(prices, name, &overheads)?,
        fargate: prices.fargate(asked.orchestrator(), arch, rates, &per_pod_hour)?,
        node,
        mix: mix.clone(),
        left_out: Vec::new(),
        measured: None,
    };
    if comparison.most().0 < 1.0 {
        return Err(Error::input(format!(
            "no such pod fits {name}{}; choose a larger type",
            if daemons.is_empty() { "" } else { " beside the DaemonSets" }
        )));
    }
    Ok(comparison)
}

fn node(asked: &Question, kind: &InstanceType, daemons: &[Pod]) -> Result<NodeOffer> {
    let (cpu, memory, slots) = match asked.orchestrator() {
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
    let sum = |of: fn(&Pod) -> i64| daemons.iter().map(of).sum::<i64>() as f64;
    Ok(NodeOffer {
        raw: Amount {
            cpu: f64::from(kind.vcpu) * 1_000.0,
            memory: kind.memory.0 as f64,
            pods: slots,
        },
        allocatable: Amount { cpu: cpu as f64, memory: memory as f64, pods: slots },
        daemons: Amount { cpu: sum(|p| p.0.0), memory: sum(|p| p.1.0), pods: daemons.len() as f64 },
    })
}

/// What a node costs beside its instance, by name.
fn overheads(
    asked: &Question,
    prices: &Prices,
    name: &str,
) -> Result<Vec<(String, Rate, PriceStatus)>> {
    let charge = |item: ChargeItem| {
        let region = prices.region.name();
        let quote = prices.region.charge(item);
        let quote = quote
            .ok_or_else(|| Error::input(format!("no price is known for `{item}` in {region}")))?;
        prices.usable(quote, &item)
    };
    let mut parts = Vec::new();
    if let Some(Bytes(bytes)) = asked.root_volume {
        let gib = bytes.div_euclid(1 << 30) + i64::from(bytes.rem_euclid(1 << 30) > 0);
        if bytes < 1 << 30 || gib > MAX_VOLUME_GIB {
            let range = format!("between 1 GiB and {MAX_VOLUME_GIB} GiB, as 50Gi");
            return Err(Error::input(format!("a root volume has {range}")));
        }
        let (rate, status) = charge(ChargeItem::Gp3Storage)?;
        let hourly = rate.scale(gib.into(), crate::bill::MONTH_HOURS.into());
        parts.push((format!("root volume of {gib} GiB"), hourly, status));
    }
    if asked.auto_mode {
        if asked.orchestrator() == Orchestrator::Ecs {
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
fn mix(
    asked: &Question,
    pods: &[(Pod, i128)],
    daemons: &[Pod],
    rates: &FargateRates,
) -> Result<Vec<MixPod>> {
    let own = match asked.orchestrator() {
        Orchestrator::Eks => plan::fargate_overhead(),
        Orchestrator::Ecs => Bytes(0),
    };
    let sidecars = daemons.iter().fold((0, own.0), |sum, d| (sum.0 + d.0.0, sum.1 + d.1.0));
    pods.iter()
        .map(|((cpu, memory), weight)| {
            let (whole_cpu, whole_memory) =
                (MilliCpu(cpu.0 + sidecars.0), Bytes(memory.0 + sidecars.1));
            let size = smallest_fargate(whole_cpu, whole_memory, rates).ok_or_else(|| {
                Error::input(format!(
                    "a pod of {cpu} and {memory} needs {whole_cpu} and {whole_memory} on Fargate, \
                     which has no size for it (16 vCPU and 120 GB at most)"
                ))
            })?;
            Ok(MixPod {
                name: String::new(),
                weight: *weight,
                cpu: *cpu,
                memory: *memory,
                size: FargateSize { cpu: size.cpu(), memory: size.memory() },
            })
        })
        .collect()
}

/// Every way of buying a node-hour of a type.
fn ec2(
    prices: &Prices,
    name: &str,
    overheads: &[(String, Rate, PriceStatus)],
) -> Result<Vec<Priced>> {
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
        let mut parts = vec![("instance".to_owned(), rate)];
        parts.extend(overheads.iter().map(|(name, rate, _)| (name.clone(), *rate)));
        ways.push(Priced {
            option: way.name().to_owned(),
            plan: way.plan().map(str::to_owned),
            per_hour: Rate::from_pico(parts.iter().map(|(_, rate)| rate.pico()).sum()),
            parts,
            status: overheads.iter().map(|o| o.2).fold(status, PriceStatus::max),
        });
    }
    Ok(ways)
}
