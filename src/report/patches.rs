//! Kubernetes patches for what rightsizing advises.
//!
//! Strategic-merge patches as `kubectl patch --patch-file` takes them. They
//! name containers, because that is what the API merges lists by; where an
//! export does not tell their names, the workload's own stands in, with a
//! comment: the API server refuses a patch for a container that does not
//! exist, since it would be one without an image.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::rightsize::label;
use super::text;
use crate::advise::{FittedRow, Rightsized};
use crate::workload::WorkloadKind;
use crate::workload::rightsize::{Advice, Resource};
use crate::workload::usage::owner::OwnerKind;

/// Patch files, and edits that none covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patches {
    /// File names and texts, in the order of the rows.
    pub files: Vec<(String, String)>,
    /// Edits without a patch: pods of traces have no object to patch.
    pub uncovered: Vec<String>,
}

/// A patch for every edit of a service or `DaemonSet`.
#[must_use]
pub fn patches(it: &Rightsized) -> Patches {
    let mut out = Patches::default();
    let mut taken = BTreeSet::new();
    for (_, row) in it.edits() {
        let Some(text) = patch(row) else {
            out.uncovered.push(label(row));
            continue;
        };
        let (namespace, name) = object(row);
        let stem = format!("{}-{}", file_part(namespace), file_part(name));
        // Names that differ only in what a file name cannot hold stay apart.
        let mut file = format!("{stem}.yaml");
        let mut n = 2;
        while !taken.insert(file.clone()) {
            file = format!("{stem}-{n}.yaml");
            n += 1;
        }
        out.files.push((file, text));
    }
    out
}

/// A name as part of a file name: never empty, hidden or longer than 100.
fn file_part(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let part: String = name.trim_start_matches('.').chars().take(100).map(plain).collect();
    if part.is_empty() { "_".to_owned() } else { part }
}

/// Namespace and name of the object: the owner of the series, else a workload
/// that is named `namespace.name` is that object's.
fn object(row: &FittedRow) -> (&str, &str) {
    let fitting = &row.fitting;
    if let Some(owner) = &fitting.owner {
        return (&fitting.namespace, owner);
    }
    let own = fitting.workload.strip_prefix(&fitting.namespace).and_then(|n| n.strip_prefix('.'));
    (&fitting.namespace, own.filter(|n| !n.is_empty()).unwrap_or(&fitting.workload))
}

/// A scalar in double quotes, which YAML reads as JSON does.
fn quoted(name: &str) -> String {
    serde_json::Value::from(text::name(name)).to_string()
}

fn patch(row: &FittedRow) -> Option<String> {
    let fitting = &row.fitting;
    let (kind, certain) = match fitting.kind {
        WorkloadKind::Service => match fitting.controller {
            Some(OwnerKind::StatefulSet) => ("StatefulSet", true),
            known => ("Deployment", known == Some(OwnerKind::Deployment)),
        },
        WorkloadKind::Daemon => ("DaemonSet", true),
        WorkloadKind::Batch => return None,
    };
    let (namespace, name) = object(row);
    let known = fitting.containers.iter().any(|c| !c.name.is_empty());
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# Requests of {} fitted to usage.", text::name(&fitting.workload));
    if !certain {
        out += "# Neither scenario nor pod names tell a Deployment from a StatefulSet: if it is one,\n\
                # write `kind: StatefulSet` and patch `statefulset` instead.\n";
    }
    if known {
        let n = fitting.containers.len();
        let _ = writeln!(out, "# Covers the {n} containers whose usage is known.");
    } else {
        out += "# Usage is known of whole pods, not of containers: the container's name is taken\n\
                # from the workload and the advice is for all containers together. Correct both\n\
                # where a pod has several; a wrong name is refused, nothing is changed.\n";
    }
    let _ = writeln!(
        out,
        "# kubectl patch {} -n {} {} --type strategic --patch-file FILE",
        kind.to_lowercase(),
        text::name(namespace),
        text::name(name),
    );
    let _ = write!(
        out,
        "apiVersion: apps/v1\nkind: {kind}\nmetadata:\n  name: {}\n  namespace: {}\nspec:\n  \
         template:\n    spec:\n      containers:\n",
        quoted(name),
        quoted(namespace),
    );
    let mut any = false;
    if known {
        for container in fitting.containers.iter().filter(|c| !c.name.is_empty()) {
            any |= resources(&mut out, &container.name, &container.cpu, &container.memory);
        }
    } else {
        any |= resources(&mut out, name, &fitting.cpu, &fitting.memory);
    }
    any.then_some(out)
}

/// One container's resources, where any change.
fn resources(out: &mut String, name: &str, cpu: &Advice, memory: &Advice) -> bool {
    let edits: Vec<(Resource, &Advice, i64)> = [cpu, memory]
        .into_iter()
        .filter(|a| a.is_edit())
        .filter_map(|a| Some((a.resource, a, a.request.ok()?)))
        .collect();
    if edits.is_empty() {
        return false;
    }
    let _ = write!(
        out,
        "        - name: {}\n          resources:\n            requests:\n",
        quoted(name)
    );
    for (resource, _, request) in &edits {
        let quantity = quoted(&resource.quantity(*request));
        let _ = writeln!(out, "              {}: {quantity}", resource.name());
    }
    let limits: Vec<(Resource, i64)> = edits
        .iter()
        .filter_map(|(r, a, _)| Some((*r, a.limit.filter(|l| Some(*l) != a.current.limit)?)))
        .collect();
    if !limits.is_empty() {
        out.push_str("            limits:\n");
        for (resource, limit) in limits {
            let quantity = quoted(&resource.quantity(limit));
            let _ = writeln!(out, "              {}: {quantity}", resource.name());
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::charts::tests::EVIL;
    use super::super::rightsize::sample::{advised, rightsized};
    use super::*;
    use crate::workload::rightsize::ContainerFitting;

    #[test]
    fn a_patch_is_what_kubectl_takes() {
        let mut it = rightsized("shop.web");
        it.rows[0].fitting.containers = ["app", "proxy"]
            .map(|name| ContainerFitting {
                name: name.to_owned(),
                cpu: advised(Resource::Cpu, Some(250), 115),
                memory: advised(Resource::Memory, Some(1 << 29), 1 << 29),
            })
            .to_vec();
        let patches = patches(&it);
        let names: Vec<&str> = patches.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["shop-web.yaml", "shop-agent.yaml"]);
        assert_eq!(patches.uncovered, ["batch #1"]);
        let web = &patches.files[0].1;
        let body: Vec<&str> = web.lines().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(
            body.join("\n"),
            "apiVersion: apps/v1
kind: Deployment
metadata:
  name: \"web\"
  namespace: \"shop\"
spec:
  template:
    spec:
      containers:
        - name: \"app\"
          resources:
            requests:
              cpu: \"115m\"
            limits:
              cpu: \"230m\"
        - name: \"proxy\"
          resources:
            requests:
              cpu: \"115m\"
            limits:
              cpu: \"230m\""
        );
        assert!(web.contains("# Covers the 2 containers"), "{web}");
        let agent = &patches.files[1].1;
        assert!(agent.contains("kind: DaemonSet") && agent.contains("of whole pods"), "{agent}");
    }

    #[test]
    fn odd_names_stay_within_their_quotes_and_directory() {
        for name in [EVIL, "../../etc/passwd", "a: b\n- c", "..", "\"", ""] {
            let it = rightsized(name);
            let patches = patches(&it);
            let (file, text) = &patches.files[0];
            assert!(!file.contains(['/', '\\', '\0']) && !file.starts_with('.'), "{file}");
            let yaml: serde_json::Value = serde_saphyr::from_str(text).expect("YAML");
            assert_eq!(yaml["metadata"]["name"], text::name(name), "{text}");
            assert_eq!(
                yaml["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"],
                "230m"
            );
        }
        // Two names that a file name cannot tell apart.
        let mut it = rightsized("a/b");
        it.rows[1].fitting.workload = "a?b".to_owned();
        let names: Vec<String> = patches(&it).files.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["shop-a_b.yaml", "shop-a_b-2.yaml"]);
    }
}
