//! Replays recorded decisions of kube-scheduler 1.31.13 along their recorded
//! path: feasible sets, rejections, per-plugin scores of the plain evaluator,
//! and totals and top sets of the index must all be equal.
//!
//! Only scenarios whose rules are modelled are read. Preemption is not: its
//! victims are taken from the record.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::{KubeScheduler, NodeVerdict, SchedulerProfile, View, evaluate_plain};
use crate::cluster::{
    Capacity, NodeInit, NodeTraits, Nodes, PoolId, Purchase, ShapeId, Slot, ZoneId,
};
use crate::testing::shared_dir;
use crate::units::{Bytes, MilliCpu, parse_cpu, parse_memory};
use crate::workload::{ClassId, ExtendedId, PodClass, Requests, Taint, TaintEffect, Toleration};

/// The taint that stands for `spec.unschedulable`: `NodeUnschedulable` lets
/// pods in that tolerate it.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

fn load(path: &Path) -> Value {
    let file = std::fs::File::open(path).expect("the scenario is there");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip of text");
    serde_json::from_str(&text).expect("JSON")
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn effect(value: &Value) -> Option<TaintEffect> {
    match value.as_str() {
        Some("NoSchedule") => Some(TaintEffect::NoSchedule),
        Some("PreferNoSchedule") => Some(TaintEffect::PreferNoSchedule),
        Some("NoExecute") => Some(TaintEffect::NoExecute),
        _ => None,
    }
}

/// Every resource but cpu, memory and pods, as an extended one.
fn extended_names(nodes: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = nodes
        .iter()
        .filter_map(|n| n["status"]["allocatable"].as_object())
        .flat_map(|a| a.keys().cloned())
        .filter(|k| !["cpu", "memory", "pods"].contains(&k.as_str()))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn amount(name: &str, value: &Value) -> i64 {
    let text = text(value);
    if name == "cpu" {
        parse_cpu(&text).expect("a cpu quantity").0
    } else {
        parse_memory(&text).expect("a quantity").0
    }
}

fn add_node(nodes: &mut Nodes, node: &Value, extended: &[String]) {
    let mut labels: Vec<(String, String)> = node["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), text(v)))
        .collect();
    labels.sort();
    let mut taints = Vec::new();
    if node["spec"]["unschedulable"] == true {
        taints.push(Taint {
            key: UNSCHEDULABLE.into(),
            value: String::new(),
            effect: TaintEffect::NoSchedule,
        });
    }
    taints.extend(items(&node["spec"], "taints").iter().map(|t| Taint {
        key: text(&t["key"]),
        value: text(&t["value"]),
        effect: effect(&t["effect"]).expect("a taint has an effect"),
    }));
    let traits = nodes.intern(NodeTraits { labels, taints, unschedulable: false });
    let allocatable = &node["status"]["allocatable"];
    let of = |name: &str| match &allocatable[name] {
        Value::Null => 0,
        value => amount(name, value),
    };
    let init = NodeInit {
        pool: PoolId(0),
        shape: ShapeId(0),
        zone: ZoneId(0),
        purchase: Purchase::OnDemand,
        traits,
        allocatable: Capacity {
            cpu: MilliCpu(of("cpu")),
            memory: Bytes(of("memory")),
            pods: of("pods") as u32,
            extended: extended.iter().map(|name| of(name)).collect(),
        },
        record: 0,
    };
    nodes.add(&init, true);
}

/// Effective request of one resource; `absent` is what a container counts
/// that states none. `sidecars_add` is false for what a node counts for its
/// score: 1.31 leaves restartable init containers out of that sum (they only
/// raise the peak of the init containers after them), though not out of what
/// the incoming pod is taken to request.
fn effective(spec: &Value, name: &str, absent: i64, sidecars_add: bool) -> i64 {
    let of = |container: &Value| match &container["resources"]["requests"][name] {
        Value::Null => absent,
        value => amount(name, value),
    };
    let mut app: i64 = items(spec, "containers").iter().map(of).sum();
    let (mut sidecars, mut peak) = (0, 0);
    for container in items(spec, "initContainers") {
        if container["restartPolicy"] == "Always" {
            app += if sidecars_add { of(container) } else { 0 };
            sidecars += of(container);
        } else {
            peak = peak.max(sidecars + of(container));
        }
    }
    let overhead = match &spec["overhead"][name] {
        Value::Null => 0,
        value => amount(name, value),
    };
    app.max(peak) + overhead
}

/// What the node counts once the pod is there.
fn on_node(pod: &Value, class: &PodClass) -> Requests {
    Requests {
        nonzero_cpu: MilliCpu(effective(&pod["spec"], "cpu", 100, false)),
        nonzero_memory: Bytes(effective(&pod["spec"], "memory", 200 << 20, false)),
        ..class.requests.clone()
    }
}

fn class_of(pod: &Value, extended: &[String]) -> PodClass {
    let spec = &pod["spec"];
    let requests = Requests {
        cpu: MilliCpu(effective(spec, "cpu", 0, true)),
        memory: Bytes(effective(spec, "memory", 0, true)),
        nonzero_cpu: MilliCpu(effective(spec, "cpu", 100, true)),
        nonzero_memory: Bytes(effective(spec, "memory", 200 << 20, true)),
        extended: extended
            .iter()
            .enumerate()
            .map(|(id, name)| (ExtendedId(id as u32), effective(spec, name, 0, true)))
            .filter(|(_, n)| *n > 0)
            .collect(),
    };
    let tolerations = items(spec, "tolerations")
        .iter()
        .map(|t| Toleration {
            key: t["key"].as_str().map(str::to_owned),
            value: (t["operator"] != "Exists").then(|| text(&t["value"])),
            effect: effect(&t["effect"]),
        })
        .collect();
    PodClass {
        requests,
        node_selector: Vec::new(),
        tolerations,
        priority: spec["priority"].as_i64().unwrap_or(0) as i32,
        ..PodClass::default()
    }
}

fn pod_name(pod: &Value) -> String {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default");
    format!("{namespace}/{}", text(&pod["metadata"]["name"]))
}

/// Plugins of the evaluator by upstream name.
fn plugin_scores(verdict: &NodeVerdict, plugin: &str) -> Option<i64> {
    let NodeVerdict::Feasible(scores) = verdict else { return None };
    Some(match plugin {
        "NodeResourcesFit" => scores.resources_fit,
        "NodeResourcesBalancedAllocation" => scores.balanced_allocation,
        "TaintToleration" => scores.taint_toleration,
        // No image is present on any node of these scenarios.
        "ImageLocality" => 0,
        other => panic!("a scenario with the plugin {other} is not modelled"),
    })
}

fn numbers(value: &Value) -> Vec<Option<i64>> {
    value.as_array().expect("an array").iter().map(Value::as_i64).collect()
}

fn replay(path: &Path) -> usize {
    let scenario = load(path);
    let input = &scenario["input"];
    let extended = extended_names(items(input, "nodes"));
    let mut nodes = Nodes::new(extended.len());
    let mut slot_of = BTreeMap::new();
    for node in items(input, "nodes") {
        slot_of.insert(text(&node["metadata"]["name"]), Slot(nodes.slots() as u32));
        add_node(&mut nodes, node, &extended);
    }
    let mut placed: BTreeMap<String, (Slot, Requests)> = BTreeMap::new();
    for pod in items(input, "existingPods") {
        let slot = slot_of[&text(&pod["spec"]["nodeName"])];
        let requests = on_node(pod, &class_of(pod, &extended));
        nodes.place(slot, &requests);
        placed.insert(pod_name(pod), (slot, requests));
    }
    let classes: Vec<PodClass> =
        items(input, "pods").iter().map(|pod| class_of(pod, &extended)).collect();
    let profile = SchedulerProfile::default();
    let mut scheduler = KubeScheduler::new(std::slice::from_ref(&profile), &classes);
    let ranks: Vec<u32> = (0..nodes.slots() as u32).collect();

    let decisions = items(&scenario["expected"], "decisions");
    assert_eq!(decisions.len(), classes.len());
    for (i, (decision, pod)) in decisions.iter().zip(items(input, "pods")).enumerate() {
        let class = &classes[i];
        let name = text(&decision["pod"]);
        let profiles = std::slice::from_ref(&profile);
        let view = View { nodes: &nodes, classes: &classes, profiles };
        let verdicts = evaluate_plain(&view, ClassId(i as u32)).verdicts;
        let totals: Vec<Option<i64>> = verdicts.iter().map(NodeVerdict::total).collect();
        let feasible = totals.iter().flatten().count() as u64;
        assert_eq!(Some(feasible), decision["feasibleCount"].as_u64(), "{name} feasible");

        let id = ClassId(i as u32);
        assert_eq!(scheduler.scores(&nodes, id), totals, "{name}: index and evaluator");
        if let Some(scores) = decision.get("scores").filter(|_| feasible >= 2) {
            assert_eq!(totals, numbers(scores), "{name} scores");
        }
        let top = scheduler.top_slots(&nodes, id);
        let expected: Vec<Slot> = numbers(&decision["top"])
            .into_iter()
            .map(|index| Slot(index.expect("an index") as u32))
            .collect();
        assert_eq!(top.map(|(_, slots)| slots).unwrap_or_default(), expected, "{name} top");
        for (plugin, scores) in decision["pluginScores"].as_object().into_iter().flatten() {
            let got: Vec<Option<i64>> =
                verdicts.iter().map(|verdict| plugin_scores(verdict, plugin)).collect();
            assert_eq!(got, numbers(scores), "{name} {plugin}");
        }
        for (plugin, slots) in decision["rejectedBy"].as_object().into_iter().flatten() {
            let got: Vec<Option<i64>> = verdicts
                .iter()
                .enumerate()
                .filter(|(_, verdict)| match verdict {
                    NodeVerdict::Rejected(super::Rejection::Taint(taint))
                        if taint.key == UNSCHEDULABLE =>
                    {
                        plugin == "NodeUnschedulable"
                    }
                    NodeVerdict::Rejected(rejection) => rejection.plugin() == plugin,
                    _ => false,
                })
                .map(|(slot, _)| Some(slot as i64))
                .collect();
            assert_eq!(got, numbers(slots), "{name} rejected by {plugin}");
        }

        let selected = decision["selected"].as_str();
        let victims = items(&decision["preemption"], "victims");
        if victims.is_empty() {
            let lowest = scheduler.select_lowest(&nodes, id, &ranks);
            assert_eq!(lowest, selected.map(|node| slot_of[node]), "{name} selected");
        }
        for victim in victims {
            let (slot, requests) = placed.remove(&text(victim)).expect("a victim runs");
            nodes.unplace(slot, &requests);
        }
        if let Some(node) = selected {
            let slot = slot_of[node];
            let requests = on_node(pod, class);
            nodes.place(slot, &requests);
            placed.insert(name, (slot, requests));
        }
    }
    decisions.len()
}

#[test]
fn recorded_decisions_are_equal_plugin_by_plugin() {
    let Some(shared) = shared_dir() else { return };
    let dir = shared.join("conformance/scheduler");
    let mut decisions = 0;
    for name in [
        "plain-1",
        "hetero-1",
        "maxpods-0",
        "extended-1",
        "taints-1",
        "requests-0",
        "priority-1",
        "preemption-0",
        "preemption-1",
    ] {
        decisions += replay(&dir.join(format!("{name}.json.gz")));
    }
    assert_eq!(decisions, 1_930);
}
