//! The verdict in sentences and figures in words, for page and terminal alike.

use std::fmt::Write as _;

use super::figures::title_of;
use super::text;
use crate::advise::{CaseVerdict, Verdict};
use crate::bill::PriceStatus;
use crate::sweep::{CaseStudy, Estimate, Outcome, Study};

/// Title of a case by its index.
pub(super) fn title(study: &Study, case: usize) -> String {
    study.cases.get(case).map(title_of).unwrap_or_default()
}

/// Decimals that suit statistics in dollars of this size.
pub(super) fn usd_places(largest: f64) -> usize {
    match largest.abs() {
        v if v >= 1_000.0 => 0,
        v if v >= 1.0 || v == 0.0 => 2,
        _ => 4,
    }
}

/// Dollars of a mean.
pub(super) fn mean_usd(mean: f64) -> String {
    text::usd_f64(mean, usd_places(mean))
}

/// `$498.20 ± 21.70`; without an interval only the mean.
pub(super) fn usd(e: Estimate) -> String {
    let places = usd_places(e.mean);
    with_interval(mean_usd(e.mean), e, |h| text::grouped(h, places))
}

fn with_interval(mean: String, e: Estimate, half: impl Fn(f64) -> String) -> String {
    match e.half_width {
        Some(h) if h > 0.0 && h.is_finite() => format!("{mean}\u{A0}±\u{A0}{}", half(h)),
        _ => mean,
    }
}

/// A mean or a dash.
pub(super) fn or_dash(e: Option<Estimate>, say: impl Fn(Estimate) -> String) -> String {
    e.map_or_else(|| "–".to_owned(), say)
}

/// What to do, in a few words.
pub(super) fn headline(study: &Study, verdict: &Verdict) -> String {
    let chosen = title(study, verdict.chosen);
    if study.cases.len() == 1 {
        chosen
    } else if verdict.chosen == 0 {
        format!("Stay with {chosen}")
    } else {
        format!("Choose {chosen}")
    }
}

/// The verdict in two or three sentences.
pub(super) fn sentences(study: &Study, verdict: &Verdict) -> Vec<String> {
    let Some(chosen) = verdict.case(verdict.chosen) else { return Vec::new() };
    let mut sentences = vec![cost(study, chosen)];
    sentences.push(service(study, verdict, chosen));
    // What the baseline costs more has just been said.
    if let Some(next) = verdict.runner_up.filter(|next| next.case != 0) {
        let noise = if next.within_noise() == Some(true) {
            ", a difference that noise alone may explain"
        } else {
            ""
        };
        let amount = if next.difference.mean == 0.0 {
            "as much".to_owned()
        } else {
            format!("{} more", usd(next.difference))
        };
        sentences
            .push(format!("Next is {}, which costs {amount}{noise}.", title(study, next.case)));
    }
    sentences
}

fn cost(study: &Study, chosen: &CaseVerdict) -> String {
    let mut text = format!("It costs {}", usd(chosen.cost));
    if let Some(window) = window(study) {
        let _ = write!(text, " in the simulated {window}");
    }
    if let Some(month) = chosen.monthly {
        let how = if chosen.monthly_extrapolated { ", extrapolated" } else { "" };
        let _ = write!(text, " ({} a month of 730 h{how})", usd(month));
    }
    if let (Some(saving), Some(share)) = (chosen.saving, chosen.saving_share) {
        let noise = if saving.within_noise() == Some(true) {
            ", a saving that noise alone may explain"
        } else {
            ""
        };
        let share = text::percent(share);
        let _ =
            write!(text, "; it saves {} ({share}) against {}{noise}", usd(saving), title(study, 0));
    }
    text + "."
}

/// Length of the window that is billed and reported: `162 h`, `7 d`.
pub(super) fn window(study: &Study) -> Option<String> {
    Some(length(study.baseline()?.finished().next()?.window_hours))
}

/// A number of hours: `162 h`, `7 days`.
pub(super) fn length(hours: f64) -> String {
    let days = hours / 24.0;
    if hours < 1.0 {
        return text::seconds(hours * 3600.0);
    }
    if days >= 2.0 && days.fract() == 0.0 {
        format!("{} days", text::grouped(days, 0))
    } else {
        format!("{} h", text::grouped(hours, usize::from(hours.fract() != 0.0)))
    }
}

fn service(study: &Study, verdict: &Verdict, chosen: &CaseVerdict) -> String {
    let base = if verdict.chosen == 0 { None } else { verdict.case(0) };
    // The first figure of the baseline carries its name, the others follow.
    let mut name = Some(title(study, 0));
    let mut figure = |of: fn(&CaseVerdict) -> Option<Estimate>, say: fn(f64) -> String| {
        let now = of(chosen).map_or_else(|| "–".to_owned(), |e| say(e.mean));
        let was = base.and_then(of).map(|e| say(e.mean)).filter(|was| *was != now);
        let was = was.map(|was| match name.take() {
            Some(name) => format!(" ({name}: {was})"),
            None => format!(" ({was})"),
        });
        (now, was.unwrap_or_default())
    };
    // Waits that the end cuts off are counted as they are: no place was found.
    let starved = study.cases.get(verdict.chosen).is_some_and(|c| {
        c.finished()
            .any(|o| o.pending_s.censored > 0 && o.pending_s.censored * 20 >= o.pods.submitted)
    });
    let pending = match figure(|c| c.pending_p95, text::seconds) {
        _ if chosen.pending_p95.is_none() => "No pods waited".to_owned(),
        (now, was) if starved => {
            format!("Fewer than 19 of 20 pods find a place, these wait up to {now} so far{was}")
        }
        (now, was) => format!("19 of 20 pods find a place within {now}{was}"),
    };
    let (evicted, evicted_was) = figure(|c| c.evictions, |v| text::grouped(v, 0));
    let (lost, lost_was) = figure(|c| c.interruptions, |v| text::grouped(v, 0));
    let demanded =
        study.cases.iter().flat_map(CaseStudy::finished).any(|o| o.demanded_core_hours() > 0.0);
    let unserved = match figure(|c| c.unserved, |v| text::grouped(v, 1)) {
        // Batch work alone demands nothing.
        (now, _) if now == "0.0" && !demanded => String::new(),
        (now, was) if now == "0.0" => format!("; all demand is served{was}"),
        (now, was) => format!("; {now} core-hours of demand go unserved{was}"),
    };
    let waiting = match figure(|c| c.pending_at_end, |v| text::grouped(v, 0)) {
        (now, _) if now == "0" || now == "–" => String::new(),
        (now, was) if now == "1" => format!("; 1 pod still waits at the end{was}"),
        (now, was) => format!("; {now} pods still wait at the end{was}"),
    };
    let rejected = match figure(|c| c.rejected, |v| text::grouped(v, 0)) {
        (now, _) if now == "0" || now == "–" => String::new(),
        (now, was) if now == "1" => format!("; 1 pod fits on no node and is rejected{was}"),
        (now, was) => format!("; {now} pods fit on no node and are rejected{was}"),
    };
    format!(
        "{pending}; {evicted} are evicted{evicted_was}, {lost} interrupted{lost_was}\
         {unserved}{waiting}{rejected}."
    )
}

/// Share of an outcome's dollars at published prices or derived from them.
pub(super) fn published_share(outcome: &Outcome) -> Option<f64> {
    let of = |status: PriceStatus| {
        outcome.cost.by_price_status.get(status.name()).copied().unwrap_or_default()
    };
    let published = of(PriceStatus::Real) + of(PriceStatus::Derived);
    published.share_of(outcome.cost.total)
}
