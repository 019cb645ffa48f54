//! What FOCUS 1.2 demands of the columns that an export has, rule by rule, in
//! our own words (FinOps Open Cost and Usage Specification, version 1.2:
//! columns, attributes).
//!
//! A rule says which rows it is about and what must hold for them. Rules about
//! taxes, corrections, marketplace invoices and payers in other currencies have
//! no column or row here and are left out; a rule that no row may be about
//! says why.

use std::collections::{BTreeMap, BTreeSet};

/// A row: column to cell, empty cells left out.
pub(crate) type Row = BTreeMap<String, String>;

/// What must hold of single rows.
pub(crate) struct RowRule {
    /// Column or attribute, and a word.
    pub(crate) id: &'static str,
    /// The rule.
    pub(crate) text: &'static str,
    /// Which rows it is about.
    pub(crate) about: fn(&Row) -> bool,
    /// What must hold for them.
    pub(crate) holds: fn(&Row) -> bool,
    /// Why there may be no such row.
    pub(crate) none: Option<&'static str>,
}

/// What must hold of a whole data set: how many rows it was about, or what is
/// wrong.
pub(crate) struct SetRule {
    pub(crate) id: &'static str,
    pub(crate) text: &'static str,
    pub(crate) check: fn(&[String], &[Row]) -> Result<usize, String>,
}

fn get<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    row.get(column).map(String::as_str)
}

fn is(row: &Row, column: &str, value: &str) -> bool {
    get(row, column) == Some(value)
}

fn has(row: &Row, column: &str) -> bool {
    row.contains_key(column)
}

fn usage(row: &Row) -> bool {
    is(row, "ChargeCategory", "Usage")
}

fn purchase(row: &Row) -> bool {
    is(row, "ChargeCategory", "Purchase")
}

fn credit(row: &Row) -> bool {
    is(row, "ChargeCategory", "Credit")
}

fn sold(row: &Row) -> bool {
    usage(row) || purchase(row)
}

fn all(_: &Row) -> bool {
    true
}

fn committed(row: &Row) -> bool {
    has(row, "CommitmentDiscountId")
}

fn used(row: &Row) -> bool {
    is(row, "CommitmentDiscountStatus", "Used")
}

fn unused(row: &Row) -> bool {
    is(row, "CommitmentDiscountStatus", "Unused")
}

fn reserved(row: &Row) -> bool {
    has(row, "CapacityReservationId")
}

/// A decimal as a number of 10⁻¹⁵; `None` unless it is written as FOCUS
/// demands: digits, at most one point, a minus for negative ones.
pub(crate) fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(part) || part.len() > 15 {
        return None;
    }
    let padded = format!("{whole}{part:0<15}");
    let value: i128 = padded.parse().ok()?;
    Some(if negative { -value } else { value })
}

fn number(row: &Row, column: &str) -> Option<i128> {
    decimal(get(row, column)?)
}

fn is_zero(row: &Row, column: &str) -> bool {
    number(row, column) == Some(0)
}

/// Whether price × quantity is the cost, to a pico-USD and the last decimal
/// of the quantity.
fn product(row: &Row, price: &str, cost: &str) -> bool {
    let (Some(price), Some(quantity), Some(cost)) =
        (number(row, price), number(row, "PricingQuantity"), number(row, cost))
    else {
        return false;
    };
    // All in 10⁻¹⁵: prices have twelve places, so this stays exact and small.
    let product = (price / 1_000) * quantity / 1_000_000_000_000;
    (product - cost).abs() <= 1_000 + price / 1_000_000_000_000_000
}

/// `YYYY-MM-DDTHH:mm:ssZ`.
fn moment(text: &str) -> bool {
    text.len() == 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

fn at(row: &Row, column: &str) -> Option<jiff::Timestamp> {
    get(row, column)?.parse().ok()
}

/// A JSON object of plain values with distinct keys.
fn key_values(text: &str) -> bool {
    let Ok(serde_json::Value::Object(map)) = serde_json::from_str(text) else { return false };
    let flat = map.values().all(|v| !v.is_object() && !v.is_array());
    // A repeated key would be read once and written twice.
    let keys = map.keys().map(|k| text.matches(&format!("\"{k}\":")).count());
    flat && keys.max().unwrap_or(0) <= 1
}

const TEXT: [&str; 30] = [
    "AvailabilityZone",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "CapacityReservationId",
    "ChargeDescription",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedUnit",
    "InvoiceId",
    "InvoiceIssuerName",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceName",
    "SkuId",
    "SkuMeter",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "ChargeCategory",
    "ChargeFrequency",
    "PricingCategory",
];

pub(crate) const DECIMALS: [&str; 10] = [
    "BilledCost",
    "CommitmentDiscountQuantity",
    "ConsumedQuantity",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "ListCost",
    "ListUnitPrice",
    "PricingQuantity",
    "PricingQuantity",
];

const TIMES: [&str; 4] =
    ["BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart"];

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

/// Columns that every data set has.
const MANDATORY: [&str; 21] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
];

/// Columns of providers with Regions, zones, resources, price lists,
/// negotiated prices, commitments, reservations, sub accounts and tags: AWS.
const CONDITIONAL: [&str; 26] = [
    "CapacityReservationId",
    "CapacityReservationStatus",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedUnitPrice",
    "ListUnitPrice",
    "PricingCategory",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
];

const RECOMMENDED: [&str; 4] =
    ["AvailabilityZone", "ChargeFrequency", "InvoiceId", "ServiceSubcategory"];

const fn rule(
    id: &'static str,
    text: &'static str,
    about: fn(&Row) -> bool,
    holds: fn(&Row) -> bool,
) -> RowRule {
    RowRule { id, text, about, holds, none: None }
}

/// As [`rule`], of rows that there need not be.
const fn rare(
    id: &'static str,
    text: &'static str,
    about: fn(&Row) -> bool,
    holds: fn(&Row) -> bool,
    none: &'static str,
) -> RowRule {
    RowRule { id, text, about, holds, none: Some(none) }
}

const NO_RESERVATION: &str = "only scenarios that own capacity reservations have such rows";

pub(crate) const ROW_RULES: &[RowRule] = &[
    // Attributes: how values are written.
    rule("NullHandling.text", "no placeholder stands for a missing value", all, |r| {
        r.values().all(|v| !["NULL", "null", "None", "N/A", "Not Applicable", "-"].contains(&&**v))
    }),
    rule("StringHandling.blank", "no text is blank", all, |r| {
        TEXT.iter().all(|c| get(r, c).is_none_or(|v| !v.trim().is_empty()))
    }),
    rule("NumericFormat", "numbers are plain decimals: no sign but minus, no unit", all, |r| {
        DECIMALS.iter().all(|c| get(r, c).is_none_or(|v| decimal(v).is_some()))
    }),
    rule("DateTimeFormat", "moments are UTC, ISO 8601 extended, ending in Z", all, |r| {
        TIMES.iter().all(|c| get(r, c).is_some_and(moment))
    }),
    rule("CurrencyFormat", "currencies are three capital letters of ISO 4217", all, |r| {
        is(r, "BillingCurrency", "USD")
    }),
    rule("KeyValueFormat.Tags", "an object with distinct keys and plain values", all, |r| {
        get(r, "Tags").is_none_or(key_values)
    }),
    rule(
        "KeyValueFormat.SkuPriceDetails",
        "an object with distinct keys and plain values",
        |r| has(r, "SkuPriceDetails"),
        |r| get(r, "SkuPriceDetails").is_some_and(key_values),
    ),
    rule(
        "UnitFormat.Pricing",
        "units are plural, or unit and plural time",
        |r| has(r, "PricingUnit"),
        |r| {
            get(r, "PricingUnit").is_some_and(|u| {
                u.rsplit('-').next().is_some_and(|t| t.ends_with('s') || t == "GB")
            })
        },
    ),
    // Never null.
    rule("BilledCost.null", "never null", all, |r| has(r, "BilledCost")),
    rule("EffectiveCost.null", "never null", all, |r| has(r, "EffectiveCost")),
    rule("ListCost.null", "never null", all, |r| has(r, "ListCost")),
    rule("ContractedCost.null", "never null", all, |r| has(r, "ContractedCost")),
    rule("BillingAccountId.null", "never null", all, |r| has(r, "BillingAccountId")),
    rule("BillingAccountName.null", "never null where accounts have names", all, |r| {
        has(r, "BillingAccountName")
    }),
    rule("ProviderName.null", "never null", all, |r| has(r, "ProviderName")),
    rule("PublisherName.null", "never null", all, |r| has(r, "PublisherName")),
    rule("InvoiceIssuerName.null", "never null", all, |r| has(r, "InvoiceIssuerName")),
    rule("ServiceName.null", "never null", all, |r| has(r, "ServiceName")),
    rule("ServiceCategory.null", "never null", all, |r| has(r, "ServiceCategory")),
    rule("ServiceSubcategory.null", "never null", all, |r| has(r, "ServiceSubcategory")),
    rule("ChargeDescription.null", "should not be null", all, |r| has(r, "ChargeDescription")),
    // Allowed values.
    rule("ChargeCategory.values", "Usage, Purchase, Tax, Credit or Adjustment", all, |r| {
        get(r, "ChargeCategory")
            .is_some_and(|v| ["Usage", "Purchase", "Tax", "Credit", "Adjustment"].contains(&v))
    }),
    rule("ChargeFrequency.values", "One-Time, Recurring or Usage-Based", all, |r| {
        get(r, "ChargeFrequency")
            .is_some_and(|v| ["One-Time", "Recurring", "Usage-Based"].contains(&v))
    }),
    rule("ChargeFrequency.purchase", "a purchase is not usage-based", purchase, |r| {
        !is(r, "ChargeFrequency", "Usage-Based")
    }),
    rule("ChargeClass", "null unless an earlier bill is corrected: never here", all, |r| {
        !has(r, "ChargeClass")
    }),
    rule("PricingCategory.values", "Standard, Dynamic, Committed or Other", all, |r| {
        get(r, "PricingCategory")
            .is_none_or(|v| ["Standard", "Dynamic", "Committed", "Other"].contains(&v))
    }),
    rule("PricingCategory.null", "not null for usage and purchases", sold, |r| {
        has(r, "PricingCategory")
    }),
    rule(
        "PricingCategory.committed",
        "Committed where a commitment applies",
        |r| usage(r) && committed(r),
        |r| is(r, "PricingCategory", "Committed"),
    ),
    rule("PricingCategory.purchase", "the purchase itself is not Committed", purchase, |r| {
        is(r, "PricingCategory", "Standard")
    }),
    rule(
        "PricingCategory.dynamic",
        "Dynamic where the provider moves the price: Spot",
        |r| usage(r) && get(r, "x_PurchaseOption").is_some_and(|p| p.ends_with("spot")),
        |r| is(r, "PricingCategory", "Dynamic"),
    ),
    rule(
        "PricingCategory.standard",
        "Standard at agreed rates",
        |r| usage(r) && is(r, "x_PurchaseOption", "on-demand"),
        |r| is(r, "PricingCategory", "Standard"),
    ),
    rule("ServiceCategory.values", "the subcategory is listed under its category", all, |r| {
        SERVICES.iter().any(|(category, sub)| {
            is(r, "ServiceCategory", category) && is(r, "ServiceSubcategory", sub)
        })
    }),
    // Periods.
    rule("ChargePeriod.order", "the end is exclusive, so after the start", all, |r| {
        at(r, "ChargePeriodStart") < at(r, "ChargePeriodEnd")
    }),
    rule("BillingPeriod.order", "the end is exclusive, so after the start", all, |r| {
        at(r, "BillingPeriodStart") < at(r, "BillingPeriodEnd")
    }),
    rule("Period.inside", "a charge lies in its billing period", all, |r| {
        at(r, "BillingPeriodStart") <= at(r, "ChargePeriodStart")
            && at(r, "ChargePeriodEnd") <= at(r, "BillingPeriodEnd")
    }),
    rule("BillingPeriod.month", "AWS bills calendar months", all, |r| {
        TIMES[..2].iter().all(|c| get(r, c).is_some_and(|v| v.ends_with("-01T00:00:00Z")))
    }),
    // Prices and quantities.
    rule("ListUnitPrice.null", "not null for usage and purchases", sold, |r| {
        has(r, "ListUnitPrice")
    }),
    rule("ContractedUnitPrice.null", "not null for usage and purchases", sold, |r| {
        has(r, "ContractedUnitPrice")
    }),
    rule("PricingQuantity.null", "not null for usage and purchases", sold, |r| {
        has(r, "PricingQuantity")
    }),
    rule("PricingUnit.null", "null exactly where its quantity is", all, |r| {
        has(r, "PricingUnit") == has(r, "PricingQuantity")
    }),
    rule(
        "ListUnitPrice.sign",
        "not negative",
        |r| has(r, "ListUnitPrice"),
        |r| number(r, "ListUnitPrice").is_some_and(|v| v >= 0),
    ),
    rule(
        "ContractedUnitPrice.sign",
        "not negative",
        |r| has(r, "ContractedUnitPrice"),
        |r| number(r, "ContractedUnitPrice").is_some_and(|v| v >= 0),
    ),
    rule(
        "ListCost.product",
        "list unit price × pricing quantity",
        |r| has(r, "ListUnitPrice") && has(r, "PricingQuantity"),
        |r| product(r, "ListUnitPrice", "ListCost"),
    ),
    rule(
        "ContractedCost.product",
        "contracted unit price × pricing quantity",
        |r| has(r, "ContractedUnitPrice") && has(r, "PricingQuantity"),
        |r| product(r, "ContractedUnitPrice", "ContractedCost"),
    ),
    rule(
        "Cost.credit",
        "a credit without a price has the same cost in all four columns",
        |r| credit(r) && !has(r, "ContractedUnitPrice"),
        |r| {
            ["ListCost", "ContractedCost", "EffectiveCost"]
                .iter()
                .all(|c| get(r, c) == get(r, "BilledCost"))
        },
    ),
    rule("ContractedCost.list", "negotiation only ever lowers a price", sold, |r| {
        number(r, "ContractedCost") <= number(r, "ListCost")
    }),
    // Consumption.
    rule(
        "ConsumedQuantity.null",
        "null unless used",
        |r| !usage(r) || unused(r),
        |r| !has(r, "ConsumedQuantity"),
    ),
    rule(
        "ConsumedQuantity.usage",
        "not null for what was used",
        |r| usage(r) && !unused(r),
        |r| has(r, "ConsumedQuantity"),
    ),
    rule("ConsumedUnit.null", "null exactly where its quantity is", all, |r| {
        has(r, "ConsumedUnit") == has(r, "ConsumedQuantity")
    }),
    // SKUs.
    rule("SkuId.null", "not null for usage and purchases", sold, |r| has(r, "SkuId")),
    rule("SkuPriceId.null", "not null for usage and purchases", sold, |r| has(r, "SkuPriceId")),
    rule("SkuMeter.null", "as the SKU", all, |r| has(r, "SkuMeter") == has(r, "SkuId")),
    rule(
        "SkuPriceDetails.null",
        "null without a price",
        |r| !has(r, "SkuPriceId") || has(r, "SkuPriceDetails"),
        |r| has(r, "SkuPriceId") == has(r, "SkuPriceDetails"),
    ),
    rule(
        "SkuPriceDetails.keys",
        "keys are FOCUS's own or begin with x_",
        |r| has(r, "SkuPriceDetails"),
        |r| {
            let text = get(r, "SkuPriceDetails").unwrap_or_default();
            let map: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(text).unwrap_or_default();
            let known = ["InstanceType", "InstanceSeries", "CoreCount", "MemorySize", "DiskType"];
            map.keys().all(|k| k.starts_with("x_") || known.contains(&&**k))
        },
    ),
    // Where.
    rule(
        "RegionId.null",
        "not null for what runs in a Region",
        |r| has(r, "AvailabilityZone") || is(r, "ResourceType", "Cluster"),
        |r| has(r, "RegionId"),
    ),
    rule("RegionName.null", "null exactly where the id is", all, |r| {
        has(r, "RegionName") == has(r, "RegionId")
    }),
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
    // Resources and accounts.
    rule("ResourceId.null", "not null: every charge here is about something", all, |r| {
        has(r, "ResourceId")
    }),
    rule("ResourceType.null", "null exactly where the id is", all, |r| {
        has(r, "ResourceType") == has(r, "ResourceId")
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
    rule("SubAccountId.null", "not null: AWS charges a member account", all, |r| {
        has(r, "SubAccountId")
    }),
    rule("SubAccountName.null", "null exactly where the id is", all, |r| {
        has(r, "SubAccountName") == has(r, "SubAccountId")
    }),
    rule("InvoiceId.null", "null: no invoice is ever made of a simulation", all, |r| {
        !has(r, "InvoiceId")
    }),
    // Commitments.
    rule(
        "CommitmentDiscountId.null",
        "null where no commitment is concerned",
        |r| usage(r) && !is(r, "PricingCategory", "Committed"),
        |r| !committed(r),
    ),
    rule("CommitmentDiscountCategory.null", "null exactly where the id is", all, |r| {
        has(r, "CommitmentDiscountCategory") == committed(r)
    }),
    rule("CommitmentDiscountCategory.values", "Spend or Usage", committed, |r| {
        get(r, "CommitmentDiscountCategory").is_some_and(|v| ["Spend", "Usage"].contains(&v))
    }),
    rule("CommitmentDiscountType.null", "null exactly where the id is", all, |r| {
        has(r, "CommitmentDiscountType") == committed(r)
    }),
    rule(
        "CommitmentDiscountName.null",
        "null without an id, else the name it was given",
        all,
        |r| has(r, "CommitmentDiscountName") == committed(r),
    ),
    rule(
        "CommitmentDiscountStatus.null",
        "null without an id",
        |r| !committed(r),
        |r| !has(r, "CommitmentDiscountStatus"),
    ),
    rule(
        "CommitmentDiscountStatus.usage",
        "Used or Unused on usage with an id",
        |r| committed(r) && usage(r),
        |r| used(r) || unused(r),
    ),
    rule(
        "CommitmentDiscountQuantity.null",
        "not null on usage and purchases with an id, else null",
        all,
        |r| has(r, "CommitmentDiscountQuantity") == (committed(r) && sold(r)),
    ),
    rule("CommitmentDiscountUnit.null", "null exactly where its quantity is", all, |r| {
        has(r, "CommitmentDiscountUnit") == has(r, "CommitmentDiscountQuantity")
    }),
    rule(
        "CommitmentDiscountQuantity.sign",
        "what is used, unused or bought is not negative",
        committed,
        |r| number(r, "CommitmentDiscountQuantity").is_some_and(|v| v >= 0),
    ),
    rule(
        "DiscountHandling.billed",
        "nothing is billed where a commitment pays",
        |r| used(r) || unused(r),
        |r| is_zero(r, "BilledCost"),
    ),
    rule("EffectiveCost.purchase", "0 on purchases that cover later charges", purchase, |r| {
        is_zero(r, "EffectiveCost")
    }),
    rule(
        "DiscountHandling.resource",
        "purchases and unused parts are about the commitment",
        |r| committed(r) && (purchase(r) || unused(r)),
        |r| get(r, "ResourceId") == get(r, "CommitmentDiscountId"),
    ),
    rule("DiscountHandling.covered", "a covered row is about what was covered", used, |r| {
        get(r, "ResourceId") != get(r, "CommitmentDiscountId")
    }),
    // Capacity reservations.
    rule(
        "CapacityReservationStatus.null",
        "null without an id",
        |r| !reserved(r),
        |r| !has(r, "CapacityReservationStatus"),
    ),
    rare(
        "CapacityReservationStatus.values",
        "Used or Unused on usage with an id",
        |r| reserved(r) && usage(r),
        |r| get(r, "CapacityReservationStatus").is_some_and(|v| ["Used", "Unused"].contains(&v)),
        NO_RESERVATION,
    ),
    // Columns of our own.
    rule("ColumnHandling.ids", "synthetic ids never look like those of AWS", all, |r| {
        ["ResourceId", "CommitmentDiscountId", "BillingAccountId", "SubAccountId", "SkuId"]
            .iter()
            .all(|c| get(r, c).is_none_or(|v| v.starts_with("plimsoll/")))
    }),
];

/// The values of a column that each value of another goes with.
fn one_each(rows: &[Row], of: &str, has: &str) -> Result<usize, String> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for row in rows {
        let (Some(key), Some(value)) = (get(row, of), get(row, has)) else { continue };
        if *seen.entry(key).or_insert(value) != value {
            return Err(format!("{of} `{key}` has several {has}"));
        }
    }
    Ok(seen.len())
}

pub(crate) const SET_RULES: &[SetRule] = &[
    SetRule {
        id: "Columns.mandatory",
        text: "every mandatory column is there",
        check: |header, _| present(header, &MANDATORY),
    },
    SetRule {
        id: "Columns.conditional",
        text: "every column whose condition holds for AWS is there",
        check: |header, _| present(header, &CONDITIONAL),
    },
    SetRule {
        id: "Columns.recommended",
        text: "recommended columns are there",
        check: |header, _| present(header, &RECOMMENDED),
    },
    SetRule {
        id: "ColumnHandling.names",
        text: "ids in Pascal case, letters and digits; others begin with x_ and come last",
        check: |header, _| {
            let own = header.iter().position(|h| h.starts_with("x_")).unwrap_or(header.len());
            let pascal = |h: &String| {
                h.starts_with(|c: char| c.is_ascii_uppercase())
                    && h.chars().all(|c| c.is_ascii_alphanumeric())
                    && h.len() <= 50
            };
            if header[..own].iter().all(pascal) && header[own..].iter().all(|h| h.starts_with("x_"))
            {
                Ok(header.len())
            } else {
                Err("a column is out of place".to_owned())
            }
        },
    },
    SetRule {
        id: "ServiceName.category",
        text: "a service has one category",
        check: |_, rows| one_each(rows, "ServiceName", "ServiceCategory"),
    },
    SetRule {
        id: "ServiceName.subcategory",
        text: "a service should have one subcategory",
        check: |_, rows| one_each(rows, "ServiceName", "ServiceSubcategory"),
    },
    SetRule {
        id: "SkuPriceId.parent",
        text: "a price has one SKU",
        check: |_, rows| one_each(rows, "SkuPriceId", "SkuId"),
    },
    SetRule {
        id: "SkuMeter.consistent",
        text: "a SKU should keep its meter",
        check: |_, rows| one_each(rows, "SkuId", "SkuMeter"),
    },
    SetRule {
        id: "SkuPriceId.lookup",
        text: "a price that does not move is the same wherever its id stands",
        check: |_, rows| {
            let still: Vec<Row> =
                rows.iter().filter(|r| !is(r, "PricingCategory", "Dynamic")).cloned().collect();
            one_each(&still, "SkuPriceId", "ListUnitPrice")
        },
    },
    SetRule {
        id: "SkuPriceDetails.consistent",
        text: "a price has one set of details",
        check: |_, rows| one_each(rows, "SkuPriceId", "SkuPriceDetails"),
    },
    SetRule {
        id: "SkuId.pricing",
        text: "a SKU is the same whatever its pricing category",
        check: |_, rows| {
            let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for row in rows.iter().filter(|r| usage(r)) {
                if let (Some(sku), Some(pricing)) = (get(row, "SkuId"), get(row, "PricingCategory"))
                {
                    seen.entry(sku).or_default().insert(pricing);
                }
            }
            Ok(seen.values().filter(|pricings| pricings.len() > 1).count())
        },
    },
    SetRule {
        id: "CommitmentDiscountUnit.consistent",
        text: "a commitment keeps its unit",
        check: |_, rows| one_each(rows, "CommitmentDiscountId", "CommitmentDiscountUnit"),
    },
    SetRule {
        id: "CommitmentDiscountCategory.consistent",
        text: "a commitment keeps its category",
        check: |_, rows| one_each(rows, "CommitmentDiscountId", "CommitmentDiscountCategory"),
    },
    SetRule {
        id: "ResourceId.type",
        text: "an id names one thing",
        check: |_, rows| one_each(rows, "ResourceId", "ResourceType"),
    },
    SetRule {
        id: "RegionName.consistent",
        text: "a Region has one name",
        check: |_, rows| one_each(rows, "RegionId", "RegionName"),
    },
    SetRule {
        id: "EffectiveCost.commitment",
        text: "per commitment, the effective cost of usage is the billed cost of purchases",
        check: |_, rows| {
            let mut sums: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
            for row in rows.iter().filter(|r| committed(r)) {
                let sum = sums.entry(get(row, "CommitmentDiscountId").unwrap_or("")).or_default();
                if usage(row) {
                    sum.0 += number(row, "EffectiveCost").unwrap_or(i128::MAX / 2);
                }
                if purchase(row) {
                    sum.1 += number(row, "BilledCost").unwrap_or(i128::MAX / 2);
                }
            }
            match sums.iter().find(|(_, (effective, billed))| effective != billed) {
                Some((id, sums)) => Err(format!("`{id}`: {sums:?}")),
                None => Ok(sums.len()),
            }
        },
    },
    SetRule {
        id: "EffectiveCost.statuses",
        text: "per commitment, used and unused usage is all its usage",
        check: |_, rows| {
            let of = |keep: fn(&Row) -> bool| -> i128 {
                let rows = rows.iter().filter(|r| committed(r) && usage(r) && keep(r));
                rows.filter_map(|r| number(r, "EffectiveCost")).sum()
            };
            if of(all) == of(used) + of(unused) {
                Ok(rows.iter().filter(|r| committed(r) && usage(r)).count())
            } else {
                Err("usage of a commitment has no status".to_owned())
            }
        },
    },
    SetRule {
        id: "Rows.sums",
        text: "the dataset is amortised without loss: billed and effective costs agree in sum",
        check: |_, rows| {
            let sum =
                |column: &str| -> i128 { rows.iter().filter_map(|r| number(r, column)).sum() };
            if sum("BilledCost") == sum("EffectiveCost") {
                Ok(rows.len())
            } else {
                Err(format!("{} ≠ {}", sum("BilledCost"), sum("EffectiveCost")))
            }
        },
    },
    SetRule {
        id: "Rows.unique",
        text: "no charge appears twice",
        check: |_, rows| {
            let mut seen = BTreeSet::new();
            for row in rows {
                let key: Vec<_> = [
                    "ResourceId",
                    "SkuPriceId",
                    "ChargePeriodStart",
                    "ChargeCategory",
                    "ChargeFrequency",
                    "CommitmentDiscountId",
                    "CommitmentDiscountStatus",
                    "CapacityReservationId",
                    "x_Charge",
                    "ChargeDescription",
                ]
                .iter()
                .map(|c| get(row, c))
                .collect();
                if !seen.insert(key.clone()) {
                    return Err(format!("{key:?} appears twice"));
                }
            }
            Ok(rows.len())
        },
    },
];

fn present(header: &[String], wanted: &[&str]) -> Result<usize, String> {
    match wanted.iter().find(|w| !header.iter().any(|h| h == *w)) {
        Some(missing) => Err(format!("{missing} is missing")),
        None => Ok(wanted.len()),
    }
}
