//! Which pods something outside of them means, by namespace and labels.

use crate::names::wildcard;

/// A selector of pods whose labels are those of their workload, so that which
/// workloads it means is known before any pod is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodMatch {
    /// Namespace, with `*` and `?` as wildcards.
    pub namespace: String,
    /// Labels as they were stated, with wildcards in keys and values; what they
    /// mean is in `workloads`.
    pub labels: Vec<(String, String)>,
    /// Only pods of these workloads; of all where `None`.
    pub workloads: Option<Vec<String>>,
}

impl PodMatch {
    /// Whether a pod of this workload and namespace is meant.
    #[must_use]
    pub fn matches(&self, workload: &str, namespace: &str) -> bool {
        self.workloads.as_ref().is_none_or(|all| all.iter().any(|w| w == workload))
            && wildcard(&self.namespace, namespace)
    }
}

/// Whether the labels of a pod satisfy all of a selector's; `*` and `?` are
/// wildcards in keys and values.
#[must_use]
pub fn labels_match(wanted: &[(String, String)], labels: &[(&str, &str)]) -> bool {
    let has =
        |key: &str, value: &str| labels.iter().any(|(k, v)| wildcard(key, k) && wildcard(value, v));
    wanted.iter().all(|(key, value)| has(key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_have_wildcards() {
        let of = |namespace: &str| PodMatch { namespace: namespace.into(), ..PodMatch::default() };
        for (pattern, text, want) in [
            ("*", "prod", true),
            ("prod-*", "prod-web", true),
            ("prod-?", "prod-web", false),
            ("p?od", "prod", true),
            ("*b*", "prod-web", true),
            ("prod", "prod-web", false),
            ("*-a-*-b", "x-a-a-b-b", true),
            ("", "", true),
        ] {
            assert_eq!(of(pattern).matches("w", text), want, "{pattern} {text}");
        }
        let only = PodMatch { workloads: Some(vec!["web".into()]), ..of("*") };
        assert!(only.matches("web", "x") && !only.matches("batch", "x"));
    }

    #[test]
    fn all_labels_must_match() {
        let pod = [("app", "web-1"), ("tier", "front")];
        let of = |wanted: &[(&str, &str)]| {
            let wanted: Vec<_> =
                wanted.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            labels_match(&wanted, &pod)
        };
        assert!(of(&[]));
        assert!(of(&[("app", "web-?"), ("tier", "*")]));
        assert!(of(&[("ti*", "front")]));
        assert!(!of(&[("app", "web-?"), ("tier", "back")]));
        assert!(!of(&[("zone", "*")]));
    }
}
