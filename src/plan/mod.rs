//! Links what the user wrote to what can run and be bought, and to the pods:
//! resolves names, fills defaults, and says everything that is wrong with a
//! scenario at once, over all cases.
//!
//! One file per subject: `defaults` lists every value that the scenario may
//! leave out, with its source; `time`, `control`, `nodes` and `offers`, `fargate`,
//! `workloads`, `usage`, `billing` and `goals` each link one part of a case; `fit` asks
//! whether the pods can run at all; `settings` says which values are in force
//! and who chose them. A case that cannot be linked leaves findings with
//! their places in one [`Diagnostics`]; nothing here stops at the first.
//!
//! [`Diagnostics`]: crate::scenario::Diagnostics

mod allocation;
mod around;
mod billing;
mod bindings;
mod commitments;
#[cfg(test)]
mod commitments_tests;
mod constraints;
mod control;
mod defaults;
mod discounts;
mod ebs;
mod ecs;
mod ecs_constraints;
#[cfg(test)]
mod ecs_tests;
mod fargate;
mod fargate_price;
#[cfg(test)]
mod fargate_price_tests;
#[cfg(test)]
mod fargate_tests;
mod files;
mod fit;
mod goals;
mod history;
mod link;
mod market;
#[cfg(test)]
mod market_tests;
mod model;
mod node_charges;
#[cfg(test)]
mod node_charges_tests;
mod node_fees;
mod nodes;
mod notes;
mod offers;
mod other_file;
mod other_usage;
#[cfg(test)]
mod other_usage_tests;
#[cfg(test)]
mod placement_tests;
mod preemption;
mod prices;
mod rightsize;
mod scheduler;
mod selectors;
mod settings;
mod sidecars;
#[cfg(test)]
mod tests;
mod time;
mod trace_format;
mod transform;
mod usage;
mod usage_bill;
mod usage_link;
mod usage_prices;
#[cfg(test)]
mod usage_tests;
#[cfg(test)]
mod volume_tests;
#[cfg(test)]
mod warning_tests;
mod workloads;

pub(crate) use fargate::{fargate_size, sidecars as fargate_sidecars};
pub use link::{Grid, MAX_CELLS, link, link_sweep, load, load_sweep};
pub use model::{
    Bound, CasePlan, Change, Goal, Input, Options, Origin, Plan, ReadTrace, Rightsizing, Setting,
    Warning,
};
pub use notes::bill_price;
pub use usage::coverage as usage_coverage;

/// Memory that EKS adds to every pod on Fargate for Kubernetes components
/// (EKS user guide, Fargate pod configuration).
#[must_use]
pub const fn fargate_overhead() -> crate::units::Bytes {
    defaults::FARGATE_OVERHEAD.value
}
pub use usage_bill::{PricedUsage, UsageBillOptions, bill_usage};
pub use usage_prices::UsagePrices;
