//! What is charged around the compute, linked to prices.

mod cluster;
mod load_balancers;
mod monitoring;
mod network;
mod storage;
#[cfg(test)]
mod tests;
mod traffic;

use super::control::Version;
use super::defaults::FARGATE_ZONES;
use super::notes::Notes;
use super::time::Window;
use crate::bill::{AroundCharge, Charge, Price, PriceStatus};
use crate::catalog::{ChargeItem, Region};
use crate::cluster::ClusterSpec;
use crate::scenario::{KubernetesService, Scenario, Span, Spanned, Workload, quote};
use crate::units::Rate;
use crate::workload::WorkloadId;
use crate::workload::plan::PlannedWorkload;

/// What charges are linked from.
pub(super) struct Around<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) region: &'a Region,
    /// `None` on ECS, which charges nothing for a cluster.
    pub(super) version: Option<&'a Version>,
    pub(super) window: Window,
    pub(super) cluster: &'a ClusterSpec,
    /// In the order of the workloads' ids.
    pub(super) planned: &'a [PlannedWorkload],
}

impl Around<'_> {
    /// Every charge, in the order of the bill.
    pub(super) fn link(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let mut charges = Vec::new();
        charges.extend(self.control_plane(notes));
        charges.extend(self.volumes(notes));
        charges.extend(self.file_systems(notes));
        charges.extend(self.images(notes));
        charges.extend(self.nat_gateways(notes));
        let flows = self.flows(notes);
        charges.extend(self.load_balancers(&flows, notes));
        charges.extend(self.traffic(&flows, notes));
        charges.extend(self.container_insights(notes));
        charges.extend(self.logs(notes));
        self.warn_of_unused(&charges, !flows.is_empty(), notes);
        // As lines of one resource are ordered everywhere.
        charges.sort_by_key(|c| c.charge);
        charges
    }

    /// Says which keys change nothing.
    fn warn_of_unused(&self, charges: &[AroundCharge], traffic: bool, notes: &mut Notes<'_>) {
        let charged = |kind: Charge| charges.iter().any(|c| c.charge == kind);
        let given = &self.scenario.charges;
        let balancing = &given.load_balancing;
        let balancing = (balancing.requests_per_connection.map(|n| n.span))
            .or(balancing.connection_duration.map(|d| d.span))
            .or(balancing.internet_facing.map(|f| f.span));
        let balanced = charged(Charge::LoadBalancer);
        let zonal = traffic || balanced || charged(Charge::NatGateway);
        let other = given.other_egress.map(|g| g.span);
        let internet = "no workload sends anything to the internet";
        for (key, span, used, why) in [
            ("other-egress-per-month", other, charged(Charge::Egress), internet),
            ("load-balancing", balancing, balanced, "there is no load balancer"),
            ("zones", given.zones.map(|z| z.span), zonal, "nothing is charged by the zone"),
        ] {
            if let (Some(span), false) = (span, used) {
                let message = format!("`charges.{key}` has no effect: {why}");
                notes.diags.warning("unused-charge", span, message);
            }
        }
    }

    /// A workload that was linked.
    fn id(&self, name: &str) -> Option<WorkloadId> {
        self.planned.iter().position(|p| p.name == name).map(|i| WorkloadId(i as u32))
    }

    /// A workload that the scenario names; `None` after a reported error, here
    /// or where it could not be linked.
    fn named(&self, name: &Spanned<String>, notes: &mut Notes<'_>) -> Option<WorkloadId> {
        let all = || self.scenario.workload.iter().map(|(n, _)| n.value.as_str());
        if !all().any(|n| n == name.value) {
            let message = format!("there is no workload {}", quote(&name.value));
            notes.diags.error(name.span, message).suggest(&name.value, all());
        }
        self.id(&name.value)
    }

    /// The services whose pods a Service selects.
    fn selected(&self, it: &KubernetesService) -> Vec<WorkloadId> {
        let namespace = |of: &Option<Spanned<String>>| {
            of.as_ref().map_or("default", |n| n.value.as_str()).to_owned()
        };
        let own = namespace(&it.namespace);
        let selects = |w: &Workload| {
            it.selector.iter().all(|(key, value)| {
                w.labels.iter().any(|(k, v)| k.value == key.value && v.value == value.value)
            })
        };
        let found = self.scenario.workload.iter();
        let found = found.filter(|(_, w)| namespace(&w.namespace) == own && selects(w));
        found.filter_map(|(name, _)| self.id(&name.value)).collect()
    }

    fn price(&self, item: ChargeItem, span: Span, notes: &mut Notes<'_>) -> Option<Price> {
        charge(item, span, self.region, notes)
    }

    /// Zones that what is charged by the zone spans.
    fn zones(&self, notes: &mut Notes<'_>) -> i64 {
        if let Some(given) = self.scenario.charges.zones {
            return given.value.get() as i64;
        }
        let (zones, note) = match self.cluster.zones.len() {
            0 => (FARGATE_ZONES.value, FARGATE_ZONES.note),
            n => (n as i64, "the zones of the pools"),
        };
        notes.default("charges.zones", zones, note);
        zones
    }
}

/// A price that the user states.
pub(super) const fn stated(rate: Rate) -> Price {
    Price::new(rate, PriceStatus::Stated)
}

/// The price of a charge; `None` after a reported error.
pub(super) fn charge(
    item: ChargeItem,
    span: Span,
    region: &Region,
    notes: &mut Notes<'_>,
) -> Option<Price> {
    let Some(quote) = region.charge(item) else {
        let message = format!("no price is known for `{item}` in {}", region.name());
        notes.diags.error(span, message).help("give a price directory that has it");
        return None;
    };
    notes.price(span, format!("charges.{item}"), item.unit(), quote)
}
