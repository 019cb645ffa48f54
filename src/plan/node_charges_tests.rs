//! What nodes are charged besides instances, from text to prices.

use std::path::Path;

use super::*;
use crate::bill::{Charge, NodeFee, PriceStatus, RootVolume};
use crate::scenario::Source;

fn text(orchestrator: &str, pool: &str, rest: &str) -> String {
    format!(
        "
version: 1
name: t
region: us-east-1
orchestrator: {orchestrator}
time: {{ horizon: 1d }}
workload: {{ web: {{ service: {{ requests: {{ cpu: 1, memory: 1Gi }}, replicas: 1 }} }} }}
pools: {{ n: {{ {pool} }} }}
{rest}
"
    )
}

fn options(believed: bool) -> Options {
    Options { allow_believed: believed, ..Options::default() }
}

fn try_plan(text: &str, believed: bool) -> crate::Result<Plan> {
    link(&Source::parse(Path::new("s.yaml"), text.as_bytes())?, &options(believed))
}

fn plan(text: &str) -> Plan {
    try_plan(text, false).expect("links")
}

fn error(text: &str) -> String {
    try_plan(text, false).expect_err("refused").to_string()
}

const TYPE: &str = "fixed: { type: m5.large, count: 2 }";
const OWN: &str =
    "fixed: { shape: { vcpu: 4, memory: 16Gi, pods: 50, usd-per-hour: 0.03 }, count: 2 }";

fn volume(root: &str) -> Option<RootVolume> {
    let plan = plan(&text("eks", TYPE, &format!("charges: {{ root-volume: {root} }}")));
    plan.cases[0].billing.root_volume
}

#[test]
fn volumes_are_priced_beyond_what_they_come_with() {
    let of = |root: &str| {
        let v = volume(root).expect("a volume");
        let extra = |e: Option<(u32, crate::bill::Price)>| e.map(|(n, p)| (n, p.rate.to_string()));
        (v.gib, v.gb_month.rate.to_string(), extra(v.iops), extra(v.throughput))
    };
    let rate = |n: u32, r: &str| Some((n, r.to_owned()));
    let storage = |r: &str| r.to_owned();
    assert_eq!(of("50Gi"), (50, storage("0.08"), None, None));
    assert_eq!(of("{ size: 50Gi }"), of("50Gi"));
    assert_eq!(of("{ size: 50Gi, iops: 3000, throughput: 125 }"), of("50Gi"));
    assert_eq!(
        of("{ size: 100Gi, iops: 6000, throughput: 250 }"),
        (100, storage("0.08"), rate(3_000, "0.005"), rate(125, "0.04"))
    );
    assert_eq!(of("{ size: 100Gi, type: gp2 }"), (100, storage("0.1"), None, None));
    assert_eq!(
        of("{ size: 40Gi, type: io1, iops: 2000 }"),
        (40, storage("0.125"), rate(2_000, "0.065"), None)
    );
    assert_eq!(
        of("{ size: 32Gi, type: io2, iops: 32000 }"),
        (32, storage("0.125"), rate(32_000, "0.065"), None)
    );
}

#[test]
fn volumes_that_are_not_sold_are_refused() {
    for (root, wanted) in [
        ("500", "between 1 GiB and 65536 GiB"),
        ("{ size: 17Ti, type: gp2 }", "between 1 GiB and 16384 GiB"),
        ("{ size: 50Gi, type: io2 }", "needs the key `iops`"),
        ("{ size: 50Gi, type: gp2, iops: 3000 }", "no effect on a gp2 volume"),
        ("{ size: 50Gi, iops: 2999 }", "between 3000 and 25000 IOPS"),
        ("{ size: 50Gi, type: io1, iops: 2501 }", "between 100 and 2500 IOPS"),
        ("{ size: 50Gi, throughput: 751 }", "between 125 and 750 MiB/s"),
        (
            "{ size: 50Gi, type: io1, iops: 500, throughput: 500 }",
            "no effect on a volume of type io1",
        ),
        ("{ size: 100Gi, type: io2, iops: 32001 }", "no price is known for more than 32000"),
        ("{ type: gp3 }", "needs the key `size`"),
        ("{ size: 50Gi, type: st1 }", "unknown value `st1`"),
    ] {
        let text = error(&text("eks", TYPE, &format!("charges: {{ root-volume: {root} }}")));
        assert!(text.contains(wanted), "{root}: {text}");
    }
}

fn fee(plan: &Plan) -> Option<NodeFee> {
    plan.cases[0].billing.pools.first().and_then(|p| p.fee.clone())
}

fn rates(plan: &Plan) -> (Charge, Vec<Option<(String, PriceStatus)>>, i64) {
    let fee = fee(plan).expect("a fee");
    let shapes = fee.shapes.iter().map(|p| p.map(|p| (p.rate.to_string(), p.status))).collect();
    (fee.charge, shapes, fee.minimum_ms)
}

#[test]
fn managed_nodes_pay_a_share_of_the_on_demand_price() {
    let typical = |rate: &str| vec![Some((rate.to_owned(), PriceStatus::Representative))];
    let auto = plan(&text("eks", &format!("{TYPE}, managed-by: eks-auto-mode"), ""));
    assert_eq!(rates(&auto), (Charge::EksAutoMode, typical("0.01152"), 60_000));
    assert!(
        auto.cases[0]
            .settings
            .iter()
            .any(|s| { s.path == "pools.n.management-fee" && s.value == "{ of-on-demand: 12% }" })
    );
    // Spot pays the same.
    let spot = "fixed: { type: m5.large, count: 2, purchase: spot }, managed-by: eks-auto-mode";
    assert_eq!(rates(&plan(&text("eks", spot, ""))), rates(&auto));
    // c6a.2xlarge: 0.306, of which AWS's example has 0.037.
    let managed = "fixed: { type: c6a.2xlarge, count: 1 }, managed-by: ecs-managed-instances";
    let managed = plan(&text("ecs", managed, ""));
    assert_eq!(rates(&managed), (Charge::EcsManagedInstances, typical("0.03672"), 60_000));
    let stated = |fee: &str| {
        let pool = format!("{TYPE}, managed-by: eks-auto-mode, management-fee: {{ {fee} }}");
        rates(&plan(&text("eks", &pool, ""))).1
    };
    let own = |rate: &str| vec![Some((rate.to_owned(), PriceStatus::Stated))];
    assert_eq!(stated("of-on-demand: 7.5%"), own("0.0072"));
    assert_eq!(stated("usd-per-node-hour: 0.011"), own("0.011"));
    assert!(fee(&plan(&text("eks", TYPE, ""))).is_none());
}

#[test]
fn machines_of_ones_own_have_their_own_price() {
    let pool = format!("{OWN}, managed-by: ecs-anywhere");
    let text_ = text("ecs", &pool, "charges: { root-volume: 50Gi }");
    // The fee is a recollection.
    let refused = error(&text_);
    assert!(refused.contains("--allow-believed-prices"), "{refused}");
    let anywhere = try_plan(&text_, true).expect("links");
    let believed = vec![Some(("0.01025".to_owned(), PriceStatus::Believed))];
    assert_eq!(rates(&anywhere), (Charge::EcsAnywhere, believed, 3_600_000));
    assert!(anywhere.cases[0].billing.pools[0].outside_aws);
    let eks = plan(&text("eks", &format!("{OWN}, managed-by: eks-anywhere"), ""));
    assert!(eks.cases[0].billing.pools[0].outside_aws && fee(&eks).is_none());
    // Without a manager they are nodes at a price.
    let plain = plan(&text("eks", OWN, ""));
    assert_eq!(plain.cases[0].billing.pools, []);
    let price = plain.cases[0].billing.shapes[0].on_demand.expect("stated");
    assert_eq!((price.rate.to_string().as_str(), price.status), ("0.03", PriceStatus::Stated));
}

#[test]
fn managers_that_do_not_suit_are_refused() {
    for (orchestrator, pool, wanted) in [
        ("ecs", format!("{TYPE}, managed-by: eks-auto-mode"), "eks-auto-mode is for EKS"),
        ("eks", format!("{OWN}, managed-by: ecs-anywhere"), "ecs-anywhere is for ECS"),
        ("eks", format!("{OWN}, managed-by: eks-auto-mode"), "has a shape of its own"),
        ("ecs", format!("{TYPE}, managed-by: ecs-anywhere"), "has instance types"),
        (
            "eks",
            format!("{TYPE}, management-fee: {{ of-on-demand: 1% }}"),
            "is what `managed-by` costs",
        ),
        (
            "ecs",
            format!("{OWN}, managed-by: ecs-anywhere, management-fee: {{ of-on-demand: 1% }}"),
            "have no On-Demand price",
        ),
    ] {
        let text = error(&text(orchestrator, &pool, ""));
        assert!(text.contains(wanted), "{pool}: {text}");
    }
}

/// A fee bills again without another simulation.
#[test]
fn fees_and_volumes_are_billing_only() {
    let cases = "cases:
  base: {}
  auto: { set: { pools.n.managed-by: eks-auto-mode } }
  volume: { set: { charges.root-volume: { size: 50Gi, iops: 4000 } } }
";
    let plan = plan(&text("eks", TYPE, cases));
    assert_eq!(plan.cases[0].setup, plan.cases[1].setup);
    assert_eq!(plan.cases[0].setup, plan.cases[2].setup);
    assert!(plan.cases[0].billing.pools.is_empty() && !plan.cases[1].billing.pools.is_empty());
}

/// t3 earns at 30 % of two vCPU, t4g.xlarge at 40 % of four; m5 does not burst.
#[test]
fn burstable_nodes_pay_for_surplus_where_usage_is_known() {
    let burst = |kind: &str| {
        let pool = format!("fixed: {{ type: {kind}, count: 1 }}");
        let text = text("eks", &pool, "charges: { surplus-credits: true }");
        let plan = try_plan(&text, true).expect("links");
        let found = plan.cases[0].billing.bursts.first().copied().flatten();
        let codes: Vec<&str> = plan.warnings.iter().map(|w| w.code).collect();
        (found.map(|b| (b.baseline.0, b.vcpu_hour.rate.to_string())), codes)
    };
    let paid = |baseline, rate: &str| Some((baseline, rate.to_owned()));
    assert_eq!(burst("t3.large"), (paid(600, "0.05"), vec!["surplus-unknown", "believed-prices"]));
    assert_eq!(burst("t3a.medium").0, paid(400, "0.05"));
    assert_eq!(burst("t4g.xlarge").0, paid(1_600, "0.04"));
    assert_eq!(burst("t3.2xlarge").0, paid(3_200, "0.05"));
    assert_eq!(burst("t2.large").0, None);
    assert_eq!(burst("m5.large"), (None, vec![]));
    let pool = "fixed: { type: t3.large, count: 1 }";
    let refused = error(&text("eks", pool, "charges: { surplus-credits: true }"));
    assert!(refused.contains("--allow-believed-prices"), "{refused}");
    let quiet = plan(&text("eks", pool, ""));
    assert!(quiet.cases[0].billing.bursts.is_empty());
    assert!(quiet.cases[0].settings.iter().any(|s| s.path == "charges.surplus-credits"));
}
