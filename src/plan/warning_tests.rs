//! What a scenario is warned of, and in which cases.

use super::tests::{BOUND, JOB, codes, plan, try_plan, with};
use super::*;
use crate::units::SimDuration;

#[test]
fn doubtful_choices_are_warned_of() {
    let plan = plan(&with(
        JOB,
        "autoscaler: { scan-interval: 20s }
spot: { notice: 1m }
pools:
  p: { asg: { types: [t3.medium, m5.large], min: 1, max: 3 } }
  g: { fixed: { type: m5.large, count: 1 } }
commitments: { sp: { kind: compute-sp, term: 3y, payment: no-upfront, usd-per-hour: 1 } }
cases:
  a: {}
  b: { set: { workload.job.nodeSelector: { disk: ssd } } }
  c: { set: { time.horizon: 30s } }
",
    ));
    let codes = codes(&plan);
    for code in [
        "unscaled-pool",
        "mixed-pool",
        "unused-autoscaler",
        "unused-spot",
        "fits-nowhere",
        "unequal-time",
    ] {
        assert!(codes.contains(&code), "{code}: {:?}", plan.warnings);
    }
    let text = &plan.warnings.iter().find(|w| w.code == "fits-nowhere").expect("is there").text;
    assert!(text.starts_with("s.yaml:6:3: no pool can hold any pod of `job`"), "{text}");
}

/// As in the run: of a label that the instance type gives and the pool states,
/// the pool's value is the node's.
#[test]
fn a_label_of_the_pool_hides_the_one_of_its_type() {
    let key = "beta.kubernetes.io/instance-type";
    let pools = format!(
        "pools: {{ p: {{ fixed: {{ type: m5.large, count: 1 }}, labels: {{ {key}: own }} }} }}\n"
    );
    let term = |value: &str| {
        format!(
            "    affinity: {{ nodeAffinity: {{ requiredDuringSchedulingIgnoredDuringExecution: {{ \
             nodeSelectorTerms: [{{ matchExpressions: [{{ key: {key}, operator: In, values: \
             [{value}] }}] }}] }} }} }}\n"
        )
    };
    for (value, fits) in [("own", true), ("m5.large", false)] {
        for keys in [format!("    nodeSelector: {{ {key}: {value} }}\n"), term(value)] {
            let plan = plan(&with(&format!("{JOB}{keys}"), &pools));
            assert_eq!(!codes(&plan).contains(&"fits-nowhere"), fits, "{keys}");
        }
    }
}

#[test]
fn what_only_preemption_heeds_is_warned_of_where_nothing_preempts() {
    let of = |keys: &str, more: &str| {
        let job = format!("{JOB}    labels: {{ app: a }}\n    shutdown: 5s\n");
        let other = "  other:\n    service: { requests: { cpu: 100m }, replicas: 1 }\n";
        let budget =
            "kubernetes: { podDisruptionBudgets: { a: { selector: {}, minAvailable: 1 } } }\n";
        let pools = "pools: { p: { fixed: { type: m5.large, count: 2 } } }\n";
        let plan = plan(&with(&format!("{job}{other}{keys}"), &format!("{pools}{budget}{more}")));
        codes(&plan).into_iter().filter(|c| c.starts_with("unused-")).collect::<Vec<_>>().join(" ")
    };
    let unused = "unused-shutdown unused-budgets";
    assert_eq!(of("", ""), unused);
    assert_eq!(of("    priority: 5\n", ""), "");
    assert_eq!(of("    priority: 5\n    preemptionPolicy: Never\n", ""), unused);
    // The job may preempt what is below it.
    assert_eq!(of("    priority: -5\n    preemptionPolicy: Never\n", ""), "");
    let cases = "cases: { a: {}, b: { set: { workload.other.priority: 5 } } }\n";
    assert_eq!(of("", cases), "");
}

#[test]
fn transforms_that_nothing_follows_are_warned_of() {
    let given = "thin: 50%\nresample: { days: 2 }\n";
    assert_eq!(codes(&plan(&format!("{BOUND}{given}"))), ["unused-thin", "unused-resample"]);
    // Some case has drawn pods.
    let job = "cases:
  a: {}
  b:
    set:
      workload.job.generate:
        count: 1
        arrivals: { even: { every: 1m } }
        duration: 10m
        shapes: [{ cpu: 1, memory: 1Gi }]
";
    let codes_of = codes(&plan(&format!("{BOUND}thin: 50%\n{job}"))).join(" ");
    assert!(!codes_of.contains("unused-thin"), "{codes_of}");
    let alone = "cases: { a: { remove: [workload.web] } }\ngrowth: 120%\n";
    assert!(codes(&plan(&format!("{BOUND}{alone}"))).contains(&"unused-growth"));
}

#[test]
fn a_pool_without_nodes_and_memory_without_a_unit_are_warned_of() {
    let none = "pools: { p: { asg: { types: [m5.large], max: 0 } } }\n";
    assert!(codes(&plan(&with(JOB, none))).contains(&"fits-nowhere"));
    let bare = JOB.replace("1Gi", "512");
    assert_ne!(bare, JOB);
    let plan = plan(&with(&bare, "pools: { g: { fixed: { type: m5.large, count: 1 } } }\n"));
    let text = plan.warnings.iter().find(|w| w.code == "small-memory").map(|w| w.text.as_str());
    assert!(text.is_some_and(|t| t.contains("`512` is 512 bytes")), "{:?}", plan.warnings);
}

#[test]
fn a_batch_on_fargate_warns_of_completed_pods() {
    let pool = "pools: { f: { fargate: { match: { namespace: \"*\" } } } }\n";
    assert_eq!(codes(&plan(&with(JOB, pool))), ["fargate-job-retention"]);
    let kept = pool.replace("\"*\" }", "\"*\" }, job-retention: 5m");
    let plan = plan(&with(JOB, &kept));
    assert!(codes(&plan).is_empty(), "{:?}", plan.warnings);
    assert_eq!(plan.cases[0].setup.cluster.fargate[0].job_retention, SimDuration(300_000));
}

/// A warning that some cases give says which; one that all give does not.
#[test]
fn warnings_name_their_cases() {
    let text = "version: 1
name: t
region: us-east-1
time: { horizon: 1h }
workload:
  a: { service: { requests: { cpu: 1, memory: 1Gi }, replicas: 2 } }
pools:
  p: { fixed: { type: m5.large, count: 3 } }
allocation: { by-label: { team: {} } }
cases:
  one: {}
  two: { set: { allocation.by-label.app: {} } }
  three:
    set:
      commitments.plan: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 }
";
    let plan = plan(text);
    let told = |code: &str| -> Vec<&str> {
        plan.warnings.iter().filter(|w| w.code == code).map(|w| w.text.as_str()).collect()
    };
    let labels = told("unknown-label");
    assert_eq!(labels.len(), 2, "{labels:?}");
    assert!(labels[0].ends_with("carries the label `team`"), "{labels:?}");
    assert!(labels[1].ends_with("carries the label `app` (case two)"), "{labels:?}");
    let prices = told("representative-prices");
    assert!(prices.len() == 1 && prices[0].ends_with(" (case three)"), "{prices:?}");
    // Alone it is told from no other.
    let options = Options { cases: Some(vec!["three".to_owned()]), ..Options::default() };
    let alone = try_plan(text, &options).expect("links");
    assert!(!alone.warnings.iter().any(|w| w.text.contains("(case")), "{:?}", alone.warnings);
}
