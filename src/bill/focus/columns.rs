//! The columns of a FOCUS 1.2 data set, as far as they apply here.
//!
//! Left out, since their conditions do not hold: `BillingAccountType` and
//! `SubAccountType` (one type of account each) and the `PricingCurrency…`
//! columns (prices and bill are in USD).

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A decimal number.
    Decimal,
    /// A moment in UTC, ISO 8601.
    Time,
    /// A JSON object.
    Json,
}

macro_rules! columns {
    ($($name:ident $text:literal $kind:ident),* $(,)?) => {
        /// A column, in the order of the file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column {
            $(
                #[doc = concat!("`", $text, "`")]
                $name,
            )*
        }

        impl Column {
            /// Every column, in the order of the file: those of FOCUS by name,
            /// then the project's own.
            pub const ALL: &'static [Column] = &[$(Column::$name),*];

            /// Its column id.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Column::$name => $text,)*
                }
            }

            /// What it holds.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self {
                    $(Column::$name => Kind::$kind,)*
                }
            }
        }
    };
}

columns! {
    AvailabilityZone "AvailabilityZone" Text,
    BilledCost "BilledCost" Decimal,
    BillingAccountId "BillingAccountId" Text,
    BillingAccountName "BillingAccountName" Text,
    BillingCurrency "BillingCurrency" Text,
    BillingPeriodEnd "BillingPeriodEnd" Time,
    BillingPeriodStart "BillingPeriodStart" Time,
    CapacityReservationId "CapacityReservationId" Text,
    CapacityReservationStatus "CapacityReservationStatus" Text,
    ChargeCategory "ChargeCategory" Text,
    ChargeClass "ChargeClass" Text,
    ChargeDescription "ChargeDescription" Text,
    ChargeFrequency "ChargeFrequency" Text,
    ChargePeriodEnd "ChargePeriodEnd" Time,
    ChargePeriodStart "ChargePeriodStart" Time,
    CommitmentDiscountCategory "CommitmentDiscountCategory" Text,
    CommitmentDiscountId "CommitmentDiscountId" Text,
    CommitmentDiscountName "CommitmentDiscountName" Text,
    CommitmentDiscountQuantity "CommitmentDiscountQuantity" Decimal,
    CommitmentDiscountStatus "CommitmentDiscountStatus" Text,
    CommitmentDiscountType "CommitmentDiscountType" Text,
    CommitmentDiscountUnit "CommitmentDiscountUnit" Text,
    ConsumedQuantity "ConsumedQuantity" Decimal,
    ConsumedUnit "ConsumedUnit" Text,
    ContractedCost "ContractedCost" Decimal,
    ContractedUnitPrice "ContractedUnitPrice" Decimal,
    EffectiveCost "EffectiveCost" Decimal,
    InvoiceId "InvoiceId" Text,
    InvoiceIssuerName "InvoiceIssuerName" Text,
    ListCost "ListCost" Decimal,
    ListUnitPrice "ListUnitPrice" Decimal,
    PricingCategory "PricingCategory" Text,
    PricingQuantity "PricingQuantity" Decimal,
    PricingUnit "PricingUnit" Text,
    ProviderName "ProviderName" Text,
    PublisherName "PublisherName" Text,
    RegionId "RegionId" Text,
    RegionName "RegionName" Text,
    ResourceId "ResourceId" Text,
    ResourceName "ResourceName" Text,
    ResourceType "ResourceType" Text,
    ServiceCategory "ServiceCategory" Text,
    ServiceName "ServiceName" Text,
    ServiceSubcategory "ServiceSubcategory" Text,
    SkuId "SkuId" Text,
    SkuMeter "SkuMeter" Text,
    SkuPriceDetails "SkuPriceDetails" Json,
    SkuPriceId "SkuPriceId" Text,
    SubAccountId "SubAccountId" Text,
    SubAccountName "SubAccountName" Text,
    Tags "Tags" Json,
    XCharge "x_Charge" Text,
    XPriceStatus "x_PriceStatus" Text,
    XPurchaseOption "x_PurchaseOption" Text,
}
