//! Whether a pod that left a node can help one that was rejected: the queueing
//! hints of the plugins for deleted pods (`isSchedulableAfterPodChange` of
//! `NodePorts`, `PodTopologySpread`, `InterPodAffinity`, 1.32).

use super::Rejectors;
use crate::workload::PodClass;
use crate::workload::constraints::{Constraints, PodAffinityTerm, SpreadConstraint};

/// By class, whether free capacity is all that other pods can take from it or
/// give to it. Where one of its pods fits nowhere, none will until a node comes
/// or a pod leaves, and what rejects it stays the same till then.
pub(super) fn lack_capacity_alone(classes: &[PodClass]) -> Vec<bool> {
    let shy: Vec<&Constraints> = classes
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
            && !own.spread.iter().any(|spread| spread.hard)
            && !shy.iter().any(|other| keeps_away(own, other))
    };
    classes.iter().map(|class| class.constraints.as_deref().is_none_or(alone)).collect()
}

/// Whether the deletion of a pod of the class `gone` is worth another attempt
/// of one that these filters rejected.
///
/// DIFFERENCE: anti-affinity of the deleted pod counts too, which 1.32 forgets.
pub(super) fn deletion_helps(rejectors: Rejectors, class: &PodClass, gone: &PodClass) -> bool {
    if ["NodeResourcesFit", "NodeVolumeLimits"].iter().any(|name| rejectors.contains(name)) {
        return true;
    }
    let (Some(own), Some(gone)) = (&class.constraints, &gone.constraints) else { return false };
    (rejectors.contains("NodePorts") && share_a_port(own, gone))
        || (rejectors.contains("VolumeRestrictions")
            && own.exclusive_claims.iter().any(|claim| gone.exclusive_claims.contains(claim)))
        || (rejectors.contains("PodTopologySpread") && counts(own, gone))
        || (rejectors.contains("InterPodAffinity") && keeps_away(own, gone))
}

fn share_a_port(own: &Constraints, gone: &Constraints) -> bool {
    own.host_ports.iter().any(|port| gone.host_ports.iter().any(|other| port.conflicts(other)))
}

/// Whether a hard constraint on spreading counts the pod.
fn counts(own: &Constraints, gone: &Constraints) -> bool {
    let counted = |spread: &SpreadConstraint| {
        spread.hard && spread.selector.as_ref().is_some_and(|s| s.matches(&gone.labels))
    };
    own.namespace == gone.namespace && own.spread.iter().any(counted)
}

/// Whether required anti-affinity of one means the other.
fn keeps_away(own: &Constraints, gone: &Constraints) -> bool {
    let means = |terms: &[PodAffinityTerm], pod: &Constraints| terms.iter().any(|t| t.matches(pod));
    means(&own.anti_affinity, gone) || means(&gone.anti_affinity, own)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::workload::constraints::{HostPort, LabelSelector, Namespaces, Requirement};

    fn by(names: &[&str]) -> Rejectors {
        let mut rejectors = Rejectors::default();
        for name in names {
            rejectors.insert(name);
        }
        rejectors
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
        assert!(deletion_helps(by(&["TaintToleration", "NodeResourcesFit"]), &plain, &plain));
        assert!(!deletion_helps(by(&["TaintToleration", "NodeAffinity"]), &plain, &plain));
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
        assert_eq!(lack_capacity_alone(&all), [true, false, false, true]);
    }

    #[test]
    fn ports_are_freed_by_who_held_them() {
        let with = |port| {
            let port = HostPort { protocol: "TCP".into(), ip: "0.0.0.0".into(), port };
            class(|c| c.host_ports.push(port))
        };
        assert!(deletion_helps(by(&["NodePorts"]), &with(80), &with(80)));
        assert!(!deletion_helps(by(&["NodePorts"]), &with(80), &with(81)));
        assert_eq!(lack_capacity_alone(&[with(80)]), [false]);
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
        assert!(deletion_helps(rejectors, &own, &own));
        assert!(!deletion_helps(rejectors, &own, &class(|c| c.namespace = "b".into())));
        assert!(!deletion_helps(rejectors, &own, &class(|c| c.labels.clear())));
        assert!(!deletion_helps(rejectors, &own, &PodClass::default()));
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
        assert!(deletion_helps(rejectors, &shy, &class(|_| {})));
        assert!(deletion_helps(rejectors, &class(|_| {}), &shy));
        assert!(!deletion_helps(rejectors, &shy, &other));
    }
}
