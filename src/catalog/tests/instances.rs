//! Shapes of instance types.

use super::*;

#[test]
fn m5_large_by_hand() {
    let region = region("us-east-1");
    let kind = region.instance_type("m5.large").expect("known");
    assert_eq!((kind.family(), kind.size(), kind.generation), ("m5", "large", 5));
    assert_eq!((kind.vcpu, kind.memory, kind.arch), (2, mib(8_192), Arch::Amd64));
    assert_eq!((kind.enis, kind.ipv4_per_eni, kind.max_pods_eni), (Some(3), Some(10), 29));
    assert_eq!(kind.os_memory, mib(7_811));
    assert_eq!(kind.os_memory_origin, MemoryOrigin::Measured(Text::from("2025-12-10")));
    // 60m + 10m; 255 + 11·29 = 574 MiB.
    assert_eq!(kind.kube_reserved(29), (MilliCpu(70), mib(574)));
    // 7811 − 574 − 100.
    assert_eq!(kind.allocatable(29), (MilliCpu(1_930), mib(7_137)));
    // 8192 − ⌈614.4⌉ = 7577; − 674.
    assert_eq!(kind.karpenter_allocatable(29), (MilliCpu(1_930), mib(6_903)));
}

#[test]
fn reserved_cpu_follows_the_tiers() {
    let catalog = embedded();
    for (name, reserved) in [
        ("m7g.medium", 60),
        ("m5.large", 70),
        ("m5.xlarge", 80),
        ("m5.2xlarge", 90),
        ("m5.4xlarge", 110),
        ("m5.8xlarge", 150),
        ("m5.16xlarge", 230),
        ("m5.24xlarge", 310),
    ] {
        let kind = catalog.instance_type(name).expect(name);
        assert_eq!(kind.kube_reserved(10).0, MilliCpu(reserved), "{name}");
    }
    let nano = catalog.instance_type("t3.nano").expect("known");
    assert!(nano.allocatable(1_000).1 == Bytes(0), "never below zero");
}

#[test]
fn unmeasured_memory_follows_the_usual_ratio() {
    let catalog = embedded();
    let kind = |name: &str| catalog.instance_type(name).expect("known");
    let unmeasured: Vec<&InstanceType> = catalog
        .instance_types()
        .iter()
        .filter(|kind| kind.os_memory_origin == MemoryOrigin::Ratio)
        .collect();
    assert_eq!(unmeasured.len(), 284);
    for kind in &unmeasured {
        let per_mille = kind.os_memory.0 * 1_000 / kind.memory.0;
        assert!((895..=967).contains(&per_mille), "{}", kind.name);
    }
    // 786,432 × 0.967 = 760,479.7.
    let p4d = unmeasured.iter().find(|kind| kind.memory == mib(786_432)).expect("one");
    assert_eq!(p4d.os_memory, mib(760_479));
    assert_eq!(kind("m5.large").os_memory_origin.to_string(), "measured 2025-12-10");
}

#[test]
fn karpenter_pairs_are_reproduced() {
    let Some(shared) = shared_dir() else { return };
    let catalog = embedded();
    let path = shared.join("facts/ec2-instance-types.csv");
    let mut reader = csv::Reader::from_path(path).expect("facts");
    let header = reader.headers().expect("header").clone();
    let column = |name: &str| header.iter().position(|h| h == name).expect("column");
    let (name, cpu, memory, pods) = (
        column("instance_type"),
        column("eks_allocatable_cpu_milli"),
        column("eks_allocatable_memory_mib"),
        column("eks_pods"),
    );
    let mut pairs = 0;
    for record in reader.records() {
        let record = record.expect("record");
        if record[cpu].is_empty() {
            continue;
        }
        let kind = catalog.instance_type(&record[name]).expect("known");
        let (got_cpu, got_memory) = kind.karpenter_allocatable(record[pods].parse().expect("pods"));
        assert_eq!(got_cpu.0, record[cpu].parse::<i64>().expect("cpu"), "{}", kind.name);
        let published: i64 = record[memory].parse().expect("memory");
        assert!(((got_memory.0 >> 20) - published).abs() <= 1, "{}", kind.name);
        pairs += 1;
    }
    assert_eq!(pairs, 1_363);
}

#[test]
fn max_pods_follow_the_interfaces() {
    for kind in embedded().instance_types() {
        if let (Some(enis), Some(ipv4)) = (kind.enis, kind.ipv4_per_eni) {
            assert_eq!(kind.max_pods_eni, enis * (ipv4 - 1) + 2, "{}", kind.name);
        }
    }
}

/// c5.large has three interfaces: two tasks, ten with a trunk (ECS developer
/// guide, container-instance-eni.md).
#[test]
fn awsvpc_tasks_by_hand() {
    let region = region("us-east-1");
    let tasks = |name: &str, trunking| {
        region.instance_type(name).expect("listed").ecs_awsvpc_tasks(trunking)
    };
    assert_eq!((tasks("c5.large", false), tasks("c5.large", true)), (Some(2), Some(10)));
    assert_eq!((tasks("m7i.large", false), tasks("t3.large", true)), (Some(2), None));
}
