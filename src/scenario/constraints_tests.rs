//! What the API server would refuse, refused with its place.

use super::tests::{SMALL, parse};
use super::*;

/// Findings for a service with these further lines.
fn findings(lines: &str) -> Vec<String> {
    let service = "    service: { requests: { cpu: 1 }, replicas: 2 }\n";
    let text: String = SMALL
        .lines()
        .map(|line| {
            if line.starts_with("    generate:") {
                format!("{service}{lines}")
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    let source = parse(&text);
    let mut diags = source.diagnostics();
    source.resolve(BASE_CASE, &mut diags);
    diags
        .items()
        .iter()
        .map(|item| {
            let place = item.span().map(|span| diags.sources().place(span).to_string());
            format!("{}: {}", place.unwrap_or_default(), item.message())
        })
        .collect()
}

#[test]
fn node_requirements_are_those_of_the_api() {
    let required = |expression: &str| {
        findings(&format!(
            "    affinity:\n      nodeAffinity:\n        \
             requiredDuringSchedulingIgnoredDuringExecution:\n          nodeSelectorTerms:\n            \
             - {expression}\n"
        ))
    };
    let of = |expression: &str| required(&format!("matchExpressions: [{{ {expression} }}]"));
    for fine in [
        "key: a, operator: In, values: [x, \"\"]",
        "key: a, operator: Exists",
        "key: a, operator: Gt, values: [\"-3\"]",
    ] {
        assert!(of(fine).is_empty(), "{fine}: {:?}", of(fine));
    }
    for (wrong, message) in [
        ("key: a, operator: In", "s.yaml:11:54: `operator: In` needs at least one of `values`"),
        ("key: a, operator: Exists, values: [x]", "`operator: Exists` takes no `values`"),
        (
            "key: a, operator: Gt, values: [x]",
            "`operator: Gt` needs `values` with one whole number",
        ),
        ("key: a, operator: Lt", "`operator: Lt` needs `values` with one whole number"),
        ("key: a, operator: Equals, values: [x]", "unknown value `Equals`"),
    ] {
        let found = of(wrong);
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
        assert!(found[0].ends_with(message), "{found:?}");
    }
    let field = |text: &str| required(&format!("matchFields: [{{ {text} }}]"));
    assert!(field("key: metadata.name, operator: In, values: [a]").is_empty());
    // The columns: twelve spaces, `- matchFields: [{ `, and what is before.
    assert_eq!(
        field("key: metadata.uid, operator: In, values: [a]"),
        ["s.yaml:11:36: `metadata.uid` is no field that can be selected"]
    );
    assert_eq!(
        field("key: metadata.name, operator: In, values: [a, b]"),
        ["s.yaml:11:77: a requirement on a field has exactly one of `values`"]
    );
    assert_eq!(field("key: metadata.name, operator: Exists, values: [a]").len(), 1);
}

#[test]
fn spread_constraints_are_those_of_the_api() {
    let spread = |text: &str| findings(&format!("    topologySpreadConstraints: [{text}]\n"));
    let base = "maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ";
    assert!(spread(&format!("{{ {base}DoNotSchedule, minDomains: 2 }}")).is_empty());
    for (wrong, message) in [
        (
            format!("{{ {base}ScheduleAnyway, minDomains: 2 }}"),
            "`minDomains` needs `whenUnsatisfiable: DoNotSchedule`",
        ),
        (
            format!("{{ {base}DoNotSchedule, matchLabelKeys: [v] }}"),
            "`matchLabelKeys` needs a `labelSelector`",
        ),
        (
            format!(
                "{{ {base}DoNotSchedule, matchLabelKeys: [v], labelSelector: {{ matchLabels: {{ v: a }} }} }}"
            ),
            "`v` is in `labelSelector` already",
        ),
        (
            "{ maxSkew: 0, topologyKey: zone, whenUnsatisfiable: DoNotSchedule }".to_owned(),
            "`0` is too small: at least 1",
        ),
        (
            format!("{{ {base}DoNotSchedule }}, {{ {base}DoNotSchedule }}"),
            "there is another constraint with `topologyKey: zone` and \
             `whenUnsatisfiable: DoNotSchedule`",
        ),
        (
            "{ maxSkew: 1, topologyKey: zone }".to_owned(),
            "this item of the list needs the key `whenUnsatisfiable`",
        ),
    ] {
        let found = spread(&wrong);
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
        assert!(found[0].ends_with(message), "{found:?}");
    }
}

#[test]
fn terms_ports_and_priorities_are_those_of_the_api() {
    let term = |text: &str| {
        findings(&format!(
            "    affinity:\n      podAffinity:\n        \
             requiredDuringSchedulingIgnoredDuringExecution: [{{ {text} }}]\n"
        ))
    };
    assert!(term("topologyKey: zone, labelSelector: {}").is_empty());
    for (found, message) in [
        (term("labelSelector: {}"), "needs the key `topologyKey`"),
        (
            term("topologyKey: z, labelSelector: {}, matchLabelKeys: [a], mismatchLabelKeys: [a]"),
            "`a` is among `matchLabelKeys` and `mismatchLabelKeys`",
        ),
        (findings("    hostPorts: [{ hostPort: 0 }]\n"), "`0` is too small: at least 1"),
        (
            findings("    hostPorts: [{ hostPort: 80, hostIP: here }]\n"),
            "invalid value `here`: invalid IP address syntax",
        ),
        (
            findings("    priority: 1\n    priorityClassName: high\n"),
            "`priority` and `priorityClassName` exclude each other",
        ),
        (
            findings("    terminationGracePeriodSeconds: 5\n"),
            "`terminationGracePeriodSeconds` bounds a `shutdown` time",
        ),
    ] {
        assert_eq!(found.len(), 1, "{message}: {found:?}");
        assert!(found[0].ends_with(message), "{found:?}");
    }
}

#[test]
fn objects_are_those_of_the_api() {
    let objects = |text: &str| {
        let source = parse(&format!("{SMALL}kubernetes: {text}\n"));
        let mut diags = source.diagnostics();
        source.resolve(BASE_CASE, &mut diags);
        diags.items().iter().map(|item| item.message().to_owned()).collect::<Vec<_>>()
    };
    assert!(
        objects("{ podDisruptionBudgets: { a: { selector: {}, minAvailable: 100% } } }").is_empty()
    );
    for (wrong, message) in [
        (
            "{ services: { web: { selector: {} } } }",
            "a Service without labels in its `selector` selects no pods",
        ),
        (
            "{ priorityClasses: { a: { value: 1000000001 } } }",
            "a priority of one's own is at most 1000000000",
        ),
        (
            "{ priorityClasses: { system-x: { value: 1 } } }",
            "`system-x`: the prefix `system-` is reserved",
        ),
        (
            "{ priorityClasses: { a: { value: 1, globalDefault: true }, b: { value: 1, globalDefault: true } } }",
            "`a` is the global default already",
        ),
        (
            "{ podDisruptionBudgets: { a: { selector: {}, minAvailable: 101% } } }",
            "expected a number of pods such as 2, or whole percent such as 50%, found the text `101%`",
        ),
        (
            "{ podDisruptionBudgets: { a: { selector: {}, minAvailable: 1, maxUnavailable: 1 } } }",
            "`minAvailable` and `maxUnavailable` exclude each other",
        ),
        (
            "{ podDisruptionBudgets: { a: { selector: {} } } }",
            "`a` needs one of `minAvailable` or `maxUnavailable`",
        ),
    ] {
        assert_eq!(objects(wrong), [message], "{wrong}");
    }
}

#[test]
fn a_daemonset_takes_labels_and_ports_only() {
    let daemon = |lines: &str| {
        let text = SMALL.replace(
            "pools:\n",
            &format!("  logs:\n    daemonset: {{ requests: {{ cpu: 50m }} }}\n{lines}pools:\n"),
        );
        let source = parse(&text);
        let mut diags = source.diagnostics();
        source.resolve(BASE_CASE, &mut diags);
        diags.items().iter().map(|item| item.message().to_owned()).collect::<Vec<_>>()
    };
    assert!(daemon("    labels: { app: logs }\n    hostPorts: [{ hostPort: 2020 }]\n").is_empty());
    for key in [
        "affinity: {}",
        "priorityClassName: system-node-critical",
        "preemptionPolicy: Never",
        "topologySpreadConstraints: [{ maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule }]",
        "schedulingGates: [{ name: a, removed-after: 1m }]",
        "shutdown: 5s",
        "volumeClaimTemplates: { data: {} }",
    ] {
        let found = daemon(&format!("    {key}\n"));
        assert_eq!(found.len(), 1, "{key}: {found:?}");
        assert!(found[0].contains("has no effect on a daemonset"), "{found:?}");
    }
}

#[test]
fn volumes_belong_to_services_and_to_one_zone() {
    let line = |claims: &str| format!("    volumeClaimTemplates: {{ {claims} }}\n");
    assert!(findings(&line("data: {}, log: { zone: us-east-1a }")).is_empty());
    let two = findings(&line("data: { zone: us-east-1b }, log: { zone: us-east-1a }"));
    let message = "a pod cannot have volumes in two zones, `us-east-1b` and `us-east-1a`";
    assert!(two.len() == 1 && two[0].ends_with(message), "{two:?}");
    let text = SMALL.replace("    generate:", &format!("{}    generate:", line("data: {}")));
    let source = parse(&text);
    let mut diags = source.diagnostics();
    source.resolve(BASE_CASE, &mut diags);
    let found = diags.items();
    assert!(
        found.len() == 1 && found[0].message().contains("has no effect on pods that end"),
        "{}",
        found[0].message()
    );
}

#[test]
fn labels_are_those_of_the_api() {
    for fine in ["{ app: web, example.com/Team_1.x: \"\" }", "{ a: A-b_c.d }"] {
        for key in ["labels", "nodeSelector"] {
            let found = findings(&format!("    {key}: {fine}\n"));
            assert!(found.is_empty(), "{key}: {fine}: {found:?}");
        }
    }
    let long = "a".repeat(64);
    for (lines, message) in [
        ("    labels: { -app: web }\n", "s.yaml:7:15: `-app` is no key of a label: `-` is first"),
        (
            "    labels: { app: my web }\n",
            "s.yaml:7:20: `my web` is no value of a label: ` ` is not",
        ),
        ("    nodeSelector: { a/b/c: x }\n", "s.yaml:7:21: `a/b/c` is no key of a label"),
        (&format!("    labels: {{ app: {long} }}\n"), "it has 64 characters, and 63 are allowed"),
        ("    tolerations: [{ key: a b, operator: Exists }]\n", "s.yaml:7:26: `a b` is no key"),
        ("    tolerations: [{ key: a, value: b/c }]\n", "`b/c` is no value of a label"),
        (
            "    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: \"a:b\", \
             whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { x: y } } }]\n",
            "`a:b` is no key of a label: `:` is not allowed",
        ),
        (
            "    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: a, whenUnsatisfiable: \
             ScheduleAnyway, labelSelector: { matchExpressions: [{ key: x, operator: In, values: \
             [y_] }] } }]\n",
            "`y_` is no value of a label: `_` is last",
        ),
    ] {
        let found = findings(lines);
        assert_eq!(found.len(), 1, "{lines}: {found:?}");
        assert!(found[0].contains(message), "{lines}: {found:?}");
    }
}
