//! Rates of Savings Plans, as discounts on On-Demand.
//!
//! From the price list of plans or from `aws savingsplans
//! describe-savings-plans-offering-rates`. A rate without an On-Demand price to
//! relate it to is left out.
//!
//! The list of a Region (`/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/…/<region>/index.json`)
//! has both families, `ComputeSavingsPlans` and `EC2InstanceSavingsPlans`, as products, of
//! which `attributes` say term (`purchaseTerm`: `1yr`, `3yr`) and payment; then under
//! `terms.savingsPlan` each with the `rates` of all it covers, told by the usage type and
//! operation of their bills: Windows and reserved capacity are among them. Older lists name
//! the Region once for all rates. Format: AWS Billing user guide, "Reading the service price
//! list file for a Savings Plan"; spellings as in `ComputeSoftware/csp-pricing`
//! (`savings_plan.clj`) and `vantage-sh/ec2instances.info` (`get_savings_plans.go`).

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Taken;
use super::dates::Dates;
use super::input::{Input, bad_json};
use super::offer::product::usage;
use super::tables::{Draft, FARGATE, ON_DEMAND, PLANS};
use crate::Result;
use crate::catalog::quote::PriceStatus;
use crate::catalog::savings::{Payment, SCOPE_FARGATE, Term};
use crate::catalog::table::ONE;
use crate::units::Rate;

/// A row of `savings-plans.csv` but for its discount.
pub(super) struct Discount<'a> {
    pub(super) region: &'a str,
    pub(super) scope: &'a str,
    pub(super) plan: &'a str,
    pub(super) term: Term,
    pub(super) payment: Payment,
}

impl Discount<'_> {
    /// Writes the row for a rate; whether an On-Demand price was there to
    /// relate it to.
    pub(super) fn put(&self, rate: Rate, source: &str, draft: &mut Draft) -> bool {
        let on_demand = if self.scope == SCOPE_FARGATE {
            draft.rate(FARGATE, &[self.region, "linux", "amd64", "on-demand"], 4)
        } else {
            draft.rate(ON_DEMAND, &[self.region, self.scope], 2)
        };
        let Some(on_demand) = on_demand.filter(|o| *o > Rate::ZERO && rate <= *o) else {
            return false;
        };
        // To twelve places, so that the discount gives back the rate.
        let discount = ONE - Rate::from_pico(ONE).scale(rate.pico(), on_demand.pico()).pico();
        let discount = Rate::from_pico(discount);
        if discount.pico() >= ONE {
            return false;
        }
        let row = [
            self.region,
            self.scope,
            self.plan,
            &self.term.to_string(),
            &self.payment.to_string(),
            &discount.to_string(),
            source,
        ];
        draft.put(PLANS, row.map(str::to_owned).to_vec());
        true
    }
}

/// AWS's words for payment.
pub(super) fn payment(text: &str) -> Option<Payment> {
    match text {
        "No Upfront" => Some(Payment::NoUpfront),
        "Partial Upfront" => Some(Payment::PartialUpfront),
        "All Upfront" => Some(Payment::AllUpfront),
        _ => None,
    }
}

/// A term by AWS's word: `1yr`, `3yr`.
pub(super) fn lease(text: &str) -> Option<Term> {
    match text {
        "1yr" => Some(Term::OneYear),
        "3yr" => Some(Term::ThreeYears),
        _ => None,
    }
}

/// A term by its seconds.
pub(super) fn term(seconds: i64) -> Option<Term> {
    match seconds {
        31_536_000 => Some(Term::OneYear),
        94_608_000 => Some(Term::ThreeYears),
        _ => None,
    }
}

/// What a usage type is: a type of instance, or Fargate.
fn scope<'a>(service: &str, usage_type: &'a str, operation: &str) -> Option<&'a str> {
    let plain = usage(usage_type);
    match service {
        // Linux, without licence or software: other operating systems add a code.
        "AmazonEC2" if operation == "RunInstances" => plain.strip_prefix("BoxUsage:"),
        "AmazonECS" if plain == "Fargate-vCPU-Hours:perCPU" => Some(SCOPE_FARGATE),
        _ => None,
    }
}

/// What was written, and what was not.
#[derive(Default)]
struct Counts {
    rows: usize,
    unrelated: usize,
}

impl Counts {
    fn put(&mut self, discount: &Discount<'_>, rate: &str, id: &str, draft: &mut Draft) {
        if !draft.wants(discount.region) {
            return;
        }
        match rate.parse::<Rate>() {
            Ok(rate) if discount.put(rate, id, draft) => self.rows += 1,
            _ => self.unrelated += 1,
        }
    }

    fn taken(self, kind: &'static str, as_of: String, source: String) -> Taken {
        let left_out = match self.unrelated {
            0 => Vec::new(),
            n => vec![format!("rates without a higher On-Demand price ({n})")],
        };
        Taken { kind, as_of, source, rows: self.rows, left_out }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RatesPage {
    search_results: Vec<OfferingRate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferingRate {
    savings_plan_offering: Offering,
    rate: String,
    #[serde(default)]
    service_code: String,
    #[serde(default)]
    usage_type: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offering {
    payment_option: String,
    plan_type: String,
    duration_seconds: i64,
    #[serde(default)]
    currency: String,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    value: String,
}

/// The plan of AWS's word.
fn plan(text: &str) -> Option<&'static str> {
    match text {
        "Compute" | "ComputeSavingsPlans" => Some("compute-sp"),
        "EC2Instance" | "EC2InstanceSavingsPlans" => Some("ec2-instance-sp"),
        _ => None,
    }
}

pub(super) fn read_rates(input: &mut Input, as_of: &str, draft: &mut Draft) -> Result<Taken> {
    let id = format!("plan-rates-{as_of}");
    let text = "aws savingsplans describe-savings-plans-offering-rates";
    draft.source(&id, PriceStatus::Real, as_of, text);
    let mut counts = Counts::default();
    input.documents(|page: RatesPage| {
        for it in page.search_results {
            let of = &it.savings_plan_offering;
            let region = it.properties.iter().find(|p| p.name == "region");
            if let (Some(scope), Some(plan), Some(term), Some(payment), Some(region), "USD" | "") = (
                scope(&it.service_code, &it.usage_type, &it.operation),
                plan(&of.plan_type),
                term(of.duration_seconds),
                payment(&of.payment_option),
                region,
                of.currency.as_str(),
            ) {
                let discount = Discount { region: &region.value, scope, plan, term, payment };
                counts.put(&discount, &it.rate, &id, draft);
            }
        }
        Ok(())
    })?;
    Ok(counts.taken("Savings Plan rates", as_of.to_owned(), id))
}

/// A product of a plan's price list: one plan to buy.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanProduct {
    sku: String,
    product_family: String,
    #[serde(default)]
    attributes: PlanAttributes,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PlanAttributes {
    purchase_option: String,
    purchase_term: String,
    region_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanTerm {
    sku: String,
    #[serde(default)]
    rates: Vec<PlanTermRate>,
}

#[derive(Deserialize)]
struct PlanTermRate {
    #[serde(default, rename = "discountedUsageType")]
    usage_type: String,
    #[serde(default, rename = "discountedOperation")]
    operation: String,
    #[serde(default, rename = "discountedServiceCode")]
    service_code: String,
    #[serde(default, rename = "discountedRegionCode")]
    region_code: String,
    #[serde(rename = "discountedRate")]
    rate: DiscountedRate,
}

#[derive(Deserialize)]
struct DiscountedRate {
    price: String,
    #[serde(default)]
    currency: String,
}

pub(super) fn read_offer(input: &mut Input, dates: Dates, draft: &mut Draft) -> Result<Taken> {
    let mut list = PlanList {
        draft,
        dates,
        products: Vec::new(),
        published: String::new(),
        region: String::new(),
        counts: Counts::default(),
    };
    {
        let mut json = serde_json::Deserializer::from_reader(input.reader());
        let read = (&mut list).deserialize(&mut json);
        read.and_then(|()| json.end()).map_err(|e| bad_json(&e))?;
    }
    let (as_of, id) = (list.as_of(), list.id());
    Ok(list.counts.taken("Savings Plan price list", as_of, id))
}

struct PlanList<'a> {
    draft: &'a mut Draft,
    dates: Dates,
    products: Vec<PlanProduct>,
    published: String,
    /// The Region of the whole list; empty where it has several.
    region: String,
    counts: Counts,
}

impl PlanList<'_> {
    fn as_of(&self) -> String {
        self.published.clone()
    }

    fn id(&self) -> String {
        format!("plan-list-{}", self.as_of())
    }

    fn take(&mut self, term: &PlanTerm) {
        let Some(product) = self.products.iter().find(|p| p.sku == term.sku) else { return };
        let at = &product.attributes;
        let (Some(plan), Some(length), Some(payment)) =
            (plan(&product.product_family), lease(&at.purchase_term), payment(&at.purchase_option))
        else {
            return;
        };
        let id = self.id();
        for rate in &term.rates {
            let region = [&rate.region_code, &at.region_code, &self.region];
            let region = region.into_iter().find(|r| !r.is_empty());
            let found = scope(&rate.service_code, &rate.usage_type, &rate.operation);
            let (Some(region), Some(scope), "USD" | "") =
                (region, found, rate.rate.currency.as_str())
            else {
                continue;
            };
            let discount = Discount { region, scope, plan, term: length, payment };
            self.counts.put(&discount, &rate.rate.price, &id, self.draft);
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut PlanList<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut PlanList<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the price list of a Savings Plan")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "publicationDate" => {
                    let text = map.next_value::<String>()?;
                    let day = self.dates.day("publicationDate", &text);
                    self.published = day.map_err(serde::de::Error::custom)?;
                }
                "regionCode" => self.region = map.next_value()?,
                "products" => self.products = map.next_value()?,
                "terms" => {
                    if self.published.is_empty() {
                        let day = self.dates.undated();
                        self.published = day.map_err(serde::de::Error::custom)?;
                    }
                    let (id, as_of) = (self.id(), self.as_of());
                    let text = "AWS price list of Savings Plans";
                    self.draft.source(&id, PriceStatus::Real, &as_of, text);
                    map.next_value_seed(PlanTerms { list: &mut *self, inner: false })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// `terms`, and `savingsPlan` in it: an array of which each element is taken
/// and dropped.
struct PlanTerms<'a, 'd> {
    list: &'a mut PlanList<'d>,
    inner: bool,
}

impl<'de> DeserializeSeed<'de> for PlanTerms<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        if self.inner { d.deserialize_seq(self) } else { d.deserialize_map(self) }
    }
}

impl<'de> Visitor<'de> for PlanTerms<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the terms of a Savings Plan")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "savingsPlan" {
                map.next_value_seed(PlanTerms { list: &mut *self.list, inner: true })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut terms: A) -> std::result::Result<(), A::Error> {
        while let Some(term) = terms.next_element::<PlanTerm>()? {
            self.list.take(&term);
        }
        Ok(())
    }
}
