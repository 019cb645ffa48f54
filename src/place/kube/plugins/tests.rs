//! Worked examples of the plugins, by hand.

use std::sync::Arc;

use super::super::tests::class;
use super::super::{
    DefaultConstraint, DefaultSpread, Evaluation, NodeVerdict, PluginScores, Rejection,
    SchedulerProfile, View, evaluate_plain,
};
use super::*;
use crate::cluster::{Capacity, NodeInit, NodeTraits, Nodes, PoolId, Purchase, ShapeId, ZoneId};
use crate::units::{Bytes, MilliCpu};
use crate::workload::constraints::{
    Constraints, HostPort, LabelSelector, Namespaces, NodeSelectorTerm, Operator, PodAffinityTerm,
    Requirement, SpreadConstraint, Weighted,
};
use crate::workload::{ExtendedId, Taint, TaintEffect, Toleration};

const ZONE: &str = "topology.kubernetes.io/zone";
const HOST: &str = "kubernetes.io/hostname";

/// A small cluster; class 0 is the pod in question.
struct Rig {
    nodes: Nodes,
    classes: Vec<PodClass>,
    profile: SchedulerProfile,
}

impl Rig {
    /// Roomy nodes `n0`, `n1`, … in these zones; empty is none.
    fn new(zones: &[&str]) -> Self {
        let mut nodes = Nodes::new(1);
        for (i, zone) in zones.iter().enumerate() {
            let mut labels = vec![(HOST.to_owned(), format!("n{i}"))];
            if !zone.is_empty() {
                labels.push((ZONE.to_owned(), (*zone).to_owned()));
            }
            let traits = nodes.intern(NodeTraits { labels, ..NodeTraits::default() });
            let init = NodeInit {
                pool: PoolId(0),
                shape: ShapeId(0),
                zone: ZoneId(0),
                purchase: Purchase::OnDemand,
                traits,
                allocatable: Capacity {
                    cpu: MilliCpu(100_000),
                    memory: Bytes(1 << 40),
                    pods: 110,
                    extended: vec![0],
                },
                record: 0,
            };
            let slot = nodes.add(&init, true);
            nodes.set_name(slot, &format!("n{i}"));
        }
        Rig { nodes, classes: Vec::new(), profile: SchedulerProfile::default() }
    }

    fn class(&mut self, constraints: Constraints) -> ClassId {
        self.classes.push(PodClass { constraints: Some(Arc::new(constraints)), ..class(0, 0) });
        ClassId(self.classes.len() as u32 - 1)
    }

    fn place(&mut self, id: ClassId, slots: &[u32]) {
        for slot in slots {
            self.nodes.place_pod(Slot(*slot), id, &self.classes[id.index()]);
        }
    }

    fn evaluate(&self) -> Evaluation {
        let profiles = std::slice::from_ref(&self.profile);
        let view = View { nodes: &self.nodes, classes: &self.classes, profiles };
        evaluate_plain(&view, ClassId(0))
    }

    /// By node, why it is rejected.
    fn rejections(&self) -> Vec<Option<Rejection>> {
        let rejection = |verdict| match verdict {
            NodeVerdict::Rejected(rejection) => Some(rejection),
            _ => None,
        };
        self.evaluate().verdicts.into_iter().map(rejection).collect()
    }

    fn scores(&self, of: impl Fn(&PluginScores) -> i64) -> Vec<Option<i64>> {
        let score = |verdict: &NodeVerdict| match verdict {
            NodeVerdict::Feasible(scores) => Some(of(scores)),
            _ => None,
        };
        self.evaluate().verdicts.iter().map(score).collect()
    }
}

fn app(name: &str) -> Constraints {
    Constraints {
        namespace: "default".into(),
        labels: vec![("app".into(), name.into())],
        ..Constraints::default()
    }
}

fn app_is(name: &str) -> LabelSelector {
    LabelSelector { requirements: vec![Requirement::equals("app", name)] }
}

fn spread(key: &str, max_skew: i64, hard: bool, of: &str) -> SpreadConstraint {
    SpreadConstraint {
        max_skew,
        topology_key: key.into(),
        hard,
        selector: Some(app_is(of)),
        min_domains: 1,
        honor_affinity: true,
        honor_taints: false,
    }
}

fn term(key: &str, of: &str) -> PodAffinityTerm {
    PodAffinityTerm {
        topology_key: key.into(),
        selector: Some(app_is(of)),
        namespaces: Namespaces::Listed(vec!["default".into()]),
    }
}

fn in_zones(zones: &[&str]) -> NodeSelectorTerm {
    NodeSelectorTerm {
        match_expressions: vec![Requirement {
            key: ZONE.into(),
            operator: Operator::In,
            values: zones.iter().map(|z| (*z).to_owned()).collect(),
        }],
        match_fields: Vec::new(),
    }
}

fn named(names: &[&str]) -> Requirement {
    Requirement {
        key: "metadata.name".into(),
        operator: Operator::In,
        values: names.iter().map(|n| (*n).to_owned()).collect(),
    }
}

#[test]
fn closed_nodes_let_in_who_tolerates_it_and_names_must_be_equal() {
    let mut rig = Rig::new(&["a", "a"]);
    rig.class(Constraints { node_name: Some("n1".into()), ..app("web") });
    assert_eq!(rig.rejections(), [Some(Rejection::OtherNode), None]);
    let traits = NodeTraits { unschedulable: true, ..NodeTraits::default() };
    rig.nodes.traits[1] = rig.nodes.intern(traits);
    assert_eq!(rig.rejections(), [Some(Rejection::OtherNode), Some(Rejection::Closed)]);
    rig.classes[0].tolerations.push(Toleration {
        key: Some("node.kubernetes.io/unschedulable".into()),
        value: None,
        effect: Some(TaintEffect::NoSchedule),
    });
    assert_eq!(rig.rejections(), [Some(Rejection::OtherNode), None]);
}

#[test]
fn required_affinity_is_any_of_its_terms() {
    let mut rig = Rig::new(&["a", "b", "c", ""]);
    rig.class(Constraints {
        required_nodes: Some(vec![in_zones(&["a"]), in_zones(&["c"])]),
        ..app("web")
    });
    let other = Some(Rejection::NodeAffinity);
    assert_eq!(rig.rejections(), [None, other.clone(), None, other.clone()]);
    // A term that states nothing matches nothing.
    let empty = Some(vec![NodeSelectorTerm::default()]);
    rig.classes[0].constraints =
        Some(Arc::new(Constraints { required_nodes: empty, ..app("web") }));
    assert_eq!(rig.rejections(), vec![other; 4]);
}

#[test]
fn nodes_that_a_pod_does_not_name_are_not_looked_at() {
    let mut rig = Rig::new(&["a", "b", "c"]);
    let by_name = |fields: Vec<Vec<Requirement>>| {
        let terms = fields
            .into_iter()
            .map(|match_fields| NodeSelectorTerm { match_fields, ..NodeSelectorTerm::default() });
        Some(Arc::new(Constraints { required_nodes: Some(terms.collect()), ..app("web") }))
    };
    rig.class(app("web"));
    rig.classes[0].constraints = by_name(vec![vec![named(&["n0"])], vec![named(&["n2", "n9"])]]);
    let verdicts = rig.evaluate().verdicts;
    assert!(matches!(verdicts[0], NodeVerdict::Feasible(_)));
    assert_eq!(verdicts[1], NodeVerdict::NotNamed);
    assert!(matches!(verdicts[2], NodeVerdict::Feasible(_)));
    // Names of one term must hold together.
    rig.classes[0].constraints = by_name(vec![vec![named(&["n0"]), named(&["n1"])]]);
    let evaluation = rig.evaluate();
    assert_eq!(evaluation.pod, Some(Rejection::NamesConflict));
    assert_eq!(evaluation.verdicts, vec![NodeVerdict::Rejected(Rejection::NamesConflict); 3]);
}

#[test]
fn preferences_for_nodes_are_scaled_to_the_largest_sum() {
    let mut rig = Rig::new(&["a", "b", "c"]);
    let preferred = |zones: &[&str], weight| Weighted { weight, term: in_zones(zones) };
    rig.class(Constraints {
        preferred_nodes: vec![preferred(&["a", "b"], 20), preferred(&["b"], 10)],
        ..app("web")
    });
    // 20, 30, 0 of 30: 66, 100, 0, twice.
    assert_eq!(rig.scores(|s| s.node_affinity), [Some(132), Some(200), Some(0)]);
}

#[test]
fn ports_are_taken_by_the_pods_there() {
    let mut rig = Rig::new(&["a", "a"]);
    let port = |ip: &str| HostPort { protocol: "TCP".into(), ip: ip.into(), port: 80 };
    rig.class(Constraints { host_ports: vec![port("10.0.0.1")], ..app("web") });
    let all = rig.class(Constraints { host_ports: vec![port("0.0.0.0")], ..app("proxy") });
    let one = rig.class(Constraints { host_ports: vec![port("10.0.0.2")], ..app("proxy") });
    rig.place(all, &[0]);
    rig.place(one, &[1]);
    assert_eq!(rig.rejections(), [Some(Rejection::HostPorts), None]);
}

#[test]
fn volumes_reject_by_claim_limit_and_zone() {
    let mut rig = Rig::new(&["a", "b", ""]);
    rig.class(Constraints { volume_zones: Some(vec!["b".into()]), ..app("db") });
    assert_eq!(rig.rejections(), [Some(Rejection::VolumeZone), None, None]);

    rig.classes[0].constraints = Some(Arc::new(Constraints { attached_volumes: 2, ..app("db") }));
    let other = rig.class(Constraints { attached_volumes: 3, ..app("db") });
    rig.place(other, &[0, 1, 2]);
    rig.nodes.volume_limit = Some(ExtendedId(0));
    // Nodes 0 and 1 attach 4 and 5 volumes, node 2 does not say.
    rig.nodes.alloc_extended = vec![4, 5, 0];
    assert_eq!(rig.rejections(), [Some(Rejection::VolumeLimit), None, None]);

    let exclusive = Constraints { exclusive_claims: vec!["default/data".into()], ..app("db") };
    rig.classes[0].constraints = Some(Arc::new(exclusive.clone()));
    assert_eq!(rig.rejections(), [None, None, None]);
    let user = rig.class(exclusive);
    rig.place(user, &[1]);
    assert_eq!(rig.rejections(), vec![Some(Rejection::ClaimInUse); 3]);
}

#[test]
fn hard_spreading_bounds_the_skew_against_the_emptiest_domain() {
    let mut rig = Rig::new(&["a", "b", "c", ""]);
    rig.class(Constraints { spread: vec![spread(ZONE, 1, true, "web")], ..app("web") });
    let same = rig.class(app("web"));
    rig.place(same, &[0, 0, 1]);
    // Zones have 2, 1, 0: with the pod 3, 2, 1 against 0.
    let skew = Some(Rejection::SpreadSkew);
    let no_label = Some(Rejection::SpreadLabel);
    assert_eq!(rig.rejections(), [skew.clone(), skew.clone(), None, no_label.clone()]);
    // Pods of other namespaces and those being deleted do not count, nor does
    // the pod itself if it does not match.
    let elsewhere = rig.class(Constraints { namespace: "other".into(), ..app("web") });
    let leaving = rig.class(Constraints { terminating: true, ..app("web") });
    rig.place(elsewhere, &[2, 2]);
    rig.place(leaving, &[2, 2]);
    rig.classes[0].constraints =
        Some(Arc::new(Constraints { spread: vec![spread(ZONE, 1, true, "web")], ..app("batch") }));
    assert_eq!(rig.rejections(), [skew, None, None, no_label]);
}

#[test]
fn fewer_domains_than_the_minimum_make_the_emptiest_count_nothing() {
    let mut rig = Rig::new(&["a", "b"]);
    let constraint = SpreadConstraint { min_domains: 3, ..spread(ZONE, 2, true, "web") };
    rig.class(Constraints { spread: vec![constraint], ..app("web") });
    let same = rig.class(app("web"));
    rig.place(same, &[0, 1]);
    assert_eq!(rig.rejections(), [None, None]);
    rig.place(same, &[0, 1]);
    // Two everywhere, but against 0 a third is too much.
    assert_eq!(rig.rejections(), vec![Some(Rejection::SpreadSkew); 2]);
}

#[test]
fn policies_say_which_nodes_are_domains() {
    let mut rig = Rig::new(&["a", "b", "c"]);
    let mut constraint = spread(ZONE, 1, true, "web");
    let in_two_zones = |constraint: &SpreadConstraint| {
        Some(Arc::new(Constraints {
            required_nodes: Some(vec![in_zones(&["a", "b"])]),
            spread: vec![constraint.clone()],
            ..app("web")
        }))
    };
    rig.class(app("web"));
    rig.classes[0].constraints = in_two_zones(&constraint);
    let same = rig.class(app("web"));
    rig.place(same, &[0, 1, 1]);
    let other = Some(Rejection::NodeAffinity);
    let skew = Some(Rejection::SpreadSkew);
    // Zone c, empty, is none of the pod's own: 1 and 2 pods, the smallest is 1.
    assert_eq!(rig.rejections(), [None, skew.clone(), other.clone()]);
    constraint.honor_affinity = false;
    rig.classes[0].constraints = in_two_zones(&constraint);
    assert_eq!(rig.rejections(), [skew.clone(), skew.clone(), other.clone()]);
    // The same by a taint on the empty zone.
    let tainted = NodeTraits {
        taints: vec![Taint {
            key: "dedicated".into(),
            value: String::new(),
            effect: TaintEffect::NoSchedule,
        }],
        ..rig.nodes.traits_of(rig.nodes.traits[2]).clone()
    };
    rig.nodes.traits[2] = rig.nodes.intern(tainted);
    let taint = |rejection: &Option<Rejection>| matches!(rejection, Some(Rejection::Taint(_)));
    for (honor_taints, first) in [(false, skew.clone()), (true, None)] {
        let constraint = SpreadConstraint { honor_taints, ..spread(ZONE, 1, true, "web") };
        rig.classes[0].constraints =
            Some(Arc::new(Constraints { spread: vec![constraint], ..app("web") }));
        let found = rig.rejections();
        assert_eq!((&found[0], &found[1]), (&first, &skew));
        assert!(taint(&found[2]));
    }
}

#[test]
fn a_selector_without_requirements_counts_nothing_but_the_pod() {
    let mut rig = Rig::new(&["a", "b"]);
    let all = Some(LabelSelector::default());
    let constraint = SpreadConstraint { selector: all, ..spread(ZONE, 1, true, "") };
    rig.class(Constraints { spread: vec![constraint], ..app("web") });
    let same = rig.class(app("web"));
    rig.place(same, &[0, 0, 0]);
    assert_eq!(rig.rejections(), [None, None]);
}

/// The table of the specification: raw 11, 13, 8, 10, 6, 6.
#[test]
fn worked_example_of_default_spreading() {
    let mut rig = Rig::new(&["a", "a", "b", "b", "c", "c", "a", "a"]);
    let mut web = app("web");
    web.default_spread = Some(app_is("web"));
    rig.class(web);
    let same = rig.class(app("web"));
    rig.place(same, &[1, 3, 6, 7]);
    rig.nodes.alloc_pods[6] = 1;
    rig.nodes.alloc_pods[7] = 1;
    let scores = [61, 46, 84, 69, 100, 100].map(|n| Some(2 * n));
    assert_eq!(rig.scores(|s| s.topology_spread)[..6], scores);
    assert_eq!(rig.scores(|s| s.topology_spread)[6..], [None, None]);
}

#[test]
fn nodes_without_a_key_are_ignored_unless_the_system_sets_the_constraint() {
    let mut rig = Rig::new(&["a", "b", ""]);
    let own = Constraints { spread: vec![spread(ZONE, 1, false, "web")], ..app("web") };
    rig.class(own);
    let same = rig.class(app("web"));
    rig.place(same, &[0, 0, 1]);
    // w = ln 4 = 1.386: raw 2.77 -> 3 and 1.39 -> 1; 100·(3+1−3)/3 = 33 and
    // 100·(3+1−1)/3 = 100; the node without a zone 0.
    assert_eq!(rig.scores(|s| s.topology_spread), [Some(66), Some(200), Some(0)]);

    let mut web = app("web");
    web.default_spread = Some(app_is("web"));
    rig.classes[0].constraints = Some(Arc::new(web));
    // Hosts: ln 5 = 1.609, skew 3; zones a, b and none: ln 5, skew 5. Raw
    // 3.22 + 2 + 3.22 + 4 = 12, 9, and 2 for the node that has no zone.
    // 100·(14 − raw)/12: 16, 41, 100.
    assert_eq!(rig.scores(|s| s.topology_spread), [Some(32), Some(82), Some(200)]);
}

#[test]
fn an_administrator_lists_default_constraints() {
    let mut rig = Rig::new(&["a", "b", ""]);
    let mut web = app("web");
    web.default_spread = Some(app_is("web"));
    rig.class(web);
    let same = rig.class(app("web"));
    rig.place(same, &[0]);
    let constraint = |hard| DefaultConstraint { max_skew: 1, topology_key: ZONE.to_owned(), hard };
    rig.profile.default_spread = DefaultSpread::List(Arc::new([constraint(true)]));
    let label = Some(Rejection::SpreadLabel);
    assert_eq!(rig.rejections(), [Some(Rejection::SpreadSkew), None, label]);
    rig.profile.default_spread = DefaultSpread::List(Arc::new([constraint(false)]));
    // Raw 1 and 0, so 0 and 100; without the key 0.
    assert_eq!(rig.scores(|s| s.topology_spread), [Some(0), Some(200), Some(0)]);
    rig.profile.default_spread = DefaultSpread::List(Arc::new([]));
    assert_eq!(rig.scores(|s| s.topology_spread), vec![Some(0); 3]);
}

#[test]
fn required_affinity_wants_a_pod_that_matches_every_term() {
    let mut rig = Rig::new(&["a", "b", ""]);
    let both = vec![
        term(ZONE, "db"),
        PodAffinityTerm {
            selector: Some(LabelSelector { requirements: vec![Requirement::equals("tier", "1")] }),
            ..term(ZONE, "db")
        },
    ];
    rig.class(Constraints { affinity: both, ..app("web") });
    let one = rig.class(app("db"));
    let mut labels = app("db");
    labels.labels.push(("tier".into(), "1".into()));
    let all = rig.class(labels);
    rig.place(one, &[0]);
    let no = Some(Rejection::Affinity);
    assert_eq!(rig.rejections(), vec![no.clone(); 3]);
    rig.place(all, &[1]);
    assert_eq!(rig.rejections(), [no.clone(), None, no]);
}

#[test]
fn the_first_of_a_group_goes_anywhere_with_the_key() {
    let mut rig = Rig::new(&["a", "b", ""]);
    rig.class(Constraints { affinity: vec![term(ZONE, "web")], ..app("web") });
    let no = Some(Rejection::Affinity);
    assert_eq!(rig.rejections(), [None, None, no.clone()]);
    let same = rig.class(app("web"));
    rig.place(same, &[1]);
    assert_eq!(rig.rejections(), [no.clone(), None, no.clone()]);
    // Pods elsewhere do not end the exception, unlike those on any node with
    // the key; and who does not match its own terms has none.
    let mut rig = Rig::new(&["a", ""]);
    rig.class(Constraints { affinity: vec![term(ZONE, "db")], ..app("web") });
    assert_eq!(rig.rejections(), [no.clone(), no]);
}

#[test]
fn anti_affinity_holds_in_both_directions() {
    let mut rig = Rig::new(&["a", "a", "b", ""]);
    rig.class(Constraints { anti_affinity: vec![term(ZONE, "db")], ..app("web") });
    let db = rig.class(app("db"));
    let shy = rig.class(Constraints { anti_affinity: vec![term(HOST, "web")], ..app("shy") });
    rig.place(db, &[0, 3]);
    rig.place(shy, &[2]);
    let own = Some(Rejection::AntiAffinity);
    let others = Some(Rejection::ExistingAntiAffinity);
    // A node without the key is no domain.
    assert_eq!(rig.rejections(), [own.clone(), own, others, None]);
    // Neither reaches beyond its namespaces.
    let elsewhere = Constraints { namespace: "other".into(), ..app("web") };
    rig.classes[0].constraints = Some(Arc::new(elsewhere));
    assert_eq!(rig.rejections(), vec![None; 4]);
}

#[test]
fn preferred_terms_of_both_sides_add_up_by_domain() {
    let mut rig = Rig::new(&["a", "b", "c"]);
    let weighted = |weight, key: &str, of: &str| Weighted { weight, term: term(key, of) };
    rig.class(Constraints {
        preferred_affinity: vec![weighted(10, ZONE, "cache")],
        preferred_anti_affinity: vec![weighted(4, HOST, "noisy")],
        ..app("web")
    });
    let cache = rig.class(app("cache"));
    let noisy = rig.class(app("noisy"));
    // Required affinity of others counts 1, their preferences with their sign.
    let fan = rig.class(Constraints { affinity: vec![term(ZONE, "web")], ..app("fan") });
    let foe = rig.class(Constraints {
        preferred_anti_affinity: vec![weighted(7, ZONE, "web")],
        ..app("foe")
    });
    rig.place(cache, &[0, 0]);
    rig.place(noisy, &[0]);
    rig.place(fan, &[1]);
    rig.place(foe, &[2]);
    // 20 − 4, 1, −7: from −7 to 16 is 23; 100, trunc(100·8/23) = 34, 0.
    assert_eq!(rig.scores(|s| s.pod_affinity), [Some(200), Some(68), Some(0)]);
    rig.profile.hard_pod_affinity_weight = 0;
    // 0 + 7 of 23: 30.
    assert_eq!(rig.scores(|s| s.pod_affinity), [Some(200), Some(60), Some(0)]);
}

#[test]
fn hypothetical_changes_are_followed() {
    let mut rig = Rig::new(&["a", "b"]);
    rig.class(Constraints {
        spread: vec![spread(ZONE, 1, true, "web")],
        anti_affinity: vec![term(HOST, "db")],
        ..app("web")
    });
    let same = rig.class(app("web"));
    let db = rig.class(app("db"));
    rig.place(same, &[0]);
    rig.place(db, &[1]);
    let profiles = [SchedulerProfile::default()];
    let classes = rig.classes.clone();
    let view = View { nodes: &rig.nodes, classes: &classes, profiles: &profiles };
    let mut filters = Filters::new(&view, &classes[0]).expect("no rejection as a whole");
    let check = |filters: &Filters<'_>| [0, 1].map(|slot| filters.check(&view, Slot(slot)).err());
    let apart = Some(Rejection::AntiAffinity);
    assert_eq!(check(&filters), [Some(Rejection::SpreadSkew), apart.clone()]);
    filters.shift(&view, Slot(1), db, -1);
    assert_eq!(check(&filters), [Some(Rejection::SpreadSkew), None]);
    filters.shift(&view, Slot(0), same, -1);
    filters.shift(&view, Slot(1), db, 1);
    assert_eq!(check(&filters), [None, apart]);
}
