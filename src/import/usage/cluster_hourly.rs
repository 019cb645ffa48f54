//! The pod report of the OpenShift cost-management metrics operator
//! (`*_openshift_usage_report.N.csv`, koku-metrics-operator): one row per pod
//! and hour, holding integrals over the hour.
//!
//! | column | use |
//! | --- | --- |
//! | `interval_start` `interval_end` | the hour; it ends at `:59:59`, that second included |
//! | `namespace` `pod` `node` | whose row it is |
//! | `pod_usage_cpu_core_seconds` | ÷ length of the interval: mean cpu |
//! | `pod_usage_memory_byte_seconds` | likewise: mean memory |
//! | `pod_request_*` `pod_limit_*` | likewise; the largest hour of a pod is its request, since an hour in which it ran only partly counts partly |
//! | `pod_labels` | `label_KEY:value|…`, keys with `.`, `/` and `-` as `_`; tell the owner |
//! | `node_capacity_cpu_cores` `node_capacity_memory_bytes` `node_role` | what the node is |
//! | others | not used |
//!
//! The owner of a pod is, in this order: by `statefulset_kubernetes_io_pod_name`
//! the name without its ordinal; by `job_name` the Job, without the minute of
//! its schedule if a `CronJob` made it; by `deploymentconfig` that name; by
//! `pod_template_hash` the name before the hash; by `controller_revision_hash`
//! the name before the drawn characters; else by its name alone
//! ([`owner_of`]).
//!
//! | | what happens |
//! | --- | --- |
//! | sorted | hours before an earlier one of their pod, counted |
//! | dropped | `hole`: an hour without cpu and memory, such as those of completed jobs. An empty cell is unknown, never zero |
//! | bad | a missing or extra field, a value that is no number, negative or absurdly large, a date in another form |
//! | noted | `not-seen-running`: a request of exactly 0, which says that the pod was never sampled while it ran; its request stays unknown |

use crate::error::{Error, Result};
use crate::units::Bytes;
use crate::workload::source::{BadRow, Code, bad_value};
use crate::workload::table::Table;
use crate::workload::usage::gather::{Gather, check_interval, scaled};
use crate::workload::usage::owner::{OwnerKind, owner_of};
use crate::workload::usage::{MicroCpu, StatedResources, UsageKey, UsageSample};

const NOT_SEEN_RUNNING: Code = Code {
    name: "not-seen-running",
    text: "hours with a request of exactly 0: the pod was never sampled while it ran",
};

/// Columns that must be present, in the order of [`Columns::at`].
pub(super) const REQUIRED: [&str; 11] = [
    "interval_start",
    "interval_end",
    "namespace",
    "pod",
    "node",
    "pod_usage_cpu_core_seconds",
    "pod_usage_memory_byte_seconds",
    "pod_request_cpu_core_seconds",
    "pod_limit_cpu_core_seconds",
    "pod_request_memory_byte_seconds",
    "pod_limit_memory_byte_seconds",
];

/// Columns that are used where they are present.
const OPTIONAL: [&str; 4] =
    ["pod_labels", "node_capacity_cpu_cores", "node_capacity_memory_bytes", "node_role"];

/// Where each column stands.
pub(crate) struct Columns {
    at: [usize; REQUIRED.len()],
    optional: [Option<usize>; OPTIONAL.len()],
}

/// One pod in one hour. `None` is an empty cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hour<'a> {
    /// Start of the interval, Unix milliseconds.
    pub(crate) start_unix_ms: i64,
    /// Its length, milliseconds.
    pub(crate) span_ms: i64,
    pub(crate) namespace: &'a str,
    pub(crate) pod: &'a str,
    /// Empty where it has none.
    pub(crate) node: &'a str,
    /// The raw labels.
    pub(crate) labels: &'a str,
    /// Mean cpu used.
    pub(crate) cpu: Option<MicroCpu>,
    /// Mean memory used.
    pub(crate) memory: Option<Bytes>,
    /// Means of requests and limits over the hour; 0 where never sampled.
    pub(crate) stated: StatedResources,
    /// Cores of the node.
    pub(crate) node_cpu: Option<MicroCpu>,
    /// Memory of the node.
    pub(crate) node_memory: Option<Bytes>,
    /// `master`, `worker`, `infra`.
    pub(crate) node_role: &'a str,
}

impl Columns {
    /// Understands a header.
    ///
    /// # Errors
    /// When columns are missing.
    pub(crate) fn of(table: &Table) -> Result<Self> {
        let find = |name: &str| table.header().iter().position(|h| h.trim() == name);
        let missing: Vec<String> = REQUIRED
            .iter()
            .filter(|name| find(name).is_none())
            .map(|name| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            return Err(Error::input(format!(
                "`{}` is no cluster-hourly pod report: it lacks the columns {}",
                table.name(),
                missing.join(", ")
            )));
        }
        Ok(Columns {
            at: REQUIRED.map(|name| find(name).unwrap_or_default()),
            optional: OPTIONAL.map(find),
        })
    }

    /// The last row of the table.
    ///
    /// # Errors
    /// Names the first value that has no meaning.
    pub(crate) fn hour<'t>(&self, table: &'t Table) -> std::result::Result<Hour<'t>, BadRow> {
        table.check_width()?;
        let cell = |i: usize| table.cell(self.at[i]).trim_ascii();
        let extra = |i: usize| self.optional[i].map_or(&b""[..], |c| table.cell(c).trim_ascii());
        let fault = |column: &str, value: &[u8], cause: &str| {
            let mut bad = bad_value(column, value, cause, b"");
            bad.text = table.row_text();
            bad
        };
        let name = |i: usize| {
            std::str::from_utf8(cell(i)).map_err(|_| fault(REQUIRED[i], cell(i), "is not text"))
        };
        let word = |i: usize| {
            std::str::from_utf8(extra(i)).map_err(|_| fault(OPTIONAL[i], extra(i), "is not text"))
        };
        let (start_unix_ms, span_ms) =
            super::when::interval(cell(0), cell(1)).map_err(|(first, cause)| {
                let i = usize::from(!first);
                fault(REQUIRED[i], cell(i), cause)
            })?;
        check_interval(start_unix_ms, span_ms).map_err(|c| fault(REQUIRED[1], cell(1), &c))?;
        let seconds = span_ms as f64 / 1e3;
        let number = |column: &str, value: &[u8], unit: f64, most: f64, large: &str| {
            if value.is_empty() {
                return Ok(None);
            }
            scaled(value, unit, most, large).map(Some).map_err(|c| fault(column, value, &c))
        };
        let cpu = |i: usize| {
            let large = "is above a million cores";
            Ok::<_, BadRow>(number(REQUIRED[i], cell(i), 1e6 / seconds, 1e12, large)?.map(MicroCpu))
        };
        let memory = |i: usize| {
            let most = (1u64 << 52) as f64;
            Ok::<_, BadRow>(
                number(REQUIRED[i], cell(i), 1.0 / seconds, most, "is above 4 PiB")?.map(Bytes),
            )
        };
        let capacity =
            |i: usize, unit: f64| number(OPTIONAL[i], extra(i), unit, 1e18, "is absurdly large");
        let (namespace, pod) = (name(2)?, name(3)?);
        for (i, value) in [(2, namespace), (3, pod)] {
            if value.is_empty() {
                return Err(fault(REQUIRED[i], b"", "is no name"));
            }
        }
        Ok(Hour {
            start_unix_ms,
            span_ms,
            namespace,
            pod,
            node: name(4)?,
            labels: word(0)?,
            cpu: cpu(5)?,
            memory: memory(6)?,
            stated: StatedResources {
                cpu_request: cpu(7)?,
                cpu_limit: cpu(8)?,
                memory_request: memory(9)?,
                memory_limit: memory(10)?,
            },
            node_cpu: capacity(1, 1e6)?.map(MicroCpu),
            node_memory: capacity(2, 1.0)?.map(Bytes),
            node_role: word(3)?,
        })
    }
}

impl Hour<'_> {
    /// The pod's owner and its kind; see the module.
    pub(crate) fn owner(&self) -> (&str, OwnerKind) {
        owner(self.pod, self.node, self.labels)
    }
}

/// The value of a label in `label_a:x|label_b:y`.
pub(crate) fn label<'a>(labels: &'a str, key: &str) -> Option<&'a str> {
    labels
        .split('|')
        .find_map(|pair| pair.strip_prefix("label_")?.strip_prefix(key)?.strip_prefix(':'))
}

fn owner<'a>(pod: &'a str, node: &str, labels: &'a str) -> (&'a str, OwnerKind) {
    let before = |end: Option<usize>| end.map(|at| &pod[..at]).filter(|name| !name.is_empty());
    if label(labels, "statefulset_kubernetes_io_pod_name").is_some()
        && let Some(name) = before(pod.rfind('-'))
    {
        return (name, OwnerKind::StatefulSet);
    }
    let job = label(labels, "job_name").or_else(|| label(labels, "batch_kubernetes_io_job_name"));
    if let Some(job) = job.filter(|j| !j.is_empty()) {
        return match job.rsplit_once('-') {
            Some((name, minute))
                if !name.is_empty()
                    && (8..=10).contains(&minute.len())
                    && minute.bytes().all(|b| b.is_ascii_digit()) =>
            {
                (name, OwnerKind::CronJob)
            }
            _ => (job, OwnerKind::Job),
        };
    }
    if let Some(name) = label(labels, "deploymentconfig").filter(|n| !n.is_empty()) {
        return (name, OwnerKind::Deployment);
    }
    if let Some(hash) = label(labels, "pod_template_hash").filter(|h| !h.is_empty())
        && let Some(name) = before(pod.rfind(&format!("-{hash}-")))
    {
        return (name, OwnerKind::Deployment);
    }
    if label(labels, "controller_revision_hash").is_some()
        && let Some(name) = before(pod.rfind('-'))
    {
        return (name, OwnerKind::DaemonSet);
    }
    owner_of(pod, node)
}

/// Reads a report into `gather`.
///
/// # Errors
/// When it cannot be read, lacks a column, or rows are bad.
pub(super) fn read_into(table: &mut Table, gather: &mut Gather) -> Result<()> {
    let columns = Columns::of(table)?;
    while table.advance()? {
        gather.row();
        match columns.hour(table) {
            Ok(hour) => put(&hour, gather)?,
            Err(bad) => gather.bad(table.line(), bad)?,
        }
    }
    Ok(())
}

/// Adds an hour to its series.
pub(crate) fn put(hour: &Hour<'_>, gather: &mut Gather) -> Result<()> {
    let stated = &hour.stated;
    if stated.cpu_request == Some(MicroCpu(0)) || stated.memory_request == Some(Bytes(0)) {
        gather.noted(NOT_SEEN_RUNNING);
    }
    let key = UsageKey {
        namespace: hour.namespace.to_owned(),
        workload: hour.owner().0.to_owned(),
        pod: hour.pod.to_owned(),
        container: String::new(),
    };
    let series = gather.series(key)?;
    series.on_node(hour.node);
    series.state_largest(StatedResources {
        cpu_request: stated.cpu_request.filter(|c| c.0 > 0),
        cpu_limit: stated.cpu_limit.filter(|c| c.0 > 0),
        memory_request: stated.memory_request.filter(|m| m.0 > 0),
        memory_limit: stated.memory_limit.filter(|m| m.0 > 0),
    });
    series.sample(UsageSample {
        start_unix_ms: hour.start_unix_ms,
        span_ms: hour.span_ms,
        cpu_mean: hour.cpu,
        memory_mean: hour.memory,
        ..UsageSample::default()
    });
    Ok(())
}
