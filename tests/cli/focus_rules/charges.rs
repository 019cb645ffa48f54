//! What a row charges, when, and who bills it: charges, periods, accounts,
//! invoices, providers.

use std::collections::BTreeSet;

use super::cells::{all, at, get, has, is, purchase, usage};
use super::{RowRule, SetRule, rule, whole};

pub(super) const ROWS: &[RowRule] = &[
    rule("BillingAccountId.null", "never null", all, |r| has(r, "BillingAccountId")),
    rule("BillingAccountName.null", "never null where accounts have names", all, |r| {
        has(r, "BillingAccountName")
    }),
    rule("BillingPeriod.order", "the end is exclusive, so after the start", all, |r| {
        at(r, "BillingPeriodStart") < at(r, "BillingPeriodEnd")
    }),
    rule("BillingPeriod.month", "AWS bills calendar months", all, |r| {
        ["BillingPeriodStart", "BillingPeriodEnd"]
            .iter()
            .all(|c| get(r, c).is_some_and(|v| v.ends_with("-01T00:00:00Z")))
    }),
    rule("ChargeCategory.values", "Usage, Purchase, Tax, Credit or Adjustment", all, |r| {
        get(r, "ChargeCategory")
            .is_some_and(|v| ["Usage", "Purchase", "Tax", "Credit", "Adjustment"].contains(&v))
    }),
    rule("ChargeClass", "null unless an earlier bill is corrected: never here", all, |r| {
        !has(r, "ChargeClass")
    }),
    rule("ChargeDescription.null", "should not be null", all, |r| has(r, "ChargeDescription")),
    rule("ChargeFrequency.values", "One-Time, Recurring or Usage-Based", all, |r| {
        get(r, "ChargeFrequency")
            .is_some_and(|v| ["One-Time", "Recurring", "Usage-Based"].contains(&v))
    }),
    rule("ChargeFrequency.purchase", "a purchase is not usage-based", purchase, |r| {
        !is(r, "ChargeFrequency", "Usage-Based")
    }),
    rule("ChargeFrequency.usage", "what is used is charged as it is used", usage, |r| {
        is(r, "ChargeFrequency", "Usage-Based")
    }),
    rule("ChargePeriod.order", "the end is exclusive, so after the start", all, |r| {
        at(r, "ChargePeriodStart") < at(r, "ChargePeriodEnd")
    }),
    rule("Period.inside", "a charge lies in its billing period", all, |r| {
        at(r, "BillingPeriodStart") <= at(r, "ChargePeriodStart")
            && at(r, "ChargePeriodEnd") <= at(r, "BillingPeriodEnd")
    }),
    rule("InvoiceId.null", "null: no invoice is ever made of a simulation", all, |r| {
        !has(r, "InvoiceId")
    }),
    rule("InvoiceIssuerName.null", "never null", all, |r| has(r, "InvoiceIssuerName")),
    rule("ProviderName.null", "never null", all, |r| has(r, "ProviderName")),
    rule("PublisherName.null", "never null", all, |r| has(r, "PublisherName")),
    rule("SubAccountId.null", "not null: AWS charges a member account", all, |r| {
        has(r, "SubAccountId")
    }),
    rule("SubAccountName.null", "null exactly where the id is", all, |r| {
        has(r, "SubAccountName") == has(r, "SubAccountId")
    }),
];

pub(super) const SETS: &[SetRule] =
    &[whole("Rows.unique", "no charge appears twice", |_, rows| {
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
    })];
