//! Reports in the format of the Cost and Usage Report (CUR).

use std::fs;

use super::{billed, line};
use crate::{fine, flat, narrow, refused, scratch, text};

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
    line(CUR, &cells, other)
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
