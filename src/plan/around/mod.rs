//! What is charged around the compute, linked to prices.

mod cluster;
#[cfg(test)]
mod tests;

use super::control::Version;
use super::notes::Notes;
use super::time::Window;
use crate::bill::{AroundCharge, Price, PriceStatus};
use crate::catalog::{ChargeItem, Region};
use crate::scenario::{Scenario, Span};
use crate::units::Rate;

/// What charges are linked from.
pub(super) struct Around<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) region: &'a Region,
    /// `None` on ECS, which charges nothing for a cluster.
    pub(super) version: Option<&'a Version>,
    pub(super) window: Window,
}

impl Around<'_> {
    /// Every charge, in the order of the bill.
    pub(super) fn link(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let mut charges = Vec::new();
        charges.extend(self.control_plane(notes));
        charges
    }
}

/// A price that the user states.
pub(super) const fn stated(rate: Rate) -> Price {
    Price::new(rate, PriceStatus::Stated)
}

/// The price of a charge; `None` after a reported error.
pub(super) fn charge(
    item: ChargeItem,
    span: Span,
    region: &Region,
    notes: &mut Notes<'_>,
) -> Option<Price> {
    let Some(quote) = region.charge(item) else {
        let message = format!("no price is known for `{item}` in {}", region.name());
        notes.diags.error(span, message).help("give a price directory that has it");
        return None;
    };
    notes.price(span, format!("charges.{item}"), item.unit(), quote)
}
