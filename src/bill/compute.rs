//! A record and prices become a bill.
//!
//! One pass writes every line and allocates it; where there are commitments,
//! a pass before it sums each hour by rate. Measured on a busy shared core,
//! sums only: a month of 5,000 nodes with 20 owners a day each and one plan (7.8
//! million lines) takes 1.2 CPU-s; kept lines take 42 bytes each on top.
//! Order: nodes, Fargate pods, the cluster, commitments.

use std::collections::BTreeMap;

use super::allocate::{Allocation, PodPhases};
use super::around::AroundLines;
use super::charge::Charge;
use super::check::{check_plan, check_sums};
use super::commitment_use::CommitmentUse;
use super::commitments::{ItemSource, Piece, Settlement, Shares, Spent, Terms, collect, settle};
use super::ledger::{Entry, Ledger};
use super::model::{Bill, KeepLines, Monthly, PurchaseOption, Sku, Unit, pseudo};
use super::parts::{Collector, Focus, Parts};
use super::prices::{BillingPlan, CommitmentKind, MONTH_HOURS, Price};
use super::usage::{Meter, RawLine, Source};
use super::waterfall::Step;
use crate::cluster::ClusterSpec;
use crate::observe::Record;
use crate::units::{DAY_MS, HOUR_MS, Money, Rate, SimTime};
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
        commitments: plan
            .commitments
            .iter()
            .map(|c| CommitmentUse::new(c.name.clone(), c.kind))
            .collect(),
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
    /// Finds what can be covered, sums it by hour and covers it.
    fn cover(&mut self) -> Result<()> {
        let plan = self.meter.plan;
        let usage = collect(&mut self.meter)?;
        let with_others = plan.other_usage.as_ref().map(|o| o.after(&usage)).transpose()?;
        let all = with_others.as_ref().unwrap_or(&usage);
        let terms = Terms::of_plan(plan, &all.items);
        self.settlement = settle(all, &terms);
        if with_others.is_some() {
            self.others = self.settlement.taken_after(usage.items.len());
        }
        // Shares of the scenario's items, which come first.
        self.shares = Shares::new(&usage, &self.settlement);
        Ok(())
    }

    /// Writes a line, covered pieces apart; returns what it costs.
    fn write(&mut self, resource: u32, pool: usize, line: &RawLine) -> Result<Money> {
        self.ledger.discount(line, &self.meter.skus.list[usize::from(line.sku)]);
        let Some(cell) = self.shares.cell(line) else {
            let entry = Entry {
                resource,
                sku: line.sku,
                hour: line.hour,
                quantity: line.quantity,
                list: line.list,
                net: line.list,
                on_demand: line.on_demand,
            };
            self.ledger.add(entry, &self.meter.skus.list)?;
            self.ledger.pool(pool, line.list);
            return Ok(line.list);
        };
        let untold = self.shares.untold(cell);
        if untold.is_some_and(|sku| sku != line.sku) {
            self.tell(cell, resource)?;
        }
        if untold != Some(line.sku) {
            let source = self.shares.source(cell);
            let plans: Vec<u16> = self.shares.plans(cell).collect();
            for plan in plans {
                self.covered_sku(line.sku, plan, source)?;
            }
        }
        let net = self.shares.take(cell, line);
        self.ledger.pool(pool, net);
        if self.keep == KeepLines::Yes {
            self.tell(cell, resource)?;
        }
        Ok(net)
    }

    /// Writes what commitments cover of the lines of a cell, and what not.
    fn tell(&mut self, cell: usize, resource: u32) -> Result<()> {
        let Some(base) = self.shares.untold(cell) else { return Ok(()) };
        let hour = self.shares.hour(cell);
        let mut pieces = std::mem::take(&mut self.pieces);
        let (quantity, list) = self.shares.tell(cell, &mut pieces);
        for piece in &pieces {
            let entry = Entry {
                resource,
                sku: self.covered[&(base, piece.plan)],
                hour,
                quantity: piece.quantity,
                list: piece.list,
                net: piece.net,
                on_demand: piece.list,
            };
            self.ledger.add(entry, &self.meter.skus.list)?;
            let used = &mut self.commitments[usize::from(piece.plan)];
            used.used += piece.net;
            used.covered_on_demand += piece.list;
        }
        if quantity != 0 || list != Money::ZERO {
            let (sku, net, on_demand) = (base, list, list);
            let entry = Entry { resource, sku, hour, quantity, list, net, on_demand };
            self.ledger.add(entry, &self.meter.skus.list)?;
        }
        self.pieces = pieces;
        Ok(())
    }

    /// Writes whatever was not written yet.
    fn tell_all(&mut self) -> Result<()> {
        // No resource: lines that are kept were told one by one.
        (0..self.shares.cells()).try_for_each(|cell| self.tell(cell, 0))
    }

    /// The SKU of a line as covered by a commitment.
    fn covered_sku(&mut self, base: u16, commitment: u16, source: ItemSource) -> Result<u16> {
        if let Some(&sku) = self.covered.get(&(base, commitment)) {
            return Ok(sku);
        }
        let skus = &mut self.meter.skus;
        let sku = skus.list[usize::from(base)].clone();
        let c = &self.meter.plan.commitments[usize::from(commitment)];
        let price = self.meter.plan.price_under(commitment.into(), source);
        let price = price.unwrap_or(Price::new(sku.rate, sku.status));
        let (charge, unit, purchase) = (sku.charge, sku.unit, bought_by(c.kind));
        let make = || Sku {
            name: format!("{} under {}", sku.name, c.name),
            purchase,
            status: price.status,
            rate: price.rate,
            commitment: Some(commitment),
            ..sku
        };
        let source = Source::Covered(base);
        let id = skus.intern(source, make, charge, purchase, unit, Some(commitment))?;
        self.covered.insert((base, commitment), id);
        Ok(id)
    }

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
        let resource = (record.nodes.len() + record.fargate.len()) as u32;
        let pool = self.meter.cluster.pools.len() + self.meter.cluster.fargate.len();
        let mut lines = AroundLines::new(&plan.around, (record, self.workloads), self.meter.window);
        for (at, charge) in plan.around.iter().enumerate() {
            lines.charge(at, &mut self.meter.skus, &mut raw)?;
            let step = Step::of(charge.charge).unwrap_or(Step::Fees);
            let mut sum = Money::ZERO;
            for line in &raw {
                sum += self.write(resource, pool, line)?;
            }
            self.allocation.cluster(charge.charge, step, charge.target, sum)?;
        }
        self.raw = raw;
        Ok(())
    }

    /// Reserved capacity that no instance ran in.
    fn reservations(&mut self) -> Result<()> {
        let mut raw = std::mem::take(&mut self.raw);
        let (record, plan) = (self.meter.record, self.meter.plan);
        let resource = (record.nodes.len() + record.fargate.len()) as u32;
        let pool = self.meter.cluster.pools.len() + self.meter.cluster.fargate.len();
        for i in 0..plan.capacity_reservations.len() {
            self.meter.reservation(i, &mut raw)?;
            let mut sum = Money::ZERO;
            for line in &raw {
                sum += self.write(resource, pool, line)?;
            }
            self.allocation.global(Step::UnusedCapacity, sum);
        }
        self.raw = raw;
        Ok(())
    }

    /// What the commitments cost and nothing used: a line an hour.
    fn unused(&mut self) -> Result<()> {
        let plan = self.meter.plan;
        for (i, c) in plan.commitments.iter().enumerate() {
            let charge = if c.kind.is_reserved() {
                Charge::UnusedReservedInstance
            } else {
                Charge::UnusedCommitment
            };
            // Of other usage no zone is known, so zonal Reserved Instances may
            // cover more of it.
            let zonal = c.reserved.as_ref().is_some_and(|r| r.zone.is_some());
            let absorbable = plan.other_usage.is_none() || zonal;
            for hour in 0..self.settlement.hours() {
                let Spent { committed, unused, .. } = self.settlement.spent(hour, i);
                let others = self.taken_by_others(hour, i);
                let sums = &mut self.commitments[i];
                sums.committed += committed;
                sums.used_by_others += others;
                sums.unused += unused;
                if absorbable {
                    sums.absorbable += unused;
                }
                if unused == Money::ZERO {
                    continue;
                }
                // Less than the hour's commitment, which `MAX_RATE` bounds.
                let quantity = i64::try_from(unused.pico())
                    .map_err(|_| Error::failed("unused commitment leaves i64"))?;
                self.commitment_line(i, charge, hour, quantity, unused)?;
                self.allocation.global(Step::UnusedCommitment, unused);
            }
        }
        Ok(())
    }

    /// What other usage took of a commitment in an hour (0 is the first).
    fn taken_by_others(&self, hour: usize, plan: usize) -> Money {
        let at = hour * self.settlement.plans() + plan;
        self.others.get(at).copied().unwrap_or_default()
    }

    /// What is paid for the commitments, as far as other usage did not take
    /// them: the last lines of the bill. Recurring fees are shared hour by hour,
    /// an upfront payment as the commitment is in the whole window (choice:
    /// what becomes of it later is not known).
    fn fees(&mut self) -> Result<()> {
        let window = self.meter.window;
        let first_hour = window.first_hour();
        for (i, c) in self.meter.plan.commitments.iter().enumerate() {
            let at = c.in_force.0;
            if (window.from..window.to).contains(&at) {
                let sums = &mut self.commitments[i];
                let upfront = part_of(c.fees.upfront, sums.committed, sums.used_by_others);
                sums.upfront = upfront;
                let hour = (at.div_euclid(HOUR_MS) - first_hour) as usize;
                // A line holds 9 million USD, a payment may be more.
                let mut rest = upfront.pico();
                while rest > 0 {
                    let part = i64::try_from(rest).unwrap_or(i64::MAX);
                    self.commitment_line(i, Charge::CommitmentUpfront, hour, part, Money::ZERO)?;
                    rest -= i128::from(part);
                }
            }
            for hour in 0..window.hours() {
                let start = (first_hour + hour as i64) * HOUR_MS;
                let (from, to) = (c.in_force.0.max(start), c.in_force.1.min(start + HOUR_MS));
                let ms = i128::from(window.overlap(from, to));
                let fee = c.fees.hourly.charge(ms, i128::from(HOUR_MS));
                let committed = self.settlement.spent(hour, i).committed;
                let fee = part_of(fee, committed, self.taken_by_others(hour, i));
                self.commitments[i].recurring += fee;
                let mut rest = fee.pico();
                while rest > 0 {
                    let part = i64::try_from(rest).unwrap_or(i64::MAX);
                    self.commitment_line(i, Charge::CommitmentRecurring, hour, part, Money::ZERO)?;
                    rest -= i128::from(part);
                }
            }
        }
        Ok(())
    }

    /// Writes a line of dollars of a commitment.
    fn commitment_line(
        &mut self,
        commitment: usize,
        charge: Charge,
        hour: usize,
        quantity: i64,
        net: Money,
    ) -> Result<()> {
        let record = self.meter.record;
        let resource = (record.nodes.len() + record.fargate.len() + 1 + commitment) as u32;
        let pool = self.meter.cluster.pools.len() + self.meter.cluster.fargate.len() + 1;
        let hour = self.meter.window.first_hour() + hour as i64;
        let entry = Entry {
            resource,
            // `check_plan` bounds their number.
            sku: self.commitment_sku(commitment as u16, charge)?,
            hour: i32::try_from(hour).map_err(|_| Error::failed("a clock hour leaves i32"))?,
            quantity,
            list: Money::ZERO,
            net,
            on_demand: Money::ZERO,
        };
        if !charge.is_commitment_fee() {
            self.ledger.pool(pool, net);
        }
        self.ledger.add(entry, &self.meter.skus.list)
    }

    /// The SKU of dollars of a commitment.
    fn commitment_sku(&mut self, plan: u16, charge: Charge) -> Result<u16> {
        let what = match charge {
            Charge::CommitmentUpfront => "upfront",
            Charge::CommitmentRecurring => "recurring",
            _ => "unused",
        };
        let c = &self.meter.plan.commitments[usize::from(plan)];
        let purchase = bought_by(c.kind);
        let make = || Sku {
            name: format!("{} {what}", c.name),
            charge,
            purchase,
            status: c.price_status(),
            unit: Unit::Usd,
            rate: Rate::from_pico(Unit::Usd.per().into()),
            contract: None,
            commitment: Some(plan),
        };
        let source = Source::Commitment;
        self.meter.skus.intern(source, make, charge, purchase, Unit::Usd, Some(plan))
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
        let allocated = self.allocation.finish(&plan.label_groupings);
        bill.waterfall = allocated.waterfall;
        bill.fargate_rounding = allocated.rounding;
        bill.by_workload = allocated.by_workload;
        bill.by_namespace = allocated.by_namespace;
        bill.fully_loaded_by_workload = allocated.fully_loaded;
        bill.by_label = allocated.by_label;
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

/// What is left of a payment for a commitment of which others took a part.
fn part_of(payment: Money, committed: Money, others: Money) -> Money {
    if others == Money::ZERO {
        return payment;
    }
    payment.scale((committed - others).pico(), committed.pico())
}

/// What a commitment covers counts as bought this way.
fn bought_by(kind: CommitmentKind) -> PurchaseOption {
    if kind.is_reserved() { PurchaseOption::ReservedInstance } else { PurchaseOption::SavingsPlan }
}

fn monthly(total: Money, window_ms: i64) -> Option<Monthly> {
    (window_ms > 0).then(|| Monthly {
        amount: total.scale(i128::from(MONTH_HOURS) * i128::from(HOUR_MS), i128::from(window_ms)),
        extrapolated: window_ms % WEEK_MS != 0,
    })
}
