//! Charts of a bill: what became of the money, whose it is, how it was bought,
//! what other prices would do to it.

use super::charts::{
    Along, Amount, Axis, Band, Bar, Ink, Measured, Over, Steps, along, stacked, waterfall,
};
use super::figures::{Figure, file_names, title_of};
use super::money_words::{Kind, purchase_label, step_label};
use super::text;
use crate::bill::commitments::{CommitmentHour, CommitmentStudy};
use crate::bill::{Bill, ByName, PurchaseOption, Step};
use crate::sweep::{CaseStudy, Detail, Priced, Study};
use crate::units::{HOUR_MS, Money};

/// Workloads drawn apart; the rest is drawn as one.
const APART: usize = 12;
/// Levels of the Spot price that are drawn, per cent of On-Demand.
const SPOT_LEVELS: [u32; 10] = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

/// Levels nearer to today's than this are left out: their marks would overlap.
const CLOSE: f64 = 0.045;
/// The axis of money over time.
const PER_HOUR: Axis = Axis { unit: "$ per hour", prefix: "$" };

/// Charts of the money of one case.
pub(super) fn of_case(study: &Study, case: &CaseStudy) -> Vec<Figure> {
    let Some(detail) = &case.detail else { return Vec::new() };
    let (title, name) = (title_of(case), file_names(study, case));
    let mut figures = vec![
        where_it_went(name("waterfall"), &title, &detail.bill),
        by_workload(name("allocation"), &title, &detail.bill),
        cost_over_time(name("cost"), &title, &detail.bill),
    ];
    if let Some(study) = &detail.commitments {
        figures.extend(coverage(name("coverage"), &title, study));
        figures.push(utilisation(name("utilisation"), &title, study));
        figures.push(by_commitment(name("commitments"), &title, &detail.bill, study));
    }
    if let Some(spot) = spot(detail) {
        figures.push(by_spot_price(name("spot"), &title, spot, detail));
    }
    figures
}

pub(super) fn cost_over_time(name: String, case: &str, bill: &Bill) -> Figure {
    const ORDER: [(PurchaseOption, Ink); 8] = [
        (PurchaseOption::ReservedInstance, Ink::VERMILION),
        (PurchaseOption::SavingsPlan, Ink::GREEN),
        (PurchaseOption::OnDemand, Ink::BLUE),
        (PurchaseOption::Spot, Ink::ORANGE),
        (PurchaseOption::Fargate, Ink::PURPLE),
        (PurchaseOption::FargateSpot, Ink::YELLOW),
        (PurchaseOption::Custom, Ink::SKY),
        (PurchaseOption::Other, Ink::GREY),
    ];
    let bands: Vec<Band> = ORDER
        .into_iter()
        .map(|(option, ink)| Band {
            label: purchase_label(option).to_owned(),
            ink,
            values: bill.hourly.rows.iter().map(|row| row[option as usize].to_f64()).collect(),
        })
        .collect();
    let time = clock_hours(i64::from(bill.hourly.first_hour), bill.hourly.rows.len());
    Figure::of_case(name, case, "cost per hour by purchase option", move |look, title| {
        stacked(look, title, PER_HOUR, time, &bands)
    })
}

/// Steps that are not zero, with their amounts, exact and rounded so that they
/// add up to the rounded total.
pub(super) fn waterfall_rows(bill: &Bill) -> Vec<(Step, Money, Money)> {
    let places = text::places(bill.total);
    let steps: Vec<(Step, Money)> = bill
        .waterfall
        .iter()
        .map(|s| (s.step, s.amount()))
        .filter(|(_, m)| *m != Money::ZERO)
        .collect();
    let amounts: Vec<Money> = steps.iter().map(|s| s.1).collect();
    let shown = text::adding_up(Money::ZERO, &amounts, places);
    steps.into_iter().zip(shown).map(|((step, exact), shown)| (step, exact, shown)).collect()
}

pub(super) fn where_it_went(name: String, case: &str, bill: &Bill) -> Figure {
    let rows = waterfall_rows(bill);
    let meanings: Vec<(&str, Ink)> = Kind::ALL
        .into_iter()
        .filter(|k| rows.iter().any(|(s, ..)| step_label(*s).1 == *k))
        .map(Kind::meaning)
        .collect();
    let mut bars: Vec<Bar> = rows
        .iter()
        .map(|(step, exact, shown)| {
            let (label, kind) = step_label(*step);
            let (_, ink) = kind.meaning();
            Bar { label: label.to_owned(), ink, amount: Amount::Change(*exact, *shown) }
        })
        .collect();
    bars.push(Bar {
        label: "total".to_owned(),
        ink: Ink::Muted,
        amount: Amount::Total(bill.total),
    });
    Figure::of_case(name, case, "where each dollar went", move |look, title| {
        waterfall(look, title, false, &meanings, &bars)
    })
}

/// Owners in brackets are nobody's pods.
pub(super) fn is_pseudo(name: &str) -> bool {
    name.starts_with('(')
}

/// Owners with what they cost, the largest first; what is nobody's last.
pub(super) fn ranked(owners: &ByName) -> Vec<(&str, Money)> {
    let mut ranked: Vec<(&str, Money)> = owners.iter().map(|(n, m)| (n.as_str(), *m)).collect();
    // Stable: equal amounts stay in the order of their names.
    ranked.sort_by_key(|(name, amount)| (is_pseudo(name), std::cmp::Reverse(*amount)));
    ranked
}

/// Workloads fully loaded, adding up to the bill.
pub(super) fn by_workload(name: String, case: &str, bill: &Bill) -> Figure {
    let (loaded, total) = (ranked(&bill.fully_loaded_by_workload), bill.total);
    let places = text::places(total);
    let (apart, rest) = match loaded.len() {
        n if n > APART + 1 => loaded.split_at(APART),
        n => loaded.split_at(n),
    };
    let mut bars: Vec<(String, Ink, Money)> = apart
        .iter()
        .filter(|(_, m)| *m != Money::ZERO)
        .map(|(n, m)| (text::name(n), if is_pseudo(n) { Ink::GREY } else { Ink::BLUE }, *m))
        .collect();
    let others: Money = rest.iter().map(|r| r.1).sum();
    if others != Money::ZERO {
        bars.push((format!("{} others", rest.len()), Ink::SKY, others));
    }
    let amounts: Vec<Money> = bars.iter().map(|b| b.2).collect();
    let written = text::adding_up(Money::ZERO, &amounts, places);
    let mut bars: Vec<Bar> = bars
        .into_iter()
        .zip(written)
        .map(|((label, ink, exact), shown)| Bar {
            label,
            ink,
            amount: Amount::Change(exact, shown),
        })
        .collect();
    bars.push(Bar { label: "total".to_owned(), ink: Ink::Muted, amount: Amount::Total(total) });
    Figure::of_case(name, case, "by workload, shared cost distributed", move |look, title| {
        waterfall(look, title, false, &[], &bars)
    })
}

/// What Spot came to, if anything was bought as Spot.
pub(super) fn spot(detail: &Detail) -> Option<Priced> {
    let bought = |p: &&Priced| {
        matches!(p.purchase, PurchaseOption::Spot | PurchaseOption::FargateSpot)
            && p.on_demand.pico() > 0
    };
    let mut sums = detail.priced.iter().filter(bought);
    let first = *sums.next()?;
    Some(sums.fold(first, |sum, p| Priced {
        net: sum.net + p.net,
        on_demand: sum.on_demand + p.on_demand,
        ..sum
    }))
}

/// The bill with Spot at a share of On-Demand.
fn total_at(share: f64, spot: Priced, detail: &Detail) -> f64 {
    (detail.bill.total - spot.net).to_f64() + share * spot.on_demand.to_f64()
}

/// The bill by the price of Spot.
pub(super) fn by_spot_price(name: String, case: &str, spot: Priced, detail: &Detail) -> Figure {
    let now = spot.net.to_f64() / spot.on_demand.to_f64();
    let mut levels: Vec<(f64, bool)> =
        SPOT_LEVELS.iter().map(|l| (f64::from(*l) / 100.0, false)).collect();
    // Today's level stands in the place of those that are close: values must
    // keep their distances, for this is a straight line.
    levels.retain(|(level, _)| (level - now).abs() >= CLOSE);
    levels.push((now, true));
    levels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let values: Vec<String> = levels.iter().map(|l| format!("{:.0}", l.0 * 100.0)).collect();
    let points = levels.iter().map(|l| total_at(l.0, spot, detail)).collect();
    let at = Levels {
        axis: "Spot price, % of On-Demand",
        values,
        now: levels.iter().position(|l| l.1),
        ringed: "as simulated",
    };
    bill_along(name, case, "the bill by the price of Spot", at, points)
}

/// Steps of whole clock hours.
fn clock_hours(first: i64, hours: usize) -> Steps {
    let from_unix_ms = first * HOUR_MS;
    Steps {
        from_unix_ms,
        step_ms: HOUR_MS,
        to_unix_ms: from_unix_ms + hours as i64 * HOUR_MS,
        warmup_until_unix_ms: None,
    }
}

/// One amount of every hour.
fn band(study: &CommitmentStudy, label: &str, ink: Ink, of: fn(&CommitmentHour) -> Money) -> Band {
    let values = study.hours.iter().map(|hour| of(hour).to_f64()).collect();
    Band { label: label.to_owned(), ink, values }
}

/// What commitments covered of what they may cover; `None` where nothing was.
pub(super) fn coverage(name: String, case: &str, study: &CommitmentStudy) -> Option<Figure> {
    if study.hours.iter().all(|h| h.covered + h.uncovered == Money::ZERO) {
        return None;
    }
    let time = clock_hours(study.first_hour, study.hours.len());
    let bands = [
        band(study, "covered", Ink::GREEN, |h| h.covered),
        band(study, "not covered", Ink::ORANGE, |h| h.uncovered),
    ];
    let seen = "what commitments may cover, at On-Demand prices";
    Some(Figure::of_case(name, case, seen, move |look, title| {
        stacked(look, title, PER_HOUR, time, &bands)
    }))
}

/// What of the commitments was used.
pub(super) fn utilisation(name: String, case: &str, study: &CommitmentStudy) -> Figure {
    let time = clock_hours(study.first_hour, study.hours.len());
    let used = |h: &CommitmentHour| h.committed - h.used_by_others - h.unused;
    let bands = [
        band(study, "used", Ink::GREEN, used),
        band(study, "used by other usage", Ink::BLUE, |h| h.used_by_others),
        band(study, "unused", Ink::GREY, |h| h.unused),
    ];
    Figure::of_case(name, case, "commitments, used and unused", move |look, title| {
        stacked(look, title, PER_HOUR, time, &bands)
    })
}

/// The bill with more or fewer commitments than there are.
pub(super) fn by_commitment(
    name: String,
    case: &str,
    bill: &Bill,
    study: &CommitmentStudy,
) -> Figure {
    let now = study.at(100).unwrap_or_default();
    let values: Vec<String> = study.levels.iter().map(|l| l.0.to_string()).collect();
    let points = study.levels.iter().map(|l| (bill.total - now + l.1).to_f64()).collect();
    let at = Levels {
        axis: "commitments, % of those there are",
        values,
        now: study.levels.iter().position(|l| l.0 == 100),
        ringed: "as they are",
    };
    bill_along(name, case, "the bill by the size of the commitments", at, points)
}

/// What a bill is drawn over.
struct Levels {
    axis: &'static str,
    values: Vec<String>,
    /// The value that holds, and what its ring means.
    now: Option<usize>,
    ringed: &'static str,
}

/// The bill at every level of something.
fn bill_along(name: String, case: &str, seen: &str, at: Levels, points: Vec<f64>) -> Figure {
    let line = Along {
        label: "the bill".to_owned(),
        ink: Ink::BLUE,
        points: points.into_iter().map(|p| Some((p, None))).collect(),
        chosen: at.now,
    };
    Figure::of_case(name, case, seen, move |look, title| {
        let over = Over { axis: at.axis, values: &at.values, ringed: at.ringed };
        along(look, title, "$ in the window", Measured::Dollars, over, std::slice::from_ref(&line))
    })
}
