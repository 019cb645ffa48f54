//! Metered usage × prices × commitments → lines, allocation, waterfall.
//!
//! Reads what a simulation left behind and the plain prices of a
//! [`BillingPlan`]; knows nothing of how either came about.

mod model;
mod prices;

pub use model::{
    Bill, ByName, Charge, CommitmentSummary, CommitmentUse, Hourly, KeepLines, Lines, Monthly,
    PurchaseOption, Resource, Sku, Step, StepCost, Unit, pseudo,
};
pub use prices::{
    BillingPlan, Commitment, CommitmentKind, FargatePrice, MONTH_HOURS, Price, PriceStatus,
    ResourceWeight, RootVolume, ShapePrice,
};
