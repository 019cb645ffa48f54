//! Requests fitted to usage: from a case's `rightsize` to new requests of its
//! workloads.
//!
//! What stands in the file (services and `DaemonSet`s) changes in the
//! effective tree, so that it is listed among the changes of the case like
//! anything that a user wrote. The pods of a trace change by shape.

use super::model::{CasePlan, Change, Rightsizing};
use super::notes::Notes;
use super::time::Window;
use crate::names::wildcard;
use crate::scenario::{
    self, Node, Resolved, RightsizeAbsent, RightsizeLimits, RightsizeMethod, Span, Spanned,
    UsageExpression, UsageStatistic, Value, put, quote,
};
use crate::units::{Bytes, MilliCpu, Percent};
use crate::workload::WorkloadKind;
use crate::workload::plan::PlannedWorkload;
use crate::workload::rightsize::{
    AbsentRequests, Advice, Expression, Fitting, LimitRule, Method, Policy, Resource, SeriesOf,
    Statistic, Withheld, apply as put_into, fit, quantity, vpa,
};
use crate::world::Horizon;

/// Changes of trace shapes that are listed one by one.
const LISTED: usize = 50;

/// Fits the workloads of a case; `None` where the case does not ask for it, or
/// after reporting why it cannot be done.
pub(super) fn link(
    resolved: &Resolved,
    planned: &[PlannedWorkload],
    window: Window,
    series: &SeriesOf<'_>,
    notes: &mut Notes<'_>,
) -> Option<Rightsizing> {
    let it = resolved.rightsize.as_ref()?;
    let path = format!("cases.{}.rightsize", resolved.case);
    let policy = policy(it, &path, notes);
    let known: Vec<&str> = resolved.scenario.workload.names().collect();
    let mut fine = true;
    for name in it.workloads.iter().flatten().chain(&it.exclude) {
        if !known.iter().any(|workload| fits(name, workload)) {
            notes
                .diags
                .error(name.span, format!("there is no workload {}", quote(&name.value)))
                .suggest(&name.value, known.iter().copied());
            fine = false;
        }
    }
    if !fine {
        return None;
    }
    let among =
        |list: &[Spanned<String>], name: &str| list.iter().any(|pattern| fits(pattern, name));
    let selected = |name: &str| {
        it.workloads.as_ref().is_none_or(|list| among(list, name)) && !among(&it.exclude, name)
    };
    let end = match window.horizon {
        Horizon::At(end) => end.ms(),
        Horizon::UntilIdle => i64::MAX,
    };
    let fittings = fit(planned, series, &policy, &selected, (window.warmup.ms(), end));
    report(&resolved.case, it.span, &fittings, notes);
    let mut tree = resolved.tree.clone();
    for fitting in fittings.iter().filter(|f| f.shape.is_none()) {
        put_requests(&mut tree, fitting, it.span);
    }
    let left_out = planned.iter().filter(|w| !selected(&w.name)).map(|w| w.name.clone()).collect();
    Some(Rightsizing { policy, fittings, left_out, tree })
}

/// Whether a workload is meant: by its name, or by `*` and `?`.
fn fits(pattern: &Spanned<String>, workload: &str) -> bool {
    wildcard(&pattern.value, workload)
}

/// The workloads with the new requests.
pub(super) fn apply(
    planned: Vec<PlannedWorkload>,
    rightsizing: Option<&Rightsizing>,
) -> Vec<PlannedWorkload> {
    match rightsizing {
        None => planned,
        Some(it) => {
            let all: Vec<&Fitting> = it.fittings.iter().collect();
            planned.iter().map(|w| put_into(w, &all)).collect()
        }
    }
}

/// The effective tree of a case.
pub(super) fn tree<'a>(case: &'a CasePlan, resolved: &'a Resolved) -> &'a Node {
    case.rightsizing.as_ref().map_or(&resolved.tree, |r| &r.tree)
}

/// How the pods of traces differ from what their files say.
pub(super) fn trace_changes(case: &CasePlan) -> Vec<Change> {
    let Some(it) = &case.rightsizing else { return Vec::new() };
    let edits = || it.fittings.iter().filter(|f| f.shape.is_some() && f.is_edit());
    let mut changes: Vec<Change> = edits().take(LISTED).map(trace_change).collect();
    let more = edits().count().saturating_sub(LISTED);
    if more > 0 {
        changes.push(Change {
            path: "workload".to_owned(),
            from: None,
            to: Some(format!("requests of {more} more shapes of pods in traces")),
        });
    }
    changes
}

fn trace_change(fitting: &Fitting) -> Change {
    let requests = |of: fn(&Advice) -> Option<i64>| {
        let text = |r: Resource| format!("{}: {}", r.name(), quantity(r, of(fitting.advice(r))));
        format!("{{ {}, {} }}", text(Resource::Cpu), text(Resource::Memory))
    };
    Change {
        path: format!(
            "workload.{}.trace ({} pods in {})",
            fitting.workload, fitting.pods, fitting.namespace
        ),
        from: Some(requests(|a| a.current.request)),
        to: Some(requests(Advice::in_force)),
    }
}

/// The policy, its defaults among the settings.
fn policy(it: &scenario::Rightsize, path: &str, notes: &mut Notes<'_>) -> Policy {
    const CHOICE: &str = "choice";
    let base = Policy::default();
    let method = match it.method.map(|m| m.value) {
        Some(RightsizeMethod::Pooled) => Method::Pooled,
        Some(RightsizeMethod::PerPodMax) => Method::PerPodMax,
        Some(RightsizeMethod::Vpa) => Method::Vpa,
        None => {
            notes.default(format!("{path}.method"), RightsizeMethod::Pooled, CHOICE);
            Method::Pooled
        }
    };
    let mut expression =
        |key: &str, given: Option<Spanned<UsageExpression>>, default: Expression| {
            if let Some(given) = given {
                return expression_of(given.value);
            }
            let (default, note) = if method == Method::Vpa {
                let (percent, ppm) = vpa::DEFAULT;
                let statistic = Statistic::Percentile(percent);
                let margin = Percent { ppm };
                (Expression { statistic, margin }, "the Vertical Pod Autoscaler's own")
            } else {
                (default, CHOICE)
            };
            notes.default(format!("{path}.{key}"), default, note);
            default
        };
    let (cpu, memory) =
        (expression("cpu", it.cpu, base.cpu), expression("memory", it.memory, base.memory));
    let limits = match it.limits.map(|l| l.value) {
        Some(RightsizeLimits::Keep) => LimitRule::Keep,
        Some(RightsizeLimits::KeepRatio) => LimitRule::Ratio,
        None => {
            let note = "as the Vertical Pod Autoscaler";
            notes.default(format!("{path}.limits"), RightsizeLimits::KeepRatio, note);
            LimitRule::Ratio
        }
    };
    let absent_requests = match it.absent_requests.map(|a| a.value) {
        Some(RightsizeAbsent::Keep) => AbsentRequests::Keep,
        Some(RightsizeAbsent::Set) => AbsentRequests::Set,
        None => {
            let note = "choice: what is used should be requested";
            notes.default(format!("{path}.absent-requests"), RightsizeAbsent::Set, note);
            AbsentRequests::Set
        }
    };
    let min_samples = it.min_samples.map_or_else(
        || {
            let note = "choice: below it the 95th percentile is the largest sample";
            notes.default(format!("{path}.min-samples"), base.min_samples, note);
            base.min_samples
        },
        |n| n.get(),
    );
    let min_history = it.min_history.map_or_else(
        || {
            let note = "choice: load follows the day";
            notes.default(format!("{path}.min-history"), base.min_history, note);
            base.min_history
        },
        |d| d.value,
    );
    let min_coverage = it.min_coverage.map_or_else(
        || {
            notes.default(format!("{path}.min-coverage"), base.min_coverage, CHOICE);
            base.min_coverage
        },
        |p| p.value.0,
    );
    let bound = |given: &scenario::RequestBound| {
        (given.cpu.map(|c| c.value), given.memory.map(|m| m.value))
    };
    let floor = bound(&it.floor);
    Policy {
        cpu,
        memory,
        method,
        floor: (floor.0.unwrap_or(base.floor.0), floor.1.unwrap_or(base.floor.1)),
        ceiling: bound(&it.ceiling),
        round: (
            it.round.cpu.map_or(base.round.0, |c| c.value.0),
            it.round.memory.map_or(base.round.1, |m| m.value.0),
        ),
        limits,
        absent_requests,
        min_samples,
        min_history,
        min_coverage,
    }
}

fn expression_of(it: UsageExpression) -> Expression {
    let statistic = match it.statistic {
        UsageStatistic::P50 => Statistic::Percentile(50),
        UsageStatistic::P90 => Statistic::Percentile(90),
        UsageStatistic::P95 => Statistic::Percentile(95),
        UsageStatistic::P99 => Statistic::Percentile(99),
        UsageStatistic::Max => Statistic::Max,
        UsageStatistic::Mean => Statistic::Mean,
    };
    Expression { statistic, margin: it.margin }
}

/// Says how much could not be advised; an error where nothing is known at all.
fn report(case: &str, span: Span, fittings: &[Fitting], notes: &mut Notes<'_>) {
    let mut reasons: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for (_, why) in fittings.iter().flat_map(Fitting::withheld) {
        *reasons.entry(why.code()).or_default() += 1;
    }
    let kept: usize = reasons.values().sum();
    let blind = fittings
        .iter()
        .flat_map(Fitting::withheld)
        .filter(|(_, w)| matches!(w, Withheld::NoUsage | Withheld::DrawnPods));
    let edits = fittings.iter().filter(|f| f.is_edit()).count();
    let listed: Vec<String> = reasons.iter().map(|(code, n)| format!("{code} {n}")).collect();
    let case = quote(case);
    if fittings.is_empty() {
        notes.diags.error(span, format!("case {case} selects no workload to fit"));
        return;
    }
    if blind.count() == 2 * fittings.len() {
        notes
            .diags
            .error(span, format!("case {case} cannot fit requests: no usage of any pod is known"))
            .help("replay a trace with columns such as cpu_p95 and memory_max, or name an export of usage");
        return;
    }
    if kept > 0 {
        let message = format!(
            "case {case} keeps {kept} of {} requests for cpu or memory: {}",
            Resource::ALL.len() * fittings.len(),
            listed.join(", ")
        );
        notes.diags.warning("rightsize-withheld", span, message);
    }
    if edits == 0 {
        let message = format!("case {case} changes no request");
        notes.diags.warning("rightsize-no-edit", span, message);
    }
}

/// Writes new requests where the scenario states them.
fn put_requests(tree: &mut Node, fitting: &Fitting, span: Span) {
    let kind = match fitting.kind {
        WorkloadKind::Service => "service",
        WorkloadKind::Daemon => "daemonset",
        WorkloadKind::Batch => return,
    };
    for resource in Resource::ALL {
        let advice = fitting.advice(resource);
        let (Ok(request), true) = (advice.request, advice.is_edit()) else { continue };
        let text = match resource {
            Resource::Cpu => MilliCpu(request).to_string(),
            Resource::Memory => Bytes(request).to_string(),
        };
        let plain = text.bytes().all(|b| b.is_ascii_digit());
        let value = if plain { Value::Number(text) } else { Value::String(text) };
        let path = ["workload", &fitting.workload, kind, "requests", resource.name()];
        put(tree, &path, Node { value, span });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Options, Plan, link};
    use super::*;
    use crate::scenario::Source;
    use crate::workload::plan::Content;

    const TRACE: &str = "\
arrival,duration,cpu,memory,count,cpu_p95,memory_max
0,86400,2,1Gi,3,600m,1536Mi
3600,82800,2,1Gi,1,601m,1Gi
0,86400,1,4Gi,1,,
";

    const SCENARIO: &str = "
version: 1
name: t
region: us-east-1
time: { horizon: 1d }
workload:
  batch: { trace: t.csv, namespace: apps }
  extra: { trace: t.csv, namespace: other }
pools: { p: { fixed: { type: m7g.xlarge, count: 5 } } }
cases:
  today: {}
";

    fn try_plan(rightsize: &str) -> crate::Result<Plan> {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("t.csv"), TRACE).expect("written");
        let path = dir.path().join("s.yaml");
        let text = format!("{SCENARIO}  fitted: {{ rightsize: {rightsize} }}\n");
        std::fs::write(&path, &text).expect("written");
        link(&Source::parse(&path, text.as_bytes())?, &Options::default())
    }

    fn errors(rightsize: &str) -> String {
        try_plan(rightsize).expect_err("refused").to_string()
    }

    #[test]
    fn pods_of_a_trace_get_the_requests_of_their_columns() {
        let plan = try_plan("{ workloads: [\"ba*\"] }").expect("links");
        let (today, fitted) = (&plan.cases[0], &plan.cases[1]);
        let shapes =
            |case: &CasePlan, workload: usize| match &case.workload.workloads()[workload].content {
                Content::Trace(data) => data.shapes.clone(),
                _ => panic!("a trace"),
            };
        // 72 h of 95 pod-hours at 600m are 76 %: p95 is 601m. Memory: 1536 Mi
        // × 1.15 = 1766.4 Mi. Nothing is known of the second shape.
        let batch = shapes(fitted, 0);
        assert_eq!(batch[0].cpu, Some(MilliCpu(601)));
        assert_eq!(batch[0].memory, Some(Bytes(1_767 << 20)));
        assert_eq!(batch[1], shapes(today, 0)[1]);
        assert_eq!(shapes(fitted, 1), shapes(today, 1));
        assert_ne!(today.sim_key, fitted.sim_key);
        let rows = |case: &CasePlan| match &case.workload.workloads()[0].content {
            Content::Trace(data) => std::sync::Arc::as_ptr(&data.trace),
            _ => panic!("a trace"),
        };
        assert_eq!(rows(today), rows(fitted));
        let changes: Vec<String> = fitted
            .changes
            .iter()
            .map(|c| format!("{}: {:?} -> {:?}", c.path, c.from, c.to))
            .collect();
        assert_eq!(
            changes,
            ["workload.batch.trace (4 pods in apps): Some(\"{ cpu: 2, memory: 1Gi }\") -> \
              Some(\"{ cpu: 601m, memory: 1767Mi }\")"]
        );
        let it = fitted.rightsizing.as_ref().expect("fitted");
        assert_eq!(it.left_out, ["extra"]);
        let fitting = &it.fittings[0];
        // 3 × 24 h + 23 h.
        assert_eq!((fitting.pods, fitting.run_ms), (4, Some(95 * 3_600_000)));
        assert_eq!(it.fittings[1].cpu.request, Err(Withheld::NoUsage));
        // Of two workloads in the case, cpu and memory of the unknown shape.
        let kept = plan.warnings.iter().find(|w| w.code == "rightsize-withheld").expect("warned");
        assert!(kept.text.contains("keeps 2 of 4 requests"), "{}", kept.text);
        assert!(kept.text.ends_with("no-usage 2"), "{}", kept.text);
        let default = |path: &str| {
            let path = format!("cases.fitted.rightsize.{path}");
            fitted.settings.iter().find(|s| s.path == path).map(|s| s.value.clone())
        };
        assert_eq!(default("cpu").as_deref(), Some("p95"));
        assert_eq!(default("memory").as_deref(), Some("max+15%"));
    }

    #[test]
    fn the_method_decides_what_is_left_out() {
        let plan = try_plan("{ cpu: p90+10%, memory: max, method: per-pod-max }").expect("links");
        let it = plan.cases[1].rightsizing.as_ref().expect("fitted");
        // The largest p95 of a pod stands for its p90: 601m × 1.1 = 661.1m.
        assert_eq!(it.fittings[0].cpu.request, Ok(662));
        assert_eq!(it.fittings[0].memory.request, Ok(1_536 << 20));
        assert_eq!(it.fittings.len(), 4);
        let said = try_plan("{ method: vpa, exclude: [extra] }").expect("links");
        let it = said.cases[1].rightsizing.as_ref().expect("fitted");
        assert_eq!(it.fittings[0].cpu.request, Err(Withheld::NoSeries));
        assert_eq!(it.policy.cpu.to_string(), "p90+15%");
        let codes: Vec<_> = said.warnings.iter().map(|w| w.code).collect();
        assert!(codes.contains(&"rightsize-no-edit"), "{codes:?}");
    }

    #[test]
    fn mistakes_are_named() {
        for (rightsize, words) in [
            ("{ cpu: p75 }", "unknown statistic `p75`"),
            ("{ cpu: 95 }", "expected a statistic such as p95"),
            ("{ memory: max+15 }", "expected a percentage such as 60%"),
            ("{ method: pool }", "did you mean `pooled`?"),
            ("{ method: vpa, memory: max }", "method vpa takes quantiles, not `max`"),
            ("{ workloads: [bath] }", "did you mean `batch`?"),
            ("{ exclude: [batch, extra] }", "selects no workload to fit"),
            ("{ floor: { cpu: 2 }, ceiling: { cpu: 1 } }", "the ceiling is below the floor 2"),
            ("{ min-coverage: 120% }", "more than 100%"),
        ] {
            let said = errors(rightsize);
            assert!(said.contains(words), "{rightsize}: {said}");
        }
        let text = "
version: 1
name: t
region: us-east-1
workload: { job: { generate: { count: 1, arrivals: { even: { every: 1m } }, duration: 1h, shapes: [{ cpu: 1, memory: 1Gi }] } } }
pools: { p: { fixed: { type: m7g.xlarge, count: 1 } } }
cases: { fitted: { rightsize: {} } }
";
        let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("YAML");
        let said = link(&source, &Options::default()).expect_err("refused").to_string();
        assert!(said.contains("no usage of any pod is known"), "{said}");
    }

    #[test]
    fn requests_that_stand_in_the_file_change_there() {
        use crate::workload::usage::{MicroCpu, UsageKey, UsageSample, UsageSeries};
        let text = "
version: 1
name: t
region: us-east-1
time: { horizon: 1d }
workload:
  web: { service: { requests: { cpu: 500m }, replicas: 2 } }
  agent: { daemonset: { requests: { cpu: 100m, memory: 64Mi } } }
pools: { p: { fixed: { type: m7g.xlarge, count: 1 } } }
cases: { fitted: { rightsize: {} } }
";
        let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("YAML");
        let mut diags = source.diagnostics();
        let resolved = source.resolve("fitted", &mut diags).expect("resolves");
        let plain = link(&source.clone(), &Options::default()).expect_err("no usage").to_string();
        assert!(plain.contains("no usage"), "{plain}");
        let key = UsageKey { pod: "web-0".into(), ..UsageKey::default() };
        let sample = |hour: i64| UsageSample {
            start_unix_ms: hour * 3_600_000,
            span_ms: 3_600_000,
            cpu_mean: Some(MicroCpu(120_500)),
            memory_mean: Some(Bytes(200 << 20)),
            ..UsageSample::default()
        };
        let used = UsageSeries {
            replicas: 1,
            samples: (0..24).map(sample).collect(),
            ..UsageSeries::default()
        };
        let series = |name: &str| if name == "web" { vec![(&key, &used)] } else { vec![] };
        let mut weak = std::collections::BTreeMap::new();
        let mut dated = std::collections::BTreeMap::new();
        let mut notes = Notes {
            diags: &mut diags,
            settings: Vec::new(),
            weak: &mut weak,
            dated: &mut dated,
            allow_believed: false,
        };
        let window = super::super::time::link(&resolved.scenario, &mut notes);
        let mut files =
            super::super::files::Files::new(Path::new("s.yaml"), Options::default().read_trace);
        let planned =
            super::super::workloads::Linker { source: &source, window, files: &mut files }
                .link(&resolved.scenario, &mut notes);
        let it = super::link(&resolved, &planned, window, &series, &mut notes).expect("fitted");
        let yaml = scenario::effective_yaml(&it.tree);
        // 200 Mi × 1.15; the absent memory request is set, the DaemonSet stays.
        assert!(yaml.contains("cpu: 121m") && yaml.contains("memory: 230Mi"), "{yaml}");
        assert!(yaml.contains("cpu: 100m") && yaml.contains("memory: 64Mi"), "{yaml}");
        let fitted = apply(planned, Some(&it));
        // What the changed file would link to is what was fitted.
        let again = Source::parse(Path::new("s.yaml"), yaml.as_bytes()).expect("YAML");
        let again = again.resolve("base", notes.diags).expect("resolves");
        let relinked =
            super::super::workloads::Linker { source: &source, window, files: &mut files }
                .link(&again.scenario, &mut notes);
        assert_eq!(fitted, relinked);
    }
}
