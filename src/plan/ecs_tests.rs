//! Amazon ECS, from text to plan or to findings.

use std::path::Path;

use super::*;
use crate::bill::PriceStatus;
use crate::cluster::Capacity;
use crate::place::ecs::{Field, Rule, SpreadBy, service_default, task_default};
use crate::scale::ecs_capacity::{ManagedScaling, StrategyItem};
use crate::scenario::Source;
use crate::units::{Bytes, MilliCpu, SimDuration};

const HEAD: &str = "
version: 1
name: t
region: us-east-1
orchestrator: ecs
time: { horizon: 1d }
workload:
  web:
    service: { requests: { cpu: 500m, memory: 1Gi }, replicas: 3 }
  jobs:
    generate:
      count: 1
      arrivals: { even: { every: 1m } }
      duration: 10m
      shapes: [{ cpu: 1, memory: 1Gi }]
";

const GROUP: &str = "pools: { g: { asg: { types: [m5.large], max: 9 } } }\n";
const TWO: &str = "
pools:
  a: { asg: { types: [m5.large], max: 9 } }
  b: { asg: { types: [m5.large], max: 9, purchase: { above-base: spot } } }
  own: { fixed: { type: m5.large, count: 1 } }
  f: { fargate: {} }
  s: { fargate: { purchase: spot, arch: arm64 } }
";

fn with(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

fn try_plan(text: &str) -> crate::Result<Plan> {
    link(&Source::parse(Path::new("s.yaml"), text.as_bytes())?, &Options::default())
}

fn plan(text: &str) -> Plan {
    try_plan(text).expect("links")
}

fn errors(text: &str) -> String {
    try_plan(text).expect_err("refused").to_string()
}

/// m5.large shows Linux 7,811 MiB; all of it and both vCPU are registered.
#[test]
fn an_instance_registers_what_its_system_sees() {
    let capacity = |text: &str| -> Capacity {
        plan(&with(text)).cases[0].setup.cluster.shapes[0].allocatable.clone()
    };
    let whole = capacity(GROUP);
    assert_eq!((whole.cpu, whole.memory), (MilliCpu(2_000), Bytes(7_811 << 20)));
    assert_eq!(whole.pods, 1_000_000);
    let kept = capacity(&format!("{GROUP}ecs: {{ reserved-memory: 256Mi }}\n"));
    assert_eq!(kept.memory, Bytes(7_555 << 20));
    // Three interfaces: two tasks, ten with a trunk.
    let awsvpc = capacity(&format!("{GROUP}ecs: {{ network-mode: awsvpc }}\n"));
    assert_eq!(awsvpc.pods, 2);
    let text = format!("{GROUP}ecs: {{ network-mode: awsvpc, awsvpc-trunking: true }}\n");
    assert_eq!(capacity(&text).pods, 10);
}

#[test]
fn defaults_are_those_of_ecs() {
    let plan = plan(&with(GROUP));
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    let case = &plan.cases[0];
    let ecs = case.setup.ecs.as_ref().expect("on ECS");
    assert_eq!(ecs.workloads[0].strategy, service_default());
    assert_eq!(ecs.workloads[1].strategy, task_default());
    assert!(ecs.workloads[0].default_strategy);
    assert_eq!(ecs.workloads[0].providers, [StrategyItem { provider: 0, base: 0, weight: 1 }]);
    assert_eq!(ecs.scaling, [Some(ManagedScaling::default())]);
    assert_eq!((ecs.provisioning_limit, ecs.spot_instance_draining), (500, false));
    assert!(case.setup.autoscaler.is_none());
    // A cluster costs nothing.
    assert_eq!(case.billing.around, []);
    for path in [
        "ecs.network-mode",
        "ecs.reserved-memory",
        "pools.g.capacity-provider.managedScaling.targetCapacity",
        "workload.web.placement-strategy",
        "instance-types.m5.large.registered",
    ] {
        assert!(case.settings.iter().any(|s| s.path == path), "{path}");
    }
    assert!(case.settings.iter().all(|s| !s.path.starts_with("placement.scheduler")));
}

#[test]
fn everything_can_be_stated() {
    let text = with(
        "placement: [spread(attribute:team), binpack(memory)]
ecs: { spot-instance-draining: true, provisioning-limit: 100 }
pools:
  g:
    asg: { types: [m5.large], max: 9 }
    labels: { team: blue, rack: row 1/b@c }
    capacity-provider:
      managedScaling: { targetCapacity: 90, minimumScalingStepSize: 2, maximumScalingStepSize: 5, instanceWarmupPeriod: 1m }
      managedTerminationProtection: ENABLED
      managedDraining: DISABLED
      cold-start-instances: 1
",
    )
    .replace("replicas: 3 }", "replicas: 3 }\n    placement-strategy: [random]");
    let plan = plan(&text);
    let ecs = plan.cases[0].setup.ecs.as_ref().expect("on ECS");
    let team = Rule::Spread(SpreadBy::Attribute("team".into()));
    assert_eq!(ecs.workloads[0].strategy, [Rule::Random]);
    assert_eq!(ecs.workloads[1].strategy, [team, Rule::Binpack(Field::Memory)]);
    let want = ManagedScaling {
        target_capacity: 90,
        minimum_scaling_step_size: 2,
        maximum_scaling_step_size: 5,
        instance_warmup_period: SimDuration::from_secs(60),
        managed_termination_protection: true,
        managed_draining: false,
        cold_start_instances: 1,
    };
    assert_eq!(ecs.scaling, [Some(want)]);
}

#[test]
fn strategies_split_tasks_over_pools() {
    let text = with(&format!(
        "{TWO}ecs: {{ default-capacity-provider-strategy: [ {{ capacityProvider: a, base: 2, weight: 1 }}, \
         {{ capacityProvider: b, weight: 3 }} ] }}\n"
    ));
    let text = text.replace(
        "    generate:",
        "    capacity-provider-strategy: [{ capacityProvider: s }]\n    generate:",
    );
    let plan = plan(&text);
    let case = &plan.cases[0];
    let ecs = case.setup.ecs.as_ref().expect("on ECS");
    let item = |provider, base, weight| StrategyItem { provider, base, weight };
    assert_eq!(ecs.workloads[0].providers, [item(0, 2, 1), item(1, 0, 3)]);
    // Pools of nodes come first: a, b, own, then f and s. Alone it takes all.
    assert_eq!(ecs.workloads[1].providers, [item(4, 0, 1)]);
    let spot = &case.setup.cluster.fargate[1];
    assert!(spot.hazard_per_hour > 0.0 && case.setup.cluster.fargate[0].hazard_per_hour == 0.0);
    assert_eq!((spot.overhead_memory, spot.launch_burst), (Bytes(0), 100));
    let price = &case.billing.fargate[1];
    assert_eq!(price.vcpu_hour.rate.to_string(), "0.009714");
    assert_eq!(price.vcpu_hour.status, PriceStatus::Representative);
    let (vcpu, gb) = price.spot_of.expect("Spot");
    assert_eq!((vcpu.rate.to_string(), gb.rate.to_string()), ("0.03238".into(), "0.00356".into()));
    // Launch type EC2 instead.
    let text = with(TWO)
        .replace("replicas: 3 }", "replicas: 3 }\n    launch-type: EC2")
        .replace("    generate:", "    launch-type: EC2\n    generate:");
    let plan = self::plan(&text);
    let ecs = plan.cases[0].setup.ecs.as_ref().expect("on ECS");
    assert!(ecs.workloads.iter().all(|w| w.providers.is_empty()));
}

/// A Compute Savings Plan covers Fargate on both architectures and no Spot.
#[test]
fn a_plan_covers_arm_and_no_spot() {
    let text = with(
        "pools: { f: { fargate: { arch: arm64 } }, s: { fargate: { purchase: spot } } }
ecs: { default-capacity-provider-strategy: [{ capacityProvider: f, weight: 1 }, { capacityProvider: s, weight: 1 }] }
commitments: { sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 1 } }
",
    );
    let plan = plan(&text);
    let [arm, spot] = plan.cases[0].billing.commitments[0].fargate.as_slice() else {
        panic!("two pools")
    };
    // 20 % off 0.03238.
    assert_eq!(arm.expect("covered").0.rate.to_string(), "0.025904");
    assert_eq!(*spot, None);
}

#[test]
fn strategies_follow_the_rules_of_the_api() {
    let default = |items: &str| {
        let rest = format!("{TWO}ecs: {{ default-capacity-provider-strategy: [{items}] }}\n");
        errors(&with(&rest))
    };
    for (items, message) in [
        ("{ capacityProvider: c, weight: 1 }", "there is no pool `c`"),
        ("{ capacityProvider: own, weight: 1 }", "is no capacity provider"),
        ("{ capacityProvider: a, weight: 1 }, { capacityProvider: f, weight: 1 }", "cannot mix"),
        ("{ capacityProvider: a, weight: 1 }, { capacityProvider: a, weight: 1 }", "listed twice"),
        ("{ capacityProvider: a, base: 1 }, { capacityProvider: b }", "needs a weight above 0"),
        (
            "{ capacityProvider: a, base: 1, weight: 1 }, { capacityProvider: b, base: 1 }",
            "only one capacity provider",
        ),
    ] {
        let errors = default(items);
        assert!(errors.contains(message), "{items}: {errors}");
    }
    let errors = errors(&with(TWO));
    assert!(errors.contains("which of the pools take the tasks of `web`?"), "{errors}");
    assert!(errors.contains("ecs.default-capacity-provider-strategy"), "{errors}");
}

#[test]
fn what_means_nothing_is_said_once_or_refused() {
    // Steering of Kubernetes would be lost unseen.
    let text = with(GROUP).replace("replicas: 3 }", "replicas: 3 }\n    nodeSelector: { a: b }");
    let found = errors(&text);
    assert!(found.contains("means nothing to ECS"), "{found}");
    assert!(found.contains("remove: [workload.web.nodeSelector]"), "{found}");
    let text = with(
        "pools: { g: { asg: { types: [m5.large], max: 9 }, taints: [{ key: a, effect: NoSchedule }] } }\n",
    );
    assert!(errors(&text).contains("remove: [pools.g.taints]"));
    // Others are warned of, unless a case has the other orchestrator.
    let keys = "pools: { g: { asg: { types: [m5.large], max: 9 }, scaler: cluster-autoscaler, max-pods: 20 } }
versions: { kubernetes: \"1.35\" }
placement: { scheduler: { rate: 10 } }
";
    let codes =
        |text: &str| -> Vec<&'static str> { plan(text).warnings.iter().map(|w| w.code).collect() };
    assert_eq!(codes(&with(keys)), ["kubernetes-only"; 4]);
    let both = format!("{keys}cases: {{ a: {{}}, b: {{ set: {{ orchestrator: eks }} }} }}\n");
    assert_eq!(codes(&with(&both)), [""; 0]);
    // Nor where only the one is picked that does not use them.
    let source = Source::parse(Path::new("s.yaml"), with(&both).as_bytes()).expect("reads");
    let picked = Options { cases: Some(vec!["a".into()]), ..Options::default() };
    assert!(link(&source, &picked).expect("links").warnings.is_empty());
    let eks = with(&format!("{GROUP}ecs: {{ provisioning-limit: 9 }}\nplacement: [random]\n"))
        .replace("orchestrator: ecs", "orchestrator: eks")
        .replace("max: 9", "min: 9, max: 9");
    assert_eq!(codes(&eks), ["ecs-only"; 2]);
    // Strategies have their own mistakes.
    for (placement, message) in [
        ("[random, binpack(cpu)]", "after `random` has no effect"),
        ("[spread(attribute:rack)]", "no container instance has the attribute `rack`"),
        ("[spread(zone)]", "unknown placement strategy"),
        ("[random, random, random, random, random, random]", "at most 5"),
    ] {
        let found = errors(&with(&format!("{GROUP}placement: {placement}\n")));
        assert!(found.contains(message), "{placement}: {found}");
    }
}

#[test]
fn capacity_providers_keep_to_the_api() {
    for (provider, message) in [
        (
            "{ managedScaling: { status: DISABLED }, managedTerminationProtection: ENABLED }",
            "needs managed scaling",
        ),
        ("{ managedScaling: { instanceWarmupPeriod: 3h } }", "at most 10000s"),
        (
            "{ managedScaling: { minimumScalingStepSize: 5, maximumScalingStepSize: 4 } }",
            "is below minimumScalingStepSize",
        ),
        ("{ managedScaling: { targetCapacity: 0 } }", "is too small: at least 1"),
    ] {
        let text = format!(
            "pools: {{ g: {{ asg: {{ types: [m5.large], max: 9 }}, capacity-provider: {provider} }} }}\n"
        );
        let found = errors(&with(&text));
        assert!(found.contains(message), "{provider}: {found}");
    }
}

#[test]
fn fargate_on_eks_has_neither_spot_nor_arm() {
    for (pool, message) in [
        ("{ match: { namespace: \"*\" }, purchase: spot }", "Fargate Spot is for ECS only"),
        ("{ match: { namespace: \"*\" }, arch: arm64 }", "Fargate on arm64 is for ECS only"),
        ("{}", "needs the key `match`"),
        (
            "{ match: { namespace: \"*\" }, interruptions: none }",
            "only Fargate Spot is interrupted",
        ),
    ] {
        let text = with(&format!("pools: {{ f: {{ fargate: {pool} }} }}\n"));
        let found = errors(&text.replace("orchestrator: ecs", "orchestrator: eks"));
        assert!(found.contains(message), "{pool}: {found}");
    }
    // On ECS no match is needed, but a Region with a price is.
    let text = with("pools: { f: { fargate: { purchase: spot } } }\n");
    assert!(try_plan(&text).is_ok());
    let found = errors(&text.replace("us-east-1", "us-west-2"));
    assert!(found.contains("no Fargate Spot price of amd64 is known for us-west-2"), "{found}");
    let text = with("pools: { f: { fargate: {} } }\n")
        .replace("replicas: 3 }", "replicas: 3 }\n    placement-strategy: [random]");
    assert!(errors(&text).contains("tasks on Fargate have no placement strategy"));
}

/// Constraints in both forms, for one workload and for all; a workload's own
/// replace those of the cluster, and Fargate has none.
#[test]
fn constraints_are_read_in_both_forms() {
    let shared = "ecs: { network-mode: awsvpc, awsvpc-trunking: true, agent-version: \"1.79.0\",
  placement-constraints: [\"memberOf(attribute:ecs.awsvpc-trunk-id exists)\"] }
";
    let own = "
    placement-constraints:
      - { type: distinctInstance }
      - type: memberOf
        expression: attribute:ecs.os-family == LINUX and agentVersion >= 1.9";
    let text = with(&format!("{GROUP}{shared}"))
        .replace("replicas: 3 }", &format!("replicas: 3 }}{own}"))
        .replace("time:", "seeds: 1\ntime:");
    let text = text.replace(
        "  jobs:",
        "  agent:
    daemonset: { requests: { cpu: 100m, memory: 64Mi } }
    placement-constraints: [memberOf(attribute:ecs.instance-type =~ m5.*)]
  jobs:",
    );
    let plan = plan(&text);
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    let ecs = plan.cases[0].setup.ecs.as_ref().expect("on ECS");
    let shown = |w: usize| -> Vec<String> {
        ecs.workloads[w].constraints.iter().map(ToString::to_string).collect()
    };
    let own = "memberOf(attribute:ecs.os-family == LINUX and agentVersion >= 1.9)";
    assert_eq!(shown(0), ["distinctInstance", own]);
    assert_eq!(shown(1), ["memberOf(attribute:ecs.instance-type =~ m5.*)"]);
    assert_eq!(shown(2), ["memberOf(attribute:ecs.awsvpc-trunk-id exists)"]);
    assert_eq!((ecs.shared_ports, ecs.agent_version.as_deref()), (false, Some(&[1, 79, 0][..])));
    let fargate = with(
        "pools: { f: { fargate: {} } }
ecs: { placement-constraints: [distinctInstance] }
",
    );
    let plan = self::plan(&fargate);
    let ecs = plan.cases[0].setup.ecs.as_ref().expect("on ECS");
    assert!(ecs.shared_ports && ecs.workloads.iter().all(|w| w.constraints.is_empty()));
}

/// Mistakes in expressions have line and column of the file.
#[test]
fn mistakes_in_constraints_have_a_place() {
    let service = |own: &str| {
        with(GROUP)
            .replace("replicas: 3 }", &format!("replicas: 3 }}\n    placement-constraints: {own}"))
    };
    for (own, message) in [
        // Line 10, after `    placement-constraints: [`.
        ("[\"memberOf(attribute:a = b)\"]", "s.yaml:10:51"),
        (
            "[{ type: memberOf, expression: runningTaskCount == 1 }]",
            "did you mean `runningTasksCount`?",
        ),
        (
            "[{ type: memberOf, expression: 'attribute:a == ''b' }]",
            "a single quote without its other",
        ),
        ("[{ type: memberOf }]", "`memberOf` needs an `expression`"),
        ("[{ type: distinctInstance, expression: a }]", "takes no expression"),
        ("[distinctHost]", "unknown placement constraint `distinctHost`"),
        ("[memberOf(agentVersion > 1)]", "state `ecs.agent-version`"),
        (
            "[distinctInstance, distinctInstance, distinctInstance, distinctInstance, distinctInstance, distinctInstance, distinctInstance, distinctInstance, distinctInstance, distinctInstance, distinctInstance]",
            "at most 10 placement constraints",
        ),
        ("[\"memberOf(attribute:a =~ '(?=b)')\"]", "look-around is not supported"),
    ] {
        let found = errors(&service(own));
        assert!(found.contains(message), "{own}: {found}");
    }
    // A folded text hides its columns.
    let folded = service(
        "\n      - type: memberOf\n        expression: >-\n          attribute:a\n          = b",
    );
    let found = errors(&folded);
    assert!(found.contains("at character 13 of the expression"), "{found}");
    let fargate = with("pools: { f: { fargate: {} } }\n")
        .replace("replicas: 3 }", "replicas: 3 }\n    placement-constraints: [distinctInstance]");
    assert!(errors(&fargate).contains("tasks on Fargate have no placement constraints"));
    let daemon = with(GROUP).replace(
        "  jobs:",
        "  agent:\n    daemonset: { requests: { cpu: 1, memory: 1Gi } }\n    placement-constraints: [distinctInstance]\n  jobs:",
    );
    assert!(errors(&daemon).contains("one task on an instance anyway"));
    let version = with(&format!("{GROUP}ecs: {{ agent-version: v1 }}\n"));
    assert!(errors(&version).contains("`v1` is no version"));
    // What can never hold is said, and is no mistake.
    let codes = |own: &str| -> Vec<&'static str> {
        plan(&service(own)).warnings.iter().map(|w| w.code).collect()
    };
    assert_eq!(codes("[memberOf(attribute:rack == a)]"), ["unknown-attribute"]);
    assert_eq!(codes("[memberOf(attribute:rack !exists)]"), [""; 0]);
    assert_eq!(codes("[\"memberOf(ec2InstanceId in ['i-abcd1234'])\"]"), ["unknown-instance"]);
    assert_eq!(codes("[memberOf(ec2InstanceId == g/0)]"), [""; 0]);
    let eks = service("[distinctInstance]").replace("orchestrator: ecs", "orchestrator: eks");
    let eks = eks.replace("max: 9", "min: 9, max: 9");
    assert_eq!(plan(&eks).warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["ecs-only"]);
}

/// Ports of the instance are a resource in bridge and host mode; with an
/// interface of its own a task has them all.
#[test]
fn host_ports_follow_the_network_mode() {
    let text = |ports: &str, rest: &str| {
        let ports = format!("replicas: 3 }}\n    hostPorts: [{ports}]");
        with(rest).replace("replicas: 3 }", &ports)
    };
    let plan = plan(&text("{ hostPort: 80 }", GROUP));
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    let workloads = plan.cases[0].workload.materialise(1).expect("workloads");
    let ports: Vec<u16> = workloads
        .classes
        .iter()
        .flat_map(|c| crate::place::ecs::host_ports(c).iter().map(|p| p.port))
        .collect();
    assert_eq!(ports, [80]);
    let found = errors(&text("{ hostPort: 443 }, { hostPort: 2375 }", GROUP));
    assert!(found.contains("ECS keeps port 2375"), "{found}");
    assert!(try_plan(&text("{ hostPort: 2375, protocol: UDP }", GROUP)).is_ok());
    for rest in [
        format!("{GROUP}ecs: {{ network-mode: awsvpc }}\n"),
        "pools: { f: { fargate: {} } }\n".to_owned(),
    ] {
        let plan = self::plan(&text("{ hostPort: 2375 }", &rest));
        let codes: Vec<_> = plan.warnings.iter().map(|w| w.code).collect();
        assert_eq!(codes, ["unused-ports"]);
    }
}

/// Quotas of AWS: what cannot be raised is an error, the rest is said.
#[test]
fn quotas_are_known() {
    let codes =
        |text: &str| -> Vec<&'static str> { plan(text).warnings.iter().map(|w| w.code).collect() };
    let pools = |n: usize, max: usize| {
        let pool = |i| format!("  p{i}: {{ asg: {{ types: [m5.large], max: {max} }} }}\n");
        let pools: String = (0..n).map(pool).collect();
        let strategy = "ecs: { default-capacity-provider-strategy: [{ capacityProvider: p0 }] }\n";
        with(&format!("pools:\n{pools}{strategy}"))
    };
    assert_eq!(codes(&pools(20, 250)).iter().filter(|c| **c == "over-quota").count(), 0);
    assert_eq!(codes(&pools(20, 251)).iter().filter(|c| **c == "over-quota").count(), 1);
    let found = errors(&pools(21, 1));
    assert!(found.contains("at most 20 capacity providers") && found.contains("p20"), "{found}");
    let many = with(GROUP).replace("replicas: 3 }", "replicas: 5001 }");
    assert!(codes(&many).contains(&"over-quota"));
}
