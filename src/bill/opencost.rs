//! The bill in the shape of an answer of `OpenCost`'s allocation API, so that
//! what reads a real cluster's cost reads a simulated one's
//! (`core/pkg/opencost/allocation_json.go`, aggregated by namespace and
//! controller; one window: the cost window).
//!
//! | name | what |
//! | --- | --- |
//! | `namespace/workload` | what its pods requested, and what is charged for it alone |
//! | `__idle__` | what of nodes no pod requested: free capacity, system reserve, nodes that boot or drain |
//! | `__shared__` | charges that follow nodes and clusters, unused commitment |
//!
//! `totalCost` is the sum of the costs of an entry, and those of all entries sum
//! to the bill. Hours of cpu and memory are those that `OpenCost` prices: of each pod
//! the larger of request and usage; usage averages are null where a pod's
//! usage is unknown. `externalCost`, GPUs and `__unmounted__` volumes are
//! left out: the bill has no cost outside of the cluster, no price of a GPU alone
//! and no volume without a workload.
//!
//! DIFFERENCE: a workload's cost is its share of what its nodes cost after
//! commitments and Spot; `OpenCost` multiplies hours by a price list.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::model::{Bill, OwnerCost, pseudo};
use super::parts::PartOwner;
use crate::observe::Record;
use crate::units::{HOUR_MS, Money, SimTime};
use crate::workload::{NamespaceId, WorkloadId, WorkloadKind, Workloads};
use crate::{Error, Result};

/// Free capacity, as `OpenCost` calls it.
const IDLE: &str = "__idle__";
/// What is shared, as `OpenCost` calls it.
const SHARED: &str = "__shared__";

/// Milli-core·ms and KiB·ms of one owner.
#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    /// Cpu, memory.
    requested: [i128; 2],
    used: [i128; 2],
    /// Used beyond the requests.
    beyond: [i128; 2],
    /// Requested by pods of unknown usage.
    unknown: [i128; 2],
}

/// Writes the allocations of a bill.
///
/// # Errors
/// A bill that does not belong to the record, or where `out` cannot be written.
pub fn write_opencost(
    bill: &Bill,
    record: &Record,
    workloads: &Workloads,
    cluster: &str,
    mut out: impl Write,
) -> Result<()> {
    let usage = usage(bill, record, workloads)?;
    let window = Window::of(bill)?;
    let mut data = Map::new();
    let mut idle = [Money::ZERO; 2];
    let mut shared: Vec<(&str, &OwnerCost)> = Vec::new();
    for cost in &bill.owners {
        match cost.owner {
            PartOwner::Workload(w, n) => {
                let names =
                    workloads.workloads.get(w.index()).zip(workloads.namespaces.get(n.index()));
                let (info, namespace) =
                    names.ok_or_else(|| Error::failed("a cost of an unknown workload"))?;
                let name = format!("{namespace}/{}", info.name);
                let mut properties = json!({
                    "cluster": cluster,
                    "controller": info.name,
                    "namespace": namespace,
                });
                if info.kind == WorkloadKind::Daemon {
                    properties["controllerKind"] = "daemonset".into();
                }
                let used = usage.get(&(w, n)).copied().unwrap_or_default();
                let entry = window.entry(&name, &properties, cost, &used);
                data.insert(name, entry);
            }
            PartOwner::Pseudo(pseudo::IDLE | pseudo::SYSTEM | pseudo::BOOT_AND_DRAIN) => {
                idle[0] += cost.cpu;
                idle[1] += cost.amount() - cost.cpu;
            }
            PartOwner::Pseudo(name) => shared.push((name, cost)),
        }
    }
    let properties = json!({ "cluster": cluster });
    let zero = Money::ZERO;
    let of_nobody = OwnerCost {
        owner: PartOwner::Pseudo(pseudo::IDLE),
        cpu: idle[0],
        memory: idle[1],
        storage: zero,
        network: zero,
        load_balancer: zero,
        other: zero,
    };
    data.insert(IDLE.into(), window.entry(IDLE, &properties, &of_nobody, &Usage::default()));
    if !shared.is_empty() {
        let total: Money = shared.iter().map(|(_, cost)| cost.amount()).sum();
        let breakdown: Map<String, Value> = shared
            .iter()
            .map(|(name, cost)| {
                let part = json!({ "name": name, "totalCost": usd(cost.amount()) });
                ((*name).to_owned(), part)
            })
            .collect();
        let cost = OwnerCost { cpu: zero, memory: zero, other: total, ..of_nobody };
        let mut entry = window.entry(SHARED, &properties, &cost, &Usage::default());
        entry["sharedCostBreakdown"] = Value::Object(breakdown);
        data.insert(SHARED.into(), entry);
    }
    let answer = json!({ "code": 200, "status": "success", "data": [data] });
    let text = format!("{answer:#}\n");
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| Error::failed(format!("cannot write opencost.json: {e}")))
}

fn usd(amount: Money) -> f64 {
    amount.to_f64()
}

/// The one window of the answer.
#[derive(Debug, Serialize)]
struct Window {
    start: String,
    end: String,
    #[serde(skip)]
    hours: f64,
}

impl Window {
    fn of(bill: &Bill) -> Result<Window> {
        let at = |ms| {
            Timestamp::from_millisecond(ms)
                .map(|t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
                .map_err(|e| Error::failed(format!("the cost window is no date: {e}")))
        };
        Ok(Window {
            start: at(bill.from_unix_ms)?,
            end: at(bill.to_unix_ms)?,
            hours: (bill.to_unix_ms - bill.from_unix_ms) as f64 / HOUR_MS as f64,
        })
    }

    fn entry(&self, name: &str, properties: &Value, cost: &OwnerCost, used: &Usage) -> Value {
        const UNITS: [f64; 2] = [1_000.0 * HOUR_MS as f64, HOUR_MS as f64 / 1_024.0];
        let hours = |resource: usize, amount: i128| amount as f64 / UNITS[resource];
        let mean = |resource, amount| {
            if self.hours > 0.0 { hours(resource, amount) / self.hours } else { 0.0 }
        };
        let usage_mean = |resource: usize| {
            let known = used.unknown[resource] == 0;
            known.then(|| mean(resource, used.used[resource] + used.beyond[resource]))
        };
        let allocated = |resource: usize| used.requested[resource] + used.beyond[resource];
        json!({
            "name": name,
            "properties": properties,
            "window": self,
            "start": self.start,
            "end": self.end,
            "minutes": self.hours * 60.0,
            "cpuCores": mean(0, allocated(0)),
            "cpuCoreRequestAverage": mean(0, used.requested[0]),
            "cpuCoreUsageAverage": usage_mean(0),
            "cpuCoreHours": hours(0, allocated(0)),
            "cpuCost": usd(cost.cpu),
            "ramBytes": mean(1, allocated(1)),
            "ramByteRequestAverage": mean(1, used.requested[1]),
            "ramByteUsageAverage": usage_mean(1),
            "ramByteHours": hours(1, allocated(1)),
            "ramCost": usd(cost.memory),
            "pvCost": usd(cost.storage),
            "networkCost": usd(cost.network),
            "loadBalancerCost": usd(cost.load_balancer),
            "sharedCost": usd(cost.other),
            "totalCost": usd(cost.amount()),
        })
    }
}

/// What pods requested and used in the cost window.
fn usage(
    bill: &Bill,
    record: &Record,
    workloads: &Workloads,
) -> Result<BTreeMap<(WorkloadId, NamespaceId), Usage>> {
    let mut sums: BTreeMap<(WorkloadId, NamespaceId), Usage> = BTreeMap::new();
    for o in &record.owners {
        let sum = sums.entry((o.workload, o.namespace)).or_default();
        for (sum, [cpu, memory]) in [
            (&mut sum.requested, [o.cpu_requested, o.memory_requested]),
            (&mut sum.used, [o.cpu_used, o.memory_used]),
            (&mut sum.beyond, [o.cpu_beyond, o.memory_beyond]),
            (&mut sum.unknown, [o.cpu_unknown, o.memory_unknown]),
        ] {
            sum[0] += i128::from(cpu);
            sum[1] += i128::from(memory);
        }
    }
    for pod in &record.fargate {
        let template = workloads.templates.get(pod.template.index());
        let template = template.ok_or_else(|| Error::failed("a pod has no template"))?;
        let unix = |t: SimTime| {
            record
                .start_unix_ms
                .saturating_add(t.min(record.end).ms())
                .clamp(bill.from_unix_ms, bill.to_unix_ms)
        };
        let ms = (unix(pod.finished) - unix(pod.running)).max(0);
        let (cpu, memory) = workloads.own_requests(pod.template);
        let sum = sums.entry((template.workload, template.namespace)).or_default();
        let used_kib =
            if pod.used_memory < 0 { -1 } else { crate::units::Bytes(pod.used_memory).kib() };
        for (at, (request, used)) in
            [(cpu.0, pod.used_cpu), (memory.kib(), used_kib)].into_iter().enumerate()
        {
            let time = |amount: i64| i128::from(amount) * i128::from(ms);
            sum.requested[at] += time(request);
            if used < 0 {
                sum.unknown[at] += time(request);
            } else {
                sum.used[at] += time(used.min(request));
                sum.beyond[at] += time((used - request).max(0));
            }
        }
    }
    Ok(sums)
}
