//! The control plane.

use jiff::tz::TimeZone;

use super::Around;
use crate::bill::{AroundCharge, Charge, DatedPrice, Pricing, Target, Unit};
use crate::catalog::ChargeItem;
use crate::plan::notes::Notes;
use crate::scenario::Spanned;
use crate::world::Horizon;

impl Around<'_> {
    /// What EKS charges for the cluster: from the day after its version has
    /// left standard support more than before, also within a run.
    pub(super) fn control_plane(&self, notes: &mut Notes<'_>) -> Option<AroundCharge> {
        let version = self.version?;
        let charges = &self.scenario.charges;
        match charges.control_plane {
            Some(Spanned { value: false, .. }) => return None,
            Some(_) => {}
            None => notes.default("charges.control-plane", true, "EKS charges for every cluster"),
        }
        let clusters = charges.clusters.map_or(1, |n| n.value.get());
        let span = charges.control_plane.map_or(self.scenario.name.span, |g| g.span);
        let fees = match self.region.control_plane(&version.text) {
            Ok(fees) => fees,
            Err(error) => {
                notes.diags.error(span, error.to_string());
                return None;
            }
        };
        let from = fees.extended_from.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
        let start = self.window.start_unix_ms;
        let end = match self.window.horizon {
            Horizon::At(end) => start.saturating_add(end.ms()),
            // Nobody knows it yet.
            Horizon::UntilIdle => i64::MAX,
        };
        let mut prices = Vec::new();
        if start < from {
            let item = ChargeItem::EksControlPlane;
            let price =
                notes.price(span, format!("charges.{item}"), item.unit(), &fees.standard)?;
            prices.push((i64::MIN, DatedPrice { name: "", price }));
        }
        if from < end {
            let item = ChargeItem::EksControlPlaneExtended;
            let price =
                notes.price(span, format!("charges.{item}"), item.unit(), &fees.extended)?;
            prices.push((from, DatedPrice { name: "extended support", price }));
            let given = self.scenario.versions.kubernetes.as_ref();
            let extended = fees.extended_from;
            let message = if from <= start {
                format!(
                    "Kubernetes {} is in extended support since {extended}, so its clusters cost \
                     more",
                    version.text
                )
            } else {
                format!(
                    "Kubernetes {} enters extended support on {extended}, within the run: its \
                     clusters cost more from then on",
                    version.text
                )
            };
            if matches!(self.window.horizon, Horizon::At(_)) || from <= start {
                let span = given.map_or(span, |v| v.span);
                notes.diags.warning("extended-support", span, message);
            }
        }
        Some(AroundCharge::constant(
            "control plane",
            (Charge::ControlPlane, Unit::Hours),
            clusters as i64,
            Pricing::Dated(prices),
            Target::Shared,
        ))
    }
}
