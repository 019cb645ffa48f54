//! Sweeps as their users run them: equal bytes on any number of threads and
//! after any number of kills, cells that are billed again or taken from the
//! journal, mistakes at their places.

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::*;

/// Two cases, an axis that changes the simulation, one that changes the bill
/// alone, three seeds: 24 cells, 12 simulations.
const SMALL: &str = r"
version: 1
name: small
region: us-east-1
time: { horizon: 6h }
workload:
  jobs: { trace: t.csv }
  more:
    generate:
      until: 5h
      arrivals: { poisson: { per-hour: 60 } }
      duration: 20m
      shapes: [{ cpu: 1, memory: 2Gi }]
pools:
  p:
    asg: { types: [m6i.xlarge, m5.xlarge], min: 1, max: 12 }
    scaler: cluster-autoscaler
charges: { root-volume: 20Gi }
goals:
  soon: { workload: more, pending: { p95: 20m } }
cases:
  on-demand: {}
  spot: { title: On the Spot market, set: { pools.p.asg.purchase.above-base: spot } }
  unused: { set: { pools.p.asg.max: 1 } }
sweep:
  over: [on-demand, spot]
  axes:
    autoscaler.scale-down-unneeded-time: [2m, 30m]
    commitments.plan: [null, { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.2 }]
  seeds: 3
";

fn write(dir: &Path, name: &str, content: &str) {
    fs::write(dir.join(name), content).expect("a file");
}

/// A directory with the small sweep and its trace.
fn small() -> tempfile::TempDir {
    let dir = scratch();
    let rows: String = (0..40).map(|i| format!("{},1800,500m,1Gi\n", i * 90)).collect();
    write(dir.path(), "t.csv", &format!("arrival,duration,cpu,memory\n{rows}"));
    write(dir.path(), "s.yaml", SMALL);
    dir
}

fn stats(dir: &Path, out: &str) -> (u64, u64) {
    let stats = json(&dir.join(out).join("run-stats.json"));
    let n = |key: &str| stats[key].as_u64().expect("a count");
    (n("cells_known"), n("simulations"))
}

#[test]
fn threads_and_the_journal_do_not_change_a_byte() {
    let dir = small();
    for (jobs, out) in [("1", "a"), ("2", "b")] {
        fine(dir.path(), &["sweep", "s.yaml", "-q", "-j", jobs, "-o", out]);
        // Half of the cells differ in their bill alone.
        assert_eq!(stats(dir.path(), out), (0, 12));
    }
    assert_equal_results(&dir.path().join("a"), &dir.path().join("b"));
    // Everything is in the journal, however the directory is written.
    fine(dir.path(), &["sweep", "s.yaml", "-q", "-j2", "-o", "b/"]);
    assert_eq!(stats(dir.path(), "b"), (24, 0));
    assert_equal_results(&dir.path().join("a"), &dir.path().join("b"));
    fs::remove_dir_all(dir.path().join("b")).expect("removed");
    fine(dir.path(), &["sweep", "s.yaml", "-q", "-j2", "-o", "b/"]);
    assert_eq!(stats(dir.path(), "b"), (24, 0));
    assert_equal_results(&dir.path().join("a"), &dir.path().join("b"));
    fine(dir.path(), &["sweep", "s.yaml", "-q", "-j2", "-o", "b", "--no-cache"]);
    assert_eq!(stats(dir.path(), "b"), (0, 12));
    assert_equal_results(&dir.path().join("a"), &dir.path().join("b"));

    let result = json(&dir.path().join("a/sweep.json"));
    let combinations = result["combinations"].as_array().expect("a list");
    assert_eq!((combinations.len(), result["simulations"].as_u64()), (8, Some(12)));
    assert_eq!(combinations[2]["values"]["autoscaler.scale-down-unneeded-time"], "30m");
    assert_eq!(combinations[7]["case"], "spot");
    // The plan changes what is paid, not what happens.
    let mean = |at: usize, metric: &str| combinations[at]["estimates"][metric]["mean"].as_f64();
    assert_eq!(mean(0, "pending_p95"), mean(1, "pending_p95"));
    assert_eq!(mean(0, "cost_list"), mean(1, "cost_list"));
    assert_ne!(mean(0, "cost"), mean(1, "cost"));
    for format in ["table", "json", "csv", "markdown"] {
        let out = fine(dir.path(), &["sweep", "s.yaml", "-q", "-o", "a", "--format", format]);
        let shown = text(&out.stdout);
        assert!(shown.contains("spot"), "{shown}");
        if format == "table" {
            assert!(narrow(&shown), "{shown}");
        }
    }
}

#[test]
fn a_sweep_and_a_run_agree_on_the_same_cells() {
    let dir = small();
    fine(dir.path(), &["sweep", "s.yaml", "-q", "-o", "swept"]);
    let set = "autoscaler.scale-down-unneeded-time=30m";
    let args = ["run", "s.yaml", "-q", "-o", "run", "--seeds", "3", "--set", set];
    fine(dir.path(), &args);
    let swept = json(&dir.path().join("swept/sweep.json"));
    for (at, case) in [(2, "on-demand"), (6, "spot")] {
        let summary = json(&dir.path().join(format!("run/{case}/summary.json")));
        let combination = &swept["combinations"][at];
        assert_eq!(combination["case"], case);
        assert_eq!(combination["estimates"], summary["intervals"], "{case}");
    }
}

#[test]
fn cells_are_used_again_only_while_every_input_is_the_same() {
    let dir = small();
    let known = |args: &[&str]| {
        let mut all = vec!["sweep", "s.yaml", "-q", "-o", "o", "--seeds", "1"];
        all.extend(args);
        fine(dir.path(), &all);
        stats(dir.path(), "o")
    };
    assert_eq!(known(&[]), (0, 4));
    assert_eq!(known(&[]), (8, 0));
    // What a comment says changes nothing; a setting, a seed, a price, a row do.
    write(dir.path(), "s.yaml", &format!("# A comment.{SMALL}"));
    assert_eq!(known(&[]), (8, 0));
    assert_eq!(known(&["--set", "charges.root-volume=30Gi"]), (0, 4));
    assert_eq!(known(&["--seed", "7"]), (0, 4));
    assert_eq!(known(&[]), (8, 0));
    let pricing = dir.path().join("pricing");
    fs::create_dir(&pricing).expect("a directory");
    for entry in fs::read_dir(root().join("pricing")).expect("pricing") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, pricing.join(path.file_name().expect("a name"))).expect("a copy");
    }
    let charges = pricing.join("charges.csv");
    let priced = fs::read_to_string(&charges).expect("charges");
    assert_eq!(known(&["--pricing", "pricing"]), (8, 0));
    // Volumes cost a cent a month more.
    let dearer = priced.replace("0.08", "0.09");
    assert_ne!(dearer, priced);
    fs::write(&charges, dearer).expect("charges");
    assert_eq!(known(&["--pricing", "pricing"]), (0, 4));
    let trace = fs::read_to_string(dir.path().join("t.csv")).expect("a trace");
    write(dir.path(), "t.csv", &trace.replacen("1800", "1801", 1));
    assert_eq!(known(&[]), (0, 4));
    // One more value of an axis: only its cells are new.
    write(dir.path(), "s.yaml", &SMALL.replace("[2m, 30m]", "[2m, 30m, 45m]"));
    assert_eq!(known(&[]), (8, 2));
}

/// 80 cells of some hundredths of a second.
fn slow() -> tempfile::TempDir {
    let dir = scratch();
    let scenario = SMALL
        .replace("  jobs: { trace: t.csv }\n", "")
        .replace("{ per-hour: 60 }", "{ per-hour: 400 }")
        .replace("max: 12", "max: 50")
        .replace("name: small", "name: slow")
        .replace("seeds: 3", "seeds: 10");
    write(dir.path(), "s.yaml", &scenario);
    dir
}

fn start(dir: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(args)
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Waits until a file is at least so long, or the process ended, or a minute
/// went by; whether it is.
fn grown(child: &mut Child, path: &Path, bytes: u64) -> bool {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if fs::metadata(path).is_ok_and(|m| m.len() >= bytes) {
            return true;
        }
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

#[test]
fn a_killed_sweep_continues_to_the_same_bytes() {
    let dir = slow();
    fine(dir.path(), &["sweep", "s.yaml", "-q", "-j1", "-o", "whole"]);
    let journal = dir.path().join("killed.journal");
    let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
    let mut length = 0;
    for (kill, jobs) in ["-j1", "-j2", "-j1", "-j2", "-j2"].into_iter().enumerate() {
        let mut child = start(dir.path(), &["sweep", "s.yaml", "-q", jobs, "-o", "killed"]);
        // Some bytes further than before, wherever that falls: most often in
        // the middle of a cell.
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        assert!(grown(&mut child, &journal, length + 1 + (draw >> 33) % 6_000), "kill {kill}");
        std::thread::sleep(Duration::from_micros((draw >> 40) % 20_000));
        child.kill().expect("killed");
        child.wait().expect("reaped");
        let now = fs::metadata(&journal).expect("a journal").len();
        assert!(now > length, "kill {kill} lost cells");
        length = now;
        assert!(!dir.path().join("killed").exists(), "kill {kill} came too late");
    }
    // A torn record, as a crash of the machine may leave it.
    let mut bytes = fs::read(&journal).expect("a journal");
    bytes.extend([0x40, 0, 0, 0, 1, 2, 3]);
    fs::write(&journal, bytes).expect("a journal");
    fine(dir.path(), &["sweep", "s.yaml", "-q", "-j2", "-o", "killed"]);
    let (known, simulated) = stats(dir.path(), "killed");
    assert!(known >= 5 && simulated > 0, "{known} known, {simulated} simulated");
    assert_equal_results(&dir.path().join("whole"), &dir.path().join("killed"));
    // Nothing of the five is left beside the result.
    let left: Vec<_> = fs::read_dir(dir.path())
        .expect("a directory")
        .map(|e| e.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().starts_with(".plimsoll-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_says_so_and_continues() {
    let dir = slow();
    fine(dir.path(), &["sweep", "s.yaml", "-q", "-o", "whole"]);
    let mut child = start(dir.path(), &["sweep", "s.yaml", "-j2", "-o", "stopped"]);
    assert!(grown(&mut child, &dir.path().join("stopped.journal"), 3_000));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let ended = child.wait().expect("ends");
    let mut said = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
    assert_eq!(ended.code(), Some(130), "{said}");
    assert!(said.contains("interrupted") && said.contains("continues"), "{said}");
    let result = json(&dir.path().join("stopped/sweep.json"));
    assert_eq!(result["complete"], false);
    let finished = result["cells_finished"].as_u64().expect("a count");
    assert!((1..80).contains(&finished), "{finished}");
    fine(dir.path(), &["sweep", "s.yaml", "-q", "-o", "stopped"]);
    assert_eq!(stats(dir.path(), "stopped").0, finished);
    assert_equal_results(&dir.path().join("whole"), &dir.path().join("stopped"));
}

#[test]
fn mistakes_in_a_sweep_are_found_together_at_their_places() {
    let dir = small();
    let sweep = |block: &str| {
        let at = SMALL.find("sweep:").expect("a sweep");
        let (rest, _) = SMALL.split_at(at);
        write(dir.path(), "bad.yaml", &format!("{rest}sweep:\n{block}"));
    };
    let line = SMALL.lines().position(|l| l == "sweep:").expect("a sweep") + 1;
    let place = |below: usize, column: usize| format!("bad.yaml:{}:{column}", line + below);
    sweep(
        "  axes:\n    pools.q.asg.max: [4]\n    pools.p.asg.maxx: [4]\n    \
         pools.p.asg.min: [none, 2]\n    charges.root-volume: { from: 10Gi, to: 25Gi, step: 10Gi }\n",
    );
    // The step is a mistake of the block itself and comes first.
    refused(dir.path(), &["sweep", "bad.yaml"], &[&place(5, 56), "hit `to`", "20Gi", "25Gi"]);
    sweep(
        "  axes:\n    pools.q.asg.max: [4]\n    pools.p.asg.maxx: [4]\n    \
         pools.p.asg.min: [none, 2]\n",
    );
    refused(
        dir.path(),
        &["sweep", "bad.yaml"],
        &[&place(2, 13), &place(3, 17), "maxx", "did you mean `max`", &place(4, 23), "none"],
    );
    refused(dir.path(), &["check", "bad.yaml"], &[&place(3, 17)]);
    // Without its sweep the scenario is fine.
    fine(dir.path(), &["run", "bad.yaml", "-q", "--seeds", "1"]);
    sweep("  over: [on-demand, spto, on-demand]\n");
    refused(
        dir.path(),
        &["sweep", "bad.yaml"],
        &[&place(1, 21), "did you mean `spot`", &place(1, 27), "twice"],
    );
    sweep("  axes: { pools.p.asg.max: [1, 2] }\n");
    let set = "pools.p.asg.max=9";
    refused(
        dir.path(),
        &["sweep", "bad.yaml", "--set", set],
        &["this sets what the axis `pools.p.asg.max` varies"],
    );
    sweep("  axes: { pools.p.asg.max: { from: 1, to: 5001, step: 1 } }\n  seeds: 50\n");
    refused(dir.path(), &["sweep", "bad.yaml"], &["750150 cells", "at most 100000"]);
    refused(dir.path(), &["sweep", "s.yaml", "--case", "spto"], &["spto", "spot"]);
    write(dir.path(), "foreign.journal", "years of work");
    refused(dir.path(), &["sweep", "s.yaml", "-o", "foreign"], &["no journal of plimsoll"]);
}

#[test]
fn check_says_what_a_sweep_would_do() {
    let dir = small();
    let said = text(&fine(dir.path(), &["check", "s.yaml"]).stdout);
    assert!(
        said.contains(
            "sweep: 2 cases × 4 combinations of axes (2 × 2) × 3 seeds = 24 cells, 12 distinct"
        ),
        "{said}"
    );
    assert!(said.contains("sweep time: not known"), "{said}");
    fine(dir.path(), &["sweep", "s.yaml", "-q", "--seeds", "1"]);
    let said = text(&fine(dir.path(), &["check", "s.yaml"]).stdout);
    assert!(said.contains("for the 16 cells that are left"), "{said}");
    assert!(said.contains("MiB when it last ran"), "{said}");
}

#[test]
fn a_sweep_has_a_page_is_shown_again_and_can_fail() {
    let dir = small();
    let out = fine(dir.path(), &["sweep", "s.yaml", "-q", "-o", "o"]);
    let page = fs::read_to_string(dir.path().join("o/report.html")).expect("a page");
    assert!(page.contains("<h2 id=\"tradeoffs\">") && page.contains("plimsoll run s.yaml"));
    assert!(dir.path().join("o/charts/pareto.svg").is_file());
    // The same table, whether just swept or read back.
    assert_eq!(text(&fine(dir.path(), &["report", "o"]).stdout), text(&out.stdout));
    for format in ["json", "csv", "markdown"] {
        let swept = fine(dir.path(), &["sweep", "s.yaml", "-q", "-o", "o", "--format", format]);
        let again = fine(dir.path(), &["report", "o", "--format", format]);
        assert_eq!(text(&again.stdout), text(&swept.stdout), "{format}");
    }
    refused(dir.path(), &["compare", "o", "o"], &["holds a sweep"]);
    let sweep = |expression: &str| {
        let args = ["sweep", "s.yaml", "-q", "-o", "o", "--fail-if", expression];
        let out = plimsoll(dir.path(), &args);
        (out.status.code(), text(&out.stderr))
    };
    let (code, said) = sweep("case:spot workload:more cost>$0");
    assert_eq!(code, Some(3), "{said}");
    assert_eq!(said.matches("--fail-if 'case:spot").count(), 4, "{said}");
    assert!(said.contains("On the Spot market, "), "{said}");
    assert_eq!(sweep("cost>$1000000").0, Some(0));
    // A goal that no combination meets fails the sweep too.
    let set = "goals.budget.monthly-usd=1";
    let out = plimsoll(dir.path(), &["sweep", "s.yaml", "-q", "-o", "o", "--set", set]);
    assert_eq!(out.status.code(), Some(3), "{}", text(&out.stderr));
    refused(
        dir.path(),
        &[
            "sweep",
            "s.yaml",
            "--fail-if",
            "case:unused cost>1",
            "--fail-if",
            "workload:jbos cost>1",
        ],
        &["there is no case `unused`", "there is no workload `jbos`"],
    );
}

#[test]
fn a_sweep_without_seeds_of_its_own_has_those_of_the_scenario() {
    let dir = small();
    let own = SMALL.replace("  seeds: 3\n", "").replace("version: 1\n", "version: 1\nseeds: 2\n");
    write(dir.path(), "own.yaml", &own);
    let told = |args: &[&str]| {
        let all = [&["sweep", "own.yaml", "-q", "-o"][..], args].concat();
        text(&fine(dir.path(), &all).stdout)
    };
    assert!(told(&["two"]).contains("8 combinations, 2 seeds"));
    assert!(told(&["one", "--seeds", "1"]).contains("8 combinations, 1 seed,"));
}
