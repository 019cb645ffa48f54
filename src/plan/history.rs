//! Recorded Spot prices, shifted to the time of the run.
//!
//! Before the first row of a pool its first price holds, after the last its
//! last one. Zones are found by name; by id where the history has ids of the
//! Region and no names; rows without a zone hold for every zone of the Region.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::Files;
use super::notes::Notes;
use super::time::Window;
use crate::catalog::{PriceStatus, Quote, Region, SpotHistory, Text, usual_zone_id};
use crate::cluster::PriceSteps;
use crate::scenario::{self, Align, RelPath, Source, Span, Spanned, quote};
use crate::text::utc_day;
use crate::units::{HOUR_MS, Rate, SimTime};
use crate::world::Horizon;

/// A history and how it meets the scenario.
#[derive(Debug)]
pub(super) struct History {
    rows: Arc<SpotHistory>,
    shown: String,
    span: Span,
    /// The time of the history that is the start of the run, Unix milliseconds.
    start: i64,
    /// Whether that is another time than the run's own.
    shifted: bool,
    /// Whether it tells of no moment of the run.
    elsewhere: bool,
    zones: BTreeMap<String, String>,
    dates: Text,
}

impl History {
    /// Reads the file; `None` after a reported error.
    pub(super) fn link(
        it: &scenario::SpotHistory,
        source: &Source,
        window: Window,
        files: &mut Files,
        notes: &mut Notes<'_>,
    ) -> Option<Self> {
        let none = scenario::Keyed::default();
        let (file, align, zones, dataset) = match it {
            scenario::SpotHistory::File(path) => (path, None, &none, None),
            scenario::SpotHistory::Described(it) => {
                (&it.file, it.align.as_ref(), &it.zones, it.dataset.as_ref())
            }
        };
        let rows = open(file, dataset, source, files, notes)?;
        let known = rows.zones();
        for (name, zone) in zones.iter() {
            if !known.contains(&zone.value) {
                let message = format!(
                    "the history has no zone {}, which {} shall be",
                    quote(&zone.value),
                    quote(&name.value)
                );
                notes
                    .diags
                    .error(zone.span, message)
                    .suggest(&zone.value, known.iter().map(String::as_str));
            }
        }
        let (first, last) = rows.span();
        if align.is_none() {
            let note = "rows count at the time they bear; `first-row` or a time shifts them";
            notes.default("spot.prices.history.align", "absolute", note);
        }
        let start = match align.map(|a| &a.value) {
            None | Some(Align::Absolute) => window.start_unix_ms,
            Some(Align::FirstRow) => first,
            Some(Align::At(time)) => time.as_millisecond(),
        };
        let end = match window.horizon {
            Horizon::At(end) => start.saturating_add(end.ms()),
            Horizon::UntilIdle => start,
        };
        let elsewhere = last < start || first > end;
        if elsewhere {
            let (which, when) = if last < start { ("last", "before") } else { ("first", "after") };
            let message = format!(
                "the history covers {} to {}, {when} the run: the {which} price of each pool \
                 holds throughout",
                utc_day(first),
                utc_day(last)
            );
            notes.diags.warning("spot-history-elsewhere", file.span, message).help(
                "state `align: first-row`, or the time of the history at which the run starts",
            );
        }
        Some(History {
            shown: file.value.as_str().to_owned(),
            span: file.span,
            start,
            shifted: start != window.start_unix_ms,
            elsewhere,
            zones: zones.iter().map(|(k, v)| (k.value.clone(), v.value.clone())).collect(),
            dates: Text::from(if utc_day(first) == utc_day(last) {
                utc_day(first)
            } else {
                format!("{}..{}", utc_day(first), utc_day(last))
            }),
            rows,
        })
    }

    /// What the history calls a zone of the scenario.
    pub(super) fn zone(&self, zone: &str) -> String {
        if let Some(given) = self.zones.get(zone) {
            return given.clone();
        }
        let known = self.rows.zones();
        let region = zone.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(zone);
        let is = |name: &str| known.iter().any(|k| k == name);
        let named = |k: &String| k.strip_prefix(region).is_some_and(|rest| rest.len() == 1);
        if is(zone) || known.iter().any(named) {
            return zone.to_owned();
        }
        let id = usual_zone_id(zone).filter(|id| {
            let ids = id.split("-az").next().unwrap_or(id);
            known.iter().any(|k| k.split("-az").next() == Some(ids) && k.contains("-az"))
        });
        match id {
            Some(id) => id,
            None if is(region) => region.to_owned(),
            None => zone.to_owned(),
        }
    }

    /// Whether a zone was found by an id that nobody stated.
    pub(super) fn assumed_id(&self, zone: &str) -> bool {
        !self.zones.contains_key(zone) && self.zone(zone).contains("-az")
    }

    /// The prices of a pool over the run, with what is known of them, and when
    /// its first row comes; `None` where the history has none.
    pub(super) fn pool(
        &self,
        region: &Region,
        name: &str,
        zone: &str,
        cap: Option<Rate>,
    ) -> Option<(Quote, PriceSteps, SimTime)> {
        let quoted = |rate: Rate| Quote {
            rate,
            status: PriceStatus::Real,
            as_of: self.dates.clone(),
            source: Text::from(self.shown.as_str()),
        };
        let region_wide = zone.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(zone);
        let found = self.zone(zone);
        let rows = self.rows.pool(name, &found);
        let mut status = PriceStatus::Real;
        let mut priced = |(at, listed): (i64, Rate)| {
            let quote = region.on_spot(name, &quoted(listed));
            let rate = cap.map_or(quote.rate, |cap| quote.rate.min(cap));
            status = status.max(quote.status);
            if rate != quote.rate {
                status = status.max(PriceStatus::Derived);
            }
            (SimTime(at.saturating_sub(self.start)), rate)
        };
        let steps: Vec<(SimTime, Rate)> = match rows {
            Some(rows) => rows.map(&mut priced).collect(),
            None => self.rows.pool(name, region_wide)?.map(&mut priced).collect(),
        };
        let (begins, first) = *steps.first()?;
        let steps = PriceSteps::new(first, steps);
        if self.shifted {
            // Of this market, at another time.
            status = status.max(PriceStatus::Representative);
        }
        Some((Quote { status, ..region.on_spot(name, &quoted(first)) }, steps, begins))
    }

    /// Whether a pool's first row comes so late that what it cost before is a
    /// guess. AWS's own answers begin with the price in force at their start (EC2
    /// API reference, `DescribeSpotPriceHistory`).
    pub(super) fn is_late(&self, first_row: SimTime) -> bool {
        !self.elsewhere && first_row.ms() > HOUR_MS
    }

    /// Says of which pools, type and zone, the history says nothing, and of
    /// which it begins after the run.
    pub(super) fn warn_of_gaps(
        &self,
        gaps: &[(String, String)],
        late: &[(String, String)],
        notes: &mut Notes<'_>,
    ) {
        if !gaps.is_empty() {
            let message = format!(
                "the history has no price of {}: there the saving of the Spot advisor applies at \
                 all times",
                listed(gaps)
            );
            notes.diags.warning("spot-history-gap", self.span, message);
        }
        if !late.is_empty() {
            let message = format!(
                "the history begins after the run does for {}: until then the first price of \
                 each holds",
                listed(late)
            );
            notes.diags.warning("spot-history-late", self.span, message);
        }
    }
}

/// Pools, type and zone, in a sentence.
fn listed(pools: &[(String, String)]) -> String {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for (kind, zone) in pools {
        match kinds.iter_mut().find(|(known, _)| known == kind) {
            Some((_, zones)) if zones.contains(&zone.as_str()) => {}
            Some((_, zones)) => zones.push(zone),
            None => kinds.push((kind, vec![zone])),
        }
    }
    let text: Vec<String> =
        kinds.iter().map(|(kind, zones)| format!("{kind} in {}", zones.join(", "))).collect();
    text.join("; ")
}

fn open(
    file: &Spanned<RelPath>,
    dataset: Option<&Spanned<String>>,
    source: &Source,
    files: &mut Files,
    notes: &mut Notes<'_>,
) -> Option<Arc<SpotHistory>> {
    let path = source.locate(&file.value);
    match files.spot_history(&path, file.value.as_str(), dataset.map(|d| d.value.as_str())) {
        Ok(rows) => Some(rows),
        Err(error) => {
            notes.diags.error(file.span, error.to_string());
            None
        }
    }
}
