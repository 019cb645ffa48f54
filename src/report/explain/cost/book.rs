//! Everything a story of cost is read from: the bill, its lines and who got
//! which part of them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::bill::{Bill, BillingPlan, Part, Parts, Sku};
use crate::report::explain::CellFacts;
use crate::report::text;
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// Everything a story is read from.
pub(super) struct Book<'a> {
    pub(super) cell: CellFacts<'a>,
    pub(super) plan: &'a BillingPlan,
    pub(super) bill: &'a Bill,
    pub(super) parts: &'a Parts,
}

impl Book<'_> {
    pub(super) fn sku(&self, line: usize) -> &Sku {
        &self.bill.skus[usize::from(self.bill.lines.sku[line])]
    }

    pub(super) fn commitment(&self, sku: &Sku) -> Option<String> {
        let plan = self.plan.commitments.get(usize::from(sku.commitment?))?;
        Some(text::name(&plan.name))
    }

    /// Indices of the lines of a resource; lines are ordered by it.
    pub(super) fn lines_of(&self, resource: u32) -> std::ops::Range<usize> {
        let all = &self.bill.lines.resource;
        all.partition_point(|r| *r < resource)..all.partition_point(|r| *r <= resource)
    }

    /// What lines name the cluster by.
    pub(super) fn cluster(&self) -> u32 {
        self.bill.node_count + self.bill.fargate_count
    }

    pub(super) fn money(&self, line: usize) -> [Money; 3] {
        let lines = &self.bill.lines;
        [lines.list[line], lines.net[line], lines.on_demand[line]]
            .map(|pico| Money::from_pico(i128::from(pico)))
    }

    /// How the compute cost of these shapes splits.
    pub(super) fn weights(&self, shapes: impl Iterator<Item = u32>) -> Weights {
        const GIB: f64 = (1u64 << 30) as f64;
        let weight = self.plan.weight;
        let shapes: BTreeSet<u32> = shapes.collect();
        let types = shapes
            .into_iter()
            .map(|shape| {
                let shape = &self.cell.cluster.shapes[shape as usize];
                let vcpu = shape.capacity.cpu.0 as f64 / 1e3;
                let memory_gib = shape.capacity.memory.0 as f64 / GIB;
                let cpu = weight.vcpu_hour.to_f64() * vcpu;
                let all = cpu + weight.gb_hour.to_f64() * memory_gib;
                TypeSplit {
                    kind: text::name(&shape.name),
                    vcpu,
                    memory_gib,
                    cpu_share: if all > 0.0 { cpu / all } else { 0.0 },
                }
            })
            .collect();
        Weights { vcpu_hour: weight.vcpu_hour, gb_hour: weight.gb_hour, types }
    }
}

/// Money by what it was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Amount {
    pub(super) cpu: Money,
    pub(super) memory: Money,
    pub(super) other: Money,
    pub(super) total: Money,
}

impl Amount {
    pub(super) fn of(part: &Part) -> Amount {
        let Part { cpu, memory, other, .. } = *part;
        Amount { cpu, memory, other, total: part.amount() }
    }

    pub(super) fn add(&mut self, more: Amount) {
        self.cpu += more.cpu;
        self.memory += more.memory;
        self.other += more.other;
        self.total += more.total;
    }
}

/// How cost splits between cpu and memory before it is allocated.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Weights {
    pub(super) vcpu_hour: Rate,
    pub(super) gb_hour: Rate,
    /// Per instance type in question.
    pub(super) types: Vec<TypeSplit>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct TypeSplit {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) vcpu: f64,
    pub(super) memory_gib: f64,
    /// What of its compute cost is cpu, the rest being memory.
    pub(super) cpu_share: f64,
}

/// Two sums of the same money must be equal.
pub(super) fn same(what: &str, sum: Money, bill: Money) -> Result<()> {
    if sum == bill {
        return Ok(());
    }
    Err(Error::failed(format!("{what} sum to {sum}, the bill to {bill}")))
}
