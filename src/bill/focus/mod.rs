//! The bill as a FOCUS 1.2 data set (FinOps Open Cost and Usage
//! Specification, <https://focus.finops.org>).
//!
//! One row a line of the bill (resource × SKU × clock hour × commitment), and
//! one a commitment and clock hour: what was bought to cover the others.
//!
//! | FOCUS | here |
//! | --- | --- |
//! | `ListCost`, `ListUnitPrice` | at the price of the way it was bought, before commitments: On-Demand for what a commitment covers, the Spot price for Spot |
//! | `ContractedCost` | as `ListCost` |
//! | `EffectiveCost` | what the line costs, amortised: [`Lines::net`](super::Lines::net) |
//! | `BilledCost` | the same, but 0 where a commitment pays and on its unused part; the purchase rows carry it instead |
//!
//! So both `BilledCost` and `EffectiveCost` sum to the bill, and for every
//! `CommitmentDiscountId` the usage rows' `EffectiveCost` is the purchase rows'
//! `BilledCost`. Charge periods are clock hours (UTC), also where less of the hour
//! ran: the quantity says how much.
//!
//! DIFFERENCE: an invoice has a first Spot hour that AWS waives as a row of
//! cost 0. The bill has the usage and the waiver as lines of their own, so the
//! waiver is a row of category `Credit` here.
//!
//! DIFFERENCE: AWS bills an upfront payment on the day of the purchase. A window
//! mostly lies after it and always ends before the term does, so that the
//! usage it pays for would have no purchase. Here each hour has its part of the payment,
//! as a row of frequency `One-Time`; `bill.parquet` has the cash as it falls
//! due.
//!
//! DIFFERENCE: a payer buys a commitment for all its accounts. Where other usage
//! of the payer takes a part of one (`other-usage`), that part is on no row: the
//! purchase rows carry the scenario's part of each hour, used or unused by
//! anybody, so that they still add up to the usage rows of their
//! `CommitmentDiscountId`.
//!
//! Nothing here pretends to be real: ids begin with `plimsoll/` and name the
//! scenario, the case and the number of the node or pod.

mod charges;
mod columns;
mod csv;
mod decimal;
mod regions;
mod table;
mod template;

pub use columns::{Column, Kind};
pub use csv::write_csv;
pub use decimal::Decimal;
pub use table::{Labels, Row, Sources, Table};
