//! The page of a sweep: which combination to choose and how sure that is,
//! what is traded for what, how each axis acts, every combination, and what it
//! rests on.

use maud::{Markup, html};

use super::super::sweep_figures::{brief, forest, grids, label, lines, reading, tradeoffs};
use super::super::{text, words};
use super::{Shell, appendix, code, command, figure, named};
use crate::advise::{MAX_FACTOR, SweepVerdict, UNFINISHED_TOLERANCE, UNSERVED_TOLERANCE};
use crate::sweep::{Combination, Estimate, Metric, Study, SweepStudy};

/// Rows of the table that are not folded away.
const OPEN: usize = 20;
/// Rows of the table at most; the rest is in the files.
const ROWS: usize = 500;
/// Other priorities that are told.
const OTHERS: usize = 8;

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
        ("tradeoffs", "What is traded for what", verdict.map(|v| traded(study, v))),
        ("axes", "How each setting acts", verdict.and_then(|v| axes(study, v))),
        ("sure", "How sure the differences are", verdict.and_then(|v| sure(study, v))),
        ("flips", "What would flip the verdict", verdict.and_then(|v| flips(study, v))),
        ("settings", "What to change", verdict.map(|v| settings(study, v))),
        ("combinations", "Every combination", verdict.map(|v| table(study, v))),
        ("warnings", "Warnings", appendix::warnings(&basis)),
        ("inputs", "Inputs and assumptions", Some(inputs(study, &basis))),
        ("method", "How this was made", Some(method(study))),
    ];
    let over = html! {
        bdi { (text::name(&study.scenario)) }
        @if !study.region.is_empty() { " · " (text::name(&study.region)) }
        @if let Some(window) = window(study) { " · " (window) " simulated" }
        " · " (several(study.combinations.len(), "combination")) " × " (several(study.seeds.len(), "seed"))
    };
    let alert = (!study.complete)
        .then_some("This sweep was interrupted: it covers only the cells that were finished.");
    Shell { title: &headline, scenario: &study.scenario, version: &study.plimsoll_version }.page(
        &over,
        alert,
        verdict.map(|v| opening(study, v)),
        &sections,
    )
}

fn several(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {what}{s}", text::count(n as u64))
}

fn window(study: &SweepStudy) -> Option<String> {
    Some(words::length(study.baseline()?.finished().next()?.window_hours))
}

/// The verdict in sentences, tiles and the alternatives that matter.
fn opening(study: &SweepStudy, verdict: &SweepVerdict) -> Markup {
    let of = |metric| study.estimate(verdict.chosen, metric);
    let count = |metric| of(metric).map_or(0.0, |e| e.mean);
    let disrupted = count(Metric::Evictions) + count(Metric::Interruptions);
    html! {
        section aria-label="Verdict" {
            @for (i, sentence) in sentences(study, verdict).iter().enumerate() {
                p class=[(i == 0).then_some("lead")] { (sentence) }
            }
            ul.tiles {
                @if let Some(cost) = of(Metric::Cost) {
                    li { b { (words::mean_usd(cost.mean)) }
                        span { "net in the simulated window" (plus_minus(cost)) } }
                }
                @if let Some(share) = verdict.saving_share {
                    li { b { (text::percent(share)) } span { "saved against the baseline" } }
                }
                @if let Some(wait) = of(Metric::PendingP95) {
                    li { b { (text::seconds(wait.mean)) } span { "pending, 95th percentile" } }
                }
                li { b { (text::mean_count(disrupted)) } span { "pods evicted or interrupted" } }
                li { b { (text::grouped(count(Metric::Unserved), 1)) } span { "core-hours of demand unserved" } }
            }
            @if !verdict.goals_met {
                p.alert role="note" { "No combination meets every goal; goals were set aside for this verdict." }
            }
            p.note {
                "± is " @if study.seeds.len() < 2 { "not known from one seed" } @else {
                    "a 95 % interval over " (study.seeds.len()) " seeds: simulation noise only, not doubt about prices or demand"
                } ". Net cost is after commitments, amortised by the hour."
            }
        }
    }
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

fn plus_minus(e: Estimate) -> String {
    match e.half_width {
        Some(h) if h > 0.0 && h.is_finite() => {
            format!(", ±\u{A0}{}", text::usd_f64(h, words::usd_places(e.mean)))
        }
        _ => String::new(),
    }
}

fn sentences(study: &SweepStudy, verdict: &SweepVerdict) -> Vec<String> {
    let chosen = verdict.chosen;
    let mut first = String::from("It costs ");
    first += &words::or_dash(study.estimate(chosen, Metric::Cost), words::usd);
    if let Some(window) = window(study) {
        first.extend([" in the simulated ", &window]);
    }
    if let Some(month) = study.estimate(chosen, Metric::CostMonthly) {
        first.extend([" (", &words::usd(month), " a month of 730 h)"]);
    }
    if let (Some(saving), Some(share)) = (verdict.saving, verdict.saving_share) {
        let noise = noise(saving);
        let saving = dollars(saving, cost_of(study, chosen));
        let share = text::percent(share);
        first.extend(["; it saves ", &saving, " (", &share, ") against ", &label(study, 0), noise]);
    }
    first.push('.');
    let among = verdict.candidates.len();
    let mut second = match among {
        1 => "It is the only combination that does the baseline's work".to_owned(),
        n => format!(
            "It is the cheapest of {} that do the baseline's work",
            several(n, "combination")
        ),
    };
    if verdict.goals_met && !study.goals.is_empty() {
        second += " within every goal";
    }
    if let Some((next, more)) = verdict.runner_up {
        let costs = if more.mean == 0.0 {
            "as much".to_owned()
        } else {
            format!("{} more{}", dollars(more, cost_of(study, chosen)), noise(more))
        };
        second.extend(["; next is ", &label(study, next), ", which costs ", &costs]);
    }
    second.push('.');
    let mut sentences = vec![first, second];
    match verdict.within_noise.len() {
        0 => {}
        1 => sentences.push(
            "One other combination differs from it by no more than simulation noise explains."
                .to_owned(),
        ),
        n => sentences.push(format!(
            "{n} other combinations differ from it by no more than simulation noise explains: \
             among them, take the one with shorter waits or fewer disruptions."
        )),
    }
    if let Some(cheaper) = verdict.passed_over.first() {
        let why = match study.combinations.get(*cheaper) {
            Some(it) if it.serves_less => "does less work",
            _ => "misses a goal",
        };
        let n = verdict.passed_over.len();
        sentences.push(format!(
            "{} cheaper and passed over; the cheapest of them, {}, {why}.",
            if n == 1 { "One combination is".to_owned() } else { format!("{n} combinations are") },
            label(study, *cheaper)
        ));
    }
    sentences
}

fn noise(e: Estimate) -> &'static str {
    if e.within_noise() == Some(true) { ", which noise alone may explain" } else { "" }
}

/// The front as a chart, and what another priority would choose.
fn traded(study: &SweepStudy, verdict: &SweepVerdict) -> Markup {
    let front = study.pareto();
    let mut others: Vec<(usize, Estimate)> = verdict
        .candidates
        .iter()
        .filter(|at| **at != verdict.chosen && front.get(**at) == Some(&true))
        .filter_map(|at| Some((*at, study.difference(verdict.chosen, *at, Metric::Cost)?)))
        .collect();
    others.sort_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    let change = |at: usize, metric: Metric, say: fn(f64) -> String| {
        words::or_dash(study.difference(verdict.chosen, at, metric), |d| match d.mean {
            0.0 => "same".to_owned(),
            v if v < 0.0 => format!("\u{2212}{}", say(-v)),
            v => format!("+{}", say(v)),
        })
    };
    html! {
        p { "Left is cheaper, lower waits less. A combination is beaten when another one costs, \
            waits and disrupts no more and is better in one of the three." }
        (figure(&tradeoffs(study, verdict)))
        @if !others.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Other priorities" {
                table {
                    caption { "What another priority would choose, against the chosen combination" }
                    thead { tr { th scope="col" { (reading(study)) } th.n scope="col" { "cost" }
                        th.n scope="col" { "pending p95" } th.n scope="col" { "evicted" }
                        th.n scope="col" { "interrupted" } } }
                    tbody { @for (at, more) in others.iter().take(OTHERS) { tr {
                        th scope="row" { (named(&brief(study, *at))) }
                        td.n { "+" (dollars(*more, cost_of(study, verdict.chosen))) @if more.within_noise() == Some(true) { small { "within noise" } } }
                        td.n { (change(*at, Metric::PendingP95, text::seconds)) }
                        td.n { (change(*at, Metric::Evictions, text::mean_count)) }
                        td.n { (change(*at, Metric::Interruptions, text::mean_count)) }
                    } } }
                }
            }
            @if others.len() > OTHERS { p.note { "And " (others.len() - OTHERS) " more that nothing beats; see the table of combinations." } }
        } @else {
            p { "No other combination waits less or disrupts less at any price." }
        }
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
    let change = |factor: f64| {
        let text = text::percent((factor - 1.0).abs());
        format!("{}{text}", if factor > 1.0 { "+" } else { "\u{2212}" })
    };
    Some(html! {
        @if verdict.flips.is_empty() {
            p { "No price level up to " (text::grouped(MAX_FACTOR, 0)) " times today's makes another \
                combination as cheap." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Flips" {
                table {
                    caption { "Price levels at which another combination costs the same" }
                    thead { tr { th scope="col" { "if" } th.n scope="col" { "change by" }
                        th scope="col" { "then as cheap: " (reading(study)) } } }
                    tbody { @for flip in &verdict.flips { tr {
                        th scope="row" { (flip.lever.label()) }
                        td.n { (change(flip.factor)) }
                        td { (named(&brief(study, flip.case))) }
                    } } }
                }
            }
        }
        p.note { "Computed from the bills: what runs where is held fixed, and so are the rates of \
            commitments. Each lever moves alone." }
    })
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

/// Combinations, the best first.
fn table(study: &SweepStudy, verdict: &SweepVerdict) -> Markup {
    let ranked = study.ranked();
    let front = study.pareto();
    let rows = |of: &[usize]| -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label="Combinations" {
                table.wide-first {
                    caption { "Combinations, the best first; means over seeds in the simulated window" }
                    thead { tr {
                        th scope="col" { (reading(study)) }
                        th.n scope="col" { "net cost" }
                        th.n scope="col" { "against baseline" }
                        th.n scope="col" { "pending p95" }
                        th.n scope="col" { "evicted" }
                        th.n scope="col" { "interrupted" }
                        th.n scope="col" { "unserved core-h" }
                    } }
                    tbody { @for at in of { (row(study, verdict, *at, front.get(*at) == Some(&true))) } }
                }
            }
        }
    };
    let (open, folded) = ranked.split_at(ranked.len().min(OPEN));
    let folded = folded.get(..ROWS.min(folded.len())).unwrap_or_default();
    html! {
        (rows(open))
        @if !folded.is_empty() {
            details { summary { (several(folded.len(), "further combination")) } (rows(folded)) }
        }
        @if ranked.len() > open.len() + folded.len() {
            p.note { (text::count((ranked.len() - open.len() - folded.len()) as u64))
                " more are in " code { "cells.parquet" } "." }
        }
    }
}

fn row(study: &SweepStudy, verdict: &SweepVerdict, at: usize, front: bool) -> Markup {
    let it = study.combinations.get(at);
    let less = it.is_some_and(|c| c.serves_less);
    let missed = it.and_then(Combination::goals_met) == Some(false);
    let base = study.estimate(0, Metric::Cost).map_or(0.0, |e| e.mean);
    let mean = |metric, say: fn(f64) -> String| {
        words::or_dash(study.estimate(at, metric), |e| say(e.mean))
    };
    html! {
        tr class=[(at == verdict.chosen).then_some("chosen")] {
            th scope="row" {
                (named(&brief(study, at)))
                @if at == verdict.chosen { " " span.tag { "choose" } }
                @else if front { " " span.tag { "unbeaten" } }
                @if at == 0 { small { "baseline" } }
                @if less { small { "does less work" } } @else if missed { small { "misses a goal" } }
            }
            td.n { (words::or_dash(study.estimate(at, Metric::Cost), words::usd)) }
            td.n {
                @match study.difference(0, at, Metric::Cost) {
                    Some(d) if at != 0 => {
                        (sign(d.mean)) (text::usd_f64(d.mean.abs(), words::usd_places(base)))
                        @if base > 0.0 { small { (sign(d.mean)) (text::percent((d.mean / base).abs()))
                            @if d.within_noise() == Some(true) { ", within noise" } } }
                    }
                    _ => { "–" }
                }
            }
            td.n { (mean(Metric::PendingP95, text::seconds)) }
            td.n { (mean(Metric::Evictions, text::mean_count)) }
            td.n { (mean(Metric::Interruptions, text::mean_count)) }
            td.n { (mean(Metric::Unserved, |v| text::grouped(v, 1))) }
        }
    }
}

fn sign(value: f64) -> &'static str {
    match value {
        v if v > 0.0 => "+",
        v if v < 0.0 => "\u{2212}",
        _ => "",
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
            by node with " (several(study.seeds.len(), "seed")) ": " (several(study.combinations.len(), "combination"))
            ", " (several(study.simulations, "simulation")) ". Combinations that differ only in what \
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
