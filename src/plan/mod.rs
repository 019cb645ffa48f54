//! Links what the user wrote to what can run and be bought, and to the pods:
//! resolves names, fills defaults, and says everything that is wrong with a
//! scenario at once, over all cases.
//!
//! One file per subject: [`defaults`] lists every value that the scenario may
//! leave out, with its source; `time`, `control`, `nodes`, `fargate`,
//! `workloads`, `billing` and `goals` each link one part of a case; `fit` asks
//! whether the pods can run at all; `settings` says which values are in force
//! and who chose them. A case that cannot be linked leaves findings with
//! their places in one [`Diagnostics`]; nothing here stops at the first.
//!
//! [`Diagnostics`]: crate::scenario::Diagnostics

mod model;

pub use model::{
    Bound, CasePlan, Change, Goal, Input, Options, Origin, Plan, ReadTrace, Setting, Warning,
};
