//! The room as a whole: a scenario that uses every key, and the rendered
//! text of every kind of mistake.

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::rng::Distribution;
use crate::units::{Bytes, MilliCpu, SimDuration};

pub(super) const FULL: &str = r#"
version: 1
name: full-1.0
region: us-east-1
orchestrator: eks
versions: { kubernetes: "1.35" }
seed: 7
seeds: 5
time: { start: 2025-01-06T00:00Z, horizon: 14d, warmup: 6h }
placement:
  scheduler:
    rate: 100
    podInitialBackoffSeconds: 1
    podMaxBackoffSeconds: 10
    scoringStrategy: { type: MostAllocated, resources: [{ name: cpu, weight: 2 }, { name: nvidia.com/gpu }] }
    percentageOfNodesToScore: 100
    defaultingType: List
    defaultConstraints: [{ maxSkew: 2, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway }]
    hardPodAffinityWeight: 5
    plugins: { score: { enabled: [{ name: NodeAffinity, weight: 5 }], disabled: [{ name: TaintToleration }] } }
    profiles:
      packer:
        scoringStrategy:
          type: RequestedToCapacityRatio
          requestedToCapacityRatio: { shape: [{ utilization: 0, score: 0 }, { utilization: 100, score: 10 }] }
        percentageOfNodesToScore: 50
        defaultingType: System
        hardPodAffinityWeight: 0
        plugins: { score: { disabled: [{ name: "*" }] } }
workload:
  replay:
    trace: ../data/batch.csv.gz
    namespace: batch
    priority: -10
    nodeSelector: { kubernetes.io/arch: amd64 }
    tolerations:
      - { key: spot, operator: Exists, effect: NoSchedule }
      - { operator: Exists }
      - { key: team, value: "" }
    on-interrupt: { checkpoint: 10m }
    startup: 0
    format: swf
    on-bad-row: quarantine
    select: cpu-only
    memory-per-cpu: 2Gi
    requests: { cpu: 1 }
    gpu-resource: nvidia.com/gpu
  drawn:
    generate:
      count: 100000
      arrivals: { uniform: { over: 24h } }
      duration: { uniform: { min: 5000s, max: 30000s } }
      shapes:
        - { cpu: 500m, memory: 1Gi, weight: 3, extended: { nvidia.com/gpu: 1 } }
        - { cpu: 2, memory: 4Gi }
  sized:
    generate:
      until: 1d
      arrivals: { periodic: { every: 24h, at: 2h, size: 500, jitter: { exponential: { mean: 30s } } } }
      duration: { lognormal: { median: 1m, sigma: 1.5 } }
      cpu: { pareto: { min: 100m, max: 8, shape: 1.5 }, step: 250m }
      memory: 2Gi
    on-interrupt: resume
  web:
    service:
      demand: [ { at: 0s, rps: 100 }, { at: 6h, rps: 250.5 } ]
      demand-repeats: 24h
      cpu-time-per-request: 0.25ms
      requests: { cpu: 500m, memory: 1Gi }
      memory-usage: 600Mi
      replicas: { target: 60%, min: 2, max: 40 }
    labels: { app: web, version: "2" }
    schedulerName: packer
    priorityClassName: important
    preemptionPolicy: Never
    schedulingGates: [{ name: example.com/quota, removed-after: 5m }]
    shutdown: 20s
    terminationGracePeriodSeconds: 60
    hostPorts: [{ hostPort: 8080, protocol: UDP, hostIP: 10.0.0.1 }, { hostPort: 80 }]
    affinity:
      nodeAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms:
            - matchExpressions:
                - { key: kubernetes.io/arch, operator: In, values: [amd64, arm64] }
                - { key: cores, operator: Gt, values: ["4"] }
              matchFields: [{ key: metadata.name, operator: NotIn, values: [broken] }]
        preferredDuringSchedulingIgnoredDuringExecution:
          - { weight: 10, preference: { matchExpressions: [{ key: tier, operator: Exists }] } }
      podAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          - labelSelector: { matchLabels: { app: cache } }
            namespaceSelector: {}
            topologyKey: topology.kubernetes.io/zone
      podAntiAffinity:
        preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            podAffinityTerm:
              labelSelector: { matchExpressions: [{ key: app, operator: In, values: [web] }] }
              namespaces: [default]
              topologyKey: kubernetes.io/hostname
              matchLabelKeys: [version]
              mismatchLabelKeys: [tenant]
    topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: DoNotSchedule
        labelSelector: { matchLabels: { app: web } }
        minDomains: 3
        nodeAffinityPolicy: Ignore
        nodeTaintsPolicy: Honor
        matchLabelKeys: [version]
  fixed-web:
    service: { demand: 12.5, cpu-time-per-request: 8ms, requests: { cpu: 1, memory: 1Gi }, replicas: 3 }
    placement-strategy: [spread(attribute:ecs.availability-zone), spread(instanceId), binpack(cpu), random]
    capacity-provider-strategy: [{ capacityProvider: group }]
  logs:
    daemonset:
      requests: { cpu: 50m, memory: 64Mi }
      usage: { cpu: 20m, memory: 40Mi }
      on-fargate: drop
pools:
  own:
    fixed:
      shape: { vcpu: 64, memory: 88Gi, pods: 110, extended: { nvidia.com/gpu: 8 }, usd-per-hour: 0, arch: arm64 }
      count: 10
      purchase: spot
      zones: [us-east-1a]
    labels: { tier: batch }
    taints: [ { key: spot, effect: NoSchedule } ]
    max-pods: 110
    reserved: { cpu: 80m, memory: 1Gi }
  group:
    asg:
      types: [m7g.large]
      min: 0
      max: 6
      zones: [us-east-1a, us-east-1b]
      purchase: { on-demand-base: 3, above-base: spot, spot-allocation-strategy: lowest-price }
      boot: { launch: 20s, ready: { lognormal: { median: 45s, p95: 90s } } }
    scaler: cluster-autoscaler
    capacity-provider:
      managedScaling:
        status: ENABLED
        targetCapacity: 90
        minimumScalingStepSize: 1
        maximumScalingStepSize: 100
        instanceWarmupPeriod: 2m
      managedTerminationProtection: ENABLED
      managedDraining: DISABLED
      cold-start-instances: 2
  cloud:
    fargate: { purchase: spot, arch: arm64, interruptions: { per-month: 5% } }
  serverless:
    fargate:
      match: [ { namespace: "*" }, { namespace: batch, workload: drawn } ]
      start-latency: { weibull: { scale: 60s, shape: 2 } }
      launch-rate: { burst: 100, per-second: 20 }
      job-retention: 0s
kubernetes:
  namespaces: { default: { labels: { team: a } } }
  services: { web: { namespace: default, selector: { app: web } } }
  podDisruptionBudgets:
    web: { namespace: default, selector: { matchLabels: { app: web } }, minAvailable: 50% }
    all: { selector: {}, maxUnavailable: 1 }
  priorityClasses: { important: { value: 1000, preemptionPolicy: Never, globalDefault: true } }
ecs:
  default-capacity-provider-strategy:
    - { capacityProvider: group, base: 1, weight: 1 }
  network-mode: awsvpc
  awsvpc-trunking: true
  reserved-memory: 256Mi
  spot-instance-draining: true
  provisioning-limit: 500
autoscaler:
  scan-interval: 10s
  scale-down-enabled: true
  scale-down-unneeded-time: 10m
  scale-down-delay-after-add: 10m
  scale-down-utilization-threshold: 0.5
  max-nodes-per-scaleup: 1000
  expander: least-waste
  new-pod-scale-up-delay: 0s
  max-scale-down-parallelism: 10
  max-drain-parallelism: 1
spot: { interruptions: { per-month: 5% }, shock-share: 50%, notice: 2m }
charges:
  root-volume: 100Gi
  public-ipv4: true
  control-plane: true
  node-licence: { usd-per-node-hour: 0.02 }
  fargate-licence: { usd-per-pod-hour: 0.01 }
commitments:
  owned: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 6.500000000001 }
allocation: { cpu-weight: 7.2 }
goals:
  fast: { workload: web, pending: { p95: 60s } }
  budget: { monthly-usd: 20000 }
cases:
  today: {}
  more:
    title: More nodes
    remove: [pools.serverless.fargate.job-retention]
    replace: { pools.own.fixed.count: 20 }
    set:
      workload.replay.nodeSelector."kubernetes.io/arch": arm64
      workload.logs.daemonset: { on-fargate: null, usage: { cpu: 30m } }
"#;

/// A small valid scenario; the mistakes are made in it.
pub(super) const SMALL: &str = "\
version: 1
name: small
region: us-east-1
workload:
  web:
    generate: { count: 10, arrivals: { even: { every: 10s } }, duration: 1h, shapes: [ { cpu: 1, memory: 1Gi } ] }
pools:
  main:
    fixed: { type: m5.large, count: 2 }
";

pub(super) fn parse(text: &str) -> Source {
    Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("valid YAML")
}

fn one(text: &str) -> Resolved {
    let (mut all, diags) = parse(text).resolve_all().map_err(|e| e.to_string()).expect("valid");
    assert!(diags.is_empty());
    all.swap_remove(0)
}

/// Everything that is wrong with a text, as it would be printed.
fn refused(text: &[u8]) -> String {
    let error = match Source::parse(Path::new("s.yaml"), text) {
        Err(error) => error,
        Ok(source) => source.resolve_all().map(|_| ()).expect_err("a mistake"),
    };
    assert!(error.is_input());
    error.to_string()
}

/// As [`refused`] for [`SMALL`] with something replaced.
fn refused_with(old: &str, new: &str) -> String {
    assert!(SMALL.contains(old), "{old}");
    refused(SMALL.replacen(old, new, 1).as_bytes())
}

/// Only the first line and the caret line of each finding, for tables of
/// many mistakes.
fn brief(text: &str) -> String {
    text.split("\n\n")
        .map(|finding| {
            let title = finding.lines().next().unwrap_or("");
            let place =
                finding.lines().find_map(|l| l.trim().strip_prefix("--> s.yaml:")).unwrap_or("-");
            let caret = finding
                .lines()
                .find_map(|l| {
                    l.split_once("| ").map(|(_, r)| r.trim()).filter(|r| r.starts_with('^'))
                })
                .unwrap_or("");
            let remark = caret.trim_start_matches('^').trim();
            let title = title.trim_start_matches("error: ");
            if remark.is_empty() {
                format!("{place} {title}")
            } else {
                format!("{place} {title} ({remark})")
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_key_is_accepted_and_read() {
    let source = parse(FULL);
    assert_eq!(source.case_names(), ["today", "more"]);
    let (cases, _) = source.resolve_all().map_err(|e| e.to_string()).expect("valid");
    let s = &cases[0].scenario;
    assert_eq!((&**s.name, s.seeds.map(|n| n.get())), ("full-1.0", Some(5)));
    assert_eq!(s.time.start.map(|t| t.as_second()), Some(1_736_121_600));
    let horizon = s.time.horizon.as_ref().map(|h| h.value.clone());
    assert_eq!(horizon, Some(Horizon::For(Positive(SimDuration::from_secs(14 * 86_400)))));

    let Some(WorkloadKind::Generate(g)) = s.workload.get("sized").map(|w| &w.kind) else {
        panic!("a generator")
    };
    let GenerateSizes::Drawn(cpu, memory) = &g.sizes else { panic!("drawn sizes") };
    assert_eq!(
        cpu.value,
        Dist {
            distribution: Distribution::Pareto { min: 100.0, max: 8000.0, shape: 1.5 },
            step: Some(MilliCpu(250)),
        }
    );
    assert_eq!(memory.memory.distribution, Distribution::Constant(f64::from(2u32.pow(31))));

    let Some(WorkloadKind::Service(web)) = s.workload.get("web").map(|w| &w.kind) else {
        panic!("a service")
    };
    assert_eq!(web.cpu_time_per_request.expect("stated").micros, 250);
    let Some(Demand::Steps(steps)) = &web.demand else { panic!("steps") };
    assert_eq!((steps.len(), steps[1].rps.0), (2, 250.5));

    let Some(PoolKind::Asg(asg, options)) = s.pools.get("group").map(|p| &p.kind) else {
        panic!("a group")
    };
    assert_eq!(options.scaler.map(|x| x.value), Some(Scaler::ClusterAutoscaler));
    assert_eq!(asg.max.get(), 6);
    let owned = s.commitments.get("owned").expect("there");
    let hourly = owned.usd_per_hour.expect("stated");
    assert_eq!(hourly.to_string(), "6.500000000001");

    // Spans point at the value.
    let text = source.diagnostics();
    assert_eq!(text.sources().text(hourly.span), "6.500000000001");
    assert_eq!(text.sources().place(s.region.span).to_string(), "s.yaml:4:9");
}

#[test]
fn a_case_changes_only_what_it_names() {
    let source = parse(FULL);
    let (cases, diags) = source.resolve_all().expect("valid");
    let more = &cases[1];
    assert_eq!((more.case.as_str(), more.title.as_deref()), ("more", Some("More nodes")));
    let Some(PoolKind::Fixed(own)) = more.scenario.pools.get("own").map(|p| &p.kind) else {
        panic!("fixed")
    };
    let FixedSize::Count(own, _) = &own.size else { panic!("a count") };
    assert_eq!(own.get(), 20);
    assert_eq!(diags.sources().place(own.span).line, 204);
    let replay = more.scenario.workload.get("replay").expect("there");
    assert_eq!(replay.node_selector.get("kubernetes.io/arch").map(|v| &*v.value.0), Some("arm64"));
    let Some(WorkloadKind::DaemonSet(logs)) = more.scenario.workload.get("logs").map(|w| &w.kind)
    else {
        panic!("a daemonset")
    };
    assert_eq!(logs.on_fargate, None);
    let usage = logs.usage.as_ref().expect("merged");
    let usage = (usage.cpu.map(|c| c.value), usage.memory.map(|m| m.value));
    assert_eq!(usage, (Some(MilliCpu(30)), Some(Bytes(40 << 20))));
    let Some(PoolKind::Fargate(f)) = more.scenario.pools.get("serverless").map(|p| &p.kind) else {
        panic!("fargate")
    };
    assert_eq!(f.job_retention, None);
    assert_eq!(f.rules.as_ref().map_or(0, |rules| rules.len()), 2);
}

#[test]
fn the_effective_scenario_reads_back() {
    for case in parse(FULL).resolve_all().expect("valid").0 {
        let yaml = effective_yaml(&case.tree);
        let again = one(&yaml);
        assert!(again.tree.same_as(&case.tree), "{yaml}");
        assert_eq!(effective_yaml(&again.tree), yaml);
    }
}

#[test]
fn json_is_accepted() {
    let json = r#"{"version": 1, "name": "j", "region": "eu-west-1",
        "workload": {"w": {"trace": "w.csv"}},
        "pools": {"p": {"fixed": {"type": "m5.large", "count": 1}}}}"#;
    assert_eq!(&*one(json).scenario.region.value, "eu-west-1");
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let text = "\
version: 1
name: small
region: us-east-1
workloads:
  web: {}
pools:
  main:
    fixed: { type: m5.large, count: 2.5, purchase: spott }
    label: {}
seed: -1
time: { warmup: 5 }
";
    assert_eq!(
        refused(text.as_bytes()),
        "unknown key `workloads` in the scenario
 --> s.yaml:4:1
  |
4 | workloads:
  | ^^^^^^^^^ did you mean `workload`?

error: expected a whole number, found the number `2.5`
 --> s.yaml:8:37
  |
8 |     fixed: { type: m5.large, count: 2.5, purchase: spott }
  |                                     ^^^

error: unknown value `spott`
 --> s.yaml:8:52
  |
8 |     fixed: { type: m5.large, count: 2.5, purchase: spott }
  |                                                    ^^^^^ did you mean `spot`?

error: unknown key `label` in `main`
 --> s.yaml:9:5
  |
9 |     label: {}
  |     ^^^^^ did you mean `labels`?

error: `-1` is too small: at least 0
  --> s.yaml:10:7
   |
10 | seed: -1
   |       ^^

error: invalid value `5`: a duration needs a unit: ms, s, m, h, d or w, as in 90s
  --> s.yaml:11:17
   |
11 | time: { warmup: 5 }
   |                 ^"
    );
}

#[test]
fn mistakes_of_structure_point_at_their_key() {
    let cases: [(&str, &str, &str); 22] = [
        ("version: 1", "version: 2", "1:10 expected the format version 1, found the number `2`"),
        ("version: 1\n", "", "1:1 the scenario needs the key `version`"),
        ("name: small", "name: ../x", "2:7 `../x` cannot be a name here"),
        ("region: us-east-1", "region:", "3:1 expected a text, found nothing"),
        ("region: us-east-1", "region: 12", "3:9 expected a text, found the number `12`"),
        (
            "region: us-east-1",
            "region: x\nregion: y",
            "4:1 duplicate key `region` (already given in line 3)",
        ),
        (
            "{ type: m5.large, count: 2 }",
            "{ count: 2 }",
            "9:5 `fixed` needs one of `type` or `shape`",
        ),
        (
            "{ type: m5.large, count: 2 }",
            "{ type: m5.large }",
            "9:5 `fixed` needs one of `count` or `nodes`",
        ),
        (
            "{ type: m5.large, count: 2 }",
            "3",
            "9:12 expected a map with `purchase`, `type`, `shape`, `count`, `nodes` or `zones`, found the number `3`",
        ),
        (
            "    fixed: {",
            "    fargate: { match: { namespace: a } }\n    fixed: {",
            "9:5 `fixed` and `fargate` exclude each other",
        ),
        (
            "  main:\n    fixed: { type: m5.large, count: 2 }",
            "  {}",
            "7:1 `pools` needs at least one entry",
        ),
        ("  main:", "  a/b:", "8:3 a name must not contain `/`, `\\` or `..`"),
        ("    fixed:", "    scaler: none\n    fixed:", "9:5 `scaler` does not apply to this kind"),
        (
            "    fixed: { type: m5.large, count: 2 }",
            "    fargate: { match: { namespace: a } }\n    max-pods: 3",
            "8:3 a fargate pool has no nodes",
        ),
        ("{ even: { every: 10s } }", "{ even: { every: 0s } }", "6:55 `0s` must be more than 0"),
        (
            "{ even: { every: 10s } }",
            "{ evn: { every: 10s } }",
            "6:40 unknown key `evn` in `arrivals` (did you mean `even`?)",
        ),
        (
            "duration: 1h",
            "duration: { uniform: { min: 2h, max: 1h } }",
            "6:74 impossible distribution: needs 0 <= min <= max",
        ),
        (
            "shapes: [ { cpu: 1, memory: 1Gi } ]",
            "shapes: []",
            "6:86 the list needs at least one item",
        ),
        (
            "shapes: [ { cpu: 1, memory: 1Gi } ]",
            "shapes: [ { cpu: 1 } ]",
            "6:90 this item of the list needs the key `memory`",
        ),
        (
            "cpu: 1,",
            "cpu: 1 core,",
            "6:95 invalid value `1 core`: not a number; expected a cpu quantity such as 500m or 2",
        ),
        ("shapes: [ { cpu: 1, memory: 1Gi } ]", "cpu: 1", "6:5 `generate` needs the key `memory`"),
        (
            "    generate:",
            "    on-interrupt: restrt\n    generate:",
            "6:19 unknown value `restrt` (did you mean `restart`?)",
        ),
    ];
    let got: Vec<String> =
        cases.iter().map(|(old, new, _)| brief(&refused_with(old, new))).collect();
    let expected: Vec<&str> = cases.iter().map(|(_, _, expected)| *expected).collect();
    assert_eq!(got.join("\n"), expected.join("\n"));
}

#[test]
fn values_are_checked() {
    let cases = [
        ("seeds: 0", "`0` is too small: at least 1"),
        ("seeds: 99999999999999999999999999999999999999999", "too large"),
        ("seed: 1.0", "expected a whole number"),
        ("seed: 0x10", "expected a whole number, found the text `0x10`"),
        ("allocation: { cpu-weight: .nan }", "expected a number, found the text `.nan`"),
        ("allocation: { cpu-weight: 1e999 }", "`1e999` is out of range"),
        ("allocation: { cpu-weight: -1 }", "must not be negative"),
        ("spot: { shock-share: 0.5 }", "expected a percentage such as 60%"),
        ("spot: { shock-share: 101% }", "more than 100%"),
        ("spot: { interruptions: advisr }", "did you mean `advisor`?"),
        ("spot: { interruptions: 5% }", "expected `advisor`, `none` or a map, found the text `5%`"),
        ("charges: { public-ipv4: yes }", "YAML 1.2 writes `true`"),
        ("charges: { root-volume: 100GiB }", "expected a memory quantity"),
        ("charges: { node-licence: { usd-per-node-hour: -1 } }", "must not be negative"),
        ("charges: { node-licence: { usd-per-node-hour: 0.0000000000001 } }", "12 decimal places"),
        ("time: { start: 2025-01-06 }", "write date, time and offset from UTC"),
        ("time: { start: 2025-01-06T00:00 }", "write date, time and offset from UTC"),
        ("time: { start: 3000-01-01T00:00Z }", "outside the years"),
        ("time: { horizon: until-idel }", "did you mean `until-idle`?"),
        ("time: { horizon: 9999999w }", "longer than 1,000 years"),
        ("placement: { scheduler: { rate: 0 } }", "must be more than 0"),
        ("placement: { scheduler: { rate: unlimitd } }", "did you mean `unlimited`?"),
        (
            "placement: { scheduler: { podInitialBackoffSeconds: 5, podMaxBackoffSeconds: 1 } }",
            "podMaxBackoffSeconds is below",
        ),
        ("autoscaler: { scale-down-utilization-threshold: 50 }", "between 0 and 1"),
        ("goals: { g: { pending: { p95: 1m } } }", "`g` needs the key `workload`"),
        ("goals: { g: { monthly-usd: 1, workload: w } }", "`workload` does not apply"),
        ("goals: { g: { pending: { p59: 1m }, workload: w } }", "did you mean `p5"),
        ("orchestrator: nomad", "unknown value `nomad`"),
        ("versions: { kubernetes: 1.35 }", "write it in quotes: \"1.35\""),
        ("commitments: { c: { kind: compute-sp, term: 2y, payment: x, usd-per-hour: 1 } }", "2y"),
    ];
    for (line, expected) in cases {
        let text = refused(format!("{SMALL}{line}\n").as_bytes());
        assert!(text.contains(expected), "{line}\n{text}");
    }
}

#[test]
fn services_traces_and_tolerations_are_checked() {
    let cases = [
        ("{ trace: /etc/passwd }", "relative to the scenario file"),
        ("{ trace: s3://bucket/x.csv }", "only local files"),
        ("{ trace: C:\\x.csv }", "relative to the scenario file"),
        ("{ trace: x.csv, format: opnb }", "did you mean `openb`?"),
        ("{ trace: x.csv, memory-per-cpu: 0 }", "more than 0"),
        ("{ service: {}, format: swf }", "`format` does not apply to this kind"),
        ("{ trace: x.csv, tolerations: [ { value: a } ] }", "needs `operator: Exists`"),
        ("{ trace: x.csv, tolerations: [ { key: a, operator: Exists, value: a } ] }", "no `value`"),
        ("{ trace: x.csv, startup: { normal: { mean: 1s } } }", "unknown key `normal`"),
        ("{ trace: x.csv, startup: { constant: 1s, step: 1s } }", "unknown key `step`"),
        ("{ service: { demand: { x: 1 } } }", "expected a number, a text or a list, found a map"),
        ("{ service: { cpu-time-per-request: 0.1us } }", "whole microseconds"),
        ("{ service: { cpu-time-per-request: 8 } }", "expected a processor time"),
        ("{ service: { replicas: { target: 50%, min: 3, max: 2 } } }", "max 2 is below min 3"),
        ("{ service: { replicas: { target: 0%, min: 3, max: 4 } } }", "`0%` must be more than 0"),
        ("{ service: { replicas: many } }", "expected a number or a map"),
    ];
    for (workload, expected) in cases {
        let text = refused(SMALL.replace("pools:", &format!("  x: {workload}\npools:")).as_bytes());
        assert!(text.contains(expected), "{workload}\n{text}");
    }
}

#[test]
fn broken_text_is_refused_with_a_place() {
    let cases: [(&[u8], &str); 14] = [
        (b"", "the scenario is empty"),
        (b"# only a comment\n", "the scenario is empty"),
        (b"a: b\n\xff\xfe", "s.yaml:2: the file is not UTF-8 text"),
        (b"a: [1, 2", "not valid YAML"),
        (b"a:\n\tb: 1\n", "never with tabs"),
        (b"a: 1\n---\nb: 2\n", "a scenario is a single YAML document"),
        (b"a: !!str 1\n", "YAML tags"),
        (b"a: &x { b: 1 }\nc: { <<: *x }\n", "YAML merge keys"),
        (b"%YAML 1.1\n---\na: 1\n", "not valid YAML"),
        (b"a: *nowhere\n", "not valid YAML"),
        (b"? [a, b]\n: 1\n", "a key must be a name"),
        (b"- a\n", "expected a map, found a list"),
        (b"\x00\x01\x02", "s.yaml"),
        (b"a: &x [ *x ]\n", "alias"),
    ];
    for (bytes, expected) in cases {
        let text = refused(bytes);
        assert!(text.contains(expected), "{}\n{text}", String::from_utf8_lossy(bytes));
    }
    let everything = refused(b"a: 1\na: 2\nb: 1\nb: 2\nc: [\n");
    assert!(everything.contains("duplicate key `a`"), "{everything}");
    assert!(everything.contains("duplicate key `b`"), "{everything}");
    assert!(everything.contains("not valid YAML"), "{everything}");
}

#[test]
fn bombs_do_not_go_off() {
    let deep_flow = "[".repeat(100_000);
    assert!(refused(deep_flow.as_bytes()).contains("not valid YAML"));
    let deep_block = (0..200).fold(String::new(), |text, i| text + &" ".repeat(i) + "a:\n");
    assert!(refused(deep_block.as_bytes()).contains("s.yaml"));
    let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..12 {
        let refs = vec![format!("*a{}", i - 1); 9].join(",");
        writeln!(laughs, "a{i}: &a{i} [{refs}]").expect("a String grows");
    }
    assert!(refused(laughs.as_bytes()).contains("more than 262144 values"));
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for i in 1..200 {
        writeln!(chain, "a{i}: &a{i} [*a{}]", i - 1).expect("a String grows");
    }
    assert!(refused(chain.as_bytes()).contains("nested too deeply"));
    let large = vec![b'#'; tree::MAX_BYTES + 1];
    assert!(refused(&large).contains("larger than 16 MiB"));
    let long_key = format!("{SMALL}? {}\n: 1\n", "k".repeat(1 << 20));
    assert!(refused(long_key.as_bytes()).len() < 4096);
}

/// Texts that would take many minutes if a step were quadratic in them. They
/// take about a second; the bound leaves room for a busy machine.
#[test]
fn large_mistakes_are_found_quickly() {
    let started = std::time::Instant::now();
    let many = 60_000;
    let distinct = (0..many).fold(String::new(), |text, i| text + "k" + &i.to_string() + ": 1\n");
    let unknown = format!("{SMALL}{distinct}");
    assert!(refused(unknown.as_bytes()).contains("and 59950 more"));
    let duplicates = format!("{distinct}{}", "k59999: 1\n".repeat(many));
    assert!(refused(duplicates.as_bytes()).contains("duplicate key"));
    let junk = format!("a: \"{}\"\n{}", "é".repeat(4 << 20), "!!x y: z\n".repeat(many));
    assert!(refused(junk.as_bytes()).len() < 100_000);
    assert!(started.elapsed().as_secs() < 60);
}

#[test]
fn the_name_of_a_missing_file_is_told() {
    let error = Source::load(Path::new("no/such.yaml")).expect_err("missing");
    assert!(error.to_string().contains("no/such.yaml"));
}

#[test]
fn patches_that_do_not_apply_are_explained() {
    let with = |case: &str| brief(&refused(format!("{SMALL}cases:\n  a: {case}\n").as_bytes()));
    let cases = [
        ("{ remove: [pools.mian] }", "11:23 there is no `mian` to change (did you mean `main`?)"),
        (
            "{ replace: { pools.main.fixed.cuont: 3 } }",
            "11:36 there is no `cuont` to change (did you mean `count`?)",
        ),
        (
            "{ set: { pools.main.fixed.count.x: 3 } }",
            "11:38 no `x` here: its parent is the number `2`",
        ),
        (
            "{ set: { pools.main.fixd.count: 3 } }",
            "11:26 unknown key `fixd` in `main` (did you mean `fixed`?)",
        ),
        (
            "{ set: { pools.main.fixed.count: x } }",
            "11:39 expected a whole number, found the text `x`",
        ),
        (
            "{ set: { pools..count: 3 } }",
            "11:15 invalid path `pools..count`: a name in the path is empty",
        ),
        ("{ set: { cases.b: 3 } }", "11:15 invalid path `cases.b`: a case cannot change `cases`"),
        ("{ sett: {} }", "11:8 unknown key `sett` in `a` (did you mean `set`?)"),
        ("{ set: [] }", "11:13 expected a map of paths, found a list"),
        (
            "3",
            "11:6 expected a map with `title`, `remove`, `replace`, `set` or `rightsize`, found the number `3`",
        ),
    ];
    let got: Vec<String> = cases.iter().map(|(case, _)| with(case)).collect();
    let expected: Vec<&str> = cases.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(got.join("\n"), expected.join("\n"));
}

#[test]
fn a_shared_mistake_shows_once_for_all_cases() {
    let text = format!("{}cases: {{ a: {{}}, b: {{}}, c: {{}} }}\n", SMALL.replace("1h", "1"));
    assert_eq!(refused(text.as_bytes()).matches("a duration needs a unit").count(), 1);
}

#[test]
fn command_line_settings_come_last() {
    let source = parse(SMALL)
        .with_overrides(&["pools.main.fixed.count=5", "time.warmup=1h", "seeds=3", "seeds=null"])
        .expect("valid");
    let (cases, diags) = source.resolve_all().expect("valid");
    let s = &cases[0].scenario;
    let Some(PoolKind::Fixed(f)) = s.pools.get("main").map(|p| &p.kind) else { panic!("fixed") };
    let FixedSize::Count(count, _) = &f.size else { panic!("a count") };
    assert_eq!(count.get(), 5);
    assert_eq!(diags.sources().place(count.span).to_string(), "--set:1:24");
    assert_eq!(s.time.warmup.map(|w| w.value), Some(SimDuration::from_secs(3600)));
    assert_eq!(s.seeds, None);

    let error = parse(SMALL)
        .with_overrides(&["pools.main.fixed.count=abc"])
        .and_then(|s| s.resolve_all().map(|_| ()))
        .expect_err("no number");
    assert_eq!(
        error.to_string(),
        "expected a whole number, found the text `abc`
 --> --set:1:24
  |
1 | pools.main.fixed.count=abc
  |                        ^^^"
    );
    for bad in ["count", "=3", "a.=3", "\"a=3", "a=[1", "a=1: 2: 3"] {
        assert!(parse(SMALL).with_overrides(&[bad]).is_err(), "{bad}");
    }
}

#[test]
fn an_unknown_case_names_the_nearest() {
    let source = parse(FULL);
    let mut diags = source.diagnostics();
    assert!(source.resolve("todya", &mut diags).is_none());
    let text = diags.render(false);
    assert!(text.contains("there is no case `todya`"), "{text}");
}

#[test]
fn paths_start_at_the_scenario() {
    let source = Source::parse(Path::new("dir/s.yaml"), FULL.as_bytes()).expect("valid");
    let (cases, _) = source.resolve_all().expect("valid");
    let Some(WorkloadKind::Trace(path, _)) =
        cases[0].scenario.workload.get("replay").map(|w| &w.kind)
    else {
        panic!("a trace")
    };
    assert_eq!(source.locate(path), Path::new("dir/../data/batch.csv.gz"));
    assert_eq!(parse(SMALL).base_dir(), Path::new("."));
}

#[test]
fn paths_are_read_as_they_are_written() {
    for name in ["web", "a.b/c", "1.0"] {
        let path = format!("{}.rest", patch::written(name));
        let path = patch::Path::parse(&path, Span::default(), false).expect("a path");
        assert_eq!(path.head(), name);
    }
}
