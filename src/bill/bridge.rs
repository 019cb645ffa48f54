//! From one bill to another, every dollar of difference named.

use std::collections::BTreeSet;

use super::charge::Charge;
use super::model::{Bill, PurchaseOption};
use crate::units::Money;

/// The differences `to − from` by charge and way of buying, in the order of
/// [`Charge::ALL`], zero differences left out. They sum to
/// `to.total − from.total` exactly.
#[must_use]
pub fn bridge(from: &Bill, to: &Bill) -> Vec<(String, Money)> {
    let keys: BTreeSet<_> = from.by_item.keys().chain(to.by_item.keys()).copied().collect();
    let amount = |bill: &Bill, key| bill.by_item.get(key).copied().unwrap_or_default();
    keys.iter()
        .map(|key| (label(*key), amount(to, key) - amount(from, key)))
        .filter(|(_, difference)| *difference != Money::ZERO)
        .collect()
}

fn label((charge, purchase): (Charge, PurchaseOption)) -> String {
    let name = charge.label();
    let one_way = matches!(
        (charge, purchase),
        (_, PurchaseOption::Other)
            | (
                Charge::SpotFirstHour
                    | Charge::UnusedCommitment
                    | Charge::UnusedReservedInstance
                    | Charge::UnusedCapacity,
                _
            )
    );
    if one_way {
        return name.to_owned();
    }
    let how = match purchase {
        PurchaseOption::OnDemand => "On-Demand",
        PurchaseOption::Spot | PurchaseOption::FargateSpot => "Spot",
        PurchaseOption::SavingsPlan => "Savings Plan",
        PurchaseOption::ReservedInstance => "Reserved Instance",
        PurchaseOption::Fargate => return name.to_owned(),
        PurchaseOption::Custom => "custom shapes",
        PurchaseOption::Other => "other",
    };
    format!("{name}, {how}")
}
