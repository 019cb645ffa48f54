//! A record and prices become a bill.
//!
//! One pass writes every line and allocates it; where there are commitments,
//! a pass before it sums each hour by rate. Measured on a busy shared core,
//! sums only: a month of 5,000 nodes with 20 owners a day each and one plan (7.8
//! million lines) takes 1.2 CPU-s; kept lines take 42 bytes each on top.
//! Order: nodes, Fargate pods, the cluster, commitments.

mod covered;
mod fees;

use std::collections::BTreeMap;

use super::allocate::{Allocation, PodPhases};
use super::around::AroundLines;
use super::charge::Charge;
use super::check::{check_plan, check_sums};
use super::commitment_use::CommitmentUse;
use super::commitments::{Piece, Settlement, Shares};
use super::ledger::Ledger;
use super::model::{Bill, KeepLines, Monthly, Unit, pseudo};
use super::parts::{Collector, Focus, Parts};
use super::prices::{BillingPlan, MONTH_HOURS};
use super::usage::{Meter, RawLine};
use super::waterfall::Step;
use crate::cluster::ClusterSpec;
use crate::observe::Record;
use crate::units::{DAY_MS, HOUR_MS, Money, SimTime};
use crate::workload::{PodTemplate, Workloads};
use crate::{Error, Result};

const WEEK_MS: i64 = 7 * DAY_MS;

impl Bill {
    /// What a simulation costs under a price plan. The same record and plan
    /// give the same bytes.
    ///
    /// # Errors
    /// A price that the record needs and the plan lacks, a rate below zero or
    /// above 100,000 USD, an amount that leaves its integer, or a record that
    /// does not add up.
    pub fn compute(
        record: &Record,
        cluster: &ClusterSpec,
        workloads: &Workloads,
        plan: &BillingPlan,
        keep: KeepLines,
    ) -> Result<Bill> {
        make(record, cluster, workloads, plan, keep, None).map(|(bill, _)| bill)
    }

    /// The same bill with all its lines, and what the allocation of the
    /// focus is made of.
    ///
    /// # Errors
    /// As [`Bill::compute`].
    pub fn explain(
        record: &Record,
        cluster: &ClusterSpec,
        workloads: &Workloads,
        plan: &BillingPlan,
        focus: Focus,
    ) -> Result<(Bill, Parts)> {
        let collector = Some(Collector::new(focus));
        make(record, cluster, workloads, plan, KeepLines::Yes, collector)
    }
}

fn make(
    record: &Record,
    cluster: &ClusterSpec,
    workloads: &Workloads,
    plan: &BillingPlan,
    keep: KeepLines,
    collector: Option<Collector>,
) -> Result<(Bill, Parts)> {
    check_plan(plan)?;
    for (i, node) in record.nodes.iter().enumerate() {
        if node.pool.index() >= cluster.pools.len() {
            return Err(Error::failed(format!("node {i} belongs to no pool")));
        }
    }
    let mut meter = Meter::new(record, cluster, plan);
    meter.storage = storage(workloads, plan);
    let pools = cluster.pools.len() + cluster.fargate.len();
    let mut run = Billing {
        workloads,
        keep,
        ledger: Ledger::new(keep, meter.window, pools + 2)?,
        allocation: Allocation::new(record, cluster, workloads, plan.weight, collector),
        commitments: plan.commitments.iter().map(CommitmentUse::new).collect(),
        covered: BTreeMap::new(),
        settlement: Settlement::default(),
        others: Vec::new(),
        shares: Shares::default(),
        meter,
        raw: Vec::new(),
        pieces: Vec::new(),
        days: Vec::new(),
    };
    if !plan.commitments.is_empty() {
        run.cover()?;
    }
    run.nodes()?;
    run.pods()?;
    run.around()?;
    run.reservations()?;
    run.tell_all()?;
    run.unused()?;
    run.fees()?;
    run.finish()
}

/// Storage of Fargate pods that is billed, KiB, by template.
fn storage(workloads: &Workloads, plan: &BillingPlan) -> Vec<i64> {
    let of = |name: &str| plan.fargate_storage.iter().find(|(n, _)| n == name);
    let info = |template: &PodTemplate| workloads.workloads.get(template.workload.index());
    let kib = |template| info(template).and_then(|info| of(&info.name)).map_or(0, |(_, kib)| *kib);
    workloads.templates.iter().map(kib).collect()
}

struct Billing<'a> {
    meter: Meter<'a>,
    keep: KeepLines,
    settlement: Settlement,
    /// What other usage took of each commitment in each hour, hour-major;
    /// empty without other usage.
    others: Vec<Money>,
    workloads: &'a Workloads,
    shares: Shares,
    ledger: Ledger,
    allocation: Allocation<'a>,
    commitments: Vec<CommitmentUse>,
    /// (SKU, commitment) to the SKU as covered by it.
    covered: BTreeMap<(u16, u16), u16>,
    // Scratch, reused for every resource.
    raw: Vec<RawLine>,
    pieces: Vec<Piece>,
    /// (Day, metered ms, net cost) of the node at hand.
    days: Vec<(i32, i64, Money)>,
}

impl Billing<'_> {
    fn nodes(&mut self) -> Result<()> {
        let record = self.meter.record;
        let mut raw = std::mem::take(&mut self.raw);
        for (i, node) in record.nodes.iter().enumerate() {
            self.meter.node(i, &mut raw)?;
            self.days.clear();
            for line in &raw {
                let net = self.write(i as u32, node.pool.index(), line)?;
                let Some(step) = Step::of(line.charge) else {
                    let ms = if line.charge == Charge::Instance { line.quantity } else { 0 };
                    self.add_to_day(line.hour.div_euclid(24), ms, net);
                    continue;
                };
                self.allocation.node_other(i as u32, step, net);
            }
            for &(day, ms, cost) in &self.days {
                self.allocation.node_day(i as u32, day, ms, cost)?;
            }
        }
        self.raw = raw;
        Ok(())
    }

    fn add_to_day(&mut self, day: i32, ms: i64, cost: Money) {
        // Hours ascend, so it is the last one; a credit may look back.
        match self.days.iter_mut().rev().find(|d| d.0 == day) {
            Some(d) => *d = (day, d.1 + ms, d.2 + cost),
            None => self.days.push((day, ms, cost)),
        }
    }

    fn pods(&mut self) -> Result<()> {
        let record = self.meter.record;
        let mut raw = std::mem::take(&mut self.raw);
        let first = record.nodes.len() as u32;
        for (i, pod) in record.fargate.iter().enumerate() {
            self.meter.pod(i, &mut raw)?;
            if raw.is_empty() {
                continue;
            }
            let pool = pod.pool as usize;
            let mut cost = [Money::ZERO; 2];
            for line in &raw {
                let memory = self.meter.skus.list[usize::from(line.sku)].unit == Unit::GbHours;
                let index = self.meter.cluster.pools.len() + pool;
                let net = self.write(first + i as u32, index, line)?;
                match Step::of(line.charge) {
                    None => cost[usize::from(memory)] += net,
                    Some(step) => self.allocation.pod_other(i as u32, step, net)?,
                }
            }
            let unix = |t: SimTime| record.start_unix_ms + t.min(record.end).ms();
            let (pull, removed) = (unix(pod.pull), unix(pod.removed));
            let running = unix(pod.running).clamp(pull, removed.max(pull));
            let finished = unix(pod.finished).clamp(running, removed.max(running));
            let window = self.meter.window;
            let phases = PodPhases {
                start: window.overlap(pull, running),
                running: window.overlap(running, finished),
                retention: window.overlap(finished, removed),
            };
            self.allocation.pod(i as u32, phases, cost)?;
        }
        self.raw = raw;
        Ok(())
    }

    /// The cluster and what else is charged around the compute.
    fn around(&mut self) -> Result<()> {
        let mut raw = std::mem::take(&mut self.raw);
        let (record, plan) = (self.meter.record, self.meter.plan);
        let mut lines = AroundLines::new(&plan.around, (record, self.workloads), self.meter.window);
        for (at, charge) in plan.around.iter().enumerate() {
            lines.charge(at, &mut self.meter.skus, &mut raw)?;
            let step = Step::of(charge.charge).unwrap_or(Step::Fees);
            let sum = self.write_of_cluster(&raw)?;
            self.allocation.cluster(charge.charge, step, charge.target, sum)?;
        }
        self.raw = raw;
        Ok(())
    }

    /// Reserved capacity that no instance ran in.
    fn reservations(&mut self) -> Result<()> {
        let mut raw = std::mem::take(&mut self.raw);
        for i in 0..self.meter.plan.capacity_reservations.len() {
            self.meter.reservation(i, &mut raw)?;
            let sum = self.write_of_cluster(&raw)?;
            self.allocation.global(Step::UnusedCapacity, sum);
        }
        self.raw = raw;
        Ok(())
    }

    /// Writes lines of the cluster; returns what they cost.
    fn write_of_cluster(&mut self, lines: &[RawLine]) -> Result<Money> {
        let (resource, pool) = (self.cluster_resource(), self.cluster_pool());
        lines.iter().map(|line| self.write(resource, pool, line)).sum()
    }

    /// The cluster's resource number; those of commitments follow.
    fn cluster_resource(&self) -> u32 {
        (self.meter.record.nodes.len() + self.meter.record.fargate.len()) as u32
    }

    /// The pool of the cluster; that of commitments follows.
    fn cluster_pool(&self) -> usize {
        self.meter.cluster.pools.len() + self.meter.cluster.fargate.len()
    }

    fn finish(self) -> Result<(Bill, Parts)> {
        let Meter { record, cluster, plan, window, skus, credits, .. } = self.meter;
        let names = cluster.pools.iter().map(|p| p.name.as_str());
        let names = names.chain(cluster.fargate.iter().map(|p| p.name.as_str()));
        let names = names.chain([pseudo::CLUSTER_POOL, pseudo::COMMITMENT_POOL]).collect();
        let mut bill = self.ledger.finish(skus.list, names);
        if plan.around.is_empty() && plan.capacity_reservations.is_empty() {
            bill.by_pool.remove(pseudo::CLUSTER_POOL);
        }
        if plan.commitments.is_empty() {
            bill.by_pool.remove(pseudo::COMMITMENT_POOL);
        }
        let allocated = self.allocation.finish(plan);
        bill.waterfall = allocated.waterfall;
        bill.fargate_rounding = allocated.rounding;
        bill.by_workload = allocated.by_workload;
        bill.by_namespace = allocated.by_namespace;
        bill.fully_loaded_by_workload = allocated.fully_loaded;
        bill.by_label = allocated.by_label;
        bill.allocated_by_namespace = allocated.to_namespaces;
        bill.allocated_by_workload = allocated.to_workloads;
        bill.owners = allocated.owners;
        bill.commitment.each = self.commitments;
        bill.commitment.other_usage = plan.other_usage.is_some();
        bill.cash_total = bill.total - bill.commitment.charged() + bill.commitment.cash();
        (bill.from_unix_ms, bill.to_unix_ms) = (window.from, window.to.max(window.from));
        bill.node_count = record.nodes.len() as u32;
        bill.credits_unknown_ms = credits.unknown_ms;
        bill.fargate_count = record.fargate.len() as u32;
        bill.monthly = monthly(bill.total, window.to - window.from);
        check_sums(&bill)?;
        Ok((bill, allocated.parts))
    }
}

fn monthly(total: Money, window_ms: i64) -> Option<Monthly> {
    (window_ms > 0).then(|| Monthly {
        amount: total.scale(i128::from(MONTH_HOURS) * i128::from(HOUR_MS), i128::from(window_ms)),
        extrapolated: window_ms % WEEK_MS != 0,
    })
}
