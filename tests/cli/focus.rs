//! `run --export focus-csv`: what it writes keeps the rules of FOCUS 1.2.

use std::collections::BTreeMap;
use std::fs;

use super::focus_rules::{Row, check, decimal, decimals, row_rules, set_rules, table};
use super::{assert_equal_results, fine, json, pico, refused, root, scratch, shared};

/// Every way of buying: On-Demand, Spot with interruptions in the first hour, a
/// custom shape, Fargate; a plan that covers and is left unused; two fees for
/// nodes, provisioned volumes, storage of pods; capacity reservations of two
/// types; names that a spreadsheet would run.
const SCENARIO: &str = "
version: 1
name: mix
region: us-east-1
versions: { kubernetes: '1.35' }
time: { start: 2026-01-31T20:30Z, horizon: 6h }
workload:
  '=web':
    namespace: prod
    service: { demand: 40, cpu-time-per-request: 50ms, requests: { cpu: 500m, memory: 1Gi }, replicas: { target: 60%, min: 6, max: 6 } }
  batch:
    namespace: batch
    fargate-storage: 50Gi
    generate: { count: 40, arrivals: { even: { every: 6m30s } }, duration: 20m, cpu: 1, memory: 2Gi }
pools:
  steady: { fixed: { type: m5.large, count: 3 }, managed-by: eks-auto-mode, management-fee: { of-on-demand: 9% } }
  made-up: { fixed: { shape: { vcpu: 4, memory: 8Gi, pods: 20, usd-per-hour: 0.1 }, count: 1 } }
  spot:
    asg: { types: [m5.large], min: 120, max: 120, purchase: { above-base: spot } }
    scaler: cluster-autoscaler
    managed-by: eks-auto-mode
spot: { interruptions: { per-month: 99.99% } }
charges: { root-volume: { size: 20Gi, iops: 4000, throughput: 200 }, public-ipv4: true, node-licence: { usd-per-node-hour: 0.01 } }
commitments:
  base: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 }
  much: { kind: compute-sp, term: 3y, payment: partial-upfront, usd-per-hour: 2 }
  small: { kind: standard-ri, instance-type: m5.large, count: 1, term: 1y, payment: partial-upfront, upfront-usd: 250.5, usd-per-hour: 0.03 }
  large: { kind: convertible-ri, instance-type: r5.large, count: 2, term: 1y, payment: all-upfront, upfront-usd: 700 }
capacity-reservations:
  used: { instance-type: m5.large, zone: us-east-1a, count: 2 }
  idle: { instance-type: c5.xlarge, zone: us-east-1b, count: 1 }
cases:
  nodes: {}
  fargate:
    replace:
      pools: { fargate: { fargate: { match: { namespace: '*' }, job-retention: 0s } } }
";

fn sum(rows: &[Row], column: &str) -> i128 {
    rows.iter().map(|r| decimal(&r[column]).expect("a decimal")).sum()
}

#[test]
fn exports_keep_the_rules_of_focus() {
    let dir = scratch();
    fs::write(dir.path().join("mix.yaml"), SCENARIO).expect("written");
    let export = ["--export", "focus-csv", "--seeds", "1", "-q"];
    fine(dir.path(), &[&["run", "mix.yaml", "-o", "mix"][..], &export].concat());
    let bundled = root().join("workloads/ec2-vs-fargate.yaml");
    let bundled = bundled.to_str().expect("a path");
    let stated = "discounts={ ec2: 5%, other: 3.3%, savings-plans: 7%, reserved-instances: 3% }";
    let contract = ["--set", stated, "-o", "contract"];
    fine(dir.path(), &[&["run", "mix.yaml"][..], &contract, &export].concat());
    let short = ["--set", "time.horizon=9h", "-o", "bundled"];
    fine(dir.path(), &[&["run", bundled][..], &short, &export].concat());
    // Everything that is charged around the compute.
    let around = root().join("workloads/around-the-compute.yaml");
    let around = around.to_str().expect("a path");
    fine(dir.path(), &[&["run", around, "--case", "today", "-o", "around"][..], &export].concat());
    let mut about: BTreeMap<&str, usize> = BTreeMap::new();
    let mut seen = 0;
    for case in [
        "mix/nodes",
        "mix/fargate",
        "contract/nodes",
        "contract/fargate",
        "bundled/ec2",
        "bundled/ec2-spot-plan",
        "bundled/fargate",
        "around/today",
    ] {
        let (header, rows) = table(&dir.path().join(case).join("focus.csv"));
        assert!(rows.len() > 50, "{case} has {} rows", rows.len());
        seen += rows.len();
        for (id, count) in check(case, &header, &rows) {
            *about.entry(id).or_default() += count;
        }
        // The rows are the bill.
        let summary = json(&dir.path().join(case).join("summary.json"));
        let total = pico(&summary["cost"]["total"]) * 1_000;
        assert_eq!(sum(&rows, "EffectiveCost"), total, "{case}");
        assert_eq!(sum(&rows, "BilledCost"), total, "{case}");
    }
    assert!(seen > 1_000, "{seen}");
    for rule in row_rules() {
        assert!(about[rule.id] > 0, "no row is about {} ({})", rule.id, rule.text);
    }
    for rule in set_rules() {
        assert!(about[rule.id] > 0, "nothing is about {} ({})", rule.id, rule.text);
    }
}

/// Of a pico-USD, in thousandths of what [`decimal`] counts.
const HALF_A_PICO: i128 = 500_000;

/// List, contracted and effective cost are three stages: negotiated
/// discounts, then commitments.
#[test]
fn discounts_part_list_from_contracted_cost() {
    let dir = scratch();
    fs::write(dir.path().join("mix.yaml"), SCENARIO).expect("written");
    let run = ["run", "mix.yaml", "--seeds", "1", "-q", "--export", "focus-csv"];
    let stated =
        "discounts={ ec2: 5%, fargate: 3.3%, savings-plans: 4%, reserved-instances: 2.7% }";
    let contract = ["--set", stated, "-o", "contract"];
    fine(dir.path(), &[&run[..], &contract].concat());
    fine(dir.path(), &[&run[..], &["-o", "listed"]].concat());
    // What commitments themselves cost, to thousandths that are paid of it.
    let fee = |row: &Row| match row["x_PurchaseOption"].as_str() {
        "savings-plan" => 960,
        "reserved-instance" => 973,
        other => panic!("{other}"),
    };
    // (Service, way of buying) to thousandths that are paid of the list price.
    let paid = |row: &Row| match (row["ServiceName"].as_str(), row["x_PurchaseOption"].as_str()) {
        ("Amazon Elastic Compute Cloud", "spot") => 1_000,
        ("Amazon Elastic Compute Cloud", _) => 950,
        ("AWS Fargate", _) => 967,
        _ => 1_000,
    };
    for case in ["nodes", "fargate"] {
        let cost =
            |of: &str| json(&dir.path().join(of).join(case).join("summary.json"))["cost"].clone();
        let (_, rows) = table(&dir.path().join("contract").join(case).join("focus.csv"));
        let mut seen = BTreeMap::new();
        for row in rows.iter().filter(|r| r["ChargeCategory"] == "Usage") {
            let (list, contracted) = ("ListUnitPrice", "ContractedUnitPrice");
            let [list, contracted] = [list, contracted].map(|c| decimal(&row[c]).expect("a rate"));
            let unused = row.get("CommitmentDiscountStatus").is_some_and(|s| s == "Unused");
            let paid = if unused { fee(row) } else { paid(row) };
            // Fees of Reserved Instances have twelve decimals before already.
            let apart = list * paid - contracted * 1_000;
            assert!(apart == 0 || unused && apart.abs() <= HALF_A_PICO, "{apart}: {row:#?}");
            *seen.entry((paid, row.contains_key("CommitmentDiscountId"))).or_insert(0) += 1;
        }
        assert!(seen.keys().any(|k| k.0 < 1_000 && k.1), "{seen:?}");
        assert!(seen.keys().any(|k| k.0 == 1_000 && !k.1), "{seen:?}");
        // Purchases are billed at what is paid of the list price.
        let bought: Vec<&Row> = rows.iter().filter(|r| r["ChargeCategory"] == "Purchase").collect();
        assert!(bought.iter().any(|r| fee(r) == 960) && bought.iter().any(|r| fee(r) == 973));
        for row in bought {
            let [list, contracted, billed, price, unit] = [
                "ListCost",
                "ContractedCost",
                "BilledCost",
                "ContractedUnitPrice",
                "ListUnitPrice",
            ]
            .map(|c| decimal(&row[c]).expect("a decimal"));
            assert_eq!(contracted, billed, "{row:#?}");
            for apart in [unit * fee(row) - price * 1_000, list * fee(row) - contracted * 1_000] {
                assert!(apart.abs() <= 2 * HALF_A_PICO, "{apart}: {row:#?}");
            }
        }
        // The difference is the saving, to a pico-USD for each row of a line
        // that commitments split.
        let usage: Vec<Row> =
            rows.iter().filter(|r| r["ChargeCategory"] != "Purchase").cloned().collect();
        let saving = pico(&cost("contract")["discount_saving"]) * 1_000;
        assert!(saving > 0);
        let apart = sum(&usage, "ListCost") - sum(&usage, "ContractedCost");
        assert!((apart - saving).abs() <= 1_000 * rows.len() as i128, "{apart} {saving}");
        // Before commitments it is what the same usage costs at list prices.
        let listed = cost("listed");
        let (before, list) = (&cost("contract")["list_total"], &listed["list_total"]);
        assert_eq!(pico(before) + saving / 1_000, pico(list), "{case}");
        assert!(listed.get("discount_saving").is_none());
    }
}

/// A rule that cannot fail proves nothing: each is broken by hand once.
#[test]
fn broken_rows_are_found() {
    let dir = scratch();
    fs::write(dir.path().join("mix.yaml"), SCENARIO).expect("written");
    let args = ["run", "mix.yaml", "--case", "nodes", "-o", "out", "--seeds", "1", "-q"];
    fine(dir.path(), &[&args[..], &["--export", "focus-csv"]].concat());
    let (header, rows) = table(&dir.path().join("out/nodes/focus.csv"));
    let broken = |change: &dyn Fn(&mut Row)| -> Vec<&str> {
        let mut found = Vec::new();
        for mut row in rows.iter().cloned() {
            change(&mut row);
            found.extend(row_rules().filter(|r| (r.about)(&row) && !(r.holds)(&row)).map(|r| r.id));
        }
        found
    };
    assert!(broken(&|_| ()).is_empty());
    let set = |column: &'static str, value: &'static str| {
        move |row: &mut Row| {
            row.insert(column.to_owned(), value.to_owned());
        }
    };
    for (column, value, id) in [
        ("ListCost", "1e3", "NumericFormat"),
        ("ListCost", "77", "ListCost.product"),
        ("ContractedUnitPrice", "-1", "ContractedUnitPrice.sign"),
        ("ChargePeriodEnd", "2026-03-01T00:00:00Z", "Period.inside"),
        ("ChargePeriodStart", "2026-01-31 20:00:00", "DateTimeFormat"),
        ("BilledCost", "1", "DiscountHandling.billed"),
        ("EffectiveCost", "1", "EffectiveCost.purchase"),
        ("ChargeClass", "NULL", "NullHandling.text"),
        ("Tags", "{\"a\":{}}", "KeyValueFormat.Tags"),
        ("ServiceSubcategory", "Containers", "ServiceCategory.values"),
        ("PricingCategory", "Standard", "PricingCategory.dynamic"),
        ("CommitmentDiscountStatus", "Used", "CommitmentDiscountStatus.null"),
        ("ResourceId", "arn:aws:ec2:i-1", "ColumnHandling.ids"),
        ("PricingUnit", "Million hours", "UnitFormat"),
        ("PricingUnit", "vCPUs-Hours", "UnitFormat"),
        ("ChargeFrequency", "One-Time", "ChargeFrequency.usage"),
        ("CapacityReservationId", "plimsoll/r", "CapacityReservationId.null"),
        ("CapacityReservationStatus", "Used", "CapacityReservationId.unused"),
        ("SkuPriceDetails", "{\"CoreCount\":\"2\"}", "SkuPriceDetails.keys"),
        ("SkuPriceId", "plimsoll/us-east-1/x/0.096", "SkuPriceId.amount"),
        ("Tags", "{\"workload\":\"plimsoll\"}", "SkuId.owner"),
        ("PricingUnit", "vCPU-Hours", "SkuPriceDetails.unit"),
    ] {
        assert!(broken(&set(column, value)).contains(&id), "{column} = {value} passes {id}");
    }
    for column in decimals() {
        let found = broken(&|row: &mut Row| {
            row.remove(column);
        });
        assert!(!found.is_empty(), "{column} may be missing");
    }
    // One row that contradicts the others breaks the rules about all.
    for (column, id) in [
        ("RegionName", "RegionName.consistent"),
        ("ResourceName", "ResourceName.consistent"),
        ("ResourceType", "ResourceId.type"),
        ("Tags", "Tags.consistent"),
        ("SkuMeter", "SkuMeter.consistent"),
        ("SkuId", "SkuPriceId.parent"),
        ("ListUnitPrice", "SkuPriceId.lookup"),
        ("EffectiveCost", "Rows.sums"),
    ] {
        let rule = set_rules().find(|rule| rule.id == id).expect("a rule");
        assert!((rule.check)(&header, &rows).is_ok(), "{id}");
        let mut rows = rows.clone();
        let row = rows.iter_mut().find(|row| row.contains_key(column)).expect("a row");
        row.insert(column.to_owned(), "123".to_owned());
        assert!((rule.check)(&header, &rows).is_err(), "one {column} passes {id}");
    }
}

#[test]
fn exports_are_the_same_bytes_at_any_thread_count() {
    let dir = scratch();
    fs::write(dir.path().join("mix.yaml"), SCENARIO).expect("written");
    let args = |out, jobs| ["run", "mix.yaml", "-o", out, "-j", jobs, "--seeds", "2", "-q"];
    let export = ["--export", "focus-csv,focus-parquet"];
    fine(dir.path(), &[&args("one", "1")[..], &export].concat());
    fine(dir.path(), &[&args("two", "2")[..], &export].concat());
    assert_equal_results(&dir.path().join("one"), &dir.path().join("two"));
    assert!(dir.path().join("one/fargate/focus.parquet").is_file());
    // Names of users reach no spreadsheet as formulas; JSON keeps them whole.
    let text = fs::read_to_string(dir.path().join("one/fargate/focus.csv")).expect("a file");
    let starts = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '@']);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert!(!reader.records().any(|r| r.expect("a record").iter().any(starts)));
    assert!(text.contains("\"\"workload\"\":\"\"=web\"\""));
    refused(dir.path(), &["run", "mix.yaml", "--export", "focus"], &["--export", "focus-csv"]);
}

/// Columns of a real export, version 1.0: all of them are there, and the terms
/// that its rows have for what we export too.
#[test]
fn exports_have_the_columns_of_a_real_one() {
    let Some(shared) = shared() else { return };
    let (real, rows) = table(&shared.join("data/billing/focus_1.0_sample.csv"));
    let dir = scratch();
    fs::write(dir.path().join("mix.yaml"), SCENARIO).expect("written");
    let args = ["run", "mix.yaml", "--case", "nodes", "-o", "out", "--seeds", "1", "-q"];
    fine(dir.path(), &[&args[..], &["--export", "focus-csv"]].concat());
    let (ours, own_rows) = table(&dir.path().join("out/nodes/focus.csv"));
    // A row number that the publisher of the sample added.
    for column in real.iter().filter(|c| *c != "Id") {
        assert!(ours.contains(column), "{column} is missing");
    }
    let has = |rows: &[Row], column: &str, value: &str| {
        rows.iter().any(|r| r.get(column).is_some_and(|v| v == value))
    };
    for (column, value) in [
        ("ServiceName", "Amazon Elastic Compute Cloud"),
        ("ServiceCategory", "Compute"),
        ("PricingCategory", "Committed"),
        ("CommitmentDiscountType", "Savings Plan"),
        ("CommitmentDiscountCategory", "Spend"),
        ("CommitmentDiscountStatus", "Used"),
        ("ChargeCategory", "Credit"),
        ("PricingUnit", "Hours"),
        ("PricingUnit", "GB-Months"),
        ("RegionName", "US East (N. Virginia)"),
        ("InvoiceIssuerName", "Amazon Web Services, Inc."),
        ("ProviderName", "AWS"),
        ("PublisherName", "Amazon Web Services, Inc."),
    ] {
        assert!(has(&rows, column, value), "the sample has no {column} `{value}`");
        assert!(has(&own_rows, column, value), "no {column} is `{value}`");
    }
}
