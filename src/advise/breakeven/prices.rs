//! Prices of a Region, by way of buying.

use crate::bill::PriceStatus;
use crate::catalog::{self, Arch, Catalog, FargateRates, Payment, PlanItem, Quote, Region, Term};
use crate::plan;
use crate::units::Rate;
use crate::{Error, Result};

use super::model::{Orchestrator, Priced};

/// Prices of a Region, and which of them may be used.
#[derive(Debug)]
pub struct Prices {
    catalog: Catalog,
    pub(super) region: Region,
    allow_believed: bool,
}

/// A way of buying nodes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    OnDemand,
    Spot,
    /// A Compute Savings Plan, as long as its commitment is used up.
    Plan(&'static str, Term),
}

/// The ways that are compared. Plans without upfront payment: the others
/// differ by a few percent.
pub(super) const WAYS: [Way; 4] = [
    Way::OnDemand,
    Way::Spot,
    Way::Plan("compute-sp-1y", Term::OneYear),
    Way::Plan("compute-sp-3y", Term::ThreeYears),
];

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Way::OnDemand => "on-demand",
            Way::Spot => "spot",
            Way::Plan(name, _) => name,
        }
    }

    pub(super) fn plan(self) -> Option<&'static str> {
        match self {
            Way::Plan(name, _) => Some(name),
            Way::OnDemand | Way::Spot => None,
        }
    }
}

/// A price and how far it can be trusted.
pub(super) type Known = (Rate, PriceStatus);

/// A part of what an hour costs, by name.
pub(super) type Part = (String, Rate, PriceStatus);

impl Priced {
    /// What parts come to.
    pub(super) fn new(
        option: String,
        plan: Option<&str>,
        parts: Vec<(String, Rate)>,
        status: PriceStatus,
    ) -> Priced {
        let per_hour = Rate::from_pico(parts.iter().map(|(_, rate)| rate.pico()).sum());
        Priced { option, plan: plan.map(str::to_owned), per_hour, parts, status }
    }

    /// What the first part and those beside it come to.
    pub(super) fn of(option: String, plan: Option<&str>, first: &Part, beside: &[Part]) -> Priced {
        let all = || std::iter::once(first).chain(beside);
        let parts = all().map(|(name, rate, _)| (name.clone(), *rate)).collect();
        Priced::new(option, plan, parts, weakest(all().map(|part| part.2)))
    }
}

/// The weakest status of prices; what the user states is beyond question.
pub(super) fn weakest(all: impl Iterator<Item = PriceStatus>) -> PriceStatus {
    all.filter(|s| *s != PriceStatus::Stated).max().unwrap_or(PriceStatus::Stated)
}

impl Prices {
    /// Those of a Region; what nobody has verified only where that is allowed.
    ///
    /// # Errors
    /// As [`Catalog::region`].
    pub fn new(catalog: Catalog, region: &str, allow_believed: bool) -> Result<Prices> {
        Ok(Prices { region: catalog.region(region)?, catalog, allow_believed })
    }

    /// Fargate's rates, or a sentence that says where there are any.
    pub(super) fn fargate_rates(&self, arch: Arch) -> std::result::Result<&FargateRates, String> {
        self.region.fargate(arch).ok_or_else(|| {
            let known: Vec<&str> = self
                .catalog
                .region_names()
                .filter(|name| {
                    self.catalog.region(name).is_ok_and(|region| region.fargate(arch).is_some())
                })
                .collect();
            format!(
                "no Fargate price of {arch} is known for {}, only for {}; choose one of these \
                 Regions, or give a price directory that has it",
                self.region.name(),
                known.join(", ")
            )
        })
    }

    /// A price, unless nobody has verified it and that is not allowed.
    pub(super) fn usable(&self, quote: &Quote, what: &dyn std::fmt::Display) -> Result<Known> {
        if quote.status == catalog::PriceStatus::Believed && !self.allow_believed {
            return Err(Error::input(format!(
                "the price of {what} in {} is a recollection that nobody has verified; state \
                 --allow-believed-prices to use {} USD all the same ({})",
                self.region.name(),
                quote.rate,
                &*quote.source
            )));
        }
        let price = plan::bill_price(quote);
        Ok((price.rate, price.status))
    }

    /// What an hour of a type costs; `None` where it is not sold that way.
    pub(super) fn instance(&self, way: Way, name: &str) -> Result<Option<Known>> {
        let region = &self.region;
        match way {
            Way::OnDemand => region.on_demand(name).map(|q| self.usable(q, &name)),
            Way::Spot => region.spot(name).map(|s| self.usable(&s.quote, &format!("{name} Spot"))),
            Way::Plan(plan, term) => region
                .compute_plan_rate(term, Payment::NoUpfront, PlanItem::Ec2(name))
                .map(|rate| self.usable(&rate.quote, &format!("{name} under {plan}"))),
        }
        .transpose()
    }

    /// Every way of buying a mean pod-hour on Fargate; `per_pod_hour` makes it
    /// of the prices of a vCPU-hour and a GB-hour. What is charged `beside` the
    /// two no plan covers.
    pub(super) fn fargate(
        &self,
        orchestrator: Orchestrator,
        arch: Arch,
        rates: &FargateRates,
        per_pod_hour: &dyn Fn(Rate, Rate) -> Rate,
        beside: &[Part],
    ) -> Result<Vec<Priced>> {
        let region = &self.region;
        let pod = |option: String, plan: Option<&str>, vcpu: &Quote, gb: &Quote| {
            let vcpu = self.usable(vcpu, &"a Fargate vCPU")?;
            let gb = self.usable(gb, &"Fargate memory")?;
            let size = (option.clone(), per_pod_hour(vcpu.0, gb.0), vcpu.1.max(gb.1));
            Ok(Priced::of(option, plan, &size, beside))
        };
        let suffix = if arch == Arch::Arm64 { "-arm64" } else { "" };
        let mut ways =
            vec![pod(format!("fargate{suffix}"), None, &rates.vcpu_hour, &rates.gb_hour)?];
        // Fargate Spot is for ECS only.
        if orchestrator == Orchestrator::Ecs
            && let Some(spot) = region.fargate_spot(arch)
        {
            let option = format!("fargate-spot{suffix}");
            ways.push(pod(option, None, &spot.vcpu_hour, &spot.gb_hour)?);
        }
        for way in WAYS {
            let Way::Plan(plan, term) = way else { continue };
            let rate = |item| region.compute_plan_rate(term, Payment::NoUpfront, item);
            let both = rate(PlanItem::FargateVcpu(arch)).zip(rate(PlanItem::FargateMemory(arch)));
            if let Some((vcpu, gb)) = both {
                let option = format!("fargate{suffix}, {plan}");
                ways.push(pod(option, Some(plan), &vcpu.quote, &gb.quote)?);
            }
        }
        Ok(ways)
    }
}
