//! The Spot advisor's data: saving and interruption band by Region, operating
//! system and type (`https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Taken;
use super::input::Input;
use super::tables::{Draft, SPOT};
use crate::catalog::quote::PriceStatus;
use crate::catalog::region::{MOST_SPOT_SAVING, SPOT_HAZARD_PER_HOUR};
use crate::{Error, Result};

#[derive(Deserialize)]
struct Advisor {
    ranges: Vec<Range>,
    spot_advisor: BTreeMap<String, BTreeMap<String, BTreeMap<String, Entry>>>,
}

/// A band: at most `max` percent of instances reclaimed in a month.
#[derive(Deserialize)]
struct Range {
    index: u8,
    label: String,
}

#[derive(Deserialize)]
struct Entry {
    /// Saving against On-Demand, percent.
    s: i32,
    /// Index of the band.
    r: u8,
}

/// What the bands are called, in order: what the catalog's hazards stand for.
const LABELS: [&str; SPOT_HAZARD_PER_HOUR.len()] = ["<5%", "5-10%", "10-15%", "15-20%", ">20%"];

pub(super) fn read(input: &mut Input, as_of: &str, draft: &mut Draft) -> Result<Taken> {
    let id = format!("spot-advisor-{as_of}");
    let text = "On-Demand less the Spot advisor's 30-day average saving, Linux";
    draft.source(&id, PriceStatus::Derived, as_of, text);
    let (mut rows, mut unknown) = (0, 0);
    input.documents(|advisor: Advisor| {
        for range in &advisor.ranges {
            let known = LABELS.get(usize::from(range.index));
            if known.is_none_or(|label| *label != range.label.replace(' ', "")) {
                return Err(Error::input(format!(
                    "the advisor's band {} is `{}`, which is not one of {}",
                    range.index,
                    range.label,
                    LABELS.join(", ")
                )));
            }
        }
        for (region, systems) in advisor.spot_advisor {
            if !draft.wants(&region) || !draft.knows_region(&region) {
                continue;
            }
            for (name, entry) in systems.get("Linux").into_iter().flatten() {
                if !draft.knows_type(name) {
                    unknown += 1;
                    continue;
                }
                if entry.s > MOST_SPOT_SAVING {
                    return Err(Error::input(format!(
                        "the advisor's saving of {name} in {region} is {} %, and Spot is never \
                         free; correct the entry or remove it",
                        entry.s
                    )));
                }
                let (saving, band) = (entry.s.to_string(), entry.r.to_string());
                let row = [region.as_str(), name, &saving, &band, &id];
                draft.put(SPOT, row.map(str::to_owned).to_vec());
                rows += 1;
            }
        }
        Ok(())
    })?;
    let left_out = match unknown {
        0 => Vec::new(),
        n => vec![format!("entries of types of unknown shape ({n})")],
    };
    Ok(Taken { kind: "Spot advisor", as_of: as_of.to_owned(), source: id, rows, left_out })
}
