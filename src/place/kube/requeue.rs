//! Whether a pod that left a node can help one that was rejected: the queueing
//! hints of the plugins for deleted pods (`isSchedulableAfterPodChange` of
//! `NodePorts`, `PodTopologySpread`, `InterPodAffinity`, 1.32).

use super::{Rejectors, View, spread_constraints};
use crate::workload::PodClass;
use crate::workload::constraints::{Constraints, PodAffinityTerm};

/// By class, whether free capacity is all that other pods can take from it or
/// give to it. Where one of its pods fits nowhere, none will until a node comes
/// or a pod leaves, and what rejects it stays the same till then.
pub(super) fn lack_capacity_alone(view: &View<'_>) -> Vec<bool> {
    let shy: Vec<&Constraints> = view
        .classes
        .iter()
        .filter_map(|class| class.constraints.as_deref())
        .filter(|constraints| !constraints.anti_affinity.is_empty())
        .collect();
    let alone = |own: &Constraints| {
        own.affinity.is_empty()
            && own.anti_affinity.is_empty()
            && own.host_ports.is_empty()
            && own.attached_volumes == 0
            && own.exclusive_claims.is_empty()
            && !shy.iter().any(|other| keeps_away(own, other))
    };
    let spreads = |class: &PodClass| !spread_constraints(view, class, true).is_empty();
    view.classes
        .iter()
        .map(|class| class.constraints.as_deref().is_none_or(alone) && !spreads(class))
        .collect()
}

/// Whether the deletion of a pod of the class `gone` is worth another attempt
/// of one that these filters rejected.
///
/// DIFFERENCE: anti-affinity of the deleted pod counts too, which 1.32 forgets.
pub(super) fn deletion_helps(
    view: &View<'_>,
    rejectors: Rejectors,
    class: &PodClass,
    gone: &PodClass,
) -> bool {
    if ["NodeResourcesFit", "NodeVolumeLimits"].iter().any(|name| rejectors.contains(name)) {
        return true;
    }
    let (Some(own), Some(other)) = (&class.constraints, &gone.constraints) else { return false };
    (rejectors.contains("NodePorts") && share_a_port(own, other))
        || (rejectors.contains("VolumeRestrictions")
            && own.exclusive_claims.iter().any(|claim| other.exclusive_claims.contains(claim)))
        || (rejectors.contains("PodTopologySpread")
            && own.namespace == other.namespace
            && counts(view, class, other))
        || (rejectors.contains("InterPodAffinity") && keeps_away(own, other))
}

fn share_a_port(own: &Constraints, gone: &Constraints) -> bool {
    own.host_ports.iter().any(|port| gone.host_ports.iter().any(|other| port.conflicts(other)))
}

/// Whether a hard constraint on spreading, its own or a default of its
/// scheduler profile, means the labels of the pod.
fn counts(view: &View<'_>, class: &PodClass, gone: &Constraints) -> bool {
    spread_constraints(view, class, true)
        .iter()
        .any(|spread| spread.selector.as_ref().is_some_and(|s| s.matches(&gone.labels)))
}

/// Whether required anti-affinity of one means the other.
fn keeps_away(own: &Constraints, gone: &Constraints) -> bool {
    let means = |terms: &[PodAffinityTerm], pod: &Constraints| terms.iter().any(|t| t.matches(pod));
    means(&own.anti_affinity, gone) || means(&gone.anti_affinity, own)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{DefaultConstraint, DefaultSpread, SchedulerProfile};
    use super::*;
    use crate::cluster::Nodes;
    use crate::workload::constraints::{
        HostPort, LabelSelector, Namespaces, Requirement, SpreadConstraint,
    };

    fn by(names: &[&str]) -> Rejectors {
        let mut rejectors = Rejectors::default();
        for name in names {
            rejectors.insert(name);
        }
        rejectors
    }

    fn view<'a>(
        nodes: &'a Nodes,
        classes: &'a [PodClass],
        profiles: &'a [SchedulerProfile],
    ) -> View<'a> {
        View { nodes, classes, profiles }
    }

    fn alone(classes: &[PodClass]) -> Vec<bool> {
        lack_capacity_alone(&view(&Nodes::default(), classes, &[SchedulerProfile::default()]))
    }

    fn helps(rejectors: Rejectors, class: &PodClass, gone: &PodClass) -> bool {
        let profiles = [SchedulerProfile::default()];
        deletion_helps(&view(&Nodes::default(), &[], &profiles), rejectors, class, gone)
    }

    fn class(edit: impl FnOnce(&mut Constraints)) -> PodClass {
        let mut constraints = Constraints {
            namespace: "a".into(),
            labels: vec![("app".into(), "web".into())],
            ..Constraints::default()
        };
        edit(&mut constraints);
        PodClass { constraints: Some(Arc::new(constraints)), ..PodClass::default() }
    }

    fn web() -> LabelSelector {
        LabelSelector { requirements: vec![Requirement::equals("app", "web")] }
    }

    #[test]
    fn any_pod_frees_capacity() {
        let plain = PodClass::default();
        assert!(helps(by(&["TaintToleration", "NodeResourcesFit"]), &plain, &plain));
        assert!(!helps(by(&["TaintToleration", "NodeAffinity"]), &plain, &plain));
    }

    #[test]
    fn classes_that_others_keep_away_lack_more_than_capacity() {
        let term = |app: &str| PodAffinityTerm {
            topology_key: "zone".into(),
            selector: Some(LabelSelector { requirements: vec![Requirement::equals("app", app)] }),
            namespaces: Namespaces::All,
        };
        let shy = class(|c| {
            c.labels[0].1 = "db".into();
            c.anti_affinity.push(term("web"));
        });
        let cache = class(|c| c.labels[0].1 = "cache".into());
        let all = [PodClass::default(), class(|_| {}), shy, cache];
        assert_eq!(alone(&all), [true, false, false, true]);
    }

    #[test]
    fn ports_are_freed_by_who_held_them() {
        let with = |port| {
            let port = HostPort { protocol: "TCP".into(), ip: "0.0.0.0".into(), port };
            class(|c| c.host_ports.push(port))
        };
        assert!(helps(by(&["NodePorts"]), &with(80), &with(80)));
        assert!(!helps(by(&["NodePorts"]), &with(80), &with(81)));
        assert_eq!(alone(&[with(80)]), [false]);
    }

    #[test]
    fn spreading_looks_at_pods_it_counts() {
        let spread = SpreadConstraint {
            max_skew: 1,
            topology_key: "zone".into(),
            hard: true,
            selector: Some(web()),
            min_domains: 1,
            honor_affinity: true,
            honor_taints: false,
        };
        let own = class(|c| c.spread.push(spread));
        let rejectors = by(&["PodTopologySpread"]);
        assert!(helps(rejectors, &own, &own));
        assert!(!helps(rejectors, &own, &class(|c| c.namespace = "b".into())));
        assert!(!helps(rejectors, &own, &class(|c| c.labels.clear())));
        assert!(!helps(rejectors, &own, &PodClass::default()));
    }

    /// A profile may make every pod of a service spread: such a pod lacks more
    /// than capacity, though it states nothing itself.
    #[test]
    fn hard_defaults_of_a_profile_count_as_its_own() {
        let zone = |hard| DefaultConstraint { max_skew: 1, topology_key: "zone".into(), hard };
        let profile = |hard| SchedulerProfile {
            default_spread: DefaultSpread::List([zone(hard)].into()),
            ..SchedulerProfile::default()
        };
        let profiles = [SchedulerProfile::default(), profile(true), profile(false)];
        let nodes = Nodes::default();
        let of = |profile| PodClass { profile, ..class(|c| c.default_spread = Some(web())) };
        let all = [of(0), of(1), of(2), PodClass { profile: 1, ..class(|_| {}) }];
        let view = view(&nodes, &all, &profiles);
        assert_eq!(lack_capacity_alone(&view), [true, false, true, true]);
        let helps = |own: &PodClass, gone: &PodClass| {
            deletion_helps(&view, by(&["PodTopologySpread"]), own, gone)
        };
        assert!(helps(&all[1], &all[0]));
        assert!(!helps(&all[1], &class(|c| c.labels.clear())));
        assert!(!helps(&all[1], &class(|c| c.namespace = "b".into())));
        assert!(!helps(&all[0], &all[0]));
        // Whatever is bound in the namespace may even the spread.
        assert_eq!(super::super::helped_by(&view), vec![vec![crate::workload::ClassId(1)]; 4]);
    }

    #[test]
    fn anti_affinity_counts_both_ways() {
        let term = PodAffinityTerm {
            topology_key: "zone".into(),
            selector: Some(web()),
            namespaces: Namespaces::All,
        };
        let shy = class(|c| c.anti_affinity.push(term));
        let other = class(|c| c.labels[0].1 = "db".into());
        let rejectors = by(&["InterPodAffinity"]);
        assert!(helps(rejectors, &shy, &class(|_| {})));
        assert!(helps(rejectors, &class(|_| {}), &shy));
        assert!(!helps(rejectors, &shy, &other));
    }
}
