//! The container report of the OpenShift cost-management metrics operator
//! (`ros-openshift-container-*.csv`, resource optimisation), and the same
//! table as Kruize's demonstrations export it: one row per container and
//! quarter of an hour.
//!
//! | column | use |
//! | --- | --- |
//! | `interval_start` `interval_end` | the quarter; a start at `:01` means the minute before it. Dates as `2023-03-15 13:00:01 +0000 UTC` or `Wed Mar 15 09:27:43 UTC 2023` |
//! | `namespace` `container_name` `pod` `node` | whose row it is; without `pod`, a mean over the replicas of a workload |
//! | `workload`, `k8_object_name`, `owner_name` | the workload: the first that is neither empty nor `<none>`; of an owner that is a `ReplicaSet` without its hash; where all are empty, what the pod's name tells |
//! | `cpu_usage_container_avg` `…_max` `…_sum` | cpu in cores: mean and largest of one container, and the sum over replicas, which ÷ the mean is the number of replicas |
//! | `memory_usage_container_avg` `…_max` `…_sum` | likewise in bytes |
//! | `cpu_request_container_avg` `cpu_limit_…` `memory_request_…` `memory_limit_…` | what each asks for; empty or 0 is no request |
//! | `min`, throttling, rss, network, others | not used |
//!
//! | | what happens |
//! | --- | --- |
//! | sorted, dropped | as for every format: [`crate::workload::usage::gather`]; an empty cell is unknown |
//! | bad | a missing or extra field, a value that is no number, negative or absurdly large, a row without namespace, container or workload |

use crate::error::{Error, Result};
use crate::units::Bytes;
use crate::workload::source::{BadRow, bad_value};
use crate::workload::table::Table;
use crate::workload::usage::gather::{Gather, bytes, check_interval, cores};
use crate::workload::usage::owner::{deployment_of, owner_of};
use crate::workload::usage::{MicroCpu, StatedResources, UsageKey, UsageSample};

/// Columns that must be present.
pub(super) const REQUIRED: [&str; 6] = [
    "interval_start",
    "interval_end",
    "namespace",
    "container_name",
    "cpu_usage_container_avg",
    "memory_usage_container_avg",
];

/// Columns that name the workload, best first.
const WORKLOADS: [&str; 3] = ["workload", "k8_object_name", "owner_name"];

/// Reads a report into `gather`.
///
/// # Errors
/// When it cannot be read, lacks a column, or rows are bad.
pub(super) fn read_into(table: &mut Table, gather: &mut Gather) -> Result<()> {
    let find = |name: &str| table.header().iter().position(|h| h.trim() == name);
    let mut missing: Vec<String> = REQUIRED
        .iter()
        .filter(|name| find(name).is_none())
        .map(|name| format!("`{name}`"))
        .collect();
    if WORKLOADS.iter().all(|name| find(name).is_none()) {
        missing.push("one of `workload`, `k8_object_name` and `owner_name`".into());
    }
    if !missing.is_empty() {
        return Err(Error::input(format!(
            "`{}` is no container report: it lacks the columns {}",
            table.name(),
            missing.join(", ")
        )));
    }
    while table.advance()? {
        gather.row();
        match row(table) {
            Ok(row) => {
                let series = gather.series(row.key)?;
                series.on_node(&row.node);
                series.replicas(row.replicas);
                series.state(row.sample.start_unix_ms, row.stated);
                series.sample(row.sample);
            }
            Err(mut bad) => {
                bad.text = table.row_text();
                gather.bad(table.line(), bad)?;
            }
        }
    }
    Ok(())
}

struct Row {
    key: UsageKey,
    node: String,
    replicas: u32,
    stated: StatedResources,
    sample: UsageSample,
}

fn row(table: &Table) -> std::result::Result<Row, BadRow> {
    table.check_width()?;
    let cell = |name: &str| {
        let at = table.header().iter().position(|h| h.trim() == name);
        at.map_or(&b""[..], |c| table.cell(c).trim_ascii())
    };
    let text = |name: &str| {
        let value = cell(name);
        std::str::from_utf8(value)
            .map(|t| if t == "<none>" { "" } else { t })
            .map_err(|_| bad_value(name, value, "is not text", b""))
    };
    fn known<T>(
        name: &str,
        value: &[u8],
        read: impl Fn(&[u8]) -> std::result::Result<T, String>,
    ) -> std::result::Result<Option<T>, BadRow> {
        if value.is_empty() {
            return Ok(None);
        }
        read(value).map(Some).map_err(|cause| bad_value(name, value, &cause, b""))
    }
    let cpu = |name: &str| known(name, cell(name), cores);
    let memory = |name: &str| known(name, cell(name), bytes);
    let (start_unix_ms, span_ms) =
        super::when::interval(cell("interval_start"), cell("interval_end")).map_err(
            |(first, cause)| {
                let name = if first { "interval_start" } else { "interval_end" };
                bad_value(name, cell(name), cause, b"")
            },
        )?;
    check_interval(start_unix_ms, span_ms)
        .map_err(|cause| bad_value("interval_end", cell("interval_end"), &cause, b""))?;

    let mut workload = String::new();
    for name in WORKLOADS {
        let value = text(name)?;
        if workload.is_empty() && !value.is_empty() {
            value.clone_into(&mut workload);
            if name == "owner_name" && text("owner_kind")? == "ReplicaSet" {
                deployment_of(value).clone_into(&mut workload);
            }
        }
    }
    let pod = text("pod")?;
    if workload.is_empty() {
        owner_of(pod, text("node")?).0.clone_into(&mut workload);
    }
    let key = UsageKey {
        namespace: text("namespace")?.to_owned(),
        workload,
        pod: pod.to_owned(),
        container: text("container_name")?.to_owned(),
    };
    for (column, value) in [
        ("namespace", &key.namespace),
        ("workload", &key.workload),
        ("container_name", &key.container),
    ] {
        if value.is_empty() {
            return Err(bad_value(column, b"", "is no name", b""));
        }
    }
    let (cpu_mean, memory_mean) =
        (cpu("cpu_usage_container_avg")?, memory("memory_usage_container_avg")?);
    let (cpu_sum, memory_sum) =
        (cpu("cpu_usage_container_sum")?, memory("memory_usage_container_sum")?);
    let replicas = replicas(cpu_sum.map(|c| c.0), cpu_mean.map(|c| c.0))
        .or_else(|| replicas(memory_sum.map(|m| m.0), memory_mean.map(|m| m.0)))
        .unwrap_or(1);
    let asked = |c: Option<MicroCpu>| c.filter(|c| c.0 > 0);
    let room = |m: Option<Bytes>| m.filter(|m| m.0 > 0);
    Ok(Row {
        key,
        node: text("node")?.to_owned(),
        replicas,
        stated: StatedResources {
            cpu_request: asked(cpu("cpu_request_container_avg")?),
            cpu_limit: asked(cpu("cpu_limit_container_avg")?),
            memory_request: room(memory("memory_request_container_avg")?),
            memory_limit: room(memory("memory_limit_container_avg")?),
        },
        sample: UsageSample {
            start_unix_ms,
            span_ms,
            cpu_mean,
            cpu_max: cpu("cpu_usage_container_max")?,
            memory_mean,
            memory_max: memory("memory_usage_container_max")?,
        },
    })
}

/// The sum over replicas ÷ the mean of one; `None` where neither tells. A
/// mean below 20 µ is too coarse to divide by.
fn replicas(sum: Option<i64>, mean: Option<i64>) -> Option<u32> {
    let (sum, mean) = (sum?, mean.filter(|m| *m >= 20)?);
    let n = (sum as f64 / mean as f64).round();
    (1.0..=1e6).contains(&n).then_some(n as u32)
}
