//! The four costs, their unit prices, quantities and pricing categories.

use super::cells::{
    all, committed, credit, get, has, is, is_zero, number, product, purchase, sold, unused, usage,
};
use super::{RowRule, SetRule, rule, whole};

pub(super) const ROWS: &[RowRule] = &[
    rule("BilledCost.null", "never null", all, |r| has(r, "BilledCost")),
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
    rule("ContractedCost.null", "never null", all, |r| has(r, "ContractedCost")),
    rule("ContractedCost.list", "negotiation only ever lowers a price", sold, |r| {
        number(r, "ContractedCost") <= number(r, "ListCost")
    }),
    rule(
        "ContractedCost.product",
        "contracted unit price × pricing quantity",
        |r| has(r, "ContractedUnitPrice") && has(r, "PricingQuantity"),
        |r| product(r, "ContractedUnitPrice", "ContractedCost"),
    ),
    rule("ContractedUnitPrice.null", "not null for usage and purchases", sold, |r| {
        has(r, "ContractedUnitPrice")
    }),
    rule(
        "ContractedUnitPrice.sign",
        "not negative",
        |r| has(r, "ContractedUnitPrice"),
        |r| number(r, "ContractedUnitPrice").is_some_and(|v| v >= 0),
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
    rule("EffectiveCost.null", "never null", all, |r| has(r, "EffectiveCost")),
    rule("EffectiveCost.purchase", "0 on purchases that cover later charges", purchase, |r| {
        is_zero(r, "EffectiveCost")
    }),
    rule("ListCost.null", "never null", all, |r| has(r, "ListCost")),
    rule(
        "ListCost.product",
        "list unit price × pricing quantity",
        |r| has(r, "ListUnitPrice") && has(r, "PricingQuantity"),
        |r| product(r, "ListUnitPrice", "ListCost"),
    ),
    rule("ListUnitPrice.null", "not null for usage and purchases", sold, |r| {
        has(r, "ListUnitPrice")
    }),
    rule(
        "ListUnitPrice.sign",
        "not negative",
        |r| has(r, "ListUnitPrice"),
        |r| number(r, "ListUnitPrice").is_some_and(|v| v >= 0),
    ),
    rule("PricingCategory.null", "not null for usage and purchases", sold, |r| {
        has(r, "PricingCategory")
    }),
    rule("PricingCategory.values", "Standard, Dynamic, Committed or Other", all, |r| {
        get(r, "PricingCategory")
            .is_none_or(|v| ["Standard", "Dynamic", "Committed", "Other"].contains(&v))
    }),
    rule(
        "PricingCategory.committed",
        "Committed where a commitment applies",
        |r| usage(r) && committed(r),
        |r| is(r, "PricingCategory", "Committed"),
    ),
    rule(
        "PricingCategory.dynamic",
        "Dynamic where the provider moves the price: Spot",
        |r| usage(r) && get(r, "x_PurchaseOption").is_some_and(|p| p.ends_with("spot")),
        |r| is(r, "PricingCategory", "Dynamic"),
    ),
    rule("PricingCategory.purchase", "the purchase itself is not Committed", purchase, |r| {
        is(r, "PricingCategory", "Standard")
    }),
    rule(
        "PricingCategory.standard",
        "Standard at agreed rates",
        |r| usage(r) && is(r, "x_PurchaseOption", "on-demand"),
        |r| is(r, "PricingCategory", "Standard"),
    ),
    rule("PricingQuantity.null", "not null for usage and purchases", sold, |r| {
        has(r, "PricingQuantity")
    }),
    rule("PricingUnit.null", "null exactly where its quantity is", all, |r| {
        has(r, "PricingUnit") == has(r, "PricingQuantity")
    }),
];

pub(super) const SETS: &[SetRule] = &[whole(
    "Rows.sums",
    "the dataset is amortised without loss: billed and effective costs agree in sum",
    |_, rows| {
        let sum = |column: &str| -> i128 { rows.iter().filter_map(|r| number(r, column)).sum() };
        if sum("BilledCost") == sum("EffectiveCost") {
            Ok(rows.len())
        } else {
            Err(format!("{} ≠ {}", sum("BilledCost"), sum("EffectiveCost")))
        }
    },
)];
