//! The scenario key `other-usage`, from a file to a billing plan.

use super::*;
use crate::bill::{OtherUsage, PriceStatus, Unit};

const SCENARIO: &str = "
version: 1
name: t
region: us-east-1
time: { start: 2026-01-05T00:00Z, horizon: 2h }
workload:
  job:
    generate:
      { count: 1, arrivals: { even: { every: 1m } }, duration: 10m, shapes: [{ cpu: 1, memory: 1Gi }] }
pools: { p: { fixed: { type: m5.large, count: 2 } } }
commitments:
  any: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 1 }
  own: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 1, discount: 50% }
  c5: { kind: ec2-instance-sp, term: 1y, payment: no-upfront, usd-per-hour: 1, family: c5 }
  ri: { kind: standard-ri, term: 1y, payment: no-upfront, instance-type: c5.large, count: 3,
        upfront-usd: 0, usd-per-hour: 0.05 }
";

const FILE: &str = "hour,kind,quantity
2026-01-05T00:00:00Z,c5.xlarge,1
2026-01-05T01:00:00Z,fargate-vcpu,8
2026-01-05T01:00:00Z,fargate-gb,16
";

fn try_plan(scenario: &str, file: &str) -> crate::Result<Plan> {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("o.csv"), file).expect("a file");
    std::fs::write(dir.path().join("s.yaml"), scenario).expect("a file");
    load(&dir.path().join("s.yaml"), &Options::default())
}

fn linked(rest: &str, file: &str) -> (Plan, OtherUsage) {
    let plan = try_plan(&format!("{SCENARIO}{rest}"), file).expect("links");
    let other = plan.cases[0].billing.other_usage.clone().expect("other usage");
    (plan, other)
}

#[test]
fn kinds_take_the_prices_of_the_region_and_its_plans() {
    let (plan, other) = linked("other-usage: { file: o.csv }\n", FILE);
    assert!(!other.owner);
    let rates: Vec<(&str, Unit, String, Vec<Option<String>>)> = other
        .items
        .iter()
        .map(|i| {
            let covered = i.covered.iter().map(|p| p.map(|p| p.rate.to_string())).collect();
            (i.name.as_str(), i.unit, i.on_demand.rate.to_string(), covered)
        })
        .collect();
    let of = |rates: [Option<&str>; 4]| rates.map(|r| r.map(str::to_owned)).to_vec();
    // Half off 0.17; a c5.xlarge is two c5.large at 0.05.
    let [any, c5] = [0, 2].map(|c| other.items[0].covered[c].expect("a rate").rate.to_string());
    let expected = of([Some(any.as_str()), Some("0.085"), Some(c5.as_str()), Some("0.1")]);
    assert_eq!(rates[0], ("c5.xlarge", Unit::Hours, "0.17".to_owned(), expected));
    // As a pool of it would be linked.
    let pool = SCENARIO.replace("type: m5.large", "type: c5.xlarge");
    let pool = try_plan(&pool, FILE).expect("links");
    let shape =
        |c: usize| pool.cases[0].billing.commitments[c].shapes[0].map(|p| p.rate.to_string());
    assert_eq!((shape(0), shape(2)), (Some(any), Some(c5)));
    assert_eq!((&rates[1].1, rates[1].2.as_str()), (&Unit::VcpuHours, "0.04048"));
    assert_eq!((&rates[1].3[2], &rates[1].3[3]), (&None, &None));
    assert_eq!(rates[2].3[1].as_deref(), Some("0.0022225"));
    assert_eq!(other.items[2].on_demand.status, PriceStatus::Real);
    // Nothing bought is useless: others use it. The file is an input.
    assert!(plan.warnings.iter().all(|w| w.code != "commitment-unused"), "{:?}", plan.warnings);
    let input = plan.inputs.iter().find(|i| i.path == "o.csv").expect("an input");
    assert_eq!(input.sha256.len(), 64);
    let setting = |path: &str| {
        plan.cases[0].settings.iter().find(|s| s.path == path).expect("a setting").value.clone()
    };
    assert_eq!(setting("other-usage.owner"), "scenario");
    assert!(setting("ec2-on-demand.c5.xlarge").starts_with("0.17 USD"));
}

#[test]
fn owners_differ_by_billing_alone() {
    let rest = "other-usage: { file: o.csv, owner: other }\n\
                cases: { theirs: {}, ours: { set: { other-usage.owner: scenario } } }\n";
    let (plan, other) = linked(rest, FILE);
    assert!(other.owner);
    assert!(!plan.cases[1].billing.other_usage.as_ref().expect("other usage").owner);
    assert_eq!(plan.cases[0].sim_key, plan.cases[1].sim_key);
}

#[test]
fn negotiated_discounts_are_the_payers() {
    let rest = "other-usage: { file: o.csv }\ndiscounts: { ec2: 10%, fargate: 20% }\n";
    let (_, other) = linked(rest, FILE);
    let prices: Vec<String> = other.items.iter().map(|i| i.on_demand.rate.to_string()).collect();
    // 0.17, 0.04048, 0.004445; rates of commitments stay.
    assert_eq!(prices, ["0.153", "0.032384", "0.003556"]);
    let (_, listed) = linked("other-usage: { file: o.csv }\n", FILE);
    for (item, at_list) in other.items.iter().zip(&listed.items) {
        assert_eq!(item.covered, at_list.covered);
    }
}

#[test]
fn doubtful_files_are_said() {
    let code = |rest: &str, file: &str| {
        let (plan, _) = linked(rest, file);
        plan.warnings.iter().map(|w| w.code).collect::<Vec<_>>()
    };
    let key = "other-usage: { file: o.csv }\n";
    assert!(!code(key, FILE).contains(&"other-usage-elsewhere"));
    let late = FILE.replace("2026-01-05T00", "2026-01-05T01");
    assert!(code(key, &late).contains(&"other-usage-elsewhere"));
    let weekly = "hour_of_week,kind,quantity\n5,m5.large,1\n";
    assert!(!code(key, weekly).contains(&"other-usage-elsewhere"));
    let (none, _) = SCENARIO.split_once("commitments:").expect("commitments");
    let plan = try_plan(&format!("{none}{key}"), FILE).expect("links");
    assert!(plan.warnings.iter().any(|w| w.code == "unused-other-usage"));
}

#[test]
fn bad_files_are_refused() {
    let key = "other-usage: { file: o.csv }\n";
    let refused = |rest: &str, file: &str| {
        let error = try_plan(&format!("{SCENARIO}{rest}"), file).expect_err("refused");
        assert!(error.is_input());
        error.to_string()
    };
    let said = refused(key, &FILE.replace("c5.xlarge", "c5.xlage"));
    for part in
        ["s.yaml:", "`o.csv`: line 2, column `kind`: `c5.xlage`", "did you mean `c5.xlarge`?"]
    {
        assert!(said.contains(part), "{said}");
    }
    let said = refused(key, &FILE.replace(",8", ",-8"));
    for part in ["o.csv: line 3, column `quantity`: `-8` is not between", "correct them"] {
        assert!(said.contains(part), "{said}");
    }
    let said = refused("other-usage: { file: p.csv }\n", FILE);
    assert!(said.contains("p.csv"), "{said}");
    let said = refused("other-usage: { file: o.csv, owner: them }\n", FILE);
    assert!(said.contains("scenario") && said.contains("other"), "{said}");
}
