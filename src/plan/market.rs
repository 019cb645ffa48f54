//! What Spot instances cost: constant, recorded or drawn.

use std::sync::Arc;

use super::defaults::{PRICE_DEVIATION, PRICE_HALF_LIFE, PRICE_INTERVAL, ZONE_SPREAD};
use super::files::Files;
use super::history::History;
use super::notes::Notes;
use super::time::Window;
use crate::bill::{Price, SpotBilledAt};
use crate::catalog::{PriceStatus, Region, SpotQuote, Text};
use crate::cluster::{PriceProcess, SpotPrice};
use crate::scenario::{self, MovingPrices, Scenario, Source, Spanned, SpotPrices};
use crate::units::{DAY_MS, MINUTE_MS, SimDuration, SimTime};

/// Bounds of an interval: each is a step of every pool of a run.
const INTERVALS: [SimDuration; 2] = [SimDuration(10 * MINUTE_MS), SimDuration(366 * DAY_MS)];

/// Where Spot prices come from.
#[derive(Debug)]
pub(super) struct Market {
    kind: Kind,
    /// Whether a price that moves is cut at On-Demand.
    capped: bool,
    /// Pools that were asked for and are not in the history: type and zone.
    gaps: Vec<(String, String)>,
    /// Pools whose first row comes after the start of the run.
    late: Vec<(String, String)>,
}

#[derive(Debug)]
enum Kind {
    /// Constant, by the published saving.
    Advisor,
    Process(PriceProcess),
    History(History),
}

impl Market {
    /// Links `spot.prices`; defaults are stated only where some pool buys Spot.
    /// After a reported error the prices do not move.
    pub(super) fn link(
        (scenario, source): (&Scenario, &Source),
        bought: bool,
        window: Window,
        files: &mut Files,
        notes: &mut Notes<'_>,
    ) -> Self {
        let it = &scenario.spot;
        let kind = match &it.prices {
            None => {
                if bought {
                    let note = "the published saving of each type, the same at all times";
                    notes.default("spot.prices", "advisor", note);
                }
                Kind::Advisor
            }
            Some(Spanned { value: SpotPrices::Advisor, .. }) => Kind::Advisor,
            Some(Spanned { value: SpotPrices::Moving(moving), .. }) => match moving {
                MovingPrices::Process(process) => Kind::Process(link_process(process, notes)),
                MovingPrices::History(history) => {
                    match History::link(history, source, window, files, notes) {
                        Some(history) => Kind::History(history),
                        None => Kind::Advisor,
                    }
                }
            },
        };
        let moves = !matches!(kind, Kind::Advisor);
        if !moves {
            let keys = [
                ("billed-at", it.billed_at.as_ref().map(|b| b.span)),
                ("cap-at-on-demand", it.cap_at_on_demand.as_ref().map(|c| c.span)),
            ];
            for (key, span) in keys {
                if let Some(span) = span {
                    let message = format!("`spot.{key}` has no effect: the prices do not move");
                    notes.diags.warning("unused-spot-price", span, message);
                }
            }
        } else if it.cap_at_on_demand.is_none() {
            let note = "the default maximum price of a Spot request (EC2 user guide)";
            notes.default("spot.cap-at-on-demand", true, note);
        }
        Market {
            kind,
            capped: it.cap_at_on_demand.is_none_or(|c| c.value),
            gaps: Vec::new(),
            late: Vec::new(),
        }
    }

    /// What a type costs in a zone: the price at the start of the run, and how
    /// it moves. `None` after a reported error.
    pub(super) fn price(
        &mut self,
        region: &Region,
        name: &Spanned<String>,
        zone: &str,
        advisor: &SpotQuote,
        notes: &mut Notes<'_>,
    ) -> Option<(Price, Option<SpotPrice>)> {
        let (unit, path) = ("instance-hour", format!("ec2-spot.{}", name.value));
        match &self.kind {
            Kind::Advisor => Some((notes.price(name.span, path, unit, &advisor.quote)?, None)),
            Kind::Process(process) => {
                let mut quote = advisor.quote.clone();
                quote.status = quote.status.max(PriceStatus::Representative);
                quote.source = Text::from(format!("mean of a drawn price; {}", quote.source));
                let price = notes.price(name.span, path, unit, &quote)?;
                let moves = SpotPrice::Process {
                    process: *process,
                    level: price.rate,
                    cap: region.spot_ceiling(&name.value).filter(|_| self.capped),
                };
                Some((price, Some(moves)))
            }
            Kind::History(history) => {
                let cap = region.spot_ceiling(&name.value).filter(|_| self.capped);
                let pool = || (name.value.clone(), zone.to_owned());
                let found = history.pool(region, &name.value, zone, cap);
                let Some((mut quote, steps, begins)) = found else {
                    self.gaps.push(pool());
                    let path = format!("{path}.{zone}");
                    return Some((notes.price(name.span, path, unit, &advisor.quote)?, None));
                };
                if history.is_late(begins) {
                    self.late.push(pool());
                }
                if history.assumed_id(zone) {
                    notes.default(
                        format!("spot.prices.history.zones.{zone}"),
                        history.zone(zone),
                        "choice: the history names zones by id, which AWS maps to names per \
                         account",
                    );
                }
                quote.rate = steps.at(SimTime::ZERO);
                let price = notes.price(name.span, format!("{path}.{zone}"), unit, &quote)?;
                Some((price, Some(SpotPrice::Steps(Arc::new(steps)))))
            }
        }
    }
}

impl Market {
    /// All pools are linked.
    pub(super) fn finish(&self, notes: &mut Notes<'_>) {
        if let Kind::History(history) = &self.kind {
            history.warn_of_gaps(&self.gaps, &self.late, notes);
        }
    }
}

fn link_process(it: &scenario::PriceProcess, notes: &mut Notes<'_>) -> PriceProcess {
    let path = |key: &str| format!("spot.prices.process.{key}");
    let plain = |given: Option<Spanned<scenario::Positive<SimDuration>>>| {
        given.map(|g| Spanned { value: g.value.0, span: g.span })
    };
    let share = |given: Option<Spanned<scenario::Share>>| {
        given.map(|g| Spanned { value: g.value.0, span: g.span })
    };
    let interval = notes.or_default(plain(it.interval), path("interval"), PRICE_INTERVAL);
    if let (Some(given), false) = (&it.interval, (INTERVALS[0]..=INTERVALS[1]).contains(&interval))
    {
        let message = format!("an interval between {} and {}", INTERVALS[0], INTERVALS[1]);
        notes.diags.error(given.span, message);
    }
    let half_life = notes.or_default(plain(it.half_life), path("half-life"), PRICE_HALF_LIFE);
    let deviation = notes.or_default(share(it.deviation), path("deviation"), PRICE_DEVIATION);
    let spread = notes.or_default(share(it.zone_spread), path("zone-spread"), ZONE_SPREAD);
    PriceProcess {
        interval,
        half_life,
        deviation: deviation.ppm as f64 / 1e6,
        zone_spread: spread.ppm as f64 / 1e6,
    }
}

/// Links `spot.billed-at`.
pub(super) fn billed_at(scenario: &Scenario, moves: bool, notes: &mut Notes<'_>) -> SpotBilledAt {
    match scenario.spot.billed_at.map(|b| b.value) {
        Some(scenario::SpotBilledAt::ClockHour) => SpotBilledAt::ClockHour,
        Some(scenario::SpotBilledAt::Second) => SpotBilledAt::Second,
        Some(scenario::SpotBilledAt::InstanceHour) => SpotBilledAt::InstanceHour,
        None => {
            if moves {
                let note = "EC2 announcement of the Spot pricing model, 2017-11: each hour of an \
                            instance costs what it did at its start";
                notes.default("spot.billed-at", "instance-hour", note);
            }
            SpotBilledAt::InstanceHour
        }
    }
}
