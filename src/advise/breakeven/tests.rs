//! Break-evens by hand.

use super::crossing::{mean_rate, size_per_hour};
use super::*;
use crate::bill::PriceStatus;
use crate::cluster::FargateSize;
use crate::units::{Bytes, MilliCpu, Rate};

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
        caveats: Vec::new(),
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
    let pairs: Vec<(usize, usize)> = it.crossings().iter().map(|c| (c.ec2, c.fargate)).collect();
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
