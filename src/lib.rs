//! Plimsoll replays container workloads in virtual time against clusters
//! that do not exist yet and says how full they are, how long pods wait and
//! what the bill is.
//!
//! The crate is a house of rooms; data walks one way:
//!
//! ```text
//! scenario ┐
//! import  ─┼▶ plan ─▶ world ⟲ sim ─▶ observe ─▶ bill ─▶ sweep ─▶ advise ─▶ report ─▶ cli
//! workload ┤          (cluster · place · scale · lifecycle)
//! catalog ─┘
//! ```

pub mod advise;
pub mod bill;
pub mod catalog;
pub mod cli;
pub mod cluster;
pub mod error;
pub mod frames;
pub mod import;
mod kubernetes;
pub mod lifecycle;
pub mod names;
pub mod nouns;
pub mod observe;
pub mod place;
pub mod plan;
pub mod report;
pub mod rng;
pub mod scale;
pub mod scenario;
pub mod sim;
pub mod sweep;
#[cfg(test)]
mod testing;
pub mod text;
pub mod units;
pub mod verify;
pub mod workload;
pub mod world;

pub use error::{Error, Result};
