//! The recorded scenarios beside the checkout, a scenario worked by hand, and
//! odd input.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::convert::Converter;
use super::scenario::Scenario as Recorded;
use super::{Report, run};
use crate::Result;
use crate::testing::shared_dir;
use crate::workload::constraints::{Namespaces, Requirement};

#[test]
fn every_recorded_decision_is_reproduced() {
    let Some(shared) = shared_dir() else { return };
    let report = run(&shared.join("conformance")).expect("scenarios");
    assert!(report.is_perfect(), "{}{}", report.table(), report.details());
    assert_eq!((report.scenarios.len(), report.skipped), (20, 27));
    assert_eq!(report.total().decisions, 9_030);
}

/// Two nodes and a queue of three: a pod that fits both, one that fits after
/// preemption, one that cannot.
///
/// First pod, 1 cpu and 1 GiB of 4 and 8: cpu (4000 − 1000)·100/4000 = 75,
/// memory 7·100/8 = 87, mean 81; balance 1 − (0.25 − 0.125)/2 gives 93; no
/// taint gives 3·100. Together 474.
fn by_hand() -> Value {
    let node = |name: &str| {
        json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "zone": "a"}},
            "spec": {"taints": [{"key": "soft", "effect": "PreferNoSchedule"}]},
            "status": {"allocatable": {
                "cpu": "4", "memory": "8Gi", "pods": "10", "ephemeral-storage": "1Gi",
                "example.com/fpga": 1,
            }},
        })
    };
    let container = |cpu: &str, memory: &str| json!({"name": "c", "image": "app:1", "resources": {"requests": {"cpu": cpu, "memory": memory}}});
    json!({
        "schemaVersion": 1, "id": "by-hand", "kind": "scheduler",
        "settings": {"preemption": true, "percentageOfNodesToScore": 100},
        "input": {
            "nodes": [node("n0"), node("n1")],
            "namespaces": [{"metadata": {"name": "default", "labels": {"team": "a"}}}],
            "services": [{"metadata": {"name": "web", "namespace": "default"},
                          "spec": {"selector": {"app": "nobody"}}}],
            "replicaSets": [{"metadata": {"name": "rs", "namespace": "default"},
                             "spec": {"selector": {"matchLabels": {"app": "db"}}}}],
            "podDisruptionBudgets": [{"metadata": {"name": "pdb", "namespace": "default"},
                                      "spec": {"selector": {"matchLabels": {"app": "guarded"}}},
                                      "status": {"disruptionsAllowed": 0}}],
            "pods": [
                {"metadata": {"name": "fits", "labels": {"app": "web"}},
                 "spec": {"containers": [container("1", "1Gi")],
                          "tolerations": [{"operator": "Exists"}]}},
                {"metadata": {"name": "bold", "namespace": "default"},
                 "spec": {"containers": [container("4", "1Gi")], "priority": 10,
                          "initContainers": [container("500m", "1Mi")],
                          "tolerations": [{"key": "soft", "operator": "Exists"}],
                          "affinity": {"nodeAffinity": {
                              "requiredDuringSchedulingIgnoredDuringExecution": {
                                  "nodeSelectorTerms": [{"matchExpressions": [
                                      {"key": "zone", "operator": "In", "values": ["a"]}]}]},
                              "preferredDuringSchedulingIgnoredDuringExecution": [
                                  {"weight": 3, "preference": {"matchExpressions": [
                                      {"key": "zone", "operator": "Exists"}]}}]},
                              "podAntiAffinity": {
                                  "requiredDuringSchedulingIgnoredDuringExecution": [
                                      {"topologyKey": "kubernetes.io/hostname",
                                       "namespaceSelector": {"matchLabels": {"team": "b"}},
                                       "labelSelector": {"matchLabels": {"app": "web"}}}]}}}},
                {"metadata": {"name": "huge", "namespace": "default"},
                 "spec": {"containers": [container("5", "1Gi")],
                          "topologySpreadConstraints": [
                              {"maxSkew": 1, "topologyKey": "zone",
                               "whenUnsatisfiable": "DoNotSchedule", "minDomains": 1,
                               "labelSelector": {"matchLabels": {"app": "web"}}}]}},
            ],
            "existingPods": [
                {"metadata": {"name": "old", "namespace": "default", "labels": {"app": "guarded"}},
                 "spec": {"nodeName": "n1", "containers": [container("1", "1Gi")]},
                 "status": {"phase": "Running", "startTime": "2024-12-01T00:00:00Z"}},
                {"metadata": {"name": "done", "namespace": "default"},
                 "spec": {"nodeName": "n1", "containers": [container("4", "8Gi")]},
                 "status": {"phase": "Succeeded"}},
            ],
        },
        "expected": {
            "nodeOrder": ["n0", "n1"], "pluginScoresEvery": 1, "scheduled": 2, "unschedulable": 1,
            "decisions": [
                // On n1 the pod there leaves (4 − 2)·100/4 = 50 and 75, mean 62;
                // balance of 0.5 and 0.25: 87.
                {"pod": "default/fits", "selected": "n0", "feasibleCount": 2, "top": [0],
                 "topScore": 474, "scores": [474, 449],
                 "pluginScores": {"NodeResourcesFit": [81, 62],
                                  "NodeResourcesBalancedAllocation": [93, 87],
                                  "TaintToleration": [300, 300], "ImageLocality": [0, 0]}},
                // Both nodes hold a pod of lower priority, but a budget guards
                // the one on n1.
                {"pod": "default/bold", "selected": "n0", "feasibleCount": 0, "top": [],
                 "rejections": {"NodeResourcesFit": 2}, "rejectedBy": {"NodeResourcesFit": [0, 1]},
                 "preemption": {"nominatedNode": "n0", "victims": ["default/fits"]}},
                {"pod": "default/huge", "selected": null, "feasibleCount": 0, "top": [],
                 "rejections": {"NodeResourcesFit": 2}},
            ],
        },
    })
}

fn verified(scenario: &Value) -> Result<Report> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("by-hand.json");
    fs::write(&file, scenario.to_string()).expect("a file");
    run(&file)
}

#[test]
fn a_scenario_by_hand_agrees() {
    let report = verified(&by_hand()).expect("a scenario");
    assert!(report.is_perfect(), "{}{}", report.table(), report.details());
    let total = report.total();
    assert_eq!((total.decisions, total.scored, total.free_run_scheduled), (3, 1, 2));
}

#[test]
fn what_is_not_as_recorded_is_named() {
    let mut wrong = by_hand();
    let decisions = &mut wrong["expected"]["decisions"];
    decisions[0]["scores"] = json!([474, 450]);
    decisions[0]["pluginScores"]["NodeResourcesFit"] = json!([81, 63]);
    decisions[0]["top"] = json!([1]);
    decisions[1]["preemption"]["victims"] = json!(["default/old"]);
    decisions[2]["rejections"] = json!({"TaintToleration": 1, "NodeResourcesFit": 1});
    let report = verified(&wrong).expect("a scenario");
    assert!(!report.is_perfect());
    let details = report.details();
    for line in [
        "by-hand default/fits n1: total 449, expected 450",
        "by-hand default/fits n1: NodeResourcesFit 62, expected 63",
        "by-hand default/fits: top n0, expected n1",
        "by-hand default/bold: preemption n0: default/fits, expected n0: default/old",
        "by-hand default/huge: rejected by NodeResourcesFit 2, expected 1",
        "by-hand default/huge: rejected by TaintToleration 0, expected 1",
    ] {
        assert!(details.contains(line), "{line} is missing in\n{details}");
    }
    let total = report.total();
    assert_eq!((total.agree, total.feasible_equal), (1, 3));
    assert_eq!((total.scores_equal, total.plugins_equal, total.rejections_equal), (0, 0, 2));
    assert_eq!(report.json()["scheduler"]["agree"], 1);
}

#[test]
fn wrong_input_says_where() {
    let refused = |change: &dyn Fn(&mut Value), words: &[&str]| {
        let mut scenario = by_hand();
        change(&mut scenario);
        let error = verified(&scenario).expect_err("refused");
        assert!(error.is_input());
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "`{word}` is missing in {text}");
        }
    };
    refused(&|s| s["kind"] = json!("sheduler"), &["unknown kind `sheduler`", "by-hand.json"]);
    refused(&|s| s["schemaVersion"] = json!(2), &["schemaVersion"]);
    refused(&|s| s["input"]["nodes"] = json!(7), &["by-hand.json", "line 1 column"]);
    refused(
        &|s| s["input"]["nodes"][0]["status"]["allocatable"]["cpu"] = json!("many"),
        &["node `n0`", "cpu `many`"],
    );
    refused(&|s| s["input"]["nodes"][1]["metadata"]["name"] = json!("n0"), &["two nodes"]);
    refused(
        &|s| {
            let affinity = &mut s["input"]["pods"][1]["spec"]["affinity"]["nodeAffinity"];
            let term = &mut affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
            term[0]["matchExpressions"][0]["operator"] = json!("Near");
        },
        &["pod `default/bold`", "unknown operator `Near`", "Gt or Lt"],
    );
    refused(
        &|s| s["expected"]["decisions"][0]["top"] = json!([9]),
        &["default/fits", "node 9, of 2"],
    );
    refused(
        &|s| s["expected"]["decisions"][0]["scores"] = json!([1]),
        &["1 numbers in `scores` for 2 nodes"],
    );
    refused(
        &|s| s["expected"]["decisions"][0]["pod"] = json!("default/nobody"),
        &["`default/nobody`", "not there"],
    );
    refused(&|s| s["input"]["existingPods"][0]["spec"]["nodeName"] = json!("n7"), &["`n7`"]);
    // What is not recorded, or not replayed, must not count as equal.
    refused(&|s| s["expected"] = Value::Null, &["0 entries for 3 pods"]);
    refused(
        &|s| s["expected"]["decisions"][0]["scores"] = Value::Null,
        &["default/fits", "no scores"],
    );
    refused(&|s| s["expected"]["scheduled"] = json!(3), &["2 decisions select a node"]);
    refused(&|s| s["settings"] = json!({"profile": "packed"}), &["`packed`", "`default`"]);
    refused(&|s| s["settings"] = json!({"percentageOfNodesToScore": 5}), &["5", "only 100"]);
}

#[test]
fn objects_are_resolved() {
    let mut scenario = by_hand();
    let pod = &mut scenario["input"]["pods"][2];
    pod["metadata"]["labels"] = json!({"app": "nobody", "version": "3"});
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "controller": true}]);
    pod["spec"]["topologySpreadConstraints"][0]["matchLabelKeys"] = json!(["version", "absent"]);
    let scenario: Recorded = serde_json::from_value(scenario).expect("a scenario");
    let mut converter = Converter::new(&scenario.input);
    assert_eq!(converter.extended, ["ephemeral-storage", "example.com/fpga"]);
    let class = |converter: &mut Converter<'_>, pod: usize| {
        let id = converter.class(&scenario.input.pods[pod], false).expect("a pod");
        converter.classes[id.index()].constraints.clone().expect("constraints")
    };
    let huge = class(&mut converter, 2);
    // The Service selects the pod, and so does its owner's selector count.
    let both = ["db", "nobody"].map(|app| Requirement::equals("app", app));
    assert_eq!(huge.default_spread.as_ref().expect("both").requirements, both);
    let selector = huge.spread[0].selector.as_ref().expect("a selector");
    let folded = [Requirement::equals("app", "web"), Requirement::equals("version", "3")];
    assert_eq!(selector.requirements, folded);
    assert!(huge.spread[0].honor_affinity && !huge.spread[0].honor_taints);
    // No namespace has team b; a term without a selector means its own.
    let bold = class(&mut converter, 1);
    assert_eq!(bold.anti_affinity[0].namespaces, Namespaces::Listed(Vec::new()));
    assert_eq!(class(&mut converter, 0).default_spread, None);
}

/// Every place in a document, by pointer.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    let below = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| places(value, &below(key), into)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, value)| places(value, &below(&i.to_string()), into)),
        _ => {}
    }
    if !at.is_empty() {
        into.push(at.to_owned());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Whatever stands in any two places: an answer or a refusal.
    #[test]
    fn odd_input_is_answered_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..10), 1..3),
    ) {
        let mut scenario = by_hand();
        for (at, with) in changes {
            let mut all = Vec::new();
            places(&scenario, "", &mut all);
            let odd = [
                Value::Null, json!(0), json!(-1), json!(2_147_483_647), json!(i64::MAX),
                json!(""), json!("n1"), json!([]), json!({}), json!(true),
            ];
            let at = &all[at.index(all.len())];
            *scenario.pointer_mut(at).expect("a place") = odd[with].clone();
        }
        if let Err(e) = verified(&scenario) {
            prop_assert!(e.is_input(), "{e}");
        }
    }
}
