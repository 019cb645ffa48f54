//! What a price list says, as far as it was read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use super::product::{Item, Product, What, item};
use super::stream::OfferTerms;
use crate::catalog::savings::{Payment, Term};
use crate::catalog::table::{MAX_USD, ONE};
use crate::catalog::update::dates::Dates;
use crate::catalog::update::input::shown;
use crate::catalog::update::savings;
use crate::catalog::update::tables::Draft;
use crate::names::nearest;
use crate::units::Rate;

/// Most products of a file that are kept; all Regions have some 30,000.
const MAX_PRODUCTS: usize = 2_000_000;

/// AWS's word for the unit of prices per hour of EC2.
const HOURS: &str = "Hrs";

/// Regions without a row in `regions.csv` that are named.
const NAMED_REGIONS: usize = 3;

/// A Reserved Instance.
pub(super) struct ReservedRate {
    pub(super) region: String,
    pub(super) name: String,
    pub(super) convertible: bool,
    pub(super) term: Term,
    pub(super) payment: Payment,
    /// USD an hour.
    pub(super) hourly: Rate,
    /// USD at the start of the term.
    pub(super) upfront: Rate,
}

/// The prices of what is wanted, and the number of what is not.
pub(super) struct Found {
    dates: Dates,
    /// AWS's code of the service.
    pub(super) service: String,
    /// The day of the list; empty where it has none.
    pub(super) published: String,
    /// Wanted products by their id, until their prices are read.
    pub(super) products: HashMap<String, Item>,
    pub(super) on_demand: BTreeMap<Item, Rate>,
    pub(super) reserved: Vec<ReservedRate>,
    /// Prices of types without a known shape.
    unknown_types: usize,
    /// Products of Regions without a row in `regions.csv`, and the first of those Regions.
    elsewhere: usize,
    unknown_regions: BTreeSet<String>,
    /// Prices of nothing.
    free: usize,
    /// Prices in other currencies than USD.
    foreign: usize,
    /// Prices of instances by something else than hours.
    not_hourly: usize,
}

impl Found {
    pub(super) fn new(dates: Dates) -> Self {
        Found {
            dates,
            service: String::new(),
            published: String::new(),
            products: HashMap::new(),
            on_demand: BTreeMap::new(),
            reserved: Vec::new(),
            unknown_types: 0,
            elsewhere: 0,
            unknown_regions: BTreeSet::new(),
            free: 0,
            foreign: 0,
            not_hourly: 0,
        }
    }

    /// Notes when the list was published.
    pub(super) fn publish(&mut self, text: &str) -> Result<(), String> {
        self.published = self.dates.day("publicationDate", text)?;
        Ok(())
    }

    /// Notes a product, if it is wanted.
    pub(super) fn note(
        &mut self,
        sku: String,
        product: &Product,
        draft: &Draft,
    ) -> Result<(), String> {
        let Some(item) = item(&self.service, product).filter(|item| draft.wants(&item.region))
        else {
            return Ok(());
        };
        if !draft.knows_region(&item.region) {
            self.elsewhere += 1;
            // One more than are named, to know that there are more.
            if self.unknown_regions.len() <= NAMED_REGIONS {
                self.unknown_regions.insert(item.region);
            }
            return Ok(());
        }
        if let What::Instance(name) = &item.what
            && !draft.knows_type(name)
        {
            self.unknown_types += 1;
            return Ok(());
        }
        if self.products.len() == MAX_PRODUCTS {
            return Err(format!("more than {MAX_PRODUCTS} products"));
        }
        self.products.insert(sku, item);
        Ok(())
    }

    /// Takes the On-Demand price of a product.
    pub(super) fn on_demand(&mut self, item: &Item, terms: OfferTerms) -> Result<(), String> {
        for term in terms.into_values() {
            if term.effective_date.is_empty() {
                return Err(format!(
                    "the price of {item} has no effectiveDate; fetch the file again"
                ));
            }
            self.dates.day(&format!("effectiveDate of {item}"), &term.effective_date)?;
            for dimension in term.price_dimensions.into_values() {
                // Prices in CNY are of Regions that are not billed here.
                let Some(text) = dimension.price_per_unit.get("USD") else {
                    self.foreign += 1;
                    continue;
                };
                let rate = usd(item, text)?;
                // Free tiers and capacity reservations are listed at 0.
                if rate <= Rate::ZERO {
                    self.free += 1;
                    continue;
                }
                // Instances are billed by the second at a price per hour.
                if matches!(item.what, What::Instance(_)) && dimension.unit != HOURS {
                    self.not_hourly += 1;
                    continue;
                }
                let known = self.on_demand.insert(item.clone(), rate);
                if let Some(known) = known.filter(|known| *known != rate) {
                    return Err(format!(
                        "two prices of {item}: {known} and {rate} USD; remove the wrong one"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Takes the Reserved Instances of a product: an upfront payment is a
    /// dimension of the unit `Quantity`, beside the one of `Hrs`.
    pub(super) fn reserved(&mut self, item: &Item, terms: OfferTerms) -> Result<(), String> {
        let What::Instance(name) = &item.what else { return Ok(()) };
        for term in terms.into_values() {
            let at = &term.term_attributes;
            let (Some(length), Some(payment)) =
                (savings::lease(&at.length), savings::payment(&at.payment))
            else {
                continue;
            };
            let (mut hourly, mut upfront) = (Rate::ZERO, Rate::ZERO);
            for dimension in term.price_dimensions.values() {
                let Some(text) = dimension.price_per_unit.get("USD") else { continue };
                let rate = usd(item, text)?;
                match dimension.unit.as_str() {
                    HOURS => hourly = rate,
                    "Quantity" => upfront = rate,
                    _ => {}
                }
            }
            if hourly > Rate::ZERO || upfront > Rate::ZERO {
                self.reserved.push(ReservedRate {
                    region: item.region.clone(),
                    name: name.clone(),
                    convertible: at.class == "convertible",
                    term: length,
                    payment,
                    hourly,
                    upfront,
                });
            }
        }
        Ok(())
    }

    /// What was left out, and why.
    pub(super) fn left_out(&self, draft: &Draft) -> Vec<String> {
        let counted = [
            (self.free, "prices of 0 USD"),
            (self.foreign, "prices in other currencies than USD"),
            (self.not_hourly, "prices of instances whose unit is not Hrs"),
            (self.unknown_types, "prices of types of unknown shape"),
        ];
        let mut left_out: Vec<String> = counted
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{what} ({n})"))
            .collect();
        if self.elsewhere > 0 {
            left_out.push(format!(
                "prices in Regions that regions.csv does not have ({}): {}",
                self.elsewhere,
                self.named_regions(draft)
            ));
        }
        left_out
    }

    /// The Regions that are unknown; of a single one what it may mean.
    fn named_regions(&self, draft: &Draft) -> String {
        let mut names: Vec<String> =
            self.unknown_regions.iter().take(NAMED_REGIONS).map(|r| shown(r)).collect();
        if let [only] = names.as_mut_slice()
            && let Some(near) = nearest(only, draft.regions_known())
        {
            // Writing to a String cannot fail.
            let _ = write!(only, " (`{near}` is the nearest)");
        }
        if self.unknown_regions.len() > NAMED_REGIONS {
            names.push("…".to_owned());
        }
        names.join(", ")
    }
}

/// A price in USD as AWS writes it.
fn usd(item: &Item, text: &str) -> Result<Rate, String> {
    let rate: Rate = text.parse().map_err(|e| format!("price `{text}` of {item}: {e}"))?;
    if (0..=MAX_USD * ONE).contains(&rate.pico()) {
        return Ok(rate);
    }
    Err(format!("price `{text}` of {item} does not lie between 0 and {MAX_USD} USD"))
}
