//! Metered usage × prices × commitments → lines, allocation, waterfall.
//!
//! Reads what a simulation left behind and the plain prices of a
//! [`BillingPlan`]; knows nothing of how either came about.

mod allocate;
mod around;
mod attached;
#[cfg(test)]
mod attached_tests;
mod bridge;
mod charge;
mod check;
#[cfg(test)]
mod commitment_tests;
mod commitment_use;
pub mod commitments;
mod compute;
mod credits;
mod discounts;
#[cfg(test)]
pub(crate) mod fargate_tests;
pub mod focus;
mod ledger;
mod meter;
mod model;
pub mod opencost;
#[cfg(test)]
mod other_usage_tests;
mod parts;
mod prices;
mod reservations;
mod spot;
pub mod statement;
mod summary;
#[cfg(test)]
mod tests;
mod usage;
mod waterfall;

pub use allocate::{AllocationPolicy, Daemons, Idle, LabelGrouping, Shared, UNALLOCATED};
pub use around::{
    Amount, AroundCharge, Basis, DatedPrice, Dimension, Pricing, Target, Tier, Tiers,
};
pub use bridge::bridge;

pub use charge::Charge;
pub use commitment_use::{CommitmentSummary, CommitmentUse};
pub use commitments::{OtherHours, OtherItem, OtherUsage, eligible_usage, payer_usage};
pub use discounts::{Contract, Discounts};
pub use model::{
    Bill, ByName, Hourly, KeepLines, Lines, Monthly, OwnerCost, PurchaseOption, Resource, Sku,
    Unit, pseudo,
};
pub use parts::{Distributed, Focus, Part, PartOwner, Parts};
pub use prices::{
    ALWAYS, BillingPlan, Burst, CapacityReservation, Commitment, CommitmentFees, CommitmentKind,
    FargatePrice, MAX_COMMITMENTS, MONTH_HOURS, NodeFee, PoolCharges, Price, PriceStatus, Reserved,
    ResourceWeight, RootVolume, ShapePrice, SpotBilledAt,
};
pub use summary::CostSummary;
pub use waterfall::{Step, StepCost};
