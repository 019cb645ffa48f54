//! The verdict of a sweep: sentences and tiles.

use maud::{Markup, html};

use super::super::super::sweep_figures::label;
use super::super::super::{text, words};
use super::{cost_of, dollars, window};
use crate::advise::SweepVerdict;
use crate::sweep::{Estimate, Metric, SweepStudy};

/// The verdict in sentences, tiles and the alternatives that matter.
pub(super) fn opening(study: &SweepStudy, verdict: &SweepVerdict) -> Markup {
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
            text::counted(n as u64, "combination")
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
