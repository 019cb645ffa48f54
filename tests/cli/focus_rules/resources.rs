//! What is charged and where it is: services, SKUs, Regions, resources.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Row, all, get, has, is, one_each, purchase, sold, tag, unused, usage};
use super::{RowRule, SetRule, rule, whole};

/// Subcategories that exports use, with their parents in the specification.
const SERVICES: [(&str, &str); 16] = [
    ("Compute", "Containers"),
    ("Compute", "Serverless Compute"),
    ("Compute", "Virtual Machines"),
    ("Compute", "Other (Compute)"),
    ("Management and Governance", "Observability"),
    ("Networking", "Application Networking"),
    ("Networking", "Content Delivery"),
    ("Networking", "Network Connectivity"),
    ("Networking", "Network Infrastructure"),
    ("Networking", "Network Routing"),
    ("Networking", "Other (Networking)"),
    ("Storage", "Block Storage"),
    ("Storage", "File Storage"),
    ("Storage", "Object Storage"),
    ("Storage", "Other (Storage)"),
    ("Other", "Other (Other)"),
];

pub(super) const ROWS: &[RowRule] = &[
    rule(
        "AvailabilityZone.null",
        "null where no zone is named: clusters, commitments",
        |r| is(r, "ResourceType", "Cluster") || purchase(r) || unused(r),
        |r| !has(r, "AvailabilityZone"),
    ),
    rule(
        "AvailabilityZone.instance",
        "an instance is in a zone",
        |r| is(r, "ResourceType", "Instance"),
        |r| has(r, "AvailabilityZone"),
    ),
    rule(
        "RegionId.null",
        "not null for what runs in a Region",
        |r| has(r, "AvailabilityZone") || is(r, "ResourceType", "Cluster"),
        |r| has(r, "RegionId"),
    ),
    rule("RegionName.null", "null exactly where the id is", all, |r| {
        has(r, "RegionName") == has(r, "RegionId")
    }),
    rule("ResourceId.null", "not null: every charge here is about something", all, |r| {
        has(r, "ResourceId")
    }),
    rule(
        "ResourceName.null",
        "null without an id",
        |r| has(r, "ResourceName"),
        |r| has(r, "ResourceId"),
    ),
    rule(
        "ResourceName.repeat",
        "does not repeat the id",
        |r| has(r, "ResourceName"),
        |r| get(r, "ResourceName") != get(r, "ResourceId"),
    ),
    rule("ResourceType.null", "null exactly where the id is", all, |r| {
        has(r, "ResourceType") == has(r, "ResourceId")
    }),
    rule("ServiceCategory.null", "never null", all, |r| has(r, "ServiceCategory")),
    rule("ServiceCategory.values", "the subcategory is listed under its category", all, |r| {
        SERVICES.iter().any(|(category, sub)| {
            is(r, "ServiceCategory", category) && is(r, "ServiceSubcategory", sub)
        })
    }),
    rule("ServiceName.null", "never null", all, |r| has(r, "ServiceName")),
    rule("ServiceSubcategory.null", "never null", all, |r| has(r, "ServiceSubcategory")),
    rule("SkuId.null", "not null for usage and purchases", sold, |r| has(r, "SkuId")),
    rule(
        "SkuId.owner",
        "is of what was sold, not of who used it",
        |r| tag(r, "workload").is_some(),
        |r| tag(r, "workload").is_some_and(|w| !get(r, "SkuId").unwrap_or("").contains(&w)),
    ),
    rule("SkuMeter.null", "as the SKU", all, |r| has(r, "SkuMeter") == has(r, "SkuId")),
    rule(
        "SkuPriceDetails.null",
        "null without a price",
        |r| !has(r, "SkuPriceId") || has(r, "SkuPriceDetails"),
        |r| has(r, "SkuPriceId") == has(r, "SkuPriceDetails"),
    ),
    rule(
        "SkuPriceDetails.keys",
        "keys are FOCUS's own, with values of their type, or begin with x_",
        |r| has(r, "SkuPriceDetails"),
        |r| {
            let text = get(r, "SkuPriceDetails").unwrap_or_default();
            let map: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(text).unwrap_or_default();
            map.iter().all(|(key, value)| match key.as_str() {
                "InstanceType" | "InstanceSeries" | "DiskType" | "OperatingSystem" => {
                    value.is_string()
                }
                "CoreCount" | "MemorySize" => value.is_number(),
                other => other.starts_with("x_"),
            })
        },
    ),
    rule(
        "SkuPriceDetails.unit",
        "numbers are those of one pricing unit: of an hour of an instance",
        |r| sold(r) && get(r, "SkuPriceDetails").is_some_and(|d| d.contains("CoreCount")),
        |r| is(r, "PricingUnit", "Hours"),
    ),
    rule("SkuPriceId.amount", "does not hold what may change: the price", sold, |r| {
        let (id, price) = (get(r, "SkuPriceId"), get(r, "ListUnitPrice"));
        id.zip(price).is_some_and(|(id, price)| id.split('/').all(|part| part != price))
    }),
    rule("SkuPriceId.null", "not null for usage and purchases", sold, |r| has(r, "SkuPriceId")),
];

pub(super) const SETS: &[SetRule] = &[
    whole("RegionName.consistent", "a Region has one name", |_, rows| {
        one_each(rows, "RegionId", "RegionName")
    }),
    whole("ResourceId.type", "an id names one thing", |_, rows| {
        one_each(rows, "ResourceId", "ResourceType")
    }),
    whole("ResourceName.consistent", "a thing has one name", |_, rows| {
        one_each(rows, "ResourceId", "ResourceName")
    }),
    whole("Tags.consistent", "a thing has one set of tags", |_, rows| {
        one_each(rows, "ResourceId", "Tags")
    }),
    whole("ServiceName.category", "a service has one category", |_, rows| {
        one_each(rows, "ServiceName", "ServiceCategory")
    }),
    whole("ServiceName.subcategory", "a service should have one subcategory", |_, rows| {
        one_each(rows, "ServiceName", "ServiceSubcategory")
    }),
    whole("SkuId.pricing", "a SKU is the same whatever its pricing category", |_, rows| {
        let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in rows.iter().filter(|r| usage(r)) {
            if let (Some(sku), Some(pricing)) = (get(row, "SkuId"), get(row, "PricingCategory")) {
                seen.entry(sku).or_default().insert(pricing);
            }
        }
        Ok(seen.values().filter(|pricings| pricings.len() > 1).count())
    }),
    whole("SkuMeter.consistent", "a SKU should keep its meter", |_, rows| {
        one_each(rows, "SkuId", "SkuMeter")
    }),
    whole("SkuPriceDetails.consistent", "a price has one set of details", |_, rows| {
        one_each(rows, "SkuPriceId", "SkuPriceDetails")
    }),
    whole(
        "SkuPriceId.lookup",
        "a price that does not move is the same wherever its id stands",
        |_, rows| {
            let still: Vec<Row> =
                rows.iter().filter(|r| !is(r, "PricingCategory", "Dynamic")).cloned().collect();
            one_each(&still, "SkuPriceId", "ListUnitPrice")
        },
    ),
    whole("SkuPriceId.parent", "a price has one SKU", |_, rows| {
        one_each(rows, "SkuPriceId", "SkuId")
    }),
];
