//! `plimsoll commit`: withheld, answered, and what it advises billed by `run`.

use std::fs;

use super::{fine, plimsoll, root, scratch, text};

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
    // A long name is cut in tables, and whole in the lines to add.
    let name = "USD of a plan that has a name of more than sixty characters, all told";
    let long = open.replace("quoted", &format!("\"{name}\""));
    let table = text(&fine(dir.path(), &["commit", &hello, "--set", &long]).stdout);
    let (tables, lines) = table.split_once("add\ncommitments:\n").expect("names the lines");
    assert!(tables.lines().all(|line| line.chars().count() <= 80), "{tables}");
    assert_eq!(lines, format!("  \"{name}\":\n    usd-per-hour: 0.2016\n"));
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
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    // The spends of the band are those of the file: lower, as they are, higher.
    let said = table.split_whitespace().collect::<Vec<_>>().join(" ");
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
