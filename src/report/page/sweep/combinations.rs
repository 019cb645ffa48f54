//! Combinations: those that another priority would choose, and all of them.

use maud::{Markup, html};

use super::super::super::sweep_figures::{brief, reading, tradeoffs};
use super::super::super::{text, words};
use super::super::{figure, named};
use super::{cost_of, dollars};
use crate::advise::SweepVerdict;
use crate::sweep::{Combination, Estimate, Metric, SweepStudy};

/// Rows of the table that are not folded away.
const OPEN: usize = 20;
/// Rows of the table at most; the rest is in the files.
const ROWS: usize = 500;
/// Other priorities that are told.
const OTHERS: usize = 8;

/// The front as a chart, and what another priority would choose.
pub(super) fn traded(study: &SweepStudy, verdict: &SweepVerdict) -> Markup {
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

/// Combinations, the best first.
pub(super) fn table(study: &SweepStudy, verdict: &SweepVerdict) -> Markup {
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
            details { summary { (text::counted(folded.len() as u64, "further combination")) } (rows(folded)) }
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
