//! Hourly usage of our own format under commitments.

use std::fs;

use super::{FOCUS, billed, focus_row};
use crate::{fine, narrow, pico, plimsoll, refused, scratch, text};

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
    let columns = format!("{FOCUS},ListUnitPrice");
    let row = |region, currency| {
        let cells = [
            ("ChargeDescription", "$0.6 per On Demand Linux m5.large Instance Hour"),
            ("RegionId", region),
            ("ListUnitPrice", "0.6"),
            ("ListCost", "0.6"),
            ("BilledCost", "0.6"),
            ("BillingCurrency", currency),
        ];
        focus_row(&columns, &cells)
    };
    let (dollars, yuan) = (row("us-east-1", "USD"), row("cn-north-1", "CNY"));
    write("yuan.csv", &format!("{columns}\n{dollars}{yuan}"));
    let of = billed(dir.path(), &["yuan.csv"]);
    assert_eq!(of["total"]["on_demand"], "0.096", "{of:#}");
    // A bill by the day says nothing about hours.
    let day = [
        ("ChargePeriodEnd", "2026-01-06T00:00:00Z"),
        ("ChargeDescription", "$0.1 per On Demand Linux m5.large Instance Hour"),
        ("PricingQuantity", "24"),
        ("ListCost", "2.4"),
        ("BilledCost", "2.4"),
    ];
    write("day.csv", &format!("{FOCUS}\n{}", focus_row(FOCUS, &day)));
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
        plimsoll(dir.path(), &["bill", "u.csv", "--commitments", owned, "--format", "json"])
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
