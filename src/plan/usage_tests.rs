//! The scenario key `usage`, from text to what the simulation gets.

use super::*;
use crate::units::{Bytes, MilliCpu};
use crate::workload::Usage;
use crate::workload::plan::Content;

const SCENARIO: &str = "
version: 1
name: t
region: us-east-1
time: { horizon: 1d }
workload:
  web:
    namespace: shop
    service: { requests: { cpu: 500m, memory: 1Gi }, replicas: 2 }
  stated:
    namespace: shop
    service: { requests: { cpu: 500m, memory: 1Gi }, replicas: 2, usage: { cpu: 7m, memory: 7Mi } }
  agent:
    namespace: kube-system
    daemonset: { requests: { cpu: 100m, memory: 64Mi } }
pools: { p: { fixed: { type: m5.large, count: 2 } } }
";

const USAGE: &str = "start,seconds,namespace,workload,pod,cpu_avg,memory_avg
0,60,shop,,web-6cb6dfb9d4-tksts,100m,100Mi
0,60,shop,,web-6cb6dfb9d4-b22fn,0.0211,300Mi
0,60,shop,stated,,50m,50Mi
0,60,kube-system,,agent-k2btc,1500u,
0,60,shop,,cart-0,1,1Gi
";

/// Links a scenario beside a usage table.
fn try_plan(rest: &str, table: &str) -> crate::Result<Plan> {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("u.csv"), table).expect("a file");
    std::fs::write(dir.path().join("s.yaml"), format!("{SCENARIO}{rest}")).expect("a file");
    load(&dir.path().join("s.yaml"), &Options::default())
}

fn usage_of(plan: &Plan, case: usize, name: &str) -> Usage {
    let all = plan.cases[case].workload.workloads();
    match &all.iter().find(|w| w.name == name).expect("a workload").content {
        Content::Service(s) => s.usage,
        Content::Daemon(d) => d.usage,
        other => panic!("{other:?}"),
    }
}

#[test]
fn usage_is_joined_and_fills_what_is_not_stated() {
    let rest = "usage: { prod: { files: u.csv } }\n\
        cases: { today: {}, bare: { remove: [usage.prod] } }\n";
    let plan = try_plan(rest, USAGE).expect("links");
    let joined = &plan.cases[0].usage;
    assert_eq!(joined.workloads().collect::<Vec<_>>(), ["agent", "stated", "web"]);
    assert_eq!(joined.series("web").count(), 2);
    // (100 + 21.1) / 2 = 60.55 to the nearest milli-core.
    let (cpu, memory) = (Some(MilliCpu(61)), Some(Bytes(200 << 20)));
    assert_eq!(usage_of(&plan, 0, "web"), Usage { cpu, memory });
    let stated = Usage { cpu: Some(MilliCpu(7)), memory: Some(Bytes(7 << 20)) };
    assert_eq!(usage_of(&plan, 0, "stated"), stated);
    assert_eq!(usage_of(&plan, 0, "agent"), Usage { cpu: Some(MilliCpu(2)), memory: None });
    // Without the source nothing is known, and that is another simulation.
    assert_eq!(usage_of(&plan, 1, "web"), Usage::default());
    assert!(plan.cases[1].usage.is_empty());
    assert_ne!(plan.cases[0].sim_key, plan.cases[1].sim_key);

    assert_eq!(plan.inputs[1].path, "u.csv");
    assert_eq!(plan.usage.len(), 1);
    assert_eq!((plan.usage[0].rows, plan.usage[0].series), (5, 5));
    let warning = plan.warnings.iter().find(|w| w.code == "usage-unjoined").expect("warned");
    assert!(warning.text.contains("1 of 5 series belong to no workload"), "{}", warning.text);
    assert!(warning.text.contains("shop/cart-0"), "{}", warning.text);
    assert_eq!(
        usage_coverage(&plan.cases[0]),
        [
            "of 3 workloads 3 request cpu, 3 memory, 3 have usage",
            "usage prod: 4 series joined to workloads, 1 to none, 0 known from an earlier source",
        ]
    );
    assert!(usage_coverage(&plan.cases[1]).is_empty());
    let settings = &plan.cases[0].settings;
    let setting = settings.iter().find(|s| s.path == "workload.web.service.usage.cpu");
    assert_eq!(setting.expect("is a setting").value, "61m");
}

#[test]
fn a_match_decides_whose_series_it_is() {
    let rest =
        "usage: { prod: { files: [u.csv], format: native, match: { web: { pod: cart-* } } } }\n";
    let plan = try_plan(rest, USAGE).expect("links");
    assert_eq!(usage_of(&plan, 0, "web").cpu, Some(MilliCpu(1_000)));
    let odd = "usage: { prod: { files: u.csv, match: { wbe: { pod: x } } } }\n";
    let error = try_plan(odd, USAGE).expect_err("no such workload").to_string();
    assert!(error.contains("there is no workload `wbe`"), "{error}");
    assert!(error.contains("did you mean `web`?"), "{error}");
}

#[test]
fn what_cannot_be_read_is_an_error_at_its_file() {
    for (rest, table, words) in [
        ("usage: { prod: { files: v.csv } }\n", USAGE, "cannot read"),
        ("usage: { prod: { files: u.csv } }\n", "a,b\n", "cannot tell the format of `u.csv`"),
        (
            "usage: { prod: { files: u.csv, format: cluster-hourly } }\n",
            USAGE,
            "it lacks the columns",
        ),
        (
            "usage: { prod: { prometheus: { cpu-usage: u.csv } } }\n",
            USAGE,
            "is no query_range answer",
        ),
        ("usage: { prod: { prometheus: { step: 1m } } }\n", USAGE, "`prometheus` names no file"),
        (
            "usage: { prod: { files: u.csv, match: { web: {} } } }\n",
            USAGE,
            "a match needs a namespace",
        ),
        ("usage: { prod: { format: native } }\n", USAGE, "files"),
    ] {
        let error = try_plan(rest, table).expect_err("refused").to_string();
        assert!(error.contains(words) && error.contains("s.yaml:"), "{words}: {error}");
    }
}

#[test]
fn doubts_about_a_table_are_warnings() {
    let rest = "usage: { prod: { files: u.csv, on-bad-row: quarantine } }\n";
    let table = "start,seconds,namespace,workload,pod,cpu_avg,cpu_request
0,60,shop,web,a,250,250m
0,60,shop,web,a,250,250m
0,60,shop,web,b,300,250m
0,60,shop,web,c,300,250m
x,60,shop,web,d,1,1
";
    let plan = try_plan(rest, table).expect("links");
    let codes: Vec<&str> = plan.warnings.iter().map(|w| w.code).collect();
    for code in ["unit-cpu", "duplicate", "quarantined"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
}

#[test]
fn cases_share_what_is_read() {
    let rest = "usage: { prod: { files: u.csv } }\n\
        cases: { a: {}, b: { set: { workload.web.service.replicas: 3 } } }\n";
    let plan = try_plan(rest, USAGE).expect("links");
    assert_eq!(plan.usage.len(), 1);
    let of =
        |i: usize| plan.cases[i].usage.series("web").next().map(|(_, s)| std::ptr::from_ref(s));
    assert_eq!(of(0), of(1));
}

#[test]
fn a_table_without_namespaces_finds_its_workloads() {
    let rest = "usage: { prod: { files: u.csv } }\n";
    let table = "start,seconds,workload,cpu_avg\n0,60,web,100m\n0,60,agent,20m\n";
    let plan = try_plan(rest, table).expect("links");
    assert_eq!(usage_of(&plan, 0, "web").cpu, Some(MilliCpu(100)));
    assert_eq!(usage_of(&plan, 0, "agent").cpu, Some(MilliCpu(20)));
    assert!(plan.warnings.iter().all(|w| !w.code.starts_with("usage-")), "{:?}", plan.warnings);
    // Two workloads of that name: neither is guessed.
    let rest = "usage: { prod: { files: u.csv } }
cases:
  base:
    set: { workload.\"blog.web\": { namespace: blog, service: { requests: { cpu: 1 }, replicas: 1 } } }
";
    let plan = try_plan(rest, table).expect("links");
    assert_eq!(usage_of(&plan, 0, "web"), Usage::default());
    let warning = plan.warnings.iter().find(|w| w.code == "usage-ambiguous").expect("warned");
    assert!(warning.text.contains("`web` to `web`, `blog.web`"), "{}", warning.text);
    assert!(plan.warnings.iter().all(|w| w.code != "usage-unjoined"), "{:?}", plan.warnings);
}

#[test]
fn usage_in_another_unit_is_doubted_by_the_requests_of_the_scenario() {
    let rest = "usage: { prod: { files: u.csv } }\n";
    let doubts = |cpu: &str, memory: &str| {
        let table = format!(
            "start,seconds,workload,cpu_avg,memory_avg,memory_max\n0,60,web,{cpu},1,{memory}\n"
        );
        let plan = try_plan(rest, &table).expect("links");
        let doubts = plan.warnings.iter().filter(|w| w.code.starts_with("unit-"));
        doubts.map(|w| (w.code, w.text.clone())).collect::<Vec<_>>()
    };
    // Requests are 500m and 1Gi. 500 MiB as 500, 488,281 KiB: below 1 MiB.
    for memory in ["500", "488281", "1048575"] {
        let found = doubts("100m", memory);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "unit-memory");
        let words = format!("ever seen to use is {memory} bytes, where it requests 1Gi");
        assert!(found[0].1.contains(&words), "{}", found[0].1);
    }
    let found = doubts("100", "500Mi");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "unit-cpu");
    assert!(found[0].1.contains("100.0 cores on average, where it requests 500m"), "{found:?}");
    // 25 cores are fifty times 500m, not more; a MiB is a size.
    assert_eq!(doubts("25", "1048576"), []);
    assert_eq!(doubts("25.1", "1Mi").len(), 1);
}
