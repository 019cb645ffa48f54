//! The program as its users run it: exit codes, files, equal bytes.

mod allocation;
mod bill;
mod breakeven;
mod commit;
mod compare;
mod ecs;
mod explain;
mod focus;
mod focus_rules;
mod gallery;
mod import;
mod import_hourly;
mod manifests;
mod other_usage;
mod prices;
mod rightsize;
mod sweep;
mod traces;
mod transforms;
mod verify;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the reference data lies, or `None` with a printed reason.
fn shared() -> Option<PathBuf> {
    let dir = std::env::var_os("PLIMSOLL_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("PLIMSOLL_REQUIRE_SHARED").is_none(),
        "PLIMSOLL_REQUIRE_SHARED is set but {} is absent",
        dir.display()
    );
    eprintln!("skipped: {} is absent", dir.display());
    None
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A directory of its own for one test, removed at its end.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn plimsoll(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(args)
        .current_dir(dir)
        .env_remove("PLIMSOLL_PRICING")
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs and demands success.
fn fine(dir: &Path, args: &[&str]) -> Output {
    let out = plimsoll(dir, args);
    let code = out.status.code();
    assert!(
        code == Some(0) || code == Some(3),
        "{args:?}: {code:?}\n{}\n{}",
        text(&out.stdout),
        text(&out.stderr)
    );
    out
}

/// Runs, demands exit code 2 and that stderr says each of `words`.
fn refused(dir: &Path, args: &[&str], words: &[&str]) {
    let out = plimsoll(dir, args);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{args:?}\n{said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "{args:?}: `{word}` is missing in\n{said}");
    }
}

/// Every file below a directory with its bytes, without the one file that may
/// differ.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(dir: &Path, base: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, base, into);
            } else if path.file_name().is_some_and(|n| n != "run-stats.json") {
                let name = path.strip_prefix(base).expect("below").to_path_buf();
                into.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(dir, dir, &mut all);
    all
}

fn assert_equal_results(a: &Path, b: &Path) {
    let (a, b) = (files(a), files(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(bytes == &b[name], "{} differs", name.display());
    }
}

/// Whether a terminal of 80 columns shows every line in full.
fn narrow(text: &str) -> bool {
    text.lines().all(|line| line.chars().count() <= 80)
}

/// The words of a text on one line, however they were wrapped and aligned.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Money of a JSON result in whole pico-dollars.
fn pico(value: &serde_json::Value) -> i128 {
    pico_of(value.as_str().expect("money is a string"))
}

/// A decimal of at most twelve places that count, in whole 10⁻¹².
fn pico_of(text: &str) -> i128 {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    assert!(part.len() <= 12, "{text}");
    let value: i128 = format!("{whole}{part:0<12}").parse().expect("a decimal");
    if negative { -value } else { value }
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

/// Every grouping of a summary's cost adds up to its total.
fn assert_cost_adds_up(summary: &serde_json::Value) {
    let cost = &summary["cost"];
    let total = pico(&cost["total"]);
    for grouping in [
        "by_pool",
        "by_purchase",
        "by_charge",
        "by_namespace",
        "by_workload",
        "by_price_status",
        "waterfall",
        "fully_loaded_by_workload",
    ] {
        let parts = cost[grouping].as_object().expect(grouping);
        assert_eq!(parts.values().map(pico).sum::<i128>(), total, "{grouping}");
    }
}

/// Created = finished + running + starting + pending + evicted + interrupted +
/// rejected: the keys that the summary shows may not exceed it.
fn assert_pods_conserved(summary: &serde_json::Value) {
    let pods = &summary["pods"];
    let n = |key: &str| pods[key].as_u64().expect("a count");
    let ended = n("finished") + n("evicted") + n("interrupted") + n("rejected");
    assert!(ended + n("pending_at_end") <= n("submitted"), "{pods}");
}

#[test]
fn equal_runs_leave_equal_bytes_on_any_number_of_threads() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    for (jobs, out) in [("1", "a"), ("2", "b"), ("2", "c")] {
        fine(dir.path(), &["run", file, "-q", "-j", jobs, "-o", out]);
    }
    let at = |name: &str| dir.path().join(name);
    assert_equal_results(&at("a"), &at("b"));
    assert_equal_results(&at("b"), &at("c"));
    for case in ["ec2", "ec2-spot-plan", "fargate"] {
        let summary = json(&at("a").join(case).join("summary.json"));
        assert_cost_adds_up(&summary);
        assert_pods_conserved(&summary);
    }
    assert!(at("a").join("report.html").is_file());
    assert!(fs::read_dir(at("a").join("charts")).expect("charts").count() >= 6);
}

#[test]
fn results_fit_a_terminal_of_80_columns() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let out = fine(dir.path(), &["run", file.to_str().expect("a path"), "--seeds", "1"]);
    let shown = text(&out.stdout);
    assert!(narrow(&shown), "{shown}");
}

#[test]
fn the_first_scenario_runs_as_it_is() {
    let dir = scratch();
    fine(dir.path(), &["init"]);
    refused(dir.path(), &["init"], &["exists already"]);
    fine(dir.path(), &["check", "scenario.yaml", "--print-effective"]);
    fine(dir.path(), &["run", "scenario.yaml", "--seeds", "2", "-q"]);
    for format in ["table", "json", "csv", "markdown"] {
        let out = fine(dir.path(), &["report", "out/first", "--format", format]);
        assert!(text(&out.stdout).contains("fargate"), "{format}");
    }
    // A second run replaces the first.
    fine(dir.path(), &["run", "scenario.yaml", "--seeds", "1", "-q", "--case", "spot"]);
    assert!(!dir.path().join("out/first/on-demand").exists());
}

#[test]
fn bundled_scenarios_are_valid() {
    let dir = scratch();
    for folder in ["workloads", "workloads/scale", "workloads/studies"] {
        for entry in fs::read_dir(root().join(folder)).expect("bundled") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|e| e == "yaml") {
                fine(dir.path(), &["check", path.to_str().expect("a path"), "-q"]);
            }
        }
    }
}

#[test]
fn bad_input_is_refused_with_its_place_and_remedy() {
    let dir = scratch();
    let write = |name: &str, content: &[u8]| fs::write(dir.path().join(name), content).expect("w");
    refused(dir.path(), &["run", "nowhere.yaml"], &["nowhere.yaml"]);
    refused(dir.path(), &["run"], &["FILE"]);
    refused(dir.path(), &["fly"], &["fly"]);
    let scenario = |trace: &str, instance: &str, region: &str| {
        format!(
            "version: 1\nname: t\nregion: {region}\nworkload:\n  a: {{ trace: {trace} }}\n\
             pools:\n  p: {{ fixed: {{ type: {instance}, count: 2 }} }}\n"
        )
    };
    write("good.csv", b"arrival,duration,cpu,memory\n0,60,500m,1Gi\n5,60,1,1Gi\n");
    write("ok.yaml", scenario("good.csv", "m5.large", "us-east-1").as_bytes());
    fine(dir.path(), &["run", "ok.yaml", "-q"]);

    write("type.yaml", scenario("good.csv", "m5.lrage", "us-east-1").as_bytes());
    refused(dir.path(), &["run", "type.yaml"], &["type.yaml:7", "m5.lrage", "m5.large"]);
    write("region.yaml", scenario("good.csv", "m5.large", "us-esat-1").as_bytes());
    refused(dir.path(), &["run", "region.yaml"], &["us-esat-1", "us-east-1"]);
    // Fargate prices of eu-west-1 were never verified.
    let fargate = "version: 1\nname: t\nregion: eu-west-1\nworkload:\n  a: { trace: good.csv }\n\
                   pools:\n  p: { fargate: { match: { namespace: \"*\" } } }\n";
    write("believed.yaml", fargate.as_bytes());
    refused(dir.path(), &["run", "believed.yaml"], &["--allow-believed-prices"]);
    fine(dir.path(), &["run", "believed.yaml", "--allow-believed-prices", "-q"]);

    for (name, content) in [
        ("negative.csv", &b"arrival,duration,cpu,memory\n0,-60,500m,1Gi\n"[..]),
        ("nan.csv", b"arrival,duration,cpu,memory\n0,NaN,500m,1Gi\n"),
        ("absurd.csv", b"arrival,duration,cpu,memory\n0,60,99999999999,1Gi\n"),
        ("overflow.csv", b"arrival,duration,cpu,memory\n1e300,60,1,1Gi\n"),
        ("empty.csv", b"arrival,duration,cpu,memory\n"),
        ("nothing.csv", b""),
        ("columns.csv", b"arival,duration,cpu,memory\n0,60,1,1Gi\n"),
        ("junk.csv", b"\x00\xff\xfe\x01\x02\n\x00,,,\n"),
        ("junk.parquet", b"PAR1 no table at all PAR1"),
        ("junk.swf", b"\x89PNG\r\n\x1a\n"),
        ("junk.csv.gz", b"\x1f\x8b\x08\x00truncated"),
    ] {
        write(name, content);
        write("bad.yaml", scenario(name, "m5.large", "us-east-1").as_bytes());
        refused(dir.path(), &["run", "bad.yaml", "-o", "bad"], &[name]);
        assert!(!dir.path().join("bad").exists(), "{name} left a result behind");
    }
}

#[test]
fn a_foreign_directory_is_left_alone() {
    let dir = scratch();
    let file = root().join("workloads/hello.yaml");
    let file = file.to_str().expect("a path");
    fs::create_dir(dir.path().join("mine")).expect("a directory");
    fs::write(dir.path().join("mine/thesis.txt"), "years of work").expect("a file");
    refused(dir.path(), &["run", file, "-o", "mine"], &["is not empty"]);
    let kept = fs::read_to_string(dir.path().join("mine/thesis.txt")).expect("still there");
    assert_eq!(kept, "years of work");
}

#[test]
fn impossible_pods_are_counted_not_simulated_for_ever() {
    let dir = scratch();
    fs::write(dir.path().join("t.csv"), "arrival,duration,cpu,memory\n0,60,1,1Gi\n0,60,64,1Gi\n")
        .expect("a trace");
    fs::write(
        dir.path().join("s.yaml"),
        "version: 1\nname: t\nregion: us-east-1\nworkload:\n  a: { trace: t.csv }\n\
         pools:\n  p: { fixed: { type: m5.large, count: 1 } }\n",
    )
    .expect("a scenario");
    fine(dir.path(), &["run", "s.yaml", "-q"]);
    let summary = json(&dir.path().join("out/t/base/summary.json"));
    assert_eq!(summary["pods"]["rejected"], 1);
    assert_eq!(summary["pods"]["finished"], 1);
    assert_cost_adds_up(&summary);
}

#[test]
fn generated_traces_replay() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    fine(dir.path(), &["generate", file, "-o", "csv", "-q"]);
    fine(dir.path(), &["generate", file, "-o", "parquet", "--parquet", "-q"]);
    refused(dir.path(), &["generate", file, "-o", "csv"], &["exists already"]);
    for trace in ["csv/nightly.csv", "parquet/nightly.parquet"] {
        let scenario = format!(
            "version: 1\nname: t\nregion: us-east-1\nworkload:\n  a: {{ trace: {trace} }}\n\
             pools:\n  p: {{ fixed: {{ type: m5.4xlarge, count: 9 }} }}\n"
        );
        fs::write(dir.path().join("s.yaml"), scenario).expect("a scenario");
        fine(dir.path(), &["run", "s.yaml", "-q"]);
        let summary = json(&dir.path().join("out/t/base/summary.json"));
        assert_eq!(summary["pods"]["finished"], 7 * 160);
    }
}

#[test]
fn real_traces_replay_end_to_end() {
    let Some(shared) = shared() else { return };
    let dir = scratch();
    let openb = shared.join("data/traces/alibaba-openb-2023/openb_pod_list_default.csv");
    let lcg = shared.join("data/traces/swf/LCG-2005-1.swf.gz");
    // Traces are named relative to the scenario: copies lie beside it.
    fs::copy(&openb, dir.path().join("openb.csv")).expect("a copy");
    fs::copy(&lcg, dir.path().join("lcg.swf.gz")).expect("a copy");
    for (name, set, pods) in [
        ("openb-cpu", "workload.pods.trace=openb.csv", None),
        ("openb-gpu", "workload.pods.trace=openb.csv", None),
        ("lcg", "workload.jobs.trace=lcg.swf.gz", Some(188_041)),
    ] {
        let file = root().join(format!("workloads/traces/{name}.yaml"));
        let copy = dir.path().join(format!("{name}.yaml"));
        fs::copy(&file, &copy).expect("a copy");
        let copy = copy.to_str().expect("a path");
        let mut args = vec!["run", copy, "-q", "--seeds", "1", "--set", set];
        if name == "lcg" {
            args.extend(["--case", "on-demand"]);
        }
        fine(dir.path(), &args);
        let summary = json(&dir.path().join(format!("out/{name}/on-demand/summary.json")));
        assert_cost_adds_up(&summary);
        assert_pods_conserved(&summary);
        if let Some(pods) = pods {
            assert_eq!(summary["pods"]["finished"], pods);
        }
    }
}

/// Two On-Demand nodes, one of them mostly under a Savings Plan, one Spot
/// node, five pods, root volumes: two hours, computed by hand.
///
/// - m5.large costs 0.096 On-Demand; a Compute Savings Plan (1 year, no upfront)
///   takes 27 % off: 0.07008. A commitment of 0.10 an hour covers
///   0.10 / 0.07008 × 0.096 = 0.136986301370 of the 0.192 an hour; what is left
///   costs 0.055013698630. Two hours: 0.2 and 0.11002739726.
/// - Spot is 66 % below On-Demand: 0.03264 an hour, 0.06528 for two.
/// - A volume of 20 GB at 0.08 a month: 1.6 / 730 = 0.002191780822 an hour and
///   node, six of them 0.013150684932.
/// - The control plane: 0.2.
#[test]
fn a_small_bill_equals_the_one_made_by_hand() {
    let dir = scratch();
    let pod = "0,7200,500m,1Gi\n";
    fs::write(dir.path().join("t.csv"), format!("arrival,duration,cpu,memory\n{}", pod.repeat(5)))
        .expect("a trace");
    let scenario = r"
version: 1
name: hand
region: us-east-1
seeds: 1
time: { start: 2025-01-06T00:00Z, horizon: until-idle }
workload:
  jobs: { trace: t.csv, startup: 0s }
placement: { scheduler: { rate: unlimited } }
pools:
  owned: { fixed: { type: m5.large, count: 2, zones: [us-east-1a] } }
  spot: { fixed: { type: m5.large, count: 1, purchase: spot, zones: [us-east-1a] } }
spot: { interruptions: none }
charges: { root-volume: 20Gi }
commitments:
  plan: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 }
";
    fs::write(dir.path().join("s.yaml"), scenario).expect("a scenario");
    fine(dir.path(), &["run", "s.yaml", "-q"]);
    let summary = json(&dir.path().join("out/hand/base/summary.json"));
    let cost = &summary["cost"];
    assert_eq!(summary["pods"]["finished"], 5);
    assert_eq!(summary["nodes"]["node_hours"], 6.0);
    for (purchase, usd) in [
        ("savings-plan", "0.2"),
        ("on-demand", "0.11002739726"),
        ("spot", "0.06528"),
        ("other", "0.213150684932"),
    ] {
        assert_eq!(cost["by_purchase"][purchase], usd);
    }
    assert_eq!(cost["by_charge"]["root-volume"], "0.013150684932");
    assert_eq!(cost["total"], "0.588458082192");
    assert_cost_adds_up(&summary);
}

/// Both cases leave almost all jobs waiting; the smaller one does half as much.
#[test]
fn a_case_that_does_half_of_little_is_not_called_cheaper() {
    let dir = scratch();
    let scenario = "version: 1
name: starved
region: us-east-1
time: { horizon: 1d }
workload:
  jobs:
    generate:
      count: 2000
      arrivals: { even: { every: 1s } }
      duration: 10h
      shapes: [{ cpu: 1, memory: 1Gi }]
pools:
  p: { fixed: { type: m5.xlarge, count: 4 } }
cases:
  four: {}
  two: { set: { pools.p.fixed.count: 2 } }
";
    fs::write(dir.path().join("starved.yaml"), scenario).expect("written");
    let out = fine(dir.path(), &["run", "starved.yaml", "--seeds", "1"]);
    let said = text(&out.stdout);
    // Four nodes work 4 × 3 jobs at a time, twice in a day.
    for words in ["Stay with four.", "Fewer than 19 of 20 pods find a place", "passed over  two"] {
        assert!(said.contains(words), "{said}");
    }
    assert!(flat(&said).contains("still wait at the end"));
    assert!(!said.contains("all demand is served"), "{said}");
}
