//! Answers to questions from the command line, by hand. Prices are those of
//! us-east-1 unless said otherwise.

use super::*;
use crate::advise::breakeven::Binding;
use crate::catalog::Catalog;

fn pod(text: &str) -> AskedPod {
    let (cpu, memory) = text.split_once(',').expect("two");
    (cpu.parse().expect("cpu"), memory.parse().expect("memory"))
}

fn question(kind: &str, pods: &[(&str, i128)]) -> Question {
    Question {
        types: vec![kind.to_owned()],
        pods: pods.iter().map(|(text, weight)| (pod(text), *weight)).collect(),
        daemons: Vec::new(),
        orchestrator: Orchestrator::Eks,
        max_pods: None,
        root_volume: None,
        auto_mode: false,
    }
}

fn of(region: &str, question: &Question) -> Result<Breakeven> {
    let catalog = Catalog::load(None).expect("tables");
    let prices = Prices::new(catalog, region, false).expect("a Region");
    asked(question, &prices).map(|mut all| all.remove(0))
}

/// Node-hour, pod-hour, pods at which they meet, whole pods that make the node
/// cheaper (nothing where they do not fit), pods that fit and what ends it: of
/// the ways of this name.
fn told(it: &Breakeven, ec2: &str, fargate: &str) -> (String, String, String, Option<u64>, String) {
    let at = |ways: &[Priced], name: &str| {
        ways.iter().position(|p| p.option == name).unwrap_or_else(|| panic!("{name}: {ways:?}"))
    };
    let (e, f) = (at(&it.ec2, ec2), at(&it.fargate, fargate));
    let crossings = it.crossings();
    let c = crossings.iter().find(|c| (c.ec2, c.fargate) == (e, f)).expect("a pair");
    let (most, binding) = it.most();
    (
        it.ec2[e].per_hour.to_string(),
        it.fargate[f].per_hour.to_string(),
        format!("{:.3}", c.pods),
        c.cheaper_from.filter(|_| c.reachable),
        format!("{most:.3} {}", binding.name()),
    )
}

fn want(
    node: &str,
    pod: &str,
    pods: &str,
    from: Option<u64>,
    most: (&str, Binding),
) -> (String, String, String, Option<u64>, String) {
    let full = format!("{} {}", most.0, most.1.name());
    (node.to_owned(), pod.to_owned(), pods.to_owned(), from, full)
}

/// An m6i.2xlarge offers 8,000 - 60 - 10 - 10 - 10 = 7,910m (60m of the first
/// core, 10m of the second, 5m of the third and fourth, 2.5m of the others) and
/// 31,548 - (255 + 11 × 58) - 100 = 30,555 MiB to 58 pods.
///
/// With an agent of 100m and 128 MiB a pod of 1 vCPU and 3,840 MiB needs 1.1
/// vCPU and 4,224 MiB on Fargate: 2 vCPU and 5 GB, 0.08096 + 0.022225 =
/// 0.103185. 0.384 ÷ 0.103185 = 3.721. Seven fit beside the agent: 7,810 ÷
/// 1,000, and 30,427 ÷ 3,840 = 7.92.
#[test]
fn an_agent_is_a_sidecar_and_takes_room() {
    let mut it = question("m6i.2xlarge", &[("1,3840Mi", 1)]);
    it.daemons = vec![pod("100m,128Mi")];
    let found = of("us-east-1", &it).expect("compared");
    assert_eq!(
        told(&found, "on-demand", "fargate"),
        want("0.384", "0.103185", "3.721", Some(4), ("7.000", Binding::Cpu))
    );
    assert!((found.node.allocatable.memory - 30_555.0 * 1_048_576.0).abs() < 0.5);
    // Of 8 vCPU 3.721 are 46.5 %, of the seven that fit 53.2 %.
    let shares = found.shares(found.crossings()[0].pods);
    assert!((shares.raw_cpu - 0.465_2).abs() < 1e-4 && (shares.of_most - 0.531_6).abs() < 1e-4);
}

/// No 256 MiB on ECS: 1 vCPU and 4 GB, 0.05826. Three interfaces are left for
/// tasks; with trunking it is memory that ends it: 31,548 ÷ 4,096 = 7.7.
/// Fargate Spot: 0.01214 + 4 × 0.001334 = 0.017476.
#[test]
fn ecs_has_no_overhead_and_few_interfaces() {
    let mut it = question("m6i.2xlarge", &[("1,4Gi", 1)]);
    it.orchestrator = Orchestrator::Ecs;
    let found = of("us-east-1", &it).expect("compared");
    let slots = ("3.000", Binding::PodSlots);
    let got = told(&found, "on-demand", "fargate");
    assert_eq!(got, want("0.384", "0.05826", "6.591", None, slots));
    assert_eq!(found.caveats, [Caveat::NoTrunking("m6i.2xlarge".to_owned())]);
    it.max_pods = Some(38);
    let found = of("us-east-1", &it).expect("compared");
    let memory = ("7.000", Binding::Memory);
    let got = told(&found, "on-demand", "fargate");
    assert_eq!(got, want("0.384", "0.05826", "6.591", Some(7), memory));
    let got = told(&found, "on-demand", "fargate-spot");
    assert_eq!(got, want("0.384", "0.017476", "21.973", None, memory));
    // Spot nodes are 58 % off: 0.16128 ÷ 0.017476 = 9.229.
    let got = told(&found, "spot", "fargate-spot");
    assert_eq!(got, want("0.16128", "0.017476", "9.229", None, memory));
    assert_eq!(found.caveats, []);
}

/// Arm64 on ECS: 0.03238 + 4 × 0.00356 = 0.04662. 0.3264 ÷ 0.04662 = 7.001.
/// On EKS Fargate is x86 at 0.05826: 5.602.
#[test]
fn architecture_follows_the_orchestrator() {
    let mut it = question("m7g.2xlarge", &[("1,3840Mi", 1)]);
    let cpu = ("7.000", Binding::Cpu);
    let found = of("us-east-1", &it).expect("compared");
    let got = told(&found, "on-demand", "fargate");
    assert_eq!(got, want("0.3264", "0.05826", "5.602", Some(6), cpu));
    (it.orchestrator, it.max_pods) = (Orchestrator::Ecs, Some(38));
    let found = of("us-east-1", &it).expect("compared");
    let got = told(&found, "on-demand", "fargate-arm64");
    assert_eq!(got, want("0.3264", "0.04662", "7.001", Some(8), ("8.000", Binding::Cpu)));
    // Where arm64 has no price, Regions that have one are named.
    let error = of("eu-west-1", &it).expect_err("no price").to_string();
    assert!(error.contains("arm64") && error.contains("sa-east-1, us-east-1"), "{error}");
}

/// A plan of one year takes 27 % off an m6i and 20 % off Fargate, one of three
/// years 50 % and 40 %: 0.28032 ÷ 0.046608 = 6.014, 0.192 ÷ 0.034956 = 5.493.
#[test]
fn plans_are_on_both_sides() {
    let it = question("m6i.2xlarge", &[("1,3840Mi", 1)]);
    let found = of("us-east-1", &it).expect("compared");
    let cpu = ("7.000", Binding::Cpu);
    let got = told(&found, "compute-sp-1y", "fargate, compute-sp-1y");
    assert_eq!(got, want("0.28032", "0.046608", "6.014", Some(7), cpu));
    let got = told(&found, "compute-sp-3y", "fargate, compute-sp-3y");
    assert_eq!(got, want("0.192", "0.034956", "5.493", Some(6), cpu));
}

/// Weights 3 and 1. 1,024 + 256 MiB: 0.25 vCPU and 2 GB, 0.01901. 2,048 + 256
/// MiB: 0.5 vCPU and 3 GB, 0.033575. Mean (3 × 0.01901 + 0.033575) ÷ 4 =
/// 0.02265125 for 312.5m and 1,280 MiB. An m6i.large offers 1,930m and 7,771 - 100 -
/// (255 + 11 × 29) = 7,097 MiB: 5.545 pods of the mix by memory.
#[test]
fn a_mix_fills_a_node_by_sums() {
    let it = question("m6i.large", &[("250m,1Gi", 3), ("500m,2Gi", 1)]);
    let found = of("us-east-1", &it).expect("compared");
    assert_eq!(
        told(&found, "on-demand", "fargate"),
        want("0.096", "0.02265125", "4.238", Some(5), ("5.545", Binding::Memory))
    );
}

/// 0.25 vCPU and 0.5 GB is the least that Fargate sells: a t3.medium, 0.0416,
/// is worth 3.370 of them, however small. In sa-east-1 1 vCPU and 4 GB cost
/// 0.0696 + 0.0304 = 0.1.
#[test]
fn small_nodes_and_other_regions() {
    let slots = ("17.000", Binding::PodSlots);
    for small in ["100m,128Mi", "1m,1Mi"] {
        let found = of("us-east-1", &question("t3.medium", &[(small, 1)])).expect("compared");
        let got = told(&found, "on-demand", "fargate");
        assert_eq!(got, want("0.0416", "0.0123425", "3.370", Some(4), slots));
    }
    let it = question("m6i.2xlarge", &[("1,3840Mi", 1)]);
    let got = told(&of("sa-east-1", &it).expect("compared"), "on-demand", "fargate");
    assert_eq!(got, want("0.612", "0.1", "6.120", Some(7), ("7.000", Binding::Cpu)));
}

/// 119.75 GiB and 256 MiB are the 120 GB of the largest size: 16 × 0.04048 +
/// 120 × 0.004445 = 1.18108. An m6i.16xlarge offers 253,654 - 100 - (255 +
/// 11 × 737) = 245,192 MiB, a hair less than two of 122,624; 3.072 ÷ 1.18108 =
/// 2.601. A MiB more is refused on EKS, and fine on ECS.
#[test]
fn the_largest_size_ends_at_120_gb() {
    let it = question("m6i.16xlarge", &[("16,122624Mi", 1)]);
    let found = of("us-east-1", &it).expect("compared");
    assert_eq!(
        told(&found, "on-demand", "fargate"),
        want("3.072", "1.18108", "2.601", None, ("1.000", Binding::Memory))
    );
    let mut it = question("m6i.16xlarge", &[("16,122625Mi", 1)]);
    let error = of("us-east-1", &it).expect_err("too large").to_string();
    assert!(error.contains("122881Mi on Fargate with the 256Mi of Kubernetes"), "{error}");
    it.orchestrator = Orchestrator::Ecs;
    assert!(of("us-east-1", &it).is_ok());
    let error = of("us-east-1", &question("m6i.2xlarge", &[("8,1Gi", 1)])).expect_err("no room");
    assert!(error.to_string().contains("no such pod fits m6i.2xlarge"), "{error}");
}

/// A g5.xlarge costs 1.006, and Fargate has no GPUs.
#[test]
fn accelerators_are_said() {
    let found = of("us-east-1", &question("g5.xlarge", &[("1,3840Mi", 1)])).expect("compared");
    // 15,779 - (255 + 11 × 58) - 100 = 14,786 MiB: three pods.
    assert_eq!(
        told(&found, "on-demand", "fargate"),
        want("1.006", "0.05826", "17.267", None, ("3.000", Binding::Memory))
    );
    let name = |kind: &str| match of("us-east-1", &question(kind, &[("1,1Gi", 1)])) {
        Ok(found) => match found.caveats.as_slice() {
            [Caveat::Accelerators { count, name, .. }] => format!("{count} {name}"),
            other => panic!("{kind}: {other:?}"),
        },
        Err(e) => panic!("{kind}: {e}"),
    };
    assert_eq!(name("g5.xlarge"), "1 a10g GPU");
    assert_eq!(name("g5.12xlarge"), "4 a10g GPU");
    assert_eq!(name("trn1.2xlarge"), "1 trainium accelerator");
}
