//! Answers of Prometheus' `/api/v1/query_range`, saved as JSON (plain or
//! gzip), one quantity a file, joined by their labels.
//!
//! | quantity | by option | by metric name |
//! | --- | --- | --- |
//! | cpu used | `cpu-usage` | `…:container_cpu_usage_seconds_total:…rate` (recording rules of kubernetes-mixin); the bare counter `container_cpu_usage_seconds_total` is differenced here |
//! | memory used | `memory-usage` | `container_memory_working_set_bytes` (cAdvisor), also within a recording rule's name |
//! | requests, limits | `cpu-request` `memory-request` `cpu-limit` `memory-limit` | `kube_pod_container_resource_requests` and `…_limits` (kube-state-metrics 2) with label `resource`; `…_requests_cpu_cores`, `…_memory_bytes` and so on (1.x) |
//!
//! `rate()` and most functions drop the metric name: then the option says.
//! Cpu is in cores, memory in bytes. A value at time t stands for the step
//! that ends at t, as `rate(…[step])` means it; for memory that is a reading
//! taken for the mean. The step is the smallest distance of two points of the
//! file; where no series has two, that of the other files, else the option
//! `step`. All files must have one step.
//!
//! Labels: `namespace`, `pod` (or `pod_name`), `container` (or
//! `container_name`), `node`, `workload`. A series without container is of
//! the pod as a whole. Requests are of containers in kube-state-metrics; they
//! are added up where usage is known of the pod only.
//!
//! | | what happens |
//! | --- | --- |
//! | sorted | points before an earlier one of their series, counted |
//! | gaps | unknown: no sample |
//! | dropped | `not-a-number`: NaN or ±Inf · `negative` · `no-pod`: series without label `pod`, such as those of a node · `pause-container`: `container="POD"` · `pod-total`: a pod as a whole beside its containers, which would count it twice · `other-resource`: requests of something else than the file is about · `gap`: differences of a counter over more than one and a half steps |
//! | noted | `counter-reset`: a counter that fell and is taken to have started again from 0, as `rate()` does · `duplicate-series`: two series of one pod and container (another scrape job or instance); the first value of each interval stays |
//! | refused | an answer with `status: error`, a result that is no matrix, text that is no JSON, with line and column |

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::text::excerpt;
use crate::units::Bytes;
use crate::workload::source::Code;
use crate::workload::usage::gather::{Gather, MAX_SPAN_MS, check_interval};
use crate::workload::usage::{MicroCpu, StatedResources, UsageKey, UsageSample};

/// Largest accepted answer, unpacked.
const MAX_BYTES: u64 = 1 << 30;
/// Most cores and bytes of a container: a million and 4 PiB.
const MOST_CORES: f64 = 1e6;
const MOST_BYTES: f64 = (1u64 << 52) as f64;

const NOT_A_NUMBER: Code = Code { name: "not-a-number", text: "values that are NaN or infinite" };
const NEGATIVE: Code = Code { name: "negative", text: "values below 0 or absurdly large" };
const NO_POD: Code = Code { name: "no-pod", text: "series without a label `pod`" };
const PAUSE: Code = Code { name: "pause-container", text: "series of a pod's pause container" };
const POD_TOTAL: Code =
    Code { name: "pod-total", text: "series of a pod as a whole beside those of its containers" };
const OTHER_RESOURCE: Code =
    Code { name: "other-resource", text: "series of a resource other than cpu and memory" };
const GAP: Code = Code { name: "gap", text: "differences of a counter across a gap" };
const COUNTER_RESET: Code =
    Code { name: "counter-reset", text: "falls of a counter, taken as a new start from 0" };
const DUPLICATE_SERIES: Code =
    Code { name: "duplicate-series", text: "series of a pod and container that has one already" };

/// What the values of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Cores used.
    CpuUsage,
    /// Seconds of cpu used since some start: differenced.
    CpuCounter,
    /// Bytes used.
    MemoryUsage,
    /// Requested cores.
    CpuRequest,
    /// Requested bytes.
    MemoryRequest,
    /// Limit in cores.
    CpuLimit,
    /// Limit in bytes.
    MemoryLimit,
}

impl Quantity {
    /// Quantities by the name of their option.
    pub const OPTIONS: [(&'static str, Quantity); 6] = [
        ("cpu-usage", Quantity::CpuUsage),
        ("memory-usage", Quantity::MemoryUsage),
        ("cpu-request", Quantity::CpuRequest),
        ("memory-request", Quantity::MemoryRequest),
        ("cpu-limit", Quantity::CpuLimit),
        ("memory-limit", Quantity::MemoryLimit),
    ];

    const fn is_usage(self) -> bool {
        matches!(self, Quantity::CpuUsage | Quantity::CpuCounter | Quantity::MemoryUsage)
    }

    /// What is counted as one: the counter is cpu used in another form.
    const fn kind(self) -> Quantity {
        match self {
            Quantity::CpuCounter => Quantity::CpuUsage,
            other => other,
        }
    }

    /// The quantity of a metric, `None` if it is none of these. The `resource`
    /// label decides where the name leaves it open; `Err` is another resource.
    fn of(metric: &str, resource: &str) -> Option<std::result::Result<Self, ()>> {
        let by_resource = |cpu, memory| {
            Some(match resource {
                "cpu" => Ok(cpu),
                "memory" => Ok(memory),
                _ => Err(()),
            })
        };
        match metric {
            "container_cpu_usage_seconds_total" => Some(Ok(Quantity::CpuCounter)),
            "kube_pod_container_resource_requests" => {
                by_resource(Quantity::CpuRequest, Quantity::MemoryRequest)
            }
            "kube_pod_container_resource_limits" => {
                by_resource(Quantity::CpuLimit, Quantity::MemoryLimit)
            }
            "kube_pod_container_resource_requests_cpu_cores" => Some(Ok(Quantity::CpuRequest)),
            "kube_pod_container_resource_requests_memory_bytes" => {
                Some(Ok(Quantity::MemoryRequest))
            }
            "kube_pod_container_resource_limits_cpu_cores" => Some(Ok(Quantity::CpuLimit)),
            "kube_pod_container_resource_limits_memory_bytes" => Some(Ok(Quantity::MemoryLimit)),
            rule if rule.contains(":container_cpu_usage_seconds_total:") => {
                rule.ends_with("rate").then_some(Ok(Quantity::CpuUsage))
            }
            rule if rule.split(':').any(|p| p == "container_memory_working_set_bytes") => {
                Some(Ok(Quantity::MemoryUsage))
            }
            _ => None,
        }
    }
}

/// A file to read.
pub(super) struct Answer<'a> {
    pub(super) input: Box<dyn Read>,
    pub(super) shown: &'a str,
    /// What it holds, where the user says.
    pub(super) holds: Option<Quantity>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<Data<'a>>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow, rename = "resultType")]
    result_type: Cow<'a, str>,
    #[serde(borrow)]
    result: Vec<Matrix<'a>>,
}

#[derive(Deserialize)]
struct Matrix<'a> {
    metric: BTreeMap<String, String>,
    #[serde(borrow, default)]
    values: Vec<(f64, Cow<'a, str>)>,
}

/// What an answer is where it is not the wanted one.
#[derive(Deserialize)]
struct Outline {
    status: Option<String>,
    error: Option<String>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    data: Option<OutlineData>,
}

#[derive(Deserialize)]
struct OutlineData {
    #[serde(rename = "resultType")]
    result_type: Option<String>,
}

/// A series with its quantity.
struct Series {
    quantity: Quantity,
    key: UsageKey,
    node: String,
    /// Unix milliseconds and value.
    points: Vec<(i64, f64)>,
}

/// Reads all answers of one source into `gather`.
///
/// # Errors
/// When one cannot be read, is no matrix, holds an unknown quantity, or
/// differs from the others in its step.
pub(super) fn read_into<'a>(
    answers: impl Iterator<Item = Result<Answer<'a>>>,
    step_ms: Option<i64>,
    gather: &mut Gather,
) -> Result<()> {
    let mut all: Vec<Series> = Vec::new();
    // File and its step, where its points tell one.
    let mut known: Option<(String, i64)> = None;
    let mut usage_file = None;
    for answer in answers {
        let answer = answer?;
        let shown = answer.shown;
        gather.file(shown)?;
        let series = read(answer, gather)?;
        if series.iter().any(|s| s.quantity.is_usage()) {
            usage_file = usage_file.or(Some(shown.to_owned()));
        }
        if let (None, Some(step)) = (step_ms, smallest_step(&series)) {
            match &known {
                Some((first, other)) if *other != step => {
                    return Err(Error::input(format!(
                        "`{first}` has a step of {} s and `{shown}` of {} s; query all of them \
                         with one step",
                        *other as f64 / 1e3,
                        step as f64 / 1e3
                    )));
                }
                Some(_) => {}
                None => known = Some((shown.to_owned(), step)),
            }
        }
        all.extend(series);
    }
    let step = step_ms.or(known.map(|(_, step)| step));
    if let (None, Some(file)) = (step, usage_file) {
        return Err(Error::input(format!(
            "`{file}`: no series has two points, so that their step is unknown; state `step`"
        )));
    }
    put(all, step.unwrap_or(1), gather)
}

fn read(answer: Answer<'_>, gather: &mut Gather) -> Result<Vec<Series>> {
    let Answer { input, shown, holds } = answer;
    let mut bytes = Vec::new();
    if let Err(e) = input.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
        let read = bytes.len();
        return Err(Error::input(format!("cannot read `{shown}` after {read} bytes: {e}")));
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::input(format!("`{shown}` is larger than 1 GiB; query a shorter range")));
    }
    let envelope: Envelope<'_> =
        serde_json::from_slice(&bytes).map_err(|e| refusal(shown, &bytes, &e))?;
    let Some(data) = envelope.data.filter(|_| envelope.status == "success") else {
        return Err(outlined(shown, &bytes).unwrap_or_else(|| {
            Error::input(format!("`{shown}`: the answer has no data; save the whole answer"))
        }));
    };
    if data.result_type != "matrix" {
        return Err(wrong_type(shown, &data.result_type));
    }
    for warning in envelope.warnings.iter().take(5) {
        let text = format!("`{shown}`: Prometheus warned: {}", excerpt(warning.as_bytes(), 200));
        gather.notice("prometheus-warning", text);
    }
    let mut series = Vec::new();
    for item in data.result {
        let label = |name: &str| item.metric.get(name).map_or("", String::as_str);
        let first = |a: &str, b: &str| {
            let value = label(a);
            if value.is_empty() { label(b).to_owned() } else { value.to_owned() }
        };
        let name = label("__name__");
        let resource = label("resource");
        let told = Quantity::of(name, resource);
        let quantity = match (holds, told) {
            // A file said to hold requests of cpu may carry those of memory.
            (Some(said), _) if !resource.is_empty() && !fits(said, resource) => {
                gather.dropped(OTHER_RESOURCE);
                continue;
            }
            (Some(Quantity::CpuUsage), Some(Ok(Quantity::CpuCounter))) => Quantity::CpuCounter,
            (Some(said), _) => said,
            (None, Some(Ok(quantity))) => quantity,
            (None, Some(Err(()))) => {
                gather.dropped(OTHER_RESOURCE);
                continue;
            }
            (None, None) => {
                let what = if name.is_empty() {
                    "its series carry no metric name".to_owned()
                } else {
                    format!("`{}` is no metric known here", excerpt(name.as_bytes(), 100))
                };
                let options = Quantity::OPTIONS.map(|(option, _)| option).join(", ");
                return Err(Error::input(format!(
                    "cannot tell what `{shown}` holds: {what}; name the file under one of \
                     {options}"
                )));
            }
        };
        let key = UsageKey {
            namespace: label("namespace").to_owned(),
            workload: label("workload").to_owned(),
            pod: first("pod", "pod_name"),
            container: first("container", "container_name"),
        };
        if key.pod.is_empty() {
            gather.dropped(NO_POD);
            continue;
        }
        if key.container == "POD" {
            gather.dropped(PAUSE);
            continue;
        }
        let mut points = Vec::with_capacity(item.values.len());
        for (at, value) in &item.values {
            gather.row();
            let ms = at * 1e3;
            if check_interval(ms as i64, 1).is_err() || !ms.is_finite() {
                return Err(Error::input(format!("`{shown}`: {at} is no time in Unix seconds")));
            }
            let Ok(number) = value.parse::<f64>() else {
                return Err(Error::input(format!(
                    "`{shown}`: the value `{}` at {at} is no number",
                    excerpt(value.as_bytes(), 40)
                )));
            };
            if number.is_finite() {
                points.push((ms.round() as i64, number));
            } else {
                gather.dropped(NOT_A_NUMBER);
            }
        }
        series.push(Series { quantity, key, node: label("node").to_owned(), points });
    }
    Ok(series)
}

/// Whether a file of this quantity can carry that `resource`.
fn fits(quantity: Quantity, resource: &str) -> bool {
    match quantity {
        Quantity::CpuUsage | Quantity::CpuCounter | Quantity::CpuRequest | Quantity::CpuLimit => {
            resource == "cpu"
        }
        _ => resource == "memory",
    }
}

/// Why an answer could not be read: what it is, else where it breaks off.
fn refusal(shown: &str, bytes: &[u8], cause: &serde_json::Error) -> Error {
    outlined(shown, bytes).unwrap_or_else(|| {
        let what = if cause.is_eof() { "is truncated" } else { "is no query_range answer" };
        Error::input(format!("`{shown}` {what}: {cause}"))
    })
}

/// What is wrong with a whole JSON answer that is not the wanted one.
fn outlined(shown: &str, bytes: &[u8]) -> Option<Error> {
    let outline: Outline = serde_json::from_slice(bytes).ok()?;
    let status = outline.status?;
    if status != "success" {
        let of = |text: Option<String>| excerpt(text.unwrap_or_default().as_bytes(), 300);
        return Some(Error::input(format!(
            "`{shown}` is an answer with status `{}` ({}): {}",
            excerpt(status.as_bytes(), 40),
            of(outline.error_type),
            of(outline.error)
        )));
    }
    let kind = outline.data?.result_type?;
    (kind != "matrix").then(|| wrong_type(shown, &kind))
}

fn wrong_type(shown: &str, kind: &str) -> Error {
    Error::input(format!(
        "`{shown}` holds a result of type `{}`, not `matrix`; save the answer of query_range, not \
         of query",
        excerpt(kind.as_bytes(), 40)
    ))
}

/// The smallest positive distance of two neighbouring points.
fn smallest_step(series: &[Series]) -> Option<i64> {
    series
        .iter()
        .flat_map(|s| s.points.windows(2))
        .map(|w| (w[1].0 - w[0].0).abs())
        .filter(|ms| (1..=MAX_SPAN_MS).contains(ms))
        .min()
}

type Pod = (String, String);

fn pod(key: &UsageKey) -> Pod {
    (key.namespace.clone(), key.pod.clone())
}

fn put(all: Vec<Series>, step: i64, gather: &mut Gather) -> Result<()> {
    // Pods of which a quantity is known by container.
    let by_container: BTreeSet<(Quantity, Pod)> = all
        .iter()
        .filter(|s| !s.key.container.is_empty())
        .map(|s| (s.quantity.kind(), pod(&s.key)))
        .collect();
    let used_by_container: BTreeSet<&Pod> =
        by_container.iter().filter(|(q, _)| q.is_usage()).map(|(_, pod)| pod).collect();
    let workloads: BTreeMap<Pod, String> = all
        .iter()
        .filter(|s| !s.key.workload.is_empty())
        .map(|s| (pod(&s.key), s.key.workload.clone()))
        .collect();
    let mut seen: BTreeSet<(Quantity, UsageKey)> = BTreeSet::new();
    // Latest request of each container, to be added up for pods.
    let mut asked: BTreeMap<(UsageKey, Quantity), BTreeMap<String, (i64, f64)>> = BTreeMap::new();
    for mut s in all {
        let whose = pod(&s.key);
        if s.key.container.is_empty() && by_container.contains(&(s.quantity.kind(), whose.clone()))
        {
            gather.dropped(POD_TOTAL);
            continue;
        }
        // One quantity may name the workload, another not.
        if let Some(workload) = workloads.get(&whose) {
            s.key.workload.clone_from(workload);
        }
        if !seen.insert((s.quantity.kind(), s.key.clone())) {
            gather.noted(DUPLICATE_SERIES);
        }
        if s.quantity.is_usage() {
            used(&s, step, gather)?;
            continue;
        }
        let container = s.key.container.clone();
        let mut key = s.key.clone();
        if !used_by_container.contains(&whose) {
            key.container.clear();
        }
        for (at, value) in s.points {
            let most = match s.quantity {
                Quantity::CpuRequest | Quantity::CpuLimit => MOST_CORES,
                _ => MOST_BYTES,
            };
            if !(0.0..=most).contains(&value) {
                gather.dropped(NEGATIVE);
                continue;
            }
            let containers = asked.entry((key.clone(), s.quantity)).or_default();
            let latest = containers.entry(container.clone()).or_insert((at, value));
            if at >= latest.0 {
                *latest = (at, value);
            }
        }
        gather.series(key)?.on_node(&s.node);
    }
    for ((key, quantity), containers) in asked {
        let at = containers.values().map(|(at, _)| *at).max().unwrap_or(0);
        let sum: f64 = containers.values().map(|(_, value)| value).sum();
        let mut stated = StatedResources::default();
        let (cpu, memory) = (Some(MicroCpu((sum * 1e6).round() as i64)), Some(Bytes(sum as i64)));
        match quantity {
            Quantity::CpuRequest => stated.cpu_request = cpu,
            Quantity::CpuLimit => stated.cpu_limit = cpu,
            Quantity::MemoryRequest => stated.memory_request = memory,
            _ => stated.memory_limit = memory,
        }
        gather.series(key)?.state(at, stated);
    }
    Ok(())
}

/// The samples of a series of usage.
fn used(series: &Series, step: i64, gather: &mut Gather) -> Result<()> {
    gather.series(series.key.clone())?.on_node(&series.node);
    let put = |gather: &mut Gather, end: i64, span_ms: i64, value: f64| {
        let cpu = series.quantity != Quantity::MemoryUsage;
        if !(0.0..=if cpu { MOST_CORES } else { MOST_BYTES }).contains(&value) {
            gather.dropped(NEGATIVE);
            return Ok(());
        }
        let mut sample =
            UsageSample { start_unix_ms: end - span_ms, span_ms, ..UsageSample::default() };
        if cpu {
            sample.cpu_mean = Some(MicroCpu((value * 1e6).round() as i64));
        } else {
            sample.memory_mean = Some(Bytes(value.round() as i64));
        }
        gather.series(series.key.clone())?.sample(sample);
        Ok::<(), Error>(())
    };
    if series.quantity != Quantity::CpuCounter {
        for (at, value) in &series.points {
            put(gather, *at, step, *value)?;
        }
        return Ok(());
    }
    let mut points = series.points.clone();
    points.sort_by_key(|p| p.0);
    for pair in points.windows(2) {
        let ((from, before), (to, after)) = (pair[0], pair[1]);
        let span = to - from;
        if span == 0 {
            continue;
        }
        if span > step * 3 / 2 {
            gather.dropped(GAP);
            continue;
        }
        let used = if after < before {
            gather.noted(COUNTER_RESET);
            after
        } else {
            after - before
        };
        put(gather, to, span, used / (span as f64 / 1e3))?;
    }
    Ok(())
}
