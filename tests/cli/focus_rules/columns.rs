//! The columns of FOCUS 1.2, in the order of the specification.

use Kind::{Decimal, KeyValue, Text, Time};
use Level::{Absent, Conditional, Mandatory, Recommended};

/// Whether a data set has a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Always.
    Mandatory,
    /// Where its condition holds, as it does for AWS: Regions, zones,
    /// resources, price lists, negotiated prices, commitments, reservations,
    /// sub accounts, tags.
    Conditional,
    /// It should.
    Recommended,
    /// Not here: its condition does not hold, for this reason.
    Absent(&'static str),
}

/// How its values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Decimal,
    Time,
    /// A JSON object.
    KeyValue,
}

/// A column of the specification.
struct Column {
    id: &'static str,
    level: Level,
    kind: Kind,
}

const fn column(id: &'static str, level: Level, kind: Kind) -> Column {
    Column { id, level, kind }
}

const ONE_TYPE: &str = "accounts here are all of one type";
const ONE_CURRENCY: &str = "prices and bills are both in USD";

const COLUMNS: &[Column] = &[
    column("AvailabilityZone", Recommended, Text),
    column("BilledCost", Mandatory, Decimal),
    column("BillingAccountId", Mandatory, Text),
    column("BillingAccountName", Mandatory, Text),
    column("BillingAccountType", Absent(ONE_TYPE), Text),
    column("BillingCurrency", Mandatory, Text),
    column("BillingPeriodEnd", Mandatory, Time),
    column("BillingPeriodStart", Mandatory, Time),
    column("CapacityReservationId", Conditional, Text),
    column("CapacityReservationStatus", Conditional, Text),
    column("ChargeCategory", Mandatory, Text),
    column("ChargeClass", Mandatory, Text),
    column("ChargeDescription", Mandatory, Text),
    column("ChargeFrequency", Recommended, Text),
    column("ChargePeriodEnd", Mandatory, Time),
    column("ChargePeriodStart", Mandatory, Time),
    column("CommitmentDiscountCategory", Conditional, Text),
    column("CommitmentDiscountId", Conditional, Text),
    column("CommitmentDiscountName", Conditional, Text),
    column("CommitmentDiscountQuantity", Conditional, Decimal),
    column("CommitmentDiscountStatus", Conditional, Text),
    column("CommitmentDiscountType", Conditional, Text),
    column("CommitmentDiscountUnit", Conditional, Text),
    column("ConsumedQuantity", Conditional, Decimal),
    column("ConsumedUnit", Conditional, Text),
    column("ContractedCost", Mandatory, Decimal),
    column("ContractedUnitPrice", Conditional, Decimal),
    column("EffectiveCost", Mandatory, Decimal),
    column("InvoiceId", Recommended, Text),
    column("InvoiceIssuerName", Mandatory, Text),
    column("ListCost", Mandatory, Decimal),
    column("ListUnitPrice", Conditional, Decimal),
    column("PricingCategory", Conditional, Text),
    column("PricingCurrency", Absent(ONE_CURRENCY), Text),
    column("PricingCurrencyContractedUnitPrice", Absent(ONE_CURRENCY), Decimal),
    column("PricingCurrencyEffectiveCost", Absent(ONE_CURRENCY), Decimal),
    column("PricingCurrencyListUnitPrice", Absent(ONE_CURRENCY), Decimal),
    column("PricingQuantity", Mandatory, Decimal),
    column("PricingUnit", Mandatory, Text),
    column("ProviderName", Mandatory, Text),
    column("PublisherName", Mandatory, Text),
    column("RegionId", Conditional, Text),
    column("RegionName", Conditional, Text),
    column("ResourceId", Conditional, Text),
    column("ResourceName", Conditional, Text),
    column("ResourceType", Conditional, Text),
    column("ServiceCategory", Mandatory, Text),
    column("ServiceName", Mandatory, Text),
    column("ServiceSubcategory", Recommended, Text),
    column("SkuId", Conditional, Text),
    column("SkuMeter", Conditional, Text),
    column("SkuPriceDetails", Conditional, KeyValue),
    column("SkuPriceId", Conditional, Text),
    column("SubAccountId", Conditional, Text),
    column("SubAccountName", Conditional, Text),
    column("SubAccountType", Absent(ONE_TYPE), Text),
    column("Tags", Conditional, KeyValue),
];

fn here() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|c| !matches!(c.level, Absent(_)))
}

/// Whether exports have the column.
pub(super) fn is_here(id: &str) -> bool {
    here().any(|c| c.id == id)
}

/// The columns of exports that hold values of a kind.
pub(super) fn of_kind(kind: Kind) -> impl Iterator<Item = &'static str> {
    here().filter(move |c| c.kind == kind).map(|c| c.id)
}

/// The columns of a level.
pub(super) fn of_level(level: Level) -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().filter(move |c| c.level == level).map(|c| c.id)
}

#[test]
fn the_list_of_columns_is_whole_and_in_order() {
    assert_eq!(COLUMNS.len(), 57);
    assert!(COLUMNS.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!([Mandatory, Conditional, Recommended].map(|l| of_level(l).count()), [21, 26, 4]);
}
