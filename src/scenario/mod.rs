//! The YAML a user writes, as far as syntax goes.
//!
//! Text becomes a tree with spans ([`tree`]), a case and `--set` change the
//! tree ([`patch`]), and the changed tree becomes the typed model
//! ([`Scenario`]). All mistakes are collected ([`Diagnostics`]) and shown
//! with file, line, column, an excerpt and the nearest valid name. The same
//! declarations give the JSON Schema ([`json_schema`]), so that it cannot
//! differ from what is accepted.
//!
//! Nothing here knows a price, an instance type or the simulation; `plan`
//! resolves names and fills defaults.

pub mod charges;
mod commitments;
pub mod constraints;
#[cfg(test)]
mod constraints_tests;
pub mod decode;
pub mod diagnostic;
mod discounts;
pub mod dist;
pub mod ecs;
pub mod kubernetes;
pub mod label;
mod leaf;
pub mod model;
pub mod number;
mod owned;
pub mod patch;
pub mod pool;
mod record;
pub mod rightsize;
pub mod scheduler;
mod schema;
pub mod sidecar;
mod source;
pub mod spot;
#[cfg(test)]
mod survival;
pub mod sweep;
#[cfg(test)]
mod tests;
pub mod tree;
pub mod usage;
pub mod workload;

pub use crate::names::nearest;
pub use charges::*;
pub use commitments::*;
pub use constraints::*;
pub use decode::{Keyed, Map, NonEmpty, OneOrMany, Spanned};
pub use diagnostic::{Diagnostic, Diagnostics, Level, Place, Sources, Span, quote};
pub use discounts::Discounts;
pub use dist::{CpuDist, Dist, MemoryDist, TimeDist};
pub use ecs::*;
pub use kubernetes::*;
pub use label::{LabelKey, LabelValue, Labels};
pub use leaf::{CpuTime, RelPath, Slug, Text};
pub use model::*;
pub use number::{Fraction, Growth, Int, NonNegative, Off, Positive, Share};
pub use owned::Owned;
pub use patch::Assignments;
pub use pool::*;
pub use rightsize::*;
pub use scheduler::*;
pub use schema::json_schema;
pub use sidecar::*;
pub use source::{BASE_CASE, Resolved, Source};
pub use spot::*;
pub use sweep::{Axes, Axis, Sweep};
pub use tree::{Node, Value, effective_yaml};
pub use usage::*;
pub use workload::*;
