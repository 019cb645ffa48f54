//! What selectors and addresses mean once their names are gone.

use serde_json::json;

use super::*;

fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Redacts one pod of the namespace `prod` on the node `n1`.
fn redacted(rules: Rules) -> (Node, Pod) {
    let labels = strings(&[("cores", "8"), ("row", "7"), (HOSTNAME_LABEL, "n1")]);
    let node = Node { name: "n1".into(), labels, ..Node::default() };
    let pod = Pod {
        namespace: "prod".into(),
        name: "web".into(),
        owner: Owner { kind: OwnerKind::Deployment, name: "web".into() },
        requests: super::super::cluster::Amounts::default(),
        node: Some("n1".into()),
        rules,
    };
    let mut cluster = Cluster::default();
    cluster.nodes.insert("n1".into(), node);
    cluster.pods.insert(("prod".into(), "web".into()), pod);
    // The first of the namespaces, so that ranks differ.
    cluster.namespaces.insert("a".into(), strings(&[(NAMESPACE_NAME, "a")]));
    cluster.namespaces.insert("prod".into(), strings(&[(NAMESPACE_NAME, "prod")]));
    let mut done = redact(cluster);
    for (name, labels) in &done.namespaces {
        assert_eq!(labels.get(NAMESPACE_NAME), Some(name));
    }
    let (_, node) = done.nodes.pop_first().expect("a node");
    let (_, pod) = done.pods.pop_first().expect("a pod");
    (node, pod)
}

#[test]
fn selectors_mean_the_same_nodes_pods_and_namespaces() {
    let affinity = json!({
        "nodeAffinity": {"required": [{"matchExpressions": [
            {"key": "cores", "operator": "Gt", "values": ["4"]},
            {"key": "row", "operator": "In", "values": ["7"]},
            {"key": HOSTNAME_LABEL, "operator": "In", "values": ["n1"]},
        ], "matchFields": [{"key": NODE_NAME, "operator": "NotIn", "values": ["n1", "gone"]}]}]},
        "podAffinity": {"required": [{
            "labelSelector": {"matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["2"]}]},
            "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "prod"}},
            "topologyKey": "row",
            "matchLabelKeys": ["pod-template-hash"],
        }]},
    });
    let rules = Rules {
        labels: strings(&[("tier", "2")]),
        affinity: Some(Words::new(&affinity)),
        ..Rules::default()
    };
    let (node, pod) = redacted(rules);
    let words = pod.rules.affinity.expect("kept").value();
    let on_nodes = &words["nodeAffinity"]["required"][0];
    let on_pods = &words["podAffinity"]["required"][0];
    let label = |labels: &BTreeMap<String, String>, requirement: &Value| {
        labels[requirement["key"].as_str().expect("a key")].clone()
    };
    // Compared by size: the number stays, on both sides.
    let cores = &on_nodes["matchExpressions"][0];
    assert_eq!((label(&node.labels, cores).as_str(), &cores["values"]), ("8", &json!(["4"])));
    // Compared with others: it goes, on both sides.
    for (labels, requirement, open) in [
        (&node.labels, &on_nodes["matchExpressions"][1], "7"),
        (&pod.rules.labels, &on_pods["labelSelector"]["matchExpressions"][0], "2"),
    ] {
        let value = label(labels, requirement);
        assert_eq!(requirement["values"], json!([value]));
        assert!(value != open && value.starts_with("value-"), "{value}");
    }
    // A node is its name, and so is its label.
    assert_eq!(on_nodes["matchExpressions"][2]["values"], json!([node.name]));
    assert_eq!(node.labels[HOSTNAME_LABEL], node.name);
    let names = &on_nodes["matchFields"][0]["values"];
    assert_eq!(names[0], json!(node.name));
    assert!(names[1].as_str().is_some_and(|n| n.starts_with("value-")), "{names}");
    let by_name = &on_pods["namespaceSelector"]["matchLabels"];
    assert_eq!(by_name, &json!({NAMESPACE_NAME: pod.namespace}));
    assert_eq!(on_pods["matchLabelKeys"], json!(["pod-template-hash"]));
}

#[test]
fn addresses_are_numbered() {
    let port = |port, ip: &str| (port, "TCP".to_owned(), ip.to_owned());
    let ports = [
        port(80, "10.1.2.3"),
        port(81, "10.1.2.3"),
        port(82, "fd00::1"),
        port(83, "0.0.0.0"),
        port(84, ""),
        port(85, "127.0.0.1"),
    ];
    let (_, pod) = redacted(Rules { host_ports: ports.into(), ..Rules::default() });
    let ips: Vec<&str> = pod.rules.host_ports.iter().map(|(_, _, ip)| ip.as_str()).collect();
    assert_eq!(ips, ["198.18.0.1", "198.18.0.1", "198.18.0.2", "0.0.0.0", "", "127.0.0.1"]);
}
