//! Charts and figures behind the verdict: cases side by side, then each in
//! depth.

use maud::{Markup, html};

use super::super::figures::{costs, of_case, pending, title_of};
use super::super::{text, words};
use super::{code, command, figure, named};
use crate::advise::Verdict;
use crate::sweep::{CaseStudy, GoalValue, Outcome, Pods, Study, UsedShare};

/// Cases side by side, then each.
pub(super) fn section(study: &Study, verdict: Option<&Verdict>) -> Markup {
    let chosen = verdict.map_or(0, |v| v.chosen);
    html! {
        @if let Some(verdict) = verdict { (figure(&costs(study, verdict))) }
        (figure(&pending(study)))
        @if let Some(why) = why(study, chosen) { (why) }
        (goals(study))
        h3 { "Case by case" }
        p.note {
            "Charts of the first seed"
            @if study.cases.iter().any(|c| c.detail.is_some()) {
                "; its bill stands under " a href="#money" { "Where the money goes" }
            }
            "."
        }
        @for (i, case) in study.cases.iter().enumerate() {
            details open[i == chosen] {
                summary {
                    (named(&title_of(case)))
                    @if let Some(verdict) = verdict.and_then(|v| v.case(i)) {
                        span { " – " (words::usd(verdict.cost)) ", pending p95 "
                            (words::or_dash(verdict.pending_p95, |e| text::seconds(e.mean))) }
                    }
                }
                @if case.detail.is_none() { p { "Not finished." } }
                @for chart in of_case(study, case) { (figure(&chart)) }
                @if let Some(outcome) = case.finished().next() { (facts(outcome)) }
            }
        }
    }
}

/// How to learn why the longest wait was so long.
fn why(study: &Study, chosen: usize) -> Option<Markup> {
    let case = study.cases.get(chosen)?;
    let command = command::of_case("explain pod", &study.inputs, case)?;
    Some(html! {
        p.note { "Why the longest wait was so long: " (code(&format!("{command} --longest-wait"))) }
    })
}

fn facts(o: &Outcome) -> Markup {
    let shares = |of: &UsedShare| {
        let requested = of.requested_of_allocatable.map_or_else(|| "–".to_owned(), text::percent);
        let used = match (of.used_of_allocatable, of.used_of_requested) {
            (Some(all), Some(requests)) => format!(
                "used {} of allocatable, {} of requested",
                text::percent(all),
                text::percent(requests)
            ),
            (None, Some(requests)) => {
                format!("used {} of requested where usage is known", text::percent(requests))
            }
            (_, None) => "usage unknown".to_owned(),
        };
        format!("requested {requested} of allocatable; {used}")
    };
    let types: Vec<String> = o
        .nodes
        .by_type
        .iter()
        .map(|(name, of)| {
            format!(
                "{} × {} ({} h)",
                text::count(of.launched),
                text::name(name),
                text::grouped(of.node_hours, 1)
            )
        })
        .collect();
    html! {
        table {
            caption { "In figures" }
            tbody {
                tr { th scope="row" { "pods" } td {
                    (text::count(o.pods.submitted)) " submitted, " (text::count(o.pods.finished)) " finished, "
                    (text::count(o.pods.evicted)) " evicted, " (text::count(o.pods.interrupted)) " interrupted, "
                    (text::count(o.pods.rejected)) " rejected" (reasons(&o.pods)) ", " (text::count(o.pods.pending_at_end)) " pending at the end"
                } }
                tr { th scope="row" { "cpu" } td { (shares(&o.utilisation.cpu)) } }
                tr { th scope="row" { "memory" } td { (shares(&o.utilisation.memory)) } }
                tr { th scope="row" { "nodes" } td {
                    (text::count(o.nodes.launched)) " launched, " (text::count(o.nodes.peak)) " at most at once, "
                    (text::grouped(o.nodes.node_hours, 1)) " node-hours"
                    @if !types.is_empty() { small { (types.join(", ")) } }
                } }
                tr { th scope="row" { "prices" } td {
                    @match words::published_share(o) {
                        Some(share) => { (text::percent(share)) " of the dollars at published prices or derived from them" }
                        None => { "nothing was charged" }
                    }
                } }
            }
        }
    }
}

/// What every goal came to in every case.
fn goals(study: &Study) -> Markup {
    let names: Vec<(usize, String, GoalValue)> = study
        .cases
        .iter()
        .find_map(|c| c.finished().next())
        .map(|o| {
            o.goals.iter().enumerate().map(|(i, g)| (i, text::name(&g.name), g.target)).collect()
        })
        .unwrap_or_default();
    let say = |v: GoalValue| match v {
        GoalValue::Seconds(s) => text::seconds(s),
        GoalValue::Usd(m) => text::usd(m, text::places(m)),
    };
    let cell = |case: &CaseStudy, goal: usize, target: GoalValue| {
        let results: Vec<_> = case.finished().filter_map(|o| o.goals.get(goal)).collect();
        let values: Vec<f64> =
            results.iter().filter_map(|g| g.value).map(GoalValue::to_f64).collect();
        let met = results.iter().filter(|g| g.met).count();
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let mean = match target {
            GoalValue::Seconds(_) => text::seconds(mean),
            GoalValue::Usd(_) => text::usd_f64(mean, words::usd_places(mean)),
        };
        html! {
            @if values.is_empty() { "–" } @else { (mean) }
            small { "met in " (met) " of " (results.len()) }
        }
    };
    html! {
        @if !names.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Goals" {
                table {
                    caption { "Goals: mean over seeds, and in how many seeds each is met" }
                    thead { tr { th scope="col" { "goal" } th.n scope="col" { "at most" }
                        @for case in &study.cases { th.n scope="col" { (named(&title_of(case))) } } } }
                    tbody { @for (i, name, target) in &names { tr {
                        th scope="row" { (named(name)) }
                        td.n { (say(*target)) }
                        @for case in &study.cases { td.n { (cell(case, *i, *target)) } }
                    } } }
                }
            }
        }
    }
}

/// Why pods were rejected, in brackets; nothing where none was.
fn reasons(pods: &Pods) -> String {
    let of: Vec<String> = pods
        .rejected_by_reason
        .iter()
        .map(|(reason, n)| format!("{} {}", text::count(*n), text::name(reason)))
        .collect();
    if of.is_empty() { String::new() } else { format!(" ({})", of.join(", ")) }
}
