//! Traces of other people's clusters, run end to end by the scenarios that
//! come with the program.

use super::*;

/// Runs a case of a scenario of `workloads/traces` on files of the shared data, which are
/// named relative to the scenario: copies lie beside it.
fn replay(
    name: &str,
    case: &str,
    files: &[(&str, &str)],
    more: &[&str],
) -> Option<serde_json::Value> {
    let data = shared()?.join("data/traces");
    let dir = scratch();
    let file = format!("{name}.yaml");
    fs::copy(root().join("workloads/traces").join(&file), dir.path().join(&file)).expect("a copy");
    let mut args = vec!["run".to_owned(), file, "-q".into(), "--seeds".into(), "1".into()];
    for (key, path) in files {
        let local = path.replace('/', "-");
        fs::copy(data.join(path), dir.path().join(&local)).expect("a copy");
        args.extend(["--set".into(), format!("{key}={local}")]);
    }
    args.extend(more.iter().map(ToString::to_string));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    fine(dir.path(), &args);
    let summary = json(&dir.path().join(format!("out/{name}/{case}/summary.json")));
    assert_cost_adds_up(&summary);
    assert_pods_conserved(&summary);
    Some(summary)
}

#[test]
fn a_backlog_of_alibaba_2017_is_worked_off() {
    let jobs = [("workload.batch.trace", "alibaba-batch-2017/jobs.csv.gz")];
    let Some(summary) = replay("alibaba-2017", "base", &jobs, &[]) else { return };
    assert_eq!(summary["pods"]["finished"], 2_551_075);
    assert_eq!(summary["nodes"]["peak"], 500);
}
