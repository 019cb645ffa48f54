//! `bill`: a real FOCUS file priced again, hourly usage under commitments.

use std::collections::BTreeMap;
use std::fs;

use super::{fine, flat, narrow, pico, pico_of, refused, scratch, shared, text};

const SAMPLE: &str = "data/billing/focus_1.0_sample.csv";

/// Rows of a CSV output as maps.
fn rows(stdout: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_reader(stdout);
    let header = csv.headers().expect("a header").clone();
    csv.records()
        .map(|row| {
            let row = row.expect("a row");
            header.iter().zip(&row).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
        })
        .collect()
}

/// Every row of the sample that is an EC2 instance-hour, Fargate or an EKS
/// cluster: line, item, the file's list cost, residual, reason. Found by hand
/// in the file. A Fargate residual is the file's rounding to ten decimals: on
/// line 63, 0.0041666667 × 0.04048 = 0.000168666668016, which the file prints
/// as 0.0001686667. g3 instances are not in the catalog.
const COMPUTE: [(u64, &str, &str, &str, &str); 27] = [
    (12, "c5.2xlarge", "0.34", "0", "equal"),
    (61, "t3.micro", "0.0112", "0", "equal"),
    (63, "Fargate vCPU", "0.0001686667", "-0.000000000032", "file-rounding"),
    (78, "Fargate memory", "0.0000370417", "-0.000000000033", "file-rounding"),
    (95, "g3.4xlarge", "1.14", "", "type-absent"),
    (99, "c5.large", "0.085", "0", "equal"),
    (102, "m4.10xlarge", "2", "0", "equal"),
    (117, "Fargate vCPU", "0.01012", "0", "equal"),
    (126, "m5.large", "0.111", "0", "equal"),
    (158, "g5.4xlarge", "1.624", "0", "equal"),
    (217, "Fargate memory", "0.0009650046", "-0.000000000039", "file-rounding"),
    (243, "t3.medium", "0.0416", "0", "equal"),
    (249, "c5.2xlarge", "0.34", "0", "equal"),
    (264, "g5.4xlarge", "1.624", "0", "equal"),
    (271, "c5.2xlarge", "0.34", "0", "equal"),
    (280, "eks-control-plane", "0.1", "0", "equal"),
    (301, "m7i-flex.xlarge", "0.19152", "0", "equal"),
    (313, "g5.4xlarge", "1.110635736", "0", "equal"),
    (324, "g5.4xlarge", "1.624", "0", "equal"),
    (334, "g5.4xlarge", "1.624", "0", "equal"),
    (336, "m5.2xlarge", "0.404", "0", "equal"),
    (355, "Fargate vCPU", "0.0021988146", "-0.000000000032", "file-rounding"),
    (393, "Fargate vCPU", "0.0003176556", "-0.000000000045", "file-rounding"),
    (401, "g5.4xlarge", "1.624", "0", "equal"),
    (430, "c5.xlarge", "0.17", "0", "equal"),
    (449, "c5.4xlarge", "0.52643356", "0", "equal"),
    (459, "g3.4xlarge", "0.78280038", "", "type-absent"),
];

#[test]
fn every_compute_row_of_the_real_sample_is_zero_or_explained() {
    let Some(shared) = shared() else { return };
    let sample = shared.join(SAMPLE).display().to_string();
    let dir = scratch();
    let out = fine(dir.path(), &["bill", &sample, "--reprice", "--format", "csv"]);
    let rows = rows(&out.stdout);
    let compute = |row: &&BTreeMap<String, String>| {
        ["instance-hour", "vCPU-hour", "GB-hour", "cluster-hour"].contains(&row["unit"].as_str())
    };
    let found: Vec<(u64, &str, &str, &str, &str)> = rows
        .iter()
        .filter(compute)
        .map(|row| {
            (
                row["line"].parse().expect("a line"),
                row["item"].as_str(),
                row["file_list_cost"].as_str(),
                row["residual"].as_str(),
                row["reason"].as_str(),
            )
        })
        .collect();
    assert_eq!(found, COMPUTE);
    // The file itself has no other row that speaks of such hours, but for one
    // of 0.00 USD for the EBS optimisation of an instance.
    let raw = fs::read_to_string(&sample).expect("the sample");
    let spoken: Vec<u64> = raw
        .lines()
        .zip(1..)
        .filter(|(line, _)| {
            ["Instance Hour", "instance-hour", "AWS Fargate", "EKS cluster"]
                .iter()
                .any(|words| line.contains(words))
        })
        .map(|(_, number)| number)
        .collect();
    let mut expected: Vec<u64> = COMPUTE.iter().map(|row| row.0).collect();
    expected.push(421);
    expected.sort_unstable();
    assert_eq!(spoken, expected);
}

/// Checks every row of the output against the file with arithmetic of its
/// own: whole numbers of 10⁻²⁴ USD.
#[test]
fn every_reason_holds_in_the_file() {
    let Some(shared) = shared() else { return };
    let sample = shared.join(SAMPLE).display().to_string();
    let dir = scratch();
    let out = fine(dir.path(), &["bill", &sample, "--reprice", "--format", "csv"]);
    let mut file = csv::Reader::from_path(&sample).expect("the sample");
    let header = file.headers().expect("a header").clone();
    let records: Vec<csv::StringRecord> = file.records().map(|r| r.expect("a row")).collect();
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows(&out.stdout) {
        let line: usize = row["line"].parse().expect("a line");
        let cell = |name: &str| {
            let at = header.iter().position(|h| h == name).expect("a column");
            pico_of(&records[line - 2][at])
        };
        let (price, quantity) = (cell("ListUnitPrice"), cell("PricingQuantity"));
        let cost = cell("ListCost");
        assert_eq!(
            (pico_of(&row["file_unit_price"]), pico_of(&row["file_list_cost"])),
            (price, cost)
        );
        *reasons.entry(row["reason"].clone()).or_default() += 1;
        if row["our_unit_price"].is_empty() {
            assert_eq!(row["residual"], "", "line {line}");
            continue;
        }
        let ours = pico_of(&row["our_unit_price"]);
        let exact = ours * quantity;
        let stated = pico_of(&row["our_cost"]);
        assert!((exact - stated * ONE).abs() * 2 <= ONE, "line {line}");
        assert_eq!(pico_of(&row["residual"]), stated - cost, "line {line}");
        // By itself the file is right up to a digit it does not print.
        let off = (price * quantity - cost * ONE).abs();
        match row["reason"].as_str() {
            "equal" => assert_eq!(stated, cost),
            "file-rounding" => {
                let decimals: u32 = row["file_decimals"].parse().expect("a number");
                assert_eq!(ours, price, "line {line}");
                assert!(off > 0 && off * 2 <= 10_i128.pow(24 - decimals), "line {line}");
                assert!(decimals >= 10, "line {line}");
            }
            "estimated-price" => {
                assert_ne!(ours, price, "line {line}");
                assert_eq!(row["our_status"], "representative", "line {line}");
                assert!(off * 2 <= 10_i128.pow(14), "line {line}");
            }
            other => panic!("line {line}: {other}"),
        }
    }
    eprintln!("{reasons:?}");
    assert_eq!(reasons.get("type-absent"), Some(&2));
    assert!(reasons["equal"] > 50 && reasons["file-rounding"] > 100, "{reasons:?}");
}

const ONE: i128 = 1_000_000_000_000;

#[test]
fn nothing_of_a_bill_is_dropped() {
    let Some(shared) = shared() else { return };
    let sample = shared.join(SAMPLE).display().to_string();
    let dir = scratch();
    let out = fine(dir.path(), &["bill", &sample, "--reprice", "--format", "json"]);
    let of: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let list = |key: &str| of[key].as_array().expect("a list").clone();
    let amount = |entry: &serde_json::Value, key: &str| pico(&entry[key]);
    let (mut rows, mut cost) = (0, 0);
    for entry in list("groups").iter().chain(&list("not_modelled")).chain(&list("no_usage")) {
        rows += entry["rows"].as_u64().expect("a count");
        cost += amount(entry, "file_list_cost");
    }
    // 500 rows whose ListCost add up to 14.682185…, summed by a spreadsheet.
    let mut file = csv::Reader::from_path(&sample).expect("the sample");
    let at = file.headers().expect("a header").iter().position(|h| h == "ListCost");
    let whole: i128 = file
        .records()
        .map(|row| pico_of(row.expect("a row").get(at.expect("a column")).expect("a cell")))
        .sum();
    assert_eq!((rows, cost), (500, whole));
    assert_eq!(of["unexplained"]["rows"], 0);
    let credit: Vec<_> = list("no_usage");
    assert!(credit.iter().any(|e| e["what"] == "Credit" && e["billed"] == "-2.6137"));
    let foreign = list("not_modelled");
    assert!(foreign.iter().any(|e| e["what"].as_str().is_some_and(|w| w.starts_with("Oracle: "))));
}

#[test]
fn a_bill_priced_again_fits_a_terminal() {
    let Some(shared) = shared() else { return };
    let sample = shared.join(SAMPLE).display().to_string();
    let dir = scratch();
    let table = text(&fine(dir.path(), &["bill", &sample, "--reprice"]).stdout);
    for part in ["file-rounding: equal unit prices", "not modelled", "unexplained: 0 rows"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(narrow(&table), "{table}");
    let markdown =
        text(&fine(dir.path(), &["bill", &sample, "--reprice", "--format", "markdown"]).stdout);
    assert!(markdown.contains("| type-absent | g3.4xlarge | us-east-1 | 2 |"), "{markdown}");
}

/// Rows of many dollars and prices of many digits: a column is never wider
/// than its place, and never touches the next.
#[test]
fn large_amounts_fit_a_terminal() {
    let dir = scratch();
    let header = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,\
                  ChargeDescription,RegionId,PricingQuantity,PricingUnit,ListUnitPrice,ListCost,\
                  BilledCost,BillingCurrency";
    let row = |what: &str, price: &str, cost: &str| {
        format!(
            "2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,Usage,AWS,EC2,{what},us-east-1,1000000,Hours,\
             {price},{cost},{cost},USD"
        )
    };
    let instance = "$0.1 per On Demand Linux m5.large Instance Hour";
    let rows = [
        header.to_owned(),
        row(instance, "0.096", "96000"),
        row(instance, "0.097123456789", "97123.456789"),
        row("something else", "12.3456789", "12345678.9"),
    ];
    fs::write(dir.path().join("b.csv"), rows.join("\n")).expect("written");
    let table = text(&fine(dir.path(), &["bill", "b.csv", "--reprice"]).stdout);
    assert!(narrow(&table), "{table}");
    for cells in ["0.0971235 0.096 97,123.46 -1,123.46", "1 12,345,678.9 12,345,678.9"] {
        let found = table.lines().any(|line| flat(line).ends_with(cells));
        assert!(found, "{cells}: {table}");
    }
    let usage = "hour,region,kind,instance_type,quantity,usd_per_unit\n\
                 490992,us-east-1,ec2,m5.large,1000,100000\n\
                 490992,us-east-1,ec2,m5.xlarge,1000000,100\n";
    fs::write(dir.path().join("u.csv"), usage).expect("written");
    let owned = "commitments:\n  a: { kind: compute-sp, term: 1y, payment: no-upfront, \
                 usd-per-hour: 99999 }\n";
    fs::write(dir.path().join("c.yaml"), owned).expect("written");
    let args = ["bill", "u.csv", "--commitments", "c.yaml"];
    let table = text(&fine(dir.path(), &args).stdout);
    assert!(narrow(&table), "{table}");
    assert!(table.contains("100,000,000"), "{table}");
    refused(
        dir.path(),
        &["bill", "b.csv", "--reprice", "--allow-believed-prices"],
        &["cannot be used with"],
    );
    refused(dir.path(), &["bill", "u.csv", "--reprice"], &["leave out --reprice"]);
}

#[test]
fn rows_that_cannot_be_read_are_named() {
    let dir = scratch();
    let header = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,\
                  ChargeDescription,RegionId,PricingQuantity,ListCost,BilledCost,BillingCurrency";
    let good = "2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,Usage,AWS,EC2,x,us-east-1,1,1,1,USD";
    let bad = good.replace("2026-01-05T01:00:00Z", "later").replace(",1,1,1,", ",1,one,1,");
    fs::write(dir.path().join("b.csv"), format!("{header}\n{good}\n{bad}\n{good},\n"))
        .expect("written");
    for format in ["table", "csv"] {
        refused(
            dir.path(),
            &["bill", "b.csv", "--reprice", "--format", format],
            &[
                "`b.csv`: 2 bad rows",
                "b.csv: line 3, column `ChargePeriodEnd`: `later` is no timestamp",
                "b.csv: line 4: has 12 fields where the header has 11",
            ],
        );
    }
    fs::write(dir.path().join("c.csv"), "a,b\n1,2\n").expect("written");
    refused(dir.path(), &["bill", "c.csv", "--reprice"], &["`c.csv` is no usage file"]);
    refused(dir.path(), &["bill", "absent.csv", "--reprice"], &["cannot read `absent.csv`"]);
}

/// Bills a usage file; the JSON result.
fn billed(dir: &std::path::Path, args: &[&str]) -> serde_json::Value {
    let args: Vec<&str> =
        ["bill"].iter().chain(args).chain(&["--format", "json"]).copied().collect();
    serde_json::from_slice(&fine(dir, &args).stdout).expect("JSON")
}

/// Four m5.large Reserved Instances are 16 units, as much as two m5.xlarge:
/// the first hour is covered in full, the second to a half, the third not at
/// all, since usage of another Region is no usage of theirs. By the hour they
/// cost 4 × 0.05; m5.xlarge costs 0.192, and 0.222 in eu-west-2.
#[test]
fn hourly_usage_is_billed_under_reserved_instances() {
    let dir = scratch();
    let usage = "hour,region,kind,instance_type,zone,quantity,owner,tag:team\n\
        2026-01-05T00:00:00Z,us-east-1,ec2,m5.xlarge,us-east-1a,2,shop,=a\n\
        2026-01-05T01:00:00Z,us-east-1,ec2,m5.xlarge,us-east-1b,1,shop,=a\n\
        490994,eu-west-2,ec2,m5.xlarge,,1,blog,\n";
    fs::write(dir.path().join("u.csv"), usage).expect("written");
    let owned = "region: us-east-1\ncommitments:\n  four:\n    { kind: standard-ri, term: 1y, payment: \
        no-upfront, instance-type: m5.large, count: 4, usd-per-hour: 0.05 }\n";
    fs::write(dir.path().join("c.yaml"), owned).expect("written");
    let of = billed(dir.path(), &["u.csv", "--commitments", "c.yaml", "--by", "hour"]);
    let expected = [
        ("2026-01-05T00:00:00Z", "0.384", "0.384", "0", "0.2"),
        ("2026-01-05T01:00:00Z", "0.192", "0.192", "0.1", "0.2"),
        ("2026-01-05T02:00:00Z", "0.222", "0", "0.2", "0.422"),
    ];
    let parts = of["parts"].as_array().expect("hours");
    assert_eq!(parts.len(), 3);
    for (part, (hour, on_demand, covered, unused, total)) in parts.iter().zip(expected) {
        for (key, value) in [
            ("hour", hour),
            ("on_demand", on_demand),
            ("covered_on_demand", covered),
            ("unused", unused),
            ("total", total),
        ] {
            assert_eq!(part[key], value, "{hour} {key}");
        }
    }
    assert_eq!(of["total"]["total"], "0.822");
    assert_eq!(of["commitments"][0]["committed"], "0.6");
    assert_eq!(of["commitments"][0]["utilisation"], 0.5);
    for (by, names) in [
        ("item", vec!["m5.xlarge eu-west-2", "m5.xlarge us-east-1", "(unused commitment)"]),
        ("owner", vec!["blog", "shop", "(unused commitment)"]),
        ("tag:team", vec!["(none)", "=a", "(unused commitment)"]),
    ] {
        let of = billed(dir.path(), &["u.csv", "--commitments", "c.yaml", "--by", by]);
        let heading = of["by"].as_str().expect("a word").to_owned();
        let parts = of["parts"].as_array().expect("parts");
        let found: Vec<&str> = parts.iter().filter_map(|p| p[&heading].as_str()).collect();
        assert_eq!(found, names, "{by}");
        for key in ["on_demand", "covered", "remaining", "unused", "total"] {
            let sum: i128 = parts.iter().map(|p| pico(&p[key])).sum();
            assert_eq!(sum, pico(&of["total"][key]), "{by} {key}");
        }
    }
    let args = ["bill", "u.csv", "--commitments", "c.yaml"];
    let table = text(&fine(dir.path(), &args).stdout);
    assert!(narrow(&table), "{table}");
    assert!(table.contains("published prices"), "{table}");
    let csv = fine(dir.path(), &["bill", "u.csv", "--by", "tag:team", "--format", "csv"]);
    // A spreadsheet must not run what somebody tagged.
    assert!(text(&csv.stdout).contains("'=a,0.576,"), "{}", text(&csv.stdout));
    let markdown = fine(dir.path(), &["bill", "u.csv", "--format", "markdown"]);
    assert!(
        text(&markdown.stdout).contains("| **total** | 0.79800 |"),
        "{}",
        text(&markdown.stdout)
    );
}

/// A discount that is stated: 25 % off 0.04048 is 0.03036, off a price of 0.05
/// that is stated as well 0.0375. A plan of 0.04911 an hour pays 0.03036 for one
/// vCPU-hour and 0.01875 for half of the other.
#[test]
fn a_stated_discount_is_one_of_the_price() {
    let dir = scratch();
    let usage = "hour,region,kind,quantity,usd_per_unit\n490992,us-east-1,fargate-vcpu,1,\n\
                 490992,us-east-1,fargate-vcpu,0.5,0.05\n";
    fs::write(dir.path().join("u.csv"), usage).expect("written");
    let owned = "commitments:\n  a: { kind: compute-sp, term: 1y, payment: no-upfront, \
                 usd-per-hour: 0.04911, discount: 25% }\n";
    fs::write(dir.path().join("c.yaml"), owned).expect("written");
    let of = billed(dir.path(), &["u.csv", "--commitments", "c.yaml"]);
    assert_eq!(of["total"]["total"], "0.04911");
    assert_eq!(of["total"]["unused"], "0");
    assert_eq!(of["total"]["covered_on_demand"], "0.06548");
    assert_eq!(of["by_price_status"]["stated"], "0.04911");
}

#[test]
fn mistakes_in_usage_and_commitments_have_their_place() {
    let dir = scratch();
    let write = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).expect("written");
    };
    write(
        "u.csv",
        "hour,region,kind,instance_type,quantity\n1,us-east-1,ec2,m5.huge,1\n1,us-east-1,ec2,m5.large,x\n",
    );
    refused(
        dir.path(),
        &["bill", "u.csv"],
        &[
            "line 2, column `instance_type`: `m5.huge` has no price in Region `us-east-1`",
            "usd_per_unit",
            "line 3, column `quantity`",
        ],
    );
    write("v.csv", "hour,region,kind,quantity\n1,eu-west-1,fargate-vcpu,1\n");
    refused(dir.path(), &["bill", "v.csv"], &["line 2", "--allow-believed-prices"]);
    fine(dir.path(), &["bill", "v.csv", "--allow-believed-prices"]);
    write(
        "w.csv",
        "hour,region,kind,instance_type,quantity\n1,us-east-1,ec2,m5.large,1\n1,eu-west-1,ec2,m5.large,1\n",
    );
    write(
        "c.yaml",
        "commitments:\n  a: { kind: ec2-instance-sp, term: 1y, payment: no-upfront, usd-per-hour: 1, family: m5 }\n",
    );
    refused(
        dir.path(),
        &["bill", "w.csv", "--commitments", "c.yaml"],
        &["c.yaml:2:3", "bound to a Region", "state `region:`"],
    );
    write("d.yaml", "commitments:\n  a: { kind: compute-spp, term: 1y }\n");
    refused(
        dir.path(),
        &["bill", "w.csv", "--commitments", "d.yaml"],
        &["d.yaml:2:14", "compute-sp"],
    );
    // Yuan are no dollars: a row that the catalog has no price for is left out.
    let header = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,\
                  ChargeDescription,RegionId,PricingQuantity,ListUnitPrice,ListCost,BilledCost,\
                  BillingCurrency";
    let row = |region: &str, currency: &str| {
        format!(
            "2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,Usage,AWS,EC2,$0.6 per On Demand Linux \
             m5.large Instance Hour,{region},1,0.6,0.6,0.6,{currency}\n"
        )
    };
    let (dollars, yuan) = (row("us-east-1", "USD"), row("cn-north-1", "CNY"));
    write("yuan.csv", &format!("{header}\n{dollars}{yuan}"));
    let of = billed(dir.path(), &["yuan.csv"]);
    assert_eq!(of["total"]["on_demand"], "0.096", "{of:#}");
    // A bill by the day says nothing about hours.
    let header = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,\
                  ChargeDescription,RegionId,PricingQuantity,ListCost,BilledCost,BillingCurrency";
    let row = "2026-01-05T00:00:00Z,2026-01-06T00:00:00Z,Usage,AWS,EC2,$0.1 per On Demand Linux \
               m5.large Instance Hour,us-east-1,24,2.4,2.4,USD";
    write("day.csv", &format!("{header}\n{row}\n"));
    refused(dir.path(), &["bill", "day.csv"], &["line 2", "more than one clock hour"]);
    // Nobody has so much of anything; nothing overflows over it.
    let owned = |count: u32, usd: u32| {
        format!(
            "commitments:\n  a: {{ kind: standard-ri, term: 1y, payment: no-upfront, instance-type: \
             m5.large, count: {count}, usd-per-hour: {usd} }}\n"
        )
    };
    write("dear.yaml", &owned(1_000_000, 1));
    write("one.csv", "hour,region,kind,instance_type,quantity\n1,us-east-1,ec2,m5.large,1\n");
    let args = ["bill", "one.csv", "--commitments", "dear.yaml"];
    refused(dir.path(), &args, &["dear.yaml:2:3", "more than 100000 USD an hour"]);
    write("own.yaml", &owned(1, 1));
    let row = "1,us-east-1,ec2,m5.24xlarge,1000000000\n".repeat(3);
    write("vast.csv", &format!("hour,region,kind,instance_type,quantity\n{row}"));
    let args = ["bill", "vast.csv", "--commitments", "own.yaml"];
    refused(dir.path(), &args, &["`vast.csv`", "more m5.24xlarge"]);
    write("none.csv", "hour,region,kind,quantity\n");
    refused(dir.path(), &["bill", "none.csv"], &["no usage that a commitment could cover"]);
    // The third row would be part of the second one's cell.
    let open = "hour,region,kind,quantity,instance_type\n\
                2026-07-06T00:00Z,us-east-1,ec2,1,m5.large\n\
                2026-07-06T00:00Z,us-east-1,ec2,1,\"m5.large\n\
                2026-07-06T00:00Z,us-east-1,ec2,1,m5.large\n";
    fs::write(dir.path().join("open.csv"), open).expect("written");
    refused(dir.path(), &["bill", "open.csv"], &["`open.csv`", "a quote on line 3", "close it"]);
}

/// 0.34 EUR is no 0.34 USD: it is in no sum of dollars.
#[test]
fn amounts_in_another_currency_are_not_taken_for_dollars() {
    let dir = scratch();
    let header = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,\
                  ChargeDescription,RegionId,PricingQuantity,ListCost,BilledCost,BillingCurrency";
    let row = |what: &str, currency: &str| {
        format!(
            "2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,Usage,AWS,EC2,{what},us-east-1,1,0.34,0.34,\
             {currency}\n"
        )
    };
    let instance = "$0.34 per On Demand Linux c5.2xlarge Instance Hour";
    let write = |name: &str, rows: &[String]| {
        let csv = format!("{header}\n{}", rows.concat());
        fs::write(dir.path().join(name), csv).expect("written");
    };
    write("eur.csv", &[row(instance, "USD"), row(instance, "EUR")]);
    let table = fine(dir.path(), &["bill", "eur.csv", "--reprice"]);
    let closing = flat(&text(&table.stdout));
    for part in [
        "2 of 2 rows are modelled, $0.340000 at list; 1 of them",
        "Not priced: 1 row, $0.000000 at list, and 1 of them in another currency than USD.",
    ] {
        assert!(closing.contains(part), "{part}: {closing}");
    }
    // What no commitment covers may be in any currency, but adds up in USD only.
    write("tax.csv", &[row(instance, "USD"), row("x", "EUR"), row("x", "USD")]);
    let table = fine(dir.path(), &["bill", "tax.csv"]);
    let closing = flat(&text(&table.stdout));
    assert!(closing.contains("billed $0.34, and 1 of them in another currency"), "{closing}");
    // Usage is priced by the catalog in USD whatever the file is in, and says so.
    let table = fine(dir.path(), &["bill", "eur.csv"]);
    let closing = flat(&text(&table.stdout));
    assert!(closing.contains("On-Demand $0.68000, no commitments."), "{closing}");
    let said = "The file states 1 row of it in another currency than USD; priced here at list";
    assert!(closing.contains(said), "{closing}");
    let csv = fine(dir.path(), &["bill", "eur.csv", "--format", "csv"]);
    assert!(text(&csv.stderr).contains("states 1 row of it in another currency"), "no note");
    write("usd.csv", &[row(instance, "USD")]);
    let table = fine(dir.path(), &["bill", "usd.csv"]);
    assert!(!text(&table.stdout).contains("currency"), "nothing to say");
}

/// What our own format does not know is a mistake, not nothing.
#[test]
fn columns_that_would_be_ignored_are_refused() {
    let dir = scratch();
    let (start, line) = ("hour,region,kind,quantity,instance_type", "1,us-east-1,ec2,1,m6i.large");
    for (more, cells, by, words) in [
        (",usd_per_unitt", ",1", "item", &["`usd_per_unitt`", "did you mean `usd_per_unit`?"][..]),
        (",colour", ",1", "item", &["unknown column `colour`", "usd_per_unit", "tag:NAME"]),
        (",tag:", ",1", "item", &["unknown column `tag:`"]),
        (",zone,zone", ",,", "item", &["the column `zone` twice"]),
        (",tag:a,tag:a", ",,", "item", &["the column `tag:a` twice"]),
        (",zone", ",eu-west-1a", "item", &["line 2, column `zone`", "such as us-east-1a"]),
        (",zone", ",us-east-12", "item", &["line 2, column `zone`"]),
        (",zone", ",us-east-1-bos-1a", "item", &["no zone of the Region itself", "usd_per_unit"]),
        (",arch", ",arm64", "item", &["line 2, column `arch`", "m6i.large, which is amd64"]),
        (",owner", ",a", "tag:team", &["lacks the column `tag:team`", "--by"]),
        (",tag:team", ",a", "owner", &["lacks the column `owner`"]),
    ] {
        let csv = format!("{start}{more}\n{line}{cells}\n");
        fs::write(dir.path().join("u.csv"), csv).expect("written");
        refused(dir.path(), &["bill", "u.csv", "--by", by], words);
    }
    let csv = format!(
        "{start},arch,zone,tag:team,usd_per_unit\n{line},amd64,us-east-1a,a,\n{line},,,b,\n\
         1,us-west-2,ec2,1,m5.large,,us-west-2-lax-1a,,0.115\n"
    );
    fs::write(dir.path().join("u.csv"), csv).expect("written");
    fine(dir.path(), &["bill", "u.csv", "--by", "tag:team"]);
}

/// The licence of Windows and dedicated hardware are in the price of a row that
/// only the details of its SKU tell of: nothing to compare with shared Linux.
#[test]
fn the_details_of_a_sku_tell_windows_and_dedicated_hardware() {
    let dir = scratch();
    let header = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,\
                  ChargeDescription,RegionId,PricingQuantity,ListCost,ListUnitPrice,BilledCost,\
                  BillingCurrency,SkuMeter,SkuPriceDetails";
    let row = |details: &str| {
        let details = format!(r#"{{"InstanceType":"m5.large",{details}}}"#).replace('"', "\"\"");
        format!(
            "2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,Usage,AWS,Amazon Elastic Compute Cloud,x,\
             us-east-1,1,0.3,0.3,0.3,USD,Instance hours,\"{details}\"\n"
        )
    };
    let rows = [
        row(r#""OperatingSystem":"Linux","Tenancy":"Shared""#),
        row(r#""OperatingSystem":"Windows""#),
        row(r#""OperatingSystem":"Linux","Tenancy":"Dedicated""#),
    ];
    fs::write(dir.path().join("f.csv"), format!("{header}\n{}", rows.concat())).expect("written");
    let table = fine(dir.path(), &["bill", "f.csv"]);
    let table = text(&table.stdout);
    assert!(table.starts_with("f.csv: FOCUS, 1 row of 3 that"), "{table}");
    let again = fine(dir.path(), &["bill", "f.csv", "--reprice"]);
    let again = text(&again.stdout);
    for part in ["other-platform: ", "m5.large Windows", "other-tenancy: ", "m5.large dedicat"] {
        assert!(again.contains(part), "{part}: {again}");
    }
}

/// What a run bills for its instances under a commitment is what `bill` makes
/// of the run's own FOCUS export under the same commitment, to the pico-dollar,
/// in whole hours: a file does not tell where in its last hour a run ended.
#[test]
fn an_exported_bill_is_billed_the_same_again() {
    let dir = scratch();
    let commitments = "commitments:\n  plan: { kind: compute-sp, term: 1y, payment: no-upfront, \
                       usd-per-hour: 0.1 }\n";
    let hand = "0,7200,500m,1Gi\n".repeat(5);
    let odd = "0,7000,500m,1Gi\n1,5433.217,1500m,1Gi\n77.7,1234.567,3,10Gi\n4000,100,100m,64Mi\n";
    for (name, trace) in [("hand", hand.as_str()), ("odd", odd)] {
        fs::write(dir.path().join("t.csv"), format!("arrival,duration,cpu,memory\n{trace}"))
            .expect("a trace");
        let scenario = format!(
            "version: 1\nname: {name}\nregion: us-east-1\nseeds: 1\n\
             time: {{ start: 2025-01-06T00:00Z, horizon: 2h }}\n\
             workload:\n  jobs: {{ trace: t.csv, startup: 0s }}\n\
             pools:\n  owned: {{ fixed: {{ type: m5.large, count: 2, zones: [us-east-1a] }} }}\n  \
             big: {{ fixed: {{ type: c6i.xlarge, count: 1, zones: [us-east-1b] }} }}\n  \
             spot: {{ fixed: {{ type: r5.large, count: 1, purchase: spot, zones: [us-east-1a] }} }}\n\
             spot: {{ interruptions: none }}\ncharges: {{ root-volume: 20Gi }}\n{commitments}"
        );
        fs::write(dir.path().join("s.yaml"), scenario).expect("a scenario");
        fs::write(dir.path().join("c.yaml"), commitments).expect("written");
        let export = ["--export", "focus-csv", "--export", "focus-parquet"];
        fine(dir.path(), &[&["run", "s.yaml", "-q"][..], &export].concat());
        let out = dir.path().join(format!("out/{name}/base"));
        let summary = super::json(&out.join("summary.json"));
        let by = &summary["cost"]["by_purchase"];
        let run = ["savings-plan", "on-demand"].map(|p| pico(&by[p]));
        let focus = out.join("focus.csv").display().to_string();
        let of = billed(dir.path(), &[&focus, "--commitments", "c.yaml"]);
        let total = pico(&of["total"]["total"]);
        assert_eq!(total, run.iter().sum::<i128>(), "{name}: {of:#}");
        assert!(run[0] > 0 && run[1] > 0, "{name}: {by}");
        // Spot, volumes and the control plane are named, not dropped.
        assert!(of["left_out"].as_array().is_some_and(|left| left.len() >= 3), "{of:#}");
        // The same rows with doubles for decimals; a row is one less than its line.
        let parquet = out.join("focus.parquet").display().to_string();
        let mut same = billed(dir.path(), &[&parquet, "--commitments", "c.yaml"]);
        same["file"] = of["file"].clone();
        for left in same["left_out"].as_array_mut().expect("a list") {
            left["first_line"] = (left["first_line"].as_u64().expect("a row") + 1).into();
        }
        assert_eq!(same, of, "{name}");
    }
}

/// Reserved capacity that nothing ran on is covered last, and what was negotiated
/// is paid where nothing covers it, at the plan's rates of the list: as `run` does.
#[test]
fn discounts_and_reserved_capacity_are_billed_the_same_again() {
    let dir = scratch();
    let trace = "arrival,duration,cpu,memory\n0,7200,500m,1Gi\n60,5000.5,1500m,4Gi\n";
    fs::write(dir.path().join("t.csv"), trace).expect("a trace");
    let reserved = "capacity-reservations:\n  kept: { instance-type: m5.large, zone: us-east-1a, \
                    count: 4 }\n";
    let discount = "discounts: { ec2: 10% }\n";
    let own = |kind: &str, usd: &str| {
        format!(
            "commitments:\n  plan: {{ {kind}, term: 1y, payment: no-upfront, usd-per-hour: {usd} \
             }}\n"
        )
    };
    let (compute, ec2) = ("kind: compute-sp", "kind: ec2-instance-sp, family: m5");
    for (at, (more, kind, usd, below_list)) in [
        // Two of four are unused; 0.1 does not reach them, 0.2 does, 0.5 has more.
        (reserved, compute, "0.1", "0"),
        (reserved, compute, "0.2", "0"),
        (reserved, ec2, "0.5", "0"),
        // Two m5.large and a c6i.xlarge for two hours: 0.1 × 2 × (0.192 + 0.17).
        (discount, compute, "0.1", "0.0724"),
        (discount, ec2, "0.5", "0.0724"),
        // Two unused m5.large more: 0.1 × 2 × 0.192.
        (&[reserved, discount].concat(), compute, "0.2", "0.1108"),
    ]
    .into_iter()
    .enumerate()
    {
        let commitments = own(kind, usd);
        let write = |name: &str, own: &str| {
            let scenario = format!(
                "version: 1\nname: {name}\nregion: us-east-1\nseeds: 1\n\
                 time: {{ start: 2025-01-06T00:00Z, horizon: 2h }}\n\
                 workload:\n  jobs: {{ trace: t.csv, startup: 0s }}\n\
                 pools:\n  owned: {{ fixed: {{ type: m5.large, count: 2, zones: [us-east-1a] }} }}\n  \
                 big: {{ fixed: {{ type: c6i.xlarge, count: 1, zones: [us-east-1b] }} }}\n\
                 charges: {{ root-volume: 20Gi }}\n{more}{own}"
            );
            fs::write(dir.path().join("s.yaml"), scenario).expect("a scenario");
            fine(dir.path(), &["run", "s.yaml", "-q", "--export", "focus-csv"]);
            dir.path().join(format!("out/{name}/base"))
        };
        fs::write(dir.path().join("c.yaml"), &commitments).expect("written");
        let bare = write(&format!("bare{at}"), "");
        let covered = write(&format!("own{at}"), &commitments);
        let summary = super::json(&covered.join("summary.json"));
        let by = &summary["cost"]["by_purchase"];
        let of = |name: &str| by[name].as_str().map_or(0, pico_of);
        let run = of("savings-plan") + of("on-demand");
        for out in [bare, covered] {
            let focus = out.join("focus.csv").display().to_string();
            let of = billed(dir.path(), &[&focus, "--commitments", "c.yaml"]);
            assert_eq!(pico(&of["total"]["total"]), run, "{at}: {of:#}");
            let off = pico(&of["below_list"]) - pico_of(below_list);
            // Rows that a plan covers in part are rounded by themselves.
            assert!(off.abs() < 100, "{at}: {of:#}");
        }
    }
}

const CUR: &str = "lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/LineItemType,\
    lineItem/ProductCode,lineItem/UsageType,lineItem/Operation,product/regionCode,\
    lineItem/AvailabilityZone,lineItem/UsageAmount,lineItem/UnblendedCost,lineItem/BlendedCost,\
    lineItem/CurrencyCode,pricing/publicOnDemandCost,pricing/publicOnDemandRate";

/// An hour of one m5.large in the older Cost and Usage Report, with other cells
/// for those named.
fn cur_row(other: &[(&str, &str)]) -> String {
    let cells = [
        "2026-05-01T00:00:00Z",
        "2026-05-01T01:00:00Z",
        "Usage",
        "AmazonEC2",
        "BoxUsage:m5.large",
        "RunInstances",
        "us-east-1",
        "us-east-1a",
        "1",
        "0.096",
        "0.08",
        "USD",
        "0.096",
        "0.096",
    ];
    let row = CUR.split(',').zip(cells).map(|(name, cell)| {
        let short = name.split_once('/').map_or(name, |(_, short)| short);
        other.iter().find(|(name, _)| *name == short).map_or(cell, |(_, cell)| cell)
    });
    row.collect::<Vec<_>>().join(",") + "\n"
}

/// A month's end of a Cost and Usage Report: three hours of m5.large and two of
/// vCPU are 3 × 0.096 + 2 × 0.04048 = 0.36896; every other row is named with
/// what it was billed, and none of it is taken for EC2.
#[test]
fn rows_that_are_left_out_are_listed_with_their_sums() {
    let dir = scratch();
    let kind = |kind, cost| cur_row(&[("LineItemType", kind), ("UnblendedCost", cost)]);
    let of = |column, value| cur_row(&[(column, value)]);
    let service = |code, usage_type| cur_row(&[("ProductCode", code), ("UsageType", usage_type)]);
    let vcpu = "USE1-Fargate-vCPU-Hours:perCPU";
    let fargate = [("ProductCode", "AmazonECS"), ("UsageType", vcpu), ("UsageAmount", "2")];
    let rows = [
        cur_row(&[]),
        kind("SavingsPlanCoveredUsage", "0.096"),
        kind("DiscountedUsage", "0"),
        cur_row(&[&fargate[..], &[("publicOnDemandRate", "0.04048")]].concat()),
        kind("SavingsPlanNegation", "-0.096"),
        kind("SavingsPlanRecurringFee", "2.5"),
        kind("RIFee", "37"),
        kind("Tax", "3.2"),
        cur_row(&[("LineItemType", "Refund"), ("UnblendedCost", "-1"), ("UsageAmount", "-2")]),
        kind("Credit", "-5"),
        of("Operation", "RunInstances:0002"),
        of("Operation", "RunInstances:0010"),
        of("Operation", "RunInstances:0800"),
        of("UsageType", "DedicatedUsage:m5.large"),
        of("UsageType", "SpotUsage:m5.large"),
        service("ElasticMapReduce", "BoxUsage:m5.large"),
        service("AmazonLightsail", "BoxUsage:0.5GB"),
        service("AWSLambda", "Lambda-GB-Second"),
        cur_row(&[
            ("regionCode", "cn-north-1"),
            ("AvailabilityZone", "cn-north-1a"),
            ("CurrencyCode", "CNY"),
        ]),
    ];
    fs::write(dir.path().join("cur.csv"), format!("{CUR}\n{}", rows.concat())).expect("written");
    let plan = "commitments:\n  plan: { kind: compute-sp, term: 1y, payment: no-upfront, \
                usd-per-hour: 0.05, discount: 25% }\n";
    fs::write(dir.path().join("c.yaml"), plan).expect("written");
    let args = ["cur.csv", "--commitments", "c.yaml"];
    let of = billed(dir.path(), &args);
    assert_eq!(
        (of["rows"].as_u64(), of["total"]["on_demand"].as_str()),
        (Some(4), Some("0.36896"))
    );
    let left = of["left_out"].as_array().expect("a list");
    let found: Vec<(&str, &str, &str)> = left
        .iter()
        .map(|it| ["what", "currency", "billed"].map(|key| it[key].as_str().expect("text")))
        .map(|[what, currency, billed]| (what, currency, billed))
        .collect();
    let expected = [
        ("AWSLambda", "USD", "0.096"),
        ("AmazonEC2: Linux instances", "CNY", "0.096"),
        ("AmazonEC2: RHEL instances", "USD", "0.096"),
        ("AmazonEC2: Spot Linux instances", "USD", "0.096"),
        ("AmazonEC2: Windows instances", "USD", "0.096"),
        ("AmazonEC2: dedicated Linux instances", "USD", "0.096"),
        ("AmazonEC2: other platform instances", "USD", "0.096"),
        ("AmazonLightsail", "USD", "0.096"),
        ("ElasticMapReduce", "USD", "0.096"),
        ("Credit", "USD", "-5"),
        ("RIFee", "USD", "37"),
        ("Refund", "USD", "-1"),
        ("SavingsPlanNegation", "USD", "-0.096"),
        ("SavingsPlanRecurringFee", "USD", "2.5"),
        ("Tax", "USD", "3.2"),
    ];
    assert_eq!(found, expected);
    // Eight rows of 0.096 USD, and 36.604 of what is no usage.
    let said = "Not in it: 15 rows, $1.34 at list, billed $37.37 ($36.60 of that for charges that are no usage), and 1 of them in another currency";
    let plans = "Savings Plans also apply to 6 of these rows";
    let words = |bytes: &[u8]| flat(&text(bytes));
    let all = |format| {
        let args = [&["bill"][..], &args, &["--format", format]].concat();
        fine(dir.path(), &args)
    };
    let table = all("table");
    assert!(narrow(&text(&table.stdout)));
    let shown = words(&table.stdout);
    for part in [said, plans, "usage that is not in it", "SavingsPlanNegation 1 0.096000 -0.096000"]
    {
        assert!(shown.contains(part), "{part}: {}", text(&table.stdout));
    }
    assert!(words(&all("markdown").stdout).contains("| RIFee | 1 | 0.096 | 37 |"));
    let csv = all("csv");
    assert!(words(&csv.stderr).contains(said), "{}", text(&csv.stderr));
    assert!(!text(&csv.stdout).contains("RIFee"));
}

/// What other tools make of a report, and what a report can hold that cannot be
/// settled: right, or refused with place and remedy.
#[test]
fn reports_of_every_kind_are_read_or_refused() {
    let dir = scratch();
    let write = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).expect("written");
    };
    let total = |name: &str| billed(dir.path(), &[name])["total"]["on_demand"].clone();
    let later = cur_row(&[
        ("UsageStartDate", "2026-05-01T05:00:00Z"),
        ("UsageEndDate", "2026-05-01T06:00:00Z"),
        ("UsageAmount", "0.5"),
    ]);
    // Rows out of order; CRLF and a byte order mark.
    let rows = format!("{CUR}\n{later}{}", cur_row(&[]));
    write("a.csv", &rows);
    write("b.csv", &format!("\u{feff}{}", rows.replace('\n', "\r\n")));
    assert_eq!(total("a.csv"), "0.144");
    assert_eq!(total("b.csv"), "0.144");
    let period =
        |start: &str, end: &str| cur_row(&[("UsageStartDate", start), ("UsageEndDate", end)]);
    for (name, rows, words) in [
        ("empty", String::new(), &["is empty"][..]),
        ("header", format!("{CUR}\n"), &["no usage that a commitment could cover"]),
        ("semicolons", rows.replace(',', ";"), &["by semicolons; export it with commas"]),
        ("tabs", rows.replace(',', "\t"), &["by tabs"]),
        (
            "day",
            format!("{CUR}\n{}", period("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z")),
            &["line 2, column `lineItem/UsageEndDate`", "more than one clock hour", "hourly data"],
        ),
        (
            "seconds",
            format!("{CUR}\n{}", period("2026-05-01T00:12:34Z", "2026-05-01T01:12:34Z")),
            &["line 2, column `lineItem/UsageEndDate`", "more than one clock hour"],
        ),
        (
            "negative",
            format!("{CUR}\n{}", cur_row(&[("UsageAmount", "-1")])),
            &["line 2, column `lineItem/UsageAmount`", "`-1` is negative"],
        ),
        (
            "silent",
            format!("{CUR}\n{}", cur_row(&[("UsageAmount", "")])),
            &["line 2, column `lineItem/UsageAmount`", "no quantity"],
        ),
        (
            "twice",
            format!("{CUR},line_item_usage_amount\n"),
            &["the column `line_item_usage_amount` twice"],
        ),
    ] {
        write("x.csv", &rows);
        let mut all = vec!["`x.csv`"];
        all.extend(words);
        eprintln!("{name}");
        refused(dir.path(), &["bill", "x.csv"], &all);
    }
    // A part of an hour lies within it, wherever it starts.
    let part = period("2026-05-01T00:12:34Z", "2026-05-01T01:00:00Z");
    write("part.csv", &format!("{CUR}\n{part}"));
    assert_eq!(total("part.csv"), "0.096");
    // A tag that no row has is a misspelt one; tags that are no JSON are said.
    let tagged = |tags: &str| format!("{CUR},resource_tags\n{},{tags}\n", cur_row(&[]).trim());
    write("tags.csv", &tagged("\"{\"\"user_team\"\": \"\"a\"\"}\""));
    fine(dir.path(), &["bill", "tags.csv", "--by", "tag:user_team"]);
    refused(dir.path(), &["bill", "tags.csv", "--by", "tag:team"], &["has the tag `team`"]);
    write("tags.csv", &tagged("{oops"));
    let words = ["line 2, column `resource_tags`", "no JSON object"];
    refused(dir.path(), &["bill", "tags.csv", "--by", "tag:user_team"], &words);
    write("cut.parquet", "PAR1 and no more");
    refused(dir.path(), &["bill", "cut.parquet"], &["`cut.parquet` is not a readable Parquet"]);
}

#[test]
fn regions_without_tables_stay_at_their_own_price() {
    let dir = scratch();
    let usage = "hour,region,kind,quantity,instance_type,usd_per_unit\n\
                 490992,us-east-1,ec2,3,m6i.xlarge,\n490992,mars-1,ec2,3,foo.large,0.2\n";
    let owned = "region: us-east-1\ncommitments:\n  a: { kind: compute-sp, term: 1y, \
                 payment: no-upfront, usd-per-hour: 0.5, discount: 25% }\n";
    fs::write(dir.path().join("u.csv"), usage).expect("written");
    fs::write(dir.path().join("c.yaml"), owned).expect("written");
    let bill = |owned| {
        super::plimsoll(dir.path(), &["bill", "u.csv", "--commitments", owned, "--format", "json"])
    };
    let out = bill("c.yaml");
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert!(said.contains("no-plan-rate") && said.contains("covers nothing in `mars-1`"), "{said}");
    // 3 × 0.192 × 0.75 = 0.432 of 0.5 committed, which is paid; 3 × 0.2 beside.
    let bill: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(bill["by_price_status"]["stated"].as_str(), Some("1.1"), "{bill:#}");
    // Where no Region used has tables, there is nothing to apply it to.
    let elsewhere = usage.replace("us-east-1,ec2,3,m6i.xlarge,", "mars-2,ec2,3,bar.large,0.1");
    fs::write(dir.path().join("u.csv"), elsewhere).expect("written");
    fs::write(dir.path().join("d.yaml"), owned.replace("region: us-east-1\n", ""))
        .expect("written");
    let of = ["bill", "u.csv", "--commitments", "d.yaml"];
    refused(dir.path(), &of, &["`mars-1`, `mars-2`", "d.yaml:2"]);
}
