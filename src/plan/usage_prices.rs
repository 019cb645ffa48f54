//! Prices of what usage files charge for, Region by Region.

use std::collections::BTreeMap;

use crate::Result;
use crate::bill::statement::{FargateResource, Item, Unpriced};
use crate::catalog::{Arch, Catalog, ChargeItem, PriceStatus, Quote, Region, Text};
use crate::units::Rate;

/// The catalog, by the Regions that a file names.
pub struct UsagePrices {
    catalog: Catalog,
    regions: BTreeMap<String, Option<Region>>,
}

impl UsagePrices {
    /// Prices from a catalog.
    #[must_use]
    pub fn new(catalog: Catalog) -> Self {
        UsagePrices { catalog, regions: BTreeMap::new() }
    }

    /// A Region's price list; `None` where it has none in USD.
    ///
    /// # Errors
    /// When its tables are malformed.
    pub fn region(&mut self, name: &str) -> Result<Option<&Region>> {
        if !self.regions.contains_key(name) {
            let known = self.catalog.region_names().any(|region| region == name);
            let region = if known { Some(self.catalog.region(name)?) } else { None };
            self.regions.insert(name.to_owned(), region);
        }
        Ok(self.regions.get(name).and_then(Option::as_ref))
    }

    /// Architecture of an instance type that is known.
    #[must_use]
    pub fn arch(&self, instance_type: &str) -> Option<Arch> {
        self.catalog.instance_type(instance_type).map(|kind| kind.arch)
    }

    /// The list price of an item: Linux, shared tenancy, On-Demand.
    ///
    /// # Errors
    /// When a table is malformed. The inner error says why there is no price.
    pub fn listed(
        &mut self,
        item: Item<'_>,
        region: &str,
    ) -> Result<std::result::Result<Quote, Unpriced>> {
        if let Item::Instance { name, .. } = item
            && self.catalog.instance_type(name).is_none()
        {
            return Ok(Err(Unpriced::UnknownType));
        }
        let Some(region) = self.region(region)? else { return Ok(Err(Unpriced::UnknownRegion)) };
        Ok(listed(item, region).ok_or(Unpriced::NotInRegion))
    }
}

fn listed(item: Item<'_>, region: &Region) -> Option<Quote> {
    match item {
        Item::Instance { name, .. } => region.on_demand(name).cloned(),
        Item::Fargate { resource, arch, spot, .. } => {
            let rates = if spot { region.fargate_spot(arch) } else { region.fargate(arch) }?;
            Some(match resource {
                FargateResource::Vcpu => rates.vcpu_hour.clone(),
                FargateResource::Memory => rates.gb_hour.clone(),
                FargateResource::Storage => rates.ephemeral_gb_hour.clone(),
            })
        }
        Item::EksExtendedSupport => surcharge(
            region.charge(ChargeItem::EksControlPlaneExtended)?,
            region.charge(ChargeItem::EksControlPlane)?,
        ),
        Item::Charge(charge) => region.charge(charge).cloned(),
    }
}

/// AWS bills extended support as a line of its own on top of the standard
/// fee; the catalog has their sum.
fn surcharge(extended: &Quote, standard: &Quote) -> Option<Quote> {
    let rate = extended.rate.pico().checked_sub(standard.rate.pico()).filter(|rate| *rate >= 0)?;
    Some(Quote {
        rate: Rate::from_pico(rate),
        status: extended.status.max(standard.status).max(PriceStatus::Derived),
        as_of: extended.as_of.clone(),
        source: Text::from(format!("less the standard fee; {}", extended.source)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::statement::{Market, Platform};

    #[test]
    fn prices_are_those_of_the_region_named() {
        let mut prices = UsagePrices::new(Catalog::load(None).expect("tables"));
        let instance = |name| Item::Instance {
            name,
            platform: Platform::Linux,
            shared: true,
            market: Market::OnDemand,
        };
        let mut rate = |item, region| {
            prices.listed(item, region).expect("tables").map(|quote| quote.rate.to_string())
        };
        assert_eq!(rate(instance("m5.large"), "us-east-1"), Ok("0.096".to_owned()));
        assert_eq!(rate(instance("m5.large"), "eu-west-2"), Ok("0.111".to_owned()));
        assert_eq!(rate(instance("m5.huge"), "eu-west-2"), Err(Unpriced::UnknownType));
        assert_eq!(rate(instance("m5.large"), "eu-west-9"), Err(Unpriced::UnknownRegion));
        assert_eq!(rate(instance("m5.large"), "cn-north-1"), Err(Unpriced::UnknownRegion));
        assert_eq!(rate(instance("p3.2xlarge"), "eu-north-1"), Err(Unpriced::NotInRegion));
        // 0.60 in all, of which 0.10 is the standard fee.
        assert_eq!(rate(Item::EksExtendedSupport, "us-east-1"), Ok("0.5".to_owned()));
        assert_eq!(
            rate(Item::Charge(ChargeItem::EksControlPlane), "us-east-1"),
            Ok("0.1".to_owned())
        );
    }
}
