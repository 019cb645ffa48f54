//! What happens to nodes and pods besides placement and scaling: which node
//! is launched and when it is Ready, when Spot capacity is reclaimed, how
//! many replicas a service wants and which it gives up, what interrupted work
//! has to repeat. Decisions only; `world` turns them into events.

mod launch;
mod market;
mod service;
mod spot;
mod work;

pub use launch::{PoolCounts, choose_offer};
pub use market::SpotPrices;
pub use service::{DemandCursor, Victim, desired_replicas, served, victim_order};
pub use spot::{Reclaims, SpotNode, SpotSpec};
pub use work::{Rework, after_interruption};
