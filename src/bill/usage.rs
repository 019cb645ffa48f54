//! The lines of one node or Fargate pod before any commitment.
//!
//! Covering needs the hours' sums before the first line can be written, so
//! lines are made twice (once to sum, once to write) instead of being kept:
//! a whole hour at a constant price is multiplied once a run.

use std::collections::BTreeMap;
use std::ops::Range;

use super::charge::Charge;
use super::commitments::Groups;
use super::credits::Credits;
use super::meter::{Run, Window, clock_hour};
use super::model::{PurchaseOption, Sku, Unit};
use super::prices::{BillingPlan, FargatePrice, Price, ShapePrice};
use super::spot::{Stretch, stretches};
use crate::cluster::{ClusterSpec, Purchase};
use crate::observe::{NodeEnd, NodeRecord, Record};
use crate::units::{HOUR_MS, MINUTE_MS, Money, Rate, SimTime};
use crate::{Error, Result};

/// No group: nothing may cover it.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// A line before coverage.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawLine {
    pub(super) charge: Charge,
    pub(super) sku: u16,
    pub(super) hour: i32,
    pub(super) quantity: i64,
    pub(super) list: Money,
    pub(super) on_demand: Money,
    /// Which item of the coverage it belongs to.
    pub(super) group: u32,
}

/// What a SKU is the price of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Shape(u32),
    /// Shape, zone, and the rate, which may move.
    SpotShape(u32, u32, Rate),
    Fargate(u32),
    /// A fee for the nodes of a pool and shape.
    Fee(u32, u32),
    Flat,
    Commitment,
    /// A capacity reservation.
    Reservation(u32),
    /// A charge around the compute, its dimension and its price.
    Around(u32, u16, u16),
    /// Another SKU, under a commitment.
    Covered(u16),
}

type SkuKey = (Source, Charge, PurchaseOption, Unit, Option<u16>);

/// The price list, in order of first use.
#[derive(Debug, Default)]
pub(super) struct Skus {
    pub(super) list: Vec<Sku>,
    index: BTreeMap<SkuKey, u16>,
}

impl Skus {
    /// The number of a SKU, new or known.
    pub(super) fn intern(
        &mut self,
        source: Source,
        sku: impl FnOnce() -> Sku,
        charge: Charge,
        purchase: PurchaseOption,
        unit: Unit,
        commitment: Option<u16>,
    ) -> Result<u16> {
        let key = (source, charge, purchase, unit, commitment);
        if let Some(&id) = self.index.get(&key) {
            return Ok(id);
        }
        let id = u16::try_from(self.list.len())
            .map_err(|_| Error::failed("a bill has more than 65,536 prices"))?;
        self.list.push(sku());
        self.index.insert(key, id);
        Ok(id)
    }
}

/// Makes raw lines.
pub(super) struct Meter<'a> {
    pub(super) record: &'a Record,
    pub(super) cluster: &'a ClusterSpec,
    pub(super) plan: &'a BillingPlan,
    pub(super) window: Window,
    pub(super) skus: Skus,
    pub(super) groups: Groups,
    /// Storage of Fargate pods that is billed, KiB, by template; nothing where
    /// absent.
    pub(super) storage: Vec<i64>,
    pub(super) credits: Credits,
}

/// One price applied to a run.
#[derive(Clone, Copy)]
pub(super) struct Tariff<'a> {
    pub(super) source: Source,
    pub(super) name: &'a str,
    pub(super) charge: Charge,
    pub(super) purchase: PurchaseOption,
    pub(super) unit: Unit,
    /// Small units per millisecond: 1 for hours, milli-vCPU, KiB, GiB.
    pub(super) factor: i64,
    pub(super) price: Price,
    /// What the same costs On-Demand.
    pub(super) on_demand: Rate,
    pub(super) group: u32,
    /// Part of a pod's size that it is for; nothing elsewhere.
    pub(super) part: &'static str,
}

impl Tariff<'_> {
    /// What `ms` milliseconds cost: (list, On-Demand).
    fn charge(&self, ms: i64) -> (Money, Money) {
        let quantity = i128::from(self.factor) * i128::from(ms);
        let per = i128::from(self.unit.per());
        let list = self.price.rate.charge(quantity, per);
        if self.on_demand == self.price.rate {
            return (list, list);
        }
        (list, self.on_demand.charge(quantity, per))
    }
}

/// What follows a run besides its time.
#[derive(Clone, Copy)]
pub(super) struct Extras {
    pub(super) rounding: Charge,
    pub(super) minimum: Charge,
}

impl<'a> Meter<'a> {
    pub(super) fn new(record: &'a Record, cluster: &'a ClusterSpec, plan: &'a BillingPlan) -> Self {
        let window = Window {
            from: record.start_unix_ms.saturating_add(record.warmup.ms()),
            to: record.start_unix_ms.saturating_add(record.end.ms()),
        };
        let (skus, groups) = (Skus::default(), Groups::default());
        let credits = Credits::settle(record, &plan.bursts);
        Meter { record, cluster, plan, window, skus, groups, storage: Vec::new(), credits }
    }
}

impl Meter<'_> {
    fn unix(&self, t: SimTime) -> i64 {
        self.record.start_unix_ms.saturating_add(t.ms())
    }

    /// The run [start, end) within the record, billed for `minimum_ms` at least.
    pub(super) fn run(&self, start: SimTime, end: SimTime, minimum_ms: i64) -> Option<Run> {
        if start > self.record.end {
            return None;
        }
        let (start, end) = (self.unix(start), self.unix(end.min(self.record.end)));
        Run::new(self.window, start, end, minimum_ms)
    }

    /// The price of a shape.
    pub(super) fn shape(&self, shape: usize) -> Result<(&str, &ShapePrice)> {
        let name = self.cluster.shapes.get(shape).map(|s| s.name.as_str());
        name.zip(self.plan.shapes.get(shape))
            .ok_or_else(|| Error::failed(format!("shape {shape} has no row in the price list")))
    }

    /// The price of a Fargate pool.
    pub(super) fn fargate(&self, pool: usize) -> Result<(&str, &FargatePrice)> {
        let name = self.cluster.fargate.get(pool).map(|p| p.name.as_str());
        name.zip(self.plan.fargate.get(pool))
            .ok_or_else(|| Error::failed(format!("Fargate pool {pool} has no prices")))
    }

    /// Replaces `out` with the lines of node `index`.
    pub(super) fn node(&mut self, index: usize, out: &mut Vec<RawLine>) -> Result<()> {
        out.clear();
        let node = self.record.nodes[index];
        let Some(run) = self.run(node.running, node.shutting_down, MINUTE_MS) else {
            return Ok(());
        };
        let shape = node.shape.index();
        let (name, prices) = self.shape(shape)?;
        let zone = self.cluster.zones.get(node.zone.index()).map_or("", String::as_str);
        let (price, source, purchase, label) = match node.purchase {
            Purchase::OnDemand => {
                let price = prices.on_demand.ok_or_else(|| {
                    Error::input(format!("`{name}` has no On-Demand price, but a node ran on it"))
                })?;
                let purchase =
                    if prices.custom { PurchaseOption::Custom } else { PurchaseOption::OnDemand };
                (price, Source::Shape(node.shape.0), purchase, name.to_owned())
            }
            Purchase::Spot => {
                let price = prices.spot.get(node.zone.index()).copied().flatten();
                let price = price.ok_or_else(|| {
                    Error::input(format!(
                        "`{name}` has no Spot price in `{zone}`, but a Spot node ran on it"
                    ))
                })?;
                let source = Source::SpotShape(node.shape.0, node.zone.0, price.rate);
                (price, source, PurchaseOption::Spot, format!("{name} Spot {zone}"))
            }
        };
        let group = self.groups.of_node(&node);
        let on_demand = prices.on_demand.map(|p| p.rate);
        let tariff = |rate: Rate| Tariff {
            source: match source {
                Source::SpotShape(shape, zone, _) => Source::SpotShape(shape, zone, rate),
                other => other,
            },
            name: &label,
            charge: Charge::Instance,
            purchase,
            unit: Unit::Hours,
            factor: 1,
            // A Spot price that moves, which nothing is taken off.
            price: if rate == price.rate { price } else { Price::new(rate, price.status) },
            on_demand: on_demand.unwrap_or(rate),
            group,
            part: "",
        };
        let whole = [Stretch::whole(price.rate)];
        let moved = self.moved(node);
        let stretches = moved.as_deref().unwrap_or(&whole);
        // EC2 takes a Spot instance back within its first hour: free of
        // charge (EC2 user guide, "Billing for interrupted Spot Instances").
        // One that ran for an hour to the millisecond has completed it.
        let first_hour = node.end == NodeEnd::Reclaimed
            && node.purchase == Purchase::Spot
            && (node.shutting_down - node.running).ms() < HOUR_MS;
        let extras =
            Extras { rounding: Charge::InstanceRounding, minimum: Charge::InstanceMinimum };
        let extras = (!first_hour).then_some(extras);
        let mut waived = Vec::new();
        for (i, stretch) in stretches.iter().enumerate() {
            let part = run.part(stretch.from, stretch.to, i + 1 == stretches.len());
            if part.is_empty() && stretches.len() > 1 {
                continue;
            }
            let first = out.len();
            self.add(tariff(stretch.rate), part, extras, out)?;
            if first_hour {
                waived.push((first..out.len(), stretch.rate));
            }
        }
        for (lines, rate) in waived {
            self.waive(tariff(rate), lines, out)?;
        }
        self.attached(index, run, out)
    }

    /// A Spot node's run by price, where the price moves.
    fn moved(&self, node: NodeRecord) -> Option<Vec<Stretch>> {
        if node.purchase != Purchase::Spot {
            return None;
        }
        let steps = self.record.spot_prices.of(node.shape, node.zone)?;
        let (end, at) = (node.shutting_down.min(self.record.end), self.plan.spot_billed_at);
        Some(stretches(steps, at, self.record.start_unix_ms, node.running, end))
    }

    /// Replaces `out` with the lines of Fargate pod `index`.
    pub(super) fn pod(&mut self, index: usize, out: &mut Vec<RawLine>) -> Result<()> {
        out.clear();
        let pod = self.record.fargate[index];
        let pool = pod.pool as usize;
        let (name, prices) = self.fargate(pool)?;
        let &FargatePrice { vcpu_hour, gb_hour, spot_of, public_ipv4, .. } = prices;
        let &FargatePrice { os_licence, storage_gb_hour, minimum_ms, .. } = prices;
        let Some(run) = self.run(pod.pull, pod.removed, minimum_ms) else {
            return Ok(());
        };
        let spec = &self.cluster.fargate[pool];
        let size = spec.sizes.get(pod.size as usize).ok_or_else(|| {
            Error::failed(format!("Fargate pool `{name}` has no size {}", pod.size))
        })?;
        let (purchase, label) = match spot_of {
            None => (PurchaseOption::Fargate, format!("Fargate {name}")),
            Some(_) => (PurchaseOption::FargateSpot, format!("Fargate Spot {name}")),
        };
        let (vcpu_on_demand, gb_on_demand) = spot_of.unwrap_or((vcpu_hour, gb_hour));
        let groups = self.groups.of_fargate.get(pool).copied().unwrap_or((NO_GROUP, NO_GROUP));
        let tariff = |charge, unit, factor, (price, on_demand): (Price, Price), group| Tariff {
            source: Source::Fargate(pod.pool),
            name: &label,
            charge,
            purchase,
            unit,
            factor,
            price,
            on_demand: on_demand.rate,
            group,
            part: if unit == Unit::VcpuHours { "vCPU" } else { "memory" },
        };
        let prices = (vcpu_hour, vcpu_on_demand);
        let cpu = tariff(Charge::FargateCpu, Unit::VcpuHours, size.cpu.0, prices, groups.0);
        let (kib, prices) = (size.memory.kib(), (gb_hour, gb_on_demand));
        let memory = tariff(Charge::FargateMemory, Unit::GbHours, kib, prices, groups.1);
        let extras = Extras { rounding: Charge::FargateRounding, minimum: Charge::FargateMinimum };
        self.add(cpu, run, Some(extras), out)?;
        self.add(memory, run, Some(extras), out)?;
        let kib = self.storage.get(pod.template.index()).copied();
        let storage = storage_gb_hour.zip(kib.filter(|kib| *kib > 0));
        if let Some((price, kib)) = storage {
            let storage = Tariff {
                unit: Unit::GbHours,
                factor: kib,
                source: Source::Fargate(pod.pool),
                part: "storage",
                ..flat(&label, Charge::FargateStorage, price)
            };
            self.add(storage, run, Some(extras), out)?;
        }
        if let Some(price) = os_licence {
            let licence = Tariff {
                unit: Unit::VcpuHours,
                factor: size.cpu.0,
                source: Source::Fargate(pod.pool),
                part: "Windows licence",
                ..flat(&label, Charge::FargateOsLicence, price)
            };
            self.add(licence, run, Some(extras), out)?;
        }
        if let Some(price) = public_ipv4 {
            self.add(flat("public IPv4", Charge::PublicIpv4, price), run, None, out)?;
        }
        if let Some(price) = self.plan.fargate_licence {
            self.add(flat("Fargate licence", Charge::FargateLicence, price), run, None, out)?;
        }
        Ok(())
    }

    fn sku(&mut self, tariff: &Tariff<'_>, charge: Charge) -> Result<u16> {
        let Tariff { source, purchase, unit, .. } = *tariff;
        let make = || {
            let mut name = tariff.name.to_owned();
            if !tariff.part.is_empty() {
                name.push(' ');
                name.push_str(tariff.part);
            }
            if charge != tariff.charge {
                name.push_str(", ");
                name.push_str(charge.label());
            }
            let (status, rate) = (tariff.price.status, tariff.price.rate);
            let contract = tariff.price.contract();
            let (commitment, of) = (None, None);
            Sku { name, charge, purchase, status, unit, rate, contract, commitment, of }
        };
        self.skus.intern(source, make, charge, purchase, unit, None)
    }

    pub(super) fn add(
        &mut self,
        tariff: Tariff<'_>,
        run: Run,
        extras: Option<Extras>,
        out: &mut Vec<RawLine>,
    ) -> Result<()> {
        // Most hours are whole: one product serves them all.
        let whole = tariff.charge(HOUR_MS);
        let mut push = |charge, sku, hour: i64, ms: i64| -> Result<()> {
            let (list, on_demand) = if ms == HOUR_MS { whole } else { tariff.charge(ms) };
            out.push(RawLine {
                charge,
                sku,
                hour: clock_hour(hour)?,
                quantity: tariff.factor.checked_mul(ms).ok_or_else(|| {
                    Error::failed(format!("the quantity of `{}` leaves i64", tariff.name))
                })?,
                list,
                on_demand,
                group: tariff.group,
            });
            Ok(())
        };
        let sku = self.sku(&tariff, tariff.charge)?;
        for (hour, ms) in run.hours() {
            push(tariff.charge, sku, hour, ms)?;
        }
        if let Some(extras) = extras {
            for (charge, ms) in
                [(extras.rounding, run.rounding_ms), (extras.minimum, run.minimum_ms)]
            {
                if ms > 0 {
                    let sku = self.sku(&tariff, charge)?;
                    push(charge, sku, run.last_hour, ms)?;
                }
            }
        }
        Ok(())
    }

    /// Adds a line of a quantity in an hour.
    pub(super) fn add_quantity(
        &mut self,
        tariff: Tariff<'_>,
        hour: i64,
        quantity: i64,
        out: &mut Vec<RawLine>,
    ) -> Result<()> {
        let (list, on_demand) = tariff.charge(quantity);
        out.push(RawLine {
            charge: tariff.charge,
            sku: self.sku(&tariff, tariff.charge)?,
            hour: clock_hour(hour)?,
            quantity,
            list,
            on_demand,
            group: tariff.group,
        });
        Ok(())
    }

    /// Adds a credit for each of these lines.
    fn waive(
        &mut self,
        tariff: Tariff<'_>,
        lines: Range<usize>,
        out: &mut Vec<RawLine>,
    ) -> Result<()> {
        let sku = self.sku(&tariff, Charge::SpotFirstHour)?;
        for i in lines {
            let line = out[i];
            out.push(RawLine {
                charge: Charge::SpotFirstHour,
                sku,
                list: -line.list,
                on_demand: Money::ZERO,
                ..line
            });
        }
        Ok(())
    }
}

pub(super) fn flat(name: &str, charge: Charge, price: Price) -> Tariff<'_> {
    Tariff {
        source: Source::Flat,
        name,
        charge,
        purchase: PurchaseOption::Other,
        unit: Unit::Hours,
        factor: 1,
        price,
        on_demand: price.rate,
        group: NO_GROUP,
        part: "",
    }
}
