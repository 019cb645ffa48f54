//! Fargate profiles and sidecars, from text to what runs.

use std::path::Path;

use super::*;
use crate::bill::{Bill, KeepLines, Step};
use crate::cluster::ClusterSpec;
use crate::observe::{KeepPods, RejectReason};
use crate::scenario::Source;
use crate::units::{Bytes, DAY_MS, MilliCpu};
use crate::workload::{TemplateId, Workloads};

const MIB: i64 = 1 << 20;

const HEAD: &str = "
version: 1
name: t
region: us-east-1
time: { horizon: 1d }
workload:
  web:
    namespace: shop-front
    labels: { app: web, tier: front }
    service: { requests: { cpu: 500m, memory: 1Gi }, replicas: 3 }
  db:
    namespace: shop-back
    labels: { app: db }
    service: { requests: { cpu: 1, memory: 2Gi }, replicas: 1 }
  agent: { daemonset: { requests: { cpu: 50m, memory: 64Mi }, on-fargate: drop } }
";

fn try_plan(rest: &str) -> crate::Result<Plan> {
    let text = format!("{HEAD}{rest}");
    link(&Source::parse(Path::new("s.yaml"), text.as_bytes())?, &Options::default())
}

fn plan(rest: &str) -> Plan {
    try_plan(rest).expect("links")
}

fn error(rest: &str) -> String {
    try_plan(rest).expect_err("refused").to_string()
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.warnings.iter().map(|w| w.code).collect()
}

/// The pools that take web and db.
fn pools_of(cluster: &ClusterSpec) -> [Option<&str>; 2] {
    [("web", "shop-front"), ("db", "shop-back")].map(|(workload, namespace)| {
        cluster.fargate_of(workload, namespace).map(|i| cluster.fargate[i].name.as_str())
    })
}

fn assert_pools(pools: &str, want: [Option<&str>; 2]) {
    let plan =
        plan(&format!("pools:\n  nodes: {{ fixed: {{ type: m5.large, count: 3 }} }}\n{pools}"));
    assert_eq!(pools_of(&plan.cases[0].setup.cluster), want, "{pools}");
}

#[test]
fn selectors_take_pods_by_namespace_and_labels() {
    for (selectors, want) in [
        ("[{ namespace: shop-front }]", [Some("f"), None]),
        ("[{ namespace: shop-* }]", [Some("f"), Some("f")]),
        ("[{ namespace: shop-????t }]", [Some("f"), None]),
        ("[{ namespace: \"*\", labels: { app: db } }]", [None, Some("f")]),
        // All labels must be there.
        ("[{ namespace: \"*\", labels: { app: db, tier: front } }]", [None, None]),
        ("[{ namespace: \"*\", labels: { app: w?b, tier: \"*\" } }]", [Some("f"), None]),
        // One of the selectors is enough.
        (
            "[{ namespace: shop-back, labels: { app: db } }, { namespace: shop-front }]",
            [Some("f"), Some("f")],
        ),
        ("[{ namespace: shop-back, labels: { app: web } }]", [None, None]),
    ] {
        assert_pools(&format!("  f: {{ fargate: {{ selectors: {selectors} }} }}\n"), want);
    }
}

#[test]
fn the_first_profile_by_name_takes_a_pod() {
    let both = "  zeta: { fargate: { selectors: [{ namespace: \"*\" }] } }
  beta: { fargate: { match: { namespace: shop-front } } }
";
    assert_pools(both, [Some("beta"), Some("zeta")]);
}

/// A pod that names a profile goes there if it matches, and else to no other.
#[test]
fn a_label_names_the_profile() {
    let case = |profile: &str, zeta: &str| {
        let label = format!("eks.amazonaws.com/fargate-profile: {profile}");
        let rest = format!(
            "pools:
  nodes: {{ fixed: {{ type: m5.large, count: 3 }} }}
  beta: {{ fargate: {{ selectors: [{{ namespace: \"*\" }}] }} }}
  zeta: {{ fargate: {{ selectors: [{{ namespace: {zeta} }}] }} }}
cases:
  base: {{}}
  named: {{ set: {{ workload.web.labels: {{ {label} }} }} }}
"
        );
        let plan = plan(&rest);
        assert_eq!(pools_of(&plan.cases[0].setup.cluster), [Some("beta"); 2]);
        let named = pools_of(&plan.cases[1].setup.cluster);
        assert_eq!(named[1], Some("beta"));
        let name = named[0].map(str::to_owned);
        (name, codes(&plan))
    };
    assert_eq!(case("zeta", "shop-front"), (Some("zeta".to_owned()), vec![]));
    assert_eq!(case("zeta", "other"), (None, vec![]));
    assert_eq!(case("zetta", "shop-front"), (None, vec!["no-such-profile"]));
}

#[test]
fn selectors_are_checked() {
    let of = |keys: &str| error(&format!("pools: {{ f: {{ fargate: {{ {keys} }} }} }}\n"));
    let six = ["{ namespace: a }"; 6].join(", ");
    let text = of(&format!("selectors: [{six}]"));
    assert!(text.contains("at most 5 selectors, and these are 6"), "{text}");
    let text = of("selectors: [{ namespace: a }], match: { namespace: a }");
    assert!(text.contains("`selectors` and `match` say the same in two ways"), "{text}");
    let text = of("selectors: [{ namespace: a, label: { a: b } }]");
    assert!(text.contains("did you mean `labels`?"), "{text}");
    let text = of("launch-rate: { burst: 1, per-second: 1 }");
    assert!(text.contains("needs the key `match` or `selectors`"), "{text}");
    let none = plan(
        "pools:
  nodes: { fixed: { type: m5.large, count: 3 } }
  f: { fargate: { selectors: [{ namespace: \"*\", labels: { ap: web } }] } }
",
    );
    assert_eq!(codes(&none), ["selects-nothing"]);
}

fn tables(plan: &Plan, case: usize) -> std::sync::Arc<Workloads> {
    plan.cases[case].workload.materialise(1).expect("fine")
}

const MESH: &str = "sidecars:
  istio-proxy:
    match: { labels: { tier: front } }
    requests: { cpu: 100m, memory: 128Mi }
    usage: { cpu: 30m }
  logger: { requests: { memory: 32Mi } }
";

/// web: 500m + 100m, and 1,024 + 128 + 32 MiB. db: 1, and 2,048 + 32 MiB. The
/// logger states no cpu, for which scores assume 100m more. The DaemonSet
/// gets nothing.
#[test]
fn sidecars_add_to_the_requests_of_the_pods_they_join() {
    let plan =
        plan(&format!("{MESH}pools: {{ n: {{ fixed: {{ type: m5.2xlarge, count: 1 }} }} }}\n"));
    let tables = tables(&plan, 0);
    let class =
        |template: usize| &tables.classes[tables.templates[template].class.index()].requests;
    let [web, db, agent] = [class(0), class(1), class(2)];
    assert_eq!((web.cpu, web.memory), (MilliCpu(600), Bytes(1_184 * MIB)));
    assert_eq!((web.nonzero_cpu, web.nonzero_memory), (MilliCpu(700), web.memory));
    assert_eq!((db.cpu, db.memory), (MilliCpu(1_000), Bytes(2_080 * MIB)));
    assert_eq!(db.nonzero_cpu, MilliCpu(1_100));
    assert_eq!((agent.cpu, agent.memory), (MilliCpu(50), Bytes(64 * MIB)));
    assert_eq!(tables.own_requests(TemplateId(0)), (MilliCpu(500), Bytes(1_024 * MIB)));
    // On the node each sidecar has an account of its own.
    let record = crate::world::run(&plan.cases[0].setup, &tables, 1, KeepPods::No);
    let of = |name: &str| {
        let id = tables.workloads.iter().position(|w| w.name == name).expect("there");
        let own = record.owners.iter().filter(|o| o.workload.index() == id);
        own.fold((0, 0, 0, 0), |s, o| {
            let requested = (s.0 + o.cpu_requested, s.1 + o.memory_requested);
            (requested.0, requested.1, s.2 + o.cpu_used, s.3 + o.cpu_unknown)
        })
    };
    let (web, proxy, logger) = (of("web"), of("istio-proxy"), of("logger"));
    assert!(web.0 > 3 * 500 * (DAY_MS as u64 - 10_000), "{web:?}");
    assert_eq!(proxy.0 * 5, web.0);
    assert_eq!(proxy.1 * 8, web.1);
    assert_eq!((proxy.2 * 10, proxy.3), (proxy.0 * 3, 0));
    assert_eq!((logger.0, logger.3), (0, 0));
    assert!(logger.1 > 4 * 32 * 1_024 * (DAY_MS as u64 - 10_000));
}

/// On Fargate web needs 500m and 1,024 + 256 MiB: 0.5 vCPU and 2 GB. With the
/// sidecars it is 600m and 1,440 MiB: 1 vCPU and 2 GB.
#[test]
fn a_mesh_costs_a_size_of_fargate() {
    let plan = plan(&format!(
        "{MESH}pools:
  n: {{ fixed: {{ type: m5.large, count: 1 }} }}
  f: {{ fargate: {{ selectors: [{{ namespace: shop-front }}] }} }}
cases: {{ mesh: {{}}, plain: {{ remove: [sidecars] }} }}
"
    ));
    let billed = |case: usize| {
        let tables = tables(&plan, case);
        let case = &plan.cases[case];
        let record = crate::world::run(&case.setup, &tables, 1, KeepPods::No);
        assert_eq!(record.fargate.len(), 3);
        let sizes = &case.setup.cluster.fargate[0].sizes;
        let size = sizes[record.fargate[0].size as usize];
        let cluster = &case.setup.cluster;
        let bill = Bill::compute(&record, cluster, &tables, &case.billing, KeepLines::No);
        (size.cpu.0, size.memory.0 / MIB, bill.expect("a bill"))
    };
    let (cpu, memory, mesh) = billed(0);
    assert_eq!((cpu, memory), (1_000, 2_048));
    // Of 1,000m the pod's own request is 500m, the proxy's 100m, and 400m are
    // rounding.
    let cpu = |step: Step| {
        let found = mesh.waterfall.iter().find(|s| s.step == step).expect("a step");
        found.cpu.to_f64()
    };
    let proxy = mesh.by_workload["istio-proxy"].to_f64();
    let rounding = cpu(Step::FargateRounding);
    assert!((rounding - 3.0 * 24.0 * 0.4 * 0.04048).abs() < 0.005, "{rounding}");
    // 3 pods, a tenth of their vCPU and 128 of 2,048 MiB, 24 hours less the
    // start: 3 · 24 · (0.1 · 0.04048 + 0.125 · 0.004445).
    assert!((proxy - 0.331_46).abs() < 0.002, "{proxy}");
    let (cpu, memory, plain) = billed(1);
    assert_eq!((cpu, memory), (500, 2_048));
    // The larger size costs 3 · 24 · 0.5 · 0.04048 more.
    let more = mesh.total.to_f64() - plain.total.to_f64();
    assert!((more - 1.457_28).abs() < 0.005, "{more}");
}

#[test]
fn sidecars_are_checked() {
    let pools = "pools: { n: { fixed: { type: m5.2xlarge, count: 1 } } }\n";
    let of = |sidecar: &str| error(&format!("sidecars: {{ {sidecar} }}\n{pools}"));
    let text = of("x: { requests: {} }");
    assert!(text.contains("a sidecar that requests nothing"), "{text}");
    let text = of("x: { requests: { cpu: 1m }, match: { workload: wed } }");
    assert!(text.contains("there is no workload `wed`") && text.contains("`web`"), "{text}");
    let text = of("x: { requests: { cpu: 1m }, match: { workload: agent } }");
    assert!(text.contains("`agent` is a DaemonSet, which gets no sidecars"), "{text}");
    let text = of("web: { requests: { cpu: 1m } }");
    assert!(text.contains("a workload and a sidecar are both called `web`"), "{text}");
    let text = of("x: { request: { cpu: 1m } }");
    assert!(text.contains("did you mean `requests`?"), "{text}");
    let rest = "sidecars: { x: { requests: { cpu: 1m }, match: { namespace: shop-frond } } }\n";
    assert_eq!(codes(&plan(&format!("{rest}{pools}"))), ["joins-nothing"]);
}

/// Each workload of one pod wants what Fargate does not have; those that
/// match no profile are nodes' business.
#[test]
fn what_fargate_does_not_offer_is_counted_with_its_reason() {
    let text = "
version: 1
name: t
region: us-east-1
time: { horizon: 1h }
workload:
  gpu: { service: { requests: { cpu: 1, memory: 1Gi, extended: { nvidia.com/gpu: 1 } }, replicas: 2 } }
  arm: { nodeSelector: { kubernetes.io/arch: arm64 }, service: { requests: { cpu: 1, memory: 1Gi }, replicas: 3 } }
  port: { hostPorts: [{ hostPort: 80 }], service: { requests: { cpu: 1, memory: 1Gi }, replicas: 1 } }
  huge: { service: { requests: { cpu: 1, memory: 120Gi }, replicas: 1 } }
  fine: { service: { requests: { cpu: 1, memory: 1Gi }, replicas: 1 } }
  nodes: { namespace: kube-system, service: { requests: { cpu: 8, memory: 1Gi }, replicas: 1 } }
pools:
  n: { fixed: { type: m5.large, count: 1 } }
  f: { fargate: { selectors: [{ namespace: default }] } }
";
    let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("parses");
    let plan = link(&source, &Options::default()).expect("links");
    assert_eq!(codes(&plan), ["fits-nowhere"; 5]);
    let tables = tables(&plan, 0);
    let record = crate::world::run(&plan.cases[0].setup, &tables, 1, KeepPods::No);
    let reasons: Vec<Vec<(&str, u64)>> = record
        .counts
        .iter()
        .map(|c| {
            let all = RejectReason::ALL.into_iter().zip(c.rejected_by_reason);
            all.filter(|(_, n)| *n > 0).map(|(r, n)| (r.name(), n)).collect()
        })
        .collect();
    assert_eq!(
        reasons,
        [
            vec![("fargate-extended-resource", 2)],
            vec![("fargate-platform", 3)],
            vec![("fargate-host-port", 1)],
            vec![("fargate-size", 1)],
            vec![],
            vec![("cpu", 1)],
        ]
    );
}
