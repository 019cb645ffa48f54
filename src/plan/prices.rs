//! Factors on prices, from the scenario's words to the catalog's.

use super::notes::Notes;
use crate::catalog::{PriceShock, Region};
use crate::names::wildcard;
use crate::scenario::{Prices, quote};

/// The Region with the scenario's factors on its rates.
pub(super) fn link(prices: &Prices, region: Region, notes: &mut Notes<'_>) -> Region {
    if *prices == Prices::default() {
        return region;
    }
    let patterns = || prices.types.iter().map(|(pattern, _)| pattern);
    let matching = |name: &str| patterns().filter(|p| wildcard(&p.value, name)).collect::<Vec<_>>();
    for pattern in patterns() {
        let matched = |name: &&str| wildcard(&pattern.value, name);
        if region.names().all(|name| !matched(&name)) {
            let message =
                format!("no instance type of {} matches {}", region.name(), quote(&pattern.value));
            notes.diags.error(pattern.span, message).suggest(&pattern.value, region.names());
        }
    }
    let twice = region.names().find_map(|name| match matching(name)[..] {
        [_, second, ..] => Some((name, second.span)),
        _ => None,
    });
    if let Some((name, span)) = twice {
        let message = format!("a pattern before this one matches {} as well", quote(name));
        notes.diags.error(span, message).help("let each instance type match one pattern");
        return region;
    }
    region.shocked(PriceShock {
        on_demand: prices.on_demand.map(|f| f.value.0),
        spot: prices.spot.map(|f| f.value.0),
        fargate: prices.fargate.map(|f| f.value.0),
        savings_plans: prices.savings_plans.map(|f| f.value.0),
        types: prices.types.iter().map(|(p, f)| (p.value.clone(), f.value.0)).collect(),
    })
}
