//! Objects as users have them: whole, repeated, foreign, damaged.

use proptest::prelude::*;

use super::*;
use crate::import::cluster::OwnerKind;
use crate::import::today::{self, Market, SoldType};
use crate::testing::shared_dir;
use crate::units::{Bytes, MilliCpu, Rate};

fn errors(text: &str) -> String {
    parse(text.as_bytes(), "f.json").expect_err("refused").to_string()
}

fn cluster(text: &str) -> Cluster {
    parse(text.as_bytes(), "f.json").expect("read")
}

const NODE: &str = r#"{"kind":"Node","apiVersion":"v1","metadata":{"name":"n1","uid":"u1","labels":{
    "node.kubernetes.io/instance-type":"m5.large","topology.kubernetes.io/zone":"us-east-1a",
    "topology.kubernetes.io/region":"us-east-1","team":"payments",
    "eks.amazonaws.com/nodegroup":"general"}},
    "spec":{"taints":[{"key":"dedicated","value":"payments","effect":"NoSchedule"},
        {"key":"node.kubernetes.io/not-ready","effect":"NoExecute"}]},
    "status":{"capacity":{"cpu":"2","memory":"7998464Ki","pods":"29"},
    "allocatable":{"cpu":"1930m","memory":"7288832Ki","pods":"29"},
    "conditions":[{"type":"Ready","status":"False"}],
    "nodeInfo":{"kubeletVersion":"v1.33.5-eks-3abbec1","operatingSystem":"linux"}}}"#;

const POD: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"namespace":"shop",
    "name":"web-5d9c-x","uid":"p1","labels":{"pod-template-hash":"5d9c"},
    "ownerReferences":[{"kind":"ReplicaSet","name":"web-5d9c","controller":true}]},
    "spec":{"nodeName":"n1","priority":7,"nodeSelector":{"team":"payments"},
    "tolerations":[{"key":"dedicated","value":"payments","effect":"NoSchedule"},
        {"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute"}],
    "containers":[{"name":"c","resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]},
    "status":{"phase":"Running","startTime":"2025-11-04T19:07:49Z"}}"#;

#[test]
fn lists_objects_streams_and_yaml_say_the_same() {
    let list = format!(r#"{{"kind":"List","apiVersion":"v1","items":[{POD},{NODE}]}}"#);
    let expected = cluster(&list);
    assert_eq!((expected.nodes.len(), expected.pods.len()), (1, 1));
    for text in [
        format!("{NODE}\n{POD}"),
        format!("[{NODE},{POD}]"),
        format!("---\n{POD}\n---\n{NODE}\n"),
        format!("items:\n- {NODE}\n- {POD}\nkind: List\napiVersion: v1\n"),
        // Items of a typed list name neither kind nor version.
        format!(
            r#"{{"kind":"NodeList","apiVersion":"v1","items":[{}]}}{{"items":[{}],"kind":"PodList"}}"#,
            NODE.replacen(r#""kind":"Node","apiVersion":"v1","#, "", 1),
            POD.replacen(r#""kind":"Pod","apiVersion":"v1","#, "", 1)
        ),
        format!("\u{feff}{list}"),
    ] {
        assert_eq!(cluster(&text), expected, "{text}");
    }
}

#[test]
fn what_is_read_of_nodes_and_pods() {
    let it = cluster(&format!("{NODE}{POD}"));
    let node = &it.nodes["n1"];
    assert_eq!(node.instance_type.as_deref(), Some("m5.large"));
    assert_eq!(
        (node.zone.as_deref(), node.region.as_deref()),
        (Some("us-east-1a"), Some("us-east-1"))
    );
    assert_eq!((node.group.as_deref(), node.capacity_type), (Some("general"), None));
    assert_eq!(node.allocatable.memory, Some(Bytes(7_288_832 << 10)));
    // A condition is no taint of the owner's.
    assert_eq!(node.taints.iter().map(|t| t.key.as_str()).collect::<Vec<_>>(), ["dedicated"]);
    assert_eq!(it.findings.count("not-ready"), 1);
    let pod = &it.pods[&("shop".to_owned(), "web-5d9c-x".to_owned())];
    assert_eq!((&pod.owner.kind, pod.owner.name.as_str()), (&OwnerKind::Deployment, "web"));
    assert_eq!(
        (pod.requests.cpu, pod.requests.memory),
        (Some(MilliCpu(100)), Some(Bytes(64 << 20)))
    );
    assert_eq!((pod.rules.priority, pod.rules.tolerations.len()), (7, 1));
}

#[test]
fn owners_are_resolved_by_objects_before_names() {
    let of = |kind: &str, owner: &str, more: &str| {
        let pod = POD.replace(
            r#""kind":"ReplicaSet","name":"web-5d9c""#,
            &format!(r#""kind":"{kind}","name":"{owner}""#),
        );
        let it = cluster(&format!("{NODE}{pod}{more}"));
        let pod = it.pods.values().next().expect("a pod");
        format!("{} {}", pod.owner.kind.as_str(), pod.owner.name)
    };
    let set = r#"{"kind":"ReplicaSet","apiVersion":"apps/v1","metadata":{"namespace":"shop",
        "name":"web-5d9c","ownerReferences":[{"kind":"Rollout","name":"canary","controller":true}]}}"#;
    let job = r#"{"kind":"Job","apiVersion":"batch/v1","metadata":{"namespace":"shop",
        "name":"odd","ownerReferences":[{"kind":"CronJob","name":"nightly","controller":true}]}}"#;
    assert_eq!(of("ReplicaSet", "web-5d9c", ""), "Deployment web");
    assert_eq!(of("ReplicaSet", "web-5d9c", set), "Rollout canary");
    assert_eq!(of("ReplicaSet", "web-other", ""), "ReplicaSet web-other");
    assert_eq!(of("Job", "report-29371389", ""), "CronJob report");
    assert_eq!(of("Job", "odd", ""), "Job odd");
    assert_eq!(of("Job", "odd", job), "CronJob nightly");
    assert_eq!(of("StatefulSet", "db", ""), "StatefulSet db");
    assert_eq!(of("Node", "n1", ""), "static pod web-5d9c-x");
}

#[test]
fn jobs_without_pods_are_counted() {
    let job = |name: &str, above: &str| {
        format!(
            r#"{{"kind":"Job","apiVersion":"batch/v1","metadata":{{"namespace":"shop","name":"{name}"{above}}}}}"#
        )
    };
    let above = r#","ownerReferences":[{"kind":"CronJob","name":"nightly","controller":true}]"#;
    let cron = r#"{"kind":"CronJob","apiVersion":"batch/v1","metadata":{"namespace":"shop","name":"nightly"}}"#;
    let idle = format!("{NODE}{}{}{cron}", job("once", ""), job("nightly-1", above));
    assert_eq!(cluster(&idle).findings.count("idle-job"), 3);
    // A pod of the CronJob's Job keeps both.
    let pod = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"namespace":"shop","name":"nightly-1-x",
        "ownerReferences":[{"kind":"Job","name":"nightly-1","controller":true}]},
        "spec":{"containers":[{"name":"c"}]}}"#;
    assert_eq!(cluster(&format!("{idle}{pod}")).findings.count("idle-job"), 1);
}

#[test]
fn repetitions_are_counted_and_doubles_refused() {
    let it = cluster(&format!("{NODE}{NODE}{POD}{POD}"));
    assert_eq!((it.nodes.len(), it.pods.len(), it.findings.count("repeated")), (1, 1, 2));
    let second = POD.replace(r#""uid":"p1""#, r#""uid":"p2""#);
    let text = errors(&format!("{NODE}{POD}{second}"));
    assert!(text.contains("two different objects Pod `shop/web-5d9c-x`"), "{text}");
    assert!(text.contains("f.json: document 3"), "{text}");
}

#[test]
fn versions_and_kinds_that_are_not_read_are_named() {
    let old = POD.replace(r#""apiVersion":"v1""#, r#""apiVersion":"v1beta3""#);
    let text = errors(&format!("{NODE}{old}"));
    assert!(text.contains("Pod `shop/web-5d9c-x` is of version `v1beta3`; only v1"), "{text}");
    let it = cluster(&format!(
        r#"{NODE}{POD}{{"kind":"Deployment","apiVersion":"extensions/v1beta1","metadata":{{}}}}
        {{"kind":"Secret","apiVersion":"v1"}}{{"kind":"Widget","apiVersion":"acme.com/v7"}}"#
    ));
    assert_eq!((it.findings.count("api-version"), it.findings.count("other-kind")), (1, 2));
}

#[test]
fn mistakes_name_file_object_and_field() {
    for (from, to, message) in [
        (r#""cpu":"100m""#, r#""cpu":"100q""#, "Pod `shop/web-5d9c-x`: `100q` of cpu"),
        (r#""cpu":"1930m""#, r#""cpu":[1]"#, "Node `n1` cannot be read: expected a quantity"),
        (r#""name":"n1""#, r#""name":"""#, "a Node without `metadata.name`"),
        (r#""name":"web-5d9c-x""#, r#""name":null"#, "a Pod without `metadata.name`"),
        (r#""name":"n1""#, r#""name":"a\nb""#, "is no name of a Kubernetes object"),
        (r#""priority":7"#, r#""priority":"high""#, "cannot be read: invalid type"),
        (r#""kind":"Pod""#, r#""kind":7"#, "no Kubernetes object: it has no `kind`"),
    ] {
        let text = errors(&format!("{NODE}{POD}").replacen(from, to, 1));
        assert!(text.contains(message) && text.starts_with("f.json"), "{message}\n{text}");
    }
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(*b"{\0}\0").collect();
    let text = parse(&utf16, "f.json").expect_err("refused").to_string();
    assert!(text.contains("PowerShell"), "{text}");
    assert!(errors("hello").contains("not YAML of Kubernetes objects"));
    assert!(errors("a: [1").contains("f.json:1:"), "{}", errors("a: [1"));
    assert!(errors(r#"{"kind": "Node",}"#).contains("f.json:1:17: not JSON"));
    let deep = "[".repeat(100_000);
    assert!(errors(&deep).contains("not JSON"));
    let flow = format!("a: {}", "[".repeat(100_000));
    assert!(errors(&flow).contains("not YAML"));
}

/// A pod with this in front of its spec.
fn pod_with(spec: &str) -> String {
    POD.replacen(r#""spec":{"#, &format!(r#""spec":{{{spec}"#), 1)
}

#[test]
fn what_is_not_modelled_is_counted_once_a_pod() {
    let spec = r#""volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}},
            {"name":"w","emptyDir":{}}],
        "schedulingGates":[{"name":"g"}],"schedulerName":"volcano","priorityClassName":"gone",
        "affinity":{"podAffinity":{"laterField":[1]}},"#;
    let pod = pod_with(spec).replace(r#""priority":7,"#, "");
    let it = cluster(&format!("{NODE}{pod}"));
    for code in
        ["volumes", "scheduling-gates", "other-scheduler", "priority-class", "constraint-field"]
    {
        assert_eq!(it.findings.count(code), 1, "{code}");
    }
}

/// Constraints of a pod, and objects that they refer to.
const CONSTRAINTS: &str = r#""priorityClassName":"high","affinity":{"nodeAffinity":{
        "requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
            {"matchExpressions":[{"key":"disk","operator":"In","values":["ssd","nvme"]}]}]},
        "preferredDuringSchedulingIgnoredDuringExecution":null},
    "podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
        {"labelSelector":{"matchLabels":{"app":"web"}},"namespaceSelector":{"matchLabels":
        {"env":"prod"}},"topologyKey":"kubernetes.io/hostname"}]}},
    "topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone",
        "whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchExpressions":[
        {"key":"tier","operator":"Exists"}]}}],"#;
const OBJECTS: &str = r#"{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shop","labels":
    {"env":"prod","kubernetes.io/metadata.name":"shop","owner":"x"}}}
    {"kind":"Service","apiVersion":"v1","metadata":{"namespace":"shop","name":"web"},
     "spec":{"selector":{"app":"web"}}}
    {"kind":"Service","apiVersion":"v1","metadata":{"namespace":"shop","name":"nobody"},
     "spec":{"selector":{"app":"other"}}}
    {"kind":"PodDisruptionBudget","apiVersion":"policy/v1","metadata":{"namespace":"shop",
     "name":"web"},"spec":{"maxUnavailable":"25%","selector":{"matchLabels":{"app":"web"}}}}
    {"kind":"PriorityClass","apiVersion":"scheduling.k8s.io/v1","metadata":{"name":"high"},
     "value":1000,"preemptionPolicy":"Never"}"#;

/// A pod with constraints and labels.
fn constrained() -> String {
    pod_with(CONSTRAINTS)
        .replace(
            r#""pod-template-hash":"5d9c""#,
            r#""pod-template-hash":"5d9c","app":"web","tier":"x","note":"y""#,
        )
        .replace(r#"{"name":"c","#, r#"{"name":"c","ports":[{"hostPort":80,"protocol":"UDP"}],"#)
        .replace(r#""priority":7,"#, "")
}

#[test]
fn constraints_are_kept_in_their_own_words() {
    let written = write(cluster(&format!("{NODE}{}{OBJECTS}", constrained()))).expect("written");
    for part in [
        "    priority: 1000\n",
        // Labels that no selector refers to say nothing.
        "    labels: { app: web, tier: x }\n    preemptionPolicy: Never\n    hostPorts:\n      - { \
         hostPort: 80, protocol: UDP }\n    affinity:\n",
        "          nodeSelectorTerms:\n            - { matchExpressions: [{ key: disk, \
         operator: In, values: [ssd, nvme] }] }\n",
        "            namespaceSelector: { matchLabels: { env: prod } }\n",
        "        labelSelector: { matchExpressions: [{ key: tier, operator: Exists }] }\n",
        "kubernetes:\n  namespaces:\n    shop: { labels: { env: prod } }\n  services:\n    web: { \
         namespace: shop, selector: { app: web } }\n  podDisruptionBudgets:\n    web: { namespace: \
         shop, selector: { matchLabels: { app: web } }, maxUnavailable: 25% }\n",
    ] {
        assert!(written.yaml.contains(part), "{part}\n{}", written.yaml);
    }
    assert!(!written.yaml.contains("nobody"), "{}", written.yaml);
    let rows: Vec<&str> = written.coverage.rows.iter().map(|r| r.code).collect();
    assert!(!rows.contains(&"constraint"), "{rows:?}");
}

#[test]
fn names_in_constraints_are_replaced_alike() {
    let it = cluster(&format!("{NODE}{}{OBJECTS}", constrained()));
    let yaml = write(crate::import::redact::redact(it)).expect("written").yaml;
    for name in ["app", "web", "tier", "disk", "ssd", "prod", "shop"] {
        let word = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| w == name);
        let told = yaml.lines().filter(|l| !l.trim_start().starts_with('#')).any(word);
        assert!(!told, "{name}\n{yaml}");
    }
    let label = yaml.lines().find_map(|l| l.trim().strip_prefix("labels: { ")).expect("labels");
    let (key, _) = label.split_once(':').expect("a key");
    assert!(yaml.contains(&format!("selector: {{ {key}: ")), "{yaml}");
}

#[test]
fn what_the_api_server_would_refuse_is_left_out_and_counted() {
    let pod = pod_with(
        r#""topologySpreadConstraints":[{"maxSkew":0}],"affinity":{"podAffinity":
        {"requiredDuringSchedulingIgnoredDuringExecution":[{}]}},"#,
    );
    let written = write(cluster(&format!("{NODE}{pod}"))).expect("written");
    let row = written.coverage.rows.iter().find(|r| r.code == "constraint");
    assert_eq!(row.map(|r| r.count), Some(2));
}

#[test]
fn manifests_run_on_nodes_that_are_stated() {
    let template = r#""template":{"metadata":{"labels":{"app":"web"}},"spec":{
        "priorityClassName":"system-cluster-critical","containers":[{"name":"c"}]}}"#;
    let manifest = format!(
        r#"{{"kind":"Deployment","apiVersion":"apps/v1","metadata":{{"name":"web"}},"spec":
        {{"replicas":2,{template}}}}}{{"kind":"DaemonSet","apiVersion":"apps/v1","metadata":
        {{"name":"agent"}},"spec":{{{template}}}}}"#
    );
    let options = today::Options {
        name: "t".to_owned(),
        region: Some("us-east-1".to_owned()),
        nodes: [("m5.large".to_owned(), 3)].into(),
        ..today::Options::default()
    };
    let written = today::write(cluster(&manifest), &options, &Shop).expect("written");
    for part in [
        "# Manifests of 2 workloads, on nodes that were stated.\n",
        "  web:   # Deployment default/web\n    namespace: default\n    priority: 2000000000\n    \
         service:\n      requests: {}\n      replicas: 2   # 2 pending\n",
        "    daemonset:\n",
        "  m5-large:\n    fixed: { type: m5.large, count: 3 }\n",
    ] {
        assert!(written.yaml.contains(part), "{part}\n{}", written.yaml);
    }
    let row = written.coverage.rows.iter().find(|r| r.code == "no-requests");
    assert_eq!(row.map(|r| r.count), Some(2));
    let refused = |options: &today::Options, text: &str| {
        today::write(cluster(text), options, &Shop).expect_err("refused").to_string()
    };
    let none = today::Options { nodes: BTreeMap::new(), ..options.clone() };
    assert!(refused(&none, &manifest).contains("as in `--nodes m5.large=3`"));
    let odd = today::Options { nodes: [("odd".to_owned(), 1)].into(), ..options.clone() };
    assert!(refused(&odd, &manifest).contains("`odd` is no type that is sold in us-east-1"));
    assert!(refused(&options, &format!("{NODE}{POD}")).contains("the files hold 1 nodes already"));
}

#[test]
fn an_affinity_of_a_daemonset_for_single_values_is_a_node_selector() {
    let term = r#"{"matchExpressions":[{"key":"disk","operator":"In","values":["ssd"]}]}"#;
    let affinity = |terms: &str| {
        let spec = format!(
            r#""affinity":{{"nodeAffinity":{{
            "requiredDuringSchedulingIgnoredDuringExecution":{{"nodeSelectorTerms":[{terms}]}}}}}},"#
        );
        let pod = pod_with(&spec).replace(r#""kind":"ReplicaSet""#, r#""kind":"DaemonSet""#);
        let it = cluster(&format!("{NODE}{pod}"));
        let pod = it.pods.values().next().expect("a pod").clone();
        (pod.rules.node_selector.get("disk").cloned(), it.findings.count("node-affinity"))
    };
    assert_eq!(affinity(term), (Some("ssd".to_owned()), 0));
    assert_eq!(affinity(&format!("{term},{term}")), (None, 1));
}

#[test]
fn a_taint_without_a_key_is_left_out_and_counted() {
    let both = format!("{NODE}{POD}");
    let it = cluster(&both.replace(r#""key":"dedicated""#, r#""key":"""#));
    let node = it.nodes.values().next().expect("a node");
    assert!(node.taints.is_empty(), "{:?}", node.taints);
    assert_eq!(it.findings.count("taint-key"), 1);
    write(it).expect("written");
}

/// What can be bought in these tests.
struct Shop;

impl Market for Shop {
    fn has_region(&self, region: &str) -> bool {
        region == "us-east-1"
    }
    fn instance_type(&self, _: &str, name: &str) -> Option<SoldType> {
        (name == "m5.large").then_some(SoldType {
            cpu: MilliCpu(2_000),
            memory: Bytes(7_811 << 20),
            spot: true,
        })
    }
    fn has_kubernetes(&self, version: &str) -> bool {
        version == "1.33"
    }
}

/// Whatever is imported is written as a scenario that reads; labels alone, which
/// objects of no cluster may have otherwise, can keep it from that.
fn write(cluster: Cluster) -> Option<today::Written> {
    let options = today::Options {
        name: "t".to_owned(),
        region: Some("us-east-1".to_owned()),
        span: None,
        nodes: BTreeMap::new(),
        prices: [(today::UNLABELLED.to_owned(), Rate::ZERO), ("odd".to_owned(), Rate::ZERO)].into(),
    };
    match today::write(cluster, &options, &Shop) {
        Ok(written) => Some(written),
        Err(e) => {
            let said = e.to_string();
            let of_labels = said.contains("of a label: ");
            assert!(of_labels || !said.contains("as the scenario made of them shows"), "{said}");
            None
        }
    }
}

#[test]
fn labels_that_no_cluster_has_are_refused() {
    let label = r#""nodeSelector":{"team":"payments"}"#;
    assert!(POD.contains(label));
    let odd = POD.replace(label, r#""nodeSelector":{"team":"a b"}"#);
    let cluster = cluster(&format!("{NODE}{odd}"));
    let options = today::Options { region: Some("us-east-1".to_owned()), ..Default::default() };
    let said = today::write(cluster, &options, &Shop).expect_err("refused").to_string();
    assert!(said.contains("`a b` is no value of a label") && said.contains("team"), "{said}");
}

#[test]
fn a_scenario_says_what_the_node_and_the_pod_say() {
    let written = write(cluster(&format!("{NODE}{POD}"))).expect("written");
    for part in [
        "  web:   # Deployment shop/web\n    namespace: shop\n    priority: 7\n    \
         nodeSelector: { team: payments }\n",
        "- { key: dedicated, operator: Equal, value: payments, effect: NoSchedule }\n",
        "      requests: { cpu: 100m, memory: 64Mi }\n      replicas: 1\n      bound-to: { n1: 1 }\n",
        "  general-m5-large:\n    fixed:\n      type: m5.large\n      nodes:\n        n1: us-east-1a\n",
        "    labels: { team: payments }\n",
        "      - { key: dedicated, value: payments, effect: NoSchedule }\n    max-pods: 29\n",
        // 7,811 MiB less 7,288,832 KiB = 7,118 MiB.
        "    reserved: { cpu: 70m, memory: 693Mi }\n",
    ] {
        assert!(written.yaml.contains(part), "{part}\n{}", written.yaml);
    }
}

#[test]
fn replicas_that_are_wanted_and_missing_are_pending() {
    let deployment = r#"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"namespace":"shop",
        "name":"web"},"spec":{"replicas":3}}{"kind":"StatefulSet","apiVersion":"apps/v1",
        "metadata":{"name":"db"},"spec":{"template":{"spec":{"containers":[{"name":"c"}]}}}}
        {"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"off"},"spec":{"replicas":0}}"#;
    let written = write(cluster(&format!("{NODE}{POD}{deployment}"))).expect("written");
    assert!(written.yaml.contains("replicas: 3   # 2 pending\n"), "{}", written.yaml);
    assert!(written.yaml.contains("  db:   # StatefulSet default/db\n"), "{}", written.yaml);
    assert!(!written.yaml.contains("off:"), "{}", written.yaml);
    let row = written.coverage.rows.iter().find(|r| r.code == "less-than-wanted");
    assert_eq!(row.map(|r| r.count), Some(3));
}

#[test]
fn a_daemonset_in_part_stays_where_it_is() {
    let daemon = POD.replace(
        r#""kind":"ReplicaSet","name":"web-5d9c""#,
        r#""kind":"DaemonSet","name":"agent""#,
    );
    let whole = write(cluster(&format!("{NODE}{daemon}"))).expect("written").yaml;
    assert!(whole.contains("    daemonset:\n"), "{whole}");
    let other = NODE.replace("\"n1\"", "\"n2\"").replace("\"u1\"", "\"u2\"");
    let written = write(cluster(&format!("{NODE}{other}{daemon}"))).expect("written");
    assert!(written.yaml.contains("bound-to: { n1: 1 }"), "{}", written.yaml);
    assert!(written.coverage.rows.iter().any(|r| r.code == "daemonset-in-part"));
}

#[test]
fn names_are_unique_and_nodes_of_one_kind_share_a_pool() {
    let mut text = String::new();
    for i in 0..3 {
        // A few KiB between kernels do not matter.
        text += &NODE
            .replace("\"n1\"", &format!("\"n{i}\""))
            .replace("\"u1\"", &format!("\"un{i}\""))
            .replace("7288832Ki", &format!("{}Ki", 7_288_832 + 4 * i));
    }
    for (namespace, uid) in [("a.b", "1"), ("a-b", "2"), ("shop", "3")] {
        text += &POD
            .replace("\"shop\"", &format!("\"{namespace}\""))
            .replace("\"p1\"", &format!("\"{uid}\""));
    }
    let yaml = write(cluster(&text)).expect("written").yaml;
    for name in ["\n  web:", "\n  a-b-web:", "\n  shop-web:"] {
        assert!(yaml.contains(name), "{name}\n{yaml}");
    }
    assert_eq!(yaml.matches("    fixed:\n").count(), 1, "{yaml}");
}

#[test]
fn spot_and_stated_prices_make_their_own_pools() {
    let spot = NODE
        .replace("\"n1\"", "\"n2\"")
        .replace("\"u1\"", "\"u2\"")
        .replace(r#""team":"#, r#""karpenter.sh/capacity-type":"spot","team":"#);
    let odd =
        NODE.replace("\"n1\"", "\"n3\"").replace("\"u1\"", "\"u3\"").replace("m5.large", "odd");
    let written = write(cluster(&format!("{NODE}{spot}{odd}{POD}"))).expect("written");
    for part in [
        "  general-m5-large-spot:\n    fixed:\n      type: m5.large\n      purchase: spot\n",
        "  general-odd:\n    fixed:\n      shape:   # odd, at the price stated\n        vcpu: 2\n",
        "        usd-per-hour: 0\n",
    ] {
        assert!(written.yaml.contains(part), "{part}\n{}", written.yaml);
    }
    let row = written.coverage.rows.iter().find(|r| r.code == "capacity-type");
    assert_eq!(row.map(|r| r.count), Some(1));
}

#[test]
fn real_objects_are_read_as_counted_by_hand() {
    let Some(shared) = shared_dir() else { return };
    let dir = shared.join("data/snapshots/kubernetes");
    let it = load(&[dir.join("pods_1_33.yaml"), dir.join("nodes_1_33.yaml")]).expect("read");
    assert_eq!((it.nodes.len(), it.pods.len(), it.findings.count("finished")), (1, 19, 5));
    let dns = it.pods.iter().find(|((_, name), _)| name.starts_with("coredns")).expect("coredns");
    assert_eq!(dns.1.owner.kind, OwnerKind::Deployment);
    assert_eq!(dns.1.requests.memory, Some(Bytes(70 << 20)));
    assert_eq!(dns.1.rules.priority, 2_000_000_000);
}

/// Values that a damaged or hostile file may hold anywhere.
fn odd() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    prop_oneof![
        Just(json!(null)),
        Just(json!("")),
        Just(json!("\n: {}\u{2028}#'\"")),
        Just(json!("x".repeat(400))),
        Just(json!("99999999999999Gi")),
        Just(json!("-1")),
        Just(json!("1e308")),
        Just(json!(-1)),
        Just(json!(1e300)),
        Just(json!(0)),
        Just(json!(4_294_967_295u32)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[{}]])),
        Just(json!({ "a": { "\n": 1 } })),
        Just(json!(true)),
        Just(json!("odd")),
        Just(json!("n1")),
        "[a-zA-Z0-9./_-]{0,12}".prop_map(|s| json!(s)),
        any::<String>().prop_map(|s| json!(s)),
    ]
}

/// Puts a value somewhere into a tree, or takes something out.
fn disturb(value: &mut serde_json::Value, path: &[usize], with: &serde_json::Value) {
    use serde_json::Value;
    let Some((first, rest)) = path.split_first() else {
        *value = with.clone();
        return;
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            let at = first % items.len();
            disturb(&mut items[at], rest, with);
        }
        Value::Object(map) if !map.is_empty() => {
            let at = first % map.len();
            if first % 7 == 6 {
                let key = map.keys().nth(at).cloned().unwrap_or_default();
                let old = map.remove(&key).unwrap_or_default();
                let name = with.as_str().unwrap_or(&key).to_owned();
                map.insert(name, old);
            } else if let Some(inner) = map.values_mut().nth(at) {
                disturb(inner, rest, with);
            }
        }
        _ => *value = with.clone(),
    }
}

fn whole() -> String {
    let deployment = r#"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"namespace":"shop",
        "name":"web"},"spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"c"}]}}}}"#;
    let fargate = NODE
        .replace("\"n1\"", "\"f1\"")
        .replace("\"u1\"", "\"u9\"")
        .replace(r#""team":"#, r#""eks.amazonaws.com/compute-type":"fargate","team":"#);
    let odd =
        NODE.replace("\"n1\"", "\"n3\"").replace("\"u1\"", "\"u3\"").replace("m5.large", "odd");
    let on_fargate =
        POD.replace("web-5d9c-x", "job").replace("\"n1\"", "\"f1\"").replace("p1", "p9");
    format!(
        r#"{{"kind":"List","apiVersion":"v1","items":[{NODE},{odd},{fargate},{},{on_fargate},{deployment},{}]}}"#,
        constrained(),
        OBJECTS
            .replace("}}\n    {", "}},{")
            .replace("}}}}\n    {", "}}}},{")
            .replace("\n    {\"kind", ",{\"kind"),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// No damage of structure panics, and what is taken is written validly.
    #[test]
    fn disturbed_objects_are_a_scenario_or_an_error(
        changes in proptest::collection::vec(
            (proptest::collection::vec(0usize..40, 0..9), odd()), 1..4),
        redacted in any::<bool>(),
    ) {
        let mut value: serde_json::Value = serde_json::from_str(&whole()).expect("JSON");
        for (path, with) in &changes {
            disturb(&mut value, path, with);
        }
        if let Ok(cluster) = parse(value.to_string().as_bytes(), "f") {
            write(if redacted { crate::import::redact::redact(cluster) } else { cluster });
        }
    }

    /// No damage of bytes panics, as JSON or as YAML.
    #[test]
    fn damaged_bytes_are_a_scenario_or_an_error(
        cut in 0usize..4_000,
        edits in proptest::collection::vec((0usize..4_000, any::<u8>()), 0..4),
        yaml in any::<bool>(),
    ) {
        let mut bytes = if yaml { b"---\n".to_vec() } else { Vec::new() };
        bytes.extend(whole().bytes());
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len()) / 4);
        if let Ok(cluster) = parse(&bytes, "f") {
            write(cluster);
        }
    }
}
