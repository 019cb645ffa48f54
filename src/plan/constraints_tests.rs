//! Which constraints classes carry, from whole scenarios.

use std::path::Path;
use std::sync::Arc;

use crate::plan::{Options, Plan, link};
use crate::scenario::Source;
use crate::workload::constraints::{
    Constraints, LabelSelector, Namespaces, Operator, Requirement, label,
};
use crate::workload::{PodClass, Workloads};

/// A scenario of these workloads on one node, with further lines.
fn plan(workloads: &str, more: &str) -> Plan {
    let text = format!(
        "version: 1\nname: t\nregion: us-east-1\ntime: {{ horizon: 1h }}\nworkload:\n{workloads}\
         pools: {{ p: {{ fixed: {{ type: m5.large, count: 1 }}, labels: {{ rack: a }} }} }}\n{more}"
    );
    let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("YAML");
    link(&source, &Options::default()).unwrap_or_else(|e| panic!("{text}\n{e}"))
}

fn tables(plan: &Plan) -> Arc<Workloads> {
    plan.cases[0].workload.materialise(1).expect("tables")
}

/// The class of a workload's first template.
fn class<'w>(workloads: &'w Workloads, name: &str) -> &'w PodClass {
    let of =
        |t: &&crate::workload::PodTemplate| workloads.workloads[t.workload.index()].name == name;
    let template = workloads.templates.iter().find(of).expect("a template");
    &workloads.classes[template.class.index()]
}

fn constraints<'w>(workloads: &'w Workloads, name: &str) -> &'w Constraints {
    class(workloads, name).constraints.as_ref().unwrap_or_else(|| panic!("{name} has constraints"))
}

fn equals(pairs: &[(&str, &str)]) -> LabelSelector {
    let requirements = pairs.iter().map(|(key, value)| Requirement::equals(key, value)).collect();
    LabelSelector { requirements }
}

const JOB: &str = "    generate: { count: 3, arrivals: { even: { every: 1m } }, duration: 1m, \
                   shapes: [{ cpu: 1, memory: 1Gi }] }\n";
const WEB: &str = "    service: { requests: { cpu: 1, memory: 1Gi }, replicas: 2 }\n";

#[test]
fn pods_that_nothing_means_carry_nothing() {
    let workloads = format!(
        "  seen:\n{JOB}    labels: {{ app: seen }}\n  unseen:\n{JOB}    labels: {{ app: other }}\n  \
         elsewhere:\n{JOB}    labels: {{ app: seen }}\n    namespace: far\n  web:\n{WEB}    \
         affinity:\n      podAntiAffinity:\n        requiredDuringSchedulingIgnoredDuringExecution:\n\
         {:10}- {{ labelSelector: {{ matchLabels: {{ app: seen }} }}, topologyKey: rack }}\n",
        ""
    );
    let tables = tables(&plan(&workloads, ""));
    assert!(class(&tables, "unseen").constraints.is_none());
    assert!(class(&tables, "elsewhere").constraints.is_none());
    let seen = constraints(&tables, "seen");
    assert_eq!((seen.namespace.as_str(), label(&seen.labels, "app")), ("default", Some("seen")));
    assert!(seen.default_spread.is_none() && seen.anti_affinity.is_empty());
    let term = &constraints(&tables, "web").anti_affinity[0];
    assert_eq!(term.namespaces, Namespaces::Listed(vec!["default".into()]));
    assert_eq!(term.selector, Some(equals(&[("app", "seen")])));
}

#[test]
fn a_budget_knows_its_pods_by_their_labels() {
    let workloads = format!("  a:\n{JOB}    labels: {{ app: a }}\n  b:\n{JOB}");
    let budget = "kubernetes: { podDisruptionBudgets: { a: { selector: { matchLabels: { app: a } }, \
                  maxUnavailable: 1 } } }\n";
    let tables = tables(&plan(&workloads, budget));
    assert!(class(&tables, "b").constraints.is_none());
    assert!(tables.budgets[0].guards(constraints(&tables, "a")));
}

#[test]
fn services_spread_the_pods_that_they_select() {
    let workloads = format!("  a:\n{JOB}    labels: {{ app: a, tier: x }}\n  b:\n{JOB}");
    let services = "kubernetes: { services: { one: { selector: { app: a } }, two: { selector: { \
                    tier: x } }, far: { namespace: far, selector: { app: a } }, not: { selector: { \
                    app: a, tier: y } } } }\n";
    let tables = tables(&plan(&workloads, services));
    assert_eq!(
        constraints(&tables, "a").default_spread,
        Some(equals(&[("app", "a"), ("tier", "x")]))
    );
    assert!(class(&tables, "b").constraints.is_none());
}

#[test]
fn namespaces_are_selected_by_labels_and_by_name() {
    let term = |namespaces: &str| {
        let workloads = format!(
            "  web:\n{WEB}    affinity:\n      podAffinity:\n        \
             requiredDuringSchedulingIgnoredDuringExecution:\n          - labelSelector: {{}}\n            \
             topologyKey: rack\n{namespaces}  job:\n{JOB}    namespace: jobs\n"
        );
        let objects = "kubernetes: { namespaces: { a: { labels: { team: x } }, b: { labels: { team: y \
                       } }, c: { labels: { team: x } } } }\n";
        let tables = tables(&plan(&workloads, objects));
        constraints(&tables, "web").affinity[0].namespaces.clone()
    };
    let listed = |names: &[&str]| Namespaces::Listed(names.iter().map(|n| (*n).into()).collect());
    assert_eq!(term(""), listed(&["default"]));
    assert_eq!(term("            namespaces: [c, a, c]\n"), listed(&["a", "c"]));
    assert_eq!(term("            namespaceSelector: {}\n"), Namespaces::All);
    let by_team = "            namespaceSelector: { matchLabels: { team: x } }\n";
    assert_eq!(term(by_team), listed(&["a", "c"]));
    assert_eq!(term(&format!("            namespaces: [b]\n{by_team}")), listed(&["a", "b", "c"]));
    let by_name = "            namespaceSelector: { matchExpressions: [{ key: \
                   kubernetes.io/metadata.name, operator: In, values: [jobs] }] }\n";
    assert_eq!(term(by_name), listed(&["jobs"]));
}

#[test]
fn label_keys_are_folded_into_selectors() {
    let workloads = format!(
        "  web:\n{WEB}    labels: {{ app: web, version: \"2\" }}\n    topologySpreadConstraints:\n      \
         - maxSkew: 2\n        topologyKey: rack\n        whenUnsatisfiable: DoNotSchedule\n        \
         labelSelector: {{ matchLabels: {{ app: web }} }}\n        matchLabelKeys: [version, absent]\n        \
         minDomains: 3\n        nodeTaintsPolicy: Honor\n    affinity:\n      podAntiAffinity:\n        \
         preferredDuringSchedulingIgnoredDuringExecution:\n          - weight: 7\n            \
         podAffinityTerm: {{ labelSelector: {{ matchLabels: {{ app: web }} }}, topologyKey: rack, \
         mismatchLabelKeys: [version] }}\n"
    );
    let tables = tables(&plan(&workloads, ""));
    let web = constraints(&tables, "web");
    let spread = &web.spread[0];
    assert_eq!(spread.selector, Some(equals(&[("app", "web"), ("version", "2")])));
    assert_eq!((spread.max_skew, spread.min_domains, spread.hard), (2, 3, true));
    assert!(spread.honor_affinity && spread.honor_taints);
    assert!(web.default_spread.is_none(), "its own constraints take the place of the defaults");
    let preferred = &web.preferred_anti_affinity[0];
    let selector = preferred.term.selector.as_ref().expect("one");
    assert_eq!(preferred.weight, 7);
    assert_eq!(selector.requirements[1].operator, Operator::NotIn);
    assert_eq!(selector.requirements[1].values, ["2"]);
}

#[test]
fn priorities_have_names() {
    let workloads = format!(
        "  a:\n{JOB}    priorityClassName: high\n  b:\n{JOB}    priorityClassName: \
         system-node-critical\n  c:\n{JOB}  d:\n{JOB}    priority: 5\n    preemptionPolicy: Never\n  \
         e:\n{JOB}    priorityClassName: high\n    preemptionPolicy: PreemptLowerPriority\n"
    );
    let objects = "kubernetes: { priorityClasses: { high: { value: 100, preemptionPolicy: Never }, \
                   low: { value: -1, globalDefault: true } } }\n";
    let tables = tables(&plan(&workloads, objects));
    let of = |name| {
        let class = class(&tables, name);
        (class.priority, class.never_preempts)
    };
    assert_eq!(of("a"), (100, true));
    assert_eq!(of("b"), (2_000_001_000, false));
    assert_eq!(of("c"), (-1, false));
    assert_eq!(of("d"), (5, true));
    assert_eq!(of("e"), (100, false));
}

#[test]
fn what_no_node_can_satisfy_is_told() {
    let workloads = format!(
        "  a:\n{JOB}    affinity:\n      nodeAffinity:\n        \
         requiredDuringSchedulingIgnoredDuringExecution:\n          nodeSelectorTerms: [{{ \
         matchExpressions: [{{ key: rack, operator: NotIn, values: [a] }}] }}]\n  b:\n{JOB}    \
         topologySpreadConstraints: [{{ maxSkew: 1, topologyKey: rak, whenUnsatisfiable: \
         DoNotSchedule }}]\n"
    );
    let codes: Vec<&str> = plan(&workloads, "").warnings.iter().map(|w| w.code).collect();
    assert_eq!(codes, ["fits-nowhere", "no-topology"]);
}

#[test]
fn gates_and_shutdown_make_the_life_of_a_pod() {
    let workloads = format!(
        "  a:\n{JOB}    schedulingGates: [{{ name: x, removed-after: 1m }}, {{ name: y, \
         removed-after: 3m }}]\n    shutdown: 90s\n"
    );
    let plan = plan(&workloads, "");
    let life = tables(&plan).templates[0].life;
    assert_eq!((life.gated_for.0, life.exit.0), (180_000, 30_000));
}

#[test]
fn only_owners_that_the_scheduler_looks_at_spread_their_pods() {
    let spread = |controller: &str| {
        let service = format!("requests: {{ cpu: 1 }}, replicas: 1{controller}");
        let workloads = format!("  web:\n    service: {{ {service} }}\n");
        let tables = tables(&plan(&workloads, ""));
        let class = class(&tables, "web").clone();
        class.constraints.is_some_and(|c| c.default_spread.is_some())
    };
    assert!(spread("") && spread(", controller: StatefulSet"));
    assert!(!spread(", controller: Job") && !spread(", controller: other"));
}

#[test]
fn selectors_of_no_pods_are_told() {
    let workloads = format!(
        "  a:\n{JOB}    labels: {{ app: a, tier: x }}\n  b:\n{JOB}    affinity: {{ podAffinity: {{ \
         requiredDuringSchedulingIgnoredDuringExecution: [{{ topologyKey: \
         kubernetes.io/hostname, labelSelector: {{ matchLabels: {{ app: c }} }} }}] }} }}\n"
    );
    let objects = "kubernetes:
  services:
    fine: { selector: { app: a, tier: x } }
    lost: { selector: { app: a, tier: y } }
    gone: { selector: { app: z } }
    hash: { selector: { pod-template-hash: abc } }
  podDisruptionBudgets:
    all: { selector: {}, minAvailable: 1 }
    others: { selector: { matchExpressions: [{ key: app, operator: NotIn, values: [q] }] }, minAvailable: 1 }
    none: { selector: { matchExpressions: [{ key: zone, operator: Exists }] }, minAvailable: 1 }
";
    let told: Vec<String> = plan(&workloads, objects)
        .warnings
        .into_iter()
        .filter(|w| w.code == "selects-nothing")
        .map(|w| w.text)
        .collect();
    for (text, says) in told.iter().zip([
        "`b` must be near pods that do not exist",
        "Services `lost`, `gone` select no pods: no workload has such `labels`",
        "PodDisruptionBudget `none` selects no pods: no workload has such `labels`",
    ]) {
        assert!(text.contains(says), "{told:?}");
    }
    assert_eq!(told.len(), 3, "{told:?}");
}
