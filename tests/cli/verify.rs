//! `plimsoll verify`: the recorded decisions, and what is not as recorded.

use std::io::Read as _;

use super::*;

#[test]
fn recorded_decisions_are_reproduced_and_counted() {
    let Some(shared) = shared() else { return };
    let dir = scratch();
    let set = shared.join("conformance");
    let set = set.to_str().expect("a path");
    let out = fine(dir.path(), &["verify", set, "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let scheduler = &found["scheduler"];
    for key in ["agree", "feasible_equal", "rejections_equal"] {
        assert_eq!(scheduler[key], scheduler["decisions"], "{key}");
    }
    assert_eq!(scheduler["decisions"], 9_030);
    assert_eq!(scheduler["scores_equal"], scheduler["scored"]);
    assert_eq!(scheduler["index_differs"], 0);
    let out = fine(dir.path(), &["verify", &format!("{set}/scheduler/plain-1.json.gz"), "-v"]);
    let table = text(&out.stdout);
    assert!(table.contains("plain-1") && table.contains("139/139"), "{table}");
    assert!(narrow(&table), "{table}");
}

#[test]
fn a_record_that_differs_fails_and_what_is_no_record_is_refused() {
    let Some(shared) = shared() else { return };
    let dir = scratch();
    let packed = fs::read(shared.join("conformance/scheduler/plain-1.json.gz")).expect("a file");
    let mut scenario = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut scenario).expect("text");
    let mut scenario: serde_json::Value = serde_json::from_str(&scenario).expect("JSON");
    let score = scenario["expected"]["decisions"][0]["scores"][0].as_i64().expect("a score");
    scenario["expected"]["decisions"][0]["scores"][0] = (score + 1).into();
    fs::write(dir.path().join("a.json"), scenario.to_string()).expect("written");
    let out = plimsoll(dir.path(), &["verify", ".", "-v"]);
    assert_eq!(out.status.code(), Some(1));
    let line = format!("total {score}, expected {}", score + 1);
    assert!(text(&out.stdout).contains(&line), "{}", text(&out.stdout));
    assert!(text(&out.stderr).contains("1 numbers are not as recorded"));

    refused(dir.path(), &["verify", "nowhere"], &["cannot read `nowhere`"]);
    fs::create_dir(dir.path().join("empty")).expect("a directory");
    refused(dir.path(), &["verify", "empty"], &["no scenario"]);
    fs::write(dir.path().join("empty/b.json"), "{\"kind\": ").expect("written");
    refused(dir.path(), &["verify", "empty"], &["b.json", "line 1"]);
    fs::write(dir.path().join("empty/b.json.gz"), "no gzip").expect("written");
    fs::remove_file(dir.path().join("empty/b.json")).expect("removed");
    refused(dir.path(), &["verify", "empty"], &["b.json.gz"]);
}
