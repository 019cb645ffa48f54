//! Price tables from AWS's files, their age, and Spot prices that move.

use super::*;

const ADVISOR: &str = r#"{ "ranges": [ { "index": 1, "label": "5-10%", "dots": 1, "max": 11 } ],
  "instance_types": { "m5.large": { "emr": true, "cores": 2, "ram_gb": 8.0 } },
  "spot_advisor": { "us-east-1": { "Linux": { "m5.large": { "s": 50, "r": 1 } } } } }"#;

/// A service on two Spot nodes for two days; the price doubles after one.
const SCENARIO: &str = "
version: 1
name: spot
region: us-east-1
time: { start: 2026-03-02T00:00Z, horizon: 2d }
seeds: 1
workload:
  web: { service: { requests: { cpu: 500m, memory: 1Gi }, replicas: 2 } }
pools:
  p: { fixed: { type: m5.large, count: 2, purchase: spot, zones: [us-east-1a] } }
spot:
  interruptions: none
cases:
  still: {}
  moving: { set: { spot.prices: { history: spot.csv } } }
";

const HISTORY: &str = "timestamp,availability_zone,instance_type,spot_price
2026-03-01T00:00:00Z,us-east-1a,m5.large,0.03
2026-03-03T00:00:00Z,us-east-1a,m5.large,0.06
";

#[test]
fn prices_are_updated_from_files_and_their_age_is_watched() {
    let dir = scratch();
    let at = dir.path();
    fs::write(at.join("advisor.json"), ADVISOR).expect("written");
    fs::write(at.join("s.yaml"), SCENARIO).expect("written");
    fs::write(at.join("spot.csv"), HISTORY).expect("written");
    let update =
        ["prices", "update", "--from", "advisor.json", "--as-of", "2026-08-01", "-o", "new"];
    let told = text(&fine(at, &update).stdout);
    assert!(narrow(&told), "{told}");
    assert!(at.join("new/prices.lock").is_file());
    let shown = text(&fine(at, &["prices", "show", "m5.large", "--pricing", "new"]).stdout);
    assert!(shown.contains("0.048  50%     1"), "{shown}");

    // The default says nothing about age, a day is too young for any price.
    let check = ["check", "s.yaml", "--pricing", "new"];
    assert!(!text(&fine(at, &check).stderr).contains("stale-prices"));
    let strict = ["check", "s.yaml", "--pricing", "new", "--max-price-age", "1d"];
    assert!(text(&fine(at, &strict).stderr).contains("warning[stale-prices]"));
    refused(at, &[&strict[..], &["--deny-warnings"]].concat(), &["stale-prices"]);
    refused(at, &["prices", "update", "--from", "s.yaml"], &["none of the files", "help:"]);
}

/// A directory without its lock may say what it likes; with it, it is what was
/// imported or says that it is not.
#[test]
fn tables_changed_by_hand_are_told() {
    let dir = scratch();
    let at = dir.path();
    fs::write(at.join("advisor.json"), ADVISOR).expect("written");
    fs::write(at.join("s.yaml"), SCENARIO.split("cases:").next().unwrap_or("")).expect("written");
    let update =
        ["prices", "update", "--from", "advisor.json", "--as-of", "2026-08-01", "-o", "new"];
    fine(at, &update);
    let check = ["check", "s.yaml", "--pricing", "new"];
    let told = fine(at, &check);
    assert!(text(&told.stdout).contains("prices lock: Spot advisor 2026-08-01\n"));
    assert!(!text(&told.stderr).contains("edited-prices"));
    let table = at.join("new/ec2-spot.csv");
    let edited = fs::read_to_string(&table).expect("there");
    let row = "us-east-1,m5.large,50,1,";
    assert!(edited.contains(row));
    fs::write(&table, edited.replace(row, "us-east-1,m5.large,90,1,")).expect("written");
    for verb in [&check[..], &["prices", "show", "m5.large", "--pricing", "new"]] {
        let told = text(&fine(at, verb).stderr);
        assert!(told.contains("warning[edited-prices]: ec2-spot.csv of `new` is not"), "{told}");
    }
    refused(at, &[&check[..], &["--deny-warnings"]].concat(), &["edited-prices"]);
    fs::remove_file(at.join("new/prices.lock")).expect("removed");
    assert!(!text(&fine(at, &check).stderr).contains("edited-prices"));
    // What lies in a directory of other things stays alone there.
    refused(at, &["prices", "update", "--from", "advisor.json", "-o", "."], &["other files"]);
}

#[test]
fn a_node_shows_the_range_of_its_price() {
    let dir = scratch();
    let at = dir.path();
    fs::write(at.join("s.yaml"), SCENARIO).expect("written");
    fs::write(at.join("spot.csv"), HISTORY).expect("written");
    let of = |case: &str, format: &str| {
        let args =
            ["explain", "cost", "s.yaml", "--node", "p/0", "--case", case, "--format", format];
        text(&fine(at, &args).stdout)
    };
    // 24 h at 0.03 and 24 h at 0.06.
    let shown = of("moving", "table");
    let row = shown.lines().find(|l| l.starts_with("m5.large Spot us-east-1a")).expect("a row");
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(words[3..], ["48", "48.000", "Hours", "0.03–0.06", "2.16"], "{shown}");
    let json: serde_json::Value = serde_json::from_str(&of("moving", "json")).expect("JSON");
    let charge = &json["node"]["charges"][0];
    assert_eq!((charge["rate"].as_str(), charge["lines"].as_u64()), (Some("0.045"), Some(48)));
    assert_eq!(charge["rates"], serde_json::json!(["0.03", "0.06"]));
    let json: serde_json::Value = serde_json::from_str(&of("still", "json")).expect("JSON");
    assert_eq!(json["node"]["charges"][0].get("rates"), None);
}
