//! Containers injected into pods, and which pods get them.

use super::fargate::{labels_of, meant};
use super::notes::Notes;
use super::workloads::mean_usage;
use crate::scenario::{self, Scenario, Spanned, WorkloadKind, quote};
use crate::workload::Usage;
use crate::workload::plan::{Content, PlannedWorkload};
use crate::workload::pod_match::{PodMatch, labels_match};
use crate::workload::sidecar::Sidecar;

/// Links the sidecars of a scenario.
pub(super) fn link(
    scenario: &Scenario,
    planned: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) -> Vec<Sidecar> {
    let mut linked = Vec::new();
    for (name, it) in scenario.sidecars.iter() {
        if scenario.workload.get(&name.value).is_some() {
            let message = format!("a workload and a sidecar are both called {}", quote(name));
            notes
                .diags
                .error(name.span, message)
                .help("costs are accounted by name: choose another one");
        }
        let pods = match &it.rules {
            Some(rules) => rules.iter().map(|rule| pod_match(rule, scenario, notes)).collect(),
            None => vec![PodMatch { namespace: "*".to_owned(), ..PodMatch::default() }],
        };
        let sidecar = Sidecar {
            name: name.value.clone(),
            cpu: it.requests.value.cpu.map(|cpu| cpu.value),
            memory: it.requests.value.memory.map(|memory| memory.value),
            usage: it.usage.as_ref().map_or_else(Usage::default, mean_usage),
            pods,
        };
        warn_of_none(name, it, &sidecar, planned, notes);
        linked.push(sidecar);
    }
    linked
}

fn pod_match(
    rule: &Spanned<scenario::SidecarMatch>,
    scenario: &Scenario,
    notes: &mut Notes<'_>,
) -> PodMatch {
    if let Some(workload) = &rule.value.workload {
        let known = scenario.workload.get(&workload.value).map(|w| &w.kind);
        let message = match known {
            None => Some(format!("there is no workload {}", quote(workload))),
            Some(WorkloadKind::DaemonSet(_)) => {
                Some(format!("{} is a DaemonSet, which gets no sidecars", quote(workload)))
            }
            Some(_) => None,
        };
        if let Some(message) = message {
            let error = notes.diags.error(workload.span, message);
            if known.is_none() {
                error.suggest(workload, scenario.workload.names());
            }
        }
    }
    let labels: Vec<(String, String)> = rule
        .value
        .labels
        .iter()
        .map(|(key, value)| (key.value.clone(), value.value.0.clone()))
        .collect();
    let workloads = meant(scenario, |name, it| {
        rule.value.workload.as_ref().is_none_or(|w| w.value == name)
            && labels_match(&labels, &labels_of(it))
    });
    let namespace = rule.value.namespace.as_ref().map_or("*", |n| &n.value).to_owned();
    PodMatch { namespace, labels, workloads }
}

/// Warns of a sidecar that joins no pod.
fn warn_of_none(
    name: &Spanned<String>,
    it: &scenario::Sidecar,
    sidecar: &Sidecar,
    planned: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) {
    let all: Vec<(&str, &str)> = planned
        .iter()
        .flat_map(|w| namespaces(&w.content).into_iter().map(|n| (w.name.as_str(), n)))
        .collect();
    if all.iter().any(|(workload, namespace)| sidecar.joins(workload, namespace)) {
        return;
    }
    let message = format!("no pod gets the sidecar {}", quote(name));
    let stated = it.rules.iter().flat_map(|r| r.iter()).find_map(|r| r.value.namespace.as_ref());
    let span = stated.map_or(name.span, |n| n.span);
    let warning = notes.diags.warning("joins-nothing", span, message);
    if let Some(namespace) = stated {
        let mut known: Vec<&str> = all.iter().map(|(_, namespace)| *namespace).collect();
        known.sort_unstable();
        known.dedup();
        warning.suggest(&namespace.value, known);
    }
}

/// Namespaces of the pods that may get sidecars.
fn namespaces(content: &Content) -> Vec<&str> {
    match content {
        Content::Trace(data) => data.shapes.iter().map(|s| s.namespace.as_str()).collect(),
        Content::Generator(it) => vec![it.namespace.as_str()],
        Content::Service(it) => vec![it.pod.namespace.as_str()],
        Content::Daemon(_) => Vec::new(),
    }
}
