use std::path::Path;

use crate::bill::{AroundCharge, Bill, Charge, KeepLines, Pricing, Target};
use crate::observe::KeepPods;
use crate::plan::{CasePlan, Options, Plan, link};
use crate::scenario::Source;
use crate::units::Money;

/// A scenario with a service `web` on one node, and these further lines.
fn plan(more: &str) -> crate::Result<Plan> {
    let text = format!(
        "version: 1
name: t
region: us-east-1
pools: {{ p: {{ fixed: {{ type: m5.large, count: 1 }} }} }}
{more}"
    );
    link(&Source::parse(Path::new("s.yaml"), text.as_bytes())?, &Options::default())
}

const WEB: &str = "workload:
  web: { service: { requests: { cpu: 100m, memory: 64Mi }, replicas: 1 } }
";

/// The charges of a kind.
fn charges(case: &CasePlan, kind: Charge) -> Vec<&AroundCharge> {
    case.billing.around.iter().filter(|c| c.charge == kind).collect()
}

/// Standard support of 1.32 ends on 2026-03-23.
#[test]
fn the_control_plane_costs_more_once_its_support_ends() {
    let fees = |start: &str| {
        let more = format!(
            "versions: {{ kubernetes: \"1.32\" }}
time: {{ start: {start}T00:00Z, horizon: 2d }}
charges: {{ clusters: 3 }}
{WEB}"
        );
        let plan = plan(&more).expect("links");
        let found = charges(&plan.cases[0], Charge::ControlPlane);
        let Pricing::Dated(prices) = &found[0].pricing else { panic!("dated") };
        let rates: Vec<String> = prices.iter().map(|p| p.1.price.rate.to_string()).collect();
        let warned: Vec<String> = plan.warnings.into_iter().map(|w| w.text).collect();
        (found[0].quantity[0].amounts[0].numerator, rates.join(" "), warned.join(""))
    };
    assert_eq!(fees("2026-03-21"), (3, "0.1".to_owned(), String::new()));
    let (_, rates, warned) = fees("2026-03-23");
    assert_eq!(rates, "0.1 0.6");
    assert!(warned.contains("enters extended support on 2026-03-24, within the run"), "{warned}");
    let (_, rates, warned) = fees("2026-03-24");
    assert_eq!(rates, "0.6");
    assert!(warned.contains("in extended support since 2026-03-24"), "{warned}");
}

/// What the first case costs, its workloads bound where they find room.
fn bill(plan: &Plan) -> Bill {
    let case = &plan.cases[0];
    let tables = case.workload.materialise(1).expect("fine");
    let record = crate::world::run(&case.setup, &tables, 1, KeepPods::No);
    let (cluster, plan) = (&case.setup.cluster, &case.billing);
    Bill::compute(&record, cluster, &tables, plan, KeepLines::Yes).expect("a bill")
}

/// An amount up to the rounding of its lines.
#[track_caller]
fn is(bill: &Bill, charge: Charge, usd: &str) {
    let amount = bill.by_charge.get(charge.name()).copied().unwrap_or_default();
    let expected: Money = usd.parse().expect("money");
    let off = (amount - expected).pico().abs();
    assert!(off < 10_000, "{}: {amount} instead of {expected}", charge.name());
}

/// Two replicas for 73 hours, a tenth of a month: 2 × 100 GB × 0.08, 2 × 1,000
/// IOPS × 0.005, 2 × 100 MiB/s × 0.04, a tenth of each; 50 GB × 0.30 and 10 GB ×
/// 0.14, 1.5 GB of image × 0.10, likewise.
#[test]
fn storage_by_hand() {
    let more = "time: { horizon: 73h }
charges:
  file-systems:
    home: { kind: efs, size: 50Gi, usd-per-gb-month: 0.30 }
    scratch: { kind: fsx, size: 10Gi, usd-per-gb-month: 0.14, workload: db }
workload:
  db:
    image: 1.5Gi
    volumeClaimTemplates:
      data: { zone: us-east-1a, storage: 100Gi, iops: 4000, throughput: 225 }
    service: { requests: { cpu: 100m, memory: 64Mi }, replicas: 2 }
";
    let bill = bill(&plan(more).expect("links"));
    is(&bill, Charge::PodVolume, "3.4");
    is(&bill, Charge::Efs, "1.5");
    is(&bill, Charge::Fsx, "0.14");
    is(&bill, Charge::ImageStorage, "0.015");
    let stated = bill.by_price_status["stated"].pico() - 1_640_000_000_000;
    assert!(stated.abs() < 10_000, "{stated}");
    // Without a zone they come to be when their replica is first bound, after
    // it waited for the scheduler: a little less.
    let young = super::tests::bill(&plan(&more.replace("zone: us-east-1a, ", "")).expect("links"));
    let paid = young.by_charge["pod-volume"].to_f64();
    assert!((3.39..3.4).contains(&paid), "{paid}");
}

#[test]
fn volumes_have_the_bounds_of_their_type() {
    let error = |claim: &str| {
        let more = format!(
            "workload:
  db:
    volumeClaimTemplates: {{ data: {claim} }}
    service: {{ requests: {{ cpu: 100m, memory: 64Mi }}, replicas: 1 }}
"
        );
        plan(&more).expect_err("refused").to_string()
    };
    for (claim, message) in [
        ("{ iops: 4000 }", "`iops` has no effect without `storage`"),
        ("{ type: st1, storage: 200Gi, iops: 500 }", "`iops` has no effect on an st1 volume"),
        ("{ type: io2, storage: 200Gi }", "an io2 volume needs the key `iops`"),
        (
            "{ type: gp2, storage: 10Gi, throughput: 200 }",
            "`throughput` has no effect on a volume of type gp2",
        ),
        ("{ type: st1, storage: 10Gi }", "an st1 volume has between 125 GiB and 16384 GiB"),
        ("{ storage: 50 }", "a gp3 volume has between 1 GiB and 65536 GiB"),
        // What a gp3 volume comes with is the least; 500 IOPS a GiB the most.
        ("{ storage: 100Gi, iops: 2999 }", "between 3000 and 50000 IOPS"),
        ("{ storage: 100Gi, iops: 50001 }", "between 3000 and 50000 IOPS"),
        ("{ storage: 100Gi, iops: 4000, throughput: 1001 }", "between 125 and 1000 MiB/s"),
        ("{ type: io1, storage: 10Gi, iops: 501 }", "between 100 and 500 IOPS"),
        ("{ type: io2, storage: 500Gi, iops: 32001 }", "no price is known for more than 32000"),
    ] {
        let error = error(claim);
        assert!(error.contains(message), "{claim}: {error}");
    }
}

/// 100 requests a second of 5 ms and 1 MiB for a day: 8,437.5 GiB.
const BUSY: &str = "time: { horizon: 24h }
workload:
  web:
    labels: { app: web }
    traffic: { per-request: 1Mi, cross-zone: 50%, internet: 20%, nat: 10% }
    service:
      demand: 100
      cpu-time-per-request: 5ms
      requests: { cpu: 600m, memory: 64Mi }
      replicas: 1
";

/// A fifth leaves: 1,687.5 GB, of which 100 are free, × 0.09. Half of the rest
/// crosses zones: 3,375 GB × 0.01 in each direction. A tenth passes NAT: 843.75 ×
/// 0.045, and three gateways with an address each run for a day. The balancer:
/// 0.0225 an hour, an address in each zone; in an hour 351.5625 GB pass, more than
/// 100/25 new connections, 6,000/3,000 open ones and (13 − 10) × 100/1,000 rules.
#[test]
fn traffic_and_balancers_by_hand() {
    let charges = "charges:
  zones: 3
  nat-gateways: per-zone
  load-balancers: { front: { kind: alb, rules: 13, workloads: [web] } }
";
    let plan = plan(&format!("{charges}{BUSY}")).expect("links");
    let paid = bill(&plan);
    is(&paid, Charge::Egress, "142.875");
    is(&paid, Charge::CrossAz, "67.5");
    is(&paid, Charge::NatGatewayData, "37.96875");
    is(&paid, Charge::NatGateway, "3.24");
    is(&paid, Charge::PublicIpv4, "0.72");
    is(&paid, Charge::LoadBalancer, "0.54");
    is(&paid, Charge::LoadBalancerCapacity, "67.5");
    let names: Vec<&str> = paid.skus.iter().map(|s| s.name.as_str()).collect();
    assert!(names.contains(&"ALB front capacity, processed bytes"), "{names:?}");
    // The traffic is the workload's own, NAT gateways are everybody's.
    let own = |kind| charges_of(&plan, kind).iter().all(|c| c.target != Target::Shared);
    assert!(own(Charge::Egress) && own(Charge::LoadBalancerCapacity));
    assert!(!own(Charge::NatGateway));
}

fn charges_of(plan: &Plan, kind: Charge) -> Vec<&AroundCharge> {
    charges(&plan.cases[0], kind)
}

/// With 1 KiB a request connections decide: 4 units; with ten requests on each,
/// open for a minute, 600/3,000 against 10/25: 0.4. Rules: 90 × 100/1,000 = 9.
#[test]
fn whatever_is_most_decides_the_capacity_units() {
    let capacity = |rules: u32, more: &str| {
        let charges = format!(
            "charges:
  load-balancers: {{ front: {{ kind: alb, rules: {rules}, workloads: [web] }} }}
  load-balancing: {{ internet-facing: false{more} }}
"
        );
        let busy = BUSY.replace("1Mi", "1Ki");
        let bill = bill(&plan(&format!("{charges}{busy}")).expect("links"));
        assert!(!bill.by_charge.contains_key("public-ipv4"));
        let sku = bill.skus.iter().find(|s| s.charge == Charge::LoadBalancerCapacity);
        let name = sku.map(|s| s.name.clone()).unwrap_or_default();
        (bill, name)
    };
    // 24 hours × 0.008.
    let (paid, name) = capacity(1, "");
    is(&paid, Charge::LoadBalancerCapacity, "0.768");
    assert_eq!(name, "ALB front capacity, new connections");
    let (paid, _) = capacity(1, ", requests-per-connection: 10");
    is(&paid, Charge::LoadBalancerCapacity, "0.0768");
    let (paid, name) = capacity(1, ", requests-per-connection: 10, connection-duration: 10m");
    is(&paid, Charge::LoadBalancerCapacity, "0.384");
    assert_eq!(name, "ALB front capacity, active connections");
    let (paid, name) = capacity(100, "");
    is(&paid, Charge::LoadBalancerCapacity, "1.728");
    assert_eq!(name, "ALB front capacity, rule evaluations");
}

/// An NLB for a Service of type `LoadBalancer`, an ALB for an Ingress with a rule
/// for each path and its default; both know whose requests they are.
#[test]
fn balancers_are_counted_from_what_kubernetes_declares() {
    let objects = "kubernetes:
  services:
    web: { selector: { app: web }, type: LoadBalancer }
    inner: { selector: { app: web } }
  ingresses:
    site:
      rules:
        - http:
            paths:
              - { path: /a, pathType: Prefix, backend: { service: { name: inner } } }
              - { path: /b, pathType: Prefix, backend: { service: { name: inner } } }
";
    let plan = plan(&format!("{objects}{BUSY}")).expect("links");
    let names =
        |kind| -> Vec<String> { charges_of(&plan, kind).iter().map(|c| c.name.clone()).collect() };
    assert_eq!(names(Charge::LoadBalancer), ["NLB web", "ALB site"]);
    assert_eq!(names(Charge::LoadBalancerCapacity), ["NLB web capacity", "ALB site capacity"]);
    assert!(plan.warnings.iter().all(|w| w.code != "unknown-load"));
    let wrong = objects.replace("name: inner", "name: iner");
    let error = super::tests::plan(&format!("{wrong}{BUSY}")).expect_err("refused").to_string();
    assert!(error.contains("there is no Service `iner` in namespace `default`"), "{error}");
    assert!(error.contains("inner"), "{error}");
}

/// Ten metrics of a node for a day: 10 × 0.30 × 24/730. A GB of logs an hour of
/// the node, a quarter of each pod.
#[test]
fn metrics_and_logs_by_hand() {
    let more = format!(
        "time: {{ horizon: 24h }}
charges:
  container-insights: {{ metrics: {{ per-node: 10 }} }}
  logs: {{ per-node-hour: 1Gi, per-pod-hour: 256Mi }}
{WEB}"
    );
    let paid = bill(&plan(&more).expect("links"));
    is(&paid, Charge::ContainerInsights, "0.098630136986");
    let logs = paid.by_charge["log-ingestion"].to_f64();
    // The pod is bound within the first minute.
    assert!((14.99..=15.0).contains(&logs), "{logs}");
    let observed = "charges: { container-insights: { observations-per-hour: { per-pod: 900 } } }\n";
    let error = plan(&format!("{observed}{WEB}")).expect_err("believed").to_string();
    assert!(error.contains("a recollection that nobody has verified"), "{error}");
}

/// Traffic is billed, not simulated: a case that changes it is the same run.
#[test]
fn what_is_billed_alone_is_not_simulated_again() {
    let cases = "cases:
  today: {}
  more: { set: { workload.web.traffic.per-request: 2Mi, charges.nat-gateways: 2 } }
  image: { set: { workload.web.image: 1Gi } }
";
    let plan = plan(&format!("{BUSY}{cases}")).expect("links");
    let keys: Vec<u64> = plan.cases.iter().map(|c| c.sim_key).collect();
    assert_eq!(keys, [0, 0, 2]);
}

#[test]
fn mistakes_around_the_compute_are_told() {
    let error = |more: &str| plan(more).expect_err("refused").to_string();
    let typo =
        format!("charges: {{ load-balancers: {{ x: {{ kind: nlb, workloads: [wbe] }} }} }}\n{WEB}");
    assert!(error(&typo).contains("there is no workload `wbe`"), "{}", error(&typo));
    let rules = format!("charges: {{ load-balancers: {{ x: {{ kind: nlb, rules: 2 }} }} }}\n{WEB}");
    assert!(error(&rules).contains("`rules` has no effect on an `nlb`"));
    let quiet = WEB.replace("service:", "traffic: { per-request: 1Ki }, service:");
    assert!(error(&quiet).contains("traffic per request needs a service with `demand`"));
    let unknown = format!(
        "time: {{ horizon: 1h }}
charges: {{ load-balancers: {{ x: {{ kind: nlb, workloads: [web] }} }} }}
{WEB}"
    );
    let warned = plan(&unknown).expect("links").warnings;
    assert!(warned.iter().any(|w| w.code == "unknown-load"), "{warned:?}");
    let idle = "time: { horizon: 1h }
charges: { zones: 2, load-balancing: { internet-facing: false }, other-egress-per-month: 1Ti }
";
    let warned = plan(&format!("{idle}{WEB}")).expect("links").warnings;
    let unused = |key: &str| {
        let text = format!("`charges.{key}` has no effect");
        warned.iter().any(|w| w.code == "unused-charge" && w.text.contains(&text))
    };
    for key in ["zones", "load-balancing", "other-egress-per-month"] {
        assert!(unused(key), "{key}: {warned:?}");
    }
    assert!(plan(BUSY).expect("links").warnings.iter().all(|w| w.code != "unused-charge"));
}

/// 500 MiB at 50 MiB/s take ten seconds on a node that does not have the image;
/// the second pod there, five seconds later, waits for the rest of the pull, and
/// one an hour later not at all. On Fargate each pod pulls.
#[test]
fn a_node_pulls_an_image_once() {
    let runs = |pools: &str| -> Vec<i64> {
        let text = format!(
            "version: 1
name: t
region: us-east-1
time: {{ horizon: 2h }}
pools: {{ p: {pools} }}
workload:
  job:
    image: 500Mi
    startup: 1s
    generate:
      arrivals: {{ burst: {{ at: [0s, 5s, 1h], size: 1 }} }}
      count: 3
      duration: 1m
      cpu: {{ constant: 100m }}
      memory: {{ constant: 64Mi }}
"
        );
        let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("parses");
        let plan = link(&source, &Options::default()).expect("links");
        let case = &plan.cases[0];
        let tables = case.workload.materialise(1).expect("fine");
        let record = crate::world::run(&case.setup, &tables, 1, KeepPods::Yes);
        record.pods.iter().map(|p| (p.running - p.bound).ms()).collect()
    };
    let node = runs("{ fixed: { type: m5.large, count: 1 } }");
    assert_eq!((node[0], node[2]), (11_000, 1_000));
    assert!((5_500..6_500).contains(&node[1]), "{node:?}");
    let fargate = runs("{ fargate: { match: { namespace: default } } }");
    assert_eq!(fargate, [11_000; 3]);
}
