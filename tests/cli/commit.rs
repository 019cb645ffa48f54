//! `plimsoll commit`: withheld, answered, and what it advises billed by `run`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use plimsoll::units::Money;

use super::other_usage::OTHER;
use super::{fine, flat, json, narrow, plimsoll, root, scratch, text};

fn scenario(name: &str) -> String {
    root().join("workloads").join(name).display().to_string()
}

#[test]
fn without_published_rates_the_answer_is_withheld() {
    let dir = scratch();
    let hello = scenario("hello.yaml");
    let output = plimsoll(dir.path(), &["commit", &hello]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error[rates-representative]: "));
    assert!(output.stdout.is_empty());
    let output = plimsoll(dir.path(), &["commit", &hello, "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&json["status"], &json["reason"]), (&"withheld".into(), &REASON.into()));
}

const REASON: &str = "rates-representative";

/// A stated discount is no guess: an answer without a band.
#[test]
fn a_stated_discount_is_answered() {
    let dir = scratch();
    let hello = scenario("hello.yaml");
    let open = "commitments.quoted={kind: compute-sp, term: 1y, payment: no-upfront, \
                usd-per-hour: 0, discount: 30%}";
    let args = ["commit", &hello, "--set", open, "--format", "json"];
    let json: serde_json::Value =
        serde_json::from_slice(&fine(dir.path(), &args).stdout).expect("JSON");
    // Three m5.large at 0.096 USD less 30 %.
    assert_eq!((&json["status"], &json["usd_per_hour"]), (&"advised".into(), &"0.2016".into()));
    // Other plans are not compared at rates that nobody published, unless asked.
    assert_eq!(json["alternatives"].as_array().map(Vec::len), Some(0));
    let asked = [&args[..], &["--allow-representative"]].concat();
    let asked: serde_json::Value =
        serde_json::from_slice(&fine(dir.path(), &asked).stdout).expect("JSON");
    assert_eq!((&asked["status"], &asked["band"]), (&"advised".into(), &json["band"]));
    let others = asked["alternatives"].as_array().expect("plans");
    assert!(others.len() == 6 && others.iter().all(|it| it["representative"] == true));
    // A long name is cut in tables, and whole in the lines to add.
    let name = "USD of a plan that has a name of more than sixty characters, all told";
    let long = open.replace("quoted", &format!("\"{name}\""));
    let table = text(&fine(dir.path(), &["commit", &hello, "--set", &long]).stdout);
    let (tables, lines) = table.split_once("add\ncommitments:\n").expect("names the lines");
    assert!(narrow(tables), "{tables}");
    assert_eq!(lines, format!("  \"{name}\":\n    usd-per-hour: 0.2016\n"));
    // A name stays in its cell of a table for a pull request.
    let named = open.replace("quoted", "\"a|<b>\"");
    let table = ["commit", &hello, "--set", &named, "--format", "markdown"];
    let table = text(&fine(dir.path(), &table).stdout);
    assert!(table.contains("\n| a\\|&lt;b&gt; |"), "{table}");
}

/// What is bought now covers all of the usage: a start would be ignored.
#[test]
fn a_candidate_has_no_start() {
    let dir = scratch();
    let hello = scenario("hello.yaml");
    let commit = |usd: &str| {
        let sp = format!(
            "commitments.later={{kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: \
             {usd}, discount: 30%, start: 2027-01-01T00:00Z}}"
        );
        let open = "commitments.open={kind: compute-sp, term: 1y, payment: no-upfront, \
                    usd-per-hour: 0, discount: 30%}";
        plimsoll(dir.path(), &["commit", &hello, "--set", &sp, "--set", open])
    };
    let refused = commit("0");
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    assert!(message.contains("help: remove `commitments.later.start`"), "{message}");
    assert!(refused.stdout.is_empty());
    // One that is owned has a start.
    let owned = commit("0.1");
    assert_eq!(owned.status.code(), Some(0), "{}", text(&owned.stderr));
}

#[test]
fn what_is_advised_saves_what_is_said() {
    let dir = scratch();
    let file = scenario("ec2-vs-fargate.yaml");
    let answer = |args: &[&str]| {
        let mut all = vec!["commit", &file, "--allow-representative", "--seeds", "2"];
        all.extend(args);
        fine(dir.path(), &all).stdout
    };
    let table = text(&answer(&["-o", "out"]));
    assert!(narrow(&table), "{table}");
    // The spends of the band are those of the file: lower, as they are, higher.
    let said = flat(&table);
    let csv = text(&answer(&["--format", "csv"]));
    for row in csv.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let [plan, _, _, stated, low, high, ..] = cells[..] else { panic!("{row}") };
        if [stated, low, high] != ["0"; 3] {
            let spends = format!("{plan} {low} / {stated} / {high}");
            assert!(said.contains(&spends), "{spends} is not in {said}");
        }
    }
    // The lines of YAML it names, as settings.
    let (_, lines) = table.split_once("add\ncommitments:\n").expect("names the lines");
    let mut bought: Vec<String> = Vec::new();
    for line in lines.lines() {
        match line.strip_prefix("  ").and_then(|l| l.strip_suffix(':')) {
            Some(name) => bought.push(format!("commitments.{name}=")),
            None => bought.last_mut().expect("a name first").push_str(line.trim_start()),
        }
    }
    assert!(!bought.is_empty(), "{table}");
    assert!(table.contains("\nCompute SP ") && table.contains("\nEC2 Instance SP m"), "{table}");
    let read = |path: &str| {
        let path = dir.path().join(path);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let seeds = read("out/seeds.csv");
    let row: Vec<&str> = seeds.lines().nth(1).expect("a seed").split(',').collect();
    let usd = |text: &str| text.parse::<f64>().expect("money");
    let saved = usd(row[1]) - usd(row[2]);
    assert!(saved > 0.0 && row[4] == "true");
    let cost = |out: &str, set: &[&str]| {
        let mut all = vec!["run", file.as_str(), "--case", "ec2", "--seeds", "2", "-o", out];
        all.extend(set);
        fine(dir.path(), &all);
        let summary = read(&format!("{out}/ec2/summary.json"));
        let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
        usd(summary["cost"]["total"].as_str().expect("a total"))
    };
    let set: Vec<&str> = bought.iter().flat_map(|b| ["--set", b.as_str()]).collect();
    let difference = cost("without", &[]) - cost("with", &set);
    assert!((difference - saved).abs() < 1e-9, "{difference} is not {saved}");
    // The scenario's own open commitment is filled instead.
    let open =
        "commitments.more={kind: compute-sp, term: 3y, payment: all-upfront, usd-per-hour: 0}";
    let filled = text(&answer(&["--set", open]));
    assert!(filled.contains("commitments:\n  more:\n    usd-per-hour: 0."), "{filled}");
    // Same bytes on any number of threads, and in every format.
    for format in ["json", "csv", "markdown"] {
        assert_eq!(answer(&["--format", format, "-j", "1"]), answer(&["--format", format]));
    }
    assert!(read("out/curves.csv").lines().count() > 20);
    assert!(read("out/charts/commit-1-cost.svg").starts_with("<svg"));
    // Bought, nothing more is worth buying.
    let after = text(&answer(&set));
    assert!(after.contains("Commit to nothing more"), "{after}");
}

/// Three m5.large for two hours at 0.096, and one plan to be found that charges
/// 0.06 for them.
const PAYER: &str = "
version: 1
name: payer
region: us-east-1
time: { start: 2026-01-05T00:00Z, horizon: 2h }
workload:
  job:
    generate: { count: 1, arrivals: { even: { every: 1m } }, duration: 10m, cpu: 1, memory: 1Gi }
pools: { p: { fixed: { type: m5.large, count: 1, zones: [us-east-1a] } } }
commitments:
  sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0, discount: 37.5% }
";

/// The first seed's row of what `commit` says, having committed `usd` an hour;
/// what the scenario is said to save is what `run` bills less.
fn agreed(dir: &Path, file: &str, usd: &str) -> BTreeMap<String, String> {
    let said =
        fine(dir, &["commit", file, "--allow-representative", "-o", "said", "--format", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).expect("JSON");
    assert_eq!(said["usd_per_hour"], usd, "{file}");
    let mut seeds = csv::Reader::from_path(dir.join("said/seeds.csv")).expect("a file");
    let row: BTreeMap<String, String> =
        seeds.deserialize().next().expect("a seed").expect("a row of text");
    assert_eq!(row["exact"], "true");
    let billed = |out: &str, usd: &str| {
        let set = format!("commitments.sp.usd-per-hour={usd}");
        fine(dir, &["run", file, "-o", out, "--set", &set]);
        let of = json(&dir.join(out).join("base/summary.json"));
        money(of["cost"]["total"].as_str().expect("a total"))
    };
    let less = billed("without", "0") - billed("with", usd);
    assert_eq!(money(&row["scenario_before_usd"]) - money(&row["scenario_after_usd"]), less);
    row
}

fn money(text: &str) -> Money {
    text.parse().expect("money")
}

/// In the first hour the payer uses one m5.large beside the scenario's, in the
/// second two. A plan for two of them is used all the time and saves 0.036 an
/// hour for each; for three it would be used every other hour.
#[test]
fn other_usage_of_the_payer_shares_the_plan() {
    let dir = scratch();
    fs::write(dir.path().join("other.csv"), OTHER).expect("written");
    // The scenario's instance is covered in both hours, or only in that in
    // which the owner has but one.
    for (owner, order, own, others) in
        [("scenario", "after", "0.072", "$26.28"), ("other", "before", "0.036", "$39.42")]
    {
        let with = format!("{PAYER}other-usage: {{ file: other.csv, owner: {owner} }}\n");
        fs::write(dir.path().join("s.yaml"), with).expect("written");
        let row = agreed(dir.path(), "s.yaml", "0.12");
        let saved = |who: &str| {
            money(&row[&format!("{who}before_usd")]) - money(&row[&format!("{who}after_usd")])
        };
        assert_eq!((saved(""), saved("scenario_")), (money("0.144"), money(own)), "{owner}");
        // 0.072 an hour are 52.56 in a month.
        let said = text(&fine(dir.path(), &["commit", "s.yaml"]).stdout);
        let flat = flat(&said);
        assert!(flat.contains(&format!("covered {order} the scenario's usage")), "{said}");
        assert!(flat.contains(&format!("{others} is other usage's")), "{said}");
        assert!(narrow(&said), "{said}");
    }
    // Without it the plan is for one.
    fs::write(dir.path().join("s.yaml"), PAYER).expect("written");
    let row = agreed(dir.path(), "s.yaml", "0.06");
    assert_eq!(row["before_usd"], row["scenario_before_usd"]);
}

/// With a tenth off the fees of plans the same is committed and covered, and
/// costs 0.054 an hour instead of 0.06; where a plan saves nothing at its rates,
/// that tenth can make it worth buying.
#[test]
fn what_is_negotiated_off_fees_is_saved_too() {
    let dir = scratch();
    let tenth = "discounts: { savings-plans: 10% }\n";
    fs::write(dir.path().join("s.yaml"), format!("{PAYER}{tenth}")).expect("written");
    let row = agreed(dir.path(), "s.yaml", "0.06");
    assert_eq!((&*row["before_usd"], &*row["after_usd"]), ("0.192", "0.108"));
    let said = text(&fine(dir.path(), &["commit", "s.yaml"]).stdout);
    assert!(narrow(&said), "{said}");
    let flat = flat(&said);
    assert!(flat.contains("10% is negotiated off them"), "{said}");
    // 8,760 h × 0.054, and in the lines to add what is typed at AWS.
    assert!(flat.contains("obligation $473 over 1y (no-upfront)"), "{said}");
    assert!(said.ends_with("sp:\n    usd-per-hour: 0.06\n"), "{said}");
    // At 12 % off On-Demand is 0.08448, and a plan 4 % below list prices, at
    // 0.09216, is dearer; a fifth off its fees are 0.073728.
    for (fees, usd) in [("0%", "0"), ("20%", "0.09216")] {
        let discounts = format!("discounts: {{ ec2: 12%, savings-plans: {fees} }}\n");
        let with = PAYER.replace("37.5%", "4%") + &discounts;
        fs::write(dir.path().join("s.yaml"), with).expect("written");
        agreed(dir.path(), "s.yaml", usd);
    }
}

/// Two of three reserved instances do not run: a plan covers what is charged
/// for them.
#[test]
fn a_plan_covers_unused_capacity_reservations() {
    let dir = scratch();
    let with = format!(
        "{PAYER}capacity-reservations: {{ kept: {{ instance-type: m5.large, zone: us-east-1a, count: 3 }} }}\n"
    );
    fs::write(dir.path().join("s.yaml"), with).expect("written");
    let row = agreed(dir.path(), "s.yaml", "0.18");
    assert_eq!((&*row["before_usd"], &*row["after_usd"]), ("0.576", "0.36"));
}

/// Four m5.large for four hours at a negotiated price, and in the first two of
/// them pods on Fargate at AWS's.
const DEARER: &str = "
version: 1
name: dearer
region: us-east-1
time: { start: 2026-01-05T00:00Z, horizon: 4h }
workload:
  web: { service: { requests: { cpu: 1, memory: 1Gi }, replicas: 4 } }
  job:
    namespace: batch
    generate: { count: 4, arrivals: { even: { every: 1s } }, duration: 115m, cpu: 900m, memory: 1Gi }
pools:
  p: { fixed: { type: m5.large, count: 4, zones: [us-east-1a] } }
  fg: { fargate: { match: { namespace: batch } } }
commitments:
  sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0 }
discounts: { ec2: 30% }
";

/// A plan is 27 % below the list price of EC2, where 30 % is negotiated, and 20 %
/// below that of Fargate: it pays for the two hours of Fargate and is used up in
/// the others by EC2 that would cost less without it, at the plan's own rate in
/// `commit` as in `run`.
#[test]
fn a_rate_above_a_negotiated_price_is_what_the_bill_charges() {
    let dir = scratch();
    fs::write(dir.path().join("s.yaml"), DEARER).expect("written");
    let row = agreed(dir.path(), "s.yaml", "0.15467");
    // Of EC2 1.0752; of Fargate nearly two hours of 4 × 0.04937. Of that a fifth
    // is saved, 0.0755, and 2 × 0.15467 × (1 − 0.0672 / 0.07008) lost, 0.0127.
    assert_eq!((&*row["before_usd"], &*row["after_usd"]), ("1.453977611112", "1.391194331813"));
}
