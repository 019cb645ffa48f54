//! `plimsoll compare` and `--fail-if`.

use std::fs;
use std::path::Path;

use super::{fine, json, narrow, pico, plimsoll, refused, scratch, text};

/// Two results of the first scenario in `a` and `b`, the second with more nodes
/// at least and without two cases.
fn two_results(dir: &Path) {
    fine(dir, &["init"]);
    fine(dir, &["run", "scenario.yaml", "-q", "--seeds", "3", "-o", "a"]);
    let scenario = fs::read_to_string(dir.join("scenario.yaml")).expect("the scenario");
    assert!(scenario.contains("min: 2\n"), "{scenario}");
    fs::write(dir.join("scenario.yaml"), scenario.replace("min: 2\n", "min: 9\n"))
        .expect("written");
    fine(dir, &["run", "scenario.yaml", "-q", "--seeds", "3", "-o", "b", "--case", "on-demand"]);
}

#[test]
fn two_results_are_compared_in_every_format() {
    let dir = scratch();
    two_results(dir.path());
    for format in ["table", "json", "csv", "markdown"] {
        let out = fine(dir.path(), &["compare", "a", "b", "--format", format]);
        let said = text(&out.stdout);
        assert!(said.contains("pools.general.asg.min"), "{format}: {said}");
        assert_eq!(
            said,
            text(&fine(dir.path(), &["compare", "a", "b", "--format", format]).stdout)
        );
    }
    let table = text(&fine(dir.path(), &["compare", "a", "b", "--all"]).stdout);
    assert!(narrow(&table), "{table}");
    assert!(table.contains("- case spot") && table.contains("Plan: 1 case changed"), "{table}");
    // The money shown is the money of the summaries, along every grouping.
    let out = fine(dir.path(), &["compare", "a", "b", "--format", "json", "--all"]);
    let shown: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    for (side, result) in [("old", "a"), ("new", "b")] {
        let summary = json(&dir.path().join(result).join("on-demand/summary.json"));
        let total = pico(&summary["cost"]["total"]);
        for group in ["by_pool", "by_purchase", "by_charge", "by_workload"] {
            let group = &shown["cases"][0]["cost"][group];
            assert_eq!(pico(&group["total"][side]), total);
            let parts = group["parts"].as_array().expect("parts").iter();
            let sum: i128 = parts.map(|p| if p[side].is_null() { 0 } else { pico(&p[side]) }).sum();
            assert_eq!(sum, total);
        }
    }
    // A result against itself: nothing differs.
    let same = text(&fine(dir.path(), &["compare", "a", "a"]).stdout);
    assert!(same.contains("Plan: 0 cases changed, 0 added, 0 removed, 3 unchanged."), "{same}");
    // Two cases of one result.
    let out = fine(dir.path(), &["compare", "a", "--case", "on-demand", "--with", "fargate"]);
    assert!(text(&out.stdout).contains("~ case on-demand → fargate"), "{}", text(&out.stdout));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let dir = scratch();
    two_results(dir.path());
    fs::create_dir(dir.path().join("mine")).expect("a directory");
    refused(dir.path(), &["compare", "a", "mine"], &["`mine` is no result of `plimsoll run`"]);
    refused(dir.path(), &["compare", "a", "nowhere"], &["`nowhere` does not exist"]);
    refused(dir.path(), &["compare", "a"], &["nothing to be compared with"]);
    refused(dir.path(), &["compare", "a", "b", "--with", "spot"], &["--case"]);
    refused(dir.path(), &["compare", "a", "b", "--case", "sopt"], &["no case `sopt`", "`spot`"]);
    fs::remove_file(dir.path().join("b/study.json")).expect("a file");
    refused(dir.path(), &["compare", "a", "b"], &["kept no `study.json`"]);
}

#[test]
fn a_crossed_bound_is_exit_code_3_and_says_by_how_much() {
    let dir = scratch();
    two_results(dir.path());
    let run = |args: &[&str]| {
        let out = plimsoll(dir.path(), &[args, &["-q"]].concat());
        (out.status.code(), text(&out.stderr))
    };
    let of_run = ["run", "scenario.yaml", "--seeds", "1", "--fail-if"];
    let (code, said) = run(&[&of_run[..], &["case:on-demand cost>$0.01"]].concat());
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("--fail-if 'case:on-demand cost>$0.01': case on-demand: cost is $"));
    let (code, said) = run(&[&of_run[..], &["cost>$99999999"]].concat());
    assert!(code == Some(0) && said.is_empty(), "{said}");
    // The baseline is never more than itself, a dearer case is.
    let (code, said) = run(&[&of_run[..], &["case:fargate cost>-99%"]].concat());
    assert!(code == Some(3) && said.contains("the baseline's $"), "{said}");
    let (code, _) = run(&[&of_run[..], &["case:on-demand cost>-99%"]].concat());
    assert_eq!(code, Some(0));
    let (code, said) = run(&["compare", "a", "b", "--fail-if", "cost>+5%"]);
    assert!(code == Some(3) && said.contains("above the baseline's $"), "{said}");
    let (code, said) = run(&["compare", "b", "a", "--case", "on-demand", "--fail-if", "cost>+5%"]);
    assert_eq!(code, Some(0), "{said}");
    // Mistakes are found before anything is simulated.
    for (expression, words) in [
        ("csot>5", &["unknown metric `csot`", "did you mean `cost`?", "--fail-if:1:1"][..]),
        ("case:sopt cost>5", &["there is no case `sopt`", "`spot`"]),
        ("workload:wbe cost>5", &["there is no workload `wbe`"]),
    ] {
        refused(dir.path(), &[&of_run[..], &[expression]].concat(), words);
        refused(dir.path(), &["run", "scenario.yaml", "--fail-if", expression], words);
    }
    // Nothing in common holds no bound either.
    fine(dir.path(), &["run", "scenario.yaml", "-q", "--seeds", "1", "-o", "c", "--case", "spot"]);
    fine(dir.path(), &["compare", "b", "c"]);
    refused(
        dir.path(),
        &["compare", "b", "c", "--fail-if", "cost>5"],
        &["no case in common", "--with"],
    );
    refused(
        dir.path(),
        &["compare", "a", "b", "--fail-if", "case:spot cost>5"],
        &["no case `spot`"],
    );
}
