//! What turns a record into money besides the prices of nodes and Fargate:
//! charges, commitments, the split of node cost.

use super::allocation;
use super::around::{Around, charge, stated};
use super::commitments;
use super::defaults::WEIGHT_NOTE;
use super::fargate::ArchPrice;
use super::fargate_price;
use super::market;
use super::node_charges;
use super::nodes::NodePools;
use super::notes::Notes;
use super::other_file::OtherFile;
use crate::bill::{BillingPlan, Price, ResourceWeight};
use crate::catalog::{ChargeItem, Region};
use crate::scenario::{Charges, Scenario, Spanned};
use crate::units::Rate;

/// Largest `allocation.cpu-weight`.
const MAX_WEIGHT: f64 = 1e6;

/// Links everything that is billed.
pub(super) fn link(
    around: &Around<'_>,
    nodes: &NodePools,
    fargate: &[ArchPrice],
    other: Option<&OtherFile>,
    notes: &mut Notes<'_>,
) -> BillingPlan {
    let (scenario, region) = (around.scenario, around.region);
    let charges = &scenario.charges;
    let start_unix_ms = around.window.start_unix_ms;
    let others = other.map_or(&[][..], |file| &file.kinds);
    let linker = commitments::Linker { region, nodes, fargate, others, start_unix_ms };
    let commitments: Vec<_> = scenario
        .commitments
        .iter()
        .filter_map(|(name, it)| linker.link(name, it, notes).map(|linked| (it, linked)))
        .collect();
    let capacity_reservations = scenario
        .capacity_reservations
        .iter()
        .filter_map(|(name, it)| linker.reservation(name, it, &commitments, notes))
        .collect();
    let other_usage = scenario
        .other_usage
        .as_ref()
        .zip(other)
        .and_then(|(it, file)| linker.other_usage(it, file, &commitments, notes));
    BillingPlan {
        shapes: nodes.prices.clone(),
        spot_billed_at: market::billed_at(scenario, !nodes.spot_pools.is_empty(), notes),
        fargate: fargate.iter().map(|(price, _)| price.clone()).collect(),
        fargate_storage: fargate_price::storage(scenario, notes),
        // These two need the pools of nodes, which are linked beside.
        bursts: Vec::new(),
        pools: Vec::new(),
        root_volume: node_charges::root_volume(charges, region, notes),
        public_ipv4: public_ipv4(charges, region, notes),
        around: around.link(notes),
        node_licence: charges.node_licence.as_ref().map(|l| stated(l.usd_per_node_hour.value)),
        fargate_licence: charges.fargate_licence.as_ref().map(|l| stated(l.usd_per_pod_hour.value)),
        capacity_reservations,
        other_usage,
        commitments: commitments.into_iter().map(|(_, linked)| linked).collect(),
        weight: weight(scenario, notes),
        label_groupings: allocation::by_label(scenario, notes),
        namespace_policy: (scenario.allocation.by_namespace.as_ref())
            .map(|it| allocation::policy(it, "allocation.by-namespace", notes)),
        workload_policy: (scenario.allocation.by_workload.as_ref())
            .map(|it| allocation::policy(it, "allocation.by-workload", notes)),
    }
}

fn public_ipv4(charges: &Charges, region: &Region, notes: &mut Notes<'_>) -> Option<Price> {
    match charges.public_ipv4 {
        Some(Spanned { value: true, span }) => charge(ChargeItem::PublicIpv4, span, region, notes),
        Some(_) => None,
        None => {
            notes.default("charges.public-ipv4", false, "choice: nodes in private subnets");
            None
        }
    }
}

fn weight(scenario: &Scenario, notes: &mut Notes<'_>) -> ResourceWeight {
    let Some(given) = scenario.allocation.cpu_weight else {
        notes.default("allocation.cpu-weight", "9.107", WEIGHT_NOTE);
        return ResourceWeight::default();
    };
    if given.value.0 > MAX_WEIGHT {
        let message = format!("a weight of at most {MAX_WEIGHT}");
        notes.diags.error(given.span, message);
    }
    // Exact to a millionth.
    let micro = (given.value.0.min(MAX_WEIGHT) * 1e6).round() as i128;
    ResourceWeight {
        vcpu_hour: Rate::from_pico(micro * 1_000_000),
        gb_hour: Rate::from_pico(1_000_000_000_000),
    }
}
