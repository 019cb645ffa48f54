//! What follows a node besides its instance: root volume, address, licence,
//! what managing it costs, surplus cpu credits.

use super::charge::Charge;
use super::meter::Run;
use super::model::Unit;
use super::usage::{Extras, Meter, RawLine, Source, Tariff, flat};
use crate::Result;

const VOLUME: Extras = Extras { rounding: Charge::VolumeRounding, minimum: Charge::VolumeMinimum };
const FEE: Extras = Extras { rounding: Charge::FeeRounding, minimum: Charge::FeeMinimum };

impl Meter<'_> {
    /// Adds what node `index` is charged besides its instance over a run.
    pub(super) fn attached(
        &mut self,
        index: usize,
        run: Run,
        out: &mut Vec<RawLine>,
    ) -> Result<()> {
        let node = self.record.nodes[index];
        let plan = self.plan;
        let pool = plan.pools.get(node.pool.index());
        let at_aws = pool.is_none_or(|pool| !pool.outside_aws);
        if let Some(volume) = plan.root_volume.filter(|_| at_aws) {
            let tariff = Tariff {
                unit: Unit::GbMonths,
                factor: i64::from(volume.gib),
                ..flat("root volume", Charge::RootVolume, volume.gb_month)
            };
            self.add(tariff, run, Some(VOLUME), out)?;
            for (given, name, charge, unit) in [
                (volume.iops, "root volume IOPS", Charge::VolumeIops, Unit::IopsMonths),
                (
                    volume.throughput,
                    "root volume throughput",
                    Charge::VolumeThroughput,
                    Unit::MibpsMonths,
                ),
            ] {
                if let Some((amount, price)) = given {
                    let factor = i64::from(amount);
                    let tariff = Tariff { unit, factor, ..flat(name, charge, price) };
                    self.add(tariff, run, Some(VOLUME), out)?;
                }
            }
        }
        if let Some(price) = plan.public_ipv4.filter(|_| at_aws) {
            self.add(flat("public IPv4", Charge::PublicIpv4, price), run, None, out)?;
        }
        if let Some(price) = plan.node_licence {
            self.add(flat("node licence", Charge::NodeLicence, price), run, None, out)?;
        }
        let fee = pool.and_then(|pool| pool.fee.as_ref());
        let price = fee.and_then(|fee| fee.shapes.get(node.shape.index()).copied().flatten());
        if let (Some(fee), Some(price)) = (fee, price)
            && let Some(run) = self.run(node.running, node.shutting_down, fee.minimum_ms)
        {
            let shape = self.shape(node.shape.index())?.0;
            let pool = self.cluster.pools.get(node.pool.index()).map_or("", |p| p.name.as_str());
            let name = format!("{shape} {}, {pool}", fee.charge.label());
            let source = Source::Fee(node.pool.0, node.shape.0);
            let tariff = Tariff { source, ..flat(&name, fee.charge, price) };
            self.add(tariff, run, Some(FEE), out)?;
        }
        self.surplus(index, out)
    }

    /// Adds the surplus credits that a node is charged inside the cost window.
    fn surplus(&mut self, index: usize, out: &mut Vec<RawLine>) -> Result<()> {
        let shape = self.record.nodes[index].shape;
        let burst = self.plan.bursts.get(shape.index()).copied().flatten();
        let Some(burst) = burst else { return Ok(()) };
        // Index of a node, which is a u32 everywhere.
        let charged = self.credits.of(index as u32).to_vec();
        for surplus in charged {
            if surplus.at < self.window.from || surplus.at >= self.window.to {
                continue;
            }
            let name = format!("{} surplus credits", self.shape(shape.index())?.0);
            let tariff = Tariff {
                source: Source::Shape(shape.0),
                unit: Unit::VcpuHours,
                ..flat(&name, Charge::SurplusCredits, burst.vcpu_hour)
            };
            self.add_quantity(tariff, surplus.hour(), surplus.amount, out)?;
        }
        Ok(())
    }
}
