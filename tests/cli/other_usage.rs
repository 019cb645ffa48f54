//! `other-usage`: a payer whose commitments cover more than the scenario.

use std::fs;

use super::focus_rules::{check, table};
use super::{assert_cost_adds_up, fine, flat, json, narrow, refused, scratch, text};

/// One m5.large for two hours, under a plan of 0.15 an hour that charges 0.06.
const SCENARIO: &str = "
version: 1
name: payer
region: us-east-1
time: { start: 2026-01-05T00:00Z, horizon: 2h }
workload:
  job:
    generate: { count: 1, arrivals: { even: { every: 1m } }, duration: 10m, cpu: 1, memory: 1Gi }
pools: { p: { fixed: { type: m5.large, count: 1 } } }
commitments:
  sp: { kind: compute-sp, term: 1y, payment: partial-upfront, usd-per-hour: 0.15, discount: 37.5% }
other-usage: { file: other.csv }
cases:
  first: {}
  last: { set: { other-usage.owner: other } }
  alone: { remove: [other-usage] }
";

/// One m5.large of the payer's others in the first hour, two in the second.
pub(super) const OTHER: &str = "hour,kind,quantity
2026-01-05T00:00:00Z,m5.large,1
2026-01-05T01:00:00Z,m5.large,2
";

#[test]
fn a_payer_uses_commitments_elsewhere_too() {
    let dir = scratch();
    fs::write(dir.path().join("s.yaml"), SCENARIO).expect("written");
    fs::write(dir.path().join("other.csv"), OTHER).expect("written");
    let export = ["--export", "focus-csv", "--seeds", "1"];
    let run = fine(dir.path(), &[&["run", "s.yaml", "-o", "out"][..], &export].concat());
    let said = text(&run.stdout);
    let flat = flat(&said);
    assert!(flat.contains("$0.1200 used, $0.1500 by other usage, $0.0300 unused"), "{said}");
    assert!(narrow(&said), "{said}");
    // 0.2 for the control plane; the rest by hand in the unit tests.
    let expected = [
        ("first", "0.35", Some("0.15"), "0.03", "0.35"),
        ("last", "0.368", Some("0.18"), "0.03", "0.368"),
        ("alone", "0.5", None, "0.18", "0.32"),
    ];
    for (case, total, others, unused, absorbed) in expected {
        let summary = json(&dir.path().join("out").join(case).join("summary.json"));
        assert_cost_adds_up(&summary);
        let cost = &summary["cost"];
        assert_eq!(cost["total"], total, "{case}");
        let commitment = &cost["commitment"];
        assert_eq!(commitment["used_by_others"].as_str(), others, "{case}");
        assert_eq!(commitment["each"][0]["used_by_others"].as_str(), others, "{case}");
        assert_eq!(commitment["unused"], unused, "{case}");
        assert_eq!(commitment["total_if_unused_is_absorbed"], absorbed, "{case}");

        let (header, rows) = table(&dir.path().join("out").join(case).join("focus.csv"));
        assert!(rows.iter().any(|row| row["ChargeCategory"] == "Purchase"));
        check(case, &header, &rows);
    }
    let page = fs::read_to_string(dir.path().join("out/report.html")).expect("a page");
    assert!(page.contains("used by others") && page.contains("by other usage of the payer"));
    // The file decides the result; ownership costs no simulation.
    let study = fs::read_to_string(dir.path().join("out/study.json")).expect("a file");
    assert!(study.contains("other.csv"));
}

#[test]
fn bad_files_of_other_usage_are_refused() {
    let dir = scratch();
    fs::write(dir.path().join("s.yaml"), SCENARIO).expect("written");
    fs::write(dir.path().join("other.csv"), OTHER.replace("m5.large,2", "m5.lage,2"))
        .expect("written");
    let words = ["`other.csv`: line 3, column `kind`: `m5.lage`", "did you mean `m5.large`?"];
    refused(dir.path(), &["check", "s.yaml"], &words);
    fs::write(dir.path().join("other.csv"), OTHER.replace(",2", ",two")).expect("written");
    let words = ["other.csv: line 3, column `quantity`: `two` is no number", "correct them"];
    refused(dir.path(), &["check", "s.yaml"], &words);
}
