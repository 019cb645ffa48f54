//! Snapshots of clusters: what is read, what is refused, and a bill by hand.

use super::*;

/// A node as `kubectl get nodes -o json` prints it, as far as it is read.
fn node(name: &str, labels: &str, capacity: [&str; 2], allocatable: [&str; 2]) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{name}","labels":{{{labels}
        "topology.kubernetes.io/region":"us-east-1","kubernetes.io/os":"linux"}}}},
        "status":{{"capacity":{{"cpu":"{}","memory":"{}","pods":"29"}},
        "allocatable":{{"cpu":"{}","memory":"{}","pods":"29"}},
        "nodeInfo":{{"kubeletVersion":"v1.33.5-eks-3abbec1"}}}}}}"#,
        capacity[0], capacity[1], allocatable[0], allocatable[1]
    )
}

/// A c6i.2xlarge of the node group `general`, with the memory of the tables.
fn large(name: &str, zone: &str) -> String {
    let labels = format!(
        r#""node.kubernetes.io/instance-type":"c6i.2xlarge","topology.kubernetes.io/zone":"{zone}",
        "eks.amazonaws.com/capacityType":"ON_DEMAND","eks.amazonaws.com/nodegroup":"general",
        "role":"general","#
    );
    node(name, &labels, ["8", "16072704Ki"], ["7910m", "15155200Ki"])
}

/// A running pod: namespace, name, owner (kind and name, or nothing), node,
/// requests, and anything else of its spec.
fn pod(
    [namespace, name, kind, owner, on]: [&str; 5],
    requests: &str,
    phase: &str,
    spec: &str,
) -> String {
    let reference = if kind.is_empty() {
        String::new()
    } else {
        format!(r#","ownerReferences":[{{"kind":"{kind}","name":"{owner}","controller":true}}]"#)
    };
    let hash = owner.rsplit('-').next().unwrap_or_default();
    let bound = if on.is_empty() { String::new() } else { format!(r#""nodeName":"{on}","#) };
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"namespace":"{namespace}",
        "name":"{name}","labels":{{"pod-template-hash":"{hash}"}}{reference}}},
        "spec":{{{bound}{spec}"containers":[{{"name":"c","resources":{{"requests":{{{requests}}}}}}}]}},
        "status":{{"phase":"{phase}","startTime":"2025-11-04T19:07:49Z"}}}}"#
    )
}

fn list(items: &[String]) -> String {
    format!(r#"{{"apiVersion":"v1","items":[{}],"kind":"List"}}"#, items.join(","))
}

/// An eighth of a c6i.2xlarge.
const EIGHTH: &str = r#""cpu":"1","memory":"1962Mi""#;
/// A sixteenth of its vCPU and a quarter of its memory.
const QUARTER: &str = r#""cpu":"500m","memory":"3924Mi""#;

fn nodes() -> Vec<String> {
    vec![
        large("ip-10-0-1-17.ec2.internal", "us-east-1a"),
        large("ip-10-0-2-18.ec2.internal", "us-east-1b"),
        node(
            "odd-1",
            r#""node.kubernetes.io/instance-type":"odd.4x","topology.kubernetes.io/zone":"us-east-1a","#,
            ["4", "16Gi"],
            ["4", "16Gi"],
        ),
        node(
            "fargate-ip-10-0-3-3",
            r#""eks.amazonaws.com/compute-type":"fargate","#,
            ["2", "4Gi"],
            ["2", "4Gi"],
        ),
    ]
}

fn pods() -> Vec<String> {
    let (a, b) = ("ip-10-0-1-17.ec2.internal", "ip-10-0-2-18.ec2.internal");
    let daemon = r#""nodeSelector":{"role":"general"},"tolerations":[{"operator":"Exists"}],"#;
    let small = r#""cpu":"80m""#;
    let web = "web-5d9c7b";
    vec![
        pod(["shop", "web-5d9c7b-1", "ReplicaSet", web, a], EIGHTH, "Running", ""),
        pod(["shop", "web-5d9c7b-2", "ReplicaSet", web, b], EIGHTH, "Running", ""),
        pod(["data", "db-0", "StatefulSet", "db", b], QUARTER, "Running", ""),
        pod(["kube-system", "aws-node-1", "DaemonSet", "aws-node", a], small, "Running", daemon),
        pod(["kube-system", "aws-node-2", "DaemonSet", "aws-node", b], small, "Running", daemon),
        pod(["ops", "shell", "", "", a], "", "Running", ""),
        pod(
            ["batch", "crawler-7f-x", "ReplicaSet", "crawler-7f", "fargate-ip-10-0-3-3"],
            r#""cpu":"250m","memory":"200Mi""#,
            "Running",
            "",
        ),
        pod(["batch", "done", "Job", "report-29371389", a], EIGHTH, "Succeeded", ""),
    ]
}

fn summary(dir: &Path, case: &str) -> serde_json::Value {
    let bytes = fs::read(dir.join(case).join("summary.json")).expect("a summary");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// What a week costs, made by hand:
///
/// * 2 c6i.2xlarge at $0.34: 2 × 0.34 × 168 = 114.24
/// * 1 node at the $0.05 that were stated: 8.4
/// * Fargate: 250m and 200 + 256 MiB are 0.25 vCPU and 0.5 GB, which cost
///   0.25 × 0.04048 + 0.5 × 0.004445 = 0.0123425 an hour, 2.07354 in a week
/// * the control plane at $0.10: 16.8
///
/// A weight of 2 × 15696/1024 = 30.65625 makes the 8 vCPU of a c6i.2xlarge worth
/// 16 times its 15,696 MiB: 53.76 and 3.36 of its 57.12 a week. Of that
///
/// * a web pod takes an eighth of both, 6.72 + 0.42, and there are two of them
/// * the database takes a sixteenth and a quarter, 3.36 + 0.84
/// * the DaemonSet takes 80 of 8,000 millicores of two nodes, 2 × 0.5376
#[test]
fn a_snapshot_costs_what_a_bill_by_hand_says() {
    let dir = scratch();
    let dir = dir.path();
    fs::write(dir.join("pods.json"), list(&pods())).expect("written");
    fs::write(dir.join("nodes.json"), list(&nodes())).expect("written");
    let import =
        ["import", "kubectl", "pods.json", "nodes.json", "--price", "odd.4x=0.05", "-o", "now"];
    let out = text(&fine(dir, &import).stdout);
    for line in [
        "nodes          2 of 4        nodes of types with published prices",
        "               1 of 4        nodes with a price that was stated",
        "               1 of 4        machines of Fargate",
        "pods           7             pods in the scenario",
        "               6 of 7        pods that request cpu",
        "               4 of 7        pods that request memory",
        "               6 of 7        pods with an owner",
        "left out       1             pods that have finished [finished]: batch/done",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let weight = "allocation.cpu-weight=30.65625";
    let run = fine(dir, &["run", "now/scenario.yaml", "--set", weight, "-o", "out"]);
    let shown = text(&run.stdout);
    let closing = flat(&shown);
    for part in ["2.0 × c6i.2xlarge", "1.0 × odd-4x", "$0.8423/hour", "$614.91/month"] {
        assert!(closing.contains(part), "{part}\n{closing}");
    }
    let found = summary(&dir.join("out"), "base");
    let cost = &found["cost"];
    assert_eq!(cost["total"], "141.51354");
    assert_eq!(cost["monthly"], "614.910025");
    assert_eq!(cost["by_pool"]["general-c6i-2xlarge"], "114.24");
    assert_eq!(cost["by_pool"]["odd-4x"], "8.4");
    assert_eq!(cost["by_pool"]["fargate"], "2.07354");
    for (name, dollars) in [
        ("web", "14.28"),
        ("db", "4.2"),
        ("aws-node", "1.0752"),
        ("shell", "0"),
        ("crawler", "2.07354"),
    ] {
        assert_eq!(cost["by_workload"][name], dollars, "{name}");
    }
    for (name, dollars) in
        [("shop", "14.28"), ("data", "4.2"), ("kube-system", "1.0752"), ("batch", "2.07354")]
    {
        assert_eq!(cost["by_namespace"][name], dollars, "{name}");
    }
    assert_eq!(found["nodes"]["peak"], 3);
    assert_eq!(found["pods"]["pending_at_end"], 0);
    assert_eq!(found["seed"], 1);
}

/// The what-ifs that the file suggests are valid as they stand.
#[test]
fn suggested_cases_run_once_their_marks_are_removed() {
    let dir = scratch();
    let dir = dir.path();
    let all: Vec<String> = nodes().into_iter().chain(pods()).collect();
    fs::write(dir.join("all.json"), list(&all)).expect("written");
    fine(dir, &["import", "kubectl", "all.json", "--price", "odd.4x=0", "-o", "now"]);
    let path = dir.join("now/scenario.yaml");
    let scenario = fs::read_to_string(&path).expect("a scenario");
    let (body, cases) = scenario.split_once("# cases:\n").expect("suggestions");
    let cases: String = cases.lines().map(|line| line.replacen('#', "", 1) + "\n").collect();
    fs::write(&path, format!("{body}cases:\n{cases}")).expect("written");
    let out = text(&fine(dir, &["run", "now/scenario.yaml", "-o", "out"]).stdout);
    for case in ["today", "anew", "scaled"] {
        assert!(out.contains(case), "{case}\n{out}");
        assert_eq!(summary(&dir.join("out"), case)["pods"]["pending_at_end"], 0, "{case}");
    }
}

#[test]
fn what_cannot_be_priced_is_refused_with_a_remedy() {
    let dir = scratch();
    let dir = dir.path();
    let all: Vec<String> = nodes().into_iter().chain(pods()).collect();
    let whole = list(&all);
    fs::write(dir.join("all.json"), &whole).expect("written");
    fs::write(dir.join("nodes.json"), list(&nodes())).expect("written");
    fs::write(dir.join("pods.json"), list(&pods())).expect("written");
    fs::write(dir.join("cut.json"), &whole[..whole.len() / 2]).expect("written");
    fs::write(dir.join("empty.json"), "").expect("written");
    let import = |files: &[&str], words: &[&str]| {
        let mut args = vec!["import", "kubectl"];
        args.extend(files);
        refused(dir, &args, words);
    };
    import(&["all.json"], &["1 node of `odd.4x` (4 vCPU, 16384 MiB", "--price odd.4x=USD"]);
    import(&["nodes.json"], &["no unfinished Pod", "4 nodes", "kubectl get nodes,pods -A"]);
    import(&["pods.json"], &["hold no Node", "7 pods on nodes that are not in the files"]);
    import(&["cut.json"], &["cut.json:", "it was cut off"]);
    import(&["empty.json"], &["`empty.json` is empty"]);
    import(&["no.json"], &["cannot read `no.json`"]);
    import(&["all.json", "--region", "us-wets-2"], &["unknown Region `us-wets-2`"]);
    import(&["all.json", "--price", "odd.4x"], &["expected TYPE=USD"]);
    import(&["all.json", "--price", "odd.4x=-1"], &["a price is not negative"]);
    let prices = ["--price", "odd.4x=0.05", "--price", "odd.x4=1"];
    let args: Vec<&str> = ["import", "kubectl", "all.json", "-o", "now"].into();
    let table = text(&fine(dir, &[args, prices.into()].concat()).stdout);
    assert!(table.contains("1             stated prices of a type that no node is"), "{table}");
    assert!(table.contains("[unused-price]: odd.x4"), "{table}");
    import(
        &["all.json", "--price", "odd.4x=0.05", "-o", "now"],
        &["now/scenario.yaml` exists already", "--force"],
    );
}

/// Every real snapshot is a scenario that runs, or is refused with the reason.
#[test]
fn real_snapshots_import_or_say_why_not() {
    let Some(shared) = shared() else { return };
    let dir = scratch();
    let dir = dir.path();
    let data = shared.join("data");
    let path = |name: &str| {
        let path = data.join("snapshots/kubernetes").join(name);
        path.to_str().expect("a path").to_owned()
    };
    let [nodes, pods, kubelet] =
        ["nodes_1_33.yaml", "pods_1_33.yaml", "podlist_1_33.json"].map(path);
    let price = ["--region", "us-east-1", "--price", "unlabelled=0.4"];
    for (pods, out, counted, left_out) in [(&pods, "api", 19, 5), (&kubelet, "kubelet", 18, 5)] {
        let mut args = vec!["import", "kubectl", &nodes, pods.as_str(), "-o", out];
        args.extend(price);
        args.extend(["--format", "json"]);
        let table = text(&fine(dir, &args).stdout);
        let table: serde_json::Value = serde_json::from_str(&table).expect("JSON");
        let count = |key: &str, what: &str| {
            let rows = table["rows"].as_array().expect("rows");
            rows.iter().find(|r| r[key] == what).map(|r| r["count"].as_u64().expect("a count"))
        };
        assert_eq!(count("what", "pods in the scenario"), Some(counted), "{table:#}");
        assert_eq!(count("code", "finished"), Some(left_out), "{table:#}");
        let scenario = format!("{out}/scenario.yaml");
        let results = format!("{out}/out");
        fine(dir, &["run", &scenario, "-o", &results]);
        // One node at $0.40, no EKS: 0.4 × 168.
        assert_eq!(summary(&dir.join(results), "base")["cost"]["total"], "67.2");
    }
    let refuse = |files: &[&str], words: &[&str]| {
        let mut args = vec!["import", "kubectl"];
        args.extend(files);
        args.extend(price);
        refused(dir, &args, words);
    };
    refuse(&[&nodes], &["no unfinished Pod"]);
    refuse(&[&pods], &["no Node", "18 pods on nodes that are not in the files"]);
    refuse(&[&path("kubelet_stats_summary_1_33.json")], &["no `kind`", "`node`, `pods`"]);
    let bundle = path("support-bundle/nodes.json");
    refuse(&[&bundle], &["no unfinished Pod", "6 nodes"]);
    let pending = path("support-bundle/pods_pending-node-affinity.json");
    refuse(&[&pending], &["no Node", "1 pods"]);
    refuse(&[&path("support-bundle/deployments_monitoring.json")], &["no Node", "4 owners"]);
    // Nodes of DigitalOcean with the pending pod: each type needs a price.
    refuse(&[&bundle, &pending], &["s-2vcpu-4gb", "g-8vcpu-32gb", "--price s-1vcpu-2gb=USD"]);
    let mut args = vec!["import", "kubectl", &bundle, &pending, "-o", "bundle"];
    args.extend(price);
    for types in ["g-8vcpu-32gb=0.375", "s-2vcpu-4gb=0.03", "s-1vcpu-2gb=0.015"] {
        args.extend(["--price", types]);
    }
    fine(dir, &args);
    fine(dir, &["run", "bundle/scenario.yaml", "-o", "bundle/out"]);
    // 0.4 + 0.375 + 3 × 0.03 + 0.015 = 0.88 an hour.
    assert_eq!(summary(&dir.join("bundle/out"), "base")["cost"]["total"], "147.84");
    for manifest in [
        "sock-shop_complete-demo.yaml",
        "online-boutique_kubernetes-manifests.yaml",
        "hpa-v1-list.yaml",
        "k8s-docs_hpa_php-apache.yaml",
        "k8s-docs_php-apache.yaml",
    ] {
        let path = data.join("manifests/kubernetes").join(manifest);
        refuse(&[path.to_str().expect("a path")], &["no Node", "kubectl get nodes,pods -A"]);
    }
}

/// A redacted scenario costs the same and names nobody.
#[test]
fn a_redacted_snapshot_keeps_its_price_and_no_name() {
    let dir = scratch();
    let dir = dir.path();
    let all: Vec<String> = nodes().into_iter().chain(pods()).collect();
    // Every name carries letters that no word of this program does.
    let all = list(&all)
        .replace("odd.4x", "m5.large")
        .replace(r#""name":""#, r#""name":"zq-"#)
        .replace(r#""namespace":""#, r#""namespace":"zq-"#)
        .replace(r#""nodeName":""#, r#""nodeName":"zq-"#)
        .replace(r#""role":""#, r#""zq-role":"zq-"#)
        .replace(r#"amazonaws.com/nodegroup":""#, r#"amazonaws.com/nodegroup":"zq-"#);
    assert!(all.contains("zq-shop") && all.contains("zq-general"));
    fs::write(dir.join("all.json"), &all).expect("written");
    let mut shown = String::new();
    for format in ["table", "json", "csv", "markdown"] {
        let args = ["import", "kubectl", "all.json", "--redact", "--format", format, "-o", "now"];
        let out = fine(dir, &[&args[..], &["--force"]].concat());
        shown += &text(&out.stdout);
        shown += &text(&out.stderr);
    }
    fine(dir, &["run", "now/scenario.yaml", "-o", "now/out"]);
    fine(dir, &["import", "kubectl", "all.json", "-o", "open"]);
    fine(dir, &["run", "open/scenario.yaml", "-o", "open/out"]);
    let (redacted, open) =
        (summary(&dir.join("now/out"), "base"), summary(&dir.join("open/out"), "base"));
    for key in ["total", "monthly", "by_purchase", "waterfall"] {
        assert_eq!(redacted["cost"][key], open["cost"][key], "{key}");
    }
    for (name, bytes) in files(&dir.join("now")) {
        shown += &[name.display().to_string(), text(&bytes)].join("\n");
    }
    assert!(!shown.contains("zq"), "a name is left");
    assert!(!shown.contains("5d9c7b"), "a hash is left");
    assert!(shown.contains("workload-1:") && shown.contains("node-2:"));
}
