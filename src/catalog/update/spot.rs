//! The mean of recorded Spot prices, as a saving against On-Demand.
//!
//! Of each zone the mean over time from its first row to the last row of the
//! file, then over the zones of the Region: what the Spot advisor states for 30
//! days. The interruption band stays that of the tables, so a type that has none
//! there is left out.

use std::collections::BTreeMap;

use super::Taken;
use super::input::Input;
use super::tables::{Draft, ON_DEMAND, SPOT};
use crate::Result;
use crate::catalog::quote::PriceStatus;
use crate::catalog::region::MOST_SPOT_SAVING;
use crate::catalog::spot_history::{SpotHistory, region_id};
use crate::text::utc_day;
use crate::units::Rate;

pub(super) fn read(input: &mut Input, draft: &mut Draft) -> Result<Taken> {
    let history = SpotHistory::read(input.reader(), "spot price history", None)?;
    let (first, last) = history.span();
    let (first, as_of) = (utc_day(first), utc_day(last));
    let ids: BTreeMap<String, String> = draft
        .regions_known()
        .filter_map(|region| Some((region_id(region)?, region.to_owned())))
        .collect();
    let region_of = |zone: &str| -> Option<String> {
        if let Some((id, _)) = zone.split_once("-az") {
            return ids.get(id).cloned();
        }
        let region = zone.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(zone);
        Some(region.to_owned()).filter(|region| ids.values().any(|known| known == region))
    };
    // Sum of the means of the zones, and their number.
    let mut means: BTreeMap<(String, String), (i128, i128)> = BTreeMap::new();
    for (name, zone, mean) in history.means() {
        let Some(region) = region_of(zone).filter(|region| draft.wants(region)) else { continue };
        let sum = means.entry((region, name.to_owned())).or_default();
        *sum = (sum.0 + mean.pico(), sum.1 + 1);
    }
    let id = format!("spot-history-{as_of}");
    let text = format!("On-Demand less the mean saving of the Spot price history from {first}");
    draft.source(&id, PriceStatus::Derived, &as_of, &text);
    let (mut rows, mut unknown) = (0, 0);
    for ((region, name), (sum, zones)) in means {
        let mean = Rate::from_pico(sum / zones);
        let (Some(on_demand), Some(band)) = (
            draft.rate(ON_DEMAND, &[&region, &name], 2).filter(|rate| *rate > Rate::ZERO),
            draft.row(SPOT, &[&region, &name]).and_then(|row| row.get(3)).cloned(),
        ) else {
            unknown += 1;
            continue;
        };
        // Rounded half-even to a whole percent, but not to all of it.
        let paid = Rate::from_pico(100).scale(mean.pico(), on_demand.pico()).pico();
        let saving = (100 - paid).clamp(-1_000, i128::from(MOST_SPOT_SAVING)).to_string();
        let row = [region.as_str(), &name, &saving, &band, &id];
        draft.put(SPOT, row.map(str::to_owned).to_vec());
        rows += 1;
    }
    let left_out = match unknown {
        0 => Vec::new(),
        n => vec![format!("types without an On-Demand price or an interruption band ({n})")],
    };
    Ok(Taken { kind: "Spot price history", as_of, source: id, rows, left_out })
}
