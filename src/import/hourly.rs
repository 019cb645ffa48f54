//! A cluster over a span of hours, from the reports of the OpenShift
//! cost-management metrics operator: pods by the hour
//! ([`crate::import::usage`], format cluster-hourly) and, beside it, the
//! labels of nodes.
//!
//! | what | rule |
//! | --- | --- |
//! | window | from the start of the first interval to the end of the last |
//! | request of a pod | request-seconds ÷ length of a *whole* hour: one with an hour of the pod before it and one after it, or at an edge of the window. Of a pod without a whole hour, the largest of its owner's pods; requests and limits are those of the owner's template |
//! | *standing* pod | there in every hour of the window and requesting all of the first and of the last one: it becomes a replica bound to its node |
//! | *passing* pod | any other that was seen running: it becomes a row of a trace of its owner |
//! | start and end | request-seconds ÷ request tells how much of its first and last hour a pod ran: it started so long before the end of the first, and ended so long after the start of the last. A pod with one hour starts with it: when within the hour is not told. An hour without request-seconds counts as none of it, and a pod runs at least one sample (a minute) |
//! | usage of a passing pod | its integrals ÷ the time it ran in the hours that have them |
//! | left out | pods that were never seen running: a request of 0 and no usage in any hour, as finished pods of Jobs have |
//! | gaps | an hour that is missing between two splits a pod into two runs |
//! | node | type, zone and Region by labels; its role is its group; what pods may request is its capacity less what OpenShift reserves by default |
//!
//! Passing pods are placed by the scheduler, not bound: DIFFERENCE from where
//! they really were. Cost: some 100 bytes a row of the report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::cluster::{Amounts, Cluster, Node, Owner, OwnerKind, Pod, Rules};
use super::usage::cluster_hourly::{Columns, Hour, label, put};
use crate::error::{Error, Result};
use crate::units::{Bytes, MilliCpu};
use crate::workload::intern::{LocalTemplates, PodRules, TraceData};
use crate::workload::source::OnBadRow;
use crate::workload::table::Table;
use crate::workload::usage::MicroCpu;
use crate::workload::usage::gather::{Gather, LoadedUsage};
use crate::workload::{Trace, TraceRow, Usage};

/// One sample of the operator: it asks Prometheus for a value a minute.
const SAMPLE_MS: i64 = 60_000;
/// What OpenShift reserves on a node by default: cpu and memory (OpenShift
/// Container Platform 4, "Allocating resources for nodes").
const RESERVED: (MilliCpu, Bytes) = (MilliCpu(500), Bytes(1 << 30));
/// Most pods on an OpenShift node by default (`maxPods` of its kubelet).
const MAX_PODS: u32 = 250;
/// How much of an hour may be missing for it to count as whole, in a
/// thousand: one sample of sixty.
const WHOLE_PERMILLE: i64 = 983;

/// A cluster and what happened in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Nodes and standing pods.
    pub cluster: Cluster,
    /// Start of the window, Unix milliseconds.
    pub start_unix_ms: i64,
    /// Its end.
    pub end_unix_ms: i64,
    /// Passing pods by namespace and owner.
    pub batches: BTreeMap<(String, Owner), Vec<Run>>,
    /// What all pods were seen to use.
    pub usage: LoadedUsage,
}

/// A passing pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its name.
    pub pod: String,
    /// Start, milliseconds since the start of the window.
    pub start_ms: i64,
    /// How long it ran, milliseconds.
    pub duration_ms: i64,
    /// What it requested.
    pub cpu: Option<MilliCpu>,
    /// As `cpu`.
    pub memory: Option<Bytes>,
    /// Mean of what it used.
    pub usage: Usage,
}

/// Passing pods of one owner as a trace.
///
/// # Errors
/// When they have more shapes than a trace can have.
pub fn trace(namespace: &str, runs: &[Run]) -> Result<TraceData> {
    let mut templates = LocalTemplates::new(&[]);
    let mut trace = Trace::default();
    for run in runs {
        let template = templates
            .intern(run.cpu, run.memory, &[], namespace, 0)
            .ok_or_else(|| Error::input("the report has too many distinct pod shapes"))?;
        trace.push_row(&TraceRow {
            arrival_ms: run.start_ms,
            duration_ms: run.duration_ms,
            template,
            count: 1,
            usage: run.usage,
            name: &run.pod,
            ..TraceRow::default()
        });
    }
    Ok(TraceData {
        trace: Arc::new(trace),
        shapes: templates.finish().into(),
        rules: PodRules::default(),
    })
}

/// A pod as the report shows it.
#[derive(Debug)]
struct Seen {
    owner: Owner,
    node: String,
    hours: BTreeMap<i64, Seconds>,
}

/// One of its hours: means over the hour, in millionths of a core and bytes.
#[derive(Debug, Clone, Copy)]
struct Seconds {
    span_ms: i64,
    cpu: Option<i64>,
    memory: Option<i64>,
    cpu_request: Option<i64>,
    memory_request: Option<i64>,
}

impl Seconds {
    fn of(hour: &Hour<'_>) -> Self {
        Seconds {
            span_ms: hour.span_ms,
            cpu: hour.cpu.map(|c| c.0),
            memory: hour.memory.map(|m| m.0),
            cpu_request: hour.stated.cpu_request.map(|c| c.0).filter(|c| *c > 0),
            memory_request: hour.stated.memory_request.map(|m| m.0).filter(|m| *m > 0),
        }
    }

    fn was_running(&self) -> bool {
        self.cpu.is_some()
            || self.memory.is_some()
            || self.cpu_request.is_some()
            || self.memory_request.is_some()
    }

    /// How much of the hour the request was there, milliseconds; `None` where
    /// the pod requests nothing.
    fn requested_ms(&self, whole: Request) -> Option<i64> {
        let part = |seen: Option<i64>, whole: Option<i64>| {
            let whole = i128::from(whole?);
            let ms = i128::from(seen.unwrap_or(0)) * i128::from(self.span_ms);
            Some(((2 * ms + whole) / (2 * whole)).min(i128::from(self.span_ms)) as i64)
        };
        part(self.cpu_request, whole.cpu).max(part(self.memory_request, whole.memory))
    }
}

/// Requests over a whole hour: millionths of a core and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Request {
    cpu: Option<i64>,
    memory: Option<i64>,
}

impl Request {
    fn largest<'s>(hours: impl Iterator<Item = &'s Seconds>) -> Self {
        hours.fold(Request::default(), |most, hour| Request {
            cpu: most.cpu.max(hour.cpu_request),
            memory: most.memory.max(hour.memory_request),
        })
    }

    fn or(self, other: Request) -> Self {
        Request { cpu: self.cpu.or(other.cpu), memory: self.memory.or(other.memory) }
    }

    /// As Kubernetes counts it. Never rounded to nothing.
    fn amounts(self) -> (Option<MilliCpu>, Option<Bytes>) {
        let milli = |micro: i64| MilliCpu(MicroCpu(micro).to_milli().0.max(1));
        (self.cpu.map(milli), self.memory.map(Bytes))
    }
}

/// What the pod report says of a node.
#[derive(Debug, Default)]
struct Machine {
    cpu: Option<MicroCpu>,
    memory: Option<Bytes>,
    role: String,
    hours: BTreeSet<i64>,
}

/// Reads a pod report and, where there is one, the report of node labels.
///
/// # Errors
/// When a file cannot be read, lacks a column or has rows that cannot be
/// read, or when no pod was seen running.
pub fn load(pods: &Path, nodes: Option<&Path>) -> Result<Recorded> {
    let mut table = Table::open(pods)?;
    let columns = Columns::of(&table)?;
    let name = table.name().to_owned();
    let mut gather = Gather::new(&name, "line", OnBadRow::Fail);
    let mut seen: BTreeMap<(String, String), Seen> = BTreeMap::new();
    let mut machines: BTreeMap<String, Machine> = BTreeMap::new();
    let mut window: Option<(i64, i64)> = None;
    let mut cluster = Cluster::default();
    while table.advance()? {
        gather.row();
        let hour = match columns.hour(&table) {
            Ok(hour) => hour,
            Err(bad) => {
                gather.bad(table.line(), bad)?;
                continue;
            }
        };
        put(&hour, &mut gather)?;
        let end = hour.start_unix_ms + hour.span_ms;
        window = Some(window.map_or((hour.start_unix_ms, end), |(first, last)| {
            (first.min(hour.start_unix_ms), last.max(end))
        }));
        if !hour.node.is_empty() {
            let machine = machines.entry(hour.node.to_owned()).or_default();
            machine.cpu = machine.cpu.max(hour.node_cpu);
            machine.memory = machine.memory.max(hour.node_memory);
            if machine.role.is_empty() {
                hour.node_role.clone_into(&mut machine.role);
            }
            machine.hours.insert(hour.start_unix_ms);
        }
        let pod =
            seen.entry((hour.namespace.to_owned(), hour.pod.to_owned())).or_insert_with(|| Seen {
                owner: owner(&hour),
                node: String::new(),
                hours: BTreeMap::new(),
            });
        if !hour.node.is_empty() && pod.node != hour.node {
            if !pod.node.is_empty() {
                let text = "pods that were on more than one node, of which the last counts";
                cluster.findings.doubt("moved", text, shown(&hour));
            }
            hour.node.clone_into(&mut pod.node);
        }
        if pod.hours.insert(hour.start_unix_ms, Seconds::of(&hour)).is_some() {
            let text = "hours of a pod that the report has twice, of which the last counts";
            cluster.findings.doubt("duplicate-hour", text, shown(&hour));
        }
    }
    let usage = gather.finish()?;
    let Some((start, end)) = window else {
        return Err(Error::input(format!("`{name}` has no rows")));
    };
    let labels = match nodes {
        Some(path) => node_labels(path)?,
        None => BTreeMap::new(),
    };
    let hours: BTreeSet<i64> = seen.values().flat_map(|pod| pod.hours.keys().copied()).collect();
    add_nodes(&mut cluster, machines, &labels, &hours);
    let mut recorded = Recorded {
        cluster,
        start_unix_ms: start,
        end_unix_ms: end,
        batches: BTreeMap::new(),
        usage,
    };
    add_pods(&mut recorded, &seen);
    Ok(recorded)
}

fn shown(hour: &Hour<'_>) -> String {
    format!("{}/{}", hour.namespace, hour.pod)
}

fn owner(hour: &Hour<'_>) -> Owner {
    use crate::workload::usage::owner::OwnerKind as By;
    let (name, by) = hour.owner();
    let kind = match by {
        By::Deployment => OwnerKind::Deployment,
        By::StatefulSet => OwnerKind::StatefulSet,
        By::DaemonSet => OwnerKind::DaemonSet,
        By::CronJob => OwnerKind::CronJob,
        By::Job => OwnerKind::Job,
        By::Static => OwnerKind::Node,
        By::Generated => OwnerKind::Other("owner of a drawn name".to_owned()),
        By::Bare => OwnerKind::None,
    };
    Owner { kind, name: name.to_owned() }
}

/// The latest labels of each node.
fn node_labels(path: &Path) -> Result<BTreeMap<String, String>> {
    let mut table = Table::open(path)?;
    let find = |name: &str| table.header().iter().position(|h| h.trim() == name);
    let (Some(node), Some(labels)) = (find("node"), find("node_labels")) else {
        return Err(Error::input(format!(
            "`{}` is no report of node labels: it lacks the columns `node` and `node_labels`",
            table.name()
        )));
    };
    let mut all = BTreeMap::new();
    while table.advance()? {
        let text = |at: usize| std::str::from_utf8(table.cell(at)).unwrap_or_default().trim();
        if !text(node).is_empty() {
            all.insert(text(node).to_owned(), text(labels).to_owned());
        }
    }
    Ok(all)
}

fn add_nodes(
    cluster: &mut Cluster,
    machines: BTreeMap<String, Machine>,
    labels: &BTreeMap<String, String>,
    hours: &BTreeSet<i64>,
) {
    for (name, machine) in machines {
        let own = labels.get(&name).map_or("", String::as_str);
        let of = |keys: [&str; 2]| {
            keys.iter().find_map(|key| label(own, key)).filter(|v| !v.is_empty()).map(str::to_owned)
        };
        if machine.hours.len() < hours.len() {
            let text = "nodes that were not there in every hour; in the scenario they are";
            cluster.findings.doubt("node-in-part", text, &name);
        }
        let cpu = machine.cpu.map(MicroCpu::to_milli);
        let capacity = Amounts { cpu, memory: machine.memory, ..Amounts::default() };
        let allocatable = Amounts {
            cpu: cpu.map(|c| MilliCpu((c.0 - RESERVED.0.0).max(0))),
            memory: machine.memory.map(|m| Bytes((m.0 - RESERVED.1.0).max(0))),
            pods: Some(MAX_PODS),
            ..Amounts::default()
        };
        let os = of(["kubernetes_io_os", "beta_kubernetes_io_os"]);
        let node = Node {
            name: name.clone(),
            instance_type: of([
                "node_kubernetes_io_instance_type",
                "beta_kubernetes_io_instance_type",
            ]),
            zone: of(["topology_kubernetes_io_zone", "failure_domain_beta_kubernetes_io_zone"]),
            region: of([
                "topology_kubernetes_io_region",
                "failure_domain_beta_kubernetes_io_region",
            ]),
            group: Some(machine.role).filter(|role| !role.is_empty()),
            foreign_os: os.filter(|os| os != "linux"),
            arch: of(["kubernetes_io_arch", "beta_kubernetes_io_arch"]),
            capacity,
            allocatable,
            ..Node::default()
        };
        cluster.nodes.insert(name, node);
    }
}

/// Whole hours of a run: those with a neighbour on either side, or at an edge
/// of the window.
fn whole(run: &[(i64, Seconds)], window: (i64, i64)) -> impl Iterator<Item = &Seconds> {
    let last = run.len().saturating_sub(1);
    run.iter().enumerate().filter_map(move |(i, (start, hour))| {
        let begun = i > 0 || *start <= window.0;
        let goes_on = i < last || start + hour.span_ms >= window.1;
        (begun && goes_on).then_some(hour)
    })
}

/// A pod's hours in runs without a gap.
fn runs(pod: &Seen) -> Vec<Vec<(i64, Seconds)>> {
    let mut runs: Vec<Vec<(i64, Seconds)>> = Vec::new();
    for (start, hour) in &pod.hours {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|(at, h)| at + h.span_ms >= *start) => {
                run.push((*start, *hour));
            }
            _ => runs.push(vec![(*start, *hour)]),
        }
    }
    runs
}

fn add_pods(recorded: &mut Recorded, seen: &BTreeMap<(String, String), Seen>) {
    let window = (recorded.start_unix_ms, recorded.end_unix_ms);
    let mut of_owner: BTreeMap<(&str, &Owner), Request> = BTreeMap::new();
    for ((namespace, _), pod) in seen {
        let most = Request::largest(pod.hours.values());
        let entry = of_owner.entry((namespace, &pod.owner)).or_default();
        entry.cpu = entry.cpu.max(most.cpu);
        entry.memory = entry.memory.max(most.memory);
    }
    for ((namespace, name), pod) in seen {
        let who = format!("{namespace}/{name}");
        let findings = &mut recorded.cluster.findings;
        if !pod.hours.values().any(Seconds::was_running) {
            let text = "pods never seen running, such as finished pods of Jobs";
            findings.left_out("not-seen-running", text, who);
            continue;
        }
        let owners = of_owner.get(&(namespace.as_str(), &pod.owner)).copied().unwrap_or_default();
        let runs = runs(pod);
        if runs.len() > 1 {
            let text = "pods missing from hours between others, taken as gone and come back";
            findings.doubt("gap", text, &who);
        }
        if let [run] = runs.as_slice()
            && let Some(request) = standing(run, window)
            && !pod.node.is_empty()
        {
            let (cpu, memory) = request.amounts();
            let pod = Pod {
                namespace: namespace.clone(),
                name: name.clone(),
                owner: pod.owner.clone(),
                requests: Amounts { cpu, memory, ..Amounts::default() },
                node: Some(pod.node.clone()),
                rules: Rules::default(),
            };
            recorded.cluster.pods.insert((namespace.clone(), name.clone()), pod);
            continue;
        }
        for run in runs.iter().filter(|run| run.iter().any(|(_, hour)| hour.was_running())) {
            let own = Request::largest(whole(run, window));
            let passing = passing(name, run, own.or(owners), window);
            let key = (namespace.clone(), pod.owner.clone());
            recorded.batches.entry(key).or_default().push(passing);
        }
    }
    for rows in recorded.batches.values_mut() {
        rows.sort_by(|a, b| (a.start_ms, &a.pod).cmp(&(b.start_ms, &b.pod)));
    }
}

/// The request of a pod that was there all the time; `None` if it was not.
fn standing(run: &[(i64, Seconds)], window: (i64, i64)) -> Option<Request> {
    let ((first, head), (last, tail)) = (run.first()?, run.last()?);
    if *first > window.0 || last + tail.span_ms < window.1 {
        return None;
    }
    let request = Request::largest(run.iter().map(|(_, hour)| hour));
    let is_whole = |hour: &Seconds| match hour.requested_ms(request) {
        Some(ms) => ms * 1_000 >= hour.span_ms * WHOLE_PERMILLE,
        None => hour.was_running(),
    };
    (is_whole(head) && is_whole(tail)).then_some(request)
}

/// A run of hours as a pod that came and went.
fn passing(name: &str, run: &[(i64, Seconds)], request: Request, window: (i64, i64)) -> Run {
    let ran = |hour: &Seconds| {
        let seen = hour.requested_ms(request);
        seen.unwrap_or(if hour.was_running() { hour.span_ms } else { 0 })
    };
    let last = run.len() - 1;
    // Between its first and its last hour it ran throughout.
    let parts: Vec<i64> = run
        .iter()
        .enumerate()
        .map(|(i, (_, hour))| if i == 0 || i == last { ran(hour) } else { hour.span_ms })
        .collect();
    let duration_ms = parts.iter().sum::<i64>().max(SAMPLE_MS);
    let (first, head) = run[0];
    let start = if last == 0 { first } else { first + head.span_ms - parts[0] };
    // Not beyond the window, which ends the run.
    let start = start.min(window.1 - duration_ms).max(window.0);
    let mean = |of: fn(&Seconds) -> Option<i64>| {
        let (mut sum, mut ms) = (0i128, 0i128);
        for ((_, hour), part) in run.iter().zip(&parts) {
            if let Some(mean) = of(hour) {
                sum += i128::from(mean) * i128::from(hour.span_ms);
                ms += i128::from(*part);
            }
        }
        // Of a pod too short for the samples of its requests.
        let ms = ms.max(i128::from(SAMPLE_MS));
        let any = run.iter().any(|(_, hour)| of(hour).is_some());
        any.then(|| ((2 * sum + ms) / (2 * ms)) as i64)
    };
    let (cpu, memory) = request.amounts();
    Run {
        pod: name.to_owned(),
        start_ms: start - window.0,
        duration_ms,
        cpu,
        memory,
        usage: Usage {
            cpu: mean(|h| h.cpu).map(|micro| MicroCpu(micro).to_milli()),
            memory: mean(|h| h.memory).map(Bytes),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "interval_start,interval_end,node,namespace,pod,\
        pod_usage_cpu_core_seconds,pod_request_cpu_core_seconds,pod_limit_cpu_core_seconds,\
        pod_usage_memory_byte_seconds,pod_request_memory_byte_seconds,\
        pod_limit_memory_byte_seconds,node_capacity_cpu_cores,node_capacity_memory_bytes,\
        node_role,resource_id,pod_labels\n";

    /// A row: pod, hour, cpu used, requested, memory used, requested.
    fn row(pod: &str, hour: u32, values: [&str; 4]) -> String {
        let [cpu, asked, memory, wanted] = values;
        format!(
            "2023-03-15 {hour:02}:00:00 +0000 UTC,2023-03-15 {hour:02}:59:59 +0000 UTC,n1,shop,\
             {pod},{cpu},{asked},,{memory},{wanted},,2,8589934592,worker,i-1,\n"
        )
    }

    fn read(rows: &[String], nodes: Option<&str>) -> Result<Recorded> {
        let dir = tempfile::tempdir().expect("a directory");
        let pods = dir.path().join("pods.csv");
        std::fs::write(&pods, format!("{HEADER}{}", rows.concat())).expect("a file");
        let path = dir.path().join("nodes.csv");
        if let Some(text) = nodes {
            std::fs::write(&path, text).expect("a file");
        }
        load(&pods, nodes.map(|_| path.as_path()))
    }

    /// A passing pod: name, start and duration in seconds, milli-cores used.
    type Passing<'r> = (&'r str, i64, i64, Option<i64>);

    /// Names of standing pods, and the passing ones.
    fn split(recorded: &Recorded) -> (Vec<&str>, Vec<Passing<'_>>) {
        let standing = recorded.cluster.pods.keys().map(|(_, name)| name.as_str()).collect();
        let runs = recorded.batches.values().flatten().map(|r| {
            (r.pod.as_str(), r.start_ms / 1_000, r.duration_ms / 1_000, r.usage.cpu.map(|c| c.0))
        });
        (standing, runs.collect())
    }

    #[test]
    fn request_seconds_tell_when_a_pod_came_and_went() {
        let none = ["", "", "", ""];
        let rows = [
            // 0.1 cores all the time.
            row("web-bbbbb", 13, ["36", "360", "", ""]),
            row("web-bbbbb", 14, ["36", "360", "", ""]),
            row("web-bbbbb", 15, ["36", "360", "", ""]),
            // From a quarter past to the end, throughout, and 36 minutes more.
            row("web-ccccc", 13, ["27", "270", "", ""]),
            row("web-ccccc", 14, ["36", "360", "", ""]),
            row("web-ccccc", 15, ["21.6", "216", "", ""]),
            // Ten minutes within an hour, of its owner's request.
            row("web-ddddd", 14, ["6", "60", "", ""]),
            // Too short for a sample of its request.
            row("web-fffff", 14, ["", "", "7200", ""]),
            // A finished pod of a Job.
            row("job-27981390-lbdct", 13, none),
            row("job-27981390-lbdct", 14, ["", "0", "", "0"]),
        ];
        let recorded = read(&rows, None).expect("reads");
        let (standing, runs) = split(&recorded);
        assert_eq!(standing, ["web-bbbbb"]);
        let known = Some(10);
        assert_eq!(
            runs,
            [
                ("web-ccccc", 900, 2_700 + 3_600 + 2_160, known),
                ("web-ddddd", 3_600, 600, known),
                ("web-fffff", 3_600, 60, None),
            ]
        );
        let cpu = recorded.batches.values().flatten().map(|r| r.cpu).collect::<Vec<_>>();
        assert_eq!(cpu, [Some(MilliCpu(100)); 3]);
        let short = recorded.batches.values().flatten().last().expect("three");
        // 7,200 byte-seconds over a minute.
        assert_eq!(short.usage.memory, Some(Bytes(120)));
        let findings = &recorded.cluster.findings;
        assert_eq!(findings.count("not-seen-running"), 1);
        assert_eq!(recorded.end_unix_ms - recorded.start_unix_ms, 3 * 3_600_000);
        assert_eq!(recorded.usage.set.series.len(), 4);
    }

    #[test]
    fn pods_without_requests_stand_while_they_are_used() {
        let used = ["36", "", "3600", ""];
        let rows = [
            row("a", 13, used),
            row("a", 14, used),
            row("b", 14, used),
            row("c", 13, used),
            row("c", 14, ["", "", "", ""]),
        ];
        let recorded = read(&rows, None).expect("reads");
        let (standing, runs) = split(&recorded);
        assert_eq!(standing, ["a"]);
        assert_eq!(runs, [("b", 3_600, 3_600, Some(10)), ("c", 0, 3_600, Some(10))]);
        let a = recorded.cluster.pods.values().next().expect("one");
        assert_eq!((a.requests.cpu, a.node.as_deref()), (None, Some("n1")));
    }

    #[test]
    fn a_gap_makes_two_runs() {
        let asks = ["36", "360", "", ""];
        let rows = [
            row("a", 13, asks),
            row("a", 15, asks),
            row("b", 13, asks),
            row("b", 14, asks),
            row("b", 15, asks),
        ];
        let recorded = read(&rows, None).expect("reads");
        assert_eq!(recorded.cluster.findings.count("gap"), 1);
        let (_, runs) = split(&recorded);
        assert_eq!(runs, [("a", 0, 3_600, Some(10)), ("a", 7_200, 3_600, Some(10))]);
    }

    #[test]
    fn nodes_are_described_by_their_labels() {
        let nodes = "interval_start,node,node_labels\n\
            2023,n1,label_beta_kubernetes_io_instance_type:m5.large|\
            label_topology_kubernetes_io_zone:us-east-2b|\
            label_topology_kubernetes_io_region:us-east-2|label_kubernetes_io_os:linux\n";
        let asks = ["36", "360", "", ""];
        let rows = [row("a", 13, asks), row("a", 14, asks)];
        let recorded = read(&rows, Some(nodes)).expect("reads");
        let node = &recorded.cluster.nodes["n1"];
        assert_eq!(node.instance_type.as_deref(), Some("m5.large"));
        assert_eq!(node.zone.as_deref(), Some("us-east-2b"));
        assert_eq!((node.group.as_deref(), &node.foreign_os), (Some("worker"), &None));
        assert_eq!(node.allocatable.cpu, Some(MilliCpu(1_500)));
        assert_eq!(node.allocatable.memory, Some(Bytes(7 << 30)));
        let error = read(&rows, Some("a,b\n")).expect_err("foreign").to_string();
        assert!(error.contains("lacks the columns `node` and `node_labels`"), "{error}");
        let error = read(&["x,y\n".to_owned()], None).expect_err("bad").to_string();
        assert!(error.contains("has 2 fields where the header has 16"), "{error}");
        assert!(read(&[], None).is_err());
    }
}
