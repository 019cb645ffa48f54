//! A price list read as a stream: of an object of millions of entries each
//! wanted one is handed on and dropped, the others are not even read.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::found::Found;
use super::product::Product;
use crate::catalog::update::tables::Draft;

/// The offers of one product.
pub(super) type OfferTerms = BTreeMap<String, OfferTerm>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfferTerm {
    #[serde(default)]
    pub(super) effective_date: String,
    #[serde(default)]
    pub(super) price_dimensions: BTreeMap<String, Dimension>,
    #[serde(default)]
    pub(super) term_attributes: TermAttributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dimension {
    #[serde(default)]
    pub(super) unit: String,
    #[serde(default)]
    pub(super) price_per_unit: BTreeMap<String, String>,
}

/// What was committed to; empty of On-Demand.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TermAttributes {
    #[serde(rename = "LeaseContractLength")]
    pub(super) length: String,
    #[serde(rename = "OfferingClass")]
    pub(super) class: String,
    #[serde(rename = "PurchaseOption")]
    pub(super) payment: String,
}

/// The whole document.
pub(super) struct Offer<'a> {
    pub(super) found: &'a mut Found,
    pub(super) draft: &'a Draft,
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
                    found.publish(&text).map_err(serde::de::Error::custom)?;
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
                "OnDemand" => map.next_value_seed(Each::new(item, |item, terms| {
                    found.on_demand(&item, terms)
                }))?,
                "Reserved" => map
                    .next_value_seed(Each::new(item, |item, terms| found.reserved(&item, terms)))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Calls a function for each wanted entry of an object.
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
