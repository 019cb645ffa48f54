//! AWS price lists of EC2, ECS and EKS (`/offers/v1.0/aws/<service>/current/index.json`,
//! or the one of a Region).
//!
//! An offer file names its products first and their prices after; of 8 GB for
//! EC2 only the ids of wanted products are kept in between. Format: AWS Billing
//! user guide, "Reading the service price list file for an AWS service".

mod found;
pub(super) mod product;
mod stream;

use std::collections::BTreeMap;

use serde::de::DeserializeSeed as _;

use super::Taken;
use super::dates::Dates;
use super::input::{Input, bad_json};
use super::savings::Discount;
use super::tables::{CHARGES, Draft, FARGATE, ON_DEMAND};
use crate::catalog::quote::PriceStatus;
use crate::catalog::{Arch, ChargeItem, FargateOs, HOME_REGION};
use crate::units::Rate;
use crate::{Error, Result};
use found::{Found, ReservedRate};
use product::{FargateItem, Item, What};
use stream::Offer;

pub(super) fn read(input: &mut Input, dates: Dates, draft: &mut Draft) -> Result<Taken> {
    let mut found = Found::new(dates);
    {
        let mut json = serde_json::Deserializer::from_reader(input.reader());
        let read = Offer { found: &mut found, draft }.deserialize(&mut json);
        read.and_then(|()| json.end()).map_err(|e| bad_json(&e))?;
    }
    let as_of = match found.published.as_str() {
        "" => dates.undated().map_err(Error::input)?,
        published => published.to_owned(),
    };
    let (kind, short) = match found.service.as_str() {
        "AmazonEC2" => ("EC2 price list", "ec2"),
        "AmazonECS" => ("ECS price list", "ecs"),
        "AmazonEKS" => ("EKS price list", "eks"),
        other => {
            return Err(Error::input(format!(
                "this is the price list of `{other}`; those of AmazonEC2, AmazonECS and \
                 AmazonEKS are read"
            )));
        }
    };
    let list = List { short, as_of: &as_of, text: format!("AWS price list {}", found.service) };
    let source = list.source("", PriceStatus::Real, "", draft);
    let mut rows = put_types(&found, &source, draft);
    rows += put_fargate(&found, &list, &source, draft);
    rows += put_clusters(&found, &list, &source, draft);
    let mut left_out = found.left_out(draft);
    if !found.reserved.is_empty() {
        let plans = format!("reserved-{as_of}");
        let text =
            "Reserved Instances of the AWS price list AmazonEC2, upfront spread over the term";
        draft.source(&plans, PriceStatus::Real, &as_of, text);
        let put = put_reserved(&found.reserved, &plans, draft);
        rows += put;
        if put < found.reserved.len() {
            left_out.push(format!(
                "Reserved Instances without a higher On-Demand price ({})",
                found.reserved.len() - put
            ));
        }
    }
    Ok(Taken { kind, as_of, source, rows, left_out })
}

/// A list as a source of rows.
struct List<'a> {
    short: &'static str,
    as_of: &'a str,
    text: String,
}

impl List<'_> {
    /// Notes the list, or what was computed from it, as a source; its id.
    fn source(&self, part: &str, status: PriceStatus, remark: &str, draft: &mut Draft) -> String {
        let id = format!("price-list-{}{part}-{}", self.short, self.as_of);
        draft.source(&id, status, self.as_of, &format!("{}{remark}", self.text));
        id
    }
}

/// Writes the prices of instance types; how many.
fn put_types(found: &Found, source: &str, draft: &mut Draft) -> usize {
    let mut rows = 0;
    for (item, rate) in &found.on_demand {
        let What::Instance(name) = &item.what else { continue };
        let row = [&item.region, name, &rate.to_string(), source].map(str::to_owned);
        draft.put(ON_DEMAND, row.to_vec());
        rows += 1;
    }
    rows
}

/// Writes a fee of a Region.
fn put_charge(region: &str, charge: ChargeItem, rate: Rate, source: &str, draft: &mut Draft) {
    let row = [region, charge.word(), charge.unit(), &rate.to_string(), source];
    draft.put(CHARGES, row.map(str::to_owned).to_vec());
}

/// Writes rows of Fargate that are whole, which is with both of their rates;
/// how many. The price of a vCPU on Windows contains its licence, as
/// `fargate.csv` has it: AWS lists the two apart.
fn put_fargate(found: &Found, list: &List<'_>, source: &str, draft: &mut Draft) -> usize {
    let mut regions: BTreeMap<&str, BTreeMap<FargateItem, Rate>> = BTreeMap::new();
    for (Item { region, what }, rate) in &found.on_demand {
        if let What::Fargate(item) = what {
            regions.entry(region).or_default().insert(*item, *rate);
        }
    }
    let mut rows = 0;
    for (region, rates) in regions {
        let storage = rates.get(&FargateItem::Storage).map_or_else(String::new, Rate::to_string);
        let licence = rates.get(&FargateItem::Licence).copied();
        if let Some(licence) = licence {
            put_charge(region, ChargeItem::FargateWindowsLicence, licence, source, draft);
            rows += 1;
        }
        for (os, arch) in [
            (FargateOs::Linux, Arch::Amd64),
            (FargateOs::Linux, Arch::Arm64),
            (FargateOs::Windows, Arch::Amd64),
        ] {
            let (Some(vcpu), Some(memory)) = (
                rates.get(&FargateItem::Vcpu(os, arch)),
                rates.get(&FargateItem::Memory(os, arch)),
            ) else {
                continue;
            };
            let (vcpu, source) = match (os, licence) {
                (FargateOs::Linux, _) => (*vcpu, source.to_owned()),
                (FargateOs::Windows, None) => continue,
                (FargateOs::Windows, Some(licence)) => {
                    let remark = "; a vCPU with its licence";
                    let id = list.source("-windows", PriceStatus::Derived, remark, draft);
                    (sum(*vcpu, licence), id)
                }
            };
            let row = [
                region,
                os.word(),
                arch.word(),
                "on-demand",
                &vcpu.to_string(),
                &memory.to_string(),
                &storage,
                &source,
            ];
            draft.put(FARGATE, row.map(str::to_owned).to_vec());
            rows += 1;
        }
    }
    rows
}

/// Writes the fees of EKS clusters; how many. In extended support a cluster pays
/// its fee and the surcharge.
fn put_clusters(found: &Found, list: &List<'_>, source: &str, draft: &mut Draft) -> usize {
    let mut rows = 0;
    for (Item { region, what }, rate) in &found.on_demand {
        match what {
            What::Charge(charge) => put_charge(region, *charge, *rate, source, draft),
            What::ExtendedSupport => {
                let plain = ChargeItem::EksControlPlane;
                let listed = Item { region: region.clone(), what: What::Charge(plain) };
                let known = |region: &str| draft.rate(CHARGES, &[region, plain.word()], 3);
                let Some(fee) = found
                    .on_demand
                    .get(&listed)
                    .copied()
                    .or_else(|| known(region))
                    .or_else(|| known(HOME_REGION))
                else {
                    continue;
                };
                let remark = "; the fee of a cluster and the surcharge of extended support";
                let id = list.source("-extended", PriceStatus::Derived, remark, draft);
                let total = sum(fee, *rate);
                put_charge(region, ChargeItem::EksControlPlaneExtended, total, &id, draft);
            }
            _ => continue,
        }
        rows += 1;
    }
    rows
}

fn sum(one: Rate, other: Rate) -> Rate {
    Rate::from_pico(one.pico() + other.pico())
}

/// Writes Reserved Instances as discounts; how many.
fn put_reserved(reserved: &[ReservedRate], id: &str, draft: &mut Draft) -> usize {
    let mut rows = 0;
    for it in reserved {
        let discount = Discount {
            region: &it.region,
            scope: &it.name,
            plan: if it.convertible { "convertible-ri" } else { "standard-ri" },
            term: it.term,
            payment: it.payment,
        };
        // A dollar upfront is one 8,760th or 26,280th of a dollar an hour.
        let effective = sum(it.hourly, it.upfront.scale(1, it.term.hours().into()));
        rows += usize::from(discount.put(effective, id, draft));
    }
    rows
}
