//! The page of a sweep: which combination to choose and how sure that is,
//! what is traded for what, how each axis acts, every combination, and what it
//! rests on.

mod combinations;
mod opening;

use maud::{Markup, html};

use super::super::sweep_figures::{brief, forest, grids, label, lines, reading};
use super::super::{text, words};
use super::bridge::flips_table;
use super::{Shell, appendix, code, command, figure, named};
use crate::advise::{SweepVerdict, UNFINISHED_TOLERANCE, UNSERVED_TOLERANCE};
use crate::sweep::{Estimate, Metric, Study, SweepStudy};

/// The whole page.
#[must_use]
pub fn sweep_page(study: &SweepStudy, verdict: Option<&SweepVerdict>) -> String {
    let headline = match verdict {
        None => "No combination was finished".to_owned(),
        Some(v) if v.chosen == 0 => format!("Stay with {}", label(study, 0)),
        Some(v) => format!("Choose {}", label(study, v.chosen)),
    };
    // What both kinds of result rest on, as the appendix reads it.
    let basis = Study {
        region: study.region.clone(),
        inputs: study.inputs.clone(),
        price_dates: study.price_dates.clone(),
        seeds: study.seeds.clone(),
        warnings: study.warnings.clone(),
        plimsoll_version: study.plimsoll_version.clone(),
        ..Study::default()
    };
    let sections = [
        ("tradeoffs", "What is traded for what", verdict.map(|v| combinations::traded(study, v))),
        ("axes", "How each setting acts", verdict.and_then(|v| axes(study, v))),
        ("sure", "How sure the differences are", verdict.and_then(|v| sure(study, v))),
        ("flips", "What would flip the verdict", verdict.and_then(|v| flips(study, v))),
        ("settings", "What to change", verdict.map(|v| settings(study, v))),
        ("combinations", "Every combination", verdict.map(|v| combinations::table(study, v))),
        ("warnings", "Warnings", appendix::warnings(&basis)),
        ("inputs", "Inputs and assumptions", Some(inputs(study, &basis))),
        ("method", "How this was made", Some(method(study))),
    ];
    let over = html! {
        bdi { (text::name(&study.scenario)) }
        @if !study.region.is_empty() { " · " (text::name(&study.region)) }
        @if let Some(window) = window(study) { " · " (window) " simulated" }
        " · " (text::counted(study.combinations.len() as u64, "combination")) " × " (text::counted(study.seeds.len() as u64, "seed"))
    };
    let alert = (!study.complete)
        .then_some("This sweep was interrupted: it covers only the cells that were finished.");
    Shell { title: &headline, scenario: &study.scenario, version: &study.plimsoll_version }.page(
        &over,
        alert,
        verdict.map(|v| opening::opening(study, v)),
        &sections,
    )
}

fn window(study: &SweepStudy) -> Option<String> {
    Some(words::length(study.baseline()?.finished().next()?.window_hours))
}

/// What a combination costs, which decides the decimals of differences.
fn cost_of(study: &SweepStudy, at: usize) -> f64 {
    study.estimate(at, Metric::Cost).map_or(0.0, |e| e.mean)
}

/// An amount and its interval with the decimals of something of that size.
fn dollars(e: Estimate, size: f64) -> String {
    let places = words::usd_places(size);
    let mean = text::usd_f64(e.mean, places);
    match e.half_width {
        Some(h) if h > 0.0 && h.is_finite() => {
            format!("{mean}\u{A0}±\u{A0}{}", text::grouped(h, places))
        }
        _ => mean,
    }
}

/// Grids of two axes, then lines along each.
fn axes(study: &SweepStudy, verdict: &SweepVerdict) -> Option<Markup> {
    let (grids, lines) = (grids(study, verdict), lines(study, verdict));
    if grids.is_empty() && lines.is_empty() {
        return None;
    }
    Some(html! {
        @if !grids.is_empty() {
            p { "Two settings against each other, everything else as in the chosen combination. \
                A chart is missing where the figure is the same everywhere." }
        }
        @for chart in &grids { (figure(chart)) }
        @if grids.is_empty() {
            @for chart in &lines { (figure(chart)) }
        } @else if !lines.is_empty() {
            details {
                summary { "One setting at a time, with intervals" }
                @for chart in &lines { (figure(chart)) }
            }
        }
    })
}

fn sure(study: &SweepStudy, verdict: &SweepVerdict) -> Option<Markup> {
    let chart = forest(study, verdict)?;
    Some(html! {
        p { "Combinations share their random numbers, so each is compared with the baseline seed by \
            seed: what all have in common cancels out, and differences are known better than costs." }
        (figure(&chart))
    })
}

fn flips(study: &SweepStudy, verdict: &SweepVerdict) -> Option<Markup> {
    if verdict.candidates.len() < 2 {
        return None;
    }
    let head = format!("then as cheap: {}", reading(study));
    Some(flips_table(&verdict.flips, "combination", "", &head, |at| named(&brief(study, at))))
}

/// What distinguishes the chosen combination, and the command that shows it
/// in depth.
fn settings(study: &SweepStudy, verdict: &SweepVerdict) -> Markup {
    let (base, chosen) = (0, verdict.chosen);
    let case = |at: usize| {
        study.combinations.get(at).and_then(|c| study.cases.get(c.case)).map(|c| c.name.as_str())
    };
    let value = |at: usize, axis: usize| study.value(at, axis).unwrap_or_default();
    let file = study.inputs.first().map_or("scenario.yaml", |i| i.path.as_str());
    let mut shell = format!("plimsoll run {}", command::word(file));
    if let Some(case) = case(chosen).filter(|_| study.cases.len() > 1) {
        shell.extend([" --case ", &command::word(case)]);
    }
    for (axis, of) in study.axes.iter().enumerate() {
        shell.extend([
            " \\\n  --set ",
            &command::word(&format!("{}={}", of.path, value(chosen, axis))),
        ]);
    }
    html! {
        p { "The settings of the chosen combination, by path of the scenario; where one differs from \
            the baseline, what it was." }
        pre.diff {
            @if let (Some(was), Some(now)) = (case(base), case(chosen)) {
                @if was != now { del { bdi { "\u{2212} case: " (text::name(was)) } } ins { bdi { "+ case: " (text::name(now)) } } }
                @else { bdi { "  case: " (text::name(now)) "\n" } }
            }
            @for (axis, of) in study.axes.iter().enumerate() {
                @let (was, now) = (text::name(value(base, axis)), text::name(value(chosen, axis)));
                @if was != now {
                    del { bdi { "\u{2212} " (text::name(&of.path)) ": " (was) } }
                    ins { bdi { "+ " (text::name(&of.path)) ": " (now) } }
                } @else { bdi { "  " (text::name(&of.path)) ": " (now) "\n" } }
            }
        }
        p { "To see it in depth, bill, time line and waits:" }
        pre.diff { (text::lines(&shell)) }
    }
}

fn inputs(study: &SweepStudy, basis: &Study) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Axes" {
            table {
                caption { "What was varied; everything else is as the scenario and the defaults say (" code { "plimsoll check --print-effective" } ")" }
                thead { tr { th scope="col" { "setting" } th scope="col" { "values" } } }
                tbody {
                    @if study.cases.len() > 1 { tr { th scope="row" { "case" } td {
                        @for (i, case) in study.cases.iter().enumerate() { @if i > 0 { ", " } (named(&case.title)) }
                    } } }
                    @for axis in &study.axes { tr {
                        th scope="row" { (code(&axis.path)) }
                        td { @for (i, value) in axis.values.iter().enumerate() { @if i > 0 { ", " } (named(value)) } }
                    } }
                }
            }
        }
        (appendix::inputs(basis))
    }
}

fn method(study: &SweepStudy) -> Markup {
    let share = |v: f64| format!("{} %", text::grouped(v * 100.0, 1));
    html! {
        p { "Every case was combined with every value of every axis and simulated pod by pod and node \
            by node with " (text::counted(study.seeds.len() as u64, "seed")) ": " (text::counted(study.combinations.len() as u64, "combination"))
            ", " (text::counted(study.simulations as u64, "simulation")) ". Combinations that differ only in what \
            things cost share their simulations; all share their random numbers." }
        p { "Intervals are two-sided 95 % Student-t intervals over seeds. They cover simulation noise \
            only: not prices that change, not demand that differs from the input, not what the \
            simulation leaves out. Counts of rare events, fewer than about ten in all seeds together, \
            are less certain than their intervals say: run more seeds." }
        p { "A combination that does less work is never called cheaper: when it rejects pods that the \
            baseline runs, leaves more than " (share(UNSERVED_TOLERANCE)) " more of a service's demand \
            unserved, or more than " (share(UNFINISHED_TOLERANCE)) " more of a batch workload's pods \
            unfinished. Pending is the time from submission until a pod has a place." }
    }
}
