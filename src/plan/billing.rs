//! What turns a record into money besides the prices of nodes and Fargate:
//! charges, commitments, the split of node cost.

use super::around::{Around, charge, stated};
use super::defaults::WEIGHT_NOTE;
use super::fargate::ArchPrice;
use super::fargate_price;
use super::market;
use super::node_charges;
use super::nodes::NodePools;
use super::notes::Notes;
use crate::bill::{ALWAYS, BillingPlan, Commitment, CommitmentKind, Price, ResourceWeight};
use crate::catalog::{self, Arch, ChargeItem, PlanItem, Region};
use crate::scenario::{self, Charges, Scenario, Span, Spanned, quote};
use crate::units::Rate;

/// Largest `allocation.cpu-weight`.
const MAX_WEIGHT: f64 = 1e6;

/// Links everything that is billed.
pub(super) fn link(
    around: &Around<'_>,
    nodes: &NodePools,
    fargate: &[ArchPrice],
    notes: &mut Notes<'_>,
) -> BillingPlan {
    let (scenario, region) = (around.scenario, around.region);
    let charges = &scenario.charges;
    let commitments = scenario
        .commitments
        .iter()
        .map(|(name, it)| commitment(name, it, region, nodes, fargate, notes))
        .collect();
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
        commitments,
        weight: weight(scenario, notes),
        label_groupings: super::allocation::link(scenario, notes),
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

fn commitment(
    name: &Spanned<String>,
    it: &scenario::Commitment,
    region: &Region,
    nodes: &NodePools,
    fargate: &[ArchPrice],
    notes: &mut Notes<'_>,
) -> Commitment {
    let scenario::CommitmentKind::ComputeSp = it.kind.value;
    let term = match it.term.value {
        scenario::Term::OneYear => catalog::Term::OneYear,
        scenario::Term::ThreeYears => catalog::Term::ThreeYears,
    };
    let payment = match it.payment.value {
        scenario::Payment::NoUpfront => catalog::Payment::NoUpfront,
        scenario::Payment::PartialUpfront => catalog::Payment::PartialUpfront,
        scenario::Payment::AllUpfront => catalog::Payment::AllUpfront,
    };
    let mut rate = |item: PlanItem<'_>, what: &str, unit: &str, used: Option<Span>| {
        let found = region.compute_plan_rate(term, payment, item);
        let Some(found) = found else {
            if let Some(span) = used {
                notes.diags.warning(
                    "no-plan-rate",
                    span,
                    format!(
                        "no Savings Plan rate is known for {what} ({term}, {payment}), so it \
                             stays On-Demand under {}",
                        quote(name)
                    ),
                );
            }
            return None;
        };
        let path = format!("savings-plans.{term}.{payment}.{what}");
        notes.price(name.span, path, unit, &found.quote)
    };
    let shapes = nodes
        .origins
        .iter()
        .map(|origin| {
            // A plan covers On-Demand usage only, so other rates are no facts
            // that the bill rests on.
            let span = origin.on_demand?;
            let kind = origin.instance_type()?;
            rate(PlanItem::Ec2(kind), kind, "instance-hour", Some(span))
        })
        .collect();
    // A plan covers no Fargate Spot, and no rate is known for Windows.
    let covered = fargate
        .iter()
        .map(|(price, arch)| {
            if price.spot_of.is_some() || price.os_licence.is_some() {
                return None;
            }
            let item = match arch {
                Arch::Amd64 => "fargate",
                Arch::Arm64 => "fargate-arm64",
            };
            let (vcpu, memory) = (PlanItem::FargateVcpu(*arch), PlanItem::FargateMemory(*arch));
            let vcpu = rate(vcpu, &format!("{item}.vcpu"), "vCPU-hour", Some(name.span));
            let gb = rate(memory, &format!("{item}.memory"), "GB-hour", Some(name.span));
            vcpu.zip(gb)
        })
        .collect();
    Commitment {
        name: name.value.clone(),
        kind: CommitmentKind::ComputeSp,
        usd_per_hour: it.usd_per_hour.value,
        reserved: None,
        in_force: ALWAYS,
        shapes,
        fargate: covered,
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
