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

#[test]
fn a_month_of_alibaba_dlrm_is_clipped_to_its_ends() {
    let list = [("workload.models.trace", "alibaba-dlrm-2025/dlrm_apps_even.csv.gz")];
    let case = ["--case", "on-demand"];
    let Some(summary) = replay("alibaba-dlrm-2025", "on-demand", &list, &case) else { return };
    assert_eq!(summary["pods"]["rejected"], 0);
    // 13,624 instances; of those that run to the end of the trace some were
    // moved to another node on the way.
    let evicted = summary["pods"]["evicted"].as_u64().expect("a count");
    assert_eq!(summary["pods"]["submitted"], 13_624 + evicted);
    assert_eq!(summary["pods"]["pending_at_end"], 0);
}

#[test]
fn tasks_of_opendc_run_by_their_dates_and_units() {
    let surf = [("workload.jobs.trace", "opendc/surf_halfyear/tasks.parquet")];
    let case = ["--case", "on-demand"];
    let Some(summary) = replay("opendc-surf", "on-demand", &surf, &case) else { return };
    assert_eq!(summary["pods"]["finished"], 194_917);
    let bitbrains = [
        ("workload.machines.trace", "opendc/bitbrains-small/tasks.parquet"),
        ("workload.machines.fragments", "opendc/bitbrains-small/fragments.parquet"),
    ];
    let Some(summary) = replay("opendc-bitbrains", "on-demand", &bitbrains, &case) else { return };
    assert_eq!(summary["pods"]["finished"], 50);
    // What is used of what is requested is known from the fragments: 31,097
    // of 187,000 milli-cores if every machine ran as long.
    let used = summary["utilisation"]["cpu"]["used_of_requested"].as_f64().expect("known");
    assert!((0.15..0.18).contains(&used), "{used}");
    // All files that decide the result are named.
    let inputs = summary["inputs"].as_array().expect("a list");
    assert_eq!(inputs.len(), 3, "{inputs:?}");
}

#[test]
fn invocations_of_azure_functions_are_pods() {
    let day = [
        ("workload.functions.trace", "azure-functions-2019/invocations.csv"),
        ("workload.functions.durations", "azure-functions-2019/durations.csv"),
        ("workload.functions.memory", "azure-functions-2019/memory.csv"),
    ];
    for case in ["nodes", "fargate"] {
        let Some(summary) = replay("azure-functions-2019", case, &day, &[]) else { return };
        assert_eq!(summary["pods"]["finished"], 4_525, "{case}");
    }
    let list = [("workload.functions.trace", "azure-functions-2021/Azure2021_30.csv")];
    let Some(summary) = replay("azure-functions-2021", "nodes", &list, &[]) else { return };
    assert_eq!(summary["pods"]["finished"], 29);
}

#[test]
fn options_that_a_format_needs_or_has_no_use_for_are_named() {
    let dir = scratch();
    let check = |options: &str, words: &[&str]| {
        let scenario = format!(
            "version: 1\nname: t\nregion: us-east-1\n\
             workload: {{ w: {{ trace: t.csv, {options} }} }}\n\
             pools: {{ p: {{ asg: {{ types: [m6i.large], min: 1, max: 1 }} }} }}\n"
        );
        fs::write(dir.path().join("t.yaml"), scenario).expect("writes");
        refused(dir.path(), &["check", "t.yaml"], words);
    };
    check(
        "format: alibaba-batch-2017",
        &["is a share of one machine", "state it as `memory-scale: 256Gi`", "t.yaml:4:25"],
    );
    check("format: opendc", &["differ in their unit of memory", "`memory-unit: 1Ki`"]);
    check(
        "format: azure-functions-2021",
        &["state `requests.cpu` for the workload", "state `requests.memory` for the workload"],
    );
    check(
        "format: azure-functions-2019, requests: { cpu: 1 }, memory: m.csv",
        &["does not say how long they ran", "as `durations`"],
    );
    check(
        "memory-unit: 1Ki, durations: d.csv, rdma-resource: a/b",
        &[
            "`memory-unit` applies to traces of format opendc only",
            "`durations` applies to traces of format azure-functions-2019 only",
            "`rdma-resource` applies to traces of format alibaba-dlrm-2025 only",
        ],
    );
    check(
        "format: swf, gpu-resource: a/b",
        &["`gpu-resource` applies to traces of format openb or alibaba-dlrm-2025 only"],
    );
}
