//! AWS price lists of EC2, ECS and EKS (`/offers/v1.0/aws/<service>/current/index.json`,
//! or the one of a Region).
//!
//! An offer file names its products first and their prices after; of 8 GB for
//! EC2 only the ids of wanted products are kept in between. Format: AWS Billing
//! user guide, "Reading service price list files".

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Taken;
use super::dates::Dates;
use super::input::{Input, bad_json};
use super::savings::{self, Discount};
use super::tables::{CHARGES, Draft, FARGATE, ON_DEMAND};
use crate::catalog::charges::ChargeItem;
use crate::catalog::quote::PriceStatus;
use crate::catalog::savings::{Payment, Term};
use crate::catalog::table::{MAX_USD, ONE};
use crate::names::nearest;
use crate::units::Rate;
use crate::{Error, Result};

/// Most products of a file that are kept; all Regions have some 30,000.
const MAX_PRODUCTS: usize = 2_000_000;

/// What a product is the price of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// Region and type.
    Instance(String, String),
    Fargate(String, FargateItem),
    Charge(String, ChargeItem),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Instance(region, name) => write!(f, "{name} in {region}"),
            Item::Fargate(region, FargateItem::Storage) => {
                write!(f, "Fargate storage in {region}")
            }
            Item::Fargate(region, FargateItem::Rate(os, arch, column)) => {
                let unit = if *column == 0 { "vCPU" } else { "GB" };
                write!(f, "a Fargate {unit}-hour ({os}, {arch}) in {region}")
            }
            Item::Charge(region, item) => write!(f, "{} in {region}", item.word()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FargateItem {
    /// (os, arch, column of `fargate.csv`)
    Rate(&'static str, &'static str, usize),
    /// Storage above the free 20 GB, whatever the platform.
    Storage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    #[serde(default)]
    product_family: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Attributes {
    region_code: String,
    instance_type: String,
    operating_system: String,
    tenancy: String,
    pre_installed_sw: String,
    capacitystatus: String,
    license_model: String,
    usagetype: String,
    operation: String,
    #[serde(rename = "marketoption")]
    market_option: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferTerm {
    #[serde(default)]
    effective_date: String,
    #[serde(default)]
    price_dimensions: BTreeMap<String, Dimension>,
    #[serde(default)]
    term_attributes: TermAttributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dimension {
    #[serde(default)]
    unit: String,
    #[serde(default)]
    price_per_unit: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TermAttributes {
    #[serde(rename = "LeaseContractLength")]
    length: String,
    #[serde(rename = "OfferingClass")]
    class: String,
    #[serde(rename = "PurchaseOption")]
    payment: String,
}

/// A Reserved Instance: item, class, term, payment, hourly, upfront.
type ReservedRate = (Item, String, Term, Payment, Rate, Rate);

/// What a file says, so far.
struct Found {
    dates: Dates,
    service: String,
    published: String,
    products: HashMap<String, Item>,
    on_demand: BTreeMap<Item, Rate>,
    reserved: Vec<ReservedRate>,
    /// Rows of types without a known shape.
    unknown_types: usize,
    /// Prices of nothing.
    free: usize,
    /// Prices in other currencies than USD.
    foreign: usize,
}

pub(super) fn read(input: &mut Input, dates: Dates, draft: &mut Draft) -> Result<Taken> {
    let mut found = Found::new(dates);
    {
        let mut json = serde_json::Deserializer::from_reader(input.reader());
        (Offer { found: &mut found, draft }).deserialize(&mut json).map_err(|e| bad_json(&e))?;
    }
    let as_of = match found.published.as_str() {
        "" => dates.undated().map_err(Error::input)?,
        published => published.to_owned(),
    };
    let (kind, id) = match found.service.as_str() {
        "AmazonEC2" => ("EC2 price list", format!("price-list-ec2-{as_of}")),
        "AmazonECS" => ("ECS price list", format!("price-list-ecs-{as_of}")),
        "AmazonEKS" => ("EKS price list", format!("price-list-eks-{as_of}")),
        other => {
            return Err(Error::input(format!(
                "this is the price list of `{other}`; those of AmazonEC2, AmazonECS and \
                 AmazonEKS are read"
            )));
        }
    };
    let text = format!("AWS price list {}", found.service);
    draft.source(&id, PriceStatus::Real, &as_of, &text);
    let mut rows = put(&found, &id, draft);
    let mut left_out = Vec::new();
    for (n, what) in
        [(found.free, "prices of 0 USD"), (found.foreign, "prices in other currencies than USD")]
    {
        if n > 0 {
            left_out.push(format!("{n} {what}"));
        }
    }
    if found.unknown_types > 0 {
        left_out.push(format!("{} prices of types of unknown shape", found.unknown_types));
    }
    if !found.reserved.is_empty() {
        let plans = format!("reserved-{as_of}");
        let text =
            "Reserved Instances of the AWS price list AmazonEC2, upfront spread over the term";
        draft.source(&plans, PriceStatus::Real, &as_of, text);
        rows += put_reserved(&found.reserved, &plans, draft);
    }
    Ok(Taken { kind, as_of, source: id, rows, left_out })
}

/// Writes On-Demand rows; how many.
fn put(found: &Found, id: &str, draft: &mut Draft) -> usize {
    let mut rows = 0;
    // A Fargate row is whole with both of its rates.
    let mut fargate: BTreeMap<(&str, &str, &str), [Option<Rate>; 2]> = BTreeMap::new();
    let mut storage: BTreeMap<&str, Rate> = BTreeMap::new();
    for (item, rate) in &found.on_demand {
        match item {
            Item::Instance(region, name) => {
                let row = [region, name, &rate.to_string(), id].map(str::to_owned);
                draft.put(ON_DEMAND, row.to_vec());
                rows += 1;
            }
            Item::Charge(region, charge) => {
                let row = [region, charge.word(), charge.unit(), &rate.to_string(), id];
                draft.put(CHARGES, row.map(str::to_owned).to_vec());
                rows += 1;
            }
            Item::Fargate(region, FargateItem::Storage) => {
                storage.insert(region, *rate);
            }
            Item::Fargate(region, FargateItem::Rate(os, arch, column)) => {
                let row = fargate.entry((region, os, arch)).or_default();
                if let Some(slot) = row.get_mut(*column) {
                    *slot = Some(*rate);
                }
            }
        }
    }
    for ((region, os, arch), rates) in fargate {
        let [Some(vcpu), Some(gb)] = rates else { continue };
        let storage = storage.get(region).map_or_else(String::new, Rate::to_string);
        let row = [region, os, arch, "on-demand", &vcpu.to_string(), &gb.to_string(), &storage, id];
        draft.put(FARGATE, row.map(str::to_owned).to_vec());
        rows += 1;
    }
    rows
}

fn put_reserved(reserved: &[ReservedRate], id: &str, draft: &mut Draft) -> usize {
    let mut rows = 0;
    for (item, class, term, payment, hourly, upfront) in reserved {
        let Item::Instance(region, name) = item else { continue };
        let plan = if class == "convertible" { "convertible-ri" } else { "standard-ri" };
        // A dollar upfront is one 8,760th or 26,280th of a dollar an hour.
        let spread = upfront.scale(1, term.hours().into());
        let effective = Rate::from_pico(hourly.pico() + spread.pico());
        let discount = Discount { region, scope: name, plan, term: *term, payment: *payment };
        rows += usize::from(discount.put(effective, id, draft));
    }
    rows
}

/// The whole document.
struct Offer<'a> {
    found: &'a mut Found,
    draft: &'a Draft,
}

impl<'de> DeserializeSeed<'de> for Offer<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Offer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an AWS price list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let Offer { found, draft } = self;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "offerCode" => found.service = map.next_value()?,
                "publicationDate" => {
                    let text = map.next_value::<String>()?;
                    let day = found.dates.day("publicationDate", &text);
                    found.published = day.map_err(serde::de::Error::custom)?;
                }
                "products" => {
                    if found.service.is_empty() {
                        return Err(serde::de::Error::custom("`products` before `offerCode`"));
                    }
                    let all = |sku: &str| Some(sku.to_owned());
                    map.next_value_seed(Each::new(all, |sku, product: Product| {
                        found.note(sku, &product, draft)
                    }))?;
                }
                "terms" => map.next_value_seed(Terms(found))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl Found {
    fn new(dates: Dates) -> Self {
        Found {
            dates,
            service: String::new(),
            published: String::new(),
            products: HashMap::new(),
            on_demand: BTreeMap::new(),
            reserved: Vec::new(),
            unknown_types: 0,
            free: 0,
            foreign: 0,
        }
    }

    fn note(
        &mut self,
        sku: String,
        product: &Product,
        draft: &Draft,
    ) -> std::result::Result<(), String> {
        let Some(item) = item(&self.service, product) else { return Ok(()) };
        let region = match &item {
            Item::Instance(region, _) | Item::Fargate(region, _) | Item::Charge(region, _) => {
                region
            }
        };
        if draft.wants(region) && !draft.knows_region(region) {
            return Err(unknown_region(region, draft));
        }
        let region = match &item {
            Item::Instance(region, name) => {
                if draft.wants(region) && !draft.knows_type(name) {
                    self.unknown_types += 1;
                    return Ok(());
                }
                region
            }
            Item::Fargate(region, _) | Item::Charge(region, _) => region,
        };
        if draft.wants(region) {
            if self.products.len() == MAX_PRODUCTS {
                return Err(format!("more than {MAX_PRODUCTS} products"));
            }
            self.products.insert(sku, item);
        }
        Ok(())
    }
}

/// What to say of a Region that the tables do not have.
fn unknown_region(region: &str, draft: &Draft) -> String {
    let shown: String = region.chars().filter(|c| !c.is_control()).take(40).collect();
    let near = nearest(region, draft.regions_known())
        .map_or_else(String::new, |near| format!(", of which `{near}` is the nearest"));
    format!("unknown Region `{shown}`: not in regions.csv{near}; name those to take with --region")
}

/// A price in USD as AWS writes it.
fn usd(item: &Item, text: &str) -> std::result::Result<Rate, String> {
    let rate: Rate = text.parse().map_err(|e| format!("price `{text}` of {item}: {e}"))?;
    if (0..=MAX_USD * ONE).contains(&rate.pico()) {
        return Ok(rate);
    }
    Err(format!("price `{text}` of {item} does not lie between 0 and {MAX_USD} USD"))
}

/// What a product is, if it is wanted.
fn item(service: &str, product: &Product) -> Option<Item> {
    let it = &product.attributes;
    if it.region_code.is_empty() {
        return None;
    }
    let region = it.region_code.clone();
    match service {
        "AmazonEC2" => (product.product_family.starts_with("Compute Instance")
            && it.operating_system == "Linux"
            && it.tenancy == "Shared"
            && it.pre_installed_sw == "NA"
            && matches!(it.capacitystatus.as_str(), "Used" | "")
            && matches!(it.license_model.as_str(), "No License required" | "")
            && matches!(it.market_option.as_str(), "OnDemand" | "")
            && matches!(it.operation.as_str(), "RunInstances" | ""))
        .then(|| Item::Instance(region, it.instance_type.clone())),
        "AmazonECS" => {
            let (vcpu, gb) = (0, 1);
            let fargate = match usage(&it.usagetype) {
                "Fargate-vCPU-Hours:perCPU" => FargateItem::Rate("linux", "amd64", vcpu),
                "Fargate-GB-Hours" => FargateItem::Rate("linux", "amd64", gb),
                "Fargate-ARM-vCPU-Hours:perCPU" => FargateItem::Rate("linux", "arm64", vcpu),
                "Fargate-ARM-GB-Hours" => FargateItem::Rate("linux", "arm64", gb),
                "Fargate-EphemeralStorage-GB-Hours" => FargateItem::Storage,
                _ => return None,
            };
            Some(Item::Fargate(region, fargate))
        }
        "AmazonEKS" => match usage(&it.usagetype) {
            "AmazonEKS-Hours:perCluster" => Some(Item::Charge(region, ChargeItem::EksControlPlane)),
            "AmazonEKS-Hours:extendedSupport" => {
                Some(Item::Charge(region, ChargeItem::EksControlPlaneExtended))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A usage type without its Region: `USE1-Fargate-GB-Hours` is
/// `Fargate-GB-Hours`; us-east-1 also writes none.
pub(super) fn usage(usage_type: &str) -> &str {
    match usage_type.split_once('-') {
        Some((region, rest))
            if region.len() <= 5
                && region.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) =>
        {
            rest
        }
        _ => usage_type,
    }
}

/// `terms`: On-Demand and Reserved.
struct Terms<'a>(&'a mut Found);

impl<'de> DeserializeSeed<'de> for Terms<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Terms<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the terms of an AWS price list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let found = self.0;
        let products = std::mem::take(&mut found.products);
        let item = |sku: &str| products.get(sku).cloned();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "OnDemand" => {
                    map.next_value_seed(Each::new(item, |item, terms| {
                        found.on_demand(&item, terms)
                    }))?;
                }
                "Reserved" => {
                    map.next_value_seed(Each::new(item, |item, terms| {
                        found.reserved(&item, terms)
                    }))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The offers of one product.
type OfferTerms = BTreeMap<String, OfferTerm>;

impl Found {
    fn on_demand(&mut self, item: &Item, terms: OfferTerms) -> std::result::Result<(), String> {
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

    fn reserved(&mut self, item: &Item, terms: OfferTerms) -> std::result::Result<(), String> {
        if !matches!(item, Item::Instance(..)) {
            return Ok(());
        }
        for term in terms.into_values() {
            let at = &term.term_attributes;
            let (Some(length), Some(payment)) =
                (Term::from_word(&at.length.replace("yr", "y")), savings::payment(&at.payment))
            else {
                continue;
            };
            let (mut hourly, mut upfront) = (Rate::ZERO, Rate::ZERO);
            for dimension in term.price_dimensions.values() {
                let Some(text) = dimension.price_per_unit.get("USD") else { continue };
                let rate = usd(item, text)?;
                match dimension.unit.as_str() {
                    "Hrs" => hourly = rate,
                    "Quantity" => upfront = rate,
                    _ => {}
                }
            }
            if hourly > Rate::ZERO || upfront > Rate::ZERO {
                let row = (item.clone(), at.class.clone(), length, payment, hourly, upfront);
                self.reserved.push(row);
            }
        }
        Ok(())
    }
}

/// Calls a function for each wanted entry of an object, of which nothing is
/// kept; the others are not even read.
struct Each<W, F, V> {
    /// What a key stands for; `None` to pass it over.
    wanted: W,
    call: F,
    value: PhantomData<V>,
}

impl<W, F, V> Each<W, F, V> {
    fn new(wanted: W, call: F) -> Self {
        Each { wanted, call, value: PhantomData }
    }
}

impl<'de, W, K, F, V> DeserializeSeed<'de> for Each<W, F, V>
where
    W: FnMut(&str) -> Option<K>,
    F: FnMut(K, V) -> std::result::Result<(), String>,
    V: Deserialize<'de>,
{
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de, W, K, F, V> Visitor<'de> for Each<W, F, V>
where
    W: FnMut(&str) -> Option<K>,
    F: FnMut(K, V) -> std::result::Result<(), String>,
    V: Deserialize<'de>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match (self.wanted)(&key) {
                Some(key) => {
                    let value = map.next_value()?;
                    (self.call)(key, value).map_err(serde::de::Error::custom)?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}
