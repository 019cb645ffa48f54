//! Break-even of EC2 against Fargate: at which packing a node costs as much
//! as its pods would on Fargate.
//!
//! A node costs the same however full it is; Fargate sells each pod a size of
//! its own. With `n` pods of a mix on a node the two cost the same at
//! `n = node-hour ÷ pod-hour`, where the pod-hour is the mean price of the
//! mix's Fargate sizes: every pod's requests, the sidecars that DaemonSets
//! become there and, on EKS, 256 MiB, rounded up to the cheapest size that
//! holds them. Below `n` Fargate is cheaper, above it EC2, if so many fit.
//!
//! "Packing" has several denominators, and they disagree: requests of the
//! node's raw vCPU or memory, of what kubelet leaves (allocatable), pods of the
//! pod slots. [`Shares`] names each of them. A node is full when no further
//! pod fits, which for small pods is long before its vCPU is used up.

pub mod measure;

use crate::bill::PriceStatus;
use crate::cluster::FargateSize;
use crate::units::{Bytes, MilliCpu, Rate};

/// An amount of what a node has or pods ask for; a mean where several kinds
/// are mixed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amount {
    /// Milli-cores.
    pub cpu: f64,
    /// Bytes.
    pub memory: f64,
    /// Pods.
    pub pods: f64,
}

/// What a node offers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NodeOffer {
    /// vCPU and memory as advertised; pod slots.
    pub raw: Amount,
    /// What pods may request: less kubelet's and the system's reserve.
    pub allocatable: Amount,
    /// What `DaemonSet` pods take of it on every node.
    pub daemons: Amount,
}

/// One kind of pod of a mix.
#[derive(Debug, Clone, PartialEq)]
pub struct MixPod {
    /// What to call it; empty where its requests say enough.
    pub name: String,
    /// Its share of pod-hours among the mix, as a weight.
    pub weight: i128,
    /// Requests of one pod.
    pub cpu: MilliCpu,
    /// As `cpu`.
    pub memory: Bytes,
    /// The Fargate size that it is billed as.
    pub size: FargateSize,
}

/// A way of buying, with its price per node-hour or per pod-hour of the mix.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// Its name in results: `on-demand`, `spot`, `compute-sp-1y`.
    pub option: String,
    /// The commitment whose rates these are. Both sides of a comparison are
    /// priced under the same one, or Fargate at its own list price.
    pub plan: Option<String>,
    /// Everything that an hour of it costs.
    pub per_hour: Rate,
    /// The parts of `per_hour` by name; they sum to it.
    pub parts: Vec<(String, Rate)>,
    /// The weakest status among its prices.
    pub status: PriceStatus,
}

/// How a pool is run now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredPacking {
    /// Mean number of pods on a node while it is paid for.
    pub pods_per_node: f64,
    /// Metered node-hours.
    pub node_hours: f64,
}

/// Pods of a pool that Fargate cannot run.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// Why, by the name of the reason in results.
    pub reason: String,
    /// Their share of all pod-hours of the pool.
    pub share: f64,
}

/// EC2 nodes of one kind against Fargate for one mix of pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakeven {
    /// The instance type or the pool.
    pub subject: String,
    /// What a node offers; means over node-hours of a pool.
    pub node: NodeOffer,
    /// The mix.
    pub mix: Vec<MixPod>,
    /// Ways of buying a node-hour.
    pub ec2: Vec<Priced>,
    /// Ways of buying a pod-hour of the mix on Fargate.
    pub fargate: Vec<Priced>,
    /// Pods that are no part of the mix, though nodes carry them.
    pub left_out: Vec<LeftOut>,
    /// How full its nodes are now, where they were simulated.
    pub measured: Option<MeasuredPacking>,
}

/// Break-evens of one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakevens {
    /// Scenario, case and seed, where they come from a simulation.
    pub simulated: Option<Simulated>,
    /// The AWS Region.
    pub region: String,
    /// `eks` or `ecs`.
    pub orchestrator: &'static str,
    /// One per instance type or pool.
    pub comparisons: Vec<Breakeven>,
}

/// Where figures were measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// Name of the scenario.
    pub scenario: String,
    /// Its case.
    pub case: String,
    /// The seed that was run.
    pub seed: u64,
}

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
#[must_use]
pub fn size_per_hour(size: FargateSize, vcpu_hour: Rate, gb_hour: Rate) -> Rate {
    // Over a common denominator, so that only the sum is rounded.
    const CPU: i128 = 1_000;
    const MIB: i128 = 1_024;
    let cpu = vcpu_hour.pico() * i128::from(size.cpu.0) * MIB;
    let memory = gb_hour.pico() * i128::from(size.memory.0 >> 20) * CPU;
    Rate::from_pico(cpu + memory).scale(1, CPU * MIB)
}

/// The mean of the prices of a mix, weighted, rounded half-even once.
#[must_use]
pub fn mean_rate(rates: impl Iterator<Item = (i128, Rate)>) -> Rate {
    let (mut sum, mut weights) = (0, 0);
    for (weight, rate) in rates {
        sum += weight * rate.pico();
        weights += weight;
    }
    if weights > 0 { Rate::from_pico(sum).scale(1, weights) } else { Rate::ZERO }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().expect("a decimal")
    }

    fn priced(option: &str, per_hour: Rate) -> Priced {
        Priced {
            option: option.to_owned(),
            plan: None,
            per_hour,
            parts: vec![(option.to_owned(), per_hour)],
            status: PriceStatus::Real,
        }
    }

    const MIB: f64 = (1 << 20) as f64;

    /// An m6i.2xlarge in us-east-1: 8 vCPU, 32 GiB and 58 pods for 0.384 USD an
    /// hour; kubelet leaves 7,910m and some 30,555 MiB.
    pub(crate) fn m6i(cpu: i64, memory_mib: i64, size: (i64, i64)) -> Breakeven {
        let size = FargateSize { cpu: MilliCpu(size.0), memory: Bytes(size.1 << 20) };
        let hour = size_per_hour(size, rate("0.04048"), rate("0.004445"));
        Breakeven {
            subject: "m6i.2xlarge".to_owned(),
            node: NodeOffer {
                raw: Amount { cpu: 8_000.0, memory: 32_768.0 * MIB, pods: 58.0 },
                allocatable: Amount { cpu: 7_910.0, memory: 30_555.0 * MIB, pods: 58.0 },
                daemons: Amount::default(),
            },
            mix: vec![MixPod {
                name: String::new(),
                weight: 1,
                cpu: MilliCpu(cpu),
                memory: Bytes(memory_mib << 20),
                size,
            }],
            ec2: vec![priced("on-demand", rate("0.384")), priced("spot", rate("0.16128"))],
            fargate: vec![priced("fargate", hour)],
            left_out: Vec::new(),
            measured: None,
        }
    }

    /// By hand: 0.25 vCPU × 0.04048 + 0.5 GB × 0.004445 = 0.01012 + 0.0022225 =
    /// 0.0123425 USD a pod-hour; 0.384 ÷ 0.0123425 = 31.11 pods. 31.11 × 0.1 of 8
    /// vCPU is 38.9 %, of 58 pod slots 53.6 %. 31 pods cost 0.38262 on
    /// Fargate and 32 cost 0.39496, so the node wins from 32 on.
    #[test]
    fn small_pods_break_even_at_31_of_58() {
        let it = m6i(100, 256, (250, 512));
        assert_eq!(it.fargate[0].per_hour, rate("0.0123425"));
        let crossing = it.crossings()[0];
        assert!((crossing.pods - 31.112).abs() < 0.001, "{}", crossing.pods);
        assert_eq!((crossing.cheaper_from, crossing.reachable), (Some(32), true));
        let shares = it.shares(crossing.pods);
        assert!((shares.raw_cpu - 0.3889).abs() < 1e-4, "39 %");
        assert!((shares.pod_slots - 0.5364).abs() < 1e-4, "54 %");
        // 31.11 × 256 of 32,768 MiB; 31.11 × 100m of 7,910m.
        assert!((shares.raw_memory - 0.243_06).abs() < 1e-4, "{}", shares.raw_memory);
        assert!((shares.allocatable_cpu - 0.393_33).abs() < 1e-4);
        // 58 pods need 5,800m and 14,848 MiB: slots end it.
        assert_eq!(it.most(), (58.0, Binding::PodSlots));
        assert!((shares.of_most - 31.112 / 58.0).abs() < 1e-4);
    }

    /// Pods whose requests and 256 MiB fill their Fargate size, with 3 to 4 GB a
    /// vCPU. By hand: 1 vCPU and 4 GB cost 0.04048 + 0.01778 = 0.05826, so
    /// 0.384 buys 6.591 of them, 82.4 % of 8 vCPU; with 3 GB 0.053815, 7.136
    /// and 89.2 %. The ratio decides, not the size: 0.25 vCPU with 1 GB and 2
    /// vCPU with 8 GB break even at 82.4 % as well.
    #[test]
    fn well_shaped_pods_break_even_at_80_to_90_percent() {
        for (cpu, size_mib, want) in
            [(1_000, 4_096, 82.4), (1_000, 3_072, 89.2), (250, 1_024, 82.4), (2_000, 8_192, 82.4)]
        {
            let it = m6i(cpu, size_mib - 256, (cpu, size_mib));
            let shares = it.shares(it.crossings()[0].pods);
            assert!((shares.raw_cpu * 100.0 - want).abs() < 0.05, "{cpu} {size_mib} {shares:?}");
        }
        // 7 pods of 1 vCPU are needed and 7 fit (7.91 vCPU): only a full node
        // is cheaper.
        let it = m6i(1_000, 3_840, (1_000, 4_096));
        let crossing = it.crossings()[0];
        assert_eq!((crossing.cheaper_from, crossing.reachable), (Some(7), true));
        assert_eq!(it.most(), (7.0, Binding::Cpu));
        // With 3 GB a vCPU eight are needed.
        let it = m6i(1_000, 2_816, (1_000, 3_072));
        let crossing = it.crossings()[0];
        assert_eq!((crossing.cheaper_from, crossing.reachable), (Some(8), false));
    }

    #[test]
    fn spot_needs_fewer_pods_and_daemonsets_take_room() {
        let mut it = m6i(1_000, 3_840, (1_000, 4_096));
        // 0.16128 ÷ 0.05826 = 2.768.
        let spot = it.crossings()[1];
        assert_eq!((spot.ec2, spot.cheaper_from, spot.reachable), (1, Some(3), true));
        it.node.daemons = Amount { cpu: 1_000.0, memory: 0.0, pods: 2.0 };
        assert_eq!(it.most(), (6.0, Binding::Cpu));
        assert!(!it.crossings()[0].reachable);
    }

    #[test]
    fn a_plan_is_compared_with_itself_only() {
        let mut it = m6i(100, 256, (250, 512));
        it.ec2.push(Priced { plan: Some("p".to_owned()), ..priced("p", rate("0.28")) });
        it.fargate.push(Priced { plan: Some("p".to_owned()), ..priced("p", rate("0.01")) });
        let pairs: Vec<(usize, usize)> =
            it.crossings().iter().map(|c| (c.ec2, c.fargate)).collect();
        assert_eq!(pairs, [(0, 0), (1, 0), (2, 0), (2, 1)]);
    }

    /// One small pod and three of 1 vCPU: (1 × 0.0123425 + 3 × 0.05826) ÷ 4 =
    /// 0.046780625; mean request (100 + 3,000) ÷ 4 = 775m.
    #[test]
    fn a_mix_is_its_weighted_mean() {
        let (small, large) = (m6i(100, 256, (250, 512)), m6i(1_000, 3_840, (1_000, 4_096)));
        let mut it = small.clone();
        it.mix.push(MixPod { weight: 3, ..large.mix[0].clone() });
        let hours = [(1, small.fargate[0].per_hour), (3, large.fargate[0].per_hour)];
        it.fargate = vec![priced("fargate", mean_rate(hours.into_iter()))];
        assert_eq!(it.fargate[0].per_hour, rate("0.046780625"));
        assert!((it.mean_pod().cpu - 775.0).abs() < 1e-9);
        // Memory: (256 + 3 × 3,840) ÷ 4 = 2,944 MiB; 30,555 ÷ 2,944 = 10.379; cpu:
        // 7,910 ÷ 775 = 10.206.
        let (most, binding) = it.most();
        assert!((most - 10.206).abs() < 0.001 && binding == Binding::Cpu, "{most}");
        // 0.384 ÷ 0.046780625 = 8.209 pods.
        assert!((it.crossings()[0].pods - 8.2086).abs() < 0.001);
    }

    #[test]
    fn what_is_free_has_no_break_even() {
        let mut it = m6i(100, 256, (250, 512));
        it.fargate[0].per_hour = Rate::ZERO;
        let crossing = it.crossings()[0];
        assert_eq!((crossing.cheaper_from, crossing.reachable), (None, false));
        it.ec2[0].per_hour = Rate::ZERO;
        it.fargate[0].per_hour = rate("0.01");
        assert_eq!(it.crossings()[0].cheaper_from, Some(0));
    }
}
