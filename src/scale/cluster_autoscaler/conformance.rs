//! Recorded decisions of Cluster Autoscaler 1.31.5 (see the README beside the
//! scenarios).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::recorded::constraints;
use super::*;
use crate::cluster::{
    NodeInit, NodeShape, NodeTraits, Nodes, Purchase, ShapeId, Slot, ZoneId, admits,
};
use crate::units::{Percent, parse_cpu, parse_memory};
use crate::workload::{ExtendedId, PodClass, Requests, Taint, TaintEffect, Toleration};

/// A scenario in the crate's own terms.
struct Scenario {
    id: String,
    names: Vec<String>,
    group_ids: Vec<String>,
    nodes: Nodes,
    shapes: Vec<NodeShape>,
    classes: Vec<PodClass>,
    groups: Vec<Group>,
    members: Vec<Member>,
    pending: Vec<PendingGroup>,
    pods: Vec<Vec<PodOnNode>>,
    config: Config,
    expected: Value,
}

/// Requests of the `DaemonSet` pods that a node with these traits would get.
fn daemons_for(
    traits: &NodeTraits,
    classes: &[PodClass],
    daemons: impl IntoIterator<Item = ClassId>,
) -> Vec<Requests> {
    daemons
        .into_iter()
        .filter_map(|id| classes.get(id.index()))
        .filter(|class| admits(traits, class))
        .map(|class| class.requests.clone())
        .collect()
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn effect(value: &Value) -> Option<TaintEffect> {
    match text(value, "effect") {
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        _ => None,
    }
}

pub(super) fn pairs(value: &Value) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned()))
        .collect();
    pairs.sort();
    pairs
}

fn traits(node: &Value) -> NodeTraits {
    let mut labels = pairs(&node["metadata"]["labels"]);
    labels.retain(|(k, _)| k != "kubernetes.io/hostname");
    let taints = list(&node["spec"], "taints")
        .iter()
        .map(|t| Taint {
            key: text(t, "key").to_owned(),
            value: text(t, "value").to_owned(),
            effect: effect(t).expect("a taint has an effect"),
        })
        .collect();
    NodeTraits { labels, taints, unschedulable: false }
}

fn capacity(value: &Value, extended: &mut Vec<String>) -> Result<Capacity, String> {
    let mut capacity = Capacity::default();
    for (name, amount) in value.as_object().into_iter().flatten() {
        let amount = amount.as_str().unwrap_or_default();
        match name.as_str() {
            "cpu" => capacity.cpu = parse_cpu(amount).map_err(|e| e.to_string())?,
            "memory" => capacity.memory = parse_memory(amount).map_err(|e| e.to_string())?,
            "pods" => capacity.pods = amount.parse().map_err(|_| "pods".to_owned())?,
            "ephemeral-storage" => {}
            _ => {
                let id = extended_id(name, extended);
                capacity.extended.resize(capacity.extended.len().max(id + 1), 0);
                capacity.extended[id] = amount.parse().map_err(|_| name.clone())?;
            }
        }
    }
    Ok(capacity)
}

fn extended_id(name: &str, extended: &mut Vec<String>) -> usize {
    extended.iter().position(|n| n == name).unwrap_or_else(|| {
        extended.push(name.to_owned());
        extended.len() - 1
    })
}

/// The class of a pod spec, or what about it is not supported.
fn class(pod: &Value, extended: &mut Vec<String>) -> Result<PodClass, String> {
    let spec = &pod["spec"];
    let known = [
        "affinity",
        "containers",
        "nodeName",
        "nodeSelector",
        "priority",
        "schedulerName",
        "tolerations",
        "topologySpreadConstraints",
    ];
    if let Some(key) =
        spec.as_object().into_iter().flatten().find(|e| !known.contains(&e.0.as_str()))
    {
        return Err(format!("pods use {}", key.0));
    }
    let (mut cpu, mut memory, mut others) = (None, None, Vec::new());
    for container in list(spec, "containers") {
        let requests = capacity(&container["resources"]["requests"], extended)?;
        let has = |key: &str| !container["resources"]["requests"][key].is_null();
        if has("cpu") {
            cpu = Some(MilliCpu(cpu.unwrap_or(MilliCpu(0)).0 + requests.cpu.0));
        }
        if has("memory") {
            memory = Some(Bytes(memory.unwrap_or(Bytes(0)).0 + requests.memory.0));
        }
        others
            .extend(requests.extended.iter().enumerate().map(|(i, n)| (ExtendedId(i as u32), *n)));
    }
    let tolerations = list(spec, "tolerations")
        .iter()
        .map(|t| Toleration {
            key: t["key"].as_str().map(str::to_owned),
            value: (text(t, "operator") != "Exists").then(|| text(t, "value").to_owned()),
            effect: effect(t),
        })
        .collect();
    Ok(PodClass {
        requests: Requests::new(cpu, memory, others),
        node_selector: pairs(&spec["nodeSelector"]),
        tolerations,
        priority: spec["priority"].as_i64().unwrap_or(0) as i32,
        constraints: Some(Arc::new(constraints(&pod["metadata"], spec))),
        ..PodClass::default()
    })
}

fn intern(classes: &mut Vec<PodClass>, class: PodClass) -> ClassId {
    let at = classes.iter().position(|c| *c == class).unwrap_or_else(|| {
        classes.push(class);
        classes.len() - 1
    });
    ClassId(at as u32)
}

fn expanders(options: &Value) -> Result<Vec<Expander>, String> {
    list(options, "expanders")
        .iter()
        .map(|name| match name.as_str() {
            Some("random") => Ok(Expander::Random),
            Some("most-pods") => Ok(Expander::MostPods),
            Some("least-nodes") => Ok(Expander::LeastNodes),
            Some("least-waste") => Ok(Expander::LeastWaste),
            other => Err(format!("expander {}", other.unwrap_or_default())),
        })
        .collect()
}

fn percent(value: &Value) -> Option<Percent> {
    value.as_f64().map(|f| Percent { ppm: (f * 1e6).round() as i64 })
}

fn role(pod: &Value) -> Result<PodRole, String> {
    if pod["metadata"]["annotations"].is_object() {
        return Err("pods use annotations".to_owned());
    }
    let owner = list(&pod["metadata"], "ownerReferences").first();
    match owner.map(|o| text(o, "kind")) {
        Some("DaemonSet") => Ok(PodRole::Daemon),
        Some("ReplicaSet") if text(&pod["metadata"], "namespace") != "kube-system" => {
            Ok(PodRole::Movable)
        }
        None => Ok(PodRole::Blocking),
        Some(_) => Err("pods of other controllers".to_owned()),
    }
}

/// Time of the first loop: everything in a scenario is long-standing.
const START: SimTime = SimTime(3_600_000);

fn load(path: &Path) -> Result<Scenario, (String, String)> {
    let mut raw = String::new();
    flate2::read::GzDecoder::new(File::open(path).expect("readable"))
        .read_to_string(&mut raw)
        .expect("gzip");
    let document: Value = serde_json::from_str(&raw).expect("json");
    let id = text(&document, "id").to_owned();
    convert(&document).map_err(|reason| (id, reason))
}

fn convert(document: &Value) -> Result<Scenario, String> {
    let (input, options) = (&document["input"], &document["input"]["options"]);
    if !list(input, "podDisruptionBudgets").is_empty() {
        return Err("PodDisruptionBudgets".to_owned());
    }
    if options["balanceSimilarNodeGroups"] == true {
        return Err("balancing of similar groups".to_owned());
    }
    let mut extended = Vec::new();
    let mut classes = Vec::new();
    let daemons: Vec<ClassId> = list(input, "daemonSets")
        .iter()
        .map(|d| Ok(intern(&mut classes, class(&d["spec"]["template"], &mut extended)?)))
        .collect::<Result<_, String>>()?;
    // One group a pod keeps the recorded order of the list.
    let mut pending: Vec<PendingGroup> = Vec::new();
    for pod in list(input, "pendingPods") {
        let class = intern(&mut classes, class(pod, &mut extended)?);
        pending.push(PendingGroup { class, count: 1, oldest: SimTime::ZERO });
    }
    for node in list(input, "nodes") {
        capacity(&node["status"]["allocatable"], &mut extended)?;
    }
    let mut nodes = Nodes::new(extended.len());
    let mut shapes = Vec::new();
    let (mut names, mut members) = (Vec::new(), Vec::new());
    let group_ids: Vec<String> =
        list(input, "nodeGroups").iter().map(|g| text(g, "id").to_owned()).collect();
    for (index, node) in list(input, "nodes").iter().enumerate() {
        let ready = list(&node["status"], "conditions").iter().any(|c| c["status"] == "True");
        if !ready {
            return Err("unready nodes".to_owned());
        }
        let name = text(&node["metadata"], "name").to_owned();
        let group = input["nodeGroupOfNode"][&name].as_str();
        let group = group.and_then(|g| group_ids.iter().position(|id| id == g));
        let allocatable = capacity(&node["status"]["allocatable"], &mut extended)?;
        let whole = capacity(&node["status"]["capacity"], &mut extended)?;
        shapes.push(NodeShape {
            name: name.clone(),
            nominal_memory: whole.memory,
            capacity: whole,
            allocatable: allocatable.clone(),
        });
        let init = NodeInit {
            pool: PoolId(group.unwrap_or(usize::MAX) as u32),
            shape: ShapeId(index as u32),
            zone: ZoneId(0),
            purchase: Purchase::OnDemand,
            traits: nodes.intern(traits(node)),
            allocatable,
            record: index as u32,
        };
        let slot = nodes.add(&init, true);
        nodes.set_name(slot, &name);
        members.push(Member {
            slot,
            group: group.map(|g| g as u32),
            ready_since: SimTime::ZERO,
            state: MemberState::Ready,
            soft_tainted: false,
        });
        names.push(name);
    }
    let mut pods = vec![Vec::new(); names.len()];
    for pod in list(input, "pods") {
        let at = names.iter().position(|n| n == text(&pod["spec"], "nodeName"));
        let at = at.expect("a running pod has a node");
        let class = intern(&mut classes, class(pod, &mut extended)?);
        nodes.place_pod(Slot(at as u32), class, &classes[class.index()]);
        pods[at].push(PodOnNode { class, role: role(pod)? });
    }
    let mut groups = Vec::new();
    for (index, group) in list(input, "nodeGroups").iter().enumerate() {
        let own = members.iter().filter(|m| m.group == Some(index as u32)).count() as u32;
        let target = group["targetSize"].as_u64().map_or(own, |n| n as u32).max(own);
        let status = &group["template"]["status"];
        let traits = traits(&group["template"]);
        let mut preplaced = daemons_for(&traits, &classes, daemons.iter().copied());
        preplaced.push(Requests::new(Some(MilliCpu(100)), None, Vec::new()));
        groups.push(Group {
            pool: PoolId(index as u32),
            min: group["minSize"].as_u64().unwrap_or(0) as u32,
            max: group["maxSize"].as_u64().unwrap_or(0) as u32,
            target,
            upcoming: target - own,
            utilization_threshold: percent(&group["options"]["scaleDownUtilizationThreshold"]),
            unneeded_time: group["options"]["scaleDownUnneededSeconds"]
                .as_i64()
                .map(SimDuration::from_secs),
            synthetic: NodeTemplate {
                traits: nodes.intern(traits),
                capacity: capacity(&status["capacity"], &mut extended)?,
                allocatable: capacity(&status["allocatable"], &mut extended)?,
                preplaced,
            },
        });
    }
    let number = |key: &str| options[key].as_u64().unwrap_or(0) as u32;
    let config = Config {
        expanders: expanders(options)?,
        max_nodes_per_scaleup: number("maxNodesPerScaleUp"),
        max_nodes_total: number("maxNodesTotal"),
        scale_down_utilization_threshold: percent(&options["scaleDownUtilizationThreshold"])
            .expect("a threshold"),
        scale_down_unneeded_time: SimDuration::from_secs(i64::from(number(
            "scaleDownUnneededSeconds",
        ))),
        max_scale_down_parallelism: number("maxScaleDownParallelism"),
        max_drain_parallelism: number("maxDrainParallelism"),
        ..Config::for_version(31)
    };
    Ok(Scenario {
        id: text(document, "id").to_owned(),
        names,
        group_ids,
        nodes,
        shapes,
        classes,
        groups,
        members,
        pending,
        pods,
        config,
        expected: document["expected"].clone(),
    })
}

impl Scenario {
    /// The pending pods by class, as a simulation hands them over: the order
    /// of the recorded list is lost.
    fn by_class(mut self) -> Self {
        let mut merged: Vec<PendingGroup> = Vec::new();
        for pod in &self.pending {
            match merged.iter_mut().find(|g| g.class == pod.class) {
                Some(group) => group.count += pod.count,
                None => merged.push(*pod),
            }
        }
        self.pending = merged;
        self
    }

    fn run(&self, autoscaler: &mut ClusterAutoscaler, now: SimTime) -> Decisions {
        autoscaler.run_once(&Input {
            now,
            nodes: &self.nodes,
            shapes: &self.shapes,
            classes: &self.classes,
            groups: &self.groups,
            members: &self.members,
            pending: &self.pending,
            pods_on: &|slot, out| out.extend_from_slice(&self.pods[slot.index()]),
        })
    }

    /// Elementary quantities of the recorded scale-up, by their names there.
    fn scale_up(&self) -> BTreeMap<String, String> {
        let mut autoscaler = ClusterAutoscaler::new(self.config.clone(), Ties::First);
        let decisions = self.run(&mut autoscaler, START);
        let mut got = BTreeMap::new();
        let mut put = |key: String, value: String| got.insert(key, value);
        let id = |group: u32| &self.group_ids[group as usize];
        for option in &decisions.options {
            put(format!("nodeCount:{}", id(option.group)), option.nodes.to_string());
            put(format!("podCount:{}", id(option.group)), option.pods.to_string());
        }
        put("pendingNeedingScaleUp".to_owned(), decisions.needing_scale_up.to_string());
        if let Some(up) = decisions.scale_up {
            put("chosenGroup".to_owned(), id(up.group).clone());
            put(format!("newSize:{}", id(up.group)), up.to.to_string());
        }
        let result = match (decisions.scale_up, decisions.needing_scale_up) {
            (Some(_), _) => "Successful",
            (None, 0) => "NotNeeded",
            (None, _) => "NoOptionsAvailable",
        };
        put("result".to_owned(), result.to_owned());
        got
    }

    /// As `scale_up`, and the nodes due for deletion.
    fn scale_down(&self) -> (BTreeMap<String, String>, Vec<String>) {
        let mut autoscaler = ClusterAutoscaler::new(self.config.clone(), Ties::First);
        let unneeded = self.config.scale_down_unneeded_time.0 / 1_000;
        let recorded = &self.expected["outcomes"][0]["decision"]["loops"];
        let mut got = BTreeMap::new();
        let mut last = Decisions::default();
        for (index, seconds) in [0, 10, unneeded + 11].into_iter().enumerate() {
            last = self.run(&mut autoscaler, START + SimDuration::from_secs(seconds));
            let name = |slot: Slot| &self.names[slot.index()];
            for node in &self.names {
                got.insert(format!("t={seconds}:{node}"), "notEvaluated".to_owned());
            }
            for verdict in autoscaler.verdicts() {
                let reason = match verdict.reason {
                    Reason::Unneeded => "unneeded".to_owned(),
                    Reason::NotEvaluated => "notEvaluated".to_owned(),
                    // Only pods without an owner block in these scenarios.
                    Reason::BlockedByPod => "BlockedByPod:NotReplicated".to_owned(),
                    other => format!("{other:?}"),
                };
                got.insert(format!("t={seconds}:{}", name(verdict.slot)), reason);
                if let Some(ratio) = recorded[index]["utilization"][name(verdict.slot)].as_f64() {
                    let ours = verdict.utilisation.ratio();
                    assert!((ours - ratio).abs() < 1e-9, "{}: {ours} for {ratio}", self.id);
                }
            }
        }
        let mut count = |key: &str, n: usize| got.insert(key.to_owned(), n.to_string());
        count("emptyToDeleteCount", last.due_empty as usize);
        count("drainToDeleteCount", last.due_drain as usize);
        count("emptyAfterLimitCount", last.delete_empty.len());
        count("drainAfterLimitCount", last.drain.len());
        let chosen = last.delete_empty.iter().chain(&last.drain);
        (got, chosen.map(|s| self.names[s.index()].clone()).collect())
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Score {
    unanimous: u32,
    unanimous_agree: u32,
    varied: u32,
    varied_agree: u32,
}

/// Compares with the histogram of observed values.
fn score(id: &str, expected: &Value, got: &BTreeMap<String, String>, total: &mut Score) {
    let runs = expected["runs"].as_u64().unwrap_or(0);
    for (key, histogram) in expected["observed"].as_object().into_iter().flatten() {
        if key == "deleted" {
            continue;
        }
        let seen: u64 =
            histogram.as_object().into_iter().flatten().filter_map(|e| e.1.as_u64()).sum();
        let agrees = match got.get(key) {
            Some(value) => histogram.get(value).is_some(),
            None => seen < runs,
        };
        if histogram.as_object().is_some_and(|h| h.len() == 1) && seen == runs {
            total.unanimous += 1;
            total.unanimous_agree += u32::from(agrees);
        } else {
            total.varied += 1;
            total.varied_agree += u32::from(agrees);
        }
        if !agrees {
            eprintln!("{id}: {key} is {:?}, observed {histogram}", got.get(key));
        }
    }
    for key in got.keys().filter(|k| expected["observed"].get(k.as_str()).is_none()) {
        // Counts of groups never proposed there would be disagreements.
        if !key.starts_with("t=") {
            total.unanimous += 1;
            eprintln!("{id}: {key} is {:?}, never observed", got.get(key));
        }
    }
}

/// The scenarios that can be run, and the names of the others.
fn scenarios(kind: &str) -> Option<(Vec<Scenario>, Vec<String>)> {
    let dir = crate::testing::shared_dir()?.join("conformance").join(kind);
    let mut files: Vec<_> =
        std::fs::read_dir(dir).expect("scenarios").map(|e| e.expect("entry").path()).collect();
    files.sort();
    let (mut loaded, mut skipped) = (Vec::new(), Vec::new());
    for file in files {
        match load(&file) {
            Ok(scenario) => loaded.push(scenario),
            Err((id, reason)) => {
                eprintln!("{id}: skipped, {reason}");
                skipped.push(id);
            }
        }
    }
    Some((loaded, skipped))
}

#[test]
fn scale_up_agrees_with_the_recorded_decisions() {
    let Some((scenarios, skipped)) = scenarios("ca-scale-up") else { return };
    let mut total = Score::default();
    for scenario in &scenarios {
        score(&scenario.id, &scenario.expected, &scenario.scale_up(), &mut total);
    }
    eprintln!("{} scenarios: {total:?}", scenarios.len());
    let ids: Vec<&str> = skipped.iter().map(String::as_str).collect();
    // Balancing of similar groups, and the priority expander.
    let others = ["up-balance-2", "up-spread-2", "up-priority-1", "up-priority-3"];
    assert!(ids.iter().all(|id| others.contains(id)), "{ids:?}");
    assert_eq!(total.unanimous_agree, total.unanimous);
    assert_eq!(total.varied_agree, total.varied);
    let mut merged = Score::default();
    for scenario in scenarios.into_iter().map(Scenario::by_class) {
        score(&scenario.id, &scenario.expected, &scenario.scale_up(), &mut merged);
    }
    eprintln!("by class: {merged:?}");
    // In up-limits-3 the recorded order decides how many pods fit before.
    assert!(merged.unanimous_agree + 1 >= merged.unanimous);
    assert!(merged.varied_agree + 3 >= merged.varied);
}

#[test]
fn scale_down_agrees_with_the_recorded_decisions() {
    let Some((scenarios, skipped)) = scenarios("ca-scale-down") else { return };
    let mut total = Score::default();
    for scenario in &scenarios {
        let (got, chosen) = scenario.scale_down();
        score(&scenario.id, &scenario.expected, &got, &mut total);
        let deletable = &scenario.expected["observed"]["deleted"];
        for node in &chosen {
            assert!(deletable.get(node).is_some(), "{}: {node} was never deleted", scenario.id);
        }
    }
    eprintln!("{} scenarios: {total:?}", scenarios.len());
    let ids: Vec<&str> = skipped.iter().map(String::as_str).collect();
    let others = ["down-pdb-1", "down-blocked-2", "down-large-2", "down-unready-0"];
    assert!(ids.iter().all(|id| others.contains(id)), "{ids:?}");
    assert_eq!(total.unanimous_agree, total.unanimous);
    assert_eq!(total.varied_agree, total.varied);
}
