//! Break-evens as JSON.

use serde_json::{Value, json};

use super::words::{caveats, verdicts};
use crate::advise::breakeven::{Amount, Breakeven, Breakevens, Priced, Shares};
use crate::sweep::SCHEMA_VERSION;
use crate::units::{Bytes, MilliCpu};

pub(super) fn document(it: &Breakevens) -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "plimsoll_version": env!("CARGO_PKG_VERSION"),
        "scenario": it.simulated.as_ref().map(|s| &s.scenario),
        "case": it.simulated.as_ref().map(|s| &s.case),
        "seed": it.simulated.as_ref().map(|s| s.seed),
        "region": it.region,
        "orchestrator": it.orchestrator.name(),
        "comparisons": it.comparisons.iter().map(one).collect::<Vec<_>>(),
    })
}

fn one(b: &Breakeven) -> Value {
    let amount =
        |a: &Amount| json!({ "vcpu": a.cpu / 1_000.0, "memory_bytes": a.memory, "pods": a.pods });
    let size = |cpu: MilliCpu, memory: Bytes| json!({ "vcpu": cpu.0 as f64 / 1_000.0, "memory_bytes": memory.0 });
    let priced = |p: &Priced| {
        let parts: Vec<Value> = p
            .parts
            .iter()
            .map(|(name, rate)| json!({ "name": name, "usd_per_hour": rate }))
            .collect();
        json!({
            "option": p.option,
            "plan": p.plan,
            "usd_per_hour": p.per_hour,
            "parts": parts,
            "price_status": p.status.name(),
        })
    };
    let shares = |s: Shares| {
        json!({
            "vcpu": s.raw_cpu,
            "memory": s.raw_memory,
            "allocatable_cpu": s.allocatable_cpu,
            "allocatable_memory": s.allocatable_memory,
            "pod_slots": s.pod_slots,
            "pods_that_fit": s.of_most,
        })
    };
    let (most, binding) = b.most();
    json!({
        "subject": b.subject,
        "node": {
            "machine": amount(&b.node.raw),
            "allocatable": amount(&b.node.allocatable),
            "daemonsets": amount(&b.node.daemons),
        },
        "pods": b.mix.iter().map(|p| json!({
            "name": p.name,
            "weight": p.weight.to_string(),
            "requests": size(p.cpu, p.memory),
            "fargate_size": size(p.size.cpu, p.size.memory),
        })).collect::<Vec<_>>(),
        "full_node": { "pods": most, "limit": binding.name() },
        "ec2": b.ec2.iter().map(priced).collect::<Vec<_>>(),
        "fargate": b.fargate.iter().map(priced).collect::<Vec<_>>(),
        "break_even": b.crossings().iter().map(|c| json!({
            "ec2": b.ec2.get(c.ec2).map(|p| &p.option),
            "fargate": b.fargate.get(c.fargate).map(|p| &p.option),
            "pods": c.pods.is_finite().then_some(c.pods),
            "cheaper_from_pods": c.cheaper_from,
            "reachable": c.reachable,
            "shares": c.pods.is_finite().then(|| shares(b.shares(c.pods))),
        })).collect::<Vec<_>>(),
        "left_out": b.left_out.iter().map(|l| json!({
            "reason": l.reason, "share_of_pod_hours": l.share,
        })).collect::<Vec<_>>(),
        "notes": caveats(b),
        "measured": b.measured.map(|m| json!({
            "pods_per_node": m.pods_per_node,
            "node_hours": m.node_hours,
            "shares": shares(b.shares(m.pods_per_node)),
        })),
        "verdict": verdicts(b),
    })
}
