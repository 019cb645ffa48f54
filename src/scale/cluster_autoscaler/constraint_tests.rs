//! Pods that more than free capacity decides about, with numbers worked out
//! by hand, and the path for them against the path for all others.

use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{LARGE, SMALL, World};
use super::*;
use crate::cluster::NodeTraits;
use crate::workload::PodClass;
use crate::workload::constraints::{
    Constraints, HostPort, LabelSelector, Namespaces, NodeSelectorTerm, Operator, PodAffinityTerm,
    Requirement, SpreadConstraint,
};

const ZONE: &str = "topology.kubernetes.io/zone";
const HOSTNAME_LABEL: &str = "kubernetes.io/hostname";

/// Pods of the application `web`, beside what they demand.
fn web(change: impl FnOnce(&mut Constraints)) -> Constraints {
    let mut it = Constraints {
        namespace: "default".to_owned(),
        labels: vec![("app".to_owned(), "web".to_owned())],
        ..Constraints::default()
    };
    change(&mut it);
    it
}

fn selector() -> LabelSelector {
    LabelSelector { requirements: vec![Requirement::equals("app", "web")] }
}

fn apart(key: &str) -> PodAffinityTerm {
    PodAffinityTerm {
        topology_key: key.to_owned(),
        selector: Some(selector()),
        namespaces: Namespaces::Listed(vec!["default".to_owned()]),
    }
}

fn in_zone(zone: &str) -> Vec<NodeSelectorTerm> {
    let match_expressions = vec![Requirement::equals(ZONE, zone)];
    vec![NodeSelectorTerm { match_expressions, match_fields: Vec::new() }]
}

/// A cluster whose groups are in the zones a, b, c …; its last class is
/// `SMALL` with these constraints.
fn world(groups: u32, constraints: Constraints) -> (World, ClassId) {
    let mut w = World::new(Config::for_version(31), groups);
    for (group, zone) in w.groups.iter_mut().zip(["a", "b", "c"]) {
        let labels = vec![(ZONE.to_owned(), zone.to_owned())];
        group.synthetic.traits = w.nodes.intern(NodeTraits { labels, ..NodeTraits::default() });
    }
    let class = PodClass { constraints: Some(Arc::new(constraints)), ..w.classes[0].clone() };
    w.classes.push(class);
    let id = ClassId(w.classes.len() as u32 - 1);
    (w, id)
}

/// Three replicas that stand each other on a node: one goes to the node there
/// is, two want nodes of their own. Without the constraint all fit on one.
#[test]
fn replicas_apart_get_a_node_each() {
    let (mut w, id) = world(1, web(|c| c.anti_affinity = vec![apart(HOSTNAME_LABEL)]));
    w.node(0, &[]);
    w.wait(id, 3);
    let decisions = w.run();
    assert_eq!(decisions.needing_scale_up, 2);
    let option = decisions.options[0];
    assert_eq!((option.nodes, option.pods), (2, 2));
    assert_eq!(decisions.scale_up.map(|up| (up.from, up.to)), Some((1, 3)));
    // They are believed to come: nothing more is wanted.
    w.groups[0].target = 3;
    w.groups[0].upcoming = 2;
    let decisions = w.run();
    assert_eq!((decisions.needing_scale_up, decisions.scale_up), (0, None));
    let (mut w, _) = world(1, Constraints::default());
    w.node(0, &[]);
    w.wait(SMALL, 3);
    assert_eq!(w.run().needing_scale_up, 0);
}

/// Anti-affinity of a pod that is there keeps others away too.
#[test]
fn others_are_kept_away() {
    let (mut w, loner) = world(1, web(|c| c.anti_affinity = vec![apart(HOSTNAME_LABEL)]));
    let other = PodClass { constraints: Some(Arc::new(web(|_| ()))), ..w.classes[0].clone() };
    w.classes.push(other);
    let id = ClassId(w.classes.len() as u32 - 1);
    w.node(0, &[loner]);
    w.wait(id, 3);
    let decisions = w.run();
    assert_eq!(decisions.needing_scale_up, 3);
    // 1,900m less 500m took two; a new node takes three of 500m.
    assert_eq!((decisions.options[0].nodes, decisions.options[0].pods), (1, 3));
}

/// Three zones, wanted by `minDomains`, and one pod more in one than in
/// another at most: each group grows by one, and none for a second pod.
#[test]
fn zones_are_filled_one_after_another() {
    let spread = SpreadConstraint {
        max_skew: 1,
        topology_key: ZONE.to_owned(),
        hard: true,
        selector: Some(selector()),
        min_domains: 3,
        honor_affinity: true,
        honor_taints: false,
    };
    let (mut w, id) = world(3, web(|c| c.spread = vec![spread]));
    w.node(0, &[]);
    w.wait(id, 3);
    let decisions = w.run();
    assert_eq!(decisions.needing_scale_up, 2);
    let options: Vec<_> = decisions.options.iter().map(|o| (o.group, o.nodes, o.pods)).collect();
    assert_eq!(options, [(1, 1, 1), (2, 1, 1)]);
    let up = decisions.scale_up.expect("one grows");
    w.groups[up.group as usize].target = 1;
    w.groups[up.group as usize].upcoming = 1;
    let decisions = w.run();
    assert_eq!(decisions.needing_scale_up, 1);
    let options: Vec<_> = decisions.options.iter().map(|o| (o.group, o.nodes, o.pods)).collect();
    assert_eq!(options, [(3 - up.group, 1, 1)]);
}

#[test]
fn node_affinity_and_volumes_choose_the_group() {
    for constraints in [
        web(|c| c.required_nodes = Some(in_zone("b"))),
        web(|c| c.volume_zones = Some(vec!["b".to_owned()])),
    ] {
        let (mut w, id) = world(2, constraints);
        w.node(0, &[]);
        w.wait(id, 2);
        let decisions = w.run();
        assert_eq!(decisions.needing_scale_up, 2);
        let options: Vec<_> =
            decisions.options.iter().map(|o| (o.group, o.nodes, o.pods)).collect();
        assert_eq!(options, [(1, 1, 2)]);
    }
}

#[test]
fn a_port_of_the_host_is_there_once() {
    let port = HostPort { protocol: "TCP".into(), ip: "0.0.0.0".into(), port: 80 };
    let (mut w, id) = world(1, web(|c| c.host_ports = vec![port]));
    w.node(0, &[]);
    w.wait(id, 3);
    let decisions = w.run();
    assert_eq!(decisions.needing_scale_up, 2);
    assert_eq!((decisions.options[0].nodes, decisions.options[0].pods), (2, 2));
}

/// Where no node can help, none is asked for: pods that must be beside
/// another pod of which there is none, and which they are not themselves.
#[test]
fn nodes_that_would_not_help_are_not_asked_for() {
    let mut near = apart(ZONE);
    near.selector = Some(LabelSelector { requirements: vec![Requirement::equals("app", "db")] });
    let (mut w, id) = world(2, web(|c| c.affinity = vec![near]));
    w.node(0, &[]);
    w.wait(id, 2);
    let decisions = w.run();
    assert_eq!((decisions.needing_scale_up, decisions.options.len()), (2, 0));
}

/// Of two nodes with a replica each, neither can go where replicas must be
/// apart; a node without one takes it.
#[test]
fn a_node_stays_where_its_pods_may_not_go() {
    let reasons = |w: &mut World| {
        w.run();
        w.reasons()
    };
    let (mut w, id) = world(1, web(|c| c.anti_affinity = vec![apart(HOSTNAME_LABEL)]));
    w.node(0, &[id]);
    w.node(0, &[id]);
    assert_eq!(reasons(&mut w), [Reason::NoPlaceToMovePods; 2]);
    let (mut w, id) = world(1, web(|c| c.anti_affinity = vec![apart(HOSTNAME_LABEL)]));
    w.node(0, &[id]);
    w.node(0, &[SMALL, SMALL]);
    assert_eq!(reasons(&mut w), [Reason::Unneeded, Reason::NotUnderutilized]);
}

proptest! {
    /// A constraint that every node satisfies changes nothing: packing pod by
    /// pod equals packing by the class.
    #[test]
    fn one_by_one_equals_by_the_class(
        on in proptest::collection::vec(proptest::collection::vec(0usize..2, 0..4), 0..6),
        waiting in (0u32..12, 0u32..8),
    ) {
        let run = |constrained: bool| {
            let mut w = World::new(Config::for_version(31), 2);
            // What names nodes is asked node by node.
            let exists =
                Requirement { key: HOSTNAME_LABEL.into(), operator: Operator::Exists, values: vec![] };
            let term = NodeSelectorTerm { match_expressions: vec![exists], match_fields: vec![] };
            for class in w.classes.iter_mut().take(2).filter(|_| constrained) {
                let required_nodes = Some(vec![term.clone()]);
                class.constraints =
                    Some(Arc::new(Constraints { required_nodes, ..Constraints::default() }));
            }
            for pods in &on {
                let pods: Vec<ClassId> = pods.iter().map(|p| [SMALL, LARGE][*p]).collect();
                w.node(0, &pods);
            }
            w.wait(SMALL, waiting.0);
            w.wait(LARGE, waiting.1);
            let first = w.run();
            (first, w.run_at(10), w.run_at(700), w.reasons())
        };
        prop_assert_eq!(run(false), run(true));
    }
}
