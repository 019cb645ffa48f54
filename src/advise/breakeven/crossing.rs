//! Where nodes and Fargate cost the same, and how full that is, by every
//! denominator.

use super::model::{Amount, Breakeven, MixPod, NodeOffer, Priced};
use crate::cluster::FargateSize;
use crate::units::Rate;

/// So many pods of the mix on a node, as shares of everything that may be
/// meant by "full".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Requested cpu of the node's vCPU.
    pub raw_cpu: f64,
    /// Requested memory of the node's advertised memory.
    pub raw_memory: f64,
    /// Requested cpu of allocatable cpu.
    pub allocatable_cpu: f64,
    /// Requested memory of allocatable memory.
    pub allocatable_memory: f64,
    /// Pods of pod slots.
    pub pod_slots: f64,
    /// Pods of the most that fit beside `DaemonSet`s: 1 is a full node.
    pub of_most: f64,
}

impl Shares {
    /// All of them, in the order of the fields.
    #[must_use]
    pub const fn in_order(self) -> [f64; 6] {
        [
            self.raw_cpu,
            self.raw_memory,
            self.allocatable_cpu,
            self.allocatable_memory,
            self.pod_slots,
            self.of_most,
        ]
    }
}

/// What fills a node first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// Cpu requests.
    Cpu,
    /// Memory requests.
    Memory,
    /// Pod slots.
    PodSlots,
}

impl Binding {
    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Binding::Cpu => "cpu",
            Binding::Memory => "memory",
            Binding::PodSlots => "pod slots",
        }
    }
}

/// Where one way of buying nodes meets one way of buying Fargate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// Index into [`Breakeven::ec2`].
    pub ec2: usize,
    /// Index into [`Breakeven::fargate`].
    pub fargate: usize,
    /// Pods on a node at which both cost the same.
    pub pods: f64,
    /// Fewest whole pods with which the node costs no more; `None` where
    /// Fargate is free of charge.
    pub cheaper_from: Option<u64>,
    /// Whether that many fit on a node at all.
    pub reachable: bool,
}

impl Breakeven {
    /// Requests of a mean pod of the mix.
    #[must_use]
    pub fn mean_pod(&self) -> Amount {
        let all: i128 = self.mix.iter().map(|p| p.weight).sum();
        let mean = |of: fn(&MixPod) -> i64| {
            let sum: i128 = self.mix.iter().map(|p| p.weight * i128::from(of(p))).sum();
            if all > 0 { sum as f64 / all as f64 } else { 0.0 }
        };
        Amount { cpu: mean(|p| p.cpu.0), memory: mean(|p| p.memory.0), pods: 1.0 }
    }

    /// Most pods of the mix on a node beside `DaemonSet`s, and what ends it:
    /// whole pods where all are alike, else the bound by sums, which no
    /// packing exceeds.
    #[must_use]
    pub fn most(&self) -> (f64, Binding) {
        let (free, pod) = (self.free(), self.mean_pod());
        let room = |have: f64, want: f64| if want > 0.0 { have / want } else { f64::INFINITY };
        let (most, binding) = [
            (room(free.pods, 1.0), Binding::PodSlots),
            (room(free.memory, pod.memory), Binding::Memory),
            (room(free.cpu, pod.cpu), Binding::Cpu),
        ]
        .into_iter()
        .fold((f64::INFINITY, Binding::PodSlots), |a, b| if b.0 < a.0 { b } else { a });
        let alike = self.mix.len() == 1;
        (if alike { (most + 1e-9).floor() } else { most }, binding)
    }

    fn free(&self) -> Amount {
        let (has, taken) = (self.node.allocatable, self.node.daemons);
        Amount {
            cpu: (has.cpu - taken.cpu).max(0.0),
            memory: (has.memory - taken.memory).max(0.0),
            pods: (has.pods - taken.pods).max(0.0),
        }
    }

    /// So many pods on a node, as shares of everything.
    #[must_use]
    pub fn shares(&self, pods: f64) -> Shares {
        let (pod, most) = (self.mean_pod(), self.most().0);
        let of = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let NodeOffer { raw, allocatable, .. } = self.node;
        Shares {
            raw_cpu: of(pods * pod.cpu, raw.cpu),
            raw_memory: of(pods * pod.memory, raw.memory),
            allocatable_cpu: of(pods * pod.cpu, allocatable.cpu),
            allocatable_memory: of(pods * pod.memory, allocatable.memory),
            pod_slots: of(pods, raw.pods),
            of_most: of(pods, most),
        }
    }

    /// Every pair of ways of buying that stands in for another: nodes bought
    /// anyhow against Fargate at a list price, or both under one plan.
    #[must_use]
    pub fn crossings(&self) -> Vec<Crossing> {
        let most = self.most().0;
        let mut crossings = Vec::new();
        for (f, fargate) in self.fargate.iter().enumerate() {
            for (e, ec2) in self.ec2.iter().enumerate() {
                if fargate.plan.is_some() && fargate.plan != ec2.plan {
                    continue;
                }
                let (node, pod) = (ec2.per_hour.pico(), fargate.per_hour.pico());
                let pods = if pod > 0 { node as f64 / pod as f64 } else { f64::INFINITY };
                let cheaper_from =
                    (pod > 0).then(|| u64::try_from((node + pod - 1) / pod).unwrap_or(u64::MAX));
                // A mix has no whole pods to count.
                let needed = if self.mix.len() == 1 {
                    cheaper_from.map_or(f64::INFINITY, |n| n as f64)
                } else {
                    pods
                };
                let reachable = needed <= most;
                crossings.push(Crossing { ec2: e, fargate: f, pods, cheaper_from, reachable });
            }
        }
        crossings
    }

    /// What a pod-hour of the mix costs on nodes that carry so many pods.
    #[must_use]
    pub fn per_pod_hour(&self, ec2: &Priced, pods: f64) -> f64 {
        ec2.per_hour.to_f64() / pods
    }
}

/// The price of a pod-hour: a Fargate size at rates per vCPU-hour and GB-hour
/// (2³⁰ bytes), rounded half-even once at the twelfth place.
pub(super) fn size_per_hour(size: FargateSize, vcpu_hour: Rate, gb_hour: Rate) -> Rate {
    // Over a common denominator, so that only the sum is rounded.
    const CPU: i128 = 1_000;
    const MIB: i128 = 1_024;
    let cpu = vcpu_hour.pico() * i128::from(size.cpu.0) * MIB;
    let memory = gb_hour.pico() * i128::from(size.memory.0 >> 20) * CPU;
    Rate::from_pico(cpu + memory).scale(1, CPU * MIB)
}

/// The mean of the prices of a mix, weighted, rounded half-even once.
pub(super) fn mean_rate(rates: impl Iterator<Item = (i128, Rate)>) -> Rate {
    let (mut sum, mut weights) = (0, 0);
    for (weight, rate) in rates {
        sum += weight * rate.pico();
        weights += weight;
    }
    if weights > 0 { Rate::from_pico(sum).scale(1, weights) } else { Rate::ZERO }
}
