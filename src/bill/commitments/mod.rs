//! Reserved Instances and Savings Plans, hour by hour in AWS's order.
//!
//! Usage that a commitment may cover is [`HourlyUsage`]: what is alike (one
//! instance type, Fargate vCPU of one pool) is one item, summed by clock hour
//! (UTC). A commitment is its [`Terms`] over these items. [`settle`] applies
//! all of them to every hour:
//!
//! 1. Reserved Instances, zonal ones before regional ones; regional ones from
//!    the smallest size to the largest (EC2 user guide, "How Reserved
//!    Instances are applied");
//! 2. EC2 Instance Savings Plans, then Compute Savings Plans: highest saving
//!    first, then the lowest plan rate, then the number of the item (Savings
//!    Plans user guide, "Understanding how Savings Plans apply to your AWS
//!    usage").
//!
//! Within each of the three kinds the account that owns the commitments goes
//! before others, and running instances before unused capacity reservations.
//!
//! Exact: a Reserved Instance has a budget of normalised unit-milliseconds an
//! hour, a Savings Plan one of dollars at its own rates; neither carries over.
//! Savings are compared by cross multiplication. Quantities and money that a
//! partly covered item gives away are rounded half-even, cumulatively, so that
//! covered and remaining parts add up to the item, and used and unused parts to
//! the commitment.

#[cfg(test)]
mod agreement;
mod apply;
mod eligible;
mod hand_out;
mod handing;
#[cfg(test)]
mod literal;
mod normal;
mod other;
mod settlement;
mod study;
mod terms;
#[cfg(test)]
mod tests;
mod usage;

pub use apply::{Applied, Cover, Ranking};
pub use eligible::eligible_usage;
pub(super) use eligible::{Groups, collect};
pub(super) use hand_out::{Piece, Shares};
pub use normal::{normal_quarters, same_family, size_flexible};
pub use other::{OtherHours, OtherItem, OtherUsage, WEEK_HOURS, payer_usage};
pub use settlement::{Settlement, Spent, settle};
pub use study::{CommitmentHour, CommitmentStudy};
pub use terms::{Benefit, Terms};
pub use usage::{Ec2Item, HourlyUsage, ItemSource, UsageItem};
