//! What somebody was billed, or used, row by row: FOCUS, AWS Cost and Usage
//! Reports, and hourly usage of our own.
//!
//! Rows stream: one is in memory at a time. A row that cannot be read names
//! its line and column. Nothing is dropped: what is not modelled, and what is
//! no usage (credits, taxes, fees), comes as a row that says so.
//!
//! The format of our own, for usage that was metered elsewhere:
//!
//! | column | meaning |
//! | --- | --- |
//! | `hour` | start of the clock hour (UTC), RFC 3339; or its number since 1970-01-01T00Z, as in `bill.parquet` |
//! | `region` | `us-east-1` |
//! | `kind` | `ec2` (instance-hours), `fargate-vcpu` (vCPU-hours), `fargate-gb` (GB-hours) |
//! | `quantity` | in that unit; a decimal |
//! | `instance_type` | of `ec2` |
//! | `zone` | optional: what zonal Reserved Instances need |
//! | `arch` | optional, of Fargate: `amd64` (default) or `arm64` |
//! | `usd_per_unit` | optional: On-Demand price instead of the catalog's |
//! | `owner` | optional: account or team, for `--by owner` |
//! | `tag:NAME` | optional: for `--by tag:NAME` |

mod around;
mod columns;
mod decimal;
mod gathered;
mod item;
mod reader;
mod reprice;
mod row;
mod tally;
mod usage_bill;
mod whole;

pub use columns::Format;
pub use gathered::Gathered;
pub use item::{FargateResource, Item, Market, Platform};
pub use reader::{GroupBy, OpenTable, Part, Statement};
pub use reprice::{FilePrice, Reason, Repriced, Unpriced, reprice};
pub use row::{Class, Quantity, Row};
pub use tally::{Group, GroupKey, MOST_GROUPS, Other, OtherKey, OurPrice, Repricing};
pub use usage_bill::{Groups, ItemFacts, Sum, UsageBill};
pub use whole::{RepricedRow, reprice_file};

#[cfg(test)]
mod tests;
