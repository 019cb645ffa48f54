//! `bill --reprice`: a real FOCUS file priced again.

use std::collections::BTreeMap;
use std::fs;

use super::{FOCUS, focus_row};
use crate::{fine, flat, narrow, pico, pico_of, refused, scratch, shared, text};

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
    let columns = format!("{FOCUS},PricingUnit,ListUnitPrice");
    let row = |what, price, cost| {
        let cells = [
            ("ChargeDescription", what),
            ("PricingQuantity", "1000000"),
            ("PricingUnit", "Hours"),
            ("ListUnitPrice", price),
            ("ListCost", cost),
            ("BilledCost", cost),
        ];
        focus_row(&columns, &cells)
    };
    let instance = "$0.1 per On Demand Linux m5.large Instance Hour";
    let rows = [
        row(instance, "0.096", "96000"),
        row(instance, "0.097123456789", "97123.456789"),
        row("something else", "12.3456789", "12345678.9"),
    ];
    let csv = format!("{columns}\n{}", rows.concat());
    fs::write(dir.path().join("b.csv"), csv).expect("written");
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
    let good = focus_row(FOCUS, &[]);
    let bad = focus_row(FOCUS, &[("ChargePeriodEnd", "later"), ("ListCost", "one")]);
    let long = good.trim_end().to_owned() + ",\n";
    fs::write(dir.path().join("b.csv"), format!("{FOCUS}\n{good}{bad}{long}")).expect("written");
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
