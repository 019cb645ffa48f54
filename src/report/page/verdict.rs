//! The opening: what to choose, what it costs, what it does to pods; and the
//! same by workload.

use maud::{Markup, html};

use super::super::{text, words};
use super::named;
use crate::advise::{CaseVerdict, Shortfall, Verdict, WorkloadVerdict, shortfalls};
use crate::sweep::{Estimate, GoalValue, Study, WorkloadMetric};

/// Workloads in the table at most.
const WORKLOADS: usize = 25;

/// What stands under the headline.
pub(super) fn section(study: &Study, verdict: &Verdict) -> Markup {
    html! {
        section aria-label="Verdict" {
            @for (i, sentence) in words::sentences(study, verdict).iter().enumerate() {
                p class=[(i == 0).then_some("lead")] { (sentence) }
            }
            @if let Some(chosen) = verdict.case(verdict.chosen) { (tiles(chosen)) }
            (cases(study, verdict))
            @if !verdict.goals_met {
                p.alert role="note" { "No case meets every goal; goals were set aside for this verdict." }
            }
            @for case in verdict.passed_over() {
                p {
                    "Passed over although cheaper: " (named(&words::title(study, case.case))) " – "
                    (reasons(case)) "."
                }
            }
            p.note {
                "± is " (verdict.interval_note()) ". Net cost is after commitments, amortised \
                by the hour; it is the cash paid where no commitment has an upfront payment. List \
                is the same usage without commitments. Differences are taken seed by seed."
            }
        }
    }
}

fn tiles(chosen: &CaseVerdict) -> Markup {
    let count = |e: Option<Estimate>| e.map_or(0.0, |e| e.mean);
    html! {
        ul.tiles {
            @if let Some(month) = chosen.monthly {
                li { b { (text::usd_f64(month.mean, words::usd_places(month.mean * 100.0))) }
                    span { "net a month of 730 h" @if chosen.monthly_extrapolated { ", extrapolated" } } }
            }
            @if let (Some(saving), Some(share)) = (chosen.saving, chosen.saving_share) {
                li { b { (text::percent(share)) }
                    span { @if saving.mean >= 0.0 { "saved" } @else { "saved (it costs more)" } " against the baseline" } }
            }
            @if let Some(wait) = chosen.pending_p95 {
                li { b { (text::seconds(wait.mean)) } span { "pending, 95th percentile" } }
            }
            li { b { (text::grouped(count(chosen.evictions) + count(chosen.interruptions), 0)) }
                span { "pods evicted or interrupted" } }
            li { b { (text::grouped(count(chosen.unserved), 1)) } span { "core-hours of demand unserved" } }
        }
    }
}

fn cases(study: &Study, verdict: &Verdict) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Cases" {
            table.wide-first {
                caption { "Cases, means over seeds in the simulated window" }
                thead { tr {
                    th scope="col" { "case" }
                    th.n scope="col" { "net cost" }
                    th.n scope="col" { "list" }
                    th.n scope="col" { "a month" }
                    th.n scope="col" { "saving" }
                    th.n scope="col" { "pending p95" }
                    th.n scope="col" { "evicted" }
                    th.n scope="col" { "interrupted" }
                    th.n scope="col" { "unserved core-h" }
                } }
                tbody { @for case in &verdict.cases {
                    tr class=[(case.case == verdict.chosen).then_some("chosen")] {
                        th scope="row" {
                            (named(&words::title(study, case.case)))
                            @if case.case == verdict.chosen {  " " span.tag { "choose" } }
                            @if case.case == 0 { small { "baseline" } }
                            @if !case.shortfalls.is_empty() || !case.missed.is_empty() {
                                small { (reasons(case)) }
                            }
                        }
                        td.n { (stacked(Some(case.cost), money)) }
                        td.n { (stacked(case.list, money)) }
                        td.n { (stacked(case.monthly, money)) }
                        td.n {
                            (stacked(case.saving, money))
                            @if let Some(share) = case.saving_share { small { (text::percent(share)) } }
                        }
                        td.n { (stacked(case.pending_p95, |v, _| text::seconds(v))) }
                        td.n { (stacked(case.evictions, |v, _| text::mean_count(v))) }
                        td.n { (stacked(case.interruptions, |v, _| text::mean_count(v))) }
                        td.n { (stacked(case.unserved, |v, _| text::grouped(v, 1))) }
                    }
                } }
            }
        }
    }
}

/// A mean with its interval below; the second number decides the decimals.
fn stacked(e: Option<Estimate>, say: impl Fn(f64, f64) -> String) -> Markup {
    html! {
        @match e {
            None => { "–" }
            Some(e) => {
                (say(e.mean, e.mean))
                @if let Some(half) = e.half_width.filter(|h| *h > 0.0 && h.is_finite()) {
                    small { "± " (say(half, e.mean).trim_start_matches('$')) }
                }
            }
        }
    }
}

fn money(value: f64, size: f64) -> String {
    text::usd_f64(value, words::usd_places(size))
}

/// Why a case is no candidate, or what it misses.
fn reasons(case: &CaseVerdict) -> String {
    let mut reasons: Vec<String> =
        case.shortfalls.iter().map(Shortfall::text).map(|t| text::name(&t)).collect();
    for goal in &case.missed {
        let (value, target) = match goal.target {
            GoalValue::Seconds(s) => (text::seconds(goal.mean), text::seconds(s)),
            GoalValue::Usd(m) => (
                text::usd_f64(goal.mean, words::usd_places(goal.mean)),
                text::usd(m, text::places(m)),
            ),
        };
        reasons.push(format!("misses goal {}: {value}, at most {target}", text::name(&goal.name)));
    }
    reasons.join("; ")
}

/// Every workload in every case; `None` where there is nothing to compare.
pub(super) fn workloads(study: &Study, verdict: &Verdict) -> Option<Markup> {
    if verdict.workloads.is_empty() {
        return None;
    }
    let finished: Vec<usize> = verdict.cases.iter().map(|c| c.case).collect();
    let baseline = study.baseline()?;
    let cell = |workload: &str, case: usize| {
        let cost = study.workload_estimate(case, workload, WorkloadMetric::Cost);
        let wait = study.workload_estimate(case, workload, WorkloadMetric::PendingP95);
        let hit = study.workload_estimate(case, workload, WorkloadMetric::Disruptions);
        let short = case > 0
            && study.cases.get(case).is_some_and(|c| {
                !shortfalls(&baseline.outcomes, &c.outcomes, Some(workload)).is_empty()
            });
        html! {
            @match cost {
                None => { "–" }
                Some(cost) => {
                    (words::usd(cost))
                    small {
                        "p95 " (words::or_dash(wait, |e| text::seconds(e.mean)))
                        @if let Some(hit) = hit.filter(|e| e.mean > 0.0) { ", " (text::mean_count(hit.mean)) " disrupted" }
                    }
                    @if short { small { "does less work" } }
                }
            }
        }
    };
    let (listed, rest) = verdict.dearest(WORKLOADS);
    let several = finished.len() > 1;
    let together = |case: usize| {
        let cost =
            |w: &&WorkloadVerdict| study.workload_estimate(case, &w.workload, WorkloadMetric::Cost);
        words::mean_usd(rest.iter().filter_map(cost).map(|e| e.mean).sum())
    };
    Some(html! {
        p { "What each workload costs in each case, with everything shared distributed: free \
            capacity, system reserve, fees and unused commitment included."
            @if several { " Each row says where one workload is cheapest; workloads in different \
                cases would share less." } }
        div.scroll tabindex="0" role="region" aria-label="Workloads by case" {
            table {
                caption { "Fully loaded cost, pending p95 and pods disrupted by workload and case" }
                thead { tr {
                    th scope="col" { "workload" }
                    @for case in &finished { th.n scope="col" { (named(&words::title(study, *case))) } }
                    @if several { th.n scope="col" { "saving at best" } }
                } }
                tbody {
                    @for workload in &listed { tr {
                        th scope="row" { (named(&workload.workload)) }
                        @for case in &finished {
                            td.n {
                                @if *case == workload.case && several {
                                    strong { (cell(&workload.workload, *case)) } span.tag { "cheapest" }
                                } @else { (cell(&workload.workload, *case)) }
                            }
                        }
                        @if several { td.n {
                            (workload.saving.map_or_else(|| "–".to_owned(), words::usd))
                            @if workload.saving.and_then(|s| s.within_noise()) == Some(true) {
                                small { "within noise" }
                            }
                        } }
                    } }
                    @if !rest.is_empty() { tr.sum {
                        th scope="row" { "and " (text::count(rest.len() as u64)) " more" }
                        @for case in &finished { td.n { (together(*case)) } }
                        @if several { td.n { "–" } }
                    } }
                }
            }
        }
        @if !rest.is_empty() {
            p.note { "Those that cost most in the baseline, the dearest first; all are in "
                code { "comparison.csv" } "." }
        }
    })
}
